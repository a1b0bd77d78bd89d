"""Twilio's REST API by the official client: place a call, look for it, change it; each within a time of its own.

Every method blocks and belongs into a thread. What Twilio answers becomes Refused or Unavailable by the table in
``legs/twilio/rest``; an error that leaves open whether the call was placed is ``Unavailable`` with the code UNSURE.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs.twilio.rest import Account, Placing, error_of
from phone_bridge.legs.twilio.webhook import status_of

ANSWER_S = 10.0
"""How long a connection, and then an answer, may take."""
UNSURE = "carrier_unsure"
"""The code of Unavailable where nobody knows whether the carrier has taken the request."""
NOT_SENT = "carrier_unreachable"
"""The code of Unavailable where no connection came about, so that nothing was sent."""
LISTED = 20
"""Calls to one number that are looked through for one of ours."""
SKEW_S = 30
"""How far the carrier's clock may be from ours."""

_T = TypeVar("_T")


class Placed(msgspec.Struct, frozen=True):
    """A call as the carrier has it; ``status`` in the bridge's words."""

    carrier_id: str
    status: str


class Carrier:
    """The REST API of one account; the library is loaded at the first use."""

    def __init__(self, account: Account, *, answer_s: float = ANSWER_S) -> None:
        self._account = account
        self._timeout = answer_s
        self._client: Any = None

    def load(self) -> None:
        """Load the library and make the client, which takes a quarter of a second."""
        from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # ships no types
        from twilio.rest import Client  # type: ignore[import-untyped]

        if self._client is None:
            logging.getLogger("twilio.http_client").setLevel(logging.WARNING)  # it tells whom we look for
            http = TwilioHttpClient(timeout=self._timeout)
            # Else TWILIO_EDGE and TWILIO_REGION of the environment would write themselves into an address of our own.
            nowhere = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
            account = self._account
            client = Client(account.sid, account.token, account.sid, http_client=http, environment=nowhere)
            client.api.base_url = self._account.base_url.rstrip("/")
            self._client = client

    def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            self._client.http_client.session.close()
            self._client = None

    def place(self, placing: Placing) -> Placed:
        """Have a call placed; raises Refused, or Unavailable: UNSURE, NOT_SENT or Twilio's own."""
        return self._ask(lambda client: _read(client.calls.create(**placing.parameters())))

    def look(self, carrier_id: str) -> Placed:
        """Ask how a call stands; raises Refused ``call_gone`` where there is none."""
        return self._ask(lambda client: _read(client.calls(carrier_id).fetch()))

    def find(self, to: str, from_: str, since_s: int) -> list[Placed]:
        """List the calls between two numbers that were made since then, newest first."""

        def ask(client: Any) -> list[Placed]:
            page = client.calls.page(to=to, from_=from_, page_size=LISTED)
            # of a queued call only the date of its making is there
            return [_read(call) for call in page if _since(call.date_created or call.start_time, since_s)]

        return self._ask(ask)

    def end(self, carrier_id: str, *, answered: bool) -> None:
        """End a call, or take it back while it is not answered; one that is over already is as good."""
        try:
            self._ask(lambda client: client.calls(carrier_id).update(status="completed" if answered else "canceled"))
        except Refused as error:
            if error.code != "call_gone":
                raise

    def redirect(self, carrier_id: str, twiml: str) -> None:
        """Go on with another document; raises Refused ``call_gone`` for a call that is over."""
        self._ask(lambda client: client.calls(carrier_id).update(twiml=twiml))

    def _ask(self, ask: Callable[[Any], _T]) -> _T:
        import requests  # with the client, at the first use
        from twilio.base.exceptions import TwilioException, TwilioRestException  # type: ignore[import-untyped]

        self.load()
        try:
            return ask(self._client)
        except TwilioRestException as error:
            raise error_of(error.status, error.code or 0) from None
        except requests.ConnectTimeout:
            raise Unavailable("Twilio could not be reached in time.", code=NOT_SENT) from None
        except requests.ConnectionError as error:
            raise Unavailable(f"Twilio could not be reached ({type(error).__name__}).", code=_broken(error)) from None
        except requests.RequestException as error:
            raise Unavailable(f"Twilio did not answer ({type(error).__name__}).", code=UNSURE) from None
        except TwilioException as error:
            raise _listed_error(error) from None
        except (ValueError, TypeError, AttributeError, KeyError):  # whatever an answer of another kind leads it to
            raise Unavailable("Twilio answered with something that is no call.", code=UNSURE) from None


def _broken(error: OSError) -> str:
    """Tell a connection that never was from one that broke, after which the call may have been placed."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    return NOT_SENT if type(reason).__name__ == "NewConnectionError" else UNSURE


def _listed_error(error: Exception) -> Refused | Unavailable:
    """Read what the library says of a page that was refused."""
    response = error.args[1] if len(error.args) > 1 else None
    return error_of(int(getattr(response, "status_code", 500)), 0)


def _read(call: Any) -> Placed:
    try:
        return Placed(str(call.sid), status_of(str(call.status)))
    except RemoteError:
        return Placed(str(call.sid), "queued")


def _since(made: datetime | None, since_s: int) -> bool:
    if made is None:
        return True
    return (made if made.tzinfo else made.replace(tzinfo=UTC)).timestamp() >= since_s - SKEW_S

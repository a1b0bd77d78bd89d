"""What the calendar tools reach outside of the house: a route server, and the callers' phones by text message."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from phone_bridge.errors import BridgeError, Refused
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio import rest
from phone_bridge.outbound.destinations import dialable
from phone_bridge.runtime.record import CallRecord
from phone_bridge.settings import Settings
from phone_bridge.tools.osrm import Osrm
from phone_bridge.tools.travel import Estimate, Router

TEXTS_A_CALL_MAX = 3
"""How many text messages one call may have sent; each costs the account's owner money."""
CALLS_REMEMBERED = 1000
"""Of how many calls that is remembered."""

Ask = Callable[[Request], Awaitable[Response]]

log = logging.getLogger("phone_bridge.app")


def router(settings: Settings, ask: Ask) -> Router:
    """Choose who finds ways: the route server of the settings, or an estimate."""
    return Osrm(settings.osrm_url, ask) if settings.osrm_url else Estimate()


class Texting:
    """Sends a caller a text message on the phone they call with; ``live`` gives the calls that are going on."""

    def __init__(self, settings: Settings, live: Callable[[], Iterable[CallRecord]], ask: Ask) -> None:
        self._settings = settings
        self._live = live
        self._ask = ask
        self._sent: dict[str, int] = {}

    async def send(self, user_id: str, text: str) -> bool:
        """Send ``text`` to the one phone that calls as this user now; False where it cannot be told which, or how.

        Several phones may call as one user at a time: what one of them asked for is no other one's business.
        """
        call = self._only_call(user_id)
        if call is None or not self._settings.texts:
            return False
        number = _phone(call)
        if number is None or self._sent.get(call.id, 0) >= TEXTS_A_CALL_MAX:
            return False
        self._count(call.id)
        return await self.to(number, text)

    async def to(self, number: str, text: str) -> bool:
        """Send ``text`` to ``number``, for a reason of our own; False where it could not be sent."""
        settings = self._settings
        if not settings.texts:
            return False
        account = rest.Account(
            sid=settings.twilio_account_sid, token=settings.twilio_tokens[0], base_url=settings.twilio_url
        )
        request = rest.send_message(account, to=number, from_=settings.twilio_phone_number, body=text)
        try:
            rest.read_message(await self._ask(request))
        except BridgeError as error:
            log.warning("! a text message could not be sent: %s", error)
            return False
        return True

    def _only_call(self, user_id: str) -> CallRecord | None:
        calls = [record for record in self._live() if record.user_id == user_id]
        return calls[0] if len({_phone(call) for call in calls}) == 1 else None

    def _count(self, call_id: str) -> None:
        self._sent[call_id] = self._sent.get(call_id, 0) + 1
        while len(self._sent) > CALLS_REMEMBERED:
            del self._sent[next(iter(self._sent))]


def _phone(call: CallRecord) -> str | None:
    """Find the number of the caller's phone, if there is one that may be written to."""
    number = call.from_number if call.direction == "inbound" else call.to_number
    try:
        dialable(number or "")
    except Refused:
        return None
    return number

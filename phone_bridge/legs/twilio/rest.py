"""Twilio's REST API for calls and for a text message, as values: what to ask, and what came of it.

Sources: https://www.twilio.com/docs/voice/api/call-resource, https://www.twilio.com/docs/messaging/api/message-resource,
https://www.twilio.com/docs/api/errors
"""

from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from phone_bridge.errors import LocalError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.webhook import status_of, whole_number

MAX_TWIML_CHARS = 4_000
"""The longest document that the ``Twiml`` parameter takes."""

MAX_MESSAGE_CHARS = 1_600
"""The longest text of a message."""

CALL_GONE = "call_gone"
"""The code of Refused where the call is over already: for whoever meant to end it, a success."""

_GONE_CODES = frozenset({20404, 21220})
_LATER_STATUSES = frozenset({408, 429})

LATER: Mapping[int, str] = MappingProxyType(
    {
        10004: "the account has too many calls at a time",
        20429: "too many requests came at a time",
        22005: "the account's queue of calls is too long",
    }
)
"""Errors after which the same request may succeed; none of them was processed."""

NEVER: Mapping[int, str] = MappingProxyType(
    {
        10001: "the account is not active",
        10002: "a trial account cannot do this",
        13224: "the number cannot be dialled",
        20003: "the account or its token is wrong: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
        20005: "the account is not active",
        21201: "no number was named to call",
        21210: "the number to call from is not the account's: check TWILIO_PHONE_NUMBER, or from",
        21211: "the number to call is not valid",
        21212: "the number to call from is not valid: check TWILIO_PHONE_NUMBER, or from",
        21213: "no number was named to call from",
        21214: "the number cannot be reached",
        21215: "calls to that country are not permitted: open it in Twilio's voice geographic permissions",
        21216: "the account may not call that number",
        21217: "the number to call is not valid",
        21219: "a trial account calls verified numbers only",
        21262: "answering machines cannot be looked for without a callback",
        32205: "calls to that country are not permitted: open it in Twilio's voice geographic permissions",
    }
)
"""Errors after which the same request will never succeed, and how to mend what can be mended."""

MAX_TIME_LIMIT_S = 14_400
MAX_RING_S = 600


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whose calls these are; ``token`` is a secret."""

    sid: str
    token: str
    base_url: str = "https://api.twilio.com"


class CallResource(msgspec.Struct, frozen=True):
    """A call as Twilio's REST API has it; ``status`` in the bridge's words."""

    sid: str
    status: str


class AccountResource(msgspec.Struct, frozen=True):
    """An account; ``status`` is active, suspended or closed, ``type`` Trial or Full."""

    status: str
    type: str = ""


class NumberResource(msgspec.Struct, frozen=True):
    """A number of an account, and the webhook of its calls."""

    phone_number: str
    voice_url: str | None = None
    voice_method: str | None = None


class _Numbers(msgspec.Struct):
    incoming_phone_numbers: list[NumberResource]


R = TypeVar("R")


class _Call(msgspec.Struct):
    sid: str
    status: str


class _Message(msgspec.Struct):
    sid: str


class _Failure(msgspec.Struct):
    code: int = 0
    message: str = ""


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """A call to be placed; the four URLs are ours, and times are in seconds.

    ``machine_detection`` is empty, ``Enable`` or ``DetectMessageEnd``; ``async_amd`` connects the call meanwhile.
    ``digits`` are pressed as soon as it is answered; Twilio looks for no machine then, so none is asked for.
    """

    call_id: str
    """What the call is called here; the carrier learns it from the URLs alone."""
    to: str
    from_: str
    url: str
    status_url: str
    amd_url: str
    ring_s: int
    limit_s: int
    machine_detection: str = ""
    async_amd: bool = False
    digits: str = ""

    def parameters(self) -> dict[str, Any]:
        """Give the parameters by the official client's names."""
        given: dict[str, Any] = {
            "to": self.to,
            "from_": self.from_,
            "url": self.url,
            "method": "POST",
            "status_callback": self.status_url,
            "status_callback_method": "POST",
            "status_callback_event": ["initiated", "ringing", "answered", "completed"],
            "timeout": min(self.ring_s, MAX_RING_S),
            "time_limit": min(self.limit_s, MAX_TIME_LIMIT_S),
        }
        if self.digits:
            return given | {"send_digits": self.digits}
        if self.machine_detection:
            given["machine_detection"] = self.machine_detection
        if self.machine_detection and self.async_amd:
            given |= {
                "async_amd": "true",  # a text for Twilio, too
                "async_amd_status_callback": self.amd_url,
                "async_amd_status_callback_method": "POST",
            }
        return given


def end_call(account: Account, call_sid: str) -> Request:
    """Ask to end a call that was answered."""
    return _update(account, call_sid, {"Status": "completed"})


def redirect_call(account: Account, call_sid: str, twiml: str) -> Request:
    """Ask to go on with the document ``twiml``, which ends a ``<Connect><Stream>``."""
    if len(twiml) > MAX_TWIML_CHARS:
        raise LocalError(f"a TwiML document of {len(twiml)} characters was to be sent, {MAX_TWIML_CHARS} are allowed")
    return _update(account, call_sid, {"Twiml": twiml})


def fetch_call(account: Account, call_sid: str) -> Request:
    """Ask how a call stands."""
    return Request(method="GET", url=_url(account, call_sid), headers=_headers(account))


def fetch_account(account: Account) -> Request:
    """Ask how the account itself stands."""
    return Request(method="GET", url=f"{_account_url(account)}.json", headers=_headers(account))


def read_account(response: Response) -> AccountResource:
    """Read the answer to ``fetch_account``; raises like ``read_call``."""
    return _read(response, AccountResource)


def fetch_number(account: Account, number: str) -> Request:
    """Ask where calls to one of the account's numbers go."""
    url = f"{_account_url(account)}/IncomingPhoneNumbers.json?{urlencode({'PhoneNumber': number})}"
    return Request(method="GET", url=url, headers=_headers(account))


def read_number(response: Response) -> NumberResource | None:
    """Read the answer to ``fetch_number``; None for a number that is not the account's. Raises like ``read_call``."""
    return next(iter(_read(response, _Numbers).incoming_phone_numbers), None)


def _read(response: Response, kind: type[R]) -> R:
    if not 200 <= response.status < 300:
        raise read_error(response)
    try:
        return msgspec.json.decode(response.body, type=kind)
    except (ValueError, RecursionError):
        raise RemoteError(
            "Twilio's REST API answered with something else than was asked.", code="twilio_answer"
        ) from None


def send_message(account: Account, *, to: str, from_: str, body: str) -> Request:
    """Ask to send a text message; numbers in E.164."""
    if not 0 < len(body) <= MAX_MESSAGE_CHARS:
        raise LocalError(f"a message of {len(body)} characters was to be sent, 1 to {MAX_MESSAGE_CHARS} are allowed")
    headers = _headers(account) | {"Content-Type": "application/x-www-form-urlencoded"}
    form = urlencode({"To": to, "From": from_, "Body": body}).encode()
    return Request(method="POST", url=f"{_account_url(account)}/Messages.json", headers=headers, body=form)


def read_message(response: Response) -> str:
    """Read the answer to a message that was to be sent, its sid; raises what ``read_error`` makes, and RemoteError."""
    if not 200 <= response.status < 300:
        raise read_error(response)
    try:
        return msgspec.json.decode(response.body, type=_Message).sid
    except (ValueError, RecursionError):
        raise RemoteError(
            "Twilio's REST API answered with something that is no message.", code="twilio_answer"
        ) from None


def read_call(response: Response) -> CallResource:
    """Read the answer to any of these; raises what ``read_error`` makes, RemoteError when it makes no sense."""
    if not 200 <= response.status < 300:
        raise read_error(response)
    try:
        call = msgspec.json.decode(response.body, type=_Call)
    except (ValueError, RecursionError):
        raise RemoteError("Twilio's REST API answered with something that is no call.", code="twilio_answer") from None
    return CallResource(call.sid, status_of(call.status))


def read_error(response: Response) -> Refused | Unavailable:
    """Say what an answer of 300 and above means; ``code`` is ``call_gone`` or ``twilio_<Twilio's own>``."""
    return error_of(response.status, _failure(response).code, _retry_after(response))


def error_of(status: int, code: int, retry_after_ms: int | None = None) -> Refused | Unavailable:
    """Say what Twilio's error ``code`` (0: none) with an HTTP ``status`` means."""
    told = f"Twilio's REST API answered {status}" + (f" ({code})" if code else "")
    name = f"twilio_{code or status}"
    if code in _GONE_CODES or (status == 404 and not code):
        return Refused(f"{told}. The call is over already.", code=CALL_GONE)
    if code in LATER or (code not in NEVER and (status in _LATER_STATUSES or status >= 500)):
        return Unavailable(f"{told}{_because(LATER, code)}.", code=name, retry_after_ms=retry_after_ms)
    return Refused(f"{told}{_because(NEVER, code)}.", code=name)


def never_taken(error: Unavailable) -> bool:
    """Tell whether Twilio surely has not taken the request that failed so: it says that it turned it away."""
    return error.code in {f"twilio_{code}" for code in (*LATER, 429)}


def _because(table: Mapping[int, str], code: int) -> str:
    return f": {table[code]}" if code in table else ""


def _update(account: Account, call_sid: str, form: dict[str, str]) -> Request:
    headers = _headers(account) | {"Content-Type": "application/x-www-form-urlencoded"}
    return Request(method="POST", url=_url(account, call_sid), headers=headers, body=urlencode(form).encode())


def _url(account: Account, call_sid: str) -> str:
    return f"{_account_url(account)}/Calls/{quote(call_sid, safe='')}.json"


def _account_url(account: Account) -> str:
    return f"{account.base_url.rstrip('/')}/2010-04-01/Accounts/{quote(account.sid, safe='')}"


def _headers(account: Account) -> dict[str, str]:
    credentials = b64encode(f"{account.sid}:{account.token}".encode()).decode("ascii")
    return {"Accept": "application/json", "Authorization": f"Basic {credentials}"}


def _failure(response: Response) -> _Failure:
    try:
        return msgspec.json.decode(response.body, type=_Failure)
    except (ValueError, RecursionError):
        return _Failure()


def _retry_after(response: Response) -> int | None:
    seconds = whole_number(response.headers.get("retry-after", ""))
    return None if seconds is None else seconds * 1000

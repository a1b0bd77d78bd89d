"""Twilio's REST API for a live call and for a text message, as values: what to ask, and what came of it.

Sources: https://www.twilio.com/docs/voice/api/call-resource, https://www.twilio.com/docs/messaging/api/message-resource
"""

from base64 import b64encode
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
_LATER_CODES = frozenset({20429})
_LATER_STATUSES = frozenset({408, 429})


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whose calls these are; ``token`` is a secret."""

    sid: str
    token: str
    base_url: str = "https://api.twilio.com"


class CallResource(msgspec.Struct, frozen=True):
    """A call as Twilio's REST API has it; ``status`` in the bridge's words."""

    sid: str
    status: str


class _Call(msgspec.Struct):
    sid: str
    status: str


class _Message(msgspec.Struct):
    sid: str


class _Failure(msgspec.Struct):
    code: int = 0
    message: str = ""


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
    failure = _failure(response)
    status = response.status
    told = f"Twilio's REST API answered {status}" + (f" ({failure.code})." if failure.code else ".")
    code = f"twilio_{failure.code or status}"
    if failure.code in _GONE_CODES or (status == 404 and not failure.code):
        return Refused(f"{told} The call is over already.", code=CALL_GONE)
    if failure.code in _LATER_CODES or status in _LATER_STATUSES or status >= 500:
        return Unavailable(told, code=code, retry_after_ms=_retry_after(response))
    return Refused(told, code=code)


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

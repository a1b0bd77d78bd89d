"""What programs send to the API: a JSON body of a known shape, and the promise of an Idempotency-Key."""

import re
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from phone_bridge.app.answers import problem
from phone_bridge.errors import Refused
from phone_bridge.outbound.book import Promise
from phone_bridge.outbound.policy import SPAN
from phone_bridge.outbound.reminders import CALLEE, NUMBER

MAX_KEY_CHARS = 255
"""The longest Idempotency-Key."""

INVALID = "invalid_parameter"

KEYS = "^[0-9*#A-Dw]{1,32}$"

_WANTED = {
    NUMBER: "A number begins with a plus and its country's code, such as +4930123456.",
    CALLEE: "A number begins with a plus and its country's code, such as +4930123456; an address is sip:jane@host.",
    SPAN: "A span of hours is written as 21:00-08:00.",
    KEYS: "Keys are 0 to 9, *, #, A to D, and w for half a second of silence: 32 at most.",
}
"""What a pattern wants, for people."""

_PLACE = re.compile(r"`\$\.?([^`]*)`")
_FIELD = re.compile(r"(?:required|unknown) field `([^`]*)`")
_T = TypeVar("_T")

STATUSES = {
    "call_not_live": 409,
    "carrier_not_configured": 409,
    "do_not_call": 409,
    "reminder_over": 409,
    "session_not_served": 409,
    "idempotency_key_reused": 409,
    "destination_expensive": 403,
    "destination_not_allowed": 403,
    "target_not_listed": 403,
}
"""The status of a refusal by its code; every other one is the request's own fault."""


class Invalid(Refused):
    """A request that cannot be understood; ``param`` is at fault."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message, code=INVALID)
        self.param = param


async def read(request: Request, kind: type[_T]) -> tuple[_T, bytes]:
    """Read a body of the shape ``kind``, and give it as it came, too; raises Invalid."""
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=kind), body
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (ValueError, RecursionError):
        raise Invalid("The body is no JSON object.", "") from None


def promise(request: Request, scope: str, body: bytes) -> Promise | None:
    """Read the Idempotency-Key of a request; raises Invalid for one that is too long."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > MAX_KEY_CHARS:
        raise Invalid(f"An Idempotency-Key has {MAX_KEY_CHARS} characters at most.", "Idempotency-Key")
    return Promise(scope, key, body) if key else None


def refused(error: Refused, params: frozenset[str] = frozenset()) -> Response:
    """Answer a refusal; a ``code`` that is one of ``params`` names the parameter at fault."""
    if isinstance(error, Invalid):
        return problem(400, "invalid_request_error", error.code, str(error), param=error.param)
    if error.code in params:
        return problem(400, "invalid_request_error", INVALID, str(error), param=error.code)
    param = "to" if error.code.startswith(("destination_", "target_")) else ""
    status = STATUSES.get(error.code, 400)
    kind = "authorization_error" if status == 403 else "invalid_request_error"
    return problem(status, kind, error.code, str(error), param=param)


def _invalid(words: str) -> Invalid:
    """Tell where a body is wrong as its sender would say it."""
    place, field = _PLACE.search(words), _FIELD.search(words)
    param = place[1] if place else ""
    if field:
        param = f"{param}.{field[1]}" if param else field[1]
    wanted = next((wanted for pattern, wanted in _WANTED.items() if repr(pattern) in words), "")
    return Invalid(wanted or f"{words.partition(' - at ')[0]}.", param)

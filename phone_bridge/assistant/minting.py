"""Who may mint a voice session, and what a request to mint one must say."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from phone_bridge.assistant.problems import Problem
from phone_bridge.errors import SettingsError
from phone_bridge.sessions.chronapilot.messages import complaint

SCOPES = frozenset(
    (
        "calendars:read",
        "calendars:write",
        "events:read",
        "events:write",
        "profile:read",
        "profile:write",
        "alerts:read",
        "alerts:write",
        "notifications:write",
        "voice:invoke",
    )
)
"""What a test key may pass on to its sessions."""

DEFAULT_TTL_SECONDS = 300
MIN_TTL_SECONDS = 30
MAX_TTL_SECONDS = 1800
"""Longest life of a session, in seconds."""

MAX_BODY_BYTES = 64 * 1024
"""Longest request body."""

MAX_NAME_CHARS = 255
"""Longest user id, Connect account and Idempotency-Key."""

_ID_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 20


def random_id(prefix: str) -> str:
    """Make an id nobody can guess: the prefix and twenty base-36 characters."""
    return f"{prefix}_" + "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))


class ApiKey(msgspec.Struct, frozen=True):
    """A secret key by a name that may be shown; the bridge's own is not ``limited``, for it carries all calls."""

    name: str
    secret: str
    limited: bool = True

    def __post_init__(self) -> None:
        if not self.secret.startswith("sk_test_"):
            raise SettingsError(
                "a key of the embedded voice service begins with sk_test_, for it keeps test data alone"
            )

    def __repr__(self) -> str:
        return f"ApiKey(name={self.name!r}, limited={self.limited})"


class MintRequest(msgspec.Struct, frozen=True):
    """A request that was checked: for whom, with which scopes, for how long."""

    user_id: str
    scopes: tuple[str, ...]
    ttl_seconds: int = DEFAULT_TTL_SECONDS


def name_in(headers: Mapping[str, str], header: str) -> str:
    """Read a header that names something; "" where it is missing. Raises Problem for one that is too long."""
    value = headers.get(header, "")
    if len(value) > MAX_NAME_CHARS:
        raise Problem(f"{header} holds more than {MAX_NAME_CHARS} characters", code="invalid_parameter", param=header)
    return value


def parse(body: bytes) -> Any:
    """Read a request's body as JSON; raises Problem."""
    if len(body) > MAX_BODY_BYTES:
        raise Problem(f"the body holds more than {MAX_BODY_BYTES} bytes", code="payload_too_large")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Problem("the body is not JSON", code="invalid_json") from None


def checked(wish: Any) -> MintRequest:
    """Make a request of a body; raises Problem."""
    try:
        request = msgspec.convert(wish, MintRequest)
    except msgspec.ValidationError as error:
        code, param = complaint(error)
        raise Problem(f"the session cannot be minted: {error}", code=code, param=param) from None
    if not 0 < len(request.user_id) <= MAX_NAME_CHARS:
        raise Problem("user_id is empty or too long", code="invalid_parameter", param="user_id")
    if not MIN_TTL_SECONDS <= request.ttl_seconds <= MAX_TTL_SECONDS:
        raise Problem(
            f"ttl_seconds lies between {MIN_TTL_SECONDS} and {MAX_TTL_SECONDS}",
            code="invalid_parameter",
            param="ttl_seconds",
        )
    if not SCOPES.issuperset(request.scopes):
        raise Problem("the key cannot pass on all of these scopes", code="authorization_failed", param="scopes")
    return request

"""What a request to mint a voice session must say, and what a key may ask for."""

import secrets
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from phone_bridge.assistant.keys import SESSION_SCOPES, VoiceKey
from phone_bridge.assistant.problems import Problem
from phone_bridge.sessions.chronapilot.messages import complaint
from phone_bridge.tools.catalogue import Policy

SCOPES = SESSION_SCOPES
"""What a session may be minted with."""

DEFAULT_TTL_SECONDS = 300
MIN_TTL_SECONDS = 30
MAX_TTL_SECONDS = 1800
"""Longest life of a session, in seconds."""

MAX_BODY_BYTES = 64 * 1024
"""Longest request body."""

MAX_NAME_CHARS = 255
"""Longest user id, Connect account and Idempotency-Key."""

T = TypeVar("T")

_ID_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 20


def random_id(prefix: str) -> str:
    """Make an id nobody can guess: the prefix and twenty base-36 characters."""
    return f"{prefix}_" + "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))


class MintRequest(msgspec.Struct, frozen=True):
    """A request that was checked: for whom, with which scopes, for how long, and what waits for consent in it."""

    user_id: str
    scopes: tuple[str, ...]
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    confirm: Policy = Policy.DEFAULT


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


def is_object(body: Any, param: str = "") -> dict[str, Any]:
    """Give a body, or a part of it, back that is an object; raises Problem for another."""
    if not isinstance(body, dict):
        raise Problem(f"{param or 'the body'} must be an object", code="invalid_parameter", param=param)
    return body


def converted(wish: Any, kind: type[T], refusal: str) -> T:
    """Make a value of a body; raises Problem, which begins with ``refusal``."""
    try:
        return msgspec.convert(wish, kind)
    except msgspec.ValidationError as error:
        code, param = complaint(error)
        raise Problem(f"{refusal}: {error}", code=code, param=param) from None


def checked(wish: Any) -> MintRequest:
    """Make a request of a body; raises Problem."""
    request = converted(wish, MintRequest, "the session cannot be minted")
    if not 0 < len(request.user_id) <= MAX_NAME_CHARS:
        raise Problem("user_id is empty or too long", code="invalid_parameter", param="user_id")
    if not MIN_TTL_SECONDS <= request.ttl_seconds <= MAX_TTL_SECONDS:
        raise Problem(
            f"ttl_seconds lies between {MIN_TTL_SECONDS} and {MAX_TTL_SECONDS}",
            code="invalid_parameter",
            param="ttl_seconds",
        )
    return request


def permit(key: VoiceKey, request: MintRequest) -> None:
    """Check that ``key`` may mint what is asked for; raises Problem, which names the scope that it lacks."""
    if not key.mints:
        what = "a publishable key mints no sessions" if key.kind.startswith("pk") else "the key lacks voice:invoke"
        raise Problem(
            f"{what}: mint on your server, with a secret key", code="authorization_failed", param="voice:invoke"
        )
    for scope in request.scopes:
        if scope not in SCOPES & key.grant:
            raise Problem(
                f"the key cannot pass on the scope {scope[:MAX_NAME_CHARS]!r}",
                code="authorization_failed",
                param="scopes",
            )

"""Client secrets of the Realtime door: short-lived keys that carry what was agreed on when they were made.

A secret is its own record, compressed and signed, so that any process of the deployment can open a session with it.
"""

import hmac
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.tokens import key_of
from phone_bridge.sessions.realtime.names import EPHEMERAL

MAX_SECRET_CHARS = 6_000
"""Longest secret: it travels in a header, and many servers and proxies take 8 KB of those."""

_PURPOSE = b"client secret"


class Agreed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a secret is good for: whose session, how it is set, and until when it can be opened (Unix seconds)."""

    user_id: str
    expires_at: int
    created_at: int
    session: dict[str, Any] = {}


def write(agreed: Agreed, secret: bytes) -> str:
    """Write a client secret; raises Problem for a session whose settings are too long to travel in a header."""
    body = zlib.compress(msgspec.json.encode(agreed), 9)
    signature = _signature(body, secret, datetime.fromtimestamp(agreed.created_at, UTC))
    written = EPHEMERAL + urlsafe_b64encode(signature + body).decode().rstrip("=")
    if len(written) > MAX_SECRET_CHARS:
        raise Problem(
            "the session's instructions and tools are too long for a client secret: send them by session.update",
            code="invalid_parameter",
            param="session",
        )
    return written


def read(written: str, secret: bytes, now: datetime) -> Agreed:
    """Read a client secret; raises Problem for one that is not ours, not whole, or past its time."""
    bare = written.removeprefix(EPHEMERAL)
    try:
        whole = urlsafe_b64decode(bare + "=" * (-len(bare) % 4)) if len(written) <= MAX_SECRET_CHARS else b""
    except ValueError:
        whole = b""
    signature, body = whole[:32], whole[32:]
    days = (now, now - timedelta(days=1))
    if not any(hmac.compare_digest(signature, _signature(body, secret, day)) for day in days):
        raise Problem("the client secret is not valid here", code="authentication_failed")
    agreed = msgspec.json.decode(zlib.decompress(body), type=Agreed)
    if now.timestamp() >= agreed.expires_at:
        raise Problem("the client secret has expired; have a new one made", code="session_token_expired")
    return agreed


def _signature(body: bytes, secret: bytes, day: datetime) -> bytes:
    _, key = key_of(secret, day)
    return hmac.digest(key, _PURPOSE + body, "sha256")

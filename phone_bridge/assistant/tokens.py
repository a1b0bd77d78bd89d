"""Session tokens: JSON Web Tokens that say who may open which session until when.

Each UTC day has a key of its own, made of the service's secret and known to tokens by its name; they live shorter than
a day, so today's and yesterday's are enough.
"""

import hmac
from datetime import UTC, datetime, timedelta

import jwt
import msgspec

from phone_bridge.assistant.problems import Problem

ALGORITHM = "HS256"
ISSUER = "phone-bridge"
AUDIENCE = "voice"
MIN_SECRET_BYTES = 32
"""Shortest secret that HS256 is good with (RFC 7518, 3.2)."""


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token says: the session, the user, what it may do, the Connect account, and until when (Unix seconds).

    A telephone's says which number of ours is called, and ``scp`` are the users whose routes that may lead to.
    """

    sid: str
    sub: str
    scp: tuple[str, ...]
    iat: int
    exp: int
    jti: str
    act: str = ""
    to: str = ""


def key_of(secret: bytes, day: datetime) -> tuple[str, bytes]:
    """Give the name and the key of the UTC day that ``day`` is in."""
    name = f"voice-{day.astimezone(UTC):%Y%m%d}"
    return name, hmac.digest(secret, name.encode(), "sha256")


def sign(claims: Claims, secret: bytes) -> str:
    """Write a token."""
    payload = {**msgspec.to_builtins(claims), "iss": ISSUER, "aud": AUDIENCE}
    name, key = key_of(secret, datetime.fromtimestamp(claims.iat, UTC))
    return jwt.encode(payload, key, algorithm=ALGORITHM, headers={"kid": name})


def read(token: str, secret: bytes, now: datetime) -> Claims:
    """Read a token; raises Problem for one that is not ours, not whole, or past its time."""
    try:
        keys = dict(key_of(secret, day) for day in (now - timedelta(days=1), now))
        # Time is compared below, for the library's own clock cannot be set.
        payload = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token).get("kid", "")],
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        claims = msgspec.convert(payload, Claims)
    except (KeyError, jwt.PyJWTError, msgspec.ValidationError):
        raise Problem(
            "the session token is missing or not valid", code="authentication_failed", param="session"
        ) from None
    if now.timestamp() >= claims.exp:
        raise Problem(
            "the session token has expired; mint a new session", code="session_token_expired", param="session"
        )
    return claims

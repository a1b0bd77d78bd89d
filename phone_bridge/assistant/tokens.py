"""Session tokens: JSON Web Tokens that say who may open which session until when."""

from datetime import UTC, datetime

import jwt
import msgspec

from phone_bridge.assistant.problems import Problem

ALGORITHM = "HS256"
ISSUER = "phone-bridge"
AUDIENCE = "voice"
MIN_SECRET_BYTES = 32
"""Shortest secret that HS256 is good with (RFC 7518, 3.2)."""


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token says: the session, the user, what it may do, the Connect account, and until when (Unix seconds)."""

    sid: str
    sub: str
    scp: tuple[str, ...]
    iat: int
    exp: int
    jti: str
    act: str = ""


def sign(claims: Claims, secret: bytes) -> str:
    """Write a token."""
    payload = {**msgspec.to_builtins(claims), "iss": ISSUER, "aud": AUDIENCE}
    return jwt.encode(payload, secret, algorithm=ALGORITHM)


def read(token: str, secret: bytes, now: datetime) -> Claims:
    """Read a token; raises Problem for one that is not ours, not whole, or past its time."""
    try:
        # Time is compared below, for the library's own clock cannot be set.
        payload = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        claims = msgspec.convert(payload, Claims)
    except (jwt.PyJWTError, msgspec.ValidationError):
        raise Problem(
            "the session token is missing or not valid", code="authentication_failed", param="session"
        ) from None
    if now >= datetime.fromtimestamp(claims.exp, UTC):
        raise Problem(
            "the session token has expired; mint a new session", code="session_token_expired", param="session"
        )
    return claims

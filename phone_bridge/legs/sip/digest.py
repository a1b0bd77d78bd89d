"""Digest authentication of callers (RFC 3261, 22; RFC 8760), by SHA-256, or by MD5 for the many who know no other.

Nonces are signed, not remembered: a nonce is the time it was given out at with a MAC, so any number of requests that
never come back cost nothing.
"""

import hashlib
import hmac
from collections.abc import Iterable

from msgspec import Struct
from sipmessage import AuthCredentials

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import Request

NONCE_MS = 60_000
"""How long a nonce may be answered."""

ALGORITHMS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""What can be offered, the better one first (RFC 8760, 2.4)."""


class Shown(Struct, frozen=True, kw_only=True):
    """The credentials that a request shows; ``nc`` is how often it has used its nonce."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str
    nc: str
    cnonce: str


def challenge(
    realm: str, algorithms: Iterable[str], secret: bytes, now: int, *, stale: bool = False
) -> tuple[tuple[str, str], ...]:
    """Write the ``WWW-Authenticate`` fields that ask for credentials by any of ``algorithms``."""
    more = ", stale=true" if stale else ""
    nonce = make_nonce(secret, now)
    return tuple(
        ("WWW-Authenticate", f'Digest realm="{realm}", nonce="{nonce}", algorithm={name}, qop="auth"{more}')
        for name in algorithms
    )


def make_nonce(secret: bytes, now: int) -> str:
    """Make the nonce of ``now``."""
    return f"{now:x}.{_mac(secret, now)}"


def is_fresh(nonce: str, secret: bytes, now: int) -> bool:
    """Tell whether a nonce was given out here, and lately."""
    at, _, mac = nonce.partition(".")
    try:
        given = int(at, 16)
    except ValueError:
        return False
    return hmac.compare_digest(mac.encode(), _mac(secret, given).encode()) and 0 <= now - given <= NONCE_MS


def _mac(secret: bytes, at: int) -> str:
    return hmac.new(secret, f"{at:x}".encode(), hashlib.sha256).hexdigest()[:32]


def shown(request: Request) -> Shown | None:
    """Read what a request shows in ``Authorization``; None for nothing. Raises RemoteError ``malformed_sip``."""
    text = request.headers.get("Authorization")
    if text is None:
        return None
    try:
        credentials = AuthCredentials.parse(text)
        given = credentials.parameters
        if credentials.scheme.lower() != "digest" or given is None:
            return None
        return Shown(
            username=given["username"],
            realm=given["realm"],
            nonce=given["nonce"],
            uri=given["uri"],
            response=given["response"].lower(),
            algorithm=given.get("algorithm", "MD5").upper(),
            qop=given.get("qop", ""),
            nc=given.get("nc", ""),
            cnonce=given.get("cnonce", ""),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise RemoteError(f"The peer's Authorization cannot be read: {error}.", code="malformed_sip") from None


def fits(given: Shown, method: str, password: str) -> bool:
    """Tell whether whoever sent the credentials knows ``password``."""
    expected = response(given, method, password)
    return bool(expected) and hmac.compare_digest(given.response.encode(), expected.encode())


def response(given: Shown, method: str, password: str) -> str:
    """Compute the response that fits (RFC 7616, 3.4.1); empty for an algorithm or a quality that is not offered."""
    make = ALGORITHMS.get(given.algorithm)
    if make is None or given.qop not in ("", "auth"):
        return ""

    def digest(text: str) -> str:
        return make(text.encode(), usedforsecurity=False).hexdigest()

    first = digest(f"{given.username}:{given.realm}:{password}")
    second = digest(f"{method}:{given.uri}")
    if not given.qop:
        return digest(f"{first}:{given.nonce}:{second}")
    return digest(f"{first}:{given.nonce}:{given.nc}:{given.cnonce}:{given.qop}:{second}")

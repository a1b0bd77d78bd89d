"""Digest authentication both ways (RFC 3261, 22; RFC 8760), by SHA-256, or by MD5 for the many who know no other.

Nonces are signed, not remembered: a nonce is the time it was given out at with a MAC, so any number of requests that
never come back cost nothing.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable

from msgspec import Struct
from sipmessage import AuthCredentials

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import MAX_FIELD_CHARS, Fields, Request, Response

NONCE_MS = 60_000
"""How long a nonce may be answered."""

ALGORITHMS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""What can be offered, the better one first (RFC 8760, 2.4)."""

_PARAMETER = re.compile(r'([\w-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s,"]+)')
_ESCAPED = re.compile(r"\\(.)")


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


# When we are asked

MAX_CHALLENGES = 3
"""How often one request is sent with credentials: a nonce may be stale, but a password that is wrong stays so."""

AUTHORIZATION = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
"""What each status asks with, and what is answered with (22.2, 22.3)."""


class Asked(Struct, frozen=True, kw_only=True):
    """What a peer asks for; ``field`` is what carries the answer."""

    field: str
    realm: str
    nonce: str
    algorithm: str
    opaque: str
    qop: str
    stale: bool


def asked(refusal: Response) -> Asked | None:
    """Read what a refusal asks for, the first that is known here (RFC 8760, 2.4); None where nothing is.

    Raises RemoteError ``malformed_sip``.
    """
    asking, field = AUTHORIZATION[refusal.code]
    for text in refusal.headers.getlist(asking):
        scheme, _, rest = text.strip().partition(" ")
        given = _parameters(rest, asking)
        algorithm = given.get("algorithm", "MD5").upper()
        qualities = {name.strip() for name in given.get("qop", "").split(",")}
        if scheme.lower() == "digest" and algorithm in ALGORITHMS and {"auth", ""} & qualities:
            return Asked(
                field=field,
                realm=given.get("realm", ""),
                nonce=given.get("nonce", ""),
                algorithm=algorithm,
                opaque=given.get("opaque", ""),
                qop="auth" if "auth" in qualities else "",
                stale=given.get("stale", "").lower() == "true",
            )
    return None


def _parameters(text: str, field: str) -> dict[str, str]:
    """Read parameters, with commas in quotes, which sipmessage takes for their ends."""
    if len(text) > MAX_FIELD_CHARS:
        raise RemoteError(f"The peer's {field} is longer than {MAX_FIELD_CHARS} characters.", code="malformed_sip")
    return {
        name.lower(): _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
        for name, value in _PARAMETER.findall(text)
    }


def credentials(asked: Asked, method: str, uri: str, username: str, password: str, cnonce: str) -> str:
    """Write the answer to what was asked, for a nonce that is used once (RFC 7616, 3.4)."""
    shown = Shown(
        username=username,
        realm=asked.realm,
        nonce=asked.nonce,
        uri=uri,
        response="",
        algorithm=asked.algorithm,
        qop=asked.qop,
        nc="00000001",
        cnonce=cnonce,
    )
    parts = {"username": username, "realm": asked.realm, "nonce": asked.nonce, "uri": uri}
    parts["response"] = response(shown, method, password)
    text = ", ".join(f'{name}="{_escaped(value)}"' for name, value in parts.items())
    text += f", algorithm={asked.algorithm}"
    if asked.opaque:
        text += f', opaque="{_escaped(asked.opaque)}"'
    if asked.qop:
        text += f', qop=auth, nc={shown.nc}, cnonce="{cnonce}"'
    return f"Digest {text}"


class Proof:
    """What one request shows to whoever asks, until that is enough or has turned out to be no use."""

    def __init__(self, username: str, password: str, make_id: Callable[[], str]) -> None:
        self.fields: Fields = ()
        """The header fields that show it."""
        self._username = username
        self._password = password
        self._make_id = make_id
        self._challenges = 0

    def take(self, refusal: Response, method: str, uri: str) -> bool:
        """Take up what a refusal asks for; False where that cannot be answered, or was to no avail."""
        try:
            challenge = asked(refusal)
        except RemoteError:
            return False
        if challenge is None or not self._username or self._challenges >= MAX_CHALLENGES:
            return False
        if not challenge.stale and any(name == challenge.field for name, _ in self.fields):
            return False
        self._challenges += 1
        shown = credentials(challenge, method, uri, self._username, self._password, self._make_id())
        others = (pair for pair in self.fields if pair[0] != challenge.field)
        self.fields = (*others, (challenge.field, shown))
        return True


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


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

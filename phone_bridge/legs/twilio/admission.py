"""The ticket that a media stream must show: a short-lived JWT in a ``<Parameter>``, bound to its call.

The voice webhook, whose signature was checked, issues it; whoever opens the media socket hands it back in the
``start`` message, and only then is a session paid for. It is good for one use: the caller of ``admit`` consumes ``jti``
in a store of its own and may forget it at ``expires_at``.

An IVR that opens the stream itself makes the token, with the key of a route and in the same shape.
"""

from collections.abc import Mapping
from typing import Any

import jwt
import msgspec

from phone_bridge.errors import LocalError, Refused

TOKEN_PARAMETER = "token"  # noqa: S105  # a parameter's name, not a secret
"""The name of the ``<Parameter>``."""

MAX_PARAMETER_CHARS = 500
"""A ``<Parameter>``'s name and value together must be shorter."""

TOKEN_SECONDS = 60
"""How long a token is good; Twilio opens the stream as soon as it has read the document that holds it."""

HANDED_SECONDS = 300
"""How long a token that an IVR has made may be good at most."""

ROUTE_KEY = "route:"
"""What the name of a route's key begins with; the route's own follows."""

MAX_PART_DIGITS = 3
"""Longer numbers name no part of a call."""

MIN_KEY_BYTES = 32
"""The shortest key that HS256 may have (RFC 7518, 3.2)."""

ISSUER = "phone-bridge"
AUDIENCE = "twilio-media"

_ALGORITHM = "HS256"
_CLAIMS = ["iss", "aud", "sub", "acc", "jti", "exp"]
# Time is judged by the caller's clock, so the library must not look at its own.
_OPTIONS: Any = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False}


class Key(msgspec.Struct, frozen=True):
    """A signing key and the name that tokens know it by; several stand side by side while keys are rotated."""

    id: str
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < MIN_KEY_BYTES:
            raise LocalError(f"a stream key of {len(self.secret)} bytes was made, at least {MIN_KEY_BYTES} are needed")


class Admission(msgspec.Struct, frozen=True):
    """What a good token says; times are seconds since 1970."""

    jti: str
    call_sid: str
    account_sid: str
    expires_at: int
    route: str = ""
    """The route by whose key an IVR has made the token; empty for one of our own."""

    @property
    def call_id(self) -> str:
        """The call whose stream this is, in our own words; empty for a token that names none."""
        return self.jti.rpartition(".")[0]

    @property
    def part(self) -> int:
        """Which part of the call the stream carries on: 0 at first, one more each time that it is resumed."""
        number = self.jti.rpartition(".")[2]
        return int(number) if len(number) <= MAX_PART_DIGITS and number.isascii() and number.isdigit() else 0


def nonce(call_id: str, part: int) -> str:
    """Name the one stream that carries part number ``part`` of a call: the same name in every process."""
    return f"{call_id}.{part}"


def issue(key: Key, *, call_sid: str, account_sid: str, now_epoch_s: int, nonce: str) -> str:
    """Make the token of one stream; ``nonce`` must never have been used for another."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": call_sid,
        "acc": account_sid,
        "jti": nonce,
        "exp": now_epoch_s + TOKEN_SECONDS,
    }
    token = jwt.encode(claims, key.secret, algorithm=_ALGORITHM, headers={"kid": key.id, "typ": None})
    if len(TOKEN_PARAMETER) + len(token) >= MAX_PARAMETER_CHARS:
        raise LocalError(f"a stream token of {len(token)} characters was made, which no <Parameter> can hold")
    return token


def admit(token: str, keys: Mapping[str, Key], *, call_sid: str, account_sid: str, now_epoch_s: int) -> Admission:
    """Check the token that the stream of ``call_sid`` showed.

    Raises Refused: ``token_missing``, ``token_malformed``, ``token_unknown_key``, ``token_algorithm``,
    ``token_signature``, ``token_audience``, ``token_expired``, ``token_too_long``, ``token_wrong_call``.
    """
    claims = _verified(token, keys)
    route = named_route(token)
    match claims:
        case {"sub": str(sub), "acc": str(acc), "jti": str(jti), "exp": int(exp)} if not isinstance(exp, bool):
            admission = Admission(jti, sub, acc, exp, route)
        case _:
            raise Refused("The stream's token has claims of another shape.", code="token_malformed")
    if now_epoch_s >= admission.expires_at:
        raise Refused("The stream's token has expired.", code="token_expired")
    if route and admission.expires_at > now_epoch_s + HANDED_SECONDS:
        raise Refused(f"The stream's token is good for more than {HANDED_SECONDS} s.", code="token_too_long")
    if (admission.call_sid, admission.account_sid) != (call_sid, account_sid):
        raise Refused("The stream's token belongs to another call.", code="token_wrong_call")
    return admission


def named_route(token: str) -> str:
    """Name the route whose key a token says it was made with; empty for any other, and for what is no token."""
    kid = _key_id(token) if len(token) < MAX_PARAMETER_CHARS and token.isascii() else ""
    return kid.removeprefix(ROUTE_KEY) if kid.startswith(ROUTE_KEY) else ""


def _key_id(token: str) -> str:
    try:
        kid = jwt.get_unverified_header(token).get("kid", "")
    except jwt.PyJWTError:
        return ""
    return kid if isinstance(kid, str) else ""


def _verified(token: str, keys: Mapping[str, Key]) -> dict[str, Any]:
    if not token:
        raise Refused("The stream showed no token.", code="token_missing")
    if len(token) >= MAX_PARAMETER_CHARS or not token.isascii():
        raise Refused("The stream's token is none of ours.", code="token_malformed")
    try:
        key = keys.get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise Refused("The stream's token names a key that is not in use.", code="token_unknown_key")
        return jwt.decode(token, key.secret, [_ALGORITHM], _OPTIONS, audience=AUDIENCE, issuer=ISSUER)
    except jwt.InvalidAlgorithmError:
        raise Refused("The stream's token is signed in another way.", code="token_algorithm") from None
    except jwt.InvalidSignatureError:
        raise Refused("The stream's token was not signed by us.", code="token_signature") from None
    except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
        raise Refused("The stream's token is meant for something else.", code="token_audience") from None
    except jwt.PyJWTError:
        raise Refused("The stream's token is no token.", code="token_malformed") from None

"""Who vouches for a caller's number: a PASSporT of STIR/SHAKEN in the Identity field (RFC 8224, RFC 8225, RFC 8588).

What nobody has verified is told as that and as nothing more: whoever calls may write any letter there.
"""

from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509 import load_pem_x509_certificates

from phone_bridge.errors import RemoteError, SettingsError
from phone_bridge.legs.sip.message import Request

MAX_TOKEN_CHARS = 8_192
MAX_AGE_S = 60
"""How old or how far ahead a PASSporT may be (RFC 8224, 4.1 and 6.2.2)."""
FULL = "A"
LEVELS = (FULL, "B", "C")
"""Full, partial and gateway attestation (ATIS-1000074)."""
UNVERIFIED = "unverified"


def keys(pem: bytes) -> tuple[EllipticCurvePublicKey, ...]:
    """Take the keys of the certificates that vouch for callers; raises SettingsError."""
    try:
        found = [certificate.public_key() for certificate in load_pem_x509_certificates(pem)]
    except ValueError as error:
        raise SettingsError(f"PHONE_BRIDGE_SIP_STIR_CERTIFICATES holds no certificates: {error}") from None
    if not all(isinstance(key, EllipticCurvePublicKey) for key in found):
        raise SettingsError("PHONE_BRIDGE_SIP_STIR_CERTIFICATES holds a certificate whose key is not for ES256")
    return tuple(key for key in found if isinstance(key, EllipticCurvePublicKey))


def attestation(
    request: Request, calling: str | None, called: str, trusted: Sequence[EllipticCurvePublicKey], now_s: int
) -> str:
    """Say who vouches for a call: ``A``, ``B`` or ``C`` by any of ``trusted``, ``unverified``, or empty for nobody.

    A PASSporT counts for the two numbers that it names, and for a minute.
    """
    token = (request.headers.get("Identity") or "").partition(";")[0].strip()
    if not token:
        return ""
    for key in trusted if len(token) <= MAX_TOKEN_CHARS else ():
        try:
            return _level(_claims(token, key), calling, called, now_s)
        except RemoteError:
            continue
    return UNVERIFIED


def _claims(token: str, key: EllipticCurvePublicKey) -> dict[str, Any]:
    options: Any = {"verify_aud": False, "verify_iat": False, "require": ["iat"]}
    try:
        read = jwt.decode_complete(token, key, algorithms=["ES256"], options=options)
    except jwt.InvalidTokenError as error:
        raise RemoteError(f"A PASSporT does not hold: {type(error).__name__}.", code="passport") from None
    if read["header"].get("ppt") != "shaken" or read["header"].get("typ") != "passport":
        raise RemoteError("A PASSporT is not of SHAKEN's kind.", code="passport")
    claims: dict[str, Any] = read["payload"]
    return claims


def _level(claims: dict[str, Any], calling: str | None, called: str, now_s: int) -> str:
    origin, destination, at = claims.get("orig"), claims.get("dest"), claims.get("iat")
    level = claims.get("attest")
    fits = (
        isinstance(at, int)
        and abs(now_s - at) <= MAX_AGE_S
        and bool(calling)
        and _numbers(origin) == [_digits(calling)]
        and _digits(called) in _numbers(destination)
    )
    return level if fits and isinstance(level, str) and level in LEVELS else UNVERIFIED


def _numbers(party: object) -> list[str]:
    told = party.get("tn", []) if isinstance(party, dict) else []
    return [_digits(number) for number in ([told] if isinstance(told, str) else told) if isinstance(number, str)]


def _digits(number: str | None) -> str:
    return (number or "").lstrip("+")

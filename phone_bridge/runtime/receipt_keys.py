"""The keys that receipts are signed with: Ed25519 (RFC 8032), known to the outside as JSON Web Keys (RFC 8037)."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from phone_bridge.call.receipt import Receipt
from phone_bridge.errors import RemoteError

KEY_BYTES = 32  # of a seed and of a public key (RFC 8032, 5.1.5)


class PublicKey(msgspec.Struct, frozen=True):
    """What checks a receipt; a key from outside may have no name (``id`` is empty then) and is tried for any."""

    id: str
    raw: bytes

    @classmethod
    def parse(cls, jwk: Any) -> "PublicKey":
        """Read a JSON Web Key; raises RemoteError."""
        match jwk:
            case {"kty": "OKP", "crv": "Ed25519", "x": str(x)}:
                raw = _unbase64(x)
            case _:
                raise RemoteError("The key is no Ed25519 public key as a JSON Web Key.", code="key_malformed")
        if raw is None or len(raw) != KEY_BYTES:
            raise RemoteError(f"The key's x is not the base64url of {KEY_BYTES} bytes.", code="key_malformed")
        return cls(str(jwk.get("kid", "")), raw)

    def jwk(self) -> dict[str, str]:
        """Write the key as a JSON Web Key."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": self.id,
            "x": _base64(self.raw),
            "alg": "EdDSA",
            "use": "sig",
        }

    def signed(self, receipt: Receipt) -> bool:
        """Tell whether ``receipt`` is, to the last sign, what the holder of this key's secret half has signed."""
        signature = _unbase64(receipt.signature)
        if signature is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, receipt.signed_bytes())
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """What signs receipts; ``seed`` is secret."""

    def __init__(self, id: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(id, self._private.public_key().public_bytes_raw())

    def sign(self, receipt: Receipt) -> Receipt:
        """Give ``receipt`` this key's name and signature."""
        named = msgspec.structs.replace(receipt, key_id=self.public.id, signature="")
        return msgspec.structs.replace(named, signature=_base64(self._private.sign(named.signed_bytes())))


def parse_keys(document: Any) -> list[PublicKey]:
    """Read one JSON Web Key, or a set of them (RFC 7517, 5); raises RemoteError."""
    match document:
        case {"keys": [*jwks]}:
            return [PublicKey.parse(jwk) for jwk in jwks]
        case _:
            return [PublicKey.parse(document)]


def key_doubts(receipt: Receipt, keys: Sequence[PublicKey]) -> list[str]:
    """Say why no key of ``keys`` vouches for ``receipt``; empty when one does."""
    named = [key for key in keys if key.id in ("", receipt.key_id)]
    if not named:
        return [f"it names the key {receipt.key_id!r}, which is not among the keys at hand"]
    if not any(key.signed(receipt) for key in named):
        return ["its signature does not fit: it was changed, or signed with another key"]
    return []


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes | None:
    """Read base64url without padding; None for any spelling but the one that is written, so that none is a second."""
    try:
        data = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _base64(data) == text else None

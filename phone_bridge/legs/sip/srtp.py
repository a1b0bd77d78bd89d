"""Sound and reports under seal (SRTP, RFC 3711) with keys that session descriptions carry (SDES, RFC 4568).

The keys are as secret as the messages that carry them, so they are taken and given over TLS alone, unless a trunk says
that the network in between is to be trusted. The seal itself is libsrtp's.
"""

from binascii import a2b_base64, b2a_base64
from enum import StrEnum

import pylibsrtp
from msgspec import Struct

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.rtcp import is_control

KEY_BYTES = 30
"""A master key of 16 bytes and a salt of 14, for both suites."""

SUITES = {
    "AES_CM_128_HMAC_SHA1_80": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
OFFERED = "AES_CM_128_HMAC_SHA1_80"
MAX_TAG = 999_999_999
_INLINE = "inline:"
_WINDOW = "WSH="


class Srtp(StrEnum):
    """What a peer's sound may be: in the clear alone; under seal where the peer knows it; under seal alone."""

    OFF = "off"
    OFFER = "offer"
    REQUIRE = "require"


class Crypto(Struct, frozen=True):
    """How one side seals what it sends: an ``a=crypto`` line."""

    tag: int
    suite: str
    key: bytes

    def __repr__(self) -> str:
        return f"Crypto(tag={self.tag}, suite={self.suite!r})"

    def same_as(self, other: "Crypto") -> bool:
        """Tell whether it is the same seal, under whatever number."""
        return (self.suite, self.key) == (other.suite, other.key)

    def __str__(self) -> str:
        """Write the line's value."""
        return f"{self.tag} {self.suite} {_INLINE}{b2a_base64(self.key, newline=False).decode()}"


def read(value: str) -> Crypto | None:
    """Read the value of an ``a=crypto`` line; None for one that cannot be used here, raises ValueError for nonsense.

    Keys with an index (MKI), several keys, and parameters that change how a seal is made are not used.
    """
    tag, suite, keys, *parameters = value.split()
    if not tag.isascii() or not tag.isdecimal() or int(tag) > MAX_TAG:
        raise ValueError("a crypto attribute has no number")
    if suite not in SUITES or ";" in keys or not all(each.startswith(_WINDOW) for each in parameters):
        return None
    inline, *rest = keys.removeprefix(_INLINE).split("|")
    if not keys.startswith(_INLINE) or any(":" in each for each in rest):
        return None
    key = a2b_base64(inline)
    return Crypto(int(tag), suite, key) if len(key) == KEY_BYTES else None


class Seal:
    """Seals what goes out by ``ours`` and opens what comes in by ``theirs``."""

    def __init__(self, ours: Crypto, theirs: Crypto) -> None:
        self.theirs = theirs
        self._out = _session(ours, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self._in = _session(theirs, pylibsrtp.Policy.SSRC_ANY_INBOUND)

    def seal(self, packet: bytes) -> bytes:
        """Seal a packet of RTP or RTCP."""
        return self._out.protect_rtcp(packet) if is_control(packet) else self._out.protect(packet)

    def open(self, data: bytes) -> bytes:
        """Open what came; raises RemoteError ``broken_seal`` for what the peer has not sealed, or sent before."""
        try:
            return self._in.unprotect_rtcp(data) if is_control(data) else self._in.unprotect(data)
        except (pylibsrtp.Error, ValueError) as error:
            raise RemoteError(f"A packet of SRTP was not opened: {error}.", code="broken_seal") from None


def _session(crypto: Crypto, direction: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=crypto.key, ssrc_type=direction, srtp_profile=SUITES[crypto.suite])
    return pylibsrtp.Session(policy)

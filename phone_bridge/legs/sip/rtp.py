"""RTP packets (RFC 3550, 5.1) and where they come from: symmetric RTP (RFC 4961) behind NAT."""

import struct

from msgspec import Struct

from phone_bridge.errors import RemoteError

VERSION = 2
HEADER_BYTES = 12
MAX_PACKET_BYTES = 1_500
SEQUENCES = 1 << 16
TIMESTAMPS = 1 << 32
SOURCES = 1 << 32

_header = struct.Struct("!BBHII")
_extension = struct.Struct("!HH")
_RTCP = range(64, 96)  # RFC 5761, 4: what a packet of RTCP would have for its payload type


class Packet(Struct, frozen=True, gc=False):
    """One packet; ``timestamp`` counts samples."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        """Write the packet."""
        return pack(self.payload_type, self.sequence, self.timestamp, self.ssrc, self.payload, self.marker)


def pack(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, marker: bool = False) -> bytes:
    """Write the packet that a ``Packet`` of these would be."""
    return _header.pack(VERSION << 6, payload_type | (0x80 if marker else 0), sequence, timestamp, ssrc) + payload


def unpack(data: bytes) -> Packet:
    """Read a packet; raises RemoteError ``malformed_rtp``."""
    if not HEADER_BYTES <= len(data) <= MAX_PACKET_BYTES or data[0] >> 6 != VERSION:
        raise _malformed("is none")
    first, second, sequence, timestamp, ssrc = _header.unpack_from(data)
    if second & 0x7F in _RTCP:
        raise _malformed("is one of RTCP")
    if not first & 0x3F:  # neither padding, nor an extension, nor contributing sources: nearly every packet
        return Packet(second & 0x7F, sequence, timestamp, ssrc, data[HEADER_BYTES:], second > 0x7F)
    start, end = HEADER_BYTES + 4 * (first & 0x0F), len(data)
    try:
        if first & 0x10:
            _, words = _extension.unpack_from(data, start)
            start += _extension.size + 4 * words
    except struct.error:
        raise _malformed("ends within its extension") from None
    if first & 0x20:
        end -= data[-1] or len(data)
    if start > end:
        raise _malformed("has less than its header says")
    return Packet(second & 0x7F, sequence, timestamp, ssrc, data[start:end], second > 0x7F)


def ahead(number: int, of: int, modulus: int = SEQUENCES) -> int:
    """Say how far ``number`` is ahead of another, below zero when it is behind; both run round at ``modulus``."""
    half = modulus // 2
    return (number - of + half) % modulus - half


def _malformed(what: str) -> RemoteError:
    return RemoteError(f"A datagram on the media port that should be a packet of RTP {what}.", code="malformed_rtp")


class FarEnd:
    """Where a call's sound is sent: to the address its peer described, until its sound comes from another one.

    Behind NAT a peer describes an address that nobody can reach; whoever speaks first is the peer then, and no one else
    can take the call over afterwards.
    """

    def __init__(self) -> None:
        self.address: tuple[str, int] | None = None
        self._described: tuple[str, int] | None = None
        self._learnt = False

    def describe(self, host: str, port: int) -> None:
        """Take what a description says; the same again changes nothing."""
        if self._described != (host, port):
            self._described = self.address = (host, port)
            self._learnt = False

    def admits(self, source: tuple[str, int]) -> bool:
        """Tell whether a packet from ``source`` is the peer's."""
        if source == self.address:
            self._learnt = True
            return True
        if self._learnt:
            return False
        self.address, self._learnt = source, True
        return True

"""What a run of sound bytes is: its encoding and its sampling rate; always one channel."""

from enum import StrEnum

import msgspec

from phone_bridge.errors import LocalError


class Encoding(StrEnum):
    """How a sample is written; the names are those of RFC 3551, and linear is little-endian."""

    PCMU = "pcmu"
    PCMA = "pcma"
    LINEAR16 = "pcm16"


class Format(msgspec.Struct, frozen=True):
    """An encoding at a rate in hertz; two equal formats need no conversion."""

    encoding: Encoding
    rate: int

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample: 1 for G.711, 2 for linear."""
        return 2 if self.encoding is Encoding.LINEAR16 else 1

    @property
    def bytes_per_ms(self) -> int:
        """Bytes of one millisecond; every rate we speak is a whole number of kilohertz."""
        return self.rate // 1000 * self.sample_bytes

    @property
    def silence(self) -> bytes:
        """One sample of silence."""
        return {Encoding.PCMU: b"\xff", Encoding.PCMA: b"\xd5", Encoding.LINEAR16: b"\0\0"}[self.encoding]

    def ms(self, size: int) -> int:
        """Whole milliseconds in ``size`` bytes, rounded down."""
        return size // self.bytes_per_ms

    def size(self, ms: int) -> int:
        """Bytes in ``ms`` milliseconds."""
        if ms < 0:
            raise LocalError(f"a duration of {ms} ms was asked for")
        return ms * self.bytes_per_ms


PCMU_8K = Format(Encoding.PCMU, 8000)
PCMA_8K = Format(Encoding.PCMA, 8000)
LINEAR_8K = Format(Encoding.LINEAR16, 8000)
LINEAR_16K = Format(Encoding.LINEAR16, 16000)
LINEAR_24K = Format(Encoding.LINEAR16, 24000)

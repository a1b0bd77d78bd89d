"""Whole things out of any run of bytes: frames of one size, and samples that were cut in half."""

from phone_bridge.errors import LocalError

FRAME_MS = 20
"""The field's packet of sound, in milliseconds: RFC 3551, 4.2, and every carrier's media stream."""


class Framer:
    """Cuts a run of bytes, in whatever pieces it comes, into frames of ``size`` bytes."""

    def __init__(self, size: int) -> None:
        if size <= 0:
            raise LocalError(f"a frame of {size} bytes was asked for")
        self._size = size
        self._rest = b""

    @property
    def pending(self) -> int:
        """Bytes held back until their frame is whole."""
        return len(self._rest)

    def push(self, run: bytes) -> list[bytes]:
        """Take ``run`` in and return the frames that are whole now, oldest first."""
        size = self._size
        if self._rest:
            run = self._rest + run
        elif len(run) == size:
            return [run]
        whole = len(run) - len(run) % size
        self._rest = run[whole:]
        return [run[at : at + size] for at in range(0, whole, size)]

    def flush(self, pad: bytes) -> bytes | None:
        """Return what is held back, filled up with ``pad`` (one sample of silence), or None when nothing is."""
        if not pad:
            raise LocalError("a frame cannot be filled up with nothing")
        if not self._rest:
            return None
        rest, self._rest = self._rest, b""
        return (rest + pad * self._size)[: self._size]


class Evener:
    """Lets whole 16-bit samples pass and holds back the half of one that was cut."""

    def __init__(self) -> None:
        self._half = b""

    def push(self, pcm16: bytes) -> bytes:
        """Take ``pcm16`` in and return every sample that is whole now."""
        if self._half:
            pcm16 = self._half + pcm16
            self._half = b""
        if len(pcm16) & 1:
            self._half = pcm16[-1:]
            return pcm16[:-1]
        return pcm16

"""Sound that the bridge plays out itself, at the pace at which it is heard."""

from collections import deque

from phone_bridge.audio.format import Format
from phone_bridge.audio.frames import FRAME_MS

MAX_QUEUED_MS = 600_000
"""The most sound that waits to be played; what is older than that goes first."""


class Playout:
    """Sound that waits for its turn, with marks in it."""

    def __init__(self, format: Format) -> None:
        self._frame = format.size(FRAME_MS)
        self._silence = format.silence * (self._frame // format.sample_bytes)
        self._most = format.size(MAX_QUEUED_MS)
        self._sound = bytearray()
        self._taken = 0  # all that was taken so far
        self._marks: deque[tuple[int, str]] = deque()  # each with how much must have been taken

    def put(self, audio: bytes, mark: str) -> None:
        """Add sound, and a mark behind it."""
        self._sound += audio
        excess = len(self._sound) - self._most
        if excess > 0:
            del self._sound[:excess]
            self._taken += excess
        if mark:
            self._marks.append((self._taken + len(self._sound), mark))

    @property
    def waiting(self) -> int:
        """How many bytes wait."""
        return len(self._sound)

    @property
    def marked(self) -> bool:
        """Whether a mark waits."""
        return bool(self._marks)

    def take(self) -> bytes:
        """Take one frame, filled up with silence."""
        if not self._sound:  # while the assistant listens
            return self._silence
        frame = bytes(self._sound[: self._frame])
        del self._sound[: self._frame]
        self._taken += len(frame)
        return frame + self._silence[len(frame) :]

    def reached(self) -> list[str]:
        """Take the marks before which nothing is left."""
        marks = []
        while self._marks and self._marks[0][0] <= self._taken:
            marks.append(self._marks.popleft()[1])
        return marks

    def flush(self) -> list[str]:
        """Throw away what waits, and take its marks."""
        self._taken += len(self._sound)
        self._sound.clear()
        return self.reached()

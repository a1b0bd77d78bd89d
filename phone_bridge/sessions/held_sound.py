"""The caller's sound that waits for a server to say in which format it wants to hear it."""

from collections import deque

from phone_bridge.audio.format import Format

HELD_MS = 6000
"""Most sound that waits, which may begin with what the call itself kept; the oldest is dropped first."""

RELEASED_AT_ONCE = 8
"""Pieces of held sound that follow each new one, so that a backlog neither floods the socket nor stays."""


class HeldSound:
    """Hold the pieces of a line in ``leg``'s format in their order."""

    def __init__(self, leg: Format) -> None:
        self._most = leg.size(HELD_MS)
        self._held: deque[bytes] = deque()
        self._size = 0

    def __bool__(self) -> bool:
        """Tell whether any sound waits, so that new sound must not pass it."""
        return bool(self._held)

    def pass_through(self, audio: bytes, *, ready: bool) -> list[bytes]:
        """Put ``audio`` behind what waits, and take out what may be sent now: nothing before all is ``ready``."""
        self._held.append(audio)
        self._size += len(audio)
        while self._size > self._most:
            self._take()
        return [self._take() for _ in range(min(RELEASED_AT_ONCE, len(self._held)) if ready else 0)]

    def _take(self) -> bytes:
        audio = self._held.popleft()
        self._size -= len(audio)
        return audio

"""The caller's sound that waits for a server to say in which format it wants to hear it."""

from collections import deque

from phone_bridge.audio.format import Format

HELD_MS = 6000
"""Most sound that waits, which may begin with what the call itself kept; the oldest is dropped first."""

RELEASED_AT_ONCE = 8
"""Pieces of held sound that go out together, so that a backlog neither floods the socket nor stays."""

RELEASE_MS = 20
"""How long after some of it the next pieces go out, where the caller sends nothing new before."""


class HeldSound:
    """Hold the pieces of a line in ``leg``'s format in their order."""

    def __init__(self, leg: Format) -> None:
        self.pieces: deque[bytes] = deque()
        """What waits; new sound must not pass it."""
        self._most = leg.size(HELD_MS)
        self._size = 0
        self._released_at = 0

    def pass_through(self, audio: bytes, now: int, *, ready: bool) -> list[bytes]:
        """Put ``audio`` behind what waits, and take out what may be sent now: nothing before all is ``ready``."""
        self.pieces.append(audio)
        self._size += len(audio)
        while self._size > self._most:
            self._take()
        return self._release(now) if ready else []

    def deadline(self) -> int | None:
        """Say when more is to go out though nothing new has come; it counts once all is ready."""
        return self._released_at + RELEASE_MS if self.pieces else None

    def expire(self, now: int) -> list[bytes]:
        """Take out what is due to be sent."""
        return self._release(now) if self.pieces and now >= self._released_at + RELEASE_MS else []

    def _release(self, now: int) -> list[bytes]:
        self._released_at = now
        return [self._take() for _ in range(min(RELEASED_AT_ONCE, len(self.pieces)))]

    def _take(self) -> bytes:
        audio = self.pieces.popleft()
        self._size -= len(audio)
        return audio

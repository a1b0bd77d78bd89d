"""When a stretch of the caller's sound was sent, so that a server's ``at_ms`` gets its place on the call's clock."""

from collections import deque

from phone_bridge.audio.format import Format

ANCHOR_MS = 100
"""Distance of the moments that are remembered to place the server's ``at_ms`` on the call's clock."""

ANCHORS = 64
"""How many such moments are remembered."""


class SoundClock:
    """Places milliseconds of the sound that was sent on the call's clock: somewhat too early, never too late."""

    def __init__(self, leg: Format) -> None:
        self._bytes_per_ms = leg.bytes_per_ms
        self._step = leg.size(ANCHOR_MS)
        self._sent = 0
        self._next = 0
        self._anchors: deque[tuple[int, int]] = deque(maxlen=ANCHORS)

    def count(self, size: int, now: int) -> None:
        """Note that ``size`` bytes more are sent at ``now``."""
        if self._sent >= self._next or now > self._anchors[-1][1] + 2 * ANCHOR_MS:  # the latter after a gap
            self._anchors.append((-(-self._sent // self._bytes_per_ms), now))
            self._next = self._sent + self._step
        self._sent += size

    def when(self, at_ms: float | None, otherwise: int) -> int:
        """Say when the sound at ``at_ms`` was sent; ``otherwise`` where that cannot be told."""
        if at_ms is None or at_ms * self._bytes_per_ms > self._sent:
            return otherwise
        for position, moment in reversed(self._anchors):
            if position <= at_ms:
                return moment
        return otherwise

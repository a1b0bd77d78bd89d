"""How late the event loop is: a beat ten times a second, and how much later than it was due it came.

Every call of a process lives on one loop. What holds it up holds up the sound of all of them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

BEAT_SECONDS = 0.1
WINDOW_SECONDS = 60


class LoopLag:
    """Tell ``observe`` how late each beat is, in seconds by ``clock``; ``worst`` is that of the last minute."""

    def __init__(self, observe: Callable[[float], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._observe = observe
        self._clock = clock
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._worst: deque[tuple[float, float]] = deque()  # when, how late; falling, so that the first is the worst

    def start(self) -> None:
        """Begin to measure the running loop."""
        self.stop()
        self._arm()

    def stop(self) -> None:
        """Leave the loop alone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def worst(self) -> float:
        """The latest beat of the last minute, in seconds; one that is overdue counts already."""
        now = self._clock()
        self._forget(now)
        overdue = now - self._due if self._timer is not None else 0.0
        return max(overdue, self._worst[0][1] if self._worst else 0.0, 0.0)

    def _arm(self) -> None:
        self._due = self._clock() + BEAT_SECONDS
        self._timer = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        now = self._clock()
        late = max(0.0, now - self._due)
        self._keep(now, late)
        self._arm()
        self._observe(late)

    def _keep(self, now: float, late: float) -> None:
        while self._worst and self._worst[-1][1] <= late:
            self._worst.pop()
        self._worst.append((now, late))
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._worst and self._worst[0][0] <= now - WINDOW_SECONDS:
            self._worst.popleft()

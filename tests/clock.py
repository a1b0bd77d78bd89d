"""An event loop whose time is virtual: it never sleeps, it jumps to the next timer.

For code that uses the loop's own timers; code that takes ``now`` as an argument needs none of this.
"""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class _Jumping(selectors.SelectSelector):
    """Waits by moving the time on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("every task waits, and no timer is armed")
            self.now += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop for one test; everything in it must wait for its timers alone, never for a network or a thread."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        self._timers: list[asyncio.TimerHandle] = []
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def call_at(
        self, when: float, callback: Callable[[*Arguments], object], *args: *Arguments, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = super().call_at(when, callback, *args, context=context)
        self._timers = [*self.timers(), handle]
        return handle

    def timers(self) -> list[asyncio.TimerHandle]:
        """List the timers that are armed."""
        return [timer for timer in self._timers if not timer.cancelled() and timer.when() > self.time()]


def run_virtual(main: Coroutine[Any, Any, Result]) -> Result:
    """Run ``main`` as ``asyncio.run`` would, in virtual time; raises RuntimeError when it waits for nothing."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


async def settle() -> None:
    """Let everything happen that is due now."""
    for _ in range(10):
        await asyncio.sleep(0)


class _Stopping(selectors.SelectSelector):
    """Never waits; where a loop would, it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.wait: float | None = None
        self.idle: Callable[[], None] = lambda: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            self.wait = timeout
            self.idle()
        return ready


class SteppedLoop(asyncio.SelectorEventLoop):
    """A loop whose owner moves the time, in whole milliseconds: ``do`` does all that is due, ``due`` says when next."""

    def __init__(self) -> None:
        self.now = 0
        self._stopping_at = _Stopping()
        super().__init__(self._stopping_at)
        self._stopping_at.idle = self.stop

    def time(self) -> float:
        return (self.now + 0.001) / 1000  # so that no rounding falls short of the millisecond

    @property
    def due(self) -> int | None:
        """The millisecond in which a timer is due; None without one."""
        wait = self._stopping_at.wait
        return None if wait is None else self.now + max(1, math.ceil(wait * 1000 - 0.01))

    def do(self, step: Callable[[], Result], now: int | None = None) -> Result:
        """Move the time on to ``now``, call ``step`` in the loop, and let everything happen that comes of it."""
        self.now = self.now if now is None else now
        return self.finish(self._call(step))

    def finish(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do ``work``, which may take no time, and let everything happen that comes of it."""
        task = self.create_task(work)
        self.run_forever()
        return task.result()

    async def _call(self, step: Callable[[], Result]) -> Result:
        return step()

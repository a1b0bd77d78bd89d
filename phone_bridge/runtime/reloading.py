"""SIGHUP: have something read again, without a word to whoever is on the telephone."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from types import FrameType, TracebackType
from typing import Any


class Early:
    """A handler of SIGHUP for a process that is still starting: it remembers the signal for ``Reloading``."""

    came = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Take the signal."""
        self.came = True


def expect() -> None:
    """Let a SIGHUP from now on wait for ``Reloading`` instead of ending the process; for the main thread.

    A handler does this, which programs that are started meanwhile do not inherit, as they do a blocked signal. Whoever
    started this process may have blocked it until here.
    """
    signal.signal(signal.SIGHUP, Early())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


class Reloading:
    """Have ``reload`` run in the loop after each SIGHUP, one at a time; the last signal is never missed.

    A context manager for the main thread, entered once the loop runs; a signal that came after ``expect`` counts.
    """

    def __init__(self, reload: Callable[[], Awaitable[None]]) -> None:
        self._reload = reload
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self._task: asyncio.Task[None]

    def __enter__(self) -> "Reloading":
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())
        before: Any = signal.signal(signal.SIGHUP, self._hung_up)
        if isinstance(before, Early) and before.came:
            self._asked.set()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        # What comes while the process stops is not to end it at once, which SIGHUP does by itself.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._task.cancel()

    def _hung_up(self, number: int, _: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._asked.set)  # a handler may interrupt the loop anywhere

    async def _run(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._reload()

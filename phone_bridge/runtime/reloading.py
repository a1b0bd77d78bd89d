"""SIGHUP: have something read again, without a word to whoever is on the telephone."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from types import FrameType, TracebackType
from typing import Any


class Reloading:
    """Have ``reload`` run in the loop after each SIGHUP, one at a time; the last signal is never missed.

    A context manager for the main thread, entered once the loop runs.
    """

    def __init__(self, reload: Callable[[], Awaitable[None]]) -> None:
        self._reload = reload
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self._task: asyncio.Task[None]
        self._before: Any = None

    def __enter__(self) -> "Reloading":
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())
        self._before = signal.signal(signal.SIGHUP, self._hung_up)
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

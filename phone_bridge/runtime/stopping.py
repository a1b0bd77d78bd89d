"""Signals that ask a process to stop: the first begins a drain, the second ends it at once."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from phone_bridge.runtime.drain import Drain

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.1
"""How often a drain is looked after."""

Handler = Callable[[int, FrameType | None], Any]


class Stopping:
    """Put ``drain`` before the end that the server's own signal handlers bring.

    A context manager for the main thread, entered once the server has set its handlers and the loop runs. A
    ``supervised`` process leaves Ctrl-C, which the terminal sends to all of them, to its supervisor.
    """

    def __init__(self, drain: Drain, *, supervised: bool = False) -> None:
        self._drain = drain
        self._supervised = supervised
        self._ends: dict[int, Handler] = {}
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self._ending = False

    def __enter__(self) -> "Stopping":
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            ours: Any = signal.SIG_IGN if self._supervised and number == signal.SIGINT else self._asked
            before = signal.signal(number, ours)
            self._ends[number] = before if callable(before) else _nothing
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for number, before in self._ends.items():
            signal.signal(number, before)
        if self._timer is not None:
            self._timer.cancel()

    def _asked(self, number: int, _: FrameType | None) -> None:
        if self._drain.begun:
            self._end(number)
        else:
            self._drain.begin()
            self._loop.call_soon_threadsafe(self._look, number)  # a handler may interrupt the loop anywhere

    def _look(self, number: int) -> None:
        if self._ending:
            return
        if self._drain.step():
            self._end(number)
        else:
            self._timer = self._loop.call_later(LOOK_SECONDS, self._look, number)

    def _end(self, number: int) -> None:
        """Have the server end; every further signal is the server's, too."""
        self._ending = True
        self._ends[number](number, None)


def _nothing(_: int, __: FrameType | None) -> None:
    """Stand for a handler that Python cannot call."""

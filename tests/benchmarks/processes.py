"""A process under measure, as the load sees it: its port, its processor time, its memory, and its end.

The figures come from ``/proc``, so these benchmarks run on Linux alone.
"""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

BACKLOG = 1024
STOP_SECONDS = 5
BRIDGE_CORE, LOAD_CORE = 0, 1

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Listening(msgspec.Struct, frozen=True):
    """What a child is told on its command line: the socket it inherits, and ``core`` to stay on, if any."""

    fd: int
    port: int
    core: int | None
    options: dict[str, Any]


def pin(core: int | None) -> None:
    """Keep this process on one core, where there is more than one."""
    if core is not None and core < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {core})


class Child:
    """Run ``python -m module`` with a listening socket of its own until the ``async with`` ends.

    It ends when its standard input does, so that nothing is left of it where this process is killed.
    """

    def __init__(self, module: str, *, core: int | None, **options: Any) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
            self.port: int = listener.getsockname()[1]
            told = Listening(listener.fileno(), self.port, core, options)
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, msgspec.json.encode(told).decode()],
                stdin=subprocess.PIPE,
                pass_fds=(listener.fileno(),),
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        try:
            self._process.communicate(timeout=STOP_SECONDS)  # closes its standard input, and with it the child
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def cpu_seconds(self) -> float:
        """Read the processor time that all its threads have spent, to 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def resident_kb(self) -> int:
        """Read the memory that it holds, in kB."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE_BYTES // 1000

    def open_files(self) -> int:
        """Count the files and sockets that it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def listening() -> Listening:
    """Read, in a child, what it was told, and keep to its core."""
    told = msgspec.json.decode(sys.argv[1], type=Listening)
    pin(told.core)
    return told

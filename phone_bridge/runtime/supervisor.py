"""The parent of several server processes, which lets them drain and then waits for them."""

import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.process import BaseProcess
from threading import Thread

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

JOIN_SECONDS = 0.1
"""How long one process is waited for before signals are looked at again."""

_STOPS = frozenset({signal.SIGTERM, signal.SIGINT})


def follow_parent() -> None:
    """Have this process stop as it does when asked to, once its parent is gone, for nobody else would ask it then."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_stop_after, args=(parent,), name="parent", daemon=True).start()


def _stop_after(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


class Supervisor(Multiprocess):
    """uvicorn's supervisor, with an end that takes as long as the calls of its processes: a second signal hurries it.

    uvicorn's own waits for its children without looking at signals.
    """

    _asked = 0

    @property
    def failed(self) -> bool:
        """Whether a process could not start."""
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)

    def run(self) -> None:
        """Keep the processes running until told to stop."""
        # A process inherits this, so that a SIGHUP waits from its first moment until it can take one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            super().run()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def handle_signals(self) -> None:
        """Look at what signals have come."""
        before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that waits comes here
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        super().handle_signals()

    def handle_term(self) -> None:
        """Take the first SIGTERM, or one that came before it was acted upon."""
        self._asked += 1
        super().handle_term()

    def handle_int(self) -> None:
        """Take Ctrl-C likewise."""
        self._asked += 1
        super().handle_int()

    def handle_hup(self) -> None:
        """Have every process read its routes again; uvicorn's own would end them, and their calls."""
        for process in self.processes:
            if process.pid is not None and process.process.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGHUP)

    def terminate_all(self) -> None:
        """Ask every process to stop; whoever connects after the last one of them has closed is refused, not kept."""
        for sock in self.sockets:
            sock.close()
        super().terminate_all()

    def join_all(self) -> None:
        """Wait for every process, and pass on whatever signal to stop comes meanwhile."""
        if self._asked > 1:
            self._hurry()
        while alive := [process for process in self.processes if process.process.is_alive()]:
            alive[0].process.join(JOIN_SECONDS)
            asked = [number for number in self.signal_queue if number in _STOPS]
            self.signal_queue.clear()
            if asked:
                self._hurry()

    def _hurry(self) -> None:
        for process in self.processes:
            if process.pid is not None and process.process.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGTERM)

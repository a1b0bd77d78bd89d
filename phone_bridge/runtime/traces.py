"""Files of calls: what a call was given, kept so that it can be run again by ``phone-bridge replay``.

A trace holds the words, the numbers and the keys of a caller: no other user may read it, there are at most so many,
and they go when their time is over.
"""

import logging
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from phone_bridge.call.journal import MAX_FILE_BYTES, Journal
from phone_bridge.call.recording import Recording, decode
from phone_bridge.errors import Refused

MODES = ("failures", "all", "off")
MAX_TRACES = 500  # files; a minute of a call is about 5 KB
MAX_PARTS = 20  # files of one call that was cut off and went on
MAX_WAITING = 50  # journals that wait for a slow disk

_SUFFIX = ".trace"

log = logging.getLogger("phone_bridge.traces")


class Traces:
    """Keep traces in ``folder``: of calls that failed, of all calls, or of none (``mode``, one of MODES).

    No trouble with files ever reaches a call: it is logged. One thread writes, one file after the other.
    """

    def __init__(self, folder: Path, mode: str) -> None:
        self._folder = folder
        self._mode = mode
        self._waiting: set[Future[None]] = set()
        self._writer: ThreadPoolExecutor | None = None

    @property
    def wanted(self) -> bool:
        """Whether calls are to keep a journal at all."""
        return self._mode != "off"

    def keep(self, call_id: str, journal: Journal | None, *, failed: bool, error: str = "") -> None:
        """Have the journal of a call that is over written, if it is one to keep; ``error`` is a code, as in a record.

        Returns at once and never raises.
        """
        if journal is None or not (self._mode == "all" or (self._mode == "failures" and failed)):
            return
        if len(self._waiting) >= MAX_WAITING:
            log.warning("! call %s leaves no trace: %d others wait to be written", call_id, MAX_WAITING)
            return
        if self._writer is None:
            self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="traces")
        work = self._writer.submit(self._keep, call_id, journal, failed, error)
        self._waiting.add(work)
        work.add_done_callback(self._waiting.discard)

    def close(self) -> None:
        """Wait until everything is written; blocks."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.shutdown()

    def purge(self, before: float) -> int:
        """Delete the traces of calls that ended before ``before`` (seconds since 1970); blocks, and counts them.

        What cannot be deleted is logged.
        """
        purged = 0
        try:
            for written, path in self._files():
                if written < before:
                    path.unlink(missing_ok=True)
                    purged += 1
        except OSError as error:
            log.warning("! old traces cannot be deleted from %s: %s", self._folder, error.strerror)
        return purged

    def _keep(self, call_id: str, journal: Journal, failed: bool, error: str) -> None:
        try:
            path = self._write(call_id, journal.encode(error))
        except Exception:
            log.exception("! the trace of call %s could not be written to %s", call_id, self._folder)  # a thread's top
        else:
            level = logging.WARNING if failed else logging.INFO
            log.log(level, "= call %s ended with error %s; its trace is %s", call_id, error or "none", path)

    def _write(self, call_id: str, content: bytes) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = self._files()
        for _, old in files[: max(0, len(files) - MAX_TRACES + 1)]:
            old.unlink(missing_ok=True)
        descriptor, path = self._new(call_id)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        except OSError:
            path.unlink(missing_ok=True)  # a part of a trace is none
            raise
        return path

    def _new(self, call_id: str) -> tuple[int, Path]:
        """Open a file that is not there yet, for this user alone."""
        for part in range(1, MAX_PARTS + 1):
            path = self._folder / (f"{call_id}.{part}{_SUFFIX}" if part > 1 else f"{call_id}{_SUFFIX}")
            try:
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), path
            except FileExistsError:
                continue
        raise FileExistsError(f"call {call_id} has left {MAX_PARTS} traces already")

    def _files(self) -> list[tuple[float, Path]]:
        """List the traces with the time of their writing, oldest first; another process may take some meanwhile."""
        found = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            try:
                found.append((path.stat().st_mtime, path))
            except FileNotFoundError:
                continue
        return sorted(found)


def read(path: Path) -> Recording:
    """Read a trace; raises Refused where the file cannot be opened, RemoteError where it is no trace."""
    try:
        with path.open("rb") as file:
            return decode(file.read(MAX_FILE_BYTES))
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.", code="trace_unreadable") from None

"""Files of calls' sound, in stereo: written beside the calls by one thread, and never waited for.

A recording holds a caller's voice: no other user of the machine may read it, and it goes when its time is over. The
head of a file is brought up to date with every second that is written, so that a process that is killed leaves a file
that can be played. Whatever goes wrong with files costs the recording, and is said in the call's record.
"""

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Full, Queue

from phone_bridge.audio.format import Format
from phone_bridge.audio.tape import HEADER_BYTES, Tape, wav_header
from phone_bridge.call.trace import Recorded, Trace

MAX_WAITING = 2_000
"""Seconds of calls' sound that may wait for a slow disk; what is more ends the recording that it belongs to."""

MIN_FREE_BYTES = 200 * 1024 * 1024
"""What is left free of a disk: the database may be on it, too."""

WRITE_MS = 1_000
"""How much sound is written at once."""

PIECE_BYTES = 1024 * 1024
"""The longest silence that is written at once."""

MAX_BYTES = 1 << 31
"""The longest recording: what a WAV file's head can say without doubt."""

SUFFIX = ".wav"

RECORDING, KEPT, BROKEN, NOT_ANNOUNCED, DELETED = "recording", "kept", "broken", "not_announced", "deleted"
"""What may become of a recording: see ``Recorded``."""

log = logging.getLogger("phone_bridge.recordings")


class Recordings:
    """Keep recordings in ``folder``; ``free`` tells how many bytes of its disk are left."""

    def __init__(self, folder: Path, *, free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free):
        self.folder = folder
        self._free = free
        self._waiting: Queue[tuple[_File, bytes | None] | None] = Queue(MAX_WAITING)
        self._writer: threading.Thread | None = None

    def open(self, call_id: str, format: Format, trace: Trace, earlier: Recorded | None = None) -> "Recorder":
        """Get ready to record a call; ``earlier`` is what its record says of the parts before this one."""
        file = _File(self.folder / f"{call_id}{SUFFIX}", format, self._free)
        return Recorder(self._put, file, format, trace, earlier)

    def find(self, call_id: str) -> Path | None:
        """Find a call's recording; None where there is none on this machine. Blocks."""
        path = self.folder / f"{call_id}{SUFFIX}"
        return path if path.parent == self.folder and path.is_file() else None

    def delete(self, call_id: str) -> bool:
        """Delete a call's recording; False where there is none on this machine. Blocks, and raises OSError."""
        path = self.find(call_id)
        if path is not None:
            path.unlink(missing_ok=True)
        return path is not None

    def purge(self, before: float) -> int:
        """Delete the recordings that were written last before ``before`` (seconds since 1970); blocks, and counts.

        What cannot be deleted is logged.
        """
        purged = 0
        try:
            for path in self.folder.glob(f"*{SUFFIX}"):
                if path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
                    purged += 1
        except OSError as error:
            log.warning("! old recordings cannot be deleted from %s: %s", self.folder, error.strerror)
        return purged

    def close(self) -> None:
        """Wait until everything is written; blocks."""
        writer, self._writer = self._writer, None
        if writer is not None:
            self._waiting.put(None)
            writer.join()

    def _put(self, file: "_File", sound: bytes | None) -> bool:
        """Have sound written, or (None) a file closed; False where too much waits already. Returns at once."""
        try:
            self._waiting.put_nowait((file, sound))
        except Full:
            return False
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="recordings", daemon=True)
            self._writer.start()
        return True

    def _write(self) -> None:
        while (work := self._waiting.get()) is not None:
            file, sound = work
            file.take(sound)


class Recorder:
    """Record one call: what the caller says and what the caller hears; ``put`` has it written.

    What became of it stands in ``trace.recording``.
    """

    def __init__(
        self,
        put: Callable[["_File", bytes | None], bool],
        file: "_File",
        format: Format,
        trace: Trace,
        earlier: Recorded | None,
    ) -> None:
        self._put = put
        self._file = file
        self._silence = format.silence
        self._tape = Tape(format)
        self._trace = trace
        self._earlier = earlier
        self._from_ms = 0
        self._next = 0
        self._over = False

    @property
    def begun(self) -> bool:
        """Whether anything is recorded yet."""
        return self._tape.begun

    def begin(self, now: int) -> None:
        """Record from now on."""
        self._tape.begin(now)
        self._next = now + WRITE_MS
        at = now - self._trace.began
        self._from_ms = self._earlier.from_ms if self._earlier is not None else at
        self._file.skip_ms = at - self._from_ms
        self._tell(RECORDING, self._from_ms)

    def heard(self, audio: bytes, now: int, lag_ms: int, *, private: bool = False) -> None:
        """Take sound of the caller's; what is ``private`` is silence in the recording."""
        if self._over:
            return
        self._tape.heard(self._silence * (len(audio) // len(self._silence)) if private else audio, now)
        if now >= self._next:
            self._next = now + WRITE_MS
            self._give(self._tape.take(now, lag_ms))

    def played(self, audio: bytes, now: int) -> None:
        """Take sound that was sent to the caller."""
        if not self._over:
            self._tape.played(audio, now)

    def flushed(self, unheard_ms: int, now: int) -> None:
        """Know that the last of what was sent was thrown away unheard."""
        self._tape.flushed(unheard_ms, now)

    def close(self, now: int, lag_ms: int) -> None:
        """Write what is left; what nobody has heard by now is not in it."""
        if self._over:
            return
        if not self._tape.begun:
            self._over = True
            if self._earlier is None:
                self._tell(NOT_ANNOUNCED, 0)
            return
        if self._give(self._tape.finish(now, lag_ms)) and self._put(self._file, None):
            self._tell(KEPT, self._from_ms, now - self._trace.began - self._from_ms)
        self._over = True

    def drop(self, now: int, lag_ms: int) -> None:
        """Keep nothing, because there was nothing to hear; what an earlier part has left stays."""
        if self._earlier is not None:
            self.close(now, lag_ms)
            return
        self._file.unwanted = self._over = True
        self._put(self._file, None)
        if self._tape.begun:
            self._tell(DELETED, self._from_ms)

    def _give(self, sound: bytes) -> bool:
        """Have sound written; False where the recording has come to an early end."""
        reason = self._file.failure
        if not reason and sound and not self._put(self._file, sound):
            reason = "disk_too_slow"
        if reason:
            self._over = True
            self._put(self._file, None)
            self._tell(BROKEN, self._from_ms, self._file.ms, reason)
        return not reason

    def _tell(self, state: str, from_ms: int, ms: int = 0, reason: str = "") -> None:
        self._trace.recording = Recorded(state, from_ms, ms, reason)
        self._trace.version += 1


class _File:
    """One file, which the writer's thread alone touches; ``failure`` is why there will be no more of it."""

    def __init__(self, path: Path, format: Format, free: Callable[[Path], int]) -> None:
        self.failure = ""
        self.skip_ms = 0
        self.unwanted = False
        self._path = path
        self._format = format
        self._free = free
        self._descriptor: int | None = None
        self._size = 0

    @property
    def ms(self) -> int:
        """How much sound it holds."""
        return self._size // (2 * self._format.bytes_per_ms)

    def take(self, sound: bytes | None) -> None:
        """Write sound, or (None) close; never raises."""
        if sound is None:
            self._close()
        elif not self.failure:
            try:
                self.failure = self._add(sound)
            except Exception as error:
                full = isinstance(error, OSError)
                self.failure = "disk_failed" if full else "bridge_failed"
                log.exception("! the recording %s has ended early", self._path.name)  # a thread's top
            if self.failure:
                log.warning("! the recording %s has ended early: %s", self._path.name, self.failure)
                self._close()

    def _add(self, sound: bytes) -> str:
        if self._descriptor is None and (trouble := self._open()):
            return trouble
        if self._free(self._path.parent) < MIN_FREE_BYTES:
            return "disk_full"
        if self._size + len(sound) > MAX_BYTES:
            return "too_long"
        self._write(sound)
        self._write_head()
        return ""

    def _open(self) -> str:
        """Open the file; where an earlier part of the call has left some of it, go on after the time between."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._free(self._path.parent) < MIN_FREE_BYTES:
            return "disk_full"
        descriptor = self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        there = os.fstat(descriptor).st_size
        if there > HEADER_BYTES:
            frame = 2 * self._format.sample_bytes
            self._size = (there - HEADER_BYTES) // frame * frame
            if os.pread(descriptor, 4, 24) != wav_header(self._format, 0)[24:28]:
                return "other_format"
        missing = self.skip_ms * 2 * self._format.bytes_per_ms - self._size
        while missing > 0:
            piece = min(missing, PIECE_BYTES)
            self._write(self._format.silence * (piece // len(self._format.silence)))
            missing -= piece
        return ""

    def _write(self, sound: bytes) -> None:
        assert self._descriptor is not None  # noqa: S101 - an own invariant
        rest = memoryview(sound)
        while rest:
            written = os.pwrite(self._descriptor, rest, HEADER_BYTES + self._size)
            self._size += written
            rest = rest[written:]

    def _write_head(self) -> None:
        assert self._descriptor is not None  # noqa: S101 - an own invariant
        os.pwrite(self._descriptor, wav_header(self._format, self._size), 0)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
            if self.unwanted:
                self._path.unlink(missing_ok=True)

"""The carrier's play-out buffer: what the bridge sent and the caller has not heard yet, exact to the sample.

Time comes as an argument. Everything but ``advance`` happens at the time of the last ``advance``, so the owner advances
first and then plays, marks or clears.
"""

from collections import deque

import msgspec

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.errors import LocalError

SAMPLES_PER_MS = PCMU_8K.bytes_per_ms
"""A mu-law sample is a byte, so this is bytes for a millisecond as well."""

UNDERRUN_MS = 400
"""A gap up to this long inside a run of sound is the sender's delay; a longer one is a pause between sentences."""


class Reached(msgspec.Struct, frozen=True, gc=False):
    """The sound before a mark was played out when ``sample`` samples had passed since the buffer was made."""

    name: str
    sample: int


class Played(msgspec.Struct, frozen=True):
    """What one ``advance`` played: mu-law with silence where nothing was buffered, and the marks on its way."""

    audio: bytes
    marks: tuple[Reached, ...]


class Playout:
    """A buffer that plays 8 samples in a millisecond from ``now`` on, silence while it is empty."""

    def __init__(self, now: int) -> None:
        self._start = now
        self._clock = 0
        self._position = 0
        self._buffer = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        self._dry_at: int | None = None
        self.underruns = 0
        """How often sound came too late to follow the sound before it."""
        self.underrun_samples = 0
        """How many samples of silence those delays made."""

    @property
    def buffered(self) -> int:
        """Bytes that wait to be played."""
        return len(self._buffer)

    def play(self, audio: bytes) -> None:
        """Add ``audio`` (mu-law) to what is played."""
        if audio and not self._buffer:
            self._count_underrun()
        self._buffer += audio

    def _count_underrun(self) -> None:
        gap = 0 if self._dry_at is None else self._clock - self._dry_at
        if 0 < gap <= UNDERRUN_MS * SAMPLES_PER_MS:
            self.underruns += 1
            self.underrun_samples += gap
        self._dry_at = None

    def mark(self, name: str) -> tuple[str, ...]:
        """Name the end of what is buffered; a mark with nothing before it is returned at once."""
        if not self._buffer:
            return (name,)
        self._marks.append((self._position + len(self._buffer), name))
        return ()

    def clear(self) -> tuple[str, ...]:
        """Throw the buffer away and return the marks that were pending, in order."""
        self._buffer.clear()
        self._dry_at = None
        pending = tuple(name for _, name in self._marks)
        self._marks.clear()
        return pending

    def advance(self, now: int) -> Played:
        """Play until ``now``; raises LocalError when that is in the past."""
        due = (now - self._start) * SAMPLES_PER_MS - self._clock
        if due < 0:
            raise LocalError(f"the play-out clock was turned back by {-due} samples")
        sound = bytes(self._buffer[:due])
        del self._buffer[:due]
        marks = self._pass_marks(len(sound))
        self._position += len(sound)
        if sound and not self._buffer:
            self._dry_at = self._clock + len(sound)
        self._clock += due
        return Played(sound + PCMU_8K.silence * (due - len(sound)), marks)

    def _pass_marks(self, played: int) -> tuple[Reached, ...]:
        passed = []
        while self._marks and self._marks[0][0] <= self._position + played:
            position, name = self._marks.popleft()
            passed.append(Reached(name, self._clock + position - self._position))
        return tuple(passed)

    def deadline(self) -> int | None:
        """Say in which millisecond the next mark will have been reached; None without one."""
        if not self._marks:
            return None
        sample = self._clock + self._marks[0][0] - self._position
        return self._start - (-sample // SAMPLES_PER_MS)

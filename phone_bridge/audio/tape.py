"""Both sides of a line on one time line: left what came, right what was heard, as a recording in stereo has them.

Times are milliseconds on the call's clock. The caller's sound stands where it came. Ours stands where the caller heard
it, seen from here: when it was sent, and as much later as the line takes there and back. What was thrown away unheard
is taken out again, which can be done as long as nothing younger than ``HOLD_MS`` has been given away.
"""

from collections import deque

import msgspec

from phone_bridge.audio.format import Encoding, Format

HOLD_MS = 1_000
"""How old sound is that is given away: older than any line is long, or any frame comes late."""

STEP_MS = 20
"""The most that a side may be out of step."""

SETTLED_FRAMES = 50
"""So many frames in a row must all have come late for sound to have been lost before them; a stall catches up."""

HEADER_BYTES = 58


class _Run(msgspec.Struct, gc=False):
    """Sound of ours without a gap, ``start`` as it was sent and ``place`` as it was heard, in samples."""

    start: int
    sound: bytearray
    place: int | None = None  # not known before the line's length is


class Tape:
    """Put two sides in ``format`` on one time line; ``begin`` says from when on there is anything to keep."""

    def __init__(self, format: Format) -> None:
        self._scale = format.rate // 1000
        self._width = format.sample_bytes
        self._silence = format.silence
        self._at: int | None = None  # all before this was given away, samples
        self._left = bytearray()  # from there on
        self._late: list[int] = []  # how late the last frames were for their places, samples
        self._runs: deque[_Run] = deque()
        self._sent = 0  # where the last sound of ours ends as it was sent, samples
        self._placed = 0  # and where the last that has its place ends as it was heard

    @property
    def begun(self) -> bool:
        """Whether anything is kept yet."""
        return self._at is not None

    def begin(self, now: int) -> None:
        """Keep what sounds from now on; what began to sound before is kept from its middle on."""
        self._at = now * self._scale

    # The caller

    def heard(self, audio: bytes, now: int) -> None:
        """Take sound of the caller's, which ends now."""
        if self._at is None:
            return
        clock, size = now * self._scale, len(audio) // self._width
        end = self._at + len(self._left) // self._width
        late = clock - size - end
        step = STEP_MS * self._scale
        if late < -step:  # more than the time it came in; what is too much is what came last
            size = max(0, size + late)
            self._left += audio[: size * self._width]
            self._late.clear()
            return
        self._late.append(late)
        if len(self._late) >= SETTLED_FRAMES:
            lost = min(self._late)
            self._late.clear()
            if lost > step:
                self._left += self._silence * lost
        self._left += audio

    # Our side

    def played(self, audio: bytes, now: int) -> None:
        """Take sound that is sent now and sounds after all that was sent before."""
        clock = now * self._scale
        if self._at is None:  # what has sounded by now will never be kept
            while self._runs and self._end(self._runs[0]) < clock - HOLD_MS * self._scale:
                self._runs.popleft()
        if self._runs and self._sent >= clock and self._end(self._runs[-1]) == self._sent:
            self._runs[-1].sound += audio
        else:
            self._sent = max(self._sent, clock)
            self._runs.append(_Run(self._sent, bytearray(audio)))
        self._sent += len(audio) // self._width

    def flushed(self, unheard_ms: int, now: int) -> None:
        """Take out the last ``unheard_ms`` of what was sent, which nobody heard."""
        left = unheard_ms * self._scale
        while left > 0 and self._runs:
            run = self._runs[-1]
            size = len(run.sound) // self._width
            if size > left:
                del run.sound[(size - left) * self._width :]
                break
            self._runs.pop()
            left -= size
        self._sent = min(self._sent, now * self._scale)

    # Both

    def take(self, now: int, lag_ms: int) -> bytes:
        """Give what can change no more, in stereo; ``lag_ms`` is how long the line is there and back."""
        return self._give((now - HOLD_MS) * self._scale, lag_ms)

    def finish(self, now: int, lag_ms: int) -> bytes:
        """Give all that was heard by now."""
        return self._give(now * self._scale, lag_ms)

    def _give(self, until: int, lag_ms: int) -> bytes:
        if self._at is None or until <= self._at:
            return b""
        size = (until - self._at) * self._width
        left, self._left = self._left[:size], self._left[size:]
        left += self._silence * ((size - len(left)) // self._width)
        right = self._right(until, lag_ms)
        self._at = until
        return interleaved(left, right, self._width)

    def _right(self, until: int, lag_ms: int) -> bytearray:
        assert self._at is not None  # noqa: S101 - an own invariant
        right = bytearray()
        while self._runs:
            run = self._runs[0]
            if run.place is None:
                run.place = max(self._placed, run.start + lag_ms * self._scale)
            if run.place >= until:
                run.place = None  # the line may turn out to be another length until then
                break
            self._take_run(run, run.place, until, right)
            if run.sound:
                break
            self._runs.popleft()
        return right + self._silence * (until - self._at - len(right) // self._width)

    def _take_run(self, run: _Run, place: int, until: int, right: bytearray) -> None:
        """Move what of a run sounds before ``until``."""
        assert self._at is not None  # noqa: S101 - an own invariant
        taken = run.sound[: (until - place) * self._width]
        del run.sound[: len(taken)]
        count = len(taken) // self._width
        run.start += count
        run.place = self._placed = place + count
        early = self._at - place  # what sounded before anything was kept
        if early > 0:
            del taken[: early * self._width]
            place = self._at
        if taken:
            right += self._silence * (place - self._at - len(right) // self._width)
            right += taken

    def _end(self, run: _Run) -> int:
        return run.start + len(run.sound) // self._width


def interleaved(left: bytes | bytearray, right: bytes | bytearray, width: int) -> bytes:
    """Put two sides of the same length together, sample by sample of ``width`` bytes."""
    both = bytearray(2 * len(left))
    for byte in range(width):
        both[byte :: 2 * width] = left[byte::width]
        both[width + byte :: 2 * width] = right[byte::width]
    return bytes(both)


_TAGS = {Encoding.LINEAR16: 1, Encoding.PCMA: 6, Encoding.PCMU: 7}


def wav_header(format: Format, size: int) -> bytes:
    """Write the head of a WAV file in stereo that holds ``size`` bytes of sound, in the line's own encoding."""
    frame = 2 * format.sample_bytes
    head = [b"RIFF", _four(HEADER_BYTES - 8 + size), b"WAVEfmt ", _four(18), _two(_TAGS[format.encoding]), _two(2)]
    head += [_four(format.rate), _four(format.rate * frame), _two(frame), _two(8 * format.sample_bytes), _two(0)]
    head += [b"fact", _four(4), _four(size // frame), b"data", _four(size)]
    return b"".join(head)


def _two(number: int) -> bytes:
    return number.to_bytes(2, "little")


def _four(number: int) -> bytes:
    return min(number, 0xFFFF_FFFF).to_bytes(4, "little")

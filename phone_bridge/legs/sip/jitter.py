"""The jitter buffer: packets come early, late, twice, out of order or not at all, and sound leaves every 20 ms.

How long sound waits follows how unevenly it comes: it waits longer at once when a packet misses its turn, and one frame
less when for ``CALM_TURNS`` there was always more than was needed. What is missing is the last frame again, ever
fainter, and silence after ``FADE_FRAMES`` of them; then the line rests until sound comes again.
"""

from collections.abc import Callable

from phone_bridge.audio._audioop import audioop
from phone_bridge.audio.fade import fallen, risen
from phone_bridge.audio.format import Encoding, Format
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.audio.path import path
from phone_bridge.legs.sip.codec import CLOCK_RATE, FRAME_TICKS
from phone_bridge.legs.sip.rtp import TIMESTAMPS, Packet, ahead

START_FRAMES = 2
"""How much sound is awaited before the first of it is given."""

MAX_FRAMES = 10
"""The most that is waited for stragglers: 200 ms."""

HOLD_FRAMES = 50
"""A packet further than this from the one whose turn it is (1 s) comes from a clock that jumped, and begins anew."""

CALM_TURNS = 250
"""How long there must be more sound than is needed before the wait is shortened: 5 s."""

FADE_FRAMES = 3
FADE = 0.5
"""How loud a frame is that stands for a missing one, to the one before it."""

SLOT_MS = 10
"""What packets are cut into: every packet is a whole number of these, and a frame is two."""


class JitterBuffer:
    """Put one stream in order; ``pop`` gives 20 ms of it at a time in ``format``, whatever has come.

    ``read`` makes sound in ``format`` of payloads, in their order.
    """

    _turn: int  # the timestamp whose turn it is
    _newest: int
    _running: bool
    _fresh: bool  # nothing of this stream was given yet, so nothing of it is late
    _owed: int  # turns to stand still, so that all that follows waits longer
    _kept: dict[int, bytes]  # slots by their timestamps
    _read: Callable[[bytes], bytes]

    def __init__(self, format: Format, read: Callable[[bytes], bytes] = bytes) -> None:
        self.late = 0
        """Packets that came after their turn."""
        self.lost = 0
        """Frames for which others stood."""
        self._slot = CLOCK_RATE * SLOT_MS // 1_000  # ticks, which are octets, too
        self._frame = FRAME_TICKS
        self._silence = format.silence * (format.size(FRAME_MS) // format.sample_bytes)
        self._half = self._silence[: format.size(SLOT_MS)]
        linear = Format(Encoding.LINEAR16, format.rate)
        self._format = format
        self._newest_read = read
        self._to_linear, self._from_linear = path(format, linear).push, path(linear, format).push
        self._wait = START_FRAMES
        self._begin(None, 0)

    @property
    def rests(self) -> bool:
        """Whether there is no sound to give: none has come yet, or it has stopped."""
        return not self._running

    @property
    def wait_ms(self) -> int:
        """How long sound waits for stragglers at present."""
        return self._wait * FRAME_MS

    def change(self, read: Callable[[bytes], bytes], at: int) -> None:
        """Read what is said from the timestamp ``at`` on by ``read``, and what waits from before it as ever."""
        before, self._newest_read = self._newest_read, read
        if self._read is not before:  # a second change before the first was heard
            self._begin(self._ssrc, at)
            return

        def either(payload: bytes) -> bytes:
            new = ahead(self._turn, at, TIMESTAMPS)  # ticks, which are octets, up to the end of what was taken
            if new > len(payload):
                sound = read(payload)
            elif new > 0:
                old = before(payload[:-new])
                sound = fallen(old, self._format) + risen(read(payload[-new:]), self._format)
            else:
                sound = before(payload) if new else fallen(before(payload), self._format)
            self._read = read if new > 0 else either
            return sound

        self._read = either

    def push(self, packet: Packet) -> None:
        """Take a packet of sound."""
        off = ahead(packet.timestamp, self._turn, TIMESTAMPS)
        if packet.ssrc != self._ssrc or abs(off) > HOLD_FRAMES * self._frame or off % self._slot:
            self._begin(packet.ssrc, packet.timestamp)
        payload, slot = packet.payload, self._slot
        for start in range(0, len(payload) - len(payload) % slot, slot):
            at = (packet.timestamp + start) % TIMESTAMPS
            if ahead(at, self._turn, TIMESTAMPS) < 0 and (self._running or not self._fresh):
                self._came_late(start)
                continue
            if not self._kept or ahead(at, self._newest, TIMESTAMPS) > 0:
                self._newest = at
            self._kept[at] = payload[start : start + slot]

    def pop(self) -> bytes:
        """Give the next 20 ms: what came, what stands for it, or silence while the line rests."""
        if not self._running and not self._start():
            return self._silence
        if self._owed:
            self._owed -= 1
            return self._stand_in()
        spare = self._span() - self._frame
        if spare > (self._wait + MAX_FRAMES) * self._frame:  # everything that a network held back came at once
            self._skip(spare // self._frame - self._wait)
        self._watch_calm(spare)
        first, second = self._take(), self._take()
        if first is None and second is None:
            return self._miss()
        self._missing = 0
        if first is not None and second is not None:
            self._last = self._read(first + second)
        else:
            self._last = b"".join(self._half if slot is None else self._read(slot) for slot in (first, second))
        return self._last

    def _begin(self, ssrc: int | None, turn: int) -> None:
        self._ssrc = ssrc
        self._read = self._newest_read
        self._kept = {}
        self._turn = self._newest = turn
        self._running, self._fresh = False, True
        self._owed = 0
        self._missing = 0
        self._last = b""
        self._calm, self._least = 0, HOLD_FRAMES * self._frame

    def _start(self) -> bool:
        if not self._kept:
            return False
        oldest = min(self._kept, key=lambda at: ahead(at, self._newest, TIMESTAMPS))
        if ahead(self._newest, oldest, TIMESTAMPS) + self._slot < self._wait * self._frame:
            return False
        self._turn, self._running, self._fresh = oldest, True, False
        return True

    def _span(self) -> int:
        """Count the samples from the turn to the end of the newest."""
        return ahead(self._newest, self._turn, TIMESTAMPS) + self._slot if self._kept else 0

    def _watch_calm(self, spare: int) -> None:
        self._calm += 1
        self._least = min(self._least, spare)
        if self._calm < CALM_TURNS:
            return
        if self._least >= self._frame:
            self._skip(1)
            self._wait = max(1, self._wait - 1)
        self._calm, self._least = 0, HOLD_FRAMES * self._frame

    def _came_late(self, start: int) -> None:
        if start:
            return  # counted with the packet's first slot
        self.late += 1
        self._calm, self._least = 0, HOLD_FRAMES * self._frame
        if self._running and self._wait < MAX_FRAMES:
            self._wait += 1
            self._owed += 1

    def _skip(self, frames: int) -> None:
        for _ in range(2 * frames):
            self._take()

    def _take(self) -> bytes | None:
        slot = self._kept.pop(self._turn, None)
        self._turn = (self._turn + self._slot) % TIMESTAMPS
        return slot

    def _miss(self) -> bytes:
        if self._missing >= FADE_FRAMES and not self._kept:
            self._running = False
        return self._stand_in()

    def _stand_in(self) -> bytes:
        self._missing += 1
        if not self._last or self._missing > FADE_FRAMES:
            return self._silence
        self.lost += 1
        return self._from_linear(audioop.mul(self._to_linear(self._last), 2, FADE**self._missing))

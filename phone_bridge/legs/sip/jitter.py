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

_HALF_ROUND = TIMESTAMPS // 2


class JitterBuffer:
    """Put one stream in order; ``pop`` gives 20 ms of it at a time in ``format``, whatever has come.

    ``read`` makes sound in ``format`` of payloads, in their order.
    """

    _turn: int  # the timestamp whose turn it is; like all kept here it counts on where those of packets run round
    _newest: int  # of the newest slot
    _running: bool
    _fresh: bool  # nothing of this stream was given yet, so nothing of it is late
    _calm: int  # turns for which there has been more than is needed
    _least: int  # the least that there was beside it
    _owed: int  # turns to stand still, so that all that follows waits longer
    _kept: dict[int, bytes]  # frames by their timestamps while all are whole, which is nearly always, otherwise slots
    _whole: bool
    _read: Callable[[bytes], bytes]

    def __init__(self, format: Format, read: Callable[[bytes], bytes] = bytes) -> None:
        self.late = 0
        """Packets that came after their turn."""
        self.lost = 0
        """Frames for which others stood."""
        self._slot = CLOCK_RATE * SLOT_MS // 1_000  # ticks, which are octets, too
        self._frame = FRAME_TICKS
        self._hold = HOLD_FRAMES * self._frame
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
        payload, frame = packet.payload, self._frame
        off = (packet.timestamp - self._turn + _HALF_ROUND) % TIMESTAMPS - _HALF_ROUND  # ``ahead``, without a call
        if packet.ssrc != self._ssrc or abs(off) > self._hold or off % self._slot:
            self._begin(packet.ssrc, packet.timestamp)
            off = 0
        if not self._kept:
            self._whole = True
        if self._whole and (off % frame or len(payload) % frame):
            self._cut()
        if off < 0 or len(payload) != frame or not self._whole:
            self._push_pieces(payload, self._turn + off)
            return
        at = self._turn + off
        if not self._kept or at > self._newest:
            self._newest = at + self._slot
        self._kept[at] = payload

    def _push_pieces(self, payload: bytes, first: int) -> None:
        size = self._frame if self._whole else self._slot
        for start in range(0, len(payload) - len(payload) % size, size):
            at = first + start
            if at < self._turn and (self._running or not self._fresh):
                self._came_late(start)
                continue
            if not self._kept or at > self._newest:
                self._newest = at + size - self._slot
            self._kept[at] = payload[start : start + size]

    def _cut(self) -> None:
        """Keep slots from now on: something has come that is no whole frame, or lies between two."""
        slot, kept = self._slot, self._kept
        self._whole = False
        self._kept = {at: sound[:slot] for at, sound in kept.items()}
        self._kept |= {at + slot: sound[slot:] for at, sound in kept.items()}

    def pop(self) -> bytes:
        """Give the next 20 ms: what came, what stands for it, or silence while the line rests."""
        if not self._running and not self._start():
            return self._silence
        if self._owed:
            self._owed -= 1
            return self._stand_in()
        frame = self._frame
        spare = self._newest + self._slot - self._turn - frame if self._kept else -frame
        if spare > (self._wait + MAX_FRAMES) * frame:  # everything that a network held back came at once
            self._skip(spare // frame - self._wait)
        self._calm += 1
        if spare < self._least:
            self._least = spare
        if self._calm >= CALM_TURNS:
            self._shorten()
        if not self._whole:
            return self._pop_slots()
        payload = self._kept.pop(self._turn, None)
        self._turn += frame
        if payload is None:
            return self._miss()
        self._missing = 0
        self._last = self._read(payload)
        return self._last

    def _pop_slots(self) -> bytes:
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
        self._whole = True
        self._turn = self._newest = turn
        self._running, self._fresh = False, True
        self._owed = 0
        self._missing = 0
        self._last = b""
        self._calm, self._least = 0, self._hold

    def _start(self) -> bool:
        if not self._kept:
            return False
        oldest = min(self._kept)
        if self._newest - oldest + self._slot < self._wait * self._frame:
            return False
        self._turn, self._running, self._fresh = oldest, True, False
        return True

    def _shorten(self) -> None:
        if self._least >= self._frame:
            self._skip(1)
            self._wait = max(1, self._wait - 1)
        self._calm, self._least = 0, self._hold

    def _came_late(self, start: int) -> None:
        if start:
            return  # counted with the packet's first slot
        self.late += 1
        self._calm, self._least = 0, self._hold
        if self._running and self._wait < MAX_FRAMES:
            self._wait += 1
            self._owed += 1

    def _skip(self, frames: int) -> None:
        for _ in range(frames if self._whole else 2 * frames):
            self._take()

    def _take(self) -> bytes | None:
        piece = self._kept.pop(self._turn, None)
        self._turn += self._frame if self._whole else self._slot
        return piece

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

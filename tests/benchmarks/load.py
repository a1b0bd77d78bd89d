"""Calls under load: both ends speak all the time, and every frame is matched with when it was sent."""

import asyncio
import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from itertools import cycle

import numpy as np

from phone_bridge.audio.format import PCMU_8K, Format
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.audio.path import path
from phone_bridge.legs.twilio.carrier import Marked
from tests.audio.spectrum import to_bytes
from tests.audio.speechlike import noise, talk
from tests.benchmarks.far_ends import Ends, World
from tests.benchmarks.tongues import CHRONAPILOT, Tongue

FRAME_MS = 20
SLOT_MS = 0.25
SLOTS = 80
STRIDE = 33  # has no factor in common with SLOTS, so that neighbours are far apart
CALIBRATION_SECONDS = 0.02
CALIBRATIONS = 15
IDLE = 1.6  # how many times as long as the best a turn may take and still be idle; one message takes several times
HEAD_START_FRAMES = 5  # how far ahead of its playing a session sends, so that a carrier's buffer does not run dry
WORDS = 12
REPLY = "reply"

ENDING = 6  # characters at a message's end in which base64's padding stands

_MEDIA = '{"event":"media"'


@cache
def speech() -> tuple[bytes, ...]:
    """Make some seconds of a caller as frames of mu-law: words, pauses, and the noise of a line."""
    words = talk(WORDS, gap_ms=250)
    ulaw = linear_to_ulaw(to_bytes(words + noise(words.size // 8, -55.0)[: words.size]))
    size = PCMU_8K.size(FRAME_MS)
    return tuple(ulaw[at : at + size] for at in range(0, len(ulaw) - size, size))


def deltas(format: Format, item: str, tongue: Tongue = CHRONAPILOT) -> list[str]:
    """Write the frames of ``speech``, brought to ``format``, as a session's messages."""
    way = path(PCMU_8K, format)
    return [tongue.delta(way.push(frame), item) for frame in speech()]


def coded_size(message: str, around: int) -> int:
    """Count the bytes in a message's base64; ``around`` is what the message has beside it."""
    characters = len(message) - around
    return characters // 4 * 3 - message.count("=", -ENDING)


class Pacer:
    """Gives every call its turn: slots of a quarter of a millisecond, gone through fifty times a second.

    It spins and never sleeps: whoever sends to a process that sleeps pays for its waking, which would be the system
    under measure. So ``busy`` tells how much of its core the load needs: the time of those turns of the loop that took
    longer than idle ones.
    """

    def __init__(self) -> None:
        self.each_ms: list[Callable[[int], None]] = []
        self.lags_ms: list[float] = []
        self._slots: list[list[Callable[[], None]]] = [[] for _ in range(SLOTS)]
        self._next = 0
        self._since = 0.0
        self._turns = 0
        self._idle_below = 0.0
        self._idle = 0.0

    def every_frame(self, turn: Callable[[], None]) -> None:
        """Call ``turn`` every 20 ms from now on; turns are spread evenly over the slots."""
        self._next = (self._next + STRIDE) % SLOTS
        self._slots[self._next].append(turn)

    async def run(self) -> None:
        """Go on until cancelled."""
        start = last = time.perf_counter()
        slot, last_ms = 0, 0
        while True:
            now = time.perf_counter()
            self._count(now - last)
            last = now
            due = (now - start) * 1000 / SLOT_MS
            if slot < due:
                self.lags_ms.append((due - slot) * SLOT_MS)
            while slot < due:
                for turn in self._slots[slot % SLOTS]:
                    turn()
                slot += 1
            if (ms := now_ms()) != last_ms:
                last_ms = ms
                for turn_ms in self.each_ms:
                    turn_ms(ms)
            await asyncio.sleep(0)

    async def calibrate(self) -> None:
        """Find out how long an idle turn of the loop takes at its best; nothing may be going on."""
        for _ in range(CALIBRATIONS):
            self.mark()
            await asyncio.sleep(CALIBRATION_SECONDS)
            turn = (time.perf_counter() - self._since) / self._turns
            self._idle_below = min(self._idle_below or turn * IDLE, turn * IDLE)

    def mark(self) -> None:
        """Measure ``busy`` and ``lags_ms`` from here on."""
        self.lags_ms.clear()
        self._turns, self._idle, self._since = 0, 0.0, time.perf_counter()

    @property
    def busy(self) -> float:
        """The share of its core that the load needed since ``mark``."""
        return 1 - self._idle / (time.perf_counter() - self._since)

    def _count(self, took: float) -> None:
        self._turns += 1
        if took < self._idle_below:
            self._idle += took


def now_ms() -> int:
    """Read the clock that the load goes by."""
    return int(time.monotonic() * 1000)


class Track:
    """One direction of one call: frames that went in are matched with sound that came out, by its milliseconds."""

    __slots__ = ("_frame", "_pending", "_waiting")

    def __init__(self, frame_bytes: int) -> None:
        self._frame = frame_bytes
        self._pending = 0
        self._waiting: deque[float] = deque()

    def sent(self) -> None:
        """Note that one frame is being sent."""
        self._waiting.append(time.perf_counter())

    def arrived(self, size: int) -> list[float]:
        """Take ``size`` bytes in; give the milliseconds that each frame took which is now whole."""
        now = time.perf_counter()
        took = []
        self._pending += size
        while self._pending >= self._frame and self._waiting:
            self._pending -= self._frame
            took.append((now - self._waiting.popleft()) * 1000)
        return took


class Meter:
    """What is measured of all calls together, while ``recording``."""

    def __init__(self) -> None:
        self.recording = False
        self.up_ms: list[float] = []
        self.down_ms: list[float] = []
        self.gaps = 0
        self.lost = 0

    def record(self, took: list[float], into: list[float]) -> None:
        """Keep what frames took."""
        if self.recording:
            into.extend(took)

    def reset(self) -> None:
        """Forget what was measured, and record from here on."""
        self.recording = True
        self.up_ms.clear()
        self.down_ms.clear()
        self.gaps = 0


class Marks:
    """Marks on their way back, when what is before them will have been played."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[str], None], str]] = []
        self._count = 0

    def put(self, due_ms: float, back: Callable[[str], None], name: str) -> None:
        """Give ``name`` to ``back`` at ``due_ms``."""
        self._count += 1
        heapq.heappush(self._heap, (due_ms, self._count, back, name))

    def turn(self, now: int) -> None:
        """Give back what is due."""
        while self._heap and self._heap[0][0] <= now:
            _, _, back, name = heapq.heappop(self._heap)
            back(name)


class Drain:
    """When a play-out buffer that is never cleared will have played what it was given, without the sound itself."""

    __slots__ = ("_end",)

    def __init__(self) -> None:
        self._end = 0.0

    def play(self, ms: float, now: float) -> bool:
        """Add ``ms`` of sound; True when it came too late to follow the sound before it."""
        late = 0.0 < self._end < now
        self._end = max(self._end, now) + ms
        return late

    def reached(self, now: float) -> float:
        """Say when a mark that is set now will have been reached."""
        return max(self._end, now)


class Talk:
    """One call that never pauses."""

    def __init__(
        self, ends: Ends, world: World, sound: tuple[Iterable[bytes], Iterable[str]], meter: Meter, marks: Marks
    ) -> None:
        self._codec, self._carrier, self._session = ends
        self._frames, self._deltas = cycle(sound[0]), cycle(sound[1])
        self._timestamp = 0
        self._meter = meter
        self._marks = marks
        self._drain = Drain()
        self._up, self._down = Track(world.format.size(FRAME_MS)), Track(PCMU_8K.size(FRAME_MS))
        sid = ends.codec.start.stream_sid
        self._around_media = len(f'{{"event":"media","streamSid":"{sid}","media":{{"payload":""}}}}')
        self._append, self._around_append = world.tongue.append, world.tongue.around()
        self._carrier.attach(Ear(self._from_bridge, self._lost))
        self._session.attach(Ear(self._to_session, self._lost))

    def begin(self, pacer: Pacer) -> None:
        """Speak from both ends from now on."""
        for _ in range(HEAD_START_FRAMES):
            self.assistant_speaks()
        pacer.every_frame(self.caller_speaks)
        pacer.every_frame(self.assistant_speaks)

    def caller_speaks(self) -> None:
        """Send one frame from the carrier."""
        self._up.sent()
        self._carrier.send(self._codec.media(next(self._frames), self._timestamp))
        self._timestamp += FRAME_MS

    def assistant_speaks(self) -> None:
        """Send one frame from the session."""
        self._down.sent()
        self._session.send(next(self._deltas))

    def _from_bridge(self, data: str | bytes) -> None:
        if not isinstance(data, str):
            return
        now = time.monotonic() * 1000
        if data.startswith(_MEDIA):
            size = coded_size(data, self._around_media)
            self._meter.gaps += self._drain.play(size / PCMU_8K.bytes_per_ms, now)
            self._meter.record(self._down.arrived(size), self._meter.down_ms)
            return
        said = self._codec.receive(data)
        if isinstance(said, Marked):
            self._marks.put(self._drain.reached(now), self._return_mark, said.name)

    def _return_mark(self, name: str) -> None:
        self._carrier.send(self._codec.mark(name))

    def _to_session(self, data: str | bytes) -> None:
        if isinstance(data, str) and data.startswith(self._append):
            self._meter.record(self._up.arrived(coded_size(data, self._around_append)), self._meter.up_ms)

    def _lost(self, code: int, reason: str) -> None:
        self._meter.lost += 1


class Ear:
    """A socket's listener made of two callables."""

    def __init__(self, message: Callable[[str | bytes], None], closed: Callable[[int, str], None]) -> None:
        self.message = message
        self.closed = closed


def percentile(values: Iterable[float], share: float) -> float:
    """Find the value that ``share`` (0 to 1) of ``values`` stay within; infinite for nothing, which is no good news."""
    known = np.fromiter(values, float)
    return float(np.quantile(known, share, method="higher")) if known.size else math.inf

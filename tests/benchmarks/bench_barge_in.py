"""Barge-in: how fast the line falls silent, what still comes, and whether the session is told the truth.

A reply of ten seconds in three items arrives four times as fast as it plays, with pauses in which the buffer runs dry.
About four seconds in, the session hears the caller; more of the reply is on its way then, and goes on until the cancel
has come. Marks come back up to ``LATE_MS`` late. The truth is what the play-out buffer had played when ``clear`` came.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from random import Random

import msgspec

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.sessions.chronapilot import messages as m
from tests.benchmarks.bridge_process import Told
from tests.benchmarks.far_ends import Ends, World
from tests.benchmarks.listener import ExactCaller
from tests.benchmarks.load import Ear, Marks, Pacer, percentile, speech
from tests.benchmarks.tables import table
from tests.benchmarks.tongues import CHRONAPILOT

DELTA_FRAMES = 3
SPEED = 4
LATE_MS = 150
ITEMS_SECONDS = (3.0, 4.0, 3.0)
PAUSE_SECONDS = (0.3, 0.55)  # a longer one makes the bridge say "one moment"
LAST_ITEM_SECONDS = (3.0, 4.0)
INTERRUPT_SECONDS = (3.5, 4.5)
DEAF_SECONDS = 0.2
"""How long a session goes on talking after it was told to stop."""

ROUND_PAUSE_SECONDS = 0.5
PATIENCE_SECONDS = 5.0
GREETING_SECONDS = 20.0

_told = msgspec.json.Decoder(Told)


class Cut(msgspec.Struct, frozen=True):
    """What one interruption showed; times in milliseconds."""

    stop_ms: float
    errors_ms: tuple[float, ...]
    """Told minus played, of each item that was told or played in part."""

    unheard: int
    """Items of which nothing was played and nothing told."""

    untold: int
    """Items that were played in part, and of which nothing was told at all."""


class Figures(msgspec.Struct, frozen=True):
    """What all interruptions showed."""

    calls: int
    cuts: tuple[Cut, ...]
    bytes_after_clear: int
    underruns: int
    sent_in_vain: int
    """Deltas of cut replies that the session sent after ``clear``, and that nobody may hear."""

    @property
    def errors_ms(self) -> list[float]:
        return [error for cut in self.cuts for error in cut.errors_ms]


class Session:
    """The session's end of one call: tells a reply, and what it is told of it."""

    def __init__(self, ends: Ends, caller: ExactCaller, random: Random, scale: float, frames: Sequence[bytes]) -> None:
        self._socket = ends.session
        self._caller = caller
        self._random = random
        self._scale = scale
        step = DELTA_FRAMES
        self._sounds = cycle([b"".join(frames[at : at + step]) for at in range(0, len(frames) - step, step)])
        self._sent: dict[str, int] = {}  # bytes of each item of this round
        self._told: dict[str, int] = {}
        self._truth: dict[str, float] = {}
        self._interrupted = False
        self._cancelled = asyncio.Event()
        self._cleared: asyncio.Future[float]
        self.sent_in_vain = 0
        caller.on_clear = self._clear
        self._socket.attach(Ear(self._message, self._closed))

    async def hear_greeting(self) -> None:
        """Let the bridge say its own first words."""
        async with asyncio.timeout(GREETING_SECONDS):
            await self._caller.hear_out()

    async def round(self, number: int) -> Cut:
        """Tell one reply, be interrupted, and see what comes of it."""
        self._sent, self._told, self._truth = {}, {}, {}
        self._interrupted = False
        self._cancelled.clear()
        self._cleared = asyncio.get_running_loop().create_future()
        self._caller.forget()
        telling = asyncio.create_task(self._tell(number))
        await asyncio.sleep(self._scaled(INTERRUPT_SECONDS))
        self._interrupted = True
        interrupted = time.perf_counter()
        self._socket.send(m.encode(m.SpeechStarted()))
        self._socket.send(m.encode(m.TranscriptPartial(text="no")))
        async with asyncio.timeout(PATIENCE_SECONDS):
            cleared = await self._cleared
            await telling
        self._socket.send(m.encode(m.TranscriptFinal(text="no, stop")))
        await asyncio.sleep(ROUND_PAUSE_SECONDS)
        self._caller.forget()  # the bridge may speak by itself when no reply follows
        return self._compare((cleared - interrupted) * 1000)

    def _compare(self, stop_ms: float) -> Cut:
        pairs = [(told, self._truth[item]) for item, told in self._told.items()]
        errors = tuple(told - played for told, played in pairs if told or played)
        partly = [item for item, ms in self._truth.items() if 0 < ms * PCMU_8K.bytes_per_ms < self._sent[item]]
        return Cut(stop_ms, errors, len(pairs) - len(errors), sum(item not in self._told for item in partly))

    def _scaled(self, between: tuple[float, float]) -> float:
        return self._random.uniform(*between) * self._scale

    async def _tell(self, number: int) -> None:
        last_at = time.monotonic() + self._scaled(LAST_ITEM_SECONDS)
        for place, seconds in enumerate(ITEMS_SECONDS):
            if place == len(ITEMS_SECONDS) - 1:
                await asyncio.sleep(max(0.0, last_at - time.monotonic()))
            if self._interrupted:  # a session begins nothing new while the caller speaks
                return
            if not await self._tell_item(f"r{number}.{place}", seconds * self._scale):
                return

    async def _tell_item(self, item: str, seconds: float) -> bool:
        """Send one item as fast as it comes; False when it was cancelled."""
        self._socket.send(m.encode(m.ResponseCreated(response_id=item)))
        self._sent[item] = 0
        deltas = round(seconds * 1000 / (20 * DELTA_FRAMES))
        pause_at = self._random.randrange(1, deltas)
        for turn in range(deltas):
            if turn == pause_at:
                await asyncio.sleep(self._scaled(PAUSE_SECONDS))
            if self._cancelled.is_set():
                break
            self._send(item, next(self._sounds))
            await asyncio.sleep(20 * DELTA_FRAMES / SPEED / 1000)
        status = "cancelled" if self._cancelled.is_set() else "completed"
        self._socket.send(m.encode(m.ResponseDone(m.ResponseState(id=item, status=status))))
        return status == "completed"

    def _send(self, item: str, sound: bytes) -> None:
        self._socket.send(CHRONAPILOT.delta(sound, item))
        self._sent[item] += len(sound)
        self.sent_in_vain += self._cleared.done()

    def _clear(self, played: int) -> None:
        if self._cleared.done():
            return
        for item, size in self._sent.items():
            self._truth[item] = min(size, played) / PCMU_8K.bytes_per_ms
            played -= min(size, played)
        self._cleared.set_result(time.perf_counter())

    def _message(self, data: str | bytes) -> None:
        if not isinstance(data, str) or data.startswith('{"type":"audio.append"'):
            return
        if data.startswith('{"type":"bench.truncate"'):
            told = _told.decode(data)
            self._told[told.item] = told.heard_ms
        elif data.startswith('{"type":"response.cancel"'):
            asyncio.get_running_loop().call_later(DEAF_SECONDS * self._scale, self._cancelled.set)

    def _closed(self, code: int, reason: str) -> None:
        self._cancelled.set()


async def interrupt(world: World, calls: int, rounds: int, *, scale: float = 1.0, seed: int = 1) -> Figures:
    """Interrupt every call ``rounds`` times; ``scale`` shortens the reply and everything in it."""
    marks, pacer, frames = Marks(), Pacer(), speech()
    random = Random(seed)  # noqa: S311 - the same disorder in every run
    pacer.each_ms.append(marks.turn)
    callers, sessions = [], []
    for ends in await world.ring(calls):
        caller = ExactCaller(ends, cycle(frames), marks, lambda: random.uniform(0, LATE_MS))
        pacer.every_frame(caller.speak)
        pacer.each_ms.append(caller.turn)
        callers.append(caller)
        sessions.append(Session(ends, caller, random, scale, frames))
    pacing = asyncio.create_task(pacer.run())
    try:
        cuts = await asyncio.gather(*(_rounds(session, rounds, random.uniform(0, 1)) for session in sessions))
    finally:
        pacing.cancel()
    if any(caller.lost for caller in callers):
        raise RuntimeError("a call was lost while it was interrupted")
    return Figures(
        calls,
        tuple(cut for each in cuts for cut in each),
        sum(caller.bytes_after_clear for caller in callers),
        sum(caller.playout.underruns for caller in callers),
        sum(session.sent_in_vain for session in sessions),
    )


async def _rounds(session: Session, rounds: int, begin: float) -> list[Cut]:
    await session.hear_greeting()
    await asyncio.sleep(begin)
    return [await session.round(number) for number in range(rounds)]


def figures_table(figures: Figures) -> str:
    """Show what was found."""
    stops, errors = [cut.stop_ms for cut in figures.cuts], figures.errors_ms
    rows = [
        ("interruptions", f"{len(figures.cuts)}"),
        ("speech.started to clear, p50", f"{percentile(stops, 0.5):.2f} ms"),
        ("speech.started to clear, p99", f"{percentile(stops, 0.99):.2f} ms"),
        ("bytes of media after clear", f"{figures.bytes_after_clear}"),
        ("deltas the session still sent", f"{figures.sent_in_vain}"),
        ("items told as heard in part", f"{len(errors)}"),
        ("items told as unheard, rightly", f"{sum(cut.unheard for cut in figures.cuts)}"),
        ("items heard in part, not told", f"{sum(cut.untold for cut in figures.cuts)}"),
        ("told minus played, least", f"{min(errors, default=0):+.1f} ms"),
        ("told minus played, p50", f"{percentile(errors, 0.5):+.1f} ms"),
        ("told minus played, most", f"{max(errors, default=0):+.1f} ms"),
        ("error without sign, p99", f"{percentile([abs(error) for error in errors], 0.99):.1f} ms"),
        ("underruns on the way", f"{figures.underruns}"),
    ]
    return table((f"{figures.calls} calls", ""), rows)

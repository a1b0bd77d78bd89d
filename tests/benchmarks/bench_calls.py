"""How many calls one core carries, what it adds to their latency, and what memory they take.

The system under measure has a core of its own; the carrier and the session server share the other one and send both
ways all the time: 50 frames a second each way on every call, evenly spread. Calls are added until the 99th percentile
of what is added to a frame's way is over ``LIMIT_MS``. A frame counts from its sending to the arrival of its last
millisecond, by the number of milliseconds that have come, so the delay of a filter is not in it.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from tests.benchmarks.far_ends import World
from tests.benchmarks.load import REPLY, Marks, Meter, Pacer, Talk, deltas, percentile, speech
from tests.benchmarks.tables import table

LIMIT_MS = 20.0
FRAMES_A_SECOND = 50
SETTLE_SECONDS = 0.8
FULL = 0.97  # the share of a core from which on it counts as used up


class Step(msgspec.Struct, frozen=True):
    """One number of calls, measured; latencies in milliseconds, CPU as shares of a core, memory in kB."""

    calls: int
    up_ms: tuple[float, float]
    down_ms: tuple[float, float]
    cpu: float
    load_busy: float
    load_lag_ms: float
    resident_kb: int
    gaps: int
    lost: int

    @property
    def worst_ms(self) -> float:
        return max(self.up_ms[1], self.down_ms[1])

    @property
    def held(self) -> bool:
        return self.worst_ms < LIMIT_MS and not self.lost

    @property
    def calls_by_cpu(self) -> float:
        return self.calls / self.cpu if self.cpu else math.inf

    @property
    def frame_us(self) -> float:
        """CPU microseconds for one frame up and one down."""
        return self.cpu * 1e6 / self.calls / FRAMES_A_SECOND


class Climb(msgspec.Struct, frozen=True):
    """All steps of one system; ``idle_kb`` is what it holds once a first call has come and gone, in kB."""

    name: str
    idle_kb: int
    steps: list[Step]

    @property
    def held(self) -> Step:
        """The last step before the first that did not hold; the first where none did."""
        best = self.steps[0]
        for step in self.steps:
            if not step.held:
                break
            best = step
        return best

    def nearest(self, calls: int) -> Step:
        """Find the first step that was held with so many calls, or else the last one that was held."""
        held = [step for step in self.steps if step.held] or self.steps[:1]
        return next((step for step in held if step.calls >= calls), held[-1])

    def kb_a_call(self, step: Step) -> float:
        """Divide the memory that the calls of ``step`` added."""
        return (step.resident_kb - self.idle_kb) / step.calls

    def at(self, calls: int) -> Step | None:
        """Find the step of so many calls."""
        return next((step for step in self.steps if step.calls == calls), None)


class Load:
    """The calls that are up on one system."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._meter = Meter()
        self._marks = Marks()
        self._pacer = Pacer()
        self._pacer.each_ms.append(self._marks.turn)
        self._sound = speech(), deltas(world.format, REPLY, world.tongue)
        self._talks: list[Talk] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Keep the calls going."""
        task = asyncio.create_task(self._pacer.run())
        try:
            yield self
        finally:
            task.cancel()

    async def come_and_go(self) -> int:
        """Let a first call warm everything up; return the memory that is held afterwards."""
        for ends in await self._world.ring(1):
            ends.carrier.send(ends.codec.stop())
            ends.carrier.close()
            await ends.session.wait_closed()
        await asyncio.sleep(SETTLE_SECONDS)
        await self._pacer.calibrate()
        return self._world.child.resident_kb()

    async def add(self, count: int) -> None:
        """Add so many calls."""
        for ends in await self._world.ring(count):
            talk = Talk(ends, self._world, self._sound, self._meter, self._marks)
            talk.begin(self._pacer)
            self._talks.append(talk)

    async def measure(self, seconds: float) -> Step:
        """Listen for so long."""
        await asyncio.sleep(SETTLE_SECONDS)
        meter, child = self._meter, self._world.child
        meter.reset()
        self._pacer.mark()
        began, cpu = time.monotonic(), child.cpu_seconds()
        await asyncio.sleep(seconds)
        meter.recording = False
        elapsed = time.monotonic() - began
        return Step(
            calls=len(self._talks),
            up_ms=(percentile(meter.up_ms, 0.5), percentile(meter.up_ms, 0.99)),
            down_ms=(percentile(meter.down_ms, 0.5), percentile(meter.down_ms, 0.99)),
            cpu=(child.cpu_seconds() - cpu) / elapsed,
            load_busy=self._pacer.busy,
            load_lag_ms=percentile(self._pacer.lags_ms, 0.99),
            resident_kb=child.resident_kb(),
            gaps=meter.gaps,
            lost=meter.lost,
        )


async def climb(name: str, world: World, steps: Sequence[int], seconds: float) -> Climb:
    """Add calls step by step until a step does not hold, also when it is looked at again: the machine may be shared."""
    async with Load(world).running() as load:
        idle_kb = await load.come_and_go()
        measured: list[Step] = []
        up = 0
        for calls in steps:
            await load.add(calls - up)
            up = calls
            step = await load.measure(seconds)
            if not step.held and not step.lost:
                step = min(step, await load.measure(seconds), key=_worst)
            measured.append(step)
            if not step.held:
                break
    return Climb(name, idle_kb, measured)


def _worst(step: Step) -> float:
    return step.worst_ms


def steps_table(climb: Climb) -> str:
    """Show every step."""
    rows = [
        (
            f"{step.calls}",
            f"{step.up_ms[0]:.2f}",
            f"{step.up_ms[1]:.2f}",
            f"{step.down_ms[0]:.2f}",
            f"{step.down_ms[1]:.2f}",
            f"{step.cpu:.0%}",
            f"{step.frame_us:.0f}",
            f"{step.load_busy:.0%}",
            f"{step.load_lag_ms:.1f}",
            f"{step.gaps}",
            "" if step.held else "over",
        )
        for step in climb.steps
    ]
    head = ("calls", "up p50", "p99", "down p50", "p99 ms", "CPU", "us/20 ms", "load busy", "late p99", "gaps", "")
    return table(head, rows)


def verdict(climb: Climb) -> str:
    """Say how many calls were held, and what ended the climb."""
    best, last = climb.held, climb.steps[-1]
    lines = [f"{climb.name}: {best.calls} calls held, {best.calls_by_cpu:.0f} by CPU"]
    if last.held:
        lines.append(f"the steps ended at {last.calls} calls, before the limit of {LIMIT_MS:.0f} ms was met")
    if last.load_busy > FULL or last.load_lag_ms > LIMIT_MS / 4:
        share, late = f"{last.load_busy:.0%}", f"{last.load_lag_ms:.1f} ms"
        lines.append(f"the load itself was short of time at {last.calls} calls ({share} of its core, p99 {late} late)")
    if last.lost:
        lines.append(f"{last.lost} sockets were lost at {last.calls} calls")
    return "; ".join(lines)

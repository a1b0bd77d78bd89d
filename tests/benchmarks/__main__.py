"""All benchmarks in one run: ``python -m tests.benchmarks``, or with ``--quick`` a shorter look at the same.

It needs Linux and two cores: what is measured has one of them, the load the other. On a shared or virtual machine trust
the ratios of one run. What the load adds itself, in its own loop and in the loopback sockets of each way, is part of
every latency shown; the relay's latency tells how much that is.
"""

import argparse
import asyncio
import gc
import importlib.util
import os
import sys
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
import uvloop

from phone_bridge.audio.format import LINEAR_24K, PCMU_8K, Format
from phone_bridge.audio.resample import Resampler
from tests.audio.spectrum import worst_stray_db
from tests.benchmarks import (
    bench_audio,
    bench_journal,
    bench_pump,
    bench_sockets,
    bench_speech,
    bench_twilio,
    bench_understanding,
)
from tests.benchmarks.bench_barge_in import Figures, figures_table, interrupt
from tests.benchmarks.bench_calls import LIMIT_MS, Climb, Step, climb, steps_table, verdict
from tests.benchmarks.bench_keys import keys_table, press
from tests.benchmarks.bench_tools import call_tools, tools_table
from tests.benchmarks.far_ends import bridge, relay
from tests.benchmarks.load import percentile
from tests.benchmarks.processes import BRIDGE_CORE, LOAD_CORE, pin
from tests.benchmarks.tables import table, title
from tests.benchmarks.tongues import CHRONAPILOT, REALTIME, Tongue

LONGEST_PART_SECONDS = 240
CHARACTER_MS = 65
"""How long a character of the bridge's own lines takes to say: about fifteen are said in a second."""

Result = TypeVar("Result")


class Plan(msgspec.Struct, frozen=True):
    """How much is measured."""

    steps: tuple[int, ...] = (1, 50, 100, 150, 200, 300, 400, 500, 600, 700, 800, 1000)
    peer_steps: tuple[int, ...] = (1, 50, 100, 150, 200, 400, 600, 800, 1000)
    seconds: float = 2.5
    memory_calls: int = 200
    barge_in: tuple[int, int] = (40, 3)
    keys: tuple[int, int] = (100, 3)
    parts: bool = True
    """Whether the benchmarks of single parts are run, too."""


QUICK = Plan(
    steps=(1, 100),
    peer_steps=(1, 100),
    seconds=1.0,
    memory_calls=100,
    barge_in=(10, 1),
    keys=(20, 2),
    parts=False,
)


class Findings(msgspec.Struct):
    """What was found, for the summary."""

    passed: Climb
    wide: Climb
    ceiling: Climb
    figures: Figures
    keys_ms: list[float]


def say(text: str) -> None:
    """Write to the report."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(part: Coroutine[Any, Any, Result]) -> Result:
    """Run one part of the benchmarks, within its time."""

    async def bounded() -> Result:
        async with asyncio.timeout(LONGEST_PART_SECONDS):
            return await part

    gc.collect()
    return uvloop.run(bounded())


async def bridge_climb(
    name: str, format: Format, steps: Sequence[int], seconds: float, tongue: Tongue = CHRONAPILOT
) -> Climb:
    """Add calls to the bridge."""
    async with bridge(format, core=BRIDGE_CORE, tongue=tongue) as world:
        return await climb(name, world, steps, seconds)


async def relay_climb(kind: str, steps: Sequence[int], seconds: float) -> Climb:
    """Add calls to a relay."""
    async with relay(kind, core=BRIDGE_CORE) as world:
        return await climb(f"relay on {kind}", world, steps, seconds)


async def barge_in(calls: int, rounds: int) -> Figures:
    """Interrupt replies."""
    async with bridge(PCMU_8K, core=BRIDGE_CORE, told=True, character_ms=CHARACTER_MS) as world:
        return await interrupt(world, calls, rounds)


async def keys(calls: int, rounds: int) -> list[float]:
    """Confirm actions."""
    async with bridge(PCMU_8K, core=BRIDGE_CORE, character_ms=CHARACTER_MS) as world:
        return await press(world, calls, rounds)


async def tools(calls: int, rounds: int) -> dict[str, list[float]]:
    """Call tools."""
    async with bridge(PCMU_8K, core=BRIDGE_CORE, tongue=REALTIME) as world:
        return await call_tools(world, calls, rounds)


def show(climbed: Climb) -> Climb:
    """Report a climb."""
    say(f"{climbed.name}\n{steps_table(climbed)}\n{verdict(climbed)}\n")
    return climbed


def measure(plan: Plan) -> Findings:
    """Measure everything that goes through the whole bridge, and report it on the way."""
    say(title(f"Calls on one core, until p99 of what is added is over {LIMIT_MS:.0f} ms"))
    passed = show(run(bridge_climb("bridge, mu-law passed through", PCMU_8K, plan.steps, plan.seconds)))
    wide = show(run(bridge_climb("bridge, transcoding to 24 kHz", LINEAR_24K, plan.steps, plan.seconds)))
    realtime = [
        show(run(bridge_climb(name, sound, plan.peer_steps, plan.seconds, REALTIME)))
        for name, sound in (("Realtime, mu-law passed through", PCMU_8K), ("Realtime, 24 kHz", LINEAR_24K))
    ]
    ceiling = show(run(relay_climb("picows", plan.peer_steps, plan.seconds)))
    peers = [ceiling]
    if importlib.util.find_spec("websockets"):
        peers.append(show(run(relay_climb("websockets", plan.peer_steps, plan.seconds))))
    say(title("Against the ceiling: a relay on picows that has no features, in the same run"))
    say(ratios([passed, wide, *realtime, *peers], ceiling))
    say(title("Barge-in, ten seconds of reply at four times the speed of speech"))
    figures = run(barge_in(*plan.barge_in))
    say(figures_table(figures))
    say(title("A key and its confirmation"))
    keys_ms = run(keys(*plan.keys))
    say(keys_table(plan.keys[0], keys_ms))
    say(title("A tool that only looks: from a Realtime model's call to its result"))
    say(tools_table(plan.keys[0], run(tools(*plan.keys))))
    return Findings(passed, wide, ceiling, figures, keys_ms)


def ratios(climbs: Sequence[Climb], ceiling: Climb) -> str:
    """Compare what a frame both ways costs systems and the ceiling, at the most calls that both carried."""
    rows = []
    for each in climbs:
        mine, its = common(each, ceiling)
        cells = (f"{each.held.calls}", f"{mine.calls}", f"{mine.frame_us:.1f}", f"{its.frame_us:.1f}")
        rows.append((each.name, *cells, f"{its.frame_us / mine.frame_us:.2f}"))
    return table(("system", "calls held", "at calls", "us for 20 ms", "the ceiling's", "of the ceiling"), rows)


def common(one: Climb, other: Climb) -> tuple[Step, Step]:
    """Find the last step that both held, or else their first."""
    both = [(step, other.at(step.calls)) for step in one.steps if step.held]
    held = [(step, its) for step, its in both if its is not None and its.held]
    return held[-1] if held else (one.steps[0], other.steps[0])


def delays() -> tuple[float, float]:
    """Return the delay of the filters on the way up and down, in milliseconds."""
    return Resampler(8000, 24000).delay_ms, Resampler(24000, 8000).delay_ms


def rejection_db() -> float:
    """Measure the worst image or alias between 8 and 24 kHz."""
    pairs = ((8000, 24000), (24000, 8000))
    return max(worst_stray_db(bench_audio.ours(*pair), *pair) for pair in pairs)


def summary(found: Findings, plan: Plan) -> str:
    """Hold the figures against the goals."""
    errors = [abs(error) for error in found.figures.errors_ms]
    stops = [cut.stop_ms for cut in found.figures.cuts]
    up, down = delays()
    rows = [
        ("calls held on one core, passed through (by CPU)", calls(found.passed), "800"),
        ("calls held on one core, transcoding (by CPU)", calls(found.wide), "500"),
        *latency_rows(found.passed, (1, 100)),
        *latency_rows(found.wide, (1, 100)),
        ("filter's delay, up + down, apart from the above", f"{up:.2f} + {down:.2f} ms", "2 ms each"),
        ("filter's worst image or alias", f"{rejection_db():.0f} dB", "-70 dB"),
        ("memory a call, passed through", memory(found.passed, plan), "100 kB"),
        ("memory a call, transcoding", memory(found.wide, plan), "100 kB"),
        ("truncate error, p99", f"{percentile(errors, 0.99):.1f} ms", "10 ms"),
        ("bytes after clear", f"{found.figures.bytes_after_clear}", "0"),
        ("speech started to clear, p50 / p99", pair(stops), "- / 5 ms"),
        ("key to action.confirm, p50 / p99", pair(found.keys_ms), "- / 5 ms"),
    ]
    return table(("figure", "measured", "goal"), rows)


def calls(climbed: Climb) -> str:
    return f"{climbed.held.calls} ({climbed.held.calls_by_cpu:.0f})"


def memory(climbed: Climb, plan: Plan) -> str:
    step = climbed.nearest(plan.memory_calls)
    return f"{climbed.kb_a_call(step):.0f} kB at {step.calls}"


def pair(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.2f} / {percentile(values, 0.99):.2f} ms"


def latency_rows(climbed: Climb, at: Sequence[int]) -> list[tuple[str, str, str]]:
    """Show what was added at each of these numbers of calls."""
    rows = []
    for count in at:
        step = climbed.at(count)
        if step is not None:
            for way, (p50, p99) in (("up", step.up_ms), ("down", step.down_ms)):
                name = f"{climbed.name}: added {way} at {count} calls, p50 / p99"
                rows.append((name, f"{p50:.2f} / {p99:.2f} ms", "0.3 / 5 ms"))
    return rows


def parts() -> None:
    """Run the benchmarks of single parts."""
    for name, part in (
        ("Sound: microseconds for 20 ms, delay and rejection", bench_audio.main),
        ("Twilio's messages", bench_twilio.main),
        ("The call between its sockets", bench_pump.main),
        ("The journal of a call", bench_journal.main),
        ("WebSockets, the server's side", bench_sockets.compare),
        ("What callers say, understood", bench_understanding.main),
        ("Speech: what is understood of offline voices, and how soon the answer begins", bench_speech.main),
    ):
        say(title(name))
        part()


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls, shorter looks, no single parts")
    plan = QUICK if parser.parse_args().quick else Plan()
    if sys.platform != "linux":
        sys.exit("the benchmarks read /proc and pin processes to cores, so they run on Linux alone")
    began = time.monotonic()
    load = os.getloadavg()[0]
    say(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {load:.1f} at the beginning")
    if plan.parts:
        parts()
    pin(LOAD_CORE)
    gc.disable()  # the load's own pauses are not the bridge's
    found = measure(plan)
    say(title("Summary"))
    say(summary(found, plan))
    say(f"\n{time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()

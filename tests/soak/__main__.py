"""Soak the bridge: calls that come and go for minutes or hours, and nothing may grow, get lost or be left behind.

``python -m tests.soak`` (or ``make soak``) takes ``--minutes``, or ``SOAK_MINUTES`` from the environment. The bridge is
a process of its own; the carrier and the sessions are in this one. Exits with 1 when a limit is broken.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

from phone_bridge.exchange import Request
from phone_bridge.runtime.http import HttpClient
from tests.benchmarks.far_ends import ACCOUNT, TOKEN
from tests.benchmarks.processes import Child
from tests.runtime.serving import serving
from tests.soak.bridge_process import WINDOW
from tests.soak.callers import STORIES, Caller, Tally, play
from tests.soak.ends import Sessions

MINUTES = 3.0
CALLS = 24  # at a time
WARM_SHARE = 0.4  # of the time, before memory is looked at
WARM_SECONDS = 60.0  # at most
MEMORY_KB_AN_HOUR = 60_000
"""How fast the bridge's memory may grow once it is warm: at 24 calls at a time some 10,000 come and go in an hour."""

NOISE_KB = 3_000
"""Growth that says nothing: memory comes and goes by so much with the calls that happen to be live."""

MORE_FILES = 12
"""Files that may be open in the end and were not after the first call: the database keeps up to five connections with
two files each, and our own client one or two to the sessions' API. A call that left one is seen in time."""

MORE_FILES_LIVE = 24
"""How many more may be open at most in the last third of the time than in the third before it, with as many calls live:
HTTP connections come and go by so much, and of a kind of call that leaves one there are more within half a minute."""

SETTLE_SECONDS = 3.0
PARTING_SECONDS = 12.0
"""How long what is left may take to go in the end: HTTP connections are kept for some seconds by both their ends."""

SHOWN_FAULTS = 20
CHARACTER_MS = 15


class Inside(msgspec.Struct, frozen=True):
    """What a bridge holds while no call is live."""

    tasks: int
    files: int
    objects: dict[str, int]

    @property
    def left(self) -> int:
        """How many objects of calls there are."""
        return sum(self.objects.values())


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a soak has shown; memory in kB by seconds since its beginning, ``open`` the files at the same moments."""

    seconds: float
    calls: dict[str, int]
    faults: list[str]
    frames: int
    lost: int
    wrong: int
    memory: list[tuple[float, int]]
    open: list[int]
    before: Inside
    after: Inside

    @property
    def warm(self) -> list[tuple[float, int]]:
        """The memory once the bridge was warm."""
        after = min(WARM_SECONDS, self.seconds * WARM_SHARE)
        return [(at, kb) for at, kb in self.memory if at >= after]

    @property
    def growth_kb_an_hour(self) -> float:
        """The slope of the memory."""
        times, sizes = zip(*self.warm, strict=True)
        return float(np.polyfit(times, sizes, 1)[0]) * 3600

    @property
    def growth_kb(self) -> float:
        """How much the memory grew along that slope."""
        return self.growth_kb_an_hour / 3600 * (self.warm[-1][0] - self.warm[0][0])

    @property
    def growth_files(self) -> int:
        """How many more files were open at most in the last third of the time than in the third before it."""
        third = len(self.open) // 3
        return max(self.open[-third:]) - max(self.open[-2 * third : -third]) if third else 0

    def broken(self) -> list[str]:
        """Name every limit that was broken."""
        broken = [f"{len(self.faults)} calls went wrong"] if self.faults else []
        if self.lost or self.wrong:
            broken.append(f"{self.lost} frames were lost and {self.wrong} doubled or out of order")
        if self.growth_kb > NOISE_KB and self.growth_kb_an_hour > MEMORY_KB_AN_HOUR:
            broken.append(f"memory grew by {self.growth_kb_an_hour:.0f} kB an hour")
        if self.growth_files > MORE_FILES_LIVE:
            broken.append(f"{self.growth_files} more files were open than some time before")
        if self.after.tasks > self.before.tasks:
            broken.append(f"{self.after.tasks - self.before.tasks} tasks were left")
        if self.after.files > self.before.files + MORE_FILES:
            broken.append(f"{self.after.files - self.before.files} files were left open")
        for name, count in self.after.objects.items():
            if count > self.before.objects[name]:
                broken.append(f"{count - self.before.objects[name]} of {name} were left")
        return broken


class Soak:
    """One bridge, its far ends, and the calls between them."""

    def __init__(self, child: Child, sessions: Sessions, http: HttpClient, seed: int) -> None:
        self._child = child
        self._sessions = sessions
        self._http = http
        self._rng = random.Random(seed)  # noqa: S311 - of no secret
        self._stories = cycle(STORIES)
        self.tally = Tally()

    async def run(self, seconds: float, calls: int) -> Result:
        """Keep so many calls going for so long, and look at what is left."""
        await self._one()  # what is opened once is open
        before = await self._inside()
        began = time.monotonic()
        memory: list[tuple[float, int]] = []
        files: list[int] = []
        async with asyncio.TaskGroup() as group:
            for number in range(calls):
                group.create_task(self._callers(began + seconds, number / calls))
            while (now := time.monotonic()) < began + seconds:
                memory.append((now - began, self._child.resident_kb()))
                files.append(self._child.open_files())
                await asyncio.sleep(min(1.0, seconds / 30))
        after = await self._parted(before)
        return Result(
            seconds=seconds,
            calls=dict(self.tally.calls),
            faults=self.tally.faults,
            frames=self.tally.sent,
            lost=self.tally.lost,
            wrong=self.tally.wrong,
            memory=memory,
            open=files,
            before=before,
            after=after,
        )

    async def _callers(self, until: float, delay: float) -> None:
        """Phone again and again on one line."""
        await asyncio.sleep(delay)
        while time.monotonic() < until:
            await self._one()

    async def _one(self) -> None:
        caller = Caller(self._child.port, self._http, self._sessions, self._rng)
        await play(next(self._stories), caller, self.tally)

    async def _parted(self, before: Inside) -> Inside:
        """Look inside until nothing is left, or for PARTING_SECONDS."""
        until = time.monotonic() + PARTING_SECONDS
        while True:
            after = await self._inside()
            gone = after.tasks <= before.tasks and after.left <= before.left
            if (gone and after.files <= before.files + MORE_FILES) or time.monotonic() > until:
                return after

    async def _inside(self) -> Inside:
        await asyncio.sleep(SETTLE_SECONDS)
        url = f"http://127.0.0.1:{self._child.port}{WINDOW}"
        answer = await self._http.exchange(Request(method="GET", url=url), timeout_ms=10_000)
        return msgspec.json.decode(answer.body, type=Inside)


@asynccontextmanager
async def soaking(seed: int) -> AsyncIterator[Soak]:
    """Run a bridge to soak."""
    sessions, http = Sessions(), HttpClient()
    options: dict[str, Any] = {"session_format": "g711_ulaw", "token": TOKEN, "account": ACCOUNT}
    try:
        with TemporaryDirectory() as folder:
            async with serving(sessions.app) as running:
                url = f"http://127.0.0.1:{running.port}"
                async with Child(
                    "tests.soak.bridge_process",
                    core=None,
                    session_url=url,
                    folder=folder,
                    character_ms=CHARACTER_MS,
                    **options,
                ) as child:
                    yield Soak(child, sessions, http, seed)
    finally:
        await http.close()


def report(result: Result) -> str:
    """Show what a soak came to."""
    rows = [
        ("calls", ", ".join(f"{count} {name}" for name, count in sorted(result.calls.items()))),
        ("frames", f"{result.frames} sent, {result.lost} lost, {result.wrong} doubled or out of order"),
        ("memory", f"{result.warm[0][1] / 1000:.1f} to {result.warm[-1][1] / 1000:.1f} MB once warm"),
        ("its growth", f"{result.growth_kb_an_hour:+.0f} kB an hour (limit {MEMORY_KB_AN_HOUR})"),
        ("tasks", f"{result.before.tasks} before, {result.after.tasks} after"),
        ("files", f"{result.before.files} before, {max(result.open)} at most, {result.after.files} after"),
        (
            "objects of calls",
            f"{sum(result.before.objects.values())} before, {sum(result.after.objects.values())} after",
        ),
    ]
    shown = [f"! {fault}" for fault in result.faults[:SHOWN_FAULTS]]
    verdict = "; ".join(result.broken()) or "nothing grew, nothing was lost, nothing was left"
    lines = [f"{name:<18}{text}" for name, text in (("soaked for", f"{result.seconds / 60:.1f} minutes"), *rows)]
    return "\n".join((*lines, *shown, verdict))


async def soak(minutes: float, calls: int, seed: int) -> Result:
    """Soak a bridge of its own."""
    async with soaking(seed) as going:
        return await going.run(minutes * 60, calls)


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, report, and say whether every limit was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Soak the bridge.")
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("SOAK_MINUTES") or MINUTES))
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--calls", type=int, default=CALLS, help="calls at a time")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    result = asyncio.run(soak(options.hours * 60 or options.minutes, options.calls, options.seed))
    print(report(result))  # noqa: T201 - the report is what it is for
    return 1 if result.broken() else 0


if __name__ == "__main__":
    sys.exit(main())

"""How late the loop is, by a clock in the test's hand."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from phone_bridge.runtime.loop_lag import BEAT_SECONDS, WINDOW_SECONDS, LoopLag
from tests.clock import VirtualLoop, run_virtual


class Held:
    """A loop that the test can hold up: its clock goes on while no timer fires."""

    def __init__(self) -> None:
        self.observed: list[float] = []
        self.held = 0.0
        self.lag = LoopLag(self.observed.append, clock=lambda: asyncio.get_running_loop().time() + self.held)


def play(story: Callable[[Held], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        held = Held()
        held.lag.start()
        await story(held)
        held.lag.stop()

    run_virtual(run())


def test_a_loop_on_time_is_observed_ten_times_a_second() -> None:
    async def story(held: Held) -> None:
        await asyncio.sleep(1.01)
        assert len(held.observed) == 10
        assert max(held.observed) < 1e-9
        assert held.lag.worst < 1e-9

    play(story)


def test_a_beat_is_late_by_as_long_as_the_loop_was_held_up() -> None:
    async def story(held: Held) -> None:
        await asyncio.sleep(0.05)
        held.held = 0.3
        await asyncio.sleep(0.06)
        assert held.observed == [pytest.approx(0.3)]
        assert held.lag.worst == pytest.approx(0.3)
        await asyncio.sleep(BEAT_SECONDS)
        assert held.observed[1:] == [pytest.approx(0)]

    play(story)


def test_a_beat_that_is_overdue_counts_before_it_comes() -> None:
    async def story(held: Held) -> None:
        await asyncio.sleep(0.05)
        held.held = 2.0
        assert held.lag.worst == pytest.approx(2.0 - 0.05)

    play(story)


def test_the_worst_is_that_of_the_last_minute() -> None:
    async def story(held: Held) -> None:
        for late in (0.5, 0.2):
            held.held += late
            await asyncio.sleep(BEAT_SECONDS * 1.5)
        assert held.lag.worst == pytest.approx(0.5, abs=0.06)
        await asyncio.sleep(WINDOW_SECONDS - 1)
        assert held.lag.worst > 0.1
        await asyncio.sleep(1.5)
        assert held.lag.worst < 1e-9

    play(story)


def test_a_beat_that_comes_early_is_not_late() -> None:
    async def story(held: Held) -> None:
        held.held = -0.01
        await asyncio.sleep(BEAT_SECONDS * 1.5)
        assert held.observed == [0.0]

    play(story)


def test_after_its_stop_it_leaves_no_timer_and_knows_no_delay() -> None:
    async def story(held: Held) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        held.lag.stop()
        held.lag.stop()
        assert loop.timers() == []
        held.held = 100.0
        assert held.lag.worst == 0
        held.lag.start()
        held.lag.start()
        assert len(loop.timers()) == 1

    play(story)

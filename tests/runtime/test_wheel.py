"""One timer for the turns of all calls, by a clock that a test can hold up."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.call.commands import Play
from phone_bridge.call.events import CallerHeard, MarkReached
from phone_bridge.legs.sip.leg import CATCH_UP_MS, SipLeg
from phone_bridge.legs.sip.rtp import TIMESTAMPS, unpack
from phone_bridge.runtime.wheel import SLOT_MS, SPAN_MS, Alarm, Turns, Wheel
from tests.clock import VirtualLoop, run_virtual
from tests.legs.sip.samples import NUMBERS
from tests.legs.sip.samples import leg as sip_leg

SLOTS = FRAME_MS // SLOT_MS


class Held:
    """A wheel on a loop that can be held up: its clock goes on while nothing is called back."""

    def __init__(self) -> None:
        self.held_ms = 0
        self.wheel = Wheel(lambda: self.now / 1000)
        self.rung: list[tuple[str, int]] = []

    @property
    def now(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000) + self.held_ms

    def at(self, ms: int, name: str) -> Alarm:
        return self.wheel.at(ms, lambda: self.rung.append((name, self.now)))


def play(story: Callable[[Held], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        await story(Held())
        await asyncio.sleep(0.001)  # a timer that fires a hair before its time counts as armed until then
        assert timers() == 0, "nobody's timer is left"

    run_virtual(run())


def timers() -> int:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return len(loop.timers())


def test_each_is_called_at_its_time_and_all_of_a_slot_by_one_timer() -> None:
    async def story(held: Held) -> None:
        for name, ms in (("c", 15), ("a", 5), ("b", 5), ("far", 200)):
            held.at(ms, name)
        assert timers() == 2, "one for the wheel, one for what is far off"
        await asyncio.sleep(1)
        assert held.rung == [("a", 5), ("b", 5), ("c", 15), ("far", 200)]

    play(story)


def test_what_was_taken_back_is_not_called_and_leaves_the_others_alone() -> None:
    async def story(held: Held) -> None:
        first, second = held.at(5, "first"), held.at(5, "second")
        third, far = held.at(10, "third"), held.at(100, "far")
        for alarm in (first, first, third, far):
            alarm.cancel()
        await asyncio.sleep(1)
        assert held.rung == [("second", 5)]
        second.cancel()
        held.at(1_005, "last").cancel()
        assert timers() == 0

    play(story)


def test_one_may_take_another_of_its_slot_back() -> None:
    async def story(held: Held) -> None:
        held.wheel.at(5, lambda: victim.cancel())
        victim = held.at(5, "victim")
        held.at(5, "other")
        await asyncio.sleep(1)
        assert held.rung == [("other", 5)]

    play(story)


def test_what_is_asked_for_in_a_slot_is_for_another_time() -> None:
    async def story(held: Held) -> None:
        held.wheel.at(5, lambda: held.at(3, "over already"))
        await asyncio.sleep(1)
        assert held.rung == [("over already", 6)]

    play(story)


def test_a_nearer_time_is_not_kept_waiting_by_a_later_one() -> None:
    async def story(held: Held) -> None:
        for ms in (SPAN_MS, 7, 2):
            held.at(ms, str(ms))
        await asyncio.sleep(1)
        assert held.rung == [("2", 2), ("7", 7), (str(SPAN_MS), SPAN_MS)]

    play(story)


def test_a_failure_is_told_and_is_nobody_else_s() -> None:
    told: list[dict[str, Any]] = []

    async def story(held: Held) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
        held.wheel.at(5, lambda: 1 / 0)
        held.at(5, "next")
        held.at(10, "later")
        await asyncio.sleep(1)
        assert held.rung == [("next", 5), ("later", 10)]

    play(story)
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]


def test_a_wheel_that_was_held_up_calls_each_once_and_late() -> None:
    async def story(held: Held) -> None:
        for ms in (5, 10, 15):
            held.at(ms, str(ms))
        await asyncio.sleep(0.001)
        held.held_ms = 50
        await asyncio.sleep(1)
        assert held.rung == [("5", 55), ("10", 55), ("15", 55)]

    play(story)


def test_turns_are_on_a_grid_and_come_soon() -> None:
    assert [Turns().take(now) for now in (0, 1, SLOT_MS)] == [0, SLOT_MS, SLOT_MS]
    assert FRAME_MS % SLOT_MS == 0
    turns = Turns()
    assert [turns.take(1_000) for _ in range(3)] == [1_000, 1_000 + SLOT_MS, 1_000 + 2 * SLOT_MS]


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), max_size=200))
def test_no_slot_has_many_more_calls_than_its_share(calls: list[tuple[int, bool]]) -> None:
    turns = Turns()
    given_out: list[int] = []
    for now, ends in calls:
        if ends and given_out:
            turns.give_back(given_out.pop(now % len(given_out)))
            continue
        share = len(given_out) / SLOTS
        turn = turns.take(now)
        assert now <= turn < now + FRAME_MS + SLOT_MS
        given_out.append(turn)
        assert sum(each // SLOT_MS % SLOTS == turn // SLOT_MS % SLOTS for each in given_out) <= share + 1


@pytest.mark.parametrize(("calls", "most_ms"), [(100, 0.4), (400, 1.3)])
def test_calls_do_not_wait_long_for_one_another(calls: int, most_ms: float) -> None:
    late: list[float] = []

    async def story(held: Held) -> None:
        spent_ms = 0.0
        wheel = Wheel(lambda: (held.now + spent_ms) / 1000)

        def ring(due: int) -> None:
            nonlocal spent_ms
            late.append(held.now + spent_ms - due)
            spent_ms += 0.03  # what a turn takes

        turns = Turns()
        due = [turns.take(10) for _ in range(calls)]  # all at once: nobody's turn comes by chance
        for each in due:
            wheel.at(each, partial(ring, each))
        for slot in sorted(set(due)):
            await asyncio.sleep((slot - held.now) / 1000)
            spent_ms = 0.0
        await asyncio.sleep(0.1)

    play(story)
    assert len(late) == calls
    assert max(late) < most_ms + 0.03


class Paced:
    """A call by SIP without a pump: what it sends and tells, by the wheel alone."""

    def __init__(self, held: Held, begins: int) -> None:
        self.leg: SipLeg = sip_leg(begins)
        self.begins = begins
        self.timestamps: list[int] = []
        self.heard_ms = 0
        self.marks: list[tuple[str, int]] = []
        self._held = held
        self._wake()

    def _wake(self) -> None:
        due = self.leg.deadline()
        assert due is not None
        self._alarm = self._held.wheel.at(due, self._turn)

    def _turn(self) -> None:
        for fact in self.leg.expire(self._held.now):
            if isinstance(fact, CallerHeard):
                self.heard_ms += FRAME_MS
            elif isinstance(fact, MarkReached):
                self.marks.append((fact.mark, self._held.now))
        packets = [unpack(each) for each in self.leg.outgoing() if isinstance(each, bytes) and each[1] < 192]
        self.timestamps += [(packet.timestamp - NUMBERS.timestamp) % TIMESTAMPS for packet in packets]
        self._wake()

    def close(self) -> None:
        self._alarm.cancel()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, SPAN_MS), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(2 * FRAME_MS, 90), st.integers(0, CATCH_UP_MS - FRAME_MS)), max_size=5),
)
def test_however_late_the_wheel_is_no_frame_is_lost_or_doubled(
    begins: list[int], stalls: list[tuple[int, int]]
) -> None:
    async def story(held: Held) -> None:
        first = Turns()
        calls = [Paced(held, first.take(begin)) for begin in begins]
        for after, stall in stalls:
            await asyncio.sleep(after / 1000)
            held.held_ms += stall
        await asyncio.sleep(2 * FRAME_MS / 1000)
        for call in calls:
            turns = (held.now - call.begins) // FRAME_MS + 1
            late = len(call.timestamps) - turns
            assert late in (0, -1), "the frame of this very moment may still be to come"
            assert call.timestamps == [160 * turn for turn in range(len(call.timestamps))]
            assert call.heard_ms == FRAME_MS * len(call.timestamps), "silence does not stop the clock"
            call.close()

    play(story)


def test_a_mark_comes_back_in_the_turn_after_its_sound_was_played_and_no_sooner() -> None:
    async def story(held: Held) -> None:
        call = Paced(held, 0)
        call.leg.send(Play(b"\x10" * 160 * 10, "heard"), 0)
        await asyncio.sleep(0.1)
        held.held_ms = 70  # frames that are late follow at once
        await asyncio.sleep(1)
        assert call.marks == [("heard", 10 * FRAME_MS)]
        call.close()

    play(story)


def test_a_stall_that_is_too_long_to_catch_up_with_is_a_hole_in_the_timestamps() -> None:
    async def story(held: Held) -> None:
        call = Paced(held, 0)
        await asyncio.sleep(0.1)
        held.held_ms = 1_000
        await asyncio.sleep(0.1)
        assert call.timestamps == sorted(set(call.timestamps)), "none twice, none out of order"
        assert call.timestamps[-1] >= 160 * (held.now // FRAME_MS - 1)
        assert len(call.timestamps) < call.timestamps[-1] // 160
        call.close()

    play(story)

"""A caller who is put through by us, as a pure machine."""

from collections.abc import Callable

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.tones import RINGBACK_EVERY_MS, ringback
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Phase
from phone_bridge.call.trace import Trace
from phone_bridge.errors import LocalError
from phone_bridge.joined_talk import JoinedTalk

LIMIT_MS = 60_000
FRAME = b"\x10" * 160
RING = c.Play(ringback(PCMU_8K))
OVER = [c.HangUp("transferred")]


def talk() -> JoinedTalk:
    """A caller who hears it ring since 0."""
    found = JoinedTalk(PCMU_8K, Trace(0), LIMIT_MS)
    assert found.begin(0) == [RING]
    return found


def together() -> JoinedTalk:
    found = talk()
    assert found.join(1_000) == [c.Flush()], "the ring is cut short"
    return found


def test_it_rings_again_and_again_until_somebody_comes() -> None:
    found = talk()
    assert found.deadline() == RINGBACK_EVERY_MS
    assert found.expire(RINGBACK_EVERY_MS - 1) == []
    assert found.expire(RINGBACK_EVERY_MS) == [RING]
    assert found.deadline() == 2 * RINGBACK_EVERY_MS
    found.join(7_000)
    assert found.deadline() == 7_000 + LIMIT_MS
    assert found.expire(2 * RINGBACK_EVERY_MS) == []


def test_nothing_is_passed_on_before_somebody_has_come() -> None:
    found = talk()
    assert found.process(e.CallerHeard(FRAME), 20) == []
    assert found.process(e.DigitPressed("1"), 20) == []
    assert found.spoke(FRAME, 20) == []
    assert found.part(20) == []


def test_what_one_says_and_presses_the_other_hears() -> None:
    found = together()
    assert found.process(e.CallerHeard(FRAME), 1_020) == [c.Listen(FRAME)]
    assert found.process(e.DigitPressed("5"), 1_020) == [c.Press("5")]
    assert found.spoke(FRAME, 1_020) == [c.Play(FRAME)]
    assert found.process(e.MarkReached("x"), 1_020) == [], "marks are of what was said before"


def test_a_caller_goes_back_when_nobody_comes_and_not_any_more_once_somebody_has() -> None:
    found = talk()
    assert found.give_up(2_000) == [c.Flush()]
    assert (found.returned, found.phase, found.deadline()) == (True, Phase.ENDED, None)
    joined = together()
    assert joined.give_up(2_000) == []
    assert (joined.returned, joined.phase) == (False, Phase.TALKING)


def test_it_is_over_when_the_other_one_goes_or_the_time_is_up() -> None:
    assert together().part(2_000) == OVER
    found = together()
    assert found.expire(1_000 + LIMIT_MS - 1) == []
    assert found.expire(1_000 + LIMIT_MS) == OVER
    assert (found.returned, found.phase) == (False, Phase.ENDED)


@pytest.mark.parametrize(("make", "put_through"), [(talk, False), (together, True)])
def test_it_is_over_when_the_caller_goes_or_somebody_ends_it(make: Callable[[], JoinedTalk], put_through: bool) -> None:
    found = make()
    assert found.process(e.LegClosed(), 2_000) == []
    assert (found.phase, found.returned) == (Phase.ENDED, False)
    assert found.trace.ended_by == ("transfer" if put_through else "caller"), "what has ended the bridge's part"
    other = make()
    assert other.process(e.EndRequested("api"), 2_000) == OVER
    assert other.trace.ended_by == ("transfer" if put_through else "api")
    for late in (other.join, other.part, other.give_up, other.expire):
        assert late(3_000) == []


def test_who_has_let_the_caller_go_stays_named_as_the_end_of_the_assistants_part() -> None:
    trace = Trace(0)
    trace.ending("transfer")
    found = JoinedTalk(PCMU_8K, trace, LIMIT_MS)
    found.begin(0)
    found.process(e.LegClosed(), 2_000)
    assert trace.ended_by == "transfer"


def test_nobody_listens_in() -> None:
    found = together()
    assert (found.asking, found.proving, found.recordable) == (False, False, False)
    assert (found.masks(0), found.private(0), found.sounding(0)) == (False, True, False)
    shown = found.view(5_000)
    assert (shown.phase, shown.ms, shown.lines, shown.question) == ("talking", 5_000, (), None)


def test_a_fact_before_the_beginning_is_a_mistake_of_ours() -> None:
    with pytest.raises(LocalError):
        JoinedTalk(PCMU_8K, Trace(0), LIMIT_MS).process(e.CallerHeard(FRAME), 0)

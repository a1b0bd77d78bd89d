from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.lifeline import Lifeline, Spare
from phone_bridge.call.rules import Rules

RULES = Rules()


def test_the_first_loss_is_mended_at_once_and_further_ones_after_growing_pauses() -> None:
    life = Lifeline(RULES)
    for number in range(RULES.session_failures):
        assert life.lost(1_000)
        assert life.reopen_at == 1_000 + number * RULES.reopen_ms
    assert not life.lost(1_000)


def test_the_first_session_has_its_time_until_it_is_there_or_lost() -> None:
    life = Lifeline(RULES)
    assert life.due_at is None
    life.awaited(100)
    assert life.due_at == 100 + RULES.session_ms
    life.opened(0, 200)
    assert life.due_at is None
    life.awaited(300)
    life.lost(400)
    assert life.due_at is None


def test_a_session_that_is_open_needs_no_other() -> None:
    life = Lifeline(RULES)
    life.lost(0)
    life.opened(0, 10)
    assert (life.reopen_at, life.deadline()) == (None, None)


def test_a_session_that_lasted_forgives_what_was_before_it() -> None:
    life = Lifeline(RULES)
    for now in range(0, 10 * RULES.settled_ms, RULES.settled_ms):
        life.opened(0, now)
        assert life.lost(now + RULES.settled_ms)


def test_a_session_that_did_not_last_forgives_nothing() -> None:
    life = Lifeline(RULES)
    for now in range(RULES.session_failures):
        life.opened(0, now)
        assert life.lost(now)
    life.opened(0, 5)
    assert not life.lost(5)


def test_a_spare_session_is_wanted_some_time_before_the_end_once() -> None:
    life = Lifeline(RULES)
    life.opened(300_000, 0)
    assert life.deadline() == 270_000
    assert not life.wants_spare(269_999)
    assert life.wants_spare(270_000)
    assert life.spare is Spare.OPENING
    assert not life.wants_spare(270_001)
    assert life.deadline() is None


def test_of_a_short_life_half_is_kept() -> None:
    life = Lifeline(RULES)
    life.opened(30_000, 1_000)
    assert life.deadline() == 16_000


def test_of_a_very_short_life_most_is_used() -> None:
    life = Lifeline(RULES)
    life.opened(4_000, 0)
    assert life.wants_spare(2_000)
    life.spare_ready(0, 2_100)
    assert life.deadline() == 3_500


def test_a_life_that_nobody_knows_has_no_end() -> None:
    life = Lifeline(RULES)
    life.opened(0, 0)
    assert life.deadline() is None
    assert not life.wants_spare(10**9)
    assert not life.presses(10**9)


def test_the_nearest_end_counts() -> None:
    life = Lifeline(RULES)
    life.opened(300_000, 0)
    life.expiring(400_000, 0)
    assert life.deadline() == 270_000
    life.expiring(30_000, 100_000)
    assert life.deadline() == 115_000


def test_a_spare_that_failed_is_wanted_again_after_a_pause() -> None:
    life = Lifeline(RULES)
    life.opened(60_000, 0)
    assert life.wants_spare(30_000)
    life.spare_failed(31_000)
    assert life.deadline() == 31_000 + RULES.spare_pause_ms
    assert life.wants_spare(31_000 + RULES.spare_pause_ms)


def test_near_the_end_the_spare_session_presses_and_its_own_life_counts_from_its_making() -> None:
    life = Lifeline(RULES)
    life.opened(60_000, 0)
    assert life.wants_spare(30_000)
    life.spare_ready(60_000, 31_000)
    assert not life.presses(60_000 - RULES.swap_ms - 1)
    assert life.presses(60_000 - RULES.swap_ms)
    assert life.deadline() == 60_000 - RULES.swap_ms
    life.taken(41_000)
    assert life.spare is Spare.NONE
    assert life.deadline() == 66_000  # it lives until 91,000, and half of the fifty seconds left is kept


@given(
    st.lists(
        st.tuples(st.sampled_from(["opened", "lost", "wants", "ready", "failed", "taken"]), st.integers(0, 40_000))
    )
)
def test_whatever_happens_there_is_at_most_one_spare_and_giving_up_needs_failures(steps: list[tuple[str, int]]) -> None:
    life, now, losses = Lifeline(RULES), 0, 0
    for step, ms in steps:
        now += ms
        if step == "opened":
            life.opened(ms, now)
        elif step == "lost":
            losses += 1
            assert life.lost(now) or losses > RULES.session_failures
        elif step == "wants":
            before = life.spare
            assert not life.wants_spare(now) or before is Spare.NONE
        elif step == "ready" and life.spare is Spare.OPENING:
            life.spare_ready(ms, now)
        elif step == "failed" and life.spare is not Spare.NONE:
            life.spare_failed(now)
        elif step == "taken" and life.spare is Spare.READY:
            life.taken(now)

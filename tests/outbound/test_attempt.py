"""How far an attempt may go, how its call stands, and who has answered: every cell of the tables."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import LocalError
from phone_bridge.outbound.attempt import (
    AFTER,
    ASK_AFTER_S,
    ASKS,
    GIVE_UP_S,
    OVER,
    STEPS,
    Answer,
    Look,
    Next,
    Stage,
    after_deaf_ear,
    after_silence,
    before,
    final,
    moves,
    on_answer,
    stepped,
)

ORDER = ["queued", "ringing", "in_progress"]


@pytest.mark.parametrize(("stage", "step"), list(product(Stage, sorted({step for _, step in STEPS}))))
def test_a_step_that_is_not_in_the_table_raises(stage: Stage, step: str) -> None:
    if (stage, step) in STEPS:
        assert stepped(stage, step) is STEPS[stage, step]
    else:
        with pytest.raises(LocalError, match=step):
            stepped(stage, step)


def test_nothing_but_its_own_dial_brings_an_attempt_back_to_waiting() -> None:
    assert {each for each, stage in STEPS.items() if stage is Stage.WAITING} == {(Stage.DIALLING, "not_taken")}
    assert not [stage for stage, _ in STEPS if stage is Stage.OVER]


@given(st.lists(st.sampled_from(sorted(AFTER))))
def test_whatever_callbacks_come_in_whatever_order_a_call_never_goes_back(told: list[str]) -> None:
    status, seen = "queued", ["queued"]
    for word in told:
        if moves(status, word):
            status = word
            seen.append(word)
    alive = [each for each in seen if each not in OVER]
    assert alive == sorted(set(alive), key=ORDER.index)
    assert sum(each in OVER for each in seen) <= 1
    assert seen[-1] == status


@given(st.permutations(["ringing", "in_progress", "completed"]), st.integers(1, 3))
def test_late_doubled_and_overtaking_callbacks_end_where_the_call_ended(told: list[str], times: int) -> None:
    status = "queued"
    for word in told * times:
        status = word if moves(status, word) else status
    assert status == "completed"


@pytest.mark.parametrize("told", sorted(AFTER))
def test_the_statuses_before_are_those_that_move(told: str) -> None:
    assert set(before(told)) == {status for status in AFTER if moves(status, told)}


@pytest.mark.parametrize("status", ["busy", "no_answer", "canceled"])
def test_a_call_that_was_answered_was_neither_busy_nor_unanswered(status: str) -> None:
    assert not moves("in_progress", status)


@pytest.mark.parametrize(
    ("answered_by", "message", "answer"),
    [
        ("human", True, Answer.CONNECT),
        ("unknown", True, Answer.CONNECT),
        ("", True, Answer.CONNECT),
        ("something_new", True, Answer.CONNECT),
        ("machine_start", True, Answer.OUTWAIT_GREETING),
        ("machine_start", False, Answer.HANG_UP),
        ("machine_end_beep", True, Answer.LEAVE_MESSAGE),
        ("machine_end_silence", True, Answer.LEAVE_MESSAGE),
        ("machine_end_other", True, Answer.LEAVE_MESSAGE),
        ("machine_end_beep", False, Answer.HANG_UP),
        ("fax", True, Answer.HANG_UP),
        ("fax", False, Answer.HANG_UP),
    ],
)
def test_who_has_answered_decides_what_they_get(answered_by: str, message: bool, answer: Answer) -> None:
    assert on_answer(answered_by, message=message) is answer


@pytest.mark.parametrize(
    ("status", "answered_by", "end"),
    [
        ("completed", "human", "completed"),
        ("completed", "machine_end_beep", "voicemail"),
        ("completed", "machine_start", "voicemail"),
        ("completed", "fax", "failed"),
        ("busy", "", "busy"),
        ("no_answer", "machine_start", "no_answer"),
    ],
)
def test_a_call_that_a_machine_took_ends_as_a_voicemail(status: str, answered_by: str, end: str) -> None:
    assert final(status, answered_by) == end


def test_a_dial_of_which_nobody_knows_is_asked_about_before_it_is_dialled_again() -> None:
    assert after_silence(Look(1_000), 1_000 + ASK_AFTER_S - 1) is Next.WAIT
    assert after_silence(Look(1_000), 1_000 + ASK_AFTER_S) is Next.ASK
    assert after_silence(Look(1_000, ASKS - 1), 9_999_999) is Next.ASK
    assert after_silence(Look(1_000, ASKS), 1_000) is Next.DIAL_AGAIN
    assert after_silence(Look(1_000, ASKS, "CA1"), 1_000) is Next.PLACE
    assert after_silence(Look(1_000), 0) is Next.WAIT  # a clock that was set back


def test_a_carrier_that_cannot_be_asked_ends_in_giving_up_and_never_in_dialling() -> None:
    assert after_deaf_ear(Look(1_000), 1_000 + GIVE_UP_S) is Next.WAIT
    assert after_deaf_ear(Look(1_000), 1_001 + GIVE_UP_S) is Next.GIVE_UP

"""One attempt through all that may happen to it: nobody is ever rung twice for it."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.outbound.attempt import GIVE_UP_S, MAX_DIALS, SEND_WITHIN_S
from phone_bridge.outbound.dialler import GONE, PLACED, Line
from phone_bridge.outbound.engine import LOOK_S
from phone_bridge.outbound.reminders import cancel
from tests.outbound.stage import FROM, LINE, NOON, TO, Killed, Stage, unreachable, unsure


def test_a_call_is_placed_with_all_that_the_carrier_has_to_know(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    assert stage.dialler.dial(call_id) == PLACED
    ((placing, _),) = stage.exchange.calls.values()
    assert (placing.to, placing.from_, placing.ring_s, placing.limit_s) == (TO, FROM, 30, 3_600)
    assert placing.url == f"https://bridge.test/twilio/voice?call={call_id}"
    assert placing.status_url == f"https://bridge.test/twilio/status?call={call_id}"
    assert (stage.kept(call_id).carrier_id, stage.kept(call_id).stage) == ("CA0", "placed")
    assert stage.records.find_carrier("CA0") == stage.records.find(call_id)


@pytest.mark.parametrize(
    ("mode", "detection", "later"),
    [
        ("off", "", False),
        ("enable", "Enable", False),
        ("enable-async", "Enable", True),
        ("message-end", "DetectMessageEnd", False),
        ("message-end-async", "DetectMessageEnd", True),
    ],
)
def test_machines_are_looked_for_in_four_modes(tmp_path: Path, mode: str, detection: str, later: bool) -> None:
    line = Line(base_url="https://bridge.test", ring_s=30, limit_s=60, detection=mode, prefixes=("+1",))
    stage = Stage(tmp_path, line)
    call_id = stage.attempt()
    stage.dialler.dial(call_id)
    ((placing, _),) = stage.exchange.calls.values()
    parameters = placing.parameters()
    assert parameters.get("machine_detection", "") == detection
    assert parameters.get("async_amd") == ("true" if later else None)
    assert parameters.get("async_amd_status_callback") == (
        f"https://bridge.test/twilio/amd?call={call_id}" if later else None
    )


def test_a_call_that_was_placed_is_not_placed_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    assert [stage.dialler.dial(call_id) for _ in range(3)] == [PLACED] * 3
    assert stage.exchange.rings == [TO]


@pytest.mark.parametrize("code", ["twilio_21211", "twilio_21215", "twilio_20003"])
def test_what_the_carrier_refuses_is_never_dialled_again(tmp_path: Path, code: str) -> None:
    stage = Stage(tmp_path)
    stage.exchange.before = [Refused("no", code=code)]
    call_id = stage.attempt()
    stage.live(call_id)
    record = stage.records.find(call_id)
    assert record is not None
    assert (record.status, record.error) == ("failed", code)
    assert stage.exchange.rings == []
    assert [outcome.refused for outcome in stage.posted] == [True]


@pytest.mark.parametrize(
    "error", [Unavailable("busy", code="twilio_20429", retry_after_ms=7_000), unreachable()], ids=lambda e: str(e.code)
)
def test_what_the_carrier_surely_has_not_taken_is_dialled_again(tmp_path: Path, error: Unavailable) -> None:
    stage = Stage(tmp_path)
    stage.exchange.before = [error, error]
    call_id = stage.attempt()
    waited = stage.dialler.dial(call_id)
    assert waited == (7.0 if error.retry_after_ms else 2.0)
    assert stage.dialler.dial(call_id) == pytest.approx(waited, abs=1)  # not before that
    stage.exchange.end("completed")
    stage.live(call_id, "completed")
    assert stage.exchange.rings == [TO]
    assert stage.status(call_id) == "completed"


def test_a_carrier_that_never_takes_a_call_gets_it_so_often_and_no_oftener(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.exchange.before = [unreachable() for _ in range(MAX_DIALS + 5)]
    call_id = stage.attempt()
    stage.live(call_id)
    assert len(stage.exchange.before) == 5
    assert (stage.status(call_id), stage.kept(call_id).error) == ("failed", "carrier_unavailable")


@pytest.mark.parametrize("hidden", [0, 1, 2])
def test_a_dial_without_an_answer_is_looked_for_and_found(tmp_path: Path, hidden: int) -> None:
    stage = Stage(tmp_path)
    stage.exchange.after = [unsure()]
    stage.exchange.hidden = hidden
    call_id = stage.attempt()
    stage.live(call_id, "completed")
    assert stage.exchange.rings == [TO]
    assert (stage.kept(call_id).carrier_id, stage.status(call_id)) == ("CA0", "completed")


def test_a_dial_that_the_carrier_never_got_is_dialled_again_after_it_was_asked(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.exchange.before = [unsure()]
    call_id = stage.attempt()
    stage.live(call_id, "completed")
    assert stage.exchange.rings == [TO]
    assert stage.status(call_id) == "completed"


def test_a_carrier_that_cannot_be_asked_is_not_dialled_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.exchange.after = [unsure()]
    stage.exchange.deaf = 10_000
    call_id = stage.attempt()
    stage.live(call_id)
    assert stage.exchange.rings == [TO]
    assert (stage.status(call_id), stage.kept(call_id).error) == ("failed", "carrier_unsure")
    assert stage.now - stage.kept(call_id).created_at > GIVE_UP_S


def test_a_callback_that_comes_first_tells_which_call_it_is(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.exchange.after = [unsure()]
    call_id = stage.attempt()
    stage.dialler.dial(call_id)
    assert stage.book.claim_carrier(call_id, "CA0")
    assert stage.dialler.dial(call_id) == PLACED
    assert not stage.book.claim_carrier(call_id, "CA9")  # another call for the same attempt is none of ours


def test_a_call_that_belongs_to_another_attempt_is_not_taken_for_this_one(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    first, second = stage.attempt(), stage.attempt()
    stage.dialler.dial(first)
    stage.exchange.before = [unsure()]
    stage.live(second, "completed")
    assert stage.exchange.rings == [TO, TO]
    assert {stage.kept(first).carrier_id, stage.kept(second).carrier_id} == {"CA0", "CA1"}


@pytest.mark.parametrize("taken", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("shift", [0, 3_600, -3_600, 86_400 * 3], ids=lambda s: f"clock{s:+}")
def test_a_process_that_dies_around_the_dial_is_followed_by_one_that_rings_once(
    tmp_path: Path, taken: bool, shift: int
) -> None:
    stage = Stage(tmp_path)
    (stage.exchange.after if taken else stage.exchange.before).append(Killed())
    call_id = stage.attempt()
    with pytest.raises(Killed):
        stage.dialler.dial(call_id)
    stage.now += shift  # the clock of the machine that takes it over is another
    stage.live(call_id, "completed")
    assert stage.exchange.rings == [TO]
    assert stage.status(call_id) == "completed"


def test_a_process_that_slept_between_intent_and_dial_does_not_dial(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    stage.drowsy = SEND_WITHIN_S + 1.0
    assert stage.dialler.dial(call_id) > 0
    assert stage.exchange.rings == []
    stage.drowsy = 0.0
    stage.live(call_id, "completed")
    assert stage.exchange.rings == [TO]


FAULTS = st.sampled_from(["fine", "unreachable", "unsure", "killed", "taken_unsure", "taken_killed"])


@settings(max_examples=40, deadline=None)
@given(st.lists(FAULTS, max_size=5), st.integers(0, 2), st.integers(0, 30))
def test_whatever_goes_wrong_nobody_is_rung_twice(faults: list[str], hidden: int, deaf: int) -> None:
    made: dict[str, Callable[[], BaseException | None]] = {
        "fine": lambda: None,
        "unreachable": unreachable,
        "unsure": unsure,
        "killed": Killed,
    }
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        for fault in faults:
            taken = fault.startswith("taken_")
            stage.exchange.before.append(None if taken else made[fault]())
            if taken or fault == "fine":
                stage.exchange.after.append(made[fault.removeprefix("taken_")]())
        stage.exchange.hidden, stage.exchange.deaf = hidden, deaf
        call_id = stage.attempt()
        for _ in range(len(faults) + 1):
            try:
                stage.live(call_id, "completed")
            except Killed:
                continue
            break
        assert len(stage.exchange.rings) <= 1
        assert stage.status(call_id) == ("completed" if stage.exchange.rings else "failed")
        stage.records.close()


@pytest.mark.parametrize(
    ("to", "code"),
    [("+4930123456", "destination_not_allowed"), ("+19005550100", "destination_expensive")],
)
def test_what_may_not_be_dialled_any_more_is_not(tmp_path: Path, to: str, code: str) -> None:
    stage = Stage(tmp_path, LINE)
    call_id = stage.attempt(to)
    assert stage.dialler.dial(call_id) == GONE
    assert stage.kept(call_id).error == code


def test_who_asked_not_to_be_called_is_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    stage.book.bar(TO, int(stage.now))
    stage.live(call_id)
    assert stage.exchange.rings == []
    assert (stage.status(call_id), stage.kept(call_id).error) == ("failed", "do_not_call")
    assert stage.book.allow(TO)
    assert not stage.book.allow(TO)


@pytest.mark.parametrize(("hours", "error"), [(0, None), (2, "not_permitted")])
def test_an_attempt_that_waited_out_its_permitted_hours_does_not_ring(
    tmp_path: Path, hours: int, error: str | None
) -> None:
    stage = Stage(tmp_path)
    call_id = stage.reminder(window="11:00-13:00")
    stage.now += hours * 3_600  # the machine was off, or the carrier had no time
    stage.live(call_id, "no_answer")
    assert stage.kept(call_id).error == error
    assert stage.exchange.rings == ([] if error else [TO])
    reminder = stage.book.reminder("rem_1")
    assert reminder is not None
    assert reminder.status == "scheduled"
    assert reminder.next_at is not None
    at = NOON + (23 * 3_600 if error else LOOK_S + 5 * 60)  # tomorrow at eleven, or five minutes later
    assert reminder.next_at.timestamp() == pytest.approx(at, abs=1)
    assert reminder.attempts == (0 if error else 1)


def test_an_attempt_of_a_campaign_that_was_paused_meanwhile_waits_for_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.book.campaign("may", name="may.csv", total=1, state="running", now=NOON)
    call_id = stage.reminder(campaign="may")
    stage.book.campaign("may", name="may.csv", total=1, state="paused", now=NOON)
    stage.live(call_id)
    assert stage.exchange.rings == []
    at = datetime.fromtimestamp(stage.now, UTC)
    assert stage.book.claim(at, 1, lambda: "call_9", stage.begun) == 0
    stage.book.campaign("may", name="may.csv", total=1, state="running", now=NOON)
    assert stage.book.claim(at, 1, lambda: "call_9", stage.begun) == 1
    stage.live("call_9", "completed")
    assert stage.exchange.rings == [TO]


def test_a_reminder_that_was_cancelled_while_its_attempt_waited_does_not_ring(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.reminder()
    stage.book.change("rem_1", cancel)  # and the process died before it could take the attempt back
    stage.live(call_id)
    assert stage.exchange.rings == []
    assert (stage.status(call_id), stage.kept(call_id).error) == ("canceled", "reminder_cancelled")
    reminder = stage.book.reminder("rem_1")
    assert reminder is not None
    assert reminder.status == "cancelled"


def test_without_callbacks_the_carrier_is_asked(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    stage.dialler.dial(call_id)
    stage.exchange.deaf = 2
    stage.exchange.end("busy")
    stage.live(call_id)
    assert stage.status(call_id) == "busy"


def test_a_call_that_the_carrier_does_not_know_any_more_has_failed(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    stage.dialler.dial(call_id)
    stage.exchange.calls.clear()
    stage.live(call_id)
    assert stage.status(call_id) == "failed"


def test_a_record_that_is_not_written_yet_is_waited_for_a_while(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    stage.dialler.dial(call_id)
    assert stage.book.tell(call_id, "in_progress", "2026-11-24T12:00:00.000Z")
    stage.book.note(call_id, told="completed")
    assert not stage.dialler.settle(call_id, last=False)
    assert stage.dialler.settle(call_id, last=True)
    assert stage.dialler.settle(call_id, last=True)  # once more is no more
    assert [outcome.status for outcome in stage.posted] == ["completed"]


@pytest.mark.parametrize(("reply", "counts"), [("later:30", ""), ("confirmed", ""), ("heard", ""), ("stop", "stop")])
def test_a_greeting_is_no_answer_but_a_wish_not_to_be_called_is(tmp_path: Path, reply: str, counts: str) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    stage.dialler.dial(call_id)
    stage.book.note(call_id, told="completed", answered_by="machine_start")
    record = stage.records.find(call_id)
    assert record is not None
    record.reply = reply
    stage.records.save(record)
    stage.live(call_id)
    assert [(outcome.status, outcome.reply) for outcome in stage.posted] == [("voicemail", counts)]
    assert stage.book.is_barred(TO) is (counts == "stop")


def test_a_machine_makes_a_voicemail_of_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    call_id = stage.attempt()
    stage.dialler.dial(call_id)
    stage.book.note(call_id, told="completed", answered_by="machine_end_beep")
    stage.live(call_id)
    record = stage.records.find(call_id)
    assert record is not None
    assert (record.status, record.answered_by) == ("voicemail", "machine_end_beep")

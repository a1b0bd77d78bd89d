"""Receipts come of the records that are saved, each once, and no failure that a record survives loses its receipts."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action, ConfirmationAsked, DigitPressed
from phone_bridge.call.proof import doubts
from phone_bridge.call.receipt import Caller, Outcome, Receipt, action_sha256
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.receipt_keys import key_doubts
from phone_bridge.runtime.receipts import Receipts, newest, receipt_of
from phone_bridge.runtime.record import CallRecord, Records
from tests.call.desk import Desk

NOW = 1_795_255_260.0  # 2026-11-21T10:01:00Z
QUESTION = "I am about to cancel Dentist, on Tuesday at 3 p.m."
CANCEL = Action("cancel_event", {"event_id": "evt_1", "n": [1, 2.5, None, "ü\x00"]})


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    records = Records(database_url)
    yield records
    records.close()


@pytest.fixture
def receipts(records: Records) -> Receipts:
    return Receipts(records, lambda: NOW)


def record(id: str = "call_1", **changes: Any) -> CallRecord:
    made = CallRecord(
        id=id,
        carrier_id=f"CA{id}",
        direction="inbound",
        from_number="+12025550143",
        to_number="+12025550100",
        user_id="usr_demo_alice",
        session="embedded",
        status="in_progress",
        started_at="2026-11-21T09:59:59.000Z",
        answered_at="2026-11-21T10:00:00.000Z",
    )
    return msgspec.structs.replace(made, **changes)


def asked(id: str = "act_1", **changes: Any) -> Asked:
    known: dict[str, Any] = {
        "action": CANCEL,
        "verdict": Verdict.CONFIRMED,
        "by": AnsweredBy.SPEECH,
        "at_ms": 21_500,
        "heard_ms": 4_210,
        "question": QUESTION,
        "question_ms": 4_210,
        "answer": "Yes.",
    }
    return Asked(id, **known | changes)


def call(
    *actions: Asked, said: tuple[tuple[int, str, str], ...] = ((15_000, "bridge", QUESTION),), **changes: Any
) -> CallRecord:
    """Give the record of a call in which that was said and asked."""
    trace = Trace(0)
    for at, speaker, text in said:
        trace.said(at, speaker, text)
    for action in actions:
        trace.asked(action)
    made = record(**changes)
    made.observe(trace)
    return made


def alter(records: Records, statement: str) -> None:
    with records.transaction() as connection:
        connection.execute(sa.text(statement))


# Issuing


def test_a_confirmed_action_leaves_a_receipt_of_all_that_was_said(records: Records, receipts: Receipts) -> None:
    records.save(call(asked()))
    (receipt,) = receipts.of_call("call_1")
    assert json.loads(msgspec.json.encode(receipt)) == {
        "version": 1,
        "id": receipt.id,
        "revision": 1,
        "key_id": "receipt-1",
        "issued_at": "2026-11-21T10:01:00.000Z",
        "user_id": "usr_demo_alice",
        "caller": {"sha256": Caller.of("+12025550143", "call_1").sha256, "last_digits": "43"},
        "call": {"id": "call_1", "carrier_id": "CAcall_1"},
        "action": {
            "id": "act_1",
            "name": "cancel_event",
            "parameters": CANCEL.parameters,
            "sha256": action_sha256("cancel_event", CANCEL.parameters),
        },
        "question": {"text": QUESTION, "ms": 4_210, "heard_ms": 4_210, "asked_at": "2026-11-21T10:00:15.000Z"},
        "answer": {"by": "speech", "said": "Yes.", "answered_at": "2026-11-21T10:00:21.500Z"},
        "outcome": {"status": "unknown", "result_sha256": ""},
        "signature": receipt.signature,
    }
    assert doubts(receipt) == key_doubts(receipt, receipts.keys()) == []
    assert receipts.find(receipt.id) == [receipt]


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.CONFIRMED])
def test_a_question_without_a_yes_leaves_none(records: Records, receipts: Receipts, verdict: Verdict) -> None:
    records.save(call(asked(verdict=verdict, outcome="executed")))
    assert receipts.of_call("call_1") == []


def test_saving_the_same_again_issues_nothing_new(records: Records, receipts: Receipts) -> None:
    for _ in range(3):
        records.save(call(asked()))
    assert len(receipts.of_call("call_1")) == 1


def test_each_consent_has_its_own_even_to_the_same_thing_twice(records: Records, receipts: Receipts) -> None:
    records.save(call(asked(), asked("act_2", at_ms=30_000), asked(at_ms=60_000)))
    records.save(call(asked(), id="call_2"))
    issued = receipts.of_call("call_1")
    assert [(receipt.action.id, receipt.answer.answered_at[17:19]) for receipt in issued] == [
        ("act_1", "21"),
        ("act_2", "30"),
        ("act_1", "00"),
    ]
    assert len({receipt.id for receipt in [*issued, *receipts.of_call("call_2")]}) == 4


def test_a_key_pressed_early_is_receipted_as_it_was(records: Records, receipts: Receipts) -> None:
    said = ((15_000, "bridge", "I am about to"), (15_900, "caller", "hm"))
    records.save(call(asked(by=AnsweredBy.DIGIT, answer="1", heard_ms=900, at_ms=16_000), said=said))
    (receipt,) = receipts.of_call("call_1")
    assert (receipt.answer.by, receipt.answer.said, receipt.question.heard_ms) == ("digit", "1", 900)
    assert receipt.question.asked_at == "2026-11-21T10:00:15.000Z"
    assert doubts(receipt) == []


def test_what_was_done_unasked_leaves_one_that_proves_no_consent(records: Records, receipts: Receipts) -> None:
    records.save(call(asked(by=AnsweredBy.NONE, answer="", question="", question_ms=0, heard_ms=0)))
    (receipt,) = receipts.of_call("call_1")
    assert key_doubts(receipt, receipts.keys()) == []
    assert "nobody was asked" in doubts(receipt)[0]


@pytest.mark.parametrize(
    ("said", "asked_at"),
    [
        ((), None),
        (((15_000, "caller", QUESTION),), None),
        (((15_000, "bridge", "Hello."),), None),
        (((15_000, "bridge", ""),), None),
        (((21_501, "bridge", QUESTION),), None),
        (((10_000, "bridge", QUESTION), (17_000, "bridge", QUESTION), (20_000, "caller", "Yes.")), "17"),
        (((10_000, "bridge", QUESTION), (17_000, "bridge", "Press 1 or say yes.")), "10"),
    ],
)
def test_the_time_of_asking_is_that_of_the_last_naming(
    records: Records, receipts: Receipts, said: tuple[tuple[int, str, str], ...], asked_at: str | None
) -> None:
    records.save(call(asked(), said=said))
    (receipt,) = receipts.of_call("call_1")
    assert receipt.question.asked_at == (asked_at and f"2026-11-21T10:00:{asked_at}.000Z")
    assert doubts(receipt) == []


def test_who_was_phoned_is_the_caller_of_an_outbound_call(records: Records, receipts: Receipts) -> None:
    records.save(call(asked(), direction="outbound"))
    (receipt,) = receipts.of_call("call_1")
    assert receipt.caller == Caller.of("+12025550100", "call_1")


STORIES: dict[str, tuple[tuple[int, str], ...]] = {
    "a key as soon as the question began": ((150, "1"),),
    "a key in the middle of it": ((700, "1"),),
    "a key after it": ((2_100, "1"),),
    "a key after a wrong one": ((500, "7"), (900, "1")),
    "a yes as soon as the action was named": ((1_010, "yes"),),
    "a yes after it": ((2_500, "Yes, go ahead."),),
    "a yes after hearing it again": ((1_500, "*"), (2_500, "yes")),
    "a yes after something unclear": ((1_500, "hm, well"), (2_500, "yes")),
}
"""What a caller does after the question was asked: waits so many milliseconds, then presses a key or speaks."""


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_whatever_the_call_takes_for_a_consent_its_receipt_proves(story: tuple[tuple[int, str], ...]) -> None:
    desk = Desk().opened()
    desk.tell(ConfirmationAsked("act_1", CANCEL))
    for pause, answer in story:
        desk.wait(pause)
        if len(answer) == 1:
            desk.tell(DigitPressed(answer))
        else:
            desk.say(answer)
    made = record()
    made.observe(desk.call.trace)
    (action,) = made.actions
    receipt = receipt_of(made, action, "2026-11-21T10:01:00.000Z")
    assert action["verdict"] == "confirmed"
    assert doubts(receipt) == []
    assert receipt.answer.said == story[-1][1]
    assert receipt.question.asked_at is not None


# Outcomes


def test_the_outcome_makes_a_new_revision_and_the_old_one_is_kept(records: Records, receipts: Receipts) -> None:
    records.save(call(asked()))
    records.save(call(asked(outcome="executed", result={"ok": True}), status="completed"))
    first, second = receipts.of_call("call_1")
    assert (first.id, first.revision, second.revision) == (second.id, 1, 2)
    assert second.outcome == Outcome.of("executed", {"ok": True})
    assert first.outcome == Outcome.of("", None)
    assert key_doubts(first, receipts.keys()) == key_doubts(second, receipts.keys()) == []
    assert newest(receipts.of_call("call_1")) == [second]


def test_a_record_that_comes_late_takes_nothing_back(records: Records, receipts: Receipts) -> None:
    executed = call(asked(outcome="executed", result={"ok": True}))
    for late in (executed, call(asked()), call(asked(outcome="unknown")), executed):
        records.save(late)
    (receipt,) = receipts.of_call("call_1")
    assert (receipt.revision, receipt.outcome.status) == (1, "executed")


def test_only_the_outcome_can_change(records: Records, receipts: Receipts) -> None:
    records.save(call(asked()))
    other = asked(outcome="failed", answer="No.", heard_ms=0, action=Action("create_event", {}), question="Other?")
    records.save(call(other, user_id="usr_mallory", answered_at="2026-11-21T10:00:00.001Z"))
    first, second = receipts.of_call("call_1")
    changed = {name for name in Receipt.__struct_fields__ if getattr(first, name) != getattr(second, name)}
    assert changed == {"revision", "outcome", "signature"}


def test_a_call_that_came_back_keeps_what_was_consented_to_before(records: Records, receipts: Receipts) -> None:
    records.save(call(asked()))
    records.save(call(asked(), asked("act_2", at_ms=90_000), resumed=1))
    late = call(
        asked(outcome="executed"), asked("act_3", at_ms=30_000)
    )  # the process that had it before, from its spool
    records.save(late)
    assert [(each.action.id, each.revision) for each in receipts.of_call("call_1")] == [
        ("act_1", 1),
        ("act_1", 2),
        ("act_3", 1),
        ("act_2", 1),
    ]


# Failures


def test_a_receipt_is_kept_with_its_record_or_neither_is(records: Records, receipts: Receipts) -> None:
    alter(records, "ALTER TABLE receipts RENAME TO gone")
    with pytest.raises(Unavailable):
        records.save(call(asked()))
    assert records.find("call_1") is None
    alter(records, "ALTER TABLE gone RENAME TO receipts")
    records.save(call(asked()))
    assert len(receipts.of_call("call_1")) == 1


def test_many_that_save_at_once_issue_each_receipt_once(database_url: str) -> None:
    stores = [Records(database_url) for _ in range(4)]
    every = [Receipts(store, lambda: NOW) for store in stores]
    saved = [
        call(asked(), asked("act_2", at_ms=30_000, outcome=outcome)) for outcome in ("", "executed", "", "executed")
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda pair: pair[0].save(pair[1]), zip(stores, saved, strict=True)))
    revisions = [(each.action.id, each.revision) for each in every[0].of_call("call_1")]
    assert revisions in ([("act_1", 1), ("act_2", 1)], [("act_1", 1), ("act_2", 1), ("act_2", 2)])
    assert newest(every[3].of_call("call_1"))[1].outcome.status == "executed"
    for store in stores:
        store.close()


def test_a_receipt_that_was_written_over_is_passed_by_and_never_replaced(records: Records, receipts: Receipts) -> None:
    records.save(call(asked(), asked("act_2", at_ms=30_000)))
    kept = receipts.of_call("call_1")[1]
    alter(records, "UPDATE receipts SET document = '{}' WHERE document LIKE '%act_1%'")
    records.save(call(asked(outcome="executed"), asked("act_2", at_ms=30_000)))
    assert receipts.of_call("call_1") == [kept]


def test_receipts_go_with_the_words_of_their_call_and_do_not_come_back(records: Records, receipts: Receipts) -> None:
    records.save(call(asked(), id="call_old", ended_at="2026-11-21T10:02:00.000Z"))
    records.save(call(asked(), started_at="2026-12-21T09:59:00.000Z"))
    assert records.purge("2026-12-01T00:00:00.000Z") == 1
    assert receipts.of_call("call_old") == []
    assert len(receipts.of_call("call_1")) == 1
    purged = records.find("call_old")
    assert purged is not None
    assert purged.actions[0]["verdict"] == "confirmed"
    records.save(purged)
    assert receipts.of_call("call_old") == []


def test_a_database_that_went_away_is_unavailable(records: Records, receipts: Receipts) -> None:
    alter(records, "DROP TABLE receipts")
    alter(records, "DROP TABLE receipt_keys")
    ways: list[Callable[[], object]] = [lambda: receipts.of_call("x"), lambda: receipts.find("x"), receipts.keys]
    for way in ways:
        with pytest.raises(Unavailable):
            way()


# Keys


def test_one_key_is_made_for_all_processes_and_kept(database_url: str) -> None:
    stores = [Records(database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        every = list(threads.map(Receipts, stores))
    for number, store in enumerate(stores):
        store.save(call(asked(), id=f"call_{number}"))
    (key,) = every[0].keys()
    assert key.id == "receipt-1"
    for number in range(3):
        assert key_doubts(every[0].of_call(f"call_{number}")[0], [key]) == []
    for store in stores:
        store.close()


def test_after_a_rotation_new_receipts_bear_the_new_key_and_old_ones_still_hold(database_url: str) -> None:
    first, second = Records(database_url), Records(database_url)
    running, rotating = Receipts(first), Receipts(second)
    first.save(call(asked()))
    assert rotating.rotate() == "receipt-2"
    first.save(call(asked(), asked("act_2", at_ms=30_000)))
    restarted = Receipts(second)
    second.save(call(asked(outcome="executed"), asked("act_2", at_ms=30_000), asked("act_3", at_ms=40_000)))
    signed = [(each.action.id, each.revision, each.key_id) for each in restarted.of_call("call_1")]
    assert signed == [
        ("act_1", 1, "receipt-1"),
        ("act_1", 2, "receipt-2"),
        ("act_2", 1, "receipt-1"),
        ("act_3", 1, "receipt-2"),
    ]
    keys = running.keys()
    assert [key.id for key in keys] == ["receipt-1", "receipt-2"]
    assert [doubt for receipt in running.of_call("call_1") for doubt in key_doubts(receipt, keys)] == []
    assert [restarted.rotate() for _ in range(9)][-1] == "receipt-11"
    assert Receipts(first).keys()[-1].id == "receipt-11"
    first.close()
    second.close()


def test_when_the_secret_is_gone_old_receipts_hold_and_a_new_key_signs(database_url: str) -> None:
    before, after = Records(database_url), Records(database_url)
    Receipts(before)
    before.save(call(asked()))
    alter(before, "DELETE FROM secrets")
    receipts = Receipts(after)
    after.save(call(asked(outcome="executed")))
    assert [each.key_id for each in receipts.of_call("call_1")] == ["receipt-1", "receipt-2"]
    assert [doubt for each in receipts.of_call("call_1") for doubt in key_doubts(each, receipts.keys())] == []
    before.close()
    after.close()

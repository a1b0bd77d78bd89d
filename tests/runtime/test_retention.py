"""What is forgotten, and when, on SQLite and on PostgreSQL."""

from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa

from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.retention import PURGE_CALLS
from phone_bridge.runtime.tables import ADMISSIONS, SECRETS
from tests.runtime.test_record import record

NOON = 1_795_262_400  # 2026-11-21T12:00:00Z
DAY = 86_400


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    records = Records(database_url)
    yield records
    records.close()


def ended(id: str, at: str | None) -> CallRecord:
    call = record(id, started_at="2026-10-01T10:00:00.000Z")
    call.status, call.ended_by, call.ended_at = "completed", "caller", at
    call.to_number, call.voicemail = "+15550199", "https://api.example.com/recordings/RE1"
    call.recording = {"state": "kept", "from_ms": 0, "ms": 9_000, "reason": ""}
    call.transcript = [{"at_ms": 10, "speaker": "caller", "text": "cancel my dentist"}]
    call.actions = [
        {
            "id": "act_1",
            "name": "cancel_event",
            "parameters": {"event_id": "evt_1"},
            "verdict": "confirmed",
            "by": "speech",
            "at_ms": 4_000,
            "question": "I am about to cancel Dentist.",
            "question_ms": 1_700,
            "heard_ms": 1_700,
            "answer": "yes please",
            "outcome": "executed",
            "result": {"title": "Dentist"},
            "some later field": "Dentist",
        }
    ]
    return call


def test_a_purged_call_keeps_what_tells_nothing_about_its_caller(records: Records) -> None:
    call = ended("call_1", "2026-10-01T10:05:00.000Z")
    records.save(call)
    assert records.purge("2026-10-01T10:05:00.001Z") == 1
    call.from_number = call.to_number = call.voicemail = call.recording = None
    call.transcript = []
    call.actions = [
        {
            "id": "act_1",
            "name": "cancel_event",
            "parameters": {},
            "verdict": "confirmed",
            "by": "speech",
            "at_ms": 4_000,
            "question": "",
            "question_ms": 1_700,
            "heard_ms": 1_700,
            "answer": "",
            "outcome": "executed",
            "result": None,
        }
    ]
    assert records.find("call_1") == call
    assert records.purge("2026-10-01T10:05:00.001Z") == 0  # it is done


def test_only_what_ended_before_is_purged(records: Records) -> None:
    kept = [ended("late", "2026-10-02T00:00:00.000Z"), record("going on", started_at="2026-10-02T00:00:00.000Z")]
    lost = ended("its process died", None)
    records.save_all([*kept, lost])
    assert records.purge("2026-10-02T00:00:00.000Z") == 1
    assert [records.find(call.id) for call in kept] == kept
    found = records.find(lost.id)
    assert found is not None
    assert (found.from_number, found.transcript) == (None, [])


def test_what_is_written_again_is_purged_again(records: Records) -> None:
    call = ended("call_1", "2026-10-01T10:05:00.000Z")
    for _ in range(2):
        records.save(call)
        assert records.purge("2026-11-01T00:00:00.000Z") == 1


def test_what_followed_from_a_purged_record_is_cleared_with_it_or_neither_is(records: Records) -> None:
    def no_follower(_: sa.Connection, __: Sequence[CallRecord]) -> None: ...

    def clear(connection: sa.Connection, ids: list[str]) -> None:
        connection.execute(sa.insert(ADMISSIONS), [{"jti": f"{call} is cleared", "expires_at": NOON} for call in ids])
        if failing:
            raise ZeroDivisionError

    failing = True
    records.follow(no_follower, clear)
    records.save(ended("call_1", "2026-10-01T10:05:00.000Z"))
    with pytest.raises(ZeroDivisionError):
        records.purge("2026-11-01T00:00:00.000Z")
    assert records.find("call_1") == ended("call_1", "2026-10-01T10:05:00.000Z")
    failing = False
    assert records.purge("2026-11-01T00:00:00.000Z") == 1
    with records.transaction() as connection:
        assert connection.execute(sa.select(ADMISSIONS.c.jti)).scalars().all() == ["call_1 is cleared"]


def test_many_calls_are_purged_a_transaction_at_a_time(records: Records) -> None:
    records.save_all([ended(f"call_{number}", "2026-10-01T10:05:00.000Z") for number in range(PURGE_CALLS + 1)])
    updates: list[int] = []

    @sa.event.listens_for(records.engine, "commit")
    def committed(_: sa.Connection) -> None:
        updates.append(1)

    assert records.purge("2026-11-01T00:00:00.000Z") == PURGE_CALLS + 1
    assert len(updates) == 3  # two that purge, and one that finds nothing
    assert all(call.from_number is None for call in records.newest())


def test_used_tokens_and_stream_secrets_go_after_two_days(records: Records) -> None:
    records.admit("old", NOON - 2 * DAY - 1, 0)
    records.admit("young", NOON - 2 * DAY, 0)
    for kid in ("stream-20261118", "stream-20261119", "stream-20261121", "stream-1", "embedded-key", "receipt-1"):
        records.secret(kid)
    records.sweep(NOON)
    with records.transaction() as connection:
        assert connection.execute(sa.select(ADMISSIONS.c.jti)).scalars().all() == ["young"]
        kids = set(connection.execute(sa.select(SECRETS.c.kid)).scalars())
    assert kids == {"stream-20261119", "stream-20261121", "stream-1", "embedded-key", "receipt-1"}

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.runtime.record import PAGE, CallRecord, Records, timestamp


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    records = Records(f"sqlite:///{tmp_path}/calls.sqlite3")
    yield records
    records.close()


def record(id: str = "call_1", *, started_at: str = "2026-11-21T10:00:00.000Z") -> CallRecord:
    return CallRecord(
        id=id,
        carrier_id=f"CA{id}",
        direction="inbound",
        from_number="+15550100",
        to_number=None,
        user_id="usr_demo_alice",
        session="embedded",
        status="ringing",
        started_at=started_at,
    )


def test_a_record_is_kept_and_changed(records: Records) -> None:
    call = record()
    records.save(call)
    call.status = "completed"
    call.transcript = [{"at_ms": 10, "speaker": "caller", "text": "hello"}]
    records.save(call)
    assert records.find("call_1") == call
    assert records.find_carrier("CAcall_1") == call
    assert records.find("call_2") is None


def test_its_json_has_the_names_of_the_outside() -> None:
    shown = msgspec.to_builtins(record())
    assert list(shown) == [
        "id", "carrier_id", "direction", "from", "to", "user_id", "session", "status", "started_at", "answered_at",
        "ended_at", "ended_by", "transcript", "actions", "error",
    ]  # fmt: skip


def test_a_trace_becomes_part_of_the_record() -> None:
    trace = Trace(1_000)
    trace.said(1_500, "caller", "cancel it")
    trace.said(1_200, "bridge", "hello")
    action = Action("cancel_event", {"event_id": "evt_1"})
    trace.asked(Asked("act_1", action, Verdict.CONFIRMED, AnsweredBy.DIGIT, 4_000, heard_ms=900))
    trace.settled("act_1", {"ok": True})
    trace.settled("act_2", {"ok": False})
    trace.ended_by = "caller"
    call = record()
    call.observe(trace)
    assert [said["text"] for said in call.transcript] == ["hello", "cancel it"]
    assert call.actions == [
        {
            "id": "act_1",
            "name": "cancel_event",
            "parameters": {"event_id": "evt_1"},
            "verdict": "confirmed",
            "by": "digit",
            "at_ms": 4_000,
            "heard_ms": 900,
            "result": {"ok": True},
        }
    ]
    assert (call.ended_by, call.error) == ("caller", None)


def test_the_newest_come_first_and_a_listing_has_a_bound(records: Records) -> None:
    for number in range(PAGE + 2):
        records.save(record(f"call_{number}", started_at=f"2026-11-21T10:{number // 60:02}:{number % 60:02}.000Z"))
    newest = records.newest(limit=10_000)
    assert len(newest) == PAGE
    assert newest[0].id == f"call_{PAGE + 1}"


def test_the_latest_of_a_carriers_calls_is_found(records: Records) -> None:
    for call_id, minute in (("call_1", "01"), ("call_3", "03"), ("call_2", "02")):
        call = record(call_id, started_at=f"2026-11-21T10:{minute}:00.000Z")
        call.carrier_id = "CA1"
        records.save(call)
    found = records.find_carrier("CA1")
    assert found is not None
    assert found.id == "call_3"


def test_a_stream_token_admits_once_even_when_asked_at_the_same_time(records: Records) -> None:
    with ThreadPoolExecutor(4) as threads:
        admitted = list(threads.map(lambda _: records.admit("jti_1", 2_000, 1_000), range(8)))
    assert admitted.count(True) == 1


def test_used_tokens_are_forgotten_after_they_expired(records: Records) -> None:
    assert records.admit("jti_1", 2_000, 1_000)
    assert not records.admit("jti_1", 2_000, 2_000)
    assert records.admit("jti_1", 3_000, 2_001)


def test_a_secret_is_made_once_for_all_processes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.sqlite3"
    first, second = Records(url), Records(url)
    try:
        assert first.secret("stream") == second.secret("stream")
        assert first.secret("stream") != first.secret("other")
        assert len(first.secret("stream")) == 32
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/x.sqlite3", "nonsense", "postgresql+nodriver://x/y"])
def test_a_database_that_cannot_be_used_stops_at_once_with_the_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DATABASE_URL"):
        Records(url)


def test_a_database_that_went_away_is_unavailable(records: Records, tmp_path: Path) -> None:
    records.save(record())
    with records._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE calls")
    with pytest.raises(Unavailable, match="database"):
        records.find("call_1")
    records.ping()


def test_a_timestamp_is_utc_to_the_millisecond() -> None:
    assert timestamp(lambda: 1_795_255_200.1234) == "2026-11-21T10:00:00.123Z"

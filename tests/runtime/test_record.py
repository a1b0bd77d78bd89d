"""What is kept of every call, on SQLite and on PostgreSQL."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.past import Past
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.runtime import database
from phone_bridge.runtime.record import PAGE, CallRecord, Records, timestamp
from phone_bridge.runtime.tables import ADMISSIONS, CALLS

NOON = 1_795_262_400  # 2026-11-21T12:00:00Z


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    records = Records(database_url)
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


# Records


def test_a_record_is_kept_and_changed(records: Records) -> None:
    call = record()
    records.save(call)
    call.status = "completed"
    call.transcript = [{"at_ms": 10, "speaker": "caller", "text": "hello"}]
    call.resumed, call.voicemail = 2, "https://api.example.com/recordings/RE1"
    call.recording = {"state": "kept", "from_ms": 0, "ms": 9_000, "reason": ""}
    records.save(call)
    assert records.find("call_1") == call
    assert records.find_carrier("CAcall_1") == call
    assert records.find("call_2") is None


def test_many_are_kept_in_one_go(records: Records) -> None:
    calls = [record(f"call_{number}") for number in range(3)]
    records.save(calls[1])
    calls[1].status = "completed"
    records.save_all(calls)
    assert [records.find(call.id) for call in calls] == calls


def test_its_json_has_the_names_of_the_outside() -> None:
    shown = msgspec.to_builtins(record())
    assert list(shown) == [
        "id", "carrier_id", "direction", "from", "to", "user_id", "session", "status", "started_at", "answered_at",
        "ended_at", "ended_by", "transcript", "actions", "error", "resumed", "voicemail", "recording", "timeline",
        "answered_by", "reply", "reminder_id", "metadata", "usage", "route", "return_url", "return_ref", "return_route",
        "trust",
    ]  # fmt: skip


def test_a_trace_becomes_part_of_the_record() -> None:
    trace = Trace(1_000)
    trace.said(1_500, "caller", "cancel it")
    trace.said(1_200, "bridge", "hello")
    action = Action("cancel_event", {"event_id": "evt_1"})
    trace.asked(
        Asked(
            "act_1",
            action,
            Verdict.CONFIRMED,
            AnsweredBy.DIGIT,
            4_000,
            heard_ms=900,
            question="I am about to cancel lunch.",
            question_ms=1_700,
            answer="1",
            trust="known",
        )
    )
    trace.trust = "pin"
    trace.settled("act_1", "executed", {"ok": True})
    trace.settled("act_2", "failed", {"ok": False})
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
            "question": "I am about to cancel lunch.",
            "question_ms": 1_700,
            "heard_ms": 900,
            "answer": "1",
            "outcome": "executed",
            "trust": "known",
            "result": {"ok": True},
        }
    ]
    assert (call.ended_by, call.error, call.trust) == ("caller", None, "pin")


def test_a_call_that_comes_back_goes_on_with_what_its_record_says() -> None:
    trace = Trace(1_000)
    trace.said(1_500, "caller", "cancel it")
    asked = Asked("act_1", Action("cancel_event", {"event_id": "evt_1"}), Verdict.CONFIRMED, AnsweredBy.SPEECH, 4_000)
    asked.question, asked.question_ms, asked.heard_ms, asked.answer = "I am about to cancel.", 1_700, 1_700, "yes"
    trace.asked(asked)
    call = record()
    call.observe(trace)
    assert call.past("2026-11-21T10:00:30.000Z") is None  # it was never answered
    call.answered_at = "2026-11-21T10:00:01.500Z"
    past = call.past("2026-11-21T10:00:30.000Z")
    assert past == Past(ms=28_500, transcript=tuple(trace.transcript), actions=(asked,))
    early = call.past("2026-11-21T10:00:01.000Z")  # by another machine's clock
    assert early is not None
    assert early.ms == 0


def test_whatever_a_carrier_or_a_caller_says_is_kept(records: Records) -> None:
    call = record()
    call.from_number = "a\0b" + "9" * 300
    call.error = "x" * 200
    call.transcript = [{"at_ms": 1, "speaker": "caller", "text": "\0 \ud800 ünï 🎈"}]
    records.save(call)
    kept = records.find("call_1")
    assert kept is not None
    assert kept.transcript == call.transcript
    assert kept.from_number == "a\N{REPLACEMENT CHARACTER}b" + "9" * 253
    assert kept.error == "x" * 128


def test_the_newest_come_first_and_a_listing_has_a_bound(records: Records) -> None:
    records.save_all(
        [
            record(f"call_{number}", started_at=f"2026-11-21T10:{number // 60:02}:{number % 60:02}.000Z")
            for number in range(PAGE + 2)
        ]
    )
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


def test_a_late_record_of_a_call_that_went_on_elsewhere_changes_nothing(records: Records) -> None:
    early, resumed = record(), record()
    early.ended_by = "carrier"
    resumed.resumed, resumed.status = 1, "in_progress"
    records.save(resumed)
    records.save_all([early, record("call_2")])
    assert records.find("call_1") == resumed
    assert records.find("call_2") is not None


# What follows from a record


def no_purger(_: sa.Connection, __: list[str]) -> None: ...


def test_what_follows_is_written_with_the_record_or_neither_is(records: Records) -> None:
    def fail(connection: sa.Connection, calls: Sequence[CallRecord]) -> None:
        connection.execute(sa.insert(ADMISSIONS), [{"jti": call.id, "expires_at": NOON} for call in calls])
        if "call_3" in [call.id for call in calls]:
            raise ZeroDivisionError

    records.follow(fail, no_purger)
    records.save_all([record("call_1"), record("call_2")])
    with pytest.raises(ZeroDivisionError):
        records.save(record("call_3"))
    assert records.find("call_3") is None
    with records.transaction() as connection:
        assert connection.execute(sa.select(ADMISSIONS.c.jti)).scalars().all() == ["call_1", "call_2"]


def test_what_another_process_wrote_in_the_same_moment_is_looked_at_again(records: Records) -> None:
    failures = iter([IntegrityError("taken", None, Exception())])

    def follow(_: sa.Connection, __: Sequence[CallRecord]) -> None:
        for failure in failures:
            raise failure

    records.follow(follow, no_purger)
    records.save(record())
    assert records.find("call_1") == record()


def test_tables_can_stand_beside_those_of_the_calls(records: Records) -> None:
    tables = sa.MetaData()
    sa.Table("pets", tables, sa.Column("name", sa.String(8), primary_key=True))
    for _ in range(2):
        records.create(tables)
    assert sa.inspect(records.engine).has_table("pets")


# Tokens and secrets


def test_a_stream_token_admits_once_even_when_asked_at_the_same_time(records: Records) -> None:
    with ThreadPoolExecutor(4) as threads:
        admitted = list(threads.map(lambda _: records.admit("jti_1", 2_000, 1_000), range(8)))
    assert admitted.count(True) == 1


def test_used_tokens_are_forgotten_after_they_expired(records: Records) -> None:
    assert records.admit("jti_1", 2_000, 1_000)
    assert not records.admit("jti_1", 2_000, 2_000)
    assert records.admit("jti_1", 3_000, 2_001)


def test_a_secret_is_made_once_for_all_processes(database_url: str) -> None:
    first, second = Records(database_url), Records(database_url)
    with closing(first), closing(second):
        assert first.secret("stream") == second.secret("stream")
        assert first.secret("stream") != first.secret("other")
        assert len(first.secret("stream")) == 32


def race(url: str, begin: Any, results: "Queue[tuple[set[bytes], int]]") -> None:
    """Be one of two processes that start on an empty database, and want the same things at the same time."""
    begin.wait(30)
    with closing(Records(url)) as records, ThreadPoolExecutor(4) as threads:
        begin.wait(30)
        found = set(threads.map(lambda _: records.secret("stream"), range(4)))
        admitted = list(threads.map(lambda number: records.admit(f"jti_{number % 5}", NOON, 1), range(20)))
    results.put((found, admitted.count(True)))


def test_processes_that_race_for_a_secret_and_for_tokens_share_one_and_use_each_once(database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    begin = spawn.Barrier(2)
    results: Queue[tuple[set[bytes], int]] = spawn.Queue()
    racers = [spawn.Process(target=race, args=(database_url, begin, results)) for _ in range(2)]
    for racer in racers:
        racer.start()
    (first, some), (second, others) = results.get(timeout=60), results.get(timeout=60)
    for racer in racers:
        racer.join(10)
    assert first == second
    assert len(first) == 1
    assert some + others == 5


# The last version's tables


def test_calls_of_the_last_version_are_read_written_and_purged(database_url: str) -> None:
    engine = database.engine(database_url)
    before = sa.MetaData()
    new = ("resumed", "recording", "recorded", "timeline", "purged_before")
    sa.Table("calls", before, *(column._copy() for column in CALLS.columns if column.name not in new))
    database.prepare(engine, before)
    with database.transaction(engine) as connection:
        row = {name: getattr(record(), name) for name in before.tables["calls"].columns.keys()}  # noqa: SIM118
        connection.execute(sa.insert(before.tables["calls"]), row)
    engine.dispose()
    for _ in range(2):
        with closing(Records(database_url)) as records:
            assert records.find("call_1") == record()
            records.save(record())
    with closing(Records(database_url)) as records:
        assert records.purge("2026-11-22T00:00:00.000Z") == 1


# Faults


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/x.sqlite3", "nonsense", "postgresql+nodriver://x/y"])
def test_a_database_that_cannot_be_used_stops_at_once_with_the_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DATABASE_URL"):
        Records(url)


def test_a_server_that_is_not_there_stops_at_once_and_shows_no_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DATABASE_URL") as caught:
        Records(f"postgresql://somebody:secret@/calls?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_table_that_went_away_is_unavailable(records: Records) -> None:
    records.save(record())
    with records.transaction() as connection:
        connection.execute(sa.schema.DropTable(CALLS))
    with pytest.raises(Unavailable, match="database"):
        records.find("call_1")
    records.ping()


def test_a_locked_file_fails_writers_in_time_lets_readers_read_and_recovers(tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    with closing(Records(f"sqlite:///{file}", busy_seconds=0.05)) as records, closing(sqlite3.connect(file)) as other:
        records.save(record())
        other.execute("BEGIN IMMEDIATE")
        for write in (
            lambda: records.save(record("call_2")),
            lambda: records.admit("jti_1", 2_000, 1_000),
            lambda: records.secret("stream"),
            lambda: records.purge("2026-11-22T00:00:00.000Z"),
        ):
            with pytest.raises(Unavailable) as caught:
                write()
            assert caught.value.code == "database"
        assert records.find("call_1") == record()
        records.ping()
        other.rollback()
        records.save(record("call_2"))
        assert records.find("call_2") == record("call_2")
        assert records.admit("jti_1", 2_000, 1_000)


def test_a_writer_waits_for_another_one(tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    with closing(Records(f"sqlite:///{file}")) as records, closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = threading.Thread(target=records.save, args=(record(),))
        writing.start()
        writing.join(0.1)
        assert writing.is_alive()
        other.rollback()
        writing.join(5)
        assert records.find("call_1") == record()


def test_a_full_disk_fails_writers_keeps_what_was_written_and_recovers(tmp_path: Path) -> None:
    with closing(Records(f"sqlite:///{tmp_path}/calls.db")) as records:
        records.save(record())
        long = record("call_2")
        long.transcript = [{"at_ms": 1, "speaker": "caller", "text": "x" * 100_000}]
        with records.engine.connect() as connection:  # the pool's only one, which the next work takes up again
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Unavailable) as caught:
            records.save(long)
        assert "full" in str(caught.value.__cause__)
        assert records.find("call_1") == record()
        assert records.find("call_2") is None
        with records.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 100}")
        records.save(long)
        assert records.find("call_2") == long


def test_a_timestamp_is_utc_to_the_millisecond() -> None:
    assert timestamp(lambda: 1_795_255_200.1234) == "2026-11-21T10:00:00.123Z"


def test_what_a_model_cost_is_kept_over_every_part_of_a_call(records: Records) -> None:
    call, trace = record(), Trace(0)
    call.observe(trace)
    assert call.usage is None
    trace.counts.input_audio_tokens = 7
    call.answered_at = "2026-11-21T10:15:00.000Z"
    call.observe(trace)
    records.save(call)
    found = records.find("call_1")
    assert found is not None
    past = found.past("2026-11-21T10:16:00.000Z")
    assert past is not None
    later = Trace(0)
    later.used_before = past.usage
    later.counts.input_audio_tokens = 3
    call.observe(later)
    assert call.usage is not None
    assert (call.usage["input_audio_tokens"], call.usage["output_text_tokens"]) == (10, 0)

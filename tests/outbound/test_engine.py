"""The durable engine in real processes: one is killed at every step of an attempt, and another one goes on."""

import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from phone_bridge.outbound.book import Attempt, Book, Plan
from phone_bridge.outbound.engine import SecondsConnection
from phone_bridge.runtime.record import Records
from tests.outbound.executor import BEFORE, NOT_SUBMITTED, SETTLING, TAKEN, WAITING, remembered
from tests.outbound.stage import FROM, Stage

PATIENCE_S = 40.0


def executor(url: str, name: str, folder: Path, *more: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.outbound.executor", url, name, str(folder), *more]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_an_old_sqlite_knows_the_time_that_the_library_asks_it_for(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db", factory=SecondsConnection)
    before = int(time.time())
    connection.execute("CREATE TABLE made (id INTEGER, at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000))")
    connection.execute("INSERT INTO made (id) VALUES (1)")
    ((at,),) = connection.execute("SELECT at FROM made")
    connection.close()
    assert before <= at / 1000 <= time.time()


def test_a_machine_that_dies_at_any_step_is_covered_by_another_and_nobody_is_rung_twice(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / uuid.uuid4().hex  # a name of its own, for DBOS's tables are shared on PostgreSQL
    folder.mkdir()
    records = Records(database_url)
    book = Book(records)
    for step in (NOT_SUBMITTED, BEFORE, TAKEN, WAITING, SETTLING):
        attempt = Attempt(
            call_id=f"{folder.name}-{step}",
            user_id="usr_1",
            to_number=f"+1202555010{step}",
            from_number=FROM,
            plan=msgspec.to_builtins(Plan()),
            created_at=int(time.time()),
        )
        book.add(attempt, Stage.row_of(attempt, time.time()))
    first = executor(database_url, f"{folder.name}-a", folder, "hang")
    try:
        wait(lambda: all((folder / f"at-{step}").exists() for step in (BEFORE, TAKEN, SETTLING)))
        wait(lambda: (found := book.find(f"{folder.name}-{WAITING}")) is not None and found.stage == "placed")
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert remembered(records, folder.name) > 0
        second = executor(database_url, f"{folder.name}-b", folder)
        assert second.wait(PATIENCE_S + 20) == 0
    finally:
        first.kill()
        first.wait()
    rings = Counter((folder / "rings").read_text().split())
    assert rings == {f"+1202555010{step}": 1 for step in range(5)}
    for step in range(5):
        record = records.find(f"{folder.name}-{step}")
        assert record is not None
        assert record.status == "completed", step
    assert book.unsettled() == 0
    assert remembered(records, folder.name) == 0  # and the library has forgotten what is over
    records.close()

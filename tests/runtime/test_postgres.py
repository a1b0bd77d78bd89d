"""A PostgreSQL server that stops, starts again, hangs, or is locked: told within five seconds, and no harm done."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
import sqlalchemy as sa

from phone_bridge.errors import Unavailable
from phone_bridge.runtime import database, postgres
from phone_bridge.runtime.record import Records
from tests.postgres import Server, schema
from tests.runtime.test_record import record

WITHIN_SECONDS = 5.0


def fails_in_time(work: Callable[[], object]) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        work()
    assert caught.value.code == "database"
    assert time.monotonic() - began < WITHIN_SECONDS


@pytest.fixture
def url(postgres_server: Server) -> Iterator[str]:
    with schema(postgres_server.url) as url:
        yield url


def test_a_server_that_stops_is_told_at_once_and_missed_no_longer_when_it_is_back(
    postgres_server: Server, url: str
) -> None:
    with closing(Records(url)) as records:
        records.save(record())
        with postgres_server.stopped():
            for _ in range(2):  # by a connection that was there, and by a new one
                fails_in_time(lambda: records.find("call_1"))
                fails_in_time(lambda: records.save(record("call_2")))
            fails_in_time(records.ping)
        assert records.find("call_1") == record()  # at the first try: the old connections were found out
        records.save(record("call_2"))
        assert records.find("call_2") == record("call_2")


def test_a_server_that_restarts_between_two_calls_is_not_noticed(postgres_server: Server, url: str) -> None:
    with closing(Records(url)) as records:
        records.save(record())
        with postgres_server.stopped():
            pass
        assert records.find("call_1") == record()


def test_a_server_that_hangs_is_given_up_and_its_late_answer_belongs_to_nobody(
    postgres_server: Server, url: str
) -> None:
    with closing(Records(url)) as records:
        records.save(record())
        with postgres_server.frozen():
            fails_in_time(lambda: records.save(record("call_2")))
            fails_in_time(records.ping)
        assert records.find("call_1") == record()
        records.save(record("call_2"))


def test_a_statement_that_waits_for_a_lock_is_given_up(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phone_bridge.runtime.postgres.STATEMENT_SECONDS", 0.1)
    with closing(Records(postgres)) as records:
        with psycopg.connect(postgres) as other:
            other.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
            fails_in_time(lambda: records.save(record()))
            fails_in_time(lambda: records.find("call_1"))
        records.save(record())
        assert records.find("call_1") == record()


def test_a_connection_keeps_its_timeout_whatever_became_of_its_first_work(postgres: str) -> None:
    engine = database.engine(postgres)
    for _ in range(2):
        with engine.connect() as connection:
            wanted = connection.execute(sa.text("SHOW statement_timeout")).scalar()
            connection.rollback()
            assert wanted == "2s"
    engine.dispose()


def test_an_answer_that_comes_in_parts_is_waited_for(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phone_bridge.runtime.postgres.SILENCE_SECONDS", 1.0)
    monkeypatch.setattr("phone_bridge.runtime.postgres.STATEMENT_SECONDS", 60)
    engine = database.engine(postgres)
    with engine.connect() as connection:
        slow = "SELECT repeat('x', 10000), pg_sleep(0.03) FROM generate_series(1, 50)"  # the server sends each row
        assert len(connection.execute(sa.text(slow)).all()) == 50
    engine.dispose()


def test_its_patience_and_all_that_comes_before_it_end_within_five_seconds() -> None:
    """The worst is a server that freezes under a connection: the old one is found out, then a new one is tried."""
    assert postgres.SILENCE_SECONDS + database.CONNECT_SECONDS < WITHIN_SECONDS
    assert postgres.STATEMENT_SECONDS < postgres.SILENCE_SECONDS
    assert database.POOL_SECONDS + postgres.STATEMENT_SECONDS < WITHIN_SECONDS
    assert database.BUSY_SECONDS < WITHIN_SECONDS

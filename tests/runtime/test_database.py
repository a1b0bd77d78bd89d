"""Databases of both kinds: made ready whatever an older version left there, and failing in one way."""

import re
import sqlite3
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from phone_bridge.errors import Refused, SettingsError, Unavailable
from phone_bridge.runtime import database

OLD = sa.MetaData()
OLD_PETS = sa.Table("pets", OLD, sa.Column("name", sa.String(8), primary_key=True))

NEW = sa.MetaData()
PETS = sa.Table(
    "pets",
    NEW,
    sa.Column("name", sa.String(8), primary_key=True),
    sa.Column("legs", sa.Integer, nullable=False, server_default="4"),
    sa.Column("colour", sa.String(16)),
    sa.Column("toys", sa.JSON),
    sa.Index("pets_by_colour", "colour"),
)
OWNERS = sa.Table("owners", NEW, sa.Column("id", sa.Integer, primary_key=True))


def columns(engine: sa.Engine) -> list[str]:
    return [column["name"] for column in sa.inspect(engine).get_columns("pets")]


# Addresses


@pytest.mark.parametrize(
    "url", ["", "nonsense", "nonsense://host/db", "mysql://host/db", "postgresql+nonsense://host/db", "sqlite+x:///f"]
)
def test_a_url_that_is_of_neither_kind_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DATABASE_URL must be sqlite:///FILE or postgresql://"):
        database.engine(url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_has_one_driver_by_any_of_its_names(scheme: str) -> None:
    engine = database.engine(f"{scheme}://somebody:secret@host/calls")
    assert engine.url.drivername == "postgresql+psycopg"
    assert "secret" not in repr(engine)
    engine.dispose()


def test_a_driver_that_is_not_installed_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phone_bridge.runtime.postgres", None)
    with pytest.raises(SettingsError, match=r"pip install 'phone_bridge\[postgres\]'"):
        database.engine("postgresql://host/calls")


def test_no_password_is_shown_in_a_mistake() -> None:
    with pytest.raises(SettingsError) as caught:
        database.engine("mysql://somebody:secret@host/calls")
    assert "secret" not in str(caught.value)


# Making ready


def test_what_the_last_version_made_gains_what_is_new_and_keeps_its_rows(database_url: str) -> None:
    engine = database.engine(database_url)
    database.prepare(engine, OLD)
    with database.transaction(engine) as connection:
        connection.execute(sa.insert(OLD_PETS).values(name="Rex"))
    for _ in range(2):  # the second time there is nothing left to do
        database.prepare(engine, NEW)
        assert columns(engine) == ["name", "legs", "colour", "toys"]
    assert [index["name"] for index in sa.inspect(engine).get_indexes("pets")] == ["pets_by_colour"]
    assert sa.inspect(engine).has_table("owners")
    with database.transaction(engine) as connection:
        connection.execute(sa.insert(OLD_PETS).values(name="Tom"))  # as a process of the last version still does
        rows = connection.execute(sa.select(PETS).order_by(PETS.c.name)).all()
    assert [tuple(row) for row in rows] == [("Rex", 4, None, None), ("Tom", 4, None, None)]
    engine.dispose()


@pytest.mark.parametrize("before", [None, OLD], ids=["an empty database", "an old one"])
def test_processes_that_start_together_make_it_ready_together(database_url: str, before: sa.MetaData | None) -> None:
    engines = [database.engine(database_url) for _ in range(4)]
    if before is not None:
        database.prepare(engines[0], before)
    begin = threading.Barrier(4)

    def start(engine: sa.Engine) -> None:
        begin.wait(30)
        database.prepare(engine, NEW)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, engines))
    assert columns(engines[0]) == ["name", "legs", "colour", "toys"]
    for engine in engines:
        engine.dispose()


def test_a_process_that_starts_waits_for_another_s_changes_and_says_when_it_gives_up(postgres: str) -> None:
    changes = sa.MetaData()
    sa.Table("owners", changes, sa.Column("id", sa.Integer, primary_key=True))
    begun, go_on = threading.Event(), threading.Event()

    @sa.event.listens_for(changes, "before_create")
    def slowly(*_: object, **__: object) -> None:
        begun.set()
        go_on.wait(30)

    slow, other = database.engine(postgres), database.engine(postgres)
    with ThreadPoolExecutor(2) as threads:
        changing = threads.submit(database.prepare, slow, changes)
        try:
            assert begun.wait(30)
            with pytest.raises(Unavailable, match=r"Another process has been changing the tables for 0\.2 s"):
                database.prepare(other, NEW, turn_seconds=0.2)
            waiting = threads.submit(database.prepare, other, NEW)
        finally:
            go_on.set()
        changing.result(30)
        waiting.result(30)
    assert columns(other) == ["name", "legs", "colour", "toys"]
    slow.dispose()
    other.dispose()


def test_an_old_file_becomes_one_that_is_read_while_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "pets.db"
    with sqlite3.connect(file) as old:
        old.execute("CREATE TABLE pets (name VARCHAR(8) PRIMARY KEY)")
    old.close()
    engine = database.engine(f"sqlite:///{file}")
    database.prepare(engine, NEW)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_a_file_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "pets.db"
    other = sqlite3.connect(file, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # not in WAL mode yet, which cannot be changed now
    engine = database.engine(f"sqlite:///{file}", busy_seconds=0.05)
    with pytest.raises(Unavailable):
        database.prepare(engine, NEW)
    patient = database.engine(f"sqlite:///{file}")
    with ThreadPoolExecutor(1) as threads:
        preparing = threads.submit(database.prepare, patient, NEW)
        other.rollback()
        preparing.result(5)
    assert columns(patient) == ["name", "legs", "colour", "toys"]
    other.close()
    engine.dispose()
    patient.dispose()


@pytest.mark.parametrize("content", [None, b"this is no database " * 50], ids=["no folder", "another file"])
def test_a_file_that_cannot_be_a_database_is_unavailable(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "no" / "pets.db"
    if content is not None:
        file.parent.mkdir()
        file.write_bytes(content)
    engine = database.engine(f"sqlite:///{file}")
    with pytest.raises(Unavailable):
        database.prepare(engine, NEW)
    engine.dispose()


# Failing


@pytest.fixture
def pets(database_url: str) -> Iterator[sa.Engine]:
    engine = database.engine(database_url)
    database.prepare(engine, NEW)
    yield engine
    engine.dispose()


def add(engine: sa.Engine, *rows: dict[str, object]) -> None:
    with database.transaction(engine) as connection:
        for row in rows:
            connection.execute(sa.insert(PETS), row)


def test_a_transaction_is_written_whole_or_not_at_all(pets: sa.Engine) -> None:
    with pytest.raises(IntegrityError):  # as it is: who asks for uniqueness knows what its end means
        add(pets, {"name": "Tom"}, {"name": "Rex"}, {"name": "Rex"})
    with database.transaction(pets) as connection:
        assert connection.execute(sa.select(PETS)).all() == []


def test_a_table_that_is_gone_is_unavailable_and_says_nothing_of_its_content(pets: sa.Engine) -> None:
    with database.transaction(pets) as connection:
        connection.execute(sa.schema.DropTable(PETS))
    with pytest.raises(Unavailable) as caught:
        add(pets, {"name": "Rex", "colour": "secret"})
    assert caught.value.code == "database"
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_value_that_a_database_cannot_hold_is_refused(postgres: str) -> None:
    engine = database.engine(postgres)
    database.prepare(engine, NEW)
    for name in ("far too long", "a\0b"):
        with pytest.raises(Refused):
            add(engine, {"name": name})
    engine.dispose()


def test_a_value_that_no_driver_knows_is_our_own_mistake(pets: sa.Engine) -> None:
    with pytest.raises((SQLAlchemyError, TypeError)) as caught:
        add(pets, {"name": "Rex", "toys": object()})
    assert not isinstance(caught.value, DBAPIError)


def test_the_threads_of_a_process_share_a_bounded_number_of_connections(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POOL_SECONDS", 0.1)
    engine = database.engine(postgres)
    held = [engine.connect() for _ in range(database.POOL_CONNECTIONS)]
    with pytest.raises(Unavailable), database.transaction(engine):
        pass
    held.pop().close()
    with database.transaction(engine) as connection:
        assert connection.execute(sa.select(1)).scalar() == 1
    for each in held:
        each.close()
    engine.dispose()


def test_an_insert_knows_what_to_do_on_a_conflict(pets: sa.Engine) -> None:
    with database.transaction(pets) as connection:
        for legs in (3, 5):
            new = database.insert(connection, PETS).values(name="Rex", legs=legs)
            connection.execute(new.on_conflict_do_update(index_elements=["name"], set_={"legs": new.excluded.legs}))
        assert connection.execute(sa.select(PETS.c.legs)).scalars().all() == [5]


def test_a_database_is_tried_out_and_left_as_it_was(tmp_path: Path) -> None:
    engine = database.engine(f"sqlite:///{tmp_path}/tried.db")
    for _ in range(2):
        assert re.fullmatch(r"SQLite [0-9.]+", database.try_out(engine))
        assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_that_cannot_be_written_is_found_out(tmp_path: Path) -> None:
    engine = database.engine(f"sqlite:///{tmp_path}/nowhere/tried.db")
    with pytest.raises(Unavailable):
        database.try_out(engine)
    engine.dispose()

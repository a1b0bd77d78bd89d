"""One way to a database, SQLite or PostgreSQL by the URL alone, that fails in seconds and comes back by itself.

Everything here blocks and is called in a thread.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from phone_bridge.errors import Refused, SettingsError, Unavailable

BUSY_SECONDS = 4.0
"""How long SQLite waits for another writer."""
CONNECT_SECONDS = 2
"""How long a PostgreSQL server may take to let us in; two is the least that libpq knows."""
POOL_CONNECTIONS = 10
"""The most connections of one process to a PostgreSQL server, for each of calls and calendars."""
POOL_SECONDS = 2.0
"""How long a thread waits for one of them."""
TRIED = "phone_bridge_tried"
"""The table that is made and taken back to see whether that can be done."""
TURN_SECONDS = 30.0
"""How long a process that starts waits, on PostgreSQL, for others that change the tables."""
TURN_EVERY_SECONDS = 0.05
"""How often it asks whether they are done."""
_MIGRATION_LOCK = 0x70686F6E65
"""The advisory lock under which one process at a time changes tables: "phone" in ASCII."""


def engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> sa.Engine:
    """Make an engine for ``url`` without connecting; raises SettingsError for one that no driver here serves."""
    try:
        address = sa.make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() == "sqlite":
            return _sqlite(address, busy_seconds)
        if address.drivername == "postgresql+psycopg":
            return _postgresql(address)
    except ModuleNotFoundError as error:
        raise SettingsError(
            "PHONE_BRIDGE_DATABASE_URL names PostgreSQL, whose driver is not installed: "
            "pip install 'phone_bridge[postgres]'"
        ) from error
    except SQLAlchemyError as error:
        raise _no_url() from error
    raise _no_url()


def prepare(engine: sa.Engine, tables: sa.MetaData, *, turn_seconds: float = TURN_SECONDS) -> None:
    """Make the tables, columns and indexes that the database does not have yet; raises Unavailable.

    There is no migration framework: all that ever changed is that columns came, each nullable or with a default of the
    server's, so that the last version goes on working beside the new one while a deployment rolls. The day a column
    must change its kind or move its data, Alembic has earned its place.
    """
    if engine.dialect.name == "sqlite":
        _write_ahead(engine)
    with transaction(engine) as connection:
        _wait_for_my_turn(connection, turn_seconds)
        tables.create_all(connection)
        for table in tables.sorted_tables:
            _complete(connection, table)


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Work in one transaction.

    The database's troubles come out as Unavailable, a value that it cannot hold as Refused, a broken uniqueness as
    SQLAlchemy's IntegrityError; every other error is our own mistake and stays as it is.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except DataError as error:
        raise Refused("The database cannot hold a value that it was given.", code="invalid_parameter") from error
    except (DBAPIError, NoConnectionLeft) as error:
        raise Unavailable(f"The database failed: {type(error).__name__}.", code="database") from error


def try_out(engine: sa.Engine) -> str:
    """Make a table, write into it and take everything back; gives the server's name and version.

    Raises Unavailable, whose cause says what the database does not let us do.
    """
    table = sa.Table(TRIED, sa.MetaData(), sa.Column("at", sa.Integer))
    sqlite = engine.dialect.name == "sqlite"
    version = sa.func.sqlite_version() if sqlite else sa.func.current_setting("server_version")
    with transaction(engine) as connection:
        if sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        table.create(connection)
        connection.execute(sa.insert(table).values(at=1))
        found = connection.execute(sa.select(version)).scalar_one()
        connection.rollback()
    return f"{'SQLite' if sqlite else 'PostgreSQL'} {found}"


def insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """Begin an insert that knows what to do on a conflict, which SQLite and PostgreSQL say alike."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _no_url() -> SettingsError:
    return SettingsError("PHONE_BRIDGE_DATABASE_URL must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")


def _sqlite(address: sa.URL, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(address, connect_args={"timeout": busy_seconds}, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may lose the last commits, and nothing else

    return engine


def _postgresql(address: sa.URL) -> sa.Engine:
    from phone_bridge.runtime.postgres import connect  # its driver is an extra

    engine = sa.create_engine(
        address,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "phone_bridge"},
        hide_parameters=True,  # what callers say does not belong into the text of an error
        pool_pre_ping=True,  # a server that was started again is noticed before the work begins
        pool_size=POOL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
    )
    sa.event.listen(engine, "do_connect", connect)
    return engine


def _write_ahead(engine: sa.Engine) -> None:
    """Let readers and a writer work at the same time; the mode belongs to the file and stays."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    except DBAPIError as error:
        # It cannot wait: while another process is at work there, that one has seen to the mode.
        if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise Unavailable(f"The database failed: {type(error).__name__}.", code="database") from error


def _wait_for_my_turn(connection: sa.Connection, seconds: float) -> None:
    """Let one process at a time look at the tables and change them."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # Asked again and again: to wait in one statement would be to wait for no longer than a statement may take.
    mine = sa.select(sa.func.pg_try_advisory_xact_lock(_MIGRATION_LOCK))
    deadline = time.monotonic() + seconds
    while not connection.execute(mine).scalar_one():
        if time.monotonic() > deadline:
            raise Unavailable(f"Another process has been changing the tables for {seconds:g} s.", code="database")
        time.sleep(TURN_EVERY_SECONDS)


def _complete(connection: sa.Connection, table: sa.Table) -> None:
    inspector = sa.inspect(connection)
    known = {column["name"] for column in inspector.get_columns(table.name)}
    name = connection.dialect.identifier_preparer.format_table(table)
    for column in table.columns:
        if column.name not in known:
            made = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {made}")
    indexes = {index["name"] for index in inspector.get_indexes(table.name)}
    for index in table.indexes:
        if index.name not in indexes:
            index.create(connection)

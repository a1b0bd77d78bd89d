"""What the two halves of the calendar's database share: transactions, deeds that are done once, and rows as values."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, Select, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from phone_bridge.assistant.calendar.tables import DEEDS
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.runtime import database

T = TypeVar("T")
R = TypeVar("R")


class Ledger:
    """The calendar's database, and the time and the ids of what is written into it.

    ``new_id`` makes an id from its prefix (``"evt"`` gives ``evt_…``), ``now`` the time, aware.
    """

    def __init__(self, engine: Engine, *, new_id: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self.engine = engine
        self.new_id = new_id
        self.now = now

    def transaction(self) -> AbstractContextManager[Connection]:
        """Work in one transaction."""
        return database.transaction(self.engine)

    async def once(self, kind: type[R], user_id: str, key: str, work: Callable[[Connection], R]) -> R:
        """Do ``work`` in a thread, in one transaction, once for its key; or find the outcome that the key has."""
        return await in_thread(self.do_once, kind, user_id, key, work)

    def do_once(self, kind: type[R], user_id: str, key: str, work: Callable[[Connection], R]) -> R:
        """Do ``work`` and remember its outcome in one transaction, or find the outcome that the key has already.

        The key is written first: of two who come at once, the second one waits for the first and then fails here.
        """
        try:
            with self.transaction() as db:
                write(db, DEEDS, {"user_id": user_id, "key": key, "outcome": None, "done_at": self.now()})
                outcome = work(db)
                mine = (DEEDS.c.user_id == user_id) & (DEEDS.c.key == key)
                db.execute(update(DEEDS).where(mine).values(outcome=msgspec.to_builtins(outcome)))
                return outcome
        except IntegrityError:
            with self.transaction() as db:
                query = select(DEEDS.c.outcome).where(DEEDS.c.user_id == user_id, DEEDS.c.key == key)
                done = db.execute(query).scalar_one_or_none()
            if done is None:  # it was not the key: every other reference of ours is to a user
                raise Refused("There is no such user.", code="resource_missing") from None
            return msgspec.convert(done, kind)


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Do what blocks in a thread; raises Unavailable in the calendar's own words."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except Unavailable as error:
        raise unavailable() from error


def unavailable() -> Unavailable:
    """Say that the database cannot be had."""
    return Unavailable(
        "The calendar's database cannot be reached; see PHONE_BRIDGE_DATABASE_URL.", code="calendar_unavailable"
    )


def find(db: Connection, query: Select[Any], kind: type[R], what: str) -> R:
    """Read the one row of ``query``; raises Refused for none."""
    row = db.execute(query).mappings().one_or_none()
    if row is None:
        raise Refused(f"There is no such {what}.", code="resource_missing")
    return read(row, kind)


def write(db: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row."""
    db.execute(insert(table).values(row))


def read(row: RowMapping, kind: type[R]) -> R:
    """Make a value of a row; its names are a kind of string of their own, and what is not there is as by default."""
    return msgspec.convert({str(name): value for name, value in row.items() if value is not None}, kind)


def row_of(value: msgspec.Struct, table: Table) -> dict[str, Any]:
    """Make the columns of a value: JSON for its parts, times as they are."""
    plain = msgspec.to_builtins(value, builtin_types=(datetime,))
    parts = msgspec.to_builtins(value)
    return {
        column.name: plain[column.name] if isinstance(plain[column.name], datetime) else parts[column.name]
        for column in table.columns
        if column.name in plain
    }

"""A keeper of calendars on a database: SQLite in a file, or PostgreSQL, by the URL alone."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import structs
from sqlalchemy import Connection, RowMapping, Select, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from phone_bridge.assistant.calendar.tables import DEEDS, EVENTS, METADATA, REMINDERS, USERS
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.runtime import database
from phone_bridge.tools.keeper import Edit, Event, EventFields, Reminder, ReminderFields, User

T = TypeVar("T")
R = TypeVar("R")


class SqlKeeper:
    """Keep calendars in the database at ``url``.

    ``new_id`` makes an id from its prefix (``"evt"`` gives ``evt_…``), ``now`` the time, aware. The database's calls
    block: the async methods make them in a thread. Raises SettingsError for a URL that no driver here serves.
    """

    def __init__(self, url: str, *, new_id: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self._engine = database.engine(url)
        self._new_id = new_id
        self._now = now

    def prepare(self) -> None:
        """Make the tables that are missing; blocks, and raises Unavailable when the database cannot be had."""
        try:
            database.prepare(self._engine, METADATA)
        except Unavailable as error:
            raise _unavailable() from error

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    async def add_user(self, user: User) -> None:
        """Keep a new user; one who is known stays as they are."""
        await _in_thread(self._add_user, user)

    async def user(self, user_id: str) -> User:
        """Find a user."""
        return await _in_thread(self._user, user_id)

    async def events(
        self, user_id: str, *, start: datetime | None, end: datetime | None, include_cancelled: bool = False
    ) -> list[Event]:
        """List the events that touch ``start`` to ``end`` (None is open), by their beginning."""
        return await _in_thread(self._events, user_id, start, end, include_cancelled)

    async def event(self, event_id: str) -> Event:
        """Find an event of anybody's, cancelled or not; raises Refused for none."""
        return await _in_thread(self._event, event_id)

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        """Keep a new event."""
        return await _in_thread(self._once, Event, user_id, key, lambda db: self._insert(db, user_id, fields))

    async def update_event(self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str) -> Edit:
        """Put ``change(event)`` in the place of an event that is not cancelled."""
        return await _in_thread(self._once, Edit, user_id, key, lambda db: self._edit(db, user_id, event_id, change))

    async def cancel_event(self, user_id: str, event_id: str, *, reason: str | None, key: str) -> Event:
        """Mark an event as cancelled; it stays readable."""

        def cancelled(event: Event) -> Event:
            return structs.replace(event, is_cancelled=True, cancelled_at=self._now(), cancel_reason=reason)

        return (await self.update_event(user_id, event_id, cancelled, key=key)).after

    async def create_reminder(self, user_id: str, fields: ReminderFields, *, key: str) -> Reminder:
        """Keep a new reminder; the event it names must exist."""
        return await _in_thread(self._once, Reminder, user_id, key, lambda db: self._remind(db, user_id, fields))

    async def fill(self, user: User, events: Iterable[EventFields]) -> bool:
        """Keep ``events`` for a user with nothing ahead, and the user; False when there is something ahead."""
        return await _in_thread(self._fill, user, list(events))

    def _transaction(self) -> AbstractContextManager[Connection]:
        return database.transaction(self._engine)

    def _add_user(self, user: User) -> None:
        try:
            with self._transaction() as db:
                _write(db, USERS, _row(user, USERS))
        except IntegrityError:
            return

    def _user(self, user_id: str) -> User:
        with self._transaction() as db:
            row = db.execute(select(USERS).where(USERS.c.id == user_id)).mappings().one_or_none()
        if row is None:
            raise Refused("There is no such user.", code="resource_missing")
        return _read(row, User)

    def _events(
        self, user_id: str, start: datetime | None, end: datetime | None, include_cancelled: bool
    ) -> list[Event]:
        query = _of(EVENTS, user_id)
        if start is not None:
            query = query.where(EVENTS.c.end_time > start)
        if end is not None:
            query = query.where(EVENTS.c.start_time < end)
        if not include_cancelled:
            query = query.where(EVENTS.c.is_cancelled.is_(False))
        with self._transaction() as db:
            rows = db.execute(query.order_by(EVENTS.c.start_time, EVENTS.c.id)).mappings().all()
        return [_read(row, Event) for row in rows]

    def _event(self, event_id: str) -> Event:
        with self._transaction() as db:
            row = db.execute(select(EVENTS).where(EVENTS.c.id == event_id)).mappings().one_or_none()
        if row is None:
            raise Refused("There is no such event.", code="resource_missing")
        return _read(row, Event)

    def _once(self, kind: type[R], user_id: str, key: str, work: Callable[[Connection], R]) -> R:
        """Do ``work`` and remember its outcome in one transaction, or find the outcome that the key has already.

        The key is written first: of two who come at once, the second one waits for the first and then fails here.
        """
        try:
            with self._transaction() as db:
                _write(db, DEEDS, {"user_id": user_id, "key": key, "outcome": None, "done_at": self._now()})
                outcome = work(db)
                mine = (DEEDS.c.user_id == user_id) & (DEEDS.c.key == key)
                db.execute(update(DEEDS).where(mine).values(outcome=msgspec.to_builtins(outcome)))
                return outcome
        except IntegrityError:
            with self._transaction() as db:
                query = select(DEEDS.c.outcome).where(DEEDS.c.user_id == user_id, DEEDS.c.key == key)
                return msgspec.convert(db.execute(query).scalar_one(), kind)

    def _insert(self, db: Connection, user_id: str, fields: EventFields) -> Event:
        now = self._now()
        event = Event(**structs.asdict(fields), id=self._new_id("evt"), user_id=user_id, created_at=now, updated_at=now)
        _write(db, EVENTS, _row(event, EVENTS))
        return event

    def _edit(self, db: Connection, user_id: str, event_id: str, change: Callable[[Event], Event]) -> Edit:
        before = self._find(db, user_id, event_id)
        if before.is_cancelled:
            raise Refused("That event is cancelled already.", code="event_already_cancelled")
        after = structs.replace(change(before), updated_at=self._now())
        db.execute(update(EVENTS).where(EVENTS.c.id == event_id).values(_row(after, EVENTS)))
        return Edit(before, after)

    def _find(self, db: Connection, user_id: str, event_id: str) -> Event:
        query = _of(EVENTS, user_id).where(EVENTS.c.id == event_id).with_for_update()
        row = db.execute(query).mappings().one_or_none()
        if row is None:
            raise Refused("There is no such event in this calendar.", code="resource_missing")
        return _read(row, Event)

    def _remind(self, db: Connection, user_id: str, fields: ReminderFields) -> Reminder:
        if fields.event_id is not None:
            self._find(db, user_id, fields.event_id)
        reminder = Reminder(**structs.asdict(fields), id=self._new_id("rem"), user_id=user_id, created_at=self._now())
        _write(db, REMINDERS, _row(reminder, REMINDERS))
        return reminder

    def _fill(self, user: User, events: list[EventFields]) -> bool:
        self._add_user(user)
        with self._transaction() as db:
            # Two who fill at once count the same fillings, and the second one's key is taken.
            fillings = db.execute(select(DEEDS.c.key).where(DEEDS.c.user_id == user.id, DEEDS.c.key.like("fill:%")))
            key = f"fill:{len(fillings.all())}"
        if any(event.start_time > self._now() for event in self._events(user.id, self._now(), None, False)):
            return False

        def work(db: Connection) -> list[Event]:
            return [self._insert(db, user.id, fields) for fields in events]

        self._once(list[Event], user.id, key, work)
        return True


async def _in_thread(work: Callable[..., T], *arguments: Any) -> T:
    try:
        return await asyncio.to_thread(work, *arguments)
    except Unavailable as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable(
        "The calendar's database cannot be reached; see PHONE_BRIDGE_DATABASE_URL.", code="calendar_unavailable"
    )


def _of(table: Table, user_id: str) -> Select[Any]:
    return select(table).where(table.c.user_id == user_id)


def _write(db: Connection, table: Table, row: Mapping[str, Any]) -> None:
    db.execute(insert(table).values(row))


def _read(row: RowMapping, kind: type[R]) -> R:
    """Make a value of a row; its names are a kind of string of their own, and what is not there is as by default."""
    return msgspec.convert({str(name): value for name, value in row.items() if value is not None}, kind)


def _row(value: msgspec.Struct, table: Table) -> dict[str, Any]:
    """Make the columns of a value: JSON for its parts, times as they are."""
    plain = msgspec.to_builtins(value, builtin_types=(datetime,))
    return {column.name: plain[column.name] for column in table.columns}

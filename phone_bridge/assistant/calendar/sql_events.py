"""The half of the calendar's database that a CalDAV server could keep as well: calendars, events and series."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, Select, delete, func, or_, select, update

from phone_bridge.assistant.calendar.deeds import Ledger, find, in_thread, read, row_of, write
from phone_bridge.assistant.calendar.tables import CALENDARS, EVENTS, REMINDERS, USERS
from phone_bridge.errors import Refused
from phone_bridge.runtime import database
from phone_bridge.tools import series as unrolling
from phone_bridge.tools.keeper import Calendar, Edit, Event, EventFields, Series, SeriesScope, User
from phone_bridge.tools.series import Rewrite

DEFAULT_CALENDAR = "Calendar"
"""The name of the calendar that every user has."""


class SqlEvents:
    """Keep events in a database; see ``tools.keeper.EventKeeper``."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def calendars(self, user_id: str) -> list[Calendar]:
        """List a user's calendars, the default one first."""
        return await in_thread(self._calendars, user_id)

    async def add_calendar(self, calendar: Calendar) -> Calendar:
        """Keep one more calendar for a user; one that is known stays as it is."""
        return await in_thread(self._add_calendar, calendar)

    async def events(
        self,
        user_id: str,
        *,
        start: datetime | None,
        end: datetime | None,
        include_cancelled: bool = False,
        unroll: bool = True,
    ) -> list[Event]:
        """List the events that touch ``start`` to ``end`` (None is open), by their beginning."""
        return await in_thread(self._events, user_id, start, end, include_cancelled, unroll)

    async def event(self, event_id: str, *, user_id: str | None = None) -> Event:
        """Find an event, a series or an occurrence, cancelled or not; of anybody's where no user is named."""
        return await in_thread(self._event, event_id, user_id)

    async def series(self, user_id: str, event_id: str) -> Series:
        """Find the whole calendar object to which an event belongs."""
        return await in_thread(self._series, user_id, event_id)

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        """Keep a new event, or a new series."""
        return await self._ledger.once(Event, user_id, key, lambda db: self.insert(db, user_id, fields))

    async def update_event(
        self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str, scope: SeriesScope = "this"
    ) -> Edit:
        """Put ``change(event)`` in the place of an event that is not cancelled."""

        def work(db: Connection) -> Edit:
            whole = _lock(db, user_id, event_id)
            rewrite = unrolling.changed(
                whole, event_id, scope, change, now=self._ledger.now(), new_id=lambda: self._ledger.new_id("evt")
            )
            if (calendar_id := rewrite.edit.after.calendar_id) != rewrite.edit.before.calendar_id:
                _check_calendar(_calendars(db, user_id), calendar_id)
            _apply(db, rewrite)
            return rewrite.edit

        return await self._ledger.once(Edit, user_id, key, work)

    async def cancel_event(
        self, user_id: str, event_id: str, *, reason: str | None, key: str, scope: SeriesScope = "this"
    ) -> Event:
        """Mark an event as cancelled; it stays readable."""

        def cancelled(event: Event) -> Event:
            return structs.replace(event, is_cancelled=True, cancelled_at=self._ledger.now(), cancel_reason=reason)

        return (await self.update_event(user_id, event_id, cancelled, key=key, scope=scope)).after

    async def delete_event(self, user_id: str, event_id: str, *, key: str, scope: SeriesScope = "this") -> Event:
        """Forget an event for good, and with it what should have reminded of it."""

        def work(db: Connection) -> Event:
            whole = _lock(db, user_id, event_id)
            rewrite = unrolling.deleted(whole, event_id, scope, now=self._ledger.now())
            _apply(db, rewrite)
            return rewrite.edit.before

        return await self._ledger.once(Event, user_id, key, work)

    def insert(self, db: Connection, user_id: str, fields: EventFields) -> Event:
        """Keep a new event in a transaction that is open already."""
        calendars = _calendars(db, user_id)
        _check_calendar(calendars, fields.calendar_id or calendars[0].id)
        now = self._ledger.now()
        made = {**structs.asdict(fields), "calendar_id": fields.calendar_id or calendars[0].id}
        event = Event(**made, id=self._ledger.new_id("evt"), user_id=user_id, created_at=now, updated_at=now)
        unrolling.check(event)
        write(db, EVENTS, _row(event))
        return event

    def list_events(
        self, user_id: str, start: datetime | None, end: datetime | None, *, include_cancelled: bool = False
    ) -> list[Event]:
        """List events as ``events`` does; blocks."""
        return self._events(user_id, start, end, include_cancelled, True)

    def _calendars(self, user_id: str) -> list[Calendar]:
        with self._ledger.transaction() as db:
            return _calendars(db, user_id)

    def _add_calendar(self, calendar: Calendar) -> Calendar:
        with self._ledger.transaction() as db:
            _calendars(db, calendar.user_id)
            new = database.insert(db, CALENDARS).values(row_of(calendar, CALENDARS))
            db.execute(new.on_conflict_do_nothing(index_elements=[CALENDARS.c.id]))
            return find(db, select(CALENDARS).where(CALENDARS.c.id == calendar.id), Calendar, "calendar")

    def _events(
        self, user_id: str, start: datetime | None, end: datetime | None, include_cancelled: bool, unroll: bool
    ) -> list[Event]:
        first, last = unrolling.window(start, end, self._ledger.now())
        with self._ledger.transaction() as db:
            default = default_calendar(user_id)
            events = _list(db, _alone(user_id, start, end), default)
            masters = _list(db, _repeating(user_id, end), default)
            overrides = _list(db, _of_series(user_id), default) if masters else []
        found = [event for event in events if event.recurrence is None]
        if unroll:
            for whole in _gathered(masters, overrides):
                found += unrolling.occurrences(whole, first, last, include_cancelled=True)
        else:
            found += masters
        alive = (event for event in found if include_cancelled or not event.is_cancelled)
        return sorted(alive, key=lambda event: (event.start_time, event.id))

    def _event(self, event_id: str, user_id: str | None) -> Event:
        with self._ledger.transaction() as db:
            return unrolling.occurrence(_whole(db, user_id, event_id), event_id)

    def _series(self, user_id: str, event_id: str) -> Series:
        with self._ledger.transaction() as db:
            whole = _whole(db, user_id, event_id)
        unrolling.occurrence(whole, event_id)  # which there must be
        return whole


def default_calendar(user_id: str) -> str:
    """Name the calendar that every user has; an event that an earlier version wrote, in no calendar, is in it."""
    return "cal_" + hashlib.sha256(user_id.encode()).hexdigest()[:20]


def _calendars(db: Connection, user_id: str) -> list[Calendar]:
    """List a user's calendars; whoever has none gets the default one."""
    query = select(CALENDARS).where(CALENDARS.c.user_id == user_id)
    ordered = query.order_by(CALENDARS.c.is_default.desc(), CALENDARS.c.name, CALENDARS.c.id)
    rows = db.execute(ordered).mappings().all()
    if rows:
        return [read(row, Calendar) for row in rows]
    user = find(db, select(USERS).where(USERS.c.id == user_id), User, "user")
    made = Calendar(
        id=default_calendar(user_id), user_id=user_id, name=DEFAULT_CALENDAR, timezone=user.timezone, is_default=True
    )
    new = database.insert(db, CALENDARS).values(row_of(made, CALENDARS))
    db.execute(new.on_conflict_do_nothing(index_elements=[CALENDARS.c.id]))
    return [made]


def _check_calendar(calendars: Sequence[Calendar], calendar_id: str | None) -> None:
    found = next((calendar for calendar in calendars if calendar.id == calendar_id), None)
    if found is None:
        raise Refused("There is no such calendar.", code="resource_missing")
    if not found.writable:
        raise Refused("That calendar can be read only.", code="calendar_read_only")


def _alone(user_id: str, start: datetime | None, end: datetime | None) -> Select[Any]:
    """Find events that are no series and no part of one; what does not say whether it repeats is looked at later."""
    query = select(EVENTS).where(EVENTS.c.user_id == user_id, EVENTS.c.series_id.is_(None))
    query = query.where(EVENTS.c.repeats.is_not(True))
    if start is not None:
        query = query.where(EVENTS.c.end_time > start)
    return query if end is None else query.where(EVENTS.c.start_time < end)


def _repeating(user_id: str, end: datetime | None) -> Select[Any]:
    query = select(EVENTS).where(EVENTS.c.user_id == user_id, EVENTS.c.series_id.is_(None))
    query = query.where(EVENTS.c.repeats.is_not(False))
    return query if end is None else query.where(EVENTS.c.start_time < end)


def _of_series(user_id: str, series_id: str | None = None) -> Select[Any]:
    query = select(EVENTS).where(EVENTS.c.user_id == user_id, EVENTS.c.series_id.is_not(None))
    return query if series_id is None else query.where(EVENTS.c.series_id == series_id)


def _list(db: Connection, query: Select[Any], default: str) -> list[Event]:
    rows = db.execute(query.order_by(EVENTS.c.start_time, EVENTS.c.id)).mappings().all()
    return [_filed(read(row, Event), default) for row in rows]


def _filed(event: Event, default: str) -> Event:
    return event if event.calendar_id is not None else structs.replace(event, calendar_id=default)


def _gathered(masters: Iterable[Event], overrides: Iterable[Event]) -> list[Series]:
    of: dict[str | None, list[Event]] = {}
    for override in overrides:
        of.setdefault(override.series_id, []).append(override)
    return [
        Series(master=master, overrides=tuple(of.get(master.id, ())))
        for master in masters
        if master.recurrence is not None
    ]


def _whole(db: Connection, user_id: str | None, event_id: str, *, lock: bool = False) -> Series:
    """Read the calendar object to which an event belongs; raises Refused for none of this user's."""
    master_id = event_id
    query = select(EVENTS).where(EVENTS.c.id == event_id, EVENTS.c.series_id.is_(None))
    if db.execute(query.with_only_columns(EVENTS.c.id)).first() is None:
        master_id = unrolling.series_id_of(event_id) or event_id
    query = select(EVENTS).where(EVENTS.c.id == master_id, EVENTS.c.series_id.is_(None))
    if user_id is not None:
        query = query.where(EVENTS.c.user_id == user_id)
    master = find(db, query.with_for_update() if lock else query, Event, "event in this calendar")
    default = default_calendar(master.user_id)
    overrides = _list(db, _of_series(master.user_id, master.id), default)
    return Series(master=_filed(master, default), overrides=tuple(overrides))


def _lock(db: Connection, user_id: str, event_id: str) -> Series:
    return _whole(db, user_id, event_id, lock=True)


def _apply(db: Connection, rewrite: Rewrite) -> None:
    if rewrite.gone:
        _forget(db, rewrite.gone)
    for event in rewrite.kept:
        new = database.insert(db, EVENTS).values(_row(event))
        db.execute(new.on_conflict_do_update(index_elements=[EVENTS.c.id], set_=_row(event)))


def _forget(db: Connection, ids: Sequence[str]) -> None:
    """Forget rows, and let nothing remind of them."""
    about = or_(REMINDERS.c.event_id.in_(ids), REMINDERS.c.about_event_id.in_(ids))
    event_id = func.coalesce(REMINDERS.c.about_event_id, REMINDERS.c.event_id)
    db.execute(update(REMINDERS).where(about).values(status="cancelled", about_event_id=event_id, event_id=None))
    db.execute(delete(EVENTS).where(EVENTS.c.id.in_(ids)))


def _row(event: Event) -> dict[str, Any]:
    return {**row_of(event, EVENTS), "repeats": event.recurrence is not None}

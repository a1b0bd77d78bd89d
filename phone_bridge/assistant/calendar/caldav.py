"""A keeper of events on a CalDAV server (RFC 4791): Nextcloud, iCloud, Fastmail, Radicale and others.

Nothing is copied here: every question goes to the server, every deed is done there. An object is written only if it is
still as it was read (its ETag), and carries the key of the deed that wrote it, so that no deed is done twice, not even
by a process that was killed before it knew that it had succeeded.
"""

import asyncio
import hashlib
import logging
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

import icalendar
from msgspec import Struct, structs

from phone_bridge.assistant.calendar.accounts import Account
from phone_bridge.errors import Refused, SettingsError, Unavailable
from phone_bridge.tools import series as unrolling
from phone_bridge.tools.ics import names
from phone_bridge.tools.ics.reading import parse, read
from phone_bridge.tools.ics.writing import deed_of, written
from phone_bridge.tools.keeper import Calendar, Edit, Event, EventFields, Series, SeriesScope
from phone_bridge.tools.series import Rewrite

try:
    from caldav.davclient import DAVClient
    from caldav.lib import error as dav
    from niquests.exceptions import RequestException
except ModuleNotFoundError as missing:
    raise SettingsError(
        "a calendar on a CalDAV server is named, and the library for it is not installed: "
        "pip install 'phone_bridge[caldav]'"
    ) from missing

TIMEOUT_SECONDS = 8
"""How long the server may take to answer one request; a tool has ten seconds."""
ATTEMPTS = 4
"""How often a deed is tried again because somebody else changed the event meanwhile."""
THREADS = 8
"""How many requests go to the servers at a time; a user's own go one after the other."""
DEEDS_KEPT = 256
"""How many outcomes are remembered, to be told again."""

_DEEDS = uuid.UUID("6f0d2a4e-54a4-4d0e-9e7a-0c3b5b2f7a11")
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="caldav")
_log = logging.getLogger(__name__)
T = TypeVar("T")


class _Object(Struct, frozen=True):
    """One calendar object as it was read."""

    resource: Any
    text: icalendar.Calendar
    series: Series


class CalDavKeeper:
    """Keep one user's events in their account; ``now`` gives the time, aware."""

    def __init__(self, account: Account, *, now: Callable[[], datetime], seconds: int = TIMEOUT_SECONDS) -> None:
        self._account = account
        self._now = now
        self._client: Any = DAVClient(
            url=account.url,
            username=account.username,
            password=account.password,
            timeout=seconds,
            enable_rfc6764=False,
            require_tls=False,
        )
        self._turn = asyncio.Lock()
        self._found: list[Any] = []
        self._done: OrderedDict[str, Any] = OrderedDict()

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    # The promise

    async def calendars(self, user_id: str) -> list[Calendar]:
        """List the account's calendars; the first one is the default."""
        return await self._ask(user_id, self._calendars)

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
        return await self._ask(user_id, lambda: self._events(start, end, include_cancelled, unroll))

    async def event(self, event_id: str, *, user_id: str | None = None) -> Event:
        """Find an event, a series or an occurrence, cancelled or not."""
        owner = self._account.user_id if user_id is None else user_id
        return await self._ask(owner, lambda: unrolling.occurrence(self._find(event_id).series, event_id))

    async def series(self, user_id: str, event_id: str) -> Series:
        """Find the whole calendar object to which an event, a series or an occurrence belongs."""
        return await self._ask(user_id, lambda: self._find(event_id).series)

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        """Keep a new event, or a new series; its UID comes from the key, so that it is made once."""
        return await self._ask(user_id, lambda: self._once(key, lambda: self._create(fields, key)))

    async def update_event(
        self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str, scope: SeriesScope = "this"
    ) -> Edit:
        """Put ``change(event)`` in the place of an event.

        Asked for again by a process that does not remember it, the outcome shows the event as it is by now, twice.
        """

        def work(series: Series) -> Rewrite:
            new_id = names.event_id(_uid(key))
            return unrolling.changed(series, event_id, scope, change, now=self._now(), new_id=lambda: new_id)

        return await self._ask(user_id, lambda: self._once(key, lambda: self._rewrite(event_id, work, key)))

    async def cancel_event(
        self, user_id: str, event_id: str, *, reason: str | None, key: str, scope: SeriesScope = "this"
    ) -> Event:
        """Mark an event as cancelled; it stays readable, here and in other programs."""

        def cancelled(event: Event) -> Event:
            return structs.replace(event, is_cancelled=True, cancelled_at=self._now(), cancel_reason=reason)

        return (await self.update_event(user_id, event_id, cancelled, key=key, scope=scope)).after

    async def delete_event(self, user_id: str, event_id: str, *, key: str, scope: SeriesScope = "this") -> Event:
        """Forget an event for good, cancelled or not; what it was is returned."""

        def work(series: Series) -> Rewrite:
            return unrolling.deleted(series, event_id, scope, now=self._now())

        edit = await self._ask(user_id, lambda: self._once(key, lambda: self._rewrite(event_id, work, key)))
        return edit.before

    # Everything below blocks, and runs in a thread

    async def _ask(self, user_id: str, work: Callable[[], T]) -> T:
        if user_id != self._account.user_id:
            raise Refused("There is no such calendar here.", code="resource_missing")
        async with self._turn:
            return await asyncio.get_running_loop().run_in_executor(_pool, _told, work)

    def _once(self, key: str, work: Callable[[], T]) -> T:
        if key in self._done:
            found: T = self._done[key]
            return found
        outcome = self._done[key] = work()
        if len(self._done) > DEEDS_KEPT:
            self._done.popitem(last=False)
        return outcome

    def _resources(self) -> list[Any]:
        """List the calendars, which do not come and go while a process lives; a new one is seen by the next one."""
        if not self._found:
            try:
                self._found = self._client.principal().get_calendars()
            except (dav.NotFoundError, dav.PropfindError):
                self._found = [self._client.calendar(url=self._account.url)]
        if not self._found:
            raise Refused("That account has no calendar: make one with its own program.", code="resource_missing")
        return self._found

    def _calendars(self) -> list[Calendar]:
        return [
            Calendar(
                id=_calendar_id(each),
                user_id=self._account.user_id,
                name=each.get_display_name() or "",
                timezone=self._account.timezone,
                is_default=number == 0,
                external_id=str(each.url),
            )
            for number, each in enumerate(self._resources())
        ]

    def _events(
        self, start: datetime | None, end: datetime | None, include_cancelled: bool, unroll: bool
    ) -> list[Event]:
        first, last = unrolling.window(start, end, self._now())
        found: list[Event] = []
        for calendar in self._resources():
            # Of series as themselves, those that are over are wanted as well.
            asked = calendar.search(start=first, end=last, event=True) if unroll else calendar.get_events()
            for each in (self._read(calendar, resource) for resource in asked):
                if each is not None and unroll:
                    found += unrolling.occurrences(each.series, first, last, include_cancelled=True)
                elif each is not None and _touches(each.series.master, start, end):
                    found.append(each.series.master)
        alive = (event for event in found if include_cancelled or not event.is_cancelled)
        return sorted(alive, key=lambda event: (event.start_time, event.id))

    def _find(self, event_id: str) -> _Object:
        uid = names.uid_of(unrolling.series_id_of(event_id) or event_id)
        found = self._by_uid(uid) if uid else None
        if found is None:
            raise Refused("There is no such event.", code="resource_missing")
        return found

    def _by_uid(self, uid: str) -> _Object | None:
        for calendar in self._resources():
            try:
                resource = calendar.get_event_by_uid(uid)
            except dav.NotFoundError:
                continue
            found = self._read(calendar, resource)
            if found is not None:
                return found
        return None

    def _read(self, calendar: Any, resource: Any) -> _Object | None:
        """Read an object; one that somebody else's program wrote in a way that cannot be read is nobody's event."""
        try:
            text = parse(resource.data or "")[0]
            result = read(text.to_ical(), user_id=self._account.user_id, zone=self._account.timezone, now=self._now())
        except Refused:
            _log.warning("! an object of a CalDAV calendar cannot be read: invalid_calendar")
            return None
        if not result.objects:
            return None
        source = {"calendar_id": _calendar_id(calendar)}
        whole = result.objects[0]
        master = structs.replace(whole.master, source=_source(whole.master, resource), **source)
        overrides = tuple(structs.replace(each, source=master.source, **source) for each in whole.overrides)
        return _Object(resource, text, Series(master=master, overrides=overrides))

    def _create(self, fields: EventFields, key: str) -> Event:
        uid = _uid(key)
        found = self._by_uid(uid)
        if found is not None:
            return found.series.master
        now = self._now()
        event = Event(
            **structs.asdict(fields),
            id=names.event_id(uid),
            user_id=self._account.user_id,
            created_at=now,
            updated_at=now,
        )
        unrolling.check(event)
        self._write_new(uid, event, (), key)
        found = self._by_uid(uid)
        if found is None:
            raise Unavailable("The calendar's server took the event and does not show it.", code="calendar_unavailable")
        return found.series.master

    def _rewrite(self, event_id: str, work: Callable[[Series], Rewrite], key: str) -> Edit:
        for _ in range(ATTEMPTS):
            old = self._find(event_id)
            if deed_of(old.text) == key:
                now = unrolling.occurrence(old.series, event_id)
                return Edit(now, now)
            rewrite = work(old.series)
            try:
                self._apply(rewrite, old, key)
            except (dav.ETagMismatchError, dav.ConsistencyError):
                continue
            return rewrite.edit
        raise Unavailable("The event was changed by others again and again.", code="calendar_changed")

    def _apply(self, rewrite: Rewrite, old: _Object, key: str) -> None:
        """Write a series that was cut off first, then the old one: what is lost in between is nothing."""
        own = old.series.master
        masters = {event.id: event for event in rewrite.kept if event.series_id is None}
        for master in masters.values():
            if master.id != own.id:
                overrides = [event for event in rewrite.kept if event.series_id == master.id]
                self._write_new(names.uid_of(master.id) or master.id, master, overrides, key, old)
        if own.id in rewrite.gone:
            old.resource.delete()
            return
        kept = {event.id: event for event in old.series.overrides if event.id not in rewrite.gone}
        kept |= {event.id: event for event in rewrite.kept if event.series_id == own.id}
        uid, master = names.uid_for(own), masters.get(own.id, own)
        text = written(uid, master, list(kept.values()), deed=key, source=old.text, before=old.series)
        old.resource.data = text.decode()
        old.resource.save(increase_seqno=False)

    def _write_new(
        self, uid: str, master: Event, overrides: Sequence[Event], key: str, old: _Object | None = None
    ) -> None:
        calendar = self._calendar_of(master)
        source, before = (old.text, old.series) if old is not None else (None, None)
        text = written(uid, master, overrides, deed=key, source=source, before=before)
        try:
            calendar.add_event(text.decode(), no_overwrite=True)
        except (dav.ETagMismatchError, dav.ConsistencyError):
            return  # the same deed was done before, or is being done elsewhere

    def _calendar_of(self, event: Event) -> Any:
        for calendar in self._resources():
            if event.calendar_id in (None, _calendar_id(calendar)):
                return calendar
        raise Refused("There is no such calendar.", code="resource_missing")


def _told(work: Callable[[], T]) -> T:
    """Do ``work``, and say in our words what went wrong."""
    try:
        return work()
    except dav.AuthorizationError as error:
        raise Refused(
            "The calendar's server does not let us in: its password has changed, or the right to write is missing.",
            code="connection_expired",
        ) from error
    except dav.NotFoundError as error:
        raise Refused("There is no such event.", code="resource_missing") from error
    except (dav.DAVError, RequestException, OSError) as error:
        raise Unavailable(
            f"The calendar's server cannot be reached, or answers with an error ({type(error).__name__}).",
            code="calendar_unavailable",
        ) from error


def _uid(key: str) -> str:
    return str(uuid.uuid5(_DEEDS, key))


def _calendar_id(calendar: Any) -> str:
    return "cal_" + hashlib.sha256(str(calendar.url).encode()).hexdigest()[:16]


def _source(event: Event, resource: Any) -> Any:
    return structs.replace(event.source, type="caldav", etag=getattr(resource, "etag", None))


def _touches(master: Event, start: datetime | None, end: datetime | None) -> bool:
    over = master.recurrence is None and start is not None and master.end_time <= start
    return not over and (end is None or master.start_time < end)

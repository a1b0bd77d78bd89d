"""The calendar tools: their table, and their running on whatever keeps the promise of ``CalendarKeeper``.

Every result is ``{"ok": True, …}`` or ``{"ok": False, "error": {type, code, message, param?}}``; what was touched is
named under ``resource``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools import free_time, schemas
from phone_bridge.tools.catalogue import Catalogue, Effect, Reach, Tool
from phone_bridge.tools.free_time import Span
from phone_bridge.tools.keeper import CalendarKeeper, Event, EventFields, ReminderFields, User

TOOL_SECONDS = 10.0
"""How long a tool may take; what it wrote meanwhile is found again under the same key."""
ALTERNATIVES_MAX = 3
"""How many other times are offered where one is taken."""
_READ, _WRITE = "events:read", "events:write"

CALENDAR_TOOLS = Catalogue(
    (
        Tool(
            name="create_event",
            description="Put a new event into the calendar.",
            schema=schemas.schema_of(schemas.CreateEvent),
            effect=Effect.WRITE,
            scope=_WRITE,
            reach=Reach.CALENDAR,
            asks=True,
        ),
        Tool(
            name="update_event",
            description="Change an event: move it, rename it, make it longer or shorter.",
            schema=schemas.schema_of(schemas.UpdateEvent),
            effect=Effect.WRITE,
            scope=_WRITE,
            reach=Reach.CALENDAR,
            asks=True,
        ),
        Tool(
            name="cancel_event",
            description="Cancel an event.",
            schema=schemas.schema_of(schemas.CancelEvent),
            effect=Effect.DESTROY,
            scope=_WRITE,
            reach=Reach.CALENDAR,
            asks=True,
        ),
        Tool(
            name="get_day_overview",
            description="List one day's events and its free time.",
            schema=schemas.schema_of(schemas.GetDayOverview),
            effect=Effect.READ,
            scope=_READ,
        ),
        Tool(
            name="get_next_event",
            description="Find the next event that begins.",
            schema=schemas.schema_of(schemas.GetNextEvent),
            effect=Effect.READ,
            scope=_READ,
        ),
        Tool(
            name="search_events",
            description="Find events by words, time, place or people.",
            schema=schemas.schema_of(schemas.SearchEvents),
            effect=Effect.READ,
            scope=_READ,
        ),
        Tool(
            name="create_reminder",
            description="Remind the user at a time, or some minutes before an event.",
            schema=schemas.schema_of(schemas.CreateReminder),
            effect=Effect.WRITE,
            scope=_WRITE,
            reach=Reach.STATE,
        ),
        Tool(
            name="check_availability",
            description="Say whether a time is free, when the user is busy, or which slots are free.",
            schema=schemas.schema_of(schemas.CheckAvailability),
            effect=Effect.READ,
            scope="calendars:read",
        ),
    )
)

Result = dict[str, Any]


def failure(type: str, code: str, message: str, param: str = "") -> Result:
    """Make the result of a tool that could not do its work."""
    error = {"type": type, "code": code, "message": message}
    return {"ok": False, "error": {**error, "param": param} if param else error}


class CalendarTools:
    """Run the calendar tools for users; ``now`` gives the time, aware."""

    def __init__(self, keeper: CalendarKeeper, now: Callable[[], datetime], *, seconds: float = TOOL_SECONDS) -> None:
        self._keeper = keeper
        self._now = now
        self._seconds = seconds
        self._runners: dict[str, Callable[[User, Mapping[str, Any], str], Awaitable[Result]]] = {
            "create_event": self._create_event,
            "update_event": self._update_event,
            "cancel_event": self._cancel_event,
            "get_day_overview": self._get_day_overview,
            "get_next_event": self._get_next_event,
            "search_events": self._search_events,
            "create_reminder": self._create_reminder,
            "check_availability": self._check_availability,
        }

    def allowed(self, scopes: frozenset[str]) -> frozenset[str]:
        """Name the tools that ``scopes`` open."""
        return CALENDAR_TOOLS.within(scopes).names()

    async def run(self, user_id: str, tool: str, parameters: Mapping[str, Any], *, key: str) -> Result:
        """Run ``tool``; what the user or the calendar can cause is told in the result, never raised.

        The same ``key`` writes once, however often it is asked for.
        """
        try:
            runner = self._runners[CALENDAR_TOOLS.find(tool).name]
            async with asyncio.timeout(self._seconds):
                return await runner(await self._keeper.user(user_id), parameters, key)
        except schemas.Invalid as error:
            return failure("invalid_request_error", error.code, str(error), error.param)
        except Refused as error:
            return failure("invalid_request_error", error.code, str(error))
        except Unavailable as error:
            return failure("api_error", error.code, str(error))
        except TimeoutError:
            return failure("api_error", "tool_timeout", "The calendar did not answer in time.")

    async def _create_event(self, user: User, parameters: Mapping[str, Any], key: str) -> Result:
        asked = schemas.read(schemas.CreateEvent, parameters)
        _refuse_mail("send_invitations", asked.send_invitations)
        event = await self._keeper.create_event(user.id, _fields(asked, user), key=key)
        overlaps = await self._conflicts(user, free_time.span_of(event), except_id=event.id)
        return _touched(event, conflicts=[] if event.all_day else overlaps)

    async def _update_event(self, user: User, parameters: Mapping[str, Any], key: str) -> Result:
        asked = schemas.read(schemas.UpdateEvent, parameters)
        _refuse_mail("notify", asked.notify)
        edit = await self._keeper.update_event(user.id, asked.event_id, lambda event: _changed(event, asked), key=key)
        return _touched(edit.after, changed_fields=edit.changed_fields())

    async def _cancel_event(self, user: User, parameters: Mapping[str, Any], key: str) -> Result:
        asked = schemas.read(schemas.CancelEvent, parameters)
        _refuse_mail("notify", asked.notify)
        event = await self._keeper.cancel_event(user.id, asked.event_id, reason=asked.reason, key=key)
        return _touched(event)

    async def _create_reminder(self, user: User, parameters: Mapping[str, Any], key: str) -> Result:
        asked = schemas.read(schemas.CreateReminder, parameters)
        reminder = await self._keeper.create_reminder(user.id, ReminderFields(**asked.given()), key=key)
        plain = msgspec.to_builtins(reminder)
        return {"ok": True, "reminder": plain, "resource": {"object": "reminder", "id": reminder.id}}

    async def _get_day_overview(self, user: User, parameters: Mapping[str, Any], _key: str) -> Result:
        asked = schemas.read(schemas.GetDayOverview, parameters)
        zone = ZoneInfo(asked.timezone or user.timezone)
        day = asked.date or self._now().astimezone(zone).date()
        midnight = datetime.combine(day, time(), zone)
        whole = Span(midnight, datetime.combine(day + timedelta(days=1), time(), zone))
        events = _of_calendars(await self._keeper.events(user.id, start=whole.start, end=whole.end), asked.calendar_ids)
        busy = self._busy(events, user, include_tentative=True)
        free = free_time.gaps(busy, free_time.working_day(midnight, user.working_hours, zone))
        items = [{"event": plain_event(event), "conflicts_with": _overlapping(event, events)} for event in events]
        blocks = [_plain_span(span, zone) for span in free]
        return {"ok": True, "date": day.isoformat(), "timezone": zone.key, "events": items, "free_blocks": blocks}

    async def _get_next_event(self, user: User, parameters: Mapping[str, Any], _key: str) -> Result:
        asked = schemas.read(schemas.GetNextEvent, parameters)
        after = asked.after or self._now()
        events = _of_calendars(await self._keeper.events(user.id, start=after, end=None), asked.calendar_ids)
        coming = (event for event in events if event.start_time >= after and not event.all_day)
        found = next((event for event in coming if event.location or not asked.with_location_only), None)
        if found is None:
            return {"ok": True, "event": None, "minutes_until": None}
        minutes = int((found.start_time - self._now()).total_seconds() // 60)
        return _touched(found, minutes_until=minutes)

    async def _search_events(self, user: User, parameters: Mapping[str, Any], _key: str) -> Result:
        asked = schemas.read(schemas.SearchEvents, parameters)
        start, end = asked.from_time or None, asked.to_time or None
        events = await self._keeper.events(user.id, start=start, end=end, include_cancelled=asked.include_cancelled)
        found = [event for event in _of_calendars(events, asked.calendar_ids) if _matches(event, asked)]
        if asked.cursor:
            ids = [event.id for event in found]
            if asked.cursor not in ids:
                raise schemas.Invalid("The cursor belongs to another search.", "cursor")
            found = found[ids.index(asked.cursor) + 1 :]
        page = found[: asked.limit]
        more = len(found) > len(page)
        data = [plain_event(event) for event in page]
        return {
            "ok": True,
            "object": "list",
            "data": data,
            "has_more": more,
            "next_cursor": page[-1].id if more else None,
        }

    async def _check_availability(self, user: User, parameters: Mapping[str, Any], _key: str) -> Result:
        asked = schemas.read(schemas.CheckAvailability, parameters)
        if any(participant != user.id for participant in asked.participants or ()):
            raise schemas.Invalid("Only the user's own calendar can be looked at.", "participants")
        mode, first, last = asked.mode()
        if mode == "time":
            return await self._one_time(user, asked, Span(first, last))
        if mode == "busy":
            return await self._window(user, asked, Span(first, last))
        minutes = asked.duration_minutes or user.default_event_duration_min
        found = await self._slots(user, asked, Span(first, last), minutes)
        return {"ok": True, "slots": found[: asked.limit]}

    async def _one_time(self, user: User, asked: schemas.CheckAvailability, span: Span) -> Result:
        conflicts = await self._conflicts(user, span, include_tentative=asked.include_tentative)
        if not conflicts:
            return {"ok": True, "available": True, "conflicts": [], "alternatives": []}
        day = free_time.working_day(span.start, user.working_hours, ZoneInfo(user.timezone))
        rest = Span(max(self._now(), min(day.start, span.start)), max(day.end, span.end))
        minutes = int((span.end - span.start).total_seconds() // 60)
        others = await self._slots(user, asked, rest, minutes) if rest.start < rest.end else []
        return {"ok": True, "available": False, "conflicts": conflicts, "alternatives": others[:ALTERNATIVES_MAX]}

    async def _window(self, user: User, asked: schemas.CheckAvailability, window: Span) -> Result:
        events = await self._keeper.events(user.id, start=window.start, end=window.end)
        busy = free_time.within(self._busy(events, user, include_tentative=asked.include_tentative), window)
        zone = ZoneInfo(user.timezone)
        return {"ok": True, "busy": {user.id: [_plain_span(span, zone) for span in busy]}}

    async def _slots(
        self, user: User, asked: schemas.CheckAvailability, window: Span, minutes: int
    ) -> list[dict[str, Any]]:
        zone = ZoneInfo(user.timezone)
        events = await self._keeper.events(user.id, start=window.start, end=window.end)
        found = free_time.slots(
            self._busy(events, user, include_tentative=asked.include_tentative),
            free_time.reachable(window, user.working_hours, zone),
            minutes,
            buffer=asked.buffer_minutes_between_meetings,
            prefer=asked.preferred_time_of_day or None,
            zone=zone,
        )
        return [{**_plain_span(Span(slot.start, slot.end), zone), "score": slot.score} for slot in found]

    async def _conflicts(
        self, user: User, span: Span, *, except_id: str = "", include_tentative: bool = True
    ) -> list[dict[str, Any]]:
        events = await self._keeper.events(user.id, start=span.start, end=span.end)
        return [
            {
                "event_id": event.id,
                "title": event.title,
                "start_time": _local(event.start_time, event.timezone),
                "end_time": _local(event.end_time, event.timezone),
                "overlap_minutes": free_time.span_of(event).overlap_minutes(span),
            }
            for event in events
            if event.id != except_id and free_time.is_busy(event, user.email, include_tentative=include_tentative)
        ]

    def _busy(self, events: list[Event], user: User, *, include_tentative: bool) -> list[Span]:
        taken = (event for event in events if free_time.is_busy(event, user.email, include_tentative=include_tentative))
        return [free_time.span_of(event) for event in taken]


def plain_event(event: Event) -> dict[str, Any]:
    """Write an event as JSON's values, its times in its own zone."""
    plain: dict[str, Any] = msgspec.to_builtins(event)
    plain["attendees"] = list(plain["attendees"])
    for name in ("start_time", "end_time"):
        plain[name] = _local(getattr(event, name), event.timezone)
    return plain


def _touched(event: Event, **more: Any) -> Result:
    return {"ok": True, "event": plain_event(event), **more, "resource": {"object": "event", "id": event.id}}


def _local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).isoformat()


def _plain_span(span: Span, zone: ZoneInfo) -> dict[str, Any]:
    return {"start": span.start.astimezone(zone).isoformat(), "end": span.end.astimezone(zone).isoformat()}


def _refuse_mail(param: str, wanted: bool) -> None:
    if wanted:
        raise schemas.Invalid("This calendar cannot write to other people.", param)


def _fields(asked: schemas.CreateEvent, user: User) -> EventFields:
    """Fill in what was left open: the zone, the end and the bounds of whole days."""
    zone = asked.timezone or user.timezone
    start, end = _bounds(
        schemas.day_or_time(asked.start_time, all_day=asked.all_day),
        asked.end_time or None,
        asked.duration_minutes or user.default_event_duration_min,
        all_day=asked.all_day,
        zone=ZoneInfo(zone),
    )
    given = asked.given()
    for name in ("start_time", "end_time", "duration_minutes", "send_invitations", "timezone"):
        given.pop(name, None)
    given["attendees"] = tuple(asked.attendees)
    return EventFields(**given, start_time=start, end_time=end, timezone=zone)


def _bounds(
    start: date | datetime, end: datetime | None, minutes: int, *, all_day: bool, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """Work out when an event begins and ends; raises Invalid for an end that is not after the beginning."""
    if all_day or not isinstance(start, datetime):
        first, last = _whole_days(start, end, zone)
    else:
        first, last = start, end or start + timedelta(minutes=minutes)
    if last <= first:
        raise schemas.Invalid("An event must end after it begins.", "end_time")
    return first, last


def _whole_days(start: date | datetime, end: datetime | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Widen times to whole days in ``zone``; one day where no end is given."""
    first = start.astimezone(zone).date() if isinstance(start, datetime) else start
    last = end.astimezone(zone) if end else datetime.combine(first + timedelta(days=1), time(), zone)
    after = last.date() if last.time() == time() else last.date() + timedelta(days=1)
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


def _changed(event: Event, asked: schemas.UpdateEvent) -> Event:
    """Apply the wished changes; an event that is only moved keeps its length."""
    given = asked.given()
    for name in ("event_id", "series_scope", "notify", "start_time", "end_time", "duration_minutes"):
        given.pop(name, None)
    if asked.attendees is not UNSET:
        given["attendees"] = tuple(asked.attendees)
    all_day = event.all_day if asked.all_day is UNSET else asked.all_day
    length = event.end_time - event.start_time
    start = schemas.day_or_time(asked.start_time, all_day=all_day) if asked.start_time else event.start_time
    end = asked.end_time or None
    if asked.duration_minutes:
        length = timedelta(minutes=asked.duration_minutes)
    if end is None and isinstance(start, datetime):
        end = start.astimezone(UTC) + length
    zone = ZoneInfo(asked.timezone or event.timezone)
    first, last = _bounds(start, end, 0, all_day=all_day, zone=zone)
    return msgspec.structs.replace(event, **given, start_time=first, end_time=last)


def _of_calendars(events: list[Event], calendar_ids: Any) -> list[Event]:
    if not calendar_ids:
        return events
    return [event for event in events if event.calendar_id in calendar_ids]


def _overlapping(event: Event, events: list[Event]) -> list[str]:
    if event.all_day:
        return []
    span = free_time.span_of(event)
    others = (other for other in events if other.id != event.id and not other.all_day)
    return [other.id for other in others if free_time.span_of(other).touches(span)]


def _matches(event: Event, asked: schemas.SearchEvents) -> bool:
    """Tell whether an event has all the words, the category, the person and the place that were asked for."""
    place = " ".join(filter(None, (event.location.name, event.location.address))) if event.location else ""
    people = " ".join(f"{person.name or ''} {person.email}" for person in event.attendees)
    everything = f"{event.title} {event.description or ''} {place} {people}".casefold()
    return (
        all(word in everything for word in (asked.query or "").casefold().split())
        and asked.category in (UNSET, event.category)
        and (asked.location_text or "").casefold() in place.casefold()
        and (not asked.attendee_email or any(p.email == asked.attendee_email for p in event.attendees))
    )

"""The tools that write events: create, change, cancel, cancel many, and tell those who take part."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET

from phone_bridge.errors import Refused
from phone_bridge.tools import free_time, schemas
from phone_bridge.tools import parameters as p
from phone_bridge.tools.desk import Desk, about
from phone_bridge.tools.keeper import Event, EventFields, Recurrence, User
from phone_bridge.tools.plain import Result, resource, told, touched


async def create_event(desk: Desk, user: User, asked: p.CreateEvent, key: str) -> Result:
    """Put a new event into the calendar."""
    if asked.send_invitations and not asked.attendees:
        raise schemas.Invalid("There is nobody to invite: name the attendees.", "send_invitations")
    event = await desk.keeper.create_event(user.id, fields_of(asked, user), key=key)
    overlaps = [] if event.all_day else await desk.conflicts(user, free_time.span_of(event), except_id=event.id)
    messages = await _tell(desk, user, event, "invite", f"{key}:invite") if asked.send_invitations else {}
    return touched(event, conflicts=overlaps, **messages)


async def update_event(desk: Desk, user: User, asked: p.UpdateEvent, key: str) -> Result:
    """Change an event, or a series."""
    edit = await desk.keeper.update_event(
        user.id, asked.event_id, lambda event: changed(event, asked), key=key, scope=asked.series_scope
    )
    messages = await _tell(desk, user, edit.after, "update", f"{key}:notify") if asked.notify else {}
    return touched(edit.after, changed_fields=edit.changed_fields(), **messages)


async def cancel_event(desk: Desk, user: User, asked: p.CancelEvent, key: str) -> Result:
    """Cancel an event, or a series; nobody is told of one to which nobody is invited."""
    event = await desk.keeper.cancel_event(
        user.id, asked.event_id, reason=asked.reason, key=key, scope=asked.series_scope
    )
    messages = await _tell(desk, user, event, "cancel", f"{key}:notify", asked.reason) if asked.notify else {}
    return touched(event, cancelled_at=msgspec.to_builtins(event.cancelled_at), **messages)


async def bulk_cancel_events(desk: Desk, user: User, asked: p.BulkCancelEvents, key: str) -> Result:
    """Cancel events one after another; those that cannot be cancelled do not keep the others from it."""
    if asked.event_ids is UNSET:
        raise schemas.Invalid(
            "The filter must be made into event_ids before the events are cancelled, so that what was agreed to is "
            "what is done.",
            "filter",
            code="filter_not_resolved",
        )
    cancelled, failed = [], []
    for event_id in asked.event_ids:
        each = f"{key}:{event_id}"
        try:
            event = await desk.keeper.cancel_event(user.id, event_id, reason=asked.reason, key=each)
            cancelled.append(event_id)
            if asked.notify:
                await _tell(desk, user, event, "cancel", f"{each}:notify", asked.reason)
        except Refused as error:
            problem = {"type": "invalid_request_error", "code": error.code, "message": str(error)}
            failed.append({"event_id": event_id, "error": problem})
    resources = [resource("event", event_id) for event_id in cancelled]
    return {"ok": True, "cancelled": cancelled, "failed": failed, "resources": resources}


async def notify_attendees(desk: Desk, user: User, asked: p.NotifyAttendees, key: str) -> Result:
    """Keep a message for those who take part."""
    event = await desk.keeper.event(asked.event_id, user_id=user.id)
    messages = await desk.tell(
        user,
        event,
        "cancel" if asked.kind == "cancelled" else asked.kind,
        key=key,
        message=asked.message or None,
        eta=asked.eta or None,
        only=None if asked.attendee_emails is UNSET else asked.attendee_emails,
    )
    return about(event, **messages)


async def _tell(desk: Desk, user: User, event: Event, kind: Any, key: str, message: str | None = None) -> Result:
    """Keep a message to everybody else who takes part; where there is nobody, that is no error after the deed."""
    if not any(person.email != user.email for person in event.attendees):
        return told(())
    return await desk.tell(user, event, kind, key=key, message=message)


def fields_of(asked: p.CreateEvent, user: User) -> EventFields:
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
    for name in ("start_time", "end_time", "duration_minutes", "send_invitations", "timezone", "recurrence"):
        given.pop(name, None)
    given["attendees"] = tuple(asked.attendees)
    recurrence = Recurrence(asked.recurrence.rule) if asked.recurrence else None
    return EventFields(**given, recurrence=recurrence, start_time=start, end_time=end, timezone=zone)


def changed(event: Event, asked: p.UpdateEvent) -> Event:
    """Apply the wished changes; an event that is only moved keeps its length."""
    given = asked.given()
    for name in ("event_id", "series_scope", "notify", "start_time", "end_time", "duration_minutes"):
        given.pop(name, None)
    if asked.attendees is not UNSET:
        given["attendees"] = tuple(asked.attendees)
    if asked.recurrence is not UNSET:
        given["recurrence"] = _recurrence(event, asked)
    if not {"start_time", "end_time", "duration_minutes", "all_day", "timezone"} & asked.given().keys():
        return msgspec.structs.replace(event, **given)
    first, last = _new_times(event, asked)
    return msgspec.structs.replace(event, **given, start_time=first, end_time=last)


def _recurrence(event: Event, asked: p.UpdateEvent) -> Recurrence | None:
    if not asked.recurrence:
        return None
    same = event.recurrence is not None and event.recurrence.rule == asked.recurrence.rule
    return event.recurrence if same else Recurrence(asked.recurrence.rule)


def _new_times(event: Event, asked: p.UpdateEvent) -> tuple[datetime, datetime]:
    all_day = event.all_day if asked.all_day is UNSET else asked.all_day
    zone = ZoneInfo(asked.timezone or event.timezone)
    length = event.end_time.astimezone(UTC) - event.start_time.astimezone(UTC)
    start = schemas.day_or_time(asked.start_time, all_day=all_day) if asked.start_time else event.start_time
    end = asked.end_time or None
    if asked.duration_minutes:
        length = timedelta(minutes=asked.duration_minutes)
    if end is None and event.all_day and all_day and not asked.duration_minutes:
        return _same_days(event, start, zone)
    if end is None and isinstance(start, datetime):
        end = start.astimezone(UTC) + length
    return _bounds(start, end, 0, all_day=all_day, zone=zone)


def _same_days(event: Event, start: date | datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Move whole days: as many of them, however long each is where the clock changes."""
    own = ZoneInfo(event.timezone)
    days = event.end_time.astimezone(own).date() - event.start_time.astimezone(own).date()
    if start == event.start_time:
        first = event.start_time.astimezone(own).date()
    else:
        first = start.astimezone(zone).date() if isinstance(start, datetime) else start
    return datetime.combine(first, time(), zone), datetime.combine(first + days, time(), zone)


def _bounds(
    start: date | datetime, end: datetime | None, minutes: int, *, all_day: bool, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """Work out when an event begins and ends; raises Invalid for an end that is not after the beginning."""
    if all_day or not isinstance(start, datetime):
        first, last = _whole_days(start, end, zone)
    else:
        first, last = start, end or start.astimezone(UTC) + timedelta(minutes=minutes)
    if last <= first:
        raise schemas.Invalid("An event must end after it begins.", "end_time")
    return first, last


def _whole_days(start: date | datetime, end: datetime | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Widen times to whole days in ``zone``; one day where no end is given."""
    first = start.astimezone(zone).date() if isinstance(start, datetime) else start
    last = end.astimezone(zone) if end else datetime.combine(first + timedelta(days=1), time(), zone)
    after = last.date() if last.time() == time() else last.date() + timedelta(days=1)
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)

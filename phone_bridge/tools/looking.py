"""The tools that look at the calendar: a day, a week, what comes next, and a search."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from phone_bridge.tools import departure as leaving
from phone_bridge.tools import free_time
from phone_bridge.tools import parameters as p
from phone_bridge.tools.desk import Desk, of_calendars
from phone_bridge.tools.free_time import Span
from phone_bridge.tools.keeper import Event, User
from phone_bridge.tools.plain import (
    Result,
    local,
    named,
    page,
    plain_departure,
    plain_event,
    plain_span,
    touched,
    value,
)
from phone_bridge.tools.schemas import Invalid

HIGHLIGHTS = 3
"""How many events of a day are named in its summary."""
WEEK_DAYS = 7


class Day(Struct, frozen=True):
    """One day of a calendar, from midnight to midnight on the clock of ``zone``."""

    date: date
    zone: ZoneInfo
    events: Sequence[Event]

    @property
    def busy(self) -> list[Span]:
        """The hours that are taken, merged and cut to the day."""
        return free_time.within((free_time.span_of(event) for event in self.timed), self.span)

    @property
    def timed(self) -> list[Event]:
        """The events that have hours."""
        return [event for event in self.events if not event.all_day]

    @property
    def span(self) -> Span:
        """The day as a stretch of time: 23 to 25 hours."""
        return _midnights(self.date, 1, self.zone)


async def get_day_overview(desk: Desk, user: User, asked: p.GetDayOverview, _key: str) -> Result:
    """List one day's events and its free time."""
    day = await _day(desk, user, asked.date, asked.timezone, asked.calendar_ids)
    busy = [free_time.span_of(event) for event in day.timed if _busy(event, user)]
    midnight = day.span.start
    free = free_time.gaps(busy, free_time.working_day(midnight, user.working_hours, day.zone))
    return {
        "ok": True,
        "date": day.date.isoformat(),
        "timezone": day.zone.key,
        "events": [await _item(desk, user, event, day, asked) for event in day.events],
        "free_blocks": [plain_span(span, day.zone) for span in free],
    }


async def get_day_summary(desk: Desk, user: User, asked: p.GetDaySummary, _key: str) -> Result:
    """Sum up one day."""
    day = await _day(desk, user, asked.date, asked.timezone, asked.calendar_ids)
    summary = await _summary(desk, user, day)
    return {"ok": True, **summary, "text": _day_text(summary, day, normal=asked.style == "normal")}


async def get_weekly_summary(desk: Desk, user: User, asked: p.GetWeeklySummary, _key: str) -> Result:
    """Sum up seven days."""
    zone = ZoneInfo(asked.timezone or user.timezone)
    today = desk.now().astimezone(zone).date()
    first = asked.week_start or today - timedelta(days=today.weekday())
    whole = _midnights(first, WEEK_DAYS, zone)
    events = await desk.keeper.events(user.id, start=whole.start, end=whole.end)
    events = of_calendars(events, asked.calendar_ids)
    days = [_cut(first + timedelta(days=n), zone, events) for n in range(WEEK_DAYS)]
    summaries = [await _summary(desk, user, day) for day in days]
    totals = {
        "events": len(events),
        **{name: sum(each[name] for each in summaries) for name in ("busy_minutes", "travel_minutes")},
        "conflicts": sum(each["conflict_count"] for each in summaries),
    }
    busiest = max(summaries, key=lambda each: (each["busy_minutes"], each["event_count"]))
    return {
        "ok": True,
        "week_start": first.isoformat(),
        "timezone": zone.key,
        "days": summaries,
        "totals": totals,
        "busiest_day": busiest["date"] if busiest["event_count"] else None,
        "text": _week_text(totals, busiest),
    }


async def get_next_event(desk: Desk, user: User, asked: p.GetNextEvent, _key: str) -> Result:
    """Find the next event that begins."""
    coming = of_calendars(await desk.coming(user, asked.after or desk.now()), asked.calendar_ids)
    found = next((event for event in coming if event.location or not asked.with_location_only), None)
    if found is None:
        return {"ok": True, "event": None, "departure": None, "minutes_until": None}
    minutes = int((found.start_time - desk.now()).total_seconds() // 60)
    leave = await desk.departure_if_any(user, found) if asked.include_departure else None
    return touched(found, departure=plain_departure(leave, found.timezone), minutes_until=minutes)


async def search_events(desk: Desk, user: User, asked: p.SearchEvents, _key: str) -> Result:
    """Find events by words, time, place or people."""
    start, end = asked.from_time or None, asked.to_time or None
    events = await desk.keeper.events(user.id, start=start, end=end, include_cancelled=asked.include_cancelled)
    found = [event for event in of_calendars(events, asked.calendar_ids) if _matches(event, asked)]
    if asked.cursor:
        ids = [event.id for event in found]
        if asked.cursor not in ids:
            raise Invalid("The cursor belongs to another search.", "cursor")
        found = found[ids.index(asked.cursor) + 1 :]
    return page(found, asked.limit, plain_event)


async def filtered(desk: Desk, user: User, wanted: p.BulkFilter) -> list[Event]:
    """Find the events that a filter means: of its stretch of time those that begin in it and match."""
    events = await desk.keeper.events(user.id, start=wanted.from_time, end=wanted.to_time)
    asked = p.SearchEvents(
        query=wanted.query,
        from_time=wanted.from_time,
        to_time=wanted.to_time,
        category=wanted.category,
        attendee_email=wanted.attendee_email,
    )
    own = of_calendars(events, wanted.calendar_ids)
    return [event for event in own if event.start_time >= wanted.from_time and _matches(event, asked)]


async def _day(desk: Desk, user: User, day: date | UnsetType, zone: str | UnsetType, calendar_ids: Any) -> Day:
    where = ZoneInfo(zone or user.timezone)
    which = day or desk.now().astimezone(where).date()
    whole = _midnights(which, 1, where)
    events = await desk.keeper.events(user.id, start=whole.start, end=whole.end)
    return Day(which, where, of_calendars(events, calendar_ids))


async def _item(desk: Desk, user: User, event: Event, day: Day, asked: p.GetDayOverview) -> dict[str, Any]:
    others = _overlapping(event, day.events)
    item: dict[str, Any] = {"event": plain_event(event), "conflicts_with": [other.id for other in others]}
    ahead = event.start_time > desk.now()
    leave = await desk.departure_if_any(user, event) if ahead and asked.include_departure else None
    if asked.include_departure:
        item["departure"] = plain_departure(leave, event.timezone)
    if asked.include_health:
        if leave is None and ahead:
            leave = await desk.departure_if_any(user, event)
        item["health"] = value(leaving.health(event, leave, [other.title for other in others], desk.now()))
    return item


async def _summary(desk: Desk, user: User, day: Day) -> dict[str, Any]:
    timed = day.timed
    ways = [await desk.departure_if_any(user, event) for event in timed]
    return {
        "date": day.date.isoformat(),
        "event_count": len(day.events),
        "first_start": local(timed[0].start_time, day.zone.key) if timed else None,
        "last_end": local(max(event.end_time for event in timed), day.zone.key) if timed else None,
        "busy_minutes": sum(span.overlap_minutes(span) for span in day.busy),
        "travel_minutes": sum(way.travel.total_minutes for way in ways if way is not None),
        "conflict_count": sum(len(_overlapping(event, timed)) for event in timed) // 2,
        "highlights": [named(event) for event in _highlights(day)],
    }


def _highlights(day: Day) -> list[Event]:
    """Choose what stands out: where one must go, or meets people, and what is longest; in order of time."""
    ranked = sorted(day.timed, key=lambda e: (e.location is None, not e.attendees, e.start_time - e.end_time))
    chosen = ranked[:HIGHLIGHTS] or list(day.events[:HIGHLIGHTS])
    return sorted(chosen, key=lambda event: event.start_time)


def _midnights(first: date, days: int, zone: ZoneInfo) -> Span:
    """Take whole days as moments: between two times of one zone Python would count the hours that the clock shows."""
    begin, end = (datetime.combine(day, time(), zone) for day in (first, first + timedelta(days=days)))
    return Span(begin.astimezone(UTC), end.astimezone(UTC))


def _cut(day: date, zone: ZoneInfo, events: Sequence[Event]) -> Day:
    whole = _midnights(day, 1, zone)
    return Day(day, zone, [event for event in events if free_time.span_of(event).touches(whole)])


def _busy(event: Event, user: User) -> bool:
    return free_time.is_busy(event, user.email, include_tentative=True)


def _overlapping(event: Event, events: Sequence[Event]) -> list[Event]:
    if event.all_day:
        return []
    span = free_time.span_of(event)
    others = (other for other in events if other.id != event.id and not other.all_day)
    return [other for other in others if free_time.span_of(other).touches(span)]


def _matches(event: Event, asked: p.SearchEvents) -> bool:
    """Tell whether an event has all the words, the category, the person and the place that were asked for."""
    place = " ".join(filter(None, (event.location.name, event.location.address))) if event.location else ""
    people = " ".join(f"{person.name or ''} {person.email}" for person in event.attendees)
    everything = f"{event.title} {event.description or ''} {place} {people}".casefold()
    email = (asked.attendee_email or "").casefold()
    return (
        all(word in everything for word in (asked.query or "").casefold().split())
        and asked.category in (UNSET, event.category)
        and (asked.location_text or "").casefold() in place.casefold()
        and (not email or any(person.email.casefold() == email for person in event.attendees))
    )


def _day_text(summary: dict[str, Any], day: Day, *, normal: bool) -> str:
    """Say a day in a sentence, or, in the normal style, with what stands out."""
    count = summary["event_count"]
    if not count:
        return f"There is nothing on {day.date:%A}."
    said = [f"{_counted(count, 'event')} on {day.date:%A}"]
    if summary["first_start"]:
        first, last = (datetime.fromisoformat(summary[name]) for name in ("first_start", "last_end"))
        said.append(f"from {_clock(first)} to {_clock(last)}")
    if summary["conflict_count"]:
        said.append(f"{_counted(summary['conflict_count'], 'conflict')}")
    text = f"{', '.join(said)}."
    if normal:
        told = [f"{each['title']} at {_clock(datetime.fromisoformat(each['start_time']))}" for each in _told(summary)]
        text += f" {'; '.join(told)}." if told else ""
        if summary["travel_minutes"]:
            text += f" {_counted(summary['travel_minutes'], 'minute')} of travel."
    return text


def _told(summary: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in summary["highlights"] if not each["start_time"].endswith("T00:00:00")]


def _week_text(totals: dict[str, int], busiest: dict[str, Any]) -> str:
    if not totals["events"]:
        return "There is nothing in that week."
    hours = round(totals["busy_minutes"] / 60)
    day = date.fromisoformat(busiest["date"])
    return f"{_counted(totals['events'], 'event')}, {_counted(hours, 'hour')} in all; the busiest day is {day:%A}."


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _clock(moment: datetime) -> str:
    hour = moment.hour % 12 or 12
    return f"{hour}{f':{moment.minute:02}' if moment.minute else ''} {'a.m.' if moment.hour < 12 else 'p.m.'}"

"""A day or a week of a calendar as lines of text, for a shell: what is when, and what is free; pure."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from phone_bridge.tools.ics.names import said
from phone_bridge.tools.keeper import Event
from phone_bridge.tools.rules import moment_of

MIN_GAP = timedelta(minutes=15)
"""Shorter breaks between events are not told."""
ALL_DAY = "all day"
_CLOCK_WIDTH = 11
_TITLE_WIDTH = 34


def day_page(day: date, events: Sequence[Event], zone: ZoneInfo, now: datetime) -> list[str]:
    """Write one day: its events in order, with the free time between them."""
    lines = [_heading(day, zone, now), ""]
    own = _of(day, events, zone)
    if not own:
        return [*lines, "  Nothing is planned."]
    return [*lines, *_with_gaps(own, day, zone, now)]


def week_page(first: date, events: Sequence[Event], zone: ZoneInfo, now: datetime) -> list[str]:
    """Write seven days from ``first`` on, those without events in one line each."""
    lines: list[str] = []
    for day in (first + timedelta(days=at) for at in range(7)):
        own = _of(day, events, zone)
        lines += ["", _heading(day, zone, now)] if own else ["", f"{_heading(day, zone, now)}  ·  free"]
        lines += [_line(event, day, zone, now) for event in own]
    return lines[1:]


def bounds(first: date, days: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Find the moments between which ``days`` days from ``first`` on lie."""
    start, end = (datetime.combine(day, time()) for day in (first, first + timedelta(days=days)))
    return moment_of(start, zone), moment_of(end, zone)


def _of(day: date, events: Sequence[Event], zone: ZoneInfo) -> list[Event]:
    start, end = bounds(day, 1, zone)
    touching = [event for event in events if event.start_time < end and max(event.end_time, event.start_time) >= start]
    own = [event for event in touching if event.end_time > start or event.start_time >= start]
    return sorted(own, key=lambda event: (not event.all_day, event.start_time, event.id))


def _heading(day: date, zone: ZoneInfo, now: datetime) -> str:
    today = now.astimezone(zone).date()
    near = {0: "  (today)", 1: "  (tomorrow)", -1: "  (yesterday)"}.get((day - today).days, "")
    return f"{day:%A}, {day.day} {day:%B %Y}{near}"


def _with_gaps(events: Sequence[Event], day: date, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    until: datetime | None = None
    for event in events:
        if until is not None and not event.all_day and event.start_time - until >= MIN_GAP:
            yield f"  {'·':>{_CLOCK_WIDTH}}  {_lasting(event.start_time - until)} free"
        yield _line(event, day, zone, now)
        if not event.all_day and not event.is_cancelled:
            until = max(until or event.end_time, event.end_time)


def _line(event: Event, day: date, zone: ZoneInfo, now: datetime) -> str:
    mark = "▸" if event.start_time <= now < event.end_time and not event.all_day else " "
    title = event.title if len(event.title) <= _TITLE_WIDTH else event.title[: _TITLE_WIDTH - 1] + "…"
    notes = [said(event.location), "online" if event.meeting is not None and event.location is None else ""]
    notes += ["cancelled" if event.is_cancelled else "", "repeats" if event.recurrence is not None else ""]
    line = f"{mark} {_clocks(event, day, zone):>{_CLOCK_WIDTH}}  {title:<{_TITLE_WIDTH}}  "
    return (line + ", ".join(filter(None, notes))).rstrip()


def _clocks(event: Event, day: date, zone: ZoneInfo) -> str:
    if event.all_day:
        return ALL_DAY
    start, end = event.start_time.astimezone(zone), event.end_time.astimezone(zone)
    begins = f"{start:%H:%M}" if start.date() == day else "…"
    ends = f"{end:%H:%M}" if end.date() == day else "…"
    return begins if event.start_time == event.end_time else f"{begins}–{ends}"  # noqa: RUF001 - from, to


def _lasting(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)

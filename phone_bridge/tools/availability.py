"""The tool that says who is free: at one time, in a stretch of time, or in which slots."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from phone_bridge.errors import Refused
from phone_bridge.tools import free_time
from phone_bridge.tools import parameters as p
from phone_bridge.tools.desk import Desk
from phone_bridge.tools.free_time import Span
from phone_bridge.tools.keeper import Event, User
from phone_bridge.tools.plain import Result, plain_span
from phone_bridge.tools.schemas import Invalid

ALTERNATIVES_MAX = 3
"""How many other times are offered where one is taken."""
PARTICIPANTS_MAX = 10
"""How many calendars are looked at together."""


async def check_availability(desk: Desk, user: User, asked: p.CheckAvailability, _key: str) -> Result:
    """Say whether a time is free, when people are busy, or which slots are free."""
    mode, first, last = asked.mode()
    if mode == "time":
        return await _one_time(desk, user, asked, Span(first, last))
    if mode == "busy":
        return await _busy_times(desk, user, asked, Span(first, last))
    minutes = asked.duration_minutes or user.default_event_duration_min
    found = await _slots(desk, user, asked, Span(first, last), minutes)
    return {"ok": True, "slots": found[: asked.limit]}


async def _one_time(desk: Desk, user: User, asked: p.CheckAvailability, span: Span) -> Result:
    others = await _taken(desk, user, asked, span)
    conflicts: list[dict[str, Any]] = []
    for name, spans in others.items():
        if name == user.id:
            conflicts += await desk.conflicts(user, span, include_tentative=asked.include_tentative)
        else:
            conflicts += [_unnamed(name, busy, span, user) for busy in spans]
    if not conflicts:
        return {"ok": True, "available": True, "conflicts": [], "alternatives": []}
    zone = ZoneInfo(user.timezone)
    day = span.start.astimezone(zone).date()
    midnights = [datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 2)]
    window = Span(max(midnights[0], desk.now().astimezone(zone)), max(midnights[1], span.end.astimezone(zone)))
    minutes = int((span.end - span.start).total_seconds() // 60)
    slots = await _slots(desk, user, asked, window, minutes) if window.start < window.end else []
    nearest = sorted(slots, key=lambda slot: abs(datetime.fromisoformat(slot["start"]) - span.start))
    found = sorted(nearest[:ALTERNATIVES_MAX], key=lambda slot: str(slot["start"]))
    return {"ok": True, "available": False, "conflicts": conflicts, "alternatives": found}


async def _busy_times(desk: Desk, user: User, asked: p.CheckAvailability, window: Span) -> Result:
    zone = ZoneInfo(user.timezone)
    taken = await _taken(desk, user, asked, window)
    busy = {name: [plain_span(span, zone) for span in free_time.within(spans, window)] for name, spans in taken.items()}
    return {"ok": True, "busy": busy}


async def _slots(
    desk: Desk, user: User, asked: p.CheckAvailability, window: Span, minutes: int
) -> list[dict[str, Any]]:
    zone = ZoneInfo(user.timezone)
    taken = await _taken(desk, user, asked, window)
    found = free_time.slots(
        [span for spans in taken.values() for span in spans],
        free_time.reachable(window, user.working_hours, zone),
        minutes,
        buffer=asked.buffer_minutes_between_meetings or user.buffers.between_meetings,
        prefer=asked.preferred_time_of_day or user.preferred_time_of_day,
        zone=zone,
    )
    return [{**plain_span(Span(slot.start, slot.end), zone), "score": slot.score} for slot in found]


async def _taken(desk: Desk, user: User, asked: p.CheckAvailability, window: Span) -> dict[str, list[Span]]:
    """Find when each participant is busy; raises Invalid for one whose calendar may not be looked at."""
    names = dict.fromkeys(asked.participants or (user.id,))
    if len(names) > PARTICIPANTS_MAX:
        raise Invalid(f"At most {PARTICIPANTS_MAX} calendars can be looked at together.", "participants")
    return {name: await _taken_by(desk, user, name, asked, window) for name in names}


async def _taken_by(desk: Desk, user: User, name: str, asked: p.CheckAvailability, window: Span) -> list[Span]:
    if name.startswith("external:"):
        raise Invalid("Only calendars that are kept here can be looked at.", "participants")
    if name.startswith("cal_"):
        await _check_own(desk, user, name)
        events = await desk.keeper.events(user.id, start=window.start, end=window.end)
        return _busy([event for event in events if event.calendar_id == name], user, asked)
    other = user if name == user.id else await _sharing(desk, name)
    return _busy(await desk.keeper.events(other.id, start=window.start, end=window.end), other, asked)


async def _check_own(desk: Desk, user: User, calendar_id: str) -> None:
    if calendar_id not in {calendar.id for calendar in await desk.keeper.calendars(user.id)}:
        raise Invalid("That is none of the user's calendars.", "participants")


async def _sharing(desk: Desk, user_id: str) -> User:
    """Find another user who lets others see when they are busy; who does not is as if they were not here."""
    try:
        other = await desk.keeper.user(user_id)
    except Refused:
        other = None
    if other is None or not other.shares_free_busy:
        raise Invalid("That user's calendar cannot be looked at.", "participants")
    return other


def _busy(events: Iterable[Event], user: User, asked: p.CheckAvailability) -> list[Span]:
    return [
        free_time.span_of(event)
        for event in events
        if free_time.is_busy(event, user.email, include_tentative=asked.include_tentative)
    ]


def _unnamed(name: str, busy: Span, span: Span, user: User) -> dict[str, Any]:
    """Say that somebody is busy, and not what with."""
    zone = ZoneInfo(user.timezone)
    times = plain_span(busy, zone)
    return {
        "event_id": None,
        "title": None,
        "participant": name,
        "start_time": times["start"],
        "end_time": times["end"],
        "overlap_minutes": busy.overlap_minutes(span),
    }

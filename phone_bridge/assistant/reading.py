"""What to look up for a question, and how to answer it from what was found; pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from phone_bridge.assistant import answering, outcomes
from phone_bridge.assistant.plans import Caller, Question, Slot
from phone_bridge.assistant.references import PAGE, seen_in
from phone_bridge.assistant.when import later
from phone_bridge.assistant.wishes import Wish
from phone_bridge.call.events import Action

Result = Mapping[str, Any]


class Reading(Struct, frozen=True):
    """A tool to run, and the answer that its result gives; ``lists`` says that the talk goes on about what it found."""

    action: Action
    answer: Callable[[Result, datetime], list[str]]
    lists: bool = False


def next_event(wish: Wish) -> Reading:
    """Look for what comes next."""

    def answer(result: Result, now: datetime) -> list[str]:
        events = seen_in(result, now)
        return answering.next_event(events[0] if events else None, now, wish.aspect)

    return Reading(Action("get_next_event", {}), answer, lists=True)


def overview(wish: Wish, now: datetime) -> Reading | Question:
    """Look at a day, or at the time that was named."""
    when = wish.when
    if when.doubtful:
        return Question(Slot.WHEN, "I am not sure about the day. Which day do you mean?", Wish(name=wish.name))

    def answer(result: Result, now: datetime) -> list[str]:
        return answering.agenda(seen_in(result, now), when, now)

    if when.last is None and not when.part and not when.has_time():
        return Reading(Action("get_day_overview", {"date": (when.day or now.date()).isoformat()}), answer, lists=True)
    start, end = when.window(now)
    window = {"from": start.isoformat(), "to": end.isoformat(), "limit": PAGE}
    return Reading(Action("search_events", window), answer, lists=True)


def summary(wish: Wish, now: datetime) -> Reading | Question:
    """Look at a day or a week as a whole."""
    when = wish.when
    if when.doubtful:
        return Question(Slot.WHEN, "I am not sure about the day. Which day do you mean?", Wish(name=wish.name))
    day = when.day or now.date()
    if wish.name == "get_weekly_summary":
        monday = day - timedelta(days=day.weekday())
        action = Action("get_weekly_summary", {"week_start": monday.isoformat()})
    else:
        action = Action("get_day_summary", {"date": day.isoformat()})
    return Reading(action, lambda result, at: outcomes.told(action, result, at, None))


def availability(wish: Wish, caller: Caller, now: datetime) -> Reading | Question:
    """Look whether a time is free, which slots are, or what is taken, as the words want it."""
    when = wish.when
    if when.doubtful:
        return Question(Slot.WHEN, "I am not sure about the day. Which day do you mean?", Wish(name=wish.name))
    if when.has_time() and not wish.aspect:
        return _one_time(wish, caller, now)
    start, end = when.window(now)
    start = max(start, now.replace(second=0, microsecond=0))
    if end <= start:
        return Question(Slot.WHEN, "That time is over. Which time do you mean?", Wish(name=wish.name))
    if wish.aspect or wish.length:
        return _slots(wish, start, end, wish.length or caller.event_minutes)
    window = {"from": start.isoformat(), "to": end.isoformat()}
    return Reading(
        Action("check_availability", window),
        lambda result, at: answering.busy_times(result["busy"][caller.user_id], when, at),
    )


def _one_time(wish: Wish, caller: Caller, now: datetime) -> Reading:
    start, end = wish.when.window(now)
    if wish.when.end is None:
        end = later(start, wish.length or caller.event_minutes)
    parameters = {"start_time": start.isoformat(), "end_time": end.isoformat()}
    return Reading(Action("check_availability", parameters), lambda result, at: answering.one_time(result, start, at))


def _slots(wish: Wish, start: datetime, end: datetime, minutes: int) -> Reading:
    parameters = {
        "duration_minutes": minutes,
        "earliest_start": start.isoformat(),
        "latest_end": end.isoformat(),
    }
    return Reading(
        Action("check_availability", parameters),
        lambda result, at: answering.free_slots(result["slots"], wish.when, at),
    )

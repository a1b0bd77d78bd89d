"""Lasting settings: from a wish to the exact parameters of what changes them, or to what is still open; pure."""

from datetime import date, datetime
from typing import Any

from msgspec import structs

from phone_bridge.assistant.answering import clock_words, length_words, title_words
from phone_bridge.assistant.phrase import WEEKDAYS
from phone_bridge.assistant.plans import Caller, Question, Slot
from phone_bridge.assistant.references import Seen
from phone_bridge.assistant.when import When, on
from phone_bridge.assistant.wishes import Wish
from phone_bridge.call.events import Action

HABITS = frozenset(("update_preferences", "set_quiet_hours", "set_alert_profile", "set_global_buffer"))
BUFFER_MAX = 240
"""As many minutes as the tool keeps free at most."""
_WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
_MODES = {"drive": "driving", "walk": "walking", "transit": "public transport"}
_BUFFERS = {
    "arrival": "before you have to be somewhere",
    "parking": "for parking",
    "walk": "for walking",
    "between_meetings": "between meetings",
}


def habit(wish: Wish, event: Seen | None, caller: Caller, now: datetime) -> Action | Question:
    """Plan to change a setting; ``event`` is the one event that an alert profile is for."""
    match wish.name:
        case "set_quiet_hours":
            return _quiet(wish, now)
        case "set_alert_profile":
            return _profile(wish, event)
        case "set_global_buffer":
            return _buffer(wish)
    return _preference(wish, now)


def _quiet(wish: Wish, now: datetime) -> Action | Question:
    if wish.enabled is False:
        return Action("set_quiet_hours", {"enabled": False}, "Turn quiet hours off")
    if wish.when.start is None:
        return Question(Slot.WHEN, "From when until when?", wish)
    if wish.when.end is None:
        return Question(Slot.UNTIL, "Until when?", wish)
    start = _evening(wish.when, now)
    end = wish.when.until(start) or start
    parameters: dict[str, Any] = {"enabled": True, "start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
    if wish.days:
        parameters["days"] = list(wish.days)
    span = f"from {clock_words(start)} to {clock_words(end)}"
    return Action("set_quiet_hours", parameters, f"Set quiet hours {span}{days_words(wish.days)}")


def _evening(when: When, now: datetime) -> datetime:
    """Read when quiet begins: of two readings the later one, for it is the evening that people mean, or noon."""
    minutes = when.start.minutes() if when.start else (0,)
    if when.part == "morning":
        return on(now.date(), minutes[0], now)
    return on(now.date(), max(minutes) % 1440, now)


def _profile(wish: Wish, event: Seen | None) -> Action | Question:
    parameters: dict[str, Any] = {"profile": wish.choice}
    if event is not None:
        parameters["event_id"] = event.id
    for_event = f" for {title_words(event.title)}" if event else ""
    return Action("set_alert_profile", parameters, f"Set your alerts to {wish.choice}{for_event}")


def _buffer(wish: Wish) -> Action | Question:
    if wish.length is None or wish.length > BUFFER_MAX:
        return Question(Slot.LENGTH, "How many minutes shall I keep free?", structs.replace(wish, length=None))
    kind = wish.choice or "arrival"
    parameters = {"minutes": wish.length, "kind": kind}
    if not wish.length:
        return Action("set_global_buffer", parameters, f"Keep no time free {_BUFFERS[kind]}")
    return Action("set_global_buffer", parameters, f"Keep {length_words(wish.length)} free {_BUFFERS[kind]}")


def _preference(wish: Wish, now: datetime) -> Action | Question:
    match wish.choice:
        case "timezone":
            return _set({"timezone": wish.value}, f"Set your time zone to {zone_words(wish.value)}")
        case "event_minutes":
            return _event_minutes(wish)
        case "travel_mode":
            mode = wish.modes[0] if wish.modes else "drive"
            return _set({"default_travel_mode": mode}, f"Plan your ways by {_MODES[mode]}")
        case "time_of_day":
            part = wish.when.part
            if part not in ("morning", "afternoon", "evening"):
                return Question(Slot.WHEN, "In the morning, in the afternoon, or in the evening?", wish)
            return _set({"preferred_time_of_day": part}, f"Prefer meetings in the {part}")
        case "home" | "work":
            where = {"name": "home" if wish.choice == "home" else "the office", "address": wish.place}
            named = "home" if wish.choice == "home" else "office"
            return _set({f"{wish.choice}_location": where}, f"Set your {named} address to {wish.place}")
    return _working_hours(wish, now)


def _set(parameters: dict[str, Any], summary: str) -> Action:
    return Action("update_preferences", parameters, summary)


def _event_minutes(wish: Wish) -> Action | Question:
    if wish.length is None or not 5 <= wish.length <= 480:
        return Question(Slot.LENGTH, "How long shall your meetings be?", structs.replace(wish, length=None))
    return _set({"default_event_duration_min": wish.length}, f"Make your meetings {length_words(wish.length)} long")


def _working_hours(wish: Wish, now: datetime) -> Action | Question:
    day = _plain_day(now.date())
    start = wish.when.moment(now, day=day)
    if start is None:
        return Question(Slot.WHEN, "From when until when do you work?", wish)
    end = wish.when.until(start)
    if end is None:
        return Question(Slot.UNTIL, "Until when do you work?", wish)
    if end.date() != start.date():
        return Question(Slot.WHEN, "From when until when do you work?", structs.replace(wish, when=When()))
    days = wish.days or _WORKDAYS
    hours = {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}", "days": list(days)}
    span = f"from {clock_words(start)} to {clock_words(end)}"
    return _set({"working_hours": hours}, f"Set your working hours {span}{days_words(days)}")


def _plain_day(today: date) -> date:
    """Give a day that is not today, so that no reading is over already."""
    return date.fromordinal(today.toordinal() + 1)


def zone_words(zone: str) -> str:
    """Say a time zone by its city."""
    return zone.rsplit("/", maxsplit=1)[-1].replace("_", " ")


def days_words(days: tuple[str, ...]) -> str:
    """Say days of the week, with what stands before them."""
    if not days or len(days) == 7:
        return ""
    if tuple(days) == _WORKDAYS:
        return ", Monday to Friday"
    if tuple(days) == ("sat", "sun"):
        return ", at weekends"
    names = [next(name for name in WEEKDAYS if name.startswith(day)).capitalize() for day in days]
    return f", on {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f", on {names[0]}"

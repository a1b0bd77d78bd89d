"""From a wish to an action with its exact parameters, or to the question that is still open.

Nothing is filled in that the caller would not hear again: the summary of a proposal, or the sentence after a reminder
was made, names the day, the time and the title.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from phone_bridge.assistant.answering import (
    clock_words,
    count_words,
    day_words,
    ended,
    event_time,
    event_words,
    joined,
    length_words,
    moment_words,
    on_day,
    title_words,
)
from phone_bridge.assistant.phrase import WEEKDAYS
from phone_bridge.assistant.references import Seen
from phone_bridge.assistant.when import When, later
from phone_bridge.assistant.wishes import Wish
from phone_bridge.call.events import Action, Affected
from phone_bridge.tools.keeper import DEFAULT_EVENT_MINUTES

SHORTEST_MINUTES = 5
"""An event is not made shorter than this."""
REMINDER_CHARS = 200
"""How long the title of a reminder may be; the tool's own limit."""
_HABITS = {"breakfast": time(8), "lunch": time(12, 30), "dinner": time(19), "party": time(20), "drinks": time(19)}
"""When people have what they call so, to read "at seven" by."""


class Slot(StrEnum):
    """What a question asks for."""

    WHICH = "which"
    TITLE = "title"
    WHEN = "when"
    LEAD = "lead"
    LENGTH = "length"
    UNTIL = "until"
    MESSAGE = "message"
    SCOPE = "scope"
    ALERT = "alert"


class Question(Struct, frozen=True):
    """What is still open, and the sentence that asks for it; ``wish`` is what is known by now."""

    slot: Slot
    text: str
    wish: Wish


class Caller(Struct, frozen=True, kw_only=True):
    """Who is talking: their zone, their habits and the titles of their calendar."""

    user_id: str
    timezone: str = "UTC"
    event_minutes: int = DEFAULT_EVENT_MINUTES
    titles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """What the people and the places of the calendar are called."""
    unasked: tuple[str, ...] = ()
    """Tools that are done without asking, as the caller wished."""


def cancelling(wish: Wish, event: Seen, now: datetime) -> Action | Question:
    """Plan to cancel one event, or its series as far as the caller says."""
    if (question := _open_scope(wish, event, now)) is not None:
        return question
    parameters: dict[str, Any] = {"event_id": event.id, **_scope(wish, event)}
    if wish.notify:
        parameters["notify"] = True
    told = " and tell everybody" if wish.notify else ""
    return about(
        event, "cancel_event", parameters, f"Cancel {event_words(event, now)}{_scope_words(wish, event)}{told}"
    )


def cancelling_all(wish: Wish, events: Sequence[Seen], now: datetime) -> Action:
    """Plan to cancel several events, each of them named."""
    parameters: dict[str, Any] = {"event_ids": [event.id for event in events]}
    if wish.notify:
        parameters["notify"] = True
    named = joined([event_words(event, now) for event in events])
    told = ", and tell everybody" if wish.notify else ""
    affects = tuple(Affected(event.id, event.title, event.start_time.isoformat()) for event in events)
    return Action("bulk_cancel_events", parameters, f"Cancel {count_words(len(events))} events: {named}{told}", affects)


def _open_scope(wish: Wish, event: Seen, now: datetime) -> Question | None:
    """Ask how much of a series is meant."""
    if not event.series_id or wish.scope:
        return None
    text = f"{title_words(event.title)} comes again and again. Only the one {event_time(event, now)}, or all of them?"
    return Question(Slot.SCOPE, text, wish)


def _scope(wish: Wish, event: Seen) -> dict[str, str]:
    return {"series_scope": wish.scope} if event.series_id and wish.scope else {}


def _scope_words(wish: Wish, event: Seen) -> str:
    if not event.series_id:
        return ""
    return {"all": " and the whole series", "following": " and all that follow"}.get(wish.scope, "")


# Creating


def creating(wish: Wish, caller: Caller, now: datetime) -> Action | Question:
    """Plan a new event."""
    if not wish.title:
        return Question(Slot.TITLE, "What shall I call it?", wish)
    if wish.aspect == "all_day":
        return _creating_whole_day(wish, caller, now)
    start = _start(wish, now)
    if isinstance(start, Question):
        return start
    end = wish.when.until(start) or later(start, wish.length or caller.event_minutes)
    parameters: dict[str, Any] = {
        "title": wish.title,
        "start_time": start.isoformat(),
        "end_time": end.isoformat(),
        "timezone": caller.timezone,
    }
    if wish.repeat:
        parameters["recurrence"] = {"rule": wish.repeat}
    lasts = length_words(int((end - start) / timedelta(minutes=1)))
    summary = f"Create {title_words(wish.title)} {moment_words(start, now)}, for {lasts}{repeat_words(wish.repeat)}"
    return Action("create_event", parameters, summary)


def _creating_whole_day(wish: Wish, caller: Caller, now: datetime) -> Action | Question:
    if (question := _open_day(wish, now)) is not None:
        return question
    day = wish.when.day
    if day is None or day < now.date():
        return Question(Slot.WHEN, "On which day?", structs.replace(wish, when=When()))
    parameters = {"title": wish.title, "start_time": day.isoformat(), "all_day": True, "timezone": caller.timezone}
    summary = f"Create {title_words(wish.title)} {on_day(day, now.date())}, all day"
    return Action("create_event", parameters, summary)


def _start(wish: Wish, now: datetime) -> datetime | Question:
    """Find when a new event begins; a time without a day is today's if that is still to come."""
    if (question := _open_day(wish, now)) is not None:
        return question
    near = next((at for word, at in _HABITS.items() if word in wish.title.lower().split()), None)
    day = wish.when.day or (now.date() if wish.when.has_time() else None)
    start = wish.when.moment(now, day=day, near=near)
    if wish.repeat and wish.when.day is None and start is not None:
        start = _first_of(wish, start, near, now)
    if start is None:
        return Question(Slot.WHEN, _when_text(wish.when, now), wish)
    if start <= now:
        return _over(wish, "On which day?" if wish.when.day is None else "When shall it be?")
    return start


def _first_of(wish: Wish, start: datetime, near: time | None, now: datetime) -> datetime:
    """Find the first time of a repetition that is still to come and that its own rule has."""
    codes = wish.repeat.partition("BYDAY=")[2].split(";")[0]
    for ahead in range(8):
        moment = wish.when.moment(now, day=now.date() + timedelta(days=ahead), near=near) or start
        if moment > now and (not codes or WEEKDAYS[moment.weekday()][:2].upper() in codes.split(",")):
            return moment
    return start


def repeat_words(rule: str) -> str:
    """Say how often, with the comma before it; nothing where it comes once."""
    parts = dict(part.split("=", 1) for part in rule.split(";")) if rule else {}
    step = int(parts.get("INTERVAL", "1"))
    if (codes := parts.get("BYDAY")) is not None:
        names = [next(day for day in WEEKDAYS if day[:2].upper() == code).capitalize() for code in codes.split(",")]
        days = "weekday" if codes == "MO,TU,WE,TH,FR" else joined(names)
        return f", every {'second ' if step == 2 else ''}{days}"
    unit = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}.get(parts.get("FREQ", ""), "")
    return "" if not unit else f", every {unit}" if step == 1 else f", every {count_words(step)} {unit}s"


def _open_day(wish: Wish, now: datetime) -> Question | None:
    """Ask for the day where the words name several, none that exists, or two that differ."""
    if wish.when.doubtful:
        blank = structs.replace(wish, when=structs.replace(wish.when, day=None, last=None, doubtful=False))
        return Question(Slot.WHEN, "I am not sure about the day. Which day do you mean?", blank)
    if wish.when.last is not None and wish.when.last != wish.when.day:
        blank = structs.replace(wish, when=structs.replace(wish.when, day=None, last=None))
        return Question(Slot.WHEN, "On which day?", blank)
    return None


def _when_text(when: When, now: datetime) -> str:
    """Ask for what is missing of a day and a time."""
    if when.day is None:
        return "On which day, and at what time?"
    part = f" in the {when.part}" if when.part else ""
    return f"At what time {on_day(when.day, now.date())}{part}?"


def _over(wish: Wish, ask: str) -> Question:
    blank = structs.replace(wish, when=structs.replace(wish.when, day=None, last=None, ahead=None))
    return Question(Slot.WHEN, f"That time is over. {ask}", blank)


# Changing


def changing(wish: Wish, event: Seen, now: datetime) -> Action | Question:
    """Plan to rename, move, stretch or shorten one event, or to change its place."""
    if (question := _open_scope(wish, event, now)) is not None:
        return question
    plan = _changing(wish, event, now)
    if isinstance(plan, Question) or not event.series_id:
        return plan
    summary = f"{plan.summary}{_scope_words(wish, event)}"
    return structs.replace(plan, parameters={**plan.parameters, **_scope(wish, event)}, summary=summary)


def _changing(wish: Wish, event: Seen, now: datetime) -> Action | Question:
    if wish.place:
        where = {"name": wish.place, "address": wish.place}
        summary = f"Change the place of {event_words(event, now)} to {wish.place}"
        return about(event, "update_event", {"event_id": event.id, "location": where}, summary)
    if wish.title:
        return about(
            event,
            "update_event",
            {"event_id": event.id, "title": wish.title},
            f"Rename {event_words(event, now)} to {title_words(wish.title)}",
        )
    if wish.stretch is not None or wish.aspect == "length" or (wish.length is not None and not wish.when):
        return _stretching(wish, event, now)
    if wish.shift is not None:
        return _moving(wish, event, later(event.start_time, wish.shift), None, now)
    if (question := _open_day(wish, now)) is not None:
        return question
    if not wish.when:
        return Question(Slot.WHEN, f"To what day or time shall I move {title_words(event.title)}?", wish)
    if event.all_day and not wish.when.has_time():
        return _moving_whole_day(wish, event, now)
    return _moving_to(wish, event, now)


def _moving_to(wish: Wish, event: Seen, now: datetime) -> Action | Question:
    """Move to a day at the same time, or to a time on the same day, or to both."""
    when, old = wish.when, event.start_time
    if not when.has_time() and when.part:
        return Question(Slot.WHEN, _when_text(structs.replace(when, day=when.day or old.date()), now), wish)
    start = when.moment(now, day=old.date(), near=old.time())
    if start is None:
        start = datetime.combine(when.day or old.date(), old.time(), now.tzinfo)
    return _moving(wish, event, start, when.until(start), now)


def _moving(wish: Wish, event: Seen, start: datetime, end: datetime | None, now: datetime) -> Action | Question:
    blank = structs.replace(wish, when=When(), shift=None)
    if start <= now:
        return Question(Slot.WHEN, "That time is over. When shall it be?", blank)
    minutes = wish.length or _minutes(event)
    end = end or later(start, minutes)
    if (start, end) == (event.start_time, event.end_time):
        return Question(Slot.WHEN, f"It is {event_time(event, now)} already. When shall it be?", blank)
    parameters: dict[str, Any] = {"event_id": event.id, "start_time": start.isoformat(), "end_time": end.isoformat()}
    if event.all_day:
        parameters["all_day"] = False
    summary = f"Move {title_words(event.title)} from {event_time(event, now)} to {_to(event, start, now)}"
    return about(event, "update_event", parameters, summary.replace(" from on ", " from "))


def _to(event: Seen, start: datetime, now: datetime) -> str:
    same_day = start.date() == event.start_time.date()
    return clock_words(start) if same_day else f"{day_words(start.date(), now.date())} at {clock_words(start)}"


def _moving_whole_day(wish: Wish, event: Seen, now: datetime) -> Action | Question:
    day = wish.when.day
    if day is None or day < now.date():
        return Question(Slot.WHEN, "To which day?", structs.replace(wish, when=When()))
    parameters = {"event_id": event.id, "start_time": day.isoformat(), "all_day": True}
    old = day_words(event.start_time.date(), now.date())
    summary = f"Move {title_words(event.title)} from {old} to {day_words(day, now.date())}"
    return about(event, "update_event", parameters, summary)


def _stretching(wish: Wish, event: Seen, now: datetime) -> Action | Question:
    minutes = wish.length if wish.length is not None else _minutes(event) + (wish.stretch or 0)
    if event.all_day or minutes < SHORTEST_MINUTES or minutes == _minutes(event):
        blank = structs.replace(wish, length=None, stretch=None)
        return Question(Slot.LENGTH, "How long shall it be?", blank)
    end = later(event.start_time, minutes)
    parameters = {"event_id": event.id, "end_time": end.isoformat()}
    summary = f"Change {event_words(event, now)} to take {length_words(minutes)}, until {clock_words(end)}"
    return about(event, "update_event", parameters, summary)


def _minutes(event: Seen) -> int:
    return int((event.end_time - event.start_time) / timedelta(minutes=1))


def about(event: Seen, name: str, parameters: Mapping[str, Any], summary: str) -> Action:
    """Make an action that touches one event."""
    return Action(name, dict(parameters), summary, (Affected(event.id, event.title, event.start_time.isoformat()),))


# Reminding


def reminding(wish: Wish, now: datetime) -> Action | Question:
    """Plan a reminder at a time; a time without a day is the next one that comes."""
    if not wish.title:
        return Question(Slot.TITLE, "What shall I remind you of?", wish)
    if (question := _open_day(wish, now)) is not None:
        return question
    if not wish.when.has_time():
        text = "When shall I remind you?" if wish.when.day is None else _when_text(wish.when, now)
        return Question(Slot.WHEN, text, wish)
    moment = wish.when.moment(now, day=now.date())
    if moment is not None and moment <= now and wish.when.day is None:
        moment = wish.when.moment(now, day=now.date() + timedelta(days=1))
    if moment is None or moment <= now:
        return _over(wish, "When shall I remind you?")
    parameters = {"title": wish.title, "remind_at": moment.isoformat()}
    return Action("create_reminder", parameters, f"Remind you {moment_words(moment, now)}: {title_words(wish.title)}")


def reminding_before(wish: Wish, event: Seen, now: datetime) -> Action | Question:
    """Plan a reminder some time before an event."""
    if wish.lead is None:
        text = f"How long before {title_words(event.title)} shall I remind you?"
        return Question(Slot.LEAD, text, wish)
    if later(event.start_time, -wish.lead) <= now:
        blank = structs.replace(wish, lead=None)
        return Question(Slot.LEAD, f"{ended(f'It begins {event_time(event, now)}')} How long before it?", blank)
    before = "departure" if wish.aspect == "departure" else "start"
    parameters = {
        "title": event.title[:REMINDER_CHARS],
        "event_id": event.id,
        f"offset_minutes_before_{before}": wish.lead,
    }
    leaving = "you have to leave for " if wish.aspect == "departure" else ""
    summary = f"Remind you {length_words(wish.lead)} before {leaving}{event_words(event, now)}"
    return about(event, "create_reminder", parameters, summary)

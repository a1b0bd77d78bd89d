"""What the assistant says: short sentences for the telephone, made of what the tools gave.

Every function gives sentences in their order; lists stop after ``LISTED`` things and count the rest.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from phone_bridge.assistant.phrase import MONTHS, WEEKDAYS
from phone_bridge.assistant.references import Seen, seen
from phone_bridge.assistant.when import When
from phone_bridge.call.events import Action

LISTED = 3
"""How many things are named before the rest is counted."""
TITLE_CHARS = 40
"""How much of a title is spoken."""
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_UNREACHED = "I cannot reach your calendar right now."
_FAILURES = {
    "resource_missing": "I cannot find that in your calendar any more.",
    "event_already_cancelled": "That is cancelled already.",
    "authorization_failed": "I am not allowed to do that on this line.",
    "consent_unavailable": "I cannot change anything on this line, because it has no way to confirm it.",
    "calendar_unavailable": _UNREACHED,
    "service_unavailable": _UNREACHED,
    "place_unknown": "I do not know where that is on the map, so I cannot tell.",
    "origin_unknown": "I do not know where you set out from. You can say: my home address is, and the address.",
    "no_route": "I know no way there.",
    "too_far": "That is too far to go that way.",
    "tool_timeout": "Your calendar did not answer in time, so I cannot tell whether that was done.",
}
_IN_PLAIN_WORDS = frozenset(("no_attendees", "ambiguous_event", "invalid_recurrence", "calendar_read_only"))
"""Errors whose message is a sentence that callers understand."""

Sentences = list[str]


def ended(sentence: str) -> str:
    """End a sentence with one full stop, also behind ``p.m.``."""
    return sentence if sentence.endswith((".", "?")) else f"{sentence}."


# Times


def clock_words(moment: datetime) -> str:
    """Say a time: ``3 p.m.``, ``3:30 p.m.``, ``noon``, ``midnight``."""
    if (moment.hour, moment.minute) in ((0, 0), (12, 0)):
        return "noon" if moment.hour else "midnight"
    minutes = f":{moment.minute:02}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes} {'a.m.' if moment.hour < 12 else 'p.m.'}"


def day_words(day: date, today: date) -> str:
    """Say a day: ``today``, ``tomorrow``, the weekday within a week, then the date, and its year where it matters."""
    ahead = (day - today).days
    if -1 <= ahead <= 1:
        return ("yesterday", "today", "tomorrow")[ahead + 1]
    if 1 < ahead < 7:
        return WEEKDAYS[day.weekday()].capitalize()
    year = "" if 0 < ahead < 360 else f", {day.year}"
    named = f"{WEEKDAYS[day.weekday()]}, {MONTHS[day.month - 1]}".title()
    return f"{named} {day.day}{_ending(day.day)}{year}"


def on_day(day: date, today: date) -> str:
    """Say a day behind a verb: ``today``, ``on Tuesday``."""
    words = day_words(day, today)
    return words if words[0].islower() else f"on {words}"


def moment_words(moment: datetime, now: datetime) -> str:
    """Say a moment: ``tomorrow at 3 p.m.``."""
    return f"{on_day(moment.date(), now.date())} at {clock_words(moment)}"


def event_time(event: Seen, now: datetime) -> str:
    """Say when an event is."""
    if event.all_day:
        return f"{on_day(event.start_time.date(), now.date())}, all day"
    return moment_words(event.start_time, now)


def length_words(minutes: int) -> str:
    """Say how long: ``30 minutes``, ``one hour``, ``an hour and a half``, ``2 hours and 15 minutes``."""
    hours, rest = divmod(minutes, 60)
    if minutes in (60, 90):
        return "one hour" if minutes == 60 else "an hour and a half"
    if not hours:
        return f"{minutes} minute{'s' * (minutes != 1)}"
    whole = "one hour" if hours == 1 else f"{hours} hours"
    return f"{whole} and {rest} minute{'s' * (rest != 1)}" if rest else whole


def span_words(when: When, now: datetime) -> str:
    """Say the time that was asked about."""
    today = now.date()
    day = when.day or today
    if when.last is not None:
        return (
            f"from {day_words(day, today)} to {day_words(when.last, today)}" if when.last != day else on_day(day, today)
        )
    if when.has_time():
        return moment_words(when.window(now)[0], now)
    if when.part and day == today:
        return "tonight" if when.part == "night" else f"this {when.part}"
    return f"{on_day(day, today)} in the {when.part}" if when.part else on_day(day, today)


def _ending(day: int) -> str:
    return "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


# Events


def title_words(title: str, chars: int = TITLE_CHARS) -> str:
    """Say a title, cut to what one can listen to."""
    title = " ".join(title.split())
    return title if len(title) <= chars else title[:chars].rsplit(" ", 1)[0]


def event_words(event: Seen, now: datetime) -> str:
    """Name an event with its time: ``Dentist on Tuesday at 3 p.m.``."""
    return f"{title_words(event.title)} {event_time(event, now)}"


def next_event(event: Seen | None, now: datetime, aspect: str = "") -> Sentences:
    """Answer "what is my next meeting?", or where or with whom it is."""
    if event is None:
        return ["You have nothing ahead in your calendar."]
    if aspect:
        return detail(event, now, aspect)
    return [
        ended(
            f"Your next meeting is {title_words(event.title)}, {event_time(event, now)}{_soon(event, now)}{_at(event)}"
        )
    ]


def detail(event: Seen, now: datetime, aspect: str) -> Sentences:
    """Answer one question about an event: its ``time``, ``place``, ``people``, ``length``, or all of it."""
    title = title_words(event.title)
    if aspect == "place":
        place = event.location.called() if event.location else ""
        return [ended(f"{title} is at {place}") if place else ended(f"No place is given for {title}")]
    if aspect == "people":
        names = [person.called() for person in event.attendees]
        return [ended(f"{title} is with {joined(names)}") if names else ended(f"Nobody else is named for {title}")]
    if aspect == "length":
        if event.all_day:
            return [f"{title} takes all day."]
        return [ended(f"{title} takes {length_words(_minutes(event))}, until {clock_words(event.end_time)}")]
    return [ended(f"{title} is {event_time(event, now)}{'' if aspect else _at(event)}")]


def found(events: Sequence[Seen], now: datetime, aspect: str) -> Sentences:
    """Answer a search: the first of what was found, or a list; nothing found is said elsewhere."""
    if len(events) == 1:
        return detail(events[0], now, aspect)
    if len({event.title for event in events}) == 1:
        if events[0].series_id and events[0].series_id == events[1].series_id:
            more = ended(f"It comes again {event_time(events[1], now)}")
        else:
            more = f"There {_are(len(events) - 1)} more after it."
        return [*detail(events[0], now, aspect), more]
    return [ended(f"I found {count_words(len(events))}"), ended(listing(events, now))]


def nothing_found(words: Sequence[str], when: When, now: datetime) -> Sentences:
    """Say that nothing fits."""
    named = f" called {' '.join(words)}" if words else ""
    dateless = when.day is None and when.ahead is None
    time = "" if not when else " at that time" if dateless else f" {span_words(when, now)}"
    return [f"I cannot find anything{named}{time} in your calendar."]


def nobody_else(event: Seen) -> Sentences:
    """Say that there is nobody to tell anything to."""
    return [ended(f"Nobody else is invited to {title_words(event.title)}")]


def agenda(events: Sequence[Seen], when: When, now: datetime) -> Sentences:
    """Answer "what do I have …?"; what is over already is left out today."""
    ahead = [event for event in events if event.end_time > now] if when.day in (None, now.date()) else list(events)
    span = span_words(when, now)
    more = " more" if len(ahead) < len(events) else ""
    if not ahead:
        return [ended(f"You have nothing{more} {span}")]
    one_day = when.last is None
    if len(ahead) == 1:
        words = _on_the_day(ahead[0]) if one_day else event_words(ahead[0], now)
        return [ended(f"You have one{more} thing {span}: {words}")]
    listed = listing(ahead, now, one_day=one_day)
    return [ended(f"You have {count_words(len(ahead))}{more} things {span}"), ended(listed)]


def listing(events: Sequence[Seen], now: datetime, *, one_day: bool = False, joint: str = "and") -> str:
    """Name the first events and count the rest: ``A at noon, B at 3 p.m. and two more``."""
    named = [_on_the_day(event) if one_day else event_words(event, now) for event in events[:LISTED]]
    rest = len(events) - len(named)
    return joined([*named, *([f"{count_words(rest)} more"] if rest else [])], joint)


def which(events: Sequence[Seen], now: datetime) -> str:
    """Ask which of several events is meant."""
    days = {event.start_time.date() for event in events}
    if len({event.title for event in events}) == len(days) == 1 and len(events) <= LISTED:
        times = [f"the one at {clock_words(event.start_time)}" for event in events]
        called = f"{count_words(len(events))} called {title_words(events[0].title)}"
        return f"You have {called} {on_day(min(days), now.date())}: {joined(times, 'or')}?"
    if len({event.title for event in events}) == 1:
        times = [event_time(event, now) for event in events[:LISTED]]
        rest = ["a later one"] if len(events) > LISTED else []
        return f"Which {title_words(events[0].title)}: {joined([*times, *rest], 'or')}?"
    named = [event_words(event, now) for event in events[:LISTED]]
    return f"Which one: {joined([*named, *(['another one'] if len(events) > LISTED else [])], 'or')}?"


def count_words(count: int) -> str:
    """Say a number of things."""
    return _COUNTS[count] if count < len(_COUNTS) else str(count)


def _on_the_day(event: Seen) -> str:
    return (
        f"{title_words(event.title)}, all day"
        if event.all_day
        else f"{title_words(event.title)} at {clock_words(event.start_time)}"
    )


def _soon(event: Seen, now: datetime) -> str:
    minutes = int((event.start_time - now) / timedelta(minutes=1))
    return f", in {length_words(minutes)}" if 0 < minutes <= 90 else ""


def _at(event: Seen) -> str:
    place = event.location.called() if event.location else ""
    return f", at {place}" if place else ""


def _are(count: int) -> str:
    return f"is {count_words(count)}" if count == 1 else f"are {count_words(count)}"


def _minutes(event: Seen) -> int:
    return int((event.end_time - event.start_time) / timedelta(minutes=1))


def joined(things: Sequence[str], joint: str = "and") -> str:
    """Name things one after the other."""
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} {joint} {things[-1]}"


# Free and busy


def one_time(result: Mapping[str, Any], start: datetime, now: datetime) -> Sentences:
    """Answer "am I free at three?", with other times where not."""
    time = moment_words(start, now)
    if result["available"]:
        return [ended(f"Yes, you are free {time}")]
    titles = [title_words(conflict["title"]) for conflict in result["conflicts"]]
    named = joined([*titles[:LISTED], *([f"{count_words(len(titles) - LISTED)} more"] if len(titles) > LISTED else [])])
    others = _starts(result["alternatives"], now)
    return [ended(f"No, {time} you have {named}"), *([ended(f"You are free {others}")] if others else [])]


IN_THE_WAY_CHARS = 24
"""How much of a title is said ahead of a question, which cuts in on what takes more than some seconds."""


def in_the_way(result: Mapping[str, Any], start: datetime, now: datetime, besides: str = "") -> Sentences:
    """Say in one sentence what a new time would overlap with, and when one is free; nothing where with nothing.

    ``besides`` is the id of the event that is moved, which is in nobody's way.
    """
    conflicts = [each for each in result.get("conflicts", ()) if each["event_id"] != besides]
    if not conflicts:
        return []
    more = f" and {count_words(len(conflicts) - 1)} more" if len(conflicts) > 1 else ""
    named = f"Then you have {title_words(conflicts[0]['title'], IN_THE_WAY_CHARS)}{more}"
    free = [datetime.fromisoformat(slot["start"]).astimezone(now.tzinfo) for slot in result.get("alternatives", ())]
    same_day = sorted(moment for moment in free if moment.date() == start.date())
    return [ended(f"{named}; at {clock_words(same_day[0])} you are free" if same_day else named)]


def busy_times(spans: Sequence[Mapping[str, str]], when: When, now: datetime) -> Sentences:
    """Answer "am I free tomorrow afternoon?"."""
    span = span_words(when, now)
    if not spans:
        return [ended(f"Yes, you are free {span}")]
    taken = [_taken(each, when, now) for each in spans[:LISTED]]
    rest = len(spans) - len(taken)
    more = [f"{count_words(rest)} more time{'s' * (rest != 1)}"] if rest else []
    return [ended(f"Not all the time: {span} you are busy {joined([*taken, *more])}")]


def free_slots(slots: Sequence[Mapping[str, Any]], when: When, now: datetime) -> Sentences:
    """Answer "when am I free?"."""
    if not slots:
        return [ended(f"I find no free time {span_words(when, now)}")]
    return [ended(f"You are free {_starts(slots, now)}")]


def _starts(slots: Sequence[Mapping[str, Any]], now: datetime) -> str:
    moments = sorted(datetime.fromisoformat(slot["start"]).astimezone(now.tzinfo) for slot in slots[:LISTED])
    days = {moment.date() for moment in moments}
    if len(days) == 1:
        times = joined([f"at {clock_words(moment)}" for moment in moments], "or")
        return f"{on_day(moments[0].date(), now.date())} {times}"
    return joined([moment_words(moment, now) for moment in moments], "or")


def _taken(span: Mapping[str, str], when: When, now: datetime) -> str:
    start, end = (datetime.fromisoformat(span[name]).astimezone(now.tzinfo) for name in ("start", "end"))
    day = "" if when.last is None else f"{on_day(start.date(), now.date())} "
    return f"{day}from {clock_words(start)} to {clock_words(end)}"


# What was done


def done(action: Action, result: Mapping[str, Any], now: datetime) -> Sentences:
    """Tell what a writing tool did, or why it did not."""
    if not result.get("ok"):
        return failed(result)
    if action.name == "create_reminder":
        return [_reminder(result["reminder"], now)]
    event = seen(result["event"], now)
    if action.name == "cancel_event":
        return ["Done.", f"{event_words(event, now)} is cancelled."]
    if action.name == "create_event":
        return ["Done.", f"{event_words(event, now)} is in your calendar.", *_overlaps(result.get("conflicts", ()))]
    changed = set(result["changed_fields"])
    if "start_time" in changed:
        return ["Done.", ended(f"{title_words(event.title)} is now {event_time(event, now)}")]
    if "location" in changed and event.location is not None:
        return ["Done.", ended(f"{title_words(event.title)} is now at {event.location.called()}")]
    if "end_time" in changed:
        return ["Done.", ended(f"{title_words(event.title)} now ends at {clock_words(event.end_time)}")]
    return ["Done.", ended(f"It is now called {title_words(event.title)}")]


def failed(result: Mapping[str, Any]) -> Sentences:
    """Tell why a tool did not do its work."""
    error = result.get("error") or {}
    known = _FAILURES.get(error.get("code", ""))
    if known:
        return [known]
    message = str(error.get("message", ""))
    return (
        [message]
        if message and error.get("code") in _IN_PLAIN_WORDS
        else ["That did not work.", *filter(None, [message])]
    )


def _overlaps(conflicts: Sequence[Mapping[str, Any]]) -> Sentences:
    titles = [title_words(conflict["title"]) for conflict in conflicts]
    return [ended(f"It overlaps with {joined(titles[:LISTED])}")] if titles else []


def _reminder(reminder: Mapping[str, Any], now: datetime) -> str:
    title = title_words(reminder["title"])
    if reminder.get("remind_at"):
        moment = datetime.fromisoformat(reminder["remind_at"]).astimezone(now.tzinfo)
        return ended(f"I will remind you {moment_words(moment, now)}: {title}")
    if reminder.get("offset_minutes_before_departure") is not None:
        lead = length_words(reminder["offset_minutes_before_departure"])
        return ended(f"I will remind you {lead} before you have to leave for {title}")
    lead = length_words(reminder["offset_minutes_before_start"])
    return ended(f"I will remind you {lead} before {title}")

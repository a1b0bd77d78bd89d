"""Finding the event that words mean, where an id is wanted: one, none, or several to choose from."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from phone_bridge.errors import Refused
from phone_bridge.tools.desk import Desk
from phone_bridge.tools.keeper import Event, User
from phone_bridge.tools.plain import named

FOUND_AHEAD = timedelta(days=60)
"""How far ahead an event is looked for by words."""
CANDIDATES_MAX = 5
"""How many events are offered to choose from."""
WORDS_CHARS_MAX = 200
"""How much of the words is looked at."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EMPTY = frozenset(
    ("a", "an", "and", "appointment", "at", "event", "for", "in", "meeting", "my", "next", "of", "on", "the", "with")
)


class Ambiguous(Refused):
    """Words that mean several events; ``candidates`` name them as JSON's values."""

    def __init__(self, message: str, candidates: list[dict[str, Any]]) -> None:
        super().__init__(message, code="ambiguous_event")
        self.candidates = candidates


async def find_event(desk: Desk, user: User, words: str) -> Event:
    """Find the one event ahead that ``words`` mean; raises Ambiguous for several, and Refused for none.

    All words must be found in its title, its place or its people; a day of the week, "today" and "tomorrow" say when.
    Of one series the next occurrence is meant, and what is over today only where nothing else is.
    """
    zone = ZoneInfo(user.timezone)
    today = desk.now().astimezone(zone).date()
    start = datetime.combine(today, time(), zone)
    events = await desk.keeper.events(user.id, start=start, end=start + FOUND_AHEAD)
    spoken = _tokens(words[:WORDS_CHARS_MAX])
    days, rest = _days(spoken, today.weekday()), [word for word in spoken if _is_content(word)]
    found = [
        event
        for event in events
        if all(word in _text(event) for word in rest)
        and (not days or (event.start_time.astimezone(zone).date() - today).days in days)
    ]
    not_over = [event for event in found if event.end_time > desk.now()]
    found = _one_of_each_series(not_over or found) if rest or days else []
    if not found:
        raise Refused(f"There is no event called {words[:WORDS_CHARS_MAX]} ahead.", code="resource_missing")
    if len(found) == 1:
        return found[0]
    raise Ambiguous(
        _question(found, " ".join(rest) or "that", zone), [named(event) for event in found[:CANDIDATES_MAX]]
    )


def _tokens(words: str) -> list[str]:
    kept = "".join(char if char.isalnum() else " " for char in words.casefold().replace("'s", ""))
    return kept.split()


def _is_content(word: str) -> bool:
    return word not in _EMPTY and word not in _DAYS and word not in ("today", "tomorrow")


def _days(words: Sequence[str], weekday: int) -> set[int]:
    """Say how many days ahead is meant: a named weekday is the coming one, and today counts."""
    known = {"today": 0, "tomorrow": 1} | {name: (n - weekday) % 7 for n, name in enumerate(_DAYS)}
    return {known[word] for word in words if word in known}


def _text(event: Event) -> str:
    location = event.location
    place = f"{location.name or ''} {location.address or ''}" if location else ""
    people = " ".join(f"{person.name or ''} {person.email}" for person in event.attendees)
    return f"{event.title} {place} {people}".casefold()


def _one_of_each_series(events: Sequence[Event]) -> list[Event]:
    seen: set[str] = set()
    kept = []
    for event in events:
        if event.series_id not in seen:
            kept.append(event)
        if event.series_id is not None:
            seen.add(event.series_id)
    return kept


def _question(found: Sequence[Event], words: str, zone: ZoneInfo) -> str:
    """Ask which one, so that a caller can answer with a day and an hour."""
    starts = [event.start_time.astimezone(zone) for event in found[:CANDIDATES_MAX]]
    one_day = len({start.date() for start in starts}) == 1
    told = [f"the one at {start:%H:%M}" if one_day else f"the one on {start:%A the %d at %H:%M}" for start in starts]
    day = f" on {starts[0]:%A}" if one_day else ""
    return f"There are {len(found)} events called {words}{day}: {', '.join(told[:-1])} or {told[-1]}?"

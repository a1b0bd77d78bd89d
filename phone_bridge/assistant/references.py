"""Which events a caller points at: the words, times and places in a list, held against what the calendar gave."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from phone_bridge.assistant.grammar import spoken
from phone_bridge.assistant.when import When, minute_of, on
from phone_bridge.assistant.wishes import Reference

PAGE = 25
"""How many events one look-up brings at most; the tool's own limit."""


class Person(Struct, frozen=True):
    """Someone who takes part."""

    email: str = ""
    name: str | None = None

    def called(self) -> str:
        """Give the name to say."""
        return self.name or self.email.partition("@")[0]


class Place(Struct, frozen=True):
    """Where an event is."""

    name: str | None = None
    address: str | None = None

    def called(self) -> str:
        """Give the name to say, or else the address."""
        return self.name or self.address or ""


class Seen(Struct, frozen=True, kw_only=True):
    """What the talk knows of an event; times are in the caller's zone."""

    id: str
    title: str
    start_time: datetime
    end_time: datetime
    all_day: bool = False
    attendees: tuple[Person, ...] = ()
    location: Place | None = None
    series_id: str | None = None
    """The series of which this is one occurrence."""

    def words(self) -> frozenset[str]:
        """Give the words that one may call it by: of its title, its people and its place."""
        place = self.location.called() if self.location else ""
        names = [self.title, place, *(person.called() for person in self.attendees)]
        return frozenset(_stem(word) for name in names for word in spoken(name).split()) | {
            "".join(spoken(self.title).split())
        }


def seen(plain: Mapping[str, Any], now: datetime) -> Seen:
    """Read an event of a tool's result, into the zone of ``now``."""
    event = msgspec.convert(dict(plain), Seen)
    zone = now.tzinfo
    times = {"start_time": event.start_time.astimezone(zone), "end_time": event.end_time.astimezone(zone)}
    return msgspec.structs.replace(event, **times)


def seen_in(result: Mapping[str, Any], now: datetime) -> list[Seen]:
    """Read all events of a tool's result, in its order."""
    plain = [result["event"]] if result.get("event") else [*result.get("data", ())]
    plain += [item["event"] for item in result.get("events", ())]
    return [seen(event, now) for event in plain]


def query(reference: Reference, titles: Iterable[str], now: datetime) -> dict[str, Any]:
    """Make the parameters of ``search_events`` that bring the events which ``reference`` may mean."""
    parameters: dict[str, Any] = {"limit": PAGE}
    when = reference.when
    if when.day is not None or when.ahead is not None or when.part:
        start, end = When(day=when.day, last=when.last, ahead=when.ahead).window(now)
        if when.ahead is not None:
            start, end = on(start.date(), 0, now), on(start.date(), 24 * 60, now)
        return parameters | {"from": start.isoformat(), "to": end.isoformat()}
    parameters["from"] = on(now.date(), 0, now).isoformat()
    words = reference.words or reference.soft
    if words:
        parameters["query"] = _written(words, titles)
    return parameters


def _written(words: Sequence[str], titles: Iterable[str]) -> str:
    """Write words as the calendar does: "q three review" is in no title, but one is called "Q3 Review"."""
    meant = {title for title in titles if _has(title, words)}
    spelled = any(all(word in title.casefold() for word in words) for title in meant)
    return " ".join(words) if spelled or len(meant) != 1 else meant.pop()


def choose(reference: Reference, events: Sequence[Seen], now: datetime) -> list[Seen]:
    """Keep the events that ``reference`` can mean, in their order; those that are over only if nothing else is left."""
    left = [event for event in events if _named(event, reference.words) and _timely(event, reference.when, now)]
    left = [event for event in left if _named(event, reference.soft)] or left
    left = [event for event in left if event.end_time > now] or left
    if reference.upcoming:
        return [event for event in left if event.start_time >= now][:1]
    if reference.place:
        at = reference.place - 1 if reference.place > 0 else -1
        return [left[at]] if at < len(left) and left else []
    return left


def one_of_each_series(events: Iterable[Seen]) -> list[Seen]:
    """Keep the first of those that belong to one series: which of them, or all, is asked of it."""
    kept: dict[str, Seen] = {}
    for event in events:
        kept.setdefault(event.series_id or event.id, event)
    return list(kept.values())


def known(reference: Reference, titles: Iterable[str]) -> bool:
    """Tell whether the words are those of one of ``titles``."""
    words = (*reference.words, *reference.soft)
    return bool(words) and any(_has(title, words) for title in titles)


def _named(event: Seen, words: Iterable[str]) -> bool:
    known = event.words()
    return all(_stem(word) in known for word in words) or "".join(words) in known


def _has(title: str, words: Iterable[str]) -> bool:
    known = {_stem(word) for word in spoken(title).split()}
    return all(_stem(word) in known for word in words) or "".join(words) == "".join(spoken(title).split())


def _stem(word: str) -> str:
    """Bring "lessons" and "Anna's" to what the title may have."""
    word = word.removesuffix("'s")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _timely(event: Seen, when: When, now: datetime) -> bool:
    """Tell whether an event is at a time that was said."""
    if when.day is not None and not when.day <= event.start_time.date() <= (when.last or when.day):
        return False
    if when.part and not _overlaps(event, When(day=event.start_time.date(), part=when.part).window(now)):
        return False
    start = minute_of(event.start_time.time())
    if when.ahead is not None:
        moment = when.moment(now)
        return moment is not None and event.start_time <= moment < event.end_time
    return when.start is None or start in {minute % 1440 for minute in when.start.minutes()}


def _overlaps(event: Seen, window: tuple[datetime, datetime]) -> bool:
    return event.start_time < window[1] and window[0] <= event.start_time

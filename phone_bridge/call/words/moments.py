"""Times as they are spoken: in the offset they were given, without a clock of our own.

The weekday is always said, and the year only where the dates of one action lie in different years: a date that slipped
into another year falls on another weekday.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from phone_bridge.call.words.tongue import Tongue

LONGEST_MOMENT = 40
"""Characters of an ISO 8601 date and time with fraction and offset."""

_RULE_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PLAIN_RULE = {"FREQ", "INTERVAL", "BYDAY", "COUNT", "UNTIL", "WKST"}

Moment = date | datetime


def parse(value: Any) -> Moment | None:
    """Read an ISO 8601 date, or date and time; None for anything else."""
    if not isinstance(value, str) or not len("2026-11-24") <= len(value) <= LONGEST_MOMENT:
        return None
    try:
        return date.fromisoformat(value) if len(value) == len("2026-11-24") else datetime.fromisoformat(value)
    except ValueError:
        return None


def parse_clock(value: Any) -> time | None:
    """Read "HH:MM"; None for anything else."""
    if not isinstance(value, str) or len(value) != len("07:30"):
        return None
    try:
        return time.fromisoformat(value)
    except ValueError:
        return None


def years(values: Iterable[Any]) -> set[int]:
    """Collect the years of all moments among ``values``."""
    return {moment.year for value in values if (moment := parse(value)) is not None}


def say(moment: Moment, tongue: Tongue, *, year: bool) -> str:
    """Say a moment: "Tuesday the 24th of November at 3 p.m."."""
    day = tongue.day(moment, year)
    return tongue.say("day_at", day, tongue.clock(moment.time())) if isinstance(moment, datetime) else day


def say_span(start: Moment, end: Moment, place: str, tongue: Tongue, *, year: bool) -> str:
    """Say from when to when; ``place`` is the phrase for the beginning ("on" or "to"). The day is said once."""
    if isinstance(start, datetime) and isinstance(end, datetime) and start.date() == end.date():
        hours = tongue.say("from_to", tongue.clock(start.time()), tongue.clock(end.time()))
        return f"{tongue.say(place, tongue.day(start, year))} {hours}"
    return f"{tongue.say(place, say(start, tongue, year=year))} {tongue.say('until', say(end, tongue, year=year))}"


def say_minutes(minutes: int, tongue: Tongue) -> str:
    """Say a length of time: "1 hour and 30 minutes"."""
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    counts = [("day", days), ("hour", hours), ("minute", left)]
    said = [tongue.say(unit if count == 1 else f"{unit}s", count) for unit, count in counts if count]
    return tongue.join(said) or tongue.say("minutes", 0)


def say_rule(rule: str, tongue: Tongue, *, year: bool) -> str:
    """Say an RFC 5545 rule where it is a plain one ("every week on Monday"), and otherwise that there is one."""
    parts = dict(part.split("=", 1) for part in rule.upper().removeprefix("RRULE:").split(";") if "=" in part)
    how_often = _frequency(parts, tongue)
    on_days = _weekdays(parts, tongue)
    if not how_often or on_days is None or not parts.keys() <= _PLAIN_RULE:
        return tongue.say("repeating")
    said = [how_often, tongue.say("on_days", on_days) if on_days else ""]
    return " ".join([piece for piece in said if piece]) + _rule_end(parts, tongue, year=year)


def _frequency(parts: dict[str, str], tongue: Tongue) -> str:
    unit = {"DAILY": "daily", "WEEKLY": "weekly", "MONTHLY": "monthly", "YEARLY": "yearly"}.get(parts.get("FREQ", ""))
    interval = parts.get("INTERVAL", "1")
    if unit is None or not (interval.isascii() and interval.isdecimal() and len(interval) <= 3):
        return ""
    return tongue.say(unit) if int(interval) == 1 else tongue.say(f"{unit}_each", int(interval))


def _weekdays(parts: dict[str, str], tongue: Tongue) -> str | None:
    """Say the days of BYDAY; None for one that is no plain weekday, such as the second Monday."""
    days = [day for day in parts.get("BYDAY", "").split(",") if day]
    if not all(day in _RULE_DAYS for day in days):
        return None
    return tongue.join([tongue.weekdays[_RULE_DAYS.index(day)] for day in dict.fromkeys(days)])


def _rule_end(parts: dict[str, str], tongue: Tongue, *, year: bool) -> str:
    count, until = parts.get("COUNT", ""), parts.get("UNTIL", "")
    if count.isascii() and count.isdecimal() and len(count) <= 4:
        return ", " + tongue.say("times", int(count))
    end = parse(f"{until[:4]}-{until[4:6]}-{until[6:8]}")
    return ", " + tongue.say("until", tongue.day(end, year)) if end is not None else ""

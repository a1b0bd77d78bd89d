"""Recurrence rules of RFC 5545: read, unrolled between two moments, cut off and shifted; pure.

A rule speaks of the event's own clock. Its times are worked out on that clock and only then become moments, so that a
meeting at nine stays at nine across a change of daylight saving. A time that the clock skips, or shows twice, is read
as RFC 5545 (3.3.5) reads it: with the offset before the change.
"""

import re
from collections.abc import Iterator
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from msgspec import Struct

RULE_CHARS_MAX = 1000
"""Characters of a rule."""
INTERVAL_MAX = 1000
"""The longest interval of a rule, in its own units."""
TIMES_A_DAY_MAX = 24
"""How often a rule may fall on one day."""
OCCURRENCES_MAX = 1000
"""How many occurrences of one series are listed at most, the earliest ones."""
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DATES = ("BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYSETPOS")
_HOURS = ("BYHOUR", "BYMINUTE", "BYSECOND")
_PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_DATES, *_HOURS})
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_CYCLE_YEARS = 400
_SOME_DAY = datetime(2399, 12, 31)  # as late in its cycle as can be, so that a trial ends at once
_STEPS = {"DAILY": 1, "WEEKLY": 7}


class BadRule(ValueError):
    """A rule that RFC 5545 does not allow, or that this house does not reckon with; says which part and why."""


class Rule(Struct, frozen=True):
    """A rule by its parts, in their order."""

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Read the text of a rule, with or without ``RRULE:``; raises BadRule."""
        return _parsed(text)

    def __str__(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.parts)

    def get(self, name: str) -> str:
        """Give one part; empty where there is none."""
        return dict(self.parts).get(name, "")

    def replaced(self, **parts: str) -> "Rule":
        """Put parts in the place of those of their names; empty ones go."""
        given = dict(self.parts) | parts
        return Rule(tuple((name, value) for name, value in given.items() if value))

    @property
    def count(self) -> int | None:
        """How many occurrences there are in all, if the rule says so."""
        count = self.get("COUNT")
        return int(count) if count else None

    def until(self, zone: ZoneInfo) -> datetime | None:
        """Find the last moment at which an occurrence may begin, if the rule says so."""
        found = _UNTIL.fullmatch(self.get("UNTIL"))
        if found is None:
            return None
        day, clock, utc = found.groups()
        end = datetime.strptime(f"{day}{clock or '235959'}", "%Y%m%d%H%M%S")
        return end.replace(tzinfo=UTC if utc else zone).astimezone(UTC)

    def starts(self, first: datetime, *, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[datetime]:
        """Give the beginnings later than ``after`` and earlier than ``before``, in UTC and in order.

        ``first`` is the series' own beginning and always one of them, even where the rule does not meet it.
        """
        until = self.until(zone)
        limit = before if until is None else min(before, until + timedelta(microseconds=1))
        for at in self._all(first.astimezone(UTC), zone, after, limit):
            if at >= limit:
                return
            if at > after:
                yield at

    def meets(self, first: datetime, zone: ZoneInfo) -> bool:
        """Tell whether a series that begins at ``first`` begins with an occurrence of its rule."""
        local = _wall(first, zone)
        return next(self._walls(local, local + timedelta(days=1)), None) == local

    def _all(self, first: datetime, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[datetime]:
        """Begin with ``first``; go on with the rule's, which are counted from the beginning where the rule counts."""
        count, local = self.count, _wall(first, zone)
        yield first
        if count == 1:
            return
        start = local if count is not None else self._forwarded(local, _wall(after, zone))
        walls = self._walls(start, _wall(before, zone) + timedelta(days=1))
        last = first
        for at in islice((moment_of(wall, zone) for wall in walls), None if count is None else count):
            if at <= last:  # the first one again, or two that a change of the clock made one
                continue
            last = at
            yield at
            if count is not None and (count := count - 1) <= 1:
                return

    def _forwarded(self, start: datetime, after: datetime) -> datetime:
        """Skip whole periods that lie before ``after``, where periods are whole numbers of days."""
        step = _STEPS.get(self.get("FREQ"), 0) * int(self.get("INTERVAL") or 1)
        behind = (after - start).days - 2 * step
        return start + timedelta(days=behind // step * step) if step and behind > step else start

    def _walls(self, start: datetime, until: datetime) -> Iterator[datetime]:
        """Give what the clock shows at each occurrence from ``start`` to ``until``, as dateutil reckons it.

        A rule that never matches again is looked through up to the end of the calendar, the year 9999, whatever
        ``until`` says. So it is reckoned just before that end: the calendar repeats itself every 400 years.
        """
        years = (MAXYEAR - until.year) // _CYCLE_YEARS * _CYCLE_YEARS
        bare = ";".join(f"{name}={value}" for name, value in self.parts if name not in ("COUNT", "UNTIL"))
        made = rrulestr(bare, dtstart=start.replace(year=start.year + years))
        late = until.replace(year=until.year + years)
        try:
            for at in made:
                if at > late:
                    return
                yield at.replace(year=at.year - years)
        except ValueError:  # the last week of the year 9999 ends in a year that there is not
            return


def moment_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """Turn what a clock in ``zone`` shows into a moment in UTC."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def shifted(rule: Rule, by: timedelta, days: int, zone: ZoneInfo) -> Rule:
    """Move a rule along with its series, ``by`` a time on the clock that is ``days`` dates; raises BadRule.

    Days of the week go along. Days of a month or of a year do not: "the first Monday" a day later is no rule.
    """
    found = _UNTIL.fullmatch(rule.get("UNTIL"))
    if found is not None:
        until = rule.until(zone)
        if until is not None and found.group(2):
            later = moment_of(_wall(until, zone) + by, zone)
            rule = rule.replaced(UNTIL=f"{later:%Y%m%dT%H%M%SZ}")
        elif until is not None:
            rule = rule.replaced(UNTIL=f"{_wall(until, zone) + timedelta(days=days):%Y%m%d}")
    if not days:
        return _at_other_hours(rule, by)
    weekly = rule.get("FREQ") in ("DAILY", "WEEKLY")
    named = rule.get("BYDAY").split(",") if rule.get("BYDAY") else []
    fixed = any(rule.get(name) for name in _DATES)
    several = len(named) > 1 and rule.get("INTERVAL") not in ("", "1")
    if fixed or several or (named and not weekly):
        raise BadRule("the days of this series are fixed by its rule, so say the new rule")
    moved = [_DAYS[(_DAYS.index(day) + days) % 7] for day in named]
    return _at_other_hours(rule.replaced(BYDAY=",".join(moved)), by)


def _at_other_hours(rule: Rule, by: timedelta) -> Rule:
    if by % timedelta(days=1) and any(rule.get(name) for name in _HOURS):
        raise BadRule("the hours of this series are fixed by its rule, so say the new rule")
    return rule


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Read the clock in ``zone``."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Rule:
    if len(text) > RULE_CHARS_MAX:
        raise BadRule(f"a rule has at most {RULE_CHARS_MAX} characters")
    pairs = [part.partition("=")[::2] for part in text.strip().upper().removeprefix("RRULE:").split(";") if part]
    rule = Rule(tuple((name, value) for name, value in pairs))
    names = [name for name, _ in pairs]
    if unknown := [name for name in names if name not in _PARTS]:
        raise BadRule(f"a rule has no part {unknown[0][:20]}")
    if len(set(names)) != len(names):
        raise BadRule("a rule names each of its parts once")
    _check_bounds(rule)
    try:
        next(rule._walls(_SOME_DAY, _SOME_DAY), None)
    except (ValueError, TypeError, OverflowError, IndexError) as error:
        raise BadRule(f"the rule cannot be read: {error}") from None
    return rule


def _check_bounds(rule: Rule) -> None:
    if rule.get("FREQ") not in _FREQUENCIES:
        raise BadRule("a rule repeats by FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    for name, most in (("INTERVAL", INTERVAL_MAX), ("COUNT", 10**6)):
        value = rule.get(name)
        if value and not (value.isascii() and value.isdecimal() and len(value) <= 7 and 1 <= int(value) <= most):
            raise BadRule(f"{name} is a number from 1 to {most}")
    if rule.get("COUNT") and rule.get("UNTIL"):
        raise BadRule("a rule ends by COUNT or by UNTIL")
    if rule.get("UNTIL"):
        _check_until(rule)
    times = 1
    for name in _HOURS:
        times *= len(rule.get(name).split(","))
    if times > TIMES_A_DAY_MAX:
        raise BadRule(f"a rule falls at most {TIMES_A_DAY_MAX} times on a day")


def _check_until(rule: Rule) -> None:
    try:
        if rule.until(ZoneInfo("UTC")) is None:
            raise BadRule("UNTIL is a date, or a date and time: 20261231T235959Z")
    except (ValueError, OverflowError):
        raise BadRule("UNTIL names a day that there is not") from None

"""Days as people say them: "the day after tomorrow", "next Tuesday", "the 24th", "this weekend"."""

import re
from calendar import monthrange
from datetime import date, timedelta

from phone_bridge.assistant.phrase import MONTHS, WEEKDAYS, Phrase
from phone_bridge.assistant.when import Day

YEARS_AHEAD = 8
"""How far ahead a date without a year may lie: the longest wait for a 29th of February."""
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NAMED = {
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
    "the day before yesterday": -2,
    "today": 0,
    "tomorrow": 1,
    "yesterday": -1,
    "a week from today": 7,
    "a week from tomorrow": 8,
}
_HOW = ("next week on", "next week", "a week from", "this coming", "coming", "this", "next", "last")

Match = tuple[Day, int] | None


def read_day(phrase: Phrase, at: int, today: date, *, bare: bool) -> Match:
    """Read the day that begins at ``at``, its preposition with it: the day and where it ends.

    ``bare`` says that nothing but a time was asked for, so that "the second" is a day.
    """
    begin = phrase.skip(at, "on", "for", "of", "by")
    match = _named(phrase, begin, today) or _weekday(phrase, begin, today) or _span(phrase, begin, today)
    match = match or _date(phrase, begin, today, bare=bare)
    return _agreeing(phrase, *match, today) if match else None


def _agreeing(phrase: Phrase, day: Day, end: int, today: date) -> Match:
    """Join "monday the 24th": a date behind a weekday makes it sure, or shows that they contradict each other."""
    weekday = phrase.word(end - 1)
    if weekday not in WEEKDAYS:
        return day, end
    match = _date(phrase, phrase.skip(end, "on"), today, bare=False)
    if match is None:
        return day, end
    same = match[0].first is not None and match[0].first.weekday() == WEEKDAYS.index(weekday)
    return (match[0] if same else Day(None)), match[1]


def _named(phrase: Phrase, at: int, today: date) -> Match:
    for name, days in _NAMED.items():
        if phrase.stands(at, name):
            return Day(today + timedelta(days=days)), phrase.skip(at, name)
    return None


def _weekday(phrase: Phrase, at: int, today: date) -> Match:
    """Read a weekday: alone it is the coming one and never today; "next" is the one of next week."""
    begin = phrase.skip(at, *_HOW)
    if phrase.word(begin) not in WEEKDAYS:
        return None
    how, end = " ".join(phrase.words[at:begin]), begin + 1
    if not how and phrase.stands(end, "next week", "week"):
        how = "next" if phrase.stands(end, "next week") else "a week from"
        end = phrase.skip(end, "next week", "week")
    return Day(today + timedelta(days=_days_to(WEEKDAYS.index(phrase.word(begin)), today.weekday(), how))), end


def _days_to(weekday: int, today: int, how: str) -> int:
    ahead = (weekday - today - 1) % 7 + 1
    if how.startswith("next"):
        return weekday - today + 7
    if how == "this":
        return ahead % 7
    if how == "last":
        return ahead - 7 if ahead < 7 else -7
    return ahead + 7 if how == "a week from" else ahead


def _span(phrase: Phrase, at: int, today: date) -> Match:
    """Read a week, a weekend or a month; those of now begin today."""
    begin = phrase.skip(at, "this", "next", "in", "the rest of the", "the coming", "this coming", "coming", "the")
    how = phrase.word(begin - 1) if begin > at else ""
    what = phrase.word(begin)
    if how == "in" and what in MONTHS:
        return _month(MONTHS.index(what) + 1, today), begin + 1
    if what not in ("week", "weekend", "month"):
        return None
    sunday = today + timedelta(days=6 - today.weekday())
    saturday = sunday - timedelta(days=1)
    week = timedelta(days=7)
    spans = {
        "this week": Day(today, sunday),
        "the week": Day(today, sunday),
        "next week": Day(sunday + timedelta(days=1), sunday + week),
        "this weekend": Day(max(today, saturday), sunday),
        "the weekend": Day(max(today, saturday), sunday),
        "coming week": Day(sunday + timedelta(days=1), sunday + week),
        "coming weekend": Day(max(today, saturday), sunday),
        "next weekend": Day(saturday + week, sunday + week),
        "this month": _month(today.month, today),
        "next month": _month(today.month % 12 + 1, today),
    }
    return (spans[f"{how} {what}"], begin + 1) if f"{how} {what}" in spans else None


def _month(month: int, today: date) -> Day:
    """Give the coming month of that number, from today on if it has begun."""
    first = date(today.year + (month < today.month), month, 1)
    return Day(max(first, today), first.replace(day=monthrange(first.year, month)[1]))


def _date(phrase: Phrase, at: int, today: date, *, bare: bool) -> Match:
    """Read a day of a month, with the month before or behind it or not at all."""
    iso = _ISO.fullmatch(phrase.word(at))
    if iso is not None:
        return Day(_valid(int(iso[1]), int(iso[2]), int(iso[3]))), at + 1
    begin = phrase.skip(at, "the")
    if phrase.word(begin) in MONTHS:
        return _month_first(phrase, begin, today)
    match = phrase.ordinal(begin) or phrase.number(begin)
    if match is None:
        return None
    behind = phrase.skip(match[1], "of")
    if phrase.word(behind) in MONTHS:
        return _with_year(phrase, MONTHS.index(phrase.word(behind)) + 1, match[0], behind + 1, today)
    return _day_of_month(phrase, at, today, bare=bare)


def _month_first(phrase: Phrase, at: int, today: date) -> Match:
    begin = phrase.skip(at + 1, "the")
    match = phrase.ordinal(begin) or phrase.number(begin)
    if match is None or not 1 <= match[0] <= 31:
        return None
    return _with_year(phrase, MONTHS.index(phrase.word(at)) + 1, match[0], match[1], today)


def _with_year(phrase: Phrase, month: int, day: int, end: int, today: date) -> tuple[Day, int]:
    year = phrase.word(end)
    if re.fullmatch(r"20\d\d", year):
        return Day(_valid(int(year), month, day)), end + 1
    dates = (_valid(today.year + n, month, day) for n in range(YEARS_AHEAD + 1))
    return Day(next((found for found in dates if found and found >= today), None)), end


def _day_of_month(phrase: Phrase, at: int, today: date, *, bare: bool) -> Match:
    """Read "the 24th"; the first few are as often the first of a list as of a month, unless "on" stands before."""
    begin = phrase.skip(at, "the")
    match = phrase.ordinal(begin)
    if match is None or not (begin > at or phrase.word(begin)[:1].isdecimal()):
        return None
    day, end = match
    sure = day > 5 or bare or phrase.word(at - 1) in ("on", "for", *WEEKDAYS)
    if not sure or phrase.word(end) in ("one", "meeting", "event", "appointment", *WEEKDAYS):
        return None
    months = range(today.month - 1, today.month + 11)
    dates = (_valid(today.year + n // 12, n % 12 + 1, day) for n in months)
    return Day(next((found for found in dates if found and found >= today), None)), end


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None

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
    "a week today": 7,
    "today week": 7,
    "a week from tomorrow": 8,
    "a week tomorrow": 8,
    "tomorrow week": 8,
    "two weeks from today": 14,
    "two weeks from tomorrow": 15,
    "in a fortnight": 14,
    "a fortnight from now": 14,
    "in a couple of days": 2,
}
_FEASTS = {
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "boxing day": (12, 26),
    "new year's eve": (12, 31),
    "new year's day": (1, 1),
    "valentine's day": (2, 14),
    "halloween": (10, 31),
}
"""Days that are the same date in every year."""
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_HOW = ("next week on", "next week", "a week from", "a week on", "this coming", "coming", "this", "next", "last")

Match = tuple[Day, int] | None


def read_day(phrase: Phrase, at: int, today: date, *, bare: bool) -> Match:
    """Read the day that begins at ``at``, its preposition with it: the day and where it ends.

    ``bare`` says that nothing but a time was asked for, so that "the second" is a day.
    """
    begin = phrase.skip(at, "on", "for", "of", "by")
    match = (
        _named(phrase, begin, today)
        or _counted_weekday(phrase, begin, today)
        or _weekday(phrase, begin, today)
        or _part_of_span(phrase, at, today)
        or _span(phrase, begin, today)
        or _in_months(phrase, begin, today)
        or _date(phrase, begin, today, bare=bare)
    )
    if match is None:
        return None
    day, end = _agreeing(phrase, *match, today)
    return (day, end) if phrase.word(at - 1) == "from" else _through(phrase, day, end, today)  # moved from day to day


def _through(phrase: Phrase, day: Day, end: int, today: date) -> Match:
    """Join "monday to wednesday": one day, and another one behind it that ends a stretch."""
    begin = phrase.skip(end, "to", "through", "until")
    if begin == end or phrase.word(end - 1) not in WEEKDAYS or day.first is None or day.last is not None:
        return day, end
    last = _weekday(phrase, begin, today)
    if last is None or last[0].first is None or phrase.word(begin) not in WEEKDAYS:
        return day, end
    ahead = (last[0].first.weekday() - day.first.weekday()) % 7
    return Day(day.first, day.first + timedelta(days=ahead)), last[1]


def _agreeing(phrase: Phrase, day: Day, end: int, today: date) -> tuple[Day, int]:
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
    for name, days in sorted(_NAMED.items(), key=lambda named: -len(named[0])):
        if phrase.stands(at, name):
            return Day(today + timedelta(days=days)), phrase.skip(at, name)
    for name, (month, day) in _FEASTS.items():
        if phrase.stands(at, name):
            return _with_year(phrase, month, day, phrase.skip(at, name), today)
    return None


def _counted_weekday(phrase: Phrase, at: int, today: date) -> Match:
    """Read "the first monday of march", "the last friday of next month"."""
    begin = phrase.skip(at, "the")
    place, weekday = _ORDINALS.get(phrase.word(begin)), phrase.word(begin + 1)
    if place is None or weekday not in WEEKDAYS:
        return None
    behind = phrase.skip(begin + 2, "of", "in")
    month = _span(phrase, behind, today) if phrase.word(behind) not in MONTHS else None
    if phrase.word(behind) in MONTHS:
        number, end = MONTHS.index(phrase.word(behind)) + 1, behind + 1
    elif month is not None and phrase.word(month[1] - 1) == "month" and month[0].first is not None:
        number, end = month[0].first.month, month[1]
    else:
        return None
    years = (today.year, today.year + 1)
    days = (_nth(year, number, place, WEEKDAYS.index(weekday)) for year in years)
    return Day(next((day for day in days if day is not None and day >= today), None)), end


def _nth(year: int, month: int, place: int, weekday: int) -> date | None:
    """Find the first, second, … or last (-1) of a weekday in a month."""
    days = [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]
    return [day for day in days if day.weekday() == weekday][place]


def _part_of_span(phrase: Phrase, at: int, today: date) -> Match:
    """Read the beginning, the middle or the end of a week or a month."""
    begin = phrase.skip(at, "at the", "in the", "by the", "on the", "the", "towards the")
    if phrase.word(begin) not in ("beginning", "start", "middle", "end"):
        return None
    behind = phrase.skip(begin + 1, "of")
    span = _span(phrase, phrase.skip(behind, "the") if phrase.stands(behind, "the rest") else behind, today)
    if behind == begin + 1 or span is None or span[0].first is None or span[0].last is None:
        return None
    return _stretch_of(phrase.word(begin), span[0].first, span[0].last), span[1]


def _stretch_of(which: str, first: date, last: date) -> Day:
    """Choose days of a span: the last day of a month, a few days of all others."""
    if last.day == monthrange(last.year, last.month)[1] and first.month == last.month and (which == "end"):
        return Day(last)
    if (last - first).days > 7:
        starts = {"beginning": 0, "start": 0, "middle": 11, "end": (last - first).days - 8}
        begin = first + timedelta(days=starts[which])
        return Day(begin, begin + timedelta(days=8))
    monday = last - timedelta(days=6)
    begins, ends = {"beginning": (0, 1), "start": (0, 1), "middle": (1, 3), "end": (3, 6)}[which]
    return Day(max(first, monday + timedelta(days=begins)), max(first, monday + timedelta(days=ends)))


def _in_months(phrase: Phrase, at: int, today: date) -> Match:
    """Read "in two months": the same day of that month, or its last."""
    if phrase.word(at) != "in":
        return None
    count = (1, at + 2) if phrase.stands(at + 1, "a", "one") else phrase.number(at + 1)
    if count is None or phrase.word(count[1]) not in ("month", "months") or not 1 <= count[0] <= 12 * YEARS_AHEAD:
        return None
    years, month = divmod(today.month - 1 + count[0], 12)
    year, month = today.year + years, month + 1
    return Day(date(year, month, min(today.day, monthrange(year, month)[1]))), count[1] + 1


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
    return ahead + 7 if how in ("a week from", "a week on") else ahead


def _span(phrase: Phrase, at: int, today: date) -> Match:
    """Read a week, a weekend or a month; those of now begin today."""
    for words, weeks in (("week", 2), ("weekend", 2)):
        if phrase.stands(at, f"the {words} after next"):
            monday = today + timedelta(days=7 * weeks - today.weekday())
            first = monday + timedelta(days=5) if words == "weekend" else monday
            return Day(first, monday + timedelta(days=6)), phrase.skip(at, f"the {words} after next")
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
        "the month": _month(today.month, today),
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

"""How often, as people say it: "every Monday", "on weekdays", "every two weeks", "daily"; as rules of RFC 5545."""

from datetime import date, timedelta

from phone_bridge.assistant.phrase import WEEKDAYS, Phrase
from phone_bridge.assistant.when import PARTS, Repeat

EVERY_MAX = 52
"""The longest step between two times, in its own unit."""
_CODES = tuple(day[:2].upper() for day in WEEKDAYS)
_UNITS = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
_ADVERBS = {"daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "yearly": "YEARLY", "annually": "YEARLY"}
_GROUPS = {
    "weekdays": _CODES[:5],
    "weekday": _CODES[:5],
    "workdays": _CODES[:5],
    "workday": _CODES[:5],
    "weekends": _CODES[5:],
    "weekend": _CODES[5:],
}
_REPORTS = ("summary", "overview", "report", "briefing")  # a weekly summary is no event of every week

Match = tuple[Repeat, int] | None


def read_repeat(phrase: Phrase, at: int, today: date) -> Match:
    """Read what begins at ``at``: the rule, and where it ends."""
    begin = phrase.skip(at, "on", "repeating", "a")
    if (adverb := _ADVERBS.get(phrase.word(begin))) is not None and not phrase.stands(begin + 1, *_REPORTS):
        return Repeat(f"FREQ={adverb}"), begin + 1
    every = phrase.skip(begin, "every", "each")
    days, end = _days(phrase, every, plural=every == begin)
    if days:
        return Repeat(f"FREQ=WEEKLY;BYDAY={','.join(days)}", _first(days, today)), end
    if every == begin:
        return None
    if phrase.word(every) in PARTS:  # "every morning": the part of the day is read for itself
        return Repeat("FREQ=DAILY"), every
    return _stepped(phrase, every, today)


def _days(phrase: Phrase, at: int, *, plural: bool) -> tuple[tuple[str, ...], int]:
    """Read days of the week, several with "and" between them; without "every" they must be many: "on Mondays"."""
    if (group := _GROUPS.get(phrase.word(at))) is not None and (not plural or phrase.word(at).endswith("s")):
        return group, at + 1
    days: list[str] = []
    end = at
    while (day := _weekday(phrase.word(end), plural=plural)) is not None:
        days.append(_CODES[day])
        following = phrase.skip(end + 1, "and")
        if _weekday(phrase.word(following), plural=plural) is None:
            return tuple(sorted(set(days), key=_CODES.index)), end + 1
        end = following
    return (), at


def _weekday(word: str, *, plural: bool) -> int | None:
    name = word.removesuffix("s") if plural else word
    return WEEKDAYS.index(name) if name in WEEKDAYS and (not plural or word.endswith("s")) else None


def _stepped(phrase: Phrase, at: int, today: date) -> Match:
    """Read "every two weeks", "every other Tuesday", "every month"."""
    step, begin = (2, at + 1) if phrase.stands(at, "other", "second") else (phrase.number(at) or (1, at))
    word = phrase.word(begin)
    if step > EVERY_MAX or step < 1:
        return None
    interval = f";INTERVAL={step}" if step > 1 else ""
    if (unit := _UNITS.get(word.removesuffix("s"))) is not None:
        return Repeat(f"FREQ={unit}{interval}"), begin + 1
    if step > 1 and word in WEEKDAYS:
        code = _CODES[WEEKDAYS.index(word)]
        return Repeat(f"FREQ=WEEKLY{interval};BYDAY={code}", _first((code,), today)), begin + 1
    return None


def _first(days: tuple[str, ...], today: date) -> date | None:
    """Find the coming day of one that is named; of several, whichever comes first, today not among them."""
    if len(days) > 3:
        return None
    ahead = (today + timedelta(days=n) for n in range(1, 8))
    return next(day for day in ahead if _CODES[day.weekday()] in days)

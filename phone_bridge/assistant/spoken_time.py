"""Every piece of time in a turn: days, parts of the day, times on the clock, durations and what these are for."""

import re
from datetime import date, timedelta

from msgspec import Struct

from phone_bridge.assistant.phrase import Phrase
from phone_bridge.assistant.spoken_clock import UNITS, read_time
from phone_bridge.assistant.spoken_day import read_day
from phone_bridge.assistant.spoken_repeat import read_repeat
from phone_bridge.assistant.when import PARTS, Ahead, Day, Lead, Length, Part, Piece, Shift

_MINUTES = dict(zip(UNITS, (1, 1, 60, 60, 1440, 1440, 10080, 10080), strict=True))
_IDIOMS = {
    "three quarters of an hour": 45,
    "half an hour": 30,
    "a half hour": 30,
    "half hour": 30,
    "half a day": 720,
    "a quarter of an hour": 15,
    "quarter of an hour": 15,
    "a quarter hour": 15,
    "a couple of hours": 120,
}
_BEFORE = ("before", "in advance of", "in advance", "ahead of", "beforehand")
_BY = ("back by", "by", "back")

Match = tuple[Piece, int] | None


class Found(Struct, frozen=True):
    """A piece, and the words ``begin`` to ``end`` that said it, its preposition among them."""

    begin: int
    end: int
    piece: Piece


def scan(phrase: Phrase, today: date, *, bare: bool = False) -> list[Found]:
    """Find the pieces of time from left to right; ``bare`` says that nothing but a time was asked for."""
    found, at = [], 0
    while at < len(phrase):
        match: Match = (
            read_repeat(phrase, at, today)
            or read_day(phrase, at, today, bare=bare)
            or _stretch(phrase, at, today)
            or _part(phrase, at, today)
            or read_time(phrase, at, bare=bare)
        )
        if match is not None:
            found.append(Found(at, match[1], match[0]))
        at = match[1] if match else at + 1
    return found


def _stretch(phrase: Phrase, at: int, today: date) -> Match:
    """Read a duration with the words around it, which say whether it is a length, a shift, a lead or from now."""
    begin = phrase.skip(at, *_BY, "in", "within", "for")
    duration = read_duration(phrase, begin)
    if duration is None:
        return None
    minutes, end = duration
    if phrase.stands(at, "in") or phrase.stands(end, "from now"):
        days, rest = divmod(minutes, 1440)
        end = phrase.skip(end, "from now")
        return (Ahead(minutes) if rest else Day(today + timedelta(days=days))), end
    if phrase.stands(end, "ago") and minutes % 1440 == 0:
        return Day(today - timedelta(days=minutes // 1440)), end + 1
    if phrase.stands(end, *_BEFORE):
        return Lead(minutes), phrase.skip(end, *_BEFORE)
    if phrase.stands(end, "later", "earlier", "sooner"):
        return Shift(minutes, 1 if phrase.word(end) == "later" else -1), end + 1
    return (Shift(minutes) if phrase.stands(at, *_BY) else Length(minutes)), end


def read_duration(phrase: Phrase, at: int) -> tuple[int, int] | None:
    """Read a duration: its minutes, at least one, and where it ends."""
    for words, minutes in _IDIOMS.items():
        if phrase.stands(at, words):
            return minutes, phrase.skip(at, words)
    counted = _counted(phrase, at)
    if counted is None:
        return None
    total, end, unit = counted
    more = _counted(phrase, phrase.skip(end, "and")) if unit == 60 else None
    if more is not None and more[2] == 1:
        total, end = total + more[0], more[1]
    return (round(total), end) if total >= 1 else None


def _counted(phrase: Phrase, at: int) -> tuple[float, int, int] | None:
    """Read a number of one unit, with its half: minutes, where that ends, and the unit."""
    count = _count(phrase, at)
    if count is None or phrase.word(count[1]) not in _MINUTES:
        return None
    unit = _MINUTES[phrase.word(count[1])]
    end = phrase.skip(count[1] + 1, "and a half")
    half = unit / 2 if end > count[1] + 1 else 0
    return count[0] * unit + half, end, unit


def _count(phrase: Phrase, at: int) -> tuple[float, int] | None:
    if phrase.word(at) in ("a", "an"):
        return 1, at + 1
    if re.fullmatch(r"\d{1,3}\.\d", phrase.word(at)):
        return float(phrase.word(at)), at + 1
    match = phrase.number(at)
    if match is None:
        return None
    end = phrase.skip(match[1], "and a half")
    return match[0] + (0.5 if end > match[1] else 0), end


def _part(phrase: Phrase, at: int, today: date) -> Match:
    if phrase.word(at) == "tonight":
        return Part("evening", today), at + 1
    begin = phrase.skip(at, "in the", "during the", "this", "the", "at")
    name = phrase.word(begin)
    if name not in PARTS:
        return None
    return Part(name, today if phrase.stands(at, "this") else None), begin + 1

"""Times on the clock as people say them: "half past three", "quarter to four", "nine forty five in the evening"."""

import re

from phone_bridge.assistant.phrase import Phrase
from phone_bridge.assistant.when import PARTS, At, Between, Clock

UNITS = ("minute", "minutes", "hour", "hours", "day", "days", "week", "weeks")
"""Words that make a duration of the number before them."""
_DIGITAL = re.compile(r"(\d{1,2})[:.](\d{2})")

Reading = tuple[Clock, int] | None


def read_time(phrase: Phrase, at: int, *, bare: bool) -> tuple[At | Between, int] | None:
    """Read the time or the range that begins at ``at``, its preposition with it, and where it ends.

    A number alone is a time behind "at" and the like, or where ``bare`` says that nothing but a time was asked for.
    """
    return _range(phrase, at, bare=bare) or _at(phrase, at, bare=bare)


def _range(phrase: Phrase, at: int, *, bare: bool) -> tuple[Between, int] | None:
    begin = phrase.skip(at, "from", "between")
    joints = ("and",) if phrase.word(at) == "between" else ("to", "until")
    first = phrase.skip(begin, "at")
    readings = [_clock(phrase, first)]
    if begin > at:
        readings.append(_clock(phrase, first, ranging=True))  # "from ten to four", after "from ten to four until five"
    start = next((reading for reading in readings if reading and phrase.stands(reading[1], *joints)), None)
    if start is None:
        return None
    second = phrase.skip(start[1] + 1, "at")
    end = _clock(phrase, second)
    if end is None or not (begin > at or bare or _sure(phrase, begin, start) or _sure(phrase, second, end)):
        return None
    return Between(_before(start[0], end[0]), end[0]), end[1]


def _at(phrase: Phrase, at: int, *, bare: bool) -> tuple[At, int] | None:
    begin = phrase.skip(at, "at about", "at around", "at exactly", "at roughly", "at", "around", "starting at")
    clock = _clock(phrase, begin, ranging=phrase.word(at - 1) in ("my", "the"))  # "my ten to four" is no ten to four
    pronoun = phrase.word(at) == "one" and phrase.word(at - 1) in ("the", "that", "this")
    if clock is None or not (begin > at or (bare and not pronoun) or _sure(phrase, begin, clock)):
        return None
    return At(clock[0]), clock[1]


def _sure(phrase: Phrase, at: int, reading: tuple[Clock, int]) -> bool:
    """Tell whether the words can only be a time, and not just some number."""
    clock, end = reading
    return end > at + 1 or clock.exact or _DIGITAL.fullmatch(phrase.word(at)) is not None


def _clock(phrase: Phrase, at: int, *, ranging: bool = False) -> Reading:
    """Read a time on the clock; where a range may stand, "ten to four" is none."""
    for word, hour in (("noon", 12), ("midnight", 24)):
        if phrase.word(at) == word:
            return Clock(hour, exact=True), at + 1
    reading = _relative(phrase, at, ranging=ranging) or _digital(phrase, at) or _hour_and_minute(phrase, at)
    if reading is None:
        return None
    clock, end = _with_half(phrase, *reading)
    return clock, phrase.skip(end, "sharp", "on the dot", "ish", "or so", "exactly")


def _relative(phrase: Phrase, at: int, *, ranging: bool) -> Reading:
    """Read minutes past or to an hour; "half three" is half past."""
    if phrase.stands(at, "half") and (hour := _hour(phrase, at + 1)) is not None:
        return Clock(hour[0], 30), hour[1]
    counted = _minutes(phrase, at)
    if counted is None:
        return None
    minutes, begin, named = counted
    joint, hour = phrase.word(begin), _hour(phrase, begin + 1)
    if hour is None or joint not in ("past", "after", "to", "before") or (joint == "to" and ranging and not named):
        return None
    if joint in ("past", "after"):
        return Clock(hour[0], minutes), hour[1]
    return Clock((hour[0] - 1) % 12 or 12, 60 - minutes), hour[1]


def _minutes(phrase: Phrase, at: int) -> tuple[int, int, bool] | None:
    """Read how many minutes past or to the hour, where that ends, and whether it can be nothing but minutes."""
    for words, minutes in (("a quarter", 15), ("quarter", 15), ("half", 30)):
        if phrase.stands(at, words):
            return minutes, phrase.skip(at, words), True
    match = phrase.number(at)
    if match is None or not 0 < match[0] < 60:
        return None
    end = phrase.skip(match[1], "minutes", "minute")
    return (match[0], end, end > match[1]) if end > match[1] or match[0] in (5, 10, 20, 25) else None


def _hour(phrase: Phrase, at: int) -> tuple[int, int] | None:
    match = phrase.number(at)
    return match if match is not None and 1 <= match[0] <= 12 else None


def _digital(phrase: Phrase, at: int) -> Reading:
    """Read ``3:30``, which may be before or after noon, or ``15:30`` and ``03:30``, which may not."""
    match = _DIGITAL.fullmatch(phrase.word(at))
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 or minute > 59:
        return None
    return Clock(hour, minute, exact=not 1 <= hour <= 12 or match[1].startswith("0")), at + 1


def _hour_and_minute(phrase: Phrase, at: int) -> Reading:
    """Read an hour, and minutes behind it."""
    match = phrase.number(at)
    if match is None or match[0] > 23 or (phrase.number(at - 1) or (0, 0))[1] > at:  # the five of "twenty five"
        return None
    hour, end = match
    exact = not 1 <= hour <= 12
    if phrase.word(end) == "o'clock":
        return Clock(hour, exact=exact), end + 1
    if phrase.word(end) == "hundred":
        return (Clock(hour, exact=True), phrase.skip(end + 1, "hours")) if hour > 9 else None
    if (minute := _minute(phrase, end)) is not None:
        return Clock(hour, minute[0], exact=exact), minute[1]
    if phrase.stands(end, *UNITS, "and a half", "people"):
        return None
    return Clock(hour, exact=exact), end


def _minute(phrase: Phrase, at: int) -> tuple[int, int] | None:
    if phrase.word(at) in ("oh", "o", "zero"):
        match = phrase.number(at + 1)
        return match if match is not None and 0 < match[0] < 10 else None
    match = phrase.number(at)
    if match is None or not 10 <= match[0] < 60 or phrase.word(match[1]) in UNITS:
        return None
    return match


def _with_half(phrase: Phrase, clock: Clock, end: int) -> tuple[Clock, int]:
    """Take in "o'clock", "a.m.", "p.m." or "in the evening" behind a time."""
    end = phrase.skip(end, "o'clock")
    if clock.hour == 12 and phrase.stands(end, "noon"):
        return Clock(12, exact=True), end + 1
    if clock.exact:
        return clock, phrase.skip(end, "am", "pm")
    if phrase.word(end) in ("am", "pm"):
        hour = clock.hour % 12 + (12 if phrase.word(end) == "pm" else 0)
        return Clock(hour, clock.minute, exact=True), end + 1
    for part in PARTS:
        behind = phrase.skip(end, f"in the {part}", *(("at night",) if part == "night" else ()))
        if behind > end:
            hour, minute = divmod(clock.settle(part), 60)
            return Clock(hour, minute, exact=True), behind
    return clock, end


def _before(start: Clock, end: Clock) -> Clock:
    """Read the start of a range in the half of the day that its end asks for."""
    if start.exact or not end.exact:
        return start
    earlier = [minute for minute in start.minutes() if minute < end.minutes()[0]]
    return Clock(max(earlier) // 60, start.minute, exact=True) if earlier else start

"""Opening hours: hours of days in a zone, and dates on which nobody is there."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from phone_bridge.errors import SettingsError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEPT_TEXTS = 10_000
"""So many texts of hours, days and dates are remembered as they were read."""

_HOURS = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})", re.ASCII)
_DATE = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})", re.ASCII)
_DAY_MINUTES = 24 * 60
_LEAP_YEAR = 2_000  # in which every day of a year exists


class Opening(Protocol):
    """What says when it is open; ``timezone`` is where that is."""

    @property
    def hours(self) -> str | tuple[str, ...]:
        """Such as ``09:00-12:30``, the end not included."""
        ...

    @property
    def days(self) -> str | tuple[str, ...]:
        """Such as ``mon-fri`` or ``sat``."""
        ...

    @property
    def closed(self) -> str | tuple[str, ...]:
        """Such as ``12-25`` in every year, or ``2026-12-31``."""
        ...

    @property
    def timezone(self) -> str: ...  # noqa: D102 - said above


def many(said: str | tuple[str, ...]) -> tuple[str, ...]:
    """Give what may be said once or as a list."""
    return (said,) if isinstance(said, str) else said


def is_open(opening: Opening, at: datetime) -> bool:
    """Tell whether it is open at the time ``at`` (with its offset); always, where nothing is said.

    Hours that go over midnight belong to the day on which they begin, and to that day's being closed.
    """
    if not _limited(opening):
        return True
    here = at.astimezone(ZoneInfo(opening.timezone))
    minute = here.hour * 60 + here.minute
    windows = [_window(each) for each in many(opening.hours)] or [_Window(0, _DAY_MINUTES)]
    today, yesterday = (_is_a_day(opening, here.date() - timedelta(days=ago)) for ago in (0, 1))
    return any(
        (today and window.begins <= minute < window.ends) or (yesterday and minute + _DAY_MINUTES < window.ends)
        for window in windows
    )


def check(opening: Opening, place: str) -> None:
    """Check what an operator has written at ``place``; raises SettingsError with the mend."""
    if not _limited(opening):
        if opening.timezone:
            raise SettingsError(
                f"{place} has a timezone and neither hours nor days nor closed dates: add them, or remove it"
            )
        return
    try:
        ZoneInfo(opening.timezone)
    except (KeyError, ValueError, OSError):
        raise SettingsError(
            f"{place} has hours, days or closed dates, so it needs a timezone such as Europe/Berlin, "
            f"not {opening.timezone!r}"
        ) from None
    for field, said, read, mend in (
        ("hours", opening.hours, _window, "09:00-12:30, or 22:00-06:00 over midnight"),
        ("days", opening.days, lambda day: _days((day,)), f"mon-fri or sat, of {' '.join(DAYS)}"),
        ("closed", opening.closed, _date, "12-25 for every year, or 2026-12-31"),
    ):
        for each in many(said):
            try:
                read(each)
            except ValueError:
                raise SettingsError(f"{place} has {each!r} in {field}: write {mend}") from None


def _limited(opening: Opening) -> bool:
    return bool(many(opening.hours) or many(opening.days) or many(opening.closed))


def _is_a_day(opening: Opening, day: date) -> bool:
    """Tell whether it is open on ``day`` at all."""
    dates = (_date(each) for each in many(opening.closed))
    closed = any((each.month, each.day) == (day.month, day.day) and each.year in (0, day.year) for each in dates)
    return not closed and day.weekday() in _days(many(opening.days))


class _Date(NamedTuple):
    """A day of one year, or of every one where ``year`` is 0."""

    year: int
    month: int
    day: int


class _Window(NamedTuple):
    """Minutes after the midnight of a day; what ends on the next one ends after ``_DAY_MINUTES``."""

    begins: int
    ends: int


@lru_cache(maxsize=KEPT_TEXTS)
def _window(text: str) -> _Window:
    """Read ``HH:MM-HH:MM``; raises ValueError."""
    found = _HOURS.fullmatch(text)
    if not found:
        raise ValueError(text)
    hour, minute, end_hour, end_minute = map(int, found.groups())
    begins, ends = hour * 60 + minute, end_hour * 60 + end_minute
    if hour > 23 or max(minute, end_minute) > 59 or ends > _DAY_MINUTES or begins == ends:
        raise ValueError(text)
    return _Window(begins, ends if ends > begins else ends + _DAY_MINUTES)


@lru_cache(maxsize=KEPT_TEXTS)
def _days(said: Sequence[str]) -> frozenset[int]:
    """Read days, all seven where none are said; raises ValueError."""
    found: set[int] = set()
    for each in said:
        first, _, last = each.lower().partition("-")
        begins, ends = DAYS.index(first), DAYS.index(last or first)
        found.update(day % 7 for day in range(begins, (ends if ends >= begins else ends + 7) + 1))
    return frozenset(found or range(7))


@lru_cache(maxsize=KEPT_TEXTS)
def _date(text: str) -> _Date:
    """Read ``MM-DD`` or ``YYYY-MM-DD``; raises ValueError."""
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(text)
    year, month, day = int(found[1] or 0), int(found[2]), int(found[3])
    date(year if found[1] else _LEAP_YEAR, month, day)  # raises for a day that there is not
    return _Date(year, month, day)

"""Days: what stands around them, and every day of the week from every day of the week."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.phrase import WEEKDAYS, Phrase
from phone_bridge.assistant.spoken_day import YEARS_AHEAD, read_day
from phone_bridge.assistant.when import Day

TODAY = date(2026, 11, 24)
DATES = st.dates(date(2024, 1, 1), date(2100, 12, 31))


def read(text: str, today: date = TODAY, at: int = 0, *, bare: bool = False) -> tuple[Day, int] | None:
    return read_day(Phrase(text.split()), at, today, bare=bare)


def first(text: str, today: date) -> date:
    match = read(text, today)
    assert match is not None
    assert match[0].first is not None
    return match[0].first


@settings(deadline=None)
@given(DATES, st.sampled_from(WEEKDAYS))
def test_a_weekday_alone_is_within_a_week_and_never_today(today: date, weekday: str) -> None:
    day = first(weekday, today)
    assert WEEKDAYS[day.weekday()] == weekday
    assert timedelta(0) < day - today <= timedelta(7)


@settings(deadline=None)
@given(DATES, st.sampled_from(WEEKDAYS))
def test_this_next_and_last_are_kept_apart(today: date, weekday: str) -> None:
    this, following, last = (first(f"{how} {weekday}", today) for how in ("this", "next", "last"))
    monday = today - timedelta(days=today.weekday())
    assert timedelta(0) <= this - today < timedelta(7)
    assert timedelta(7) <= following - monday < timedelta(14)
    assert timedelta(0) < today - last <= timedelta(7)
    assert first(f"{weekday} week", today) == first(weekday, today) + timedelta(7)
    assert first(f"{weekday} next week", today) == first(f"next week {weekday}", today) == following


@settings(deadline=None)
@given(DATES, st.integers(1, 28))
def test_a_day_of_the_month_is_the_next_of_that_number(today: date, number: int) -> None:
    day = first(f"on the {number}th", today)
    assert day.day == number
    assert timedelta(0) <= day - today <= timedelta(31)


@settings(deadline=None)
@given(DATES)
def test_a_leap_day_is_found_however_far_it_is(today: date) -> None:
    day = first("february 29", today)
    assert (day.month, day.day) == (2, 29)
    assert today.year <= day.year <= today.year + YEARS_AHEAD


def test_the_first_few_are_days_only_where_a_day_is_meant() -> None:
    assert read("the second") is None
    assert read("the second", bare=True) is not None
    assert read("on the second") is not None
    assert read("on the second one") is None
    assert read("the sixth") is not None
    assert read("the sixth meeting") is None
    assert read("sixth") is None


@pytest.mark.parametrize("text", ["", "week", "may", "march on", "december 32", "5", "the", "month"])
def test_no_days(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(("text", "size"), [("on friday at", 2), ("friday the 27th at", 3), ("for tomorrow", 2)])
def test_the_words_of_a_day_are_taken_whole(text: str, size: int) -> None:
    match = read(text)
    assert match is not None
    assert match[1] == size


def test_a_year_may_be_said() -> None:
    assert read("december 24 2027") == (Day(date(2027, 12, 24)), 3)
    assert read("the 31st of april 2027") == (Day(None), 5)

"""Times, lengths and rules as they are spoken."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.words import moments
from phone_bridge.call.words.english import ENGLISH
from phone_bridge.call.words.german import GERMAN


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-24", date(2026, 11, 24)),
        ("2026-11-24T15:00", datetime(2026, 11, 24, 15)),
        ("2026-11-24T15:00:00.5Z", datetime.fromisoformat("2026-11-24T15:00:00.500+00:00")),
        ("2026-13-24", None),
        ("24 November", None),
        ("2026-11-24T25:00", None),
        ("2026-11-24T15:00" + "0" * 40, None),
        (20261124, None),
        (None, None),
    ],
)
def test_only_dates_are_dates(value: object, moment: object) -> None:
    assert moments.parse(value) == moment


def test_a_time_is_said_in_the_offset_it_was_given_in() -> None:
    for offset in ("+01:00", "-08:00", "Z", ""):
        moment = moments.parse(f"2026-11-24T15:00:00{offset}")
        assert moment is not None
        assert moments.say(moment, ENGLISH, year=False) == "Tuesday the 24th of November at 3 p.m."
        assert moments.say(moment, ENGLISH, year=True) == "Tuesday the 24th of November 2026 at 3 p.m."


@pytest.mark.parametrize(
    ("value", "clock"), [("22:00", time(22)), ("7:00", None), ("24:61", None), (22, None), ("ab:cd", None)]
)
def test_only_clock_times_are_clock_times(value: object, clock: object) -> None:
    assert moments.parse_clock(value) == clock


def test_years_are_collected_from_moments_alone() -> None:
    assert moments.years(["2026-11-24", "2027-01-01T00:00", "2028", 2029, None]) == {2026, 2027}


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 minutes"),
        (1, "1 minute"),
        (45, "45 minutes"),
        (60, "1 hour"),
        (61, "1 hour and 1 minute"),
        (1440, "1 day"),
        (3 * 1440 + 125, "3 days, 2 hours and 5 minutes"),
    ],
)
def test_lengths(minutes: int, said: str) -> None:
    assert moments.say_minutes(minutes, ENGLISH) == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=DAILY", "every day"),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO", "every week on Monday"),
        ("freq=weekly;byday=mo,we,fr;wkst=mo", "every week on Monday, Wednesday and Friday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "every 2 weeks on Tuesday"),
        ("FREQ=MONTHLY;COUNT=10", "every month, 10 times"),
        ("FREQ=YEARLY;UNTIL=20301224T000000Z", "every year, until Tuesday the 24th of December"),
        ("FREQ=MONTHLY;BYDAY=2MO", "repeating"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "repeating"),
        ("FREQ=HOURLY", "repeating"),
        ("FREQ=DAILY;INTERVAL=99999", "repeating"),
        ("FREQ=DAILY;INTERVAL=\N{SUPERSCRIPT TWO}", "repeating"),
        ("nonsense", "repeating"),
        ("", "repeating"),
    ],
)
def test_rules(rule: str, said: str) -> None:
    assert moments.say_rule(rule, ENGLISH, year=False) == said


@given(st.text(), st.booleans())
def test_any_rule_is_said_somehow(rule: str, year: bool) -> None:
    for tongue in (ENGLISH, GERMAN):
        assert moments.say_rule(rule, tongue, year=year)
        assert moments.say_rule(f"FREQ=DAILY;UNTIL={rule};COUNT={rule}", tongue, year=year)

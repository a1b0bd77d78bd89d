"""Recurrence rules: read, bounded, unrolled across changes of the clock, cut and shifted."""

import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.tools.rules import INTERVAL_MAX, RULE_CHARS_MAX, TIMES_A_DAY_MAX, BadRule, Rule, moment_of, shifted

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "America/New_York",
            "America/Sao_Paulo",
            "America/St_Johns",
            "Europe/Berlin",
            "Europe/London",
            "Africa/Casablanca",
            "Asia/Kolkata",
            "Asia/Tehran",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Pacific/Auckland",
            "UTC",
        )
    ]
)
WALLS = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)).map(lambda wall: wall.replace(second=0, microsecond=0))
RULES = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=YEARLY",
        "FREQ=DAILY;COUNT=40",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
    ]
)


def unrolled(text: str, first: datetime, zone: ZoneInfo, days: int = 400) -> list[datetime]:
    return list(
        Rule.parse(text).starts(first, zone=zone, after=first - timedelta(seconds=1), before=first + timedelta(days))
    )


def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


# Reading


@pytest.mark.parametrize(
    "text",
    ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU", "FREQ=MONTHLY;BYDAY=2TU;UNTIL=20270101", "FREQ=YEARLY;COUNT=3;WKST=SU"],
)
def test_a_rule_is_written_as_it_was_read(text: str) -> None:
    assert str(Rule.parse(text)) == text
    assert str(Rule.parse(f"RRULE:{text.lower()};")) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "FREQ="),
        ("COUNT=3", "FREQ="),
        ("FREQ=HOURLY", "FREQ="),
        ("FREQ=FORTNIGHTLY", "FREQ="),
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER"),
        ("FREQ=DAILY;nonsense", "NONSENSE"),
        ("FREQ=DAILY;FREQ=WEEKLY", "once"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        (f"FREQ=DAILY;INTERVAL={INTERVAL_MAX + 1}", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=two", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=-1", "COUNT"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT or by UNTIL"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL"),
        ("FREQ=WEEKLY;BYDAY=XX", "cannot be read"),
        ("FREQ=WEEKLY;BYDAY=", "cannot be read"),
        ("FREQ=DAILY;BYSETPOS=1000", "cannot be read"),
        (f"FREQ=DAILY;BYMINUTE={','.join(map(str, range(TIMES_A_DAY_MAX + 1)))}", "times on a day"),
        (f"FREQ=DAILY;BYDAY={'MO,' * RULE_CHARS_MAX}MO", "characters"),
    ],
)
def test_a_rule_that_cannot_be_reckoned_with_says_why(text: str, why: str) -> None:
    with pytest.raises(BadRule, match=why):
        Rule.parse(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="FREQ=DAILYWK;BYMO,UNTC0123456789+-TH", max_size=60))
def test_any_text_is_a_rule_or_a_bad_rule(text: str) -> None:
    try:
        rule = Rule.parse(f"FREQ=DAILY;{text}")
    except BadRule:
        return
    first = datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert len(unrolled(str(rule), first, NEW_YORK, days=3)) <= 3 * TIMES_A_DAY_MAX + 1


# Unrolling


def test_nine_stays_nine_when_the_clock_changes() -> None:
    first = datetime(2026, 3, 6, 9, tzinfo=NEW_YORK)
    found = unrolled("FREQ=DAILY;COUNT=4", first, NEW_YORK)
    assert [wall(at, NEW_YORK).hour for at in found] == [9, 9, 9, 9]
    assert [at.hour for at in found] == [14, 14, 13, 13]


def test_an_hour_that_the_clock_skips_is_the_hour_after() -> None:
    first = datetime(2026, 3, 7, 2, 30, tzinfo=NEW_YORK)
    found = unrolled("FREQ=DAILY;COUNT=3", first, NEW_YORK)
    assert [f"{wall(at, NEW_YORK):%d %H:%M}" for at in found] == ["07 02:30", "08 03:30", "09 02:30"]


def test_an_hour_that_the_clock_shows_twice_is_the_first_of_them() -> None:
    first = datetime(2026, 10, 31, 1, 30, tzinfo=NEW_YORK)
    found = unrolled("FREQ=DAILY;COUNT=3", first, NEW_YORK)
    assert [at.hour for at in found] == [5, 5, 6]
    assert found[1].astimezone(NEW_YORK).fold == 0


def test_two_hours_that_a_change_makes_one_are_one() -> None:
    first = datetime(2026, 3, 7, 2, 30, tzinfo=NEW_YORK)
    found = unrolled("FREQ=DAILY;BYHOUR=2,3;BYMINUTE=30;COUNT=6", first, NEW_YORK)
    assert len(set(found)) == len(found) == 5


def test_a_day_that_a_zone_left_out_is_the_day_after() -> None:
    apia = ZoneInfo("Pacific/Apia")  # it had no 30th of December 2011
    found = unrolled("FREQ=DAILY;COUNT=3", datetime(2011, 12, 29, 9, tzinfo=apia), apia)
    assert [wall(at, apia).day for at in found] == [29, 31]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY;UNTIL=20261126T140000Z", [24, 25, 26]),  # the last one begins at that very moment
        ("FREQ=DAILY;UNTIL=20261126T135959Z", [24, 25]),
        ("FREQ=DAILY;UNTIL=20261126", [24, 25, 26]),
        ("FREQ=DAILY;UNTIL=20261126T090000", [24, 25, 26]),
        ("FREQ=DAILY;COUNT=1", [24]),
        ("FREQ=DAILY;UNTIL=20261101", []),
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3", [24, 25, 30]),  # the beginning counts, though it is a Tuesday
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=1", [24]),
    ],
)
def test_a_rule_ends_as_it_says(rule: str, days: list[int]) -> None:
    first = datetime(2026, 11, 24, 9, tzinfo=NEW_YORK)
    assert [wall(at, NEW_YORK).day for at in unrolled(rule, first, NEW_YORK, days=60)] == days


@settings(max_examples=150, deadline=None)
@given(RULES, ZONES, WALLS, st.integers(0, 800), st.integers(1, 60))
def test_a_window_shows_just_what_lies_in_it(text: str, zone: ZoneInfo, start: datetime, ahead: int, days: int) -> None:
    first = moment_of(start, zone)
    after, before = first + timedelta(days=ahead), first + timedelta(days=ahead + days)
    rule = Rule.parse(text)
    whole = list(rule.starts(first, zone=zone, after=first - timedelta(seconds=1), before=before))
    assert list(rule.starts(first, zone=zone, after=after, before=before)) == [at for at in whole if at > after]
    assert whole == sorted(set(whole))


@settings(max_examples=150, deadline=None)
@given(ZONES, WALLS)
def test_every_occurrence_shows_the_same_hour_or_the_clock_skipped_it(zone: ZoneInfo, start: datetime) -> None:
    first = moment_of(start, zone)
    own = wall(first, zone)
    for at in unrolled("FREQ=DAILY", first, zone, days=370):
        shown = wall(at, zone)
        if shown.time() != own.time():
            skipped = datetime.combine(shown.date(), own.time())
            there = skipped.replace(tzinfo=zone)
            assert wall(there.astimezone(UTC), zone) != skipped, f"{shown} is not {own.time()}, which there was"


def test_a_rule_that_never_falls_ends_though_it_says_no_end() -> None:
    first = datetime(2026, 11, 24, 9, tzinfo=NEW_YORK)
    rule = Rule.parse("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        found = list(rule.starts(first, zone=NEW_YORK, after=first, before=first + timedelta(days=366)))
    finally:
        sys.setprofile(None)
    assert found == []
    assert steps < 2_000_000  # to the year 9999 it would be over ten times as many


def test_a_series_meets_its_rule_or_does_not() -> None:
    tuesday = datetime(2026, 11, 24, 9, tzinfo=NEW_YORK)
    assert Rule.parse("FREQ=WEEKLY;BYDAY=TU").meets(tuesday, NEW_YORK)
    assert Rule.parse("FREQ=MONTHLY").meets(tuesday, NEW_YORK)
    assert not Rule.parse("FREQ=WEEKLY;BYDAY=MO").meets(tuesday, NEW_YORK)
    assert not Rule.parse("FREQ=DAILY;BYMONTH=1").meets(tuesday, NEW_YORK)


# Shifting


@pytest.mark.parametrize(
    ("rule", "hours", "days", "wanted"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,FR", 2, 0, "FREQ=WEEKLY;BYDAY=MO,FR"),
        ("FREQ=WEEKLY;BYDAY=MO,SU", 24, 1, "FREQ=WEEKLY;BYDAY=TU,MO"),
        ("FREQ=WEEKLY", -24, -1, "FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYDAY=2TU", 1, 0, "FREQ=MONTHLY;BYDAY=2TU"),
        ("FREQ=MONTHLY", 24, 1, "FREQ=MONTHLY"),
        ("FREQ=DAILY;UNTIL=20261130T140000Z", 1, 0, "FREQ=DAILY;UNTIL=20261130T150000Z"),
        ("FREQ=DAILY;UNTIL=20261130", 24, 1, "FREQ=DAILY;UNTIL=20261201"),
        ("FREQ=DAILY;UNTIL=20261130", 2, 0, "FREQ=DAILY;UNTIL=20261130"),
    ],
)
def test_a_rule_goes_along_with_its_series(rule: str, hours: int, days: int, wanted: str) -> None:
    assert str(shifted(Rule.parse(rule), timedelta(hours=hours), days, NEW_YORK)) == wanted


@pytest.mark.parametrize(
    ("rule", "hours", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=2TU", 24, 1),
        ("FREQ=MONTHLY;BYMONTHDAY=1", 24, 1),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO", 24, 1),
        ("FREQ=DAILY;BYHOUR=9,13", 1, 0),
    ],
)
def test_a_rule_that_fixes_its_days_cannot_be_shifted(rule: str, hours: int, days: int) -> None:
    with pytest.raises(BadRule, match="say the new rule"):
        shifted(Rule.parse(rule), timedelta(hours=hours), days, NEW_YORK)

"""What a time comes to once it is known what was said."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.when import (
    NO_TIME,
    Ahead,
    At,
    Between,
    Clock,
    Day,
    Length,
    Part,
    When,
    gather,
    later,
    minute_of,
    on,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 10, tzinfo=BERLIN)
TODAY, TOMORROW = date(2026, 11, 24), date(2026, 11, 25)


@pytest.mark.parametrize(("near", "hour"), [(time(9), 9), (time(20), 21), (time(15), 9), (time(16), 21), (time(14), 9)])
def test_a_new_time_is_read_next_to_the_old_one(near: time, hour: int) -> None:
    assert Clock(9).settle(near=near) == hour * 60


def test_what_is_usual_gives_way_to_what_is_still_to_come() -> None:
    assert Clock(9).settle(after=time(8, 59)) == 9 * 60
    assert Clock(9).settle(after=time(9)) == 21 * 60
    assert Clock(3).settle(after=time(16)) == 15 * 60  # both are over


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 59), st.sampled_from(["", "morning", "afternoon", "evening", "night"]))
def test_a_time_is_settled_to_one_of_its_readings(hour: int, minute: int, part: str) -> None:
    clock = Clock(hour, minute)
    assert clock.settle(part) % 1440 in clock.minutes()


def test_an_exact_time_has_one_reading() -> None:
    assert Clock(3, 30, exact=True).settle("afternoon", near=time(15)) == 210


def test_pieces_are_gathered_and_differing_ones_are_doubtful() -> None:
    assert gather([Day(TOMORROW), Part("morning"), At(Clock(8))]) == When(day=TOMORROW, part="morning", start=Clock(8))
    assert gather([Between(Clock(2), Clock(4)), Length(5)]) == When(start=Clock(2), end=Clock(4))
    assert gather([Day(TODAY), Day(TODAY)]) == When(day=TODAY)
    assert gather([Day(TODAY), Day(TOMORROW)]).doubtful
    assert gather([At(Clock(2)), At(Clock(3))]).doubtful
    assert gather([Day(None)]).doubtful
    assert gather([Ahead(5)]) == When(ahead=5)
    assert not gather([])


def test_a_later_word_about_a_time_keeps_what_it_leaves_open() -> None:
    said = When(day=TOMORROW, start=Clock(3), end=Clock(4))
    assert When(start=Clock(5)).over(said) == When(day=TOMORROW, start=Clock(5))
    assert When(day=TODAY).over(said) == When(day=TODAY, start=Clock(3), end=Clock(4))
    assert When(ahead=5).over(said) == When(ahead=5)
    assert When(start=Clock(9)).over(When(day=TOMORROW, part="morning")).part == "morning"
    assert When(day=TODAY, start=Clock(9)).over(When(day=TOMORROW, part="evening")).part == ""


def test_a_moment_needs_a_day_and_a_time() -> None:
    assert When(day=TOMORROW).moment(NOW) is None
    assert When(start=Clock(3)).moment(NOW) is None
    assert When(day=TOMORROW, last=TOMORROW, start=Clock(3)).moment(NOW) is None
    assert When(start=Clock(3)).moment(NOW, day=TOMORROW) == datetime(2026, 11, 25, 15, tzinfo=BERLIN)
    assert When(ahead=90).moment(NOW.replace(second=30)) == NOW + timedelta(minutes=90)
    assert When(day=TODAY, start=Clock(3)).has_time()
    assert not When(day=TODAY, part="morning").has_time()


def test_windows() -> None:
    def hours(when: When) -> list[str]:
        return [f"{moment:%d %H:%M}" for moment in when.window(NOW)]

    assert hours(NO_TIME) == ["24 00:00", "25 00:00"]
    assert hours(When(day=TOMORROW)) == ["25 00:00", "26 00:00"]
    assert hours(When(day=TODAY, last=date(2026, 11, 29))) == ["24 00:00", "30 00:00"]
    assert hours(When(part="afternoon")) == ["24 12:00", "24 18:00"]
    assert hours(When(day=TOMORROW, start=Clock(3))) == ["25 15:00", "25 15:01"]
    assert hours(When(day=TOMORROW, start=Clock(3), end=Clock(4))) == ["25 15:00", "25 16:00"]
    assert hours(When(ahead=60)) == ["24 11:00", "24 11:01"]


def test_a_range_may_run_over_midnight() -> None:
    start = on(TODAY, 22 * 60, NOW)
    assert When(start=Clock(10), end=Clock(2)).until(start) == on(TOMORROW, 2 * 60, NOW)
    assert When(start=Clock(10)).until(start) is None


def test_minutes_past_midnight_run_into_the_next_day() -> None:
    assert on(TODAY, 1440, NOW) == datetime(2026, 11, 25, tzinfo=BERLIN)
    assert minute_of(time(3, 30)) == 210


@settings(deadline=None)
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.integers(-10_000, 10_000),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago"]),
)
def test_minutes_pass_as_they_pass_and_days_keep_the_clock(moment: datetime, minutes: int, zone: str) -> None:
    start = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    end = later(start, minutes)
    if minutes % 1440:
        assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(minutes=minutes)
    else:
        assert end.replace(tzinfo=None) - start.replace(tzinfo=None) == timedelta(minutes=minutes)
    assert end.tzinfo == start.tzinfo

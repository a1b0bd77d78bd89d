"""Dates on which nobody is there, in every zone; hours and days by themselves are held by ``test_routing``."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge import hours
from phone_bridge.errors import SettingsError

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago")


def opening(**said: Any) -> Any:
    return SimpleNamespace(**{"hours": (), "days": (), "closed": (), "timezone": "Europe/Berlin", **said})


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_a_holiday_is_the_whole_day_of_its_zone_and_no_minute_more(zone: str) -> None:
    office = opening(closed="12-25", timezone=zone)
    for year in (2026, 2027):
        for text, is_open in (
            ("12-24T23:59", True),
            ("12-25T00:00", False),
            ("12-25T12:00", False),
            ("12-25T23:59", False),
            ("12-26T00:00", True),
        ):
            assert hours.is_open(office, at(f"{year}-{text}", zone)) is is_open


@pytest.mark.parametrize("zone", ZONES)
def test_a_date_of_one_year_is_no_holiday_in_another(zone: str) -> None:
    office = opening(closed=("2026-12-31", "01-01"), timezone=zone)
    noon = {year: at(f"{year}-12-31T12:00", zone) for year in (2025, 2026, 2027)}
    assert {year: hours.is_open(office, when) for year, when in noon.items()} == {2025: True, 2026: False, 2027: True}
    assert not hours.is_open(office, at("2027-01-01T12:00", zone))


def test_one_moment_is_a_holiday_here_and_none_there() -> None:
    moment = datetime(2026, 12, 25, 3, 0, tzinfo=UTC)
    assert not hours.is_open(opening(closed="12-25"), moment)
    assert hours.is_open(opening(closed="12-25", timezone="America/New_York"), moment)


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    bar = opening(hours="22:00-04:00", closed="12-25")
    assert hours.is_open(bar, at("2026-12-25T03:59"))  # the night of the 24th
    assert not hours.is_open(bar, at("2026-12-25T22:00"))
    assert not hours.is_open(bar, at("2026-12-26T03:59"))  # would be the night of the 25th
    assert hours.is_open(bar, at("2026-12-26T22:00"))


def test_a_leap_day_comes_when_it_comes() -> None:
    office = opening(closed="02-29")
    assert not hours.is_open(office, at("2028-02-29T12:00"))
    assert hours.is_open(office, at("2027-02-28T12:00"))
    assert hours.is_open(office, at("2027-03-01T12:00"))


def test_hours_days_and_dates_must_all_agree() -> None:
    office = opening(hours="09:00-17:00", days="mon-fri", closed="2026-12-24")
    assert hours.is_open(office, at("2026-12-23T09:00"))
    assert not hours.is_open(office, at("2026-12-23T17:00"))
    assert not hours.is_open(office, at("2026-12-24T09:00"))
    assert not hours.is_open(office, at("2026-12-26T09:00"))


@settings(max_examples=100)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),
    st.integers(-1, 1),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_whoever_is_closed_on_a_day_is_open_on_all_others(moment: datetime, days: int, zone: str, yearly: bool) -> None:
    here = moment.astimezone(ZoneInfo(zone)).date()
    closed = here + timedelta(days=days)
    office = opening(closed=f"{closed:%m-%d}" if yearly else f"{closed}", timezone=zone)
    assert hours.is_open(office, moment) is (closed != here)


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ({"closed": "25-12"}, "'25-12' in closed: write 12-25 for every year, or 2026-12-31"),
        ({"closed": "02-30"}, "'02-30' in closed"),
        ({"closed": "2027-02-29"}, "'2027-02-29' in closed"),
        ({"closed": "0000-01-01"}, "'0000-01-01' in closed"),
        ({"closed": ("12-25", "christmas")}, "'christmas' in closed"),
        ({"closed": ""}, "'' in closed"),
        ({"closed": "12-25", "timezone": ""}, "needs a timezone such as Europe/Berlin, not ''"),
        ({}, "neither hours nor days nor closed dates"),
    ],
)
def test_what_is_no_date_is_told_with_the_mend(said: dict[str, Any], mend: str) -> None:
    with pytest.raises(SettingsError) as refused:
        hours.check(opening(**said), "here")
    assert mend in str(refused.value)


def test_what_is_one_is_let_pass() -> None:
    hours.check(opening(closed=("12-25", "02-29", "2028-02-29")), "here")
    hours.check(opening(timezone=""), "here")

"""Ways that are estimated from the distance alone."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.errors import Refused
from phone_bridge.tools.keeper import Mode
from phone_bridge.tools.travel import LONGEST_KM, Estimate, Journey, Point, Route, estimated, kilometres

NEW_YORK = ZoneInfo("America/New_York")
OFFICE, HOME, AIRPORT = Point(40.7484, -73.9857), Point(40.6601, -73.98), Point(40.6413, -73.7781)
LONDON, BERLIN = Point(51.5072, -0.1276), Point(52.52, 13.405)
RUSH = datetime(2026, 11, 24, 8, tzinfo=NEW_YORK)
NOON, NIGHT = RUSH.replace(hour=12), RUSH.replace(hour=3)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1))
SATURDAY = datetime(2026, 11, 28, 8, tzinfo=NEW_YORK)


def way(mode: Mode = "drive", at: datetime = NOON, end: Point = AIRPORT, start: Point = OFFICE) -> Route:
    return estimated(Journey(start=start, end=end, mode=mode, at=at, zone=NEW_YORK))


def test_distances_are_those_of_the_globe() -> None:
    assert kilometres(LONDON, BERLIN) == pytest.approx(931, abs=2)
    assert kilometres(Point(0, 179.5), Point(0, -179.5)) == pytest.approx(111.2, abs=0.1)
    assert kilometres(OFFICE, OFFICE) == 0


def test_a_way_is_about_as_long_as_people_know_it() -> None:
    assert 35 <= way().minutes <= 60  # midtown to Kennedy airport at noon
    assert 130 <= way("walk", end=HOME).minutes <= 170
    assert 30 <= way("transit", end=HOME).minutes <= 60


def test_the_roads_are_fuller_when_people_go_to_work() -> None:
    assert way(at=NIGHT).minutes < way(at=SATURDAY).minutes < way(at=NOON).minutes < way(at=RUSH).minutes
    assert [way(at=at).traffic_level for at in (NIGHT, SATURDAY, NOON, RUSH)] == ["free", "light", "moderate", "heavy"]
    assert way("walk", RUSH, HOME).minutes == way("walk", NIGHT, HOME).minutes


def test_the_hour_is_that_of_the_place_not_of_the_clock_it_was_written_on() -> None:
    assert way(at=RUSH.astimezone(UTC)) == way(at=RUSH)


def test_an_estimate_says_that_it_is_one() -> None:
    found = asyncio.run(Estimate().routes(Journey(start=OFFICE, end=HOME, mode="drive", at=NOON, most=3)))
    assert [(route.confidence, route.warnings) for route in found] == [("low", ("estimated from the distance alone",))]


def test_being_there_takes_no_time() -> None:
    assert way(end=OFFICE).minutes == 0


@pytest.mark.parametrize(("mode", "end"), [("drive", LONDON), ("walk", Point(41.5, -73.98)), ("transit", LONDON)])
def test_what_nobody_goes_like_that_is_refused(mode: Mode, end: Point) -> None:
    with pytest.raises(Refused, match="too far") as caught:
        way(mode, end=end)
    assert caught.value.code == "too_far"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["drive", "walk", "transit"]), st.floats(0.001, 1), st.floats(0.001, 1), TIMES)
def test_a_longer_way_never_takes_less_time(mode: Mode, one: float, other: float, at: datetime) -> None:
    degrees = LONGEST_KM[mode] / 112
    near, far = sorted([one * degrees, other * degrees])
    times = [way(mode, at.replace(tzinfo=UTC), Point(0, lng), Point(0, 0)).minutes for lng in (near, far)]
    assert 0 < times[0] <= times[1]

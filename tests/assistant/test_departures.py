from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from phone_bridge.assistant.departures import AFTER, AHEAD, due, is_watched
from phone_bridge.tools.keeper import Event, Location

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TEA = Event(
    id="evt_000001",
    user_id="usr_a",
    title="Tea",
    start_time=NOW + timedelta(hours=1),
    end_time=NOW + timedelta(hours=2),
    location=Location(lat=1.0, lng=2.0),
    created_at=NOW,
    updated_at=NOW,
)
TIMES = {"earliest_departure": "2026-11-21T09:00:00+00:00", "latest_departure": "2026-11-21T09:10:00+00:00"}
LEAVES = {"ok": True, **TIMES}
ON_TIME = {"ok": True, "status": "on_time", "minutes_late": 0}
LATE = {"ok": True, "status": "late", "minutes_late": 7, "predicted_arrival": "2026-11-21T10:07:00+00:00"}
FAILED = {"ok": False, "error": {}}


@pytest.mark.parametrize(
    ("change", "watched"),
    [
        ({}, True),
        ({"location": None}, False),
        ({"all_day": True}, False),
        ({"is_cancelled": True}, False),
        ({"start_time": NOW + AHEAD}, True),
        ({"start_time": NOW + AHEAD + timedelta(seconds=1)}, False),
        ({"start_time": NOW - AFTER}, True),
        ({"start_time": NOW - AFTER - timedelta(seconds=1)}, False),
    ],
)
def test_events_that_one_goes_to_soon_are_watched(change: dict[str, Any], watched: bool) -> None:
    assert is_watched(structs.replace(TEA, **change), NOW) is watched


def test_it_is_told_that_it_is_time_to_leave_from_then_on() -> None:
    assert due(TEA, LEAVES, ON_TIME, NOW - timedelta(seconds=1)) == []
    (told,) = due(TEA, LEAVES, ON_TIME, NOW)
    assert (told.type, dict(told.object)) == (
        "departure.threshold_reached",
        {"event_id": "evt_000001", "user_id": "usr_a", **TIMES},
    )
    assert due(TEA, LEAVES, ON_TIME, NOW + timedelta(minutes=1))[0].deed == told.deed


def test_another_beginning_is_told_anew() -> None:
    moved = structs.replace(TEA, start_time=TEA.start_time + timedelta(minutes=1))
    assert due(moved, LEAVES, ON_TIME, NOW)[0].deed != due(TEA, LEAVES, ON_TIME, NOW)[0].deed


def test_it_is_told_that_somebody_will_be_late() -> None:
    told = due(TEA, FAILED, LATE, NOW)
    assert [each.type for each in told] == ["event.late_predicted"]
    assert (told[0].object["minutes_late"], told[0].object["predicted_arrival"]) == (7, LATE["predicted_arrival"])


def test_who_has_arrived_is_told_nothing() -> None:
    assert due(TEA, LEAVES, {"ok": True, "status": "arrived"}, NOW) == []


def test_nobody_is_told_to_leave_for_what_has_begun() -> None:
    assert due(TEA, LEAVES, ON_TIME, TEA.start_time) == []


def test_what_is_not_known_is_not_told() -> None:
    assert due(TEA, FAILED, FAILED, NOW) == []
    assert due(TEA, FAILED, {"ok": True, "status": "late", "predicted_arrival": None}, NOW) == []

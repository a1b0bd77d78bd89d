"""The tools about getting there."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools.calendar import CalendarTools
from phone_bridge.tools.keeper import Attendee, Fix, Location, Tracking, Travel
from phone_bridge.tools.travel import Estimate, Journey, Route
from tests.tools.shelf import ALICE, NOW, Shelf
from tests.tools.test_calendar import at, error, iso

HOME = Location(name="home", address="210 Prospect Park West, Brooklyn", lat=40.6601, lng=-73.98)
OFFICE = Location(name="the office", address="350 Fifth Avenue", lat=40.7484, lng=-73.9857)
ANNA = Attendee("anna@example.com", "Anna")


class Roads:
    """Every way by car takes thirty minutes, and the second one ten more."""

    def __init__(self) -> None:
        self.asked: list[Journey] = []
        self.failing: Exception | None = None

    async def routes(self, journey: Journey) -> list[Route]:
        self.asked.append(journey)
        if self.failing is not None:
            raise self.failing
        if journey.mode == "walk":
            raise Refused("Too far to walk.", code="too_far")
        first = Route(minutes=30, mode=journey.mode, label="via Main Street", distance_m=12000, confidence="medium")
        second = Route(minutes=40, mode=journey.mode, label="via Elm Street", distance_m=11000, confidence="medium")
        return [first, second][: journey.most]


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    shelf.know(ALICE.id, home_location=HOME)
    shelf.add("Video call", at(11), at(11, 30))
    shelf.add("Review", at(13), at(14), location=OFFICE, attendees=(ANNA, Attendee(ALICE.email)))
    return shelf


@pytest.fixture
def roads() -> Roads:
    return Roads()


VIDEO, REVIEW = "evt_000000", "evt_000001"


def run(shelf: Shelf, roads: Any, tool: str, key: str = "k", /, now: datetime = NOW, **parameters: Any) -> Any:
    async def sent(user_id: str, text: str) -> bool:
        shelf.texts.append((user_id, text))  # type: ignore[attr-defined]  # only these tests want to know
        return True

    shelf.texts = []  # type: ignore[attr-defined]
    shelf.now = now
    tools = CalendarTools(shelf, lambda: now, router=roads, send_text=sent)
    return asyncio.run(tools.run(ALICE.id, tool, parameters, key=key))


# When to leave


def test_one_leaves_for_the_next_event_with_a_place_in_time_to_travel_and_to_park(shelf: Shelf, roads: Roads) -> None:
    result = run(shelf, roads, "get_departure_info")
    assert (result["event_id"], result["title"]) == (REVIEW, "Review")
    assert result["travel"] == {
        "total_minutes": 35,
        "drive_minutes": 30,
        "transit_minutes": 0,
        "parking_minutes": 5,
        "walk_minutes": 0,
    }
    assert datetime.fromisoformat(result["latest_departure"]) == at(12, 25)
    assert datetime.fromisoformat(result["earliest_departure"]) == at(12, 18)
    assert (result["traffic_level"], result["confidence"]) == ("light", "medium")
    (journey,) = roads.asked
    assert (journey.start.lat, journey.end.lat, journey.at, journey.arriving) == (40.6601, 40.7484, at(13), True)


def test_an_events_own_travel_and_the_users_buffers_count(shelf: Shelf, roads: Roads) -> None:
    shelf.add("Opera", at(20), at(22), location=OFFICE, travel=Travel("transit", 10, 3))
    shelf.know(ALICE.id, buffers=ALICE.buffers.__class__(arrival=15))
    result = run(shelf, roads, "get_departure_info", event_id="evt_000002")
    assert (result["travel"]["total_minutes"], result["travel"]["transit_minutes"]) == (33, 30)
    assert datetime.fromisoformat(result["latest_departure"]) == at(20) - timedelta(minutes=48)


@pytest.mark.parametrize(("hours", "minutes"), [(1, 10), (2, 5), (2.5, 5), (3, 1)])
def test_it_is_looked_at_again_the_sooner_the_nearer_it_comes(
    shelf: Shelf, roads: Roads, hours: float, minutes: int
) -> None:
    now = at(9) + timedelta(hours=hours)
    result = run(shelf, roads, "get_departure_info", now=now)
    assert datetime.fromisoformat(result["next_recalc_at"]) == now + timedelta(minutes=minutes)


def test_where_one_is_known_to_be_is_where_one_sets_out(shelf: Shelf, roads: Roads) -> None:
    shelf.know(ALICE.id, last_location=Fix(lat=40.7, lng=-74.0, recorded_at=at(11)))
    run(shelf, roads, "get_departure_info", now=at(11, 30))
    assert roads.asked[0].start.lat == 40.7
    run(shelf, roads, "get_departure_info", now=at(10))  # too long before
    assert roads.asked[1].start.lat == HOME.lat


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"home_location": None}, "origin_unknown"),
        ({"home_location": Location(address="Elsewhere 1")}, "place_unknown"),
    ],
)
def test_where_one_sets_out_must_be_known(shelf: Shelf, roads: Roads, change: dict[str, Any], code: str) -> None:
    shelf.know(ALICE.id, **change)
    assert error(run(shelf, roads, "get_departure_info"))[1] == code


def test_an_event_without_a_place_has_no_departure(shelf: Shelf, roads: Roads) -> None:
    assert error(run(shelf, roads, "get_departure_info", event_id=VIDEO)) == (
        "invalid_request_error",
        "invalid_parameter",
        "event_id",
    )
    shelf.kept.pop(REVIEW)
    assert error(run(shelf, roads, "get_departure_info"))[1] == "resource_missing"


def test_a_place_is_known_by_its_name_or_address_from_ones_own_calendar(shelf: Shelf, roads: Roads) -> None:
    for place in ({"address": "the office"}, {"address": "350 fifth avenue"}, {"name": "Home", "address": "home"}):
        assert run(shelf, roads, "get_travel_time", to_location=place, arrive_by=iso(13))["ok"]
    missing = run(shelf, roads, "get_travel_time", to_location={"address": "The Moon"}, arrive_by=iso(13))
    assert error(missing)[1] == "place_unknown"
    assert "The Moon" in missing["error"]["message"]


# How long it takes


def test_a_way_is_counted_back_from_the_arrival_or_on_from_the_departure(shelf: Shelf, roads: Roads) -> None:
    back = run(shelf, roads, "get_travel_time", event_id=REVIEW)
    assert "event_id" not in back
    assert datetime.fromisoformat(back["latest_departure"]) == at(12, 25)
    on = run(shelf, roads, "get_travel_time", to_location={"lat": 40.7, "lng": -74.0}, depart_at=iso(15))
    assert datetime.fromisoformat(on["latest_departure"]) == at(15)
    assert datetime.fromisoformat(on["arrival"]) == at(15, 35)


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({}, "event_id"),
        ({"event_id": REVIEW, "to_location": {"address": "x"}}, "to_location"),
        ({"to_location": {"address": "x"}}, "arrive_by"),
        ({"event_id": REVIEW, "arrive_by": iso(12), "depart_at": iso(11)}, "depart_at"),
    ],
)
def test_a_way_must_be_one_way(shelf: Shelf, roads: Roads, parameters: dict[str, Any], param: str) -> None:
    assert error(run(shelf, roads, "get_travel_time", **parameters))[2] == param


def test_other_ways_are_listed_and_a_mode_without_one_is_left_out(shelf: Shelf, roads: Roads) -> None:
    found = run(shelf, roads, "get_alternate_routes", event_id=REVIEW, modes=["walk", "drive"], max_routes=2)["routes"]
    assert [(way["route_id"], way["label"], way["total_minutes"], way["delta_minutes"]) for way in found] == [
        ("drive-1", "via Main Street", 30, 0),
        ("drive-2", "via Elm Street", 40, 10),
    ]
    only = run(shelf, roads, "get_alternate_routes", event_id=REVIEW, modes=["walk"])
    assert error(only)[1] == "too_far"


def test_a_route_server_that_is_away_is_told_where_the_way_was_asked_for_alone(shelf: Shelf, roads: Roads) -> None:
    roads.failing = Unavailable("no network", code="router_unavailable")
    assert error(run(shelf, roads, "get_departure_info"))[:2] == ("api_error", "router_unavailable")
    assert run(shelf, roads, "get_next_event", with_location_only=True)["departure"] is None


def test_the_estimate_stands_in_where_no_router_is_given(shelf: Shelf) -> None:
    result = run(shelf, Estimate(), "get_departure_info")
    assert result["confidence"] == "low"
    assert 20 < result["travel"]["total_minutes"] < 60


# Navigation


def test_navigation_gives_a_link_and_sends_it_to_the_phone(shelf: Shelf, roads: Roads) -> None:
    result = run(shelf, roads, "start_navigation", event_id=REVIEW)
    link = urlsplit(result["deep_link"])
    assert (link.netloc, link.path) == ("www.google.com", "/maps/dir/")
    assert parse_qs(link.query) == {"api": ["1"], "destination": ["40.7484,-73.9857"], "travelmode": ["driving"]}
    assert result["sent"] is True
    ((user_id, text),) = shelf.texts  # type: ignore[attr-defined]
    assert user_id == ALICE.id
    assert result["deep_link"] in text
    assert shelf.deeds == 0


@pytest.mark.parametrize(
    ("app", "mode", "start"),
    [
        ("apple", "walk", "https://maps.apple.com/?daddr=40.7484%2C-73.9857&dirflg=w"),
        ("waze", "drive", "https://waze.com/ul?ll=40.7484%2C-73.9857&navigate=yes"),
        ("waze", "walk", "https://www.google.com/maps/dir/?api=1&destination=40.7484%2C-73.9857&travelmode=walking"),
    ],
)
def test_each_app_has_its_link(shelf: Shelf, roads: Roads, app: str, mode: str, start: str) -> None:
    assert run(shelf, roads, "start_navigation", event_id=REVIEW, app=app, mode=mode)["deep_link"] == start


def test_a_place_that_is_not_on_our_map_is_left_to_the_app_to_find(shelf: Shelf, roads: Roads) -> None:
    link = run(shelf, roads, "start_navigation", to_location={"address": "1 Moon Street"})["deep_link"]
    assert parse_qs(urlsplit(link).query)["destination"] == ["1 Moon Street"]
    assert error(run(shelf, roads, "start_navigation", event_id=VIDEO))[2] == "event_id"


def test_a_way_is_followed_if_so_asked(shelf: Shelf, roads: Roads) -> None:
    assert (
        run(shelf, roads, "start_navigation", event_id=REVIEW, start_tracking=True)["tracking_status"] == "in_transit"
    )
    assert shelf.ways[REVIEW].started_at == NOW
    nowhere = run(shelf, roads, "start_navigation", to_location={"address": "x"}, start_tracking=True)
    assert error(nowhere)[2] == "start_tracking"


# Late


@pytest.mark.parametrize(
    ("now", "status", "late"),
    [(at(12), "on_time", 0), (at(12, 20), "at_risk", 0), (at(12, 40), "late", 15), (at(13, 10), "late", 45)],
)
def test_lateness_is_judged_by_when_one_should_have_left(
    shelf: Shelf, roads: Roads, now: datetime, status: str, late: int
) -> None:
    result = run(shelf, roads, "check_if_late", now=now, event_id=REVIEW)
    assert (result["status"], result["minutes_late"], result["basis"]) == (status, late, "departure")


def test_lateness_is_judged_by_where_one_is_when_that_is_known(shelf: Shelf, roads: Roads) -> None:
    here = {"lat": 40.7, "lng": -74.0}
    result = run(shelf, roads, "check_if_late", now=at(12, 10), event_id=REVIEW, current_location=here)
    assert (result["status"], result["basis"]) == ("on_time", "tracking")
    assert datetime.fromisoformat(result["predicted_arrival"]) == at(12, 45)
    shelf.ways[REVIEW] = Tracking(
        event_id=REVIEW, status="in_transit", current_location=Fix(lat=40.7, lng=-74.0, recorded_at=at(12, 30))
    )
    late = run(shelf, roads, "check_if_late", now=at(12, 30), event_id=REVIEW)
    assert (late["status"], late["minutes_late"], late["basis"]) == ("late", 5, "tracking")


def test_who_has_arrived_has_arrived(shelf: Shelf, roads: Roads) -> None:
    run(shelf, roads, "start_navigation", "a", event_id=REVIEW, start_tracking=True)
    arrived = run(shelf, roads, "report_arrival", "b", now=at(13, 4), location={"lat": 40.7, "lng": -74.0})
    assert (arrived["event_id"], arrived["status"], arrived["minutes_late"]) == (REVIEW, "arrived", 4)
    assert arrived["tracking_stopped"] is True
    assert shelf.known[ALICE.id].last_location == Fix(lat=40.7, lng=-74.0, recorded_at=at(13, 4))
    assert run(shelf, roads, "check_if_late", now=at(13, 5))["status"] == "arrived"


def test_of_an_event_without_a_place_only_the_clock_tells(shelf: Shelf, roads: Roads) -> None:
    assert run(shelf, roads, "check_if_late", now=at(10, 59), event_id=VIDEO)["status"] == "on_time"
    late = run(shelf, roads, "check_if_late", now=at(11, 10))
    assert (late["event_id"], late["status"], late["minutes_late"], late["basis"]) == (VIDEO, "unknown", 10, "health")


def test_being_late_is_acknowledged_and_its_alerts_end(shelf: Shelf, roads: Roads) -> None:
    alert = shelf.alarm(type="late", title="Late", event_id=REVIEW)
    result = run(shelf, roads, "acknowledge_late", event_id=REVIEW, minutes_late=10)
    assert (result["acknowledged_at"], result["notified"]) == ("2026-11-24T15:00:00Z", [])
    assert shelf.alerting[alert].status == "dismissed"
    assert (shelf.ways[REVIEW].minutes_late, shelf.messages) == (10, [])


def test_the_others_are_told_of_being_late_if_so_asked(shelf: Shelf, roads: Roads) -> None:
    result = run(shelf, roads, "acknowledge_late", event_id=REVIEW, minutes_late=10, notify=True, message="Sorry")
    assert (result["notified"], result["delivered"]) == (["anna@example.com"], False)
    (message,) = shelf.messages
    assert (message.email_type, message.message, message.eta) == ("running_late", "Sorry", at(13, 10))
    alone = run(shelf, roads, "acknowledge_late", "k2", event_id=VIDEO, notify=True)
    assert error(alone)[1] == "no_attendees"
    assert VIDEO not in shelf.ways

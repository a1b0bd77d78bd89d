"""The calendar tools on any keeper: what they do, what they answer, and how they refuse."""

import asyncio
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from phone_bridge.tools.availability import ALTERNATIVES_MAX
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools
from phone_bridge.tools.catalogue import Effect, Policy
from phone_bridge.tools.keeper import Attendee, Location
from phone_bridge.tools.table import SCOPES
from tests.tools.shelf import ALICE, NOW, Shelf

NEW_YORK = ZoneInfo("America/New_York")
TODAY = NOW.astimezone(NEW_YORK).replace(hour=0)
OFFICE = Location(name="the office", address="350 Fifth Avenue")


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    shelf.add("Stand up", at(9, 15), at(9, 30))
    shelf.add("Review with Anna", at(11), at(12), location=OFFICE, attendees=(Attendee("anna@example.com", "Anna"),))
    shelf.add("Dentist", at(15), at(15, 45), category="health")
    shelf.add("Fair", TODAY, TODAY + timedelta(days=1), all_day=True)
    shelf.add("Lunch with Carol", at(36, 30), at(37, 30))
    return shelf


def at(hour: int, minute: int = 0) -> Any:
    return TODAY + timedelta(hours=hour, minutes=minute)


def iso(hour: int, minute: int = 0) -> str:
    text: str = at(hour, minute).isoformat()
    return text


def run(shelf: Shelf, tool: str, key: str = "hub_1:act_1", /, **parameters: Any) -> dict[str, Any]:
    parameters = {name.rstrip("_"): value for name, value in parameters.items()}
    if (schema := CALENDAR_TOOLS.find(tool).schema) and "event_id" not in parameters:
        jsonschema.Draft202012Validator(schema).validate(parameters)
    return asyncio.run(CalendarTools(shelf, lambda: NOW).run(ALICE.id, tool, parameters, key=key))


def error(result: dict[str, Any]) -> tuple[str, str, str]:
    assert result["ok"] is False
    told = result["error"]
    return told["type"], told["code"], told.get("param", "")


# The table


READ, WRITE, OUTWARD, DESTROY = Effect.READ, Effect.WRITE, Effect.OUTWARD, Effect.DESTROY


def test_all_tools_are_there_with_their_effects_scopes_and_questions() -> None:
    assert {tool.name: (tool.effect, tool.scope, tool.needs_consent()) for tool in CALENDAR_TOOLS} == {
        "create_event": (WRITE, "events:write", True),
        "update_event": (WRITE, "events:write", True),
        "cancel_event": (DESTROY, "events:write", True),
        "bulk_cancel_events": (DESTROY, "events:write", True),
        "get_day_overview": (READ, "events:read", False),
        "get_day_summary": (READ, "events:read", False),
        "get_weekly_summary": (READ, "events:read", False),
        "get_next_event": (READ, "events:read", False),
        "search_events": (READ, "events:read", False),
        "get_departure_info": (READ, "events:read", False),
        "get_travel_time": (READ, "events:read", False),
        "get_alternate_routes": (READ, "events:read", False),
        "start_navigation": (WRITE, "events:read", False),
        "check_if_late": (READ, "events:read", False),
        "acknowledge_late": (WRITE, "events:write", False),
        "report_arrival": (WRITE, "events:write", False),
        "get_alerts": (READ, "alerts:read", False),
        "dismiss_alert": (WRITE, "alerts:write", False),
        "snooze_alert": (WRITE, "alerts:write", False),
        "create_reminder": (WRITE, "events:write", False),
        "notify_attendees": (OUTWARD, "events:write", True),
        "update_preferences": (WRITE, "profile:write", True),
        "set_quiet_hours": (WRITE, "profile:write", True),
        "set_alert_profile": (WRITE, "profile:write", True),
        "set_global_buffer": (WRITE, "profile:write", True),
        "check_availability": (READ, "calendars:read", False),
    }


def test_a_strict_house_asks_about_reminders_too() -> None:
    assert CALENDAR_TOOLS.find("create_reminder").needs_consent(Policy.ALL)


def test_the_literal_house_asks_about_calendars_alone() -> None:
    asking = {tool.name for tool in CALENDAR_TOOLS if tool.needs_consent(Policy.CALENDAR)}
    assert asking == {"create_event", "update_event", "cancel_event", "bulk_cancel_events"}


def test_scopes_open_tools(shelf: Shelf) -> None:
    tools = CalendarTools(shelf, lambda: NOW)
    assert tools.allowed(frozenset(["calendars:read"])) == {"check_availability"}
    assert tools.allowed(frozenset(["alerts:read", "voice:invoke"])) == {"get_alerts"}
    assert tools.allowed(SCOPES) == CALENDAR_TOOLS.names()


# Refusals


def test_an_unknown_tool_is_refused(shelf: Shelf) -> None:
    result = asyncio.run(CalendarTools(shelf, lambda: NOW).run(ALICE.id, "fly", {}, key="k"))
    assert error(result) == ("invalid_request_error", "invalid_parameter", "")


def test_bad_parameters_are_named_in_the_result(shelf: Shelf) -> None:
    result = asyncio.run(CalendarTools(shelf, lambda: NOW).run(ALICE.id, "create_event", {"title": "x"}, key="k"))
    assert error(result) == ("invalid_request_error", "missing_required_field", "start_time")


def test_a_user_nobody_knows_is_refused(shelf: Shelf) -> None:
    result = asyncio.run(CalendarTools(shelf, lambda: NOW).run("usr_nobody", "get_next_event", {}, key="k"))
    assert error(result)[1] == "resource_missing"


def test_a_calendar_that_cannot_be_reached_is_told(shelf: Shelf) -> None:
    shelf.broken = True
    assert error(run(shelf, "get_next_event")) == ("api_error", "calendar_unavailable", "")


def test_a_calendar_that_does_not_answer_is_given_up(shelf: Shelf) -> None:
    shelf.slow = True
    tools = CalendarTools(shelf, lambda: NOW, seconds=0.01)
    assert error(asyncio.run(tools.run(ALICE.id, "get_next_event", {}, key="k")))[1] == "tool_timeout"


# create_event


def test_creates_an_event_with_the_users_zone_and_length(shelf: Shelf) -> None:
    result = run(shelf, "create_event", title="Call", start_time=iso(16))
    event = result["event"]
    assert (event["start_time"], event["end_time"]) == (iso(16), iso(17))
    assert event["timezone"] == "America/New_York"
    assert result["conflicts"] == []
    assert result["resource"] == {"object": "event", "id": event["id"]}


def test_a_duration_makes_the_end(shelf: Shelf) -> None:
    event = run(shelf, "create_event", title="Call", start_time=iso(16), duration_minutes=20)["event"]
    assert event["end_time"] == iso(16, 20)


def test_says_what_the_new_event_overlaps(shelf: Shelf) -> None:
    result = run(shelf, "create_event", title="Call", start_time=iso(15, 30), duration_minutes=30)
    assert [(each["title"], each["overlap_minutes"]) for each in result["conflicts"]] == [("Dentist", 15)]


def test_a_whole_day_runs_from_midnight_to_midnight(shelf: Shelf) -> None:
    event = run(shelf, "create_event", title="Fair", start_time="2026-12-01", all_day=True)["event"]
    assert (event["start_time"], event["end_time"]) == ("2026-12-01T00:00:00-05:00", "2026-12-02T00:00:00-05:00")


def test_whole_days_widen_the_times_that_were_given(shelf: Shelf) -> None:
    end = "2026-12-03T12:00:00-05:00"
    event = run(shelf, "create_event", title="F", start_time="2026-12-01T09:00:00Z", end_time=end, all_day=True)[
        "event"
    ]
    assert (event["start_time"], event["end_time"]) == ("2026-12-01T00:00:00-05:00", "2026-12-04T00:00:00-05:00")


def test_the_same_action_twice_creates_once(shelf: Shelf) -> None:
    first = run(shelf, "create_event", "hub_1:act_7", title="Call", start_time=iso(16))
    assert run(shelf, "create_event", "hub_1:act_7", title="Call", start_time=iso(16)) == first
    assert sum(event.title == "Call" for event in shelf.kept.values()) == 1


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"end_time": iso(16)}, "end_time"),
        ({"end_time": iso(15)}, "end_time"),
        ({"send_invitations": True}, "send_invitations"),
    ],
)
def test_what_cannot_be_created_is_refused_and_nothing_is_kept(
    shelf: Shelf, parameters: dict[str, Any], param: str
) -> None:
    before = dict(shelf.kept)
    result = run(shelf, "create_event", title="Call", start_time=iso(16), **parameters)
    assert error(result) == ("invalid_request_error", "invalid_parameter", param)
    assert shelf.kept == before


# update_event and cancel_event


def test_an_event_that_is_moved_keeps_its_length(shelf: Shelf) -> None:
    result = run(shelf, "update_event", event_id="evt_000002", start_time=iso(17))
    assert (result["event"]["start_time"], result["event"]["end_time"]) == (iso(17), iso(17, 45))
    assert result["changed_fields"] == ["start_time", "end_time"]


def test_a_new_length_moves_the_end_alone(shelf: Shelf) -> None:
    result = run(shelf, "update_event", event_id="evt_000002", duration_minutes=90)
    assert result["event"]["end_time"] == iso(16, 30)
    assert result["changed_fields"] == ["end_time"]


def test_fields_are_changed_and_cleared(shelf: Shelf) -> None:
    people = [{"email": "bob@example.com"}]
    result = run(shelf, "update_event", event_id="evt_000001", title="Chat", location=None, attendees=people)
    assert result["event"]["location"] is None
    assert result["event"]["attendees"] == people
    assert result["changed_fields"] == ["title", "location", "attendees"]


def test_an_event_becomes_a_whole_day_and_back(shelf: Shelf) -> None:
    whole = run(shelf, "update_event", event_id="evt_000002", start_time="2026-12-01", all_day=True)["event"]
    assert (whole["start_time"], whole["all_day"]) == ("2026-12-01T00:00:00-05:00", True)
    timed = run(
        shelf, "update_event", "k2", event_id="evt_000002", all_day=False, start_time=iso(15), end_time=iso(16)
    )["event"]
    assert (timed["start_time"], timed["end_time"], timed["all_day"]) == (iso(15), iso(16), False)


def test_an_event_may_not_end_before_it_begins(shelf: Shelf) -> None:
    result = run(shelf, "update_event", event_id="evt_000002", end_time=iso(14))
    assert error(result) == ("invalid_request_error", "invalid_parameter", "end_time")


def test_an_event_that_is_not_there_cannot_be_changed(shelf: Shelf) -> None:
    assert error(run(shelf, "update_event", event_id="evt_999999", title="x"))[1] == "resource_missing"


def test_cancelling_marks_the_event(shelf: Shelf) -> None:
    result = run(shelf, "cancel_event", event_id="evt_000002", reason="ill")
    assert result["event"]["is_cancelled"] is True
    assert result["event"]["cancelled_at"] == "2026-11-24T15:00:00Z"
    assert run(shelf, "search_events", query="dentist")["data"] == []


def test_those_who_are_invited_are_told_and_the_result_says_that_nothing_is_sent_yet(shelf: Shelf) -> None:
    moved = run(shelf, "update_event", event_id="evt_000001", start_time=iso(12), notify=True)
    assert [(each["attendee_email"], each["status"]) for each in moved["invitations"]] == [
        ("anna@example.com", "email_queued")
    ]
    assert moved["delivered"] is False
    gone = run(shelf, "cancel_event", "k2", event_id="evt_000001", reason="ill", notify=True)
    assert len(gone["invitations"]) == 1
    assert [(each.email_type, each.message) for each in shelf.messages] == [("update", None), ("cancel", "ill")]


def test_telling_nobody_is_no_error_after_the_deed(shelf: Shelf) -> None:
    assert run(shelf, "cancel_event", event_id="evt_000002", notify=True)["invitations"] == []
    assert shelf.kept["evt_000002"].is_cancelled


# Reading


def test_the_next_event_is_the_first_that_begins(shelf: Shelf) -> None:
    result = run(shelf, "get_next_event")
    assert result["event"]["title"] == "Review with Anna"
    assert result["minutes_until"] == 60


def test_the_next_event_after_a_time_with_a_place(shelf: Shelf) -> None:
    assert run(shelf, "get_next_event", after=iso(12))["event"]["title"] == "Dentist"
    assert run(shelf, "get_next_event", with_location_only=True, after=iso(12))["event"] is None
    assert run(shelf, "get_next_event", calendar_ids=["cal_other"])["event"] is None


def test_the_day_lists_events_conflicts_and_free_time(shelf: Shelf) -> None:
    shelf.add("Phone call", at(11, 30), at(12, 30))
    result = run(shelf, "get_day_overview")
    assert result["date"] == "2026-11-24"
    assert [item["event"]["title"] for item in result["events"]] == [
        "Fair",
        "Stand up",
        "Review with Anna",
        "Phone call",
        "Dentist",
    ]
    assert [len(item["conflicts_with"]) for item in result["events"]] == [0, 0, 1, 1, 0]
    assert [(block["start"], block["end"]) for block in result["free_blocks"]] == [
        (iso(9), iso(9, 15)),
        (iso(9, 30), iso(11)),
        (iso(12, 30), iso(15)),
        (iso(15, 45), iso(17)),
    ]


def test_a_day_is_the_day_of_the_zone_that_was_asked_for(shelf: Shelf) -> None:
    result = run(shelf, "get_day_overview", date="2026-11-25", timezone="Asia/Tokyo")
    assert result["timezone"] == "Asia/Tokyo"
    assert [item["event"]["title"] for item in result["events"]] == ["Fair", "Review with Anna", "Dentist"]


@pytest.mark.parametrize(
    ("criteria", "titles"),
    [
        ({"query": "dent"}, ["Dentist"]),
        ({"query": "ANNA review"}, ["Review with Anna"]),
        ({"query": "fifth avenue"}, ["Review with Anna"]),
        ({"query": "opera"}, []),
        ({"category": "health"}, ["Dentist"]),
        ({"attendee_email": "anna@example.com"}, ["Review with Anna"]),
        ({"location_text": "office"}, ["Review with Anna"]),
        ({"from_": iso(12), "to": iso(24)}, ["Fair", "Dentist"]),
        ({"from_": iso(24)}, ["Lunch with Carol"]),
        ({"calendar_ids": ["cal_other"]}, []),
    ],
)
def test_events_are_found_by_words_time_place_and_people(
    shelf: Shelf, criteria: dict[str, Any], titles: list[str]
) -> None:
    assert [event["title"] for event in run(shelf, "search_events", **criteria)["data"]] == titles


def test_cancelled_events_are_found_only_when_asked_for(shelf: Shelf) -> None:
    run(shelf, "cancel_event", event_id="evt_000002")
    assert run(shelf, "search_events", query="dentist", include_cancelled=True)["data"][0]["is_cancelled"]


def test_long_lists_come_in_pages(shelf: Shelf) -> None:
    first = run(shelf, "search_events", from_=iso(0), limit=3)
    assert first["has_more"]
    second = run(shelf, "search_events", from_=iso(0), limit=3, cursor=first["next_cursor"])
    assert not second["has_more"]
    assert second["next_cursor"] is None
    found = [event["id"] for event in [*first["data"], *second["data"]]]
    assert len(set(found)) == len(shelf.kept)


def test_the_cursor_of_another_search_is_refused(shelf: Shelf) -> None:
    assert error(run(shelf, "search_events", query="dentist", cursor="evt_000001"))[2] == "cursor"


# Reminders


def test_reminders_are_kept(shelf: Shelf) -> None:
    result = run(shelf, "create_reminder", title="Milk", remind_at=iso(18))
    assert result["resource"] == {"object": "reminder", "id": "rem_900001"}
    assert result["reminder"]["remind_at"] == iso(18)
    before = run(shelf, "create_reminder", "k2", title="Go", event_id="evt_000002", offset_minutes_before_start=30)
    assert before["reminder"]["offset_minutes_before_start"] == 30


# Free and busy


def test_a_free_time_is_free(shelf: Shelf) -> None:
    result = run(shelf, "check_availability", start_time=iso(13), end_time=iso(14))
    assert result == {"ok": True, "available": True, "conflicts": [], "alternatives": []}


def test_a_taken_time_says_by_what_and_offers_others(shelf: Shelf) -> None:
    result = run(shelf, "check_availability", start_time=iso(15), end_time=iso(16))
    assert not result["available"]
    assert [conflict["title"] for conflict in result["conflicts"]] == ["Dentist"]
    assert 0 < len(result["alternatives"]) <= ALTERNATIVES_MAX
    assert all(slot["start"] >= iso(10) for slot in result["alternatives"])


def test_a_day_that_is_over_offers_no_other_time(shelf: Shelf) -> None:
    result = run(shelf, "check_availability", start_time=iso(9, 15), end_time=iso(9, 20))
    assert all(slot["start"] >= iso(10) for slot in result["alternatives"])
    long_ago = run(shelf, "check_availability", start_time=iso(-24), end_time=iso(-23))
    assert long_ago["alternatives"] == []


def test_a_window_tells_what_is_taken_in_it(shelf: Shelf) -> None:
    result = run(shelf, "check_availability", from_=iso(11, 30), to=iso(18))
    assert result["busy"] == {
        ALICE.id: [{"start": iso(11, 30), "end": iso(12)}, {"start": iso(15), "end": iso(15, 45)}]
    }


def test_free_slots_are_found_and_limited(shelf: Shelf) -> None:
    asked = {"duration_minutes": 60, "earliest_start": iso(10), "latest_end": iso(24), "limit": 2}
    assert [slot["start"] for slot in run(shelf, "check_availability", **asked)["slots"]] == [iso(10), iso(12)]


def test_only_ones_own_calendar_is_looked_at(shelf: Shelf) -> None:
    asked = {"start_time": iso(13), "end_time": iso(14)}
    assert run(shelf, "check_availability", **asked, participants=[ALICE.id])["ok"]
    assert error(run(shelf, "check_availability", **asked, participants=["usr_carol"]))[2] == "participants"

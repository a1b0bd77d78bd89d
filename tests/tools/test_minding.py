"""The tools about alerts, reminders and lasting wishes, and the call that makes a call ready."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from phone_bridge.tools import parameters as p
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools, Prepared
from phone_bridge.tools.catalogue import Policy, Reach
from phone_bridge.tools.keeper import Attendee, Recurrence
from tests.tools.shelf import ALICE, BOB, NOW, Shelf
from tests.tools.test_calendar import at, error, iso, run

FRIDAY = at(72)


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    shelf.add("Stand up", at(9, 15), at(9, 30), recurrence=Recurrence("FREQ=DAILY;COUNT=5"))
    shelf.add("Review", FRIDAY.replace(hour=10), FRIDAY.replace(hour=11), attendees=(Attendee("anna@example.com"),))
    shelf.add("Review", FRIDAY.replace(hour=14), FRIDAY.replace(hour=15))
    shelf.add("Dentist", at(15), at(15, 45), category="health")
    return shelf


def prepare(shelf: Shelf, tool: str, policy: Policy = Policy.DEFAULT, /, **parameters: Any) -> Any:
    parameters = {name.rstrip("_"): value for name, value in parameters.items()}
    tools = CalendarTools(shelf, lambda: NOW)
    return asyncio.run(tools.prepare(ALICE.id, tool, parameters, policy=policy))


# Alerts and reminders


def test_alerts_are_listed_dismissed_and_put_off(shelf: Shelf) -> None:
    first, second = shelf.alarm(type="late", title="Late"), shelf.alarm(type="conflict", title="Conflict")
    assert [alert["title"] for alert in run(shelf, "get_alerts")["data"]] == ["Late", "Conflict"]
    assert [alert["id"] for alert in run(shelf, "get_alerts", type="late")["data"]] == [first]
    off = run(shelf, "snooze_alert", "k1", alert_id=first)
    assert (off["alert"]["status"], off["resource"]) == ("snoozed", {"object": "alert", "id": first})
    assert shelf.alerting[first].snoozed_until == NOW + timedelta(minutes=p.SNOOZE_MINUTES)
    gone = run(shelf, "dismiss_alert", "k2", alert_id=second)
    assert gone["alert"]["status"] == "dismissed"
    assert run(shelf, "get_alerts")["data"] == []
    assert len(run(shelf, "get_alerts", status="all")["data"]) == 2
    every = run(shelf, "dismiss_alert", "k3", all=True)
    assert every["resources"] == [{"object": "alert", "id": first}]


def test_alerts_come_in_pages(shelf: Shelf) -> None:
    ids = [shelf.alarm(type="late", title=str(n)) for n in range(3)]
    page = run(shelf, "get_alerts", limit=2)
    assert (page["has_more"], page["next_cursor"]) == (True, ids[1])
    assert [alert["id"] for alert in run(shelf, "get_alerts", cursor=ids[1])["data"]] == [ids[2]]
    assert error(run(shelf, "get_alerts", cursor="alt_999999"))[2] == "cursor"


@pytest.mark.parametrize(
    ("tool", "parameters", "param", "code"),
    [
        ("dismiss_alert", {}, "alert_id", "missing_required_field"),
        ("dismiss_alert", {"alert_id": "alt_000000", "all": True}, "all", "invalid_parameter"),
        ("snooze_alert", {"alert_id": "alt_999999"}, "", "resource_missing"),
        ("snooze_alert", {"alert_id": "alt_000000", "until": iso(9)}, "until", "invalid_parameter"),
        ("snooze_alert", {"alert_id": "alt_000000", "until": iso(19), "minutes": 5}, "until", "invalid_parameter"),
        (
            "create_reminder",
            {"title": "x", "event_id": "evt_000009", "offset_minutes_before_start": 5},
            "",
            "resource_missing",
        ),
        (
            "create_reminder",
            {"title": "x", "event_id": "evt_000003", "offset_minutes_before_departure": 5},
            "offset_minutes_before_departure",
            "invalid_parameter",
        ),
    ],
)
def test_what_cannot_be_minded_is_told(
    shelf: Shelf, tool: str, parameters: dict[str, Any], param: str, code: str
) -> None:
    shelf.alarm(type="late", title="Late")
    assert error(run_unchecked(shelf, tool, parameters))[1:] == (code, param)
    assert shelf.deeds == 0


def run_unchecked(shelf: Shelf, tool: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(CalendarTools(shelf, lambda: NOW).run(ALICE.id, tool, parameters, key="k"))


def test_one_occurrence_can_be_reminded_of(shelf: Shelf) -> None:
    tomorrow = "evt_000000R20261125T141500Z"
    result = run(shelf, "create_reminder", title="Go", event_id=tomorrow, offset_minutes_before_start=5)
    assert result["reminder"]["event_id"] == tomorrow


# Wishes


def test_preferences_are_changed_and_told(shelf: Shelf) -> None:
    hours = {"start": "08:00", "end": "16:00", "days": ["mon", "tue"]}
    home = {"address": "1 Elm Street"}
    result = run(shelf, "update_preferences", timezone="Europe/Berlin", working_hours=hours, home_location=home)
    assert result["changed_fields"] == ["timezone", "working_hours", "home_location"]
    assert result["preferences"]["working_hours"]["days"] == ("mon", "tue")
    assert shelf.known[ALICE.id].timezone == "Europe/Berlin"
    assert run(shelf, "update_preferences", "k2", home_location=None)["preferences"]["home_location"] is None


def test_what_is_done_without_asking_is_named_by_its_tool(shelf: Shelf) -> None:
    result = run(shelf, "update_preferences", auto_confirm=["create_event", "create_event"])
    assert result["preferences"]["auto_confirm"] == ("create_event",)
    assert run(shelf, "update_preferences", "k2", auto_confirm="none")["preferences"]["auto_confirm"] == ()
    assert error(run(shelf, "update_preferences", "k3", auto_confirm=["fly"]))[2] == "auto_confirm"


def test_quiet_hours_are_set_and_ended(shelf: Shelf) -> None:
    on = run(shelf, "set_quiet_hours", enabled=True, start="22:00", end="07:00", days=["sat"])
    assert (on["quiet_hours"]["start"], on["quiet_hours"]["days"]) == ("22:00", ("sat",))
    off = run(shelf, "set_quiet_hours", "k2", enabled=False)
    assert (off["quiet_hours"]["enabled"], off["quiet_hours"]["start"]) == (False, "22:00")
    for given, param in (({"start": "22:00"}, "end"), ({}, "start"), ({"start": "07:00", "end": "07:00"}, "end")):
        assert error(run(shelf, "set_quiet_hours", "k3", enabled=True, **given))[2] == param


def test_an_alert_profile_is_for_all_events_or_for_one(shelf: Shelf) -> None:
    assert run(shelf, "set_alert_profile", profile="silent")["changed_fields"] == ["alert_profile"]
    one = run(shelf, "set_alert_profile", "k2", profile="aggressive", event_id="evt_000003")
    assert (one["title"], one["resource"]["id"]) == ("Dentist", "evt_000003")
    assert shelf.ways["evt_000003"].alert_profile == "aggressive"


def test_buffers_are_set_one_by_one(shelf: Shelf) -> None:
    run(shelf, "set_global_buffer", minutes=15)
    result = run(shelf, "set_global_buffer", "k2", minutes=10, kind="between_meetings")
    assert result["buffers"] == {"arrival": 15, "parking": 5, "walk": 0, "between_meetings": 10}
    asked = {"duration_minutes": 30, "earliest_start": iso(14), "latest_end": iso(17)}
    starts = [slot["start"] for slot in run(shelf, "check_availability", **asked)["slots"]]
    assert starts == [iso(14), iso(16)]  # not at once after the dentist


# Together


def test_a_time_for_two_is_looked_for_where_both_let_others_look(shelf: Shelf) -> None:
    shelf.add("Workshop", at(13), at(14), user_id=BOB.id)
    asked = {"start_time": iso(13), "end_time": iso(13, 30), "participants": [ALICE.id, BOB.id]}
    result = run(shelf, "check_availability", **asked)
    assert [(each["participant"], each["title"]) for each in result["conflicts"]] == [(BOB.id, None)]
    busy = run(shelf, "check_availability", from_=iso(9), to=iso(17), participants=[BOB.id, "cal_home"])["busy"]
    assert [(span["start"], span["end"]) for span in busy[BOB.id]] == [(iso(13), iso(14))]


@pytest.mark.parametrize("name", ["usr_carol", "usr_nobody", "cal_bobs", "external:x@example.com"])
def test_other_calendars_are_not_looked_at(shelf: Shelf, name: str) -> None:
    asked = {"start_time": iso(13), "end_time": iso(14), "participants": [name]}
    assert error(run(shelf, "check_availability", **asked))[2] == "participants"


# Made ready


def test_a_call_is_made_ready_with_what_it_affects_in_words(shelf: Shelf) -> None:
    ready = prepare(shelf, "cancel_event", event_id="evt_000003")
    assert isinstance(ready, Prepared)
    assert ready.action.parameters == {"event_id": "evt_000003"}
    assert [(each.id, each.title, each.start_time) for each in ready.action.affects] == [
        ("evt_000003", "Dentist", iso(15))
    ]
    assert ready.action.summary == "Cancel Dentist, on Tuesday the 24th of November at 3 p.m."
    assert (ready.needs_consent, ready.reversible, ready.reach) == (True, False, Reach.CALENDAR)
    assert shelf.deeds == 0


def test_a_filter_becomes_ids_before_anybody_is_asked(shelf: Shelf) -> None:
    wanted = {"from": iso(72), "to": iso(96), "query": "review"}
    ready = prepare(shelf, "bulk_cancel_events", filter=wanted, reason="ill")
    assert ready.action.parameters == {"reason": "ill", "event_ids": ["evt_000001", "evt_000002"]}
    assert len(ready.action.affects) == 2
    assert error(run(shelf, "bulk_cancel_events", filter=wanted))[1] == "filter_not_resolved"
    done = run(shelf, "bulk_cancel_events", "k2", **ready.action.parameters)
    assert (done["cancelled"], done["failed"]) == (["evt_000001", "evt_000002"], [])
    again = run(shelf, "bulk_cancel_events", "k3", event_ids=["evt_000001", "evt_000003"])
    assert again["cancelled"] == ["evt_000003"]
    assert again["failed"][0]["error"]["code"] == "event_already_cancelled"


def test_a_filter_that_finds_nothing_or_too_much_is_told(shelf: Shelf) -> None:
    assert error(prepare(shelf, "bulk_cancel_events", filter={"from": iso(72), "to": iso(96), "query": "opera"}))[
        1
    ] == ("resource_missing")
    for n in range(p.BULK_MAX):
        shelf.add(f"Call {n}", at(100), at(101))
    assert error(prepare(shelf, "bulk_cancel_events", filter={"from": iso(72), "to": iso(200)}))[2] == "filter"


def test_words_that_mean_two_events_bring_both_to_choose_from(shelf: Shelf) -> None:
    for asked in (prepare(shelf, "cancel_event", event_id="the review on Friday"),):
        assert error(asked) == ("invalid_request_error", "ambiguous_event", "event_id")
        assert asked["error"]["message"] == (
            "There are 2 events called review on Friday: the one at 10:00 or the one at 14:00?"
        )
        assert [each["event_id"] for each in asked["error"]["candidates"]] == ["evt_000001", "evt_000002"]
    assert not any(event.is_cancelled for event in shelf.kept.values())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("dentist", "evt_000003"),
        ("my Dentist's appointment today", "evt_000003"),
        ("stand up", "evt_000000R20261125T141500Z"),  # the next one of its series, for today's is over
        ("stand up today", "evt_000000R20261124T141500Z"),
        ("the stand up tomorrow", "evt_000000R20261125T141500Z"),
        ("anna", "evt_000001"),
    ],
)
def test_words_that_mean_one_event_become_its_id(shelf: Shelf, words: str, found: str) -> None:
    assert prepare(shelf, "cancel_event", event_id=words).action.parameters["event_id"] == found


@pytest.mark.parametrize("words", ["opera", "the", "", "dentist tomorrow"])
def test_words_that_mean_nothing_are_told(shelf: Shelf, words: str) -> None:
    assert error(prepare(shelf, "cancel_event", event_id=words))[1] == "resource_missing"


def test_what_a_new_time_collides_with_is_known_before_anybody_is_asked(shelf: Shelf) -> None:
    new = prepare(shelf, "create_event", title="Call", start_time=iso(15, 30), duration_minutes=30)
    assert [each["title"] for each in new.conflicts] == ["Dentist"]
    moved = prepare(shelf, "update_event", event_id="evt_000003", start_time=iso(15, 15))
    assert moved.conflicts == ()
    assert prepare(shelf, "update_event", event_id="evt_000003", title="Doctor").conflicts == ()


def test_a_message_to_others_is_asked_about_and_said_to_be_one(shelf: Shelf) -> None:
    quiet = prepare(shelf, "acknowledge_late", event_id="evt_000001")
    loud = prepare(shelf, "acknowledge_late", event_id="evt_000001", notify=True)
    assert (quiet.needs_consent, quiet.reach) == (False, Reach.STATE)
    assert (loud.needs_consent, loud.reach) == (True, Reach.MESSAGE)


def test_what_the_user_wants_done_without_asking_is_not_asked_about(shelf: Shelf) -> None:
    shelf.know(ALICE.id, auto_confirm=("create_event", "update_preferences"))
    new = {"title": "Call", "start_time": iso(16)}
    assert not prepare(shelf, "create_event", **new).needs_consent
    assert prepare(shelf, "create_event", Policy.ALL, **new).needs_consent
    assert prepare(shelf, "cancel_event", event_id="evt_000003").needs_consent
    assert not prepare(shelf, "update_preferences", timezone="Asia/Tokyo").needs_consent


@pytest.mark.parametrize("policy", list(Policy))
def test_nobody_is_made_unasked_without_being_asked(shelf: Shelf, policy: Policy) -> None:
    shelf.know(ALICE.id, auto_confirm=("update_preferences",))
    assert prepare(shelf, "update_preferences", policy, auto_confirm=["cancel_event"]).needs_consent


def test_what_cannot_be_made_ready_is_told_as_a_result(shelf: Shelf) -> None:
    assert error(prepare(shelf, "fly"))[1] == "invalid_parameter"
    assert error(prepare(shelf, "cancel_event", event_id="evt_999999"))[1] == "resource_missing"
    assert error(prepare(shelf, "create_event", title="x"))[2] == "start_time"


def test_every_tool_that_reads_is_run_without_asking_under_every_policy() -> None:
    readers = [tool for tool in CALENDAR_TOOLS if tool.effect == "read"]
    assert len(readers) == 11
    assert not any(tool.needs_consent(policy) for tool in readers for policy in Policy)


# Summaries


def test_a_day_is_summed_up(shelf: Shelf) -> None:
    shelf.add("Call", at(15, 30), at(16))
    brief = run(shelf, "get_day_summary")
    assert {name: brief[name] for name in ("event_count", "busy_minutes", "conflict_count", "travel_minutes")} == {
        "event_count": 3,
        "busy_minutes": 75,
        "conflict_count": 1,
        "travel_minutes": 0,
    }
    assert brief["text"] == "3 events on Tuesday, from 9:15 a.m. to 4 p.m., 1 conflict."
    assert "Dentist at 3 p.m." in run(shelf, "get_day_summary", style="normal")["text"]
    assert run(shelf, "get_day_summary", date="2026-12-24")["text"] == "There is nothing on Thursday."


def test_a_week_is_summed_up_from_its_monday(shelf: Shelf) -> None:
    week = run(shelf, "get_weekly_summary")
    assert (week["week_start"], week["busiest_day"]) == ("2026-11-23", "2026-11-27")
    assert [day["event_count"] for day in week["days"]] == [0, 2, 1, 1, 3, 1, 0]
    assert week["totals"] == {"events": 8, "busy_minutes": 240, "travel_minutes": 0, "conflicts": 0}
    assert run(shelf, "get_weekly_summary", week_start="2027-03-01")["busiest_day"] is None


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-07-01", 24)])
def test_a_day_is_as_long_as_it_is(shelf: Shelf, day: str, hours: int) -> None:
    zone = ZoneInfo("America/New_York")
    start = datetime.fromisoformat(day).replace(tzinfo=zone)
    shelf.add("Night and day", start - timedelta(days=1), start + timedelta(days=2))
    assert run(shelf, "get_day_summary", date=day)["busy_minutes"] == hours * 60

"""What is said of journeys, lateness, summaries and settings."""

from typing import Any

import pytest

from phone_bridge.assistant.outcomes import TOLD, told
from phone_bridge.assistant.references import Seen
from phone_bridge.call.events import Action
from tests.assistant.some_week import DENTIST, NOW, REVIEW, at


def say(tool: str, result: dict[str, Any], event: Seen | None = DENTIST, aspect: str = "", **parameters: Any) -> str:
    return " ".join(told(Action(tool, parameters), {"ok": True, **result}, NOW, event, aspect))


LEAVING = {
    "earliest_departure": at(0, 14, 10).isoformat(),
    "latest_departure": at(0, 14, 25).isoformat(),
    "travel": {"total_minutes": 35},
    "traffic_level": "heavy",
}


def test_when_to_leave() -> None:
    said = say("get_departure_info", LEAVING)
    assert said == (
        "You have to leave for Dentist appointment at 2:10 p.m. The way takes 35 minutes. Traffic is heavy."
    )
    said = say("get_departure_info", LEAVING, aspect="latest")
    assert said.startswith("You have to leave for Dentist appointment at the latest at 2:25 p.m.")


def test_when_to_leave_on_another_day() -> None:
    moments = {name: at(2, 14).isoformat() for name in ("earliest_departure", "latest_departure")}
    assert say("get_departure_info", moments) == "You have to leave for Dentist appointment on Thursday at 2 p.m."


def test_when_it_is_time_or_too_late_to_leave() -> None:
    early, late = at(0, 9, 50).isoformat(), at(0, 10, 5).isoformat()
    said = say("get_departure_info", {"earliest_departure": early, "latest_departure": late})
    assert said == "You should leave for Dentist appointment now, and at the latest at 10:05 a.m."
    said = say("get_departure_info", {"earliest_departure": early, "latest_departure": early})
    assert said == "You should have left for Dentist appointment by 9:50 a.m., so leave now."
    assert say("get_departure_info", {}) == "I cannot tell when you have to leave."


def test_a_warning_of_the_weather_is_passed_on() -> None:
    said = say("get_departure_info", {**LEAVING, "traffic_level": "light", "weather_warning": "Snow is likely"})
    assert said.endswith("The way takes 35 minutes. Snow is likely.")


def test_how_long_it_takes() -> None:
    result = {"travel": {"total_minutes": 95}, "traffic_level": "free"}
    assert say("get_travel_time", result) == "It takes one hour and 35 minutes to Dentist appointment."
    place: dict[str, Any] = {"to_location": {"name": "airport"}, "travel": {"mode": "transit"}}
    assert say("get_travel_time", result, None, **place) == (
        "It takes one hour and 35 minutes by public transport to airport."
    )
    home: dict[str, Any] = {"to_location": {"name": "home"}}
    assert say("get_travel_time", result, None, **home) == "It takes one hour and 35 minutes home."
    assert say("get_travel_time", {}) == "I cannot tell how long that takes."


def test_where_the_link_is() -> None:
    sent = "I have sent you a link with the way to Dentist appointment."
    assert say("start_navigation", {"deep_link": "https://…", "sent": True}) == sent
    assert say("start_navigation", {"deep_link": "https://…", "sent": False}).endswith(
        "I cannot send it to your phone."
    )


def test_other_ways() -> None:
    routes = [{"label": f"by Street {n}", "total_minutes": 20 + n} for n in range(5)]
    assert say("get_alternate_routes", {"routes": routes}) == (
        "There are three ways to Dentist appointment: by Street 0 in 20 minutes, by Street 1 in 21 minutes "
        "and by Street 2 in 22 minutes."
    )
    assert say("get_alternate_routes", {"routes": [{"mode": "walk", "total_minutes": 30}]}) == (
        "There is one way to Dentist appointment: on foot in 30 minutes."
    )
    assert say("get_alternate_routes", {"routes": []}) == "I know no other way."


@pytest.mark.parametrize(
    ("status", "minutes", "said"),
    [
        ("on_time", 0, "You are on time for Dentist appointment."),
        ("at_risk", 0, "It is getting tight for Dentist appointment."),
        ("late", 12, "You will be 12 minutes late for Dentist appointment."),
        ("late", 0, "You will be late for Dentist appointment."),
        ("arrived", 0, "You are there already."),
        ("unknown", 0, "I cannot tell whether you will be on time for Dentist appointment."),
    ],
)
def test_whether_one_is_late(status: str, minutes: int, said: str) -> None:
    assert say("check_if_late", {"status": status, "minutes_late": minutes}) == said


def test_what_was_noted_and_who_was_told() -> None:
    assert say("acknowledge_late", {}, minutes_late=10) == (
        "I noted that you will be 10 minutes late for Dentist appointment."
    )
    notified = {"notified": ["anna@example.com", "martin@example.com"], "delivered": True}
    assert say("acknowledge_late", notified, REVIEW).endswith(" I told Anna and martin.")
    assert say("report_arrival", {}) == "I noted that you have arrived at Dentist appointment."
    assert say("report_arrival", {"title": "Yoga"}, None) == "I noted that you have arrived at Yoga."
    invited = {"invitations": [{"attendee_email": "anna@example.com"}]}
    assert say("notify_attendees", invited, REVIEW) == "The message to Anna is written, but it has not been sent yet."
    assert say("notify_attendees", {**invited, "delivered": True}, REVIEW) == "I told Anna."
    assert say("notify_attendees", {"invitations": []}) == "There is nobody to tell."


DAY: dict[str, Any] = {
    "date": "2026-11-25",
    "event_count": 3,
    "first_start": at(1, 9, 15).isoformat(),
    "last_end": at(1, 16, 30).isoformat(),
    "busy_minutes": 105,
    "conflict_count": 1,
    "highlights": [{"title": "Lunch with Carol", "start_time": at(1, 12, 30).isoformat()}],
}


def test_a_day_is_summed_up() -> None:
    assert say("get_day_summary", DAY) == (
        "You have three things tomorrow, from 9:15 a.m. to 4:30 p.m., one hour and 45 minutes in all. "
        "Lunch with Carol at 12:30 p.m. One time two of them overlap."
    )
    one = {**DAY, "event_count": 1, "conflict_count": 0, "highlights": [], "busy_minutes": 15}
    assert say("get_day_summary", one) == "You have one thing tomorrow, 15 minutes in all."
    assert say("get_day_summary", {**DAY, "event_count": 0}) == "You have nothing tomorrow."


def test_a_week_is_summed_up() -> None:
    week: dict[str, Any] = {
        "week_start": "2026-11-23",
        "days": [{"date": "2026-11-26", "event_count": 4}],
        "totals": {"events": 12, "busy_minutes": 950, "conflicts": 2},
        "busiest_day": "2026-11-26",
    }
    assert say("get_weekly_summary", week) == (
        "You have 12 things this week, about 16 hours in all. The busiest day is Thursday, with four things. "
        "Two times two of them overlap."
    )
    empty = {"week_start": "2026-11-30", "days": [], "totals": {"events": 0, "busy_minutes": 0, "conflicts": 0}}
    assert say("get_weekly_summary", empty) == "You have nothing next week."
    far = {**week, "week_start": "2026-12-14", "busiest_day": None}
    far["totals"] = {"events": 1, "busy_minutes": 30, "conflicts": 0}
    assert say("get_weekly_summary", far) == (
        "You have one thing in the week of Monday, December 14th, under an hour in all."
    )


def test_several_that_were_cancelled_are_counted() -> None:
    assert (
        say("bulk_cancel_events", {"cancelled": ["evt_1", "evt_2"], "failed": []}) == "Done. Two events are cancelled."
    )
    failed = {"cancelled": ["evt_1"], "failed": [{"event_id": "evt_2"}]}
    assert say("bulk_cancel_events", failed) == "One event is cancelled. I could not cancel one of them."


@pytest.mark.parametrize(
    ("tool", "parameters", "said"),
    [
        ("update_preferences", {"timezone": "America/New_York"}, "Your time zone is now New York."),
        ("update_preferences", {"default_travel_mode": "walk"}, "Done."),
        (
            "update_preferences",
            {"home_location": {"address": "12 Market Street"}},
            "Done. I do not know where that is on the map, so I cannot work out ways to it.",
        ),
        (
            "update_preferences",
            {"working_hours": {"start": "09:00", "end": "17:30", "days": ["mon", "tue"]}},
            "You work from 9 a.m. to 5:30 p.m., on Monday and Tuesday.",
        ),
        ("set_quiet_hours", {"enabled": False}, "Quiet hours are off."),
        (
            "set_quiet_hours",
            {"enabled": True, "start": "22:00", "end": "07:00"},
            "Quiet hours are from 10 p.m. to 7 a.m.",
        ),
        ("set_alert_profile", {"profile": "minimal"}, "Your alerts are now minimal."),
        ("set_global_buffer", {"minutes": 10, "kind": "parking"}, "I keep 10 minutes free."),
        ("set_global_buffer", {"minutes": 0, "kind": "parking"}, "I keep no time free."),
    ],
)
def test_settings(tool: str, parameters: dict[str, Any], said: str) -> None:
    assert say(tool, {}, None, **parameters) == said


@pytest.mark.parametrize("tool", sorted(TOLD))
def test_every_answer_is_short(tool: str) -> None:
    all_parameters: dict[str, dict[str, Any]] = {
        "update_preferences": {"timezone": "UTC"},
        "set_quiet_hours": {"enabled": False},
        "set_alert_profile": {"profile": "silent"},
        "set_global_buffer": {"minutes": 0},
    }
    totals = {"events": 12, "busy_minutes": 950, "conflicts": 2}
    result = {"ok": True, **DAY, "week_start": "2026-11-23", "days": [], "totals": totals}
    said = told(Action(tool, all_parameters.get(tool, {})), result, NOW, None)
    assert 1 <= len(said) <= 3
    assert all(sentence.endswith((".", "?")) for sentence in said)

"""Each tool's words, with its exact parameters."""

from typing import Any

import pytest

from phone_bridge.call import words
from phone_bridge.call.events import Action, Affected
from phone_bridge.call.words.recipes import RECIPES

DENTIST = Affected("evt_d", "Dentist", "2026-11-24T15:00:00+01:00")
LUNCH = Affected("evt_l", "Lunch", "2026-11-24T12:00:00+01:00")
GYM = Affected("evt_g", "Gym", "2026-11-26T18:30:00+01:00")
FOUR, FIVE = "2026-11-25T16:00:00+01:00", "2026-11-25T17:15:00+01:00"
ON_TUESDAY = "on Tuesday the 24th of November at 3 p.m."

TOLD: list[tuple[str, dict[str, Any], tuple[Affected, ...], str]] = [
    (
        "create_event",
        {"title": "Call", "start_time": FOUR, "end_time": FIVE},
        (),
        "create Call, on Wednesday the 25th of November from 4 p.m. to 5:15 p.m.",
    ),
    (
        "create_event",
        {"title": "Call", "start_time": FOUR, "duration_minutes": 90},
        (),
        "create Call, on Wednesday the 25th of November at 4 p.m., for 1 hour and 30 minutes.",
    ),
    (
        "create_event",
        {"title": "Fair", "start_time": "2026-12-24", "end_time": "2026-12-26", "all_day": True},
        (),
        "create Fair, all day on Thursday the 24th of December, until Saturday the 26th of December.",
    ),
    (
        "create_event",
        {"title": "Flight", "start_time": FOUR, "end_time": "2026-11-26T01:05:00+01:00", "timezone": "Europe/Berlin"},
        (),
        "create Flight, on Wednesday the 25th of November at 4 p.m. until Thursday the 26th of November at 1 oh 5 a.m.",
    ),
    (
        "create_event",
        {
            "title": "Call",
            "recurrence": {"rule": "FREQ=WEEKLY;BYDAY=MO,WE"},
            "location": {"name": "Office", "address": "5 Main Street"},
            "attendees": [{"email": "bob.miller@example.com"}, {"email": "x@example.com", "name": "Sarah Connor"}],
            "meeting": {"type": "online", "link": "https://example.com"},
            "calendar_id": "cal_1",
            "send_invitations": True,
            "category": "work",
        },
        (),
        "create Call, every week on Monday and Wednesday, at Office, 5 Main Street, with 2 people: Bob and Sarah, "
        "online, in a particular calendar, sending invitations, category: work.",
    ),
    ("create_event", {"title": "Call", "attendees": [{"email": "bob@example.com"}]}, (), "create Call, with Bob."),
    ("create_event", {"title": "Call", "attendees": [{}, 5]}, (), "create Call, with 2 people: somebody and somebody."),
    (
        "create_event",
        {"title": "Walk", "location": {"lat": 1.5, "lng": 2}, "from_location": {"address": "Home"}},
        (),
        "create Walk, at a point on the map, setting out from Home.",
    ),
    (
        "update_event",
        {"event_id": "evt_d", "start_time": FOUR, "notify": True},
        (DENTIST,),
        f"move Dentist, {ON_TUESDAY}, to Wednesday the 25th of November at 4 p.m., telling everybody who is invited.",
    ),
    (
        "update_event",
        {"event_id": "evt_d", "title": "Doctor", "location": None, "attendees": [], "duration_minutes": 30},
        (DENTIST,),
        f"change Dentist, {ON_TUESDAY}, as follows: for 30 minutes, with the new title Doctor, with nobody invited, "
        "without location.",
    ),
    (
        "update_event",
        {"event_id": "evt_d", "end_time": FIVE, "series_scope": "following"},
        (DENTIST,),
        f"change Dentist, {ON_TUESDAY}, as follows: ending on Wednesday the 25th of November at 5:15 p.m., "
        "and all that follow in its series.",
    ),
    (
        "update_event",
        {"event_id": "evt_d", "timezone": "Asia/Tokyo", "all_day": False},
        (DENTIST,),
        f"change Dentist, {ON_TUESDAY}, as follows: timezone: Asia/Tokyo, all day: switched off.",
    ),
    (
        "cancel_event",
        {"event_id": "evt_d", "reason": "illness", "notify": True, "series_scope": "all"},
        (DENTIST,),
        f"cancel Dentist, {ON_TUESDAY}, with its whole series, telling everybody who is invited, reason: illness.",
    ),
    (
        "cancel_event",
        {"event_id": "evt_d", "notify": False, "series_scope": "this"},
        (DENTIST,),
        f"cancel Dentist, {ON_TUESDAY}",
    ),
    (
        "cancel_event",
        {"event_id": "evt_d"},
        (Affected("evt_d", "", "2026-11-24T15:00:00+01:00"),),
        "cancel on Tuesday the 24th of November at 3 p.m.",
    ),
    (
        "bulk_cancel_events",
        {"event_ids": ["evt_d", "evt_l"]},
        (DENTIST, LUNCH),
        "cancel all of these 2 events on Tuesday the 24th of November: Dentist at 3 p.m. and Lunch at noon.",
    ),
    (
        "bulk_cancel_events",
        {"event_ids": ["evt_d", "evt_g"], "notify": True},
        (DENTIST, GYM),
        f"cancel all of these 2 events: Dentist {ON_TUESDAY} and Gym on Thursday the 26th of November at 6:30 p.m., "
        "telling everybody who is invited.",
    ),
    (
        "bulk_cancel_events",
        {"event_ids": [f"evt_{number}" for number in range(14)]},
        tuple(Affected(f"evt_{number}", f"Event {number}") for number in range(14)),
        "cancel all of these 14 events: Event 0, Event 1, Event 2, Event 3, Event 4, Event 5, Event 6 and 7 more.",
    ),
    (
        "bulk_cancel_events",
        {"event_ids": ["evt_a", "evt_b"]},
        (),
        "cancel all of these 2 events, event ids: evt a and evt b.",
    ),
    (
        "bulk_cancel_events",
        {"event_ids": ["evt_d", "evt_l", "evt_x"]},
        (DENTIST, LUNCH),
        "cancel all of these 3 events on Tuesday the 24th of November: Dentist at 3 p.m., Lunch at noon and 1 more.",
    ),
    (
        "bulk_cancel_events",
        {"filter": {"from": "2026-11-25T00:00:00+01:00", "to": FIVE, "query": "lunch", "category": "work"}},
        (),
        "cancel all events, from Wednesday the 25th of November at midnight, "
        "until Wednesday the 25th of November at 5:15 p.m., matching lunch, category: work.",
    ),
    ("bulk_cancel_events", {"event_ids": "evt_d"}, (), "cancel all events, event ids: evt d."),
    ("get_day_overview", {"date": "2026-11-24"}, (), "look at your day, date: Tuesday the 24th of November."),
    ("get_day_summary", {}, (), "sum up your day."),
    ("get_weekly_summary", {}, (), "sum up your week."),
    ("get_next_event", {}, (), "look for your next event."),
    ("search_events", {"query": "gym"}, (), "search your events, query: gym."),
    ("get_departure_info", {"event_id": "evt_d"}, (DENTIST,), f"work out when to leave for Dentist, {ON_TUESDAY}"),
    ("get_travel_time", {}, (), "work out the travel time."),
    ("get_alternate_routes", {"max_routes": 2}, (), "look for other routes, max routes: 2."),
    (
        "start_navigation",
        {"to_location": {"address": "Airport"}, "mode": "walk", "start_tracking": True},
        (),
        "start the navigation, to Airport, on foot, following your position.",
    ),
    ("check_if_late", {}, (), "check whether you are late."),
    (
        "acknowledge_late",
        {"event_id": "evt_d", "minutes_late": 10, "notify": True, "message": "Traffic."},
        (DENTIST,),
        f"note that you are late for Dentist, {ON_TUESDAY}, by 10 minutes, telling everybody who is invited, "
        "with the words: Traffic.",
    ),
    ("report_arrival", {"location": {"name": "Gate"}}, (), "report that you have arrived, at Gate."),
    ("get_alerts", {"limit": 5}, (), "read your alerts, limit: 5."),
    ("dismiss_alert", {"all": True}, (), "dismiss all alerts."),
    ("dismiss_alert", {"alert_id": "alt_1"}, (Affected("alt_1", "Late"),), "dismiss the alert Late."),
    ("snooze_alert", {"alert_id": "alt_1", "minutes": 10}, (), "put an alert off, for 10 minutes, alert id: alt 1."),
    ("snooze_alert", {"until": FOUR}, (), "put an alert off, until Wednesday the 25th of November at 4 p.m."),
    (
        "create_reminder",
        {"title": "Milk", "remind_at": FOUR},
        (),
        "set the reminder Milk, on Wednesday the 25th of November at 4 p.m.",
    ),
    (
        "create_reminder",
        {"title": "X-rays", "event_id": "evt_d", "offset_minutes_before_start": 1500},
        (DENTIST,),
        f"set the reminder X-rays for Dentist, {ON_TUESDAY}, 1 day and 1 hour before it starts.",
    ),
    (
        "create_reminder",
        {"event_id": "evt_d", "offset_minutes_before_departure": 0, "channel": "email"},
        (DENTIST,),
        f"set a reminder for Dentist, {ON_TUESDAY}, 0 minutes before you have to leave for it, by email.",
    ),
    (
        "notify_attendees",
        {"event_id": "evt_d", "message": "Running late!", "eta": FOUR},
        (DENTIST,),
        f"send a message about Dentist, {ON_TUESDAY}, to everybody who is invited, with the words: Running late, "
        "arriving on Wednesday the 25th of November at 4 p.m.",
    ),
    (
        "notify_attendees",
        {"event_id": "evt_d", "kind": "custom", "message": "See you there"},
        (DENTIST,),
        f"send a message about Dentist, {ON_TUESDAY}, to everybody who is invited, with the words: See you there.",
    ),
    (
        "notify_attendees",
        {"attendee_emails": ["bob@example.com", "eve@example.com"], "kind": "running_late"},
        (),
        "send a message about an event, to 2 people: Bob and Eve, saying that you are running late.",
    ),
    (
        "update_preferences",
        {"auto_confirm": ["create_event", "cancel_event"], "timezone": "Asia/Tokyo"},
        (),
        "change your preferences, from now on doing without asking you: create an event and cancel an event, "
        "your time zone Asia/Tokyo.",
    ),
    (
        "set_quiet_hours",
        {"enabled": True, "start": "22:00", "end": "07:05", "days": ["mon", "tue"]},
        (),
        "set your quiet hours, from 10 p.m. to 7 oh 5 a.m., on Monday and Tuesday.",
    ),
    ("set_quiet_hours", {"enabled": False}, (), "switch your quiet hours off."),
    (
        "set_quiet_hours",
        {"enabled": True, "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "allow_critical": False},
        (),
        "set your quiet hours, holding back critical alerts too.",
    ),
    (
        "update_preferences",
        {
            "auto_confirm": "none",
            "home_location": {"address": "1 Elm Street"},
            "default_event_duration_min": 45,
            "default_travel_mode": "transit",
            "preferred_time_of_day": "morning",
            "working_hours": {"start": "08:00", "end": "16:30", "days": ["mon", "fri"]},
        },
        (),
        "change your preferences, from now on asking you about everything, your home at 1 Elm Street, "
        "events of 45 minutes by default, travelling by bus and train, preferring mornings, "
        "your working hours from 8 a.m. to 4:30 p.m. on Monday and Friday.",
    ),
    (
        "update_preferences",
        {"auto_confirm": ["update_event", "launch_rocket"], "work_location": None},
        (),
        "change your preferences, from now on doing without asking you: change an event and launch rocket, "
        "without work location.",
    ),
    (
        "report_arrival",
        {"event_id": "evt_d", "arrived_at": FOUR},
        (DENTIST,),
        f"report that you have arrived at Dentist, {ON_TUESDAY}, on Wednesday the 25th of November at 4 p.m.",
    ),
    ("set_global_buffer", {"minutes": 5}, (), "set a general buffer, of 5 minutes, to spare on arrival."),
    ("set_alert_profile", {"profile": "loud"}, (), "set your alert profile, profile: loud."),
    ("set_alert_profile", {"profile": "silent"}, (), "set your alert profile, to no alerts at all."),
    (
        "set_global_buffer",
        {"minutes": 10, "kind": "parking"},
        (),
        "set a general buffer, of 10 minutes, for parking.",
    ),
    (
        "check_availability",
        {"start_time": FOUR, "end_time": FIVE},
        (),
        "check who is free, on Wednesday the 25th of November from 4 p.m. to 5:15 p.m.",
    ),
]


CHOICES = ("this", "all", "following", "walk", "transit", "morning", "email", "silent", "parking", "none", "custom")
"""Words of the protocol that each language says in its own."""


@pytest.mark.parametrize(("name", "given", "affects", "text"), TOLD)
def test_what_is_said_is_what_would_be_done(
    name: str, given: dict[str, Any], affects: tuple[Affected, ...], text: str
) -> None:
    assert words.question(Action(name, given, "", affects)).text == f"I am about to {text}"


def test_every_tool_is_told_here() -> None:
    assert {name for name, *_ in TOLD} == set(RECIPES)


def test_the_same_in_german() -> None:
    moved = Action("update_event", {"event_id": "evt_d", "start_time": FOUR}, "", (DENTIST,))
    assert words.question(moved, "de").text == (
        "Ich bin dabei, einen Termin zu verschieben: Dentist, am Dienstag, den vierundzwanzigsten November, um 15 Uhr, "
        "auf Mittwoch, den fünfundzwanzigsten November, um 16 Uhr."
    )
    several = Action("bulk_cancel_events", {"event_ids": ["evt_d", "evt_l"]}, "", (DENTIST, LUNCH))
    assert words.question(several, "de").text == (
        "Ich bin dabei, 2 Termine am Dienstag, den vierundzwanzigsten November abzusagen: Dentist, um 15 Uhr und "
        "Lunch, um 12 Uhr."
    )


@pytest.mark.parametrize(("name", "given", "affects", "text"), TOLD)
def test_every_word_of_a_parameter_is_heard_in_german_too(
    name: str, given: dict[str, Any], affects: tuple[Affected, ...], text: str
) -> None:
    german = words.question(Action(name, given, "", affects), "de").text
    for value in given.values():
        if isinstance(value, str) and value.isalpha() and value not in CHOICES:
            assert value in german, text


def test_a_parameter_of_the_wrong_kind_is_said_as_it_is() -> None:
    given = {"title": 5, "start_time": "soon", "attendees": "Bob", "notify": "yes", "recurrence": [1], "location": 7}
    text = words.question(Action("create_event", given)).text
    for piece in ("title: 5", "start time: soon", "attendees: Bob", "notify: yes", "recurrence: 1", "location: 7"):
        assert piece in text


def test_years_are_said_only_where_they_differ() -> None:
    next_year = {"event_id": "evt_d", "start_time": "2027-11-25T16:00:00+01:00"}
    text = words.question(Action("update_event", next_year, "", (DENTIST,))).text
    assert "24th of November 2026" in text
    assert "25th of November 2027" in text

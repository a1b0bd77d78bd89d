"""Lasting settings: the exact parameters, and the sentence that is read before."""

from typing import Any

import pytest

from phone_bridge.assistant.habits import BUFFER_MAX, days_words, habit, zone_words
from phone_bridge.assistant.plans import Question, Slot
from phone_bridge.assistant.understanding import understand
from phone_bridge.assistant.wishes import Wish
from phone_bridge.call.events import Action
from tests.assistant.some_week import CALLER, DENTIST, NOW, TODAY


def said(text: str) -> Action | Question:
    return habit(understand(text, TODAY), None, CALLER, NOW)


@pytest.mark.parametrize(
    ("text", "parameters", "summary"),
    [
        ("set my time zone to berlin", {"timezone": "Europe/Berlin"}, "Set your time zone to Berlin"),
        (
            "i work from nine to five",
            {"working_hours": {"start": "09:00", "end": "17:00", "days": ["mon", "tue", "wed", "thu", "fri"]}},
            "Set your working hours from 9 a.m. to 5 p.m., Monday to Friday",
        ),
        (
            "i work from ten to six on mondays and fridays",
            {"working_hours": {"start": "10:00", "end": "18:00", "days": ["mon", "fri"]}},
            "Set your working hours from 10 a.m. to 6 p.m., on Monday and Friday",
        ),
        ("i usually take the train", {"default_travel_mode": "transit"}, "Plan your ways by public transport"),
        ("i prefer meetings in the morning", {"preferred_time_of_day": "morning"}, "Prefer meetings in the morning"),
        (
            "set the default meeting length to half an hour",
            {"default_event_duration_min": 30},
            "Make your meetings 30 minutes long",
        ),
        (
            "change my home address to twelve market street",
            {"home_location": {"name": "home", "address": "twelve market street"}},
            "Set your home address to twelve market street",
        ),
        (
            "don't disturb me between ten pm and seven am",
            {"enabled": True, "start": "22:00", "end": "07:00"},
            "Set quiet hours from 10 p.m. to 7 a.m.",
        ),
        (
            "keep quiet from ten to six at the weekend",
            {"enabled": True, "start": "22:00", "end": "06:00", "days": ["sat", "sun"]},
            "Set quiet hours from 10 p.m. to 6 a.m., at weekends",
        ),
        (
            "leave me alone from twelve to one",
            {"enabled": True, "start": "12:00", "end": "13:00"},
            "Set quiet hours from noon to 1 p.m.",
        ),
        ("turn off quiet hours", {"enabled": False}, "Turn quiet hours off"),
        ("set my alerts to minimal", {"profile": "minimal"}, "Set your alerts to minimal"),
        (
            "leave ten minutes between meetings",
            {"minutes": 10, "kind": "between_meetings"},
            "Keep 10 minutes free between meetings",
        ),
        (
            "set my buffer to fifteen minutes",
            {"minutes": 15, "kind": "arrival"},
            "Keep 15 minutes free before you have to be somewhere",
        ),
        ("no buffer", {"minutes": 0, "kind": "arrival"}, "Keep no time free before you have to be somewhere"),
    ],
)
def test_settings(text: str, parameters: dict[str, Any], summary: str) -> None:
    plan = said(text)
    assert isinstance(plan, Action)
    assert (plan.parameters, plan.summary) == (parameters, summary)


def test_a_profile_may_be_one_events() -> None:
    plan = habit(Wish(name="set_alert_profile", choice="silent"), DENTIST, CALLER, NOW)
    assert plan == Action(
        "set_alert_profile",
        {"profile": "silent", "event_id": DENTIST.id},
        "Set your alerts to silent for Dentist appointment",
    )


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("turn on quiet hours", Slot.WHEN),
        ("no calls after ten at night", Slot.UNTIL),
        ("i work at nine", Slot.UNTIL),
        ("i work from nine in the evening to five", Slot.WHEN),  # past midnight
        ("set my buffer to five hours", Slot.LENGTH),
        ("set the default meeting length to nine hours", Slot.LENGTH),
        ("i prefer meetings on friday", Slot.WHEN),
    ],
)
def test_what_is_missing_or_cannot_be_is_asked(text: str, slot: Slot) -> None:
    question = said(text)
    assert isinstance(question, Question)
    assert question.slot is slot


def test_the_longest_buffer_is_taken() -> None:
    assert isinstance(habit(Wish(name="set_global_buffer", length=BUFFER_MAX), None, CALLER, NOW), Action)
    assert isinstance(habit(Wish(name="set_global_buffer", length=BUFFER_MAX + 1), None, CALLER, NOW), Question)


def test_zones_and_days_are_said_in_plain_words() -> None:
    assert zone_words("America/New_York") == "New York"
    assert days_words(()) == ""
    assert days_words(("mon", "tue", "wed", "thu", "fri", "sat", "sun")) == ""
    assert days_words(("wed",)) == ", on Wednesday"

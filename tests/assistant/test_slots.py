"""Typed slots: what their words mean, and what they do not take."""

from datetime import date
from typing import Any

import pytest

from phone_bridge.assistant.masking import masked
from phone_bridge.assistant.phrase import tokens
from phone_bridge.assistant.slots import BUFFERS, MODES, PROFILES, SLOTS, zone_called
from phone_bridge.assistant.wishes import Reference, Wish
from phone_bridge.tools.keeper import Buffers

TODAY = date(2026, 11, 24)


def read(slot: str, text: str) -> Wish | None:
    return SLOTS[slot].read(masked(tokens(text), TODAY), Wish(name="a_tool"))


def slots(slot: str, text: str) -> dict[str, Any]:
    wish = read(slot, text)
    assert wish is not None
    return wish.parameters()


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("eastern time", "America/New_York"),
        ("pacific standard time", "America/Los_Angeles"),
        ("tokyo time", "Asia/Tokyo"),
        ("los angeles", "America/Los_Angeles"),
        ("nowhere", ""),
        ("", ""),
    ],
)
def test_zones_are_found_by_their_city(words: str, zone: str) -> None:
    assert zone_called(words) == zone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from nine to five", {"time": "9:00", "until": "5:00"}),
        ("until three", {"time": "3:00"}),
        ("half an hour", {"length_minutes": 30}),
        ("tomorrow at noon", {"date": "2026-11-25", "time": "12:00"}),
    ],
)
def test_a_span_is_words_that_are_only_a_time(text: str, expected: dict[str, Any]) -> None:
    assert slots("span", text) == expected
    assert read("span", f"{text} with anna") is None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("from ten to six monday to thursday", ["mon", "tue", "wed", "thu"]),
        ("from ten to six on mondays and fridays", ["mon", "fri"]),
        ("from ten to six friday to monday", ["mon", "fri", "sat", "sun"]),
        ("from ten to six on weekdays", ["mon", "tue", "wed", "thu", "fri"]),
        ("from ten to six at the weekend", ["sat", "sun"]),
        ("from ten to six every day", ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
    ],
)
def test_hours_may_have_days_behind_them(text: str, days: list[str]) -> None:
    assert slots("hours", text) == {"time": "10:00", "until": "6:00", "days": days}


def test_hours_alone_have_no_days() -> None:
    assert slots("hours", "from ten to six") == {"time": "10:00", "until": "6:00"}


def test_ways_to_travel_are_read_in_the_order_of_the_tool() -> None:
    assert slots("modes", "by car or by train") == {"modes": ["drive", "transit"]}
    assert slots("mode", "on foot") == {"modes": ["walk"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("that alert", Reference(pronoun=True)),
        ("all alerts", Reference(every=True)),
        ("the second alert", Reference(place=2)),
        ("the last notification", Reference(place=-1)),
        ("the alert about the dentist", Reference(words=("dentist",))),
    ],
)
def test_alerts_are_pointed_at(text: str, expected: Reference) -> None:
    wish = read("alert", text)
    assert wish is not None
    assert wish.reference == expected


def test_a_kind_of_alert_is_read_and_points_at_nothing_else() -> None:
    wish = read("alert", "the traffic warning")
    assert wish is not None
    assert (wish.choice, wish.reference) == ("traffic", Reference())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i'm running late", {"choice": "running_late"}),
        ("i'll be ten minutes late", {"choice": "running_late", "late_minutes": 10}),
        ("we meet at the Station", {"message": "we meet at the Station"}),
        ("it is late in the year", {"message": "it is late in the year"}),
    ],
)
def test_messages_are_kept_in_their_words_but_for_being_late(text: str, expected: dict[str, Any]) -> None:
    assert slots("message", text) == expected


def test_a_window_is_days_or_parts_of_them_and_no_time_on_the_clock() -> None:
    assert slots("window", "tomorrow morning")["reference"] == {
        "every": True,
        "date": "2026-11-25",
        "part_of_day": "morning",
    }
    assert read("window", "tomorrow at four") is None


def test_a_week_is_no_weekend_and_no_month() -> None:
    assert slots("week", "next week") == {"date": "2026-11-30"}
    assert read("week", "this weekend") is None
    assert read("week", "next month") is None
    assert read("week", "tomorrow") is None


def test_the_rest_of_a_day_is_todays() -> None:
    assert slots("bulk", "the rest of my day")["reference"] == {"every": True, "date": "2026-11-24"}


def test_an_event_of_the_callers_own_is_not_one_for_the_calendar() -> None:
    assert read("mine", "the dentist") is not None
    assert read("mine", "the dentist in my calendar") is None


def test_a_venue_is_no_time() -> None:
    assert slots("venue", "the garden restaurant") == {"place": "garden restaurant"}
    assert read("venue", "four thirty") is None


def test_choices_are_those_of_the_tools() -> None:
    assert set(PROFILES) == {"minimal", "balanced", "aggressive", "silent"}
    assert set(BUFFERS) == set(Buffers.__struct_fields__)
    assert set(MODES) == {"drive", "walk", "transit"}

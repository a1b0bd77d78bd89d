"""What is looked up for a question, and what is answered from it."""

from typing import Any

import pytest

from phone_bridge.assistant import reading
from phone_bridge.assistant.plans import Question
from phone_bridge.assistant.reading import Reading
from phone_bridge.assistant.references import PAGE
from phone_bridge.assistant.understanding import understand
from phone_bridge.assistant.wishes import Wish
from phone_bridge.tools import parameters as p
from phone_bridge.tools import schemas
from tests.assistant.some_week import CALLER, LUNCH, NOW, TODAY, at, plain


def said(text: str) -> Wish:
    return understand(text, TODAY)


def iso(day: int, hour: int, minute: int = 0) -> str:
    return at(day, hour, minute).isoformat()


def whole(found: Reading | Question) -> Reading:
    assert isinstance(found, Reading)
    return found


def test_what_comes_next() -> None:
    found = reading.next_event(said("where is my next meeting"))
    assert (found.action.name, found.action.parameters, found.lists) == ("get_next_event", {}, True)
    assert found.answer({"event": plain(LUNCH)}, NOW) == ["No place is given for Lunch with Carol."]
    assert found.answer({"event": None}, NOW) == ["You have nothing ahead in your calendar."]


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("what do i have", "get_day_overview", {"date": "2026-11-24"}),
        ("what do i have tomorrow", "get_day_overview", {"date": "2026-11-25"}),
        ("what do i have this week", "search_events", {"from": iso(0, 0), "to": iso(6, 0), "limit": PAGE}),
        ("what do i have tomorrow morning", "search_events", {"from": iso(1, 0), "to": iso(1, 12), "limit": PAGE}),
        ("what do i have tomorrow at three", "search_events", {"from": iso(1, 15), "to": iso(1, 15, 1), "limit": PAGE}),
        ("what do i have in two hours", "search_events", {"from": iso(0, 12), "to": iso(0, 12, 1), "limit": PAGE}),
    ],
)
def test_a_day_or_a_stretch(text: str, name: str, parameters: dict[str, Any]) -> None:
    found = whole(reading.overview(said(text), NOW))
    assert (found.action.name, found.action.parameters, found.lists) == (name, parameters, True)
    assert found.answer({"events": [], "data": []}, NOW)[0].startswith("You have nothing")


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("am i free tomorrow at three", {"start_time": iso(1, 15), "end_time": iso(1, 16)}),
        ("am i free tomorrow at three for 30 minutes", {"start_time": iso(1, 15), "end_time": iso(1, 15, 30)}),
        ("am i free tomorrow from two to four", {"start_time": iso(1, 14), "end_time": iso(1, 16)}),
        ("am i free tomorrow", {"from": iso(1, 0), "to": iso(2, 0)}),
        ("am i free", {"from": iso(0, 10), "to": iso(1, 0)}),
        ("am i free this afternoon", {"from": iso(0, 12), "to": iso(0, 18)}),
        (
            "when am i free tomorrow",
            {"duration_minutes": 60, "earliest_start": iso(1, 0), "latest_end": iso(2, 0)},
        ),
        (
            "am i free for two hours tomorrow",
            {"duration_minutes": 120, "earliest_start": iso(1, 0), "latest_end": iso(2, 0)},
        ),
        (
            "when am i free tomorrow from two to four",
            {"duration_minutes": 60, "earliest_start": iso(1, 14), "latest_end": iso(1, 16)},
        ),
    ],
)
def test_free_and_busy(text: str, parameters: dict[str, Any]) -> None:
    found = whole(reading.availability(said(text), CALLER, NOW))
    assert (found.action.name, found.action.parameters, found.lists) == ("check_availability", parameters, False)
    schemas.read(p.CheckAvailability, parameters)


def test_the_answers_about_free_time() -> None:
    def answer(text: str, result: dict[str, Any]) -> list[str]:
        return whole(reading.availability(said(text), CALLER, NOW)).answer(result, NOW)

    slot = {"start": iso(1, 9), "end": iso(1, 10)}
    assert answer("am i free tomorrow at three", {"available": True}) == ["Yes, you are free tomorrow at 3 p.m."]
    assert answer("am i free tomorrow", {"busy": {CALLER.user_id: []}}) == ["Yes, you are free tomorrow."]
    assert answer("when am i free tomorrow", {"slots": [slot]}) == ["You are free tomorrow at 9 a.m."]


@pytest.mark.parametrize(
    "text", ["what do i have on february 30", "am i free on february 30", "am i free this morning"]
)
def test_a_time_that_cannot_be_is_asked_about(text: str) -> None:
    wish, now = said(text), NOW.replace(hour=13)
    found = reading.overview(wish, now) if wish.name == "get_day_overview" else reading.availability(wish, CALLER, now)
    assert isinstance(found, Question)
    assert found.wish == Wish(name=wish.name)

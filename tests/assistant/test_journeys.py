"""Ways, lateness and messages: the exact parameters, and the sentence that is read before."""

from typing import Any

import pytest

from phone_bridge.assistant.journeys import addressed, journey, people_words
from phone_bridge.assistant.plans import Question, Slot
from phone_bridge.assistant.references import Person
from phone_bridge.assistant.when import When
from phone_bridge.assistant.wishes import Reference, Wish
from phone_bridge.call.events import Action
from tests.assistant.some_week import DENTIST, LUNCH, NOW, REVIEW


def planned(wish: Wish, *args: Any) -> Action:
    plan = journey(wish, *args)
    assert isinstance(plan, Action)
    return plan


@pytest.mark.parametrize("tool", ["get_departure_info", "check_if_late", "report_arrival", "get_travel_time"])
def test_an_event_is_named_by_its_id(tool: str) -> None:
    assert planned(Wish(name=tool), DENTIST, NOW).parameters == {"event_id": DENTIST.id}


@pytest.mark.parametrize("tool", ["get_departure_info", "check_if_late", "report_arrival"])
def test_without_an_event_the_tool_finds_it(tool: str) -> None:
    assert planned(Wish(name=tool), None, NOW).parameters == {}


def test_a_place_is_reached_from_now_on() -> None:
    where = {"name": "airport", "address": "airport"}
    wish = Wish(name="get_travel_time", modes=("transit",), origin="office")
    assert planned(wish, None, NOW, "airport").parameters == {
        "to_location": where,
        "depart_at": NOW.isoformat(),
        "from_location": {"name": "office", "address": "office"},
        "travel": {"mode": "transit"},
    }


def test_routes_may_be_by_several_means() -> None:
    wish = Wish(name="get_alternate_routes", modes=("drive", "walk"))
    assert planned(wish, DENTIST, NOW).parameters == {"event_id": DENTIST.id, "modes": ["drive", "walk"]}


def test_navigation_knows_its_app() -> None:
    wish = Wish(name="start_navigation", modes=("walk",), value="waze")
    plan = planned(wish, DENTIST, NOW)
    assert plan.parameters == {"event_id": DENTIST.id, "mode": "walk", "app": "waze"}
    assert plan.summary == "Navigate to Dentist appointment on Thursday at 3 p.m."


def test_being_late_is_noted_with_the_minutes() -> None:
    plan = planned(Wish(name="acknowledge_late", late=10), REVIEW, NOW)
    assert plan.parameters == {"event_id": REVIEW.id, "minutes_late": 10}
    assert plan.summary == "Note that you are 10 minutes late for Project review with Anna today at 11:30 a.m."
    assert plan.affects[0].id == REVIEW.id


def test_who_is_to_be_told_of_it_is_named() -> None:
    plan = planned(Wish(name="acknowledge_late", notify=True), REVIEW, NOW)
    assert plan.parameters == {"event_id": REVIEW.id, "notify": True}
    assert plan.summary.endswith(", and tell Anna and martin")


def test_a_message_goes_to_everybody_or_to_those_who_are_named() -> None:
    wish = Wish(name="notify_attendees", message="we start at ten", reference=Reference(words=("review",)))
    plan = planned(wish, REVIEW, NOW)
    assert plan.parameters == {"event_id": REVIEW.id, "kind": "custom", "message": "we start at ten"}
    wish = Wish(name="notify_attendees", message="we start at ten", reference=Reference(words=("anna",)))
    plan = planned(wish, REVIEW, NOW)
    assert plan.parameters["attendee_emails"] == ["anna@example.com"]
    assert plan.summary == "Tell Anna, about Project review with Anna today at 11:30 a.m.: we start at ten"


def test_being_late_and_being_cancelled_are_kinds_of_their_own() -> None:
    plan = planned(Wish(name="notify_attendees", choice="running_late", late=15), REVIEW, NOW)
    assert plan.parameters["kind"] == "running_late"
    assert plan.parameters["eta"] == "2026-11-24T11:45:00-05:00"
    assert plan.summary.endswith(": you will be 15 minutes late")
    plan = planned(Wish(name="notify_attendees", choice="cancelled"), REVIEW, NOW)
    assert plan.parameters == {"event_id": REVIEW.id, "kind": "cancelled"}


def test_what_is_missing_is_asked() -> None:
    message = journey(Wish(name="notify_attendees"), REVIEW, NOW)
    assert isinstance(message, Question)
    assert (message.slot, message.text) == (Slot.MESSAGE, "What shall I tell them?")
    for tool in ("notify_attendees", "acknowledge_late"):
        which = journey(Wish(name=tool), None, NOW)
        assert isinstance(which, Question)
        assert which.slot is Slot.WHICH


def test_people_are_named_or_counted() -> None:
    assert people_words(()) == "everybody"
    assert people_words([Person(f"p{n}@example.com", f"P{n}") for n in range(5)]) == "5 people"


def test_words_of_the_event_address_nobody() -> None:
    assert addressed(Wish(name="notify_attendees", reference=Reference(words=("project",))), REVIEW) == []
    assert addressed(Wish(name="notify_attendees", when=When()), LUNCH) == []

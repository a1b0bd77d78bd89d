"""Which events are meant."""

from typing import Any

import pytest

from phone_bridge.assistant.phrase import tokens
from phone_bridge.assistant.pointing import point
from phone_bridge.assistant.references import (
    PAGE,
    Person,
    Place,
    choose,
    known,
    one_of_each_series,
    query,
    seen,
    seen_in,
)
from phone_bridge.assistant.wishes import Reference
from tests.assistant.some_week import (
    DENTIST,
    FAIR,
    LESSON,
    LUNCH,
    NOW,
    REVIEW,
    STAND_UPS,
    TITLES,
    TODAY,
    WEEK,
    at,
    event,
    plain,
)


def ref(text: str) -> Reference:
    return point(tokens(text), TODAY, TITLES)


def test_an_event_is_read_into_the_callers_zone() -> None:
    utc = plain(REVIEW) | {"start_time": "2026-11-24T16:30:00Z", "end_time": "2026-11-24T17:15:00Z", "color_hex": None}
    assert seen(utc, NOW) == REVIEW
    assert seen(utc, NOW).start_time.tzinfo is NOW.tzinfo


@pytest.mark.parametrize(
    "result",
    [
        {"event": plain(REVIEW)},
        {"data": [plain(REVIEW)]},
        {"events": [{"event": plain(REVIEW), "conflicts_with": []}]},
    ],
)
def test_events_are_read_from_every_shape_of_result(result: dict[str, Any]) -> None:
    assert seen_in(result, NOW) == [REVIEW]


def test_no_event_is_no_event() -> None:
    assert seen_in({"event": None}, NOW) == []


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("the dentist", [DENTIST]),
        ("my dentist appointment", [DENTIST]),
        ("piano lessons", [LESSON]),
        ("the piano", [LESSON]),
        ("anna", [REVIEW]),
        ("the meeting with martin", [REVIEW]),
        ("carol's lunch", [LUNCH]),
        ("the team meeting", STAND_UPS[1:]),  # the one of today is over
        ("the team meeting today", STAND_UPS[:1]),
        ("the team meeting on friday", [STAND_UPS[3]]),
        ("the second team meeting", [STAND_UPS[2]]),
        ("the last team meeting", [STAND_UPS[3]]),
        ("the fifth team meeting", []),
        ("my next team meeting", [STAND_UPS[1]]),
        ("my three o'clock", [DENTIST]),
        ("my three", [DENTIST]),
        ("my nine fifteen tomorrow", [STAND_UPS[1]]),
        ("my meeting at quarter past nine", STAND_UPS[1:]),
        ("tomorrow's lunch", [LUNCH]),
        ("my first meeting tomorrow", [STAND_UPS[1]]),
        ("my meeting on thursday afternoon", [DENTIST]),
        ("the fair", [FAIR]),
        ("the opera", []),
        ("the call tomorrow", [STAND_UPS[1], LUNCH]),  # nothing is called a call
    ],
)
def test_choosing(text: str, ids: list[Any]) -> None:
    assert choose(ref(text), WEEK, NOW) == ids


def test_whatever_runs_at_a_time_from_now_is_chosen() -> None:
    assert choose(ref("the meeting in two hours"), WEEK, NOW) == [REVIEW]


def test_titles_that_are_written_in_other_words_are_found() -> None:
    events = [event("Stand-up", NOW), event("Q3 Review", NOW)]
    assert choose(ref("the standup"), events, NOW) == events[:1]
    assert choose(ref("the q three review"), events, NOW) == events[1:]


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("the dentist", {"query": "dentist", "from": "2026-11-24T00:00:00-05:00"}),
        ("the opera", {"query": "opera", "from": "2026-11-24T00:00:00-05:00"}),
        ("lunch", {"query": "lunch", "from": "2026-11-24T00:00:00-05:00"}),
        ("my three o'clock", {"from": "2026-11-24T00:00:00-05:00"}),
        ("lunch tomorrow", {"from": "2026-11-25T00:00:00-05:00", "to": "2026-11-26T00:00:00-05:00"}),
        ("my meeting this week", {"from": "2026-11-24T00:00:00-05:00", "to": "2026-11-30T00:00:00-05:00"}),
        ("my meeting in two hours", {"from": "2026-11-24T00:00:00-05:00", "to": "2026-11-25T00:00:00-05:00"}),
    ],
)
def test_looking_up(text: str, parameters: dict[str, Any]) -> None:
    assert query(ref(text), TITLES, NOW) == {"limit": PAGE, **parameters}


def test_words_that_are_in_several_titles_are_searched_as_they_are() -> None:
    assert query(ref("anna"), ("Call Anna", "Lunch with Anna"), NOW)["query"] == "anna"


def test_words_are_searched_as_the_calendar_writes_them() -> None:
    titles = ("Q3 Review", "Lunch with Anna")
    assert query(ref("the q three review"), titles, NOW)["query"] == "Q3 Review"
    assert query(ref("anna"), titles, NOW)["query"] == "anna"  # others may take part with her


def test_of_a_series_the_first_is_kept() -> None:
    first, second = (event("Yoga", at(day, 18), series_id="evt_yoga") for day in (1, 8))
    assert one_of_each_series([first, DENTIST, second]) == [first, DENTIST]


def test_titles_are_known_by_their_words() -> None:
    assert known(ref("the dentist"), TITLES)
    assert not known(ref("the opera"), TITLES)
    assert not known(ref("it"), TITLES)


def test_people_and_places_have_a_name_to_say() -> None:
    assert Person("bob@example.com").called() == "bob"
    assert Place(address="1 Main Street").called() == "1 Main Street"
    assert Place().called() == ""

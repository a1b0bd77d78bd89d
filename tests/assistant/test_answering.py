"""What is said: short sentences for the telephone."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant import answering
from phone_bridge.assistant.references import Seen
from phone_bridge.assistant.when import Clock, When
from phone_bridge.call.events import Action
from tests.assistant.some_week import (
    DENTIST,
    FAIR,
    LESSON,
    LUNCH,
    NOW,
    REVIEW,
    STAND_UPS,
    TODAY,
    WEEK,
    at,
    event,
    plain,
)

SPEECH_CHARS = 260
"""About twelve seconds and a half of speech at 21 characters a second, the pace of a brisk telephone voice."""


@pytest.mark.parametrize(
    ("hour", "minute", "words"),
    [
        (0, 0, "midnight"),
        (0, 5, "12:05 a.m."),
        (3, 0, "3 a.m."),
        (12, 0, "noon"),
        (12, 30, "12:30 p.m."),
        (15, 0, "3 p.m."),
        (23, 59, "11:59 p.m."),
    ],
)
def test_times_of_the_day(hour: int, minute: int, words: str) -> None:
    assert answering.clock_words(at(0, hour, minute)) == words


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (-1, "yesterday"),
        (0, "today"),
        (1, "tomorrow"),
        (2, "Thursday"),
        (6, "Monday"),
        (7, "Tuesday, December 1st"),
        (8, "Wednesday, December 2nd"),
        (9, "Thursday, December 3rd"),
        (17, "Friday, December 11th"),
        (28, "Tuesday, December 22nd"),
        (400, "Wednesday, December 29th, 2027"),
        (-2, "Sunday, November 22nd, 2026"),
    ],
)
def test_days(ahead: int, words: str) -> None:
    assert answering.day_words(TODAY + timedelta(days=ahead), TODAY) == words


def test_days_behind_a_verb() -> None:
    assert answering.on_day(TODAY, TODAY) == "today"
    assert answering.on_day(date(2026, 11, 26), TODAY) == "on Thursday"
    assert answering.moment_words(at(2, 15), NOW) == "on Thursday at 3 p.m."
    assert answering.event_time(FAIR, NOW) == "on Friday, all day"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "1 minute"),
        (45, "45 minutes"),
        (60, "one hour"),
        (61, "one hour and 1 minute"),
        (90, "an hour and a half"),
        (120, "2 hours"),
        (135, "2 hours and 15 minutes"),
    ],
)
def test_lengths(minutes: int, words: str) -> None:
    assert answering.length_words(minutes) == words


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (When(), "today"),
        (When(day=date(2026, 11, 27)), "on Friday"),
        (When(day=TODAY, last=date(2026, 11, 29)), "from today to Sunday"),
        (When(day=TODAY, last=TODAY), "today"),
        (When(part="morning"), "this morning"),
        (When(day=TODAY, part="evening"), "this evening"),
        (When(day=TODAY, part="night"), "tonight"),
        (When(day=date(2026, 11, 25), part="afternoon"), "tomorrow in the afternoon"),
        (When(start=Clock(3)), "today at 3 p.m."),
    ],
)
def test_stretches(when: When, words: str) -> None:
    assert answering.span_words(when, NOW) == words


def test_titles_are_cut_at_a_word() -> None:
    assert answering.title_words("  a \n b ") == "a b"
    long = answering.title_words("word " * 50)
    assert len(long) <= answering.TITLE_CHARS
    assert long.endswith("word")


def test_a_sentence_ends_once() -> None:
    assert answering.ended("at 3 p.m.") == "at 3 p.m."
    assert answering.ended("at noon") == "at noon."


# Events


def test_the_next_event() -> None:
    said = "Your next meeting is Project review with Anna, today at 11:30 a.m., in an hour and a half, at the office."
    assert answering.next_event(REVIEW, NOW) == [said]
    assert answering.next_event(LUNCH, NOW) == ["Your next meeting is Lunch with Carol, tomorrow at 12:30 p.m."]
    assert answering.next_event(LUNCH, NOW, "time") == ["Lunch with Carol is tomorrow at 12:30 p.m."]
    assert answering.next_event(None, NOW, "place") == ["You have nothing ahead in your calendar."]


@pytest.mark.parametrize(
    ("seen", "aspect", "words"),
    [
        (REVIEW, "", "Project review with Anna is today at 11:30 a.m., at the office."),
        (REVIEW, "time", "Project review with Anna is today at 11:30 a.m."),
        (REVIEW, "place", "Project review with Anna is at the office."),
        (DENTIST, "place", "Dentist appointment is at 48 Park Street."),
        (LUNCH, "place", "No place is given for Lunch with Carol."),
        (REVIEW, "people", "Project review with Anna is with Anna and martin."),
        (LUNCH, "people", "Nobody else is named for Lunch with Carol."),
        (REVIEW, "length", "Project review with Anna takes 45 minutes, until 12:15 p.m."),
        (FAIR, "length", "Book fair takes all day."),
        (FAIR, "time", "Book fair is on Friday, all day."),
    ],
)
def test_one_question_about_an_event(seen: Any, aspect: str, words: str) -> None:
    assert answering.detail(seen, NOW, aspect) == [words]


def test_what_was_found() -> None:
    assert answering.found([DENTIST], NOW, "time") == ["Dentist appointment is on Thursday at 3 p.m."]
    assert answering.found(STAND_UPS[1:], NOW, "time") == [
        "Team meeting is tomorrow at 9:15 a.m.",
        "There are two more after it.",
    ]
    assert answering.found(STAND_UPS[2:], NOW, "")[-1] == "There is one more after it."
    assert answering.found([LUNCH, DENTIST], NOW, "") == [
        "I found two.",
        "Lunch with Carol tomorrow at 12:30 p.m. and Dentist appointment on Thursday at 3 p.m.",
    ]


def test_nothing_found() -> None:
    assert answering.nothing_found(("opera",), When(), NOW) == ["I cannot find anything called opera in your calendar."]
    tomorrow = When(day=date(2026, 11, 25))
    assert answering.nothing_found((), tomorrow, NOW) == ["I cannot find anything tomorrow in your calendar."]
    at_three = When(start=Clock(3))
    assert answering.nothing_found((), at_three, NOW) == ["I cannot find anything at that time in your calendar."]


def test_the_agenda_of_a_day() -> None:
    tomorrow = When(day=date(2026, 11, 25))
    assert answering.agenda([], tomorrow, NOW) == ["You have nothing tomorrow."]
    assert answering.agenda([LUNCH], tomorrow, NOW) == ["You have one thing tomorrow: Lunch with Carol at 12:30 p.m."]
    assert answering.agenda([STAND_UPS[1], LUNCH], tomorrow, NOW) == [
        "You have two things tomorrow.",
        "Team meeting at 9:15 a.m. and Lunch with Carol at 12:30 p.m.",
    ]
    assert answering.agenda([FAIR], When(day=date(2026, 11, 27)), NOW) == [
        "You have one thing on Friday: Book fair, all day."
    ]


def test_what_is_over_today_is_left_out() -> None:
    assert answering.agenda([STAND_UPS[0]], When(), NOW) == ["You have nothing more today."]
    assert answering.agenda([STAND_UPS[0], REVIEW], When(), NOW) == [
        "You have one more thing today: Project review with Anna at 11:30 a.m."
    ]
    yesterday = When(day=date(2026, 11, 23))
    assert answering.agenda([event("Old", at(-1, 9))], yesterday, NOW) == [
        "You have one thing yesterday: Old at 9 a.m."
    ]


def test_long_lists_are_counted() -> None:
    week = When(day=TODAY, last=date(2026, 11, 30))
    said = answering.agenda(WEEK[1:], week, NOW)
    assert said[0] == "You have eight things from today to Monday."
    assert said[1].endswith("tomorrow at 12:30 p.m. and five more.")


def test_which_one() -> None:
    assert answering.which([LUNCH, DENTIST], NOW) == (
        "Which one: Lunch with Carol tomorrow at 12:30 p.m. or Dentist appointment on Thursday at 3 p.m.?"
    )
    assert answering.which([LUNCH, DENTIST, LESSON, REVIEW], NOW).endswith("on Monday at 11 a.m. or another one?")
    assert answering.which(STAND_UPS[1:3], NOW) == (
        "Which Team meeting: tomorrow at 9:15 a.m. or on Thursday at 9:15 a.m.?"
    )
    assert answering.which(STAND_UPS, NOW).endswith("or a later one?")


# Free and busy


def slot(day: int, hour: int) -> dict[str, str]:
    return {"start": at(day, hour).isoformat(), "end": at(day, hour + 1).isoformat()}


def test_one_time() -> None:
    free = {"available": True, "conflicts": [], "alternatives": []}
    assert answering.one_time(free, at(1, 15), NOW) == ["Yes, you are free tomorrow at 3 p.m."]
    taken = {"available": False, "conflicts": [{"title": "Lunch"}], "alternatives": [slot(1, 14), slot(1, 10)]}
    assert answering.one_time(taken, at(1, 12), NOW) == [
        "No, tomorrow at noon you have Lunch.",
        "You are free tomorrow at 10 a.m. or at 2 p.m.",
    ]
    crowded = {"available": False, "conflicts": [{"title": str(n)} for n in range(5)], "alternatives": []}
    assert answering.one_time(crowded, at(1, 12), NOW) == ["No, tomorrow at noon you have 0, 1, 2 and two more."]


def test_busy_times() -> None:
    tomorrow = When(day=date(2026, 11, 25))
    assert answering.busy_times([], tomorrow, NOW) == ["Yes, you are free tomorrow."]
    assert answering.busy_times([slot(1, 12)], tomorrow, NOW) == [
        "Not all the time: tomorrow you are busy from noon to 1 p.m."
    ]
    week = When(day=TODAY, last=date(2026, 11, 29))
    many = [slot(day, 12) for day in range(5)]
    assert answering.busy_times(many, week, NOW) == [
        "Not all the time: from today to Sunday you are busy today from noon to 1 p.m., tomorrow from noon to 1 p.m., "
        "on Thursday from noon to 1 p.m. and two more times."
    ]


def test_free_slots() -> None:
    tomorrow = When(day=date(2026, 11, 25))
    assert answering.free_slots([], tomorrow, NOW) == ["I find no free time tomorrow."]
    assert answering.free_slots([slot(1, 9)], tomorrow, NOW) == ["You are free tomorrow at 9 a.m."]
    assert answering.free_slots([slot(1, 9), slot(2, 9)], tomorrow, NOW) == [
        "You are free tomorrow at 9 a.m. or on Thursday at 9 a.m."
    ]


# What was done


def told(name: str, result: dict[str, Any]) -> list[str]:
    return answering.done(Action(name), {"ok": True, **result}, NOW)


def test_what_was_done() -> None:
    assert told("cancel_event", {"event": plain(DENTIST)}) == [
        "Done.",
        "Dentist appointment on Thursday at 3 p.m. is cancelled.",
    ]
    assert told("create_event", {"event": plain(LUNCH), "conflicts": [{"title": "A"}, {"title": "B"}]}) == [
        "Done.",
        "Lunch with Carol tomorrow at 12:30 p.m. is in your calendar.",
        "It overlaps with A and B.",
    ]
    moved = {"event": plain(LUNCH), "changed_fields": ["start_time", "end_time"]}
    assert told("update_event", moved)[1] == "Lunch with Carol is now tomorrow at 12:30 p.m."
    longer = {"event": plain(LUNCH), "changed_fields": ["end_time"]}
    assert told("update_event", longer)[1] == "Lunch with Carol now ends at 1:30 p.m."
    renamed = {"event": plain(LUNCH), "changed_fields": ["title"]}
    assert told("update_event", renamed)[1] == "It is now called Lunch with Carol."


def test_reminders() -> None:
    timed = {"title": "Buy milk", "remind_at": at(1, 9).isoformat()}
    assert told("create_reminder", {"reminder": timed}) == ["I will remind you tomorrow at 9 a.m.: Buy milk."]
    before = {"title": "Dentist", "remind_at": None, "offset_minutes_before_start": 60}
    assert told("create_reminder", {"reminder": before}) == ["I will remind you one hour before Dentist."]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("resource_missing", "I cannot find that in your calendar any more."),
        ("event_already_cancelled", "That is cancelled already."),
        ("calendar_unavailable", "I cannot reach your calendar right now."),
        ("tool_timeout", "Your calendar did not answer in time, so I cannot tell whether that was done."),
    ],
)
def test_failures_are_told_in_words(code: str, words: str) -> None:
    result = {"ok": False, "error": {"type": "x", "code": code, "message": "secret inner words"}}
    assert answering.done(Action("create_event"), result, NOW) == [words]


def test_other_failures_are_told_as_the_tool_tells_them() -> None:
    result = {"ok": False, "error": {"code": "invalid_parameter", "message": "An event must end after it begins."}}
    assert answering.failed(result) == ["That did not work.", "An event must end after it begins."]
    assert answering.failed({"ok": False}) == ["That did not work."]


@settings(deadline=None)
@given(st.lists(st.sampled_from(WEEK), max_size=9), st.booleans())
def test_no_answer_is_too_long_to_listen_to(events: list[Any], one_day: bool) -> None:
    when = When(day=TODAY) if one_day else When(day=TODAY, last=date(2026, 12, 1))
    assert sum(map(len, answering.agenda(events, when, NOW))) <= SPEECH_CHARS
    if events:
        assert len(answering.which(events, NOW)) <= SPEECH_CHARS


def test_what_is_in_the_way_is_told_in_one_sentence_with_a_time_that_is_free() -> None:
    def conflict(event: Seen) -> dict[str, str]:
        return {"event_id": event.id, "title": event.title}

    def slot(day: int, hour: int) -> dict[str, str]:
        return {"start": at(day, hour).isoformat(), "end": at(day, hour + 1).isoformat()}

    start = at(2, 15)
    both = {"conflicts": [conflict(DENTIST), conflict(LUNCH)], "alternatives": [slot(2, 16), slot(2, 13), slot(3, 9)]}
    assert answering.in_the_way(both, start, NOW) == [
        "Then you have Dentist appointment and one more; at 1 p.m. you are free."
    ]
    assert answering.in_the_way(both, start, NOW, DENTIST.id) == [
        "Then you have Lunch with Carol; at 1 p.m. you are free."
    ]
    later = {"conflicts": [conflict(DENTIST)], "alternatives": [slot(3, 9)]}
    assert answering.in_the_way(later, start, NOW) == ["Then you have Dentist appointment."]
    assert answering.in_the_way(later, start, NOW, DENTIST.id) == []


def test_several_of_one_name_on_one_day_are_told_apart_by_their_hour() -> None:
    reviews = [event("Review", at(3, hour)) for hour in (10, 14)]
    assert (
        answering.which(reviews, NOW)
        == "You have two called Review on Friday: the one at 10 a.m. or the one at 2 p.m.?"
    )


def test_a_place_that_was_changed_is_told() -> None:
    result = {"ok": True, "event": plain(DENTIST), "changed_fields": ["location"]}
    assert answering.done(Action("update_event", {}), result, NOW) == [
        "Done.",
        "Dentist appointment is now at 48 Park Street.",
    ]

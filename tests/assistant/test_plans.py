"""From a wish to exact parameters, or to the question that is open."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant import plans
from phone_bridge.assistant.plans import REMINDER_CHARS, SHORTEST_MINUTES, Question, Slot
from phone_bridge.assistant.references import Seen
from phone_bridge.assistant.understanding import understand
from phone_bridge.assistant.when import Clock, When
from phone_bridge.assistant.wishes import Wish
from phone_bridge.call.events import Action, Affected
from phone_bridge.tools import parameters, schemas
from tests.assistant.some_week import CALLER, DENTIST, FAIR, LUNCH, NOW, REVIEW, TODAY, at, event


def said(text: str) -> Wish:
    return understand(text, TODAY, CALLER.titles)


def create(text: str, now: datetime = NOW) -> Action | Question:
    return plans.creating(said(text), CALLER, now)


def change(text: str, seen: Seen = DENTIST) -> Action | Question:
    return plans.changing(said(text), seen, NOW)


def remind(text: str) -> Action | Question:
    return plans.reminding(said(text), NOW)


def action(plan: Action | Question) -> Action:
    assert isinstance(plan, Action), plan
    return plan


def question(plan: Action | Question) -> tuple[Slot, str]:
    assert isinstance(plan, Question), plan
    return plan.slot, plan.text


def iso(day: int, hour: int, minute: int = 0) -> str:
    return at(day, hour, minute).isoformat()


def test_cancelling_names_the_event_and_touches_it() -> None:
    plan = plans.cancelling(Wish(name="cancel_event"), DENTIST, NOW)
    assert plan == Action(
        "cancel_event",
        {"event_id": DENTIST.id},
        "Cancel Dentist appointment on Thursday at 3 p.m.",
        (Affected(DENTIST.id, "Dentist appointment", iso(2, 15)),),
    )


# Creating


def test_creating_fills_in_nothing_that_is_not_said_again() -> None:
    plan = action(create("schedule a call with bob tomorrow at three"))
    assert plan.parameters == {
        "title": "Call with Bob",
        "start_time": iso(1, 15),
        "end_time": iso(1, 16),
        "timezone": "America/New_York",
    }
    assert plan.summary == "Create Call with Bob tomorrow at 3 p.m., for one hour"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("schedule a call tomorrow from two to four", iso(1, 14), iso(1, 16)),
        ("schedule a call tomorrow at two for 45 minutes", iso(1, 14), iso(1, 14, 45)),
        ("schedule a call at three", iso(0, 15), iso(0, 16)),  # still to come today
        ("schedule a call in two hours", iso(0, 12), iso(0, 13)),
        ("schedule dinner with bob tomorrow at seven", iso(1, 19), iso(1, 20)),
        ("schedule breakfast tomorrow at seven", iso(1, 7), iso(1, 8)),
        ("schedule a lunch tomorrow at one", iso(1, 13), iso(1, 14)),
        ("schedule a party on saturday at eight", iso(4, 20), iso(4, 21)),
    ],
)
def test_the_times_of_a_new_event(text: str, start: str, end: str) -> None:
    plan = action(create(text))
    assert (plan.parameters["start_time"], plan.parameters["end_time"]) == (start, end)


@pytest.mark.parametrize(
    ("text", "slot", "words"),
    [
        ("create an event tomorrow at three", Slot.TITLE, "What shall I call it?"),
        ("schedule a call", Slot.WHEN, "On which day, and at what time?"),
        ("schedule a call tomorrow", Slot.WHEN, "At what time tomorrow?"),
        ("schedule a call on friday morning", Slot.WHEN, "At what time on Friday in the morning?"),
        ("schedule a call next week at three", Slot.WHEN, "On which day?"),
        ("schedule a call on february 30", Slot.WHEN, "I am not sure about the day. Which day do you mean?"),
        ("schedule a call yesterday at three", Slot.WHEN, "That time is over. When shall it be?"),
        ("schedule a call at 9 am", Slot.WHEN, "That time is over. On which day?"),
    ],
)
def test_what_is_missing_of_a_new_event_is_asked_for(text: str, slot: Slot, words: str) -> None:
    assert question(create(text)) == (slot, words)


def test_a_whole_day_is_created_as_a_whole_day() -> None:
    plan = action(create("create an all day event called book fair on friday"))
    assert plan.parameters == {
        "title": "Book fair",
        "start_time": "2026-11-27",
        "all_day": True,
        "timezone": "America/New_York",
    }
    assert plan.summary == "Create Book fair on Friday, all day"
    assert question(create("create an all day workshop")) == (Slot.WHEN, "On which day?")
    assert question(create("create an all day workshop yesterday")) == (Slot.WHEN, "On which day?")
    assert question(create("create an all day workshop next week")) == (Slot.WHEN, "On which day?")


def test_an_hour_is_an_hour_also_where_the_clocks_change() -> None:
    eve = datetime(2026, 10, 31, 10, tzinfo=NOW.tzinfo)
    plan = action(plans.creating(Wish(name="create_event", title="Party", when=_night(), length=120), CALLER, eve))
    assert plan.parameters["start_time"] == "2026-11-01T00:30:00-04:00"
    assert plan.parameters["end_time"] == "2026-11-01T01:30:00-05:00"


def _night() -> When:
    return When(day=date(2026, 11, 1), start=Clock(0, 30, exact=True))


# Changing


@pytest.mark.parametrize(
    ("text", "start", "end", "summary"),
    [
        ("move it to four", iso(2, 16), iso(2, 16, 45), "from Thursday at 3 p.m. to 4 p.m."),
        ("move it to nine", iso(2, 9), iso(2, 9, 45), "from Thursday at 3 p.m. to 9 a.m."),
        ("move it to friday", iso(3, 15), iso(3, 15, 45), "from Thursday at 3 p.m. to Friday at 3 p.m."),
        ("move it to friday at two", iso(3, 14), iso(3, 14, 45), "to Friday at 2 p.m."),
        ("move it to tomorrow from two to four", iso(1, 14), iso(1, 16), "to tomorrow at 2 p.m."),
        ("move it to friday for an hour", iso(3, 15), iso(3, 16), "to Friday at 3 p.m."),
        ("move it an hour earlier", iso(2, 14), iso(2, 14, 45), "to 2 p.m."),
        ("push it back by half an hour", iso(2, 15, 30), iso(2, 16, 15), "to 3:30 p.m."),
        ("postpone it by a week", iso(9, 15), iso(9, 15, 45), "to Thursday, December 3rd at 3 p.m."),
    ],
)
def test_moving_keeps_what_was_not_said(text: str, start: str, end: str, summary: str) -> None:
    plan = action(change(text))
    assert plan.parameters == {"event_id": DENTIST.id, "start_time": start, "end_time": end}
    assert plan.summary.startswith("Move Dentist appointment ")
    assert plan.summary.endswith(summary)
    assert plan.affects == (Affected(DENTIST.id, DENTIST.title, iso(2, 15)),)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("move it to eight", 20), ("move it to noon", 12), ("move it to half past six", 18), ("move it to seven a.m.", 7)],
)
def test_a_new_time_is_read_next_to_the_old_one(text: str, hour: int) -> None:
    dinner = event("Dinner", at(2, 19))
    plan = action(change(text, dinner))
    assert datetime.fromisoformat(plan.parameters["start_time"]).hour == hour


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("make it an hour long", iso(2, 16)),
        ("extend it by 15 minutes", iso(2, 16)),
        ("shorten it by 15 minutes", iso(2, 15, 30)),
        ("shorten it to 20 minutes", iso(2, 15, 20)),
    ],
)
def test_a_new_length_moves_the_end_alone(text: str, end: str) -> None:
    plan = action(change(text))
    assert plan.parameters == {"event_id": DENTIST.id, "end_time": end}
    assert "to take" in plan.summary


def test_renaming() -> None:
    plan = action(change("rename it to doctor miller"))
    assert plan.parameters == {"event_id": DENTIST.id, "title": "Doctor miller"}
    assert plan.summary == "Rename Dentist appointment on Thursday at 3 p.m. to Doctor miller"


def test_a_whole_day_moves_as_a_whole_day() -> None:
    assert action(change("move it to monday", FAIR)).parameters == {
        "event_id": FAIR.id,
        "start_time": "2026-11-30",
        "all_day": True,
    }
    timed = action(change("move it to monday from nine to ten", FAIR)).parameters
    assert timed == {"event_id": FAIR.id, "start_time": iso(6, 9), "end_time": iso(6, 10), "all_day": False}
    assert question(change("move it to yesterday", FAIR)) == (Slot.WHEN, "To which day?")


@pytest.mark.parametrize(
    ("text", "slot", "words"),
    [
        ("move it", Slot.WHEN, "To what day or time shall I move Dentist appointment?"),
        ("move it to next week", Slot.WHEN, "On which day?"),
        ("move it to tomorrow morning", Slot.WHEN, "At what time tomorrow in the morning?"),
        ("move it to the afternoon", Slot.WHEN, "At what time on Thursday in the afternoon?"),
        ("move it to yesterday", Slot.WHEN, "That time is over. When shall it be?"),
        ("move it to three", Slot.WHEN, "It is on Thursday at 3 p.m. already. When shall it be?"),
        ("make it longer", Slot.LENGTH, "How long shall it be?"),
        ("shorten it by an hour", Slot.LENGTH, "How long shall it be?"),
    ],
)
def test_what_is_missing_of_a_change_is_asked_for(text: str, slot: Slot, words: str) -> None:
    assert question(change(text)) == (slot, words)


def test_an_event_is_not_made_too_short() -> None:
    short = Wish(name="update_event", length=SHORTEST_MINUTES)
    assert isinstance(plans.changing(short, DENTIST, NOW), Action)
    shorter = Wish(name="update_event", length=SHORTEST_MINUTES - 1)
    assert isinstance(plans.changing(shorter, DENTIST, NOW), Question)


# Reminding


@pytest.mark.parametrize(
    ("text", "title", "moment"),
    [
        ("remind me to buy milk tomorrow at nine", "Buy milk", iso(1, 9)),
        ("remind me to buy milk at five", "Buy milk", iso(0, 17)),
        ("remind me to buy milk at 9 am", "Buy milk", iso(1, 9)),  # over today: the next one
        ("remind me in half an hour to call the bank", "Call the bank", iso(0, 10, 30)),
        ("remind me tonight at eight to call mom", "Call mom", iso(0, 20)),
    ],
)
def test_reminders_at_a_time(text: str, title: str, moment: str) -> None:
    assert action(remind(text)).parameters == {"title": title, "remind_at": moment}


@pytest.mark.parametrize(
    ("text", "slot", "words"),
    [
        ("remind me tomorrow at nine", Slot.TITLE, "What shall I remind you of?"),
        ("remind me to buy milk", Slot.WHEN, "When shall I remind you?"),
        ("remind me to buy milk tomorrow morning", Slot.WHEN, "At what time tomorrow in the morning?"),
        ("remind me to buy milk next week", Slot.WHEN, "On which day?"),
        ("remind me to buy milk yesterday at nine", Slot.WHEN, "That time is over. When shall I remind you?"),
    ],
)
def test_what_is_missing_of_a_reminder_is_asked_for(text: str, slot: Slot, words: str) -> None:
    assert question(remind(text)) == (slot, words)


def test_reminders_before_an_event() -> None:
    plan = action(plans.reminding_before(said("remind me an hour before the dentist"), DENTIST, NOW))
    assert plan.parameters == {
        "title": "Dentist appointment",
        "event_id": DENTIST.id,
        "offset_minutes_before_start": 60,
    }
    asked = plans.reminding_before(said("remind me about the dentist"), DENTIST, NOW)
    assert question(asked) == (Slot.LEAD, "How long before Dentist appointment shall I remind you?")
    late = plans.reminding_before(said("remind me two hours before the review"), REVIEW, NOW)
    assert question(late) == (Slot.LEAD, "It begins today at 11:30 a.m. How long before it?")


def test_the_title_of_a_reminder_fits_its_tool() -> None:
    long = event("x" * 500, at(2, 9))
    plan = action(plans.reminding_before(Wish(name="create_reminder", lead=5), long, NOW))
    assert len(plan.parameters["title"]) == REMINDER_CHARS


# What must always hold

CLOCKS = st.builds(Clock, st.integers(0, 24), st.sampled_from([0, 15, 59]), exact=st.booleans())
MAYBE_DAYS = st.none() | st.dates(date(2026, 11, 20), date(2027, 3, 31))
TIMES = st.builds(
    When,
    day=MAYBE_DAYS,
    last=MAYBE_DAYS,
    part=st.sampled_from(["", "morning", "evening", "night"]),
    start=st.none() | CLOCKS,
    end=st.none() | CLOCKS,
    ahead=st.none() | st.integers(1, 100_000),
    doubtful=st.booleans(),
)
MINUTES = st.none() | st.integers(-2000, 2000)
WISHES = st.builds(
    Wish,
    name=st.just("update_event"),
    when=TIMES,
    title=st.sampled_from(["", "Lunch"]),
    aspect=st.sampled_from(["", "length", "all_day"]),
    length=st.none() | st.integers(1, 2000),
    shift=MINUTES,
    stretch=MINUTES,
    lead=st.none() | st.integers(1, 40_320),
)


def accepted(plan: Action | Question, kind: Any) -> bool:
    return isinstance(plan, Question) or schemas.read(kind, plan.parameters) is not None


@settings(deadline=None)
@given(WISHES, st.sampled_from([DENTIST, FAIR, LUNCH, REVIEW]))
def test_every_plan_is_taken_by_its_tool_and_lies_ahead(wish: Wish, seen: Seen) -> None:
    with_id = event("Known event", seen.start_time)
    plan = plans.changing(wish, with_id, NOW)
    assert accepted(plan, parameters.UpdateEvent)
    assert accepted(plans.creating(wish, CALLER, NOW), parameters.CreateEvent)
    assert accepted(plans.reminding(wish, NOW), parameters.CreateReminder)
    assert accepted(plans.reminding_before(wish, with_id, NOW), parameters.CreateReminder)
    if isinstance(plan, Action) and "start_time" in plan.parameters:
        assert plan.parameters["start_time"] > NOW.isoformat()[:10]

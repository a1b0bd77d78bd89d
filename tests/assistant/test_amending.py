"""Answers and changes of mind."""

from datetime import timedelta

import pytest

from phone_bridge.assistant.amending import amended, another, filled, is_answer, moved_to, scope_said
from phone_bridge.assistant.plans import Question, Slot
from phone_bridge.assistant.understanding import fragment, understand
from phone_bridge.assistant.when import Clock, When
from phone_bridge.assistant.wishes import Reference, Wish
from tests.assistant.some_week import TITLES, TODAY

TOMORROW = TODAY + timedelta(days=1)
IT = Reference(pronoun=True)


def said(text: str) -> Wish:
    return understand(text, TODAY, TITLES)


def change(old: str, text: str) -> Wish | None:
    return amended(said(old), said(text), fragment(text, TODAY), TITLES)


def fill(slot: Slot, old: str, text: str) -> Wish | None:
    return filled(Question(slot, "", said(old)), fragment(text, TODAY), text)


@pytest.mark.parametrize(
    ("slot", "old", "answer", "new"),
    [
        (
            Slot.TITLE,
            "create an event tomorrow at three",
            "Lunch with Bob",
            "schedule Lunch with Bob tomorrow at three",
        ),
        (Slot.WHEN, "schedule lunch", "tomorrow", "schedule lunch tomorrow"),
        (Slot.WHEN, "schedule lunch tomorrow", "at three", "schedule lunch tomorrow at three"),
        (Slot.WHEN, "schedule lunch tomorrow", "three", "schedule lunch tomorrow at three"),
        (Slot.WHEN, "schedule lunch tomorrow", "two to four", "schedule lunch tomorrow from two to four"),
        (Slot.WHEN, "schedule lunch", "friday at one for two hours", "schedule lunch friday at one for two hours"),
        (Slot.WHEN, "move it", "an hour later", "move it an hour later"),
        (Slot.WHEN, "move it", "to friday", "move it to friday"),
        (Slot.LEAD, "remind me of it", "half an hour", "remind me of it half an hour before"),
        (Slot.LEAD, "remind me of it", "an hour before", "remind me of it an hour before"),
    ],
)
def test_an_answer_makes_the_wish_whole(slot: Slot, old: str, answer: str, new: str) -> None:
    whole, expected = fill(slot, old, answer), said(new)
    assert whole is not None
    for name in ("title", "when", "length", "shift", "lead"):
        assert getattr(whole, name) == getattr(expected, name)


def test_a_length_answers_the_question_how_long() -> None:
    whole = fill(Slot.LENGTH, "make it longer", "two hours")
    assert whole is not None
    assert whole.length == 120


def test_a_reminder_may_be_answered_by_how_long_before() -> None:
    whole = fill(Slot.WHEN, "remind me of the dentist", "an hour before")
    assert whole is not None
    assert whole.lead == 60


@pytest.mark.parametrize(
    ("slot", "text"),
    [
        (Slot.TITLE, "an event"),
        (Slot.WHEN, "blue"),
        (Slot.WHEN, "february 30"),
        (Slot.LEAD, "tomorrow"),
        (Slot.LENGTH, "blue"),
    ],
)
def test_what_does_not_answer_is_no_answer(slot: Slot, text: str) -> None:
    assert fill(slot, "schedule lunch", text) is None


@pytest.mark.parametrize(
    ("slot", "text", "answers"),
    [
        (Slot.TITLE, "book club", True),
        (Slot.TITLE, "book a table tomorrow", False),
        (Slot.TITLE, "cancel it", False),
        (Slot.WHEN, "make it four", True),
        (Slot.WHEN, "move it to friday", True),
        (Slot.WHEN, "move the dentist to friday", False),
        (Slot.WHEN, "what do i have tomorrow", False),
    ],
)
def test_words_that_look_like_a_wish_may_answer(slot: Slot, text: str, answers: bool) -> None:
    assert is_answer(Question(slot, "", said("schedule lunch")), said(text)) is answers


def test_a_new_time_changes_what_is_to_be_created() -> None:
    new = change("schedule lunch tomorrow at three", "make it four")
    assert new is not None
    assert (new.name, new.title, new.when) == ("create_event", "Lunch", When(day=TOMORROW, start=Clock(4)))
    longer = change("schedule lunch tomorrow at three", "for two hours")
    assert longer is not None
    assert longer.length == 120


def test_a_new_time_changes_where_an_event_is_moved() -> None:
    new = change("move the dentist to tomorrow at three", "at four")
    assert new is not None
    assert (new.name, new.reference, new.when) == ("update_event", IT, When(day=TOMORROW, start=Clock(4)))
    shifted = change("move it by an hour", "half an hour later")
    assert shifted is not None
    assert shifted.shift == 30
    timed = change("move it by an hour", "to five")
    assert timed is not None
    assert (timed.shift, timed.when) == (None, When(start=Clock(5)))


def test_a_time_in_the_place_of_a_cancellation_is_a_move() -> None:
    for text in ("at four", "move it to four", "make it four"):
        new = change("cancel the dentist", text)
        assert new is not None
        assert (new.name, new.reference, new.when) == ("update_event", IT, When(start=Clock(4)))
    shifted = change("cancel the dentist", "an hour later")
    assert shifted is not None
    assert (shifted.name, shifted.shift) == ("update_event", 60)


def test_cancelling_in_the_place_of_a_move() -> None:
    new = change("move the dentist to friday", "cancel it")
    assert new is not None
    assert new.name == "cancel_event"


@pytest.mark.parametrize(
    "text", ["the yoga class", "the piano lesson", "the second one", "the other one", "the one at four"]
)
def test_another_event_is_meant(text: str) -> None:
    titles = (*TITLES, "Yoga class")
    new = another(said("cancel the dentist"), fragment(text, TODAY), titles)
    assert new is not None
    assert new.name == "cancel_event"
    assert new.reference == fragment(text, TODAY).reference


@pytest.mark.parametrize(
    ("old", "text"),
    [
        ("cancel the dentist", "my wife needs it"),
        ("cancel the dentist", "it"),
        ("schedule lunch tomorrow at three", "the piano lesson"),
    ],
)
def test_no_other_event_is_meant(old: str, text: str) -> None:
    assert another(said(old), fragment(text, TODAY), TITLES) is None


@pytest.mark.parametrize(
    ("old", "text"),
    [
        ("cancel the dentist", "what do i have tomorrow"),
        ("cancel the dentist", "cancel the piano lesson"),
        ("cancel the dentist", "cancel it"),
        ("cancel the dentist", "for two hours"),
        ("schedule lunch tomorrow at three", "blue"),
    ],
)
def test_something_else_is_no_change(old: str, text: str) -> None:
    assert change(old, text) is None


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("only this one", "this"),
        ("just tomorrow's", "this"),
        ("only the one on Monday", "this"),
        ("only this one, not all of them", "this"),
        ("all of them", "all"),
        ("the whole series", "all"),
        ("every one of them", "all"),
        ("this and the following", "following"),
        ("from now on", "following"),
        ("the blue ones", ""),
    ],
)
def test_how_much_of_a_series_is_read(text: str, scope: str) -> None:
    assert scope_said(text) == scope


def test_one_time_takes_the_place_of_the_nearer_end_of_quiet_hours() -> None:
    quiet = understand("set quiet hours from ten pm to six am", TODAY)
    for said, ends in (("seven am", (22, 7)), ("eleven pm", (23, 6))):
        changed = amended(quiet, Wish(name="fragment"), fragment(said, TODAY), ())
        assert changed is not None
        assert changed.when.start is not None
        assert changed.when.end is not None
        assert (changed.when.start.hour, changed.when.end.hour) == ends


def test_answers_about_messages_and_ends_are_filled_in() -> None:
    message = Question(Slot.MESSAGE, "What shall I tell them?", Wish(name="notify_attendees"))
    whole = filled(message, Wish(name="fragment"), "that we start at ten")
    assert whole is not None
    assert whole.message == "we start at ten"
    quiet = understand("no calls after ten at night", TODAY)
    whole = filled(Question(Slot.UNTIL, "Until when?", quiet), fragment("six", TODAY), "six")
    assert whole is not None
    assert (whole.when.start, whole.when.end) == (quiet.when.start, Clock(6))


@pytest.mark.parametrize("text", ["move the dentist at four", "move the dentist two four o'clock"])
def test_a_time_at_which_nothing_is_may_be_where_to(text: str) -> None:
    moved = moved_to(said(text))
    assert moved is not None
    assert moved.reference == Reference(words=("dentist",))
    assert moved.when.start == Clock(4, exact=False)


@pytest.mark.parametrize(
    "text", ["move the dentist to four", "cancel the dentist at four", "move the dentist", "move it at four"]
)
def test_a_time_that_says_which_or_where_to_is_left_alone(text: str) -> None:
    assert moved_to(said(text)) is None

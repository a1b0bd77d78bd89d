"""The frame of a question: what is said besides a tool's own words, and that nothing remote can break it."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call import words
from phone_bridge.call.events import Action, Affected
from phone_bridge.call.words.clean import LONGEST_TEXT
from phone_bridge.call.words.naming import LONGEST_KEY, MOST_DETAILS
from phone_bridge.call.words.recipes import RECIPES

DENTIST = Affected("evt_d", "Dentist", "2026-11-24T15:00:00+01:00")
GYM = Affected("evt_g", "Gym", "2026-11-26T18:30:00+01:00")

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=12,
)
names = st.sampled_from(
    [
        "title start_time end_time all_day duration_minutes event_id event_ids filter attendees location meeting",
        "recurrence series_scope notify message eta minutes until alert_id all remind_at enabled start end days",
        "auto_confirm kind attendee_emails timezone calendar_id offset_minutes_before_start to_location profile",
    ]
).flatmap(lambda group: st.sampled_from(sorted(group.split(" "))))
near_values = st.sampled_from(
    [
        "2026-11-24T15:00:00+01:00",
        "2026-11-24",
        "22:00",
        "evt_1",
        "FREQ=WEEKLY;BYDAY=MO",
        True,
        False,
        0,
        90,
        10**400,
        float("nan"),
        [{"email": "bob@example.com", "name": "Bob"}],
        {"rule": "FREQ=DAILY"},
        {"name": "Office", "lat": 1, "lng": 2},
        {"from": "2026-11-24T15:00:00Z", "to": 5},
    ]
)
parameters = st.dictionaries(names | st.text(max_size=8), json | near_values, max_size=8)
affected = st.builds(
    Affected, st.sampled_from(["", "evt_1", "x"]), st.text(max_size=20), st.text() | st.just("2026-11-24")
)
tools = st.sampled_from([*RECIPES, "send_fax", ""]) | st.text(max_size=60)
actions = st.builds(Action, tools, parameters, st.text(), st.lists(affected, max_size=4).map(tuple))


BEGINNINGS = {"en": "I am about to ", "de": "Ich bin dabei, ", "es": "Voy a ", "fr": "Je vais "}


def said(name: str, given: dict[str, Any] | None = None, summary: str = "", *affects: Affected) -> str:
    return words.question(Action(name, given or {}, summary, affects)).text


@given(actions, st.sampled_from(words.LANGUAGES))
def test_any_action_gives_one_clean_line(action: Action, language: str) -> None:
    line = words.question(action, language)
    assert line.text.startswith(BEGINNINGS[language])
    assert line.text.endswith(".")
    assert line.text.isprintable()
    assert not set("<>{}[]*_#") & set(line.text)
    assert set(line.key) <= set(string.ascii_lowercase + string.digits + "_.")
    assert len(line.key) <= len(words.QUESTION) + LONGEST_KEY


@given(actions)
def test_a_question_is_always_the_same_for_the_same_action(action: Action) -> None:
    assert words.question(action) == words.question(action)


def test_a_bare_tool_is_named() -> None:
    assert said("cancel_event") == "I am about to cancel an event."
    assert said("create_event") == "I am about to create an event."


def test_the_summary_is_said_where_nothing_else_names_the_thing() -> None:
    given = {"event_id": "evt_d"}
    assert said("cancel_event", given) == "I am about to cancel an event, event id: evt d."
    assert said("cancel_event", given, "Cancel Dentist at 3 p.m.") == (
        "I am about to cancel an event. In the assistant's words: Cancel Dentist at 3 p.m."
    )


def test_the_summary_is_not_said_where_the_action_speaks_for_itself() -> None:
    given = {"event_id": "evt_d"}
    assert said("cancel_event", given, "Cancel Gym.", DENTIST) == (
        "I am about to cancel Dentist, on Tuesday the 24th of November at 3 p.m."
    )


def test_a_title_counts_only_for_its_own_id() -> None:
    text = said("cancel_event", {"event_id": "evt_d"}, "", GYM)
    assert text.startswith("I am about to cancel an event, event id: evt d, which also touches Gym, on Thursday")


def test_an_unknown_tool_is_named_with_every_parameter_and_the_summary() -> None:
    assert said("send_fax", {"number": "555", "page_count": 3, "urgent": True, "cover": None}, "Send a fax.") == (
        "I am about to run send fax, number: 555, page count: 3, urgent: switched on, without cover. "
        "In the assistant's words: Send a fax."
    )
    assert said("") == "I am about to run something that has no name."


def test_an_unknown_parameter_of_a_known_tool_is_heard() -> None:
    assert said("cancel_event", {"event_id": "evt_d", "refund": "none"}, "", DENTIST).endswith(", refund: none.")


def test_more_details_than_can_be_listened_to_are_counted() -> None:
    given = {f"p{number}": number for number in range(MOST_DETAILS + 3)}
    text = said("send_fax", given)
    assert text.endswith(f"p{MOST_DETAILS - 1}: {MOST_DETAILS - 1}, and 3 further details.")
    del given["p0"], given["p1"], given["p2"]
    assert "further" not in said("send_fax", given)


def test_remote_words_cannot_begin_a_sentence_of_ours() -> None:
    text = said("create_event", {"title": "Dentist. Press 1 to keep it!\n<break/>Goodbye."})
    assert text == "I am about to create Dentist, Press 1 to keep it, Goodbye."


def test_a_long_summary_is_cut_at_a_word() -> None:
    text = said("cancel_event", {}, "word " * 200)
    assert len(text) < LONGEST_TEXT + 100
    assert text.endswith("word.")


def test_the_key_is_fit_for_a_file() -> None:
    assert words.question(Action("../../etc/passwd")).key == "question._etc_passwd"
    assert words.question(Action("Ünïcode Tool")).key == "question._n_code_tool"
    assert words.question(Action("")).key == "question._"
    assert len(words.question(Action("x" * 500)).key) == len(words.QUESTION) + LONGEST_KEY


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_tool_of_the_calendar_has_its_own_words_in_every_language(name: str) -> None:
    assert "run" not in said(name)
    for language, run in (("de", "auszuführen"), ("es", "ejecutar"), ("fr", "exécuter")):
        text = words.question(Action(name), language).text
        assert run not in text
        assert name.replace("_", " ") not in text

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant.grammar import (
    DECOYS,
    PHRASE_WORDS_MAX,
    PHRASES_MAX,
    answers,
    choices,
    parts,
    replies,
    spoken,
    wishes,
)
from phone_bridge.assistant.network import Network
from phone_bridge.assistant.ports import Mood
from tests.assistant.commands import corpus

TITLES = ("Team standup", "Budget planning with Anna", "Q3 Review", "Müller & Söhne")


@cache
def may_say(mood: Mood, titles: tuple[str, ...] = TITLES) -> Network:
    """Build what may be said in a mood, when it is asked for: each of the suite's processes imports this file."""
    grammars = {Mood.WISH: wishes, Mood.CONSENT: replies}
    return Network(grammars[mood](titles) if mood in grammars else answers(mood.value, titles))


SAID = """what is my next meeting
what do i have tomorrow
when is the team standup
create a meeting tomorrow at three for half an hour
move the team standup to friday at half past two
cancel it
cancel my three o'clock meeting
remind me to call anna tomorrow at nine
remind me ten minutes before the team standup
am i free on thursday afternoon
hello
say that again
at four
the second one
dismiss it
snooze it for ten minutes
i want to change my pin
set up a new pin please
move the team standup to four o'clock
who is coming to the team standup
put me through to reception
could you put me through to the front desk please
i want to talk to a real person
can i speak to someone
operator
sales please"""
ANSWERED = """yes
yes please
no leave it
don't
yes but at four
no make it five o'clock
which one
cancel the muller and sohne"""


@pytest.mark.parametrize("sentence", SAID.split("\n"))
def test_wishes_may_be_said_at_any_time(sentence: str) -> None:
    assert may_say(Mood.WISH).accepts(sentence.split())
    assert may_say(Mood.CONSENT).accepts(sentence.split())


@pytest.mark.parametrize("sentence", ANSWERED.split("\n"))
def test_answers_may_be_given_to_a_question(sentence: str) -> None:
    assert may_say(Mood.CONSENT).accepts(sentence.split())


@pytest.mark.parametrize(("mood", "sentence"), corpus.answers())
def test_what_answers_a_question_may_be_said_to_it_and_a_wish_instead(mood: Mood, sentence: str) -> None:
    told = may_say(mood, tuple(corpus.TITLES))
    assert told.accepts(sentence.split())
    assert told.accepts("what is my next meeting".split())  # noqa: SIM905


def test_answers_with_a_change_are_no_plain_wishes() -> None:
    assert not may_say(Mood.WISH).accepts(["yes", "but", "at", "four"])
    assert not may_say(Mood.CONSENT).accepts(["the", "weather", "is", "nice"])


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Q3 Review \u2013 Anna", "q three review anna"),
        ("1:1 w/ Bob", "one one with bob"),
        ("Doctor’s appointment", "doctor's appointment"),  # noqa: RUF001
        ("Müller & Straße", "muller and strasse"),
        ("Room 42, floor 100", "room forty two floor one zero zero"),
        ("20% off", "twenty percent off"),
        ("!!!", ""),
    ],
)
def test_titles_are_written_as_they_are_spoken(title: str, words: str) -> None:
    assert spoken(title) == words


@given(st.text())
def test_no_title_breaks_a_grammar(title: str) -> None:
    words = spoken(title)
    assert spoken(words) == words
    assert set(words) <= set("abcdefghijklmnopqrstuvwxyz' ")
    assert all(part in words for part in parts(words))


def test_people_say_parts_of_a_title() -> None:
    assert list(parts("lunch with bob")) == ["lunch with bob", "lunch", "bob"]
    assert max(len(part.split()) for part in parts("a1 " * 20)) <= PHRASE_WORDS_MAX


def test_so_many_titles_are_taken_and_no_more() -> None:
    titles = ["zebra"] + ["lion"] * (PHRASES_MAX - 1) + ["tiger"]
    words = Network(wishes(titles)).words
    assert {"zebra", "lion"} <= words
    assert "tiger" not in words


def test_titles_of_another_caller_are_not_heard() -> None:
    assert not may_say(Mood.WISH).accepts(["cancel", "the", "piano", "lesson"])


def test_any_number_of_strange_titles_makes_a_grammar() -> None:
    titles = [f"title number {number} <x> | ; (" for number in range(PHRASES_MAX * 2)] + ["", "  ", "a " * 40]
    assert Network(wishes(titles)).words


def test_names_of_the_callers_own_are_likelier_than_others() -> None:
    def share(titles: tuple[str, ...]) -> int:
        network, chance = Network(wishes(titles)), random.Random(1)  # noqa: S311 - no secret
        return sum("anna" in network.sentence(chance) for _ in range(3_000))

    assert share(("Lunch with Anna",)) > 3 * share(())


def test_a_decoy_is_no_word_of_an_answer() -> None:
    assert not {"yes", "no", "yeah", "nope", "yep", "okay", "sure", "right"} & set(DECOYS)


def test_of_a_menu_one_of_its_phrases_is_said_whole_with_little_around_it() -> None:
    network = Network(choices(["opening hours", "a person", "Größe 3"]))
    for said in ("opening hours", "the opening hours please", "i want to speak to a person", "please grosse three"):
        assert network.accepts(said.split()), said
    for said in ("hours", "opening", "cancel my next meeting", ""):
        assert not network.accepts(said.split()), said
    assert Network(choices([])).accepts(["operator"]), "a grammar has a sentence"

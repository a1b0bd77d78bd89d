import pytest

from phone_bridge.assistant.grammar import PHRASES_MAX, replies, spoken, wishes
from phone_bridge.assistant.network import Network

WISHES = Network(wishes(["dentist appointment", "lunch with carol"]))
REPLIES = Network(replies(["dentist appointment"]))


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Dentist appointment", "dentist appointment"),
        ("Q3 Review", "q three review"),
        ("R&D sync", "r and d sync"),
        ("Carol's lunch", "carol's lunch"),
        ("???", ""),
    ],
)
def test_a_title_is_written_in_the_words_that_the_ear_gives(title: str, words: str) -> None:
    assert spoken(title) == words


@pytest.mark.parametrize(
    "sentence",
    [
        "what is my next meeting",
        "what do i have tomorrow",
        "cancel it",
        "cancel my next meeting",
        "cancel lunch with carol",
        "when is my dentist appointment",
        "move my dentist appointment to four o'clock",
        "am i free tomorrow at three",
        "goodbye",
        "help",
    ],
)
def test_typical_wishes_can_be_heard(sentence: str) -> None:
    assert WISHES.accepts(sentence.split())


@pytest.mark.parametrize(
    "sentence", ["yes", "yes please", "no", "no leave it", "yes but at four", "what is my next meeting"]
)
def test_answers_and_other_wishes_can_be_heard_at_a_question(sentence: str) -> None:
    assert REPLIES.accepts(sentence.split())


def test_titles_of_another_caller_are_not_heard() -> None:
    assert not WISHES.accepts(["cancel", "the", "piano", "lesson"])


def test_any_number_of_strange_titles_makes_a_grammar() -> None:
    titles = [f"title number {number} <x> | ; (" for number in range(PHRASES_MAX * 2)] + ["", "  ", "a " * 40]
    assert Network(wishes(titles)).words

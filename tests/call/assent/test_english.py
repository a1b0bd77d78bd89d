"""English as recognisers print it."""

import pytest

from phone_bridge.call.assent import Assent, understand
from phone_bridge.call.assent.english import ENGLISH
from phone_bridge.call.assent.hearing import hear, respell


@pytest.mark.parametrize("text", ["that's right", "thats right", "that s right", "that is right", "THAT'S RIGHT."])
def test_a_contraction_is_known_with_and_without_its_apostrophe(text: str) -> None:
    assert understand(text) is Assent.YES


@pytest.mark.parametrize("text", ["don't", "dont", "don t", "do not", "I won't", "i wont", "I cannot"])
def test_so_is_a_negation(text: str) -> None:
    assert understand(text) is Assent.NO


def test_words_that_only_look_like_contractions_stay() -> None:
    assert respell(hear("ill well were id"), ENGLISH.spelling) == ("ill", "well", "were", "id")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 2 12", "one two twelve"),
        ("thirteen", "13"),
        ("thirty", "30"),
        ("twenty-four", "24"),
        ("the third", "the 3rd"),
        ("the twelfth", "the 12th"),
        ("the fifteenth", "the 15th"),
        ("the twentieth", "the 20th"),
        ("the twenty first", "the 21st"),
        ("the thirty-first", "the 31st"),
        ("4 p.m.", "4 pm"),
        ("four o'clock", "4 oclock"),
    ],
)
def test_numbers_in_words_and_in_figures_are_the_same(one: str, other: str) -> None:
    assert respell(hear(one), ENGLISH.spelling) == respell(hear(other), ENGLISH.spelling)


@pytest.mark.parametrize("text", ["okay", "fine", "uh-huh", "mm-hmm", "right", "great, thanks", "one", "press 1"])
def test_what_people_murmur_or_mumble_is_no_consent(text: str) -> None:
    assert understand(text) is Assent.UNCLEAR


@pytest.mark.parametrize(
    "text", ["yeah, right", "yeah no", "no yeah", "yes, no, wait", "why not", "no problem, go ahead"]
)
def test_idioms_and_contradictions_are_left_alone(text: str) -> None:
    assert understand(text) is Assent.UNCLEAR


@pytest.mark.parametrize("text", ["two", "press 2", "option two"])
def test_the_second_key_may_be_spoken(text: str) -> None:
    assert understand(text) is Assent.NO

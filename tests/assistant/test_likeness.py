"""Words that were heard a little wrong."""

import pytest

from phone_bridge.assistant.likeness import corrected
from phone_bridge.assistant.wishes import Reference

KNOWN = "dentist appointment lunch with carol martin project review anna budget planning simon thomas flight".split()  # noqa: SIM905 - read more easily


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("dentis", "dentist"),
        ("karol", "carol"),
        ("marten", "martin"),
        ("simone", "simon"),
        ("tomas", "thomas"),
        ("bugdet", "budget"),
        ("planing", "planning"),
        ("appointmint", "appointment"),
        ("flights", "flights"),  # the plural of what is known
        ("dentist", "dentist"),
        ("yoga", "yoga"),
        ("ana", "ana"),  # too short to guess
        ("fight", "flight"),
    ],
)
def test_a_word_is_brought_back_to_the_one_it_is_like(heard: str, meant: str) -> None:
    assert corrected(Reference(words=(heard,)), KNOWN).words == (meant,)


def test_words_that_may_only_say_the_kind_are_brought_back_too() -> None:
    assert corrected(Reference(soft=("reviev",)), KNOWN).soft == ("review",)


def test_between_two_that_are_as_near_nothing_is_guessed() -> None:
    assert corrected(Reference(words=("bane",)), ["lane", "bone"]).words == ("bane",)


def test_without_words_nothing_changes() -> None:
    assert corrected(Reference(pronoun=True), KNOWN) == Reference(pronoun=True)
    assert corrected(Reference(words=("dentis",)), []) == Reference(words=("dentis",))

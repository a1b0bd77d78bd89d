"""The language of phrasings: words that may be left out, choices, typed slots."""

from datetime import date

import pytest
from msgspec import structs

from phone_bridge.assistant.masking import Turn, masked
from phone_bridge.assistant.phrase import tokens
from phone_bridge.assistant.phrasing import Phrasing, Slot, phrasing
from phone_bridge.assistant.sayings import PHRASINGS
from phone_bridge.assistant.wishes import Wish
from phone_bridge.errors import LocalError

TODAY = date(2026, 11, 24)


def title(turn: Turn, wish: Wish) -> Wish | None:
    return None if turn.text == "nothing" else structs.replace(wish, title=turn.text)


SLOTS = {"what": Slot(r"(?:\S+ )+?", title)}
NAMES = {"go": "(go|leave [the] house)"}


def made(text: str) -> Phrasing:
    return phrasing(text, Wish(name="a_tool"), SLOTS, NAMES)


def fits(text: str, said: str) -> Wish | None:
    return made(text).read(masked(tokens(said), TODAY))


@pytest.mark.parametrize("said", ["take me home", "bring me home", "please bring me home"])
def test_choices_and_what_may_be_left_out(said: str) -> None:
    assert fits("[please] (take|bring) me home", said) == Wish(name="a_tool")


@pytest.mark.parametrize("said", ["take me", "take me home now", "so take me home", "taken me home", ""])
def test_a_turn_fits_as_a_whole_or_not_at_all(said: str) -> None:
    assert fits("[please] (take|bring) me home", said) is None


def test_a_choice_with_a_name_may_have_optional_words_of_its_own() -> None:
    assert fits("must i $go", "must i leave house") is not None
    assert fits("must i $go", "must i leave the house") is not None
    assert fits("must i $go", "must i leave") is None


def test_a_slot_is_read_into_the_wish() -> None:
    wish = fits("take me to <what> [now]", "take me to the old harbour now")
    assert wish is not None
    assert wish.title == "the old harbour"


def test_a_slot_that_cannot_read_its_words_does_not_fit() -> None:
    assert fits("take me to <what>", "take me to nothing") is None


def test_a_slot_may_stand_in_several_choices() -> None:
    for said in ("to paris", "near paris"):
        wish = fits("(to <what>|near <what>)", said)
        assert wish is not None
        assert wish.title == "paris"


@pytest.mark.parametrize("text", ["go to <nowhere>", "must i $run"])
def test_a_slot_or_a_name_that_is_not_known_is_a_fault_of_ours(text: str) -> None:
    with pytest.raises(LocalError, match="is not known"):
        made(text)


def test_signs_with_another_meaning_in_patterns_are_taken_as_they_are() -> None:
    assert fits("what's that.*", "what's that then") is None


def test_every_phrasing_of_ours_can_be_read() -> None:
    assert len(PHRASINGS) > 200
    assert all(each.pattern.groups == len(each.pattern.groupindex) for each in PHRASINGS)

"""Words and numbers of a turn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.phrase import TEXT_MAX, Phrase, tokens


def plain(text: str) -> str:
    return " ".join(token.word for token in tokens(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Cancel it, please!", "cancel it please"),
        ("What's next?", "what's next"),
        ("What\N{RIGHT SINGLE QUOTATION MARK}s next?", "what's next"),
        ("at 3pm", "at 3 pm"),
        ("at 3 p.m.", "at 3 pm"),
        ("at 3 P. M.", "at 3 pm"),
        ("three a.m", "three am"),
        ("three o' clock", "three o'clock"),
        ("check-up", "check up"),
        ("the 24th", "the 24th"),
        ("3:30", "3:30"),
        ("2026-12-24", "2026-12-24"),
        ("12/24", "12/24"),
        ("1.5 h", "1.5 hours"),
        ("tomorrow's", "tomorrow"),
        ("Anna's", "anna's"),
        ("Tue & Wed", "tuesday and wednesday"),
        ("till midday", "until noon"),
        ("", ""),
        ("?!", ""),
        ("Zoë", "zoë"),
    ],
)
def test_words_are_small_and_spelt_one_way(text: str, words: str) -> None:
    assert plain(text) == words


def test_words_remember_how_they_were_written() -> None:
    assert [token.raw for token in tokens("Dr. O'Neill at 3")] == ["Dr", "O'Neill", "at", "3"]


def test_only_so_much_is_read() -> None:
    assert len(tokens("a " * TEXT_MAX)) == TEXT_MAX // 2


@pytest.mark.parametrize(
    ("text", "value", "size"),
    [
        ("three", 3, 1),
        ("twenty", 20, 1),
        ("twenty five", 25, 2),
        ("ninety nine", 99, 2),
        ("twenty ten", 20, 1),
        ("twenty zero", 20, 1),
        ("7", 7, 1),
        ("999", 999, 1),
    ],
)
def test_numbers(text: str, value: int, size: int) -> None:
    assert Phrase(text.split()).number(0) == (value, size)


@pytest.mark.parametrize("text", ["", "lunch", "1000", "24th", "1.5", "a"])
def test_no_numbers(text: str) -> None:
    assert Phrase(text.split()).number(0) is None


@pytest.mark.parametrize(
    ("text", "value", "size"),
    [
        ("first", 1, 1),
        ("twelfth", 12, 1),
        ("twenty first", 21, 2),
        ("thirtieth", 30, 1),
        ("24th", 24, 1),
        ("2nd", 2, 1),
    ],
)
def test_ordinals(text: str, value: int, size: int) -> None:
    assert Phrase(text.split()).ordinal(0) == (value, size)


@pytest.mark.parametrize("text", ["", "24", "1.5", "twenty", "twenty tenth", "12345th", "th"])
def test_no_ordinals(text: str) -> None:
    assert Phrase(text.split()).ordinal(0) is None


def test_steps_over_the_first_choice_that_stands_there() -> None:
    phrase = Phrase(["the", "day", "after", "tomorrow"])
    assert phrase.skip(0, "a", "the day") == 2
    assert phrase.skip(0, "day") == 0
    assert phrase.stands(3, "tomorrow")
    assert not phrase.stands(4, "tomorrow")
    assert phrase.word(-1) == phrase.word(4) == ""


@settings(deadline=None)
@given(st.text())
def test_any_text_has_words(text: str) -> None:
    for token in tokens(text):
        assert token.word
        assert " " not in token.word

"""Text to words."""

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.assent.hearing import (
    LONGEST_UTTERANCE,
    UNKNOWN,
    Lexicon,
    hear,
    is_broken_off,
    is_question,
    respell,
    shorten,
)

SPELLING = Lexicon.of({("that's",): ("that", "is"), ("all", "right"): ("alright",), ("all",): ("everything",)})


def test_words_are_lower_case_and_lose_their_punctuation() -> None:
    assert hear("Yes, that's IT!") == ("yes", "that's", "it")
    assert hear("uh-huh") == ("uh", "huh")
    assert hear("'yes'") == ("yes",)


def test_numbers_stand_apart_from_letters() -> None:
    assert hear("4pm on the 24th at 16:30") == ("4", "pm", "on", "the", "24", "th", "at", "16", "30")


def test_notes_and_signs_are_unknown_words() -> None:
    assert hear("[noise] yes (no) *laughs* <b>") == (UNKNOWN, "yes", UNKNOWN, UNKNOWN, UNKNOWN)
    assert hear("yes \N{THUMBS UP SIGN} +") == ("yes", UNKNOWN, UNKNOWN)


def test_invisible_characters_vanish_and_wide_ones_are_plain() -> None:
    assert hear("y\N{ZERO WIDTH SPACE}es\x00no") == ("yes", "no")
    assert hear("\N{FULLWIDTH LATIN CAPITAL LETTER Y}es") == ("yes",)
    assert hear("y\N{CYRILLIC SMALL LETTER IE}s") != ("yes",)


def test_spelling_takes_the_longest_run_first() -> None:
    assert respell(hear("that's all right"), SPELLING) == ("that", "is", "alright")
    assert respell(("all", "all", "right"), SPELLING) == ("everything", "alright")
    assert respell(("right", "then"), SPELLING) == ("right", "then")


def test_a_lexicon_finds_runs_the_longest_first() -> None:
    assert list(SPELLING.find(("all", "right", "all"), 0)) == [(2, ("alright",)), (1, ("everything",))]
    assert list(SPELLING.find(("all", "right"), 1)) == []
    assert list(SPELLING.find(("all",), 1)) == []


def test_a_long_utterance_ends_in_an_unknown_word() -> None:
    assert shorten(("yes",) * LONGEST_UTTERANCE) == ("yes",) * LONGEST_UTTERANCE
    assert shorten(("yes",) * (LONGEST_UTTERANCE + 5)) == ("yes",) * LONGEST_UTTERANCE + (UNKNOWN,)


def test_questions_and_broken_sentences_are_told_by_their_marks() -> None:
    assert is_question("is it yes?")
    assert is_question("yes \N{FULLWIDTH QUESTION MARK}")
    assert not is_question("yes")
    assert is_broken_off("yes \N{HORIZONTAL ELLIPSIS} ")
    assert is_broken_off("yes \N{EN DASH}")
    assert not is_broken_off("yes.")


@given(st.text())
def test_any_text_gives_words_without_space_or_capitals(text: str) -> None:
    for word in respell(hear(text), SPELLING):
        assert word
        assert not any(char.isspace() for char in word)
        assert word == UNKNOWN or word.isalnum() or "'" in word

"""Remote words made fit to be spoken."""

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.words import clean


def test_markup_and_control_characters_vanish() -> None:
    assert clean.phrase("<speak>Den\x00tist</speak> *now*\n\t`x`") == "Den tist now x"
    assert clean.phrase("\N{RIGHT-TO-LEFT OVERRIDE}abc") == "abc"


def test_a_phrase_has_no_sentences() -> None:
    assert clean.phrase("Lunch. Press 2! Really? Yes; no: maybe\N{HORIZONTAL ELLIPSIS}") == (
        "Lunch, Press 2, Really, Yes, no, maybe"
    )


def test_short_words_keep_their_stops() -> None:
    assert clean.phrase("Dr. Smith at St. Mary, 3 p.m.") == "Dr. Smith at St. Mary, 3 p.m."
    assert clean.phrase("v1.2.3 at 10:30") == "v1.2.3 at 10:30"


def test_sentences_stay_sentences() -> None:
    assert clean.sentences("Cancel it. Then tell <b>Bob</b>.") == "Cancel it. Then tell Bob"


def test_what_is_too_long_is_cut_at_a_word() -> None:
    assert clean.phrase("a" * (clean.LONGEST_TITLE + 1)) == "a" * clean.LONGEST_TITLE
    assert clean.phrase("word " * 100, 12) == "word word"
    assert clean.sentences("word " * 100, 12) == "word word"
    assert clean.phrase("x" * clean.LONGEST_TITLE) == "x" * clean.LONGEST_TITLE


def test_content_is_a_letter_or_a_digit() -> None:
    assert clean.has_content(" a ")
    assert clean.has_content("7")
    assert not clean.has_content(" .,_- \n")


@given(st.text(), st.integers(1, 300))
def test_any_text_becomes_printable_and_short(text: str, limit: int) -> None:
    for said in (clean.phrase(text, limit), clean.sentences(text, limit)):
        assert said.isprintable()
        assert len(said) <= limit
        assert not set("<>{}[]*_#|~^\\") & set(said)

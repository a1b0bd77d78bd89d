import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.sentences import LONGEST_CHARS, Sentences


def cut(*pieces: str) -> list[str]:
    sentences = Sentences()
    return [sentence for piece in pieces for sentence in sentences.push(piece)] + sentences.finish()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("You have two meetings. The first is at ten.", ["You have two meetings.", "The first is at ten."]),
        ("It is at 3 p.m. tomorrow. All right?", ["It is at 3 p.m. tomorrow.", "All right?"]),
        ("Dr. Smith called. Yes!", ["Dr. Smith called.", "Yes!"]),
        ("**Lunch** with `Carol`\n- Dentist\n\n", ["Lunch with Carol", "Dentist"]),
        ("At 10:30 on Nov 3", ["At 10:30 on Nov 3"]),
        ("", []),
    ],
)
def test_text_is_cut_where_people_would_breathe(text: str, sentences: list[str]) -> None:
    assert cut(text) == sentences


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    sentences = Sentences()
    assert sentences.push("One moment. Th") == ["One moment."]
    assert sentences.finish() == ["Th"]


def test_a_sentence_without_an_end_is_cut() -> None:
    found = cut("word " * 200, "x" * 2 * LONGEST_CHARS)
    assert max(map(len, found)) <= LONGEST_CHARS
    assert "".join(found).replace(" ", "") == "word" * 200 + "x" * 2 * LONGEST_CHARS


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ab .!?\n", max_size=20), max_size=8))
def test_no_word_is_lost_whatever_the_pieces(pieces: list[str]) -> None:
    assert "".join("".join(cut(*pieces)).split()) == "".join("".join(pieces).split())

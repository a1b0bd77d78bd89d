"""Digits as they are said, in each language, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.digits import MAX_SAID_CHARS, speaks, spoken_digits
from phone_bridge.call.words import LANGUAGES

SINGLE = {
    "en": "zero one two three four five six seven eight nine",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
}


@pytest.mark.parametrize(
    ("language", "text", "digits"),
    [
        ("en", "four eight two nine one three", "482913"),
        ("en", "Four, eight, two; nine. One! Three?", "482913"),
        ("en", "it's 48 29 13, please", "482913"),
        ("en", "My PIN is 482-913.", "482913"),
        ("en", "forty-eight twenty nine thirteen", "482913"),
        ("en", "oh double seven triple five one", "0775551"),
        ("en-GB", "nought nought seven", "007"),
        ("de", "vier acht zwo neun eins drei", "482913"),
        ("de", "Meine PIN ist achtundvierzig neunundzwanzig dreizehn", "482913"),
        ("de-AT", "dreißig einunddreißig", "3031"),
        ("de", "dreissig", "30"),
        ("de", "doppel sieben null", "770"),
        ("es", "cuarenta y ocho veintinueve trece", "482913"),
        ("es", "mi clave es cuatro ocho dos", "482"),
        ("fr", "quarante-huit vingt-neuf treize", "482913"),
        ("fr", "soixante-quinze quatre-vingt-dix-neuf", "7599"),
        ("fr", "vingt et un soixante et onze quatre-vingts", "217180"),
        ("fr", "c'est quatre huit deux", "482"),
    ],
)
def test_digits_are_understood_as_they_are_said(language: str, text: str, digits: str) -> None:
    assert spoken_digits(text, language) == digits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "yes",
        "no wait",
        "cancel my four o'clock",
        "four eight and then some",
        "٤٨٢",
        "one million",
        "a" * 500,
    ],
)
def test_what_is_not_all_digits_is_none(text: str) -> None:
    assert spoken_digits(text, "en") == ""


def test_a_language_that_nobody_here_speaks_has_none() -> None:
    assert spoken_digits("4 8 2 9 1 3", "tlh") == ""
    assert not speaks("tlh")


def test_every_language_of_the_bridge_has_digits() -> None:
    assert all(speaks(language) for language in LANGUAGES)


@given(st.sampled_from(sorted(SINGLE)), st.text("0123456789", min_size=1, max_size=12))
def test_any_pin_can_be_said_digit_by_digit(language: str, pin: str) -> None:
    words = SINGLE[language].split()
    said = ", ".join(words[int(digit)] for digit in pin)  # commas do not keep "vingt" and "quatre" apart, digits do
    heard = spoken_digits(said, language)
    assert heard == pin


@given(st.text(max_size=MAX_SAID_CHARS + 5), st.sampled_from(["en", "de", "es", "fr", "zz", ""]))
def test_whatever_is_said_nothing_but_digits_comes_of_it(text: str, language: str) -> None:
    assert set(spoken_digits(text, language)) <= set("0123456789")

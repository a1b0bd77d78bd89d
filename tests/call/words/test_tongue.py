"""The languages: each has every phrase, and says days and hours as people do."""

import string
from datetime import date, time

import pytest

from phone_bridge.call.words.english import ENGLISH
from phone_bridge.call.words.german import GERMAN, ordinal


def places(template: str) -> int:
    return sum(field is not None for _, field, _, _ in string.Formatter().parse(template))


def test_every_language_has_the_same_phrases_with_the_same_places() -> None:
    assert ENGLISH.phrases.keys() == GERMAN.phrases.keys()
    for name, template in ENGLISH.phrases.items():
        assert places(template) == places(GERMAN.phrases[name]), name


@pytest.mark.parametrize(
    ("at", "english", "german"),
    [
        (time(0), "midnight", "0 Uhr"),
        (time(0, 30), "12:30 a.m.", "0 Uhr 30"),
        (time(9), "9 a.m.", "9 Uhr"),
        (time(11, 5), "11 oh 5 a.m.", "11 Uhr 5"),
        (time(12), "noon", "12 Uhr"),
        (time(12, 45), "12:45 p.m.", "12 Uhr 45"),
        (time(23, 59, 59), "11:59 p.m.", "23 Uhr 59"),
    ],
)
def test_clocks(at: time, english: str, german: str) -> None:
    assert ENGLISH.clock(at) == english
    assert GERMAN.clock(at) == german


@pytest.mark.parametrize(
    ("day", "ending"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (13, "13th")]
)
def test_english_days(day: int, ending: str) -> None:
    assert ENGLISH.day(date(2026, 5, day), False).endswith(f" the {ending} of May")


@pytest.mark.parametrize(("day", "ending"), [(21, "21st"), (22, "22nd"), (23, "23rd"), (30, "30th"), (31, "31st")])
def test_english_days_at_the_end_of_the_month(day: int, ending: str) -> None:
    assert ENGLISH.day(date(2026, 5, day), True).endswith(f" the {ending} of May 2026")


def test_german_days() -> None:
    assert GERMAN.day(date(2026, 3, 3), False) == "Dienstag, den dritten März"
    assert [ordinal(day) for day in (1, 2, 6, 7, 8, 10, 11, 12, 14, 16, 17, 20, 21, 27, 30, 31)] == [
        "ersten",
        "zweiten",
        "sechsten",
        "siebten",
        "achten",
        "zehnten",
        "elften",
        "zwölften",
        "vierzehnten",
        "sechzehnten",
        "siebzehnten",
        "zwanzigsten",
        "einundzwanzigsten",
        "siebenundzwanzigsten",
        "dreißigsten",
        "einunddreißigsten",
    ]


def test_lists_and_labels() -> None:
    assert ENGLISH.join([]) == ""
    assert ENGLISH.join(["a"]) == "a"
    assert ENGLISH.join(["a", "b", "c"]) == "a, b and c"
    assert ENGLISH.label("color_hex") == "color hex"
    assert GERMAN.label("reason") == "Grund"

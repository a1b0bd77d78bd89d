"""The languages: each has every phrase, and says days and hours as people do."""

import string
from datetime import date, time

import pytest

from phone_bridge.call.words.english import ENGLISH
from phone_bridge.call.words.french import FRENCH
from phone_bridge.call.words.german import GERMAN, ordinal
from phone_bridge.call.words.spanish import SPANISH
from phone_bridge.call.words.tongue import Tongue

ONE = ("minute", "hour", "day")


def places(template: str) -> int:
    return sum(field is not None for _, field, _, _ in string.Formatter().parse(template))


@pytest.mark.parametrize("tongue", [GERMAN, SPANISH, FRENCH])
def test_every_language_has_the_same_phrases_with_the_same_places(tongue: Tongue) -> None:
    assert ENGLISH.phrases.keys() == tongue.phrases.keys()
    for name, template in ENGLISH.phrases.items():
        # "one hour" needs no figure where its article is the number
        assert places(tongue.phrases[name]) in ({0, 1} if name in ONE else {places(template)}), name


@pytest.mark.parametrize("tongue", [SPANISH, FRENCH])
def test_every_language_has_a_word_for_what_german_has_one_for(tongue: Tongue) -> None:
    assert tongue.labels.keys() == GERMAN.labels.keys()


@pytest.mark.parametrize(
    ("at", "english", "german", "spanish", "french"),
    [
        (time(0), "midnight", "0 Uhr", "las 0 horas", "0 heure"),
        (time(0, 30), "12:30 a.m.", "0 Uhr 30", "las 0 horas y 30 minutos", "0 heure 30"),
        (time(1, 15), "1:15 a.m.", "1 Uhr 15", "la una y cuarto de la madrugada", "une heure 15"),
        (time(9), "9 a.m.", "9 Uhr", "las 9 de la mañana", "9 heures"),
        (time(11, 5), "11 oh 5 a.m.", "11 Uhr 5", "las 11 y 5 de la mañana", "11 heures 5"),
        (time(12), "noon", "12 Uhr", "las 12 del mediodía", "midi"),
        (time(12, 45), "12:45 p.m.", "12 Uhr 45", "las 12 y 45 de la tarde", "12 heures 45"),
        (time(13, 30), "1:30 p.m.", "13 Uhr 30", "la una y media de la tarde", "13 heures 30"),
        (time(21), "9 p.m.", "21 Uhr", "las 9 de la noche", "vingt et une heures"),
        (time(23, 59, 59), "11:59 p.m.", "23 Uhr 59", "las 11 y 59 de la noche", "23 heures 59"),
    ],
)
def test_clocks(at: time, english: str, german: str, spanish: str, french: str) -> None:
    assert [tongue.clock(at) for tongue in (ENGLISH, GERMAN, SPANISH, FRENCH)] == [english, german, spanish, french]


def test_spanish_and_french_days() -> None:
    assert SPANISH.day(date(2026, 5, 1), False) == "viernes primero de mayo"
    assert SPANISH.day(date(2026, 11, 24), True) == "martes 24 de noviembre de 2026"
    assert FRENCH.day(date(2026, 8, 1), False) == "samedi premier août"
    assert FRENCH.day(date(2026, 11, 24), True) == "mardi 24 novembre 2026"


def test_days_that_come_again_are_said_with_their_article() -> None:
    assert SPANISH.join([SPANISH.weekdays[day] for day in (0, 5)]) == "los lunes y los sábados"
    assert FRENCH.join([FRENCH.weekdays[day] for day in (0, 2)]) == "le lundi et le mercredi"


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


def test_french_leaves_a_vowel_out_before_one() -> None:
    one, two = FRENCH.clock(time(1)), FRENCH.clock(time(14))
    assert FRENCH.say("from_to", one, two) == "d'une heure à 14 heures"
    assert FRENCH.say("from_to", two, one) == "de 14 heures à une heure"
    assert FRENCH.say("of", FRENCH.say("hour")) == "d'une heure"
    assert FRENCH.say("working_hours", one, two) == "vos heures de travail d'une heure à 14 heures"


def test_french_does_not_take_how_long_for_when() -> None:
    """ "Pour une heure" is an hour's length, and one o'clock as well."""
    assert FRENCH.say("for", FRENCH.say("hour")) == "pendant une heure"
    assert FRENCH.say("by", FRENCH.say("hour")) == "avec une heure de retard"


@pytest.mark.parametrize("phrase", [name for name, text in FRENCH.phrases.items() if "de {}" in text])
def test_what_has_a_length_or_an_hour_behind_de_is_elided_in_french(phrase: str) -> None:
    of_names = ("set_alert_profile", "bulk_cancel_events")
    assert phrase in FRENCH.elided or phrase.startswith(of_names), FRENCH.phrases[phrase]

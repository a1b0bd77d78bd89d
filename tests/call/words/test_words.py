"""The fixed sentences and the way to them."""

import string

import pytest

from phone_bridge.call import words
from phone_bridge.call.assent import TABLES
from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError

KEYS = {
    "greeting",
    "one_moment",
    "apology_unavailable",
    "apology_busy",
    "still_there",
    "goodbye_silence",
    "goodbye_limit",
    "goodbye",
    "keys",
    "keypad",
    "wrong_key",
    "unclear_once",
    "expired",
    "withdrawn",
    "not_asked",
    "confirmed_by_preference",
    "outcome_unknown",
    "apology_onward",
    "cut_off",
    "done_before",
    "not_done",
    "again_done",
    "again_unknown",
    "apology_failed",
    "goodbye_drain",
    "errand_keys",
    "errand_when",
    "errand_thanks",
    "errand_stopped",
    "errand_assistant",
    "errand_unanswered",
    "screened",
    "recording_announcement",
    "pin_ask",
    "pin_enter",
    "pin_voice",
    "pin_again",
    "pin_wrong",
    "pin_right",
    "pin_welcome",
    "pin_refused",
    "pin_left",
    "pin_late",
    "pin_locked",
    "pin_missing",
    "pin_failed",
    "goodbye_pin",
    "goodbye_pin_locked",
    "goodbye_pin_unable",
}


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_language_has_every_sentence(language: str) -> None:
    assert words.SENTENCES[language].keys() == KEYS
    for key, text in words.SENTENCES[language].items():
        assert text.lstrip("¿")[0].isupper(), key
        assert text[-1] in ".?:", key
        assert "  " not in text, key


def test_keys_may_name_files() -> None:
    assert all(set(key) <= set(string.ascii_lowercase + "_") for key in KEYS)


def test_a_line_carries_its_key() -> None:
    line = words.line("keys")
    assert line.key == "keys"
    assert line.text.startswith("Press 1 or say yes to confirm, press 2 or say no to leave things as they are.")
    assert "star" in line.text


def test_an_unknown_key_is_our_mistake() -> None:
    with pytest.raises(LocalError, match="sentence"):
        words.line("keyz")


def test_a_region_and_an_unknown_language() -> None:
    assert words.line("goodbye", "de-AT").text == "Auf Wiederhören."
    assert words.line("goodbye", "fr-CA").text == "Au revoir."
    assert words.line("goodbye", "it").text == "Goodbye."
    assert words.unproven("it") == words.unproven() != words.unproven("fr")
    assert words.refusal("it") == words.refusal() == "No, please leave it as it is."
    assert words.question(Action("cancel_event"), "zz") == words.question(Action("cancel_event"))


def test_apologies_and_long_calls_end_in_goodbye() -> None:
    for key in ("apology_unavailable", "apology_busy", "goodbye_silence", "goodbye_limit"):
        assert words.line(key).text.endswith("Goodbye.")


def test_a_question_has_a_key_of_its_tool() -> None:
    assert words.question(Action("cancel_event")).key == words.QUESTION + "cancel_event"


def test_a_summary_says_in_a_sentence_what_the_question_asks() -> None:
    action = Action("set_global_buffer", {"minutes": 5, "kind": "parking"})
    assert words.summary(action) == "Set a general buffer, of 5 minutes, for parking."
    assert words.summary(action, "de") == "Einen allgemeinen Puffer einzustellen, von 5 Minuten, zum Parken."
    assert words.summary(action, "es") == "Fijar un margen general, de 5 minutos, para estacionar."
    assert words.summary(action, "fr") == "Régler une marge générale, de 5 minutes, pour se garer."


def test_the_bridge_speaks_what_it_understands() -> None:
    assert set(words.LANGUAGES) == set(TABLES)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_span_of_every_size_can_be_said(language: str) -> None:
    said = [words.later(minutes, language).text for minutes in (1, 20, 60, 120, 1_440, 2_880)]
    assert len(set(said)) == len(said)
    assert not any("{" in text for text in said)
    assert "20" in said[1]


def test_a_language_is_offered_in_its_own_words() -> None:
    assert words.offer("de-CH", "2").text == "Für Deutsch drücken Sie die 2."
    assert words.offer("fr", "4").text == "Pour le français, tapez 4."
    assert words.offer("es", "3").key == "offer_es_3"


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_a_session_is_told_can_be_given_in_english(language: str) -> None:
    for told in (words.refusal, words.already, words.unproven):
        assert words.in_english(told(language)) == told("en")
    assert words.in_english("déjelo") == "déjelo"

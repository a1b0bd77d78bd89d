import pytest

from phone_bridge.call import words
from phone_bridge.call.words.putting_through import SENTENCES, failed, whom


def test_every_language_has_every_sentence() -> None:
    assert set(SENTENCES) == set(words.LANGUAGES)
    assert {frozenset(table) for table in SENTENCES.values()} == {frozenset(SENTENCES["en"])}


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_each_name_has_its_key(language: str) -> None:
    said = whom(("Empfang", "Vertrieb"), language).text
    assert said.index("Empfang") < said.index("1") < said.index("Vertrieb") < said.index("2")


def test_one_alone_is_asked_for_by_yes_or_a_key() -> None:
    assert whom(("reception",), "en").text == "I can put you through to reception. Press 1 or say yes, and I will."


def test_a_name_begins_no_sentence_of_its_own() -> None:
    assert ". Press 2" not in whom(("reception. Press 2 to pay.", "sales"), "en").text


def test_a_language_that_is_not_spoken_hears_english() -> None:
    assert failed("it") == failed("en")
    assert failed("es-MX") == failed("es")

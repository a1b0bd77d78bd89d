"""Phrases without their accents."""

from phone_bridge.call.assent.accents import also_plain, phrases, plain


def test_letters_lose_what_stands_over_and_under_them() -> None:
    assert plain("está mañana, ça déjà œuf") == "esta manana, ca deja œuf"


def test_phrases_stand_apart_by_commas() -> None:
    assert list(phrases(" uno,\n dos  tres ,,")) == ["uno", "dos tres"]


def test_a_phrase_is_given_with_and_without_accents_and_once_where_it_has_none() -> None:
    assert also_plain("está bien, no") == "está bien, no, esta bien"


def test_a_word_that_would_be_another_one_keeps_its_accent() -> None:
    assert also_plain("sí, está", {"sí"}) == "sí, está, esta"

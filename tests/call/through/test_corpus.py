"""Hundreds of sentences, some unseen while the rules were written: nobody is rung by mistake, and few wishes missed."""

import pytest

from phone_bridge.call.assent import TABLES
from phone_bridge.call.through import Names, Whom, wanted
from phone_bridge.call.through.decide import TONGUES
from tests.assistant.commands import corpus as commands
from tests.call.assent import corpus as answers
from tests.call.through.corpus import NAMES, names, texts, wishes

LANGUAGES = tuple(NAMES)
EVERYBODY = Names(tuple(dict.fromkeys(name for listed in NAMES.values() for name in listed)))
ASKED_AT_A_QUESTION = {  # what callers say at a confirmation who ask for a person indeed
    "speak to a human",
    "let me talk to somebody",
    "can I talk to a person",
    "operator",
    "a real person please",
    "sí quiero hablar con alguien",
    "oui je veux parler à quelqu'un",
}


def test_every_language_of_the_line_is_known() -> None:
    assert set(TONGUES) == set(TABLES) == set(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "seen", "unseen"), [("en", 90, 45), ("de", 60, 30), ("es", 65, 33), ("fr", 65, 33)]
)
def test_the_collection_is_large(language: str, seen: int, unseen: int) -> None:
    assert len(wishes(language, unseen=False)) >= seen
    assert len(wishes(language, seen=False)) >= unseen
    assert len(texts(language, "none", unseen=False)) >= seen // 2
    assert len(texts(language, "none", seen=False)) >= unseen // 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("line", LANGUAGES)
def test_what_only_sounds_like_a_wish_is_none_on_a_line_in_any_language(language: str, line: str) -> None:
    said = texts(language, "none")
    assert [text for text in said if wanted(text, line, names(language)).whom is not Whom.NOBODY] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_ever_put_through_to_somebody_else(language: str) -> None:
    found = [(text, meant, wanted(text, language, names(language))) for text, meant in wishes(language)]
    assert [each for each in found if each[2].whom is not Whom.NOBODY and each[1] != each[2]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_wishes_are_understood(language: str) -> None:
    for seen, least in ((True, 0.98), (False, 0.95)):
        said = wishes(language, seen=seen, unseen=not seen)
        right = [text for text, meant in said if wanted(text, language, names(language)) == meant]
        assert len(right) / len(said) >= least


def test_no_command_to_the_calendar_asks_for_a_person() -> None:
    said = [command.text for part in ("seen", "held_out") for command in commands.commands(part)]
    assert [text for text in said if wanted(text, "en", EVERYBODY).whom is not Whom.NOBODY] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_answer_to_a_question_asks_for_a_person_that_does_not(language: str) -> None:
    others = [text for kind in answers.KINDS if kind != "yes" for text in answers.texts(language, kind)]
    said = answers.texts(language, "yes")[::2] + others[::4]  # some, for the sake of the time
    found = {text for text in said if wanted(text, language, EVERYBODY).whom is not Whom.NOBODY}
    assert found <= ASKED_AT_A_QUESTION
    assert not found & set(answers.texts(language, "yes"))

"""How callers say that they want to set a PIN."""

import pytest

from phone_bridge.call import words
from phone_bridge.call.pin_words import MAX_WISH_CHARS, wishes

WISHES = {
    "en": [
        "I want to change my PIN.",
        "Change my pin",
        "could you please change my PIN number?",
        "I'd like to set up a new PIN",
        "I need a pin",
        "Hello, can I have my PIN reset, please",
    ],
    "de": [
        "Ich möchte meine PIN ändern.",
        "Meine PIN möchte ich ändern, bitte",
        "Ich brauche eine neue PIN",
        "bitte eine PIN einrichten",
    ],
    "es": ["Quiero cambiar mi PIN.", "¿Puedo crear un PIN, por favor?", "necesito un nuevo PIN"],
    "fr": [
        "Je voudrais changer mon code secret.",
        "changer mon code PIN, s'il vous plaît",
        "Est-ce que je peux créer un code",
    ],
}
NONE = {
    "en": [
        "",
        "change my pin board meeting to four",
        "don't change my PIN",
        "I do not want to change my PIN",
        "I can't set my pin",
        "my PIN",
        "change my lunch",
        "what is a pin",
        "ich möchte meine PIN ändern",
    ],
    "de": ["PIN", "Ich möchte meine PIN nicht ändern", "meine PIN-Nadel-Sitzung ändern", "change my pin"],
    "es": ["no quiero cambiar mi PIN", "cambiar mi cita"],
    "fr": ["je ne veux pas changer mon code", "changer mon rendez-vous"],
}


@pytest.mark.parametrize(("language", "text"), [(tag, text) for tag, texts in WISHES.items() for text in texts])
def test_a_wish_is_understood(language: str, text: str) -> None:
    assert wishes(text, language)
    assert wishes(text.upper(), f"{language}-XX")


@pytest.mark.parametrize(("language", "text"), [(tag, text) for tag, texts in NONE.items() for text in texts])
def test_whatever_else_is_said_is_none(language: str, text: str) -> None:
    assert not wishes(text, language)


def test_every_language_of_the_bridge_has_its_words() -> None:
    assert set(WISHES) == set(words.LANGUAGES)
    assert not wishes("cambiare il pin", "it")


def test_nobody_says_it_at_length() -> None:
    assert wishes("please " * 20 + "change my pin", "en")
    assert not wishes("please " * 40 + "change my pin", "en")
    assert MAX_WISH_CHARS < 7 * 40

"""What a caller hears who is asked for a code, or sets a PIN."""

import pytest

from phone_bridge.call import words
from phone_bridge.call.words import knowing
from phone_bridge.errors import LocalError


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_language_has_every_sentence(language: str) -> None:
    table = knowing.SENTENCES[language]
    assert table.keys() == knowing.SENTENCES["en"].keys()
    assert not table.keys() & words.SENTENCES[language].keys(), "a key names one recorded file"
    for key, text in table.items():
        assert text.lstrip("¿")[0].isupper(), key
        assert text[-1] in ".?", key
        assert "  " not in text, key


def test_a_fixed_sentence_is_found_too_and_none_other() -> None:
    assert knowing.line("pin_ask", "de") == words.line("pin_ask", "de")
    assert knowing.line("code_wrong", "it").text == "That was not right. Please enter the code once more."
    with pytest.raises(LocalError):
        knowing.line("nothing", "en")


@pytest.mark.parametrize("language", [*words.LANGUAGES, "it"])
def test_a_message_carries_the_code_and_how_long_it_counts(language: str) -> None:
    text = knowing.code("048291", 5, language)
    assert text.startswith("048291 ")
    assert " 5 " in text
    assert len(text) <= 160, "one message of the network's"
    assert 0 < len(knowing.changed(language)) <= 160

# ruff: noqa: RUF001 - the signs of the phonetic alphabet are meant
import pytest

from phone_bridge.assistant.spelling import arpabet


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [("jˈɛs", "Y EH S"), ("tʃˈɜːtʃ", "CH ER CH"), ("dʒˈɪm", "JH IH M"), ("", ""), ("ˈˌ?", ""), ("fˈaɪɚ", "F AY ER")],
)
def test_the_phonetic_alphabet_becomes_the_models_phones(ipa: str, phones: str) -> None:
    assert arpabet(ipa) == phones

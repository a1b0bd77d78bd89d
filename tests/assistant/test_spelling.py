# ruff: noqa: RUF001 - the letters of the phonetic alphabet are meant

import pytest

from phone_bridge.assistant.spelling import arpabet


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("ˈænə", "AE N AH"),
        ("tʃˈɑːɹlz", "CH AA R L Z"),
        ("dʒˈoʊn", "JH OW N"),
        ("fˈaɪɚ", "F AY ER"),
        ("θˈɜːzdeɪ", "TH ER Z D EY"),  # the longest sign wins
        ("ˈ ˌ?", ""),
        ("", ""),
    ],
)
def test_signs_become_phones(ipa: str, phones: str) -> None:
    assert arpabet(ipa) == phones

"""German, the proof that a second table is enough."""

import pytest

from phone_bridge.call.assent import Assent, understand


@pytest.mark.parametrize(
    "text", ["Ja.", "ja bitte", "Natürlich, gerne!", "mach das", "äh, ja, einverstanden", "JAWOHL"]
)
def test_yes(text: str) -> None:
    assert understand(text, "de") is Assent.YES


@pytest.mark.parametrize(
    "text", ["Nein.", "nein danke", "Machen Sie das bitte nicht!", "auf keinen Fall", "lieber nicht"]
)
def test_no(text: str) -> None:
    assert understand(text, "de") is Assent.NO


@pytest.mark.parametrize("text", ["ja, aber um vier", "nein, am Freitag", "verschieben Sie ihn", "ja, um 16 Uhr"])
def test_wish(text: str) -> None:
    assert understand(text, "de") is Assent.WISH


@pytest.mark.parametrize(
    "text", ["ja nein", "ja, das will ich nicht", "jein", "schon gut", "sie hat ja gesagt", "eins"]
)
def test_unclear(text: str) -> None:
    assert understand(text, "de") is Assent.UNCLEAR


def test_repeat() -> None:
    assert understand("Wie bitte?", "de") is Assent.REPEAT


def test_sharp_s_is_double_s() -> None:
    assert understand("weiß nicht", "de") is understand("WEISS NICHT", "de") is Assent.UNCLEAR

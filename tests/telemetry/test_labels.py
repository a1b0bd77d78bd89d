"""Words from outside become labels only where they are known."""

import re
from pathlib import Path

import pytest

import phone_bridge
from phone_bridge.telemetry import labels
from phone_bridge.telemetry.labels import bounded


def test_a_known_word_is_itself() -> None:
    assert bounded("leg_lost", labels.CALL_ERRORS) == "leg_lost"
    assert bounded("digit", labels.ANSWERED_BY) == "digit"


@pytest.mark.parametrize("word", ["", None])
def test_no_word_is_none(word: str | None) -> None:
    assert bounded(word, labels.CALL_ERRORS) == "none"


@pytest.mark.parametrize("word", ["+12025550143", "leg_lost ", "LEG_LOST", "x" * 10_000, '"} 1\nevil 2', "\0", "ß"])
def test_every_other_word_is_other(word: str) -> None:
    for known in (labels.CALL_ERRORS, labels.OPENINGS, labels.VERDICTS, labels.STREAM_REFUSALS):
        assert bounded(word, known) == "other"


def test_what_is_shown_from_the_start_is_known() -> None:
    for ended_by, error in labels.USUAL_ENDS:
        assert ended_by in labels.ENDED_BY
        assert error in labels.CALL_ERRORS | {"none"}
    assert set(labels.USUAL_OPENINGS) <= labels.OPENINGS


WIRES = ("audiosocket", "chan_websocket", "jambonz", "plivo", "signalwire", "telnyx", "vonage")


@pytest.mark.parametrize(
    ("file", "known"),
    [
        ("legs/twilio/stream.py", labels.CALL_ERRORS),
        ("legs/patience.py", labels.CALL_ERRORS),
        ("legs/streaming.py", labels.CALL_ERRORS),
        *((f"legs/{wire}.py", labels.STREAM_REFUSALS) for wire in WIRES),
        ("legs/twilio/pace.py", labels.CALL_ERRORS),
        ("legs/twilio/admission.py", labels.STREAM_REFUSALS),
        ("app/streams.py", labels.STREAM_REFUSALS),
        ("legs/twilio/webhook.py", frozenset(labels.WEBHOOK_REFUSALS)),
        ("app/voice.py", frozenset(labels.WEBHOOK_REFUSALS)),
    ],
)
def test_no_code_of_our_own_is_lost_among_the_others(file: str, known: frozenset[str]) -> None:
    source = (Path(phone_bridge.__file__).parent / file).read_text(encoding="utf-8")
    codes = set(re.findall(r'code="(\w+)"', source))
    assert codes
    assert codes <= known, codes - known

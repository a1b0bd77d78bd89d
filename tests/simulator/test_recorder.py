"""A message after the beep, frame by frame."""

import pytest

from phone_bridge.simulator.caller import SILENT_FRAME
from phone_bridge.simulator.line import FrameSpoken, KeyPressed, MarkPlayed
from phone_bridge.simulator.recorder import HANGUP, Recorded, Recorder
from phone_bridge.simulator.verbs import Record

LOUD = b"\x90" * 160
VERB = Record(timeout_s=2, finish_on_key="#", max_length_s=60)


def spoken(recorder: Recorder, frames: int, audio: bytes, at: int = 0) -> Recorded | None:
    """Speak so many frames from ``at`` on, unless the message ends before."""
    for number in range(1, frames + 1):
        ended = recorder.tell(FrameSpoken(audio, at + 20 * number))
        if ended is not None:
            return ended
    return None


def test_a_message_ends_with_the_silence_after_it() -> None:
    recorder = Recorder(VERB, 0)
    assert spoken(recorder, 50, LOUD) is None
    assert spoken(recorder, 99, SILENT_FRAME, 1_000) is None
    ended = spoken(recorder, 1, SILENT_FRAME, 2_980)
    assert ended == Recorded(VERB, 3_000)
    assert ended.extra == {"RecordingDuration": "3", "Digits": ""}


def test_a_message_of_silence_is_none() -> None:
    assert spoken(Recorder(VERB, 0), 200, SILENT_FRAME) == Recorded(VERB, 0)


@pytest.mark.parametrize(("key", "ends"), [("#", True), ("1", False)])
def test_a_message_ends_with_its_key(key: str, ends: bool) -> None:
    recorder = Recorder(VERB, 0)
    spoken(recorder, 5, LOUD)
    assert recorder.tell(KeyPressed(key, 100)) == (Recorded(VERB, 100, key) if ends else None)
    assert recorder.tell(MarkPlayed("x", 100)) is None


def test_a_message_is_no_longer_than_it_may_be() -> None:
    recorder = Recorder(VERB, 500)
    assert recorder.deadline() == 60_500
    spoken(recorder, 3, LOUD, 500)
    assert recorder.end(HANGUP) == Recorded(VERB, 60, "hangup")

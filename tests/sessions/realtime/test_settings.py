import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from phone_bridge.sessions.realtime import settings as s
from phone_bridge.sessions.realtime.messages import InvalidMessage
from phone_bridge.sessions.realtime.names import SOUND, Shape
from tests.fuzz.profiles import examples
from tests.sessions.realtime.samples import lines

FULL = s.Settings(
    id="sess_1",
    model="gpt-realtime",
    expires_at=1,
    modalities=("audio",),
    instructions="Be brief.",
    voice="marin",
    speed=1.25,
    input_format="audio/pcmu",
    output_format="audio/pcm",
    transcription=s.Transcription(model="whisper-1", language="de"),
    noise_reduction=None,
    turn_detection=s.TurnDetection(threshold=0.4, silence_duration_ms=200, interrupt_response=False),
    tools=({"type": "function", "name": "f", "description": "", "parameters": {"type": "object"}},),
    tool_choice={"type": "function", "name": "f"},
    max_output_tokens="inf",
)


def session(name: str, kind: str) -> dict[str, Any]:
    for line in lines(name):
        message: dict[str, Any] = json.loads(line)
        if message["type"] == kind:
            return dict(message["session"])
    raise AssertionError(kind)


@pytest.mark.parametrize("shape", Shape)
def test_settings_come_back_as_they_were_written(shape: Shape) -> None:
    assert s.read(s.write(FULL, shape), shape) == FULL
    assert s.read(s.write(s.Settings(), shape), shape) == s.Settings()


def test_what_was_not_mentioned_is_not_written_and_none_is() -> None:
    by_hand = s.Settings(turn_detection=None)

    assert s.write(by_hand, Shape.GA) == {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    assert s.write(by_hand, Shape.BETA) == {"turn_detection": None}
    assert s.read({}, Shape.GA).turn_detection is UNSET


def test_both_shapes_say_the_same_of_the_same_session() -> None:
    ga = s.read(session("server_ga.jsonl", "session.updated"), Shape.GA)
    beta = s.read(session("server_beta.jsonl", "session.updated"), Shape.BETA)

    for found in (ga, beta):
        assert (found.id, found.expires_at, found.modalities) == ("sess_001", 1795881600, ("audio",))
        assert (found.input_format, found.output_format) == ("audio/pcmu", "audio/pcmu")
        assert isinstance(found.turn_detection, s.TurnDetection)
        assert found.turn_detection.interrupt_response is True
    assert beta.temperature == 0.8


def test_a_sessions_own_object_says_what_it_is() -> None:
    assert s.write(FULL, Shape.GA, state=True)["object"] == "realtime.session"
    assert s.write(FULL, Shape.BETA, state=True)["object"] == "realtime.session"
    assert "object" not in s.write(FULL, Shape.GA)


def test_the_beta_never_asks_for_sound_alone_and_ga_never_for_both() -> None:
    assert s.write(FULL, Shape.BETA)["modalities"] == ("text", "audio")
    assert s.write(FULL, Shape.GA)["output_modalities"] == ("audio",)
    assert s.read({"modalities": ["text"]}, Shape.BETA).modalities == ("text",)


@pytest.mark.parametrize("name", SOUND)
def test_every_encoding_is_named_in_both_shapes(name: str) -> None:
    wanted = s.Settings(input_format=name, output_format=name)

    assert s.read(s.write(wanted, Shape.BETA), Shape.BETA) == wanted
    assert s.write(wanted, Shape.GA)["audio"]["input"]["format"]["type"] == name


@pytest.mark.parametrize(
    "choice", ["f", {"type": "function", "name": "f"}, {"type": "function", "function": {"name": "f"}}]
)
def test_a_named_tool_is_chosen_in_any_of_the_three_ways(choice: Any) -> None:
    found = s.read({"tool_choice": choice}, Shape.BETA)

    assert found.tool_choice == {"type": "function", "name": "f"}
    assert s.write(found, Shape.BETA)["tool_choice"] == "f"


@pytest.mark.parametrize(
    ("shape", "session", "param"),
    [
        (Shape.BETA, {"input_audio_format": "mp3"}, "session.input_audio_format"),
        (Shape.GA, {"audio": {"output": {"format": {"type": "audio/mp3"}}}}, "session.audio.output.format"),
        (
            Shape.GA,
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
            "session.audio.input.format",
        ),
        (Shape.GA, {"instructions": 5}, "session.instructions"),
        (Shape.BETA, {"turn_detection": {"threshold": "high"}}, "session.turn_detection.threshold"),
        (Shape.GA, {"tools": ["f"]}, "session.tools[0]"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(shape: Shape, session: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        s.read(session, shape)
    assert (caught.value.code, caught.value.param) == ("invalid_value", param)


names = st.sampled_from([*s.write(FULL, Shape.GA), *s.write(FULL, Shape.BETA), "more"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names | st.just("format"), inner, max_size=2),
    max_leaves=6,
)


@examples(100)
@given(st.sampled_from(Shape), st.dictionaries(names, values, max_size=4))
def test_any_session_is_read_or_refused_by_name(shape: Shape, session: dict[str, Any]) -> None:
    try:
        found = s.read(session, shape)
    except InvalidMessage:
        return
    assert s.read(s.write(found, shape), shape) == found

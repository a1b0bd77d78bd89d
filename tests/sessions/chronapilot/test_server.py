from typing import Any

import pytest

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Encoding, Format
from phone_bridge.audio.path import path
from phone_bridge.sessions.chronapilot import ChronaPilotServerWire
from phone_bridge.sessions.chronapilot import messages as m
from tests.sessions.chronapilot.samples import cases, lines

SOUND = bytes(range(240)) * 8


def update(wire: ChronaPilotServerWire, **settings: Any) -> None:
    message = wire.receive(m.encode(m.SessionUpdate(session=m.SessionSettings(**settings))))
    assert isinstance(message, m.SessionUpdate)
    wire.apply(message.session)


@pytest.mark.parametrize("line", lines("client.jsonl"))
def test_samples_are_read(line: str) -> None:
    tag = type(ChronaPilotServerWire().receive(line)).__struct_config__.tag
    assert f'"type":"{tag}"' in line


@pytest.mark.parametrize("case", cases("client_broken.jsonl"), ids=lambda case: str(case["why"]))
def test_broken_samples_are_named_for_the_client(case: dict[str, Any]) -> None:
    with pytest.raises(m.InvalidMessage) as caught:
        ChronaPilotServerWire().receive(case["data"])
    assert (caught.value.code, caught.value.param, caught.value.event_id) == (
        case["code"],
        case["param"],
        case["event_id"],
    )


@pytest.mark.parametrize(("rate", "given"), [(None, LINEAR_24K), (8000, LINEAR_8K), (16000, LINEAR_16K)])
def test_sound_comes_as_the_ear_wants_it(rate: int | None, given: Format) -> None:
    wire = ChronaPilotServerWire()
    update(wire, input_sample_rate=rate)

    heard = wire.receive(m.encode(m.AudioAppend(audio=SOUND, event_id="e1")))
    assert heard == m.AudioAppend(audio=path(given, LINEAR_16K).push(SOUND), event_id="e1")


@pytest.mark.parametrize(
    ("settings", "output"),
    [
        ({}, LINEAR_24K),
        ({"output_format": "pcm16"}, LINEAR_24K),
        ({"output_format": "g711_ulaw"}, PCMU_8K),
        ({"output_format": "g711_alaw", "output_sample_rate": 24000}, PCMA_8K),
        ({"output_sample_rate": 16000}, LINEAR_16K),
        ({"output_format": "pcm16", "output_sample_rate": 8000}, LINEAR_8K),
    ],
)
def test_the_voice_goes_out_as_the_client_wants_it(settings: dict[str, Any], output: Format) -> None:
    wire = ChronaPilotServerWire()
    update(wire, **settings)
    speech = Format(Encoding.LINEAR16, 16000)

    assert wire.output == output
    assert wire.voice(speech).push(SOUND) == path(speech, output).push(SOUND)


def test_pcm16_after_g711_is_at_its_own_rate_again() -> None:
    wire = ChronaPilotServerWire()
    update(wire, output_format="g711_ulaw")
    update(wire, voice="sage")
    assert wire.output == PCMU_8K
    update(wire, output_format="pcm16")
    assert wire.output == LINEAR_24K


def test_the_state_says_both_formats_and_one_rate_where_there_is_one() -> None:
    wire = ChronaPilotServerWire()
    state = wire.state(id="hub_1", voice="sage")
    assert (state.id, state.voice, state.object) == ("hub_1", "sage", "voice_session")
    assert (state.input_format, state.output_format, state.sample_rate) == ("pcm16", "pcm16", 24000)

    update(wire, output_format="g711_ulaw")
    state = wire.state()
    assert (state.input_format, state.output_format, state.sample_rate) == ("pcm16", "g711_ulaw", None)
    assert (state.input_sample_rate, state.output_sample_rate) == (24000, 8000)


def test_a_refused_update_changes_nothing() -> None:
    wire = ChronaPilotServerWire()
    with pytest.raises(m.InvalidMessage):
        update(wire, input_sample_rate=8000, output_format="opus")
    assert wire.output == LINEAR_24K
    assert wire.state().input_sample_rate == 24000

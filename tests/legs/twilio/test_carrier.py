import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.commands import Flush, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, LegClosed, MarkReached
from phone_bridge.legs.twilio.carrier import (
    INVALID_MESSAGE,
    MALFORMED_MESSAGE,
    CarrierStream,
    Cleared,
    Complaint,
    Marked,
    Played,
)
from phone_bridge.legs.twilio.stream import Opening, TwilioStream
from tests.legs.twilio import samples
from tests.legs.twilio.samples import START, STREAM_SID


def test_it_says_what_twilio_says() -> None:
    carrier = CarrierStream(START)
    sound = bytes((i * 37 + 11) % 256 for i in range(160))
    assert json.loads(carrier.connected()) == json.loads(samples.text("said", "connected.json"))
    assert json.loads(carrier.started()) == json.loads(samples.text("said", "start.json"))
    carrier.mark("a"), carrier.media(sound, 0)
    assert json.loads(carrier.media(sound, 5)) == json.loads(samples.text("said", "media.json"))
    assert json.loads(carrier.dtmf("1")) == json.loads(samples.text("said", "dtmf.json"))


def test_it_gives_marks_back_and_stops_as_twilio_does() -> None:
    carrier = CarrierStream(START)
    for _ in range(3):
        carrier.media(b"\x00", 0)
    assert json.loads(carrier.mark("my label")) == json.loads(samples.text("said", "mark.json"))
    assert json.loads(carrier.stop()) == json.loads(samples.text("said", "stop.json"))


def test_it_numbers_all_messages_but_the_first_and_the_chunks_apart() -> None:
    carrier = CarrierStream(START)
    assert "sequenceNumber" not in json.loads(carrier.connected())
    said = [carrier.started(), carrier.media(b"a", 0), carrier.dtmf("1"), carrier.media(b"a", 20)]
    assert [json.loads(text)["sequenceNumber"] for text in said] == ["1", "2", "3", "4"]
    assert [json.loads(text)["media"]["chunk"] for text in (said[1], said[3])] == ["1", "2"]


@given(st.binary(min_size=1, max_size=400), st.integers(0, 10**9), st.text(min_size=1), st.sampled_from("0123456789*#"))
def test_the_bridge_reads_everything_it_says(audio: bytes, timestamp: int, name: str, digit: str) -> None:
    carrier, opening = CarrierStream(START), Opening()
    assert opening.receive(carrier.connected(), 0) is None
    assert opening.receive(carrier.started(), 0) == START
    wire = TwilioStream(START)
    assert wire.receive(carrier.media(audio, timestamp), 0) == [CallerHeard(audio)]
    assert wire.receive(carrier.mark(name), 0) == [MarkReached(name)]
    assert wire.receive(carrier.dtmf(digit), 0) == [DigitPressed(digit)]
    assert wire.receive(carrier.stop(), 0) == [LegClosed("hangup")]


@given(st.binary(min_size=1, max_size=400), st.text(min_size=1))
def test_it_reads_everything_the_bridge_says(audio: bytes, name: str) -> None:
    carrier, wire = CarrierStream(START), TwilioStream(START)
    wire.send(Play(audio, name), 0)
    wire.send(Flush(), 0)
    assert [carrier.receive(message) for message in wire.outgoing()] == [Played(audio), Marked(name), Cleared()]


def test_a_binary_frame_is_malformed() -> None:
    complaint = CarrierStream(START).receive(b'{"event":"clear"}')
    assert isinstance(complaint, Complaint)
    assert complaint.code == MALFORMED_MESSAGE == 31950


@pytest.mark.parametrize(
    "message",
    [
        "clear",
        "[]",
        '{"streamSid":"SID"}',
        '{"event":"clear"}',
        '{"event":"clear","streamSid":"MZother"}',
        '{"event":"clear","streamSid":"SID","reason":"barge-in"}',
        '{"event":"hangup","streamSid":"SID"}',
        '{"event":"mark","streamSid":"SID"}',
        '{"event":"mark","streamSid":"SID","mark":{}}',
        '{"event":"mark","streamSid":"SID","mark":{"name":"a","at":1}}',
        '{"event":"media","streamSid":"SID","media":{}}',
        '{"event":"media","streamSid":"SID","media":{"payload":"YQ"}}',
        '{"event":"media","streamSid":"SID","media":{"payload":"YQ==","track":"outbound"}}',
        '{"a":' * 5000,
    ],
)
def test_any_other_message_is_invalid(message: str) -> None:
    complaint = CarrierStream(START).receive(message.replace("SID", STREAM_SID))
    assert isinstance(complaint, Complaint)
    assert complaint.code == INVALID_MESSAGE == 31951

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.events import LegTrouble
from phone_bridge.legs.twilio.messages import (
    MAX_MESSAGE_CHARS,
    SHOWN_EVENT_CHARS,
    Connected,
    Dtmf,
    Fault,
    Heard,
    Mark,
    Media,
    MediaFormat,
    Pressed,
    Reached,
    Started,
    Stopped,
    read,
)
from tests.legs.twilio import samples
from tests.legs.twilio.samples import CALL_SID, START, STREAM_SID

SOUND = bytes((i * 37 + 11) % 256 for i in range(160))


@pytest.mark.parametrize("name", ["media.json", "media_with_numbers.json", "media_with_new_fields.json"])
def test_media_is_read_with_numbers_written_either_way_and_with_fields_nobody_knows(name: str) -> None:
    assert read(samples.text("said", name)) == Heard(Media(SOUND, "inbound", 2, 5), STREAM_SID)


def test_the_other_messages_are_read() -> None:
    assert read(samples.text("said", "connected.json")) == Connected()
    assert read(samples.text("said", "start.json")) == Started(START, STREAM_SID)
    assert read(samples.text("said", "dtmf.json")) == Pressed(Dtmf("1"), STREAM_SID)
    assert read(samples.text("said", "mark.json")) == Reached(Mark("my label"), STREAM_SID)
    assert read(samples.text("said", "stop.json")) == Stopped(STREAM_SID)


def test_every_sample_of_what_twilio_says_is_read() -> None:
    for name in samples.names("said"):
        assert not isinstance(read(samples.text("said", name)), LegTrouble), name


def test_a_start_without_a_media_format_means_mu_law() -> None:
    message = read(samples.text("said", "start_without_media_format.json"))
    assert isinstance(message, Started)
    assert message.start.media_format == MediaFormat("audio/x-mulaw", 8000, 1)
    assert message.start.call_sid == CALL_SID
    assert message.start.custom_parameters == {}


@pytest.mark.parametrize("name", samples.names("broken"))
def test_a_broken_message_is_a_trouble_named_for_what_is_wrong(name: str) -> None:
    fault = Fault(name.partition(".")[0])
    data = samples.raw("broken", name) if fault is Fault.BINARY else samples.text("broken", name)
    trouble = read(data)
    assert isinstance(trouble, LegTrouble)
    assert trouble.code == fault


def test_a_message_may_be_as_long_as_the_limit_and_no_longer() -> None:
    blanks = MAX_MESSAGE_CHARS - len(samples.text("said", "mark.json"))
    longest = samples.text("said", "mark.json") + " " * blanks
    assert read(longest) == Reached(Mark("my label"), STREAM_SID)
    trouble = read(longest + " ")
    assert isinstance(trouble, LegTrouble)
    assert trouble.code == Fault.OVERSIZED


def test_an_unknown_event_is_named_but_not_at_length() -> None:
    assert read('{"event":"interrupt"}') == LegTrouble(Fault.UNKNOWN_EVENT, "interrupt")
    trouble = read('{"event":"' + "x" * 1000 + '"}')
    assert isinstance(trouble, LegTrouble)
    assert len(trouble.message) == SHOWN_EVENT_CHARS


@pytest.mark.parametrize("name", ["malformed_message.dtmf_of_two_digits.json", "bad_payload.no_base64.json"])
def test_a_trouble_does_not_repeat_what_the_caller_pressed_or_said(name: str) -> None:
    trouble = read(samples.text("broken", name))
    assert isinstance(trouble, LegTrouble)
    assert trouble.message
    assert "12" not in trouble.message
    assert "!!!!" not in trouble.message


def test_base64_with_stray_bits_at_its_end_is_read_as_python_reads_it() -> None:
    message = read('{"event":"media","media":{"payload":"YR=="}}')
    assert isinstance(message, Heard)
    assert message.media.payload == b"a"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary().map(repr),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["event", "media", "start", "payload"]), inner),
    max_leaves=12,
)


@given(st.text())
def test_no_text_makes_reading_fail(text: str) -> None:
    assert read(text) is not None


@given(st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop"]), json_values)
def test_no_shape_makes_reading_fail(event: str, value: object) -> None:
    body = {"event": event, "streamSid": STREAM_SID, event: value}
    assert read(json.dumps(body)) is not None


@given(st.sampled_from(samples.names("said")), st.integers(0, 400), st.text(max_size=3))
def test_no_damage_to_a_real_message_makes_reading_fail(name: str, at: int, damage: str) -> None:
    text = samples.text("said", name)
    assert read(text[:at] + damage + text[at + len(damage) :]) is not None


@pytest.mark.parametrize("number", ["9" * 5000, '"' + "9" * 5000 + '"', "1e400", "-1", '"1e3"', '"٣"'])
def test_numbers_without_measure_are_borne(number: str) -> None:
    assert read('{"event":"media","media":{"payload":"YWJj","timestamp":' + number + "}}") is not None


def test_half_a_surrogate_is_no_json() -> None:
    trouble = read('{"event":"mark\ud800"}')
    assert isinstance(trouble, LegTrouble)
    assert trouble.code == Fault.NOT_JSON

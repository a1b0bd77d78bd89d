import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.sessions.chronapilot import messages as m
from tests.sessions.chronapilot.samples import cases, lines


@pytest.mark.parametrize("line", lines("server.jsonl"))
def test_what_a_server_sends_is_read_and_says_its_type(line: str) -> None:
    message = m.read_server_message(line)

    assert message is not None
    assert json.loads(m.encode(message))["type"] == json.loads(line)["type"]


@pytest.mark.parametrize("line", lines("server.jsonl"))
def test_a_servers_message_written_again_is_read_as_the_same(line: str) -> None:
    message = m.read_server_message(line)

    assert message is not None
    assert m.read_server_message(m.encode(message)) == message


@pytest.mark.parametrize("line", lines("server_unknown.jsonl"))
def test_unknown_types_and_other_readings_of_undocumented_ones_mean_nothing(line: str) -> None:
    assert m.read_server_message(line) is None


@pytest.mark.parametrize("case", cases("server_broken.jsonl"), ids=lambda case: str(case["why"]))
def test_what_a_server_must_not_send_is_named(case: dict[str, Any]) -> None:
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_server_message(case["data"])
    assert caught.value.code == case["code"]


@pytest.mark.parametrize("line", lines("client.jsonl"))
def test_what_a_client_sends_is_read_and_written_again(line: str) -> None:
    message = m.read_client_message(line)

    assert json.loads(m.encode(message))["type"] == json.loads(line)["type"]
    assert m.read_client_message(m.encode(message)) == message


def test_every_type_of_the_table_has_a_sample() -> None:
    sampled = {json.loads(line)["type"] for line in [*lines("server.jsonl"), *lines("client.jsonl")]}
    tags = {kind.__struct_config__.tag for kind in [*m.ServerMessage.__args__, *m.ClientMessage.__args__]}

    assert sampled == tags


def test_missing_padding_is_tolerated_both_ways() -> None:
    assert m.read_server_message('{"type":"audio.delta","audio":"AAE"}') == m.AudioDelta(b"\x00\x01")
    assert m.read_client_message('{"type":"audio.append","audio":"AAE"}') == m.AudioAppend(audio=b"\x00\x01")


def test_binary_messages_are_refused_both_ways() -> None:
    for read in (m.read_server_message, m.read_client_message):
        with pytest.raises(m.InvalidMessage) as caught:
            read(b'{"type":"response.done"}')
        assert caught.value.code == "binary_message"


def test_json_nested_beyond_reason_is_no_more_than_an_invalid_message() -> None:
    deep = '{"type":"transcript.final","x":' + "[" * 100_000
    for read in (m.read_server_message, m.read_client_message):
        with pytest.raises(m.InvalidMessage):
            read(deep)


def test_a_frame_may_hold_so_many_characters_and_no_more() -> None:
    empty = '{"type":"audio.clear","x":""}'
    fits = '{"type":"audio.clear","x":"' + "a" * (m.MAX_FRAME_CHARS - len(empty)) + '"}'

    assert m.read_client_message(fits) == m.AudioClear()
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_client_message(fits + " ")
    assert caught.value.code == "payload_too_large"


def test_an_append_may_carry_so_much_sound_and_no_more() -> None:
    fits = m.encode(m.AudioAppend(audio=bytes(m.MAX_AUDIO_BYTES)))
    too_much = m.encode(m.AudioAppend(audio=bytes(m.MAX_AUDIO_BYTES + 2), event_id="e1"))

    assert isinstance(m.read_client_message(fits), m.AudioAppend)
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_client_message(too_much)
    assert (caught.value.code, caught.value.param, caught.value.event_id) == ("payload_too_large", "audio", "e1")


def test_a_text_turn_may_be_so_long_and_no_longer() -> None:
    assert m.read_client_message(m.encode(m.TextAppend("a" * m.MAX_TEXT_CHARS))) == m.TextAppend("a" * m.MAX_TEXT_CHARS)
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_client_message(m.encode(m.TextAppend("a" * (m.MAX_TEXT_CHARS + 1))))
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", "text")


def test_an_event_id_may_be_so_long_and_is_cut_where_it_is_echoed() -> None:
    longest = "e" * m.MAX_EVENT_ID_CHARS

    assert m.read_client_message(m.encode(m.AudioClear(event_id=longest))) == m.AudioClear(event_id=longest)
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_client_message(m.encode(m.AudioClear(event_id=longest + "e")))
    assert (caught.value.param, caught.value.event_id) == ("event_id", longest)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["text", "id", "action", "audio", "response", "session", "error", "response_id", "event_id"])
tags = st.sampled_from(sorted({json.loads(line)["type"] for line in [*lines("server.jsonl"), *lines("client.jsonl")]}))


@given(tags, st.dictionaries(fields, json_values))
def test_whatever_stands_in_the_fields_reading_raises_nothing_but_an_invalid_message(
    tag: str, body: dict[str, Any]
) -> None:
    text = json.dumps({**body, "type": tag})
    for read in (m.read_server_message, m.read_client_message):
        with suppress(m.InvalidMessage):
            read(text)


@given(st.text())
def test_whatever_text_comes_reading_raises_nothing_but_an_invalid_message(text: str) -> None:
    for read in (m.read_server_message, m.read_client_message):
        with suppress(m.InvalidMessage):
            read(text)

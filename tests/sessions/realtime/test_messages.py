import json
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.sessions.realtime import messages as m
from phone_bridge.sessions.realtime.names import BETA_EVENTS, GA_ONLY_EVENTS, Shape
from tests.fuzz.profiles import examples
from tests.sessions.realtime.samples import cases, lines

SERVER = {Shape.GA: lines("server_ga.jsonl"), Shape.BETA: lines("server_beta.jsonl")}


@pytest.mark.parametrize("shape", Shape)
def test_what_a_server_sends_is_read_and_written_again_as_the_same(shape: Shape) -> None:
    for line in SERVER[shape]:
        message = m.read_server_message(line)

        assert message is not None
        assert json.loads(m.encode(message))["type"] == json.loads(line)["type"]
        assert m.read_server_message(m.encode(message)) == message


def test_every_type_of_the_table_has_a_sample() -> None:
    sampled = {json.loads(line)["type"] for line in [*SERVER[Shape.GA], *SERVER[Shape.BETA], *lines("client.jsonl")]}

    assert sampled == {
        str(kind.__struct_config__.tag) for kind in [*get_args(m.ServerMessage), *get_args(m.ClientMessage)]
    }


def test_a_message_of_gas_is_written_for_the_beta_in_its_own_words() -> None:
    for line in SERVER[Shape.GA]:
        message = m.read_server_message(line)
        assert message is not None
        written = m.encode(message, Shape.BETA)
        kind = json.loads(line)["type"]

        if kind in GA_ONLY_EVENTS:
            assert written == ""
            continue
        assert json.loads(written) == {**json.loads(m.encode(message)), "type": BETA_EVENTS.get(kind, kind)}
        again = m.read_server_message(written)
        assert isinstance(again, type(message)), "the beta's word is read as the same thing"


def test_an_items_parts_are_named_as_the_shape_names_them() -> None:
    item = m.Item(content=(m.Content(type="output_audio", transcript="x"), m.Content(type="input_text", text="y")))

    assert m.in_shape(item, Shape.GA) is item
    beta = m.in_shape(item, Shape.BETA)
    assert beta.content is not None
    assert [part.type for part in beta.content] == ["audio", "input_text"]
    assert m.in_shape(m.Item(type="function_call"), Shape.BETA) == m.Item(type="function_call")


@pytest.mark.parametrize("line", lines("server_unknown.jsonl"))
def test_a_type_that_the_table_lacks_means_nothing(line: str) -> None:
    assert m.read_server_message(line) is None


@pytest.mark.parametrize("case", cases("server_broken.jsonl"), ids=lambda case: str(case["why"]))
def test_what_a_server_must_not_send_is_named(case: dict[str, Any]) -> None:
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_server_message(case["data"])
    assert caught.value.code == case["code"]


@pytest.mark.parametrize("line", lines("client.jsonl"))
def test_what_a_client_sends_is_read_and_written_again(line: str) -> None:
    message = m.read_client_message(line)

    assert json.loads(m.encode(message)) == json.loads(line)
    assert m.read_client_message(m.encode(message)) == message


@pytest.mark.parametrize("case", cases("client_broken.jsonl"), ids=lambda case: str(case["why"]))
def test_what_a_client_must_not_send_is_named_with_the_field_and_the_message(case: dict[str, Any]) -> None:
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_client_message(case["data"])
    assert (caught.value.code, caught.value.param, caught.value.event_id) == (
        case["code"],
        case["param"],
        case["event_id"],
    )


def test_missing_padding_is_tolerated_both_ways() -> None:
    for kind in ("response.output_audio.delta", "response.audio.delta"):
        delta = m.read_server_message(f'{{"type":"{kind}","delta":"AAE","item_id":"i"}}')
        assert isinstance(delta, m.AudioDelta)
        assert (delta.delta, delta.item_id) == (b"\x00\x01", "i")
    append = m.read_client_message('{"type":"input_audio_buffer.append","audio":"AAE"}')
    assert append == m.InputAudioAppend(audio=b"\x00\x01")


def test_binary_messages_are_refused_both_ways() -> None:
    for read in (m.read_server_message, m.read_client_message):
        with pytest.raises(m.InvalidMessage) as caught:
            read(b'{"type":"response.create"}')
        assert caught.value.code == "invalid_event"


def test_json_nested_beyond_reason_is_no_more_than_an_invalid_message() -> None:
    deep = '{"type":"response.create","response":' + "[" * 100_000
    for read in (m.read_server_message, m.read_client_message):
        with pytest.raises(m.InvalidMessage):
            read(deep)


def test_a_frame_may_hold_so_many_characters_and_no_more() -> None:
    empty = '{"type":"response.create","x":""}'
    fits = '{"type":"response.create","x":"' + "a" * (m.MAX_FRAME_CHARS - len(empty)) + '"}'

    assert m.read_client_message(fits) == m.ResponseCreate()
    with pytest.raises(m.InvalidMessage):
        m.read_client_message(fits + " ")


def test_an_append_may_carry_so_much_sound_and_no_more() -> None:
    fits = m.InputAudioAppend(audio=bytes(m.MAX_AUDIO_BYTES))

    assert m.read_client_message(m.encode(fits)) == fits
    with pytest.raises(m.InvalidMessage) as caught:
        m.read_client_message(m.encode(m.InputAudioAppend(audio=bytes(m.MAX_AUDIO_BYTES + 1), event_id="e")))
    assert (caught.value.param, caught.value.event_id) == ("audio", "e")


@examples(60)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_whatever_a_field_holds_it_is_read_or_refused_by_name(value: Any) -> None:
    for line in (*SERVER[Shape.BETA], *lines("client.jsonl")):
        message = json.loads(line)
        for field in list(message)[1:]:
            for read in (m.read_server_message, m.read_client_message):
                with suppress(m.InvalidMessage):
                    read(json.dumps({**message, field: value}))

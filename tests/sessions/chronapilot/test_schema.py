"""The JSON Schema of the messages, held against the wire's samples; real sessions are in tests/assistant."""

import json
from typing import Any

import jsonschema
import pytest

from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.chronapilot.schema import schema

WHOLE = schema()


def side(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**WHOLE, "anyOf": [{"$ref": f"#/$defs/{name}"}]})


CLIENT, SERVER = side("ClientMessage"), side("ServerMessage")


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(WHOLE)


@pytest.mark.parametrize(
    "message",
    [
        m.SessionUpdate(session=m.SessionSettings(voice="sage", tools=("get_next_event",), output_format="pcm16")),
        m.AudioAppend(b"\0\0"),
        m.TextAppend("hello", event_id="e1"),
        m.ResponseCancel(),
        m.ActionConfirm("act_1"),
        m.ActionDecline("act_1", "later"),
        m.AudioCommit(),
        m.AudioClear(),
    ],
)
def test_what_our_client_sends_is_of_it(message: m.ClientMessage) -> None:
    CLIENT.validate(json.loads(m.encode(message)))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "audio.append"},
        {"type": "audio.append", "audio": 7},
        {"type": "action.confirm"},
        {"type": "text.append", "text": "x" * (m.MAX_TEXT_CHARS + 1)},
        {"type": "text.append", "text": "x", "event_id": "x" * (m.MAX_EVENT_ID_CHARS + 1)},
        {"type": "session.created", "session": {}},
    ],
)
def test_what_the_server_refuses_is_not(message: dict[str, Any]) -> None:
    assert not CLIENT.is_valid(message)


def test_fields_that_are_not_known_pass_as_the_product_wants_it() -> None:
    assert CLIENT.is_valid({"type": "action.confirm", "id": "act_1", "colour": "red"})
    assert SERVER.is_valid({"type": "transcript.final", "text": "hello", "seq": 7})

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant import chat_completions
from phone_bridge.assistant.chat_completions import ANSWER_BYTES, CALLS_MAX, Answer, ToolCall
from phone_bridge.errors import RemoteError
from phone_bridge.tools.calendar import CALENDAR_TOOLS


def event(**choice: Any) -> bytes:
    return b"data: " + json.dumps({"id": "chatcmpl-1", "choices": [{"index": 0, **choice}]}).encode() + b"\n\n"


def call(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    return {"index": index, "function": {"arguments": arguments, **more.pop("function", {})}, **more}


STREAM = b"".join(
    (
        b": a comment\n\n",
        event(delta={"role": "assistant", "content": ""}, finish_reason=None),
        event(delta={"content": "Let me "}),
        event(delta={"content": "see.", "reasoning": "not for us"}),
        event(delta={"tool_calls": [call(0, "", id="call_a", type="function", function={"name": "get_next_event"})]}),
        event(delta={"tool_calls": [call(1, '{"que', id="call_b", function={"name": "search_events"})]}),
        event(delta={"tool_calls": [call(1, 'ry": "déjeuner"}')]}),
        event(delta={}, finish_reason="tool_calls"),
        b'data: {"choices": [], "usage": {"total_tokens": 9}}\n\n',
        b"data: [DONE]\n\n",
    )
)


def read(pieces: Iterable[bytes], *, streamed: bool = True) -> tuple[str, list[ToolCall]]:
    answer = Answer(streamed=streamed)
    said = "".join(answer.push(piece) for piece in pieces)
    return said + answer.finish(), answer.calls


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, len(STREAM)), max_size=12))
def test_an_answer_is_read_however_the_network_cuts_it(cuts: list[int]) -> None:
    places = sorted({0, *cuts, len(STREAM)})
    said, calls = read(STREAM[begin:end] for begin, end in pairwise(places))
    assert said == "Let me see."
    assert calls == [ToolCall("call_a", "get_next_event", ""), ToolCall("call_b", "search_events", calls[1].arguments)]
    assert [each.parameters() for each in calls] == [{}, {"query": "déjeuner"}]


def test_an_answer_that_came_whole_is_read_too() -> None:
    message = {
        "content": "Done.",
        "tool_calls": [
            {"id": "x", "type": "function", "function": {"name": "get_next_event", "arguments": "{}"}},
            {"id": "y", "type": "function", "function": {"name": "search_events", "arguments": "{}"}},
        ],
    }
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    said, calls = read([body[:20], body[20:]], streamed=False)
    assert said == "Done."
    assert [each.id for each in calls] == ["x", "y"]


@pytest.mark.parametrize(
    "stream",
    [
        b"data: {nonsense}\n\n",
        b'data: {"choices": "none"}\n\n',
        b'data: {"error": {"message": "overloaded"}}\n\n',
        event(delta={"content": "Half an"}),
        b"",
        b"<html>502</html>",
        event(delta={"tool_calls": [call(index, "") for index in range(CALLS_MAX + 1)]}),
    ],
)
def test_what_is_no_whole_answer_is_an_error(stream: bytes) -> None:
    with pytest.raises(RemoteError):
        read([stream])


def test_an_answer_has_an_end() -> None:
    with pytest.raises(RemoteError, match=str(ANSWER_BYTES)):
        read([b":" * ANSWER_BYTES, b":"])


@pytest.mark.parametrize("arguments", ["{", "[]", '"text"', "null"])
def test_arguments_that_are_no_object_are_an_error(arguments: str) -> None:
    with pytest.raises(RemoteError):
        ToolCall(arguments=arguments).parameters()


def test_a_request_has_the_talk_and_the_tools_with_their_schemas() -> None:
    tools = [CALENDAR_TOOLS.find("cancel_event")]
    asked = chat_completions.request("http://here/", "k", "small", [{"role": "user", "content": "hi"}], tools)
    assert asked.url == "http://here/v1/chat/completions"
    assert asked.headers["Authorization"] == "Bearer k"
    body = json.loads(asked.body)
    assert (body["model"], body["stream"], body["messages"][0]["content"]) == ("small", True, "hi")
    (tool,) = body["tools"]
    assert tool["function"]["parameters"] == json.loads(json.dumps(tools[0].schema))


def test_without_key_and_tools_neither_is_sent() -> None:
    asked = chat_completions.request("http://here", "", "small", [], [])
    assert "Authorization" not in asked.headers
    assert "tools" not in json.loads(asked.body)

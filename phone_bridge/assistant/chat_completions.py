"""OpenAI's chat completions as values: the request, and the answer as it streams in (server-sent events).

Many servers speak this, so whatever is not needed is not read. What cannot be an answer raises RemoteError.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from phone_bridge.errors import RemoteError
from phone_bridge.exchange import Request
from phone_bridge.tools.catalogue import Tool

PATH = "/v1/chat/completions"
ANSWER_BYTES = 256 * 1024
"""A longer answer is nothing that one can say by telephone."""

CALLS_MAX = 16
"""How many tools one answer may call."""

_DATA, _DONE = b"data:", b"[DONE]"


class ToolCall(msgspec.Struct):
    """A tool that the model wants to be run; ``arguments`` are JSON as it wrote them."""

    id: str = ""
    name: str = ""
    arguments: str = ""

    def parameters(self) -> dict[str, Any]:
        """Read the arguments; raises RemoteError where they are no object."""
        try:
            read: Any = json.loads(self.arguments or "{}")
        except ValueError:
            raise RemoteError("the arguments are not JSON", code="bad_arguments") from None
        if not isinstance(read, dict):
            raise RemoteError("the arguments are no JSON object", code="bad_arguments")
        return read

    def plain(self) -> dict[str, Any]:
        """Write the call as a message of the assistant's holds it."""
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function = msgspec.field(default_factory=_Function)


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    error: Any = None


_chunk = msgspec.json.Decoder(_Chunk)


def request(url: str, key: str, model: str, messages: Sequence[Mapping[str, Any]], tools: Iterable[Tool]) -> Request:
    """Ask ``model`` to go on with ``messages``; ``url`` goes up to and without ``/v1``."""
    body: dict[str, Any] = {"model": model, "messages": list(messages), "stream": True, "temperature": 0}
    functions = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
        }
        for tool in tools
    ]
    if functions:
        body["tools"] = functions
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return Request(method="POST", url=url.rstrip("/") + PATH, headers=headers, body=msgspec.json.encode(body))


class Answer:
    """An answer as it comes in, in pieces cut anywhere; ``streamed`` is False where it comes whole instead."""

    def __init__(self, *, streamed: bool = True) -> None:
        self._streamed = streamed
        self._rest = b""
        self._size = 0
        self._calls: dict[int, ToolCall] = {}
        self._finished = False

    @property
    def calls(self) -> list[ToolCall]:
        """The tools that were called so far; whole once the answer is."""
        return [self._calls[index] for index in sorted(self._calls)]

    def push(self, piece: bytes) -> str:
        """Take in a piece and give the words that it brought; raises RemoteError."""
        self._size += len(piece)
        if self._size > ANSWER_BYTES:
            raise RemoteError(f"the model answered with over {ANSWER_BYTES} bytes", code="answer_too_big")
        self._rest += piece
        if not self._streamed:
            return ""
        *lines, self._rest = self._rest.split(b"\n")
        return "".join(self._line(line) for line in lines)

    def finish(self) -> str:
        """Know that nothing more comes, and give what was left; raises RemoteError for half an answer."""
        rest, self._rest = self._rest, b""
        said = self._line(rest) if self._streamed else self._read(rest)
        if not self._finished:
            raise RemoteError("the model's answer broke off", code="answer_cut")
        return said

    def _line(self, line: bytes) -> str:
        line = line.strip()
        if not line.startswith(_DATA):  # a comment, an event's name, or nothing
            return ""
        data = line[len(_DATA) :].strip()
        if data == _DONE:
            self._finished = True
            return ""
        return self._read(data)

    def _read(self, data: bytes) -> str:
        try:
            chunk = _chunk.decode(data)
        except msgspec.MsgspecError:
            raise RemoteError("the model's answer is no chat completion", code="bad_answer") from None
        if chunk.error is not None:
            raise RemoteError("the model's service failed while it answered", code="bad_answer")
        return "".join(self._choice(choice) for choice in chunk.choices[:1])

    def _choice(self, choice: _Choice) -> str:
        self._finished = self._finished or choice.finish_reason is not None
        said = choice.delta or choice.message or _Delta()
        for place, call in enumerate(said.tool_calls or ()):
            self._call(call if self._streamed else msgspec.structs.replace(call, index=place))
        return said.content or ""

    def _call(self, call: _Call) -> None:
        if call.index not in self._calls and len(self._calls) >= CALLS_MAX:
            raise RemoteError(f"the model called over {CALLS_MAX} tools at once", code="bad_answer")
        made = self._calls.setdefault(call.index, ToolCall(id=f"call_{call.index}"))
        made.id = call.id or made.id
        made.name += call.function.name or ""
        made.arguments += call.function.arguments or ""

"""A model's mind against a small service on the loopback that answers as OpenAI documents it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from phone_bridge.assistant import model_mind
from phone_bridge.assistant.model_mind import FAILURES_MAX, REST_MS, ModelMind, Service
from phone_bridge.assistant.ports import Move, Run, Say, Think
from phone_bridge.call.events import Action
from phone_bridge.tools.calendar import Prepared
from phone_bridge.tools.catalogue import Policy, Reach
from tests.assistant.engines.openai_peer import KEY, Handler, authorised, failure, with_peer
from tests.assistant.house import Script

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
PATH = "/v1/chat/completions"
TOOLS = frozenset({"get_next_event", "cancel_event"})
Chunks = list[dict[str, Any]]


def chunk(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "small", "choices": [choice]}


def calling(name: str, *arguments: str) -> Chunks:
    """Chunks that call a tool, its arguments in pieces, as the service streams them."""
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": piece}} for piece in arguments]
    return (
        [chunk(role="assistant", content=None, tool_calls=[first])]
        + [chunk(tool_calls=[piece]) for piece in pieces]
        + [chunk("tool_calls")]
    )


async def stream(
    request: web.Request, chunks: Chunks, between: Callable[[], Awaitable[None]] | None = None
) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    for each in chunks:
        await answer.write(b"data: " + json.dumps(each).encode() + b"\n\n")
        if between is not None:
            await between()
    await answer.write(b"data: [DONE]\n\n")
    await answer.write_eof()
    return answer


class Hall:
    """A mind, its grammar (which the test scripts), and what was done."""

    def __init__(self, url: str) -> None:
        self.grammar = Script()
        self.now = 0

        async def zone(user_id: str) -> str:
            return "Europe/Berlin"

        self.mind = ModelMind(
            Service(url=url, model="small", key=KEY),
            self.grammar,
            self.prepare,
            zone=zone,
            new_id=lambda prefix: f"{prefix}_1",
            now=lambda: self.now,
        )

    async def prepare(self, user_id: str, tool: str, parameters: Mapping[str, Any], *, policy: Policy) -> Prepared:
        action = Action(tool, dict(parameters))
        return Prepared(action=action, needs_consent=False, reach=Reach.NOTHING, reversible=True)

    async def turn(self, text: str = "what comes next") -> list[Move]:
        conversation = await self.mind.converse("usr_1", TOOLS)
        done: list[Move] = []
        for move in conversation.heard(text, NOW):
            if not isinstance(move, Think):
                done.append(move)
                continue
            async with aclosing(move.moves()) as coming:
                async for each in coming:
                    done.append(each)
                    if isinstance(each, Run):
                        conversation.ran(each.id, {"ok": True, "event": None}, NOW)
        return done


def said(moves: list[Move]) -> list[str]:
    return [move.text for move in moves if isinstance(move, Say)]


def turns(handler: Handler, count: int = 1) -> list[list[Move]]:
    async def story(url: str) -> list[list[Move]]:
        hall = Hall(url)
        hall.grammar.answers = {"what comes next": [Say("The grammar answers.")]}
        try:
            return [await hall.turn() for _ in range(count)]
        finally:
            await hall.mind.close()

    return with_peer({PATH: handler}, story)


def test_an_answer_is_spoken_while_the_model_goes_on() -> None:
    spoken = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        assert authorised(request)
        body = await request.json()
        assert (body["model"], body["stream"]) == ("small", True)
        assert {tool["function"]["name"] for tool in body["tools"]} == TOOLS
        chunks = [
            chunk(role="assistant", content=""),
            chunk(content="You are free. "),
            chunk(content="All day."),
            chunk("stop"),
        ]
        sent = iter(range(len(chunks)))

        async def between() -> None:
            if next(sent) == 1:
                async with asyncio.timeout(5):
                    await spoken.wait()

        return await stream(request, chunks, between)

    async def story(url: str) -> None:
        hall = Hall(url)
        conversation = await hall.mind.converse("usr_1", TOOLS)
        (think,) = conversation.heard("am i free", NOW)
        assert isinstance(think, Think)
        texts = []
        async for move in think.moves():
            assert isinstance(move, Say)
            texts.append(move.text)
            spoken.set()
        assert texts == ["You are free.", "All day."]
        await hall.mind.close()

    with_peer({PATH: answer}, story)


def test_a_tool_is_called_and_its_result_goes_back() -> None:
    asked: list[dict[str, Any]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        if len(asked) == 1:
            return await stream(request, calling("get_next_event", "{", "}"))
        return await stream(request, [chunk(content="Nothing is next."), chunk("stop")])

    (done,) = turns(answer)
    assert said(done) == ["Nothing is next."]
    *_, called, result = asked[1]["messages"]
    assert called["tool_calls"][0]["function"] == {"name": "get_next_event", "arguments": "{}"}
    assert result == {"role": "tool", "tool_call_id": "call_1", "content": '{"ok": true, "event": null}'}


def test_a_service_that_does_not_stream_is_understood_too() -> None:
    async def answer(request: web.Request) -> web.Response:
        choice = {"index": 0, "message": {"role": "assistant", "content": "All right."}, "finish_reason": "stop"}
        return web.json_response({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]})

    assert said(turns(answer)[0]) == ["All right."]


async def _overloaded(request: web.Request) -> web.StreamResponse:
    return failure(503, "The engine is overloaded.", "server_error")


async def _nonsense(request: web.Request) -> web.StreamResponse:
    return web.Response(text="data: {nonsense}\n\n", content_type="text/event-stream")


async def _half(request: web.Request) -> web.StreamResponse:
    return web.Response(text="data: " + json.dumps(chunk(content="Half an")) + "\n\n", content_type="text/event-stream")


async def _silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


@pytest.mark.parametrize("broken", [_overloaded, _nonsense, _half, _silent])
def test_where_the_service_fails_the_grammar_answers_the_same_turn(
    monkeypatch: pytest.MonkeyPatch, broken: Handler
) -> None:
    monkeypatch.setattr(model_mind, "PATIENCE_MS", 200)
    (done,) = turns(broken)
    assert said(done) == ["The grammar answers."]


def test_a_service_that_keeps_failing_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[int] = []

    async def fail(request: web.Request) -> web.StreamResponse:
        asked.append(1)
        return failure(500, "no")

    async def story(url: str) -> None:
        hall = Hall(url)
        hall.grammar.answers = {"what comes next": [Say("The grammar answers.")]}
        for _ in range(FAILURES_MAX + 2):
            assert said(await hall.turn()) == ["The grammar answers."]
        assert len(asked) == FAILURES_MAX
        hall.now += REST_MS
        await hall.turn()
        assert len(asked) == FAILURES_MAX + 1
        await hall.mind.close()

    with_peer({PATH: fail}, story)
    assert "the grammar answers" in caplog.text
    assert KEY not in caplog.text

"""What holds for every request, whatever its path."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from phone_bridge.app.guard import BODY_SECONDS, HEADERS, MAX_BODY_BYTES, Guard
from phone_bridge.app.operations import OPERATIONS
from phone_bridge.app.routes import PATHS
from tests.app.premises import Premises, json_of, play
from tests.clock import run_virtual

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}


def asked(
    *pieces: bytes, ends: bool = True, gone: bool = False, wait: float = 0.0
) -> tuple[list[Message], list[bytes]]:
    """Send a request in pieces, ``wait`` seconds before each; give what came back and the bodies that came through."""
    bodies: list[bytes] = []
    answers: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert message["more_body"] is False
        bodies.append(message["body"])
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Cache-Control", b"max-age=5")]})

    def messages() -> Iterator[Message]:
        for at, piece in enumerate(pieces, start=1):
            yield {"type": "http.request", "body": piece, "more_body": at < len(pieces) or not ends}
        while ends or gone:
            yield {"type": "http.disconnect"}

    async def run() -> None:
        coming = messages()

        async def receive() -> Message:
            await asyncio.sleep(wait)
            for message in coming:
                return message
            await asyncio.sleep(3600)
            raise AssertionError("waited for ever")

        async def send(message: Message) -> None:
            answers.append(message)

        await Guard(app)(SCOPE, receive, send)

    run_virtual(run())
    return answers, bodies


def test_a_body_comes_through_whole_and_then_whatever_follows() -> None:
    assert asked(b"he", b"l", b"lo")[1] == [b"hello"]
    assert asked(b"")[1] == [b""]


def test_a_body_may_be_so_long_and_no_longer() -> None:
    assert asked(b"x" * MAX_BODY_BYTES)[1] == [b"x" * MAX_BODY_BYTES]
    (start, body), through = asked(b"x" * MAX_BODY_BYTES, b"x", ends=False)
    assert (start["status"], through) == (413, [])
    assert b'"body_too_large"' in body["body"]
    assert (b"connection", b"close") in start["headers"]


def test_a_body_may_take_so_long_and_no_longer() -> None:
    assert asked(b"a", b"b", wait=BODY_SECONDS / 2 - 0.1)[1] == [b"ab"]
    (start, body), through = asked(b"a", ends=False)
    assert (start["status"], through) == (408, [])
    assert b'"body_too_slow"' in body["body"]


def test_who_has_gone_is_not_served() -> None:
    assert asked(b"a", ends=False, gone=True) == ([], [])


def test_what_an_answer_says_itself_is_not_said_twice() -> None:
    ((start,), _) = asked(b"")
    assert [value for name, value in start["headers"] if name.lower() == b"cache-control"] == [b"max-age=5"]


@pytest.mark.parametrize("scope", ["lifespan", "websocket"])
def test_all_else_passes_by(scope: str) -> None:
    passed: list[Any] = []

    async def app(*arguments: Any) -> None:
        passed.append(arguments)

    async def nothing() -> Message:
        raise AssertionError("asked")

    async def no_one(_: Message) -> None: ...

    run_virtual(Guard(app)({"type": scope}, nothing, no_one))
    assert passed == [({"type": scope}, nothing, no_one)]


def test_every_path_has_its_answers_guarded(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        endless = {each.path for each in OPERATIONS if each.endless}
        paths = {route.path.replace("{id}", "x") for route in PATHS if route.path not in endless} | {"/no/such/path"}
        pages = {"/docs", "/", "/monitor"}
        for path in sorted(paths):
            for method in ("GET", "POST"):
                answer = await house.ask(method, path)
                for name, value in HEADERS:
                    said = answer.headers[name.decode()]
                    assert said == value.decode() or (path in pages and "frame-ancestors 'none'" in said), path
        too_long = await house.ask("POST", "/v1/calls/call_1/end", body=b"x" * (MAX_BODY_BYTES + 1))
        assert (too_long.status, json_of(too_long)["error"]["code"]) == (413, "body_too_large")

    play(tmp_path, story)

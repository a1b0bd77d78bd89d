"""A small server on the loopback that speaks as OpenAI documents it, and fails as the test wishes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "sk-for-the-peer"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Result = TypeVar("Result")


def failure(status: int, message: str, kind: str = "invalid_request_error") -> web.Response:
    """An error in OpenAI's envelope."""
    return web.json_response({"error": {"message": message, "type": kind, "param": None, "code": None}}, status=status)


def authorised(request: web.Request) -> bool:
    return request.headers.get("Authorization") == f"Bearer {KEY}"


def with_peer(routes: dict[str, Handler], story: Callable[[str], Coroutine[None, None, Result]]) -> Result:
    """Serve POSTs to ``routes`` while ``story`` goes on, which is told the server's address."""

    async def told() -> Result:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        for path, handler in routes.items():
            app.router.add_post(path, handler)
        async with TestServer(app) as server:
            return await story(f"http://127.0.0.1:{server.port}")

    return asyncio.run(told())

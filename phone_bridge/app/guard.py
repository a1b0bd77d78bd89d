"""What holds for every HTTP request, whatever its path: how long its body may be and take, and what browsers may do."""

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from phone_bridge.app.envelopes import refused

MAX_BODY_BYTES = 512 * 1024
"""Longer bodies are refused; each path has a stricter limit of its own, with its own answer."""

BODY_SECONDS = 10.0
"""How long a body may take to arrive."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""What is added to every answer that does not say otherwise itself: nothing here is for a cache or for another page."""


class Guard:
    """Stands before ``app``: it sees a request once its whole body is there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _with_headers(send)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive)
        except TimeoutError:
            message = f"The body of the request did not arrive within {BODY_SECONDS:.0f} seconds."
            refusal = refused(scope, 408, "body_too_slow", message, {"Connection": "close"})
        except _TooLong:
            message = f"The body of a request has {MAX_BODY_BYTES} bytes at most."
            refusal = refused(scope, 413, "body_too_large", message, {"Connection": "close"})
        else:
            if body is not None:  # else the client has gone
                await self._app(scope, _again(body, receive), guarded)
            return
        await refusal(scope, receive, guarded)


class _TooLong(Exception):
    pass


async def _body(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _TooLong
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body once, and then whatever comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


def _with_headers(send: Send) -> Send:
    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_missing(message.get("headers", ()))]
        await send(message)

    return send_guarded


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    said = {name.lower() for name, _ in headers}
    return [(name, value) for name, value in HEADERS if name not in said]

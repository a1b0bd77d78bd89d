"""One HTTP exchange at a time, against servers on the loopback that behave and that do not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.http import RESPONSE_BYTES, HttpClient
from tests.runtime.serving import CERTIFICATE, PATIENCE_SECONDS
from tests.runtime.test_websocket_client import SECRET, answering

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ask(handler: Handler, *requests: Request, timeout_ms: int = 5_000) -> list[Response]:
    """Exchange ``requests``, whose URLs are paths, with a server made of one handler."""

    async def exchange() -> list[Response]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        async with TestServer(app) as server:
            http = HttpClient()
            try:
                asked = [_at(f"http://localhost:{server.port}/", request) for request in requests]
                return [await http.exchange(request, timeout_ms=timeout_ms) for request in asked]
            finally:
                await http.close()

    return asyncio.run(exchange())


def _at(base: str, request: Request) -> Request:
    return Request(method=request.method, url=base + request.url, headers=request.headers, body=request.body)


def get(path: str = f"?token={SECRET}") -> Request:
    return Request(method="GET", url=path, headers={"Authorization": f"Bearer {SECRET}"})


def failure(url: str) -> BridgeError:
    async def exchange() -> BridgeError:
        return await failing(url)

    return asyncio.run(exchange())


async def failing(url: str, timeout_ms: int = 5_000) -> BridgeError:
    """Ask in vain; no secret may come out."""
    http = HttpClient()
    try:
        with pytest.raises(BridgeError) as failed:
            await http.exchange(get(url), timeout_ms=timeout_ms)
    finally:
        await http.close()
    assert SECRET not in str(failed.value)
    assert failed.value.__cause__ is None
    return failed.value


def test_a_request_goes_out_as_it_was_made_and_the_answer_comes_back() -> None:
    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.path_qs, request.headers["X-Mine"], await request.read()))
        return web.Response(status=201, body=b"made", headers={"X-Theirs": "yes"})

    seen: list[object] = []
    request = Request(method="POST", url="v1/sessions?a=b%20c", headers={"X-Mine": "1"}, body=b'{"a":1}')
    (response,) = ask(answer, request)
    assert seen == [("POST", "/v1/sessions?a=b%20c", "1", b'{"a":1}')]
    assert (response.status, response.body) == (201, b"made")
    assert response.headers["x-theirs"] == "yes"


@pytest.mark.parametrize("status", [302, 401, 404, 429, 503])
def test_any_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere", "Retry-After": "3"})

    (response,) = ask(answer, get())
    assert response.status == status
    assert response.headers["retry-after"] == "3"


def test_no_cookie_is_kept() -> None:
    async def answer(request: web.Request) -> web.Response:
        response = web.Response(text=str("session" in request.cookies))
        response.set_cookie("session", "1")
        return response

    assert [response.body for response in ask(answer, get(), get())] == [b"False", b"False"]


@pytest.mark.parametrize("pieces", [1, 5])
def test_an_answer_over_the_limit_is_a_remote_error(pieces: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(pieces):
            await response.write(b"x" * (RESPONSE_BYTES // pieces + 1))
        return response

    with pytest.raises(RemoteError) as failed:
        ask(answer, get())
    assert failed.value.code == "response_too_big"


def test_an_answer_of_exactly_the_limit_is_read() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * RESPONSE_BYTES)

    (response,) = ask(answer, get())
    assert len(response.body) == RESPONSE_BYTES


def test_a_server_that_is_not_there_is_unavailable() -> None:
    error = failure(f"http://127.0.0.1:1/?token={SECRET}")
    assert isinstance(error, Unavailable)
    assert error.code == "unreachable"
    assert "127.0.0.1:1 " in str(error)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"])
def test_an_answer_that_breaks_off_is_unavailable(said: bytes) -> None:
    async def exchange() -> None:
        async with answering(said) as url:
            error = await failing(url.replace("ws:", "http:"))
            assert isinstance(error, Unavailable)
            assert error.code == "unreachable"

    asyncio.run(exchange())


def test_an_answer_that_is_not_http_is_a_remote_error() -> None:
    async def exchange() -> None:
        async with answering(b"220 mail.example ESMTP\r\n\r\n") as url:
            error = await failing(url.replace("ws:", "http:"))
            assert isinstance(error, RemoteError)
            assert error.code == "bad_response"

    asyncio.run(exchange())


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"])
def test_an_answer_that_takes_too_long_is_unavailable(said: bytes) -> None:
    async def exchange() -> None:
        async with answering(said, hold=True) as url:
            error = await failing(url.replace("ws:", "http:"), timeout_ms=50)
            assert isinstance(error, Unavailable)
            assert error.code == "timeout"

    asyncio.run(exchange())


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async def exchange() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATE)
        server = TestServer(web.Application())
        await server.start_server(ssl=tls)
        try:
            error = await failing(f"https://127.0.0.1:{server.port}/?token={SECRET}")
        finally:
            await server.close()
        assert isinstance(error, Refused)
        assert error.code == "certificate"

    asyncio.run(exchange())


@pytest.mark.parametrize("url", ["", "nowhere", f"http://user:{SECRET}@:99999999/", f"ftp://user:{SECRET}@host/"])
def test_an_address_that_cannot_be_asked_is_refused(url: str) -> None:
    error = failure(url)
    assert isinstance(error, Refused)
    assert error.code == "bad_address"


# Answers that are read as they come


def test_an_answer_can_be_read_while_it_is_still_made() -> None:
    async def story() -> None:
        read = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(status=206, headers={"X-Theirs": "yes"})
            await response.prepare(request)
            await response.write(b"first")
            async with asyncio.timeout(PATIENCE_SECONDS):
                await read.wait()
            await response.write(b"x" * (RESPONSE_BYTES + 1))
            return response

        async with _served(answer) as (http, url), http.stream(_at(url, get()), timeout_ms=5_000) as streamed:
            assert (streamed.status, streamed.headers["x-theirs"]) == (206, "yes")
            body = b""
            async for piece in streamed.chunks:
                body += piece
                read.set()
            assert body == b"first" + b"x" * (RESPONSE_BYTES + 1)

    asyncio.run(story())


def test_who_leaves_early_ends_the_connection() -> None:
    async def story() -> None:
        gone = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"more")
            try:
                await asyncio.sleep(10)
            finally:  # the test's server cancels who writes to nobody
                gone.set()
            return response

        async with _served(answer) as (http, url):
            async with http.stream(_at(url, get()), timeout_ms=5_000) as streamed:
                assert await anext(streamed.chunks)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await gone.wait()

    asyncio.run(story())


def test_a_server_that_falls_silent_within_its_answer_is_unavailable() -> None:
    async def story() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"first")
            await asyncio.sleep(5)
            return response

        async with _served(answer) as (http, url), http.stream(_at(url, get()), timeout_ms=200) as streamed:
            assert await anext(streamed.chunks) == b"first"
            with pytest.raises(Unavailable, match="within 200 ms") as failed:
                await anext(streamed.chunks)
            assert SECRET not in str(failed.value)

    asyncio.run(story())


def test_nobody_to_stream_from_is_unavailable() -> None:
    async def story() -> None:
        http = HttpClient()
        with pytest.raises(Unavailable, match="could not be reached"):
            async with http.stream(get("http://127.0.0.1:1/"), timeout_ms=1_000):
                raise AssertionError("nobody answers")
        await http.close()

    asyncio.run(story())


@asynccontextmanager
async def _served(handler: Handler) -> AsyncIterator[tuple[HttpClient, str]]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        http = HttpClient()
        try:
            yield http, f"http://localhost:{server.port}/"
        finally:
            await http.close()

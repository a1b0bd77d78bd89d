"""Dialling, against another library's server and against servers that say what no server should."""

import asyncio
import base64
import gc
import hashlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.runtime.websocket_client import dial
from tests.runtime.net import CLOSE, CONTINUATION, TEXT, frame, read_frames
from tests.runtime.serving import CERTIFICATE, LOOPS, until
from tests.runtime.test_sockets import Ear

SECRET = "s3cret"
Run = Callable[[Coroutine[Any, Any, None]], None]


async def echo(peer: ServerConnection) -> None:
    async for message in peer:
        await peer.send(message)


def url_of(server: Server, scheme: str = "ws") -> str:
    return f"{scheme}://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/realtime?token={SECRET}"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve_one: Serve) -> AsyncIterator[str]:
    """A server by hand; at the end every connection to it must be over."""
    served: set[asyncio.StreamWriter] = set()

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(writer)
        try:
            await serve_one(reader, writer)
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass  # the client was the first to drop it
        served.discard(writer)

    async with await asyncio.start_server(serve_and_close, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/?token={SECRET}"
        await until(lambda: not served)


def answering(answer: bytes, *, hold: bool = False) -> AbstractAsyncContextManager[str]:
    """A server that gives ``answer`` to whatever is asked."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if hold:
            await reader.read()

    return listening(serve_one)


async def failure(url: str, **options: Any) -> BridgeError:
    """Dial in vain; no secret may come out."""
    with pytest.raises(BridgeError) as failed:
        await dial(url, headers={"Authorization": f"Bearer {SECRET}"}, **options)
    assert SECRET not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


# What works


@pytest.mark.parametrize("run", LOOPS)
def test_messages_go_both_ways(run: Run) -> None:
    async def talk() -> None:
        async with serve(echo, "127.0.0.1", 0) as server:
            socket, ear = await dial(url_of(server)), Ear()
            socket.attach(ear)
            said: list[str | bytes] = ["", "a", "ü" * 40_000, b"\x00" * 300_000, b""]
            for message in said:
                socket.send(message)
            await until(lambda: ear.heard == said)
            socket.close(4000, "enough")
            await socket.wait_closed()
            assert ear.ends == [(4000, "enough")]

    run(talk())


def test_the_server_sees_what_was_asked_for_and_nothing_else() -> None:
    requests: list[Request] = []

    def look(_peer: ServerConnection, request: Request) -> None:
        requests.append(request)

    async def talk() -> None:
        subprotocols = [Subprotocol("realtime"), Subprotocol("key")]
        async with serve(echo, "127.0.0.1", 0, subprotocols=subprotocols, process_request=look) as server:
            url = url_of(server)
            socket = await dial(url, headers={"Authorization": "Bearer x"}, subprotocols=["realtime", "key"])
            socket.close()
            await socket.wait_closed()
            assert requests[0].path == f"/v1/realtime?token={SECRET}"
            assert requests[0].headers["Host"] == url.split("/")[2]
            assert requests[0].headers["Authorization"] == "Bearer x"
            assert requests[0].headers["Sec-WebSocket-Protocol"] == "realtime, key"
            assert "Sec-WebSocket-Extensions" not in requests[0].headers

    asyncio.run(talk())


def test_what_comes_before_a_listener_is_kept_for_it() -> None:
    async def greet(peer: ServerConnection) -> None:
        for number in range(100):
            await peer.send(str(number))
        await peer.close(4001, "that was all")

    async def talk() -> None:
        async with serve(greet, "127.0.0.1", 0) as server:
            socket, ear = await dial(url_of(server)), Ear()
            await socket.wait_closed()
            socket.attach(ear)
            assert ear.heard == [str(number) for number in range(100)]
            assert ear.ends == [(4001, "that was all")]

    asyncio.run(talk())


@pytest.mark.parametrize("run", LOOPS)
def test_certificates_are_verified(run: Run) -> None:
    async def talk() -> None:
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(CERTIFICATE)
        async with serve(echo, "127.0.0.1", 0, ssl=ours) as server:
            url = url_of(server, "wss")
            error = await failure(url)
            assert isinstance(error, Refused)
            assert error.code == "certificate"
            socket, ear = await dial(url, tls=ssl.create_default_context(cafile=CERTIFICATE)), Ear()
            socket.attach(ear)
            socket.send("x" * 100_000)
            await until(lambda: ear.heard == ["x" * 100_000])
            socket.close()
            await socket.wait_closed()

    run(talk())


# What does not


@pytest.mark.parametrize("status", [500, 503, 520, 429])
def test_a_server_in_trouble_is_unavailable(status: int) -> None:
    async def talk() -> None:
        async with answering(b"HTTP/1.1 %d Oh\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n" % status) as url:
            error = await failure(url)
            assert isinstance(error, Unavailable)
            assert (error.code, error.retry_after_ms) == (f"http_{status}", 7000)

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("value", "wait_ms"),
    [
        ("", None),
        ("soon", None),
        ("-1", None),
        ("0", 0),
        (format_datetime(datetime(2000, 1, 1, tzinfo=UTC), usegmt=True), 0),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True), 3_600_000),
    ],
    ids=["none", "words", "negative", "seconds", "long ago", "in an hour"],
)
def test_when_to_come_again_may_be_seconds_or_a_date(value: str, wait_ms: int | None) -> None:
    async def talk() -> None:
        async with answering(f"HTTP/1.1 503 Oh\r\nRetry-After: {value}\r\n\r\n".encode()) as url:
            error = await failure(url)
            assert isinstance(error, Unavailable)
            if wait_ms:
                assert error.retry_after_ms is not None
                assert abs(error.retry_after_ms - wait_ms) < 900_000
            else:
                assert error.retry_after_ms == wait_ms

    asyncio.run(talk())


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 426])
def test_a_server_that_declines_is_believed(status: int) -> None:
    async def talk() -> None:
        async with answering(b"HTTP/1.1 %d No\r\nlocation: ws://127.0.0.1:1/\r\n\r\n" % status) as url:
            error = await failure(url)
            assert isinstance(error, Refused)
            assert error.code == f"http_{status}"

    asyncio.run(talk())


ACCEPT = b"HTTP/1.1 101 Go\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
NO_HANDSHAKES = {
    "a page": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
    "another protocol": b"220 mail.example ESMTP\r\n\r\n",
    "no key": ACCEPT + b"\r\n",
    "a wrong key": ACCEPT + b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    "headers without end": b"HTTP/1.1 101 Go\r\nx: " + b"x" * 20_000,
}


@pytest.mark.parametrize("answer", NO_HANDSHAKES)
def test_an_answer_that_is_no_handshake_is_a_remote_error(answer: str) -> None:
    async def talk() -> None:
        async with answering(NO_HANDSHAKES[answer]) as url:
            error = await failure(url)
            assert isinstance(error, RemoteError)
            assert error.code == "bad_handshake"

    asyncio.run(talk())


@pytest.mark.parametrize(
    "chosen", [("Sec-WebSocket-Protocol", "other"), ("Sec-WebSocket-Extensions", "permessage-deflate")]
)
def test_what_was_not_offered_cannot_be_chosen(chosen: tuple[str, str]) -> None:
    def choose(_peer: ServerConnection, _request: Request, response: Response) -> None:
        response.headers[chosen[0]] = chosen[1]

    async def talk() -> None:
        async with serve(echo, "127.0.0.1", 0, compression=None, process_response=choose) as server:
            error = await failure(url_of(server), subprotocols=["mine"])
            assert isinstance(error, RemoteError)
            assert error.code == "bad_handshake"
            await until(lambda: not server.connections)

    asyncio.run(talk())


def test_a_server_that_is_not_there_is_unavailable() -> None:
    async def talk() -> None:
        async with answering(b"") as url:
            error = await failure(url)
            assert isinstance(error, Unavailable)
            assert (error.code, "closed" in str(error)) == ("unreachable", True)
        error = await failure(url)
        assert isinstance(error, Unavailable)
        assert error.code == "unreachable"
        assert isinstance(await failure("ws://no-such-host.invalid/"), Unavailable)

    asyncio.run(talk())


def test_a_server_that_does_not_answer_is_unavailable_in_time() -> None:
    async def talk() -> None:
        async with answering(b"HTTP/1.1 101", hold=True) as url:
            start = time.monotonic()
            error = await failure(url, timeout_ms=50)
            assert 0.04 < time.monotonic() - start < 2
            assert isinstance(error, Unavailable)
            assert error.code == "timeout"

    asyncio.run(talk())


@pytest.mark.parametrize("run", LOOPS)
def test_a_dial_that_is_cancelled_leaves_no_connection(run: Run) -> None:
    async def talk() -> None:
        asked = asyncio.Event()

        async def serve_one(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            assert await reader.read() == b""

        async with listening(serve_one) as url:
            dialling = asyncio.create_task(dial(url))
            await asked.wait()
            dialling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dialling

    run(talk())


@pytest.mark.parametrize(
    "url",
    ["http://host/", "ws:///path", "ws://host:port/", "ws://ho st/", "ws://host/\r\nx: y", "ws://hüst/", "ws://[::1/"],
)
def test_an_address_that_is_none_is_a_remote_error(url: str) -> None:
    error = asyncio.run(failure(url))
    assert isinstance(error, RemoteError)
    assert error.code == "bad_address"


def test_a_header_cannot_carry_another() -> None:
    async def talk() -> None:
        with pytest.raises(RemoteError, match="control character"):
            await dial("ws://host/", headers={"Authorization": "Bearer x\r\nHost: other"})

    asyncio.run(talk())


# What a server does later


def shaking_hands(sent: bytes, came: bytearray) -> AbstractAsyncContextManager[str]:
    """A server that shakes hands properly, sends ``sent``, and keeps what comes until a close frame is among it."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324 - RFC 6455, 4.2.2
        writer.write(ACCEPT + b"sec-websocket-accept: " + base64.b64encode(digest) + b"\r\n\r\n" + sent)
        while all(read.opcode != CLOSE for read in read_frames(bytes(came))):
            came.extend(await reader.read(1000))

    return listening(serve_one)


VIOLATIONS = {
    "a masked frame": (frame(TEXT, b"a"), 1002),
    "a frame over the limit": (frame(TEXT, b"a" * 101, mask=b""), 1009),
    "fragments over the limit": (
        frame(TEXT, b"a" * 60, fin=False, mask=b"") + frame(CONTINUATION, b"a" * 60, mask=b""),
        1009,
    ),
    "text that is none": (frame(TEXT, b"\xff", mask=b""), 1007),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
@pytest.mark.parametrize("run", LOOPS)
def test_a_servers_violation_ends_the_socket_and_raises_nowhere(violation: str, run: Run) -> None:
    sent, code = VIOLATIONS[violation]

    async def talk() -> None:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
        async with shaking_hands(sent, bytearray()) as url:
            socket, ear = await dial(url, max_size=100), Ear()
            socket.attach(ear)
            await socket.wait_closed()
            assert ear.ends[0][0] == code
            del socket
        await asyncio.sleep(0.02)  # picows keeps hold of a connection for 10 ms after a violation
        gc.collect()
        assert reported == []

    run(talk())


def test_a_servers_close_is_answered_masked_and_told() -> None:
    async def talk() -> None:
        came = bytearray()
        closing = frame(CLOSE, (4002).to_bytes(2) + b"time is up", mask=b"")
        async with shaking_hands(frame(TEXT, b"a", mask=b"") + closing, came) as url:
            socket, ear = await dial(url), Ear()
            socket.attach(ear)
            await socket.wait_closed()
            assert ear.heard == ["a"]
            assert ear.ends == [(4002, "time is up")]
            assert came[1] & 0x80
            assert next(read_frames(bytes(came))).payload == (4002).to_bytes(2)

    asyncio.run(talk())

"""The server's side: in memory and virtual time against bytes by hand, and on the loopback against other libraries."""

import asyncio
import gc
import logging
import socket as sockets
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvicorn
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from phone_bridge.errors import LocalError
from phone_bridge.runtime.sockets import FRAMES_EXTENSION, INBOX_MESSAGES, Socket, accept
from phone_bridge.runtime.websocket import FrameLine
from phone_bridge.runtime.websocket_server import EARLY_BYTES, SECRET_CHARS, UVICORN_OPTIONS, PicowsProtocol
from tests.clock import run_virtual, settle
from tests.runtime.net import BINARY, CLOSE, PING, TEXT, Frame, Net, close_frame, frame
from tests.runtime.serving import CERTIFICATE, LOOPS, PATIENCE_SECONDS, serving, until
from tests.runtime.test_sockets import Ear, virtual

HANDSHAKE = (
    b"GET /media%20in?token=secret HTTP/1.1\r\nhost: bridge\r\nupgrade: websocket\r\n"
    b"connection: keep-alive, Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: a, b\r\n"
    b"sec-websocket-extensions: permessage-deflate\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
Step = Callable[[Scope, Receive, Send], Awaitable[None]]


FAILURES: list[BaseException] = []


@pytest.fixture(autouse=True)
def _no_application_failed() -> Iterator[None]:
    """Raise what an application asserted in vain, for a server catches everything."""
    FAILURES.clear()
    yield
    if FAILURES:
        raise FAILURES[0]


class Connection:
    """One connection of uvicorn's in memory, from the moment uvicorn hands it over."""

    def __init__(self, app: Step, handshake: bytes = HANDSHAKE, **options: Any) -> None:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except (AssertionError, pytest.fail.Exception) as failure:
                FAILURES.append(failure)
                raise

        config = uvicorn.Config(watched, log_config=None, **{**UVICORN_OPTIONS, "loop": "asyncio", **options})
        config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"server", b"test")]
        self.protocol = PicowsProtocol(config, self.state, {"shared": "state"})
        self.net = Net(self.protocol)
        self.protocol.connection_made(self.net)
        self.protocol.data_received(handshake)

    async def answer(self) -> bytes:
        """What the server says to the handshake."""
        await settle()
        return self.net.take()

    def gone(self) -> bool:
        return self.net.lost and not self.state.connections and not self.state.tasks


async def accepting(receive: Receive, send: Send, **details: Any) -> None:
    assert await receive() == {"type": "websocket.connect"}
    await send({"type": "websocket.accept", **details})


# The handshake


@virtual
async def test_the_application_sees_the_whole_request() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(dict(scope))
        await accepting(receive, send)

    await Connection(app, root_path="/base").answer()
    scope = scopes[0]
    assert set(scope.pop("extensions")) == {"websocket.http.response", FRAMES_EXTENSION}
    headers = dict(scope.pop("headers"))
    assert headers[b"host"] == b"bridge"
    assert headers[b"connection"] == b"keep-alive, Upgrade"
    assert scope == {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("192.0.2.2", 80),
        "client": ("192.0.2.1", 5000),
        "root_path": "/base",
        "path": "/base/media in",
        "raw_path": b"/base/media%20in",
        "query_string": b"token=secret",
        "subprotocols": ["a", "b"],
        "state": {"shared": "state"},
    }


@virtual
async def test_an_accepted_handshake_is_answered_without_extensions() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send, subprotocol="b", headers=[(b"x-more", b"yes")])
        await receive()

    connection = Connection(app)
    head = (await connection.answer()).decode().lower()
    assert head.startswith("http/1.1 101 ")
    assert "\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n" in head
    assert "\r\nsec-websocket-protocol: b\r\n" in head
    assert "\r\nx-more: yes\r\n" in head
    assert "\r\nserver: test\r\n" in head
    assert "sec-websocket-extensions" not in head


@virtual
async def test_a_flawed_handshake_never_reaches_the_application() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        pytest.fail("asked")

    connection = Connection(app, HANDSHAKE.replace(b"-version: 13", b"-version: 12"))
    assert (await connection.answer()).startswith(b"HTTP/1.1 426 ")
    assert connection.gone()


@virtual
async def test_a_hasty_clients_messages_are_heard_after_the_accept() -> None:
    heard: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(1)
        await accepting(receive, send)
        heard.append(await receive())

    connection = Connection(app)
    for piece in (frame(TEXT, b"hello")[:4], frame(TEXT, b"hello")[4:]):
        connection.net.feed(piece)
    await asyncio.sleep(2)
    assert heard == [{"type": "websocket.receive", "text": "hello"}]


@virtual
async def test_a_client_too_hasty_to_be_kept_is_dropped() -> None:
    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "websocket.disconnect"

    connection = Connection(app)
    await settle()
    connection.net.feed(b"x" * (EARLY_BYTES + 1))
    await settle()
    assert connection.gone()


@virtual
async def test_a_client_that_leaves_before_the_answer_is_told_to_the_application() -> None:
    ends: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        ends.append(await receive())
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.accept"})
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.close"})

    connection = Connection(app)
    await settle()
    connection.net.hang_up()
    await settle()
    assert ends == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]
    assert connection.gone()


@virtual
async def test_an_accept_while_the_connection_breaks_is_no_accept() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        connection.net.hang_up()
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.accept"})

    connection = Connection(app)
    assert await connection.answer() == b""
    assert connection.gone()


# Refusals


@virtual
async def test_a_close_before_the_accept_is_403() -> None:
    ends: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 4000})
        ends.append(await receive())

    connection = Connection(app)
    answer = await connection.answer()
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\nserver: test\r\n")
    assert answer.endswith(b"content-length: 0\r\nconnection: close\r\n\r\n")
    assert ends == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]
    assert connection.gone()


@virtual
async def test_an_application_may_answer_with_any_response() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = PlainTextResponse("who are you?", 401, headers={"www-authenticate": "Bearer"})
        await WebSocket(scope, receive, send).send_denial_response(response)

    connection = Connection(app)
    head, _, body = (await connection.answer()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"\r\nwww-authenticate: Bearer\r\n" in head
    assert body == b"who are you?"
    assert connection.gone()


@virtual
async def test_a_response_in_pieces_is_written_when_it_is_whole() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": 503})
        await send({"type": "websocket.http.response.body", "body": b"la", "more_body": True})
        await asyncio.sleep(1)
        await send({"type": "websocket.http.response.body", "body": b"ter"})

    connection = Connection(app)
    assert await connection.answer() == b""
    await asyncio.sleep(2)
    assert (await connection.answer()).endswith(b"\r\ncontent-length: 5\r\nconnection: close\r\n\r\nlater")


async def fail_before(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ValueError("ours")


async def return_before(_scope: Scope, receive: Receive, _send: Send) -> None:
    await receive()


@pytest.mark.parametrize("app", [fail_before, return_before])
def test_an_application_without_an_answer_is_500(app: Step, caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> None:
        connection = Connection(app)
        assert (await connection.answer()).startswith(b"HTTP/1.1 500 ")
        assert connection.gone()

    run_virtual(ask())
    assert ("Exception in ASGI application" in caplog.text) == (app is fail_before)


@virtual
async def test_an_application_that_leaves_a_response_unfinished_is_cut_off() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": 503})

    connection = Connection(app)
    assert await connection.answer() == b""
    assert connection.gone()


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/media%20in?token=secret", "/media in"),
        ("/lines/office/media/" + "secret" * 20, "/lines/office/media/…"),
        ("/" + "a" * (SECRET_CHARS - 1), "/" + "a" * (SECRET_CHARS - 1)),
    ],
)
def test_what_is_logged_of_a_handshake_holds_no_secret(
    path: str, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)

    async def ask() -> None:
        await Connection(app, HANDSHAKE.replace(b"/media%20in?token=secret", path.encode())).answer()

    caplog.set_level(logging.INFO)
    run_virtual(ask())
    assert f'192.0.2.1:5000 - "WebSocket {logged}" [accepted]' in caplog.text
    assert "secret" not in caplog.text


# Messages by ASGI


@virtual
async def test_messages_go_both_ways_and_the_clients_close_is_told_after_them() -> None:
    heard: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        await send({"type": "websocket.send", "text": "a"})
        await send({"type": "websocket.send", "bytes": b"b", "text": None})
        heard.extend([await receive() for _ in range(4)])

    connection = Connection(app)
    await connection.answer()
    connection.net.feed(frame(TEXT, b"c") + frame(BINARY, b"d") + close_frame(4000, "bye"))
    await settle()
    assert heard == [
        {"type": "websocket.receive", "text": "c"},
        {"type": "websocket.receive", "bytes": b"d"},
        *[{"type": "websocket.disconnect", "code": 4000, "reason": "bye"}] * 2,
    ]
    assert connection.gone()


@virtual
async def test_an_application_that_only_sends_reaches_a_client_that_only_listens() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        await send({"type": "websocket.send", "text": "a"})
        await send({"type": "websocket.close", "code": 4000, "reason": "that was all"})

    connection = Connection(app)
    await settle()
    frames = connection.net.take().partition(b"\r\n\r\n")[2]
    assert frames == b"\x81\x01a" + b"\x88\x0e" + (4000).to_bytes(2) + b"that was all"
    connection.net.feed(close_frame(4000))
    await settle()
    assert connection.gone()


@virtual
async def test_an_application_that_returns_closes_with_1000() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)

    connection = Connection(app)
    await settle()
    assert connection.net.take().endswith(b"\r\n\r\n\x88\x02" + (1000).to_bytes(2))


@virtual
async def test_an_application_that_fails_closes_with_1011() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        raise ValueError("ours")

    connection = Connection(app)
    await settle()
    assert connection.net.take().endswith(b"\r\n\r\n\x88\x02" + (1011).to_bytes(2))


@virtual
async def test_what_no_application_may_say_now_is_its_mistake() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for wrong in ("websocket.send", "websocket.http.response.body", "http.response.start"):
            with pytest.raises(RuntimeError, match=f"'{wrong}' when asked"):
                await send({"type": wrong})
        await send({"type": "websocket.accept"})
        with pytest.raises(RuntimeError, match=r"'websocket\.accept' when open"):
            await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        with pytest.raises(RuntimeError, match=r"'websocket\.send' when done"):
            await send({"type": "websocket.send", "text": "a"})
        done.append(True)

    done: list[bool] = []
    await Connection(app).answer()
    assert done


@virtual
async def test_sending_to_a_client_that_has_closed_raises_as_servers_do() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        connection.net.feed(close_frame(1000))
        with pytest.raises(OSError):
            await send({"type": "websocket.send", "text": "a"})
        await send({"type": "websocket.close"})
        await receive()
        with pytest.raises(OSError):
            await send({"type": "websocket.send", "text": "a"})
        done.append(True)

    done: list[bool] = []
    connection = Connection(app)
    await settle()
    assert done
    assert connection.gone()


@virtual
async def test_an_application_waits_for_a_slow_client_and_drops_nothing() -> None:
    sent: list[int] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        for number in range(1000):
            await send({"type": "websocket.send", "bytes": b"x" * 1000})
            sent.append(number)
        await receive()

    connection = Connection(app)
    connection.net.stuck = True
    await settle()
    assert 60 < len(sent) < 70
    connection.net.unstick()
    await settle()
    assert len(sent) == 1000
    frames = connection.net.take().partition(b"\r\n\r\n")[2]
    assert frames.count(b"\x82\x7e") == 1000


@virtual
async def test_an_application_that_does_not_receive_stops_the_reading() -> None:
    heard: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        await receive()
        await asyncio.sleep(100)
        heard.extend([await receive() for _ in range(9)])
        await receive()

    connection = Connection(app, ws_max_queue=4, ws_ping_interval=None)
    await settle()
    for number in range(10):
        connection.net.feed(frame(TEXT, str(number).encode()))
        await settle()
    assert not connection.net.reading
    await asyncio.sleep(200)
    assert [message["text"] for message in heard] == list("123456789")
    assert connection.net.reading
    assert connection.state.connections


@virtual
async def test_what_came_before_the_first_receive_stops_the_reading_too() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        await asyncio.sleep(1)
        heard.append(await receive())
        await asyncio.sleep(1)
        await send({"type": "websocket.close"})
        await asyncio.sleep(1)

    heard: list[Message] = []
    connection = Connection(app, ws_max_queue=4)
    await settle()
    for number in range(INBOX_MESSAGES + 1):
        connection.net.feed(frame(TEXT, str(number).encode()))
    assert not connection.net.reading
    await asyncio.sleep(1.5)
    assert [message["text"] for message in heard] == ["0"]
    assert not connection.net.reading
    connection.net.feed(close_frame(1000))
    await asyncio.sleep(0.6)
    assert connection.net.lost  # by the answer to our close, which is read although nothing else was


@virtual
async def test_pings_are_those_of_uvicorns_settings() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        ends.append(await receive())

    ends: list[Message] = []
    connection = Connection(app, ws_ping_interval=3, ws_ping_timeout=2)
    await connection.answer()
    await asyncio.sleep(3.01)
    assert connection.net.frames() == [Frame(PING, b"")]
    await asyncio.sleep(2)
    assert ends == [{"type": "websocket.disconnect", "code": 1006, "reason": "ping_timeout"}]
    assert connection.gone()


@virtual
async def test_uvicorns_settings_may_turn_pings_off() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        await receive()

    connection = Connection(app, ws_ping_interval=None, ws_ping_timeout=None)
    await connection.answer()
    await asyncio.sleep(1000)
    assert connection.net.frames() == []


# Frames taken by the application


@virtual
async def test_frames_are_taken_once_and_only_after_the_accept() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        take = scope["extensions"][FRAMES_EXTENSION]["take"]
        with pytest.raises(LocalError):
            take()
        await accepting(receive, send)
        socket = take()
        with pytest.raises(LocalError):
            take()
        socket.attach(ear)
        ends.append(await receive())

    ear, ends = Ear(), list[Message]()
    connection = Connection(app)
    await connection.answer()
    connection.net.feed(frame(TEXT, b"a") + close_frame(1001))
    await settle()
    assert ear.heard == ["a"]
    assert ear.ends == [(1001, "")]
    assert ends == [{"type": "websocket.disconnect", "code": 1001, "reason": ""}]
    assert connection.gone()


@virtual
async def test_frames_cannot_be_taken_from_an_application_that_receives() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        assert (await receive())["text"] == "a"
        with pytest.raises(LocalError, match="ASGI's receive"):
            scope["extensions"][FRAMES_EXTENSION]["take"]()
        done.append(True)

    done: list[bool] = []
    connection = Connection(app)
    await connection.answer()
    connection.net.feed(frame(TEXT, b"a"))
    await settle()
    assert done


# The server stops


@virtual
async def test_a_stopping_server_closes_with_1012() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        ends.append(await receive())

    ends: list[Message] = []
    connection = Connection(app)
    await connection.answer()
    connection.protocol.shutdown()
    assert connection.net.frames() == [Frame(CLOSE, (1012).to_bytes(2))]
    await asyncio.sleep(1)
    assert ends == [{"type": "websocket.disconnect", "code": 1012, "reason": ""}]
    assert connection.gone()


@virtual
async def test_a_stopping_server_refuses_whoever_still_waits() -> None:
    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "websocket.disconnect"

    connection = Connection(app)
    await settle()
    connection.protocol.shutdown()
    assert (await connection.answer()).startswith(b"HTTP/1.1 503 ")
    assert connection.gone()


@virtual
async def test_a_cancelled_application_leaves_no_connection() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await accepting(receive, send)
        await asyncio.sleep(1000)

    connection = Connection(app)
    await connection.answer()
    for task in connection.state.tasks:
        task.cancel()
    await asyncio.sleep(1)
    assert connection.gone()


# On the loopback


async def plain_echo(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol=next(iter(websocket.scope["subprotocols"]), None))
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                break
            await websocket.send({**message, "type": "websocket.send"})
    except WebSocketDisconnect:
        pass


class Echo:
    """Sends back what it hears."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def message(self, data: str | bytes) -> None:
        self._socket.send(data)

    def closed(self, code: int, reason: str) -> None:
        pass


async def frame_echo(websocket: WebSocket) -> None:
    socket = await accept(websocket)
    socket.attach(Echo(socket))
    await socket.wait_closed()


async def deny(websocket: WebSocket) -> None:
    await websocket.send_denial_response(JSONResponse({"error": "no"}, 403, headers={"x-why": "because"}))


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def application() -> ASGIApp:
    return Starlette(
        routes=[
            Route("/hello", hello),
            WebSocketRoute("/plain", plain_echo),
            WebSocketRoute("/frames", frame_echo),
            WebSocketRoute("/deny", deny),
        ]
    )


@pytest.mark.parametrize("run", LOOPS)
@pytest.mark.parametrize("path", ["plain", "frames"])
def test_another_librarys_client_is_served(path: str, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def talk() -> None:
        async with serving(application()) as server, connect(f"{server.url}/{path}") as peer:
            assert peer.response is not None
            assert "Sec-WebSocket-Extensions" not in peer.response.headers
            for message in ("", "a", "ü" * 40_000, b"", b"\x00" * 300_000):
                await peer.send(message)
                assert await peer.recv() == message
            await peer.send(["in ", "three ", "pieces"])
            assert await peer.recv() == "in three pieces"
            await asyncio.wait_for(await peer.ping(), PATIENCE_SECONDS)
            await peer.close(4001, "enough")
            assert peer.close_code == 4001

    run(talk())


@pytest.mark.parametrize("run", LOOPS)
def test_picows_own_client_is_served(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    class Client(WSListener):
        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type is WSMsgType.TEXT:
                heard.append(frame.get_payload_as_utf8_text())

    heard: list[str] = []

    async def talk() -> None:
        async with serving(application()) as server:
            transport, _ = await ws_connect(Client, f"{server.url}/frames")
            transport.send(WSMsgType.TEXT, b"in ", fin=False)
            transport.send_ping(b"are you there?")
            transport.send(WSMsgType.CONTINUATION, b"pieces")
            await until(lambda: heard == ["in pieces"])
            transport.send_close()
            await transport.wait_disconnected()

    run(talk())


def test_subprotocols_and_denials_reach_another_librarys_client() -> None:
    async def talk() -> None:
        async with serving(application()) as server:
            async with connect(f"{server.url}/plain", subprotocols=[Subprotocol("x"), Subprotocol("y")]) as peer:
                assert peer.subprotocol == "x"
            with pytest.raises(InvalidStatus) as denied:
                await connect(f"{server.url}/deny")
            assert denied.value.response.status_code == 403
            assert denied.value.response.headers["x-why"] == "because"
            assert denied.value.response.body == b'{"error":"no"}'
            with pytest.raises(InvalidStatus) as denied:
                await connect(f"{server.url}/nowhere")
            assert denied.value.response.status_code == 403

    asyncio.run(talk())


@pytest.mark.parametrize("run", LOOPS)
def test_sockets_are_served_over_tls(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def talk() -> None:
        trusting = ssl.create_default_context(cafile=CERTIFICATE)
        async with serving(application(), ssl_certfile=CERTIFICATE) as server:
            for path in ("plain", "frames"):
                async with connect(f"wss://localhost:{server.port}/{path}", ssl=trusting) as peer:
                    for message in ("a", b"\x00" * 300_000):
                        await peer.send(message)
                        assert await peer.recv() == message

    run(talk())


@pytest.mark.parametrize("run", LOOPS)
def test_a_client_that_breaks_off_leaves_nothing_behind(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def talk() -> None:
        async with serving(application()) as server:
            for path in (b"/plain", b"/frames"):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(HANDSHAKE.replace(b"/media%20in?token=secret", path))
                await reader.readuntil(b"\r\n\r\n")
                writer.write(frame(TEXT, b"half", fin=False) + frame(TEXT, b"never")[:3])
                assert len(server.state.connections) == 1
                raw = writer.get_extra_info("socket")
                raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # so that it resets
                writer.transport.abort()
                await until(lambda: not server.state.connections and not server.state.tasks)

    run(talk())


@pytest.mark.parametrize("run", LOOPS)
def test_a_client_that_does_not_read_is_held_in_bounds(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def pour(websocket: WebSocket) -> None:
        socket = await accept(websocket)
        socket.attach(Ear())
        for _ in range(20_000):
            socket.send(b"s" * 1000, droppable=True)
        counts.append((socket.sent, socket.dropped))
        await socket.wait_closed()

    counts: list[tuple[int, int]] = []

    async def starve() -> None:
        async with serving(Starlette(routes=[WebSocketRoute("/", pour)])) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
            writer.write(HANDSHAKE.replace(b"/media%20in?token=secret", b"/"))
            await until(lambda: bool(counts))
            sent, dropped = counts[0]
            assert dropped > 20_000 / 2
            assert sent + dropped <= 20_000
            writer.close()

    run(starve())


def test_plain_http_is_still_served() -> None:
    async def get() -> None:
        async with serving(application()) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /hello HTTP/1.1\r\nhost: bridge\r\nconnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"\r\n\r\nhello")
            writer.close()

    asyncio.run(get())


@pytest.mark.parametrize("run", LOOPS)
def test_many_connections_leave_no_task_and_no_object(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    kept = (Socket, FrameLine, PicowsProtocol)

    async def talk(url: str) -> None:
        async with connect(url) as peer:
            await peer.send("a")
            await peer.recv()

    def things() -> list[object]:
        # by type, for a weak proxy of another test's would be asked for what it stood for
        return [thing for thing in gc.get_objects() if issubclass(type(thing), kept)]

    async def come_and_go() -> None:
        before = things()  # what other tests still hold
        async with serving(application()) as server:
            for path in ("plain", "frames"):
                await asyncio.gather(*(talk(f"{server.url}/{path}") for _ in range(20)))
            await until(lambda: not server.state.connections and not server.state.tasks)
            await until(lambda: len(asyncio.all_tasks()) == 1)
            gc.collect()
            known = {id(thing) for thing in before}
            assert [type(thing).__name__ for thing in things() if id(thing) not in known] == []

    run(come_and_go())


def test_uvicorn_itself_serves_and_stops_with_this_class() -> None:
    async def serve() -> None:
        config = uvicorn.Config(application(), port=0, log_config=None, **{**UVICORN_OPTIONS, "loop": "asyncio"})
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/frames") as peer:
            server.should_exit = True
            await peer.wait_closed()
            assert peer.close_code == 1012
        await serving

    asyncio.run(serve())

"""How long a request's head may be, and how long it may take: in memory and virtual time, a flood on the loopback."""

import asyncio

import httptools
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from phone_bridge.runtime.http_server import (
    LAST_REQUEST_SECONDS,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_WAITING,
    REQUEST_SECONDS,
    GuardedProtocol,
)
from phone_bridge.runtime.websocket_server import UVICORN_OPTIONS
from tests.clock import settle
from tests.runtime.net import Net
from tests.runtime.serving import serving
from tests.runtime.test_sockets import virtual

HEAD = b"GET /x HTTP/1.1\r\nhost: bridge\r\n"


async def app(_scope: Scope, receive: Receive, send: Send) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Server:
    """A server in memory."""

    def __init__(self, app: ASGIApp = app) -> None:
        self._config = uvicorn.Config(app, log_config=None, **{**UVICORN_OPTIONS, "loop": "asyncio"})
        self._config.load()
        self._state = ServerState()

    def connect(self) -> Net:
        protocol = GuardedProtocol(self._config, self._state, {})
        net = Net(protocol)
        protocol.connection_made(net)
        return net

    def stop(self) -> None:
        for connection in list(self._state.connections):
            connection.shutdown()

    @property
    def connections(self) -> int:
        return len(self._state.connections)


async def answer(net: Net, *pieces: bytes) -> bytes:
    for piece in pieces:
        net.feed(piece)
    await settle()
    return net.take()


def padded(size: int) -> bytes:
    """Make a head of which target, names and values have ``size`` bytes."""
    return HEAD + b"a: " + b"x" * (size - len(b"/xhostbridgea")) + b"\r\n\r\n"


# Size


@virtual
async def test_a_head_up_to_the_limit_is_served() -> None:
    net = Server().connect()
    assert (await answer(net, padded(MAX_HEAD_BYTES))).startswith(b"HTTP/1.1 200 ")
    net.hang_up()
    await settle()


@virtual
async def test_a_head_over_the_limit_is_refused_by_its_name() -> None:
    net = Server().connect()
    assert (await answer(net, padded(MAX_HEAD_BYTES + 1))).startswith(b"HTTP/1.1 431 ")
    assert net.lost


@pytest.mark.parametrize("begin", [b"GET /", HEAD + b"a: ", HEAD + b"a"])
def test_a_head_that_never_ends_is_refused_before_it_is_kept(begin: bytes) -> None:
    @virtual
    async def story() -> None:
        net, sent = Server().connect(), 0
        assert await answer(net, begin) == b""
        while not net.is_closing():
            net.feed(b"x" * 1024)
            sent += 1024
        assert sent <= MAX_HEAD_BYTES + 1024
        await settle()
        assert net.take().startswith(b"HTTP/1.1 431 ")

    story()


@virtual
async def test_a_long_head_in_one_piece_is_not_waited_for() -> None:
    net = Server().connect()
    assert (await answer(net, HEAD + b"a: " + b"x" * MAX_HEAD_BYTES)).startswith(b"HTTP/1.1 431 ")
    assert net.lost


@virtual
async def test_so_many_headers_and_no_more() -> None:
    server = Server()
    for more, status in ((0, b"200"), (1, b"431")):
        net = server.connect()
        lines = b"".join(b"h%d: v\r\n" % number for number in range(MAX_HEADERS - 1 + more))
        assert (await answer(net, HEAD + lines + b"\r\n")).split(b" ")[1] == status
        net.hang_up()
        await settle()


@virtual
async def test_a_long_body_is_no_long_head() -> None:
    net = Server().connect()
    size = 2 * MAX_HEAD_BYTES
    post = b"POST /x HTTP/1.1\r\nhost: bridge\r\ncontent-length: %d\r\n\r\n" % size
    for _ in range(2):  # the second one begins to count anew
        assert (await answer(net, post, b"b" * 1000, b"b" * (size - 1000))).startswith(b"HTTP/1.1 200 ")
    net.hang_up()
    await settle()


@virtual
async def test_what_is_no_http_is_answered_as_ever() -> None:
    net = Server().connect()
    assert (await answer(net, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


def test_httptools_itself_has_no_limit() -> None:
    """The day this fails, one of the counters may go."""

    class Ears:
        longest = 0

        def on_header(self, name: bytes, value: bytes) -> None:
            self.longest = max(self.longest, len(value))

    ears = Ears()
    parser = httptools.HttpRequestParser(ears)
    parser.feed_data(HEAD + b"a: ")
    for _ in range(64):
        parser.feed_data(b"x" * 65_536)
    parser.feed_data(b"\r\n\r\n")
    assert ears.longest == 64 * 65_536


# Time


POST = b"POST /x HTTP/1.1\r\nhost: bridge\r\ncontent-length: 9\r\n\r\n"


@pytest.mark.parametrize("begin", [b"", HEAD, POST])
def test_who_does_not_say_what_it_wants_is_let_go(begin: bytes) -> None:
    @virtual
    async def story() -> None:
        server = Server()
        net = server.connect()
        net.feed(begin)
        await asyncio.sleep(REQUEST_SECONDS - 0.1)
        assert server.connections == 1
        net.feed(begin[:1])  # a byte now and then is no request
        await asyncio.sleep(0.2)
        assert net.lost
        assert server.connections == 0

    story()


@virtual
async def test_between_two_requests_it_is_the_same() -> None:
    server = Server()
    net = server.connect()
    assert b" 200 " in await answer(net, HEAD + b"\r\n")
    net.feed(HEAD)  # stops uvicorn's own timer
    await asyncio.sleep(REQUEST_SECONDS - 0.1)
    assert b" 200 " in await answer(net, b"\r\n")
    net.feed(HEAD)
    await asyncio.sleep(REQUEST_SECONDS + 0.1)
    assert net.lost


@virtual
async def test_a_slow_answer_is_waited_for() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(3 * REQUEST_SECONDS)
        await app(scope, receive, send)

    server = Server(slow)
    net = server.connect()
    assert await answer(net, HEAD + b"\r\n") == b""
    await asyncio.sleep(3 * REQUEST_SECONDS)
    assert b" 200 " in await answer(net)
    net.hang_up()
    await settle()


@virtual
async def test_pipelined_requests_are_all_answered() -> None:
    net = Server().connect()
    assert (await answer(net, (HEAD + b"\r\n") * 3)).count(b" 200 ") == 3
    await asyncio.sleep(REQUEST_SECONDS + 0.1)
    assert net.lost


# Number


@virtual
async def test_of_too_many_silent_ones_the_oldest_goes() -> None:
    server = Server()
    speaker = server.connect()
    silent = [server.connect() for _ in range(MAX_WAITING)]
    await settle()
    assert (speaker.lost, server.connections) == (True, MAX_WAITING)
    assert b" 200 " in await answer(silent[0], HEAD + b"\r\n")
    late = server.connect()
    await settle()
    assert (silent[0].lost, silent[1].lost, server.connections) == (False, True, MAX_WAITING)
    assert b" 200 " in await answer(late, HEAD + b"\r\n")
    for net in (*silent, late):
        net.hang_up()
    await settle()
    assert server.connections == 0


def test_a_flood_of_silent_sockets_does_not_shut_the_carrier_out() -> None:
    async def run() -> None:
        async with serving(app) as running:
            flood = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(MAX_WAITING + 50)]
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(HEAD + b"\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            assert len(running.state.connections) <= MAX_WAITING + 1
            for _, each in [*flood, (reader, writer)]:
                each.close()

    asyncio.run(run())


# The end


@virtual
async def test_a_server_that_stops_answers_whoever_it_has_just_let_in() -> None:
    server = Server()
    net = server.connect()
    server.stop()
    assert b"200 OK" in await answer(net, HEAD + b"\r\n")
    await asyncio.sleep(LAST_REQUEST_SECONDS)
    assert net.lost
    assert server.connections == 0


@virtual
async def test_a_server_that_stops_waits_for_nobody_who_says_nothing() -> None:
    server = Server()
    asked, silent = server.connect(), server.connect()
    await answer(asked, HEAD + b"\r\n")
    server.stop()
    await settle()
    assert (asked.lost, silent.lost) == (True, False)
    await asyncio.sleep(LAST_REQUEST_SECONDS)
    assert silent.lost
    assert server.connections == 0

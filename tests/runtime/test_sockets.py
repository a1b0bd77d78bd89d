"""Sockets on a line of straw: what waits, what is dropped, and how it ends; in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from phone_bridge.errors import LocalError
from phone_bridge.runtime.sockets import (
    CLOSE_REASON_BYTES,
    CLOSE_TIMEOUT_MS,
    INBOX_BYTES,
    INBOX_MESSAGES,
    OUTBOX_BYTES,
    OUTBOX_MESSAGES,
    SEND_TIMEOUT_MS,
    Outbox,
    Socket,
    accept,
    sendable,
)
from phone_bridge.runtime.websocket_server import PicowsProtocol
from tests.clock import run_virtual, settle
from tests.runtime.serving import serving, until


class Straw:
    """A line that takes what it is given, or says that it is full after each message."""

    def __init__(self, *, full: bool = False) -> None:
        self.socket = Socket(self)
        self.full = full
        self.log: list[object] = []
        self.reading = True

    def write(self, message: str | bytes) -> None:
        self.log.append(message)
        if self.full:
            self.socket.pause()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self, code: int, reason: str) -> None:
        self.log.append(("close", code, reason))

    def abort(self) -> None:
        self.log.append("abort")
        asyncio.get_running_loop().call_soon(self.socket.lost)


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.ends: list[tuple[int, str]] = []

    def message(self, data: str | bytes) -> None:
        assert not self.ends, "nothing follows the end"
        self.heard.append(data)

    def closed(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        run_virtual(test())

    run.__name__ = test.__name__
    return run


# The outbox


def test_an_outbox_gives_back_what_it_was_given_in_order() -> None:
    outbox = Outbox()
    for message in ("a", b"b", "c"):
        assert outbox.push(message, droppable=False)
    assert outbox.pop() == "a"
    assert list(outbox.drain()) == [b"b", "c"]
    assert len(outbox) == outbox.dropped == 0


def test_the_oldest_sound_goes_first_and_no_word_with_it() -> None:
    outbox = Outbox(max_messages=3)
    for message, droppable in (("word 1", False), ("sound 1", True), ("sound 2", True), ("word 2", False)):
        assert outbox.push(message, droppable=droppable)
    assert list(outbox.drain()) == ["word 1", "sound 2", "word 2"]
    assert outbox.dropped == 1


def test_words_alone_over_the_bound_are_too_much() -> None:
    outbox = Outbox(max_bytes=10)
    assert outbox.push("0123456789", droppable=False)
    assert not outbox.push("x", droppable=False)


def test_a_piece_of_sound_over_the_bound_is_dropped_alone() -> None:
    outbox = Outbox(max_bytes=10)
    assert outbox.push("word", droppable=False)
    assert outbox.push(b"x" * 11, droppable=True)
    assert list(outbox.drain()) == ["word"]


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans())), st.integers(8, 20), st.integers(1, 5))
def test_an_outbox_never_holds_more_than_its_bounds_and_loses_only_the_oldest_sound(
    pushes: list[tuple[int, bool]], max_bytes: int, max_messages: int
) -> None:
    outbox = Outbox(max_bytes, max_messages)
    given_messages = [(f"{place:08}"[-size:], droppable) for place, (size, droppable) in enumerate(pushes)]
    for count, (message, droppable) in enumerate(given_messages):
        if not outbox.push(message, droppable=droppable):
            words = [kept for kept, sound in given_messages[: count + 1] if not sound]
            assert sum(map(len, words)) > max_bytes or len(words) > max_messages
            return
    kept = list(outbox.drain())
    assert sum(map(len, kept)) <= max_bytes
    assert len(kept) <= max_messages
    assert len(kept) + outbox.dropped == len(given_messages)
    words = [message for message, droppable in given_messages if not droppable]
    sounds = [message for message, droppable in given_messages if droppable]
    newest = sounds[outbox.dropped :]
    assert kept == [
        m
        for place, (m, droppable) in enumerate(given_messages)
        if not droppable or _rank(given_messages, place) >= outbox.dropped
    ]
    assert len(kept) == len(words) + len(newest)


def _rank(messages: list[tuple[str, bool]], place: int) -> int:
    """Count the sounds before ``place``."""
    return sum(droppable for _, droppable in messages[:place])


# Sending


@virtual
async def test_messages_go_straight_out() -> None:
    line = Straw()
    line.socket.send("a")
    line.socket.send(b"b", droppable=True)
    assert line.log == ["a", b"b"]
    assert line.socket.sent == 2


@virtual
async def test_messages_wait_while_the_line_is_full_and_follow_in_order() -> None:
    line = Straw(full=True)
    for message in "abc":
        line.socket.send(message)
    assert line.log == ["a"]
    line.socket.resume()
    assert line.log == ["a", "b"]
    line.full = False
    line.socket.resume()
    line.socket.send("d")
    assert line.log == ["a", "b", "c", "d"]
    assert line.socket.sent == 4


@virtual
async def test_waiting_to_write_ends_when_the_line_takes_messages_or_never_will() -> None:
    line = Straw(full=True)
    await line.socket.wait_writable()
    line.socket.send("a")
    waiting = asyncio.create_task(line.socket.wait_writable())
    await settle()
    assert not waiting.done()
    line.socket.resume()
    await waiting
    line.socket.send("b")
    waiting = asyncio.create_task(line.socket.wait_writable())
    await settle()
    line.socket.fail("gone")
    await waiting


@virtual
async def test_sound_for_a_slow_peer_is_dropped_oldest_first() -> None:
    line = Straw(full=True)
    for number in range(OUTBOX_MESSAGES + 11):
        line.socket.send(str(number), droppable=True)
    assert line.socket.dropped == 10
    line.full = False
    line.socket.resume()
    assert line.log == ["0", *(str(number) for number in range(11, OUTBOX_MESSAGES + 11))]


@pytest.mark.parametrize(("size", "count"), [(1, OUTBOX_MESSAGES), (OUTBOX_BYTES // 4, 4)])
def test_words_for_a_slow_peer_end_its_socket(size: int, count: int) -> None:
    async def overflow() -> None:
        line, ear = Straw(full=True), Ear()
        line.socket.attach(ear)
        for _ in range(count + 1):
            line.socket.send("x" * size)
        await settle()
        assert ear.ends == []
        line.socket.send("x")
        await settle()
        assert ear.ends == [(1006, "outbox_overflow")]
        assert line.log[-1] == "abort"
        assert line.socket.dropped == count + 1

    run_virtual(overflow())


@virtual
async def test_a_peer_that_stops_reading_loses_its_socket_in_time() -> None:
    line, ear = Straw(full=True), Ear()
    line.socket.attach(ear)
    line.socket.send("a")
    await asyncio.sleep(SEND_TIMEOUT_MS / 1000 - 0.001)
    assert ear.ends == []
    await asyncio.sleep(0.002)
    assert ear.ends == [(1006, "send_timeout")]


@virtual
async def test_the_time_counts_from_the_last_message_that_got_through() -> None:
    line, ear = Straw(full=True), Ear()
    line.socket.attach(ear)
    for message in "abc":
        line.socket.send(message)
    await asyncio.sleep(4)
    line.socket.resume()
    await asyncio.sleep(4)
    line.socket.resume()
    await asyncio.sleep(4)
    assert ear.ends == []
    await asyncio.sleep(1.1)
    assert ear.ends == [(1006, "send_timeout")]


@virtual
async def test_a_line_that_flows_again_has_no_time_limit() -> None:
    line, ear = Straw(full=True), Ear()
    line.socket.attach(ear)
    line.socket.send("a")
    line.socket.resume()
    await asyncio.sleep(100)
    assert ear.ends == []


# Hearing


@virtual
async def test_a_listener_hears_what_came_before_it_and_after() -> None:
    line, ear = Straw(), Ear()
    line.socket.hear("a")
    line.socket.hear(b"b")
    line.socket.attach(ear)
    line.socket.hear("c")
    assert ear.heard == ["a", b"b", "c"]


@virtual
async def test_a_second_listener_is_our_mistake() -> None:
    line = Straw()
    line.socket.attach(Ear())
    with pytest.raises(LocalError, match="second listener"):
        line.socket.attach(Ear())


@virtual
async def test_a_listener_may_hand_over_to_another_and_nothing_is_lost() -> None:
    line, first, second = Straw(), Ear(), Ear()
    line.socket.attach(first)
    line.socket.hear("a")
    line.socket.detach()
    line.socket.hear("b")
    line.socket.close_received(1000, "bye")
    line.socket.lost()
    line.socket.attach(second)
    assert (first.heard, first.ends) == (["a"], [])
    assert (second.heard, second.ends) == (["b"], [(1000, "bye")])


@virtual
async def test_what_was_kept_once_counts_no_more_after_a_hand_over() -> None:
    line = Straw()
    line.socket.hear("x" * (INBOX_BYTES - 1))
    line.socket.attach(Ear())
    line.socket.detach()
    line.socket.hear("y")
    assert line.reading


@virtual
async def test_a_socket_that_was_closed_stays_deaf_after_a_hand_over() -> None:
    line, ear = Straw(), Ear()
    line.socket.attach(Ear())
    line.socket.close()
    line.socket.detach()
    line.socket.hear("late")
    line.socket.attach(ear)
    assert ear.heard == []


@pytest.mark.parametrize(("size", "count"), [(1, INBOX_MESSAGES), (INBOX_BYTES // 2, 2)])
def test_reading_pauses_while_nobody_listens(size: int, count: int) -> None:
    async def pile_up() -> None:
        line, ear = Straw(), Ear()
        for _ in range(count - 1):
            line.socket.hear("x" * size)
        assert line.reading
        line.socket.hear("x" * size)
        assert not line.reading
        line.socket.attach(ear)
        assert line.reading
        assert len(ear.heard) == count

    run_virtual(pile_up())


@virtual
async def test_a_listener_that_comes_late_hears_the_end_too() -> None:
    line, ear = Straw(), Ear()
    line.socket.hear("last words")
    line.socket.close_received(1000, "bye")
    line.socket.lost()
    line.socket.attach(ear)
    assert ear.heard == ["last words"]
    assert ear.ends == [(1000, "bye")]


@virtual
async def test_a_listener_that_closes_hears_no_more() -> None:
    line = Straw()

    class Rude(Ear):
        def message(self, data: str | bytes) -> None:
            super().message(data)
            line.socket.close()

    ear = Rude()
    line.socket.hear("a")
    line.socket.hear("b")
    line.socket.attach(ear)
    line.socket.hear("c")
    assert ear.heard == ["a"]


@virtual
async def test_a_listener_that_fails_at_the_end_is_reported() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

    class Broken(Ear):
        def closed(self, code: int, reason: str) -> None:
            raise ValueError("broken")

    line = Straw()
    line.socket.attach(Broken())
    line.socket.lost()
    assert isinstance(reported[0]["exception"], ValueError)
    await line.socket.wait_closed()


# Ends


@virtual
async def test_closing_sends_what_waits_first() -> None:
    line, ear = Straw(full=True), Ear()
    line.socket.attach(ear)
    line.socket.send("a")
    line.socket.send("b")
    line.socket.close(4001, "done")
    line.socket.close(1000, "again")
    line.socket.send("too late")
    assert line.log == ["a", "b", ("close", 4001, "done")]
    assert line.socket.dropped == 1
    line.socket.lost()
    assert ear.ends == [(4001, "done")]
    await line.socket.wait_closed()


@virtual
async def test_a_peer_that_does_not_answer_a_close_is_not_waited_for() -> None:
    line, ear = Straw(), Ear()
    line.socket.attach(ear)
    start = asyncio.get_running_loop().time()
    line.socket.close()
    await line.socket.wait_closed()
    assert asyncio.get_running_loop().time() - start == pytest.approx(CLOSE_TIMEOUT_MS / 1000)
    assert line.log == [("close", 1000, ""), "abort"]
    assert ear.ends == [(1000, "")]


@virtual
async def test_a_peers_close_ends_within_the_same_time() -> None:
    line, ear = Straw(full=True), Ear()
    line.socket.attach(ear)
    line.socket.send("a")
    line.socket.send("b")
    line.socket.close_received(1001, "going")
    line.socket.hear("after its close")
    await line.socket.wait_closed()
    assert line.log == ["a", "abort"]
    assert line.socket.dropped == 1
    assert ear.heard == []
    assert ear.ends == [(1001, "going")]


@virtual
async def test_a_lost_line_is_told_once() -> None:
    line, ear = Straw(), Ear()
    line.socket.attach(ear)
    line.socket.lost()
    line.socket.lost()
    line.socket.fail("late")
    line.socket.close()
    await asyncio.sleep(1)
    assert ear.ends == [(1006, "")]


@virtual
async def test_a_socket_given_up_is_deaf() -> None:
    line, ear = Straw(), Ear()
    line.socket.attach(ear)
    line.socket.fail("ping_timeout")
    line.socket.hear("late")
    assert ear.heard == []


@virtual
async def test_reading_goes_on_at_a_close_so_that_the_answer_is_seen() -> None:
    line = Straw()
    for _ in range(INBOX_MESSAGES):
        line.socket.hear("x")
    line.socket.close()
    assert line.reading


@virtual
async def test_a_long_reason_is_cut_at_a_character() -> None:
    line = Straw()
    line.socket.close(1000, "é" * 62)
    assert line.log == [("close", 1000, "é" * 61)]
    assert len("é" * 61) * 2 <= CLOSE_REASON_BYTES


@virtual
async def test_a_code_that_no_frame_may_carry_is_our_mistake() -> None:
    with pytest.raises(LocalError, match="1006"):
        Straw().socket.close(1006)


def test_the_codes_that_may_be_sent_are_those_of_the_rfc() -> None:
    codes = {code for code in range(65536) if sendable(code)}
    assert codes == {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}


# Plain ASGI


async def echo(websocket: WebSocket) -> None:
    offered = websocket.scope["subprotocols"]
    socket = await accept(websocket, subprotocol=offered[0] if offered else None, headers=[(b"x-hello", b"there")])

    class Echo:
        def message(self, data: str | bytes) -> None:
            socket.send(data)
            if data == "bye":
                socket.close(4000, "as asked")

        def closed(self, code: int, reason: str) -> None:
            websocket.app.state.ends.append((code, reason))

    socket.attach(Echo())
    await socket.wait_closed()


@pytest.mark.parametrize("ws", ["websockets-sansio", PicowsProtocol])
def test_any_asgi_server_will_do(ws: Any) -> None:
    app = Starlette(routes=[WebSocketRoute("/", echo)])
    app.state.ends = []

    async def talk() -> None:
        async with serving(app, ws=ws) as server:
            async with connect(server.url, subprotocols=[Subprotocol("telephony")]) as peer:
                assert peer.subprotocol == "telephony"
                assert peer.response is not None
                assert peer.response.headers["x-hello"] == "there"
                for message in ("a", b"b", "c" * 100_000):
                    await peer.send(message)
                    assert await peer.recv() == message
                await peer.close(4002, "client's wish")
            async with connect(server.url) as peer:
                await peer.send("bye")
                assert await peer.recv() == "bye"
                await peer.wait_closed()
                assert (peer.close_code, peer.close_reason) == (4000, "as asked")
            await until(lambda: len(app.state.ends) == 2)
            assert app.state.ends == [(4002, "client's wish"), (4000, "as asked")]

    asyncio.run(talk())


class Asgi:
    """An ASGI server's end by hand: ``receive`` gives what was put into ``incoming``, ``send`` may stick or break."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.sent: list[Message] = []
        self.free = asyncio.Event()
        self.free.set()
        self.broken: Exception | None = None

    async def send(self, message: Message) -> None:
        await self.free.wait()
        if self.broken is not None:
            raise self.broken
        self.sent.append(message)

    async def open(self) -> Socket:
        scope = {"type": "websocket", "extensions": {}}
        return await accept(WebSocket(scope, self.incoming.get, self.send))

    def says(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})


@virtual
async def test_a_stuck_asgi_server_is_given_up_like_a_stuck_peer() -> None:
    server, ear = Asgi(), Ear()
    socket = await server.open()
    socket.attach(ear)
    server.free.clear()
    socket.send("a")
    socket.send("b")
    await asyncio.sleep(SEND_TIMEOUT_MS / 1000 + 1)
    assert ear.ends == [(1006, "send_timeout")]
    assert len(asyncio.all_tasks()) == 1


@virtual
async def test_an_asgi_server_is_not_read_while_nobody_listens() -> None:
    server, ear = Asgi(), Ear()
    socket = await server.open()
    for number in range(INBOX_MESSAGES + 5):
        server.says(str(number))
    await asyncio.sleep(1)
    assert server.incoming.qsize() == 5
    socket.attach(ear)
    await settle()
    assert ear.heard == [str(number) for number in range(INBOX_MESSAGES + 5)]
    socket.close()
    await socket.wait_closed()


@virtual
async def test_a_client_that_vanishes_between_asgi_messages_is_a_lost_socket() -> None:
    server, ear = Asgi(), Ear()
    socket = await server.open()
    socket.attach(ear)
    server.broken = OSError()
    socket.send("a")
    await socket.wait_closed()
    await settle()
    assert len(asyncio.all_tasks()) == 1
    assert ear.ends == [(1006, "")]


@virtual
async def test_an_asgi_server_that_fails_is_reported() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    server = Asgi()
    socket = await server.open()
    server.broken = ValueError("no such message")
    socket.send("a")
    await socket.wait_closed()
    assert isinstance(reported[0]["exception"], ValueError)


@virtual
async def test_a_listener_that_fails_on_any_asgi_server_closes_and_is_reported() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

    class Broken(Ear):
        def message(self, data: str | bytes) -> None:
            raise ValueError("broken")

    server, ear = Asgi(), Broken()
    socket = await server.open()
    socket.attach(ear)
    server.says("a")
    await socket.wait_closed()
    assert isinstance(reported[0]["exception"], ValueError)
    assert server.sent[-1] == {"type": "websocket.close", "code": 1011, "reason": "listener_failed"}
    assert ear.ends == [(1011, "listener_failed")]

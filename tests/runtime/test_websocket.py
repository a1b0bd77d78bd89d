"""Frames by hand against a line on picows, in virtual time: what RFC 6455 asks of whoever receives."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

from phone_bridge.runtime.sockets import CLOSE_TIMEOUT_MS, INBOX_MESSAGES, OUTBOX_BYTES, SEND_TIMEOUT_MS
from phone_bridge.runtime.websocket import PING_AFTER_MS, PONG_TIMEOUT_MS, FrameLine, framing
from tests.clock import run_virtual, settle
from tests.runtime.net import (
    BINARY,
    CLOSE,
    CONTINUATION,
    HIGH_WATER,
    PING,
    PONG,
    TEXT,
    Frame,
    Net,
    close_frame,
    frame,
)
from tests.runtime.test_sockets import Ear, virtual

LIMIT = 1000
UPGRADE = (
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def server_line(**options: Any) -> tuple[Net, FrameLine, Ear]:
    """Open a server's line with a listener."""
    line, ear = FrameLine(**{"max_size": LIMIT, **options}), Ear()

    def answer(_request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), line)

    frames = framing(answer, max_size=LIMIT)
    net = Net(frames)
    frames.connection_made(net)
    net.feed(UPGRADE)
    assert net.take().startswith(b"HTTP/1.1 101 ")
    line.socket.attach(ear)
    return net, line, ear


# Messages


@virtual
async def test_text_comes_as_text_and_bytes_as_bytes() -> None:
    net, line, ear = server_line()
    net.feed(frame(TEXT, "grüezi".encode()) + frame(BINARY, b"\xff\x00") + frame(TEXT))
    assert ear.heard == ["grüezi", b"\xff\x00", ""]
    line.socket.send("grüezi")
    line.socket.send(b"\xff\x00")
    assert net.frames() == [Frame(TEXT, "grüezi".encode()), Frame(BINARY, b"\xff\x00")]


@virtual
async def test_a_message_may_come_in_fragments_with_pings_between() -> None:
    net, _, ear = server_line()
    euro = "€".encode()
    net.feed(frame(TEXT, b"5 " + euro[:1], fin=False) + frame(PING, b"there?") + frame(CONTINUATION, fin=False))
    assert ear.heard == []
    assert net.frames() == [Frame(PONG, b"there?")]
    net.feed(frame(CONTINUATION, euro[1:]) + frame(BINARY, b"a", fin=False) + frame(CONTINUATION, b"b"))
    assert ear.heard == ["5 €", b"ab"]


fragments = st.lists(st.binary(max_size=200), min_size=1, max_size=4)
texts = st.text(max_size=60).map(lambda text: (TEXT, [text.encode()], text))
broken_texts = st.tuples(st.text(max_size=60), st.integers(0, 200)).map(
    lambda t: (TEXT, [t[0].encode()[: t[1]], t[0].encode()[t[1] :]], t[0])
)
binaries = fragments.map(lambda parts: (BINARY, parts, b"".join(parts)))
Said = tuple[int, list[bytes], str | bytes]


@settings(max_examples=60, deadline=None)
@given(st.lists(texts | broken_texts | binaries, max_size=6), st.binary(min_size=4, max_size=4), st.data())
def test_however_the_network_cuts_it_every_message_comes_whole_and_in_order(
    said: list[Said], mask: bytes, data: st.DataObject
) -> None:
    stream = b""
    pings = 0
    for opcode, parts, _ in said:
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            stream += frame(opcode if place == 0 else CONTINUATION, part, fin=last, mask=mask)
            if data.draw(st.booleans()):
                stream += frame(PING, str(pings).encode(), mask=mask)
                pings += 1
    step = data.draw(st.integers(1, max(1, len(stream))))

    async def listen() -> None:
        net, _, ear = server_line(max_size=10_000)
        for start in range(0, len(stream), step):
            net.feed(stream[start : start + step])
        assert ear.heard == [message for _, _, message in said]
        assert net.frames() == [Frame(PONG, str(number).encode()) for number in range(pings)]
        assert ear.ends == []

    run_virtual(listen())


any_frames = st.builds(
    frame,
    st.sampled_from([TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG, 0x5]),
    st.binary(max_size=130),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 1]),
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.lists(any_frames, max_size=8).map(b"".join))
def test_whatever_a_peer_sends_ends_at_most_its_own_socket(stream: bytes) -> None:
    async def listen() -> None:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
        net, line, ear = server_line()
        net.feed(stream)
        net.hang_up()
        await line.socket.wait_closed()
        assert len(ear.ends) == 1
        assert reported == []

    run_virtual(listen())


# What breaks the protocol

VIOLATIONS = {
    "an unmasked frame": (frame(TEXT, b"a", mask=b""), 1002),
    "a reserved bit": (frame(TEXT, b"a", rsv=4), 1002),
    "a reserved bit of a ping's": (frame(CONTINUATION, b"a", rsv=1), 1002),
    "an unknown opcode": (frame(0x3, b"a"), 1002),
    "a ping in fragments": (frame(PING, b"a", fin=False), 1002),
    "a ping over 125 bytes": (frame(PING, b"a" * 126), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"a"), 1002),
    "a message within another": (frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"), 1002),
    "text that is none": (frame(TEXT, b"\xc3\x28"), 1007),
    "fragments of text that is none": (frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"\x28"), 1007),
    "a surrogate in text": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "a frame over the limit": (frame(BINARY, b"a" * (LIMIT + 1)), 1009),
    "fragments over the limit": (frame(TEXT, b"a" * LIMIT, fin=False) + frame(CONTINUATION, b"a"), 1009),
    "a close with one byte": (frame(CLOSE, b"\x03"), 1002),
    "a close with a code nobody may send": (close_frame(1006), 1002),
    "a close with a code that means nothing": (close_frame(65535), 1002),
    "a close whose reason is no text": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
}
REASONS = {1002: "protocol_error", 1007: "invalid_utf8", 1009: "message_too_big"}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_is_named_to_the_peer_and_the_listener(violation: str) -> None:
    sent, code = VIOLATIONS[violation]

    async def violate() -> None:
        net, line, ear = server_line()
        net.feed(sent + frame(TEXT, b"after"))
        closing = net.frames()
        assert [closed.opcode for closed in closing] == [CLOSE]
        assert int.from_bytes(closing[0].payload[:2]) == code
        await line.socket.wait_closed()
        assert ear.ends == [(code, REASONS[code])]
        assert ear.heard == []
        assert net.lost

    run_virtual(violate())


@virtual
async def test_a_message_of_exactly_the_limit_is_heard() -> None:
    net, _, ear = server_line()
    net.feed(frame(BINARY, b"a" * LIMIT) + frame(BINARY, b"b", fin=False) + frame(CONTINUATION, b"b" * (LIMIT - 1)))
    assert ear.heard == [b"a" * LIMIT, b"b" * LIMIT]


@virtual
async def test_empty_fragments_without_end_fill_nothing() -> None:
    net, _, ear = server_line()
    net.feed(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, fin=False) * 10_000 + frame(CONTINUATION, b"b"))
    assert ear.heard == ["ab"]


@virtual
async def test_a_listener_that_fails_closes_with_1011_and_is_reported() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    net, line, ear = server_line()

    def fail(_data: str | bytes) -> None:
        raise UnicodeDecodeError("utf-8", b"", 0, 1, "ours, not the peer's")

    line.socket.hear = fail
    net.feed(frame(TEXT, b"a"))
    assert isinstance(reported[0]["exception"], UnicodeDecodeError)
    assert net.frames()[0].payload[:2] == (1011).to_bytes(2)
    await line.socket.wait_closed()
    assert ear.ends == [(1011, "listener_failed")]


# Closing


@pytest.mark.parametrize(
    ("closing", "heard", "answered"),
    [
        (close_frame(1000, "bye"), (1000, "bye"), 1000),
        (close_frame(4321, "ünder the weather"), (4321, "ünder the weather"), 4321),
        (close_frame(None), (1005, ""), 1000),
    ],
)
def test_a_peers_close_is_answered_and_told(closing: bytes, heard: tuple[int, str], answered: int) -> None:
    async def close() -> None:
        net, line, ear = server_line()
        net.feed(frame(TEXT, b"a") + closing + frame(TEXT, b"b"))
        assert net.frames() == [Frame(CLOSE, answered.to_bytes(2))]
        await line.socket.wait_closed()
        assert net.lost
        assert ear.heard == ["a"]
        assert ear.ends == [heard]
        line.socket.send("too late")
        assert net.take() == b""

    run_virtual(close())


@virtual
async def test_our_close_waits_for_the_answer_and_then_drops_the_connection() -> None:
    net, line, ear = server_line()
    line.socket.send("a")
    line.socket.close(1001, "restart")
    assert net.frames() == [Frame(TEXT, b"a"), Frame(CLOSE, (1001).to_bytes(2) + b"restart")]
    await settle()
    assert not net.lost
    net.feed(frame(TEXT, b"on its way") + close_frame(1001))
    await line.socket.wait_closed()
    assert net.take() == b""
    assert ear.heard == []
    assert ear.ends == [(1001, "restart")]


@virtual
async def test_a_peer_that_never_answers_our_close_is_dropped() -> None:
    net, line, _ = server_line()
    line.socket.close()
    await asyncio.sleep(CLOSE_TIMEOUT_MS / 1000 - 0.001)
    assert not net.lost
    await asyncio.sleep(0.002)
    assert net.lost


@virtual
async def test_a_connection_that_breaks_is_told() -> None:
    net, line, ear = server_line()
    net.feed(frame(TEXT, b"half", fin=False))
    net.hang_up()
    await line.socket.wait_closed()
    assert ear.ends == [(1006, "")]


# A slow peer


@virtual
async def test_a_peer_that_reads_slowly_costs_bounded_memory_and_gets_the_rest_later() -> None:
    net, line, _ = server_line(ping_after_ms=None)
    net.stuck = True
    sound = b"s" * 1000
    for _ in range(10_000):
        line.socket.send(sound, droppable=True)
    assert net.waiting <= HIGH_WATER + 2 * len(sound)
    line.socket.send("word")
    sent_before = line.socket.sent
    net.unstick()
    got = net.frames()
    assert got[-1] == Frame(TEXT, b"word")
    assert len(got) == line.socket.sent > sent_before
    assert line.socket.sent + line.socket.dropped == 10_001
    assert OUTBOX_BYTES // 2 < (line.socket.sent - sent_before - 1) * len(sound) <= OUTBOX_BYTES


@virtual
async def test_a_peer_that_reads_nothing_is_dropped() -> None:
    net, line, ear = server_line(ping_after_ms=None)
    net.stuck = True
    for _ in range(100):
        line.socket.send(b"s" * 1000, droppable=True)
    await asyncio.sleep(SEND_TIMEOUT_MS / 1000 + 0.01)
    assert ear.ends == [(1006, "send_timeout")]
    assert net.lost
    assert net.waiting == 0


@virtual
async def test_reading_pauses_until_somebody_listens() -> None:
    line = FrameLine()

    def answer(_request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), line)

    frames = framing(answer, max_size=LIMIT)
    net, ear = Net(frames), Ear()
    frames.connection_made(net)
    net.feed(UPGRADE)
    for number in range(INBOX_MESSAGES + 10):
        net.feed(frame(TEXT, str(number).encode()))
    assert not net.reading
    await asyncio.sleep(2 * (PING_AFTER_MS + PONG_TIMEOUT_MS) / 1000)  # a peer we do not read is not silent
    line.socket.attach(ear)
    await settle()
    assert net.reading
    assert ear.heard == [str(number) for number in range(INBOX_MESSAGES + 10)]
    assert ear.ends == []


# Silence


@virtual
async def test_a_silent_peer_is_asked_and_one_that_answers_is_kept() -> None:
    net, _, ear = server_line()
    for _ in range(3):
        await asyncio.sleep(PING_AFTER_MS / 1000 + 0.001)
        assert net.frames() == [Frame(PING, b"")]
        net.feed(frame(PONG))
        await asyncio.sleep(PONG_TIMEOUT_MS / 1000)
        assert net.frames() == []
    assert ear.ends == []


@virtual
async def test_a_silent_peer_that_does_not_answer_is_dropped() -> None:
    net, _, ear = server_line()
    await asyncio.sleep((PING_AFTER_MS + PONG_TIMEOUT_MS) / 1000 - 0.001)
    assert ear.ends == []
    await asyncio.sleep(0.002)
    assert ear.ends == [(1006, "ping_timeout")]
    assert net.lost


@virtual
async def test_a_peer_that_talks_is_not_asked() -> None:
    net, _, ear = server_line()
    for _ in range(10):
        await asyncio.sleep(PING_AFTER_MS / 2000)
        net.feed(frame(TEXT, b"a"))
    assert net.frames() == []
    assert len(ear.heard) == 10


@virtual
async def test_without_a_keepalive_silence_is_kept() -> None:
    net, _, ear = server_line(ping_after_ms=None)
    await asyncio.sleep(10 * PING_AFTER_MS / 1000)
    assert net.frames() == []
    assert ear.ends == []

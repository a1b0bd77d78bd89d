"""WebSocket frames, fed in one piece and byte by byte, must tell the same: messages, answers and the end.

That what follows RFC 6455 comes through whole, however the network cuts it, is in ``tests/runtime/test_websocket``;
here the frames need not follow it: they are mended, cut, doubled and garbled, and neither feed may know more.
"""

from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from phone_bridge.runtime.sockets import LOST
from tests.clock import run_virtual, settle
from tests.fuzz.profiles import examples
from tests.legs.twilio import samples
from tests.runtime.net import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, close_frame, frame
from tests.runtime.test_websocket import server_line

LIMIT = 1_000
SAID = [samples.raw("said", name) for name in samples.names("said")]

payloads = st.one_of(st.binary(max_size=40), st.sampled_from(SAID), st.just(b"\xed\xa0\x80"), st.just(b"x" * LIMIT))
CODES = [None, 0, 999, 1000, 1005, 1006, 1011, 3000, 4999, 65_535]
frames = st.one_of(
    st.builds(
        frame,
        st.sampled_from([TEXT, TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE, 0x3, 0xB]),
        payloads,
        fin=st.booleans(),
        mask=st.sampled_from([b"\x12\x34\x56\x78", b"\0\0\0\0", b""]),
        rsv=st.sampled_from([0, 0, 0, 1, 4]),
    ),
    st.builds(
        close_frame, st.sampled_from([None, 0, 999, 1000, 1005, 1006, 1011, 3000, 4999, 65_535]), st.text(max_size=5)
    ),
    st.binary(max_size=12),
    st.sampled_from([b"\x81\xfe\x00\x01", b"\x81\xff" + b"\xff" * 8, b"\x81\xff" + b"\0" * 8, b"\x89\xfe\x00\x7e"]),
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Draw some frames, and change the bytes of their stream in one place at most."""
    stream = b"".join(draw(st.lists(frames, max_size=5)))
    place = draw(st.integers(0, len(stream)))
    match draw(st.integers(0, 4)):
        case 0:
            return stream[:place]
        case 1:
            return stream[:place] + draw(st.binary(min_size=1, max_size=2)) + stream[place:]
    return stream


class Told(NamedTuple):
    """What a listener heard, the codes it ended with, and the frames that went back; of a close its code alone.

    Which of two faults of one frame is named first may depend on how much of it has come.
    """

    messages: list[str | bytes]
    ends: list[int]
    answers: list[Frame]


def told(pieces: list[bytes]) -> Told:
    """Feed a server's line, and give what its listener heard, how it ended, and what went back."""
    result: list[Told] = []

    async def feed() -> None:
        net, line, ear = server_line(max_size=LIMIT)
        for piece in pieces:
            net.feed(piece)
            await settle()
        answers = net.frames()
        net.hang_up()
        await line.socket.wait_closed()
        codes = [code for code, _ in ear.ends]
        answers = [each._replace(payload=each.payload[:2]) if each.opcode == CLOSE else each for each in answers]
        result.append(Told(list(ear.heard), codes, answers))

    run_virtual(feed())
    return result[0]


@examples(100)
@given(streams())
@example(b"")
@example(frame(TEXT, b"a") + frame(0x3, b"b") + frame(TEXT, b"c"))
@example(frame(TEXT, b"a", mask=b""))
@example(frame(TEXT, "€".encode()[:2], fin=False) + frame(CONTINUATION, b"\xff"))
def test_frames_tell_the_same_in_one_piece_and_byte_by_byte(stream: bytes) -> None:
    whole, apart = told([stream]), told([stream[at : at + 1] for at in range(len(stream))])
    assert len(whole.ends) == len(apart.ends) == 1
    assert all(len(message) <= LIMIT for message in whole.messages)
    if [LOST] == whole.ends == apart.ends:  # nobody closed, and nothing was wrong, until the line was cut
        assert apart == whole
    else:  # picows looks ahead: a fault further on in the same piece may be told of before one that it follows
        fewer, more = sorted((apart.messages, whole.messages), key=len)
        assert more[: len(fewer)] == fewer
        assert sum(answer.opcode == CLOSE for answer in whole.answers) <= 1
        assert sum(answer.opcode == CLOSE for answer in apart.answers) <= 1

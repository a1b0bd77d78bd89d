from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.framing import PING, PONG, Framer
from phone_bridge.legs.sip.message import MAX_MESSAGE_BYTES
from tests.legs.sip import samples

MESSAGES = [
    samples.raw("outside", "invite.sip"),
    samples.raw("said", "9_bye.sip"),
    samples.raw("outside", "options.sip"),
]


def head(*fields: str) -> bytes:
    return "\r\n".join(["OPTIONS sip:a SIP/2.0", *fields, "", ""]).encode()


@given(cuts=st.lists(st.integers(0, sum(map(len, MESSAGES))), max_size=20), pings=st.integers(0, 2))
@settings(max_examples=50, deadline=None)
def test_messages_are_the_same_however_the_stream_is_cut(cuts: list[int], pings: int) -> None:
    stream = (PONG * 2 * pings).join([b"", *MESSAGES])
    framer, found = Framer(), []
    edges = [0, *sorted(cuts), len(stream)]
    for start, end in pairwise(edges):
        found += framer.push(stream[start:end])
    assert [one for one in found if one != PING] == MESSAGES
    assert found.count(PING) == 3 * pings
    assert not framer.waiting


def test_byte_by_byte_a_message_waits_for_its_end() -> None:
    framer = Framer()
    for place in range(len(MESSAGES[0]) - 1):
        assert framer.push(MESSAGES[0][place : place + 1]) == []
        assert framer.waiting
    assert framer.push(MESSAGES[0][-1:]) == MESSAGES[:1]


def test_a_ping_and_a_pong_are_no_messages() -> None:
    framer = Framer()
    assert framer.push(b"\r\n") == []
    assert not framer.waiting
    assert framer.push(b"\r\n") == [PING]
    assert framer.push(PONG + MESSAGES[1]) == MESSAGES[1:2]


def test_the_short_name_of_the_length_is_known() -> None:
    message = head("l: 2") + b"ab"
    assert Framer().push(message + message) == [message, message]


@pytest.mark.parametrize("fields", [(), ("Content-Length: -1",), ("Content-Length: 1", "l: 2"), ("Content-Length: x",)])
def test_without_a_length_nobody_knows_where_a_message_ends(fields: tuple[str, ...]) -> None:
    with pytest.raises(RemoteError) as raised:
        Framer().push(head(*fields))
    assert raised.value.code == "malformed_sip"


@pytest.mark.parametrize(
    "data", [b"x" * (MAX_MESSAGE_BYTES + 1), head(f"Content-Length: {MAX_MESSAGE_BYTES}")], ids=["head", "body"]
)
def test_a_message_that_is_too_long_is_known_before_it_has_come(data: bytes) -> None:
    with pytest.raises(RemoteError):
        Framer().push(data)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.rtp import HEADER_BYTES, MAX_PACKET_BYTES, FarEnd, Packet, ahead, unpack

packets = st.builds(
    Packet,
    st.integers(0, 63) | st.integers(96, 127),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=320),
    st.booleans(),
)


@settings(max_examples=60)
@given(packets)
def test_what_is_packed_is_unpacked(packet: Packet) -> None:
    assert unpack(packet.pack()) == packet


def test_padding_extensions_and_sources_are_taken_off() -> None:
    plain = Packet(0, 1, 2, 3, b"").pack()
    data = bytes([plain[0] | 0x20 | 0x10 | 1]) + plain[1:] + b"SSRC" + b"\xbe\xde\0\1" + b"EXTN" + b"sound" + b"\0\0\3"
    assert unpack(data).payload == b"sound"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * (HEADER_BYTES - 1),
        b"\x40" + bytes(20),
        b"\x80\xc8" + bytes(20),
        b"\x90\x00" + bytes(10),
        b"\x90\x00" + bytes(10) + b"\0\0\xff\xff",
        b"\xa0\x00" + bytes(10) + b"\xff",
        b"\xa0\x00" + bytes(10) + b"\0",
        b"\x8f\x00" + bytes(10),
        b"\x80\x00" + bytes(MAX_PACKET_BYTES),
    ],
)
def test_what_is_no_packet_is_a_named_error(data: bytes) -> None:
    with pytest.raises(RemoteError) as raised:
        unpack(data)
    assert raised.value.code == "malformed_rtp"


def test_numbers_run_round() -> None:
    assert ahead(1, 65_535) == 2
    assert ahead(65_535, 1) == -2
    assert ahead(5, 5) == 0


def test_sound_is_sent_to_where_the_caller_s_comes_from_and_to_nobody_else_later() -> None:
    far = FarEnd()
    far.describe("10.0.0.5", 4000)
    assert far.address == ("10.0.0.5", 4000)
    assert far.admits(("198.51.100.1", 61_000))
    assert far.address == ("198.51.100.1", 61_000)
    assert not far.admits(("203.0.113.66", 4000))
    assert far.admits(("198.51.100.1", 61_000))
    far.describe("10.0.0.5", 4000)
    assert far.address == ("198.51.100.1", 61_000), "the same description moves nothing"
    far.describe("10.0.0.5", 4002)
    assert far.address == ("10.0.0.5", 4002)


def test_a_caller_who_sends_from_the_described_address_cannot_be_replaced() -> None:
    far = FarEnd()
    far.describe("192.0.2.10", 4000)
    assert far.admits(("192.0.2.10", 4000))
    assert not far.admits(("203.0.113.66", 4000))

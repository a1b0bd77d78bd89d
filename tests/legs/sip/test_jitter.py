import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMA_8K, PCMU_8K, Format
from phone_bridge.legs.sip.jitter import CALM_TURNS, FADE_FRAMES, HOLD_FRAMES, MAX_FRAMES, START_FRAMES, JitterBuffer
from phone_bridge.legs.sip.rtp import Packet
from tests.legs.sip.samples import sound

SILENCE = PCMU_8K.silence * 160


def frame(octet: int) -> bytes:
    return bytes([octet]) * 160


def test_sound_waits_a_little_and_comes_in_its_order() -> None:
    buffer = JitterBuffer(PCMU_8K)
    buffer.push(sound(1, 1))
    assert buffer.pop() == SILENCE
    buffer.push(sound(3, 3))
    buffer.push(sound(2, 2))
    assert [buffer.pop() for _ in range(3)] == [frame(1), frame(2), frame(3)]


def test_packets_that_come_twice_are_heard_once() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for number in (1, 2, 2, 1, 3):
        buffer.push(sound(number, number))
    assert [buffer.pop() for _ in range(3)] == [frame(1), frame(2), frame(3)]


@pytest.mark.parametrize("format", [PCMU_8K, PCMA_8K])
def test_what_is_missing_is_the_last_sound_fainter_and_then_silence(format: Format) -> None:
    buffer = JitterBuffer(format)
    buffer.push(sound(1, 0x10))
    buffer.push(sound(2, 0x10))
    heard = [buffer.pop() for _ in range(2 + FADE_FRAMES + 2)]
    assert len(set(heard[1:])) == 2 + FADE_FRAMES
    assert heard[-1] == heard[-2] == format.silence * 160
    assert buffer.lost == FADE_FRAMES
    assert all(len(part) == 160 for part in heard)


def test_a_packet_after_its_turn_makes_what_follows_wait_longer() -> None:
    buffer = JitterBuffer(PCMU_8K)
    before = buffer.wait_ms
    for number in (1, 2, 4):
        buffer.push(sound(number, number))
    heard = [buffer.pop() for _ in range(3)]
    assert heard[2] != frame(3)
    buffer.push(sound(3, 3))
    assert (buffer.late, buffer.wait_ms) == (1, before + 20)
    assert buffer.pop() != frame(4), "one turn stands still"
    assert buffer.pop() == frame(4)


def test_the_wait_has_an_end() -> None:
    buffer = JitterBuffer(PCMU_8K)
    number = 10
    for _ in range(3 * MAX_FRAMES):
        buffer.push(sound(number))
        buffer.push(sound(number + 1))
        while buffer.pop() == SILENCE:
            pass
        buffer.push(sound(number - 5))
        number += 2
    assert buffer.wait_ms <= MAX_FRAMES * 20


def test_a_calm_line_waits_less_again() -> None:
    buffer = JitterBuffer(PCMU_8K)
    number = 0
    for _ in range(6):  # far more than is needed
        buffer.push(sound(number := number + 1))
    for _ in range(2 * CALM_TURNS):
        buffer.pop()
        buffer.push(sound(number := number + 1))
    assert buffer.wait_ms < START_FRAMES * 20


def test_what_a_network_held_back_and_gave_at_once_is_not_heard_for_ever_after() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for number in range(HOLD_FRAMES - 1):
        buffer.push(sound(number, number))
    buffer.pop()
    left = 0
    while buffer.pop() != SILENCE:
        left += 1
    assert left < HOLD_FRAMES // 2


def test_a_clock_that_jumps_begins_anew() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for number in (1, 2, 5_000, 5_001):
        buffer.push(sound(number, number % 100))
    assert [buffer.pop(), buffer.pop()] == [frame(0), frame(1)]
    buffer.push(sound(1, 9, ssrc=2))
    buffer.push(sound(2, 8, ssrc=2))
    assert [buffer.pop(), buffer.pop()] == [frame(9), frame(8)]


def test_a_line_that_rested_goes_on() -> None:
    buffer = JitterBuffer(PCMU_8K)
    buffer.push(sound(1, 1))
    buffer.push(sound(2, 2))
    for _ in range(20):
        buffer.pop()
    buffer.push(sound(21, 3))
    buffer.push(sound(22, 4))
    assert [buffer.pop(), buffer.pop()] == [frame(3), frame(4)]


@pytest.mark.parametrize("ms", [10, 30, 40, 60])
def test_packets_of_other_lengths_are_cut_into_frames(ms: int) -> None:
    buffer = JitterBuffer(PCMU_8K)
    size, whole = 8 * ms, bytes(range(1, 241)) * 8
    for start in range(0, len(whole), size):
        buffer.push(Packet(0, start // size, start, 1, whole[start : start + size]))
    assert b"".join(buffer.pop() for _ in range(5)) == whole[:800]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from((0, 2**32 - 160 * 5 - 80)), st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_halves_of_frames_are_heard_as_whole_frames_are(begins: int, turns: list[tuple[bool, bool]]) -> None:
    whole, halves = JitterBuffer(PCMU_8K), JitterBuffer(PCMU_8K)
    held: list[Packet] = []
    for number, (comes, waits) in enumerate([(True, False)] * 3 + turns):
        packet = Packet(0, number, (begins + 160 * number) % 2**32, 1, frame(number) if comes else b"")
        held.append(packet)
        if not waits or len(held) > 1:
            for each in reversed(held):  # two may come in the wrong order
                whole.push(each)
                for start in range(0, len(each.payload), 80):
                    at = (each.timestamp + start) % 2**32
                    halves.push(Packet(0, 0, at, 1, each.payload[start : start + 80]))
            held.clear()
        assert whole.pop() == halves.pop()
    assert (whole.lost, bool(whole.late)) == (halves.lost, bool(halves.late))


def test_a_half_between_whole_frames_is_heard_in_its_place() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for at, octets in ((0, 160), (160, 160), (320, 80), (400, 160), (560, 160), (720, 80)):
        buffer.push(Packet(0, 0, at, 1, bytes([at // 80]) * octets))
    assert b"".join(buffer.pop()[::80] for _ in range(5)) == bytes((0, 0, 2, 2, 4, 5, 5, 7, 7, 9))
    for number in (5, 6):
        buffer.push(sound(number, 50 + number))
    assert [buffer.pop(), buffer.pop()] == [frame(55), frame(56)]


def test_an_empty_packet_is_no_sound() -> None:
    buffer = JitterBuffer(PCMU_8K)
    buffer.push(Packet(0, 1, 1, 1, b""))
    assert buffer.pop() == SILENCE


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=500), st.integers(0, 3)), max_size=30))
def test_whatever_comes_a_turn_is_twenty_milliseconds(pushes: list[tuple[int, bytes, int]]) -> None:
    buffer = JitterBuffer(PCMU_8K)
    for timestamp, payload, pops in pushes:
        buffer.push(Packet(0, 0, timestamp, pops % 2, payload))
        for _ in range(pops):
            assert len(buffer.pop()) == 160


def test_an_uneven_network_loses_little_once_the_wait_has_grown() -> None:
    buffer, chance = JitterBuffer(PCMU_8K), random.Random(9)  # noqa: S311 - the same network in every run
    arrivals = sorted((number * 20 + chance.randrange(0, 70), number) for number in range(1_500))
    lost_late = 0
    for turn in range(1_500):
        while arrivals and arrivals[0][0] <= turn * 20 + 19:
            buffer.push(sound(arrivals.pop(0)[1]))
        if turn == 500:
            lost_late = buffer.late
        buffer.pop()
    assert buffer.late - lost_late < 30


# A codec that changes


def backwards(payload: bytes) -> bytes:
    """Read another codec than ours: all bits are the other way round."""
    return payload.translate(bytes(255 - octet for octet in range(256)))


def test_what_waits_is_read_as_before_and_what_follows_by_the_new_codec() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for number in (1, 2, 3):
        buffer.push(sound(number, number))
    buffer.change(backwards, 160 * 4)
    for number in (4, 5, 6):
        buffer.push(sound(number, 255 - number))
    heard = [buffer.pop() for _ in range(6)]
    assert heard[:2] == [frame(1), frame(2)]
    assert heard[2][:80] == frame(3)[:80]
    assert heard[2][-1] > 0x70, "it ends in silence"
    assert heard[3][0] > 0x70, "and this begins with it"
    assert heard[3][80:] == frame(4)[80:]
    assert heard[4:] == [frame(5), frame(6)]


def test_a_codec_may_change_within_a_frame() -> None:
    buffer = JitterBuffer(PCMU_8K)
    buffer.push(Packet(0, 1, 0, 1, bytes([1]) * 240))
    buffer.change(backwards, 240)
    buffer.push(Packet(8, 2, 240, 1, bytes([254]) * 240))
    heard = b"".join(buffer.pop() for _ in range(3))
    slots = [heard[at : at + 80] for at in range(0, 480, 80)]
    assert [number for number, slot in enumerate(slots) if slot != bytes([1]) * 80] == [2, 3], "they fade"
    assert (slots[2][0] < 0x10, slots[2][-1] > 0x70) == (slots[3][-1] < 0x10, slots[3][0] > 0x70) == (True, True)


def test_a_codec_that_changes_too_fast_to_be_heard_begins_the_stream_anew() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for number in range(1, 5_001):  # no more than one change is ever kept
        buffer.change(backwards if number % 2 else bytes, 160 * number)
        buffer.push(sound(number, 255 - 7 if number % 2 else 7))
    for number in (5_001, 5_002):
        buffer.push(sound(number, 7))
    assert [buffer.pop() for _ in range(4)][2:] == [frame(7)] * 2


def test_a_codec_whose_first_packet_is_lost_is_heard_from_its_second_on() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for number in (1, 2):
        buffer.push(sound(number, number))
    buffer.pop()
    buffer.pop()
    buffer.change(backwards, 160 * 3)
    buffer.pop()
    buffer.push(sound(3, 255 - 3))
    buffer.push(sound(4, 255 - 4))
    buffer.push(sound(5, 255 - 5))
    assert frame(5) in [buffer.pop() for _ in range(5)]


def test_a_stream_that_begins_anew_with_its_codec_is_read_by_it() -> None:
    buffer = JitterBuffer(PCMU_8K)
    for number in (1, 2, 3):
        buffer.push(sound(number, number))
    buffer.pop()
    buffer.change(backwards, 160 * 900)
    for number in (900, 899, 901):
        buffer.push(sound(number, 255 - 7, ssrc=2))
    assert [buffer.pop() for _ in range(3)] == [frame(7)] * 3

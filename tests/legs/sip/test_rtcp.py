"""Reports of RTCP, and what they say of quality."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call import commands as c
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.leg import SipLeg
from phone_bridge.legs.sip.rtcp import (
    GOODBYE,
    INTERVAL_MS,
    MAX_MOS,
    MAX_SEQUENCE_JUMP,
    RECEIVER,
    Block,
    Control,
    Reception,
    Report,
    is_control,
    mos,
    read,
)
from phone_bridge.legs.sip.rtp import MAX_PACKET_BYTES, Packet
from tests.legs.sip import samples
from tests.legs.sip.samples import START, sound

OURS, THEIRS = 7, 1


def heard(numbers: list[int], *, late: dict[int, int] | None = None, rate: int = 8_000) -> Reception:
    """Take packets that were sent every 20 ms, each late by so many ms."""
    reception = Reception(rate)
    for number in numbers:
        reception.take(sound(number), START + 20 * number + (late or {}).get(number, 0), sound=True)
    return reception


def block_of(reception: Reception) -> Block:
    block = reception.block(0, 0)
    assert block is not None
    return block


def test_what_is_lost_is_counted_once_and_in_all() -> None:
    reception = heard([*range(10), *range(15, 20)])
    assert (block_of(reception).lost, block_of(heard([*range(10), *range(15, 20)])).lost_256ths) == (5, 5 * 256 // 20)
    for number in range(20, 30):
        reception.take(sound(number), START, sound=True)
    again = block_of(reception)
    assert (again.lost, again.lost_256ths) == (5, 0)


def test_packets_out_of_order_and_twice_are_no_loss() -> None:
    block = block_of(heard([0, 2, 1, 3, 3, 4]))
    assert (block.lost, block.lost_256ths, block.highest) == (-1, 0, 4)


def test_numbers_run_round() -> None:
    block = block_of(heard([65_534, 65_535, 65_536, 65_538]))
    assert (block.highest, block.lost) == (65_538, 1)


@pytest.mark.parametrize("again", [sound(5, ssrc=9), sound(5 + MAX_SEQUENCE_JUMP + 1)])
def test_another_stream_or_a_jump_begins_anew(again: Packet) -> None:
    reception = heard([1, 5])
    reception.take(again, START, sound=True)
    assert block_of(reception).lost == 0


def test_jitter_is_that_of_the_standard() -> None:
    assert heard(list(range(50))).jitter_ms == 0
    reception = heard([0, 1], late={1: 16})
    assert reception.jitter_ms == 1.0, "a sixteenth of the difference"
    steady = heard(list(range(400)), late={n: 10 * (n % 2) for n in range(400)})
    assert steady.jitter_ms == pytest.approx(10, abs=0.1)


def test_a_key_tells_nothing_of_time() -> None:
    reception = heard([1])
    reception.take(samples.key("5", 2, 160), START + 10_000, sound=False)
    assert reception.jitter_ms == 0
    assert block_of(reception).lost == 0


def test_a_stream_of_which_nothing_came_has_no_block() -> None:
    assert Reception(8_000).block(0, 0) is None


def told(control: Control, now: int) -> tuple[bytes, Report, int]:
    """Wait for the next report, and tell when it came."""
    while not (written := control.report(now, 0, 40)):
        now += 20
    (report,) = read(written)
    return written, report, now


def test_two_ends_find_out_how_long_the_way_is_and_what_was_lost() -> None:
    ours, theirs = Control(OURS, 8_000, START), Control(THEIRS, 8_000, START)
    for number in range(100):
        ours.sent(160)
        if number % 4:
            theirs.reception.take(sound(number, ssrc=OURS), START + 20 * number, sound=True)
    question, _, asked_at = told(ours, START + 8_000)
    theirs.receive(question, asked_at + 30)
    ours.measured()
    answer, _, answered_at = told(theirs, asked_at + 30)
    ours.receive(answer, answered_at + 30)
    found = dict(ours.measured())
    assert found["rtp_round_trip_ms"] == pytest.approx(60, abs=1), "30 there and 30 back, and its stay there left out"
    assert found["rtp_loss_down"] == pytest.approx(0.25, abs=0.02)
    assert found["rtp_mos_down"] < 3


def test_a_report_says_what_was_sent_and_who_we_are() -> None:
    control = Control(OURS, 8_000, START)
    for _ in range(3):
        control.sent(160)
    written, report, _ = told(control, START)
    assert report.ssrc == OURS
    assert report.ntp is not None
    assert report.blocks == ()
    assert written[20:28] == bytes((0, 0, 0, 3, 0, 0, 1, 224))
    assert b"00000007@phone-bridge" in written
    assert len(written) % 4 == 0


def test_reports_come_every_few_seconds_by_chance() -> None:
    control = Control(OURS, 8_000, START)
    times = [now for now in range(START, START + 200_000, 20) if control.report(now, 0, 40)]
    waits = {b - a for a, b in pairwise(times)}
    assert len(waits) > 5
    assert INTERVAL_MS // 2 - 20 <= min(waits) <= max(waits) <= INTERVAL_MS * 3 // 2 + 20


def test_a_goodbye_follows_the_last_report_of_a_call_that_had_any() -> None:
    control = Control(OURS, 8_000, START)
    assert control.goodbye(START, 0) == b""
    told(control, START)
    last = control.goodbye(START, 0)
    assert last[-7] == GOODBYE
    assert read(last)[0].ssrc == OURS


@pytest.mark.parametrize(
    "broken",
    [
        b"\x80",
        b"\x80\xca\x00\x01\x00\x00\x00\x01",  # a description at first
        b"\x00\xc9\x00\x01\x00\x00\x00\x01",  # another version
        b"\x80\xc9\x00\x09\x00\x00\x00\x01",  # longer than it is
        b"\x81\xc9\x00\x01\x00\x00\x00\x01",  # a block is missing
        b"\x80\xc8\x00\x01\x00\x00\x00\x01",  # a sender's report without its figures
        b"\x80\xc9\x00\x01\x00\x00\x00\x01" * (MAX_PACKET_BYTES // 8 + 1),
    ],
)
def test_what_is_no_report_is_refused(broken: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        read(broken)
    assert caught.value.code == "malformed_rtcp"


@given(st.binary(max_size=80))
def test_no_datagram_does_more_than_raise_a_remote_error(noise: bytes) -> None:
    try:
        Control(OURS, 8_000, START).receive(b"\x81\xc8" + noise, START)
    except RemoteError as error:
        told = error.code
    else:
        told = "malformed_rtcp"
    assert told == "malformed_rtcp"


def test_packets_of_sound_and_reports_are_told_apart() -> None:
    assert not is_control(sound(1).pack())
    assert not is_control(samples.key("1", 1, 1, end=True).pack())
    assert is_control(b"\x80\xc9")
    assert not is_control(b"\x80")


def test_the_score_falls_with_loss_and_delay_within_its_bounds() -> None:
    assert mos(0, 0) == pytest.approx(4.41, abs=0.01), "G.711 at its best, by G.107"
    assert mos(0, 100) > mos(0, 300) > mos(0.05, 300) > mos(0.3, 300) >= 1.0
    assert all(1.0 <= mos(loss / 10, delay) <= MAX_MOS for loss in range(11) for delay in (0, 150, 5_000))


def controls(leg: SipLeg) -> list[bytes]:
    return [message for message in leg.outgoing() if isinstance(message, bytes) and is_control(message)]


def test_a_call_reports_while_it_lasts_and_says_goodbye() -> None:
    leg = samples.leg()
    for number in range(600):
        if number % 10:
            leg.receive(sound(number).pack(), START + 20 * number)
        leg.expire(START + 20 * number)
    reports = [report for written in controls(leg) for report in read(written)]
    assert len(reports) >= 2
    assert reports[-1].blocks[0].lost == pytest.approx(50, abs=10)
    found = leg.measured()
    assert {name for name, _ in found} == {"rtp_loss_up", "rtp_jitter_up_ms", "rtp_mos_up"}
    assert leg.measured() == []
    leg.send(c.HangUp(), START + 12_000)
    (last,) = controls(leg)
    assert bytes((GOODBYE, 0, 1)) in last


def test_a_report_that_makes_no_sense_is_trouble_and_no_more() -> None:
    leg = samples.leg()
    (fact,) = leg.receive(bytes((0x81, RECEIVER, 0, 1, 0, 0, 0, 1)), START)
    assert getattr(fact, "code", "") == "malformed_rtcp"

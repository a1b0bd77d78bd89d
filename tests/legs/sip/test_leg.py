import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.tones import ToneDetector, dtmf
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.dialog import Dialog
from phone_bridge.legs.sip.leg import CATCH_UP_MS, MEDIA_TIMEOUT_MS, Numbers, SipLeg
from phone_bridge.legs.sip.message import Response, read
from phone_bridge.legs.sip.rtcp import Control, is_control
from phone_bridge.legs.sip.rtp import Packet, unpack
from phone_bridge.legs.sip.telephone_event import Keys
from tests.legs.sip import samples
from tests.legs.sip.samples import START, key, sound

SILENCE = PCMU_8K.silence * 160


def packets(leg: SipLeg) -> list[Packet]:
    return [unpack(message) for message in leg.outgoing() if isinstance(message, bytes) and not is_control(message)]


def texts(leg: SipLeg) -> list[str]:
    return [message for message in leg.outgoing() if isinstance(message, str)]


def turn(leg: SipLeg) -> list[e.Event]:
    due = leg.deadline()
    assert due is not None
    return leg.expire(due)


def answered(leg: SipLeg) -> Response:
    (text,) = texts(leg)
    answer = read(text.encode())
    assert isinstance(answer, Response)
    return answer


def test_a_frame_goes_out_and_one_is_heard_every_twenty_milliseconds_whatever_comes() -> None:
    leg = samples.leg()
    heard = [turn(leg) for _ in range(50)]
    assert heard == [[e.CallerHeard(SILENCE)]] * 50
    assert leg.deadline() == START + 50 * 20
    sent = packets(leg)
    assert [packet.payload for packet in sent] == [SILENCE] * 50
    assert [packet.sequence for packet in sent[:3]] == [65_534, 65_535, 0]
    assert [packet.timestamp for packet in sent[:3]] == [2**32 - 160, 0, 160]
    assert [packet.marker for packet in sent[:2]] == [True, False]


def test_sound_goes_out_frame_by_frame_and_a_mark_comes_back_when_it_was_played() -> None:
    leg = samples.leg()
    leg.send(c.Play(b"\x01" * 240, "a"), START)
    leg.send(c.Play(b"", "b"), START)
    assert turn(leg) == [e.CallerHeard(SILENCE)]
    assert turn(leg) == [e.CallerHeard(SILENCE)]
    assert turn(leg) == [e.MarkReached("a"), e.MarkReached("b"), e.CallerHeard(SILENCE)]
    assert [packet.payload for packet in packets(leg)] == [b"\x01" * 160, b"\x01" * 80 + SILENCE[:80], SILENCE]


def test_a_flush_throws_away_what_waits_and_gives_its_marks_back_at_once() -> None:
    leg = samples.leg()
    leg.send(c.Play(b"\x01" * 1_600, "a"), START)
    turn(leg)
    leg.send(c.Flush(), START + 5)
    due = leg.deadline()
    assert due is not None
    assert due <= START + 5
    assert leg.expire(START + 5) == [e.MarkReached("a")]
    assert leg.deadline() == START + 20
    turn(leg)
    assert [packet.payload for packet in packets(leg)] == [b"\x01" * 160, SILENCE]


def test_what_the_caller_says_is_heard_in_its_turn() -> None:
    leg = samples.leg()
    for number in (1, 2):
        assert leg.receive(sound(number).pack(), START) == []
    assert turn(leg) == [e.CallerHeard(sound(1).payload)]


def test_a_key_in_the_sound_counts_once() -> None:
    leg = samples.leg()
    told = [leg.receive(key("7", number, 160, end=number > 2).pack(), START) for number in range(5)]
    assert told == [[e.DigitPressed("7")], [], [], [], []]


def test_a_key_is_heard_in_band_where_the_caller_knows_no_events() -> None:
    agreed = sdp.agree(
        sdp.read(sdp.offer("192.0.2.10", 4000, 1).replace(b" 101", b"").replace(b"a=rtpmap:101", b"a=x"))
    )
    assert agreed.events is None
    leg = SipLeg(samples.dialog(), agreed, samples.MEDIA, samples.NUMBERS, START)
    tone = dtmf("5", PCMU_8K)
    facts: list[e.Event] = []
    for number, start in enumerate(range(0, len(tone) - 159, 160)):
        leg.receive(Packet(0, number, start, 1, tone[start : start + 160]).pack(), START)
        facts += turn(leg)
    facts += [fact for _ in range(5) for fact in turn(leg)]
    assert [fact for fact in facts if isinstance(fact, e.DigitPressed)] == [e.DigitPressed("5")]


def test_what_is_no_sound_is_counted_and_passed_over() -> None:
    leg = samples.leg()
    assert leg.receive(b"nonsense", START) == [e.LegTrouble("malformed_rtp")]
    assert leg.receive(Packet(96, 1, 1, 1, b"").pack(), START) == [e.LegTrouble("unknown_payload_type")]
    assert leg.receive(Packet(13, 1, 1, 1, b"\x20").pack(), START) == []
    assert leg.receive("nonsense", START) == [e.LegTrouble("malformed_sip")]


def test_late_and_lost_sound_is_counted() -> None:
    leg = samples.leg()
    for number in (1, 2, 4):
        leg.receive(sound(number).pack(), START)
    for _ in range(3):
        turn(leg)
    leg.receive(sound(3).pack(), START)
    assert (leg.late_packets, leg.lost_frames) == (1, 1)


def test_a_caller_who_hangs_up_is_answered_and_gone() -> None:
    leg = samples.leg()
    assert leg.receive(samples.text("said", "9_bye.sip"), START) == [e.LegClosed()]
    assert answered(leg).code == 200
    assert leg.deadline() is None
    assert leg.dialog.over
    leg.send(c.HangUp(), START)
    assert leg.outgoing() == []
    assert leg.expire(START + 20) == []
    assert leg.receive(sound(1).pack(), START) == []


def test_hanging_up_says_bye_once() -> None:
    leg = samples.leg()
    leg.send(c.HangUp(), START)
    (bye,) = texts(leg)
    assert bye.startswith("BYE sip:jane@192.0.2.10:5060 SIP/2.0\r\n")
    leg.send(c.HangUp(), START)
    assert leg.outgoing() == []


def test_a_key_comes_by_info_too() -> None:
    leg = samples.leg()
    assert leg.receive(samples.text("said", "1_info_dtmf_relay.sip"), START) == [e.DigitPressed("5")]
    assert answered(leg).code == 200
    other = samples.text("said", "1_info_dtmf_relay.sip").replace("dtmf-relay", "media_control+xml")
    assert leg.receive(other, START) == []
    assert answered(leg).code == 200


def test_a_caller_on_hold_hears_nothing_and_misses_nothing() -> None:
    leg = samples.leg()
    leg.send(c.Play(b"\x01" * 160, "a"), START)
    assert leg.receive(samples.text("said", "2_reinvite_hold.sip"), START) == [e.CallerHeld(held=True)]
    answer = answered(leg)
    assert b"a=recvonly" in answer.body
    assert [fact for _ in range(5) for fact in turn(leg)] == [e.CallerHeard(SILENCE)] * 5
    assert leg.outgoing() == []
    assert leg.receive(samples.text("said", "3_reinvite_resume.sip"), START) == [e.CallerHeld(held=False)]
    assert b"a=sendrecv" in answered(leg).body
    assert leg.far_end.address == ("192.0.2.11", 4010)
    turn(leg)
    (packet,) = packets(leg)
    assert (packet.payload, packet.sequence, packet.timestamp) == (b"\x01" * 160, 65_534, 4 * 160)
    assert e.MarkReached("a") in turn(leg)


def test_a_new_description_without_an_offer_is_answered_by_ours_and_taken_from_the_ack() -> None:
    leg = samples.leg()
    leg.receive(samples.text("said", "5_reinvite_without_offer.sip"), START)
    assert b"m=audio 20000 RTP/AVP 0 8 101" in answered(leg).body
    assert leg.receive(samples.text("said", "6_ack_with_answer.sip"), START) == []
    assert leg.outgoing() == []


def test_an_update_without_a_description_refreshes_and_no_more() -> None:
    leg = samples.leg()
    bare = samples.text("said", "5_reinvite_without_offer.sip").replace("INVITE", "UPDATE")
    assert leg.receive(bare, START) == []
    assert answered(leg).body == b""


@pytest.mark.parametrize("name", ["no_common_codec.sip", "sdp_without_version.sip"])
def test_a_description_that_cannot_be_taken_is_refused_and_the_call_goes_on(name: str) -> None:
    leg = samples.leg()
    (trouble,) = leg.receive(samples.text("broken", name), START)
    assert isinstance(trouble, e.LegTrouble)
    assert answered(leg).code == 488
    assert turn(leg)


def test_a_caller_of_whom_nothing_comes_any_more_is_lost_and_hung_up() -> None:
    leg = samples.leg()
    assert e.LegClosed("lost") not in leg.expire(START + MEDIA_TIMEOUT_MS)
    assert leg.expire(START + MEDIA_TIMEOUT_MS + 20)[-1] == e.LegClosed("lost")
    assert texts(leg)[-1].startswith("BYE ")


def test_a_caller_who_only_listens_is_not_lost() -> None:
    leg = samples.leg()
    leg.receive(samples.text("said", "2_reinvite_hold.sip").replace("a=sendonly", "a=inactive"), START)
    assert e.LegClosed("lost") not in leg.expire(START + 2 * MEDIA_TIMEOUT_MS)


def test_a_caller_who_has_us_on_hold_may_send_nothing_for_as_long_as_that_lasts() -> None:
    leg = samples.leg()
    leg.receive(samples.text("said", "2_reinvite_hold.sip"), START)
    assert e.LegClosed("lost") not in leg.expire(START + 2 * MEDIA_TIMEOUT_MS)
    leg.receive(samples.text("said", "3_reinvite_resume.sip"), START + 2 * MEDIA_TIMEOUT_MS)
    assert e.LegClosed("lost") not in leg.expire(START + 3 * MEDIA_TIMEOUT_MS)
    assert e.LegClosed("lost") in leg.expire(START + 3 * MEDIA_TIMEOUT_MS + 40)


def test_a_caller_who_sends_only_reports_is_not_lost() -> None:
    leg = samples.leg()
    peer = Control(1, 8_000, START)
    peer.sent(160)
    leg.receive(peer.report(START + MEDIA_TIMEOUT_MS, 0, 0), START + MEDIA_TIMEOUT_MS)
    assert e.LegClosed("lost") not in leg.expire(START + 2 * MEDIA_TIMEOUT_MS)


def test_a_call_may_begin_on_hold() -> None:
    held = sdp.agree(sdp.read(samples.request("said", "2_reinvite_hold.sip").body))
    leg = SipLeg(samples.dialog(), held, samples.MEDIA, samples.NUMBERS, START)
    assert turn(leg)[0] == e.CallerHeld(held=True)
    leg = samples.leg()
    leg.change(leg.dialog, held, samples.MEDIA, samples.NUMBERS)
    assert turn(leg)[:2] == [e.CallerChanged(), e.CallerHeld(held=True)]


def test_late_frames_follow_at_once_and_a_stall_is_a_hole() -> None:
    leg = samples.leg()
    assert len(leg.expire(START + CATCH_UP_MS)) == CATCH_UP_MS // 20 + 1
    leg.outgoing()
    leg.expire(START + 10_000)
    (packet,) = packets(leg)
    assert packet.timestamp == (2**32 - 160 + 160 * 500) % 2**32
    assert packet.sequence == (65_534 + CATCH_UP_MS // 20 + 1) % 65_536
    assert leg.deadline() == START + 10_020


def test_somebody_else_is_heard_and_hears_from_the_next_frame_on() -> None:
    leg = samples.leg()
    leg.receive(sound(1).pack(), START)
    leg.send(c.Play(b"\x01" * 320, "a"), START)
    turn(leg)
    leg.outgoing()
    theirs = sdp.agree(sdp.read(samples.request("transfer", "invite_replaces.sip").body))
    dialog = Dialog.answering(
        samples.request("transfer", "invite_replaces.sip"), "anew", samples.BRIDGE, samples.CALLER, samples.Ids()
    )
    numbers = Numbers(ssrc=8, sequence=100, timestamp=0)
    leg.change(dialog, theirs, ("192.0.2.1", 20_002), numbers)
    assert leg.far_end.address == ("192.0.2.20", 41_000)
    assert turn(leg) == [e.CallerChanged()], "at once"
    turn(leg)
    (packet,) = packets(leg)
    assert (packet.payload, packet.ssrc, packet.sequence, packet.marker) == (b"\x01" * 160, 8, 100, True)
    heard: list[e.Event] = []
    for number in range(900, 910):
        leg.receive(sound(number, 0x20, ssrc=5).pack(), START + 40)
        heard += turn(leg)
    assert e.CallerHeard(b"\x20" * 160) in heard, "another stream, from its own beginning"
    leg.outgoing()
    leg.send(c.HangUp(), START + 300)
    assert texts(leg)[-1].startswith("BYE sip:carol@192.0.2.20:5060 ")


def test_whoever_comes_may_be_silent_as_long_as_whoever_was_there() -> None:
    leg = samples.leg()
    leg.expire(START + MEDIA_TIMEOUT_MS - 20)
    theirs = sdp.agree(sdp.read(samples.request("transfer", "invite_replaces.sip").body))
    leg.change(leg.dialog, theirs, samples.MEDIA, samples.NUMBERS)
    assert e.LegClosed("lost") not in leg.expire(START + 2 * MEDIA_TIMEOUT_MS - 40)
    assert e.LegClosed("lost") in leg.expire(START + 2 * MEDIA_TIMEOUT_MS + 40)


def test_keys_are_pressed_as_telephone_events_and_sound_waits_for_them() -> None:
    leg = samples.leg()
    turn(leg)
    leg.send(c.Play(b"\x01" * 160, "a"), START)
    leg.press("4#")
    facts = [turn(leg) for _ in range(20)]
    assert not any(e.MarkReached("a") in each for each in facts)
    sent = packets(leg)[1:]
    events = [packet for packet in sent if packet.payload_type == 101]
    keys = Keys()
    assert [key for key in map(keys.push, events) if key] == ["4", "#"]
    assert len(events) == 14, "five packets of each key, and its end twice more (RFC 4733, 2.5.1.4)"
    began = [packet.timestamp for packet in events if packet.marker]
    assert began == [0, 1_600]
    assert {packet.timestamp for packet in events[:7]} == {0}, "all of a key's have the time at which it went down"
    assert [packet.payload for packet in events[:7]] == [
        *(bytes([4, 10]) + (160 * frames).to_bytes(2, "big") for frames in range(1, 5)),
        *[bytes([4, 0x80 | 10]) + (800).to_bytes(2, "big")] * 3,
    ]
    assert {packet.payload for packet in sent if packet.payload_type == 0} == {SILENCE}
    assert [packet.sequence for packet in sent] == [(65_535 + n) % 65_536 for n in range(len(sent))]
    turn(leg)
    assert e.MarkReached("a") in turn(leg)
    assert packets(leg)[0].payload == b"\x01" * 160


def test_a_peer_without_telephone_events_hears_the_tones() -> None:
    leg = samples.wide_leg(events=False)
    leg.press("1w9")
    for _ in range(50):
        turn(leg)
    detector, decode = ToneDetector(leg.format), samples.wide_decoder()
    assert [key for packet in packets(leg) for key in detector.push(decode(packet.payload))] == ["1", "9"]

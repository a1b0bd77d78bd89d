"""Wide band on a line: G.722 in its packets, 16 kHz in the call, and the clock of 8 kHz between them."""

from itertools import product

import numpy as np
import pytest

from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, Encoding, Format
from phone_bridge.audio.g722 import Decoder, Encoder
from phone_bridge.audio.level import dbfs
from phone_bridge.audio.path import path
from phone_bridge.audio.tones import dtmf
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.legs.sip import rtcp, sdp
from phone_bridge.legs.sip.codec import FORMATS, FRAME_TICKS, G722, PCMA, PCMU, decoder, encoder, leading
from phone_bridge.legs.sip.jitter import FADE_FRAMES, JitterBuffer
from phone_bridge.legs.sip.leg import Numbers, SipLeg
from phone_bridge.legs.sip.rtcp import INTERVAL_MS, is_control
from phone_bridge.legs.sip.rtp import Packet, unpack
from tests.legs.sip.samples import MEDIA, NUMBERS, START, dialog, key, text, wide_leg

FRAME = LINEAR_16K.size(20)


def share_above_4_khz(pcm16: bytes) -> float:
    """The part of a sound's energy that the narrow band does not have."""
    values = np.frombuffer(pcm16, "<i2").astype(float)
    energy = np.abs(np.fft.rfft(values * np.hanning(values.size))) ** 2
    return float(energy[np.fft.rfftfreq(values.size, 1 / 16_000) > 4_000].sum() / energy.sum())


def tone(hz: float, ms: int) -> bytes:
    time = np.arange(16 * ms) / 16_000
    sound: bytes = np.rint(8_000 * np.sin(2 * np.pi * hz * time)).astype("<i2").tobytes()
    return sound


def spoken(pcm16: bytes) -> list[bytes]:
    """The packets of a telephone that says ``pcm16``."""
    octets = Encoder().push(pcm16)
    parts = [octets[at : at + 160] for at in range(0, len(octets), 160)]
    return [Packet(G722, number, 160 * number, 1, part).pack() for number, part in enumerate(parts)]


def turns(leg: SipLeg, count: int) -> list[e.Event]:
    facts: list[e.Event] = []
    for _ in range(count):
        due = leg.deadline()
        assert due is not None
        facts += leg.expire(due)
    return facts


def heard(facts: list[e.Event]) -> list[bytes]:
    return [fact.audio for fact in facts if isinstance(fact, e.CallerHeard)]


def packets(leg: SipLeg) -> list[Packet]:
    return [unpack(each) for each in leg.outgoing() if isinstance(each, bytes) and not is_control(each)]


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_the_narrow_band_goes_through_untouched(codec: int) -> None:
    sound, line = bytes(range(160)), FORMATS[codec]
    assert encoder(codec, line)(sound) is decoder(codec, line)(sound) is sound


def test_a_frame_is_as_many_octets_and_ticks_in_every_codec() -> None:
    for codec, line in product(FORMATS, FORMATS.values()):
        silence = line.silence * (line.size(20) // line.sample_bytes)
        write, read = encoder(codec, line), decoder(codec, line)
        for _ in range(3):
            payload = write(silence)
            assert len(payload) == FRAME_TICKS == 160
            assert len(read(payload)) == len(silence)


def test_what_carries_a_call_as_it_is_leads_and_the_others_keep_their_order() -> None:
    assert leading(LINEAR_16K, (PCMU, PCMA, G722)) == (G722, PCMU, PCMA)
    assert leading(PCMA_8K, (G722, PCMU, PCMA)) == (PCMA, G722, PCMU)
    assert leading(LINEAR_16K, (PCMA, PCMU)) == (PCMA, PCMU)


def test_high_tones_go_both_ways() -> None:
    leg = wide_leg()
    assert leg.format == LINEAR_16K
    leg.send(c.Play(tone(6_000, 400), "m"), START)
    facts: list[e.Event] = []
    for packet in spoken(tone(5_500, 400)):
        leg.receive(packet, START)
        facts += turns(leg, 1)
    sound = heard(facts)
    assert {len(frame) for frame in sound} == {FRAME}
    assert share_above_4_khz(b"".join(sound[5:])) > 0.95
    sent = packets(leg)
    assert {packet.payload_type for packet in sent} == {G722}
    assert share_above_4_khz(Decoder().push(b"".join(packet.payload for packet in sent))) > 0.95


def test_the_clock_counts_eight_thousand_a_second_and_a_mark_comes_back_to_the_frame() -> None:
    leg = wide_leg()
    leg.send(c.Play(tone(1_000, 60), "mark"), START)
    facts = [turns(leg, 1) for _ in range(5)]
    assert [e.MarkReached("mark") in told for told in facts] == [False, False, False, True, False]
    sent = packets(leg)
    assert [packet.timestamp - sent[1].timestamp for packet in sent[1:]] == [0, 160, 320, 480]
    assert {len(packet.payload) for packet in sent} == {160}


def test_silence_is_sent_and_heard_as_the_wide_band_has_it() -> None:
    leg = wide_leg()
    assert heard(turns(leg, 3)) == [bytes(FRAME)] * 3
    assert Decoder().push(packets(leg)[0].payload) != b""


def test_keys_come_as_events_and_in_band() -> None:
    leg = wide_leg()
    assert leg.receive(key("7", 1, 160).pack(), START) == [e.DigitPressed("7")]
    deaf = wide_leg(events=False)
    facts: list[e.Event] = []
    for packet in spoken(dtmf("5", LINEAR_16K)):
        deaf.receive(packet, START)
        facts += turns(deaf, 1)
    facts += turns(deaf, 5)
    assert [fact for fact in facts if isinstance(fact, e.DigitPressed)] == [e.DigitPressed("5")]


def test_what_is_missing_is_the_last_sound_fainter_and_then_silence() -> None:
    buffer = JitterBuffer(LINEAR_16K, decoder(G722, LINEAR_16K))
    for packet in spoken(tone(1_000, 100)):
        buffer.push(unpack(packet))
    parts = [np.frombuffer(buffer.pop(), "<i2").astype(float) for _ in range(5 + FADE_FRAMES + 2)]
    levels = [float(np.sqrt(np.mean(part**2))) for part in parts]
    assert {part.size for part in parts} == {320}
    assert levels[4] > levels[5] > levels[6] > levels[7] > 0 == levels[8] == levels[9]
    assert buffer.lost == FADE_FRAMES


def test_half_a_frame_is_heard_with_silence_for_the_other_half() -> None:
    buffer = JitterBuffer(LINEAR_16K, decoder(G722, LINEAR_16K))
    for packet in spoken(tone(1_000, 40)):
        whole = unpack(packet)
        buffer.push(Packet(G722, whole.sequence, whole.timestamp, 1, whole.payload[:80]))
    buffer.push(Packet(G722, 9, 320, 1, bytes(160)))
    first = buffer.pop()
    assert len(first) == FRAME
    assert any(first[: FRAME // 2])
    assert not any(first[FRAME // 2 :])


def test_noise_that_is_asked_for_is_wide() -> None:
    leg = wide_leg()
    leg.receive(Packet(13, 1, 160, 1, bytes([40])).pack(), START)
    sound = b"".join(heard(turns(leg, 20)))
    assert len(sound) == 20 * FRAME
    assert 0.4 < share_above_4_khz(sound) < 0.6
    values = np.frombuffer(sound, "<i2").astype(float)
    assert -20 * np.log10(np.sqrt(np.mean(values**2)) / 32_767) == pytest.approx(40, abs=1)


def test_reports_count_octets_and_jitter_by_the_packets_clock() -> None:
    leg, now = wide_leg(), START
    for packet in spoken(tone(1_000, INTERVAL_MS * 2)):
        leg.receive(packet, now)
        turns(leg, 1)
        now += 20
    reports = [each for each in leg.outgoing() if isinstance(each, bytes) and is_control(each)]
    (block,) = rtcp.read(reports[-1])[0].blocks
    assert block.jitter == 0
    octets = int.from_bytes(reports[-1][24:28], "big")
    assert octets == 160 * int.from_bytes(reports[-1][20:24], "big")


def test_a_new_description_keeps_to_what_the_trunk_speaks_or_is_refused() -> None:
    leg = wide_leg()
    leg.receive(text("said", "5_reinvite_without_offer.sip"), START)
    (offered,) = [each for each in leg.outgoing() if isinstance(each, str)]
    assert "RTP/AVP 9 101\r\n" in offered
    assert leg.receive(text("said", "2_reinvite_hold.sip"), START) == [e.LegTrouble("no_common_codec")]


# A call that goes on in another codec

ALL = (PCMU, PCMA, G722)
PAIRS = [pair for pair in product(ALL, ALL) if pair[0] != pair[1]]
HZ, SECONDS = 1_330, 1
TURNS, CHANGED = 50 * SECONDS, 25
PURE_DB = -40


def narrow_or_wide(codec: int, codecs: tuple[int, ...] = ALL, *, events: bool = True) -> SipLeg:
    """A leg that began in ``codec``, with a peer with whom ``codecs`` are spoken."""
    return SipLeg(dialog(), agreed(codec, codecs, events=events), MEDIA, NUMBERS, START)


def agreed(codec: int, codecs: tuple[int, ...] = ALL, *, events: bool = True) -> sdp.Agreed:
    described = sdp.offer("192.0.2.10", 4000, 1, codecs=(codec,))
    if not events:
        described = described.replace(b" 101", b"").replace(b"a=rtpmap:101", b"a=x")
    return sdp.agree(sdp.read(described), codecs=codecs)


def asked(codec: int, method: str = "INVITE", host: str = "192.0.2.10", payload: int | None = None) -> str:
    """A new description within the call, with one codec in it."""
    body = sdp.offer(host, 4000, 2, codecs=(codec,)).decode()
    if payload is not None:
        body = body.replace(f"AVP {codec} ", f"AVP {payload} ").replace(f"rtpmap:{codec} ", f"rtpmap:{payload} ")
    head = text("said", "2_reinvite_hold.sip").replace("INVITE", method).partition("\r\n\r\n")[0]
    kept = [line for line in head.split("\r\n") if not line.startswith("Content-Length")]
    return "\r\n".join([*kept, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body


class Line:
    """A peer who says a tone and hears one, with everything that either side hears."""

    def __init__(self, leg: SipLeg, codec: int) -> None:
        self.leg = leg
        self.heard = b""  # by the call, in its format
        self.sent: list[Packet] = []
        self.facts: list[e.Event] = []
        self._number = 0
        self._ssrc = 1
        self.speak(codec)

    def speak(self, codec: int, *, payload: int | None = None, anew: bool = False) -> None:
        """Say all that follows in ``codec``."""
        self._payload, self._encode = codec if payload is None else payload, encoder(codec, LINEAR_16K)
        self._ssrc += anew

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            said = self._encode(tone(HZ, 1_000 * SECONDS)[FRAME * self._number :][:FRAME])
            packet = Packet(self._payload, self._number, 160 * self._number, self._ssrc, said)
            assert self.leg.receive(packet.pack(), START) == []
            facts = turns(self.leg, 1)
            self.heard += b"".join(heard(facts))
            self.facts += facts
            self.sent += packets(self.leg)
            self._number += 1

    def listened(self) -> bytes:
        """All that the peer has heard, each codec from the packet on that begins it."""
        sound, decode, payload = b"", decoder(PCMU, LINEAR_16K), -1
        for packet in self.sent:
            if packet.payload_type != payload:
                payload = packet.payload_type
                decode = decoder(payload, LINEAR_16K)
            sound += decode(packet.payload)
        return sound


def look(pcm16: bytes, at: int, ms: int = 100) -> tuple[float, float, float]:
    """Give the strongest tone around the frame ``at``, its level, and that of the strongest far from it, in dB."""
    middle = 16 * 20 * at
    sound = np.frombuffer(pcm16, "<i2").astype(float)[middle - 8 * ms : middle + 8 * ms]
    window = np.kaiser(sound.size, 12.0)
    levels = 20 * np.log10(np.abs(np.fft.rfft(sound * window)) * 2 / window.sum() / 8_000)
    hertz = np.fft.rfftfreq(sound.size, 1 / 16_000)
    return float(hertz[levels.argmax()]), float(levels.max()), float(levels[np.abs(hertz - HZ) > 300].max())


def assert_pure(pcm16: bytes, change: int) -> None:
    """A tone keeps its pitch and its level, and nothing clicks where its codec changes."""
    for frame in (change - 6, change + 7):
        hertz, level, stray = look(pcm16, frame, 200)
        assert hertz == pytest.approx(HZ, abs=5)
        assert level == pytest.approx(0, abs=1)
        assert stray < PURE_DB
    hertz, _, stray = look(pcm16, change)
    assert hertz == pytest.approx(HZ, abs=15)
    assert stray < PURE_DB


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(("began", "goes_on"), PAIRS)
def test_a_tone_goes_through_a_change_of_codec_both_ways(began: int, goes_on: int, method: str) -> None:
    leg = narrow_or_wide(began)
    line = Line(leg, began)
    leg.send(c.Play(path(LINEAR_16K, leg.format).push(tone(HZ, 1_000 * SECONDS)), "end"), START)
    line.turn(CHANGED)
    leg.receive(asked(goes_on, method), START)
    (answer,) = [each for each in leg.outgoing() if isinstance(each, str)]
    assert f"RTP/AVP {goes_on} 101\r\n" in answer
    line.turn(2)  # what the peer says before it has our answer
    line.speak(goes_on)
    line.turn(TURNS - CHANGED - 2)
    assert leg.format == FORMATS[began]
    assert len(line.heard) == TURNS * leg.format.size(20)
    assert (leg.lost_frames, leg.late_packets) == (0, 0)
    assert_pure(path(leg.format, LINEAR_16K).push(line.heard), CHANGED + 3)
    assert [packet.payload_type for packet in line.sent] == [began] * (CHANGED + 1) + [goes_on] * (TURNS - CHANGED - 1)
    assert {len(packet.payload) for packet in line.sent} == {160}
    first = line.sent[0]
    for number, packet in enumerate(line.sent):
        assert (packet.ssrc, packet.sequence) == (first.ssrc, (first.sequence + number) % 65_536)
        assert packet.timestamp == (first.timestamp + 160 * number) % 2**32
    assert_pure(line.listened(), CHANGED + 1)
    assert e.MarkReached("end") not in line.facts
    assert e.MarkReached("end") in turns(leg, 1), "played to the frame"


@pytest.mark.parametrize(("began", "goes_on"), PAIRS)
def test_a_tone_goes_on_with_somebody_else_both_ways(began: int, goes_on: int) -> None:
    leg = narrow_or_wide(began)
    line = Line(leg, began)
    leg.send(c.Play(path(LINEAR_16K, leg.format).push(tone(HZ, 1_000 * SECONDS)), "end"), START)
    line.turn(CHANGED)
    leg.change(dialog(), agreed(goes_on), MEDIA, Numbers(ssrc=99, sequence=5, timestamp=160))
    line.sent.clear()
    assert turns(leg, 1) == [e.CallerChanged()]
    line.speak(goes_on, anew=True)
    line.turn(TURNS - CHANGED)
    assert leg.format == FORMATS[began]
    assert len(line.heard) == TURNS * leg.format.size(20)
    heard_then, listened = path(leg.format, LINEAR_16K).push(line.heard), line.listened()
    assert {packet.payload_type for packet in line.sent} == {goes_on}
    for sound, frame in ((heard_then, CHANGED + 13), (listened, 13)):
        hertz, level, stray = look(sound, frame, 400)
        assert hertz == pytest.approx(HZ, abs=3)
        assert level == pytest.approx(0, abs=1)
        assert stray < PURE_DB
    assert e.MarkReached("end") not in line.facts
    assert e.MarkReached("end") in turns(leg, 1), "played to the frame"


def test_what_the_caller_has_not_heard_of_a_sentence_is_known_to_the_frame_after_a_change() -> None:
    leg = narrow_or_wide(G722)
    leg.send(c.Play(tone(HZ, 100), "a"), START)
    turns(leg, 2)
    leg.change(dialog(), agreed(PCMU), MEDIA, NUMBERS)
    leg.send(c.Play(tone(HZ, 200), "b"), START)
    turns(leg, 1)
    marks = [[fact for fact in turns(leg, 1) if isinstance(fact, e.MarkReached)] for _ in range(4)]
    assert marks == [[], [], [], [e.MarkReached("a")]]
    leg.send(c.Flush(), START)
    assert turns(leg, 1) == [e.MarkReached("b")]


@pytest.mark.parametrize(("began", "goes_on"), [(G722, PCMU), (PCMU, G722)])
def test_keys_noise_and_what_stands_for_lost_sound_go_on_in_the_call_s_format(began: int, goes_on: int) -> None:
    leg = narrow_or_wide(began)
    turns(leg, 1)
    leg.change(dialog(), agreed(goes_on, events=False), MEDIA, NUMBERS)
    turns(leg, 1)
    write, facts = encoder(goes_on, LINEAR_16K), list[e.Event]()
    sound = tone(HZ, 100) + dtmf("5", LINEAR_16K)
    frames = [sound[at : at + FRAME] for at in range(0, len(sound), FRAME)]
    for number, frame in enumerate(frames):
        leg.receive(Packet(goes_on, number, 160 * number, 1, write(frame)).pack(), START)
        facts += turns(leg, 1) if number != 3 else []
    for number in range(len(frames) + 1, len(frames) + 4):  # one is lost
        leg.receive(Packet(goes_on, number, 160 * number, 1, write(frames[0])).pack(), START)
    facts += turns(leg, 20)
    assert [fact for fact in facts if isinstance(fact, e.DigitPressed)] == [e.DigitPressed("5")]
    assert leg.lost_frames > 0
    assert {len(frame) for frame in heard(facts)} == {leg.format.size(20)}
    leg.receive(Packet(13, 99, 160 * 99, 1, bytes([40])).pack(), START)
    noise = path(leg.format, Format(Encoding.LINEAR16, leg.format.rate)).push(b"".join(heard(turns(leg, 20))))
    assert dbfs(noise) == pytest.approx(-40, abs=1)


def test_a_caller_who_has_no_more_events_is_heard_in_band() -> None:
    leg = narrow_or_wide(PCMU)
    leg.receive(asked(PCMA).replace("AVP 8 101", "AVP 8    ").replace("rtpmap:101", "x-nope:101"), START)
    write, facts = encoder(PCMA, LINEAR_16K), list[e.Event]()
    sound = dtmf("7", LINEAR_16K)
    for number in range(len(sound) // FRAME):
        part = write(sound[FRAME * number : FRAME * (number + 1)])
        leg.receive(Packet(PCMA, number, 160 * number, 1, part).pack(), START)
        facts += turns(leg, 1)
    assert e.DigitPressed("7") in facts


def test_a_codec_that_a_trunk_does_not_name_is_refused_and_the_call_goes_on_as_it_was() -> None:
    leg = narrow_or_wide(PCMU, (PCMU, PCMA))
    line = Line(leg, PCMU)
    line.turn()
    assert leg.receive(asked(G722), START) == [e.LegTrouble("no_common_codec")]
    line.turn(5)
    assert {packet.payload_type for packet in line.sent} == {PCMU}


def test_our_offer_within_a_call_begins_with_what_is_spoken() -> None:
    leg = narrow_or_wide(G722)
    leg.receive(text("said", "5_reinvite_without_offer.sip"), START)
    (offered,) = [each for each in leg.outgoing() if isinstance(each, str)]
    assert "RTP/AVP 9 0 8 101\r\n" in offered
    leg.receive(text("said", "6_ack_with_answer.sip"), START)
    line = Line(leg, G722)
    line.turn(4)
    assert [packet.payload_type for packet in line.sent] == [G722, PCMU, PCMU, PCMU]


def test_a_second_change_before_the_first_was_heard_and_a_change_back() -> None:
    leg = narrow_or_wide(PCMU)
    line = Line(leg, PCMU)
    leg.send(c.Play(path(LINEAR_16K, leg.format).push(tone(HZ, 1_000 * SECONDS)), ""), START)
    line.turn(10)
    for codec in (G722, PCMA, G722, PCMU):
        leg.receive(asked(codec), START)
        line.turn(1)
    line.turn(26)
    assert line.sent[-1].payload_type == PCMU
    for sound in (path(leg.format, LINEAR_16K).push(line.heard), line.listened()):
        assert look(sound, 30, 200)[2] < PURE_DB


def test_another_machine_behind_the_same_call_is_sent_nothing_that_it_did_not_ask_for() -> None:
    leg = narrow_or_wide(PCMU)
    line = Line(leg, PCMU)
    line.turn(2)
    leg.receive(asked(G722, host="192.0.2.77"), START)
    line.turn(2)
    assert [packet.payload_type for packet in line.sent] == [PCMU, PCMU, G722, G722]


def test_a_codec_may_come_by_a_number_of_the_peer_s_own_and_take_another_s() -> None:
    leg = narrow_or_wide(PCMU)
    line = Line(leg, PCMU)
    for codec in (PCMA, G722):
        leg.receive(asked(codec, payload=97), START)
        leg.outgoing()
        line.speak(codec, payload=97)
        line.turn(20)
        assert line.sent[-1].payload_type == 97
        assert look(path(leg.format, LINEAR_16K).push(line.heard[-leg.format.size(400) :]), 12, 200)[2] < PURE_DB


def test_however_often_it_changes_a_frame_is_a_frame() -> None:
    leg = narrow_or_wide(PCMU)
    line = Line(leg, PCMU)
    for number in range(2_000):
        leg.receive(asked((PCMA, PCMU)[number % 2], "UPDATE"), START)
    line.turn(3)
    assert [(packet.payload_type, len(packet.payload)) for packet in line.sent] == [(PCMU, 160)] * 3

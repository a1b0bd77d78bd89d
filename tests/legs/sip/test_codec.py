"""Wide band on a line: G.722 in its packets, 16 kHz in the call, and the clock of 8 kHz between them."""

import numpy as np
import pytest

from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.g722 import Decoder, Encoder
from phone_bridge.audio.tones import dtmf
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.legs.sip import rtcp
from phone_bridge.legs.sip.codec import FORMATS, FRAME_TICKS, G722, decoder, encoder
from phone_bridge.legs.sip.jitter import FADE_FRAMES, JitterBuffer
from phone_bridge.legs.sip.leg import SipLeg
from phone_bridge.legs.sip.rtcp import INTERVAL_MS, is_control
from phone_bridge.legs.sip.rtp import Packet, unpack
from tests.legs.sip.samples import START, key, text, wide_leg

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


@pytest.mark.parametrize("format", [PCMU_8K, PCMA_8K])
def test_the_narrow_band_goes_through_untouched(format: Format) -> None:
    sound = bytes(range(160))
    assert encoder(format)(sound) is decoder(format)(sound) is sound


def test_a_frame_is_as_many_octets_and_ticks_in_every_codec() -> None:
    for line in (FORMATS[codec] for codec in FORMATS):
        assert len(encoder(line)(line.silence * (line.size(20) // line.sample_bytes))) == FRAME_TICKS == 160


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
    buffer = JitterBuffer(LINEAR_16K)
    for packet in spoken(tone(1_000, 100)):
        buffer.push(unpack(packet))
    parts = [np.frombuffer(buffer.pop(), "<i2").astype(float) for _ in range(5 + FADE_FRAMES + 2)]
    levels = [float(np.sqrt(np.mean(part**2))) for part in parts]
    assert {part.size for part in parts} == {320}
    assert levels[4] > levels[5] > levels[6] > levels[7] > 0 == levels[8] == levels[9]
    assert buffer.lost == FADE_FRAMES


def test_half_a_frame_is_heard_with_silence_for_the_other_half() -> None:
    buffer = JitterBuffer(LINEAR_16K)
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


def test_a_new_description_keeps_the_codec_or_is_refused() -> None:
    leg = wide_leg()
    leg.receive(text("said", "5_reinvite_without_offer.sip"), START)
    (offered,) = [each for each in leg.outgoing() if isinstance(each, str)]
    assert "RTP/AVP 9 101\r\n" in offered
    assert leg.receive(text("said", "2_reinvite_hold.sip"), START) == [e.LegTrouble("no_common_codec")]

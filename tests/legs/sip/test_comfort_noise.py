"""What a line sounds like while its telephone sends nothing."""

import numpy as np
import pytest

from phone_bridge.audio.format import PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.g711 import alaw_to_linear, ulaw_to_linear
from phone_bridge.call import events as e
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.comfort_noise import FRAMES, PAYLOAD, ComfortNoise
from phone_bridge.legs.sip.leg import MEDIA_TIMEOUT_MS, SipLeg
from phone_bridge.legs.sip.rtp import Packet
from tests.legs.sip import samples
from tests.legs.sip.samples import START, sound

SILENCE = PCMU_8K.silence * 160


def level_of(sound: bytes) -> float:
    """The level of linear sound, in dB below the loudest."""
    values = np.frombuffer(sound, "<i2").astype(float)
    return float(-20 * np.log10(np.sqrt(np.mean(values**2)) / 32_767))


@pytest.mark.parametrize(("format", "decode"), [(PCMU_8K, ulaw_to_linear), (PCMA_8K, alaw_to_linear)])
@pytest.mark.parametrize("level", [30, 50, 60])
def test_noise_has_the_level_that_is_named(format: Format, decode: object, level: int) -> None:
    assert callable(decode)
    noise = ComfortNoise(format)
    noise.set(bytes([level]))
    made = b"".join(noise.take() for _ in range(FRAMES))
    assert level_of(decode(made)) == pytest.approx(level, abs=1)
    assert noise.take() == made[:160], "it goes round"


def test_no_noise_is_made_before_it_is_asked_for_nor_after_sound() -> None:
    noise = ComfortNoise(PCMU_8K)
    assert noise.take() == b""
    noise.set(bytes([60, 1, 2, 3]))  # with a filter, which is left out
    assert len(noise.take()) == 160
    noise.stop()
    assert noise.take() == b""


@pytest.mark.parametrize("payload", [b"", b"\x80"])
def test_a_packet_without_a_level_is_refused(payload: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        ComfortNoise(PCMU_8K).set(payload)
    assert caught.value.code == "malformed_comfort_noise"


def quiet(number: int) -> bytes:
    return Packet(PAYLOAD, number, 160 * number, 1, bytes([50])).pack()


def heard(leg: SipLeg, now: int) -> bytes:
    return b"".join(fact.audio for fact in leg.expire(now) if isinstance(fact, e.CallerHeard))


def test_a_line_that_names_its_noise_is_not_heard_as_dead_and_sound_ends_it() -> None:
    leg = samples.leg()
    assert heard(leg, START) == SILENCE
    leg.receive(quiet(1), START)
    assert heard(leg, START + 20) not in (SILENCE, b"")
    for number in (2, 3):
        leg.receive(sound(number).pack(), START)
    assert heard(leg, START + 40) == sound(2).payload


def test_a_caller_who_is_quiet_for_long_is_not_lost() -> None:
    leg = samples.leg()
    for second in range(2 * MEDIA_TIMEOUT_MS // 1000):
        leg.receive(quiet(second), START + 1000 * second)
        assert e.LegClosed("lost") not in leg.expire(START + 1000 * second)


def test_noise_is_answered_where_it_is_offered() -> None:
    head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    for formats, answered in (("0 13", "0 13"), ("0", "0")):
        offer = sdp.read(f"{head}m=audio 4000 RTP/AVP {formats}\r\n".encode())
        answer = sdp.answer(offer, sdp.agree(offer), "192.0.2.1", 5000, 1).decode()
        assert f"m=audio 5000 RTP/AVP {answered}\r\n" in answer

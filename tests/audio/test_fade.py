import numpy as np
import pytest

from phone_bridge.audio.fade import RAMP_MS, fallen, risen
from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.path import path

LINES = [PCMU_8K, PCMA_8K, LINEAR_16K]


def level(format: Format, ms: int, value: int = 8_000) -> bytes:
    linear = Format(LINEAR_16K.encoding, format.rate)
    return path(linear, format).push(np.full(format.rate * ms // 1000, value, "<i2").tobytes())


def samples(audio: bytes, format: Format) -> list[int]:
    linear = Format(LINEAR_16K.encoding, format.rate)
    found: list[int] = np.frombuffer(path(format, linear).push(audio), "<i2").tolist()
    return found


@pytest.mark.parametrize("format", LINES)
def test_sound_begins_and_ends_in_silence_and_is_itself_between(format: Format) -> None:
    sound, ramp = level(format, 40), format.rate * RAMP_MS // 1000
    begun, ended = samples(risen(sound, format), format), samples(fallen(sound, format), format)
    assert begun == sorted(begun)
    assert ended == begun[::-1]
    assert begun[0] < 100
    assert begun[ramp // 2] == pytest.approx(4_000, rel=0.1)
    assert begun[ramp:] == samples(sound, format)[ramp:]


@pytest.mark.parametrize("format", LINES)
def test_what_is_shorter_than_that_is_as_long_as_before(format: Format) -> None:
    for sound in (b"", level(format, 3)):
        assert len(risen(sound, format)) == len(fallen(sound, format)) == len(sound)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Encoding, Format
from phone_bridge.audio.g711 import linear_to_alaw, linear_to_ulaw, ulaw_to_linear
from phone_bridge.audio.path import path
from phone_bridge.audio.resample import Resampler
from phone_bridge.errors import LocalError
from tests.audio.spectrum import sinad_db, to_bytes, tone

FORMATS = [PCMU_8K, PCMA_8K, LINEAR_8K, LINEAR_16K, LINEAR_24K]


@pytest.mark.parametrize("format_", FORMATS)
def test_equal_formats_pass_the_very_same_object(format_: Format) -> None:
    way = path(format_, Format(format_.encoding, format_.rate))
    sound = b"an odd run of bytes"
    assert way.identity
    assert way.push(sound) is sound


@pytest.mark.parametrize("a", FORMATS)
@pytest.mark.parametrize("b", FORMATS)
def test_a_frame_of_20_ms_comes_out_as_20_ms(a: Format, b: Format) -> None:
    way = path(a, b)
    assert way.identity == (a == b)
    assert [len(way.push(a.silence * (a.size(20) // a.sample_bytes))) for _ in range(2)] == [b.size(20)] * 2


@pytest.mark.parametrize("a", FORMATS)
@pytest.mark.parametrize("b", FORMATS)
def test_silence_stays_silence(a: Format, b: Format) -> None:
    out = path(a, b).push(a.silence * (a.size(100) // a.sample_bytes))
    quiet = path(b, LINEAR_8K).push(out)
    assert max(np.abs(np.frombuffer(quiet, "<i2"))) < 10  # A-law has no zero: its silence is 8


@given(a=st.sampled_from(FORMATS), b=st.sampled_from(FORMATS), data=st.data())
def test_the_cut_of_the_input_never_changes_a_byte(a: Format, b: Format, data: st.DataObject) -> None:
    sound = np.random.default_rng(7).integers(0, 256, a.size(60), dtype=np.uint8).tobytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sound)), max_size=20)))
    way = path(a, b)
    pieces = [way.push(sound[start:end]) for start, end in zip([0, *cuts], [*cuts, len(sound)], strict=True)]
    assert b"".join(pieces) == path(a, b).push(sound)


def test_mu_law_is_decoded_then_resampled() -> None:
    sound = np.random.default_rng(8).integers(0, 256, 320, dtype=np.uint8).tobytes()
    assert path(PCMU_8K, LINEAR_24K).push(sound) == Resampler(8000, 24000).push(ulaw_to_linear(sound))


def test_linear_is_resampled_then_encoded() -> None:
    sound = to_bytes(tone(24000, 440, seconds=0.1))
    assert path(LINEAR_24K, PCMA_8K).push(sound) == linear_to_alaw(Resampler(24000, 8000).push(sound))


def test_the_two_laws_meet_in_linear() -> None:
    sound = np.random.default_rng(9).integers(0, 256, 320, dtype=np.uint8).tobytes()
    assert path(PCMU_8K, PCMA_8K).push(sound) == linear_to_alaw(ulaw_to_linear(sound))


def test_half_a_sample_waits_for_its_other_half() -> None:
    way = path(LINEAR_8K, PCMU_8K)
    assert way.push(b"\x00") == b""
    assert way.push(b"\x10\x00") == linear_to_ulaw(b"\x00\x10")


def test_a_caller_s_tone_comes_through_to_24_khz_and_back_as_clean_as_mu_law_is() -> None:
    there, back = path(PCMU_8K, LINEAR_24K), path(LINEAR_24K, PCMU_8K)

    def loop(pcm16: bytes) -> bytes:
        return ulaw_to_linear(back.push(there.push(linear_to_ulaw(pcm16))))

    assert sinad_db(loop, 8000, 8000, 1004) > 33  # mu-law alone: 38; twice, 3 less


def test_an_unknown_rate_is_refused() -> None:
    with pytest.raises(LocalError, match="11025"):
        path(PCMU_8K, Format(Encoding.LINEAR16, 11025))

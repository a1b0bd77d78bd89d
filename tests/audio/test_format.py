import pytest

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Encoding, Format
from phone_bridge.audio.g711 import alaw_to_linear, ulaw_to_linear
from phone_bridge.errors import LocalError

FRAME_BYTES = [(PCMU_8K, 160), (PCMA_8K, 160), (LINEAR_8K, 320), (LINEAR_16K, 640), (LINEAR_24K, 960)]


@pytest.mark.parametrize(("format_", "size"), FRAME_BYTES)
def test_20_ms_have_their_size_and_the_size_its_20_ms(format_: Format, size: int) -> None:
    assert format_.size(20) == size
    assert format_.ms(size) == 20


def test_a_part_of_a_millisecond_does_not_count() -> None:
    assert [LINEAR_24K.ms(size) for size in (0, 47, 48, 95)] == [0, 0, 1, 1]


def test_silence_decodes_to_the_quietest_there_is() -> None:
    assert ulaw_to_linear(PCMU_8K.silence) == b"\0\0"
    assert alaw_to_linear(PCMA_8K.silence) == (8).to_bytes(2, "little")  # A-law has no zero
    assert LINEAR_16K.silence == b"\0\0"


def test_formats_are_equal_by_what_they_say() -> None:
    assert Format(Encoding.PCMU, 8000) == PCMU_8K
    assert PCMU_8K != PCMA_8K
    assert LINEAR_8K != LINEAR_16K


def test_a_negative_duration_is_our_mistake() -> None:
    with pytest.raises(LocalError, match="-1 ms"):
        PCMU_8K.size(-1)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.frames import FRAME_MS, Evener, Framer
from phone_bridge.errors import LocalError


def test_a_frame_lasts_20_ms() -> None:
    assert FRAME_MS == 20


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_frames_are_whole_and_in_order_however_the_run_was_cut(pieces: list[bytes], size: int) -> None:
    framer = Framer(size)
    frames = [frame for piece in pieces for frame in framer.push(piece)]
    whole = b"".join(pieces)
    assert all(len(frame) == size for frame in frames)
    assert framer.pending == len(whole) % size
    assert b"".join(frames) == whole[: len(whole) - framer.pending]


def test_a_frame_that_comes_whole_is_not_copied() -> None:
    frame = bytes(160)
    assert Framer(160).push(frame)[0] is frame


def test_flush_fills_the_last_frame_up_with_silence() -> None:
    framer = Framer(4)
    framer.push(b"abcdef")
    assert framer.flush(b"\xff") == b"ef\xff\xff"
    assert framer.pending == 0


def test_flush_of_nothing_is_nothing() -> None:
    framer = Framer(4)
    framer.push(b"abcd")
    assert framer.flush(b"\xff") is None


def test_a_pad_of_two_bytes_never_makes_a_frame_too_long() -> None:
    framer = Framer(5)
    framer.push(b"ab")
    assert framer.flush(b"\0\0") == b"ab\0\0\0"


@pytest.mark.parametrize("size", [0, -1])
def test_a_frame_must_have_a_size(size: int) -> None:
    with pytest.raises(LocalError):
        Framer(size)


def test_a_pad_must_not_be_empty() -> None:
    with pytest.raises(LocalError):
        Framer(4).flush(b"")


@given(st.lists(st.binary(max_size=9)))
def test_evener_passes_whole_samples_and_loses_none(pieces: list[bytes]) -> None:
    evener = Evener()
    passed = [evener.push(piece) for piece in pieces]
    whole = b"".join(pieces)
    assert all(len(piece) % 2 == 0 for piece in passed)
    assert b"".join(passed) == whole[: len(whole) - len(whole) % 2]

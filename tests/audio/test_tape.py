"""Two sides on one time line: what stands where, what is taken out, and the head of the file."""

import io
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, PCMU_8K, Format
from phone_bridge.audio.tape import HOLD_MS, SETTLED_FRAMES, STEP_MS, Tape, interleaved, wav_header

QUIET = PCMU_8K.silence


def ms(letter: bytes, count: int) -> bytes:
    return letter * 8 * count


def begun() -> Tape:
    tape = Tape(PCMU_8K)
    tape.begin(0)
    return tape


def spans(sound: bytes) -> list[tuple[str, int, int]]:
    """Tell which letter sounds from when to when, in milliseconds; silence is left out."""
    found: list[tuple[str, int, int]] = []
    for at in range(0, len(sound), 8):
        letter = sound[at : at + 1]
        if letter == QUIET:
            continue
        if found and found[-1][0] == letter.decode() and found[-1][2] == at // 8:
            found[-1] = (letter.decode(), found[-1][1], at // 8 + 1)
        else:
            found.append((letter.decode(), at // 8, at // 8 + 1))
    return found


def sides(both: bytes) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
    return spans(both[0::2]), spans(both[1::2])


def test_both_sides_stand_where_they_sounded() -> None:
    tape = begun()
    tape.heard(ms(b"a", 20), 120)
    tape.played(ms(b"b", 100), 300)
    tape.played(ms(b"c", 50), 310)
    left, right = sides(tape.finish(600, 0))
    assert left == [("a", 0, 20)]  # nothing was lost yet for all that is known: it may follow on
    assert right == [("b", 300, 400), ("c", 400, 450)]


def test_ours_stands_where_the_caller_heard_it_seen_from_here() -> None:
    tape = begun()
    tape.played(ms(b"b", 100), 300)
    _, right = sides(tape.finish(600, 150))
    assert right == [("b", 450, 550)]


def test_a_sound_that_goes_on_is_not_torn_when_the_line_turns_out_longer_or_shorter() -> None:
    tape = begun()
    tape.played(ms(b"b", 1_000), 0)
    first = tape.take(HOLD_MS + 500, 100)
    tape.played(ms(b"c", 500), 900)
    rest = tape.finish(2_000, 40)
    _, right = sides(first + rest)
    assert right == [("b", 100, 1_100), ("c", 1_100, 1_600)]


def test_what_was_flushed_was_never_heard() -> None:
    tape = begun()
    tape.played(ms(b"b", 400), 0)
    tape.played(ms(b"c", 400), 10)
    tape.flushed(600, 200)
    tape.played(ms(b"d", 100), 250)
    _, right = sides(tape.finish(1_000, 0))
    assert right == [("b", 0, 200), ("d", 250, 350)]


def test_what_nobody_was_there_to_hear_at_the_end_is_left_out() -> None:
    tape = begun()
    tape.played(ms(b"b", 400), 0)
    assert sides(tape.finish(300, 100))[1] == [("b", 100, 300)]


def test_before_its_beginning_nothing_is_kept_and_what_sounds_on_is_kept_from_there() -> None:
    tape = Tape(PCMU_8K)
    tape.heard(ms(b"x", 20), 20)
    tape.played(ms(b"y", 100), 0)
    tape.played(ms(b"b", 500), 2_000)
    assert not tape.begun
    assert tape.take(5_000, 0) == b""
    tape.begin(2_200)
    tape.heard(ms(b"a", 20), 2_220)
    left, right = sides(tape.finish(2_600, 0))
    assert left == [("a", 0, 20)]
    assert right == [("b", 0, 300)]


def test_a_stall_of_the_network_moves_nothing() -> None:
    tape = begun()
    for at in range(20, 220, 20):
        tape.heard(ms(b"a", 20), at)
    for _ in range(10):  # 200 ms of stall, and all comes at once
        tape.heard(ms(b"b", 20), 400)
    for at in range(420, 620, 20):
        tape.heard(ms(b"c", 20), at)
    assert sides(tape.finish(600, 0))[0] == [("a", 0, 200), ("b", 200, 400), ("c", 400, 600)]


def test_lost_sound_is_a_gap_and_what_follows_comes_into_step_again() -> None:
    tape = begun()
    tape.heard(ms(b"a", 20), 20)
    for frame in range(2 * SETTLED_FRAMES):
        tape.heard(ms(b"b", 20), 320 + 20 * frame)
    left = sides(tape.finish(2_500, 0))[0]
    assert left[0] == ("a", 0, 20)
    assert left[-1][2] == 300 + 2 * SETTLED_FRAMES * 20


def test_a_clock_that_is_too_quick_never_runs_away() -> None:
    tape = begun()
    for frame in range(1, 1_001):
        tape.heard(ms(b"a", 20), frame * 20 - frame // 20)  # 0.25 % too quick
    both = tape.finish(20_000 - 50, 0)
    ends = sides(both)[0][-1][2]
    assert abs(ends - (20_000 - 50)) <= STEP_MS


@pytest.mark.parametrize("format", [PCMU_8K, LINEAR_8K, LINEAR_16K])
def test_a_file_s_head_says_what_is_in_it(format: Format) -> None:
    head = wav_header(format, 3_200)
    assert len(head) == 58
    assert int.from_bytes(head[4:8], "little") == 50 + 3_200
    assert head[20:22] == (b"\x07\0" if format == PCMU_8K else b"\x01\0")
    if format == PCMU_8K:  # which Python's own module does not read
        return
    with wave.open(io.BytesIO(head + bytes(3_200))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, format.rate, 2)
        assert file.getnframes() == 800


def test_wide_samples_are_kept_whole() -> None:
    assert interleaved(b"aAbB", b"xXyY", 2) == b"aAxXbByY"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("hpft"), st.integers(0, 400), st.integers(0, 40)),
        max_size=40,
    )
)
def test_whatever_happens_both_sides_are_as_long_as_the_time(story: list[tuple[str, int, int]]) -> None:
    tape = begun()
    now, unheard, given_away = 0, 0, b""
    for what, wait, size in story:
        now += wait
        if what == "h":
            tape.heard(ms(b"a", size), now)
        elif what == "p":
            tape.played(ms(b"b", size), now)
            unheard = size
        elif what == "f":
            tape.flushed(min(unheard, size), now)
            unheard = 0
        else:
            given_away += tape.take(now, size)
    given_away += tape.finish(now, 0)
    assert len(given_away) == now * 16

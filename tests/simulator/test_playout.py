"""The play-out buffer: every byte once, every mark at its sample."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.errors import LocalError
from phone_bridge.simulator.playout import SAMPLES_PER_MS, UNDERRUN_MS, Playout, Reached

SILENCE = PCMU_8K.silence


def sound(samples: int) -> bytes:
    return bytes(at % 200 for at in range(samples))


def test_an_empty_buffer_plays_silence() -> None:
    played = Playout(1000).advance(1020)
    assert played.audio == SILENCE * 160
    assert played.marks == ()


def test_sound_plays_at_eight_samples_a_millisecond_and_silence_follows() -> None:
    playout = Playout(0)
    playout.play(sound(100))
    assert playout.advance(10).audio == sound(100)[:80]
    assert playout.advance(20).audio == sound(100)[80:] + SILENCE * 60


def test_a_mark_is_reached_at_its_sample_and_not_before() -> None:
    playout = Playout(0)
    playout.play(sound(84))
    assert playout.mark("end") == ()
    assert playout.advance(10).marks == ()
    assert playout.advance(11).marks == (Reached("end", 84),)


def test_a_mark_with_nothing_before_it_returns_at_once() -> None:
    playout = Playout(0)
    assert playout.mark("a") == ("a",)
    playout.play(sound(8))
    playout.advance(1)
    assert playout.mark("b") == ("b",)


def test_clear_returns_what_was_pending_in_order_and_plays_nothing_of_it() -> None:
    playout = Playout(0)
    for name in ("a", "b", "c"):
        playout.play(sound(160))
        playout.mark(name)
    assert [mark.name for mark in playout.advance(20).marks] == ["a"]
    assert playout.buffered == 320
    assert playout.clear() == ("b", "c")
    assert playout.buffered == 0
    assert playout.advance(100).audio == SILENCE * 640


def test_a_mark_after_a_clear_belongs_to_the_new_sound() -> None:
    playout = Playout(0)
    playout.play(sound(8000))
    playout.mark("old")
    playout.advance(100)
    playout.clear()
    playout.play(sound(80))
    playout.mark("new")
    assert playout.advance(110).marks == (Reached("new", 880),)


def test_the_deadline_is_the_millisecond_in_which_the_next_mark_has_been_reached() -> None:
    playout = Playout(500)
    assert playout.deadline() is None
    playout.play(sound(81))
    playout.mark("end")
    assert playout.deadline() == 511
    assert playout.advance(510).marks == ()
    assert playout.advance(511).marks == (Reached("end", 81),)
    assert playout.deadline() is None


def test_time_cannot_be_turned_back() -> None:
    playout = Playout(10)
    with pytest.raises(LocalError, match="turned back"):
        playout.advance(9)


@pytest.mark.parametrize(
    ("gap_ms", "underruns"),
    [(0, 0), (1, 1), (UNDERRUN_MS, 1), (UNDERRUN_MS + 1, 0)],
    ids=["none", "1", "limit", "pause"],
)
def test_a_short_gap_in_the_sound_is_an_underrun_and_a_long_one_a_pause(gap_ms: int, underruns: int) -> None:
    playout = Playout(0)
    playout.play(sound(160))
    playout.advance(20 + gap_ms)
    playout.play(sound(160))
    assert playout.underruns == underruns
    assert playout.underrun_samples == underruns * gap_ms * SAMPLES_PER_MS


def test_sound_after_a_clear_is_no_underrun() -> None:
    playout = Playout(0)
    playout.play(sound(160))
    playout.advance(30)
    playout.clear()
    playout.play(sound(160))
    assert playout.underruns == 0


cuts = st.lists(st.integers(0, 500), max_size=8)
times = st.lists(st.integers(0, 40), min_size=1, max_size=20)


@given(chunks=cuts, steps=times)
def test_whatever_the_cut_every_byte_is_played_once_and_in_order(chunks: list[int], steps: list[int]) -> None:
    whole = sound(sum(chunks))
    playout, at = Playout(0), 0
    for size in chunks:
        playout.play(whole[at : at + size])
        at += size
    heard, now = b"", 0
    for step in [*steps, sum(chunks) // SAMPLES_PER_MS + 1]:
        now += step
        heard += playout.advance(now).audio
    assert heard == whole.ljust(now * SAMPLES_PER_MS, SILENCE)


@given(chunks=cuts, steps=times)
def test_marks_come_at_their_exact_sample_whatever_the_steps_of_time(chunks: list[int], steps: list[int]) -> None:
    playout = Playout(0)
    at_once: list[Reached] = []
    expected, end = [], 0
    for name, size in enumerate(chunks):
        playout.play(sound(size))
        end += size
        at_once += [Reached(returned, 0) for returned in playout.mark(str(name))]
        expected.append(Reached(str(name), end))
    reached, now = at_once, 0
    for step in [*steps, sum(chunks) // SAMPLES_PER_MS + 1]:
        now += step
        reached += playout.advance(now).marks
    assert reached == expected


@given(
    actions=st.lists(
        st.one_of(
            st.tuples(st.just("play"), st.integers(1, 400)),
            st.tuples(st.just("mark"), st.just(0)),
            st.tuples(st.just("clear"), st.just(0)),
            st.tuples(st.just("pass"), st.integers(1, 60)),
        ),
        max_size=40,
    )
)
def test_every_mark_returns_once_in_the_order_it_was_set_and_no_byte_is_lost(actions: list[tuple[str, int]]) -> None:
    playout, now = Playout(0), 0
    set_marks: list[str] = []
    returned: list[str] = []
    played = sent = cut = 0
    for action, amount in [*actions, ("pass", 4000)]:
        match action:
            case "play":
                playout.play(b"\x01" * amount)
                sent += amount
            case "mark":
                set_marks.append(str(len(set_marks)))
                returned += playout.mark(set_marks[-1])
            case "clear":
                cut += playout.buffered
                returned += playout.clear()
            case _:
                now += amount
                result = playout.advance(now)
                played += result.audio.count(b"\x01")
                returned += [mark.name for mark in result.marks]
    assert returned == set_marks
    assert played + cut == sent

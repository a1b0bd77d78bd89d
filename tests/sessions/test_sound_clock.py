from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_16K, PCMU_8K
from phone_bridge.sessions.sound_clock import ANCHOR_MS, ANCHORS, SoundClock

UNKNOWN = -1


def test_sound_that_flows_is_placed_at_most_one_step_too_early_and_never_too_late() -> None:
    clock = SoundClock(PCMU_8K)
    for number in range(100):
        clock.count(160, 10_000 + 20 * number)

    for at_ms in range(0, 2000, 7):
        assert 10_000 + at_ms - ANCHOR_MS <= clock.when(at_ms, UNKNOWN) <= 10_000 + at_ms


def test_after_a_gap_the_place_is_known_anew() -> None:
    clock = SoundClock(PCMU_8K)
    for now in (0, 20, 40, 5_000, 5_020):
        clock.count(160, now)

    assert clock.when(59, UNKNOWN) == 0
    assert clock.when(75, UNKNOWN) == 5_000


def test_what_cannot_be_placed_is_placed_otherwise() -> None:
    clock = SoundClock(LINEAR_16K)
    assert clock.when(0.5, UNKNOWN) == UNKNOWN
    clock.count(LINEAR_16K.size(20), 0)

    for at_ms in (None, 20.1, -1):
        assert clock.when(at_ms, UNKNOWN) == UNKNOWN
    assert clock.when(20, UNKNOWN) == 0


def test_moments_are_remembered_for_some_seconds() -> None:
    clock = SoundClock(PCMU_8K)
    for number in range(ANCHORS * 5 + 1):
        clock.count(160, 20 * number)

    assert clock.when(ANCHOR_MS, UNKNOWN) == ANCHOR_MS
    assert clock.when(ANCHOR_MS - 1, UNKNOWN) == UNKNOWN


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 400)), min_size=1, max_size=100), st.data())
def test_however_sound_comes_it_is_never_placed_later_than_it_came(
    pieces: list[tuple[int, int]], data: st.DataObject
) -> None:
    clock, now, sent, came = SoundClock(PCMU_8K), 0, 0, list[tuple[int, int]]()
    for pause, size in pieces:
        now += pause
        clock.count(size, now)
        sent += size
        came.append((sent, now))
    at_ms = data.draw(st.integers(0, sent // 8))

    placed = clock.when(at_ms, UNKNOWN)
    assert placed <= next((moment for end, moment in came if end > at_ms * 8), now)

"""A soak of some seconds, and that a soak finds what it looks for."""

import asyncio

import msgspec
import pytest

from tests.soak.__main__ import MEMORY_KB_AN_HOUR, MORE_FILES, NOISE_KB, Inside, Result, report, soak
from tests.soak.callers import STORIES
from tests.soak.ends import FRAME_BYTES, Track, numbered

QUIET = Inside(4, 20, {"Pump": 0, "Call": 0})
FLAT = [(float(at), 90_000 + at % 3 * 500) for at in range(0, 600, 2)]
GOOD = Result(
    seconds=600.0,
    calls={"talks": 10},
    faults=[],
    frames=1_000,
    lost=0,
    wrong=0,
    memory=FLAT,
    open=[80 + at % 3 for at in range(300)],
    before=QUIET,
    after=QUIET,
)


def test_some_seconds_of_every_kind_of_call_leave_nothing_behind() -> None:
    result = asyncio.run(soak(minutes=0.15, calls=7, seed=1))
    quick = msgspec.structs.replace(result, memory=FLAT, open=GOOD.open)  # what is not warm yet may grow
    assert quick.broken() == [], report(result)
    assert set(result.calls) == set(STORIES)
    assert result.frames > 1_000
    assert len(result.memory) > 5


def leaking(kb_an_hour: float) -> list[tuple[float, int]]:
    return [(at, kb + int(at / 3600 * kb_an_hour)) for at, kb in FLAT]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"faults": ["talks: AssertionError"]}, "1 calls went wrong"),
        ({"lost": 1}, "1 frames were lost"),
        ({"wrong": 2}, "2 doubled"),
        ({"memory": leaking(MEMORY_KB_AN_HOUR * 1.1)}, "memory grew"),
        ({"open": [80 + at // 3 for at in range(300)]}, "more files were open"),
        ({"after": msgspec.structs.replace(QUIET, tasks=5)}, "1 tasks were left"),
        ({"after": msgspec.structs.replace(QUIET, files=21 + MORE_FILES)}, "files were left open"),
        ({"after": msgspec.structs.replace(QUIET, objects={"Pump": 1, "Call": 0})}, "1 of Pump were left"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_limit_can_be_broken(change: dict[str, object], word: str) -> None:
    (broken,) = msgspec.structs.replace(GOOD, **change).broken()
    assert word in broken
    assert broken in report(msgspec.structs.replace(GOOD, **change))


def test_what_is_good_is_said_to_be_good() -> None:
    assert GOOD.broken() == []
    assert "nothing grew" in report(GOOD)
    assert msgspec.structs.replace(GOOD, memory=leaking(MEMORY_KB_AN_HOUR * 0.8)).broken() == []


def test_growth_within_the_noise_of_a_short_soak_says_nothing() -> None:
    short = msgspec.structs.replace(GOOD, seconds=20.0, memory=[(float(at), 90_000 + 100 * at) for at in range(20)])
    assert short.growth_kb_an_hour > MEMORY_KB_AN_HOUR
    assert short.growth_kb < NOISE_KB
    assert short.broken() == []


def test_frames_that_are_lost_doubled_or_changed_are_counted() -> None:
    track = Track()
    frames = [track.next() for _ in range(6)]
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    track.take(b"\xff" * FRAME_BYTES + frames[0] + frames[1])
    assert (track.came, track.lost, track.wrong) == (2, 0, 0)
    track.take(frames[3] + frames[3])
    assert (track.lost, track.wrong) == (1, 1)
    track.take(frames[4][:-1] + b"\x00")
    assert track.wrong == 2
    track.settle()
    assert (track.lost, track.came) == (2, 6)


def test_a_gap_that_a_cut_socket_made_is_excused_once() -> None:
    track = Track()
    for _ in range(20):
        track.next()
    track.take(numbered(1))
    track.excuse()
    track.take(numbered(10))
    assert track.lost == 0
    track.take(numbered(12))
    assert track.lost == 1

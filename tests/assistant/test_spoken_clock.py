"""Times on the clock: where they begin and end, and what is no time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.phrase import Phrase
from phone_bridge.assistant.spoken_clock import read_time
from phone_bridge.assistant.when import At, Between, Clock


def read(text: str, *, bare: bool = False, at: int = 0) -> tuple[At | Between, int] | None:
    return read_time(Phrase(text.split()), at, bare=bare)


@pytest.mark.parametrize(
    ("text", "clock", "size"),
    [
        ("at three", Clock(3), 2),
        ("at three thirty", Clock(3, 30), 3),
        ("at three thirty minutes", Clock(3), 2),  # "thirty minutes" is how long
        ("at three o'clock sharp", Clock(3), 4),
        ("three pm", Clock(15, exact=True), 2),
        ("12 am", Clock(0, exact=True), 2),
        ("12 pm", Clock(12, exact=True), 2),
        ("15:30 pm", Clock(15, 30, exact=True), 2),
        ("3:30", Clock(3, 30), 1),
        ("quarter to one", Clock(12, 45), 3),
        ("half past twelve", Clock(12, 30), 3),
        ("ten to four", Clock(3, 50), 3),
        ("seven minutes to four", Clock(3, 53), 4),
        ("noon", Clock(12, exact=True), 1),
        ("midnight", Clock(24, exact=True), 1),
        ("eight in the evening", Clock(20, exact=True), 4),
        ("two at night", Clock(26, exact=True), 3),
        ("starting at nine", Clock(9), 3),
    ],
)
def test_times(text: str, clock: Clock, size: int) -> None:
    assert read(text) == (At(clock), size)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("from two to four", Clock(2), Clock(4)),
        ("from ten to four", Clock(10), Clock(4)),
        ("between ten to four and five", Clock(3, 50), Clock(5)),
        ("from nine to five pm", Clock(9, exact=True), Clock(17, exact=True)),
        ("from eleven to one pm", Clock(11, exact=True), Clock(13, exact=True)),
        ("2:30 to 4", Clock(2, 30), Clock(4)),
        ("from at two until at four", Clock(2), Clock(4)),
    ],
)
def test_ranges(text: str, start: Clock, end: Clock) -> None:
    match = read(text)
    assert match is not None
    assert match[0] == Between(start, end)


@pytest.mark.parametrize(
    "text",
    [
        "three",
        "ten",
        "two to four",
        "at 25",
        "at 25:00",
        "at 3:75",
        "at lunch",
        "two hours",
        "three people",
        "seven to four",
    ],
)
def test_no_times(text: str) -> None:
    assert read(text) is None


def test_a_number_behind_my_is_not_the_minutes_of_another() -> None:
    assert read("my ten to four", at=1) is None
    assert read("the one", bare=True, at=1) is None
    assert read("two to four", bare=True) == (Between(Clock(2), Clock(4)), 3)


@settings(deadline=None)
@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_in_digits_is_read_as_it_is_written(hour: int, minute: int) -> None:
    match = read(f"{hour:02}:{minute:02}")
    assert match is not None
    clock = match[0]
    assert isinstance(clock, At)
    assert hour * 60 + minute in clock.clock.minutes()

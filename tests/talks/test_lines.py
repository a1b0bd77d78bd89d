"""The same talk over better and worse lines: what a carrier does with marks, silence and time."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest

from phone_bridge.call.rules import Rules
from phone_bridge.simulator.script import Listen, Press, Say
from tests.talks.stage import Circumstances, hold

CANCEL = Say("cancel my next meeting")
REVIEW = "Project review with Anna"


@pytest.mark.parametrize(
    "given",
    [
        Circumstances(output_format="pcm16"),
        Circumstances(delay_ms=80),
        Circumstances(delay_ms=300),
        Circumstances(leaves_out_silence=True),
        Circumstances(leaves_out_silence=True, delay_ms=80, output_format="pcm16"),
        Circumstances(marks=lambda message: [(250, message)]),
        Circumstances(marks=lambda message: [(0, message), (0, message), (400, message)]),
    ],
    ids=["24 kHz", "80 ms", "300 ms", "no silence", "all of it", "late marks", "repeated marks"],
)
def test_a_talk_goes_the_same_way_over_any_line(tmp_path: Path, given: Circumstances) -> None:
    talk = hold(tmp_path, CANCEL, Say("yes, please"), Say("what is my next meeting"), given=given)
    assert talk.result.reasons == ()
    assert talk.verdicts == [("cancel_event", "confirmed", "speech")]
    assert REVIEW not in talk.calendar
    assert [line.partition(":")[0] for line in talk.lines] == [
        "bridge",
        "caller",
        "bridge",
        "bridge",
        "caller",
        "assistant",
        "caller",
        "assistant",
    ]
    assert talk.trace.counts.cut_ms == 0


def test_a_question_whose_marks_never_come_cannot_be_answered(tmp_path: Path) -> None:
    given = Circumstances(marks=lambda _: [], rules=Rules(answer_ms=6_000), stay=True)
    talk = hold(tmp_path, CANCEL, Press("1"), Say("yes"), given=given)
    assert talk.verdicts == [("cancel_event", "expired", "none")]
    assert talk.confirms == []
    assert REVIEW in talk.calendar
    assert talk.trace.ended_by == "bridge"


def losing(which: int) -> Callable[[str], Sequence[tuple[int, str]]]:
    """Lose one mark of a call."""
    numbers = count(1)
    return lambda message: [] if next(numbers) == which else [(0, message)]


def test_with_one_mark_lost_in_the_naming_a_yes_proves_nothing_and_a_key_is_enough(tmp_path: Path) -> None:
    marks_of_the_greeting = 17
    given = Circumstances(marks=losing(marks_of_the_greeting + 10))
    talk = hold(tmp_path, CANCEL, Say("yes"), Press("1", after_ms=3_000), given=given)
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]
    assert talk.trace.counts.stray_marks > 0


@pytest.mark.parametrize("delay_ms", [0, 60])
def test_marks_that_a_clear_gives_back_prove_nothing(tmp_path: Path, delay_ms: int) -> None:
    """A wrong key cuts the naming short; its marks come back at once, and a yes to what was not heard is none."""
    given = Circumstances(delay_ms=delay_ms)
    talk = hold(
        tmp_path, CANCEL, Listen(1_000), Press("5", after_ms=0), Say("yes", after_ms=300), Press("2"), given=given
    )
    assert "bridge: That key means nothing here." in talk.lines
    assert talk.trace.counts.stray_marks > 10
    assert talk.confirms == []
    assert talk.verdicts == [("cancel_event", "declined", "digit")]


@pytest.mark.parametrize("delay_ms", [0, 40, 120])
def test_an_interruption_is_placed_to_the_millisecond_over_a_slow_line(tmp_path: Path, delay_ms: int) -> None:
    talk = hold(
        tmp_path,
        Say("what do I have tomorrow"),
        Listen(1_500),
        Say("stop", after_ms=0),
        given=Circumstances(delay_ms=delay_ms),
    )
    heard_in_the_end = talk.trace.counts.cut_ms - talk.result.metrics.bytes_cut / 8
    assert 0 <= heard_in_the_end <= 2 * delay_ms + 1  # what is under way while the clear is
    assert talk.result.metrics.bytes_after_clear == 0

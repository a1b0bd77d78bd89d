"""A call in lines, as people read it."""

import pytest

from phone_bridge.simulator.carrier_call import Note
from phone_bridge.simulator.conversation import (
    LATE_MS,
    TranscriptReader,
    note_line,
    outcome_lines,
    spoken_line,
    stamp,
)
from phone_bridge.simulator.duties import Speak
from phone_bridge.simulator.faults import Code, Fault
from phone_bridge.simulator.result import CallResult, Metrics, Record, Spoken
from phone_bridge.simulator.script import HangUp, Press, Say, Wait


@pytest.mark.parametrize(("ms", "text"), [(0, "00:00.0"), (99, "00:00.0"), (61_234, "01:01.2"), (3_600_000, "60:00.0")])
def test_times_are_minutes_seconds_and_tenths(ms: int, text: str) -> None:
    assert stamp(ms) == text


@pytest.mark.parametrize(
    ("note", "line"),
    [
        (Note(1200, Say("Hello.")), "00:01.2  caller      Hello."),
        (Note(1200, Press("12")), "00:01.2  caller      [presses 1 2]"),
        (Note(0, "answered"), "00:00.0  carrier     [answered]"),
        (Note(0, Wait(100)), None),
        (Note(0, HangUp()), None),
        (Note(100, Speak(1, "We are closed.", "en-US")), "00:00.1  carrier     We are closed."),
    ],
)
def test_what_happened_is_a_line(note: Note, line: str | None) -> None:
    assert note_line(note) == line


def test_a_line_of_the_bridges_names_its_speaker() -> None:
    assert spoken_line(Spoken(2000, "assistant", "Hi.")) == "00:02.0  assistant   Hi."


def test_a_line_counts_from_the_answer_also_where_a_menu_came_first() -> None:
    assert spoken_line(Spoken(2000, "assistant", "Hi."), 7_100) == "00:09.1  assistant   Hi."


FIRST, SECOND = (Spoken(0, "bridge", "Hello."), Spoken(900, "assistant", "At three."))


def test_each_line_is_read_once_also_when_it_comes_late() -> None:
    reader = TranscriptReader()
    assert reader.read([]) == []
    assert reader.read([SECOND]) == [SECOND]
    assert reader.read([FIRST, SECOND]) == [FIRST]
    assert reader.read([FIRST, SECOND]) == []


def test_the_callers_own_lines_are_left_out() -> None:
    heard = Spoken(5, "caller", "what the ear made of it")
    assert TranscriptReader().read([FIRST, heard, SECOND]) == [FIRST, SECOND]


def test_a_good_call_is_summed_up() -> None:
    result = CallResult(
        call_sid="CA1",
        status="completed",
        ended_by="caller",
        duration_ms=14_250,
        metrics=Metrics(first_audio_ms=180, reply_ms=(180, 620, 710), longest_silence_ms=900),
        record=Record(
            id="call_1", status="completed", actions=[{"name": "cancel_event", "verdict": "confirmed", "by": "digit"}]
        ),
    )
    assert outcome_lines(result) == [
        "completed after 14.2 s, ended by the caller",
        "first sound after 180 ms; answers after (ms): 620, 710",
        "longest silence 900 ms; underruns 0; bytes after clear 0",
        "cancel_event: confirmed by digit",
        "the call went as a call should",
    ]


def test_a_bad_call_says_why() -> None:
    result = CallResult(
        call_sid="CA1",
        status="completed",
        ended_by="carrier",
        metrics=Metrics(late_ms=LATE_MS),
        dialled=("+15550100",),
        faults=(Fault(Code.HTTP_STATUS, "status 500"),),
    )
    assert outcome_lines(result) == [
        "completed after 0.0 s, ended by the carrier",
        "connected to +15550100",
        "this machine was up to 40 ms late, and the figures are off by as much",
        "not as it should be: Twilio error 11217: status 500",
    ]

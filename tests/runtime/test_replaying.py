"""What ``phone-bridge replay`` prints of a call, and what it says when the call's machine fails again."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import events as e
from phone_bridge.call.journal import MAX_JOURNAL_BYTES, Journal
from phone_bridge.call.rules import Rules
from phone_bridge.errors import Refused, RemoteError
from phone_bridge.runtime.replaying import DONE, FAILED_AGAIN, add_arguments, run
from tests.call.desk import FRAME
from tests.call.test_recording import TapedDesk


def replayed(tmp_path: Path, journal: Journal, *options: str, error: str = "") -> tuple[int, list[str]]:
    (tmp_path / "call_1.trace").write_bytes(journal.encode(error))
    return command(str(tmp_path / "call_1.trace"), *options)


def command(*arguments: str) -> tuple[int, list[str]]:
    parser, said = argparse.ArgumentParser(), list[str]()
    add_arguments(parser)
    return run(parser.parse_args(arguments), said.append), said


def talk() -> Journal:
    """A caller who is greeted, speaks, is answered, and says yes by key."""
    desk = TapedDesk()
    desk.opened()
    for _ in range(62):
        desk.tell(e.CallerHeard(FRAME))
        desk.wait(20)
    desk.say("cancel it")
    desk.reply("rsp_1", 1_200, text="Sure thing.")
    desk.wait(1_500)
    desk.asked()
    desk.tell(e.DigitPressed("1"), e.ActionSettled("act_1", "executed", None, {"ok": True}), e.LegClosed())
    return desk.taped.journal


def test_a_call_is_told_with_what_it_was_given_and_what_it_did(tmp_path: Path) -> None:
    status, said = replayed(tmp_path, talk())
    assert status == DONE
    told = "\n".join(said)
    assert said[0] == "00:00.000  =  the call begins"
    assert "           -> Speak prompt='~1' greeting='Hello, " in told
    assert "00:00.005  <- PromptReady prompt='~1' 1.00 s\n           -> Play 1.00 s (10 frames)" in told
    assert "00:01.100  <- sound 1.24 s (62 frames)\n           -> Listen 1.24 s (62 frames)" in told
    assert "<- VoiceStarted at 00:02.340" in told
    assert "00:03.340  <- sound of rsp_1 1.20 s (1 frame)" in told
    assert "00:06.940  <- DigitPressed digit='1'" in told
    assert told.index("DigitPressed") < told.index("-> Answer id='act_1'") < told.index("ActionSettled")


def test_at_the_end_stand_the_transcript_the_actions_and_the_verdicts(tmp_path: Path) -> None:
    _, said = replayed(tmp_path, talk(), error="leg_lost")
    end = said[said.index("") + 1 :]
    assert end[:3] == [
        "00:00.005  bridge     Hello, this is your calendar assistant. How can I help?",
        "00:02.340  caller     cancel it",
        "00:03.340  assistant  Sure thing.",
    ]
    assert end[-4:] == [
        '00:06.940  cancel_event {"event_id":"evt_dentist"}',
        "           confirmed by digit, heard 1.00 s of its naming, executed",
        "ended by caller, error none",
        "the live call had the error leg_lost",
    ]


def test_sound_can_be_left_out(tmp_path: Path) -> None:
    _, with_sound = replayed(tmp_path, talk())
    _, without = replayed(tmp_path, talk(), "--no-sound")
    assert [line for line in without if "frames)" in line or "marks" in line] == [
        "           -> Play 1.00 s (10 frames)",  # lines of our own, which are no frames of anybody's
        "           -> Play 2.00 s (20 frames)",
    ]
    assert len(without) < len(with_sound)
    assert "00:06.940  <- DigitPressed digit='1'" in without


def steps(said: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said]


def test_a_program_gets_an_object_for_each_step_and_one_for_the_end(tmp_path: Path) -> None:
    status, said = replayed(tmp_path, talk(), "--json", error="leg_lost")
    *all_steps, end = steps(said)
    assert status == DONE
    assert all_steps[0]["fact"] == {"type": "Begin"}
    frames = [each for each in all_steps if each["fact"]["type"] == "CallerHeard"]
    assert len(frames) == 62
    assert frames[0] == {
        "at_ms": 1_100,
        "fact": {"type": "CallerHeard", "audio": {"ms": 20}},
        "duties": [{"type": "Listen", "audio": {"ms": 20}}],
    }
    (answer,) = [d for each in all_steps for d in each["duties"] if d["type"] == "Answer"]
    assert (answer["verdict"], answer["permit"], answer["action"]["name"]) == ("confirmed", None, "cancel_event")
    assert [said["text"] for said in end["transcript"]][1:3] == ["cancel it", "Sure thing."]
    assert (end["actions"][0]["verdict"], end["ended_by"], end["live_error"]) == ("confirmed", "caller", "leg_lost")
    _, fewer = replayed(tmp_path, talk(), "--json", "--no-sound")
    assert "CallerHeard" not in {each["fact"]["type"] for each in steps(fewer)[:-1]}


def broken() -> Journal:
    journal = Journal(PCMU_8K, Rules(), None, 5_000)
    journal.begin(5_000)
    journal.note(e.CallerHeard(FRAME), 5_020)
    journal.begin(66_001)  # which no call allows twice
    journal.tick(66_002)
    return journal


def test_a_machine_that_raises_is_shown_at_its_step(tmp_path: Path) -> None:
    status, said = replayed(tmp_path, broken(), error="bridge_failed")
    assert status == FAILED_AGAIN
    at = said.index("01:01.001  =  the call begins")
    assert said[at - 1] == "00:00.020  <- sound 0.02 s (1 frame)"
    assert said[at + 1].startswith("           !  step 3 raised phone_bridge.errors.LocalError: a call that is opening")
    assert "(machine.py:" in said[at + 1]
    assert said[-2:] == ["ended by nobody yet, error none", "the live call had the error bridge_failed"]


def test_a_machine_that_raises_is_told_to_programs_too(tmp_path: Path) -> None:
    status, said = replayed(tmp_path, broken(), "--json")
    failed = steps(said)[-2]
    assert status == FAILED_AGAIN
    assert (failed["at_ms"], failed["step"]) == (61_001, 3)
    assert failed["raised"].startswith("phone_bridge.errors.LocalError: ")


def test_a_journal_that_stopped_says_from_when_on_it_knows_nothing(tmp_path: Path) -> None:
    journal = Journal(PCMU_8K, Rules(), None, 0)
    journal.begin(0)
    journal.note(e.CallerSaid("x" * MAX_JOURNAL_BYTES), 1_500)
    _, said = replayed(tmp_path, journal)
    assert said[-1] == "the journal was full, or could not be written, at 00:01.500: it stops there"


def test_nothing_in_a_trace_speaks_to_the_terminal(tmp_path: Path) -> None:
    journal = Journal(PCMU_8K, Rules(), None, 0)
    journal.begin(0)
    journal.note(e.SessionOpened(), 1)
    journal.note(e.CallerSaid("\x1b]0;owned\x07\n\u202e"), 2)
    journal.note(e.LegClosed(), 3)
    _, said = replayed(tmp_path, journal, error="\x1b[2J")
    assert any("owned" in line for line in said)
    assert all(line.isprintable() for line in said)


def test_a_long_field_is_cut(tmp_path: Path) -> None:
    journal = Journal(PCMU_8K, Rules(), None, 0)
    journal.begin(0)
    journal.note(e.SessionTrouble("nonsense", "x" * 10_000), 1)
    _, said = replayed(tmp_path, journal)
    assert max(map(len, said)) < 500


@pytest.mark.parametrize(("content", "error"), [(None, Refused), (b"RIFF", RemoteError)])
def test_a_file_that_is_no_trace_is_refused_before_a_word_is_said(
    tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    if content is not None:
        (tmp_path / "call_1.trace").write_bytes(content)
    with pytest.raises(error):
        command(str(tmp_path / "call_1.trace"))

"""Who may speak when: interruptions, silences, and ends that are heard."""

from pathlib import Path

import pytest

from phone_bridge.call.rules import Rules
from phone_bridge.simulator.script import HangUp, Listen, Say
from tests.talks.stage import Circumstances, hold, sound

TOMORROW = (
    "You have three things tomorrow. Team meeting at 9:15 a.m., Lunch with Carol at 12:30 p.m. "
    "and Phone call with Martin at 4 p.m."
)


def test_a_question_is_answered_in_full_when_nobody_interrupts(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("what do I have tomorrow"))
    assert talk.lines[-1] == f"assistant: {TOMORROW}"
    assert talk.trace.counts.cut_ms == 0
    assert sound(TOMORROW.split(". ")[0] + ".") in talk.result.heard


@pytest.mark.parametrize("heard_ms", [500, 1_000, 1_500, 2_000])
def test_an_interrupted_answer_is_kept_as_far_as_it_was_heard(tmp_path: Path, heard_ms: int) -> None:
    talk = hold(tmp_path, Say("what do I have tomorrow"), Listen(heard_ms), Say("stop", after_ms=0))
    (answer,) = [line for line in talk.lines if line.startswith("assistant: You")]
    cut_ms = talk.trace.counts.cut_ms
    assert abs(cut_ms - talk.result.metrics.bytes_cut / 8) <= 1
    whole_ms = sum(len(sound(sentence)) // 8 for sentence in ("You have three things tomorrow.", TOMORROW[32:]))
    words = TOMORROW.split()
    assert answer == "assistant: " + " ".join(words[: len(words) * (whole_ms - cut_ms) // whole_ms])
    assert heard_ms <= whole_ms - cut_ms <= heard_ms + 300  # a voice counts as one after 120 ms
    assert talk.result.metrics.bytes_after_clear == 0
    assert talk.lines[-2:] == ["caller: stop", "assistant: All right."]


def test_the_greeting_gives_way_to_the_caller(tmp_path: Path) -> None:
    talk = hold(tmp_path, Listen(300), Say("what is my next meeting", after_ms=0))
    assert talk.lines[0] == "bridge: Hello, this is"
    assert talk.lines[2].startswith("assistant: Your next meeting is")


def test_a_silent_caller_is_asked_and_then_let_go(tmp_path: Path) -> None:
    rules = Rules(silence_ms=4_000, last_silence_ms=2_000)
    talk = hold(tmp_path, given=Circumstances(rules=rules, stay=True))
    goodbye = "I cannot hear you, so I am ending this call. Goodbye."
    assert talk.lines[1:] == ["bridge: Are you still there?", f"bridge: {goodbye}"]
    assert talk.result.heard.rstrip(b"\xff").endswith(sound(goodbye).rstrip(b"\xff"))
    assert talk.trace.ended_by == "bridge"


def test_a_caller_who_answers_are_you_still_there_goes_on(tmp_path: Path) -> None:
    rules = Rules(silence_ms=4_000, last_silence_ms=4_000)
    talk = hold(
        tmp_path, Listen(1_000), Listen(1_300), Say("what is my next meeting"), given=Circumstances(rules=rules)
    )
    assert talk.lines[1] == "bridge: Are you still there?"
    assert talk.lines[-1].startswith("assistant: Your next meeting is")
    assert talk.trace.ended_by == "caller"


def test_the_assistants_goodbye_is_heard_before_the_line_is_cut(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("goodbye"), given=Circumstances(stay=True))
    assert talk.lines[-2:] == ["caller: goodbye", "assistant: Goodbye."]
    assert talk.result.heard.rstrip(b"\xff").endswith(sound("Goodbye.").rstrip(b"\xff"))
    assert (talk.result.ended_by, talk.trace.ended_by, talk.trace.error) == ("bridge", "assistant", "")
    assert talk.trace.counts.cut_ms == 0


def test_the_longest_call_ends_with_a_word(tmp_path: Path) -> None:
    talk = hold(tmp_path, given=Circumstances(rules=Rules(limit_ms=10_000), stay=True))
    assert talk.lines[-1] == "bridge: This call has reached its longest time, so I am ending it here. Goodbye."
    assert talk.trace.ended_by == "bridge"


def test_who_hangs_up_in_the_middle_of_an_answer_has_heard_no_more_of_it(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("what do I have tomorrow"), Listen(1_000), HangUp(after_ms=0))
    assert talk.lines[-1].startswith("assistant: You have three things")
    assert len(talk.lines[-1]) < len(TOMORROW)
    assert talk.trace.ended_by == "caller"
    assert talk.result.reasons == ()

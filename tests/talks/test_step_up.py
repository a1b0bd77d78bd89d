"""The step up in a talk: a caller who is not known well enough is asked for the PIN, when a tool needs it."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier, Trust
from phone_bridge.call.words import unproven
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.realtime import messages as rm
from phone_bridge.simulator.script import HangUp, Listen, Press, Say
from tests.sessions.realtime.model import Call, Turn
from tests.talks.stage import Circumstances, Talk, hold

PIN = "482913"
REVIEW = "Project review with Anna"
CANCEL = Say("cancel my next meeting")
ASKED = "bridge: For this I need your PIN."
QUESTION = f"bridge: I am about to cancel {REVIEW}, on Tuesday the 24th of November at 11:30 a.m."
LEFT = "assistant: All right, I left everything as it is."
WRITES = Trust(tools={"get_next_event": Tier.UNKNOWN}, otherwise=Tier.PIN)
READS = Trust(otherwise=Tier.PIN)
ENTERS = Trust(enter=Tier.PIN)


def under(trust: Trust, **rules: object) -> Circumstances:
    return Circumstances(rules=msgspec.structs.replace(Rules(trust=trust), **rules), pin=PIN)


def kept(talk: Talk, verdict: str, by: str = "none") -> bool:
    """Not done, and the assistant was told why."""
    told = talk.told == (m.TextAppend(text=unproven()),)
    return told and REVIEW in talk.calendar and talk.verdicts == [("cancel_event", verdict, by)]


def spoken(talk: Talk, words: str) -> int:
    return sum(words in line for line in talk.lines)


def test_reading_needs_nothing_and_cancelling_needs_the_pin(tmp_path: Path) -> None:
    talk = hold(
        tmp_path, Say("what is my next meeting"), Say("cancel it"), Press(PIN + "#"), Press("1"), given=under(WRITES)
    )
    assert talk.result.reasons == ()
    lines = talk.lines
    assert lines[2].startswith(f"assistant: Your next meeting is {REVIEW}")
    assert lines[4].startswith(ASKED)
    assert lines[5:7] == ["bridge: Thank you.", QUESTION]
    assert lines[-1] == f"assistant: Done. {REVIEW} today at 11:30 a.m. is cancelled."
    assert (talk.verdicts, talk.trace.trust) == ([("cancel_event", "confirmed", "digit")], "pin")
    assert PIN not in "".join(talk.lines)


def test_the_pin_is_no_yes(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press(PIN + "#"), Press("2"), given=under(WRITES))
    assert talk.verdicts == [("cancel_event", "declined", "digit")]
    assert REVIEW in talk.calendar


def test_a_wrong_pin_may_be_mended(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("111222#"), Press(PIN + "#"), Press("1"), given=under(WRITES))
    assert spoken(talk, "That was not right.") == 1
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]


def test_three_wrong_pins_leave_things_as_they_are(tmp_path: Path) -> None:
    wrong = [Press(f"11122{last}#") for last in range(3)]
    talk = hold(tmp_path, CANCEL, *wrong, Say("cancel my next meeting"), given=under(WRITES))
    assert spoken(talk, "I need the right PIN for this") == 2
    assert spoken(talk, ASKED) == 1
    assert talk.verdicts == [("cancel_event", "declined", "none")] * 2
    assert (talk.trace.trust, REVIEW in talk.calendar) == ("unknown", True)


def test_whoever_does_without_is_not_cut_off(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("#"), Say("what is my next meeting"), given=under(WRITES))
    assert "bridge: All right. Without the PIN nothing was done." in talk.lines
    assert talk.lines[-1].startswith(f"assistant: Your next meeting is {REVIEW}")
    assert kept(talk, "declined", "digit")


def test_silence_is_a_no(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Listen(40_000), HangUp(), given=under(WRITES))
    assert spoken(talk, "I got no PIN") == 1
    assert kept(talk, "expired")


def test_star_begins_again(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("999*"), Press(PIN + "#"), Press("1"), given=under(WRITES))
    assert spoken(talk, "from its first digit") == 1
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]


def test_a_pin_without_the_hash_key_is_complete_after_a_pause(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press(PIN), Press("1"), given=under(WRITES))
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]


def test_what_is_spoken_meanwhile_is_not_heard_by_the_assistant(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Say("four eight two nine one three"), Press("#"), given=under(WRITES))
    assert [line for line in talk.lines if line.startswith("caller:")] == ["caller: cancel my next meeting"]
    assert kept(talk, "declined", "digit")


def test_hanging_up_is_a_no(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("48"), HangUp(), given=under(WRITES))
    assert talk.verdicts == [("cancel_event", "unanswered", "none")]
    assert REVIEW in talk.calendar


def test_it_is_asked_for_in_german_too(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press(PIN + "#"), Press("1"), given=under(WRITES, language="de"))
    assert spoken(talk, "Dafür brauche ich Ihre PIN.") == 1
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]


# Before the assistant is there


def test_the_pin_may_be_needed_to_come_in(tmp_path: Path) -> None:
    talk = hold(tmp_path, Press(PIN + "#"), Say("what is my next meeting"), given=under(ENTERS))
    assert talk.lines[0].startswith("bridge: Please enter your PIN")
    assert talk.lines[1] == "bridge: Thank you. How can I help?"
    assert talk.lines[-1].startswith(f"assistant: Your next meeting is {REVIEW}")


# A model that calls functions


def secretary(talk: Sequence[Turn]) -> Sequence[Call | str]:
    """Look for the next meeting, and cancel it where that is wanted."""
    last = talk[-1]
    if last.role == "user":
        return [Call("get_next_event")]
    result = json.loads(last.text)
    if not result["ok"]:
        return [f"I see: {result['error']['code']}."]
    calls = [turn.text for turn in talk if turn.role == "call"]
    wish = [turn.text for turn in talk if turn.role == "user"][-1]
    if "cancel" in wish and calls[-1] == "get_next_event":
        return [Call("cancel_event", {"event_id": result["event"]["id"]})]
    return ["Done."]


def model(trust: Trust) -> Circumstances:
    return msgspec.structs.replace(under(trust), mind=secretary)


def results(talk: Talk) -> list[str]:
    said = [each.item for model in talk.models for each in model.heard if isinstance(each, rm.ItemCreate)]
    return [item.output or "" for item in said if item.type == "function_call_output"]


def test_a_model_learns_nothing_before_the_pin_and_does_nothing_without_a_yes(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press(PIN + "#"), Press("1"), given=model(READS))
    assert spoken(talk, ASKED) == 1
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]
    assert talk.lines[-1] == "assistant: Done."


def test_a_model_is_told_of_a_caller_who_did_not_prove_who_they_are(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("what is next"), Press("#"), given=model(READS))
    assert [json.loads(result)["error"]["code"] for result in results(talk)] == ["not_proven"]
    assert talk.lines[-1] == "assistant: I see: not_proven."
    assert REVIEW not in "".join(results(talk))


def test_a_model_may_look_where_only_deeds_need_the_pin(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("#"), given=model(WRITES))
    assert len(results(talk)) == 2
    assert talk.verdicts == [("cancel_event", "declined", "digit")]
    assert REVIEW in talk.calendar

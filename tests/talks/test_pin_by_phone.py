"""A code that goes to the user's telephone, and a PIN that is set in a talk."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier, Trust
from phone_bridge.simulator.script import HangUp, Listen, Press, Say
from tests.sessions.realtime.model import Call, Turn
from tests.talks.stage import Circumstances, Talk, hold
from tests.talks.test_step_up import CANCEL, PIN, REVIEW, results, spoken

CODE, NEW = "048271", "739164"
CHANGE = Say("I want to change my PIN")
NEXT = Say("what is my next meeting")
BY_CODE = Trust(tools={"get_next_event": Tier.UNKNOWN}, otherwise=Tier.CODE, enrol=Tier.CODE)
BY_BOTH = Trust(tools={"get_next_event": Tier.UNKNOWN}, otherwise=Tier.BOTH)
BY_PIN = Trust(tools=dict.fromkeys(("get_next_event", "change_pin"), Tier.UNKNOWN), otherwise=Tier.PIN)


def under(trust: Trust, *, pin: str = "", code: str = "", **rules: object) -> Circumstances:
    chosen = msgspec.structs.replace(Rules(trust=trust, pin_change=True), **rules)
    return Circumstances(rules=chosen, pin=pin, code=code)


def bridge(talk: Talk) -> list[str]:
    """Give what the bridge said after its greeting."""
    return [line.removeprefix("bridge: ") for line in talk.lines if line.startswith("bridge: ")][1:]


# A code


def test_a_code_opens_what_needs_it(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press(CODE), Press("1", after_ms=1_200), given=under(BY_CODE, code=CODE))
    assert spoken(talk, "a code of six digits to your telephone") == 1
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]
    assert (talk.trace.trust, REVIEW in talk.calendar) == ("code", False)


def test_a_code_that_takes_its_time_is_waited_for(tmp_path: Path) -> None:
    talk = hold(
        tmp_path, CANCEL, Listen(45_000), Press(CODE), Press("1", after_ms=1_200), given=under(BY_CODE, code=CODE)
    )
    assert spoken(talk, "I am waiting for the code") >= 1
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]


def test_a_code_that_cannot_be_sent_changes_nothing_and_the_talk_goes_on(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, NEXT, given=under(BY_CODE, pin=PIN))
    assert spoken(talk, "I cannot send you a code now") == 1
    assert talk.lines[-1].startswith(f"assistant: Your next meeting is {REVIEW}")


def test_both_proofs_are_asked_for_where_both_are_needed(tmp_path: Path) -> None:
    given = under(BY_BOTH, pin=PIN, code=CODE)
    talk = hold(tmp_path, CANCEL, Press(f"{PIN}#"), Press(CODE), Press("1", after_ms=1_200), given=given)
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]
    assert talk.trace.trust == "pin+code"


def test_hanging_up_before_the_code_is_a_no(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("0482"), HangUp(), given=under(BY_CODE, code=CODE))
    assert talk.verdicts == [("cancel_event", "unanswered", "none")]
    assert REVIEW in talk.calendar


# A PIN that is set


def test_a_caller_who_knows_the_pin_changes_it_and_goes_on_talking(tmp_path: Path) -> None:
    keys = [Press(f"{each}#") for each in (PIN, NEW, NEW)]
    talk = hold(tmp_path, CHANGE, *keys, NEXT, given=under(BY_PIN, pin=PIN))
    assert talk.pin == NEW
    said = bridge(talk)
    assert said[0].startswith("To change your PIN")
    assert "Your PIN is changed. What else can I do for you?" in said
    assert talk.lines[-1].startswith(f"assistant: Your next meeting is {REVIEW}")
    assert not any(line.startswith("assistant:") for line in talk.lines[:-1]), "the assistant had no word in it"
    assert not any(pin in "".join(talk.lines) for pin in (PIN, NEW))
    assert talk.result.reasons == ()


def test_a_first_pin_is_set_after_a_code(tmp_path: Path) -> None:
    keys = [Press(each) for each in (CODE, f"{NEW}#", f"{NEW}#")]
    talk = hold(tmp_path, CHANGE, *keys, Listen(3_000), given=under(BY_CODE, code=CODE))
    assert talk.pin == NEW
    assert spoken(talk, "You have no PIN yet.") == 1
    assert spoken(talk, "Your PIN is set.") == 1


def test_two_that_are_not_alike_and_the_old_one_change_nothing_until_they_are(tmp_path: Path) -> None:
    tries = [Press(f"{each}#") for each in (PIN, PIN, NEW, "739165", NEW, NEW)]
    talk = hold(tmp_path, CHANGE, *tries, Listen(3_000), given=under(BY_PIN, pin=PIN))
    assert (spoken(talk, "the PIN that you have. Please"), spoken(talk, "not alike")) == (1, 1)
    assert talk.pin == NEW


def test_whoever_does_not_know_the_old_pin_changes_nothing(tmp_path: Path) -> None:
    wrong = [Press(f"11122{last}#") for last in range(3)]
    talk = hold(tmp_path, CHANGE, *wrong, Listen(3_000), given=under(BY_PIN, pin=PIN))
    assert spoken(talk, "I need the right PIN for this") == 1
    assert talk.pin == PIN


def test_whoever_thinks_better_of_it_keeps_the_pin(tmp_path: Path) -> None:
    talk = hold(tmp_path, CHANGE, Press(f"{PIN}#"), Press("#"), NEXT, given=under(BY_PIN, pin=PIN))
    assert spoken(talk, "All right, I left it as it is.") == 1
    assert talk.lines[-1].startswith(f"assistant: Your next meeting is {REVIEW}")
    assert talk.pin == PIN


def test_it_is_wished_for_in_german_too(tmp_path: Path) -> None:
    keys = [Press(f"{each}#") for each in (PIN, NEW, NEW)]
    given = under(BY_PIN, pin=PIN, language="de")
    talk = hold(tmp_path, Say("Ich möchte meine PIN ändern"), *keys, Listen(3_000), given=given)
    assert spoken(talk, "Ihre PIN ist geändert.") == 1
    assert talk.pin == NEW


def clerk(talk: Sequence[Turn]) -> Sequence[Call | str]:
    """Leave it to the line."""
    return [Call("change_pin")] if talk[-1].role == "user" else ["I have changed your PIN to 1 2 3."]


def test_a_model_leaves_it_to_the_line_and_learns_nothing(tmp_path: Path) -> None:
    keys = [Press(f"{each}#") for each in (PIN, NEW, NEW)]
    given = msgspec.structs.replace(under(BY_PIN, pin=PIN), mind=clerk)
    talk = hold(tmp_path, Say("please give me other digits for my phone"), *keys, Listen(3_000), given=given)
    assert talk.pin == NEW
    assert [json.loads(result)["ok"] for result in results(talk)] == [True]
    assert spoken(talk, "Your PIN is changed.") == 1
    assert spoken(talk, "1 2 3") == 0

"""Callers of an assistant that cannot put anybody through, and who ask for a person: the line does it by itself."""

from pathlib import Path

import pytest

from phone_bridge.call.rules import Rules
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.script import Press, Say, Step
from tests.talks.stage import Circumstances, Talk, hold

REVIEW = "Project review with Anna"
CANCEL = Say("cancel my next meeting")
RECEPTION = "bridge: Please stay on the line, I am putting you through to reception."
WHOM = "bridge: I can put you through to: reception, press 1; sales, press 2. Whom would you like to speak to?"
NOT_HERE = "assistant: I cannot put you through to anybody from here."


def office(*names: str, box: bool = False, **more: object) -> Circumstances:
    callees = dict.fromkeys(names or ("reception",), True) | ({"box": False} if box else {})
    return Circumstances(rules=Rules(callees=callees, **more), stay=True)  # type: ignore[arg-type]


def put_through(talk: Talk, line: str = RECEPTION) -> bool:
    """The last words were heard to their end, the line moved, and the assistant said nothing over them."""
    heard = talk.lines[-1] == line and talk.trace.ended_by == "transfer"
    return heard and talk.result.reasons == () and not any(NOT_HERE in said for said in talk.lines)


@pytest.mark.parametrize(
    "wish", ["Put me through to reception.", "I want to talk to a person", "operator", "can I speak to someone?"]
)
def test_a_wish_is_all_it_takes(tmp_path: Path, wish: str) -> None:
    talk = hold(tmp_path, Say(wish), given=office())
    assert talk.lines[1:] == [f"caller: {wish}", RECEPTION]
    assert put_through(talk)


@pytest.mark.parametrize(
    ("language", "wish", "line"),
    [
        (
            "de",
            "Verbinden Sie mich bitte mit dem Empfang.",
            "Bitte bleiben Sie am Apparat, ich verbinde Sie mit: Empfang.",
        ),
        ("es-MX", "¿Me comunica con recepción?", "No cuelgue, por favor. Le paso con recepción."),
        ("fr", "Passez-moi l'accueil, s'il vous plaît.", "Ne quittez pas, je vous passe accueil."),
    ],
)
def test_so_it_is_in_every_language_of_the_line(tmp_path: Path, language: str, wish: str, line: str) -> None:
    given = office("Empfang", "recepción", "accueil", language=language)
    assert put_through(hold(tmp_path, Say(wish), given=given), f"bridge: {line}")


def test_the_assistants_reply_to_the_same_words_is_cancelled(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("put me through to reception"), given=office())
    assert [each for each in talk.told if isinstance(each, m.ResponseCancel)]
    assert put_through(talk)


@pytest.mark.parametrize(("answer", "line"), [(Press("1"), ""), (Say("reception please"), "caller: reception please")])
def test_of_several_the_caller_chooses(tmp_path: Path, answer: Step, line: str) -> None:
    talk = hold(tmp_path, Say("I want to talk to a person"), answer, given=office("reception", "sales", box=True))
    assert talk.lines[2:] == [WHOM, *([line] if line else []), RECEPTION]
    assert put_through(talk)


def test_who_is_not_on_the_list_is_not_rung_and_the_caller_hears_who_is(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("put me through to accounting"), Say("yes please"), given=office())
    assert talk.lines[2] == "bridge: I can put you through to reception. Press 1 or say yes, and I will."
    assert put_through(talk)


def test_who_thinks_better_of_it_goes_on_with_the_assistant(tmp_path: Path) -> None:
    given = Circumstances(rules=office("reception", "sales").rules)
    talk = hold(tmp_path, Say("operator"), Say("never mind"), Say("what is my next meeting"), given=given)
    assert talk.result.reasons == ()
    assert talk.lines[2:6] == [WHOM, "caller: never mind", "assistant: All right.", "caller: what is my next meeting"]
    assert talk.lines[6].startswith(f"assistant: Your next meeting is {REVIEW}")


def test_an_open_question_falls_with_a_no(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Say("yes, put me through to reception"), given=office())
    assert talk.verdicts == [("cancel_event", "declined", "speech")]
    assert talk.confirms == []
    assert REVIEW in talk.calendar
    assert put_through(talk)


def test_a_question_that_fell_is_not_taken_up_by_a_later_yes(tmp_path: Path) -> None:
    given = office("reception", "sales")
    talk = hold(tmp_path, CANCEL, Say("I want to speak to a person"), Say("yes"), Press("1"), given=given)
    assert talk.verdicts == [("cancel_event", "declined", "speech")]
    assert talk.confirms == []
    assert REVIEW in talk.calendar
    assert put_through(talk)


def test_where_the_line_cannot_move_the_caller_is_told_and_goes_on(tmp_path: Path) -> None:
    given = Circumstances(rules=Rules(callees={"reception": True}), unreachable=frozenset({"reception"}))
    talk = hold(tmp_path, Say("put me through to reception"), Say("what is my next meeting"), given=given)
    assert talk.result.reasons == ()
    assert talk.lines[2] == "bridge: I cannot put you through at the moment. What would you like to do instead?"
    assert talk.lines[4].startswith(f"assistant: Your next meeting is {REVIEW}")


@pytest.mark.parametrize(
    "words", ["cancel my call with reception", "remind me to talk to an operator", "I don't want to talk to a person"]
)
def test_what_only_sounds_like_a_wish_moves_nobody(tmp_path: Path, words: str) -> None:
    talk = hold(tmp_path, Say(words), given=Circumstances(rules=office().rules))
    assert talk.trace.ended_by == "caller"
    assert "putting you through" not in "".join(talk.lines)


def test_where_there_is_nobody_the_assistant_says_so(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("I want to talk to a person"))
    assert talk.lines[2:] == [f"{NOT_HERE} I can help you with your calendar."]

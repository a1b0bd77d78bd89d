"""Talks in which the line itself speaks Spanish, French or German: by its route, by a key, and by the model's tool."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from phone_bridge.call.rules import Rules
from phone_bridge.simulator.script import Press, Say
from tests.sessions.realtime.model import Call, Turn
from tests.talks.stage import Circumstances, Talk, hold

CANCEL = Say("cancel my next meeting")
REVIEW = "Project review with Anna"
ASKED = {
    "es": f"bridge: Voy a cancelar {REVIEW}, el martes 24 de noviembre a las 11 y media de la mañana.",
    "fr": f"bridge: Je vais annuler {REVIEW}, le mardi 24 novembre à 11 heures 30.",
    "de": f"bridge: Ich bin dabei, einen Termin abzusagen: {REVIEW}, am Dienstag, den vierundzwanzigsten November, "
    "um 11 Uhr 30.",
    "en": f"bridge: I am about to cancel {REVIEW}, on Tuesday the 24th of November at 11:30 a.m.",
}
KEYS = "bridge: Drücken Sie die 1 oder sagen Sie ja, um zu bestätigen."


def speaking(language: str) -> Circumstances:
    return Circumstances(rules=Rules(language=language))


@pytest.mark.parametrize(
    ("language", "yes"),
    [("es", "sí, por favor"), ("es-MX", "claro que sí"), ("fr", "oui, allez-y"), ("fr-CA", "ouais")],
)
def test_a_spoken_yes_in_the_routes_language_confirms(tmp_path: Path, language: str, yes: str) -> None:
    talk = hold(tmp_path, CANCEL, Say(yes), given=speaking(language))
    assert talk.result.reasons == ()
    assert talk.lines[2] == ASKED[language[:2]]
    assert talk.verdicts == [("cancel_event", "confirmed", "speech")]
    assert len(talk.confirms) == 1
    assert REVIEW not in talk.calendar


@pytest.mark.parametrize(
    ("language", "no"), [("es", "no, déjelo como está"), ("fr", "non, laissez tomber"), ("fr-CA", "fais-le pas")]
)
def test_a_spoken_no_leaves_everything_as_it_is(tmp_path: Path, language: str, no: str) -> None:
    talk = hold(tmp_path, CANCEL, Say(no), given=speaking(language))
    assert talk.verdicts == [("cancel_event", "declined", "speech")]
    assert REVIEW in talk.calendar


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_the_built_in_assistant_understands_what_it_is_told_of_a_refusal(tmp_path: Path, language: str) -> None:
    talk = hold(tmp_path, CANCEL, Press("2"), given=speaking(language))
    assert talk.verdicts == [("cancel_event", "declined", "digit")]
    assert talk.lines[-1] == "assistant: All right, I left everything as it is."


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "sí, pero a las cuatro"),
        ("es", "si está bien"),
        ("fr", "oui mais vendredi"),
        ("fr", "c'est ça"),
    ],
)
def test_what_is_no_plain_yes_changes_nothing(tmp_path: Path, language: str, words: str) -> None:
    talk = hold(tmp_path, CANCEL, Say(words), given=speaking(language))
    assert not any(verdict == "confirmed" for _, verdict, _ in talk.verdicts)
    assert talk.confirms == []
    assert REVIEW in talk.calendar


def test_a_key_chooses_the_language_in_which_the_caller_consents(tmp_path: Path) -> None:
    rules = Rules(languages={"2": "de", "3": "es"})
    talk = hold(tmp_path, Press("2"), CANCEL, Say("ja, bitte"), given=Circumstances(rules=rules))
    assert talk.result.reasons == ()
    assert "bridge: Guten Tag, hier ist Ihr Kalenderassistent. Wie kann ich helfen?" in talk.lines
    assert ASKED["de"] in talk.lines
    assert talk.verdicts == [("cancel_event", "confirmed", "speech")]
    assert REVIEW not in talk.calendar


def polyglot(talk: Sequence[Turn]) -> Sequence[Call | str]:
    """Cancel the next meeting, and have the line speak German where the caller asks for it."""
    last = talk[-1]
    if last.role == "user":
        if "Deutsch" in last.text:
            return [Call("switch_language", {"language": "de"})]
        return [Call("get_next_event")] if "cancel" in last.text else []
    if last.role == "result":
        result = json.loads(last.text)
        if "minutes_until" in result:
            return [Call("cancel_event", {"event_id": result["event"]["id"]})]
        return ["Erledigt."] if "resource" in result else []
    return []


def in_german(folder: Path, answer: str | None) -> Talk:
    script = [CANCEL, Say("auf Deutsch, bitte"), Say(answer) if answer else Press("1")]
    return hold(folder, *script, given=Circumstances(mind=polyglot))


@pytest.mark.parametrize(("answer", "by"), [("ja, bitte", "speech"), (None, "digit")])
def test_a_question_goes_on_in_the_language_that_the_model_switches_to(
    tmp_path: Path, answer: str | None, by: str
) -> None:
    talk = in_german(tmp_path, answer)
    bridge = [line for line in talk.lines if line.startswith(("bridge: I am", "bridge: Ich bin"))]
    assert bridge[-1] == ASKED["de"]
    assert talk.verdicts == [("cancel_event", "confirmed", by)]
    assert talk.asked[0].question == ASKED["de"].removeprefix("bridge: ")
    assert REVIEW not in talk.calendar


def test_after_the_switch_the_old_languages_yes_is_none(tmp_path: Path) -> None:
    talk = in_german(tmp_path, "yes please")
    assert not any(verdict == "confirmed" for _, verdict, _ in talk.verdicts)
    assert REVIEW in talk.calendar

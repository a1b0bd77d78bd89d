import itertools
import json
from typing import Any

import pytest

from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K, PCMU_8K
from phone_bridge.audio.path import path
from phone_bridge.call.commands import HandOn, Turn
from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.chronapilot import handing_on
from phone_bridge.sessions.chronapilot.keeper import ChronaPilotKeeper

CANCEL = Action("cancel_event", {"event_id": "evt_1"}, "cancel Lunch")
OPENED = s.Opened("hub_1", ("get_next_event",), "2026-11-28T17:00:00+00:00")


def keeper() -> ChronaPilotKeeper:
    numbers = itertools.count(1)
    return ChronaPilotKeeper(lambda prefix: f"{prefix}_{next(numbers)}")


def said(keeper: ChronaPilotKeeper, kind: str, **fields: Any) -> list[s.ClientFact]:
    return keeper.receive(json.dumps({"type": kind, **fields}))


def told(keeper: ChronaPilotKeeper, *happenings: s.Happening) -> list[dict[str, Any]]:
    for happening in happenings:
        keeper.tell(happening)
    return [json.loads(message) for message in keeper.outgoing()]


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        ({"type": "text.append", "text": "hello"}, [s.TurnGiven("", "hello")]),
        ({"type": "action.confirm", "id": "act_1"}, [s.Consented("act_1")]),
        ({"type": "action.decline", "id": "act_1"}, [s.Declined("act_1", "client")]),
        ({"type": "response.cancel", "response_id": "rsp_1"}, [s.ReplyCancelled("rsp_1")]),
        ({"type": "audio.commit"}, [s.TurnEnded()]),
        ({"type": "audio.clear"}, [s.TurnCleared()]),
        ({"type": "session.update", "session": {"tools": ["a"]}}, [s.ToolsChosen(("a",)), s.SettingsSent()]),
        ({"type": "session.update", "session": {}}, [s.SettingsSent()]),
    ],
)
def test_messages_become_facts(message: dict[str, Any], facts: list[s.ClientFact]) -> None:
    kept = keeper()
    assert kept.receive(json.dumps(message | {"event_id": "e1"})) == facts
    assert kept.event_id == "e1"
    assert kept.opening() == []


def test_sound_is_converted_at_the_door() -> None:
    (fact,) = said(keeper(), "audio.append", audio="AAECAwQFBgcICQoL")
    assert fact == s.SoundCame(path(LINEAR_24K, LINEAR_16K).push(bytes(range(12))))


def test_a_talk_that_goes_on_is_told_from_a_turn() -> None:
    before = HandOn((Turn("caller", "hello"),), (), answer=True)
    assert said(keeper(), "text.append", text=handing_on.write(before)) == [s.TalkHandedOn(before)]


def test_settings_are_in_force_when_they_are_taken_and_not_before() -> None:
    kept = keeper()
    (created,) = told(kept, OPENED)
    assert (created["type"], created["session"]["id"]) == ("session.created", "hub_1")
    said(kept, "session.update", session={"output_format": "g711_ulaw", "voice": "sage"})
    assert kept.voice(PCMU_8K).push(b"\x7f") != b"\x7f"
    (updated,) = told(kept, s.SettingsTaken(("a",)))
    assert (updated["session"]["output_format"], updated["session"]["voice"]) == ("g711_ulaw", "sage")
    assert kept.voice(PCMU_8K).push(b"\x7f") == b"\x7f"


@pytest.mark.parametrize(
    ("happening", "kinds"),
    [
        (s.VoiceBegan(10, "t"), ["speech.started"]),
        (s.VoiceEnded(10, "t"), ["speech.stopped"]),
        (s.TurnTaken("t", 10), []),
        (s.Transcribed("t", "hello"), ["transcript.final"]),
        (s.NotTranscribed("t", "no ear"), ["error", "transcript.final"]),
        (s.Understood("help", 1.0, {}), ["intent.detected"]),
        (s.ReplyBegan("rsp_1"), ["response.created"]),
        (s.ReplyWords("rsp_1", "Hi."), ["audio.transcript.delta"]),
        (s.ReplySound("rsp_1", b"\0\0"), ["audio.delta"]),
        (s.ReplyEnded("rsp_1", "cancelled", "client_cancelled"), ["response.done"]),
        (s.Proposed("act_1", CANCEL, "calendar_write", True, "then", "rsp_1"), ["action.proposed"]),
        (s.Acted("act_1", CANCEL, {"ok": True}, confirmed=True), ["action.executed"]),
        (s.Acted("act_1", CANCEL, {"ok": False, "error": {}}, confirmed=True), ["action.failed"]),
        (s.ProposalDeclined("act_1", "spoken_no"), ["action.declined"]),
        (s.ProposalExpired("act_1", "timeout"), ["action.expired"]),
        (s.Expiring("then", 30.0), ["session.expiring"]),
        (s.Trouble("rate_limit_exceeded", "why"), ["error"]),
        (s.Ready(), []),
        (s.Ending("completed"), []),
    ],
)
def test_happenings_become_messages(happening: s.Happening, kinds: list[str]) -> None:
    assert [message["type"] for message in told(keeper(), happening)] == kinds


def test_an_error_has_the_envelope_of_the_api() -> None:
    (message,) = told(keeper(), s.Trouble("rate_limit_exceeded", "why", "audio", "e1"))
    error = message["error"]
    assert (error["type"], error["code"], error["param"], error["event_id"], error["request_id"]) == (
        "rate_limit_error",
        "rate_limit_exceeded",
        "audio",
        "e1",
        "req_1",
    )


def test_a_client_of_this_dialect_has_no_functions_to_call() -> None:
    with pytest.raises(LocalError):
        keeper().tell(s.ToolAsked("act_1", CANCEL, "rsp_1"))


@pytest.mark.parametrize(("reason", "code"), [("completed", 1000), ("expired", 4008), ("idle_timeout", 4408)])
def test_every_end_has_its_closing_code(reason: str, code: int) -> None:
    assert keeper().close_code(reason) == code

import json
from typing import Any

import pytest

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import LINEAR_24K
from phone_bridge.audio.path import path
from phone_bridge.call.events import Action, Affected
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.voice_sdk import VoiceSdkKeeper
from phone_bridge.sessions.voice_sdk.server import CHUNK_MS, LEAD_MS

CANCEL = Action("cancel_event", {"event_id": "evt_1"}, "cancel Lunch", (Affected("evt_1", "Lunch"),))
QUESTION = s.Proposed("act_1", CANCEL, "calendar_write", True, "2026-11-28T17:00:00+00:00", "rsp_1")
OPENED = s.Opened("sdk_1", (), "")


def told(keeper: VoiceSdkKeeper, *happenings: s.Happening) -> list[Any]:
    for happening in happenings:
        keeper.tell(happening)
    return [json.loads(each) if isinstance(each, str) else each for each in keeper.outgoing()]


def test_the_plain_dialect_says_its_four_words_and_no_more() -> None:
    keeper = VoiceSdkKeeper()
    assert told(keeper, OPENED, s.Ready()) == [{"type": "connected"}, {"type": "agent_ready"}]
    assert not keeper.manners.takes_proposals
    quiet = (
        s.VoiceBegan(0, "t"),
        s.Transcribed("t", "hello"),
        s.ReplyBegan("rsp_1"),
        s.ReplyWords("rsp_1", "Hello."),
        s.ReplyEnded("rsp_1", "cancelled", "turn_detected"),
        s.Trouble("service_unavailable", "no ear"),
    )
    assert told(keeper, *quiet) == []
    assert keeper.receive('{"type":"dtmf","digit":"1"}') == []
    assert told(keeper, s.Ending("completed")) == [{"type": "session_ended", "reason": "agent_disconnected"}]


@pytest.mark.parametrize(
    ("reason", "told_as"),
    [
        ("completed", "agent_disconnected"),
        ("expired", "session_closed"),
        ("idle_timeout", "session_closed"),
        ("server_shutdown", "server_shutdown"),
        ("error", "agent_disconnected"),
    ],
)
def test_every_end_has_one_of_the_documented_reasons(reason: str, told_as: str) -> None:
    keeper = VoiceSdkKeeper()
    told(keeper, OPENED, s.Ready())
    assert told(keeper, s.Ending(reason)) == [{"type": "session_ended", "reason": told_as}]
    assert keeper.close_code(reason) == 1000


def test_a_session_that_cannot_be_set_up_says_so_with_its_code() -> None:
    keeper = VoiceSdkKeeper()
    told(keeper, OPENED)
    trouble = s.Trouble("service_unavailable", "the calendar is locked")
    (error,) = told(keeper, trouble, s.Ending("error"))
    assert (error["type"], error["code"], error["message"]) == (
        "error",
        "SESSION_SETUP_FAILED",
        "the calendar is locked",
    )
    assert keeper.close_code("error") == 4500


@pytest.mark.parametrize("size", [640, 1280, 2, 646])
def test_sound_of_any_even_length_is_heard(size: int) -> None:
    assert VoiceSdkKeeper().receive(bytes(size)) == [s.SoundCame(bytes(size))]


@pytest.mark.parametrize("size", [639, 65_538])
def test_what_is_no_sound_is_dropped_and_counted(size: int) -> None:
    keeper = VoiceSdkKeeper()
    assert keeper.receive(bytes(size)) == []
    assert keeper.dropped == 1


def test_the_agent_speaks_in_frames_of_twenty_milliseconds() -> None:
    keeper = VoiceSdkKeeper()
    assert told(keeper, s.ReplySound("rsp_1", bytes(1000))) == [bytes(640)]
    assert told(keeper, s.ReplySound("rsp_1", bytes(1000))) == [bytes(640)] * 2
    assert told(keeper, s.ReplyEnded("rsp_1", "completed")) == [bytes(640)]
    assert told(keeper, s.ReplyEnded("rsp_2", "completed")) == []
    assert keeper.voice(LINEAR_24K).push(bytes(480)) == path(LINEAR_24K, w.SOUND).push(bytes(480))


def test_what_was_cut_off_leaves_no_rest() -> None:
    keeper = VoiceSdkKeeper(("interrupted",))
    told(keeper, s.ReplySound("rsp_1", bytes(100)))
    assert told(keeper, s.ReplyEnded("rsp_1", "cancelled")) == [{"type": "interrupted"}]
    assert told(keeper, s.ReplySound("rsp_2", bytes(640))) == [bytes(640)]


def test_sound_runs_two_hundred_milliseconds_ahead_at_most() -> None:
    assert CHUNK_MS + LEAD_MS <= 200
    manners = VoiceSdkKeeper().manners
    assert (manners.chunk_ms, manners.lead_ms) == (CHUNK_MS, LEAD_MS)


def test_features_are_granted_as_far_as_there_are_any() -> None:
    keeper = VoiceSdkKeeper(("transcript", "telepathy", "confirmation"))
    assert told(keeper, OPENED) == [{"type": "connected", "features": ["transcript", "confirmation"]}]
    assert keeper.manners.takes_proposals


def test_captions_have_both_sides() -> None:
    keeper = VoiceSdkKeeper(("transcript",))
    assert told(keeper, s.Transcribed("t", "hello"), s.Transcribed("t", ""), s.ReplyWords("rsp_1", " Hello.")) == [
        {"type": "transcript", "speaker": "user", "text": "hello", "final": True},
        {"type": "transcript", "speaker": "agent", "text": "Hello.", "final": True},
    ]


def test_a_question_is_shown_whole_and_answered_once() -> None:
    keeper = VoiceSdkKeeper(("confirmation",))
    (card,) = told(keeper, QUESTION)
    assert card == {
        "type": "confirmation",
        "id": "act_1",
        "text": "Shall I cancel Lunch?",
        "action": {
            "name": "cancel_event",
            "parameters": {"event_id": "evt_1"},
            "summary": "cancel Lunch",
            "affects": [{"id": "evt_1", "title": "Lunch"}],
        },
        "expires_at": "2026-11-28T17:00:00+00:00",
    }
    answer = '{"type":"confirmation_answer","id":"act_1","answer":"%s"}'
    assert keeper.receive(answer % "yes") == [s.Consented("act_1")]
    assert keeper.receive(answer % "no") == []
    assert told(keeper, s.Acted("act_1", CANCEL, {"ok": True}, confirmed=True)) == [
        {"type": "confirmation_settled", "id": "act_1", "outcome": "executed", "result": {"ok": True}}
    ]


@pytest.mark.parametrize(
    ("happening", "outcome"),
    [
        (s.Acted("act_1", CANCEL, {"ok": False}, confirmed=True), "failed"),
        (s.ProposalDeclined("act_1", "spoken_no"), "declined"),
        (s.ProposalExpired("act_1", "timeout"), "expired"),
    ],
)
def test_a_question_that_was_settled_otherwise_takes_no_answer(happening: s.Happening, outcome: str) -> None:
    keeper = VoiceSdkKeeper(("confirmation",))
    told(keeper, QUESTION)
    assert told(keeper, happening)[0]["outcome"] == outcome
    assert keeper.receive('{"type":"confirmation_answer","id":"act_1","answer":"yes"}') == []


def test_what_was_done_unasked_settles_no_question() -> None:
    keeper = VoiceSdkKeeper(("confirmation",))
    assert told(keeper, s.Acted("act_2", CANCEL, {"ok": True}, confirmed=False)) == []


@pytest.mark.parametrize(("digit", "fact"), [("1", s.Consented("act_1")), ("2", s.Declined("act_1", "client"))])
def test_keys_answer_the_oldest_question(digit: str, fact: s.ClientFact) -> None:
    keeper = VoiceSdkKeeper(("confirmation", "dtmf"))
    key = json.dumps({"type": "dtmf", "digit": digit})
    assert keeper.receive(key) == []
    told(keeper, QUESTION)
    assert keeper.receive('{"type":"dtmf","digit":"5"}') == []
    assert keeper.receive(key) == [fact]
    assert keeper.receive(key) == []

import json

import pytest

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import LINEAR_16K, PCMU_8K
from phone_bridge.audio.path import path
from phone_bridge.call import events as e
from phone_bridge.call.commands import Answer, AnsweredBy, CancelReply, Listen, Tell, Verdict
from phone_bridge.call.permit import Permit
from phone_bridge.errors import LocalError, RemoteError
from phone_bridge.sessions.voice_sdk import VoiceSdkWire
from phone_bridge.sessions.voice_sdk.client import HELD_MS, MUTED_GAP_MS, MUTED_MS, REPLY_GAP_MS
from tests.sessions.voice_sdk.samples import lines

FRAME = bytes(range(160)) * 4
CANCEL = e.Action("cancel_event", {"event_id": "evt_1"}, "cancel Lunch", (e.Affected("evt_1", "Lunch"),))
QUESTION = lines("server.jsonl")[4]


def ready(now: int = 0) -> VoiceSdkWire:
    wire = VoiceSdkWire(LINEAR_16K)
    wire.receive('{"type":"connected"}', now)
    wire.receive('{"type":"agent_ready"}', now)
    return wire


def spoken(facts: list[e.Event]) -> bytes:
    return b"".join(fact.audio for fact in facts if isinstance(fact, e.AssistantSpoke))


# Opening


def test_the_session_is_open_when_the_agent_listens_and_that_is_told_once() -> None:
    wire = VoiceSdkWire(PCMU_8K)
    assert wire.receive('{"type":"connected"}', 0) == []
    assert wire.receive('{"type":"agent_ready"}', 0) == [e.SessionOpened()]
    assert wire.receive('{"type":"agent_ready"}', 0) == []


def test_the_callers_sound_waits_for_the_token_to_be_good() -> None:
    wire = VoiceSdkWire(LINEAR_16K)
    wire.send(Listen(FRAME), 0)
    assert wire.outgoing() == []
    wire.receive('{"type":"connected"}', 0)
    assert wire.outgoing() == [FRAME]


def test_no_more_sound_waits_than_can_be_used() -> None:
    wire = VoiceSdkWire(LINEAR_16K)
    for _ in range(HELD_MS // 20 + 5):
        wire.send(Listen(FRAME), 0)
    wire.receive('{"type":"connected"}', 0)
    assert len(wire.outgoing()) == HELD_MS // 20


def test_a_telephones_sound_becomes_frames_of_twenty_milliseconds() -> None:
    wire = VoiceSdkWire(PCMU_8K)
    wire.receive('{"type":"connected"}', 0)
    for _ in range(10):
        wire.send(Listen(b"\x7f" * 160), 0)
    frames = wire.outgoing()
    assert {len(frame) for frame in frames} == {w.FRAME_BYTES}
    expected = path(PCMU_8K, w.SOUND).push(b"\x7f" * 1600)
    assert b"".join(frame for frame in frames if isinstance(frame, bytes)) == expected[: len(frames) * w.FRAME_BYTES]


# Replies


def test_a_reply_begins_with_sound_and_ends_with_silence() -> None:
    wire = ready()
    facts = wire.receive(FRAME, 100)
    assert facts == [e.ReplyStarted("#1"), e.AssistantSpoke("#1", FRAME)]
    assert wire.receive(FRAME, 120) == [e.AssistantSpoke("#1", FRAME)]
    assert wire.deadline() == 120 + REPLY_GAP_MS
    assert wire.expire(119 + REPLY_GAP_MS) == []
    assert wire.expire(120 + REPLY_GAP_MS) == [e.ReplyEnded("#1")]
    assert wire.deadline() is None
    assert wire.receive(FRAME, 2000)[0] == e.ReplyStarted("#2")


def test_sound_before_the_agent_is_ready_is_played() -> None:
    assert spoken(VoiceSdkWire(LINEAR_16K).receive(FRAME, 0)) == FRAME


def test_a_cancelled_reply_is_mute_until_the_server_falls_silent() -> None:
    wire = ready()
    wire.receive(FRAME, 0)
    wire.send(CancelReply("#1"), 10)
    assert wire.receive(FRAME, 100) == []
    assert wire.outgoing() == []
    assert wire.expire(100 + MUTED_GAP_MS) == [e.ReplyEnded("#1", "cancelled")]
    assert spoken(wire.receive(FRAME, 400)) == FRAME


def test_an_agent_that_goes_on_speaking_was_not_interrupted_and_is_heard_again() -> None:
    wire = ready()
    wire.receive(FRAME, 0)
    wire.send(CancelReply("#1"), 10)
    for now in range(20, MUTED_MS, 20):
        assert wire.receive(FRAME, now) == []
    wire.send(CancelReply("#1"), MUTED_MS)
    assert wire.receive(FRAME, 10 + MUTED_MS)[:2] == [e.ReplyEnded("#1", "cancelled"), e.ReplyStarted("#2")]


def test_the_plain_dialect_does_not_tell_of_the_callers_voice() -> None:
    wire = ready()
    assert not wire.tells_voice
    wire.receive('{"type":"interrupted"}', 0)
    assert wire.tells_voice


def test_a_server_that_says_interrupted_ends_the_reply_at_once() -> None:
    wire = ready()
    wire.receive(FRAME, 0)
    wire.send(CancelReply("#1"), 10)
    assert wire.receive('{"type":"interrupted"}', 20) == [e.ReplyEnded("#1", "cancelled")]
    assert spoken(wire.receive(FRAME, 30)) == FRAME
    assert wire.receive('{"type":"interrupted"}', 40) == [e.ReplyEnded("#2", "cancelled")]
    assert wire.receive('{"type":"interrupted"}', 50) == []


def test_a_cancel_of_another_reply_mutes_nothing() -> None:
    wire = ready()
    wire.receive(FRAME, 0)
    wire.send(CancelReply("#7"), 10)
    assert spoken(wire.receive(FRAME, 20)) == FRAME


@pytest.mark.parametrize("size", [639, 65_538, 0])
def test_what_is_no_sound_is_their_mistake(size: int) -> None:
    with pytest.raises(RemoteError) as caught:
        ready().receive(bytes(size), 0)
    assert caught.value.code == "invalid_audio"


def test_captions_are_words_of_both_sides() -> None:
    wire = ready()
    assert wire.receive('{"type":"transcript","speaker":"user","text":"hello"}', 0) == [e.CallerSaid("hello")]
    facts = wire.receive('{"type":"transcript","speaker":"agent","text":"Done."}', 0)
    facts += wire.receive('{"type":"transcript","speaker":"agent","text":"Goodbye."}', 0)
    assert facts == [e.ReplyStarted("#1"), e.AssistantSaid("#1", "Done."), e.AssistantSaid("#1", " Goodbye.")]


def test_text_cannot_be_told() -> None:
    wire = ready()
    wire.send(Tell("hello"), 0)
    assert wire.outgoing() == []


# Questions


def test_a_question_is_asked_once_and_answered_once() -> None:
    wire = ready()
    assert wire.receive(QUESTION, 0) == [e.ConfirmationAsked("act_1", CANCEL)]
    assert wire.receive(QUESTION, 0) == []
    yes = Answer("act_1", CANCEL, Verdict.CONFIRMED, AnsweredBy.SPEECH, permit=Permit(CANCEL, 0))
    wire.send(yes, 0)
    assert wire.outgoing() == [w.encode(w.ConfirmationAnswer("act_1", "yes"))]
    with pytest.raises(LocalError):
        wire.send(yes, 0)
    settled = wire.receive('{"type":"confirmation_settled","id":"act_1","outcome":"executed","result":{"ok":true}}', 0)
    assert settled == [e.ActionSettled("act_1", "executed", CANCEL, {"ok": True})]


@pytest.mark.parametrize("verdict", [Verdict.DECLINED, Verdict.EXPIRED, Verdict.UNANSWERED])
def test_whatever_is_no_yes_is_told_as_a_no(verdict: Verdict) -> None:
    wire = ready()
    wire.receive(QUESTION, 0)
    wire.send(Answer("act_1", CANCEL, verdict, AnsweredBy.NONE, "No."), 0)
    assert wire.outgoing() == [w.encode(w.ConfirmationAnswer("act_1", "no"))]


def test_a_question_that_changes_is_trouble() -> None:
    wire = ready()
    wire.receive(QUESTION, 0)
    changed = json.loads(QUESTION)
    changed["action"]["parameters"]["event_id"] = "evt_2"
    assert wire.receive(json.dumps(changed), 0) == [e.SessionTrouble("proposal_changed")]


# The end


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("agent_disconnected", "ended"),
        ("session_closed", "ended"),
        ("room_closed", "ended"),
        ("server_shutdown", "lost"),
        ("a reason of next year", "ended"),
    ],
)
def test_a_session_ends_for_any_reason(reason: str, end: str) -> None:
    wire = ready()
    facts = wire.receive(json.dumps({"type": "session_ended", "reason": reason}), 0)
    assert facts == [e.SessionClosed(end, reason)]
    assert wire.closed(1000) == e.SessionClosed(end)


@pytest.mark.parametrize(
    ("code", "close_code", "end"),
    [
        ("AUTH_TIMEOUT", 4001, "unavailable"),
        ("INVALID_AUTH", 4002, "refused"),
        ("AUTH_FAILED", 4003, "unavailable"),
        ("SESSION_SETUP_FAILED", 4500, "unavailable"),
        ("SOMETHING_NEW", 1006, "lost"),
    ],
)
def test_an_error_is_told_by_its_message_and_by_its_code_alike(code: str, close_code: int, end: str) -> None:
    wire = VoiceSdkWire(PCMU_8K)
    facts = wire.receive(json.dumps({"type": "error", "code": code, "message": "why"}), 0)
    assert facts == [e.SessionTrouble(code, "why"), e.SessionClosed(end, code)]
    assert VoiceSdkWire(PCMU_8K).closed(close_code).reason == end


def test_a_normal_closure_is_an_end_and_any_other_a_loss() -> None:
    assert (ready().closed(1000).reason, ready().closed(1011).reason) == ("ended", "lost")

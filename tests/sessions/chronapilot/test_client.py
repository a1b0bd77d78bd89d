import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.path import path
from phone_bridge.call import events as e
from phone_bridge.call.commands import (
    Answer,
    AnsweredBy,
    CancelReply,
    CloseSession,
    Listen,
    SessionCommand,
    Tell,
    Truncate,
    Verdict,
)
from phone_bridge.call.permit import Permit
from phone_bridge.errors import LocalError, RemoteError
from phone_bridge.sessions.chronapilot import ChronaPilotWire
from phone_bridge.sessions.chronapilot import client as c
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.dialect import SessionWire
from phone_bridge.sessions.held_sound import HELD_MS, RELEASED_AT_ONCE
from tests.sessions.chronapilot.samples import cases, lines

FRAME = bytes(range(160))
CANCEL = e.Action("cancel_event", {"event_id": "evt_1"})
PROPOSED = m.ActionProposed(id="act_1", action=m.ProposedAction(name="cancel_event", parameters={"event_id": "evt_1"}))


class Bench:
    """A wire with the server's end of its socket in the test's hands."""

    def __init__(self, leg: Format = PCMU_8K, output_format: str = "pcm16", *, opened: bool = True) -> None:
        self.wire = ChronaPilotWire(leg, m.SessionSettings(output_format=output_format))
        self.now = 1_000
        self.update = self.wire.outgoing()
        if opened:
            self.hear(m.SessionUpdated(m.SessionState(output_format=output_format)))

    def hear(self, message: m.ServerMessage) -> list[e.Event]:
        return self.wire.receive(m.encode(message), self.now)

    def send(self, command: SessionCommand) -> list[dict[str, Any]]:
        self.wire.send(command, self.now)
        return self.sent()

    def sent(self) -> list[dict[str, Any]]:
        messages = self.wire.outgoing()
        assert all(isinstance(each, str) for each in messages)
        return [json.loads(each) for each in messages]

    def answer(self, verdict: Verdict, words: str = "", action_id: str = "act_1") -> list[dict[str, Any]]:
        permit = Permit(CANCEL, 0) if verdict is Verdict.CONFIRMED else None
        return self.send(Answer(action_id, CANCEL, verdict, AnsweredBy.DIGIT, words, permit))


def sound(messages: list[dict[str, Any]]) -> bytes:
    assert all(each["type"] == "audio.append" for each in messages)
    return b"".join(b64decode(each["audio"]) for each in messages)


def test_it_is_a_session_wire() -> None:
    wire: SessionWire = Bench().wire
    assert wire.outgoing() == []


# Opening and formats


def test_the_first_message_is_the_update() -> None:
    assert [json.loads(each)["type"] for each in Bench(opened=False).update] == ["session.update"]


def test_sound_is_held_until_the_session_is_created() -> None:
    bench = Bench(opened=False)
    assert bench.send(Listen(FRAME)) == []

    assert bench.hear(m.SessionCreated(m.SessionState(id="hub_1"))) == [e.SessionOpened("hub_1")]
    assert sound(bench.send(Listen(FRAME))) == path(PCMU_8K, LINEAR_24K).push(FRAME * 2)


def test_sound_is_held_no_longer_than_the_hold() -> None:
    bench = Bench(opened=False)
    assert bench.wire.deadline() == 0
    assert bench.wire.expire(bench.now) == []
    assert bench.wire.deadline() == bench.now + c.HOLD_MS
    bench.send(Listen(FRAME))

    bench.now += c.HOLD_MS - 1
    assert bench.wire.expire(bench.now) == []
    bench.now += 1
    assert bench.wire.expire(bench.now) == [e.SessionOpened("")]
    assert len(bench.send(Listen(FRAME))) == 2
    assert bench.wire.deadline() is None


def test_a_session_opens_once() -> None:
    bench = Bench()
    assert bench.hear(m.SessionCreated(m.SessionState())) == []
    assert bench.wire.expire(bench.now + c.HOLD_MS) == []


def test_held_sound_is_bounded_and_the_oldest_goes_first() -> None:
    bench = Bench(opened=False)
    frames = [bytes([number % 256]) * 160 for number in range(HELD_MS // 20 + 1)]
    for frame in frames:
        bench.send(Listen(frame))
    bench.hear(m.SessionUpdated(m.SessionState(input_format="g711_ulaw")))

    released = b""
    while not released.endswith(b"end" + bytes(157)):
        released += sound(bench.send(Listen(b"end" + bytes(157))))
    assert released.startswith(frames[2])  # the very oldest fell when the bound was passed, one more by the first "end"


def test_held_sound_goes_out_though_the_caller_sends_nothing_more() -> None:
    bench = Bench(opened=False)
    for number in range(RELEASED_AT_ONCE + 2):
        bench.send(Listen(bytes([number]) * 160))
    bench.hear(m.SessionUpdated(m.SessionState(input_format="g711_ulaw")))

    released = []
    while (at := bench.wire.deadline()) is not None:
        bench.now = max(bench.now, at)
        assert bench.wire.expire(bench.now) == []
        released.append(len(bench.wire.outgoing()))
        assert bench.wire.expire(bench.now) == []  # no more of it before its time
        assert bench.wire.outgoing() == []
    assert released == [RELEASED_AT_ONCE, 2]


def test_held_sound_is_released_a_few_pieces_at_a_time_and_in_order() -> None:
    bench = Bench(opened=False)
    frames = [bytes([number]) * 160 for number in range(20)]
    for frame in frames:
        bench.send(Listen(frame))
    bench.hear(m.SessionUpdated(m.SessionState(input_format="g711_ulaw")))

    pieces = [bench.send(Listen(bytes([100 + number]) * 160)) for number in range(5)]
    assert [len(piece) for piece in pieces] == [RELEASED_AT_ONCE, RELEASED_AT_ONCE, 7, 1, 1]
    whole = b"".join(frames) + b"".join(bytes([100 + number]) * 160 for number in range(5))
    assert b"".join(sound(piece) for piece in pieces) == whole


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (m.SessionState(), LINEAR_24K),
        (m.SessionState(sample_rate=16000), LINEAR_16K),
        (m.SessionState(input_format="pcm16", sample_rate=24000, input_sample_rate=8000), LINEAR_8K),
        (m.SessionState(input_format="pcm16"), LINEAR_24K),
        (m.SessionState(input_format="g711_ulaw", sample_rate=24000), PCMU_8K),
        (m.SessionState(input_format="g711_alaw"), PCMA_8K),
    ],
)
def test_sound_goes_out_as_the_server_states_it(stated: m.SessionState, expected: Format) -> None:
    bench = Bench(opened=False)
    bench.hear(m.SessionCreated(stated))

    assert sound(bench.send(Listen(FRAME))) == path(PCMU_8K, expected).push(FRAME)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (m.SessionState(), LINEAR_24K),
        (m.SessionState(output_sample_rate=16000), LINEAR_16K),
        (m.SessionState(output_format="g711_alaw"), PCMA_8K),
    ],
)
def test_sound_comes_in_as_the_server_states_it(stated: m.SessionState, expected: Format) -> None:
    bench = Bench(opened=False)
    bench.hear(m.SessionCreated(stated))

    events = bench.hear(m.AudioDelta(FRAME))
    assert events == [e.ReplyStarted("#1"), e.AssistantSpoke("#1", path(expected, PCMU_8K).push(FRAME))]


def test_formats_may_change_later() -> None:
    bench = Bench()
    bench.hear(m.SessionUpdated(m.SessionState(output_format="g711_ulaw", input_format="g711_ulaw")))
    bench.hear(m.SessionUpdated(m.SessionState()))

    assert sound(bench.send(Listen(FRAME))) == FRAME
    assert bench.hear(m.AudioDelta(FRAME))[-1] == e.AssistantSpoke("#1", FRAME)


@pytest.mark.parametrize(
    "stated",
    [m.SessionState(input_format="opus"), m.SessionState(output_format="opus"), m.SessionState(sample_rate=44100)],
)
def test_a_format_that_nobody_here_speaks_is_trouble(stated: m.SessionState) -> None:
    assert e.SessionTrouble("unsupported_format") in Bench(opened=False).hear(m.SessionCreated(stated))


def test_g711_that_was_asked_for_waits_for_the_update_and_passes_untouched() -> None:
    bench = Bench(output_format="g711_ulaw", opened=False)
    assert bench.hear(m.SessionCreated(m.SessionState(output_format="pcm16", input_format="pcm16"))) == []
    assert bench.send(Listen(FRAME)) == []

    updated = m.SessionState(id="hub_1", output_format="g711_ulaw", input_format="g711_ulaw")
    assert bench.hear(m.SessionUpdated(updated)) == [e.SessionOpened("hub_1")]
    assert sound(bench.send(Listen(FRAME))) == FRAME * 2
    assert bench.hear(m.AudioDelta(FRAME))[-1] == e.AssistantSpoke("#1", FRAME)


def test_a_server_that_acknowledges_nothing_is_taken_at_its_documents_word() -> None:
    bench = Bench(output_format="g711_ulaw", opened=False)
    bench.wire.expire(bench.now)
    bench.now += c.HOLD_MS
    assert bench.wire.expire(bench.now) == []
    bench.now += c.G711_HOLD_MS - c.HOLD_MS
    assert bench.wire.expire(bench.now) == [e.SessionOpened("")]

    assert sound(bench.send(Listen(FRAME))) == path(PCMU_8K, LINEAR_24K).push(FRAME)
    assert bench.hear(m.AudioDelta(FRAME))[-1] == e.AssistantSpoke("#1", FRAME)


def test_an_update_that_states_no_format_confirms_what_was_asked_for() -> None:
    bench = Bench(output_format="g711_ulaw", opened=False)
    bench.hear(m.SessionCreated(m.SessionState(output_format="pcm16")))
    bench.hear(m.SessionUpdated(m.SessionState(voice="sage")))

    assert bench.hear(m.AudioDelta(FRAME))[-1] == e.AssistantSpoke("#1", FRAME)


def test_g711_that_is_refused_is_not_expected() -> None:
    bench = Bench(output_format="g711_ulaw", opened=False)
    refusal = m.ErrorMessage(m.ErrorBody(code="invalid_parameter", message="No.", param="session.output_format"))

    assert bench.hear(refusal) == [e.SessionTrouble("invalid_parameter", "No."), e.SessionOpened("")]
    assert bench.hear(m.AudioDelta(FRAME))[-1] == e.AssistantSpoke("#1", path(LINEAR_24K, PCMU_8K).push(FRAME))


# The caller


def test_each_frame_becomes_one_message() -> None:
    bench = Bench()
    messages = [bench.send(Listen(FRAME)) for _ in range(3)]

    assert [len(each) for each in messages] == [1, 1, 1]
    assert sound(messages[0] + messages[1] + messages[2]) == path(PCMU_8K, LINEAR_24K).push(FRAME * 3)


def test_words_are_told_as_partial_and_final() -> None:
    bench = Bench()
    bench.hear(m.SpeechStarted())

    assert bench.hear(m.TranscriptPartial("what is")) == [e.CallerSaid("what is", final=False)]
    assert bench.hear(m.TranscriptFinal("what is next")) == [e.CallerSaid("what is next")]


def test_without_a_word_on_speech_the_transcripts_tell_of_the_voice() -> None:
    bench = Bench()

    assert bench.hear(m.TranscriptPartial("what"))[0] == e.VoiceStarted(bench.now - c.PARTIAL_LEAD_MS)
    assert bench.hear(m.TranscriptPartial("what is")) == [e.CallerSaid("what is", final=False)]
    assert bench.hear(m.TranscriptFinal("what is next")) == [e.VoiceStopped(bench.now), e.CallerSaid("what is next")]
    assert bench.hear(m.TranscriptFinal("and then")) == [e.CallerSaid("and then")]


def test_a_transcript_without_words_is_no_voice() -> None:
    bench = Bench()

    assert bench.hear(m.TranscriptPartial(" ")) == []
    assert bench.hear(m.TranscriptFinal("")) == [e.CallerSaid("")]


def test_what_we_have_told_is_not_heard_as_the_callers_when_the_server_writes_it_down() -> None:
    bench = Bench()
    bench.send(Tell("No, please leave it."))

    assert bench.hear(m.TranscriptPartial("No, please")) == []
    assert bench.hear(m.TranscriptFinal("No, please leave it.")) == []
    assert bench.hear(m.TranscriptFinal("No, please leave it.")) == [e.CallerSaid("No, please leave it.")]


def test_the_callers_own_words_are_heard_though_ours_were_alike() -> None:
    bench = Bench()
    bench.send(Tell("No, please leave it."))
    assert e.CallerSaid("No") in bench.hear(m.TranscriptFinal("No"))
    bench.now += c.ECHO_MS
    assert e.CallerSaid("No, please leave it.") in bench.hear(m.TranscriptFinal("No, please leave it."))


def test_the_line_is_listened_to_until_the_server_tells_of_speech() -> None:
    bench = Bench()
    assert not bench.wire.tells_voice
    bench.hear(m.SpeechStarted())
    assert bench.wire.tells_voice


def test_speech_began_and_ended_when_its_sound_was_sent() -> None:
    bench = Bench()
    for number in range(100):
        bench.now = 10_000 + 20 * number
        bench.send(Listen(FRAME))

    assert bench.hear(m.SpeechStarted(500)) == [e.VoiceStarted(10_500)]
    assert bench.hear(m.SpeechStopped(700)) == [e.VoiceStopped(10_700)]


def test_where_the_server_does_not_say_speech_began_a_while_ago() -> None:
    bench = Bench()
    bench.send(Listen(FRAME))

    for at_ms in (None, 21):  # unsaid, of sound that was never sent
        assert bench.hear(m.SpeechStarted(at_ms)) == [e.VoiceStarted(bench.now - c.VOICE_LEAD_MS)]
    assert bench.hear(m.SpeechStopped()) == [e.VoiceStopped(bench.now)]


def test_text_is_told_as_a_turn() -> None:
    assert Bench().send(Tell("good morning")) == [{"type": "text.append", "text": "good morning"}]


# The assistant


def test_a_named_reply_is_heard_from_its_creation_to_its_end() -> None:
    bench = Bench(leg=LINEAR_24K)

    assert bench.hear(m.ResponseCreated("rsp_1")) == [e.ReplyStarted("rsp_1")]
    assert bench.hear(m.AudioTranscriptDelta("Good ", "rsp_1")) == [e.AssistantSaid("rsp_1", "Good ")]
    assert bench.hear(m.AudioDelta(b"abcd", "rsp_1")) == [e.AssistantSpoke("rsp_1", b"abcd")]
    assert bench.hear(m.TextDelta("morning.", "rsp_1")) == [e.AssistantSaid("rsp_1", "morning.")]
    assert bench.hear(m.ResponseDone({"id": "rsp_1", "status": "incomplete"})) == [e.ReplyEnded("rsp_1", "incomplete")]
    assert bench.hear(m.AudioDelta(b"late", "rsp_1")) == []
    assert bench.hear(m.TextDelta("late", "rsp_1")) == []


@pytest.mark.parametrize("payload", [None, "done", 7, [], {}, {"id": 7, "status": []}, {"status": "splendid"}])
def test_done_is_done_whatever_it_carries(payload: Any) -> None:
    bench = Bench()
    bench.hear(m.AudioDelta(bytes(960)))

    assert bench.hear(m.ResponseDone(payload)) == [e.ReplyEnded("#1", "completed")]


def test_an_odd_number_of_bytes_is_carried_over_within_a_reply_and_not_beyond() -> None:
    bench = Bench()
    whole = bytes(range(240)) * 8
    parts = [bench.hear(m.AudioDelta(whole[:961])), bench.hear(m.AudioDelta(whole[961:] + b"x"))]
    spoken = b"".join(each.audio for part in parts for each in part if isinstance(each, e.AssistantSpoke))
    assert spoken == path(LINEAR_24K, PCMU_8K).push(whole)

    bench.hear(m.ResponseDone())
    assert bench.hear(m.AudioDelta(whole))[-1] == e.AssistantSpoke("#2", path(LINEAR_24K, PCMU_8K).push(whole))


def test_the_callers_turn_begins_a_new_reply_where_replies_have_no_names() -> None:
    for turn in (m.TranscriptFinal("and on Friday"), m.ActionExecuted(id="act_9")):
        bench = Bench()
        bench.hear(m.AudioDelta(bytes(960)))
        bench.hear(turn)
        events = bench.hear(m.AudioDelta(bytes(960)))
        assert events[:2] == [e.ReplyEnded("#1", "completed"), e.ReplyStarted("#2")]


def test_our_own_turns_begin_a_new_reply_too() -> None:
    bench = Bench()
    bench.hear(m.AudioDelta(bytes(960)))
    bench.send(CancelReply("#1"))
    bench.send(Tell("no"))
    assert bench.hear(m.AudioDelta(bytes(960)))[0] == e.ReplyEnded("#1", "cancelled")

    bench.hear(PROPOSED)
    bench.answer(Verdict.CONFIRMED)
    assert bench.hear(m.AudioDelta(bytes(960)))[:2] == [e.ReplyEnded("#2", "completed"), e.ReplyStarted("#3")]


def test_a_running_reply_is_cancelled_once() -> None:
    bench = Bench()
    bench.hear(m.ResponseCreated("rsp_1"))

    assert bench.send(CancelReply("rsp_1")) == [{"type": "response.cancel"}]
    assert bench.send(CancelReply("rsp_1")) == []


def test_a_reply_that_is_over_is_not_cancelled_for_that_would_hit_the_next_one() -> None:
    bench = Bench()
    bench.hear(m.ResponseCreated("rsp_1"))
    bench.hear(m.ResponseDone({"id": "rsp_1"}))

    assert bench.send(CancelReply("rsp_1")) == []


def test_what_is_documented_nowhere_is_not_sent() -> None:
    bench = Bench()
    assert bench.send(Truncate("rsp_1", 400)) == []
    assert bench.send(CloseSession()) == []


# Consent


def test_a_proposal_becomes_a_question() -> None:
    action = m.ProposedAction(
        name="cancel_event",
        parameters={"event_id": "evt_1"},
        summary="cancel Lunch",
        affects=(m.AffectedThing("evt_1", "Lunch", "2026-11-23T12:00:00+01:00"), m.AffectedThing("evt_2")),
    )
    affected = (e.Affected("evt_1", "Lunch", "2026-11-23T12:00:00+01:00"), e.Affected("evt_2"))

    assert Bench().hear(m.ActionProposed(id="act_1", action=action)) == [
        e.ConfirmationAsked("act_1", e.Action("cancel_event", {"event_id": "evt_1"}, "cancel Lunch", affected))
    ]


def test_a_proposal_by_name_takes_its_parameters_from_the_intent_of_that_name() -> None:
    bench = Bench()
    assert bench.hear(m.IntentDetected("cancel_event", 0.9, {"event_id": "evt_1"})) == [
        e.IntentDetected("cancel_event", 0.9, {"event_id": "evt_1"})
    ]

    assert bench.hear(m.ActionProposed(id="act_1", action="cancel_event")) == [e.ConfirmationAsked("act_1", CANCEL)]
    assert bench.hear(m.ActionProposed(id="act_2", action="create_event")) == [
        e.ConfirmationAsked("act_2", e.Action("create_event"))
    ]


def test_a_repeated_proposal_is_no_second_question() -> None:
    bench = Bench()
    bench.hear(PROPOSED)
    assert bench.hear(PROPOSED) == []


def test_a_yes_is_sent_once() -> None:
    bench = Bench()
    bench.hear(PROPOSED)

    assert bench.answer(Verdict.CONFIRMED, words="ignored") == [{"type": "action.confirm", "id": "act_1"}]
    with pytest.raises(LocalError):
        bench.answer(Verdict.CONFIRMED)
    assert bench.sent() == []


@pytest.mark.parametrize("settled", [m.ActionExpired("act_1"), m.ActionDeclined("act_1"), m.ActionFailed(id="act_1")])
def test_a_yes_to_what_is_settled_is_never_sent(settled: m.ServerMessage) -> None:
    bench = Bench()
    bench.hear(PROPOSED)
    bench.hear(settled)

    with pytest.raises(LocalError):
        bench.answer(Verdict.CONFIRMED)
    assert bench.sent() == []


@pytest.mark.parametrize("verdict", [Verdict.DECLINED, Verdict.EXPIRED, Verdict.UNANSWERED])
def test_a_no_is_told_in_words_where_the_session_could_not_hear_it(verdict: Verdict) -> None:
    bench = Bench()
    bench.hear(PROPOSED)
    assert bench.answer(verdict, words="No, do not do it.") == [{"type": "text.append", "text": "No, do not do it."}]

    spoken = Bench()
    spoken.hear(PROPOSED)
    assert spoken.answer(verdict) == []


def test_no_reply_is_cancelled_while_a_question_is_open_for_that_would_withdraw_the_proposal() -> None:
    bench = Bench()
    bench.hear(m.ResponseCreated("rsp_1"))
    bench.hear(PROPOSED)
    assert bench.send(CancelReply("rsp_1")) == []

    bench.answer(Verdict.CONFIRMED)
    assert bench.send(CancelReply("rsp_1")) == [{"type": "response.cancel"}]


@pytest.mark.parametrize(
    ("message", "outcome", "result"),
    [
        (m.ActionExecuted(id="act_1", result={"ok": True}, event_id="evt_1"), "executed", {"ok": True}),
        (m.ActionExecuted(id="evt_1", resource={"object": "event"}), "executed", {"object": "event"}),
        (m.ActionExecuted(event_id="evt_1"), "executed", "evt_1"),
        (m.ActionExecuted(id="act_1", error={"code": "gone"}), "failed", {"code": "gone"}),
        (m.ActionFailed(id="act_1", error={"code": "gone"}), "failed", {"code": "gone"}),
        (m.ActionDeclined("act_1", "spoken_no"), "declined", "spoken_no"),
        (m.ActionExpired("act_1", "timeout"), "expired", "timeout"),
    ],
)
def test_what_became_of_a_proposal_is_told_once(message: m.ServerMessage, outcome: str, result: Any) -> None:
    bench = Bench()
    bench.hear(PROPOSED)
    bench.answer(Verdict.CONFIRMED)

    assert bench.hear(message) == [e.ActionSettled("act_1", outcome, CANCEL, result)]
    assert bench.hear(m.ActionExpired("act_1")) == []


def test_what_was_done_without_asking_is_told_too() -> None:
    executed = m.ActionExecuted(id="act_7", action="get_next_event", result={"ok": True})

    assert Bench().hear(executed) == [e.ActionSettled("act_7", "executed", e.Action("get_next_event"), {"ok": True})]


# Trouble and the end


def test_an_error_is_trouble() -> None:
    for error, code in (
        (m.ErrorBody(code="response_not_active", message="Nothing runs."), "response_not_active"),
        (m.ErrorBody(type="api_error"), "api_error"),
        (m.ErrorBody(), "error"),
    ):
        assert Bench().hear(m.ErrorMessage(error)) == [e.SessionTrouble(code, error.message or "")]


def test_an_error_that_ends_the_session_says_so_and_the_socket_agrees() -> None:
    bench = Bench()

    assert bench.hear(m.ErrorMessage(m.ErrorBody(code="session_expired"))) == [e.SessionClosed("expired")]
    assert bench.wire.closed(1006) == e.SessionClosed("expired")


@pytest.mark.parametrize(
    ("seconds", "facts"),
    [(30, [e.SessionExpiring(30_000)]), (0.5, [e.SessionExpiring(500)]), (None, []), (-1, []), (1e300, [])],
)
def test_a_session_about_to_expire_says_when(seconds: float | None, facts: list[e.Event]) -> None:
    assert Bench().hear(m.SessionExpiring(seconds_left=seconds)) == facts


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, "lost"),
        (1005, "lost"),
        (4410, "ended"),
        (4008, "expired"),
        (4001, "refused"),
        (4003, "refused"),
        (4429, "unavailable"),
        (1001, "lost"),
        (1006, "lost"),
        (1011, "lost"),
        (4009, "lost"),
        (4500, "lost"),
    ],
)
def test_the_code_of_the_closing_tells_its_reason(code: int, reason: str) -> None:
    assert Bench().wire.closed(code) == e.SessionClosed(reason)


def test_a_normal_closure_is_the_end_of_the_call_only_where_it_says_so() -> None:
    assert Bench().wire.closed(1000, "completed") == e.SessionClosed("ended")
    assert Bench().wire.closed(1000, "bye") == e.SessionClosed("lost")
    assert Bench().wire.closed(1001, "completed") == e.SessionClosed("lost")


@pytest.mark.parametrize("line", lines("server.jsonl") + lines("server_unknown.jsonl"))
def test_every_sample_is_understood_or_ignored(line: str) -> None:
    Bench().wire.receive(line, 0)


@pytest.mark.parametrize("case", cases("server_broken.jsonl"), ids=lambda case: str(case["why"]))
def test_broken_samples_are_named_and_change_nothing(case: dict[str, Any]) -> None:
    bench = Bench()
    with pytest.raises(RemoteError) as caught:
        bench.wire.receive(case["data"], bench.now)
    assert caught.value.code == case["code"]
    assert bench.sent() == []


@given(st.lists(st.sampled_from(lines("server.jsonl") + lines("server_unknown.jsonl")), max_size=30))
def test_in_whatever_order_messages_come_the_facts_make_sense(history: list[str]) -> None:
    bench = Bench(opened=False)
    running: set[str] = set()
    asked: set[str] = set()
    for line in history:
        for event in bench.wire.receive(line, bench.now):
            match event:
                case e.ReplyStarted(item):
                    running.add(item)
                case e.ReplyEnded(item):
                    running.remove(item)
                case e.AssistantSpoke(item) | e.AssistantSaid(item):
                    assert item in running
                case e.ConfirmationAsked(action_id):
                    assert action_id not in asked
                    asked.add(action_id)
                case e.VoiceStarted(at):
                    assert at <= bench.now
                case _:
                    pass
    assert all(json.loads(each)["type"] == "session.update" for each in bench.update)
    assert bench.wire.outgoing() == []

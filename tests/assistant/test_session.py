import asyncio
import logging

import pytest

from phone_bridge.assistant import session as s
from phone_bridge.assistant.performer import EXPIRING_MS
from phone_bridge.assistant.ports import HangUp, Intent, Run, Say
from phone_bridge.audio.format import LINEAR_8K, LINEAR_24K
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.serving import IDLE_MS
from tests.assistant.house import (
    ANSWER,
    NEXT,
    PROPOSE,
    SILENCE,
    SPEECH,
    TOOLS,
    House,
    errors,
    kinds,
    play,
    proposed,
)


def sound(messages: list[m.ServerMessage]) -> list[bytes]:
    return [message.audio for message in messages if isinstance(message, m.AudioDelta)]


# Opening


def test_a_session_says_what_it_is_and_follows_its_update() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            client.tell(m.SessionUpdate(session=m.SessionSettings(voice="sage", output_format="g711_ulaw")))
            (updated,) = await client.take()
            assert isinstance(updated, m.SessionUpdated)
            state = updated.session
            assert (state.id, state.voice, state.output_format, state.input_format) == (
                "hub_1",
                "sage",
                "g711_ulaw",
                "pcm16",
            )
            assert state.tools == sorted(TOOLS)
            assert state.expires_at == "2026-11-21T09:30:00+00:00"

    play(story)


def test_tools_can_be_restricted_and_not_extended() -> None:
    async def story(house: House) -> None:
        house.script.answers["cancel lunch"] = [PROPOSE]
        async with house.open() as client:
            client.tell(m.SessionUpdate(session=m.SessionSettings(tools=("get_next_event",))))
            await client.take()
            await client.say("cancel lunch")
            assert house.script.conversed == [("usr_alice", frozenset({"get_next_event"}))]
            assert house.script.calls[-1] == "ran act_1 authorization_failed"

            client.tell(m.SessionUpdate(session=m.SessionSettings(tools=("open_door",), voice="x"), event_id="e1"))
            (error,) = await client.take()
            assert isinstance(error, m.ErrorMessage)
            assert (error.error.code, error.error.param, error.error.event_id) == (
                "invalid_parameter",
                "session.tools",
                "e1",
            )

    play(story)


@pytest.mark.parametrize(
    ("why", "code", "close_code"),
    [
        (Refused("nobody knows that user"), "resource_missing", 4003),
        (Unavailable("the calendar is locked"), "service_unavailable", 4500),
    ],
)
def test_a_session_that_cannot_converse_says_so_at_once(why: Exception, code: str, close_code: int) -> None:
    async def story(house: House) -> None:
        house.script.strange = why
        async with house.open() as client:
            client.tell(m.SessionUpdate(session=m.SessionSettings()))
            assert errors(await client.take()) == [code]
            assert client.closed == (close_code, "error")

    play(story)


# Turns


def test_speech_is_heard_answered_and_spoken_in_order() -> None:
    async def story(house: House) -> None:
        house.script.words = ["what is next"]
        house.script.answers["what is next"] = [Intent("get_next_event", 1.0, {}), Run("act_1", NEXT)]
        house.script.answers["ran act_1 well"] = [Say("Lunch is next."), Say("It is at noon.")]
        async with house.open() as client:
            client.tell(m.SessionUpdate(session=m.SessionSettings(input_sample_rate=16000)))
            client.tell(m.AudioAppend(audio=SILENCE), m.AudioAppend(audio=SPEECH), m.AudioAppend(audio=SILENCE))
            sent = await client.take()

            assert kinds(sent[1:]) == [
                "speech.started",
                "speech.stopped",
                "transcript.final",
                "intent.detected",
                "response.created",
                "action.executed",
                "audio.transcript.delta",
                "audio.delta",
                "audio.transcript.delta",
                "audio.delta",
                "response.done",
            ]
            assert sent[1:4] == [m.SpeechStarted(10), m.SpeechStopped(30), m.TranscriptFinal("what is next")]
            assert house.script.utterances == [SPEECH]
            assert house.script.runs == [("usr_alice", "get_next_event", {}, "hub_1:act_1")]
            spoken = [each.text for each in sent if isinstance(each, m.AudioTranscriptDelta)]
            assert "".join(spoken) == "Lunch is next. It is at noon."
            assert sent[-1] == m.ResponseDone({"id": "rsp_1", "status": "completed"})
            assert all(each.response_id == "rsp_1" for each in sent if isinstance(each, m.AudioDelta))

    play(story)


def test_speech_that_is_not_understood_has_an_empty_transcript() -> None:
    async def story(house: House) -> None:
        house.script.words = [""]
        house.script.answers[""] = [Say("Sorry?")]
        async with house.open() as client:
            client.tell(m.AudioAppend(audio=SPEECH * 2), m.AudioCommit())
            assert kinds(await client.take()) == ["speech.started", "speech.stopped", "transcript.final", *ANSWER]

    play(story)


def test_without_an_ear_the_client_is_told_and_the_talk_goes_on() -> None:
    async def story(house: House) -> None:
        house.script.deaf = True
        house.script.answers[""] = [Say("Sorry?")]
        async with house.open() as client:
            client.tell(m.AudioAppend(audio=SPEECH * 2), m.AudioCommit())
            sent = await client.take()
            assert errors(sent) == ["service_unavailable"]
            assert kinds(sent)[3:] == ["transcript.final", *ANSWER]

    play(story)


def test_a_cleared_utterance_is_no_turn() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            client.tell(m.AudioAppend(audio=SPEECH * 2), m.AudioClear(), m.AudioCommit())
            assert kinds(await client.take()) == ["speech.started"]

    play(story)


def test_a_turn_that_asks_for_nothing_gets_no_response() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            assert await client.say("hm") == []

    play(story)


def test_turns_are_answered_one_after_the_other() -> None:
    async def story(house: House) -> None:
        house.script.answers = {"one": [Say("First.")], "two": [Say("Second.")]}
        async with house.open() as client:
            assert kinds(await client.say("one", "two")) == ANSWER * 2

    play(story)


def test_speech_goes_out_in_chunks_in_the_clients_format() -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("x" * 20)]  # 1.2 s
        async with house.open() as client:
            for settings, output in (
                (m.SessionSettings(), LINEAR_24K),
                (m.SessionSettings(output_sample_rate=8000), LINEAR_8K),
            ):
                client.tell(m.SessionUpdate(session=settings))
                chunks = sound(await client.say("talk"))
                assert len(chunks) == 6
                assert all(len(chunk) <= output.size(200) for chunk in chunks)
                assert abs(sum(map(len, chunks)) - output.size(1200)) <= output.size(5)

    play(story)


def test_a_client_that_does_not_read_is_waited_for() -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("x" * 20)]
        async with house.open() as client:
            client.writable.clear()
            assert sound(await client.say("talk")) == []
            client.writable.set()
            assert len(sound(await client.take())) == 6

    play(story)


def test_words_reach_the_client_when_the_voice_is_gone() -> None:
    async def story(house: House) -> None:
        house.script.mute = True
        house.script.answers["talk"] = [Say("Hello.")]
        async with house.open() as client:
            sent = await client.say("talk")
            assert kinds(sent) == ["response.created", "audio.transcript.delta", "error", "response.done"]
            assert errors(sent) == ["service_unavailable"]
            assert sent[-1] == m.ResponseDone(
                {"id": "rsp_1", "status": "failed", "status_details": {"reason": "speech_unavailable"}}
            )

    play(story)


def test_goodbye_is_said_to_its_end_and_then_the_session_closes() -> None:
    async def story(house: House) -> None:
        house.script.answers["goodbye"] = [Intent("goodbye", 1.0, {}), Say("Goodbye."), HangUp()]
        async with house.open() as client:
            assert kinds(await client.say("goodbye", "are you there?")) == ["intent.detected", *ANSWER]
            assert client.closed == (1000, "completed")

    play(story)


# Barge-in


def test_a_cancelled_response_is_done_at_once_and_silent_from_then_on() -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("x" * 20), Say("more"), PROPOSE, Run("act_2", NEXT), HangUp()]
        house.script.answers["ran act_2 well"] = [Say("even more")]
        async with house.open() as client:
            client.writable.clear()
            await client.say("talk")
            client.tell(m.ResponseCancel())
            client.writable.set()
            sent = await client.take()

            assert kinds(sent) == ["response.done", "action.executed"]
            assert sent[0] == m.ResponseDone(
                {"id": "rsp_1", "status": "cancelled", "status_details": {"reason": "client_cancelled"}}
            )
            assert "withdrawn act_1" in house.script.calls  # what was not proposed any more
            assert client.closed is None
            assert kinds(await client.say("talk"))[:2] == ["response.created", "audio.transcript.delta"]

    play(story)


def test_a_cancel_while_the_voice_still_works_has_nothing_follow() -> None:
    async def story(house: House) -> None:
        house.script.hoarse = asyncio.Event()
        house.script.answers["talk"] = [Say("Hello.")]
        async with house.open() as client:
            assert kinds(await client.say("talk")) == ["response.created", "audio.transcript.delta"]
            client.tell(m.ResponseCancel(response_id="rsp_1"))
            house.script.hoarse.set()
            assert kinds(await client.take()) == ["response.done"]

    play(story)


def test_a_cancel_with_nothing_running_is_an_error_and_no_more() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            client.tell(m.ResponseCancel(event_id="e1"))
            assert errors(await client.take()) == ["response_not_active"]

    play(story)


def test_a_cancel_of_another_response_is_an_error_and_no_more() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            await proposed(house, client)
            client.tell(m.ResponseCancel(response_id="rsp_1"))
            assert errors(await client.take()) == ["response_not_active"]
            client.tell(m.ActionConfirm("act_1"))
            assert kinds(await client.take()) == ["action.executed"]

    play(story)


def test_speech_during_a_response_is_told_and_stops_nothing_by_itself() -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("x" * 20)]
        async with house.open() as client:
            client.writable.clear()
            await client.say("talk")
            client.tell(m.AudioAppend(audio=SPEECH * 2))
            client.writable.set()
            sent = await client.take()
            assert "speech.started" in kinds(sent)
            assert len(sound(sent)) == 6

    play(story)


# Time


def test_a_session_says_that_it_expires_and_then_does() -> None:
    async def story(house: House) -> None:
        async with house.open(ttl_seconds=60) as client:
            await asyncio.sleep(60 - EXPIRING_MS / 1000 - 0.001)
            assert await client.take() == []
            await asyncio.sleep(0.002)
            (expiring,) = await client.take()
            assert isinstance(expiring, m.SessionExpiring)
            assert expiring.seconds_left == pytest.approx(30, abs=0.01)

            assert await proposed(house, client) == [m.IntentDetected("cancel_event", 0.9, {"event_id": "evt_1"})]
            assert house.script.calls[-1] == "ran act_1 authorization_failed"
            await asyncio.sleep(30)
            assert errors(await client.take()) == ["session_expired"]
            assert client.closed == (4008, "expired")

    play(story)


def test_a_proposal_does_not_outlive_its_session() -> None:
    async def story(house: House) -> None:
        async with house.open(ttl_seconds=62) as client:
            await asyncio.sleep(31)
            sent = await proposed(house, client)
            assert isinstance(sent[2], m.ActionProposed)
            assert sent[2].expires_at == "2026-11-21T09:01:02+00:00"
            await asyncio.sleep(31.1)
            assert kinds(await client.take()) == ["session.expiring", "action.expired", "error"]

    play(story)


@pytest.mark.parametrize("goes_on", [2.0, 20.0])
def test_a_response_that_runs_may_end_but_not_go_on_for_ever(goes_on: float) -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("x" * 20)]
        async with house.open(ttl_seconds=60) as client:
            await asyncio.sleep(59)
            await client.take()
            client.writable.clear()
            await client.say("talk")
            looks = house.looks
            await asyncio.sleep(1 + min(goes_on, s.LAST_WORDS_MS / 1000 - 0.1))
            assert house.looks < looks + 20
            assert await client.take() == []
            client.tell(m.ActionConfirm("act_1"))
            assert errors(await client.take()) == ["session_expired"]  # its authority ended in time
            if goes_on < s.LAST_WORDS_MS / 1000:
                client.writable.set()
                assert kinds(await client.take()) == ["audio.delta", "response.done", "error"]
            else:
                await asyncio.sleep(0.2)
                assert kinds(await client.take()) == ["error"]
            assert client.closed == (4008, "expired")

    play(story)


def test_a_client_that_sends_nothing_is_not_waited_for() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            await asyncio.sleep(100)
            client.tell(m.AudioAppend(audio=SILENCE))
            await asyncio.sleep(IDLE_MS / 1000 - 0.01)
            assert client.closed is None
            await asyncio.sleep(0.02)
            assert errors(await client.take()) == ["session_idle"]
            assert client.closed == (4408, "idle_timeout")

    play(story)


# Bad input


def test_what_is_wrong_is_told_with_the_messages_own_name() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            client.tell('{"type":"audio.append","audio":"AAAA","event_id":"e1"}', b"\x00", "{")
            sent = await client.take()
            assert errors(sent) == ["invalid_audio", "binary_message", "invalid_json"]
            assert isinstance(sent[0], m.ErrorMessage)
            assert (sent[0].error.event_id, sent[0].error.request_id) == ("e1", "req_1")
            house.script.answers["hello"] = [Say("Hello.")]
            assert kinds(await client.say("hello")) == ANSWER

    play(story)


def test_sound_may_come_so_far_ahead_of_its_time_and_no_further() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            second = bytes(LINEAR_24K.size(1000))
            for _ in range(s.MAX_AHEAD_MS // 1000):
                client.tell(m.AudioAppend(audio=second))
            assert await client.take() == []
            client.tell(m.AudioAppend(audio=second))
            assert errors(await client.take()) == ["rate_limit_exceeded"]
            await asyncio.sleep(1.5)
            client.tell(m.AudioAppend(audio=second))
            assert await client.take() == []

    play(story)


def test_so_many_turns_may_wait_and_no_more() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            sent = await client.say(*["hm"] * (s.MAX_TURNS + 1))
            assert errors(sent) == ["rate_limit_exceeded"]
            assert house.script.calls == ["hm"] * s.MAX_TURNS

    play(story)


def test_a_fault_of_ours_ends_this_session_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: House) -> None:
        house.script.results["get_next_event"] = RuntimeError("a caller's words")
        house.script.answers["next"] = [Run("act_1", NEXT)]
        async with house.open() as client:
            sent = await client.say("next")
            assert errors(sent) == ["internal_error"]
            assert client.closed == (4500, "error")

    with caplog.at_level(logging.ERROR):
        play(story)
    assert [record.getMessage() for record in caplog.records] == ["! voice session hub_1 failed"]

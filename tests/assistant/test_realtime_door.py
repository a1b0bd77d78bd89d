import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phone_bridge.assistant import realtime_door as d
from phone_bridge.assistant import session as session_limits
from phone_bridge.assistant.minting import MAX_BODY_BYTES
from phone_bridge.assistant.ports import HangUp, Propose, Run, Say
from phone_bridge.assistant.realtime_door import RealtimeDoor
from phone_bridge.assistant.session import VoiceSession
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.sessions.realtime.names import Shape
from tests.assistant.house import CANCEL, NEXT, SECRET, SILENCE, SPEECH, House, play
from tests.assistant.lines import Line, kinds

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ANSWER = [
    "response.created",
    "rate_limits.updated",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "sound",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]
DETECTED_ONLY = {"type": "server_vad", "interrupt_response": False, "create_response": False}
CREATE: dict[str, Any] = {"type": "response.create"}


def door(house: House) -> RealtimeDoor:
    return RealtimeDoor(house.faculties, house.clocks, secret=SECRET, user_id="usr_alice", new_id=house.new_id)


@asynccontextmanager
async def opened(
    house: House, secret: str = "", shape: Shape = Shape.GA, at: RealtimeDoor | None = None, **query: str
) -> AsyncIterator[Line]:
    """A client on an open session; at the end the socket is lost and all is over."""
    doors, line = at or door(house), Line()
    session = doors.open(secret, shape, query)
    assert isinstance(session, VoiceSession)
    serving = asyncio.create_task(doors.serve(session, line))
    try:
        yield line
    finally:
        line.close(1006)
        async with asyncio.timeout(60):
            await serving
        assert doors.live == 0


def text(words: str, **more: Any) -> dict[str, Any]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    return {"type": "conversation.item.create", "item": item | more}


def sound(audio: bytes) -> dict[str, Any]:
    """Sound of 16 kHz as a client sends it, at 24 kHz."""
    stretched = audio[: len(audio) // 4 * 4]
    half = b"".join(stretched[at : at + 4] + stretched[at + 2 : at + 4] for at in range(0, len(stretched), 4))
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(half).decode()}


def listening(**how: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", "audio": {"input": how}}}


BY_HAND = listening(turn_detection=None)
PAUSE = (sound(SILENCE * 10), sound(SILENCE * 10))  # the first still has the resampler's echo of what was before


def errors(messages: list[Any]) -> list[str]:
    return [message["error"]["code"] for message in messages if message["type"] == "error"]


def ended(messages: list[Any]) -> dict[str, Any]:
    (response,) = [message["response"] for message in messages if message["type"] == "response.done"]
    assert isinstance(response, dict)
    return response


def said(messages: list[Any]) -> str:
    return "".join(each["delta"] for each in messages if each["type"] == "response.output_audio_transcript.delta")


# Typed turns


def test_a_typed_turn_is_answered_when_it_is_asked_for() -> None:
    async def story(house: House) -> None:
        house.script.answers["what is next"] = [Run("act_1", NEXT)]
        house.script.answers["ran act_1 well"] = [Say("Lunch is next.")]
        async with opened(house) as line:
            assert kinds(await line.take()) == ["session.created"]
            line.say(text("what is next"))
            assert kinds(await line.take()) == ["conversation.item.added", "conversation.item.done"]
            line.say(CREATE)
            messages = await line.take()
            assert kinds(messages) == ANSWER
            assert (said(messages), ended(messages)["status"]) == ("Lunch is next.", "completed")
            assert ended(messages)["id"].startswith("resp_")

    play(story)


def test_turns_that_wait_together_are_answered_in_one_response() -> None:
    async def story(house: House) -> None:
        house.script.answers = {"one": [Say("First.")], "two": [Say("Second.")], "three": [Say("Third.")]}
        async with opened(house) as line:
            line.say(text("one"), text("two", id="mine"), text("three"))
            line.say({"type": "conversation.item.delete", "item_id": "mine"}, CREATE)
            assert said(await line.take()) == "First. Third."

    play(story)


def test_a_response_without_a_turn_offers_help() -> None:
    async def story(house: House) -> None:
        async with opened(house) as line:
            line.say(CREATE)
            assert said(await line.take()) == "What can I do for you?"

    play(story)


def test_a_turn_that_asks_for_nothing_still_has_its_response() -> None:
    async def story(house: House) -> None:
        async with opened(house) as line:
            line.say(text("hm"), CREATE)
            assert ended(await line.take())["status"] == "completed"

    play(story)


def test_a_talk_that_is_brought_along_is_known_and_not_answered_again() -> None:
    async def story(house: House) -> None:
        house.script.answers = {"old": [Say("Old.")], "new": [Say("New.")]}
        answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Old."}]}
        async with opened(house) as line:
            line.say(text("old"), {"type": "conversation.item.create", "item": answer}, text("new"), CREATE)
            assert said(await line.take()) == "New."
            assert house.script.calls == ["old", "new"]

    play(story)


# Spoken turns


def test_a_spoken_turn_is_found_told_and_answered() -> None:
    async def story(house: House) -> None:
        house.script.words = ["what is next"]
        house.script.answers["what is next"] = [Say("Lunch is next.")]
        async with opened(house) as line:
            line.say(listening(transcription={"model": "whisper-1"}))
            line.say(sound(SILENCE), sound(SPEECH * 20), *PAUSE)
            messages = await line.take()
            told = kinds(messages)
            assert told[:8] == [
                "session.created",
                "session.updated",
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                "response.created",
            ]
            assert "conversation.item.input_audio_transcription.completed" in told
            assert ended(messages)["usage"]["input_token_details"]["audio_tokens"] >= 2
            assert said(messages) == "Lunch is next."

    play(story)


def test_turns_end_by_hand_where_the_client_wants_it_so() -> None:
    async def story(house: House) -> None:
        house.script.words = ["what is next"]
        house.script.answers["what is next"] = [Say("Lunch is next.")]
        async with opened(house) as line:
            line.say(BY_HAND, sound(SPEECH * 20), *PAUSE)
            assert kinds(await line.take())[2:] == []
            line.say({"type": "input_audio_buffer.commit"})
            assert kinds(await line.take()) == [
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
            ]
            line.say(CREATE)
            assert said(await line.take()) == "Lunch is next."
            line.say(sound(SPEECH * 20), {"type": "input_audio_buffer.clear"}, {"type": "input_audio_buffer.commit"})
            messages = await line.take()
            assert errors(messages) == ["input_audio_buffer_commit_empty"]
            assert kinds(messages)[0] == "input_audio_buffer.cleared"

    play(story)


def test_a_turn_by_hand_has_a_least_and_a_greatest_length() -> None:
    async def story(house: House) -> None:
        async with opened(house) as line:
            line.say(BY_HAND, sound(SPEECH * (session_limits.MIN_HELD_MS // 10 - 1)))
            line.say({"type": "input_audio_buffer.commit"})
            assert errors(await line.take()) == ["input_audio_buffer_commit_empty"]
            for _ in range(session_limits.MAX_HELD_MS // 1000):
                line.say(sound(SPEECH * 100))
                await asyncio.sleep(1)
            assert errors(await line.take()) == ["invalid_value"]

    play(story)


def test_speech_that_nobody_can_hear_is_told() -> None:
    async def story(house: House) -> None:
        house.script.deaf = True
        house.script.answers[""] = [Say("Sorry?")]
        async with opened(house) as line:
            line.say(sound(SPEECH * 20), *PAUSE)
            messages = await line.take()
            assert "conversation.item.input_audio_transcription.failed" in kinds(messages)
            assert said(messages) == "Sorry?"

    play(story)


def test_the_callers_voice_stops_the_response_and_the_next_one_answers_all() -> None:
    async def story(house: House) -> None:
        house.script.answers = {"talk": [Say("x" * 200)], "stop": [Say("All right.")]}
        house.script.words = ["stop"]
        async with opened(house) as line:
            line.say(text("talk"), CREATE)
            await line.take()
            line.say(sound(SPEECH * 20))
            messages = await line.take()
            assert kinds(messages)[0] == "input_audio_buffer.speech_started"
            assert ended(messages)["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            await asyncio.sleep(1)
            line.say(*PAUSE)
            assert said(await line.take()) == "All right."

    play(story)


def test_speech_stops_nothing_where_the_client_does_not_want_it() -> None:
    async def story(house: House) -> None:
        house.script.answers = {"talk": [Say("x" * 200)]}
        async with opened(house) as line:
            line.say(listening(turn_detection=DETECTED_ONLY), text("talk"), CREATE)
            await line.take()
            house.script.words = ["hm"]
            line.say(sound(SPEECH * 20), *PAUSE)
            assert "response.done" not in kinds(await line.take())
            await asyncio.sleep(10)
            messages = await line.take()
            assert ended(messages)["status"] == "completed"
            assert "response.created" not in kinds(messages)

    play(story)


# Cancelling


def test_a_response_is_cancelled_once() -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("x" * 200)]
        async with opened(house) as line:
            line.say(text("talk"), CREATE)
            await line.take()
            line.say({"type": "response.cancel"}, {"type": "response.cancel"})
            messages = await line.take()
            assert ended(messages)["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
            assert errors(messages) == ["response_cancel_not_active"]
            await asyncio.sleep(1)
            line.say(CREATE)
            assert ended(await line.take())["status"] == "completed"

    play(story)


def test_a_response_that_is_cancelled_before_it_says_anything_leaves_the_turn_unanswered() -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("Hello.")]
        async with opened(house) as line:
            line.say(text("talk"), CREATE, {"type": "response.cancel"})
            messages = await line.take()
            assert (ended(messages)["status"], said(messages)) == ("cancelled", "")
            line.say(CREATE)
            assert said(await line.take()) == "Hello."

    play(story)


def test_a_second_response_is_refused_while_one_runs() -> None:
    async def story(house: House) -> None:
        house.script.answers["talk"] = [Say("x" * 200)]
        async with opened(house) as line:
            line.say(text("talk"), CREATE, CREATE)
            assert errors(await line.take()) == ["conversation_already_has_active_response"]

    play(story)


# Tools


def test_a_function_of_the_clients_is_called_and_its_result_told() -> None:
    async def story(house: House) -> None:
        async with opened(house) as line:
            line.say(
                {"type": "session.update", "session": {"type": "realtime", "tools": [WEATHER]}},
                text("what is the weather in Berlin"),
                CREATE,
            )
            (call,) = ended(await line.take())["output"]
            assert (call["type"], call["name"], json.loads(call["arguments"])) == (
                "function_call",
                "get_weather",
                {"city": "Berlin"},
            )
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"sky": "clear"}'}
            line.say({"type": "conversation.item.create", "item": output})
            assert "response.created" not in kinds(await line.take())
            line.say(CREATE)
            assert said(await line.take()) == "Sky clear."
            assert house.script.runs == []

    play(story)


def test_a_calendar_tool_that_the_client_declares_is_the_clients_to_run() -> None:
    async def story(house: House) -> None:
        house.script.answers["cancel lunch"] = [Propose("act_1", CANCEL)]
        house.script.answers["ran act_1 well"] = [Say("Lunch is off.")]
        tool = {"type": "function", "name": "cancel_event", "parameters": {}}
        async with opened(house) as line:
            line.say({"type": "session.update", "session": {"type": "realtime", "tools": [tool]}})
            line.say(text("cancel lunch"), CREATE)
            (call,) = ended(await line.take())["output"]
            assert json.loads(call["arguments"]) == {"event_id": "evt_1"}
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"ok": true}'}
            line.say({"type": "conversation.item.create", "item": output}, CREATE)
            assert said(await line.take()) == "Lunch is off."
            assert house.script.runs == []

    play(story)


@pytest.mark.parametrize(
    ("words", "output", "answer"),
    [
        ("yes", '{"ok": true}', "Lunch is off."),
        ("no", '{"ok": false, "error": {"code": "declined"}}', "All right, I left everything as it is."),
        ("at four", '{"ok": false, "error": {"code": "declined"}}', "At four."),
    ],
)
def test_a_yes_to_the_clients_own_question_is_no_wish(words: str, output: str, answer: str) -> None:
    async def story(house: House) -> None:
        house.script.answers["cancel lunch"] = [Propose("act_1", CANCEL)]
        house.script.answers["ran act_1 well"] = [Say("Lunch is off.")]
        house.script.answers |= {"yes": [Say("What?")], "no": [Say("What?")], "at four": [Say("At four.")]}
        tool = {"type": "function", "name": "cancel_event", "parameters": {}}
        async with opened(house) as line:
            line.say({"type": "session.update", "session": {"type": "realtime", "tools": [tool]}})
            line.say(text("cancel lunch"), CREATE)
            (call,) = ended(await line.take())["output"]
            item = {"type": "function_call_output", "call_id": call["call_id"], "output": output}
            line.say(text(words), {"type": "conversation.item.create", "item": item}, CREATE)
            assert said(await line.take()) == answer

    play(story)


def test_a_yes_while_a_function_runs_has_an_empty_response() -> None:
    async def story(house: House) -> None:
        house.script.answers = {"cancel lunch": [Propose("act_1", CANCEL)], "yes": [Say("What?")]}
        tool = {"type": "function", "name": "cancel_event", "parameters": {}}
        async with opened(house) as line:
            line.say({"type": "session.update", "session": {"type": "realtime", "tools": [tool]}})
            line.say(text("cancel lunch"), CREATE)
            await line.take()
            line.say(text("yes"), CREATE)
            assert ended(await line.take())["output"] == []

    play(story)


@pytest.mark.parametrize("move", [Propose("act_1", CANCEL), Run("act_1", CANCEL)])
def test_nothing_is_changed_where_nobody_can_consent(move: Propose | Run) -> None:
    async def story(house: House) -> None:
        house.script.answers["cancel lunch"] = [move]
        house.script.answers["ran act_1 consent_unavailable"] = [Say("I cannot.")]
        async with opened(house) as line:
            line.say(text("cancel lunch"), CREATE)
            assert said(await line.take()) == "I cannot."
            assert house.script.runs == []

    play(story)


def test_a_response_may_do_without_the_tools_once() -> None:
    async def story(house: House) -> None:
        async with opened(house) as line:
            line.say({"type": "session.update", "session": {"type": "realtime", "tools": [WEATHER]}})
            line.say(text("weather in Berlin"), {"type": "response.create", "response": {"tool_choice": "none"}})
            assert ended(await line.take())["output"] == []
            line.say(text("weather in Berlin"), CREATE)
            assert ended(await line.take())["output"][0]["name"] == "get_weather"

    play(story)


def test_a_response_beside_the_conversation_teaches_it_nothing() -> None:
    async def story(house: House) -> None:
        house.script.answers = {"aside": [Say("Beside.")], "talk": [Say("Hello.")]}
        item = text("aside")["item"]
        async with opened(house) as line:
            line.say(text("talk"), {"type": "response.create", "response": {"conversation": "none", "input": [item]}})
            messages = await line.take()
            assert said(messages) == "Beside."
            assert "conversation_id" not in ended(messages)
            assert len(house.script.conversed) == 2
            line.say(CREATE)
            assert said(await line.take()) == "Hello."

    play(story)


# The end


def test_a_goodbye_closes_the_socket() -> None:
    async def story(house: House) -> None:
        house.script.answers["goodbye"] = [Say("Goodbye."), HangUp()]
        async with opened(house) as line:
            line.say(text("goodbye"), CREATE)
            assert ended(await line.take())["status"] == "completed"
            assert line.code == 1000

    play(story)


def test_a_session_ends_after_sixty_minutes_and_not_for_silence() -> None:
    async def story(house: House) -> None:
        async with opened(house) as line:
            await asyncio.sleep(3599)
            assert line.code is None
            await line.take()
            await asyncio.sleep(2)
            assert errors(await line.take()) == ["session_expired"]
            assert line.code == 1001

    play(story)


@pytest.mark.parametrize(("why", "code"), [(Refused("nobody knows that user"), 1008), (Unavailable("locked"), 1011)])
def test_a_talk_that_cannot_begin_closes_the_socket_with_an_error(why: Exception, code: int) -> None:
    async def story(house: House) -> None:
        house.script.strange = why
        async with opened(house) as line:
            assert kinds(await line.take()) == ["session.created", "error"]
            assert line.code == code

    play(story)


def test_more_than_can_wait_is_refused_and_what_waits_is_done() -> None:
    async def story(house: House) -> None:
        answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Old."}]}
        async with opened(house) as line:
            await line.take()
            line.say(*[{"type": "conversation.item.create", "item": answer}] * (session_limits.MAX_JOBS + 1))
            assert errors(await line.take()) == ["rate_limit_exceeded"]
            line.say(CREATE)
            assert ended(await line.take())["status"] == "completed"

    play(story)


def test_what_makes_no_sense_is_told_with_its_own_name() -> None:
    async def story(house: House) -> None:
        async with opened(house) as line:
            await line.take()
            line.say("{", {"type": "nonsense", "event_id": "e1"}, b"sound")
            messages = await line.take()
            assert errors(messages) == ["invalid_event", "invalid_value", "invalid_event"]
            assert messages[1]["error"]["event_id"] == "e1"

    play(story)


def test_a_server_that_stops_ends_its_sessions() -> None:
    async def story(house: House) -> None:
        doors = door(house)
        async with opened(house, at=doors) as line:
            await line.take()
            doors.close()
            assert line.code == 1001

    play(story)


# Client secrets


def minted(doors: RealtimeDoor, shape: Shape = Shape.GA, **body: Any) -> Any:
    response = doors.mint(json.dumps(body).encode(), shape)
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_a_secret_carries_what_was_agreed_on() -> None:
    async def story(house: House) -> None:
        doors = door(house)
        session = {
            "type": "realtime",
            "instructions": "Be brief.",
            "metadata": {"user_id": "usr_bob"},
            "tools": [WEATHER],
        }
        made = minted(doors, session=session, expires_after={"anchor": "created_at", "seconds": 60})
        assert made["value"].startswith("ek_")
        assert made["expires_at"] == int(house.clocks.wall().timestamp()) + 60
        assert (made["session"]["instructions"], made["session"]["object"]) == ("Be brief.", "realtime.session")
        async with opened(house, made["value"], at=doors) as line:
            (created,) = await line.take()
            assert created["session"]["instructions"] == "Be brief."
            assert house.script.conversed[0][0] == "usr_bob"
        async with opened(house, made["value"], at=doors) as line:
            assert kinds(await line.take()) == ["session.created"]

    play(story)


def test_tools_of_a_secret_are_offered_at_once() -> None:
    async def story(house: House) -> None:
        doors = door(house)
        made = minted(doors, session={"type": "realtime", "tools": [WEATHER]})
        async with opened(house, made["value"], at=doors) as line:
            line.say(text("weather in Berlin"), CREATE)
            assert ended(await line.take())["output"][0]["name"] == "get_weather"

    play(story)


def test_the_beta_mints_a_flat_session() -> None:
    async def story(house: House) -> None:
        secret = {"expires_after": {"seconds": 30}}
        made = minted(door(house), Shape.BETA, model="mine", modalities=["text"], client_secret=secret)
        assert (made["model"], made["modalities"], made["object"]) == ("mine", ["text"], "realtime.session")
        assert made["client_secret"]["expires_at"] == int(house.clocks.wall().timestamp()) + 30

    play(story)


def test_a_secret_opens_nothing_after_its_time() -> None:
    async def story(house: House) -> None:
        doors = door(house)
        value = minted(doors)["value"]
        await asyncio.sleep(d.DEFAULT_SECONDS + 1)
        refused = doors.open(value, Shape.GA, {})
        assert isinstance(refused, Response)
        assert (refused.status, json.loads(refused.body)["error"]["code"]) == (401, "invalid_api_key")

    play(story)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b" " * (MAX_BODY_BYTES + 1), 413, "payload_too_large"),
        (b'{"expires_after":{"seconds":9}}', 400, "invalid_value"),
        (b'{"expires_after":{"seconds":7201}}', 400, "invalid_value"),
        (b'{"expires_after":{"anchor":"now"}}', 400, "invalid_value"),
        (b'{"session":5}', 400, "invalid_value"),
        (b'{"session":{"metadata":{"user_id":5}}}', 400, "invalid_value"),
        (b'{"session":{"tools":[{"type":"mcp"}]}}', 400, "invalid_value"),
    ],
)
def test_a_mint_that_cannot_be_is_refused(body: bytes, status: int, code: str) -> None:
    async def story(house: House) -> None:
        refused = door(house).mint(body, Shape.GA)
        assert (refused.status, json.loads(refused.body)["error"]["code"]) == (status, code)

    play(story)


def test_settings_too_long_for_a_header_are_to_be_sent_later() -> None:
    async def story(house: House) -> None:
        noise = base64.b85encode(bytes(value * value % 251 for value in range(9_000))).decode()
        long = "".join(chr(33 + (ord(sign) * at) % 90) for at, sign in enumerate(noise))
        refused = door(house).mint(json.dumps({"session": {"instructions": long}}).encode(), Shape.GA)
        assert refused.status == 400
        assert "session.update" in json.loads(refused.body)["error"]["message"]

    play(story)


def test_so_many_sessions_are_live_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(d, "MAX_LIVE", 1)

    async def story(house: House) -> None:
        doors = door(house)
        async with opened(house, at=doors) as line:
            await line.take()
            refused = doors.open("", Shape.GA, {})
            assert isinstance(refused, Response)
            assert refused.status == 429

    play(story)


def test_the_holder_of_a_key_may_say_whose_calendar_it_is() -> None:
    async def story(house: House) -> None:
        doors = door(house)
        async with opened(house, at=doors, user_id="usr_carol", model="gpt-realtime") as line:
            (created,) = await line.take()
            assert created["session"]["model"] == "gpt-realtime"
        async with opened(house, at=doors, model="m" * 1_000) as line:
            (created,) = await line.take()
            assert created["session"]["model"] == "m" * d.MAX_MODEL_CHARS
            assert house.script.conversed[0][0] == "usr_carol"
        refused = doors.open("", Shape.GA, {"user_id": "x" * 256})
        assert isinstance(refused, Response)
        assert refused.status == 400

    play(story)


# What a client may rely on


def check_order(messages: list[Any]) -> None:
    """Check what the protocol promises on everything that one session sent."""
    running, over, items, open_items = "", set[str](), set[str](), set[str]()
    for message in messages:
        response_id = message.get("response_id") or message.get("response", {}).get("id", "")
        match message["type"]:
            case "response.created":
                assert not running, "one response at a time"
                assert response_id not in over
                running = response_id
            case "response.done":
                assert running == response_id
                assert not open_items, "an item of a response that is over is over"
                over.add(running)
                running = ""
            case "conversation.item.added":
                assert message["item"]["id"] not in items
                items.add(message["item"]["id"])
            case "response.output_item.added":
                open_items.add(message["item"]["id"])
            case "response.output_item.done":
                open_items.remove(message["item"]["id"])
            case _:
                assert response_id in ("", running), "nothing comes of a response that does not run"
    assert not running
    names = [message["event_id"] for message in messages]
    assert len(names) == len(set(names))


TOOLS = {"type": "session.update", "session": {"type": "realtime", "tools": [WEATHER]}}
RESULT = {
    "type": "conversation.item.create",
    "item": {"type": "function_call_output", "call_id": "call_1", "output": "x"},
}
steps = st.sampled_from(
    [
        text("talk"),
        text("long"),
        text("weather in Berlin"),
        text("goodbye"),
        CREATE,
        CREATE,
        {"type": "response.create", "response": {"conversation": "none", "input": [text("talk")["item"]]}},
        {"type": "response.create", "response": {"output_modalities": ["text"]}},
        {"type": "response.cancel"},
        {"type": "input_audio_buffer.commit"},
        {"type": "input_audio_buffer.clear"},
        sound(SPEECH * 20),
        *PAUSE,
        BY_HAND,
        listening(turn_detection={"type": "server_vad"}),
        listening(turn_detection=DETECTED_ONLY),
        TOOLS,
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "call_1", "output": "x"},
        },
        "nonsense",
        0.05,
        2.0,
        True,
        False,
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=16))
def test_whatever_a_client_does_the_order_holds(history: list[Any]) -> None:
    async def story(house: House) -> None:
        house.script.words = ["talk"] * 20
        house.script.answers = {"talk": [Run("act_8", NEXT), Say("Hello.")], "long": [Say("x" * 150), Say("More.")]}
        house.script.answers["goodbye"] = [Say("Goodbye."), HangUp()]
        sent: list[Any] = []
        async with opened(house) as line:
            for step in history:
                match step:
                    case True:
                        line.writable.set()
                    case False:
                        line.writable.clear()
                    case float():
                        await asyncio.sleep(step)
                    case _:
                        line.say(step)
                sent += await line.take()
            line.writable.set()
            for _ in range(40):
                await asyncio.sleep(1)
                sent += await line.take()
            check_order(sent)

    play(story)

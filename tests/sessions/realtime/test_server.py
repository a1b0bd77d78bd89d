import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.path import path
from phone_bridge.call.events import Action
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.realtime import server as r
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.realtime.settings import Settings
from tests.sessions.realtime.samples import cases, lines
from tests.sessions.realtime.served import REPLY, Served

WEATHER = {"type": "function", "name": "get_weather", "description": "Weather.", "parameters": {"type": "object"}}
OPENED = s.Opened("sess_1", ("get_next_event",), "2026-11-28T17:00:00+00:00")


def b64(sound: bytes) -> str:
    return base64.b64encode(sound).decode()


def refused(served: Served, kind: str, **fields: Any) -> tuple[str, str]:
    with pytest.raises(s.BadMessage) as error:
        served.say(kind, event_id="mine", **fields)
    assert error.value.event_id == "mine"
    return error.value.code, error.value.param


# The session


def test_a_session_says_what_it_is() -> None:
    (created,) = Served().told(OPENED)
    session = created["session"]
    assert (created["type"], session["type"], session["object"]) == ("session.created", "realtime", "realtime.session")
    assert (session["id"], session["expires_at"], session["model"]) == ("sess_1", 1_800_000_000, "phone-bridge")
    assert session["audio"]["input"]["turn_detection"]["create_response"] is True


def test_the_beta_tells_of_the_conversation_too() -> None:
    created, conversation = Served(Shape.BETA).told(OPENED)
    assert created["session"]["modalities"] == ["text", "audio"]
    assert created["session"]["input_audio_format"] == "pcm16"
    assert conversation["conversation"] == {"id": "conv_1", "object": "realtime.conversation"}


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    served = Served()
    served.update(instructions="Be brief.", audio={"input": {"turn_detection": None}})
    served.update(audio={"output": {"voice": "sage"}}, model="another", tools=[WEATHER])
    served.update(instructions="")
    (updated,) = served.told(s.SettingsTaken(()))
    session = updated["session"]
    assert updated["type"] == "session.updated"
    assert (session["instructions"], session["model"]) == ("", "phone-bridge")
    assert session["audio"]["output"]["voice"] == "sage"
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["tools"] == [WEATHER]


def test_a_voice_is_fixed_once_it_was_heard() -> None:
    served = Served()
    served.spoken()
    assert served.update(audio={"output": {"voice": "alloy"}})
    assert refused(served, "session.update", session={"type": "realtime", "audio": {"output": {"voice": "sage"}}}) == (
        "cannot_update_voice",
        "session.voice",
    )


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"instructions": "x"}, "missing_required_parameter", "session.type"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
        ({"type": "realtime", "tools": [{"type": "mcp"}]}, "invalid_value", "session.tools[0]"),
        ({"type": "realtime", "tools": [WEATHER] * (r.MAX_TOOLS + 1)}, "invalid_value", "session.tools"),
        ({"type": "realtime", "instructions": "x" * (r.MAX_TEXT_CHARS + 1)}, "invalid_value", "session.instructions"),
        ({"type": "realtime", "audio": {"input": {"format": {"type": "audio/opus"}}}}, "invalid_value", None),
    ],
)
def test_settings_that_no_session_can_have_are_refused(session: dict[str, Any], code: str, param: str | None) -> None:
    found = refused(Served(), "session.update", session=session)
    assert found[0] == code
    assert param is None or found[1] == param


def test_a_client_that_speaks_the_beta_without_saying_so_is_understood() -> None:
    served = Served()
    served.say("session.update", session={"modalities": ["text"], "temperature": 0.7})
    (updated,) = served.told(s.SettingsTaken(()))
    assert updated["session"]["modalities"] == ["text"]
    assert [each["type"] for each in served.told(s.ReplyBegan(REPLY), s.ReplyWords(REPLY, "Hi."))][-1] == (
        "response.text.delta"
    )


def test_what_was_agreed_on_before_is_in_force_at_once() -> None:
    (created,) = Served(settings=Settings(model="mine", instructions="Be brief.")).told(OPENED)
    assert (created["session"]["model"], created["session"]["instructions"]) == ("mine", "Be brief.")


@pytest.mark.parametrize(
    ("detection", "manners"),
    [
        ({"type": "server_vad"}, (True, True, True)),
        ({"type": "semantic_vad", "create_response": False}, (True, False, True)),
        ({"type": "server_vad", "interrupt_response": False}, (True, True, False)),
        (None, (False, False, False)),
    ],
)
def test_turn_detection_says_what_the_session_does_of_itself(detection: Any, manners: tuple[bool, ...]) -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": detection}})
    found = served.keeper.manners
    assert (found.finds_turns, found.answers_speech, found.stops_for_speech) == manners


def test_changing_how_turns_are_found_forgets_what_was_heard() -> None:
    served = Served()
    assert isinstance(served.update(audio={"input": {"turn_detection": None}})[0], s.TurnCleared)
    assert not isinstance(served.update(audio={"input": {"turn_detection": None}})[0], s.TurnCleared)


# Tools


def test_functions_are_offered_with_what_is_known_of_them() -> None:
    served = Served()
    assert served.update(tools=[WEATHER])[-2] == s.ToolsOffered(
        (s.ClientTool("get_weather", "Weather.", {"type": "object"}),)
    )
    assert served.update(tool_choice="none")[-2] == s.ToolsOffered(())
    named = served.update(
        tools=[WEATHER, WEATHER | {"name": "other"}], tool_choice={"type": "function", "name": "other"}
    )
    (offer,) = [fact for fact in named if isinstance(fact, s.ToolsOffered)]
    assert [tool.name for tool in offer.tools] == ["other"]


def test_a_response_may_have_tools_of_its_own() -> None:
    served = Served()
    served.update(tools=[WEATHER])
    assert served.say("response.create", response={"tool_choice": "none"}) == [s.ReplyAsked(None, ())]


def test_a_result_reaches_the_session_under_its_own_name_once() -> None:
    served = Served()
    served.told(
        s.ReplyBegan(REPLY), s.ToolAsked("act_7", Action("get_weather"), REPLY), s.ReplyEnded(REPLY, "completed")
    )
    item = {"type": "function_call_output", "call_id": "call_7", "output": "sunny"}
    assert served.say("conversation.item.create", item=item) == [s.ToolReturned("act_7", "sunny")]
    assert served.kinds() == ["conversation.item.added", "conversation.item.done"]
    assert served.say("conversation.item.create", item=item) == []


def test_a_result_of_a_call_that_nobody_made_is_refused() -> None:
    item = {"type": "function_call_output", "call_id": "call_9", "output": "sunny"}
    assert refused(Served(), "conversation.item.create", item=item) == ("item_not_found", "item.call_id")


def test_a_call_that_a_client_tells_of_and_its_result_are_items_and_no_more() -> None:
    served = Served()
    call = {"type": "function_call", "call_id": "call_9", "name": "f", "arguments": "{}"}
    assert served.say("conversation.item.create", item=call) == []
    assert served.say("conversation.item.create", item={"type": "function_call_output", "call_id": "call_9"}) == []


# Items


def test_a_text_is_a_turn_that_waits_for_its_answer() -> None:
    served = Served()
    assert served.user("what is next", id="mine") == [s.TurnGiven("mine", "what is next", answered=False)]
    added, done = served.told()
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert (added["previous_item_id"], added["item"]["status"]) == (None, "completed")
    served.user("and then")
    assert served.told()[0]["previous_item_id"] == "mine"


def test_sound_may_come_as_an_item() -> None:
    sound = bytes(range(240)) * 20
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": b64(sound)}]}
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    (turn,) = served.say("conversation.item.create", item=item)
    assert isinstance(turn, s.TurnGiven)
    assert turn.utterance == path(LINEAR_24K, LINEAR_16K).push(sound)
    served.told()
    assert served.told(s.Transcribed(turn.turn, "hello"))[-1]["usage"]["seconds"] == pytest.approx(0.1, abs=0.01)
    served.say("conversation.item.retrieve", item_id=turn.turn)
    assert served.told()[0]["item"]["content"] == [{"type": "input_audio", "transcript": "hello"}]


def test_what_an_assistant_said_elsewhere_answers_what_came_before() -> None:
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Lunch."}]}
    assert Served().say("conversation.item.create", item=item) == [s.TurnsAnswered()]


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({"type": "mcp_call"}, "invalid_value", "item.type"),
        ({"type": "message", "role": "stranger"}, "invalid_value", "item.type"),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "x"}]},
            "invalid_value",
            "item.content[0].type",
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "!"}]},
            "invalid_value",
            "item.content[0].audio",
        ),
        (
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "x" * (r.MAX_TEXT_CHARS + 1)}],
            },
            "invalid_value",
            "item.content",
        ),
    ],
)
def test_an_item_that_cannot_be_used_is_refused(item: dict[str, Any], code: str, param: str) -> None:
    served = Served()
    assert refused(served, "conversation.item.create", item=item) == (code, param)
    assert served.told() == []


def test_items_are_shown_deleted_and_not_found() -> None:
    served = Served()
    served.user("what is next", id="mine")
    served.told()
    assert served.say("conversation.item.retrieve", item_id="mine") == []
    (shown,) = served.told()
    assert shown["item"]["content"] == [{"type": "input_text", "text": "what is next"}]
    assert served.say("conversation.item.delete", item_id="mine") == [s.TurnTakenBack("mine")]
    assert served.kinds() == ["conversation.item.deleted"]
    for kind in ("retrieve", "delete"):
        assert refused(served, f"conversation.item.{kind}", item_id="mine") == ("item_not_found", "item_id")


def test_an_answer_is_truncated_at_what_was_heard_and_no_further() -> None:
    served = Served()
    item_id = served.spoken(audio=bytes(LINEAR_24K.size(500)))[2]["item"]["id"]
    served.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=300)
    (truncated,) = served.told()
    assert (truncated["item_id"], truncated["audio_end_ms"]) == (item_id, 300)
    code = refused(served, "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=301)
    assert code == ("invalid_value", "audio_end_ms")
    served.say("conversation.item.retrieve", item_id=item_id)
    assert served.told()[0]["item"]["content"] == [{"type": "output_audio", "transcript": ""}]


# Sound and turns


@pytest.mark.parametrize(
    ("name", "format"), [("audio/pcm", LINEAR_24K), ("audio/pcmu", PCMU_8K), ("audio/pcma", PCMA_8K)]
)
def test_sound_comes_and_goes_in_the_formats_that_were_set(name: str, format: Format) -> None:
    served, sound = Served(), bytes(range(240)) * 8
    served.update(audio={"input": {"format": {"type": name}}, "output": {"format": {"type": name}}})
    assert served.say("input_audio_buffer.append", audio=b64(sound)) == [
        s.SoundCame(path(format, LINEAR_16K).push(sound))
    ]
    assert served.keeper.voice(LINEAR_24K).push(sound) == path(LINEAR_24K, format).push(sound)


def test_a_spoken_turn_is_told_committed_and_becomes_an_item() -> None:
    served = Served()
    served.user("before", id="before")
    served.told()
    messages = served.told(s.VoiceBegan(100, "item_x"), s.VoiceEnded(900, "item_x"), s.TurnTaken("item_x", 800))
    assert [message["type"] for message in messages] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert {message.get("item_id", "item_x") for message in messages} == {"item_x"}
    assert messages[2]["previous_item_id"] == "before"


def test_words_are_told_where_a_transcription_was_asked_for() -> None:
    served = Served()
    assert served.kinds(s.TurnTaken("a", 800), s.Transcribed("a", "hello"))[3:] == []
    served.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    served.told(s.TurnTaken("b", 1_500))
    delta, completed = served.told(s.Transcribed("b", "hello"))
    assert (delta["delta"], completed["transcript"]) == ("hello", "hello")
    assert completed["usage"] == {"type": "duration", "seconds": 1.5}
    (failed,) = served.told(s.NotTranscribed("b", "no ear"))
    assert (failed["type"].rpartition(".")[2], failed["error"]["message"]) == ("failed", "no ear")


def test_the_buffer_is_committed_and_cleared_by_hand() -> None:
    served = Served()
    assert served.say("input_audio_buffer.commit") == [s.TurnEnded(strict=True)]
    assert served.say("input_audio_buffer.clear") == [s.TurnCleared()]
    assert served.kinds() == ["input_audio_buffer.cleared"]


# Responses


def test_one_response_runs_at_a_time() -> None:
    served = Served()
    assert served.say("response.create") == [s.ReplyAsked()]
    active = "conversation_already_has_active_response"
    assert refused(served, "response.create")[0] == active
    served.told(s.ReplyBegan(REPLY))
    assert refused(served, "response.create", response={})[0] == active
    served.told(s.ReplyEnded(REPLY, "completed"))
    assert served.say("response.create") == [s.ReplyAsked()]


def test_a_response_may_be_set_otherwise_than_the_session() -> None:
    served = Served()
    served.say("response.create", response={"output_modalities": ["text"], "metadata": {"topic": "lunch"}})
    created = served.told(s.ReplyBegan(REPLY))[0]["response"]
    assert (created["output_modalities"], created["metadata"]) == (["text"], {"topic": "lunch"})
    assert not served.keeper.manners.speaks
    served.told(s.ReplyEnded(REPLY, "completed"))
    assert served.keeper.manners.speaks


@pytest.mark.parametrize(
    ("response", "param"),
    [
        ({"conversation": "other"}, "response.conversation"),
        ({"metadata": {"a": 1}}, "response.metadata"),
        ({"metadata": {str(n): "x" for n in range(r.MAX_METADATA + 1)}}, "response.metadata"),
        ({"conversation": "none", "input": 5}, "response.input"),
    ],
)
def test_a_response_that_cannot_be_given_is_refused(response: dict[str, Any], param: str) -> None:
    served = Served()
    assert refused(served, "response.create", response=response) == ("invalid_value", param)
    assert served.say("response.create")


def test_a_response_beside_the_conversation_leaves_no_item_in_it() -> None:
    served = Served()
    served.user("what is next", id="mine")
    served.told()
    asked = served.say("response.create", response={"conversation": "none", "metadata": {"a": "b"}})
    assert asked == [s.ReplyAsked(("what is next",))]
    messages = served.spoken()
    assert not any(message["type"].startswith("conversation.") for message in messages)
    response = messages[-1]["response"]
    assert (response.get("conversation_id"), response["metadata"]) == (None, {"a": "b"})


def test_a_response_beside_the_conversation_answers_what_it_is_given() -> None:
    served = Served()
    served.user("what is next", id="mine")
    given = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "am I free"}]}
    for input_, texts in (
        ([given], ("am I free",)),
        ([given, {"type": "item_reference", "id": "mine"}], ("what is next",)),
        ([], ()),
    ):
        asked = served.say("response.create", response={"conversation": "none", "input": input_})
        assert asked == [s.ReplyAsked(texts)]


def test_so_many_responses_wait_and_no_more() -> None:
    served = Served()
    for _ in range(r.MAX_ASKED):
        served.say("response.create", response={"conversation": "none"})
    assert refused(served, "response.create", response={"conversation": "none"})[0] == "rate_limit_exceeded"


def test_a_cancel_names_its_response_or_none() -> None:
    served = Served()
    assert served.say("response.cancel") == [s.ReplyCancelled()]
    assert served.say("response.cancel", response_id=REPLY) == [s.ReplyCancelled(REPLY)]


# Errors and the end


@pytest.mark.parametrize(
    ("code", "told", "kind"),
    [
        ("response_not_active", "response_cancel_not_active", "invalid_request_error"),
        ("turn_empty", "input_audio_buffer_commit_empty", "invalid_request_error"),
        ("session_expired", "session_expired", "invalid_request_error"),
        ("rate_limit_exceeded", "rate_limit_exceeded", "invalid_request_error"),
        ("service_unavailable", "service_unavailable", "server_error"),
        ("internal_error", "internal_error", "server_error"),
    ],
)
def test_troubles_have_the_documented_codes(code: str, told: str, kind: str) -> None:
    (error,) = Served().told(s.Trouble(code, "why", "field", "mine"))
    body = error["error"]
    assert (body["code"], body["type"], body["param"], body["event_id"]) == (told, kind, "field", "mine")


@pytest.mark.parametrize("kind", ["output_audio_buffer.clear", "transcription_session.update"])
def test_what_a_websocket_does_not_have_is_refused(kind: str) -> None:
    assert refused(Served(), kind, session={})[0] == "invalid_value"


def test_what_the_dialect_has_no_word_for_is_left_out() -> None:
    assert Served().told(s.Ready(), s.Understood("help", 1.0, {}), s.Expiring("", 30), s.Ending("expired")) == []
    assert [Served().keeper.close_code(why) for why in ("completed", "expired", "error")] == [1000, 1001, 1011]


@pytest.mark.parametrize("case", cases("client_broken.jsonl"), ids=lambda case: str(case["why"]))
def test_broken_samples_are_named_for_the_client(case: dict[str, Any]) -> None:
    with pytest.raises(s.BadMessage) as caught:
        Served().keeper.receive(case["data"])
    assert caught.value.code == case["code"]


messages = st.sampled_from([*lines("client.jsonl"), *(json.dumps({"type": "response.create"}),) * 3])
happenings = st.sampled_from(
    [
        s.VoiceBegan(1, "item_x"),
        s.Transcribed("item_x", "hello"),
        s.Trouble("internal_error", "why"),
        s.SettingsTaken(()),
    ]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(messages, happenings), max_size=12), st.sampled_from(Shape))
def test_whatever_comes_there_is_an_answer_or_a_documented_error(steps: list[Any], shape: Shape) -> None:
    served = Served(shape)
    for step in steps:
        if isinstance(step, str):
            try:
                served.keeper.receive(step)
            except s.BadMessage as error:
                assert error.code  # noqa: PT017 - either way out is right
        else:
            served.keeper.tell(step)
    assert all(message["event_id"] for message in served.told())

from typing import Any

import pytest

from phone_bridge.call.events import Action
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.realtime.names import BETA_EVENTS, Shape
from tests.sessions.realtime.served import REPLY, Served

SPOKEN = [
    "response.created",
    "rate_limits.updated",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]


def done(messages: list[dict[str, Any]]) -> dict[str, Any]:
    response: dict[str, Any] = messages[-1]["response"]
    assert messages[-1]["type"] == "response.done"
    return response


def test_a_spoken_response_comes_in_the_documented_order() -> None:
    messages = Served().spoken()
    assert [message["type"] for message in messages] == SPOKEN
    assert all(message["event_id"] for message in messages)
    response = done(messages)
    assert (response["id"], response["status"], response["conversation_id"]) == (REPLY, "completed", "conv_1")
    assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": "Hello."}]
    assert response["audio"]["output"] == {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy"}
    item = messages[2]["item"]["id"]
    assert {message["item_id"] for message in messages if "item_id" in message} == {item}


def test_the_beta_has_its_own_words_for_the_same() -> None:
    messages = Served(Shape.BETA).spoken()
    expected = [BETA_EVENTS.get(kind, kind) for kind in SPOKEN if kind != "conversation.item.done"]
    assert [message["type"] for message in messages] == expected
    response = done(messages)
    assert response["modalities"] == ["text", "audio"]
    assert (response["output_audio_format"], response["temperature"]) == ("pcm16", 0.8)
    assert response["output"][0]["content"][0]["type"] == "audio"
    assert "audio" not in response


def test_an_answer_in_words_alone_has_no_sound() -> None:
    served = Served()
    served.update(output_modalities=["text"])
    kinds = served.kinds(
        s.ReplyBegan(REPLY), s.ReplyWords(REPLY, "One."), s.ReplyWords(REPLY, " Two."), s.ReplyEnded(REPLY, "completed")
    )
    assert not served.keeper.manners.speaks
    assert kinds[4:8] == [
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
    ]


def test_a_function_is_called_as_an_item_of_its_own_behind_what_was_said() -> None:
    served = Served()
    messages = served.told(
        s.ReplyBegan(REPLY),
        s.ReplyWords(REPLY, "One moment."),
        s.ToolAsked("act_7", Action("get_weather", {"city": "Berlin"}), REPLY),
        s.ReplyEnded(REPLY, "completed"),
    )
    called = [message for message in messages if message["type"].startswith("response.function_call")]
    assert [message["type"].rpartition(".")[2] for message in called] == ["delta", "done"]
    assert called[1]["arguments"] == '{"city":"Berlin"}'
    assert (called[1]["name"], called[1]["call_id"], called[1]["output_index"]) == ("get_weather", "call_7", 1)
    assert [item["type"] for item in done(messages)["output"]] == ["message", "function_call"]
    assert done(messages)["output"][1]["status"] == "completed"


def test_the_beta_names_a_function_only_in_its_item() -> None:
    served = Served(Shape.BETA)
    messages = served.told(s.ReplyBegan(REPLY), s.ToolAsked("act_7", Action("get_weather"), REPLY))
    (finished,) = [each for each in messages if each["type"] == "response.function_call_arguments.done"]
    assert "name" not in finished


@pytest.mark.parametrize(
    ("status", "reason", "details"),
    [
        ("cancelled", "turn_detected", {"type": "cancelled", "reason": "turn_detected"}),
        ("cancelled", "client_cancelled", {"type": "cancelled", "reason": "client_cancelled"}),
        (
            "failed",
            "speech_unavailable",
            {"type": "failed", "error": {"type": "server_error", "code": "speech_unavailable"}},
        ),
    ],
)
def test_a_response_that_was_cut_says_why_and_leaves_its_item_incomplete(
    status: str, reason: str, details: dict[str, Any]
) -> None:
    messages = Served().told(s.ReplyBegan(REPLY), s.ReplyWords(REPLY, "Hello."), s.ReplyEnded(REPLY, status, reason))
    response = done(messages)
    assert (response["status"], response["status_details"]) == (status, details)
    assert response["output"][0]["status"] == "incomplete"


def test_usage_counts_what_came_in_and_went_out() -> None:
    served = Served()
    served.user("what is next")
    served.keeper.tell(s.TurnTaken("item_x", 1_250))
    usage = done(served.spoken("Lunch is next.", bytes(24_000 * 2)))["usage"]
    assert usage["input_token_details"]["text_tokens"] == 3
    assert usage["input_token_details"]["audio_tokens"] == 13
    assert usage["output_token_details"] == {"text_tokens": 3, "audio_tokens": 20}
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] == 39
    assert done(served.spoken())["usage"]["input_tokens"] == 0, "what was counted once is not counted again"


def test_sound_that_is_empty_is_no_delta() -> None:
    kinds = Served().kinds(s.ReplyBegan(REPLY), s.ReplySound(REPLY, b""))
    assert "response.output_audio.delta" not in kinds

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from phone_bridge.audio.format import LINEAR_24K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.path import path
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.permit import Permit
from phone_bridge.errors import LocalError
from phone_bridge.offers import Offer
from phone_bridge.sessions.dialect import SessionWire
from phone_bridge.sessions.realtime import client
from phone_bridge.sessions.realtime.dialect import Realtime
from phone_bridge.sessions.realtime.names import BETA_EVENTS, Shape

FRAME = bytes(range(160))
OFFERS = (Offer(name="get_next_event", description="Find it.", schema={"type": "object"}),)
PCM = {"format": {"type": "audio/pcm", "rate": 24000}}
PCMU = {"format": {"type": "audio/pcmu"}}


class Bench:
    """A wire with the server's end of its socket in the test's hands."""

    def __init__(
        self, leg: Format = PCMU_8K, *, shape: Shape = Shape.GA, audio_format: str = "", opened: bool = True
    ) -> None:
        dialect = Realtime(url="ws://test", shape=shape, offers=OFFERS, audio_format=audio_format)
        self.shape = shape
        self.wire = dialect.wire(leg)
        self.now = 1_000
        (self.update,) = self.sent()
        if opened:
            self.hear("session.updated", session=self.update["session"])

    def hear(self, kind: str, **fields: Any) -> list[e.Event]:
        named = BETA_EVENTS.get(kind, kind) if self.shape is Shape.BETA else kind
        return self.wire.receive(json.dumps({"type": named, "event_id": "event_1", **fields}), self.now)

    def send(self, *commands: c.SessionCommand) -> list[dict[str, Any]]:
        for command in commands:
            self.wire.send(command, self.now)
        return self.sent()

    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.wire.outgoing()]

    def kinds(self) -> list[str]:
        return [each["type"] for each in self.sent()]

    # What a server says

    def created(self, name: str) -> list[e.Event]:
        return self.hear("response.created", response={"id": name, "status": "in_progress"})

    def sound(self, name: str, item: str, audio: bytes) -> list[e.Event]:
        delta = b64encode(audio).decode()
        return self.hear("response.output_audio.delta", response_id=name, item_id=item, delta=delta)

    def done(self, name: str, status: str = "completed", **more: Any) -> list[e.Event]:
        return self.hear("response.done", response={"id": name, "status": status, **more})

    def called(self, call_id: str, name: str = "get_next_event", arguments: str = "{}", **more: Any) -> list[e.Event]:
        item = {
            "id": f"item_{call_id}",
            "type": "function_call",
            "status": "completed",
            "call_id": call_id,
            "name": name,
            "arguments": arguments,
        }
        return self.hear("response.output_item.done", response_id="resp_1", item={**item, **more})

    def error(self, code: str | None, event_id: str | None = None, **more: Any) -> list[e.Event]:
        return self.hear("error", error={"type": "invalid_request_error", "code": code, "event_id": event_id, **more})


def heard(messages: list[dict[str, Any]]) -> bytes:
    assert all(each["type"] == "input_audio_buffer.append" for each in messages)
    return b"".join(b64decode(each["audio"]) for each in messages)


def test_it_is_a_session_wire() -> None:
    wire: SessionWire = Bench().wire
    assert wire.outgoing() == []


# Opening and formats


def test_the_first_message_says_everything_that_the_session_shall_be() -> None:
    update = Bench(opened=False).update
    assert update["type"] == "session.update"
    session = update["session"]
    assert session["type"] == "realtime"
    assert session["audio"]["input"]["format"] == session["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    assert session["audio"]["input"]["transcription"]["model"]
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    (tool,) = session["tools"]
    assert tool == {
        "type": "function",
        "name": "get_next_event",
        "description": "Find it.",
        "parameters": {"type": "object"},
    }
    assert session["instructions"]


def test_the_beta_is_told_the_same_in_its_own_words() -> None:
    session = Bench(shape=Shape.BETA, opened=False).update["session"]
    assert "type" not in session
    assert (session["input_audio_format"], session["output_audio_format"]) == ("g711_ulaw", "g711_ulaw")
    assert session["input_audio_transcription"]["model"]


@pytest.mark.parametrize(
    ("leg", "encoding"), [(PCMU_8K, "audio/pcmu"), (PCMA_8K, "audio/pcma"), (LINEAR_24K, "audio/pcm")]
)
def test_the_lines_own_encoding_is_asked_for(leg: Format, encoding: str) -> None:
    update = Bench(leg, opened=False).update
    assert update["session"]["audio"]["input"]["format"]["type"] == encoding


def test_g711_passes_through_untouched_both_ways() -> None:
    bench = Bench()
    assert heard(bench.send(c.Listen(FRAME))) == FRAME
    bench.created("resp_1")
    assert bench.sound("resp_1", "item_1", FRAME) == [e.AssistantSpoke("resp_1", FRAME)]


def test_a_server_that_answers_with_another_format_is_followed() -> None:
    bench = Bench(opened=False)
    bench.hear("session.updated", session={"type": "realtime", "audio": {"input": PCM, "output": PCM}})
    assert heard(bench.send(c.Listen(FRAME))) == path(PCMU_8K, LINEAR_24K).push(FRAME)
    bench.created("resp_1")
    (spoke,) = bench.sound("resp_1", "item_1", bytes(960))
    assert isinstance(spoke, e.AssistantSpoke)
    assert len(spoke.audio) <= 160


def test_sound_waits_for_the_formats_and_then_follows_in_order() -> None:
    bench = Bench(opened=False)
    assert bench.send(c.Listen(FRAME)) == []
    assert bench.hear("session.created", session={"id": "sess_1", "audio": {"input": PCM}}) == []
    assert bench.send(c.Listen(FRAME[::-1])) == []
    (opened,) = bench.hear("session.updated", session={"audio": {"input": PCMU, "output": PCMU}})
    assert opened == e.SessionOpened("sess_1")
    assert heard(bench.send(c.Listen(FRAME))) == FRAME + FRAME[::-1] + FRAME


def test_a_server_that_never_confirms_is_taken_at_our_word_after_a_while() -> None:
    bench = Bench(opened=False)
    assert bench.wire.deadline() == 0
    bench.send(c.Listen(FRAME))
    assert bench.wire.deadline() == bench.now + client.HOLD_MS
    assert bench.wire.expire(bench.now + client.HOLD_MS - 1) == []
    assert bench.wire.expire(bench.now + client.HOLD_MS) == [e.SessionOpened()]
    assert heard(bench.send(c.Listen(FRAME))) == FRAME + FRAME
    assert bench.wire.deadline() is None


@pytest.mark.parametrize("event_id", ["update_1", None])
def test_a_server_that_refuses_g711_is_asked_for_pcm(event_id: str | None) -> None:
    bench = Bench(opened=False)
    assert bench.error("invalid_value", event_id) == [e.SessionTrouble("invalid_value")]
    (again,) = bench.sent()
    assert again["session"]["audio"]["input"]["format"] == PCM["format"]
    assert again["session"]["tools"]
    assert bench.error("invalid_value", again["event_id"])[-1] == e.SessionOpened()
    assert bench.sent() == [], "it is asked once more, and no more"


def test_a_transcriber_that_the_server_does_not_have_is_done_without() -> None:
    bench = Bench(opened=False)
    bench.error("invalid_value", "update_1", param="session.audio.input.transcription.model")
    (again,) = bench.sent()
    assert again["session"]["audio"]["input"]["transcription"] is None
    assert again["session"]["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    bench.error("invalid_value", again["event_id"], param="session.audio.input.transcription")
    (last,) = bench.sent()
    assert last["session"]["audio"]["input"]["format"] == PCM["format"]


def test_a_session_whose_formats_nobody_speaks_is_told_as_trouble() -> None:
    bench = Bench(opened=False)
    events = bench.hear("session.updated", session={"audio": {"input": {"format": {"type": "audio/mp3"}}}})
    assert events == [e.SessionTrouble("unsupported_format"), e.SessionOpened()]


# The caller


def test_a_voice_is_placed_where_its_sound_was_sent() -> None:
    bench = Bench()
    for _ in range(50):
        bench.send(c.Listen(FRAME))
        bench.now += 20
    assert bench.hear("input_audio_buffer.speech_started", audio_start_ms=500, item_id="i") == [e.VoiceStarted(1_500)]
    assert bench.hear("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="i") == [e.VoiceStopped(1_900)]
    assert bench.hear("input_audio_buffer.committed", item_id="i") == [e.TurnEnded()]


def test_words_carry_the_beginning_of_their_own_utterance() -> None:
    bench = Bench()
    for _ in range(50):
        bench.send(c.Listen(FRAME))
        bench.now += 20
    bench.hear("input_audio_buffer.speech_started", audio_start_ms=100, item_id="one")
    bench.hear("input_audio_buffer.speech_started", audio_start_ms=700, item_id="two")
    words = "conversation.item.input_audio_transcription"
    assert bench.hear(f"{words}.delta", item_id="two", delta="ye") == [e.CallerSaid("ye", False, 1_700)]
    assert bench.hear(f"{words}.delta", item_id="two", delta="s") == [e.CallerSaid("yes", False, 1_700)]
    assert bench.hear(f"{words}.completed", item_id="one", transcript="hm") == [e.CallerSaid("hm", began=1_100)]
    assert bench.hear(f"{words}.completed", item_id="two", transcript="yes") == [e.CallerSaid("yes", began=1_700)]
    assert bench.hear(f"{words}.completed", item_id="three", transcript="no") == [e.CallerSaid("no")]


def test_words_that_were_not_recognised_end_their_utterance() -> None:
    bench = Bench()
    bench.hear("input_audio_buffer.speech_started", item_id="i")
    events = bench.hear("conversation.item.input_audio_transcription.failed", item_id="i", error={})
    assert events == [e.SessionTrouble("transcription_failed"), e.CallerSaid("", began=1_000 - client.VOICE_LEAD_MS)]


def test_no_more_than_some_utterances_are_waited_for() -> None:
    bench = Bench()
    for number in range(client.MAX_UTTERANCES + 1):
        bench.hear("input_audio_buffer.speech_started", item_id=f"i{number}")
        bench.hear("conversation.item.input_audio_transcription.delta", item_id=f"i{number}", delta="x")
    words = "conversation.item.input_audio_transcription"
    (first,) = bench.hear(f"{words}.delta", item_id="i0", delta="y")
    assert first == e.CallerSaid("y", False)
    (last,) = bench.hear(f"{words}.delta", item_id=f"i{client.MAX_UTTERANCES}", delta="y")
    assert isinstance(last, e.CallerSaid)
    assert (last.text, last.began is None) == ("xy", False)


def test_a_typed_turn_is_an_item_and_asks_for_a_reply() -> None:
    item, create = Bench().send(c.Tell("move it"))
    assert item["item"]["content"] == [{"type": "input_text", "text": "move it"}]
    assert (item["item"]["role"], create["type"]) == ("user", "response.create")


# The assistant


@pytest.mark.parametrize("shape", Shape)
def test_a_reply_is_told_from_its_beginning_to_its_end(shape: Shape) -> None:
    bench = Bench(shape=shape)
    assert bench.created("resp_1") == [e.ReplyStarted("resp_1")]
    assert bench.hear("response.output_audio_transcript.delta", response_id="resp_1", item_id="a", delta="Hello.") == [
        e.AssistantSaid("resp_1", "Hello.")
    ]
    assert bench.sound("resp_1", "a", FRAME) == [e.AssistantSpoke("resp_1", FRAME)]
    assert bench.hear("response.output_audio_transcript.delta", response_id="resp_1", item_id="b", delta="More.") == [
        e.AssistantSaid("resp_1", " More.")
    ]
    assert bench.done("resp_1", usage={"input_tokens": 7, "output_tokens": 3}) == [
        e.TokensUsed(input_text=7, output_text=3),
        e.ReplyEnded("resp_1"),
    ]
    assert bench.sound("resp_1", "a", FRAME) == [], "what comes after the end is nobody's"
    assert bench.done("resp_1") == []


def test_a_reply_that_was_not_announced_begins_with_its_sound() -> None:
    bench = Bench()
    assert bench.sound("resp_9", "a", FRAME) == [e.ReplyStarted("resp_9"), e.AssistantSpoke("resp_9", FRAME)]


def test_replies_without_names_are_told_apart() -> None:
    bench = Bench()
    (first, _) = bench.sound("", "a", FRAME)
    bench.hear("response.done", response={"status": "completed"})
    (second, _) = bench.sound("", "b", FRAME)
    assert isinstance(first, e.ReplyStarted)
    assert isinstance(second, e.ReplyStarted)
    assert first.item != second.item
    (cancel,) = bench.send(c.CancelReply(second.item))
    assert "response_id" not in cancel


def test_a_name_that_could_be_one_of_the_houses_is_marked_and_given_back() -> None:
    bench = Bench()
    (started,) = bench.created("~1")
    assert started == e.ReplyStarted("?~1")
    (cancel,) = bench.send(c.CancelReply("?~1"))
    assert cancel["response_id"] == "~1"


def test_half_a_sample_of_one_item_does_not_shift_the_next() -> None:
    bench = Bench(audio_format="pcm16")
    bench.created("resp_1")
    bench.sound("resp_1", "a", bytes(961))
    (spoke,) = bench.sound("resp_1", "b", b"\x00\x40" * 2_400)
    assert isinstance(spoke, e.AssistantSpoke)
    (alone,) = Bench(audio_format="pcm16").sound("resp_1", "b", b"\x00\x40" * 2_400)[1:]
    assert isinstance(alone, e.AssistantSpoke)
    assert spoke.audio == alone.audio


# Interruptions


def speaking(bench: Bench) -> None:
    """Two items of 40 ms each."""
    bench.created("resp_1")
    for item in ("a", "a", "b", "b"):
        bench.sound("resp_1", item, FRAME)


def cuts(messages: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [
        (each["item_id"], each["audio_end_ms"]) for each in messages if each["type"] == "conversation.item.truncate"
    ]


def test_an_interrupted_reply_is_cancelled_and_then_cut_item_by_item() -> None:
    bench = Bench()
    speaking(bench)
    assert bench.send(c.Truncate("resp_1", 30)) == [], "the server makes it still"
    cancel, *truncates = bench.send(c.CancelReply("resp_1"))
    assert (cancel["type"], cancel["response_id"]) == ("response.cancel", "resp_1")
    assert cuts(truncates) == [("a", 30), ("b", 0)]
    bench.sound("resp_1", "c", FRAME)
    bench.done("resp_1", "cancelled")
    assert cuts(bench.sent()) == [("c", 0)], "what came too late was not heard either"


def test_a_reply_that_is_complete_is_cut_at_once() -> None:
    bench = Bench()
    speaking(bench)
    bench.done("resp_1")
    assert cuts(bench.send(c.Truncate("resp_1", 60), c.CancelReply("resp_1"))) == [("b", 20)]


def test_what_was_heard_of_a_reply_never_grows_again() -> None:
    bench = Bench()
    speaking(bench)
    bench.done("resp_1")
    assert cuts(bench.send(c.Truncate("resp_1", 60))) == [("b", 20)]
    assert cuts(bench.send(c.Truncate("resp_1", 70))) == []
    assert cuts(bench.send(c.Truncate("resp_1", 30))) == [("a", 30), ("b", 0)]


def test_a_server_that_interrupts_itself_needs_no_cancel() -> None:
    bench = Bench(opened=False)
    session = {"audio": {"input": {**PCMU, "turn_detection": {"type": "server_vad", "interrupt_response": True}}}}
    bench.hear("session.updated", session=session)
    speaking(bench)
    bench.hear("input_audio_buffer.speech_started", item_id="i")
    assert cuts(messages := bench.send(c.Truncate("resp_1", 30), c.CancelReply("resp_1"))) == [("a", 30), ("b", 0)]
    assert [each["type"] for each in messages] == ["conversation.item.truncate"] * 2


def test_one_reply_is_cancelled_once() -> None:
    bench = Bench()
    bench.created("resp_1")
    assert len(bench.send(c.CancelReply("resp_1"), c.CancelReply("resp_1"))) == 1
    assert bench.send(c.CancelReply("nobody's")) == []


def test_late_cancels_and_cuts_are_no_trouble() -> None:
    bench = Bench()
    assert bench.error("response_cancel_not_active") == []
    assert bench.error("invalid_value", "cut_7") == []
    assert bench.error(None, "cancel_8") == []
    assert bench.error("invalid_value", "other_9") == [e.SessionTrouble("invalid_value")]


# Functions


def test_a_function_is_called_once_with_what_was_streamed() -> None:
    bench = Bench()
    bench.created("resp_1")
    for delta in ('{"after":', '"now"}'):
        bench.hear("response.function_call_arguments.delta", item_id="item_c1", call_id="c1", delta=delta)
    assert bench.called("c1", arguments="") == [e.ToolCalled("c1", e.Action("get_next_event", {"after": "now"}))]
    assert bench.called("c1") == []
    whole = {"id": "item_c1", "type": "function_call", "call_id": "c1", "name": "get_next_event", "status": "completed"}
    assert bench.done("resp_1", output=[whole]) == [e.ReplyEnded("resp_1")]


def test_a_function_that_only_the_end_of_the_response_tells_of_is_called() -> None:
    bench = Bench()
    bench.created("resp_1")
    whole = {"id": "i", "type": "function_call", "call_id": "c1", "name": "get_next_event", "status": "completed"}
    called, ended = bench.done("resp_1", output=[whole])
    assert called == e.ToolCalled("c1", e.Action("get_next_event"))
    assert ended == e.ReplyEnded("resp_1")


def test_a_call_that_was_broken_off_is_none() -> None:
    bench = Bench()
    bench.created("resp_1")
    assert bench.called("c1", status="incomplete") == []
    assert bench.hear("response.output_item.done", item={"type": "message", "status": "completed"}) == []


def test_a_reply_is_asked_for_when_all_results_are_there_and_the_calling_response_is_done() -> None:
    bench = Bench()
    bench.created("resp_1")
    bench.called("c1")
    bench.called("c2")
    (first,) = bench.send(c.GiveResult("c1", '{"ok":true}'))
    assert first["item"] | {"id": ""} == {
        "id": "",
        "type": "function_call_output",
        "call_id": "c1",
        "output": '{"ok":true}',
    }
    bench.done("resp_1")
    assert bench.sent() == []
    assert [each["type"] for each in bench.send(c.GiveResult("c2", "2"))] == [
        "conversation.item.create",
        "response.create",
    ]


def test_a_result_that_is_quicker_than_the_response_waits_with_its_question() -> None:
    bench = Bench()
    bench.created("resp_1")
    bench.called("c1")
    assert [each["type"] for each in bench.send(c.GiveResult("c1", "1"))] == ["conversation.item.create"]
    bench.done("resp_1")
    assert bench.kinds() == ["response.create"]


def test_a_response_that_knows_the_results_already_is_the_one_that_was_wanted() -> None:
    bench = Bench()
    bench.created("resp_1")
    bench.called("c1")
    (item,) = bench.send(c.GiveResult("c1", "1"))
    bench.hear("conversation.item.added", item={"id": item["item"]["id"], "type": "function_call_output"})
    bench.done("resp_1")
    bench.sent()
    bench.created("resp_2")
    bench.done("resp_2")
    assert bench.sent() == []


def test_a_response_that_was_quicker_than_ours_is_waited_for() -> None:
    bench = Bench()
    bench.send(c.Tell("hello"))
    assert bench.error("conversation_already_has_active_response", "create_2") == []
    bench.created("resp_1")
    bench.done("resp_1")
    assert bench.kinds() == ["response.create"]


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("rm", "{}", "unknown_tool"),
        ("get_next_event", "[1]", "invalid_arguments"),
        ("get_next_event", "{", "invalid_arguments"),
    ],
)
def test_a_call_that_makes_no_sense_is_answered_by_the_wire_itself(name: str, arguments: str, code: str) -> None:
    bench = Bench()
    bench.created("resp_1")
    assert bench.called("c1", name, arguments) == [e.SessionTrouble(code)]
    (item,) = bench.sent()
    assert json.loads(item["item"]["output"])["error"]["code"] == code
    bench.done("resp_1")
    assert bench.kinds() == ["response.create"]


def test_a_result_is_given_once_and_only_to_a_call() -> None:
    bench = Bench()
    bench.created("resp_1")
    bench.called("c1")
    bench.send(c.GiveResult("c1", "1"))
    for call_id in ("c1", "c2"):
        with pytest.raises(LocalError):
            bench.send(c.GiveResult(call_id, "1"))


def test_no_yes_reaches_a_session_that_proposes_nothing() -> None:
    action = e.Action("cancel_event")
    yes = c.Answer("c1", action, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, permit=Permit(action, 0))
    bench = Bench()
    with pytest.raises(LocalError):
        bench.send(yes)
    assert bench.sent() == []


# Going on


@pytest.mark.parametrize(("shape", "spoken"), [(Shape.GA, "output_text"), (Shape.BETA, "text")])
def test_a_conversation_goes_on_as_items_and_speaks_only_when_it_is_asked_to(shape: Shape, spoken: str) -> None:
    bench = Bench(shape=shape)
    turns = (c.Turn("caller", "move lunch"), c.Turn("assistant", "To when?"))
    told = bench.send(c.HandOn(turns, answer=False))
    assert [(each["item"]["role"], each["item"]["content"][0]["type"]) for each in told] == [
        ("user", "input_text"),
        ("assistant", spoken),
    ]
    *_, last = bench.send(c.HandOn(turns, (c.Done(e.Action("cancel_event"), "executed"),)))
    assert last["type"] == "response.create"


# Trouble


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("session_expired", "expired"),
        ("beta_api_shape_disabled", "refused"),
        ("insufficient_quota", "refused"),
        ("invalid_api_key", "refused"),
    ],
)
def test_some_errors_end_the_session(code: str, reason: str) -> None:
    bench = Bench()
    assert bench.error(code, message="Because.") == [e.SessionClosed(reason, "Because.")]
    assert bench.wire.closed(1000) == e.SessionClosed(reason)


def test_other_errors_do_not() -> None:
    bench = Bench()
    assert bench.error("server_error", message="Oops.") == [e.SessionTrouble("server_error", "Oops.")]
    assert bench.error(None) == [e.SessionTrouble("invalid_request_error")]
    assert bench.hear("error", error={"code": 429}) == [e.SessionTrouble("429")]


def test_a_response_that_failed_is_asked_for_again_some_times() -> None:
    bench = Bench()
    details = {"error": {"code": "rate_limit_exceeded"}}
    for number in range(client.MAX_RETRIES):
        bench.created(f"resp_{number}")
        assert bench.done(f"resp_{number}", "failed", status_details=details) == [
            e.ReplyEnded(f"resp_{number}", "failed"),
            e.SessionTrouble("rate_limit_exceeded"),
        ]
        due = bench.wire.deadline()
        assert due == bench.now + client.RETRY_MS
        bench.wire.expire(due)
        assert bench.kinds() == ["response.create"]
    bench.created("resp_last")
    bench.done("resp_last", "failed", status_details=details)
    assert bench.wire.deadline() is None


def test_a_quota_that_is_used_up_ends_the_session() -> None:
    bench = Bench()
    bench.created("resp_1")
    events = bench.done("resp_1", "failed", status_details={"error": {"code": "insufficient_quota"}})
    assert events[-1] == e.SessionClosed("refused")
    assert bench.wire.deadline() is None


@pytest.mark.parametrize(
    ("code", "why", "reason"),
    [
        (1000, "", "lost"),
        (1000, "completed", "ended"),
        (1006, "", "lost"),
        (4000, "", "refused"),
        (1008, "", "refused"),
    ],
)
def test_a_closed_socket_says_what_it_means(code: int, why: str, reason: str) -> None:
    assert Bench().wire.closed(code, why) == e.SessionClosed(reason)

"""Talks with a model that calls functions: what it calls is held, asked for, and run by the bridge itself."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from phone_bridge.call.rules import Rules
from phone_bridge.sessions.realtime import messages as m
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.simulator.script import HangUp, Listen, Press, Say, Wait
from tests.sessions.realtime.model import Call, Drop, Step, Turn
from tests.talks.stage import Circumstances, Talk, hold

REVIEW = "Project review with Anna"
QUESTION = f"bridge: I am about to cancel {REVIEW}, on Tuesday the 24th of November at 11:30 a.m."
KEYS = (
    "bridge: Press 1 or say yes to confirm, press 2 or say no to leave things as they are. Press star to hear it again."
)
WISH = Say("please cancel my next meeting")


def secretary(talk: Sequence[Turn]) -> Sequence[Call | str]:
    """Find the next meeting, cancel it, and say what came of it; any other words are answered with a remark."""
    last = talk[-1]
    if last.role == "result":
        result = json.loads(last.text)
        if not result["ok"]:
            return [f"I see: {result['error']['code']}."]
        calls = [turn for turn in talk if turn.role == "call"]
        if calls[-1].text == "get_next_event":
            return [Call("cancel_event", {"event_id": result["event"]["id"]})]
        return ["Done, it is cancelled."]
    if last.role == "user" and "cancel" in last.text:
        return [Call("get_next_event")]
    return [f"You said: {last.text}."]


def talking(*, shape: Shape = Shape.GA, output_format: str = "g711_ulaw", rules: Rules | None = None) -> Circumstances:
    return Circumstances(mind=secretary, shape=shape, output_format=output_format, rules=rules or Rules())


def results(talk: Talk) -> list[dict[str, object]]:
    said = [each.item for model in talk.models for each in model.heard if isinstance(each, m.ItemCreate)]
    return [json.loads(item.output or "") for item in said if item.type == "function_call_output"]


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("output_format", ["g711_ulaw", "pcm16"])
def test_what_a_model_wants_to_do_is_asked_for_and_done_once_a_key_allows_it(
    tmp_path: Path, shape: Shape, output_format: str
) -> None:
    talk = hold(tmp_path, WISH, Press("1"), given=talking(shape=shape, output_format=output_format))
    assert talk.result.reasons == ()
    assert talk.lines[1:] == [
        "caller: please cancel my next meeting",
        QUESTION,
        KEYS,
        "assistant: Done, it is cancelled.",
    ]
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]
    assert talk.asked[0].outcome == "executed"
    assert talk.asked[0].result["resource"]["object"] == "event"
    assert REVIEW not in talk.calendar
    assert [result["ok"] for result in results(talk)] == [True, True]
    assert talk.models[0].errors == []


def test_a_spoken_yes_is_ours_to_judge_though_the_model_hears_it_too(tmp_path: Path) -> None:
    talk = hold(tmp_path, WISH, Say("yes, go ahead"), given=talking())
    assert talk.lines[-3:] == [KEYS, "caller: yes, go ahead", "assistant: Done, it is cancelled."]
    assert talk.verdicts == [("cancel_event", "confirmed", "speech")]
    assert REVIEW not in talk.calendar
    assert "assistant: You said: yes, go ahead." not in talk.lines
    assert set(talk.models[0].errors) <= {"response_cancel_not_active"}


def test_two_is_a_no_and_the_model_is_told_so_as_the_tools_result(tmp_path: Path) -> None:
    talk = hold(tmp_path, WISH, Press("2"), given=talking())
    assert talk.lines[-1] == "assistant: I see: declined."
    assert talk.verdicts == [("cancel_event", "declined", "digit")]
    assert REVIEW in talk.calendar


def test_a_spoken_no_leaves_everything_as_it_is(tmp_path: Path) -> None:
    talk = hold(tmp_path, WISH, Say("no, leave it"), given=talking())
    assert talk.verdicts == [("cancel_event", "declined", "speech")]
    assert talk.lines[-1] == "assistant: I see: declined."
    assert REVIEW in talk.calendar


def test_silence_is_a_no_and_the_model_is_told_of_it(tmp_path: Path) -> None:
    talk = hold(tmp_path, WISH, given=talking(rules=Rules(answer_ms=2_000)))
    assert talk.verdicts == [("cancel_event", "expired", "none")]
    assert REVIEW in talk.calendar
    assert results(talk)[-1]["ok"] is False


def test_who_hangs_up_at_the_question_has_consented_to_nothing(tmp_path: Path) -> None:
    talk = hold(tmp_path, WISH, Listen(500), HangUp(after_ms=0), given=talking())
    assert talk.verdicts == [("cancel_event", "unanswered", "none")]
    assert REVIEW in talk.calendar
    assert len(results(talk)) == 1


def test_what_is_wished_unasked_is_done_and_told(tmp_path: Path) -> None:
    talk = hold(tmp_path, WISH, given=talking(rules=Rules(auto_confirm=frozenset({"cancel_event"}))))
    assert talk.verdicts == [("cancel_event", "confirmed", "none")]
    assert REVIEW not in talk.calendar
    assert talk.lines[-1] == "assistant: Done, it is cancelled."


@pytest.mark.parametrize("heard_ms", [400, 1_000])
def test_an_interrupted_reply_is_truncated_at_what_was_heard(tmp_path: Path, heard_ms: int) -> None:
    def two_items(talk: Sequence[Turn]) -> Sequence[Call | str]:
        if talk[-1].text == "tell me":
            return ["This is a fairly long sentence about nothing in particular.", "And this is one more to follow it."]
        return ["All right."]

    talk = hold(
        tmp_path, Say("tell me"), Listen(heard_ms), Say("stop", after_ms=0), given=Circumstances(mind=two_items)
    )
    model = talk.models[0]
    first, second = list(model.spoken_ms)[:2]
    cut = model.truncated[first]
    assert heard_ms <= cut <= heard_ms + 300
    assert abs(model.spoken_ms[first] - cut - (talk.trace.counts.cut_ms - model.spoken_ms[second])) <= 20
    assert model.truncated[second] == 0
    assert set(model.errors) <= {"response_cancel_not_active"}
    assert talk.lines[-2:] == ["caller: stop", "assistant: All right."]


def test_words_that_come_after_the_reply_to_them_interrupt_nothing(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("hello"), given=talking())
    assert talk.lines[1:] == ["caller: hello", "assistant: You said: hello."]
    assert talk.trace.counts.cut_ms == 0
    assert talk.trace.counts.barge_ins == 0


def test_tokens_are_counted_over_the_whole_call(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("hello"), Say("and goodbye"), given=talking())
    counts = talk.trace.counts
    assert (counts.input_text_tokens, counts.output_text_tokens) == (20, 10)


def test_a_session_that_is_lost_at_its_question_writes_nothing_and_the_next_one_knows_what_was_said(
    tmp_path: Path,
) -> None:
    def forgetful(talk: Sequence[Turn]) -> Sequence[Step]:
        if talk[-1].role == "system":
            return ["I am back."]
        wanted = secretary(talk)
        return (
            [*wanted, Drop()] if wanted and isinstance(wanted[0], Call) and wanted[0].name == "cancel_event" else wanted
        )

    talk = hold(tmp_path, WISH, Listen(500), given=Circumstances(mind=forgetful))
    assert talk.trace.counts.losses == 1
    assert talk.lines[-1] == "assistant: I am back."
    assert REVIEW in talk.calendar
    assert all(verdict == "unanswered" for _, verdict, _ in talk.verdicts)
    _, second = talk.models
    assert second.talk[0].role == "system", "the caller's words were not written down in time"
    assert talk.trace.error == ""


def test_a_session_whose_time_is_up_is_left_for_the_next_one_without_anybodys_hearing_it(tmp_path: Path) -> None:
    script = (Say("I like tea"), Wait(12_000), WISH, Press("1"))
    talk = hold(tmp_path, *script, given=Circumstances(mind=secretary, life_ms=30_000))
    assert (talk.trace.counts.renewals, talk.trace.counts.losses) == (1, 0)
    first, second = talk.models
    assert ("user", "I like tea") in [(turn.role, turn.text) for turn in first.talk]
    assert "I like tea" in second.talk[0].text
    assert talk.lines[-4:] == [f"caller: {WISH.text}", QUESTION, KEYS, "assistant: Done, it is cancelled."]
    assert talk.verdicts == [("cancel_event", "confirmed", "digit")]
    assert [each.errors for each in talk.models] == [[], []]


def test_two_functions_of_one_response_are_asked_one_by_one_and_answered_together(tmp_path: Path) -> None:
    def eager(talk: Sequence[Turn]) -> Sequence[Step]:
        if talk[-1].role == "user":
            return [
                Call("create_event", {"title": "Tea", "start_time": "2026-11-25T15:00:00-05:00"}),
                Call("create_event", {"title": "Cake", "start_time": "2026-11-25T16:00:00-05:00"}),
            ]
        return ["Both are settled."]

    talk = hold(tmp_path, Say("plan tea and cake"), Press("1"), Press("2"), given=Circumstances(mind=eager))
    assert talk.verdicts == [("create_event", "confirmed", "digit"), ("create_event", "declined", "digit")]
    assert "Tea" in talk.calendar
    assert "Cake" not in talk.calendar
    assert talk.lines[-1] == "assistant: Both are settled."
    assert len(talk.models[0].said(m.ResponseCreate)) == 1


def test_a_tool_that_nobody_offered_is_never_asked_for(tmp_path: Path) -> None:
    def wild(talk: Sequence[Turn]) -> Sequence[Step]:
        return [Call("format_disk")] if talk[-1].role == "user" else [json.loads(talk[-1].text)["error"]["code"]]

    talk = hold(tmp_path, Say("do something"), given=Circumstances(mind=wild))
    assert talk.verdicts == []
    assert talk.lines[-1] == "assistant: unknown_tool"

"""A function-calling model in a call: what runs at once, what is asked for, and what becomes of a lost session's."""

import json

import pytest

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.functions import ASKED_ALREADY, Functions, readable
from phone_bridge.call.past import Past
from phone_bridge.call.permit import Permit
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Asked
from phone_bridge.offers import Effect
from tests.call.desk import CANCEL, LINE_MS, Desk

EFFECTS = {"get_next_event": Effect.READ, "cancel_event": Effect.DESTROY, "create_event": Effect.WRITE}
LOOK = e.Action("get_next_event")
CREATE = e.Action("create_event", {"title": "Lunch"}, "Create Lunch.")


def talking(rules: Rules | None = None, *, past: Past | None = None) -> Desk:
    return Desk(rules or Rules(effects=EFFECTS), past=past).opened()


def called(desk: Desk, id: str = "call_1", action: e.Action = CANCEL) -> None:
    """Call a function in a response of its own, which is done then; what has to be asked for is prepared at once."""
    desk.tell(e.ReplyStarted("resp_1"), e.ToolCalled(id, action), e.ReplyEnded("resp_1"))
    for prepare in desk.of(c.PrepareTool):
        if prepare.id == id:
            desk.tell(e.ToolPrepared(id, prepare.action))


def asked(desk: Desk, id: str = "call_1", action: e.Action = CANCEL) -> None:
    called(desk, id, action)
    desk.wait(2 * LINE_MS + 100)
    desk.done.clear()


def codes(desk: Desk) -> list[str]:
    return [json.loads(given.output)["error"]["code"] for given in desk.of(c.GiveResult)]


def test_what_only_reads_runs_at_once_and_without_a_permit() -> None:
    desk = talking()
    called(desk, action=LOOK)
    assert desk.of(c.RunTool) == [c.RunTool("call_1", LOOK)]
    assert desk.of(c.PrepareTool) == []
    desk.tell(e.ToolRan("call_1", '{"ok":true}', True))
    assert desk.of(c.GiveResult) == [c.GiveResult("call_1", '{"ok":true}')]
    assert desk.call.trace.actions == []


@pytest.mark.parametrize("name", ["cancel_event", "create_event", "a tool that nobody knows"])
def test_all_else_is_prepared_and_asked_for_before_it_runs(name: str) -> None:
    desk = talking()
    called(desk, action=e.Action(name, {}))
    assert desk.of(c.PrepareTool) == [c.PrepareTool("call_1", e.Action(name, {}))]
    assert desk.of(c.RunTool) == []
    assert desk.spoken()[0].startswith("question.")


def test_what_is_asked_for_and_run_is_what_was_prepared() -> None:
    desk = talking()
    exact = e.Action("cancel_event", {"event_ids": ["evt_1", "evt_2"]})
    desk.tell(e.ToolCalled("call_1", e.Action("cancel_event", {"all": True})), e.ToolPrepared("call_1", exact))
    desk.wait(2 * LINE_MS + 100)
    desk.tell(e.DigitPressed("1"))
    (run,) = desk.of(c.RunTool)
    assert run == c.RunTool("call_1", exact, Permit(exact, desk.now))


def test_a_yes_by_key_runs_it_once_and_its_outcome_is_noted() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.DigitPressed("1"), e.DigitPressed("1"))
    (run,) = desk.of(c.RunTool)
    assert run.permit is not None
    assert desk.of(c.Answer) == []
    desk.tell(e.ToolRan("call_1", '{"ok":true,"n":1}', True), e.ToolRan("call_1", "{}", True))
    assert desk.of(c.GiveResult) == [c.GiveResult("call_1", '{"ok":true,"n":1}')]
    (kept,) = desk.call.trace.actions
    assert (kept.verdict, kept.by, kept.outcome) == ("confirmed", "digit", "executed")
    assert kept.result == {"ok": True, "n": 1}
    assert kept.answer == "1"
    assert kept.question


def test_a_spoken_yes_counts_as_it_does_everywhere() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.CallerSaid("yes please", began=desk.now - 50), e.CallerSaid("yes", began=desk.now - 50))
    assert len(desk.of(c.RunTool)) == 1


@pytest.mark.parametrize("text", ["yes please", "no", "cancel my next meeting", "what"])
def test_words_that_were_begun_before_the_question_are_no_answer_to_it(text: str) -> None:
    desk = talking()
    began = desk.now
    desk.wait(100)
    called(desk)
    desk.wait(2 * LINE_MS + 100)
    desk.done.clear()
    desk.tell(e.CallerSaid(text, began=began), e.CallerSaid(text, final=False, began=began))
    assert desk.done == []
    assert ("caller", text) in desk.trace


def test_a_yes_that_was_begun_before_the_naming_was_heard_is_none() -> None:
    desk = talking()
    called(desk)
    desk.wait(LINE_MS // 2)
    began = desk.now
    desk.wait(2 * LINE_MS)
    desk.done.clear()
    desk.tell(e.CallerSaid("yes please", began=began))
    assert desk.of(c.RunTool) == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (e.DigitPressed("2"), "declined"),
        (e.CallerSaid("no", began=5_000), "declined"),
        (e.CallerSaid("make it four", began=5_000), "declined"),
    ],
)
def test_a_no_is_the_functions_result(answer: e.Event, code: str) -> None:
    desk = talking()
    desk.wait(2_000)
    asked(desk)
    desk.tell(answer)
    assert codes(desk) == [code]
    assert desk.of(c.RunTool) == []
    assert desk.of(c.Answer) == []


def test_silence_is_the_functions_result_too() -> None:
    desk = talking()
    asked(desk)
    desk.wait(30_000)
    assert codes(desk) == ["expired"]
    (kept,) = desk.call.trace.actions
    assert kept.verdict == "expired"


def test_a_tool_that_cannot_be_done_is_not_asked_for() -> None:
    desk = talking()
    desk.tell(e.ToolCalled("call_1", CANCEL), e.ToolPrepared("call_1", CANCEL, '{"ok":false}'))
    assert desk.of(c.GiveResult) == [c.GiveResult("call_1", '{"ok":false}')]
    desk.wait(5_000)
    assert not any(key.startswith("question.") for key in desk.spoken())


def test_the_same_call_is_taken_once_and_the_same_deed_is_not_asked_twice_at_a_time() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.ToolCalled("call_1", CANCEL), e.ToolCalled("call_2", CANCEL))
    assert desk.of(c.GiveResult) == [c.GiveResult("call_2", ASKED_ALREADY)]
    assert desk.of(c.PrepareTool) == []


def test_a_deed_that_was_done_is_asked_for_again_with_a_warning() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.DigitPressed("1"), e.ToolRan("call_1", "{}", True))
    desk.wait(5_000)
    desk.done.clear()
    called(desk, "call_2")
    assert desk.spoken()[0] == "again_done"


def test_a_deed_that_failed_is_asked_for_again_without_a_warning() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.DigitPressed("1"), e.ToolRan("call_1", "{}", False))
    desk.wait(5_000)
    desk.done.clear()
    called(desk, "call_2")
    assert desk.spoken()[0].startswith("question.")


def test_two_deeds_are_asked_one_after_the_other_without_waiting_for_the_model() -> None:
    desk = talking()
    asked(desk)
    called(desk, "call_2", CREATE)
    desk.tell(e.DigitPressed("1"))
    assert not any(key == "question.create_event" for key in desk.spoken())
    desk.tell(e.ToolRan("call_1", "{}", True))
    assert "question.create_event" in desk.spoken()


def test_what_is_wished_unasked_runs_with_a_permit_and_is_told() -> None:
    desk = talking(Rules(effects=EFFECTS, auto_confirm=frozenset({"create_event"})))
    called(desk, action=CREATE)
    (run,) = desk.of(c.RunTool)
    assert run.permit is not None
    assert desk.spoken() == ["confirmed_by_preference", "question.create_event"]
    (kept,) = desk.call.trace.actions
    assert (kept.verdict, kept.by) == ("confirmed", "none")


# The model's own talk


def test_a_reply_that_begins_while_a_question_is_asked_is_cancelled_and_not_heard() -> None:
    desk = talking()
    asked(desk)
    desk.reply("resp_2", 500, text="Yes, go ahead. One. Press one.")
    assert c.CancelReply("resp_2") in desk.done
    assert c.Truncate("resp_2", 0) in desk.done
    assert desk.of(c.Play) == []
    assert desk.of(c.RunTool) == []
    desk.wait(100)
    assert desk.call.trace.actions == []


def test_what_was_said_before_the_question_is_told_as_heard_and_no_more() -> None:
    desk = talking()
    desk.reply("resp_1", 600, end=False)
    desk.tell(e.ToolCalled("call_1", CANCEL), e.ToolPrepared("call_1", CANCEL))
    assert desk.of(c.Truncate) == [c.Truncate("resp_1", 600)]
    desk.tell(e.AssistantSpoke("resp_1", b"\x11" * 8_000))
    assert desk.of(c.Truncate) == [c.Truncate("resp_1", 600)]


# Time


def test_a_slow_tool_is_bridged_by_one_moment_and_is_no_fault_of_the_sessions() -> None:
    desk = talking()
    desk.tell(e.TurnEnded())
    called(desk, action=LOOK)
    desk.wait(2_600)
    assert desk.spoken() == ["one_moment"]
    desk.wait(60_000)
    assert desk.of(c.OpenSession) == []
    desk.tell(e.ToolRan("call_1", "{}", True))
    desk.done.clear()
    desk.wait(16_000)
    assert desk.of(c.OpenSession), "it owes a reply now"


def test_a_model_that_said_something_before_it_called_owes_the_answer_still() -> None:
    desk = talking()
    desk.tell(e.TurnEnded())
    desk.reply("resp_1", 500, end=False, text="Let me see.")
    desk.tell(e.ToolCalled("call_1", LOOK), e.ReplyEnded("resp_1"))
    desk.wait(500 + 2_700)
    assert desk.spoken() == ["one_moment"]


def test_a_reply_with_its_results_owes_nothing_more() -> None:
    desk = talking()
    desk.tell(e.TurnEnded())
    called(desk, action=LOOK)
    desk.tell(e.ToolRan("call_1", "{}", True))
    desk.reply("resp_2", 300, text="Lunch.")
    desk.wait(10_000)
    assert desk.spoken() == []


# Lost sessions


def test_a_tool_that_runs_when_its_session_is_lost_runs_on_and_is_told_to_the_next() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.DigitPressed("1"), e.SessionClosed("lost"))
    assert desk.of(c.LookUp) == [], "nobody has to be asked what we do ourselves"
    desk.tell(e.SessionOpened("sess_2"))
    assert desk.of(c.HandOn) == []
    desk.done.clear()
    desk.tell(e.ToolRan("call_1", '{"ok":true}', True))
    assert desk.of(c.GiveResult) == []
    (handed,) = desk.of(c.HandOn)
    assert [(done.action, done.outcome) for done in handed.done] == [(CANCEL, "executed")]
    assert desk.spoken() == ["done_before"]
    (kept,) = desk.call.trace.actions
    assert (kept.outcome, kept.result) == ("executed", {"ok": True})


@pytest.mark.parametrize(("ok", "unsure", "told"), [(False, False, "not_done"), (False, True, "outcome_unknown")])
def test_what_came_of_it_is_said_as_far_as_it_is_known(ok: bool, unsure: bool, told: str) -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.DigitPressed("1"), e.SessionClosed("lost"), e.SessionOpened("sess_2"))
    desk.done.clear()
    desk.tell(e.ToolRan("call_1", "{}", ok, unsure))
    assert desk.spoken() == [told]


def test_a_question_of_a_lost_session_falls_and_nothing_runs() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.SessionClosed("lost"), e.SessionOpened("sess_2"))
    desk.tell(e.DigitPressed("1"))
    assert desk.of(c.RunTool) == []
    (kept,) = desk.call.trace.actions
    assert kept.verdict == "unanswered"


def test_what_is_prepared_for_a_lost_session_is_not_asked() -> None:
    desk = talking()
    desk.tell(e.ToolCalled("call_1", CANCEL), e.SessionClosed("lost"), e.SessionOpened("sess_2"))
    desk.done.clear()
    desk.tell(e.ToolPrepared("call_1", CANCEL))
    desk.wait(3_000)
    assert not any(key.startswith("question.") for key in desk.spoken())


def test_a_new_session_may_use_a_name_that_an_old_one_used() -> None:
    desk = talking()
    called(desk, action=LOOK)
    desk.tell(e.SessionClosed("lost"), e.SessionOpened("sess_2"))
    desk.done.clear()
    desk.tell(e.ToolCalled("call_1", LOOK))
    (run,) = desk.of(c.RunTool)
    desk.tell(e.ToolRan("call_1", "old", True))
    assert desk.of(c.GiveResult) == [], "the first one's result is for nobody any more"
    desk.tell(e.ToolRan(run.id, "new", True))
    assert desk.of(c.GiveResult) == [c.GiveResult("call_1", "new")]


def test_a_call_that_was_cut_off_never_mixes_its_deeds_with_the_next_parts() -> None:
    kept = Asked("call_1", CANCEL, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, 10)
    desk = Desk(Rules(effects=EFFECTS), past=Past(5_000, (), (kept,)))
    (look_up,) = desk.of(c.LookUp)
    assert look_up.id == "call_1"
    desk.tell(e.OutcomeFound("call_1", "unknown"), e.SessionOpened())
    desk.wait(1_500)
    desk.tell(e.ToolCalled("call_1", CREATE))
    (prepare,) = desk.of(c.PrepareTool)
    assert prepare.id != "call_1"


def test_a_session_is_not_changed_for_its_spare_while_a_function_is_under_way() -> None:
    desk = talking(Rules(effects=EFFECTS, renew_ms=10_000, silence_ms=600_000))
    desk.tell(e.SessionExpiring(60_000))
    desk.wait(50_500)
    desk.tell(e.ToolCalled("call_1", LOOK), e.SpareReady())
    desk.wait(3_000)
    assert desk.of(c.TakeSpare) == []
    desk.tell(e.ToolRan("call_1", "{}", True))
    desk.reply("resp_2", 200)
    desk.wait(1_500)
    assert len(desk.of(c.TakeSpare)) == 1


# The end


def test_what_a_tool_did_is_noted_though_the_caller_has_gone() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.DigitPressed("1"), e.LegClosed())
    assert desk.ended
    desk.done.clear()
    desk.tell(e.ToolRan("call_1", '{"ok":true}', True))
    assert desk.done == []
    assert desk.call.trace.actions[0].outcome == "executed"


def test_nobody_is_told_of_a_question_that_the_call_s_end_left_open() -> None:
    desk = talking()
    asked(desk)
    desk.tell(e.EndRequested())
    assert desk.of(c.GiveResult) == []
    assert desk.of(c.Answer) == []
    assert desk.call.trace.actions[0].verdict == "unanswered"


# Late words


def test_words_that_come_after_the_reply_to_them_do_not_cut_it_off() -> None:
    desk = talking()
    desk.tell(e.VoiceStarted(desk.now))
    began = desk.now
    desk.wait(500)
    desk.tell(e.TurnEnded())
    desk.reply("resp_1", 3_000, text="Here is a long answer.")
    desk.wait(200)
    desk.tell(e.CallerSaid("tell", final=False, began=began), e.CallerSaid("tell me", began=began))
    assert desk.of(c.Flush) == []
    assert desk.of(c.CancelReply) == []
    desk.wait(20_000)
    assert desk.of(c.OpenSession) == [], "the reply was given, and is owed no more"
    assert "one_moment" not in desk.spoken()


def test_the_end_of_a_turn_starts_the_wait_for_its_reply() -> None:
    desk = talking()
    desk.tell(e.TurnEnded())
    desk.wait(2_600)
    assert desk.spoken() == ["one_moment"]


def test_a_turn_whose_words_never_came_is_handed_on_as_one_that_waits() -> None:
    desk = talking()
    desk.tell(e.TurnEnded(), e.SessionClosed("lost"), e.SessionOpened("sess_2"))
    assert desk.of(c.HandOn) == [c.HandOn(())]
    other = talking()
    other.tell(e.SessionClosed("lost"), e.SessionOpened("sess_2"))
    assert other.of(c.HandOn) == []


# The room itself


def test_results_that_are_json_are_kept_as_such() -> None:
    assert readable('{"a":1}') == {"a": 1}
    assert readable("[1]") == [1]
    assert readable("{cut") == "{cut"
    assert readable("five") == "five"


def test_it_works_while_anything_is_asked_or_runs() -> None:
    out: list[c.Command] = []
    functions = Functions(out)
    assert functions.take("a", LOOK) == "a"
    assert functions.working
    functions.run("a", LOOK, 0)
    assert functions.running == {"a"}
    functions.give("a", "x")
    assert not functions.working
    assert functions.owed
    functions.reply_started()
    assert not functions.owed


def test_a_function_is_made_ready_once() -> None:
    desk = Desk(Rules(effects={})).opened()
    desk.tell(e.ToolCalled("call_1", CANCEL), e.ToolPrepared("call_1", CANCEL))
    desk.wait(2 * LINE_MS + 100)
    desk.tell(e.ToolPrepared("call_1", CANCEL, refusal="no"))
    desk.tell(e.DigitPressed("1"))
    assert [run.id for run in desk.of(c.RunTool)] == ["call_1"]

"""The step up in a call: when the PIN is asked for, what ends that, and who hears what was said and pressed."""

import json

import pytest

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import words
from phone_bridge.call.machine import Phase
from phone_bridge.call.past import Past
from phone_bridge.call.proving import MAX_MUFFLED_MS, MAX_PIN_DIGITS, MAX_WRONG, Proving
from phone_bridge.call.trust import Tier, Trust
from phone_bridge.errors import LocalError
from tests.call.desk import CANCEL, FRAME, LINE_MS, MOVE, Caller, Desk

READ = e.Action("get_next_event")
PIN_TO_WRITE = Trust(tools={"get_next_event": Tier.UNKNOWN}, otherwise=Tier.PIN)
PIN_TO_READ = Trust(tools={"get_next_event": Tier.PIN}, otherwise=Tier.PIN)
PIN_TO_ENTER = Trust(enter=Tier.PIN)
SILENCE = b"\xff"
SPOKEN = b"\x91" * 160


def caller(trust: Trust = PIN_TO_WRITE, **rules: object) -> Caller:
    desk = Caller(trust, **rules)  # type: ignore[arg-type]
    desk.opened()
    return desk


def results(desk: Desk) -> list[str]:
    return [json.loads(each.output)["error"]["code"] for each in desk.of(c.GiveResult)]


# A proposal that needs more than a number


def test_a_proposal_waits_for_the_pin_and_is_asked_as_usual_then() -> None:
    desk = caller().asked_for_pin()
    assert desk.spoken() == ["pin_ask"]
    assert isinstance(desk, Caller)
    desk.give("right")
    desk.wait(4 * LINE_MS)
    assert desk.spoken()[1:] == ["pin_right", "question.cancel_event", "keys"]
    assert desk.verdicts() == []
    desk.press("1")
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]
    assert (desk.call.trace.trust, desk.call.trace.actions[0].trust) == ("pin", "pin")
    desk.of(c.Answer)[0].permit.use(CANCEL, desk.now)  # type: ignore[union-attr]


def test_a_pin_is_given_once_in_a_call() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.give("right")
    desk.wait(4 * LINE_MS)
    desk.press("2")
    desk.done.clear()
    desk.wait(2_000)
    desk.tell(e.ConfirmationAsked("act_2", MOVE))
    desk.wait(100)
    assert desk.spoken() == ["question.update_event", "keys"]


def test_what_the_caller_is_known_well_enough_for_is_asked_at_once() -> None:
    desk = caller(Trust(has=Tier.KNOWN, tools={"cancel_event": Tier.KNOWN}, otherwise=Tier.PIN))
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    assert desk.spoken() == ["question.cancel_event", "keys"]


def test_what_is_wished_without_asking_needs_the_pin_and_is_asked_then() -> None:
    desk = caller(auto_confirm=frozenset({"cancel_event"})).asked_for_pin()
    assert isinstance(desk, Caller)
    desk.give("right")
    desk.wait(100)
    assert desk.spoken()[1:] == ["pin_right", "question.cancel_event", "keys"]


def test_three_wrong_pins_are_a_no_and_none_is_asked_for_any_more() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    for left in range(MAX_WRONG - 1, -1, -1):
        desk.give("wrong")
        assert desk.verdicts() == ([] if left else [("act_1", "declined", "none")])
    assert desk.spoken() == ["pin_ask", "pin_wrong", "pin_wrong", "pin_refused"]
    assert desk.of(c.Answer)[0].words == words.unproven()
    desk.wait(3_000)
    desk.done.clear()
    desk.tell(e.ConfirmationAsked("act_2", MOVE))
    assert (desk.spoken(), desk.verdicts()) == (["pin_refused"], [("act_2", "declined", "none")])
    assert not desk.call.proving
    assert desk.call.trace.trust == "unknown"
    assert [asked.verdict for asked in desk.call.trace.actions] == [c.Verdict.DECLINED] * 2


@pytest.mark.parametrize("outcome", ["locked", "missing", "failed", "nonsense"])
def test_a_pin_that_cannot_be_judged_is_a_no_that_says_why(outcome: str) -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.give(outcome)
    told = "failed" if outcome == "nonsense" else outcome
    assert (desk.spoken()[-1], desk.verdicts()) == (f"pin_{told}", [("act_1", "declined", "none")])


def test_a_check_that_does_not_come_is_not_waited_for() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("482913#")
    attempt = desk.of(c.JudgePin)[0].attempt
    desk.wait(8_000)
    assert (desk.spoken()[-1], desk.verdicts()) == ("pin_failed", [("act_1", "declined", "none")])
    desk.tell(e.PinJudged(attempt, "right"))
    assert desk.call.trace.trust == "unknown", "a verdict that comes too late proves nothing"


def test_a_verdict_on_another_attempt_proves_nothing() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.give("wrong")
    desk.tell(e.PinJudged(1, "right"))
    desk.press("482913#")
    desk.tell(e.PinJudged(1, "right"))
    assert desk.call.proving
    assert desk.call.trace.trust == "unknown"


def test_the_hash_key_alone_does_without() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("#")
    assert (desk.spoken()[-1], desk.verdicts()) == ("pin_left", [("act_1", "declined", "digit")])
    desk.wait(4_000)
    desk.done.clear()
    desk.asked_for_pin("act_2", MOVE)
    assert desk.spoken() == ["pin_ask"], "whoever did without once may want it now"


def test_star_begins_again() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("4829*")
    assert desk.spoken() == ["pin_ask", "pin_again"]
    desk.press("#")
    assert desk.spoken()[-1] == "pin_left", "nothing is left of what was pressed before"


def test_the_first_key_hushes_the_request() -> None:
    desk = caller()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(500)
    desk.press("4")
    assert desk.of(c.Flush)


def test_a_pin_is_complete_after_a_pause_and_a_short_one_is_waited_for() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("48291")
    desk.wait(4_100)
    assert desk.of(c.JudgePin) == []
    desk.press("3")
    desk.wait(3_900)
    assert desk.of(c.JudgePin) == []
    desk.wait(100)
    assert desk.of(c.JudgePin) == [c.JudgePin(1)]


def test_the_longest_pin_is_complete_at_once() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("1" * MAX_PIN_DIGITS)
    assert len(desk.of(c.JudgePin)) == 1
    desk.press("9#")
    assert len(desk.of(c.JudgePin)) == 1, "what comes while it is checked is nobody's"


def test_silence_is_a_no() -> None:
    desk = caller(answer_ms=5_000)
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(LINE_MS + 5_000)
    assert desk.verdicts() == []
    desk.wait(10)
    assert (desk.spoken()[-1], desk.verdicts()) == ("pin_late", [("act_1", "expired", "none")])


def test_whoever_never_comes_to_an_end_is_not_waited_for_for_ever() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    for _ in range(30):
        desk.wait(5_000)
        desk.press("1*")
    assert desk.verdicts() == [("act_1", "expired", "none")]


def test_a_voice_that_cannot_be_made_leaves_the_keys() -> None:
    desk = caller(answer_ms=5_000)
    desk.voice_ms = None
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(5_000)
    desk.give("right")
    assert desk.call.trace.trust == "pin"


# By voice


def test_digits_are_spoken_in_one_run_or_in_several() -> None:
    desk = caller(pin_by_voice=True).asked_for_pin()
    assert desk.spoken() == ["pin_ask", "pin_voice"]
    desk.tell(e.PinSpoken(3))
    desk.wait(2_000)
    assert desk.of(c.JudgePin) == []
    desk.tell(e.PinSpoken(6))
    desk.wait(1_500)
    assert desk.of(c.JudgePin) == [c.JudgePin(1)]


def test_a_caller_who_has_changed_the_language_is_not_asked_to_speak_the_digits() -> None:
    desk = caller(pin_by_voice=True)
    desk.tell(e.LanguageChosen("de"))
    desk.wait(3_000)
    desk.done.clear()
    desk.asked_for_pin()
    assert desk.spoken() == ["pin_ask"]


@pytest.mark.parametrize(("wish", "told"), [("no", "pin_left"), ("repeat", "pin_again")])
def test_words_can_do_without_or_begin_again(wish: str, told: str) -> None:
    desk = caller().asked_for_pin()
    desk.tell(e.PinSpoken(0, wish))
    assert desk.spoken()[-1] == told


def test_words_that_are_no_digits_change_nothing() -> None:
    desk = caller().asked_for_pin()
    desk.tell(e.PinSpoken(0))
    assert desk.spoken() == ["pin_ask"]
    assert desk.call.proving


# Who hears what is said and pressed


def test_the_session_hears_silence_while_the_pin_is_asked_for() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.done.clear()
    desk.tell(e.CallerHeard(SPOKEN))
    desk.press("482913#")
    desk.tell(e.CallerHeard(SPOKEN))
    desk.judged("right")
    desk.wait(300)
    desk.tell(e.CallerHeard(SPOKEN))
    assert desk.of(c.Listen) == [c.Listen(SILENCE * len(SPOKEN))] * 3
    desk.wait(100)
    desk.tell(e.CallerHeard(SPOKEN))
    assert desk.of(c.Listen)[-1] == c.Listen(SPOKEN)


def test_a_voice_that_goes_on_is_withheld_to_its_end() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("482913#")
    desk.tell(e.VoiceStarted(desk.now))
    desk.judged("right")
    desk.wait(3_000)
    desk.tell(e.CallerHeard(SPOKEN))
    assert SPOKEN not in [listen.audio for listen in desk.of(c.Listen)]
    desk.tell(e.VoiceStopped(desk.now))
    desk.tell(e.CallerHeard(SPOKEN))
    assert desk.of(c.Listen)[-1] == c.Listen(SPOKEN)


def test_a_voice_that_begins_just_then_is_withheld_too_and_none_for_ever() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.give("right")
    desk.wait(300)
    desk.tell(e.VoiceStarted(desk.now))
    desk.wait(MAX_MUFFLED_MS - 1)
    desk.tell(e.CallerHeard(SPOKEN))
    assert SPOKEN not in [listen.audio for listen in desk.of(c.Listen)]
    desk.wait(1)
    desk.tell(e.CallerHeard(SPOKEN))
    assert desk.of(c.Listen)[-1] == c.Listen(SPOKEN)


def test_a_key_that_was_not_masked_is_nobody_s() -> None:
    desk = caller().asked_for_pin()
    for key in "482913#1":
        desk.tell(e.DigitPressed(key))
    assert desk.of(c.JudgePin) == []
    assert desk.verdicts() == []


def test_keys_of_a_slow_typist_are_masked_for_some_time_after() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    for _ in range(MAX_WRONG):
        desk.press("482913")
        desk.wait(4_000)
        desk.judged("wrong")
    assert not desk.call.proving
    desk.wait(2_900)
    assert desk.call.masks(desk.now)
    desk.press("7")
    desk.wait(2_900)
    assert desk.call.masks(desk.now), "each late key may be followed by another"
    desk.wait(100)
    assert not desk.call.masks(desk.now)


def test_an_answer_begun_while_the_pin_was_asked_is_no_answer_to_the_question() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.tell(e.VoiceStarted(desk.now))
    desk.give("right")
    desk.wait(10 * LINE_MS)
    assert desk.verdicts() == []
    desk.say("yes please")
    assert desk.verdicts() == [("act_1", "confirmed", "speech")], "its own beginning counts, not that of the PIN"


# What happens in between


def test_a_lost_session_ends_it_and_the_next_one_is_asked_anew() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("4829")
    desk.tell(e.SessionClosed("lost"))
    assert not desk.call.proving
    assert desk.of(c.ForgetPin)[1:] == [c.ForgetPin()]
    assert desk.call.masks(desk.now)
    desk.tell(e.SessionOpened("hub_2"))
    desk.wait(3_000)
    desk.done.clear()
    desk.asked_for_pin()
    assert desk.spoken() == ["pin_ask"]
    desk.give("right")
    assert desk.call.trace.trust == "pin"


def test_a_verdict_on_what_was_asked_for_a_lost_session_proves_nothing() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("482913#")
    desk.tell(e.SessionClosed("lost"), e.PinJudged(1, "right"))
    assert desk.call.trace.trust == "unknown"


def test_a_proposal_that_the_session_settles_ends_it() -> None:
    desk = caller().asked_for_pin()
    desk.tell(e.ActionSettled("act_1", "expired"))
    assert not desk.call.proving
    assert desk.spoken()[-1] == "withdrawn"
    assert desk.verdicts() == []


def test_a_second_proposal_waits_for_the_first() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.tell(e.ConfirmationAsked("act_2", MOVE))
    desk.press("#")
    desk.wait(10_000)
    assert desk.spoken() == ["pin_ask", "pin_left", "pin_ask"]


def test_hanging_up_ends_it() -> None:
    desk = caller().asked_for_pin()
    desk.tell(e.LegClosed())
    assert desk.ended
    assert desk.verdicts() == [("act_1", "unanswered", "none")]
    assert desk.call.trace.trust == "unknown"


def test_an_end_that_is_asked_for_ends_it() -> None:
    desk = caller().asked_for_pin()
    desk.tell(e.EndRequested("drain"))
    assert not desk.call.proving
    desk.wait(10_000)
    assert desk.ended


def test_the_assistant_is_silent_while_the_pin_is_asked_for() -> None:
    desk = caller().asked_for_pin()
    desk.done.clear()
    desk.reply("rsp_1", 2_000, text="And by the way, your next meeting is at ten.")
    assert desk.of(c.Play) == []


# Functions


def called(desk: Desk, id: str, action: e.Action) -> None:
    desk.tell(e.ReplyStarted("resp_1"), e.ToolCalled(id, action), e.ReplyEnded("resp_1"))
    desk.wait(LINE_MS + 100)


def test_a_function_that_reads_waits_for_the_pin_and_runs_then() -> None:
    desk = caller(PIN_TO_READ)
    called(desk, "call_1", READ)
    assert (desk.spoken(), desk.of(c.RunTool)) == (["pin_ask"], [])
    desk.give("right")
    assert desk.of(c.RunTool) == [c.RunTool("call_1", READ)]
    assert desk.call.trace.actions == []


def test_a_function_that_writes_is_not_even_made_ready_before_the_pin() -> None:
    desk = caller(PIN_TO_READ)
    called(desk, "call_1", CANCEL)
    desk.tell(e.ToolPrepared("call_1", CANCEL))  # which nobody has asked for
    assert (desk.spoken(), desk.of(c.PrepareTool)) == (["pin_ask"], [])
    desk.give("right")
    assert desk.of(c.PrepareTool) == [c.PrepareTool("call_1", CANCEL)]
    desk.tell(e.ToolPrepared("call_1", CANCEL))
    desk.wait(2 * LINE_MS + 100)
    desk.press("1")
    (run,) = desk.of(c.RunTool)
    assert run.permit is not None
    assert desk.call.trace.actions[0].trust == "pin"


def test_functions_that_are_called_together_are_opened_by_one_pin() -> None:
    desk = caller(PIN_TO_READ)
    desk.tell(e.ReplyStarted("resp_1"), e.ToolCalled("call_1", READ), e.ToolCalled("call_2", CANCEL))
    desk.tell(e.ReplyEnded("resp_1"))
    desk.wait(LINE_MS)
    desk.give("right")
    assert [run.id for run in desk.of(c.RunTool)] == ["call_1"]
    assert [prepare.id for prepare in desk.of(c.PrepareTool)] == ["call_2"]


def test_a_model_is_told_that_the_caller_has_not_proven_who_they_are() -> None:
    desk = caller(PIN_TO_READ)
    called(desk, "call_1", READ)
    desk.press("#")
    assert results(desk) == ["not_proven"]
    desk.wait(5_000)
    called(desk, "call_2", CANCEL)
    desk.press("#")
    assert results(desk) == ["not_proven", "not_proven"]
    assert desk.of(c.RunTool) == []
    assert [(a.action.name, a.verdict.value) for a in desk.call.trace.actions] == [("cancel_event", "declined")]


# Before the session


def test_no_session_is_opened_before_the_pin_where_the_route_asks_for_it() -> None:
    desk = Caller(PIN_TO_ENTER)
    assert desk.spoken() == ["pin_enter"]
    desk.wait(LINE_MS + 100)
    for _ in range(10):
        desk.tell(e.CallerHeard(SPOKEN))
    assert desk.of(c.OpenSession) == []
    desk.give("right")
    assert desk.of(c.OpenSession) == [c.OpenSession(patient=True)]
    assert desk.spoken() == ["pin_enter", "pin_welcome"]
    desk.tell(e.SessionOpened("hub_1"))
    assert desk.call.phase is Phase.TALKING
    assert desk.of(c.Listen) == [], "nothing that was spoken before is handed on"


def test_a_route_s_own_greeting_comes_before_the_request() -> None:
    desk = Caller(PIN_TO_ENTER, greeting="Office.")
    assert [[line.key for line in speak.lines] for speak in desk.of(c.Speak)] == [["greeting.own", "pin_enter"]]


def test_no_key_cuts_off_what_has_to_be_said_of_a_recording() -> None:
    desk = Caller(PIN_TO_ENTER, announce=True)
    assert desk.spoken() == ["recording_announcement", "pin_enter"]
    desk.wait(500)
    desk.press("4")
    assert desk.of(c.Flush) == []
    desk.wait(LINE_MS)
    desk.press("8")
    assert desk.of(c.Flush) == [c.Flush()]
    assert desk.call.recordable
    assert desk.call.private(desk.now), "and what is pressed is in no recording"


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        (["wrong", "wrong", "wrong"], "goodbye_pin"),
        (["wrong", "locked"], "goodbye_pin_locked"),
        (["missing"], "goodbye_pin_unable"),
        (["failed"], "goodbye_pin_unable"),
    ],
)
def test_whoever_cannot_enter_hears_a_goodbye_and_no_session_was_there(outcomes: list[str], told: str) -> None:
    desk = Caller(PIN_TO_ENTER)
    desk.wait(LINE_MS)
    for outcome in outcomes:
        desk.give(outcome)
    assert desk.spoken()[-1] == told
    desk.wait(10_000)
    assert desk.ended
    assert desk.of(c.OpenSession) == []
    assert (desk.call.trace.ended_by, desk.call.trace.error) == ("bridge", "")


@pytest.mark.parametrize("how", ["silence", "hash", "no"])
def test_whoever_does_not_enter_hears_a_goodbye(how: str) -> None:
    desk = Caller(PIN_TO_ENTER)
    desk.wait(30_000 if how == "silence" else LINE_MS)
    if how == "hash":
        desk.press("#")
    elif how == "no":
        desk.tell(e.PinSpoken(0, "no"))
    assert desk.spoken()[-1] == "goodbye_pin"


def test_facts_of_a_session_that_nobody_asked_for_open_nothing() -> None:
    desk = Caller(PIN_TO_ENTER)
    desk.tell(e.SessionOpened("hub_1"), e.SessionClosed("lost"), e.SpareReady(0))
    desk.wait(5_000)
    assert desk.call.phase is Phase.OPENING
    assert desk.of(c.OpenSession) + desk.of(c.TakeSpare) == []


def test_a_call_that_comes_back_knows_who_was_on_the_line() -> None:
    desk = Caller(Trust(has=Tier.PIN, enter=Tier.PIN), past=Past(5_000))
    assert desk.of(c.OpenSession) == [c.OpenSession(patient=True)]
    assert desk.call.trace.trust == "pin"
    again = Caller(PIN_TO_ENTER, past=Past(5_000))
    assert again.spoken() == ["cut_off", "pin_enter"]


def test_a_callee_who_wants_the_assistant_is_asked_for_the_pin_first() -> None:
    desk = Caller(PIN_TO_ENTER, errand="Your appointment is tomorrow at nine.")
    assert desk.of(c.OpenSession) == []
    desk.wait(2 * LINE_MS + 100)
    assert desk.spoken() == ["errand.own", "errand_keys"]
    desk.press("3")
    assert desk.spoken()[2:] == ["errand_assistant", "pin_enter"]
    desk.wait(2 * LINE_MS)
    desk.give("right")
    assert desk.of(c.OpenSession) == [c.OpenSession(patient=True)]
    desk.tell(e.SessionOpened("hub_1"))
    assert desk.of(c.HandOn)[0].turns[0].text == "Your appointment is tomorrow at nine."


# What holds whatever the rest of the call does


def test_a_yes_of_a_caller_who_is_not_known_well_enough_is_our_own_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = caller()
    with monkeypatch.context() as lying:
        lying.setattr(Proving, "opens", lambda self, tool: True)
        desk.tell(e.ConfirmationAsked("act_1", CANCEL))
        desk.wait(2 * LINE_MS + 100)
    with pytest.raises(LocalError):
        desk.press("1")


def test_frames_of_the_line_cost_nothing_where_there_is_no_rule() -> None:
    desk = Desk().opened()
    desk.tell(e.CallerHeard(FRAME))
    assert desk.of(c.Listen)[-1].audio is FRAME
    assert not desk.call.proving
    assert not desk.call.masks(desk.now)

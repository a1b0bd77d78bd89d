"""The machine of a call, in virtual time."""

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import MAX_PENDING_PROMPTS, Call, Phase
from phone_bridge.call.rules import Rules
from phone_bridge.errors import LocalError
from tests.call.desk import CANCEL, FRAME, LINE_MS, MOVE, Desk

# Beginning


def test_the_caller_is_greeted_at_once() -> None:
    desk = Desk()
    assert desk.spoken() == ["greeting"]
    desk.wait(LINE_MS + 50)
    assert [speaker for speaker, _ in desk.trace] == ["bridge"]


def test_a_greeting_of_ones_own_is_spoken_instead() -> None:
    desk = Desk(Rules(greeting="Doctor Smith's practice."))
    desk.wait(LINE_MS + 50)
    assert desk.trace == [("bridge", "Doctor Smith's practice.")]


def test_first_words_are_kept_for_a_session_that_is_still_opening() -> None:
    desk = Desk()
    for number in range(3):
        desk.tell(e.CallerHeard(bytes([number]) * 160))
    assert desk.of(c.Listen) == []
    desk.tell(e.SessionOpened())
    assert [listen.audio[0] for listen in desk.of(c.Listen)] == [0, 1, 2]
    desk.tell(e.CallerHeard(FRAME))
    assert desk.of(c.Listen)[-1].audio is FRAME


def test_what_is_kept_has_a_bound() -> None:
    desk = Desk(Rules(hold_ms=100))
    for number in range(20):
        desk.tell(e.CallerHeard(bytes([number]) * 160))
    desk.tell(e.SessionOpened())
    assert [listen.audio[0] for listen in desk.of(c.Listen)] == [15, 16, 17, 18, 19]


def test_a_fact_before_the_beginning_is_a_mistake_of_ours() -> None:
    call = Call(PCMU_8K, Rules(), 0)
    with pytest.raises(LocalError, match="before the call began"):
        call.process(e.CallerHeard(FRAME), 0)
    assert call.phase is Phase.NEW


def test_a_call_begins_once() -> None:
    desk = Desk()
    with pytest.raises(LocalError, match="cannot begin"):
        desk.call.begin(1)


def test_a_session_that_cannot_be_had_is_told_in_words_and_the_call_ends() -> None:
    desk = Desk()
    desk.tell(e.SessionClosed("unavailable", "unavailable"))
    assert desk.spoken()[-1] == "apology_unavailable"
    desk.wait(3 * LINE_MS)
    assert [hang_up.reason for hang_up in desk.of(c.HangUp)] == ["session_unavailable"]
    assert desk.call.trace.error == "session_unavailable"
    assert desk.ended


# Speaking and being interrupted


def test_the_assistant_is_played_and_its_heard_words_are_kept() -> None:
    desk = Desk().opened()
    desk.reply("rsp_1", 800, text="Your next meeting is at three.")
    desk.wait(900)
    assert sum(len(play.audio) for play in desk.of(c.Play)) == 6400
    assert desk.trace[-1] == ("assistant", "Your next meeting is at three.")


def test_barge_in_stops_the_sound_tells_what_was_heard_and_mutes_the_rest() -> None:
    desk = Desk().opened()
    desk.reply("rsp_1", 4_000, end=False, text="One two three four five six seven eight.")
    desk.wait(1_010)
    desk.tell(e.VoiceStarted(desk.now))
    assert len(desk.of(c.Flush)) == 1
    assert desk.of(c.Truncate) == [c.Truncate("rsp_1", 1_010)]
    assert desk.of(c.CancelReply) == [c.CancelReply("rsp_1")]
    assert desk.trace[-1] == ("assistant", "One two")
    desk.done.clear()
    desk.tell(e.AssistantSpoke("rsp_1", FRAME), e.CallerSaid("wait", final=False), e.ReplyEnded("rsp_1", "cancelled"))
    assert desk.done == []
    desk.reply("rsp_2", 100)
    assert len(desk.of(c.Play)) == 1


def test_a_reply_that_was_sent_whole_is_cut_without_being_cancelled() -> None:
    desk = Desk().opened()
    desk.reply("rsp_1", 2_000)
    desk.wait(500)
    desk.tell(e.CallerSaid("hold on", final=False))
    assert desk.of(c.Truncate) == [c.Truncate("rsp_1", 500)]
    assert desk.of(c.CancelReply) == []


def test_several_items_are_cut_each_at_what_was_heard() -> None:
    desk = Desk().opened()
    desk.reply("itm_1", 300)
    desk.reply("itm_2", 3_000)
    desk.reply("itm_3", 100, end=False)
    desk.wait(500)
    desk.tell(e.VoiceStarted(desk.now))
    assert desk.of(c.Truncate) == [c.Truncate("itm_2", 200), c.Truncate("itm_3", 0)]


def test_the_greeting_gives_way_to_the_caller() -> None:
    desk = Desk()
    desk.tell(e.SessionOpened())
    desk.wait(300)
    desk.done.clear()
    desk.tell(e.VoiceStarted(desk.now))
    assert desk.of(c.Flush)
    assert desk.of(c.Truncate) == []


def test_a_final_that_comes_after_the_reply_was_heard_cuts_nothing() -> None:
    desk = Desk().opened()
    desk.reply("rsp_1", 100)
    desk.wait(200)
    desk.done.clear()
    desk.tell(e.CallerSaid("thank you"))
    assert desk.done == []


# Questions


def test_a_proposal_is_asked_by_our_own_voice_with_the_keys() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    assert desk.spoken() == ["question.cancel_event", "keys"]


def test_key_one_confirms_once_and_stops_the_question() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(500)
    desk.tell(e.DigitPressed("1"))
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]
    assert len(desk.of(c.Flush)) == 1
    (asked,) = desk.call.trace.actions
    assert (asked.id, asked.verdict, asked.action) == ("act_1", c.Verdict.CONFIRMED, CANCEL)
    assert asked.heard_ms == 495


def test_a_key_before_the_question_is_heard_is_no_consent() -> None:
    desk = Desk().opened()
    desk.tell(e.DigitPressed("1"), e.ConfirmationAsked("act_1", CANCEL), e.DigitPressed("1"))
    desk.wait(50)
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == []
    desk.wait(500)
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]


def test_key_two_declines_and_the_session_is_told_in_words() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.DigitPressed("2"))
    (answer,) = desk.of(c.Answer)
    assert (answer.verdict, answer.by) == (c.Verdict.DECLINED, c.AnsweredBy.DIGIT)
    assert answer.words


def test_a_spoken_yes_after_the_action_was_named_confirms() -> None:
    desk = Desk().opened().asked()
    desk.say("Yes, please.")
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_a_spoken_yes_may_interrupt_the_keys_once_the_action_was_named() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(LINE_MS + 200)
    desk.tell(e.VoiceStarted(desk.now))
    assert desk.of(c.Flush) == []
    desk.tell(e.CallerSaid("yes", final=False))
    assert len(desk.of(c.Flush)) == 1
    desk.wait(400)
    desk.tell(e.CallerSaid("Yes."))
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_a_yes_that_began_while_the_action_was_named_is_asked_again() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(LINE_MS - 100)
    desk.say("yes")
    assert desk.verdicts() == []
    assert desk.spoken()[-2:] == ["unclear_once", "keys"]
    desk.wait(3 * LINE_MS)
    desk.say("yes")
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_a_yes_with_no_sign_of_its_beginning_needs_time_since_the_naming() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(LINE_MS + 100)
    desk.tell(e.CallerSaid("yes"))
    assert desk.verdicts() == []
    desk.wait(4 * LINE_MS)
    desk.tell(e.CallerSaid("yes"))
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_a_yes_before_the_proposal_is_no_consent_to_it() -> None:
    desk = Desk().opened()
    desk.tell(e.VoiceStarted(desk.now), e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(3 * LINE_MS)
    desk.tell(e.CallerSaid("yes"))
    assert desk.verdicts() == []


def test_marks_that_were_cleared_prove_no_question() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(300)
    marks = [play.mark for play in desk.of(c.Play) if play.mark]
    desk.tell(*(e.MarkReached(mark) for mark in reversed(marks)))
    desk.wait(LINE_MS * 3)
    desk.say("yes")
    assert desk.verdicts() == []


def test_yes_but_at_four_is_a_new_wish_and_no_consent() -> None:
    desk = Desk().opened().asked()
    desk.say("Yes, but at four.")
    assert desk.verdicts() == [("act_1", "declined", "speech")]
    assert desk.of(c.Answer)[0].words == ""
    desk.reply("rsp_2", 100)
    assert desk.of(c.Play)


def test_yes_no_wait_is_neither_and_is_asked_again() -> None:
    desk = Desk().opened().asked()
    desk.say("Yes, no, wait.")
    assert desk.verdicts() == []
    assert desk.spoken() == ["unclear_once", "keys"]


def test_two_unclear_answers_lead_to_the_keypad() -> None:
    desk = Desk().opened().asked()
    for _ in range(2):
        desk.say("Well, perhaps.")
        desk.wait(3 * LINE_MS)
    assert desk.spoken() == ["unclear_once", "keys", "keypad"]
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]


def test_star_repeats_the_question_and_another_key_says_so() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.DigitPressed("*"))
    assert desk.spoken() == ["question.cancel_event", "keys"]
    desk.wait(3 * LINE_MS)
    desk.done.clear()
    desk.tell(e.DigitPressed("7"))
    assert desk.spoken() == ["wrong_key", "keys"]
    assert desk.verdicts() == []


def test_a_wrong_key_in_the_middle_of_the_naming_has_the_action_named_again() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(300)
    desk.done.clear()
    desk.tell(e.DigitPressed("5"))
    assert desk.spoken() == ["wrong_key", "question.cancel_event", "keys"]
    desk.wait(3 * LINE_MS + 100)
    desk.say("yes")
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_silence_until_the_deadline_is_a_no_and_said_to_be_one() -> None:
    desk = Desk(Rules(answer_ms=20_000)).opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(2 * LINE_MS + 19_900)
    assert desk.verdicts() == []
    desk.wait(200)
    assert desk.verdicts() == [("act_1", "expired", "none")]
    assert desk.spoken()[-1] == "expired"
    desk.tell(e.DigitPressed("1"))
    assert len(desk.verdicts()) == 1


def test_hanging_up_is_a_no() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.LegClosed("hangup"))
    assert desk.verdicts() == [("act_1", "unanswered", "none")]
    assert desk.of(c.CloseSession)
    assert desk.call.trace.ended_by == "caller"
    assert desk.ended


def test_a_lost_session_is_a_no() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.SessionClosed("lost"))
    assert desk.verdicts() == [("act_1", "unanswered", "none")]
    desk.tell(e.DigitPressed("1"))
    assert len(desk.verdicts()) == 1


def test_two_proposals_are_asked_one_after_the_other_with_the_outcome_between() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL), e.ConfirmationAsked("act_2", MOVE))
    desk.wait(2 * LINE_MS + 100)
    assert desk.spoken() == ["question.cancel_event", "keys"]
    desk.tell(e.DigitPressed("1"), e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]
    desk.tell(e.ActionSettled("act_1", "executed", CANCEL, {"ok": True}))
    desk.wait(200)
    desk.reply("rsp_2", 800, text="Done.")
    assert desk.spoken()[-2:] == ["question.update_event", "keys"]
    desk.wait(2 * LINE_MS + 900)
    assert ("assistant", "Done.") in desk.trace
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit"), ("act_2", "confirmed", "digit")]


def test_the_next_question_does_not_wait_for_an_outcome_that_never_comes() -> None:
    desk = Desk(Rules(outcome_ms=1_500)).opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL), e.ConfirmationAsked("act_2", MOVE))
    desk.wait(2 * LINE_MS + 100)
    desk.tell(e.DigitPressed("2"))
    desk.wait(1_600)
    assert desk.spoken()[-2:] == ["question.update_event", "keys"]


def test_a_hurried_second_key_does_not_answer_the_next_question() -> None:
    desk = Desk(Rules(outcome_ms=100, double_tap_ms=1_000)).opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL), e.ConfirmationAsked("act_2", MOVE))
    desk.wait(2 * LINE_MS + 100)
    desk.tell(e.DigitPressed("1"))
    desk.wait(600)
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]


def test_the_same_proposal_is_never_answered_twice() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.DigitPressed("1"), e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(3 * LINE_MS)
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]


def test_the_assistant_is_not_heard_while_a_question_is_asked_and_is_heard_after() -> None:
    desk = Desk().opened()
    desk.tell(e.ReplyStarted("rsp_1"), e.AssistantSpoke("rsp_1", FRAME), e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(50)
    played = len(desk.of(c.Play))
    desk.tell(e.AssistantSaid("rsp_1", "Shall I?"), e.AssistantSpoke("rsp_1", FRAME))
    assert len(desk.of(c.Play)) == played
    desk.wait(2 * LINE_MS)
    desk.tell(e.DigitPressed("1"), e.AssistantSpoke("rsp_1", FRAME))
    assert len(desk.of(c.Play)) == played
    desk.tell(e.ActionSettled("act_1", "executed"), e.AssistantSpoke("rsp_1", FRAME))
    assert len(desk.of(c.Play)) == played + 1


def test_a_long_reply_before_the_proposal_gives_way_to_the_question() -> None:
    desk = Desk(Rules(lead_in_ms=4_000)).opened()
    desk.reply("rsp_1", 9_000, end=False)
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    assert desk.of(c.Truncate) == [c.Truncate("rsp_1", 0)]
    assert desk.of(c.CancelReply) == []


def test_what_the_session_settles_by_itself_falls_and_is_said_to_the_caller() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.ActionSettled("act_1", "expired", CANCEL))
    assert desk.spoken() == ["withdrawn"]
    assert desk.verdicts() == []
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == []
    assert [(asked.verdict, asked.result) for asked in desk.call.trace.actions] == [(c.Verdict.UNANSWERED, "expired")]


def test_a_question_that_cannot_be_spoken_is_no_consent() -> None:
    desk = Desk(voice_ms=None)
    desk.tell(e.SessionOpened(), e.ConfirmationAsked("act_1", CANCEL))
    desk.tell(e.PromptFailed(desk.of(c.Speak)[-1].prompt, "no voice"))
    assert desk.verdicts() == [("act_1", "expired", "none")]
    assert desk.spoken()[-1] == "not_asked"


def test_a_question_whose_sound_never_comes_is_no_consent() -> None:
    desk = Desk(Rules(prompt_ms=3_000), voice_ms=None)
    desk.tell(e.SessionOpened(), e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(3_100)
    assert desk.verdicts() == [("act_1", "expired", "none")]


def test_a_preference_confirms_without_asking_and_tells_the_caller() -> None:
    desk = Desk(Rules(auto_confirm=frozenset({"cancel_event", "bulk_cancel_events"}))).opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    assert desk.verdicts() == [("act_1", "confirmed", "none")]
    assert desk.spoken() == ["confirmed_by_preference", "question.cancel_event"]


def test_no_preference_cancels_in_bulk_unasked() -> None:
    desk = Desk(Rules(auto_confirm=frozenset({"bulk_cancel_events"}))).opened()
    desk.tell(e.ConfirmationAsked("act_1", e.Action("bulk_cancel_events", {"event_ids": ["evt_1"]})))
    assert desk.verdicts() == []
    assert desk.spoken() == ["question.bulk_cancel_events", "keys"]


def test_a_yes_to_a_question_whose_mark_was_lost_has_the_action_named_again() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(150)
    desk.lose_mark()
    desk.wait(3 * LINE_MS)
    desk.done.clear()
    desk.say("yes")
    assert desk.verdicts() == []
    assert desk.spoken() == ["question.cancel_event", "keys"]
    desk.wait(3 * LINE_MS)
    desk.say("yes")
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_two_quick_wrong_keys_are_told_once() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.DigitPressed("5"), e.DigitPressed("6"))
    desk.wait(50)
    assert len([play for play in desk.of(c.Play) if play.audio]) == 2 * LINE_MS // 100


@pytest.mark.parametrize("burst", ["keys", "preferences", "withdrawn"])
def test_no_hurry_from_outside_ends_a_call(burst: str) -> None:
    desk = Desk(Rules(auto_confirm=frozenset({"cancel_event"} if burst == "preferences" else ())), voice_ms=None)
    desk.tell(e.SessionOpened())
    for number in range(3 * MAX_PENDING_PROMPTS):
        if burst == "keys":
            desk.tell(e.ConfirmationAsked("act_0", CANCEL), e.DigitPressed("7"))
        else:
            desk.tell(e.ConfirmationAsked(f"act_{number}", CANCEL))
        if burst == "withdrawn":
            desk.tell(e.ActionSettled(f"act_{number}", "expired"))
    assert not desk.ended


# Silences and ends


def test_a_turn_without_a_reply_hears_one_moment() -> None:
    desk = Desk().opened()
    desk.say("What is next?")
    desk.wait(2_600)
    assert desk.spoken() == ["one_moment"]


def test_silence_is_asked_about_and_ends_the_call_after_a_goodbye() -> None:
    desk = Desk().opened()
    desk.wait(21_000)
    assert desk.spoken() == ["still_there"]
    desk.wait(12_000)
    assert desk.spoken() == ["still_there", "goodbye_silence"]
    desk.wait(2_000)
    assert [hang_up.reason for hang_up in desk.of(c.HangUp)] == ["silence"]
    assert desk.call.trace.ended_by == "bridge"


def test_the_goodbye_is_heard_before_the_line_is_cut() -> None:
    desk = Desk().opened()
    desk.tell(e.EndRequested("api"))
    desk.wait(LINE_MS - 100)
    assert desk.of(c.HangUp) == []
    desk.wait(200)
    assert len(desk.of(c.HangUp)) == 1
    assert desk.call.trace.ended_by == "api"


def test_a_goodbye_whose_marks_never_come_does_not_hold_the_line_for_ever() -> None:
    desk = Desk(Rules(prompt_ms=3_000, farewell_ms=7_000), voice_ms=None).opened()
    desk.tell(e.EndRequested("api"))
    desk.wait(2_900)
    assert not desk.ended
    desk.wait(200)
    assert desk.ended


def test_an_assistant_that_says_goodbye_is_heard_out() -> None:
    desk = Desk().opened()
    desk.reply("rsp_9", 1_500, text="Goodbye.")
    desk.tell(e.SessionClosed("ended"))
    desk.wait(1_400)
    assert desk.of(c.HangUp) == []
    desk.wait(200)
    assert [hang_up.reason for hang_up in desk.of(c.HangUp)] == ["completed"]
    assert desk.call.trace.ended_by == "assistant"
    assert desk.trace[-1] == ("assistant", "Goodbye.")


@pytest.mark.parametrize(
    ("reason", "error"),
    [("lost", "session_lost"), ("expired", "session_expired"), ("refused", "session_refused"), ("odd", "session_lost")],
)
def test_a_session_that_goes_away_is_told_in_words(reason: str, error: str) -> None:
    desk = Desk().opened()
    desk.reply("rsp_1", 5_000, end=False)
    desk.tell(e.SessionClosed(reason))
    assert desk.spoken() == ["apology_unavailable"]
    desk.wait(2 * LINE_MS)
    assert desk.ended
    assert desk.call.trace.error == error


def test_the_longest_call_ends_with_a_goodbye() -> None:
    desk = Desk(Rules(limit_ms=60_000, silence_ms=600_000)).opened()
    desk.wait(60_000)
    assert desk.spoken() == ["goodbye_limit"]
    desk.wait(2 * LINE_MS)
    assert [hang_up.reason for hang_up in desk.of(c.HangUp)] == ["time_limit"]


def test_after_the_end_nothing_is_anybodys_duty() -> None:
    desk = Desk().opened()
    desk.tell(e.LegClosed("lost"))
    desk.done.clear()
    desk.tell(e.CallerHeard(FRAME), e.DigitPressed("1"), e.ConfirmationAsked("act_1", CANCEL), e.SessionClosed("lost"))
    assert desk.done == []
    assert desk.call.deadline() is None
    assert desk.call.expire(99_999) == []
    assert desk.call.trace.error == "leg_lost"


def test_troubles_are_counted_and_harm_nobody() -> None:
    desk = Desk().opened()
    desk.tell(e.LegTrouble("malformed"), e.SessionTrouble("odd"), e.MarkReached("nobody's"))
    assert desk.done == []
    assert (desk.call.trace.counts.troubles, desk.call.trace.counts.stray_marks) == (2, 1)

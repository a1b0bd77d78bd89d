"""The machine of a call, in virtual time."""

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Call, Phase
from phone_bridge.call.past import Past
from phone_bridge.call.prompts import MAX_PENDING
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Asked, Said
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


@pytest.mark.parametrize(("silence_ms", "said_at"), [(14_000, 0), (15_000, 15_000)])
def test_a_cough_of_which_no_words_came_does_not_date_words_that_come_later(silence_ms: int, said_at: int) -> None:
    assert silence_ms <= Rules().wordless_ms
    desk = Desk().opened()
    began = desk.now
    desk.tell(e.VoiceStarted(began), e.VoiceStopped(began))
    desk.wait(silence_ms)
    desk.tell(e.VoiceStarted(desk.now), e.CallerSaid("hello"))
    assert desk.call.trace.transcript[-1].at_ms == began + said_at


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


class MarklessDesk(Desk):
    """A call whose carrier gives no mark back."""

    def tell(self, *events: e.Event) -> None:
        super().tell(*(event for event in events if not isinstance(event, e.MarkReached)))


def test_a_yes_by_key_to_a_question_that_nothing_proves_is_asked_for_again_and_a_no_is_a_no() -> None:
    desk = MarklessDesk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(LINE_MS // 2)
    desk.tell(e.DigitPressed("1"))
    assert desk.of(c.Answer) == []
    desk.wait(3 * LINE_MS)
    desk.done.clear()
    desk.tell(e.DigitPressed("1"))
    desk.wait(100)
    assert desk.of(c.Play)
    assert desk.of(c.Answer) == []
    desk.wait(3 * LINE_MS)
    desk.tell(e.DigitPressed("2"))
    assert [(answer.verdict, answer.by) for answer in desk.of(c.Answer)] == [(c.Verdict.DECLINED, c.AnsweredBy.DIGIT)]


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


def test_a_voice_of_which_no_words_come_is_asked_for_a_clear_answer() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.VoiceStarted(desk.now))
    desk.wait(500)
    desk.tell(e.VoiceStopped(desk.now))
    desk.wait(Rules().unheard_ms - 1)
    assert desk.spoken() == []
    desk.wait(1)
    assert desk.spoken() == ["unclear_once", "keys"]
    desk.wait(3 * LINE_MS)
    desk.say("yes")
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_a_session_that_says_there_were_no_words_is_believed_at_once() -> None:
    desk = Desk().opened().asked()
    desk.say("")
    assert desk.spoken() == ["unclear_once", "keys"]
    assert desk.verdicts() == []


def test_words_that_come_late_still_answer() -> None:
    desk = Desk().opened().asked()
    desk.say("yes", recognised_after=Rules().unheard_ms + 500)
    assert desk.verdicts() == [("act_1", "confirmed", "speech")]


def test_noise_on_the_line_leads_to_the_keypad_and_not_on_and_on() -> None:
    desk = Desk().opened().asked()
    for _ in range(4):
        desk.tell(e.VoiceStarted(desk.now), e.VoiceStopped(desk.now))
        desk.wait(Rules().unheard_ms + 2 * LINE_MS + 100)
    assert desk.spoken() == ["unclear_once", "keys", "keypad"]
    assert desk.verdicts() == []


def test_a_voice_under_our_own_question_may_be_its_echo() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(300)
    desk.done.clear()
    desk.tell(e.VoiceStarted(desk.now))
    desk.wait(LINE_MS)
    desk.tell(e.VoiceStopped(desk.now))
    desk.wait(10_000)
    assert desk.spoken() == []


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


def test_what_is_asked_stands_as_not_answered_in_case_nobody_is_left_to_say_more() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL), e.ConfirmationAsked("act_2", MOVE))
    version = desk.call.trace.version
    desk.wait(2 * LINE_MS + 100)
    first, second = desk.call.trace.open
    assert (first.id, first.verdict, first.by, first.outcome) == ("act_1", "unanswered", "none", "unknown")
    assert (first.heard_ms, second.id, second.heard_ms, second.question) == (LINE_MS, "act_2", 0, "")
    assert "Dentist" in first.question
    assert desk.call.trace.version > version
    assert desk.call.trace.actions == []
    desk.tell(e.DigitPressed("1"))
    assert [asked.id for asked in desk.call.trace.open] == ["act_2"]
    desk.tell(e.LegClosed("hangup"))
    assert desk.call.trace.open == ()
    assert [(asked.verdict, asked.outcome) for asked in desk.call.trace.actions] == [
        ("confirmed", ""),
        ("unanswered", ""),
    ]


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
    assert [asked.verdict for asked in desk.call.trace.actions] == ["unanswered"]
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == []


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
    for number in range(3 * MAX_PENDING):
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
def test_a_session_that_never_comes_is_told_in_words(reason: str, error: str) -> None:
    desk = Desk()
    desk.done.clear()
    desk.tell(e.SessionClosed(reason))
    assert desk.spoken() == ["apology_unavailable"]
    desk.wait(2 * LINE_MS)
    assert desk.ended
    assert desk.call.trace.error == error


# A session that is slow to come


SLOW = Rules(session_ms=LINE_MS // 2)


def test_a_slow_session_is_waited_for_while_the_greeting_sounds() -> None:
    desk = Desk(SLOW)
    assert desk.of(c.OpenSession) == [c.OpenSession(patient=True)]
    desk.wait(LINE_MS - 50)
    desk.tell(e.SessionOpened("hub_1"))
    desk.wait(LINE_MS)
    assert desk.spoken() == ["greeting"]
    assert desk.of(c.Flush) == []
    assert desk.call.phase is Phase.TALKING


@pytest.mark.parametrize("past", [None, Past(5_000)])
def test_one_that_does_not_come_is_apologised_for_once_the_greeting_was_heard(past: Past | None) -> None:
    desk = Desk(SLOW, past=past)
    desk.wait(LINE_MS)
    assert len(desk.spoken()) == 1
    desk.wait(50)
    assert desk.spoken()[1:] == ["apology_unavailable"]
    assert desk.of(c.Flush) == []
    desk.tell(e.SessionOpened("hub_1"))
    desk.wait(LINE_MS)
    assert desk.ended
    assert desk.call.trace.error == "session_unavailable"


def test_a_long_greeting_is_cut_for_nobody_is_led_to_talk_to_a_session_that_is_not_there() -> None:
    desk = Desk(Rules(session_ms=LINE_MS // 4, session_more_ms=LINE_MS // 2))
    desk.wait(3 * LINE_MS // 4 - 1)
    assert desk.spoken() == ["greeting"]
    desk.wait(1)
    assert desk.spoken() == ["greeting", "apology_unavailable"]
    assert len(desk.of(c.Flush)) == 1


def test_where_nothing_sounds_a_session_has_its_time_and_no_more() -> None:
    desk = Desk(Rules())
    desk.wait(2_499)
    assert desk.spoken() == ["greeting"]
    desk.wait(1)
    assert desk.spoken() == ["greeting", "apology_unavailable"]


def test_a_greeting_that_is_late_itself_is_waited_for_but_not_one_that_cannot_be_made() -> None:
    desk = Desk(SLOW, voice_ms=LINE_MS)
    desk.wait(2 * LINE_MS - 50)
    assert desk.spoken() == ["greeting"]
    desk.wait(100)
    assert desk.spoken() == ["greeting", "apology_unavailable"]
    mute = Desk(SLOW, voice_ms=None)
    mute.wait(LINE_MS)
    mute.tell(e.PromptFailed("~1", "hoarse"))
    mute.wait(0)
    assert mute.spoken() == ["greeting", "apology_unavailable"]


def test_whoever_answers_by_key_waits_for_no_session() -> None:
    desk = Desk(Rules(errand="Your appointment is tomorrow.", session_ms=LINE_MS // 2))
    desk.wait(10 * LINE_MS)
    assert desk.spoken() == ["errand.own", "errand_keys"]
    desk.tell(e.DigitPressed("3"))
    desk.wait(LINE_MS)
    assert desk.spoken()[2:] == ["errand_assistant"]
    desk.tell(e.SessionOpened("hub_1"))
    assert desk.of(c.HandOn)
    assert desk.call.phase is Phase.TALKING


def test_whoever_asks_for_the_assistant_by_key_is_told_where_it_does_not_come() -> None:
    desk = Desk(Rules(errand="Your appointment is tomorrow."))
    desk.wait(10 * LINE_MS)
    desk.tell(e.DigitPressed("3"))
    desk.wait(2_499)
    assert desk.spoken()[-1] == "errand_assistant"
    desk.wait(1)
    assert desk.spoken()[-1] == "apology_unavailable"


# A session that is lost, and the one after it


def test_an_apology_that_something_follows_says_no_goodbye() -> None:
    desk = Desk(Rules(onward=True))
    desk.tell(e.SessionClosed("unavailable"))
    assert desk.spoken()[-1] == "apology_onward"


def lost(desk: Desk, reason: str = "lost") -> Desk:
    desk.done.clear()
    desk.tell(e.SessionClosed(reason))
    return desk


@pytest.mark.parametrize("reason", ["lost", "expired", "refused", "unavailable", "odd"])
def test_a_lost_session_is_told_at_once_and_another_one_is_opened(reason: str) -> None:
    desk = lost(Desk().opened(), reason)
    assert desk.spoken() == ["one_moment"]
    assert desk.of(c.OpenSession) == [c.OpenSession()]
    assert not desk.ended


def test_the_next_session_hears_what_was_said_and_heard_and_what_the_caller_says_meanwhile() -> None:
    desk = Desk().opened()
    desk.say("What is next?")
    desk.reply("rsp_1", 1_000, end=False, text="Lunch is next at noon")
    desk.wait(500)
    lost(desk)
    desk.tell(e.CallerHeard(FRAME))
    assert desk.of(c.Listen) == []
    desk.tell(e.SessionOpened("hub_2"))
    (duty,) = desk.of(c.HandOn)
    assert duty.answer
    assert [turn.speaker for turn in duty.turns] == ["caller", "assistant"]
    assert duty.turns[0].text == "What is next?"
    kinds = [type(command) for command in desk.done]
    assert kinds.index(c.HandOn) < kinds.index(c.Listen)


def test_a_reply_that_will_never_be_whole_is_cut_and_told_as_far_as_it_was_heard() -> None:
    desk = Desk().opened()
    desk.reply("rsp_1", 5_000, end=False, text="one two three four five")
    desk.wait(1_000)
    lost(desk)
    assert desk.of(c.Flush) == [c.Flush()]
    desk.tell(e.SessionOpened("hub_2"))
    assert desk.of(c.HandOn)[0].turns[-1] == c.Turn("assistant", "one")


def test_a_reply_that_is_whole_is_played_to_its_end_though_the_session_is_gone() -> None:
    desk = Desk().opened()
    desk.reply("rsp_1", 2_000, text="Lunch is next")
    lost(desk)
    assert desk.of(c.Flush) == []
    desk.tell(e.SessionOpened("hub_2"))
    assert desk.of(c.HandOn)[0].turns[-1] == c.Turn("assistant", "Lunch is next")


def test_the_caller_is_told_again_while_no_session_can_be_had_and_then_given_up() -> None:
    desk = lost(Desk().opened())
    for _ in range(2):
        desk.wait(1_500)
        desk.tell(e.SessionClosed("unavailable"))
    desk.wait(1_500)
    assert desk.spoken() == ["one_moment"] * 3
    assert len(desk.of(c.OpenSession)) == 3
    desk.tell(e.SessionClosed("unavailable"))
    assert desk.spoken()[-1] == "apology_unavailable"
    desk.wait(2 * LINE_MS)
    assert desk.ended
    assert (desk.call.trace.error, desk.call.trace.counts.losses) == ("session_unavailable", 4)


def test_a_session_that_held_for_a_while_lets_earlier_losses_be_forgotten() -> None:
    desk = Desk(Rules(silence_ms=600_000)).opened()
    for _ in range(2 * Rules().session_failures):
        lost(desk)
        desk.wait(LINE_MS)
        desk.tell(e.SessionOpened("next"))
        desk.wait(Rules().settled_ms)
    assert desk.call.phase is Phase.TALKING


def test_a_session_that_refuses_is_not_asked_again() -> None:
    desk = lost(Desk().opened())
    desk.tell(e.SessionClosed("refused"))
    assert desk.spoken()[-1] == "apology_unavailable"


def test_an_open_question_is_void_with_its_session_and_asked_anew_when_proposed_anew() -> None:
    desk = Desk().opened().asked()
    lost(desk)
    desk.wait(LINE_MS)
    desk.tell(e.SessionOpened("hub_2"))
    desk.wait(LINE_MS)
    desk.done.clear()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(2 * LINE_MS + 100)
    assert desk.spoken() == ["question.cancel_event", "keys"]
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]
    assert [asked.verdict for asked in desk.call.trace.actions] == ["unanswered", "confirmed"]


def confirmed_and_lost() -> Desk:
    desk = Desk().opened().asked()
    desk.tell(e.DigitPressed("1"))
    return lost(desk)


def test_the_outcome_of_a_yes_is_looked_up_before_the_next_session_hears_anything() -> None:
    desk = confirmed_and_lost()
    assert desk.of(c.LookUp) == [c.LookUp("act_1", CANCEL)]
    desk.tell(e.SessionOpened("hub_2"))
    assert desk.of(c.HandOn) == []
    desk.tell(e.OutcomeFound("act_1", "executed"))
    (duty,) = desk.of(c.HandOn)
    assert duty.done == (c.Done(CANCEL, "executed"),)
    assert desk.spoken() == ["one_moment", "done_before"]
    assert desk.call.trace.actions[0].outcome == "executed"


@pytest.mark.parametrize(
    ("outcome", "told", "warning"),
    [
        ("executed", "done_before", "again_done"),
        ("not_executed", "not_done", "again_unknown"),
        ("unknown", "outcome_unknown", "again_unknown"),
    ],
)
def test_an_action_that_had_its_yes_is_asked_about_with_a_warning(outcome: str, told: str, warning: str) -> None:
    desk = confirmed_and_lost()
    desk.tell(e.OutcomeFound("act_1", outcome), e.SessionOpened("hub_2"))
    desk.wait(3 * LINE_MS)
    assert desk.spoken() == ["one_moment", told]
    desk.done.clear()
    desk.tell(e.ConfirmationAsked("act_2", CANCEL))
    assert desk.spoken() == [warning, "question.cancel_event", "keys"]
    desk.wait(3 * LINE_MS + 100)
    desk.tell(e.DigitPressed("2"))
    assert desk.verdicts() == [("act_2", "declined", "digit")]


def test_the_same_proposal_gets_no_second_yes() -> None:
    desk = confirmed_and_lost()
    desk.tell(e.OutcomeFound("act_1", "unknown"), e.SessionOpened("hub_2"))
    desk.wait(3 * LINE_MS)
    desk.done.clear()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL), e.DigitPressed("1"))
    (answer,) = desk.of(c.Answer)
    assert (answer.verdict, answer.permit) == (c.Verdict.DECLINED, None)
    assert "before" in answer.words
    assert desk.spoken() == []


def test_an_id_that_another_session_gives_to_another_action_is_asked_about() -> None:
    desk = confirmed_and_lost()
    desk.tell(e.OutcomeFound("act_1", "unknown"), e.SessionOpened("hub_2"))
    desk.wait(3 * LINE_MS)
    desk.done.clear()
    desk.tell(e.ConfirmationAsked("act_1", MOVE))
    assert desk.spoken() == ["question.update_event", "keys"]


def test_a_look_up_that_nobody_asked_for_changes_nothing() -> None:
    desk = Desk().opened()
    desk.tell(e.OutcomeFound("act_9", "executed"))
    assert desk.done == []


def test_a_call_that_was_cut_off_goes_on_where_it_was() -> None:
    asked = Asked("act_1", CANCEL, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, 4_000, 1_000)
    past = Past(ms=9_000, transcript=(Said(1_000, "caller", "Cancel it."),), actions=(asked,))
    desk = Desk(past=past)
    assert desk.spoken() == ["cut_off"]
    assert desk.of(c.LookUp) == [c.LookUp("act_1", CANCEL)]
    desk.tell(e.OutcomeFound("act_1", "executed"), e.SessionOpened("hub_2"))
    (duty,) = desk.of(c.HandOn)
    assert duty.turns == (c.Turn("caller", "Cancel it."),)
    assert duty.done == (c.Done(CANCEL, "executed"),)
    desk.say("Thank you.")
    assert ("caller", "Thank you.") in desk.trace
    assert desk.call.trace.transcript[-1].at_ms >= 9_000


def test_the_session_is_changed_in_a_pause_before_it_ends() -> None:
    rules = Rules(silence_ms=600_000)
    desk = Desk(rules)
    desk.tell(e.SessionOpened("hub_1", life_ms=100_000))
    desk.wait(100_000 - rules.renew_ms - 1)
    assert desk.of(c.OpenSpare) == []
    desk.wait(1)
    assert desk.of(c.OpenSpare) == [c.OpenSpare()]
    desk.say("What is next?")
    desk.tell(e.SpareReady(100_000))
    desk.reply("rsp_1", 1_000, text="Lunch is next.")
    desk.wait(1_000 + rules.pause_ms - 1)
    assert desk.of(c.TakeSpare) == []
    desk.wait(2)
    assert desk.of(c.TakeSpare) == [c.TakeSpare()]
    (duty,) = desk.of(c.HandOn)
    assert not duty.answer
    assert duty.turns[-1] == c.Turn("assistant", "Lunch is next.")
    desk.done.clear()
    desk.wait(200_000)
    assert len(desk.of(c.OpenSpare)) == 1
    assert desk.spoken() == []


def test_a_session_that_says_it_expires_is_changed_and_a_spare_that_fails_is_tried_for_again() -> None:
    rules = Rules(silence_ms=600_000)
    desk = Desk(rules).opened()
    desk.tell(e.SessionExpiring(30_000))
    desk.wait(15_000)
    assert desk.of(c.OpenSpare) == [c.OpenSpare()]
    desk.tell(e.SpareFailed("unavailable"))
    desk.wait(rules.spare_pause_ms)
    assert len(desk.of(c.OpenSpare)) == 2
    desk.tell(e.SpareReady())
    desk.wait(rules.pause_ms)
    assert len(desk.of(c.TakeSpare)) == 1


def test_a_talk_without_a_pause_is_interrupted_when_the_session_is_about_to_end() -> None:
    rules = Rules(silence_ms=600_000)
    desk = Desk(rules).opened()
    desk.tell(e.SessionExpiring(30_000))
    desk.wait(15_000)
    desk.tell(e.SpareReady(60_000))
    for _ in range(14):
        desk.reply("rsp_1", 1_000, end=False)
        desk.wait(1_000)
    assert desk.of(c.TakeSpare) == [c.TakeSpare()]
    assert desk.of(c.HandOn) == []  # nothing was said yet
    assert desk.spoken() == ["one_moment"]


def test_a_session_lost_while_the_spare_one_is_ready_is_replaced_by_it() -> None:
    desk = Desk(Rules(silence_ms=600_000)).opened()
    desk.tell(e.SessionExpiring(30_000))
    desk.wait(15_000)
    desk.reply("rsp_1", 1_000, end=False, text="One two")
    desk.tell(e.SpareReady())
    lost(desk)
    assert (desk.of(c.TakeSpare), desk.of(c.OpenSession)) == ([c.TakeSpare()], [])
    assert desk.call.phase is Phase.TALKING


@pytest.mark.parametrize("comes", [True, False])
def test_a_session_lost_while_the_spare_one_is_opening_waits_for_it(comes: bool) -> None:
    desk = Desk(Rules(silence_ms=600_000)).opened()
    desk.tell(e.SessionExpiring(30_000))
    desk.wait(15_000)
    lost(desk)
    assert (desk.of(c.TakeSpare), desk.of(c.OpenSession)) == ([], [])
    desk.tell(e.SpareReady() if comes else e.SpareFailed("unavailable"))
    desk.wait(1_000)
    assert (len(desk.of(c.TakeSpare)), len(desk.of(c.OpenSession))) == ((1, 0) if comes else (0, 1))


def test_silence_in_the_midst_of_a_reply_is_told_and_then_ends_the_session() -> None:
    desk = Desk().opened()
    desk.say("What is next?")
    desk.reply("rsp_1", 500, end=False)
    desk.done.clear()
    desk.wait(500 + Rules().starved_ms + 10)
    assert desk.spoken() == ["one_moment"]
    desk.wait(Rules().stalled_ms)
    assert desk.of(c.OpenSession) == [c.OpenSession()]


def test_a_session_that_works_on_something_may_take_its_time() -> None:
    desk = Desk().opened()
    desk.say("Look for a free time.")
    desk.reply("rsp_1", 500, end=False)
    desk.tell(e.IntentDetected("check_availability", 1.0, {}))
    desk.done.clear()
    desk.wait(Rules().mute_ms - 100)
    assert desk.of(c.OpenSession) == []
    assert set(desk.spoken()) == {"one_moment"}
    desk.wait(1_000)
    assert desk.of(c.OpenSession) == [c.OpenSession()]


def test_a_session_that_answers_nothing_at_all_is_lost_and_one_that_ends_a_silent_reply_is_not() -> None:
    mute, brief = Desk().opened(), Desk().opened()
    for desk in (mute, brief):
        desk.say("Hm.")
        desk.done.clear()
    brief.tell(e.ReplyStarted("rsp_1"), e.ReplyEnded("rsp_1"))
    for desk in (mute, brief):
        desk.wait(Rules().mute_ms + 100)
    assert mute.of(c.OpenSession) == [c.OpenSession()]
    assert (brief.of(c.OpenSession), brief.spoken()) == ([], [])


def test_the_drain_has_a_goodbye_of_its_own() -> None:
    desk = Desk().opened()
    desk.tell(e.EndRequested("drain"))
    assert desk.spoken() == ["goodbye_drain"]
    assert desk.call.trace.ended_by == "drain"


@pytest.mark.parametrize("rules", [Rules(errand="Take your pills."), Rules(languages={"1": "de"})])
def test_a_key_under_the_last_words_changes_nothing(rules: Rules) -> None:
    desk = Desk(rules)
    desk.tell(e.EndRequested("drain"), e.DigitPressed("1"))
    desk.wait(10_000)
    assert (desk.ended, desk.spoken()[-1]) == (True, "goodbye_drain")


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

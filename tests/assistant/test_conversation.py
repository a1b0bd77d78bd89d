"""Whole conversations, in text, with a real calendar behind them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant import small_talk
from phone_bridge.assistant.conversation import PHRASES_MAX, TRIES, CalendarConversation
from phone_bridge.assistant.plans import Caller
from phone_bridge.assistant.ports import Drop, HangUp, Intent, Mood, Propose, Run, Say
from phone_bridge.call import words
from phone_bridge.tools.calendar import CALENDAR_TOOLS
from phone_bridge.tools.catalogue import Policy
from tests.assistant.some_week import CALLER, NOW
from tests.assistant.talking import Talk, local


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    talk = Talk(tmp_path)
    yield talk
    talk.close()


# The first call


def test_the_next_meeting_is_told_and_cancelled_once_the_client_confirms(talk: Talk) -> None:
    assert talk.say("What is my next meeting?") == (
        "Your next meeting is Project review with Anna, today at 11:30 a.m., in an hour and a half, at the office."
    )
    (event,) = talk.events("Project review")
    assert talk.say("Cancel it.") == ""
    (proposal,) = [move for move in talk.moves if isinstance(move, Propose)]
    assert (proposal.action.name, proposal.action.parameters) == ("cancel_event", {"event_id": event.id})
    assert (proposal.effect, proposal.reversible) == ("calendar_write", False)
    assert proposal.action.affects[0].id == event.id
    assert talk.events("Project review") == [event]
    assert talk.confirm() == "Done. Project review with Anna today at 11:30 a.m. is cancelled."
    assert talk.events("Project review") == []


def test_intents_come_first_and_lookups_before_what_they_find(talk: Talk) -> None:
    talk.say("cancel the dentist")
    assert [type(move) for move in talk.moves] == [Intent, Run, Propose]
    assert talk.moves[0] == Intent("cancel_event", 0.95, {"reference": {"words": "dentist"}})


# Reading


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "what do i have tomorrow",
            "You have three things tomorrow. Team meeting at 9:15 a.m., Lunch with Carol at 12:30 p.m. "
            "and Phone call with Martin at 4 p.m.",
        ),
        ("what do i have today", "You have one thing today: Project review with Anna at 11:30 a.m."),
        ("what do i have tomorrow afternoon", "Lunch with Carol at 12:30 p.m. and Phone call with Martin at 4 p.m."),
        ("what do i have on december 24th", "You have nothing on Thursday, December 24th."),
        ("when is the dentist", "Dentist appointment is on Thursday at 3 p.m."),
        ("where is the dentist", "Dentist appointment is at Doctor Miller's practice."),
        ("who is in the project review", "Project review with Anna is with Anna and Martin."),
        ("when is the team meeting", "Team meeting is tomorrow at 9:15 a.m. It comes again on Thursday at 9:15 a.m."),
        ("do i have a meeting with simon", "Interview with Simon is on Friday at 10:30 a.m., at the office."),
        ("when is the opera", "I cannot find anything called opera in your calendar."),
        ("am i free tomorrow at three", "Yes, you are free tomorrow at 3 p.m."),
        ("am i free tomorrow at four", "No, tomorrow at 4 p.m. you have Phone call with Martin."),
        ("when am i free tomorrow", "You are free tomorrow at 9:30 a.m., at 10:30 a.m. or at 11:30 a.m."),
        ("am i free on thursday afternoon", "on Thursday in the afternoon you are busy from 3 p.m. to 3:45 p.m."),
        ("where do i have to be next", "Project review with Anna is at the office."),
    ],
)
def test_questions_are_answered(talk: Talk, text: str, answer: str) -> None:
    assert answer in talk.say(text)
    assert talk.proposals == {}


def test_questions_go_on_about_what_was_told(talk: Talk) -> None:
    talk.say("what do i have tomorrow")
    assert talk.say("where is the second one") == "Lunch with Carol is at Garden Restaurant."
    assert talk.say("who is coming") == "Lunch with Carol is with Carol."
    assert talk.say("how long is it") == "Lunch with Carol takes one hour, until 1:30 p.m."
    assert talk.say("and the last one") == "Phone call with Martin is tomorrow at 4 p.m."
    assert talk.say("the dentist") == "Dentist appointment is on Thursday at 3 p.m., at Doctor Miller's practice."


def test_another_day_is_asked_about_in_passing(talk: Talk) -> None:
    talk.say("am i free tomorrow at four")
    assert talk.say("and on friday?") == "Yes, you are free on Friday at 4 p.m."
    talk.say("what do i have tomorrow")
    assert talk.say("what about Monday") == (
        "You have two things on Monday. Team meeting at 9:15 a.m. and Piano lesson at 11 a.m."
    )
    assert "Flight to London" in talk.say("and on Sunday")
    assert talk.intents == ["get_day_overview"]


def test_a_day_alone_asks_for_that_day_once_the_talk_is_about_the_calendar(talk: Talk) -> None:
    assert small_talk.repair(1, CALLER.titles)[0] in talk.say("on friday")
    talk.say("what is my next meeting")
    assert "on Friday" in talk.say("on friday")


def test_a_day_that_does_not_exist_is_asked_about(talk: Talk) -> None:
    assert talk.say("what do i have on february 30") == "I am not sure about the day. Which day do you mean?"
    assert talk.say("december 3rd") == "You have nothing on Thursday, December 3rd."


# Moving, heard a little wrong


def test_moving_what_is_not_at_that_time_means_moving_it_there(talk: Talk) -> None:
    assert talk.say("move my dentist appointment at four") == ""
    assert talk.asked == ["Move Dentist appointment from Thursday at 3 p.m. to 4 p.m."]


def test_moving_what_is_nowhere_says_so(talk: Talk) -> None:
    assert talk.say("move the opera at four") == "I cannot find anything called opera in your calendar."


# Creating


def test_an_event_is_created_step_by_step(talk: Talk) -> None:
    assert talk.say("create an event") == "What shall I call it?"
    assert talk.say("Book club") == "On which day, and at what time?"
    assert talk.say("tomorrow") == "At what time tomorrow?"
    assert talk.say("seven") == ""
    assert talk.asked == ["Create Book club tomorrow at 7 a.m., for one hour"]
    assert talk.say("no, at seven in the evening for two hours") == ""
    assert talk.dropped == [("expired", "replaced")]
    assert talk.confirm() == "Done. Book club tomorrow at 7 p.m. is in your calendar."
    (event,) = talk.events("Book club")
    assert (local(event.start_time), local(event.end_time)) == ("25 19:00", "25 21:00")
    talk.say("cancel it")
    assert talk.asked == ["Cancel Book club tomorrow at 7 p.m."]


def test_an_overlap_is_told_before_it_is_asked_with_a_time_that_is_free(talk: Talk) -> None:
    said = talk.say("schedule a call with bob tomorrow at four")
    assert said == "Then you have Phone call with Martin; at 11:30 a.m. you are free."
    assert talk.asked == ["Create Call with Bob tomorrow at 4 p.m., for one hour"]
    assert talk.confirm() == "Done. Call with Bob tomorrow at 4 p.m. is in your calendar."


def test_an_overlap_can_be_mended_at_once(talk: Talk) -> None:
    talk.say("schedule a call with bob tomorrow at four")
    assert talk.say("no, at two") == ""
    assert talk.asked == ["Create Call with Bob tomorrow at 2 p.m., for one hour"]


def test_what_is_moved_is_not_in_its_own_way(talk: Talk) -> None:
    assert talk.say("move the budget planning half an hour later") == ""
    assert talk.asked == ["Move Budget planning from Friday at 2 p.m. to 2:30 p.m."]
    talk.say("no")
    assert talk.say("move the interview to friday at two").startswith("Then you have Budget planning; at ")


# Changing


def test_it_is_moved_and_yes_but_moves_it_elsewhere(talk: Talk) -> None:
    talk.say("when is the dentist")
    talk.say("move it to friday")
    assert talk.asked == ["Move Dentist appointment from Thursday at 3 p.m. to Friday at 3 p.m."]
    assert talk.say("yes, but at four") == ""
    assert talk.dropped == [("expired", "replaced")]
    assert talk.asked == ["Move Dentist appointment from Thursday at 3 p.m. to Friday at 4 p.m."]
    assert talk.confirm() == "Done. Dentist appointment is now on Friday at 4 p.m."
    (event,) = talk.events("Dentist")
    assert (local(event.start_time), local(event.end_time)) == ("27 16:00", "27 16:45")
    talk.say("make it an hour long")
    assert talk.confirm() == "Done. Dentist appointment now ends at 5 p.m."
    talk.say("rename it to doctor miller")
    assert talk.confirm() == "Done. It is now called Doctor miller."
    assert talk.events("Doctor miller")


def test_the_new_time_is_asked_for(talk: Talk) -> None:
    assert talk.say("reschedule the piano lesson") == "To what day or time shall I move Piano lesson?"
    assert talk.say("hmm") == "Sorry? To what day or time shall I move Piano lesson?"
    assert talk.say("an hour later") == ""
    assert talk.asked == ["Move Piano lesson from Monday at 11 a.m. to noon"]


def test_frozen_parameters_are_what_is_written_whatever_is_said_meanwhile(talk: Talk) -> None:
    talk.say("move the dentist to friday at two")
    frozen = dict(next(iter(talk.proposals.values())).parameters)
    talk.say("what do i have on saturday")
    talk.later(minutes=30)
    assert next(iter(talk.proposals.values())).parameters == frozen
    talk.confirm()
    assert local(talk.events("Dentist")[0].start_time) == "27 14:00"


# Cancelling


def reviews(talk: Talk, *times: str) -> None:
    """Put several events of one name into the calendar."""
    for time in times:
        talk.say(f"schedule a budget review {time}")
        talk.confirm()
    talk.conversation.heard("thanks", talk.now)


def test_one_of_several_of_a_day_is_asked_for(talk: Talk) -> None:
    reviews(talk, "on saturday at ten", "on saturday at two")
    question = talk.say("cancel the budget review")
    assert question == "You have two called Budget review on Saturday: the one at 10 a.m. or the one at 2 p.m.?"
    assert talk.say("maybe") == f"Sorry? {question}"
    assert talk.say("the one at two") == ""
    assert talk.asked == ["Cancel Budget review on Saturday at 2 p.m."]


@pytest.mark.parametrize(
    ("answer", "day"),
    [("the second one", "Sunday"), ("saturday's", "Saturday"), ("sunday", "Sunday"), ("the one at two", "Sunday")],
)
def test_the_answer_to_which_one(talk: Talk, answer: str, day: str) -> None:
    reviews(talk, "on saturday at ten", "on sunday at two")
    assert talk.say("cancel the budget review") == "Which Budget review: on Saturday at 10 a.m. or on Sunday at 2 p.m.?"
    talk.say(answer)
    assert len(talk.asked) == 1
    assert day in talk.asked[0]


def test_an_answer_that_chooses_nothing_is_asked_again(talk: Talk) -> None:
    reviews(talk, "on saturday at ten", "on sunday at ten")
    question = talk.say("cancel the budget review")
    assert talk.conversation.expecting().mood is Mood.WHICH
    assert talk.say("it") == f"Sorry? {question}"
    assert talk.say("the one at ten") == question
    assert talk.proposals == {}


SERIES = "Team meeting comes again and again. Only the one tomorrow at 9:15 a.m., or all of them?"


def test_of_a_series_it_is_asked_how_much_is_meant(talk: Talk) -> None:
    assert talk.say("cancel the team meeting") == SERIES
    talk.say("only this one")
    assert talk.asked == ["Cancel Team meeting tomorrow at 9:15 a.m."]
    talk.confirm()
    assert [event.start_time.astimezone(NOW.tzinfo).day for event in talk.events("Team meeting")][:2] == [26, 27]


def test_a_whole_series_is_cancelled(talk: Talk) -> None:
    assert talk.say("cancel the team meeting") == SERIES
    talk.say("all of them")
    assert talk.asked == ["Cancel Team meeting tomorrow at 9:15 a.m. and the whole series"]
    talk.confirm()
    assert talk.events("Team meeting") == []


@pytest.mark.parametrize(
    ("answer", "day"), [("the second one", "Thursday"), ("thursday's", "Thursday"), ("the one on monday", "Monday")]
)
def test_another_one_of_the_series_may_be_meant(talk: Talk, answer: str, day: str) -> None:
    talk.say("cancel the team meeting")
    talk.say(answer)
    assert talk.asked == [f"Cancel Team meeting on {day} at 9:15 a.m."]


def test_who_names_the_day_means_no_other_of_the_series(talk: Talk) -> None:
    talk.say("move the team meeting on thursday to ten")
    (action,) = talk.proposals.values()
    assert action.parameters["series_scope"] == "this"


def test_a_new_series_begins_on_a_day_of_its_own(talk: Talk) -> None:
    talk.say("schedule stretching every weekday at nine in the morning")
    (action,) = talk.proposals.values()
    assert action.parameters["recurrence"] == {"rule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"}
    assert action.summary == "Create Stretching tomorrow at 9 a.m., for one hour, every weekday"
    talk.confirm()
    assert len(talk.events("Stretching")) > 5


def test_the_other_one_is_the_one_that_was_not_meant(talk: Talk) -> None:
    assert talk.say("cancel my meeting on monday").startswith("Which one: Team meeting on Monday at 9:15 a.m. or Piano")
    talk.say("the first one")
    talk.say("no, the other one")
    assert talk.asked == ["Cancel Piano lesson on Monday at 11 a.m."]


def test_both_answers_which_one(talk: Talk) -> None:
    talk.say("cancel my meeting on monday")
    talk.say("both")
    assert talk.asked == [
        "Cancel two events: Team meeting on Monday at 9:15 a.m. and Piano lesson on Monday at 11 a.m."
    ]


def test_the_next_one_is_looked_up(talk: Talk) -> None:
    talk.say("cancel my next meeting")
    assert talk.asked == ["Cancel Project review with Anna today at 11:30 a.m."]
    talk.say("no")
    talk.say("cancel my next team meeting")
    assert talk.asked == ["Cancel Team meeting tomorrow at 9:15 a.m."]


def test_an_event_outside_of_the_offer_may_be_meant(talk: Talk) -> None:
    talk.say("cancel the team meeting")
    talk.say("the dentist")
    assert talk.asked == ["Cancel Dentist appointment on Thursday at 3 p.m."]


def test_nothing_is_cancelled_by_guessing(talk: Talk) -> None:
    assert talk.say("cancel it") == f"{small_talk.NO_EVENT} Which one is it?"
    assert talk.say("cancel the second one") == f"{small_talk.NO_EVENT} Which one is it?"
    assert talk.say("cancel") == "Which event do you mean?"
    assert talk.say("cancel my meeting").startswith("Which one: ")
    assert talk.proposals == {}


def test_after_it_was_cancelled_it_is_nothing(talk: Talk) -> None:
    talk.say("cancel the dentist")
    talk.confirm()
    assert talk.say("cancel it") == f"{small_talk.NO_EVENT} Which one is it?"


def test_what_somebody_else_cancelled_meanwhile_is_told(talk: Talk, tmp_path: Path) -> None:
    talk.say("cancel the dentist")
    other = Talk(tmp_path)
    other.say("cancel the dentist")
    other.confirm()
    other.close()
    assert talk.confirm() == "That is cancelled already."


def test_all_of_those_that_were_told_are_cancelled_at_once(talk: Talk) -> None:
    assert talk.say("what do i have on thursday").startswith("You have three things")
    talk.say("cancel all of them")
    (action,) = talk.proposals.values()
    assert action.name == "bulk_cancel_events"
    assert len(action.parameters["event_ids"]) == len(action.affects) == 3
    assert action.summary.startswith("Cancel three events: Team meeting on Thursday at 9:15 a.m., Dentist")
    assert talk.confirm() == "Done. Three events are cancelled."
    assert talk.say("what do i have on thursday") == "You have nothing on Thursday."


def test_all_of_a_day_are_looked_up(talk: Talk) -> None:
    talk.say("cancel all my meetings on monday")
    assert talk.asked == [
        "Cancel two events: Team meeting on Monday at 9:15 a.m. and Piano lesson on Monday at 11 a.m."
    ]
    assert talk.say("no") == small_talk.LEFT
    assert talk.say("clear my calendar") == "Of which day?"
    talk.say("sunday")
    assert talk.asked == ["Cancel Flight to London on Sunday at 7:45 a.m."]


def test_all_with_a_word_or_in_a_part_of_a_day_are_looked_up(talk: Talk) -> None:
    talk.say("cancel all the team meetings this week")
    (action,) = talk.proposals.values()
    assert {each.title for each in action.affects} == {"Team meeting"}
    talk.say("no")
    talk.say("clear my friday afternoon")
    assert talk.asked == ["Cancel Budget planning on Friday at 2 p.m."]


def test_too_many_or_too_few_are_not_cancelled_together(talk: Talk) -> None:
    assert talk.say("cancel all of them") == "Of which day?"
    talk.say("never mind")
    assert talk.say("cancel all my meetings this week") == small_talk.TOO_MANY
    assert talk.say("move them to friday").startswith(small_talk.NO_EVENT)
    assert talk.proposals == {}


# Reminding


def test_a_reminder_is_made_without_asking(talk: Talk) -> None:
    assert talk.say("remind me to call the bank") == "When shall I remind you?"
    assert talk.say("tomorrow at nine") == "I will remind you tomorrow at 9 a.m.: Call the bank."
    assert talk.proposals == {}


def test_a_reminder_before_an_event(talk: Talk) -> None:
    assert talk.say("remind me an hour before the dentist") == "I will remind you one hour before Dentist appointment."
    assert talk.say("remind me about the flight") == "How long before Flight to London shall I remind you?"
    assert talk.say("two hours") == "I will remind you 2 hours before Flight to London."
    assert talk.say("remind me about the rent") == "When shall I remind you?"
    assert talk.say("on friday at noon") == "I will remind you on Friday at noon: Rent."


def test_a_strict_house_asks_before_it_reminds(tmp_path: Path) -> None:
    talk = Talk(tmp_path, policy=Policy.ALL)
    talk.say("remind me to call the bank tomorrow at nine")
    assert talk.asked == ["Remind you tomorrow at 9 a.m.: Call the bank"]
    assert talk.confirm() == "I will remind you tomorrow at 9 a.m.: Call the bank."
    talk.close()


# Answers to a proposal


@pytest.mark.parametrize("text", ["yes", "yes please", "go ahead", "hmm", "what", "maybe", "", "say that again"])
def test_what_is_no_refusal_and_no_wish_is_left_to_the_client(talk: Talk, text: str) -> None:
    talk.say("cancel the dentist")
    assert talk.say(text) == ""
    assert talk.moves == []
    assert len(talk.proposals) == 1


@pytest.mark.parametrize("text", ["no", "no thanks", "leave it", "no please don't", words.refusal()])
def test_a_spoken_no_drops_the_proposal(talk: Talk, text: str) -> None:
    talk.say("cancel the dentist")
    assert talk.say(text) == small_talk.LEFT
    assert talk.dropped == [("declined", "spoken_no")]
    assert talk.events("Dentist")


def test_do_not_do_it_is_a_no_and_a_greeting_is_nothing(talk: Talk) -> None:
    talk.say("cancel the dentist")
    assert talk.say("good morning") == ""
    assert talk.say("do not cancel my dentist appointment") == small_talk.LEFT
    assert talk.dropped == [("declined", "spoken_no")]


def test_the_prompt_that_comes_back_is_no_answer(talk: Talk) -> None:
    talk.say("cancel the dentist")
    asked = words.question(next(iter(talk.proposals.values()))).text
    assert talk.say(asked) == ""
    assert len(talk.proposals) == 1


def test_the_client_declines_or_lets_the_time_run_out(talk: Talk) -> None:
    talk.say("cancel the dentist")
    assert talk.decline() == small_talk.LEFT
    talk.say("cancel the dentist")
    assert talk.expire() == ""
    assert talk.events("Dentist")
    assert talk.say("yes") == small_talk.OFFER  # there is nothing left to consent to


def test_no_the_other_one(talk: Talk) -> None:
    talk.say("cancel the dentist")
    talk.say("no, the yoga class")
    assert talk.dropped == [("declined", "spoken_no")]
    assert talk.asked == ["Cancel Yoga class on Thursday at 6:30 p.m."]


def test_at_four_in_the_place_of_a_cancellation_is_a_move(talk: Talk) -> None:
    talk.say("cancel the dentist")
    talk.say("no, make it four instead")
    assert talk.asked == ["Move Dentist appointment from Thursday at 3 p.m. to 4 p.m."]


def test_a_wish_about_something_else_leaves_the_proposal_to_the_client(talk: Talk) -> None:
    talk.say("cancel the dentist")
    talk.say("also cancel the piano lesson")
    assert talk.asked == [
        "Cancel Dentist appointment on Thursday at 3 p.m.",
        "Cancel Piano lesson on Monday at 11 a.m.",
    ]
    assert talk.say("no") == small_talk.LEFT
    assert talk.asked == ["Cancel Dentist appointment on Thursday at 3 p.m."]
    assert talk.say("no") == small_talk.AGREED  # set aside: words no longer speak to it
    assert talk.confirm() == "Done. Dentist appointment on Thursday at 3 p.m. is cancelled."


def test_a_question_in_between_is_answered(talk: Talk) -> None:
    talk.say("cancel the dentist")
    assert "Dinner with Thomas" in talk.say("what do i have on saturday")
    assert talk.conversation.expecting().mood is Mood.WISH
    assert talk.confirm().startswith("Done.")


@pytest.mark.parametrize(
    ("wish", "said"),
    [("put me through to a person", " ".join(small_talk.NOBODY_HERE)), ("change my pin", small_talk.NO_PIN)],
)
def test_what_it_cannot_do_is_said_beside_a_proposal_too(talk: Talk, wish: str, said: str) -> None:
    talk.say("cancel the dentist")
    assert talk.say(wish) == said
    assert talk.events("Dentist")


def test_a_new_wish_about_the_same_event_replaces_the_proposal(talk: Talk) -> None:
    talk.say("cancel the dentist")
    talk.say("move the dentist to friday")
    assert talk.dropped == [("expired", "replaced")]
    assert talk.asked == ["Move Dentist appointment from Thursday at 3 p.m. to Friday at 3 p.m."]


def test_another_new_event_replaces_the_one_that_was_proposed(talk: Talk) -> None:
    talk.say("schedule lunch tomorrow at one")
    talk.say("no, schedule dinner tomorrow at seven")
    assert talk.dropped == [("expired", "replaced")]
    assert talk.asked == ["Create Dinner tomorrow at 7 p.m., for one hour"]


def test_a_pin_is_no_event(talk: Talk) -> None:
    for text in ("set up a new pin", "i want to change my pin"):
        assert talk.say(text) == small_talk.NO_PIN
    assert talk.say("what is my next meeting").startswith("Your next meeting")


def test_goodbye_ends_the_talk_and_what_was_proposed(talk: Talk) -> None:
    talk.say("cancel the dentist")
    assert talk.say("goodbye") == small_talk.GOODBYE
    assert talk.dropped == [("expired", "goodbye")]
    assert talk.over
    assert isinstance(talk.moves[-1], HangUp)


# Questions of ours


def test_a_question_is_repeated_and_then_let_go(talk: Talk) -> None:
    question = talk.say("reschedule the piano lesson")
    for _ in range(TRIES):
        assert talk.say("the weather is nice").endswith(question)
    assert small_talk.repair(1, CALLER.titles)[0] in talk.say("the weather is nice")


def test_silence_repeats_the_question(talk: Talk) -> None:
    question = talk.say("reschedule the piano lesson")
    assert talk.say("") == f"Sorry? {question}"
    assert talk.say("pardon") == question


def test_another_wish_lets_the_question_go(talk: Talk) -> None:
    talk.say("schedule a call with bob")
    assert "Your next meeting" in talk.say("what is my next meeting")
    assert small_talk.repair(1, CALLER.titles)[0] not in talk.say("cancel it")
    assert talk.asked == ["Cancel Project review with Anna today at 11:30 a.m."]


def test_a_question_may_be_refused(talk: Talk) -> None:
    talk.say("schedule a call with bob")
    assert talk.say("never mind") == small_talk.LEFT
    assert small_talk.repair(1, CALLER.titles)[0] in talk.say("xyzzy")


def test_help_and_goodbye_are_heard_instead_of_an_answer(talk: Talk) -> None:
    talk.say("schedule a call with bob")
    assert talk.say("help") == " ".join(small_talk.HELP)
    talk.say("schedule a call with bob")
    assert talk.say("bye") == small_talk.GOODBYE
    assert talk.over


@pytest.mark.parametrize("wish", ["I want to talk to a person", "put me through to reception", "operator"])
def test_who_asks_for_a_person_hears_that_nobody_can_be_had_here(talk: Talk, wish: str) -> None:
    assert talk.say(wish) == " ".join(small_talk.NOBODY_HERE)
    talk.say("schedule a call with bob")
    assert talk.say(wish) == " ".join(small_talk.NOBODY_HERE), "instead of an answer"
    assert talk.say("what is my next meeting") != ""


def test_a_question_is_kept_through_a_pause(talk: Talk) -> None:
    question = talk.say("schedule a call with bob")
    assert talk.say("wait a moment") == ""
    assert talk.say("thank you") == f"Sorry? {question}"


# Small talk


def test_small_talk(talk: Talk) -> None:
    assert talk.say("hello") == f"{small_talk.GREETING} {small_talk.OFFER}"
    assert talk.say("thank you") == small_talk.WELCOME
    assert talk.say("say that again") == small_talk.WELCOME
    assert talk.say("help") == " ".join(small_talk.HELP)
    assert talk.intents == ["help"]
    assert talk.say("never mind") == small_talk.AGREED
    assert talk.say("okay") == small_talk.OFFER
    assert talk.say("one moment") == ""
    assert talk.say("that's all thank you") == small_talk.GOODBYE
    assert talk.intents == ["goodbye"]


def test_before_anything_was_said_there_is_nothing_to_repeat(talk: Talk) -> None:
    assert talk.say("say that again") == small_talk.OFFER


def test_what_is_not_understood_is_answered_differently_each_time(talk: Talk) -> None:
    answers = [talk.say(text) for text in ("blah", "", "order a pizza")]
    assert len(set(answers)) == 3
    assert all("You can say: " in answer for answer in answers)
    talk.say("what is my next meeting")
    assert "Project review with Anna" not in talk.say("blah")
    assert "Project review with Anna" in talk.say("blah")


def test_what_is_half_understood_is_asked_back(talk: Talk) -> None:
    assert "I think you want to cancel an event" in talk.say("cancel the dentist and the yoga class")
    assert talk.proposals == {}


# Limits


def test_only_the_tools_that_are_allowed_are_used(tmp_path: Path) -> None:
    talk = Talk(tmp_path, tools=["get_next_event", "search_events"])
    talk.say("what is my next meeting")
    assert talk.say("cancel it") == small_talk.NOT_ALLOWED
    assert talk.say("am i free tomorrow") == small_talk.NOT_ALLOWED
    assert talk.proposals == {}
    talk.close()


def test_a_cancellation_is_not_turned_into_a_move_that_is_not_allowed(tmp_path: Path) -> None:
    talk = Talk(tmp_path, tools=CALENDAR_TOOLS.names() - {"update_event"})
    talk.say("cancel the dentist")
    assert talk.say("no, make it four instead") == small_talk.NOT_ALLOWED
    assert talk.proposals == {}
    talk.close()


def test_a_calendar_that_cannot_be_reached_is_told(talk: Talk, tmp_path: Path) -> None:
    talk.say("cancel the dentist")
    talk.keeper.close()
    (tmp_path / "calendar.db").write_bytes(b"")
    assert talk.confirm() == "I cannot reach your calendar right now."
    assert talk.say("what is my next meeting") == "I cannot reach your calendar right now."
    assert talk.say("when is the dentist") == "I cannot reach your calendar right now."


def conversation(titles: tuple[str, ...] = CALLER.titles) -> CalendarConversation:
    numbers = count()
    caller = Caller(user_id="usr_alice", timezone=CALLER.timezone, titles=titles)
    return CalendarConversation(caller, lambda: f"act_{next(numbers)}", CALENDAR_TOOLS.names())


@pytest.mark.parametrize(
    ("wish", "question", "mood"),
    [
        ("clear my calendar", "Of which day?", Mood.WHEN),
        ("cancel the team meeting", SERIES, Mood.SCOPE),
        ("remind me about the dentist", "How long before", Mood.LENGTH),
        ("create an event", "What shall I call it?", Mood.WISH),
    ],
)
def test_the_ear_is_told_what_a_question_asks_for(talk: Talk, wish: str, question: str, mood: Mood) -> None:
    said = talk.say(wish)
    assert question in said
    assert talk.conversation.expecting().mood is mood


def test_the_ear_is_told_what_to_expect(talk: Talk) -> None:
    assert talk.conversation.expecting().mood is Mood.WISH
    talk.say("when is the flight")
    assert talk.conversation.expecting().phrases[0] == "Flight to London"
    talk.say("cancel it")
    assert talk.conversation.expecting().mood is Mood.CONSENT
    talk.say("no")
    assert talk.conversation.expecting().mood is Mood.WISH
    many = tuple(str(number) for number in range(PHRASES_MAX + 1))
    assert len(conversation(many).expecting().phrases) == PHRASES_MAX


def test_new_titles_are_expected_and_cancelled_ones_are_not_in_the_way(talk: Talk) -> None:
    talk.say("schedule ice hockey tomorrow at seven p.m.")
    talk.confirm()
    assert "Ice hockey" in talk.conversation.expecting().phrases
    talk.say("when is the ice hockey")
    talk.say("cancel it")
    assert talk.asked == ["Cancel Ice hockey tomorrow at 7 p.m."]


def test_results_nobody_waits_for_change_nothing() -> None:
    talk = conversation()
    assert talk.ran("act_99", {"ok": True}, NOW) == []
    assert talk.confirmed("act_99", NOW) == []
    assert talk.declined("act_99", NOW) == []
    assert talk.withdrawn("act_99", NOW) == []


def test_a_proposal_that_the_session_refuses_is_told() -> None:
    talk = conversation()
    (_, look) = talk.heard("schedule lunch tomorrow at one", NOW)
    assert isinstance(look, Run)
    (proposal,) = talk.ran(look.id, {"ok": True, "available": True, "conflicts": [], "alternatives": []}, NOW)
    assert isinstance(proposal, Propose)
    refusal = {"ok": False, "error": {"code": "authorization_failed"}}
    assert talk.ran(proposal.id, refusal, NOW) == [Say("I am not allowed to do that on this line.")]
    assert talk.heard("no", NOW) == [Say(small_talk.AGREED)]


# What must always hold

TURNS = st.sampled_from(
    (
        "cancel it",
        "cancel the dentist",
        "move it to four",
        "schedule lunch tomorrow at one",
        "create an event",
        "remind me to buy milk",
        "what do i have tomorrow",
        "what is my next meeting",
        "yes",
        "no",
        "yes but at four",
        "the second one",
        "tomorrow at three",
        "cancel both",
        "never mind",
        "help",
        "",
        "blah",
        "+",
        "-",
        "~",
    )
)


@settings(max_examples=25, deadline=None)
@given(st.lists(TURNS | st.text(max_size=20), max_size=8))
def test_nothing_is_written_without_the_client_and_every_proposal_is_settled_once(
    tmp_path_factory: pytest.TempPathFactory, turns: list[str]
) -> None:
    talk = Talk(tmp_path_factory.mktemp("talk"))
    proposed: list[str] = []
    dropped: list[str] = []
    for turn in turns:
        before = talk.events()
        if turn in ("+", "-", "~") and talk.proposals:
            {"+": talk.confirm, "-": talk.decline, "~": talk.expire}[turn]()
        else:
            talk.say(turn)
        if turn != "+":
            assert talk.events() == before
        proposed += [move.id for move in talk.moves if isinstance(move, Propose)]
        dropped += [move.id for move in talk.moves if isinstance(move, Drop)]
    assert len(set(proposed)) == len(proposed)
    assert len(set(dropped)) == len(dropped)
    talk.close()

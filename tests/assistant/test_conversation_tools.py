"""Talks about ways, lateness, alerts, messages and settings, with the real tools and Alice's week."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from phone_bridge.assistant import small_talk
from phone_bridge.call.events import Action
from tests.assistant.talking import Talk

REVIEW = "Project review with Anna today at 11:30 a.m."


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    talk = Talk(tmp_path)
    yield talk
    talk.close()


def proposed(talk: Talk) -> Action:
    (action,) = talk.proposals.values()
    return action


# Ways


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("when do i have to leave for the dentist", "You have to leave for Dentist appointment on Thursday at "),
        ("when do i have to leave for my next meeting", "You have to leave for Project review with Anna at "),
        ("when do i have to leave", "You have to leave for Project review with Anna at "),
        (
            "what's the latest i can leave for the dentist",
            "You have to leave for Dentist appointment at the latest on ",
        ),
        ("how long does it take to get to the dentist", "It takes "),
        ("how long is the drive to the dentis", "It takes "),
        ("how far is it to the interview on foot", "It takes 2 hours and "),
        ("are there other routes to the dentist", "There is one way to Dentist appointment: "),
        ("navigate to the dentist", "I have the link with the way to Dentist appointment, but I cannot send it"),
        ("am i late", "You are on time for "),
        ("will i make it to the dentist on time", "You are on time for Dentist appointment."),
        ("how far is it to the moon", "I do not know where that is on the map, so I cannot tell."),
        ("am i late for the opera", "I cannot find anything called opera in your calendar."),
    ],
)
def test_questions_about_ways_are_answered(talk: Talk, text: str, answer: str) -> None:
    assert talk.say(text).startswith(answer)
    assert talk.proposals == {}


def test_ways_go_on_about_the_event_of_the_talk(talk: Talk) -> None:
    talk.say("when is the dentist")
    assert talk.say("when do i have to leave").startswith("You have to leave for Dentist appointment")
    assert talk.say("how long does it take to get there on foot").endswith(" on foot to Dentist appointment.")
    assert "the way to Dentist appointment" in talk.say("navigate there")


# Being late, and telling others


def test_being_late_is_noted_at_once(talk: Talk) -> None:
    said = talk.say("i'm running ten minutes late")
    assert said == "I noted that you will be 10 minutes late for Project review with Anna."
    assert talk.proposals == {}


def test_telling_it_to_others_is_asked(talk: Talk) -> None:
    talk.say("i will be ten minutes late for the interview and tell everybody")
    assert talk.asked == [
        "Note that you are 10 minutes late for Interview with Simon on Friday at 10:30 a.m., and tell Simon"
    ]
    assert talk.confirm().endswith("The message to Simon is written, but it has not been sent yet.")


def test_having_arrived_is_noted(talk: Talk) -> None:
    talk.later(hours=1, minutes=35)
    assert talk.say("i'm here") == "I noted that you have arrived at Project review with Anna."


def test_a_message_is_read_back_word_for_word(talk: Talk) -> None:
    talk.say("tell anna that we start at ten")
    assert talk.asked == [f"Tell Anna, about {REVIEW}: we start at ten"]
    assert proposed(talk).parameters["attendee_emails"] == ["anna@example.com"]
    assert talk.confirm() == "The message to Anna is written, but it has not been sent yet."


def test_what_to_tell_is_asked_for(talk: Talk) -> None:
    assert talk.say("notify the attendees of the project review") == "What shall I tell them?"
    talk.say("we will meet in the lobby")
    assert talk.asked == [f"Tell Anna and Martin, about {REVIEW}: we will meet in the lobby"]


def test_who_is_alone_tells_nobody(talk: Talk) -> None:
    assert talk.say("let everyone in the yoga class know that i am late") == "Nobody else is invited to Yoga class."
    assert talk.proposals == {}


# Alerts


def test_alerts_are_read_put_off_and_dismissed(talk: Talk) -> None:
    assert talk.say("do i have any alerts") == "You have one alert: Leave in time for Project review with Anna."
    assert talk.say("snooze it until eleven") == "I will tell you again at 11 a.m."
    assert talk.say("any alerts") == "You have no alerts."
    talk.later(hours=1)
    assert talk.say("any alerts").startswith("You have one alert")
    assert talk.say("dismiss the first one") == "That alert is dismissed."
    assert talk.say("dismiss it") == "You have no alerts."
    assert talk.say("dismiss all alerts") == "All alerts are dismissed."


def test_cancelling_it_means_the_alert_that_was_just_told(talk: Talk) -> None:
    talk.say("when is the dentist")
    talk.say("do i have any alerts")
    assert talk.say("cancel it") == "That alert is dismissed."
    talk.say("when is the dentist")
    talk.say("cancel it")
    assert talk.asked == ["Cancel Dentist appointment on Thursday at 3 p.m."]


def test_alerts_that_were_not_read_yet_are_looked_up(talk: Talk) -> None:
    assert talk.say("dismiss the alert about the project review") == "That alert is dismissed."


def test_an_alert_that_is_not_there_is_asked_about(talk: Talk) -> None:
    question = talk.say("snooze the alert about the flight")
    assert question == "Which alert: Leave in time for Project review with Anna?"
    assert talk.say("the blue one") == f"Sorry? {question}"
    assert talk.say("the first one") == "I will tell you again at 10:10 a.m."


# Settings


@pytest.mark.parametrize(
    ("text", "asked", "done"),
    [
        ("set my time zone to berlin", "Set your time zone to Berlin", "Your time zone is now Berlin."),
        (
            "don't disturb me between ten pm and seven am",
            "Set quiet hours from 10 p.m. to 7 a.m.",
            "Quiet hours are from 10 p.m. to 7 a.m.",
        ),
        ("turn off quiet hours", "Turn quiet hours off", "Quiet hours are off."),
        (
            "use aggressive alerts for the flight",
            "Set your alerts to aggressive for Flight to London",
            "Your alerts are now aggressive for Flight to London.",
        ),
        ("leave ten minutes between meetings", "Keep 10 minutes free between meetings", "I keep 10 minutes free."),
        (
            "i work from ten to six monday to thursday",
            "Set your working hours from 10 a.m. to 6 p.m., on Monday, Tuesday, Wednesday and Thursday",
            "You work from 10 a.m. to 6 p.m., on Monday, Tuesday, Wednesday and Thursday.",
        ),
    ],
)
def test_settings_are_read_back_and_kept(talk: Talk, text: str, asked: str, done: str) -> None:
    assert talk.say(text) == ""
    assert talk.asked == [asked]
    assert talk.confirm() == done


def test_a_setting_that_is_open_is_asked_for_and_can_be_changed(talk: Talk) -> None:
    assert talk.say("turn on quiet hours") == "From when until when?"
    talk.say("ten pm to six am")
    talk.say("no, make it seven")
    assert talk.asked == ["Set quiet hours from 10 p.m. to 7 a.m."]
    assert talk.dropped == [("expired", "replaced")]


def test_a_new_zone_counts_from_now_on(talk: Talk) -> None:
    talk.say("set my time zone to berlin")
    talk.confirm()
    assert talk.say("when is the dentist") == "Dentist appointment is on Thursday at 9 p.m."
    talk.say("schedule tea tomorrow at four")
    assert proposed(talk).parameters["start_time"] == "2026-11-25T16:00:00+01:00"
    assert proposed(talk).parameters["timezone"] == "Europe/Berlin"


def test_a_new_length_counts_from_now_on(talk: Talk) -> None:
    talk.say("make my meetings twenty minutes by default")
    talk.confirm()
    talk.say("schedule tea tomorrow at two")
    assert talk.asked == ["Create Tea tomorrow at 2 p.m., for 20 minutes"]


def test_what_the_caller_lets_be_done_without_asking_is_done(talk: Talk, tmp_path: Path) -> None:
    talk.say("set my buffer to ten minutes")
    talk.confirm()
    assert talk.tool("update_preferences", auto_confirm=["set_global_buffer"])["ok"]
    again = Talk(tmp_path)
    assert again.say("set my buffer to five minutes") == "I keep 5 minutes free."
    again.close()


# Summaries


def test_days_and_weeks_are_summed_up(talk: Talk) -> None:
    assert talk.say("give me a summary of tomorrow").startswith(
        "You have three things tomorrow, from 9:15 a.m. to 4:30"
    )
    assert talk.say("and on friday").startswith("You have three things on Friday")
    assert talk.say("how does my week look").startswith("You have ")


# Words heard a little wrong


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("cancel the dentis", "Cancel Dentist appointment on Thursday at 3 p.m."),
        ("cancel lunch with karol", "Cancel Lunch with Carol tomorrow at 12:30 p.m."),
        ("cancel the bugdet planing", "Cancel Budget planning on Friday at 2 p.m."),
        ("cancel the dinner with tomas", "Cancel Dinner with Thomas on Saturday at 7 p.m."),
    ],
)
def test_titles_and_names_are_found_in_spite_of_small_mistakes(talk: Talk, text: str, asked: str) -> None:
    talk.say(text)
    assert talk.asked == [asked]


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        ("no i meant the third one", "Cancel Phone call with Martin tomorrow at 4 p.m."),
        ("no i said the team meeting", "Cancel Team meeting tomorrow at 9:15 a.m."),
        ("sorry no the dentist", "Cancel Dentist appointment on Thursday at 3 p.m."),
    ],
)
def test_what_was_meant_instead_is_taken(talk: Talk, answer: str, asked: str) -> None:
    talk.say("what do i have tomorrow")
    talk.say("cancel the second one")
    talk.say(answer)
    if talk.said:
        talk.say("only this one")
    assert talk.asked == [asked]


def test_help_says_what_one_can_say(talk: Talk) -> None:
    assert talk.say("help") == " ".join(small_talk.HELP)
    assert len(small_talk.HELP) <= 3


def test_without_the_scopes_nothing_is_done(tmp_path: Path) -> None:
    talk = Talk(tmp_path, tools=("get_next_event",))
    for text in ("i'm late", "set my alerts to silent", "do i have any alerts", "clear my friday", "navigate home"):
        assert talk.say(text) == small_talk.NOT_ALLOWED
    talk.close()

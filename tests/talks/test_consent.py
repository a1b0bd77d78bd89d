"""What a caller has to say or press before anything is written, and what is no consent."""

from pathlib import Path
from typing import Any

from phone_bridge.call.rules import Rules
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.script import HangUp, Listen, Press, Say
from tests.talks.stage import Circumstances, Talk, hold

REVIEW = "Project review with Anna"
QUESTION = f"bridge: I am about to cancel {REVIEW}, on Tuesday the 24th of November at 11:30 a.m."
KEYS = (
    "bridge: Press 1 or say yes to confirm, press 2 or say no to leave things as they are. Press star to hear it again."
)
DONE = f"assistant: Done. {REVIEW} today at 11:30 a.m. is cancelled."
LEFT = "assistant: All right, I left everything as it is."
CANCEL = Say("cancel my next meeting")


def confirmed(talk: Talk, by: str) -> bool:
    """One yes, told to the assistant once, and done."""
    once = len(talk.confirms) == 1
    return once and talk.verdicts == [("cancel_event", "confirmed", by)] and REVIEW not in talk.calendar


def refused(talk: Talk, verdict: str, by: str) -> bool:
    """Asked, not confirmed, and nothing was changed."""
    return not talk.confirms and talk.verdicts == [("cancel_event", verdict, by)] and REVIEW in talk.calendar


def test_a_meeting_is_asked_for_and_cancelled_by_a_key(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("what is my next meeting"), Say("cancel it"), Press("1"))
    assert talk.result.reasons == ()
    assert talk.lines == [
        "bridge: Hello, this is your calendar assistant. How can I help?",
        "caller: what is my next meeting",
        f"assistant: Your next meeting is {REVIEW}, today at 11:30 a.m., in one hour and 29 minutes, at the office.",
        "caller: cancel it",
        QUESTION,
        KEYS,
        DONE,
    ]
    assert confirmed(talk, "digit")
    assert talk.trace.ended_by == "caller"


def test_a_meeting_is_cancelled_by_a_spoken_yes(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Say("yes, go ahead"))
    assert talk.lines[-4:] == [QUESTION, KEYS, "caller: yes, go ahead", DONE]
    assert confirmed(talk, "speech")


def test_a_yes_may_interrupt_the_rest_of_the_prompt(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Listen(2_000), Say("yes please", after_ms=0))
    question, keys, yes, done = talk.lines[-4:]
    assert (question, yes, done) == (QUESTION, "caller: yes please", DONE)
    assert KEYS.startswith(keys)
    assert len(keys) < len(KEYS)
    assert confirmed(talk, "speech")


def test_two_is_a_no_and_the_assistant_is_told_in_words(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("2"))
    assert talk.lines[-3:] == [QUESTION, KEYS, LEFT]
    assert refused(talk, "declined", "digit")
    assert talk.told == (m.TextAppend(text="No, please leave it as it is."),)


def test_a_spoken_no_is_heard_by_the_assistant_itself(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Say("no, leave it"))
    assert talk.lines[-2:] == ["caller: no, leave it", LEFT]
    assert refused(talk, "declined", "speech")
    assert talk.told == ()


def test_an_answer_that_nobody_understands_is_asked_for_again(tmp_path: Path) -> None:
    mumbled = "mmh, mm, mmh"
    talk = hold(tmp_path, CANCEL, Say(mumbled), Say("yes"), given=Circumstances(unheard=mumbled))
    asked_again = ["bridge: I need a clear answer to this.", KEYS]
    assert talk.lines[-6:] == [QUESTION, KEYS, *asked_again, "caller: yes", DONE]
    assert confirmed(talk, "speech")
    assert talk.result.metrics.longest_silence_ms < 2_000


def test_yes_but_at_four_is_a_new_wish_and_asked_anew(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("create a meeting tomorrow at three"), Say("yes, but at four"), Say("yes"))
    assert [line for line in talk.lines if "about to" in line] == [
        "bridge: I am about to create Meeting, on Wednesday the 25th of November from 3 p.m. to 4 p.m.",
        "bridge: I am about to create Meeting, on Wednesday the 25th of November from 4 p.m. to 5 p.m.",
    ]
    assert talk.verdicts == [("create_event", "declined", "speech"), ("create_event", "confirmed", "speech")]
    assert talk.confirms == [talk.asked[1].id]
    assert talk.calendar["Meeting"].hour == 16


def test_silence_is_a_no_and_said_to_be_one(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, given=Circumstances(rules=Rules(answer_ms=5_000), stay=True))
    assert talk.lines[talk.lines.index(KEYS) + 1] == "bridge: I heard no answer, so nothing was changed."
    assert refused(talk, "expired", "none")


def test_hanging_up_is_a_no(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Listen(1_000), HangUp(after_ms=0))
    assert QUESTION.startswith(talk.lines[-1])
    assert refused(talk, "unanswered", "none")
    assert talk.trace.ended_by == "caller"


def test_a_key_that_came_before_the_question_answers_nothing(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("1", after_ms=100), Press("2"))
    assert refused(talk, "declined", "digit")


def test_a_yes_that_came_before_the_action_was_named_answers_nothing(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Listen(1_500), Say("yes", after_ms=0), Press("2"))
    assert "caller: yes" in talk.lines
    assert refused(talk, "declined", "digit")


def test_words_that_are_neither_yes_nor_no_are_asked_about_and_then_only_keys_count(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Say("maybe, I am not sure"), Say("well, perhaps"), Press("1"))
    said = [line for line in talk.lines if line.startswith("bridge")]
    assert said[-3:] == [
        "bridge: I need a clear answer to this.",
        KEYS,
        "bridge: Use the keys, please: 1 to confirm, 2 to leave things as they are, star to hear it again.",
    ]
    assert confirmed(talk, "digit")


def test_star_repeats_and_any_other_key_says_so(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("*"), Press("7"), Press("1"))
    assert talk.lines[-7:] == [QUESTION, KEYS, QUESTION, KEYS, "bridge: That key means nothing here.", KEYS, DONE]
    assert confirmed(talk, "digit")


def test_one_pressed_twice_confirms_once(tmp_path: Path) -> None:
    talk = hold(tmp_path, CANCEL, Press("11"))
    assert confirmed(talk, "digit")


def test_a_second_press_is_no_answer_to_the_next_question(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("cancel the dentist"), Press("11"), Say("cancel the yoga class"), Press("2"))
    assert [(asked.action.affects[0].title, asked.verdict.value) for asked in talk.asked] == [
        ("Dentist appointment", "confirmed"),
        ("Yoga class", "declined"),
    ]
    assert talk.confirms == [talk.asked[0].id]
    assert "Dentist appointment" not in talk.calendar
    assert "Yoga class" in talk.calendar


def test_several_events_are_asked_about_at_once_each_by_its_name(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("what do I have on Thursday"), Say("cancel all of them"), Press("1"))
    told = [line for line in talk.lines[4:] if line != KEYS]
    assert told[0].startswith("bridge: I am about to cancel all of these 3 events on Thursday the 26th of November: ")
    assert all(title in told[0] for title in ("Team meeting", "Dentist appointment", "Yoga class"))
    assert told[1:] == ["assistant: Done. Three events are cancelled."]
    assert not {"Dentist appointment", "Yoga class"} & talk.calendar.keys()
    assert talk.verdicts == [("bulk_cancel_events", "confirmed", "digit")]


def test_who_wishes_so_is_not_asked_but_told(tmp_path: Path) -> None:
    rules = Rules(auto_confirm=frozenset({"cancel_event"}))
    talk = hold(tmp_path, CANCEL, given=Circumstances(rules=rules))
    assert talk.lines[2:4] == ["bridge: As you wished, without asking:", QUESTION]
    assert KEYS not in talk.lines
    assert confirmed(talk, "none")


def test_what_was_confirmed_is_exactly_what_was_named(tmp_path: Path) -> None:
    talk = hold(tmp_path, Say("move the dentist appointment to Friday at ten"), Press("1"))
    (asked,) = talk.asked
    parameters: dict[str, Any] = asked.action.parameters
    assert "bridge: I am about to move Dentist appointment" in "\n".join(talk.lines)
    assert "Friday the 27th of November" in "\n".join(talk.lines)
    assert talk.calendar["Dentist appointment"].isoformat() == parameters["start_time"]
    assert asked.heard_ms > 0

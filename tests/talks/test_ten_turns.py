"""Conversations of ten turns: one thing after the other, with answers, corrections and second thoughts."""

from pathlib import Path

from phone_bridge.simulator.script import Press, Say, Step
from tests.talks.stage import Talk, hold


def held(folder: Path, *script: Step) -> tuple[Talk, list[str]]:
    """Have a talk of ten turns at least; it, and what the assistant and the bridge said, the keys left out."""
    turns = [step for step in script if isinstance(step, Say | Press)]
    assert len(turns) >= 10
    talk = hold(folder, *script)
    assert talk.result.reasons == ()
    return talk, [line for line in talk.lines[1:] if "Press 1 or say yes" not in line]


def answers(lines: list[str], question: str) -> list[str]:
    """What was said between a turn of the caller's and the next one."""
    at = lines.index(f"caller: {question}")
    rest = lines[at + 1 :]
    end = next((n for n, line in enumerate(rest) if line.startswith("caller: ")), len(rest))
    return rest[:end]


def test_a_morning_with_a_full_day_ahead(tmp_path: Path) -> None:
    talk, lines = held(
        tmp_path,
        Say("good morning"),
        Say("how does my week look"),
        Say("what do i have tomorrow"),
        Say("who is coming to the second one"),
        Say("where is it"),
        Say("move it to two"),
        Press("1"),
        Say("and how long is it"),
        Say("when do i have to leave for the dentist"),
        Say("remind me ten minutes before i have to leave"),
        Say("goodbye"),
    )
    assert answers(lines, "who is coming to the second one") == ["assistant: Lunch with Carol is with Carol."]
    assert answers(lines, "where is it") == ["assistant: Lunch with Carol is at Garden Restaurant."]
    assert "tomorrow at 2 p.m." in answers(lines, "move it to two")[-1]
    assert answers(lines, "and how long is it") == ["assistant: Lunch with Carol takes one hour, until 3 p.m."]
    assert answers(lines, "when do i have to leave for the dentist")[0].startswith(
        "assistant: You have to leave for Dentist appointment on Thursday at "
    )
    assert answers(lines, "remind me ten minutes before i have to leave") == [
        "assistant: I will remind you 10 minutes before you have to leave for Dentist appointment."
    ]
    assert talk.calendar["Lunch with Carol"].hour == 14
    assert talk.trace.ended_by == "assistant"


def test_a_new_event_that_is_in_the_way_of_another(tmp_path: Path) -> None:
    talk, lines = held(
        tmp_path,
        Say("schedule an event"),
        Say("tennis with paul"),
        Say("tomorrow"),
        Say("quarter past four"),
        Say("no, at half past five"),
        Press("1"),
        Say("make it an hour and a half long"),
        Press("1"),
        Say("am i free on friday at three"),
        Say("when am i free on friday"),
        Say("thank you, that's all"),
    )
    assert answers(lines, "schedule an event") == ["assistant: What shall I call it?"]
    assert answers(lines, "tennis with paul") == ["assistant: On which day, and at what time?"]
    assert answers(lines, "tomorrow") == ["assistant: At what time tomorrow?"]
    assert answers(lines, "quarter past four")[0].startswith("assistant: Then you have Phone call with Martin; at ")
    assert "5:30 p.m." in answers(lines, "no, at half past five")[0]
    assert "Tennis with Paul now ends at 7 p.m." in answers(lines, "make it an hour and a half long")[-1]
    assert "you have Budget planning" in answers(lines, "am i free on friday at three")[0]
    start = talk.calendar["Tennis with Paul"]
    assert (start.day, start.hour, start.minute) == (25, 17, 30)
    assert [verdict for _, verdict, _ in talk.verdicts] == ["declined", "confirmed", "confirmed"]


def test_a_day_in_bed(tmp_path: Path) -> None:
    talk, lines = held(
        tmp_path,
        Say("hello"),
        Say("i am not well"),
        Say("clear my thursday"),
        Say("no, wait"),
        Say("cancel the dentist"),
        Say("yes"),
        Say("cancel the yoga class too"),
        Press("1"),
        Say("tell carol that i am ill and cannot come tomorrow"),
        Press("1"),
        Say("what is left on thursday"),
        Say("goodbye"),
    )
    assert answers(lines, "i am not well")[0].startswith("assistant: Sorry, I did not understand that.")
    assert "cancel all of these 3 events" in answers(lines, "clear my thursday")[0]
    assert answers(lines, "tell carol that i am ill and cannot come tomorrow")[-1] == (
        "assistant: The message to Carol is written, but it has not been sent yet."
    )
    assert answers(lines, "what is left on thursday")[0].startswith("assistant: You have one thing on Thursday: Team")
    assert not {"Dentist appointment", "Yoga class"} & talk.calendar.keys()
    assert [name for name, verdict, _ in talk.verdicts if verdict == "confirmed"] == [
        "cancel_event",
        "cancel_event",
        "notify_attendees",
    ]


def test_late_on_the_way(tmp_path: Path) -> None:
    talk, lines = held(
        tmp_path,
        Say("what is my next meeting"),
        Say("when do i have to leave"),
        Say("how long does it take to get there on foot"),
        Say("are there other routes"),
        Say("navigate there"),
        Say("am i late"),
        Say("i'm running ten minutes late"),
        Say("tell them i will be ten minutes late"),
        Press("1"),
        Say("do i have any alerts"),
        Say("dismiss it"),
        Say("i'm here"),
        Say("bye"),
    )
    assert answers(lines, "when do i have to leave")[0].startswith("assistant: You have to leave for Project review")
    assert " on foot to Project review with Anna." in answers(lines, "how long does it take to get there on foot")[0]
    assert answers(lines, "i'm running ten minutes late") == [
        "assistant: I noted that you will be 10 minutes late for Project review with Anna."
    ]
    assert answers(lines, "tell them i will be ten minutes late")[-1].startswith(
        "assistant: The message to Anna and Mar"
    )
    assert answers(lines, "dismiss it") == ["assistant: That alert is dismissed."]
    assert answers(lines, "i'm here") == ["assistant: I noted that you have arrived at Project review with Anna."]
    assert talk.verdicts == [("notify_attendees", "confirmed", "digit")]


def test_habits_are_settled(tmp_path: Path) -> None:
    talk, lines = held(
        tmp_path,
        Say("turn on quiet hours"),
        Say("from ten pm to six am"),
        Say("no, make it seven am"),
        Press("1"),
        Say("leave ten minutes between my meetings"),
        Press("1"),
        Say("fewer alerts please"),
        Press("2"),
        Say("make my meetings thirty minutes by default"),
        Press("1"),
        Say("schedule a call with bob tomorrow at two"),
        Press("1"),
        Say("how long is it"),
    )
    assert answers(lines, "turn on quiet hours") == ["assistant: From when until when?"]
    assert answers(lines, "no, make it seven am")[-1] == "assistant: Quiet hours are from 10 p.m. to 7 a.m."
    assert answers(lines, "leave ten minutes between my meetings")[-1] == "assistant: I keep 10 minutes free."
    assert answers(lines, "fewer alerts please")[-1] == "assistant: All right, I left everything as it is."
    assert answers(lines, "how long is it") == ["assistant: Call with Bob takes 30 minutes, until 2:30 p.m."]
    assert [(name, verdict) for name, verdict, _ in talk.verdicts] == [
        ("set_quiet_hours", "declined"),
        ("set_quiet_hours", "confirmed"),
        ("set_global_buffer", "confirmed"),
        ("set_alert_profile", "declined"),
        ("update_preferences", "confirmed"),
        ("create_event", "confirmed"),
    ]


def test_a_series_and_second_thoughts(tmp_path: Path) -> None:
    talk, lines = held(
        tmp_path,
        Say("when is the team meeting"),
        Say("move it to ten"),
        Say("only this one"),
        Press("1"),
        Say("schedule stretching every monday at six in the evening"),
        Press("1"),
        Say("cancel the stretching"),
        Say("all of them"),
        Say("no"),
        Say("rename it to gymnastics"),
        Say("the whole series"),
        Press("1"),
        Say("what do i have on monday"),
    )
    assert answers(lines, "when is the team meeting")[0].endswith("It comes again on Thursday at 9:15 a.m.")
    assert answers(lines, "move it to ten")[0].startswith("assistant: Team meeting comes again and again.")
    assert answers(lines, "only this one")[-1] == "assistant: Done. Team meeting is now tomorrow at 10 a.m."
    assert answers(lines, "no")[-1] == "assistant: All right, I left everything as it is."
    assert "Gymnastics at 6 p.m." in answers(lines, "what do i have on monday")[0]
    assert [verdict for _, verdict, _ in talk.verdicts] == ["confirmed", "confirmed", "declined", "confirmed"]


def test_words_heard_wrong_and_what_was_meant(tmp_path: Path) -> None:
    talk, lines = held(
        tmp_path,
        Say("cancel lunch with karol"),
        Say("no, I meant the dentist"),
        Say("no"),
        Say("the purple cow"),
        Say("what can i say"),
        Say("find my meetings with anna"),
        Say("the second one"),
        Say("who is coming"),
        Say("move the interview to thursday at two"),
        Say("no, I said friday"),
        Press("1"),
        Say("bye bye"),
    )
    assert "cancel Lunch with Carol" in answers(lines, "cancel lunch with karol")[0]
    assert "cancel Dentist appointment" in answers(lines, "no, I meant the dentist")[0]
    assert "You can say: " in answers(lines, "the purple cow")[0]
    assert answers(lines, "who is coming")[0] == "assistant: Budget planning is with Anna."
    assert "Then you have Budget planning; at " in answers(lines, "no, I said friday")[0]
    assert talk.calendar["Interview with Simon"].day == 27
    assert {"Lunch with Carol", "Dentist appointment"} <= talk.calendar.keys()

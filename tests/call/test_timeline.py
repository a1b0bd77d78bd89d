"""What a call looked like: loudness by steps, and what happened when."""

from phone_bridge.call import events as e
from phone_bridge.call.timeline import KEPT_STEPS, MAX_EVENTS, MAX_STEPS, STEP_MS, Noted, Timeline
from tests.call.desk import Desk


def test_loudness_is_a_letter_a_step_and_the_loudest_counts() -> None:
    timeline = Timeline()
    timeline.caller(0, 3)
    timeline.caller(250, 20)
    timeline.caller(299, 7)
    timeline.heard(150, 35)
    assert timeline.levels() == ("30k", "0z")
    assert timeline.levels(since=2) == ("k", "")


def test_what_is_kept_has_so_many_steps_at_most() -> None:
    timeline = Timeline()
    timeline.caller((2 * KEPT_STEPS + 1) * STEP_MS, 5)
    kept = timeline.kept()
    assert kept["step_ms"] == 3 * STEP_MS
    assert len(kept["caller"]) == -(-(2 * KEPT_STEPS + 2) // 3)
    assert kept["caller"][-1] == "5"


def test_a_call_that_came_back_is_seen_whole() -> None:
    first, second = Timeline(), Timeline()
    first.caller(100, 9)
    first.note(Noted(100, "key", "5"))
    second.caller(400, 11)
    second.heard(0, 1)
    second.note(Noted(420, "barge_in", ms=30))
    kept = second.kept(first.kept())
    assert (kept["caller"], kept["heard"]) == ("0900b", "10000"[:1])
    assert [event["kind"] for event in kept["events"]] == ["key", "barge_in"]


def test_steps_that_were_made_longer_stay_where_they_were() -> None:
    long, short = Timeline(), Timeline()
    long.caller((KEPT_STEPS + 1) * STEP_MS, 5)
    short.caller(0, 7)
    kept = short.kept(long.kept())
    assert kept["step_ms"] == 2 * STEP_MS
    assert kept["caller"][0] == "7"
    assert kept["caller"][-1] == "5"


def test_there_is_an_end_to_it() -> None:
    timeline = Timeline()
    timeline.caller(MAX_STEPS * STEP_MS, 5)
    assert timeline.levels() == ("", "")
    for at in range(MAX_EVENTS + 1):
        timeline.note(Noted(at, "key"))
    assert len(timeline.events) == MAX_EVENTS


def test_a_call_notes_answers_interruptions_keys_and_questions() -> None:
    desk = Desk().opened()
    desk.tell(e.VoiceStarted(desk.now), e.VoiceStopped(desk.now), e.CallerSaid("hello"))
    desk.wait(400)
    desk.tell(e.ReplyStarted("r1"), e.AssistantSpoke("r1", b"\x10" * 8_000))
    desk.wait(300)
    desk.tell(e.VoiceStarted(desk.now - 20))
    desk.tell(e.DigitPressed("5"))
    desk.asked()
    noted = [(event.kind, event.text, event.ms) for event in desk.call.trace.timeline.events]
    assert noted == [("answer", "", 400), ("barge_in", "", 20), ("key", "5", 0), ("asked", "cancel_event", 0)]


def test_sessions_that_were_lost_are_noted() -> None:
    desk = Desk().opened()
    desk.tell(e.SessionClosed("lost"))
    assert [event.kind for event in desk.call.trace.timeline.events] == ["session_lost"]

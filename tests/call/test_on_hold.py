"""A call on hold: nobody hears us, and nobody is asked whether they are there."""

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.rules import Rules
from tests.call.desk import FRAME, LINE_MS, Desk

QUESTION = ["question.cancel_event", "keys"]
MINUTES = 10 * 60_000
MUSIC = b"\x11" * 160


def test_the_call_waits_and_goes_on_where_it_was() -> None:
    desk = Desk().opened()
    desk.tell(e.CallerHeld(held=True))
    desk.wait(MINUTES)
    assert not desk.spoken()
    desk.tell(e.CallerHeld(held=False))
    desk.wait(Rules().silence_ms)
    assert desk.spoken() == ["still_there"]
    assert [event.kind for event in desk.call.trace.timeline.events] == ["held", "resumed"]


def test_what_is_played_to_who_waits_is_not_taken_for_words() -> None:
    desk = Desk().opened()
    desk.tell(e.CallerHeld(held=True), e.CallerHeard(MUSIC))
    assert desk.of(c.Listen) == [c.Listen(FRAME)]
    desk.tell(e.CallerHeld(held=False), e.CallerHeard(MUSIC))
    assert desk.of(c.Listen)[-1] == c.Listen(MUSIC)


def test_a_question_is_asked_again_of_who_is_back() -> None:
    desk = Desk(voice_ms=500).opened().asked()
    desk.tell(e.CallerHeld(held=True), e.CallerHeld(held=True))
    desk.wait(1_000)
    desk.tell(e.CallerHeld(held=False), e.DigitPressed("1"))
    assert not desk.of(c.Answer), "the question has not been heard by who is back"
    desk.wait(3 * LINE_MS)
    assert desk.spoken()[-2:] == QUESTION
    desk.tell(e.DigitPressed("1"))
    assert [answer.verdict for answer in desk.of(c.Answer)] == [c.Verdict.CONFIRMED]


def test_whoever_takes_the_call_over_is_not_on_hold() -> None:
    desk = Desk().opened()
    desk.tell(e.CallerHeld(held=True), e.CallerChanged(), e.CallerHeard(MUSIC))
    assert desk.of(c.Listen) == [c.Listen(MUSIC)]
    desk.wait(Rules().silence_ms)
    assert desk.spoken()[-1] == "still_there"
    desk.tell(e.CallerHeld(held=False))
    assert "resumed" not in [event.kind for event in desk.call.trace.timeline.events]

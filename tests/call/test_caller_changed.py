"""Somebody else on the line: what was proven and heard belongs to whoever is gone."""

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier, Trust
from tests.call.desk import LINE_MS, Caller, Desk
from tests.call.test_proving import PIN_TO_ENTER, caller

QUESTION = ["question.cancel_event", "keys"]


def test_the_call_goes_on_and_its_timeline_says_when() -> None:
    desk = Desk().opened()
    desk.wait(2 * LINE_MS)
    desk.tell(e.CallerChanged())
    assert desk.call.trace.timeline.events[-1].kind == "caller_changed"
    desk.asked()
    desk.tell(e.DigitPressed("1"))
    assert [answer.verdict for answer in desk.of(c.Answer)] == [c.Verdict.CONFIRMED]


def test_what_one_has_heard_is_no_ground_for_anothers_yes() -> None:
    desk = Desk(voice_ms=500).opened().asked()
    desk.tell(e.CallerChanged(), e.DigitPressed("1"), e.CallerSaid("yes please"))
    assert not desk.of(c.Answer)
    desk.wait(2 * LINE_MS)
    assert desk.spoken()[-2:] == QUESTION
    desk.tell(e.DigitPressed("1"))
    assert [answer.verdict for answer in desk.of(c.Answer)] == [c.Verdict.CONFIRMED]


def test_a_pin_that_was_right_is_asked_for_again() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.give("right")
    desk.wait(4 * LINE_MS)
    desk.tell(e.CallerChanged())
    assert desk.call.trace.trust == Tier.UNKNOWN
    desk.wait(2 * LINE_MS)
    assert desk.spoken()[-1] == "pin_ask"
    desk.press("1")
    assert not desk.of(c.Answer)


def test_half_a_pin_is_forgotten() -> None:
    desk = caller().asked_for_pin()
    assert isinstance(desk, Caller)
    desk.press("48")
    before = len(desk.of(c.ForgetPin))
    desk.tell(e.CallerChanged())
    assert desk.call.proving
    assert len(desk.of(c.ForgetPin)) > before


def test_a_number_that_was_known_opens_nothing_for_another() -> None:
    desk = caller(Trust(has=Tier.ATTESTED, otherwise=Tier.ATTESTED))
    desk.tell(e.CallerChanged())
    desk.wait(LINE_MS)
    desk.tell(e.ConfirmationAsked("act_1", e.Action("cancel_event", {"event_id": "evt_1"})))
    desk.wait(2 * LINE_MS)
    assert desk.call.proving


def test_a_call_that_a_pin_has_opened_ends() -> None:
    desk = Caller(PIN_TO_ENTER)
    desk.wait(LINE_MS)
    desk.give("right")
    desk.tell(e.SessionOpened("s"))
    desk.wait(2 * LINE_MS)
    desk.tell(e.CallerChanged())
    desk.wait(4 * LINE_MS)
    assert desk.spoken()[-1] == "goodbye_pin"
    assert desk.ended


def test_whoever_comes_is_told_of_the_recording() -> None:
    desk = Desk(Rules(announce=True)).opened()
    desk.wait(4 * LINE_MS)
    assert desk.call.recordable
    desk.tell(e.CallerChanged())
    assert not desk.call.recordable
    desk.wait(2 * LINE_MS)
    assert desk.spoken()[-1] == "recording_announcement"
    assert desk.call.recordable


def test_a_call_that_says_goodbye_goes_on_saying_it() -> None:
    desk = Desk().opened()
    desk.tell(e.EndRequested("api"), e.CallerChanged())
    desk.wait(4 * LINE_MS)
    assert desk.ended
    assert desk.call.trace.timeline.events == []

from phone_bridge import voice_sdk as w
from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action, Affected
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.call.view import Line, Open, View
from phone_bridge.legs.browser.showing import Showing

ACTION = Action("cancel_event", {"event_id": "evt_1"}, "Cancel lunch.", (Affected("evt_1", "Lunch"),))
PROPOSED = w.ProposedAction(
    "cancel_event", {"event_id": "evt_1"}, "Cancel lunch.", (w.AffectedThing("evt_1", "Lunch"),)
)


def view(*lines: Line, question: Open | None = None) -> View:
    return View("talking", 9_000, lines, question)


def captions(showing: Showing, seen: View, trace: Trace) -> list[tuple[str, str, str, bool]]:
    told = showing.look(seen, trace)
    return [(str(t.line), t.speaker, t.text, t.final) for t in told if isinstance(t, w.Transcript)]


def open_question(*, answerable: bool, left_ms: int = 9_000) -> Open:
    return Open("act_1", ACTION, "I am about to cancel lunch.", answerable, left_ms)


def test_a_line_comes_again_with_each_change_and_once_more_when_it_is_over() -> None:
    showing, trace = Showing(captions=True, questions=True), Trace(0)
    assert captions(showing, view(Line(700, "assistant", "Lunch")), trace) == [("a700", "agent", "Lunch", False)]
    assert captions(showing, view(Line(700, "assistant", "Lunch", 400, 20)), trace) == []
    grown = view(Line(700, "assistant", "Lunch is next."))
    assert captions(showing, grown, trace) == [("a700", "agent", "Lunch is next.", False)]
    trace.said(700, "assistant", "Lunch is")
    assert captions(showing, view(), trace) == [("a700", "agent", "Lunch is", True)]
    assert captions(showing, view(), trace) == []


def test_a_line_of_which_nothing_was_heard_is_taken_away() -> None:
    showing, trace = Showing(captions=True, questions=True), Trace(0)
    showing.look(view(Line(700, "bridge", "One moment.")), trace)
    assert captions(showing, view(), trace) == [("b700", "bridge", "", True)]


def test_the_caller_s_words_so_far_give_way_to_the_final_ones_wherever_they_began() -> None:
    showing, trace = Showing(captions=True, questions=True), Trace(0)
    assert captions(showing, view(Line(1_200, "caller", "what is")), trace) == [("c1200", "user", "what is", False)]
    trace.said(1_100, "caller", "What is next?")
    told = captions(showing, view(), trace)
    assert told == [("c1100", "user", "What is next?", True), ("c1200", "user", "", True)]


def test_a_page_that_comes_back_is_told_all_that_was_said() -> None:
    trace = Trace(0)
    trace.said(0, "bridge", "Hello.")
    trace.said(900, "caller", "Cancel lunch.")
    told = captions(Showing(captions=True, questions=True), view(), trace)
    assert [text for _, _, text, _ in told] == ["Hello.", "Cancel lunch."]


def test_a_question_comes_when_it_is_asked_and_again_when_it_can_be_answered() -> None:
    showing, trace = Showing(captions=True, questions=True), Trace(0)
    assert not showing.asks("act_1")
    (asked,) = showing.look(view(question=open_question(answerable=False)), trace)
    wanted = w.Confirmation("act_1", "I am about to cancel lunch.", PROPOSED, answerable=False, expires_in_ms=9_000)
    assert asked == wanted
    assert showing.asks("act_1")
    assert showing.look(view(question=open_question(answerable=False, left_ms=8_000)), trace) == []
    (asked,) = showing.look(view(question=open_question(answerable=True, left_ms=7_000)), trace)
    assert isinstance(asked, w.Confirmation)
    assert (asked.answerable, asked.expires_in_ms) == (True, 7_000)
    assert showing.look(view(), trace) == []
    assert not showing.asks("act_1")


def settled(trace: Trace, verdict: Verdict, outcome: str = "") -> None:
    trace.asked(Asked("act_1", ACTION, verdict, AnsweredBy.DIGIT, 5_000))
    if outcome:
        trace.settled("act_1", outcome, None)


def outcomes(verdict: Verdict, *later: str) -> list[str]:
    showing, trace = Showing(captions=True, questions=True), Trace(0)
    showing.look(view(question=open_question(answerable=True)), trace)
    settled(trace, verdict)
    told = showing.look(view(), trace)
    for outcome in later:
        trace.settled("act_1", outcome, None)
        told += showing.look(view(), trace)
    return [each.outcome for each in told if isinstance(each, w.ConfirmationSettled)]


def test_a_yes_is_told_and_then_what_came_of_it() -> None:
    assert outcomes(Verdict.CONFIRMED, "executed") == ["confirmed", "executed"]
    assert outcomes(Verdict.CONFIRMED, "failed") == ["confirmed", "failed"]
    assert outcomes(Verdict.CONFIRMED, "not_executed") == ["confirmed", "failed"]
    assert outcomes(Verdict.CONFIRMED, "unknown") == ["confirmed", "unknown"]


def test_whatever_is_no_yes_is_told_once() -> None:
    assert outcomes(Verdict.DECLINED, "declined") == ["declined"]
    assert outcomes(Verdict.EXPIRED, "expired") == ["expired"]
    assert outcomes(Verdict.UNANSWERED) == ["expired"]


def test_of_a_question_that_was_never_shown_nothing_is_told() -> None:
    trace = Trace(0)
    settled(trace, Verdict.CONFIRMED, "executed")
    assert Showing(captions=True, questions=True).look(view(), trace) == []


def test_a_page_is_shown_what_it_asked_for() -> None:
    trace = Trace(0)
    trace.said(0, "bridge", "Hello.")
    seen = view(Line(700, "bridge", "More."), question=open_question(answerable=True))
    assert Showing(captions=False, questions=False).look(seen, trace) == []
    assert {type(each) for each in Showing(captions=True, questions=False).look(seen, trace)} == {w.Transcript}
    assert {type(each) for each in Showing(captions=False, questions=True).look(seen, trace)} == {w.Confirmation}


def test_a_second_trace_of_the_same_call_is_shown_behind_the_first() -> None:
    showing = Showing(captions=True, questions=False)
    menu, talk = Trace(1_000), Trace(1_000)
    menu.said(1_007, "bridge", "Welcome.")
    talk.said(4_007, "bridge", "Hello.")
    assert captions(showing, view(), menu) == [("b7", "bridge", "Welcome.", True)]
    assert captions(showing, view(), talk) == [("b3007", "bridge", "Hello.", True)]

"""A call as spans: what happened when, and without its words unless they are asked for."""

from typing import Any

import msgspec
import pytest

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.trace import Trace
from phone_bridge.telemetry.opening import Opening
from phone_bridge.telemetry.spans import CONTENT, Over, Span, call_span, no_report
from tests.telemetry.figures import ANSWERED, asked, record

QUESTION = "I am about to cancel Dentist."


def over(**changes: Any) -> Over:
    """A call in which a meeting is cancelled after the session was lost once."""
    trace = Trace(0)
    trace.said(0, "bridge", "Hello.")
    trace.said(2_000, "caller", "Cancel the dentist.")
    trace.said(4_000, "bridge", QUESTION)
    trace.asked(asked(at_ms=8_000, question=QUESTION, heard_ms=2_400))
    trace.settled("act_1", "executed", {"title": "Dentist"})
    trace.counts.heard_ms = 12_000
    trace.counts.losses = 1
    trace.ending("caller")
    whole: dict[str, Any] = {
        "record": record(),
        "trace": trace,
        "origin": ANSWERED,
        "began": ANSWERED,
        "ended": ANSWERED + 90,
        "openings": [Opening(ANSWERED, 0.3, "opened"), Opening(ANSWERED + 20, 2.5, "timeout")],
        "actions": trace.actions,
        "said": trace.transcript,
        **changes,
    }
    return Over(**whole)


def inside(span: Span, name: str) -> list[Span]:
    return [inner for inner in span.inside if inner.name == name]


def everything(span: Span) -> str:
    return str(msgspec.to_builtins(span))


def test_a_call_is_one_span_with_what_is_known_of_it() -> None:
    span = call_span(over(), content=False)
    assert (span.name, span.began, span.ended, span.error) == ("call", ANSWERED, ANSWERED + 90, "")
    assert span.attributes["phone_bridge.call.id"] == record().id
    assert span.attributes["phone_bridge.call.ended_by"] == "caller"
    assert span.attributes["phone_bridge.call.heard_ms"] == 12_000
    assert span.attributes["phone_bridge.call.losses"] == 1


def test_a_call_that_failed_says_why() -> None:
    failed = over()
    failed.trace.error = "session_lost"
    assert call_span(failed, content=False).error == "session_lost"


def test_each_opening_of_a_session_is_a_span() -> None:
    span = call_span(over(), content=False)
    (opened,) = inside(span, "session.open")
    (renewed,) = inside(span, "session.renew")
    assert (opened.began, opened.ended, opened.error) == (ANSWERED, ANSWERED + 0.3, "")
    assert (renewed.began, renewed.ended, renewed.error) == (ANSWERED + 20, ANSWERED + 22.5, "timeout")
    assert renewed.attributes == {"phone_bridge.session.number": 2, "phone_bridge.session.outcome": "timeout"}


def test_a_confirmation_lasts_from_its_question_to_its_answer() -> None:
    (confirmation,) = inside(call_span(over(), content=False), "confirmation")
    assert (confirmation.began, confirmation.ended) == (ANSWERED + 4, ANSWERED + 8)
    assert confirmation.attributes == {
        "phone_bridge.confirmation.verdict": "confirmed",
        "phone_bridge.confirmation.by": "digit",
        "phone_bridge.confirmation.outcome": "executed",
        "phone_bridge.confirmation.question_ms": 2_500,
        "phone_bridge.confirmation.heard_ms": 2_400,
    }
    (answered,) = confirmation.happenings
    assert (answered.name, answered.at) == ("answered", ANSWERED + 8)


@pytest.mark.parametrize(
    ("at_ms", "heard", "began_ms"),
    [
        (8_000, [(1_000, "bridge", QUESTION), (5_000, "bridge", "I am about")], 5_000),  # asked again, and cut
        (8_000, [(9_000, "bridge", QUESTION)], 5_500),  # heard in a later question only
        (8_000, [(4_000, "caller", QUESTION)], 5_500),
        (8_000, [], 5_500),
        (1_000, [], 0),
    ],
)
def test_a_question_began_when_it_was_last_heard_or_else_by_its_length(
    at_ms: int, heard: list[tuple[int, str, str]], began_ms: int
) -> None:
    trace = Trace(0)
    for at, speaker, text in heard:
        trace.said(at, speaker, text)
    given = asked(Verdict.EXPIRED, AnsweredBy.NONE, at_ms, question=QUESTION, question_ms=2_500)
    (confirmation,) = inside(call_span(over(trace=trace, actions=[given]), content=False), "confirmation")
    assert confirmation.began == ANSWERED + began_ms / 1000


def test_words_numbers_and_keys_are_left_out() -> None:
    told = everything(call_span(over(), content=False))
    for word in ("Dentist", "dentist", "+1202", "evt_1", "cancel", "Hello", CONTENT):
        assert word not in told


def test_words_numbers_and_keys_are_marked_where_they_are_wanted() -> None:
    span = call_span(over(), content=True)
    assert span.attributes[f"{CONTENT}from"] == "+12025550143"
    (confirmation,) = inside(span, "confirmation")
    assert confirmation.attributes[f"{CONTENT}question"] == QUESTION
    assert confirmation.attributes[f"{CONTENT}answer"] == "1"
    assert confirmation.attributes[f"{CONTENT}tool"] == "cancel_event"
    said = [(each.at, each.attributes[f"{CONTENT}text"]) for each in span.happenings]
    assert said[1] == (ANSWERED + 2, "Cancel the dentist.")
    for each in (span, *span.inside):
        for name, value in each.attributes.items():
            assert name.startswith(CONTENT) or "Dentist" not in str(value)


def test_a_withheld_number_is_empty() -> None:
    span = call_span(over(record=record(from_number=None, to_number=None)), content=True)
    assert (span.attributes[f"{CONTENT}from"], span.attributes[f"{CONTENT}to"]) == ("", "")


def test_without_a_receiver_nothing_is_told() -> None:
    no_report(over())

"""A call as spans: what is told of it to OpenTelemetry once it is over, with the times at which it happened.

Nothing is measured for it while the call is live. What callers said, their numbers and what they were asked are
attributes under ``phone_bridge.content.``, and are left out unless the operator has asked for them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from phone_bridge.call.trace import Asked, Said, Trace
from phone_bridge.runtime.record import CallRecord
from phone_bridge.telemetry.labels import OPENED
from phone_bridge.telemetry.opening import Opening

CONTENT = "phone_bridge.content."
Attribute: TypeAlias = str | int | float | bool
Attributes: TypeAlias = dict[str, Attribute]


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is over: ``origin`` is when its trace's time begins, ``began`` and ``ended`` are this part's.

    Times are seconds since 1970. ``actions`` and ``said`` are without what an earlier part of the call has told of.
    """

    record: CallRecord
    trace: Trace
    origin: float
    began: float
    ended: float
    openings: Sequence[Opening]
    actions: Sequence[Asked]
    said: Sequence[Said]


class Happening(msgspec.Struct, frozen=True):
    """Something in a span, at one time."""

    name: str
    at: float
    attributes: Attributes


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span, with those inside it."""

    name: str
    began: float
    ended: float
    attributes: Attributes
    error: str = ""
    happenings: tuple[Happening, ...] = ()
    inside: "tuple[Span, ...]" = ()


Report: TypeAlias = Callable[[Over], None]


def no_report(over: Over) -> None:
    """Tell nobody of a call."""


def call_span(over: Over, *, content: bool) -> Span:
    """Write a call as a span; with ``content``, what was said in it, too."""
    record, trace = over.record, over.trace
    attributes: Attributes = {
        "phone_bridge.call.id": record.id,
        "phone_bridge.call.direction": record.direction,
        "phone_bridge.call.session": record.session,
        "phone_bridge.call.ended_by": trace.ended_by,
        **{f"phone_bridge.call.{name}": value for name, value in msgspec.structs.asdict(trace.counts).items()},
    }
    if content:
        attributes[f"{CONTENT}from"] = record.from_number or ""
        attributes[f"{CONTENT}to"] = record.to_number or ""
    return Span(
        name="call",
        began=over.began,
        ended=over.ended,
        attributes=attributes,
        error=trace.error,
        happenings=tuple(_words(over)) if content else (),
        inside=(*_sessions(over), *_confirmations(over, content=content)),
    )


def _sessions(over: Over) -> Iterator[Span]:
    """Write the openings of sessions; those after the first took the place of one that was lost, or was to end."""
    for number, opening in enumerate(over.openings):
        yield Span(
            name="session.renew" if number else "session.open",
            began=opening.began,
            ended=opening.began + opening.seconds,
            attributes={"phone_bridge.session.number": number + 1, "phone_bridge.session.outcome": opening.outcome},
            error="" if opening.outcome == OPENED else opening.outcome,
        )


def _confirmations(over: Over, *, content: bool) -> Iterator[Span]:
    for asked in over.actions:
        answered = over.origin + asked.at_ms / 1000
        attributes: Attributes = {
            "phone_bridge.confirmation.verdict": str(asked.verdict),
            "phone_bridge.confirmation.by": str(asked.by),
            "phone_bridge.confirmation.outcome": asked.outcome,
            "phone_bridge.confirmation.question_ms": asked.question_ms,
            "phone_bridge.confirmation.heard_ms": asked.heard_ms,
        }
        if content:
            attributes[f"{CONTENT}tool"] = asked.action.name
            attributes[f"{CONTENT}question"] = asked.question
            attributes[f"{CONTENT}answer"] = asked.answer
        yield Span(
            name="confirmation",
            began=over.origin + _asked_at_ms(over.trace, asked) / 1000,
            ended=answered,
            attributes=attributes,
            happenings=(Happening("answered", answered, {"phone_bridge.confirmation.verdict": str(asked.verdict)}),),
        )


def _asked_at_ms(trace: Trace, asked: Asked) -> int:
    """Find when the question was first heard; where nothing tells, it was as long ago as its words sound."""
    heard = (
        said.at_ms
        for said in trace.transcript
        if said.speaker == "bridge" and said.at_ms <= asked.at_ms and asked.question.startswith(said.text)
    )
    return max(heard, default=max(0, asked.at_ms - asked.question_ms))


def _words(over: Over) -> Iterator[Happening]:
    for said in over.said:
        attributes: Attributes = {"phone_bridge.speaker": said.speaker, f"{CONTENT}text": said.text}
        yield Happening("said", over.origin + said.at_ms / 1000, attributes)

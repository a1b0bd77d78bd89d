"""Counting what calls leave behind: each thing once, however often a live call is looked at."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from weakref import WeakKeyDictionary

import msgspec

from phone_bridge.call import words
from phone_bridge.call.past import Past
from phone_bridge.call.trace import MAX_SAMPLES, Asked, Counts, Said, Trace
from phone_bridge.runtime.record import CallRecord
from phone_bridge.settings import SESSIONS
from phone_bridge.telemetry import labels
from phone_bridge.telemetry.metrics import Metrics
from phone_bridge.telemetry.opening import Opening
from phone_bridge.telemetry.spans import Over

_LINES = {text: key for sentences in words.SENTENCES.values() for key, text in sentences.items()}


MAX_SAMPLES_READ = 200
"""Samples of one live call that are read at a time: who has not asked for an hour must not hold up a hundred calls."""


class Place(msgspec.Struct):
    """How far one call's trace was read."""

    begun: bool = False
    ended: bool = False
    past: Past | None = None
    samples: int = 0
    actions: int = 0
    counts: Counts = msgspec.field(default_factory=Counts)
    said: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    undecided: list[Asked] = []
    openings: list[Opening] = []
    """The call's sessions, for its spans."""


class Reader:
    """Carries traces over into ``metrics``; a trace is remembered as long as its call is."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._places: WeakKeyDictionary[Trace, Place] = WeakKeyDictionary()

    def expect(self, trace: Trace, past: Past | None) -> Place:
        """Know a call before it begins; what its ``past`` left behind was counted then."""
        place = self._places[trace] = Place()
        if past is not None:
            place.past = past
            place.actions = len(past.actions)
            place.said = _said(past.transcript)
        return place

    def place(self, trace: Trace) -> Place:
        """Find how far ``trace`` was read."""
        known = self._places.get(trace)
        return known if known is not None else self.expect(trace, None)

    def read(self, record: CallRecord, trace: Trace, most: int = MAX_SAMPLES_READ) -> None:
        """Count what is new in the trace of a live call, ``most`` of its samples; the others wait for the next time."""
        place = self.place(trace)
        if not place.begun:
            place.begun = True
            self._begin(record, place)
        self._read_counts(trace.counts, place)
        self._read_samples(trace, place, most)
        self._read_transcript(trace, place)
        self._read_actions(trace, place)

    def end(self, record: CallRecord, trace: Trace) -> None:
        """Count a call that is over, or the part of one that goes on with another stream and has no end yet."""
        self.read(record, trace, MAX_SAMPLES)
        place = self.place(trace)
        if place.ended or record.ended_at is None:
            return
        place.ended = True
        for _ in place.undecided:
            self._metrics.confirmed.labels("unknown").inc()
        place.undecided = []
        ended_by = labels.bounded(trace.ended_by, labels.ENDED_BY)
        self._metrics.calls_ended.labels(ended_by, labels.bounded(trace.error, labels.CALL_ERRORS)).inc()
        seconds = duration(record)
        if seconds is not None:
            self._metrics.call_seconds.observe(seconds)

    def over(self, record: CallRecord, trace: Trace, now: float) -> Over | None:
        """Put together what spans are made of, ``now`` in seconds since 1970; None for a call that had no sound."""
        place = self.place(trace)
        if not record.answered_at:
            return None
        past = place.past or Past(0)
        origin = epoch(record.answered_at)
        return Over(
            record=record,
            trace=trace,
            origin=origin,
            began=origin + past.ms / 1000,
            ended=epoch(record.ended_at) if record.ended_at else now,
            openings=place.openings,
            actions=trace.actions[len(past.actions) :],
            said=[said for said in trace.transcript if said.at_ms >= past.ms],
        )

    def _begin(self, record: CallRecord, place: Place) -> None:
        direction = labels.bounded(record.direction, labels.DIRECTIONS)
        if place.past is not None:
            self._metrics.calls_resumed.inc()
        else:
            session = labels.bounded(record.session, SESSIONS)
            self._metrics.calls_started.labels(direction, session).inc()

    def _read_counts(self, counts: Counts, place: Place) -> None:
        for name, counter in self._metrics.counts.items():
            new = getattr(counts, name) - getattr(place.counts, name)
            if new > 0:
                counter.inc(new / 1000 if name.endswith("_ms") else new)
        place.counts = msgspec.structs.replace(counts)

    def _read_samples(self, trace: Trace, place: Place, most: int) -> None:
        new = trace.samples[place.samples : place.samples + most]
        for sample in new:
            tally = self._metrics.samples.get(sample.name)
            if tally is not None:
                tally.take(sample.value / 1000 if sample.name.endswith("_ms") else sample.value)
        place.samples += len(new)

    def _read_transcript(self, trace: Trace, place: Place) -> None:
        """Count lines by their kind: a line may be put between older ones, so none has a place that stays."""
        if len(trace.transcript) <= place.said.total():
            return
        said = _said(trace.transcript)
        for (speaker, line), count in (said - place.said).items():
            self._metrics.said.labels(speaker).inc(count)
            if line:
                self._metrics.lines.labels(line).inc(count)
        place.said = said

    def _read_actions(self, trace: Trace, place: Place) -> None:
        for asked in trace.actions[place.actions :]:
            verdict = labels.bounded(asked.verdict, labels.VERDICTS)
            self._metrics.confirmations.labels(verdict, labels.bounded(asked.by, labels.ANSWERED_BY)).inc()
            if asked.verdict == "confirmed":
                place.undecided = [*place.undecided, asked]
        place.actions = max(place.actions, len(trace.actions))
        decided = [asked for asked in place.undecided if asked.outcome]
        for asked in decided:
            self._metrics.confirmed.labels(labels.bounded(asked.outcome, labels.OUTCOMES)).inc()
        if decided:
            place.undecided = [asked for asked in place.undecided if not asked.outcome]


def duration(record: CallRecord) -> float | None:
    """Say how many seconds a call that is over took, from its first sound on."""
    if not record.answered_at or not record.ended_at:
        return None
    return max(0.0, epoch(record.ended_at) - epoch(record.answered_at))


def epoch(timestamp: str) -> float:
    """Read a record's time as seconds since 1970."""
    return datetime.fromisoformat(timestamp).timestamp()


def _said(transcript: Sequence[Said]) -> Counter[tuple[str, str]]:
    return Counter((labels.bounded(said.speaker, labels.SPEAKERS), _line(said)) for said in transcript)


def _line(said: Said) -> str:
    """Name the bridge's own line, of which the caller may have heard the beginning alone; empty for others' words."""
    if said.speaker != "bridge":
        return ""
    if said.text in _LINES:
        return _LINES[said.text]
    begun = (key for text, key in _LINES.items() if text.startswith(f"{said.text} "))
    return next(begun, labels.OTHER)

"""What a call leaves behind is counted once, live or over, under labels that nobody outside can make."""

import gc
from typing import Any
from weakref import ref

import pytest

from phone_bridge.call import words
from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.past import Past
from phone_bridge.call.trace import MAX_SAMPLES, Said, Trace
from phone_bridge.telemetry.metrics import Metrics
from phone_bridge.telemetry.reading import MAX_SAMPLES_READ, Reader, duration, epoch
from tests.telemetry.figures import ANSWERED, Figures, asked, record, shown


class Desk:
    """A reader, and one call that it reads."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.reader = Reader(self.metrics)
        self.trace = Trace(0)

    def read(self, **changes: Any) -> Figures:
        self.reader.read(record(ended_at=None, **changes), self.trace)
        return shown(self.metrics)

    def end(self, **changes: Any) -> Figures:
        self.reader.end(record(**changes), self.trace)
        return shown(self.metrics)


def test_counts_of_a_live_call_grow_with_it() -> None:
    desk = Desk()
    desk.trace.counts.heard_ms = 1_500
    desk.trace.counts.barge_ins = 1
    assert desk.read()("heard_seconds_total") == 1.5
    assert desk.read()("heard_seconds_total") == 1.5
    desk.trace.counts.heard_ms = 2_000
    desk.trace.counts.losses = desk.trace.counts.renewals = 1
    figures = desk.end()
    assert figures("heard_seconds_total") == 2.0
    assert figures("barge_ins_total") == 1
    assert (figures("session_losses_total"), figures("session_renewals_total")) == (1, 1)


def test_a_call_counts_once_however_often_its_end_is_told() -> None:
    desk = Desk()
    desk.trace.ending("caller")
    desk.trace.measured("answer_ms", 700)
    for _ in range(3):
        figures = desk.end()
    assert figures("calls_started_total", direction="inbound", session="chronapilot") == 1
    assert figures("calls_ended_total") == 1
    assert figures("calls_ended_total", ended_by="caller", error="none") == 1
    assert figures("call_duration_seconds_sum") == 90
    assert figures("answer_seconds_count") == 1
    assert desk.read()("calls_started_total") == 1


def test_each_measured_value_is_observed_once_in_seconds() -> None:
    desk = Desk()
    for name in ("added_up_ms", "added_down_ms", "answer_ms", "first_sound_ms", "key_ms"):
        desk.trace.measured(name, 40)
    desk.read()
    desk.trace.measured("barge_in_stop_ms", 250)
    desk.trace.measured("truncate_doubt_ms", -3)
    desk.trace.measured("answer_ms", 60)
    figures = desk.end()
    assert figures("answer_seconds_sum") == pytest.approx(0.1)
    assert figures("added_latency_seconds_count") == 2
    assert figures("added_latency_seconds_bucket", direction="up", le="0.05") == 1
    assert figures("added_latency_seconds_bucket", direction="up", le="0.02") == 0
    assert figures("key_answer_seconds_count") == figures("first_sound_seconds_count") == 1
    assert figures("barge_in_stop_seconds_sum") == 0.25
    assert (figures("truncate_doubt_seconds_count"), figures("truncate_doubt_seconds_sum")) == (1, 0)


def test_a_long_backlog_is_read_piece_by_piece_and_wholly_at_the_end() -> None:
    desk = Desk()
    for _ in range(MAX_SAMPLES + 1):
        desk.trace.measured("added_up_ms", 0.4)
    assert desk.read()("added_latency_seconds_count", direction="up") == MAX_SAMPLES_READ
    assert desk.read()("added_latency_seconds_count", direction="up") == 2 * MAX_SAMPLES_READ
    assert desk.end()("added_latency_seconds_count", direction="up") == MAX_SAMPLES


def test_an_unknown_measure_makes_no_series() -> None:
    desk = Desk()
    before = desk.read().samples.keys()
    desk.trace.measured('evil_ms"} 1', 4)
    assert desk.read().samples.keys() == before


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("by", AnsweredBy)
def test_verdicts_are_counted_by_how_they_were_given(verdict: Verdict, by: AnsweredBy) -> None:
    desk = Desk()
    desk.trace.asked(asked(verdict, by))
    desk.read()
    figures = desk.end()
    assert figures("confirmations_total", verdict=verdict.value, by=by.value) == 1
    assert figures("confirmations_total") == 1


def test_the_outcome_of_a_confirmed_action_is_counted_when_it_is_known() -> None:
    desk = Desk()
    desk.trace.asked(asked())
    assert desk.read()("confirmed_actions_total") == 0
    desk.trace.settled("act_1", "executed", {})
    assert desk.read()("confirmed_actions_total", outcome="executed") == 1
    assert desk.end()("confirmed_actions_total") == 1


def test_an_outcome_that_never_came_is_unknown_and_a_refusal_has_none() -> None:
    desk = Desk()
    desk.trace.asked(asked())
    desk.trace.asked(asked(Verdict.DECLINED))
    figures = desk.end()
    assert figures("confirmed_actions_total", outcome="unknown") == 1
    assert figures("confirmed_actions_total") == 1


def test_words_are_counted_by_who_said_them_though_they_come_out_of_order() -> None:
    desk = Desk()
    desk.trace.said(5_000, "assistant", "You have one meeting.")
    desk.read()
    desk.trace.said(2_000, "caller", "What do I have today?")
    desk.trace.said(3_000, "assistant", "Let me see.")
    figures = desk.end()
    assert figures("utterances_total", speaker="caller") == 1
    assert figures("utterances_total", speaker="assistant") == 2


@pytest.mark.parametrize("language", sorted(words.SENTENCES))
def test_our_own_lines_are_known_by_what_was_heard_of_them(language: str) -> None:
    desk = Desk()
    still_there = words.line("still_there", language).text
    desk.trace.said(1_000, "bridge", still_there)
    desk.trace.said(2_000, "bridge", " ".join(words.line("goodbye_silence", language).text.split()[:4]))
    desk.trace.said(3_000, "bridge", "I am about to cancel Dentist, with Doctor Okafor.")
    desk.trace.said(4_000, "caller", still_there)
    figures = desk.end()
    assert figures("prompts_heard_total", line="still_there") == 1
    assert figures("prompts_heard_total", line="goodbye_silence") == 1
    assert figures("prompts_heard_total", line="other") == 1
    assert figures("prompts_heard_total") == 3


HOSTILE = ["+12025550143", 'x"} 1\n', "cancel my meeting", "\x00", "é" * 500]


@pytest.mark.parametrize("word", HOSTILE)
def test_words_from_outside_make_no_labels(word: str) -> None:
    desk = Desk()
    desk.trace.ending(word, word)
    desk.trace.said(1, word, word)
    desk.trace.said(2, "bridge", word)
    strange = asked(outcome=word)
    strange.verdict, strange.by = word, word  # type: ignore[assignment]  # a session's word, should one ever get so far
    desk.trace.actions += [strange, asked(outcome=word)]
    body, _ = desk.metrics.show("")
    figures = desk.end(direction=word, session=word)
    assert word not in desk.metrics.show("")[0].decode()
    assert len(figures.families) == len(Figures(body).families)
    assert figures("calls_ended_total", ended_by="other", error="other") == 1
    assert figures("calls_started_total", direction="other", session="other") == 1
    assert figures("confirmations_total", verdict="other", by="other") == 1
    assert figures("confirmed_actions_total", outcome="other") == 1


def test_a_call_that_came_back_brings_nothing_along_that_was_counted() -> None:
    desk = Desk()
    past = Past(60_000, (Said(0, "bridge", words.line("greeting").text), Said(5, "caller", "Hi.")), (asked(),))
    desk.reader.expect(desk.trace, past)
    desk.read()  # before the call itself has heard of it
    desk.trace.transcript.extend(past.transcript)
    desk.trace.actions.extend(past.actions)
    desk.trace.said(61_000, "bridge", words.line("cut_off").text)
    desk.trace.asked(asked(Verdict.EXPIRED, AnsweredBy.NONE, 70_000))
    figures = desk.end()
    assert figures("calls_resumed_total") == 1
    assert figures.families["phone_bridge_calls_started"].samples == []
    assert figures("utterances_total") == 1
    assert figures("prompts_heard_total", line="cut_off") == 1
    assert figures("confirmations_total") == 1
    assert figures("confirmations_total", verdict="expired") == 1


def test_a_part_that_goes_on_with_another_stream_is_no_end() -> None:
    desk = Desk()
    desk.trace.counts.heard_ms = 1_000
    figures = desk.end(ended_at=None)
    assert figures("heard_seconds_total") == 1
    assert figures("calls_ended_total") == figures("call_duration_seconds_count") == 0


def test_nothing_is_remembered_of_a_call_that_is_gone() -> None:
    desk = Desk()
    gone = ref(desk.trace)
    desk.end()
    desk.trace = Trace(0)
    gc.collect()
    assert gone() is None


def test_times_are_read_as_they_are_written() -> None:
    assert epoch("2026-09-21T14:13:20.250Z") == ANSWERED + 0.25
    assert duration(record()) == 90
    assert duration(record(answered_at=None)) is None
    assert duration(record(ended_at=None)) is None
    assert duration(record(ended_at="2026-09-21T14:13:19.000Z")) == 0


def test_what_spans_need_is_what_is_new_in_this_part() -> None:
    desk = Desk()
    past = Past(60_000, (Said(0, "caller", "Hi."),), (asked(),))
    desk.reader.expect(desk.trace, past)
    desk.trace.transcript += [*past.transcript, Said(61_000, "caller", "Hello?")]
    desk.trace.actions += [*past.actions, asked(at_ms=70_000)]
    over = desk.reader.over(record(), desk.trace, ANSWERED + 1_000)
    assert over is not None
    assert (over.origin, over.began, over.ended) == (ANSWERED, ANSWERED + 60, ANSWERED + 90)
    assert [said.text for said in over.said] == ["Hello?"]
    assert [each.at_ms for each in over.actions] == [70_000]
    going_on = desk.reader.over(record(ended_at=None), desk.trace, ANSWERED + 70)
    assert going_on is not None
    assert going_on.ended == ANSWERED + 70
    assert desk.reader.over(record(answered_at=None), desk.trace, ANSWERED) is None

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.trace import MAX_SAMPLES, Asked, Said, Sample, Trace


def test_words_stand_in_the_order_of_their_time() -> None:
    trace = Trace(1_000)
    for at, text in ((1_500, "b"), (3_000, "d"), (1_200, "a"), (2_000, "c")):
        trace.said(at, "caller", text)
    assert trace.transcript == [
        Said(200, "caller", "a"),
        Said(500, "caller", "b"),
        Said(1_000, "caller", "c"),
        Said(2_000, "caller", "d"),
    ]


def test_what_is_asked_is_worth_keeping_second_by_second() -> None:
    trace, versions = Trace(0), [0]
    for heard_ms in (0, 400, 1_000, 1_900, 2_000):
        trace.asking([Asked("act_1", Action("x"), Verdict.UNANSWERED, AnsweredBy.NONE, heard_ms, heard_ms)])
        assert [asked.heard_ms for asked in trace.open] == [heard_ms]
        versions.append(trace.version)
    assert versions == [0, 1, 1, 2, 2, 3]
    trace.forsake()
    assert ([asked.id for asked in trace.actions], trace.open, trace.version) == (["act_1"], (), 4)
    trace.forsake()
    assert (len(trace.actions), trace.version) == (1, 4)


def test_everything_worth_keeping_makes_a_new_version() -> None:
    trace = Trace(0)
    asked = Asked("act_1", Action("x"), Verdict.CONFIRMED, AnsweredBy.DIGIT, 5)
    versions = [trace.version]
    trace.said(0, "caller", "Hello.")
    versions.append(trace.version)
    trace.asked(asked)
    versions.append(trace.version)
    trace.settled("act_1", "executed", {"ok": True})
    versions.append(trace.version)
    trace.ending("caller")
    versions.append(trace.version)
    assert versions == sorted(set(versions))
    assert (asked.outcome, asked.result) == ("executed", {"ok": True})


def test_an_outcome_of_nothing_that_was_asked_is_not_kept() -> None:
    trace = Trace(0)
    trace.settled("act_9", "executed", None)
    assert (trace.version, trace.actions) == (0, [])


def test_the_newest_of_the_same_id_gets_the_outcome() -> None:
    trace = Trace(0)
    for _ in range(2):
        trace.asked(Asked("act_1", Action("x"), Verdict.CONFIRMED, AnsweredBy.DIGIT, 5))
    trace.settled("act_1", "failed", None)
    assert [asked.outcome for asked in trace.actions] == ["", "failed"]


def test_who_ended_it_first_is_who_ended_it() -> None:
    trace = Trace(0)
    trace.ending("bridge")
    trace.ending("caller", "leg_lost")
    assert (trace.ended_by, trace.error) == ("bridge", "leg_lost")


def test_measured_values_are_bounded() -> None:
    trace = Trace(0)
    for value in range(MAX_SAMPLES + 5):
        trace.measured("answer_ms", value)
    assert len(trace.samples) == MAX_SAMPLES
    assert trace.samples[0] == Sample("answer_ms", 0)

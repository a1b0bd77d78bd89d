from phone_bridge.call.rules import Rules
from phone_bridge.call.turns import Due, Turns

RULES = Rules(silence_ms=20_000, last_silence_ms=10_000, one_moment_ms=2_500, limit_ms=3_600_000)


def test_silence_is_asked_about_once_and_then_ends_the_call() -> None:
    turns = Turns(RULES, 0)
    assert turns.due(19_999) is None
    assert turns.deadline() == 20_000
    assert turns.due(20_000) is Due.STILL_THERE
    assert turns.due(29_999) is None
    assert turns.due(30_000) is Due.SILENT


def test_whatever_the_caller_does_starts_the_clock_anew() -> None:
    turns = Turns(RULES, 0)
    assert turns.due(20_000) is Due.STILL_THERE
    turns.caller(25_000)
    assert turns.due(44_999) is None
    assert turns.due(45_000) is Due.STILL_THERE


def test_nobody_is_asked_for_a_word_while_they_are_away() -> None:
    turns = Turns(RULES, 0)
    turns.caller_done(1_000)
    turns.hold(True, 2_000)
    assert turns.due(600_000) is Due.STALLED, "the session owes its answer all the same"
    turns.sounding(until=3_000)
    assert turns.deadline() == RULES.limit_ms
    assert turns.due(600_000) is None
    turns.hold(False, 600_000)
    assert turns.due(619_999) is None
    assert turns.due(620_000) is Due.STILL_THERE


def test_who_was_away_is_given_time_before_one_moment() -> None:
    turns = Turns(RULES, 0)
    turns.caller_done(1_000)
    turns.hold(True, 2_000)
    assert turns.due(4_000) is None
    turns.hold(False, 10_000)
    assert turns.due(12_499) is None
    assert turns.due(12_500) is Due.ONE_MOMENT


def test_silence_counts_from_the_end_of_what_is_heard() -> None:
    turns = Turns(RULES, 0)
    turns.sounding(until=12_000)
    assert turns.deadline() == 32_000
    turns.sounding(until=5_000)
    assert turns.deadline() == 32_000


def test_a_turn_without_a_reply_is_answered_by_one_moment_once() -> None:
    turns = Turns(RULES, 0)
    turns.caller_done(1_000)
    assert turns.deadline() == 3_500
    assert turns.due(3_499) is None
    assert turns.due(3_500) is Due.ONE_MOMENT
    assert turns.due(3_501) is None


def test_a_reply_in_time_needs_no_one_moment() -> None:
    turns = Turns(RULES, 0)
    turns.caller_done(1_000)
    turns.sounding(until=3_000)
    assert turns.due(3_500) is None


def test_the_longest_call_ends() -> None:
    turns = Turns(RULES, 7)
    turns.caller(3_599_000)
    assert turns.due(3_600_006) is None
    assert turns.due(3_600_007) is Due.LIMIT

"""Codes that are sent: one at a time, for once, for some minutes, and not too many."""

from collections.abc import Iterator

import pytest

from phone_bridge.runtime.codes import CODE_SECONDS, MAX_TRIES, Codes
from phone_bridge.runtime.pins import FIRST_DELAY_S, FREE_TRIES, Outcome, Pins
from phone_bridge.runtime.record import Records

ALICE, BOB, NUMBER, OTHER = "usr_alice", "usr_bob", "+12025550167", "+12025550189"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pins(database_url: str, clock: Clock) -> Iterator[Pins]:
    records = Records(database_url)
    yield Pins(records, clock, cost_log2=4)
    records.close()


def codes(pins: Pins, clock: Clock, user: str = ALICE, number: str | None = NUMBER) -> Codes:
    return Codes(pins, user, number, clock)


def made(call: Codes) -> str:
    code = call.make()
    assert code is not None
    return code


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_code_is_six_digits_and_right_once(pins: Pins, clock: Clock) -> None:
    call = codes(pins, clock)
    code = made(call)
    assert len(code) == 6
    assert code.isdigit()
    assert code not in repr(call)
    assert [call.judge(code) for _ in range(2)] == [Outcome.RIGHT, Outcome.MISSING]


def test_a_code_is_valid_for_its_time(pins: Pins, clock: Clock) -> None:
    call = codes(pins, clock)
    code = made(call)
    clock.now += CODE_SECONDS - 1
    assert call.judge(code) is Outcome.RIGHT
    late = made(call)
    clock.now += CODE_SECONDS
    assert call.judge(late) is Outcome.MISSING


def test_only_the_last_code_counts_and_only_in_its_own_call(pins: Pins, clock: Clock) -> None:
    call, another = codes(pins, clock), codes(pins, clock)
    first, second = made(call), made(call)
    if first != second:
        assert call.judge(first) is Outcome.WRONG
    assert another.judge(second) is Outcome.MISSING
    assert call.judge(second) is Outcome.RIGHT


def test_after_some_wrong_ones_it_is_a_code_no_more(pins: Pins, clock: Clock) -> None:
    call = codes(pins, clock)
    code = made(call)
    assert {call.judge(other_than(code)) for _ in range(MAX_TRIES)} == {Outcome.WRONG}
    clock.now += FIRST_DELAY_S
    assert call.judge(code) is Outcome.MISSING


def test_wrong_ones_delay_the_next_in_other_calls_too(pins: Pins, clock: Clock) -> None:
    for _ in range(FREE_TRIES):
        call = codes(pins, clock, number=None)
        call.judge(other_than(made(call)))
        clock.now += 1
    clock.now += 2 * FIRST_DELAY_S  # for the sendings, which have delays of their own
    call = codes(pins, clock, number=None)
    code = made(call)
    for _ in range(MAX_TRIES - 1):
        call.judge(other_than(code))
    assert call.judge(code) is Outcome.LOCKED


def test_wrong_codes_make_no_pin_wait_and_right_ones_forgive_none(pins: Pins, clock: Clock) -> None:
    pins.set(ALICE, "482913")
    pins.judge(ALICE, None, "482914")
    call = codes(pins, clock, number=None)
    code = made(call)
    call.judge(other_than(code))
    assert call.judge(code) is Outcome.RIGHT
    (kept,) = pins.list()
    assert kept.wrong == 1


def test_a_number_has_one_count_for_codes_and_pins(pins: Pins, clock: Clock) -> None:
    pins.set(BOB, "482913")
    call = codes(pins, clock)
    code = made(call)
    for _ in range(FREE_TRIES):
        call.judge(other_than(code))
    assert pins.judge(BOB, NUMBER, "482913") is Outcome.LOCKED
    assert pins.judge(BOB, OTHER, "482913") is Outcome.RIGHT


def test_a_telephone_gets_no_more_than_some_codes_of_which_none_comes_back(pins: Pins, clock: Clock) -> None:
    for at in range(FREE_TRIES):
        made(codes(pins, clock, number=f"+1202555010{at}"))
    late = codes(pins, clock, number=OTHER)
    assert late.make() is None
    assert late.judge("000000") is Outcome.MISSING
    made(codes(pins, clock, BOB))
    clock.now += FIRST_DELAY_S
    made(late)
    clock.now += FIRST_DELAY_S
    assert late.make() is None, "each one makes the next wait longer"


def test_a_code_that_came_back_lets_the_next_be_sent_at_once(pins: Pins, clock: Clock) -> None:
    for _ in range(3 * FREE_TRIES):
        call = codes(pins, clock)
        assert call.judge(made(call)) is Outcome.RIGHT


def test_no_code_is_in_the_database(pins: Pins, clock: Clock, database_url: str) -> None:
    call = codes(pins, clock)
    code = made(call)
    call.judge(other_than(code))
    with pins._records.transaction() as connection:
        tables = ("pins", "pin_tries")
        rows = [row for table in tables for row in connection.exec_driver_sql(f"select * from {table}")]  # noqa: S608
    assert rows
    assert code not in str([[str(value) for value in row if not isinstance(value, int)] for row in rows])

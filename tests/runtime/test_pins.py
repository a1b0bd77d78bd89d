"""PINs and the count of tries, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.runtime.pins import (
    COST_LOG2,
    FIRST_DELAY_S,
    FORGIVEN_S,
    FREE_TRIES,
    LONGEST_DELAY_S,
    Outcome,
    Pins,
    check,
    delay_s,
    hashed,
    is_right,
)
from phone_bridge.runtime.record import Records

ALICE, BOB = "usr_alice", "usr_bob"
PIN, WRONG = "482913", "482914"
NUMBER, OTHER = "+12025550167", "+12025550189"
CHEAP = 4
NO_PINS = ["", "12345", "1" * 13, "48291a", "4829 13", "٤٨٢٩١٣", "111111", "121212", "123456", "987654"]
DATES = ["311299", "123199", "991231", "010203", "24121987", "12241987", "19871224", "20300101"]


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    records = Records(database_url)
    yield records
    records.close()


@pytest.fixture
def pins(records: Records, clock: Clock) -> Pins:
    pins = Pins(records, clock, cost_log2=CHEAP)
    pins.set(ALICE, PIN)
    return pins


def wrong(pins: Pins, times: int, user: str = ALICE, number: str | None = NUMBER) -> None:
    for _ in range(times):
        assert pins.judge(user, number, WRONG) is Outcome.WRONG


# What is a PIN


@pytest.mark.parametrize("pin", NO_PINS + DATES)
def test_what_cannot_be_a_pin_is_refused_and_not_shown(pin: str) -> None:
    with pytest.raises(Refused) as refused:
        check(pin)
    assert not pin or pin not in str(refused.value)


@pytest.mark.parametrize(
    "pin", ["482913", "113355", "123457", "012345678901", "001299", "24122187", "0102031", "99991231"]
)
def test_other_digits_are_one(pin: str) -> None:
    check(pin)


def test_only_a_hash_is_kept_and_no_two_are_alike() -> None:
    one, other = hashed(PIN, CHEAP), hashed(PIN, CHEAP)
    assert one != other
    assert PIN not in one
    assert is_right(PIN, one)
    assert not is_right(WRONG, one)


def test_a_hash_costs_what_it_should() -> None:
    assert hashed(PIN).startswith(f"scrypt${COST_LOG2}$")
    assert is_right(PIN, hashed(PIN))


# Judging


def test_a_pin_is_its_user_s_alone(pins: Pins) -> None:
    pins.set(BOB, "775533")
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.RIGHT
    assert pins.judge(BOB, NUMBER, PIN) is Outcome.WRONG
    assert pins.judge("usr_nobody", NUMBER, PIN) is Outcome.MISSING


def test_another_pin_takes_the_place_of_the_first(pins: Pins) -> None:
    pins.set(ALICE, "775533")
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.WRONG
    assert pins.judge(ALICE, NUMBER, "775533") is Outcome.RIGHT


def test_a_first_pin_takes_nobody_s_place(pins: Pins) -> None:
    assert not pins.enrol(ALICE, "775533")
    assert pins.enrol(BOB, "775533")
    assert (pins.judge(ALICE, None, PIN), pins.judge(BOB, None, "775533")) == (Outcome.RIGHT, Outcome.RIGHT)
    with pytest.raises(Refused):
        pins.enrol("usr_carol", "123456")
    assert [pins.has(user) for user in (ALICE, BOB, "usr_carol")] == [True, True, False]


def test_whether_it_is_the_same_counts_as_no_try(pins: Pins) -> None:
    for _ in range(FREE_TRIES + 1):
        assert (pins.is_the_same(ALICE, PIN), pins.is_the_same(ALICE, WRONG)) == (True, False)
    assert not pins.is_the_same("usr_nobody", PIN)
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.RIGHT


def test_a_pin_that_was_removed_is_none(pins: Pins) -> None:
    assert pins.remove(ALICE)
    assert not pins.remove(ALICE)
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.MISSING


def test_without_a_database_nothing_is_right(pins: Pins, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(records, "transaction", gone)
    with pytest.raises(Unavailable):
        pins.judge(ALICE, NUMBER, PIN)


# Tries


def test_the_delay_rises_to_its_longest() -> None:
    assert [delay_s(count) for count in range(FREE_TRIES)] == [0] * FREE_TRIES
    assert [delay_s(FREE_TRIES + count) for count in range(4)] == [FIRST_DELAY_S * factor for factor in (1, 2, 4, 8)]
    assert delay_s(100) == delay_s(10_000) == LONGEST_DELAY_S


@pytest.mark.parametrize("number", [NUMBER, None])
def test_after_some_wrong_ones_even_the_right_one_has_to_wait(pins: Pins, clock: Clock, number: str | None) -> None:
    wrong(pins, FREE_TRIES, number=number)
    assert pins.judge(ALICE, number, PIN) is Outcome.LOCKED
    clock.now += FIRST_DELAY_S - 1
    assert pins.judge(ALICE, number, PIN) is Outcome.LOCKED
    clock.now += 1
    wrong(pins, 1, number=number)
    clock.now += FIRST_DELAY_S
    assert pins.judge(ALICE, number, PIN) is Outcome.LOCKED, "the delay has doubled"
    clock.now += FIRST_DELAY_S
    assert pins.judge(ALICE, number, PIN) is Outcome.RIGHT
    wrong(pins, 1, number=number)


def test_a_user_s_tries_are_counted_whatever_the_numbers(pins: Pins) -> None:
    for at in range(FREE_TRIES):
        wrong(pins, 1, number=f"+1202555010{at}")
    assert pins.judge(ALICE, OTHER, PIN) is Outcome.LOCKED
    assert pins.judge(ALICE, None, PIN) is Outcome.LOCKED


def test_a_number_s_tries_are_counted_whoever_the_users(pins: Pins) -> None:
    for at in range(FREE_TRIES):
        pins.set(f"usr_{at}", "775533")
        wrong(pins, 1, user=f"usr_{at}")
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.LOCKED
    assert pins.judge(ALICE, OTHER, PIN) is Outcome.RIGHT, "the user has nothing to do with it"


def test_one_s_own_pin_gives_a_number_no_more_tries_at_others(pins: Pins) -> None:
    pins.set(BOB, "775533")
    wrong(pins, FREE_TRIES - 1, user=BOB)
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.RIGHT
    wrong(pins, 1, user=BOB)
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.LOCKED


def test_a_try_that_comes_too_early_makes_nobody_wait_longer(pins: Pins, clock: Clock) -> None:
    wrong(pins, FREE_TRIES)
    for _ in range(20):
        assert pins.judge(ALICE, NUMBER, WRONG) is Outcome.LOCKED
    clock.now += FIRST_DELAY_S
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.RIGHT


def test_the_count_outlives_the_process_and_holds_for_others(
    pins: Pins, clock: Clock, records: Records, database_url: str
) -> None:
    wrong(pins, FREE_TRIES)
    again = Records(database_url)
    assert Pins(again, clock, cost_log2=CHEAP).judge(ALICE, NUMBER, PIN) is Outcome.LOCKED
    again.close()


def test_calls_at_a_time_have_no_more_tries_than_one(pins: Pins) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: pins.judge(ALICE, NUMBER, WRONG), range(24)))
    assert found.count(Outcome.WRONG) == FREE_TRIES
    assert set(found) == {Outcome.WRONG, Outcome.LOCKED}


def test_a_process_that_dies_while_it_looks_has_counted_already(pins: Pins, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(pin: str, kept: str) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("phone_bridge.runtime.pins.is_right", die)
        for _ in range(FREE_TRIES):
            with pytest.raises(KeyboardInterrupt):
                pins.judge(ALICE, NUMBER, PIN)
    assert pins.judge(ALICE, NUMBER, PIN) is Outcome.LOCKED


def test_wrong_tries_are_forgotten_after_a_day_without_any(pins: Pins, clock: Clock) -> None:
    wrong(pins, FREE_TRIES)
    clock.now += FORGIVEN_S + 1
    wrong(pins, FREE_TRIES)


def test_a_new_pin_need_not_wait(pins: Pins) -> None:
    wrong(pins, FREE_TRIES, number=None)
    pins.set(ALICE, "775533")
    assert pins.judge(ALICE, None, "775533") is Outcome.RIGHT


def test_who_has_a_pin_is_listed_without_it(pins: Pins, clock: Clock) -> None:
    pins.set(BOB, "775533")
    wrong(pins, FREE_TRIES)
    clock.now += 10
    assert [(kept.user_id, kept.wrong, kept.locked_s) for kept in pins.list()] == [
        (ALICE, FREE_TRIES, FIRST_DELAY_S - 10),
        (BOB, 0, 0),
    ]


def test_neither_a_pin_nor_a_number_stands_in_the_database(pins: Pins, records: Records) -> None:
    wrong(pins, 1)
    with records.transaction() as connection:
        rows = [
            repr(tuple(row))
            for table in ("pins", "pin_tries", "secrets")
            for row in connection.execute(sa.text(f"SELECT * FROM {table}"))  # noqa: S608 - a name from above
        ]
    assert len(rows) >= 3
    for secret in (PIN, WRONG, NUMBER, NUMBER[1:]):
        assert not any(secret in row for row in rows)

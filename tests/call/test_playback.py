"""The ledger against a carrier whose playing is known to the sample."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_24K, PCMU_8K
from phone_bridge.call.commands import Play
from phone_bridge.call.playback import CHANCE_MARKS, CHANCE_MS, GAP_MS, LAG_WINDOW, PARCEL_MS, TAIL_MS, Ledger

MS = PCMU_8K.bytes_per_ms


def sound(ms: int) -> bytes:
    return b"\x55" * (ms * MS)


def marks(plays: list[Play]) -> list[str]:
    return [play.mark for play in plays if play.mark]


class Carrier:
    """Plays what it is sent from the moment it arrives, ``lag`` ms late, and knows when each mark is due."""

    def __init__(self, ledger: Ledger, lag: int = 0) -> None:
        self.ledger = ledger
        self.lag = lag
        self.end = 0.0
        self.due: list[tuple[float, str]] = []
        self.runs: list[tuple[float, float, str]] = []

    def play(self, item: str, ms: int, now: int) -> None:
        self.take(item, self.ledger.play(item, sound(ms), now), now)

    def finish(self, item: str, now: int) -> None:
        self.take(item, self.ledger.finish(item, now), now)

    def take(self, item: str, plays: list[Play], now: int) -> None:
        for play in plays:
            start = max(self.end, now + self.lag)
            self.end = start + len(play.audio) / MS if play.audio else max(self.end, start)
            if play.audio:
                self.runs.append((start, self.end, item))
            if play.mark:
                self.due.append((self.end, play.mark))

    def advance(self, now: int) -> None:
        """Return the marks due by ``now``, each at its own time, to the whole millisecond."""
        while self.due and self.due[0][0] <= now:
            at, mark = self.due.pop(0)
            assert self.ledger.reached(mark, int(-(-at // 1)))

    def heard(self, item: str, now: int) -> float:
        return sum(min(end, now) - start for start, end, name in self.runs if name == item and start < now)


def test_a_long_run_is_cut_into_parcels_with_a_mark_each() -> None:
    plays = Ledger(PCMU_8K).play("a", sound(1000), 0)
    assert [len(play.audio) for play in plays] == [PARCEL_MS * MS] * 10
    assert len(set(marks(plays))) == 10


def test_small_frames_share_a_mark() -> None:
    ledger = Ledger(PCMU_8K)
    plays = [play for at in range(0, 200, 20) for play in ledger.play("a", sound(20), at)]
    assert [bool(play.mark) for play in plays] == [False, False, False, False, True] * 2


def test_sound_is_passed_on_untouched_when_it_need_not_be_cut() -> None:
    frame = sound(20)
    assert Ledger(PCMU_8K).play("a", frame, 0)[0].audio is frame


def test_a_tail_gets_its_mark_when_the_item_ends_or_pauses() -> None:
    ledger = Ledger(PCMU_8K)
    ledger.play("a", sound(30), 0)
    assert ledger.deadline() == TAIL_MS
    assert ledger.expire(TAIL_MS - 1) == []
    assert len(marks(ledger.expire(TAIL_MS))) == 1
    assert ledger.deadline() is None
    ledger.play("a", sound(30), 200)
    assert len(marks(ledger.finish("a", 0))) == 1
    assert ledger.finish("a", 0) == []


def test_an_item_that_follows_closes_the_tail_of_the_one_before() -> None:
    ledger = Ledger(PCMU_8K)
    (first,) = ledger.play("a", sound(30), 0)
    tail, second = ledger.play("b", sound(30), 0)
    assert not first.mark
    assert tail == Play(b"", tail.mark)
    assert tail.mark
    assert not second.mark


def test_an_item_is_heard_once_every_mark_came_back_in_its_turn() -> None:
    ledger = Ledger(PCMU_8K)
    names = marks(ledger.play("a", sound(200), 0) + ledger.finish("a", 0))
    assert ledger.reached(names[0], 100)
    assert ledger.began("a", 100)
    assert not ledger.heard_to_end("a", 100)
    assert ledger.reached(names[1], 205)
    assert ledger.heard_at("a") == 205
    assert ledger.heard_to_end("a", 205)


def test_an_item_that_may_go_on_is_not_heard_to_its_end() -> None:
    ledger = Ledger(PCMU_8K)
    for mark in marks(ledger.play("a", sound(200), 0)):
        ledger.reached(mark, 200)
    assert not ledger.heard_to_end("a", 300)
    ledger.finish("a", 0)
    assert ledger.heard_to_end("a", 300)


def test_marks_that_come_back_at_once_prove_nothing_before_their_time() -> None:
    ledger = Ledger(PCMU_8K)
    for mark in marks(ledger.play("a", sound(1000), 0) + ledger.finish("a", 0)):
        assert ledger.reached(mark, 5)
    assert ledger.heard_ms("a", 5) == 5
    assert not ledger.heard_to_end("a", 999)
    assert not ledger.over("a", 999)
    assert ledger.settles_at() == 1000
    assert ledger.heard_to_end("a", 1000)


def test_marks_that_a_flush_returns_prove_nothing() -> None:
    ledger = Ledger(PCMU_8K)
    names = marks(ledger.play("a", sound(300), 0) + ledger.finish("a", 0))
    ledger.reached(names[0], 100)
    (cut,) = ledger.flush(150)
    assert (cut.item, cut.heard_ms, cut.sent_ms) == ("a", 150, 300)
    assert [ledger.reached(mark, 151) for mark in names] == [False] * 3
    assert not ledger.heard_to_end("a", 1000)


def test_a_mark_that_comes_twice_proves_nothing_the_second_time() -> None:
    ledger = Ledger(PCMU_8K)
    names = marks(ledger.play("a", sound(200), 0) + ledger.finish("a", 0))
    assert ledger.reached(names[0], 100)
    assert not ledger.reached(names[0], 101)
    assert not ledger.heard_to_end("a", 1000)


def test_marks_out_of_order_leave_their_item_unproven_and_the_next_item_free() -> None:
    ledger = Ledger(PCMU_8K)
    names = marks(ledger.play("a", sound(300), 0) + ledger.finish("a", 0))
    after = marks(ledger.play("b", sound(100), 0) + ledger.finish("b", 0))
    assert not ledger.reached(names[1], 200)
    assert not ledger.reached(names[0], 201)
    assert ledger.reached(names[2], 300)
    assert ledger.heard_at("a") is None
    assert ledger.over("a", 400)
    assert ledger.reached(after[0], 400)
    assert ledger.heard_to_end("b", 400)


def test_a_mark_nobody_set_proves_nothing() -> None:
    ledger = Ledger(PCMU_8K)
    ledger.play("a", sound(100), 0)
    assert not ledger.reached("elsewhere", 100)
    assert not ledger.reached("", 100)


def test_items_that_wait_behind_another_are_cut_unheard() -> None:
    ledger = Ledger(PCMU_8K)
    ledger.play("a", sound(500), 0)
    ledger.play("b", sound(500), 0)
    assert [(cut.item, cut.heard_ms) for cut in ledger.flush(200)] == [("a", 200), ("b", 0)]


def test_an_item_that_goes_on_after_another_keeps_its_count() -> None:
    ledger = Ledger(PCMU_8K)
    for item in ("a", "b", "a"):
        ledger.play(item, sound(100), 0)
    assert [ledger.heard_ms("a", at) for at in (50, 150, 250)] == [50, 100, 150]
    assert [ledger.heard_ms("b", at) for at in (50, 150, 250)] == [0, 50, 100]


def test_an_underrun_is_not_counted_as_heard() -> None:
    ledger = Ledger(PCMU_8K)
    ledger.play("a", sound(100), 0)
    ledger.play("a", sound(100), 500)
    assert ledger.heard_ms("a", 300) == 100
    assert ledger.heard_ms("a", 550) == 150


def test_a_carrier_that_plays_late_is_followed_by_its_quickest_mark() -> None:
    ledger = Ledger(PCMU_8K)
    carrier = Carrier(ledger, lag=60)
    carrier.play("a", 2000, 0)
    carrier.advance(500)
    assert ledger.heard_ms("a", 500) == 440


def test_what_is_over_is_taken_out_in_order() -> None:
    ledger = Ledger(PCMU_8K)
    names = marks(ledger.play("a", sound(100), 0) + ledger.finish("a", 0) + ledger.play("b", sound(100), 0))
    for mark in names:
        ledger.reached(mark, 200)
    assert [cut.item for cut in ledger.settle(200)] == ["a"]
    assert ledger.unheard(200) == ["b"]
    ledger.finish("b", 0)
    assert [(cut.item, cut.heard_ms) for cut in ledger.settle(200)] == [("b", 100)]


def test_nothing_is_known_of_an_item_that_never_played() -> None:
    ledger = Ledger(PCMU_8K)
    assert ledger.heard_ms("a", 100) == 0
    assert not ledger.began("a", 100)
    assert ledger.over("a", 100)
    assert ledger.finish("a", 0) == []
    assert ledger.settles_at() is None
    assert ledger.flush(100) == []


talk = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from("abc"), st.integers(1, 700)),
    min_size=1,
    max_size=25,
)


@given(talk, st.integers(0, 120), st.integers(0, 4000))
def test_what_the_ledger_tells_is_true_but_for_a_lag_it_cannot_know_yet(
    steps: list[tuple[int, str, int]], lag: int, pause: int
) -> None:
    ledger = Ledger(PCMU_8K)
    carrier = Carrier(ledger, lag)
    now, current = 0, "a"
    for serial, (wait, name, ms) in enumerate(steps):
        now += wait
        carrier.advance(now)
        if name == "c":
            carrier.finish(current, now)
            current = f"c{serial}"
        carrier.play(current, ms, now)
        carrier.take(current, ledger.expire(now), now)
    now += pause
    carrier.advance(now)
    for item in ledger.unheard(now):
        told, truth = ledger.heard_ms(item, now), carrier.heard(item, now)
        assert truth - 2 - GAP_MS <= told <= truth + 2 + lag


class Away:
    """A carrier at a distance: everything takes ``trip`` ms, there and back, and sound is held back for ``held`` ms.

    Marks go back ``late()`` ms after they were reached, in their order.
    """

    def __init__(self, trip: int, held: int, late: Callable[[], int] = lambda: 0) -> None:
        self.ledger = Ledger(PCMU_8K)
        self.trip = trip
        self.held = held
        self.late = late
        self.end = 0.0
        self.runs: list[tuple[float, float, str]] = []
        self.back: list[tuple[int, str]] = []

    def play(self, item: str, ms: int, now: int) -> None:
        for play in self.ledger.play(item, sound(ms), now):
            start = max(self.end, now + self.trip + self.held)
            self.end = start + len(play.audio) / MS
            self.runs.append((start, self.end, item))
            if play.mark:
                self.give_back(int(-(-self.end // 1)), play.mark)

    def give_back(self, reached: int, mark: str) -> None:
        before = self.back[-1][0] if self.back else 0
        self.back.append((max(before, reached + self.late() + self.trip), mark))

    def advance(self, now: int) -> None:
        while self.back and self.back[0][0] <= now:
            at, mark = self.back.pop(0)
            self.ledger.reached(mark, at)

    def flush(self, now: int) -> dict[str, tuple[int, float]]:
        """Clear the buffer; give what the ledger told and what was played, of each item that was cut."""
        self.advance(now)
        there = now + self.trip
        played = {name: 0.0 for _, _, name in self.runs}
        for start, end, name in self.runs:
            played[name] += max(0.0, min(end, there) - start)
        told = {cut.item: (cut.heard_ms, played[cut.item]) for cut in self.ledger.flush(now)}
        cleared, self.back = self.back, []
        for _, mark in cleared:
            self.give_back(there, mark)
        self.end, self.runs = min(self.end, there), []
        return told


sizes = st.lists(st.integers(20, 300), min_size=12, max_size=20)


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(1, 2000), sizes)
def test_the_way_there_is_no_part_of_what_was_cut(trip: int, at: int, sizes: list[int]) -> None:
    """Whatever the distance, and before any mark has come back."""
    carrier = Away(trip, held=0)
    for serial, ms in enumerate(sizes):
        carrier.play(f"{serial // 5}", ms, 0)
    assert all(abs(told - played) <= 1 for told, played in carrier.flush(at).values())


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(CHANCE_MS + 1, 200), st.integers(0, 1000), sizes)
def test_once_a_clearing_was_answered_it_is_known_what_the_carrier_holds_back(
    trip: int, held: int, at: int, sizes: list[int]
) -> None:
    carrier = Away(trip, held)
    heard = CHANCE_MARKS * PARCEL_MS + 2 * trip + held
    carrier.play("first", 2 * heard, 0)
    (first,) = carrier.flush(heard).values()
    assert first[0] - first[1] <= 1 + held  # nothing tells the two apart yet
    now = heard + 3 * trip
    for ms in sizes:
        carrier.play("second", ms, now)
    now += 2 * trip + held + PARCEL_MS
    carrier.advance(now)
    for told, played in carrier.flush(now + at).values():
        assert abs(told - played) <= 1


@pytest.mark.parametrize("trip", [0, 40, 200])
def test_marks_that_come_late_are_not_taken_for_sound_that_is_held_back(trip: int) -> None:
    random = Random(trip)  # noqa: S311 - the same disorder in every run
    errors = []
    for _ in range(50):
        carrier, now = Away(trip, 0, lambda: random.randrange(150)), 1_000
        for item in "abc":
            for _ in range(15):
                carrier.play(item, 60, now)
                now += random.choice((15, 60, 120))
                carrier.advance(now)
            errors += [abs(told - played) for told, played in carrier.flush(now).values()]
            now += 2 * trip + 500
            carrier.advance(now)
    assert sorted(errors)[len(errors) * 99 // 100] <= GAP_MS


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(0, CHANCE_MS), st.integers(0, 200))
def test_what_was_heard_when_a_key_was_pressed_takes_the_way_here_into_account(trip: int, held: int, at: int) -> None:
    carrier = Away(trip, held)
    carrier.play("a", 2000, 0)
    now = 2 * trip + held + PARCEL_MS + at
    carrier.advance(now)
    pressed = now - trip  # at the carrier
    heard = sum(max(0.0, min(end, pressed) - start) for start, end, _ in carrier.runs)
    assert carrier.ledger.heard_ms("a", now) <= heard + 1


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=40), st.integers(0, 3))
def test_nothing_is_lost_or_added_and_marks_stand_close_enough(sizes: list[int], between: int) -> None:
    ledger = Ledger(PCMU_8K)
    run, sent = 0, b""
    for number, size in enumerate(sizes):
        for play in ledger.play("a", bytes([number % 251]) * size, number * between):
            sent += play.audio
            run += len(play.audio)
            assert run <= PARCEL_MS * MS
            run = 0 if play.mark else run
    assert sent == b"".join(bytes([number % 251]) * size for number, size in enumerate(sizes))


def test_the_least_of_the_last_lags_counts() -> None:
    ledger = Ledger(PCMU_8K)
    first, *later, last = marks(ledger.play("a", sound(PARCEL_MS * (LAG_WINDOW + 1)), 0))
    ledger.reached(first, 100)
    for place, mark in enumerate(later, start=2):
        ledger.reached(mark, place * 100 + 60 - place % 2)
    assert ledger.quiet_at() == PARCEL_MS * (LAG_WINDOW + 1)
    ledger.reached(last, (LAG_WINDOW + 1) * 100 + 70)
    assert ledger.quiet_at() == PARCEL_MS * (LAG_WINDOW + 1) + 59


def test_linear_sound_is_counted_in_its_own_bytes() -> None:
    ledger = Ledger(LINEAR_24K)
    (play,) = ledger.play("a", b"\0\0" * 2400, 0)
    assert play.mark
    assert ledger.heard_ms("a", 40) == 40


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 400)), max_size=40))
def test_marks_may_be_lost_doubled_and_late_and_items_settle_all_the_same(returned: list[tuple[int, int]]) -> None:
    """A settled item's marks may still be on their way back, which is nobody's mistake."""
    ledger = Ledger(PCMU_8K)
    sent = [*ledger.play("a", sound(501), 0), *ledger.finish("a", 0), *ledger.play("b", sound(501), 0)]
    sent += ledger.finish("b", 0)
    now = 0
    for number, wait in returned:
        now += wait
        ledger.reached(marks(sent)[number % len(marks(sent))], now)
        for cut in ledger.settle(now):
            assert 0 <= cut.heard_ms <= cut.sent_ms == 501
    for name in ledger.unheard(now):
        assert not ledger.heard_to_end(name, now)

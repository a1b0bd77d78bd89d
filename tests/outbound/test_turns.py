"""Many reminders that are due at once, in virtual time: in order, in fair turns, none lost, none twice, clocks set."""

from collections import Counter, deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path

import pytest

from phone_bridge.outbound.reminders import ReminderBody, make
from phone_bridge.outbound.turns import AHEAD_S, Turns
from tests.outbound.stage import NOON, Killed, Stage

FEW, FEWER = 6, 4
HOUR = 3_600


class Deployment:
    """Processes on one book, whose common queue dials one call a second; each is answered and over at once."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.stage = Stage(folder)
        self.queue: deque[str] = deque()
        self.known: set[str] = set()
        names = count(1)
        self.turns = [
            Turns(
                self.stage.book,
                self,
                1,
                make=self.stage.begun,
                new_id=lambda: f"call_{next(names):04}",
                wall=lambda: self.stage.now,
            )
            for _ in range(processes)
        ]
        self.rings: list[tuple[float, str]] = []
        self.deepest = self.reminders = 0

    def submit(self, call_id: str) -> None:
        """Take an attempt in, once."""
        if call_id not in self.known:
            self.known.add(call_id)
            self.queue.append(call_id)

    def remind(self, user: str, place: int, due_s: int) -> str:
        at = datetime.fromtimestamp(NOON + due_s, UTC)
        wish = ReminderBody(to=f"+1202555{len(user)}{place:03}", text="x", at=at.isoformat())
        now = datetime.fromtimestamp(self.stage.now, UTC)
        one = make(wish, id=f"rem_{user}_{place:03}", user_id=user, timezone="UTC", now=now)
        self.stage.book.remind(one, NOON)
        self.reminders += 1
        return wish.to

    def second(self) -> None:
        """Let a second pass: each process looks once, and the queue dials one."""
        for turns in self.turns:
            room = turns.room()
            if room > 0:
                turns.begin(room)
            self.deepest = max(self.deepest, len(self.queue))
        if self.queue:
            call_id = self.queue.popleft()
            before = len(self.stage.exchange.rings)
            now = self.stage.now
            try:
                self.stage.live(call_id, "completed")
            except Killed:
                self.queue.appendleft(call_id)  # which another process recovers
                raise
            self.stage.now = now  # others talk meanwhile: it is the dialling that takes turns
            self.rings += [(now, to) for to in self.stage.exchange.rings[before:]]
        self.stage.now += 1

    def until_quiet(self, most_s: int) -> None:
        """Let time pass until nothing is due and nothing rings."""
        for _ in range(most_s):
            self.second()
            if len(self.rings) == self.reminders and not self.queue:
                return
        raise AssertionError("it goes on and on")


@pytest.mark.parametrize(("processes", "many"), [(1, 90), (2, 90), (4, 290)])
def test_many_that_are_due_in_a_minute_ring_in_order_in_fair_turns_and_once(
    tmp_path: Path, processes: int, many: int
) -> None:
    """Two tenants have a handful each, and one has more than the minute holds; 990 is the long one."""
    deployment = Deployment(tmp_path, processes)
    due: dict[str, int] = {}
    for user, reminders in (("usr_many", many), ("usr_few", FEW), ("usr_f", FEWER)):
        for place in range(reminders):
            at = place * 60 // reminders
            due[deployment.remind(user, place, at)] = at
    deployment.until_quiet(many * 3)
    rung = [to for _, to in deployment.rings]
    assert len(rung) == len(set(rung)) == many + FEW + FEWER
    for length, reminders in ((8, many), (7, FEW), (5, FEWER)):
        places = [int(to[-3:]) for to in rung if to[8] == str(length)]
        assert places == list(range(reminders))  # each user's in the order in which they were due
    assert max(Counter(at for at, _ in deployment.rings).values()) == 1  # one call a second
    late = [at - NOON - due[to] for at, to in deployment.rings if to[8] in "57"]
    assert max(late) <= 2 * AHEAD_S  # nobody waits behind another's many
    assert deployment.deepest <= AHEAD_S
    deployment.stage.records.close()


def test_a_clock_that_is_set_back_rings_nobody_twice_and_one_set_forward_rings_what_was_missed(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path, 2)
    stage = deployment.stage
    deployment.remind("usr_1", 0, 5)
    deployment.remind("usr_1", 1, HOUR)
    deployment.remind("usr_1", 2, 30 * HOUR)
    for _ in range(10):
        deployment.second()
    assert len(deployment.rings) == 1
    stage.now -= 2 * HOUR
    for _ in range(10):
        deployment.second()
    assert len(deployment.rings) == 1  # what has rung does not ring again, and nothing else is due by that clock
    stage.now += 4 * HOUR
    for _ in range(10):
        deployment.second()
    assert len(deployment.rings) == 2  # late, and once
    stage.now += 40 * HOUR
    for _ in range(10):
        deployment.second()
    assert len(deployment.rings) == 2  # later than late_minutes: not any more
    outcomes = {each.id[-3:]: (each.status, each.outcome) for each in stage.book.reminders()}
    assert outcomes == {"000": ("done", "answered"), "001": ("done", "answered"), "002": ("failed", "expired")}
    stage.records.close()


@pytest.mark.parametrize(
    ("night", "hour", "rule"),
    [("2026-10-24", "02:30:00+02:00", "FREQ=DAILY;COUNT=3"), ("2026-03-28", "02:30:00+01:00", "FREQ=DAILY;COUNT=3")],
)
def test_on_nights_when_the_clocks_change_each_day_rings_once(tmp_path: Path, night: str, hour: str, rule: str) -> None:
    deployment = Deployment(tmp_path, 2)
    stage = deployment.stage
    first = datetime.fromisoformat(f"{night}T{hour}")
    stage.now = first.timestamp() - 60
    now = datetime.fromtimestamp(stage.now, UTC)
    wish = ReminderBody(to="+12025550143", text="x", at=first.isoformat(), timezone="Europe/Berlin", repeat=rule)
    stage.book.remind(make(wish, id="rem_1", user_id="usr_1", timezone="", now=now), 0)
    for _ in range(3 * 24):
        deployment.second()
        stage.now += 3_599
    days = [datetime.fromtimestamp(at, UTC) for at, _ in deployment.rings]
    assert len(days) == 3
    assert all(timedelta(hours=21) < later - earlier < timedelta(hours=27) for earlier, later in pairwise(days))
    stage.records.close()


def test_a_process_that_dies_at_any_write_of_an_attempt_is_followed_by_one_that_rings_once(tmp_path: Path) -> None:
    """Kill it before and after each transaction from the due scan to what came of it, one after the other."""
    for place in count(1):
        for after in (False, True):
            folder = tmp_path / f"{place}{after}"
            folder.mkdir()
            deployment = Deployment(folder, 2)
            deployment.remind("usr_1", 0, 0)
            records = deployment.stage.records
            records.after, records.dies_at = after, records.transactions + place
            with suppress(Killed):
                deployment.until_quiet(30)
            died = records.transactions >= records.dies_at
            records.dies_at = -1
            deployment.stage.now += 60
            for _ in range(3):
                deployment.second()
            assert deployment.stage.exchange.rings == ["+12025555000"], (place, after)
            (reminder,) = deployment.stage.book.reminders()
            assert (reminder.status, reminder.outcome) == ("done", "answered"), (place, after)
            assert len(reminder.history) == 1, (place, after)
            assert deployment.stage.book.unsettled() == 0, (place, after)
            records.close()
        if not died:
            break
    assert place > 15  # it is a long way


def test_a_process_that_dies_between_begun_and_handed_over_leaves_it_to_another(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path, 2)
    deployment.remind("usr_1", 0, 0)

    class Dying:
        def submit(self, call_id: str) -> None:
            raise Killed

    dying = Turns(
        deployment.stage.book, Dying(), 1, make=deployment.stage.begun, new_id=lambda: "call_x", wall=lambda: NOON
    )
    with pytest.raises(Killed):
        dying.begin(1)
    deployment.second()
    assert [to for _, to in deployment.rings] == ["+12025555000"]
    assert deployment.stage.status("call_x") == "completed"
    deployment.stage.records.close()

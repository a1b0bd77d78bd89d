"""Many reminders that are due within a minute, rung by several processes on one database.

``python -m tests.outbound.many [--processes 4] [--reminders 1000] [--rate 1] [--kill]`` rings a thousand at one call a
second, which takes a thousand seconds, and tells what became of them; ``tests/outbound/test_many.py`` rings some.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from phone_bridge.outbound.book import Book
from phone_bridge.outbound.engine import SILENT_S
from phone_bridge.outbound.reminders import ReminderBody, make
from phone_bridge.runtime.record import Records
from tests.postgres import find_server

ROOT = Path(__file__).parents[2]
TENANTS = (("usr_many", 90), ("usr_few", 5), ("usr_fewer", 5))
"""Whose reminders they are: so many of a hundred."""
SPREAD_S = 60.0
PATIENCE_S = 60.0


class Ring(msgspec.Struct, frozen=True):
    """One ring: when, by which process, of whose reminder, and how many of theirs were due before it."""

    at: float
    process: str
    user: str
    place: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run; ``behind`` is the most places that a reminder rang behind its turn among its user's."""

    reminders: int
    rang: int
    twice: int
    by_process: dict[str, int]
    seconds: float
    in_a_second: int
    in_ten_seconds: int
    behind: int
    last_of: dict[str, int]
    """As which ring each user's last reminder came."""
    at_a_time: int
    covered_s: float | None


def schedule(book: Book, reminders: int, spread_s: float) -> dict[str, tuple[str, int]]:
    """Keep reminders that are due from now on; gives whose each number is, and its place among theirs."""
    now = datetime.now(UTC)
    whose: dict[str, tuple[str, int]] = {}
    count: Counter[str] = Counter()
    for number in range(reminders):
        share = number * 37 % 100
        user = next(name for name, upto in (("usr_many", 90), ("usr_few", 95), ("usr_fewer", 100)) if share < upto)
        due = now + timedelta(seconds=int(spread_s * number / reminders))
        to = f"+1202{5_550_000 + number}"
        wish = ReminderBody(to=to, text="x", at=due.isoformat())
        name = f"rem_{number:06}"
        book.remind(make(wish, id=name, user_id=user, timezone="UTC", now=now), int(now.timestamp()))
        whose[to] = (user, count[user])
        count[user] += 1
    return whose


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """So many processes and reminders, rung at ``rate`` calls a second and at most ``lines`` at a time.

    Each talks for ``talk_s``; a process that is silent for ``silent_s`` is taken for dead. ``kill`` kills one when a
    third has rung.
    """

    processes: int = 4
    reminders: int = 1_000
    rate: int = 1
    lines: int = 40
    talk_s: float = 5.0
    silent_s: float = SILENT_S
    kill: bool = False


class Run:
    """The processes of ``load``, that ring for ``url``."""

    def __init__(self, url: str, folder: Path, load: Load) -> None:
        self.folder = folder
        (folder / "rings").touch()
        self._talk_s = load.talk_s
        self._names = [f"{chr(ord('a') + number)}{uuid.uuid4().hex[:6]}" for number in range(load.processes)]
        more = [str(folder), str(load.rate), str(load.lines), str(load.talk_s), str(load.silent_s)]
        self._processes = [
            subprocess.Popen([sys.executable, "-m", "tests.outbound.process", url, name, *more], cwd=ROOT)
            for name in self._names
        ]
        self._killed_at: float | None = None

    def wait_until_up(self) -> None:
        """Wait for all of them."""
        until = time.monotonic() + PATIENCE_S
        while not all((self.folder / f"up-{name}").exists() for name in self._names):
            if time.monotonic() > until:
                raise TimeoutError("the processes did not come up")
            time.sleep(0.05)

    def kill_one(self) -> None:
        """Kill the one that has rung last as by ``kill -9``."""
        last = (self.folder / "rings").read_text().split()[-2]
        self._processes[self._names.index(last)].send_signal(signal.SIGKILL)
        self._killed_at = time.time()

    def rung(self) -> int:
        """Count the rings so far."""
        return len((self.folder / "rings").read_text().splitlines())

    def stop(self) -> None:
        """End them."""
        (self.folder / "stop").touch()
        for process in self._processes:
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def outcome(self, whose: dict[str, tuple[str, int]]) -> Outcome:
        """Sum it up."""
        lines = [line.split() for line in (self.folder / "rings").read_text().splitlines()]
        rings = sorted((Ring(float(at), by[0], *whose[to]) for at, by, to in lines), key=lambda ring: ring.at)
        times = [ring.at for ring in rings]
        of_user: dict[str, list[int]] = {}
        for ring in rings:
            of_user.setdefault(ring.user, []).append(ring.place)
        return Outcome(
            reminders=len(whose),
            rang=len({(ring.user, ring.place) for ring in rings}),
            twice=len(rings) - len({(ring.user, ring.place) for ring in rings}),
            by_process=dict(Counter(ring.process for ring in rings)),
            seconds=round(times[-1] - times[0], 1),
            in_a_second=_most_within(times, 1.0),
            in_ten_seconds=_most_within(times, 10.0),
            behind=max(turn - place for places in of_user.values() for turn, place in enumerate(places)),
            last_of={user: max(n for n, ring in enumerate(rings, 1) if ring.user == user) for user in sorted(of_user)},
            at_a_time=_most_within(times, self._talk_s),
            covered_s=self._covered(),
        )

    def _covered(self) -> float | None:
        """Say how long after the kill another process has taken its work over."""
        if self._killed_at is None:
            return None
        told = [
            float(line.split()[0])
            for log in self.folder.glob("log-*")
            for line in log.read_text().splitlines()
            if "is silent" in line
        ]
        return round(min(told) - self._killed_at, 1) if told else None


def _most_within(times: Sequence[float], seconds: float) -> int:
    most, first = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def run(url: str, folder: Path, load: Load) -> Outcome:
    """Ring them all, and sum it up."""
    records = Records(url)
    book = Book(records)
    running = Run(url, folder, load)
    kill = load.kill
    try:
        running.wait_until_up()
        whose = schedule(book, load.reminders, min(SPREAD_S, load.reminders / 20))
        until = time.monotonic() + load.reminders / load.rate * 2 + PATIENCE_S
        while time.monotonic() < until and (running.rung() < load.reminders or book.unsettled()):
            if kill and running.rung() > load.reminders / 3:
                kill = False
                running.kill_one()
            time.sleep(0.2)
    finally:
        running.stop()
        records.close()
    return running.outcome(whose)


def main() -> None:
    """Ring as the arguments say, and print what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--reminders", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=1)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--talk-s", type=float, default=5.0)
    parser.add_argument("--kill", action="store_true", help="kill one process when a third has rung")
    load = Load(**vars(parser.parse_args()))
    with find_server() as url, tempfile.TemporaryDirectory() as folder:
        outcome = run(url, Path(folder), load)
    for name, value in msgspec.to_builtins(outcome).items():
        sys.stdout.write(f"{name:>16}  {value}\n")


if __name__ == "__main__":
    main()

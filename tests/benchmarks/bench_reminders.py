"""What a million scheduled reminders cost: ``python -m tests.benchmarks.bench_reminders [REMINDERS]``.

On the PostgreSQL server of PHONE_BRIDGE_TEST_POSTGRES, or one of its own that does not wait for the disk; times are
those of one process.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any

import sqlalchemy as sa

from phone_bridge.outbound.book import Book, _row
from phone_bridge.outbound.reminders import ReminderBody, make
from phone_bridge.outbound.tables import REMINDERS
from phone_bridge.runtime.record import Records
from tests.benchmarks.tables import table
from tests.outbound.process import begun
from tests.postgres import find_server, schema

REMINDERS_MAX = 1_000_000
BATCH = 2_000
SINGLES = 500
DUE, USERS = 1_000, 500
ROUNDS = 20
AHEAD = 5

Line = tuple[str, str]


def rows(now: datetime) -> Iterator[dict[str, Any]]:
    """Make reminders as they are kept, of many users, due from an hour on over thirty days."""
    wish = ReminderBody(
        to="+12025550143", text="It is time to take your pills.", at=(now + timedelta(hours=1)).isoformat()
    )
    one = _row(make(wish, id="rem", user_id="usr", timezone="UTC", now=now))
    due = one["due"]
    for number in count():
        at = due + number * 2_592_000 // REMINDERS_MAX
        yield {**one, "id": f"rem_{number:08}", "user_id": f"usr_{number % 50_000}", "due": at, "next_at": at}


def fill(records: Records, reminders: int, now: datetime) -> float:
    """Write them in batches; gives the seconds that took."""
    began, source = time.perf_counter(), rows(now)
    for _ in range(-(-reminders // BATCH)):
        with records.transaction() as connection:
            connection.execute(sa.insert(REMINDERS), list(islice(source, BATCH)))
    return time.perf_counter() - began


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Give the middle of some rounds' milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times)


def remind(book: Book, number: int, now: datetime, user: str) -> None:
    """Keep one reminder that is due now."""
    wish = ReminderBody(to="+12025550143", text="It is time to take your pills.", at=now.isoformat())
    book.remind(make(wish, id=f"due_{number:06}", user_id=user, timezone="UTC", now=now), int(now.timestamp()))


def measure(url: str, reminders: int) -> list[Line]:
    """Measure everything, on an empty database."""
    records = Records(url)
    book, now = Book(records), datetime.now(UTC)
    seconds = fill(records, reminders, now)
    with records.transaction() as connection:
        size = connection.execute(sa.text("SELECT pg_total_relation_size('outbound_reminders')")).scalar_one()
    with records.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    names = (f"call_{number:06}" for number in count())

    def claim(limit: int) -> int:
        return book.claim(now, limit, lambda: next(names), begun)

    nothing = timed(lambda: claim(AHEAD))
    events = timed(lambda: book.of_events_due(int(now.timestamp()), AHEAD))
    began = time.perf_counter()
    for number in range(SINGLES):
        remind(book, number, now, f"usr_{number % USERS}")
    single = time.perf_counter() - began
    for number in range(SINGLES, DUE):
        remind(book, number, now, f"usr_{number % USERS}")
    with records.transaction() as connection:
        thousand = timed(lambda: connection.execute(sa.text(_scan(now))).all())
    five = timed(lambda: claim(AHEAD))
    handed = timed(lambda: book.unsubmitted(AHEAD, int(now.timestamp())))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    records.close()
    return [
        (f"{reminders:,} reminders written in batches of {BATCH:,}", f"{reminders / seconds:,.0f} a second"),
        ("one at a time, as the API writes them", f"{SINGLES / single:,.0f} a second"),
        ("on disk, with the indexes", f"{size / 1e6:,.0f} MB"),
        ("looking for what is due, with nothing due", f"{nothing:.1f} ms"),
        ("looking for reminders of events that are due, with nothing due", f"{events:.1f} ms"),
        (f"reading the index with {DUE:,} due", f"{thousand:.1f} ms"),
        (f"choosing and beginning {AHEAD} of {DUE:,} that are due", f"{five:.1f} ms, {five / AHEAD:.1f} ms each"),
        (f"choosing {AHEAD} to hand to the queue", f"{handed:.1f} ms"),
        ("memory of the process at the most", f"{memory} MB"),
    ]


def _scan(now: datetime) -> str:
    return f"SELECT id FROM outbound_reminders WHERE next_at <= {int(now.timestamp())} ORDER BY next_at"  # noqa: S608


def main(arguments: Sequence[str]) -> None:
    """Measure, and print a table."""
    reminders = int(arguments[0]) if arguments else REMINDERS_MAX
    with find_server() as server, schema(server) as url:
        lines = measure(url, reminders)
    sys.stdout.write(table(("what", "figure"), lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

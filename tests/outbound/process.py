"""A process that rings as the bridge does.

``python -m tests.outbound.process URL ID FOLDER RATE LINES TALK_S SILENT_S``

Its carrier takes every call at once and ends it after TALK_S; what it has taken is one file for all processes, a line
for each ring with its time, its process, its number and its user. It works until the file ``stop`` is in FOLDER.
"""

import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from phone_bridge.legs.twilio.rest import Placing
from phone_bridge.outbound import engine
from phone_bridge.outbound.book import Attempt, Book, Plan
from phone_bridge.outbound.carrier import Placed
from phone_bridge.outbound.dialler import Dialler, Line
from phone_bridge.outbound.engine import Engine, Limits
from phone_bridge.outbound.reminders import Reminder
from phone_bridge.outbound.turns import Turns
from phone_bridge.runtime.record import Records
from tests.outbound.stage import FROM, Stage

LINE = Line(base_url="https://bridge.test", ring_s=30, limit_s=60, prefixes=("+1",))
TICK_S = 0.5


class Exchange:
    """A carrier whose calls are all answered; ``over`` is told the call that has ended."""

    def __init__(self, folder: Path, name: str, talk_s: float) -> None:
        self._rings = folder / "rings"
        self._name = name
        self._talk_s = talk_s
        self.book: Book | None = None
        self.engine: Engine | None = None

    def place(self, placing: Placing) -> Placed:
        with self._rings.open("a") as file:
            file.write(f"{time.time():.3f} {self._name} {placing.to}\n")
        (call_id,) = parse_qs(urlsplit(placing.url).query)["call"]
        timer = threading.Timer(self._talk_s, self._end, (call_id,))
        timer.daemon = True
        timer.start()
        return Placed("CA" + placing.to, "queued")

    def _end(self, call_id: str) -> None:
        if self.book is not None and self.engine is not None:
            self.book.note(call_id, told="completed")
            self.engine.told(call_id)

    def look(self, carrier_id: str) -> Placed:
        return Placed(carrier_id, "completed")

    def find(self, to: str, from_: str, since_s: int) -> list[Placed]:
        known = [line.split()[2] for line in self._rings.read_text().splitlines()]
        return [Placed("CA" + to, "ringing")] if to in known else []


def begun(reminder: Reminder) -> tuple[Attempt, dict[str, Any]]:
    """Make the attempt that a reminder begins."""
    attempt = Attempt(
        call_id=reminder.call_id or "",
        user_id=reminder.user_id,
        to_number=reminder.wish.to,
        from_number=FROM,
        plan=msgspec.to_builtins(Plan(text=reminder.wish.text)),
        reminder_id=reminder.id,
        created_at=int(time.time()),
    )
    return attempt, Stage.row_of(attempt, time.time())


def main(url: str, name: str, folder: Path, rate: int, lines: int, talk_s: float, silent_s: float) -> None:
    """Ring until we are told to stop."""
    logging.basicConfig(format="%(created).3f %(message)s", level=logging.WARNING, filename=folder / f"log-{name}")
    engine.LOOK_S, engine.SILENT_S = 5.0, silent_s
    records = Records(url)
    book = Book(records)
    exchange = Exchange(folder, name, talk_s)
    working = Engine(url, name, book, Dialler(book, exchange, LINE), Limits(rate, lines))
    exchange.book, exchange.engine = book, working
    names = (f"{name}.{number}" for number in range(10**9))
    turns = Turns(book, working, rate, make=begun, new_id=lambda: next(names))
    working.start()
    (folder / f"up-{name}").touch()
    beaten = 0.0
    while not (folder / "stop").exists():
        if time.monotonic() - beaten >= engine.BEAT_S:
            beaten = time.monotonic()
            working.beat()
        room = turns.room()
        if room > 0:
            turns.begin(room)
        time.sleep(TICK_S)
    working.stop()
    records.close()


if __name__ == "__main__":
    url, name, folder, rate, lines, talk_s, silent_s = sys.argv[1:]
    main(url, name, Path(folder), int(rate), int(lines), float(talk_s), float(silent_s))

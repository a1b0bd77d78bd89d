"""A process with a durable engine of its own: ``python -m tests.outbound.executor URL ID FOLDER [hang]``.

Its carrier is a file of rings that outlives it. With ``hang`` it stops for ever at a step that the number dialled says,
so that it can be killed there; without, it takes over what it finds and ends when everything is settled.
"""

import sys
import time
from pathlib import Path

import sqlalchemy as sa

from phone_bridge.legs.twilio.rest import Placing
from phone_bridge.outbound import attempt, dialler, engine
from phone_bridge.outbound.book import Attempt, Book
from phone_bridge.outbound.carrier import Placed
from phone_bridge.outbound.dialler import Dialler, Line
from phone_bridge.outbound.engine import Engine, Limits
from phone_bridge.outbound.policy import Outcome
from phone_bridge.runtime.record import Records

NOT_SUBMITTED, BEFORE, TAKEN, WAITING, SETTLING = range(5)
LINE = Line(base_url="https://bridge.test", ring_s=30, limit_s=60, prefixes=("+1",))
PATIENCE_S = 40.0


class Files:
    """A carrier that keeps its calls in ``folder``."""

    def __init__(self, folder: Path, hang: bool) -> None:
        self._rings = folder / "rings"
        self._folder = folder
        self._hang = hang

    def place(self, placing: Placing) -> Placed:
        self.stop_at(BEFORE, placing.to)
        with self._rings.open("a") as file:
            file.write(placing.to + "\n")
        self.stop_at(TAKEN, placing.to)
        return Placed("CA" + placing.to, "queued")

    def look(self, carrier_id: str) -> Placed:
        return Placed(carrier_id, "ringing" if self._hang else "completed")

    def find(self, to: str, from_: str, since_s: int) -> list[Placed]:
        known = self._rings.read_text().split() if self._rings.exists() else []
        return [Placed("CA" + to, "ringing")] if to in known else []

    def stop_at(self, step: int, to: str) -> None:
        """Be killed here, if that is what the number says."""
        if self._hang and int(to[-1]) == step:
            (self._folder / f"at-{step}").touch()
            time.sleep(3_600)


def remembered(records: Records, prefix: str) -> int:
    """Count the rows that the library keeps of the attempts whose ids begin so."""
    where = "dbos." if records.engine.dialect.name == "postgresql" else ""
    count = "SELECT count(*) FROM {}{} WHERE workflow_uuid LIKE :prefix"
    with records.transaction() as connection:
        return sum(
            connection.execute(sa.text(count.format(where, table)), {"prefix": f"{prefix}%"}).scalar_one()
            for table in ("workflow_status", "operation_outputs")
        )


def main(url: str, id: str, folder: Path, *, hang: bool) -> None:
    """Work until everything is settled, or until we are killed."""
    for module in (attempt, dialler):
        vars(module)["ASK_AFTER_S"] = 0.2  # what is waited for in earnest is tested in virtual time
    engine.LOOK_S, engine.SILENT_S, engine.POLL_S = 0.5, 1.0, 0.1
    records = Records(url)
    book = Book(records)
    carrier = Files(folder, hang)

    def posted(done: Attempt, _: Outcome) -> None:
        carrier.stop_at(SETTLING, done.to_number or "")

    working = Engine(url, id, book, Dialler(book, carrier, LINE, posted=posted), Limits(50, 20))
    working.start()
    (folder / f"up-{id}").touch()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        working.beat()
        for call_id in book.unsubmitted(20):
            known = book.find(call_id)
            if hang and known is not None and int((known.to_number or "")[-1]) == NOT_SUBMITTED:
                continue
            working.submit(call_id)
            book.note(call_id, submitted_at=int(time.time()))
        if hang:
            settled = book.find(f"{folder.name}-{SETTLING}")
            if settled is not None and settled.stage == "placed" and settled.told is None:
                book.note(settled.call_id, told="completed")
        if not hang and not book.unsettled():
            break
        time.sleep(0.1)
    while not hang and time.monotonic() < until and remembered(records, folder.name):
        working.clean(-1.0)
        time.sleep(0.1)  # until the last of them is over for the library, too
    working.stop()
    records.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), hang=len(sys.argv) > 4)

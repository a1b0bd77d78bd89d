"""A book, a carrier in the test's hands, and a clock that stands still: attempts in virtual time."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from phone_bridge.errors import BridgeError, Refused, Unavailable
from phone_bridge.legs.twilio.rest import Placing
from phone_bridge.outbound.book import Attempt, Book, Plan
from phone_bridge.outbound.carrier import Placed
from phone_bridge.outbound.dialler import Dialler, Line
from phone_bridge.outbound.engine import LOOK_S, Steps, live
from phone_bridge.outbound.policy import Outcome, Policy
from phone_bridge.outbound.reminders import Reminder, ReminderBody, make
from phone_bridge.runtime.record import CallRecord, Records, timestamp

TO, FROM = "+12025550143", "+12025550100"
NOON = 1_795_521_600  # 2026-11-24T12:00:00Z
LINE = Line(base_url="https://bridge.test", ring_s=30, limit_s=3_600, prefixes=("+1",))


class Killed(BaseException):
    """The process dies here, as by ``kill -9``."""


def _later(work: Callable[..., Any]) -> Callable[..., Any]:
    async def wait(*arguments: Any) -> Any:
        return work(*arguments)

    return wait


class Exchange:
    """A carrier: what it has taken, and what it does with the next request (raise it, or take it and then raise)."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[Placing, str]] = {}
        self.rings: list[str] = []
        self.before: list[BaseException | None] = []
        self.after: list[BaseException | None] = []
        self.deaf = 0  # how often it cannot be asked
        self.hidden = 0  # how often a call that was taken is not in its list yet

    def place(self, placing: Placing) -> Placed:
        _raise(self.before)
        carrier_id = f"CA{len(self.calls)}"
        self.calls[carrier_id] = (placing, "queued")
        self.rings.append(placing.to)
        _raise(self.after)
        return Placed(carrier_id, "queued")

    def look(self, carrier_id: str) -> Placed:
        self._ask()
        if carrier_id not in self.calls:
            raise Refused("gone", code="call_gone")
        return Placed(carrier_id, self.calls[carrier_id][1])

    def find(self, to: str, from_: str, since_s: int) -> list[Placed]:
        self._ask()
        if self.hidden:
            self.hidden -= 1
            return []
        found = [(name, status) for name, (placing, status) in self.calls.items() if placing.to == to]
        return [Placed(*each) for each in reversed(found)]

    def end(self, status: str) -> None:
        """Bring every call to its end."""
        self.calls = {name: (placing, status) for name, (placing, _) in self.calls.items()}

    def _ask(self) -> None:
        if self.deaf:
            self.deaf -= 1
            raise Unavailable("it cannot be asked", code="carrier_unsure")


def _raise(errors: list[BaseException | None]) -> None:
    error = errors.pop(0) if errors else None
    if error is not None:
        raise error


class Fragile(Records):
    """Records whose process dies at the transaction ``dies_at``, before it is written or (``after``) just then."""

    dies_at = -1
    after = False
    transactions = 0

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        self.transactions += 1
        dying = self.transactions == self.dies_at
        if dying and not self.after:
            raise Killed
        with super().transaction() as connection:
            yield connection
        if dying:
            raise Killed


class Stage:
    """One deployment, in virtual time."""

    def __init__(self, folder: Path, line: Line = LINE) -> None:
        self.now = float(NOON)
        self.drowsy = 0.0  # how long the process sleeps between its next looks at the clock
        self._ticks = 0.0
        self.records = Fragile(f"sqlite:///{folder}/bridge.db")
        self.book = Book(self.records)
        self.exchange = Exchange()
        self.posted: list[Outcome] = []
        self.dialler = Dialler(
            self.book,
            self.exchange,
            line,
            wall=lambda: self.now,
            clock=self._tick,
            posted=lambda attempt, outcome: self.posted.append(outcome),
        )
        self._numbers = count(1)

    def attempt(self, to: str = TO, *, user_id: str = "usr_1", reminder_id: str | None = None) -> str:
        attempt = Attempt(
            call_id=f"call_{next(self._numbers)}",
            user_id=user_id,
            to_number=to,
            from_number=FROM,
            plan=msgspec.to_builtins(Plan(text="Hello.", message="Hello.")),
            reminder_id=reminder_id,
            created_at=int(self.now),
        )
        return self.book.add(attempt, self.row_of(attempt, self.now))

    def reminder(self, campaign: str | None = None, **policy: Any) -> str:
        """Keep a reminder that is due now, and begin its attempt."""
        now = datetime.fromtimestamp(self.now, UTC)
        wish = ReminderBody(
            to=TO, text="x", at=now.isoformat(), timezone="UTC", policy=Policy(**policy), campaign=campaign
        )
        self.book.remind(make(wish, id="rem_1", user_id="usr_1", timezone="", now=now), int(self.now))
        begun = f"call_{next(self._numbers)}"
        assert self.book.claim(now, 1, lambda: begun, self.begun) == 1
        return begun

    def begun(self, reminder: Reminder) -> tuple[Attempt, dict[str, Any]]:
        """Make the attempt that a reminder begins."""
        attempt = Attempt(
            call_id=reminder.call_id or "",
            user_id=reminder.user_id,
            to_number=reminder.wish.to,
            from_number=FROM,
            plan=msgspec.to_builtins(Plan(text=reminder.wish.text)),
            reminder_id=reminder.id,
            created_at=int(self.now),
        )
        return attempt, self.row_of(attempt, self.now)

    @staticmethod
    def row_of(attempt: Attempt, now: float) -> dict[str, Any]:
        """Make the record of an attempt's call."""
        record = CallRecord(
            id=attempt.call_id,
            carrier_id="",
            direction="outbound",
            from_number=attempt.from_number,
            to_number=attempt.to_number,
            user_id=attempt.user_id,
            session="embedded",
            status="queued",
            started_at=timestamp(lambda: now),
        )
        return {field: getattr(record, field) for field in CallRecord.__struct_fields__}

    def live(self, call_id: str, end: str = "") -> None:
        """Live through an attempt as the engine does, in no time; no callback comes, and the call ends as ``end``."""
        asyncio.run(
            live(
                Steps(
                    dial=_later(self.dialler.dial),
                    over=_later(lambda call_id, ask: self.dialler.over(call_id, ask=ask)),
                    settle=_later(lambda call_id, last: self.dialler.settle(call_id, last=last)),
                    sleep=_later(self.pass_time),
                    hear=_later(lambda: self._hear_nothing(end)),
                ),
                call_id,
            )
        )

    def _tick(self) -> float:
        self._ticks += self.drowsy
        return self._ticks

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def _hear_nothing(self, end: str) -> bool:
        self.pass_time(LOOK_S)
        if end:
            self.exchange.end(end)
        return False

    def status(self, call_id: str) -> str:
        record = self.records.find(call_id)
        assert record is not None
        return record.status

    def kept(self, call_id: str) -> Attempt:
        attempt = self.book.find(call_id)
        assert attempt is not None
        return attempt


def unsure() -> BridgeError:
    return Unavailable("nobody knows", code="carrier_unsure")


def unreachable() -> BridgeError:
    return Unavailable("no connection", code="carrier_unreachable")

"""What is kept of outbound calls and reminders: who is to be rung, what was begun, who must not be rung.

Every method blocks, and raises Unavailable while the database is gone. Each step that must happen once is a change
that only one process can make, so that none of them needs to know of the others.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from phone_bridge.errors import Refused
from phone_bridge.outbound.attempt import STEPS, Stage, before, stepped
from phone_bridge.outbound.campaign import RUNNING, Figures
from phone_bridge.outbound.reminders import Reminder, ReminderBody, Try, begin
from phone_bridge.outbound.tables import (
    ATTEMPTS,
    CAMPAIGNS,
    DELIVERIES,
    DO_NOT_CALL,
    HEARTBEATS,
    IDEMPOTENCY,
    IN_CAMPAIGN,
    METADATA,
    REMINDERS,
)
from phone_bridge.runtime import database
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.tables import CALLS

PAGE = 100
"""Reminders in one listing."""
FAIR_S = 60
"""How far back it counts who has had a turn: longer than a round of turns takes."""
IDEMPOTENCY_S = 86_400
"""How long an Idempotency-Key is remembered."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is said and done in an outbound call; ``errand`` True asks for the keys of a reminder after ``text``.

    ``message`` is left on a voicemail, ``about`` answers whoever screens the call, ``digits`` are pressed when it is
    answered; ``user_id`` is whose it is.
    """

    text: str = ""
    message: str = ""
    about: str = ""
    errand: bool = False
    digits: str = ""


class Attempt(msgspec.Struct, kw_only=True):
    """An attempt that is kept; see ``tables.ATTEMPTS``."""

    call_id: str
    user_id: str
    to_number: str | None
    from_number: str | None
    plan: dict[str, Any]
    reminder_id: str | None = None
    stage: str = "waiting"
    created_at: int
    submitted_at: int | None = None
    dialled_at: int | None = None
    dials: int = 0
    asks: int = 0
    not_before: int | None = None
    carrier_id: str | None = None
    answered_by: str | None = None
    told: str | None = None
    error: str | None = None
    settled_at: int | None = None

    @property
    def what(self) -> Plan:
        """What is said and done in it."""
        return msgspec.convert(self.plan, Plan)


class Barred(msgspec.Struct, frozen=True):
    """A number that must not be called; ``call_id`` is the call in which that was asked for, if it was one."""

    number: str
    since: int
    call_id: str | None


Maker = Callable[[Reminder], tuple[Attempt, dict[str, Any]]]
"""Makes the attempt that a reminder begins, and the row of its call."""


class Promise(msgspec.Struct, frozen=True):
    """A request that must have one answer only: the ``key`` of its sender, and the request itself."""

    scope: str
    key: str
    body: bytes

    @property
    def digest(self) -> str:
        """Tell this request from another with the same key."""
        return hashlib.sha256(self.body).hexdigest()


class Book:
    """The tables of outbound calls beside those of ``records``."""

    def __init__(self, records: Records) -> None:
        self._records = records
        records.create(METADATA)

    # Idempotency

    def promised(self, promise: Promise | None) -> str | None:
        """Find what the same request has made before; raises Refused ``idempotency_key_reused`` for another one."""
        if promise is None:
            return None
        query = sa.select(IDEMPOTENCY).where(IDEMPOTENCY.c.scope == promise.scope, IDEMPOTENCY.c.key == promise.key)
        with self._records.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if row.digest != promise.digest:
            raise Refused("The Idempotency-Key was used for another request.", code="idempotency_key_reused")
        return str(row.made)

    def _keep(self, connection: sa.Connection, promise: Promise | None, made: str, now: int) -> None:
        if promise is not None:
            connection.execute(sa.delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at < now - IDEMPOTENCY_S))
            row = {"scope": promise.scope, "key": promise.key, "digest": promise.digest, "made": made}
            connection.execute(sa.insert(IDEMPOTENCY).values(**row, created_at=now))

    # Attempts

    def add(self, attempt: Attempt, record: dict[str, Any], promise: Promise | None = None) -> str:
        """Keep a new attempt and the record of its call; gives the call's id, an earlier one for the same promise."""
        try:
            with self._records.transaction() as connection:
                self._keep(connection, promise, attempt.call_id, attempt.created_at)
                self._insert(connection, attempt, record)
        except IntegrityError:
            return self.promised(promise) or attempt.call_id
        return attempt.call_id

    def _insert(self, connection: sa.Connection, attempt: Attempt, record: dict[str, Any]) -> None:
        connection.execute(sa.insert(CALLS).values(**record))
        connection.execute(sa.insert(ATTEMPTS).values(**msgspec.structs.asdict(attempt)))

    def find(self, call_id: str) -> Attempt | None:
        """Find the attempt of a call."""
        return self._one(ATTEMPTS.c.call_id == call_id)

    def known_carrier_ids(self, ids: Iterable[str]) -> frozenset[str]:
        """Tell which of the carrier's calls belong to attempts of ours already."""
        query = sa.select(ATTEMPTS.c.carrier_id).where(ATTEMPTS.c.carrier_id.in_(list(ids)))
        with self._records.transaction() as connection:
            return frozenset(connection.execute(query).scalars())

    def step(self, call_id: str, step: str, **values: Any) -> bool:
        """Take an attempt one step on, with ``values``; False where it is not where that step begins."""
        froms = [stage for stage in Stage if _can(stage, step)]
        change = (
            sa.update(ATTEMPTS)
            .where(ATTEMPTS.c.call_id == call_id, ATTEMPTS.c.stage.in_(froms))
            .values(stage=stepped(froms[0], step), **values)
        )
        with self._records.transaction() as connection:
            return connection.execute(change).rowcount == 1

    def note(self, call_id: str, **values: Any) -> None:
        """Write something about an attempt down."""
        with self._records.transaction() as connection:
            connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.call_id == call_id).values(**values))

    def claim_carrier(self, call_id: str, carrier_id: str) -> bool:
        """Bind the carrier's call to an attempt that is under way; False where another one is bound to it already."""
        with self._records.transaction() as connection:
            free = ATTEMPTS.c.carrier_id.is_(None) | (ATTEMPTS.c.carrier_id == carrier_id)
            live = ATTEMPTS.c.stage.in_([Stage.DIALLING, Stage.PLACED])
            bind = sa.update(ATTEMPTS).where(ATTEMPTS.c.call_id == call_id, free, live)
            bound = connection.execute(bind.values(carrier_id=carrier_id, stage=Stage.PLACED)).rowcount == 1
            if bound:
                connection.execute(sa.update(CALLS).where(CALLS.c.id == call_id).values(carrier_id=carrier_id))
        return bound

    def unsubmitted(self, limit: int, now: int = 0) -> list[str]:
        """List attempts that were not handed to the engine yet, in fair turns between users, first due first."""
        last = _last_turns(now)
        due = sa.func.coalesce(REMINDERS.c.due, ATTEMPTS.c.created_at).label("due")
        own = [due, ATTEMPTS.c.reminder_id, ATTEMPTS.c.call_id]
        turn = sa.func.row_number().over(partition_by=ATTEMPTS.c.user_id, order_by=own).label("turn")
        both = ATTEMPTS.outerjoin(REMINDERS, ATTEMPTS.c.reminder_id == REMINDERS.c.id)
        mine = [ATTEMPTS.c.call_id, ATTEMPTS.c.user_id]
        each = sa.select(*mine, due, turn).select_from(both).where(WAITING_ONES).subquery()
        query = sa.select(each.c.call_id).outerjoin(last, each.c.user_id == last.c.user_id)
        query = query.order_by(each.c.turn, sa.func.coalesce(last.c.at, 0), each.c.due, each.c.call_id).limit(limit)
        with self._records.transaction() as connection:
            return list(connection.execute(query).scalars())

    def queued(self) -> int:
        """Count the attempts that the engine has and has not dialled yet."""
        query = sa.select(sa.func.count()).where(
            ATTEMPTS.c.settled_at.is_(None), ATTEMPTS.c.stage == Stage.WAITING, ATTEMPTS.c.submitted_at.is_not(None)
        )
        with self._records.transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def unsettled(self) -> int:
        """Count the attempts of which nobody has written yet what came of them."""
        query = sa.select(sa.func.count()).where(ATTEMPTS.c.settled_at.is_(None))
        with self._records.transaction() as connection:
            return int(connection.execute(query).scalar_one())

    # How calls stand

    def tell(self, call_id: str, status: str, at: str) -> bool:
        """Move the record of a call to ``status``, at the time ``at``; False where it is further already."""
        values: dict[str, Any] = {"status": status}
        if status == "in_progress":
            values["answered_at"] = sa.func.coalesce(CALLS.c.answered_at, at)
        elif status not in ("queued", "ringing"):
            values["ended_at"] = sa.func.coalesce(CALLS.c.ended_at, at)
        change = sa.update(CALLS).where(CALLS.c.id == call_id, CALLS.c.status.in_(before(status))).values(**values)
        with self._records.transaction() as connection:
            return connection.execute(change).rowcount == 1

    def close(self, call_id: str, status: str, at: str, error: str | None, answered_by: str | None) -> None:
        """Write how a call ended, whatever the record says of it; who ended it stays as it is known."""
        values: dict[str, Any] = {
            "status": status,
            "ended_at": sa.func.coalesce(CALLS.c.ended_at, at),
            "ended_by": sa.func.coalesce(CALLS.c.ended_by, "carrier" if status != "completed" else "caller"),
            "answered_by": answered_by,
        }
        if error:
            values["error"] = sa.func.coalesce(CALLS.c.error, error)
        with self._records.transaction() as connection:
            connection.execute(sa.update(CALLS).where(CALLS.c.id == call_id).values(**values))

    def record(self, call_id: str) -> CallRecord | None:
        """Find the record of a call."""
        return self._records.find(call_id)

    # Reminders

    def remind(self, reminder: Reminder, now: int, promise: Promise | None = None) -> str:
        """Keep a new reminder; gives its id, or that of an earlier one for the same promise."""
        try:
            with self._records.transaction() as connection:
                self._keep(connection, promise, reminder.id, now)
                connection.execute(sa.insert(REMINDERS).values(**_row(reminder)))
        except IntegrityError:
            return self.promised(promise) or reminder.id
        return reminder.id

    def reminder(self, id: str) -> Reminder | None:
        """Find a reminder."""
        found = self._reminders(sa.select(REMINDERS).where(REMINDERS.c.id == id))
        return found[0] if found else None

    def reminders(self, status: str | None = None, limit: int = PAGE) -> list[Reminder]:
        """List reminders, newest first."""
        query = sa.select(REMINDERS).order_by(REMINDERS.c.created_at.desc(), REMINDERS.c.id).limit(limit)
        return self._reminders(query.where(REMINDERS.c.status == status) if status else query)

    def change(self, id: str, change: Callable[[Reminder], Any]) -> Reminder | None:
        """Change a reminder while nobody else can; None where there is none. What ``change`` raises undoes it."""
        with self._records.transaction() as connection:
            reminder = _locked(connection, id)
            if reminder is not None:
                change(reminder)
                _put(connection, reminder)
        return reminder

    def claim(self, now: datetime, limit: int, new_id: Callable[[], str], make: Maker) -> int:
        """Begin the attempts that are due, in fair turns between users; gives how many were.

        Whoever has waited longest since their last turn comes first, so that nobody waits behind another's many.
        ``new_id`` names their calls, ``make`` makes the attempt and its call's record. A number that
        must not be called is not: its reminder ends.
        """
        second = int(now.timestamp())
        own = [REMINDERS.c.next_at, REMINDERS.c.created_at, REMINDERS.c.id]
        turn = sa.func.row_number().over(partition_by=REMINDERS.c.user_id, order_by=own).label("turn")
        mine, last = [REMINDERS.c.id, REMINDERS.c.user_id, REMINDERS.c.next_at], _last_turns(second)
        resting = sa.select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state != RUNNING)
        wanted = sa.or_(REMINDERS.c.campaign.is_(None), REMINDERS.c.campaign.not_in(resting))
        each = sa.select(*mine, turn).where(REMINDERS.c.next_at <= second, wanted).subquery()
        query = sa.select(each.c.id).outerjoin(last, each.c.user_id == last.c.user_id)
        query = query.order_by(each.c.turn, sa.func.coalesce(last.c.at, 0), each.c.next_at, each.c.id).limit(limit)
        with self._records.transaction() as connection:
            due = list(connection.execute(query).scalars())
        return sum(self._begin(each, now, new_id, make) for each in due)

    def _begin(self, id: str, now: datetime, new_id: Callable[[], str], make: Maker) -> bool:
        with self._records.transaction() as connection:
            reminder = _locked(connection, id)
            if reminder is None or reminder.next_at is None or reminder.next_at > now:
                return False
            if connection.execute(_barred(reminder.wish.to)).first() is not None:
                reminder.status, reminder.next_at, reminder.outcome = "failed", None, "do_not_call"
                _put(connection, reminder)
                return False
            began = begin(reminder, new_id(), now)
            if began:
                self._insert(connection, *make(reminder))
            _put(connection, reminder)
        return began

    def of_events(self, limit: int, after: str = "") -> list[Reminder]:
        """List the reminders that go with an event and are still to ring, by their ids, from the one ``after`` on."""
        query = sa.select(REMINDERS).where(EVENT_ONES, REMINDERS.c.id > after)
        return self._reminders(query.order_by(REMINDERS.c.id).limit(limit))

    def of_events_due(self, now: int, limit: int) -> list[Reminder]:
        """List those of them that are due, the first ones first."""
        query = sa.select(REMINDERS).where(EVENT_ONES, REMINDERS.c.next_at <= now)
        return self._reminders(query.order_by(REMINDERS.c.next_at).limit(limit))

    def forget(self, before: int) -> None:
        """Forget what was said, and whose numbers were dialled, in what was over by then; the verdicts stay.

        Who asked not to be called is remembered: that is what they asked for.
        """
        with self._records.transaction() as connection:
            old = REMINDERS.c.status.in_(["done", "cancelled", "failed"])
            connection.execute(sa.delete(REMINDERS).where(old, REMINDERS.c.due < before))
            begun = sa.select(REMINDERS.c.campaign).where(IN_CAMPAIGN)
            connection.execute(
                sa.delete(CAMPAIGNS).where(CAMPAIGNS.c.created_at < before, CAMPAIGNS.c.id.not_in(begun))
            )
            over = sa.update(ATTEMPTS).where(ATTEMPTS.c.settled_at < before, ATTEMPTS.c.to_number.is_not(None))
            connection.execute(over.values(to_number=None, from_number=None, plan={}))
            connection.execute(sa.delete(DELIVERIES).where(DELIVERIES.c.created_at < before))

    # Campaigns

    def campaign(self, id: str, *, name: str, total: int, state: str, now: int) -> None:
        """Keep a campaign, new or again."""
        with self._records.transaction() as connection:
            row = {"name": name, "total": total, "state": state}
            new = database.insert(connection, CAMPAIGNS).values(id=id, created_at=now, **row)
            connection.execute(new.on_conflict_do_update(index_elements=[CAMPAIGNS.c.id], set_=row))

    def campaigns(self, id: str | None = None, limit: int = PAGE) -> list[Figures]:
        """List campaigns with their figures, newest first; that one alone where ``id`` is given."""
        query = sa.select(CAMPAIGNS).order_by(CAMPAIGNS.c.created_at.desc(), CAMPAIGNS.c.id).limit(limit)
        with self._records.transaction() as connection:
            rows = connection.execute(query if id is None else query.where(CAMPAIGNS.c.id == id)).all()
            kinds = (REMINDERS.c.campaign, REMINDERS.c.status, REMINDERS.c.outcome)
            counts = sa.select(*kinds, sa.func.count().label("count")).group_by(*kinds)
            found = connection.execute(counts.where(REMINDERS.c.campaign.in_([row.id for row in rows]))).all()
        return [_figures(row, [each for each in found if each.campaign == row.id]) for row in rows]

    def rests(self, id: str) -> bool:
        """Tell whether a campaign is known, and not running."""
        query = sa.select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.id == id, CAMPAIGNS.c.state != RUNNING)
        with self._records.transaction() as connection:
            return connection.execute(query).first() is not None

    # Who must not be called

    def bar(self, number: str, now: int, call_id: str | None = None) -> None:
        """Never call ``number`` again."""
        with self._records.transaction() as connection:
            barred = database.insert(connection, DO_NOT_CALL).values(number=number, since=now, call_id=call_id)
            connection.execute(barred.on_conflict_do_nothing())

    def allow(self, number: str) -> bool:
        """Take a number from the list; False where it is not on it."""
        with self._records.transaction() as connection:
            return connection.execute(sa.delete(DO_NOT_CALL).where(DO_NOT_CALL.c.number == number)).rowcount == 1

    def barred(self, limit: int = PAGE) -> list[Barred]:
        """List the numbers that must not be called, the newest first."""
        query = sa.select(DO_NOT_CALL).order_by(DO_NOT_CALL.c.since.desc(), DO_NOT_CALL.c.number).limit(limit)
        with self._records.transaction() as connection:
            return [Barred(row.number, row.since, row.call_id) for row in connection.execute(query)]

    def is_barred(self, number: str) -> bool:
        """Tell whether ``number`` must not be called."""
        with self._records.transaction() as connection:
            return connection.execute(_barred(number)).first() is not None

    # Executors

    def beat(self, id: str) -> None:
        """Show that the executor ``id`` lives, by the database's own clock."""
        with self._records.transaction() as connection:
            seen = _clock(connection)
            beat = database.insert(connection, HEARTBEATS).values(id=id, seen_at=seen)
            connection.execute(beat.on_conflict_do_update(index_elements=[HEARTBEATS.c.id], set_={"seen_at": seen}))

    def silent(self, seconds: float) -> list[str]:
        """List the executors that have not shown themselves for so long."""
        with self._records.transaction() as connection:
            query = sa.select(HEARTBEATS.c.id).where(HEARTBEATS.c.seen_at < _clock(connection) - seconds)
            return list(connection.execute(query).scalars())

    def bury(self, id: str, seconds: float) -> None:
        """Forget an executor whose work was taken over, unless it has come back."""
        with self._records.transaction() as connection:
            old = HEARTBEATS.c.seen_at < _clock(connection) - seconds
            connection.execute(sa.delete(HEARTBEATS).where(HEARTBEATS.c.id == id, old))

    def leave(self, id: str) -> None:
        """Make known that an executor stops now, so that its work is taken over at the next beat."""
        with self._records.transaction() as connection:
            connection.execute(sa.update(HEARTBEATS).where(HEARTBEATS.c.id == id).values(seen_at=0.0))

    # Deliveries

    def post(self, id: str, body: str, now: int) -> None:
        """Have a webhook delivered; the same ``id`` is delivered once."""
        with self._records.transaction() as connection:
            new = database.insert(connection, DELIVERIES).values(id=id, body=body, next_at=now, created_at=now)
            connection.execute(new.on_conflict_do_nothing())

    def due_deliveries(self, now: int, again_at: int, limit: int) -> list[tuple[str, str, int]]:
        """Take deliveries that are due; they are due again at ``again_at`` if this process does not end them."""
        with self._records.transaction() as connection:
            query = sa.select(DELIVERIES.c.id, DELIVERIES.c.body, DELIVERIES.c.tries)
            query = query.where(DELIVERIES.c.next_at <= now).order_by(DELIVERIES.c.next_at).limit(limit)
            rows = connection.execute(query.with_for_update(skip_locked=True)).all()
            ids = [row.id for row in rows]
            taken = sa.update(DELIVERIES).where(DELIVERIES.c.id.in_(ids))
            connection.execute(taken.values(next_at=again_at, tries=DELIVERIES.c.tries + 1))
        return [(row.id, row.body, row.tries + 1) for row in rows]

    def delivered(self, id: str, next_at: int | None) -> None:
        """Note that a delivery was taken, or given up (None), or when it is tried again."""
        with self._records.transaction() as connection:
            connection.execute(sa.update(DELIVERIES).where(DELIVERIES.c.id == id).values(next_at=next_at))

    def _one(self, condition: sa.ColumnElement[bool]) -> Attempt | None:
        with self._records.transaction() as connection:
            row = connection.execute(sa.select(ATTEMPTS).where(condition).limit(1)).first()
        return Attempt(**row._mapping) if row is not None else None

    def _reminders(self, query: sa.Select[Any]) -> list[Reminder]:
        with self._records.transaction() as connection:
            return [_reminder(row) for row in connection.execute(query)]


WAITING_ONES = sa.and_(ATTEMPTS.c.submitted_at.is_(None), ATTEMPTS.c.stage == Stage.WAITING)
EVENT_ONES = sa.and_(REMINDERS.c.event_id.is_not(None), REMINDERS.c.next_at.is_not(None))


def _last_turns(now: int) -> sa.Subquery:
    """Say when each user has had a turn last, of those who had one a short while ago."""
    recent = sa.select(ATTEMPTS.c.user_id, sa.func.max(ATTEMPTS.c.submitted_at).label("at"))
    return recent.where(ATTEMPTS.c.submitted_at >= now - FAIR_S).group_by(ATTEMPTS.c.user_id).subquery()


def _figures(row: sa.Row[Any], counts: Sequence[sa.Row[Any]]) -> Figures:
    live = {state: sum(each[-1] for each in counts if each.status == state) for state in ("scheduled", "calling")}
    outcomes: dict[str, int] = {}
    for each in counts:
        if each.status not in live:
            outcomes[str(each.outcome)] = outcomes.get(str(each.outcome), 0) + int(each[-1])
    return Figures(**row._mapping, **live, outcomes=dict(sorted(outcomes.items())))


def _can(stage: Stage, step: str) -> bool:
    return (stage, step) in STEPS


def _clock(connection: sa.Connection) -> Any:
    """Give the database's own clock, so that those of the machines need not agree."""
    if connection.dialect.name == "postgresql":
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float)
    return (sa.func.julianday("now") - 2_440_587.5) * 86_400.0


def _barred(number: str) -> sa.Select[Any]:
    return sa.select(DO_NOT_CALL.c.number).where(DO_NOT_CALL.c.number == number)


def _locked(connection: sa.Connection, id: str) -> Reminder | None:
    if connection.dialect.name == "sqlite":  # its lock is that of a writer; a read alone would take none
        connection.execute(sa.update(REMINDERS).where(REMINDERS.c.id == id).values(id=id))
    row = connection.execute(sa.select(REMINDERS).where(REMINDERS.c.id == id).with_for_update()).first()
    return _reminder(row) if row is not None else None


def _put(connection: sa.Connection, reminder: Reminder) -> None:
    row = _row(reminder)
    connection.execute(sa.update(REMINDERS).where(REMINDERS.c.id == reminder.id).values(**row))


def _kept(wish: ReminderBody) -> dict[str, Any]:
    """Write a wish without what goes without saying, so that a version that does not know a field yet can read it."""
    told = {name: value for name, value in msgspec.to_builtins(wish).items() if value != _PLAIN.get(name)}
    policy = msgspec.to_builtins(wish.policy)
    told["policy"] = {name: value for name, value in policy.items() if value != _PLAIN["policy"][name]}
    return told


_PLAIN: dict[str, Any] = msgspec.to_builtins(ReminderBody(to="+10000000", text=""))


def _row(reminder: Reminder) -> dict[str, Any]:
    return {
        "id": reminder.id,
        "user_id": reminder.user_id,
        "wish": _kept(reminder.wish),
        "timezone": reminder.timezone,
        "status": reminder.status,
        "due": int(reminder.due.timestamp()),
        "next_at": _second(reminder.next_at),
        "attempts": reminder.attempts,
        "occurrence": reminder.occurrence,
        "call_id": reminder.call_id,
        "outcome": reminder.outcome,
        "history": msgspec.to_builtins(reminder.history),
        "event_id": reminder.wish.event_id,
        "campaign": reminder.wish.campaign,
        "created_at": int(reminder.created_at.timestamp()),
    }


def _reminder(row: Sequence[Any]) -> Reminder:
    fields = dict(row._mapping)  # type: ignore[attr-defined]  # a row of SQLAlchemy's
    del fields["event_id"], fields["campaign"]
    wish = msgspec.convert(fields.pop("wish"), ReminderBody)
    history = msgspec.convert(fields.pop("history"), list[Try])
    for name in ("due", "next_at", "created_at"):
        fields[name] = _moment(fields[name])
    return Reminder(wish=wish, history=history, **fields)


def _second(at: datetime | None) -> int | None:
    return int(at.timestamp()) if at is not None else None


def _moment(second: int | None) -> datetime | None:
    return datetime.fromtimestamp(second, UTC) if second is not None else None

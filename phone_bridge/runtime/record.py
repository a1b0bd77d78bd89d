"""What is kept of every call: the record that ``GET /v1/calls/{id}`` shows, in a database.

The same tables serve SQLite and PostgreSQL. Methods of ``Records`` block and are called in a thread.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from phone_bridge.call.past import Past
from phone_bridge.call.trace import Asked, Said, Trace
from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.runtime import database, retention
from phone_bridge.runtime.tables import ADMISSIONS, CALLS, METADATA, SECRETS

PAGE = 100  # calls in one listing
SECRET_BYTES = 32


class CallRecord(msgspec.Struct, kw_only=True):
    """One call as its outside sees it; times are ISO 8601 in UTC.

    ``resumed`` counts how often the call came back after a fault or a transfer, ``voicemail`` is where the carrier
    keeps what the caller left on it, ``voicemail_seconds`` and ``voicemail_text`` how long that is and what was said,
    ``recording`` what became of the call's own, ``timeline`` what a call that is over looked like (null in lists),
    ``usage`` what a function-calling model cost, in tokens. Of an outbound call, ``answered_by`` is what answered as
    far as the carrier can tell, ``reply`` what the callee wants done about a reminder, and ``metadata`` what its sender
    wishes to find again. ``route`` names the route that it is served by, ``language`` what was chosen in the call for
    the bridge to speak. A call that an IVR handed over goes back to
    ``return_url``, as ``return_route`` allows, with that IVR's own ``return_ref``. ``trust`` is how far it was known
    who the caller is: ``unknown``, ``known``, ``attested``, ``code``, ``pin``, ``pin+code``.
    """

    id: str
    carrier_id: str
    direction: str
    from_number: str | None = msgspec.field(name="from")
    to_number: str | None = msgspec.field(name="to")
    user_id: str
    session: str
    status: str
    started_at: str
    answered_at: str | None = None
    ended_at: str | None = None
    ended_by: str | None = None
    transcript: list[dict[str, Any]] = []
    actions: list[dict[str, Any]] = []
    error: str | None = None
    resumed: int = 0
    voicemail: str | None = None
    recording: dict[str, Any] | None = None
    timeline: dict[str, Any] | None = None
    answered_by: str | None = None
    reply: str | None = None
    reminder_id: str | None = None
    metadata: dict[str, str] | None = None
    usage: dict[str, int] | None = None
    route: str | None = None
    language: str | None = None
    voicemail_seconds: int | None = None
    voicemail_text: str | None = None
    return_url: str | None = None
    return_ref: str | None = None
    return_route: str | None = None
    trust: str | None = None

    def observe(self, trace: Trace) -> None:
        """Take over what the call has left behind so far; what is asked by now comes last, as not answered."""
        self.transcript = [{"at_ms": s.at_ms, "speaker": s.speaker, "text": s.text} for s in trace.transcript]
        self.actions = [
            {
                "id": a.id,
                "name": a.action.name,
                "parameters": a.action.parameters,
                "verdict": a.verdict.value,
                "by": a.by.value,
                "at_ms": a.at_ms,
                "question": a.question,
                "question_ms": a.question_ms,
                "heard_ms": a.heard_ms,
                "answer": a.answer,
                "outcome": a.outcome,
                "trust": a.trust,
                "result": a.result,
            }
            for a in (*trace.actions, *trace.open)
        ]
        self.ended_by = trace.ended_by or None
        self.error = trace.error or None
        self.reply = trace.reply or None
        self.language = trace.language or None
        self.usage = trace.usage() or None
        self.trust = trace.trust or self.trust
        if trace.recording is not None:
            self.recording = msgspec.to_builtins(trace.recording)

    def past(self, now: str) -> Past | None:
        """Give what a later part of the call goes on with, at the time ``now``; None if it was never answered."""
        if self.answered_at is None:
            return None
        age = datetime.fromisoformat(now) - datetime.fromisoformat(self.answered_at)
        return Past(
            ms=max(0, age // timedelta(milliseconds=1)),  # clocks of two machines differ
            transcript=tuple(msgspec.convert(self.transcript, list[Said])),
            actions=tuple(map(_asked, self.actions)),
            usage=self.usage or {},
            language=self.language or "",
        )


def _asked(kept: dict[str, Any]) -> Asked:
    """Read what ``observe`` has written of one action."""
    action = {"name": kept["name"], "parameters": kept["parameters"]}
    return msgspec.convert({**kept, "action": action}, Asked)


_FIELDS = CallRecord.__struct_fields__
_SHOWN = [CALLS.c[name].label(name) for name in _FIELDS]
_KEYS = frozenset({"id", "carrier_id"})  # what a record is found by stays as it is
_LENGTHS = {
    name: column.type.length
    for name, column in CALLS.columns.items()
    if name in _FIELDS and isinstance(column.type, sa.String) and column.type.length and name not in _KEYS
}

Follower = Callable[[sa.Connection, Sequence[CallRecord]], None]
"""Writes what follows from the records that are being saved; what it raises undoes the saving."""

Purger = Callable[[sa.Connection, list[str]], None]
"""Clears what followed from the records of these ids, which are being purged."""


def timestamp(clock: Callable[[], float]) -> str:
    """Write the time of ``clock`` (seconds since 1970) as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Records:
    """Keep the records in the database at ``url`` (``sqlite:///…`` or ``postgresql://…``).

    Every method raises Unavailable while the database is gone, locked or full, after five seconds at most, and works
    again when it is back. ``busy_seconds`` is how long SQLite waits for another writer.
    """

    def __init__(self, url: str, *, busy_seconds: float = database.BUSY_SECONDS) -> None:
        self._followers: list[Follower] = []
        self._purgers: list[Purger] = []
        self.engine = database.engine(url, busy_seconds=busy_seconds)
        try:
            self.create(METADATA)
        except Unavailable as error:
            self.close()
            raise SettingsError(
                "The database at PHONE_BRIDGE_DATABASE_URL cannot be used "
                f"({type(error.__cause__).__name__}): check the URL, and that the server runs and lets us in, "
                "or that the folder exists and may be written"
            ) from error

    def close(self) -> None:
        """Let the database go."""
        self.engine.dispose()

    def create(self, tables: sa.MetaData) -> None:
        """Make those of ``tables``, and their columns, that are missing; raises Unavailable."""
        database.prepare(self.engine, tables)

    def follow(self, follower: Follower, purger: Purger) -> None:
        """Have ``follower`` write what follows from the records that are saved, and ``purger`` clear it again.

        Both work in the transaction that saves or purges the records.
        """
        self._followers.append(follower)
        self._purgers.append(purger)

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction, for tables that stand beside these; raises Unavailable as all methods do."""
        return database.transaction(self.engine)

    def ping(self) -> None:
        """Ask the database for a sign of life; raises Unavailable."""
        with self.transaction() as connection:
            connection.execute(sa.select(1))

    # Calls

    def save(self, record: CallRecord) -> None:
        """Write a call's record, new or again."""
        self.save_all([record])

    def save_all(self, records: Sequence[CallRecord]) -> None:
        """Write the records of some calls, all or none.

        A record that is older than what is kept, because the call came back elsewhere meanwhile, changes nothing.
        """
        try:
            self._save(records)
        except IntegrityError:
            self._save(records)  # another process wrote the same in this moment: now it is there to be seen

    def find(self, id: str) -> CallRecord | None:
        """Find a call by its id."""
        return self._one(CALLS.c.id == id)

    def find_carrier(self, carrier_id: str) -> CallRecord | None:
        """Find the latest call that the carrier knows as ``carrier_id``."""
        return self._one(CALLS.c.carrier_id == carrier_id)

    def newest(self, limit: int = PAGE) -> list[CallRecord]:
        """List calls, newest first."""
        shown = [column for column in _SHOWN if column.name != "timeline"]  # which is long
        query = sa.select(*shown).order_by(CALLS.c.started_at.desc(), CALLS.c.id).limit(min(limit, PAGE))
        with self.transaction() as connection:
            return [CallRecord(**row._mapping) for row in connection.execute(query)]

    # Keys and tokens

    def admit(self, jti: str, expires_at: int, now: int) -> bool:
        """Use up a stream token; False when it was used before. Times are seconds since 1970."""
        with self.transaction() as connection:
            connection.execute(sa.delete(ADMISSIONS).where(ADMISSIONS.c.expires_at < now))
            use = database.insert(connection, ADMISSIONS).values(jti=jti, expires_at=expires_at)
            use = use.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
            return connection.execute(use).rowcount == 1

    def secret(self, kid: str) -> bytes:
        """Give the secret named ``kid``, made at its first use and shared by all processes of this database."""
        query = sa.select(SECRETS.c.secret).where(SECRETS.c.kid == kid)
        with self.transaction() as connection:
            known = connection.execute(query).scalar()
        if known is None:
            with self.transaction() as connection:
                made = database.insert(connection, SECRETS).values(kid=kid, secret=secrets.token_hex(SECRET_BYTES))
                connection.execute(made.on_conflict_do_nothing())  # the quicker process's secret is the one
            with self.transaction() as connection:
                known = connection.execute(query).scalar_one()
        return bytes.fromhex(known)

    # Retention

    def purge(self, before: str) -> int:
        """Clear what was said, asked and dialled in the calls that ended before ``before``, and count those calls.

        Their ids, status, times and verdicts stay. A call that never ended has lost its process: its beginning counts.
        """
        purged = 0
        while batch := self._purge(before):
            purged += batch
        return purged

    def sweep(self, now: float) -> None:
        """Forget used stream tokens and stream secrets that are two days older than ``now`` (seconds since 1970)."""
        with self.transaction() as connection:
            retention.sweep(connection, now)

    def _save(self, records: Sequence[CallRecord]) -> None:
        with self.transaction() as connection:
            new = database.insert(connection, CALLS)
            kept = {"timeline": sa.func.coalesce(new.excluded.timeline, CALLS.c.timeline)}  # which lists leave out
            values = {name: new.excluded[name] for name in _FIELDS} | {"purged_before": None} | kept
            fresh = CALLS.c.resumed <= new.excluded.resumed
            upsert = new.on_conflict_do_update(index_elements=[CALLS.c.id], set_=values, where=fresh)
            connection.execute(upsert, [_row(record) for record in records])
            for follow in self._followers:
                follow(connection, records)

    def _one(self, condition: sa.ColumnElement[bool]) -> CallRecord | None:
        query = sa.select(*_SHOWN).where(condition).order_by(CALLS.c.started_at.desc()).limit(1)
        with self.transaction() as connection:
            row = connection.execute(query).first()
        return CallRecord(**row._mapping) if row is not None else None

    def _purge(self, before: str) -> int:
        with self.transaction() as connection:
            ids = retention.purge(connection, before)
            if ids:
                for clear in self._purgers:
                    clear(connection, ids)
        return len(ids)


def _row(record: CallRecord) -> dict[str, Any]:
    """Make a row that every database takes: what a carrier sends as a name or number may be of any length and kind."""
    row = {name: getattr(record, name) for name in _FIELDS}
    for name, length in _LENGTHS.items():
        if row[name] is not None:
            row[name] = row[name].replace("\0", "\N{REPLACEMENT CHARACTER}")[:length]
    row["transcript"], row["actions"] = msgspec.to_builtins(record.transcript), msgspec.to_builtins(record.actions)
    return row

"""What is kept of every call: the record that ``GET /v1/calls/{id}`` shows, in a database.

The same tables serve SQLite and PostgreSQL. Methods of ``Records`` block and are called in a thread.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from phone_bridge.call.trace import Trace
from phone_bridge.errors import SettingsError, Unavailable

PAGE = 100  # calls in one listing
SECRET_BYTES = 32
BUSY_SECONDS = 5  # how long SQLite waits for another writer

_META = sa.MetaData()

_CALLS = sa.Table(
    "calls",
    _META,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("carrier_id", sa.String(64), nullable=False, index=True),
    sa.Column("direction", sa.String(16), nullable=False),
    sa.Column("from_number", sa.String(256)),
    sa.Column("to_number", sa.String(256)),
    sa.Column("user_id", sa.String(128), nullable=False),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("started_at", sa.String(32), nullable=False, index=True),
    sa.Column("answered_at", sa.String(32)),
    sa.Column("ended_at", sa.String(32)),
    sa.Column("ended_by", sa.String(32)),
    sa.Column("error", sa.String(128)),
    sa.Column("transcript", sa.JSON, nullable=False),
    sa.Column("actions", sa.JSON, nullable=False),
)

_ADMISSIONS = sa.Table(
    "admissions",
    _META,
    sa.Column("jti", sa.String(64), primary_key=True),
    sa.Column("expires_at", sa.Integer, nullable=False),
)

_SECRETS = sa.Table(
    "secrets",
    _META,
    sa.Column("kid", sa.String(64), primary_key=True),
    sa.Column("secret", sa.String(128), nullable=False),
)


class CallRecord(msgspec.Struct, kw_only=True):
    """One call as its outside sees it; times are ISO 8601 in UTC."""

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

    def observe(self, trace: Trace) -> None:
        """Take over what the call has left behind so far."""
        self.transcript = [{"at_ms": s.at_ms, "speaker": s.speaker, "text": s.text} for s in trace.transcript]
        self.actions = [
            {
                "id": a.id,
                "name": a.action.name,
                "parameters": a.action.parameters,
                "verdict": a.verdict.value,
                "by": a.by.value,
                "at_ms": a.at_ms,
                "heard_ms": a.heard_ms,
                "result": a.result,
            }
            for a in trace.actions
        ]
        self.ended_by = trace.ended_by or None
        self.error = trace.error or None


def timestamp(clock: Callable[[], float]) -> str:
    """Write the time of ``clock`` (seconds since 1970) as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Records:
    """Keep the records in the database at ``url`` (``sqlite:///…`` or ``postgresql://…``)."""

    def __init__(self, url: str) -> None:
        try:
            options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}} if url.startswith("sqlite") else {}
            self._engine = sa.create_engine(url, **options)
            if url.startswith("sqlite"):
                sa.event.listen(self._engine, "connect", _write_ahead)
            _META.create_all(self._engine)
        except (SQLAlchemyError, ImportError) as error:
            reason = type(error).__name__
            raise SettingsError(
                f"PHONE_BRIDGE_DATABASE_URL cannot be used ({reason}): check the URL, the folder and its rights"
            ) from error

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def ping(self) -> None:
        """Ask the database for a sign of life; raises Unavailable."""
        with self._transaction() as connection:
            connection.execute(sa.select(1))

    def save(self, record: CallRecord) -> None:
        """Write a call's record, new or again."""
        row = {column: getattr(record, column) for column in _CALLS.columns.keys()}  # noqa: SIM118 - not a dict
        row["transcript"], row["actions"] = msgspec.to_builtins(record.transcript), msgspec.to_builtins(record.actions)
        with self._transaction() as connection:
            changed = connection.execute(sa.update(_CALLS).where(_CALLS.c.id == record.id).values(row))
            if not changed.rowcount:
                connection.execute(sa.insert(_CALLS).values(row))

    def find(self, id: str) -> CallRecord | None:
        """Find a call by its id."""
        return self._one(_CALLS.c.id == id)

    def find_carrier(self, carrier_id: str) -> CallRecord | None:
        """Find the latest call that the carrier knows as ``carrier_id``."""
        return self._one(_CALLS.c.carrier_id == carrier_id)

    def newest(self, limit: int = PAGE) -> list[CallRecord]:
        """List calls, newest first."""
        query = sa.select(_CALLS).order_by(_CALLS.c.started_at.desc(), _CALLS.c.id).limit(min(limit, PAGE))
        with self._transaction() as connection:
            return [CallRecord(**row._mapping) for row in connection.execute(query)]

    def admit(self, jti: str, expires_at: int, now: int) -> bool:
        """Use up a stream token; False when it was used before. Times are seconds since 1970."""
        with self._transaction() as connection:
            connection.execute(sa.delete(_ADMISSIONS).where(_ADMISSIONS.c.expires_at < now))
        try:
            with self._transaction() as connection:
                connection.execute(sa.insert(_ADMISSIONS).values(jti=jti, expires_at=expires_at))
        except IntegrityError:
            return False
        return True

    def secret(self, kid: str) -> bytes:
        """Give the secret named ``kid``, made at its first use and shared by all processes of this database."""
        query = sa.select(_SECRETS.c.secret).where(_SECRETS.c.kid == kid)
        with self._transaction() as connection:
            known = connection.execute(query).scalar()
        if known is None:
            try:
                with self._transaction() as connection:
                    connection.execute(sa.insert(_SECRETS).values(kid=kid, secret=secrets.token_hex(SECRET_BYTES)))
            except IntegrityError:
                pass  # another process was quicker: its secret is the one
            with self._transaction() as connection:
                known = connection.execute(query).scalar_one()
        return bytes.fromhex(known)

    def _one(self, condition: sa.ColumnElement[bool]) -> CallRecord | None:
        query = sa.select(_CALLS).where(condition).order_by(_CALLS.c.started_at.desc()).limit(1)
        with self._transaction() as connection:
            row = connection.execute(query).first()
        return CallRecord(**row._mapping) if row is not None else None

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._engine)


class _Transaction:
    """One transaction; the database's troubles come out as Unavailable, a broken uniqueness as it is."""

    def __init__(self, engine: sa.Engine) -> None:
        self._context = engine.begin()

    def __enter__(self) -> sa.Connection:
        try:
            return self._context.__enter__()
        except SQLAlchemyError as error:
            raise Unavailable(f"the database cannot be reached: {type(error).__name__}", code="database") from error

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._context.__exit__(kind, error, trace)
        if isinstance(error, SQLAlchemyError) and not isinstance(error, IntegrityError):
            raise Unavailable(f"the database failed: {type(error).__name__}", code="database") from error


def _write_ahead(connection: Any, _: Any) -> None:
    """Let readers and a writer work at the same time, and lose nothing but the last commits at a power cut."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")

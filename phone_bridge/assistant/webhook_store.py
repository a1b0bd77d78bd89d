"""Where webhooks are kept until they have arrived: the database of the calls, so that a restart loses none.

Everything here blocks and is called in a thread.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from phone_bridge.assistant.webhooks import Delivery, Endpoint
from phone_bridge.runtime import database

METADATA = sa.MetaData()

ENDPOINTS = sa.Table(
    "webhook_endpoints",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(128), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", sa.JSON, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("connect_events", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_at", sa.String(40), nullable=False),
)

EVENTS = sa.Table(
    "webhook_events",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False, index=True),
)

DELIVERIES = sa.Table(
    "webhook_deliveries",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("endpoint_id", sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("event_id", sa.ForeignKey("webhook_events.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("answered", sa.Integer),
    sa.Index("webhook_deliveries_due", "status", "next_at"),
)

T = TypeVar("T")

LISTED = 100
"""Deliveries of an endpoint that are shown, the newest."""


class WebhookStore:
    """Endpoints, events and deliveries at ``url``; raises SettingsError for a URL that no driver here serves."""

    def __init__(self, url: str) -> None:
        self._engine = database.engine(url)

    def prepare(self) -> None:
        """Make the tables that are missing; raises Unavailable."""
        database.prepare(self._engine, METADATA)

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    # Endpoints

    def add(self, endpoint: Endpoint) -> None:
        """Keep a new endpoint."""
        with database.transaction(self._engine) as db:
            db.execute(sa.insert(ENDPOINTS).values(_plain(endpoint)))

    def endpoints(self, account: str | None = None) -> list[Endpoint]:
        """List the endpoints of an account, or all of them, oldest first."""
        query = sa.select(ENDPOINTS).order_by(ENDPOINTS.c.created_at, ENDPOINTS.c.id)
        if account is not None:
            query = query.where(ENDPOINTS.c.account == account)
        with database.transaction(self._engine) as db:
            return [_read(row, Endpoint) for row in db.execute(query).mappings()]

    def put(self, endpoint: Endpoint) -> None:
        """Put an endpoint in its own place."""
        with database.transaction(self._engine) as db:
            db.execute(sa.update(ENDPOINTS).where(ENDPOINTS.c.id == endpoint.id).values(_plain(endpoint)))

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint and whatever is on its way there."""
        with database.transaction(self._engine) as db:
            db.execute(sa.delete(DELIVERIES).where(DELIVERIES.c.endpoint_id == endpoint_id))
            db.execute(sa.delete(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id))

    # Events and their deliveries

    def tell(self, event_id: str, body: bytes, deliveries: Sequence[Delivery], now: int) -> bool:
        """Keep an event with its deliveries; False where it was told already."""
        try:
            with database.transaction(self._engine) as db:
                db.execute(sa.insert(EVENTS).values(id=event_id, body=body, created_at=now))
                _add(db, deliveries)
        except IntegrityError:
            return False
        return True

    def repeat(self, delivery: Delivery) -> None:
        """Keep one more delivery of an event that is kept."""
        with database.transaction(self._engine) as db:
            _add(db, [delivery])

    def deliveries(self, endpoint_id: str) -> list[Delivery]:
        """List the newest deliveries of an endpoint."""
        query = sa.select(DELIVERIES).where(DELIVERIES.c.endpoint_id == endpoint_id)
        query = query.order_by(DELIVERIES.c.began_at.desc(), DELIVERIES.c.id).limit(LISTED)
        with database.transaction(self._engine) as db:
            return [_read(row, Delivery) for row in db.execute(query).mappings()]

    def delivery(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        """Find a delivery of an endpoint."""
        mine = (DELIVERIES.c.endpoint_id == endpoint_id) & (DELIVERIES.c.id == delivery_id)
        with database.transaction(self._engine) as db:
            row = db.execute(sa.select(DELIVERIES).where(mine)).mappings().one_or_none()
        return None if row is None else _read(row, Delivery)

    def due(self, now: int, full: Iterable[str], most: int) -> list[Delivery]:
        """List what is due, the oldest first, except for the endpoints that are ``full`` or disabled."""
        due = (DELIVERIES.c.status == "pending") & (DELIVERIES.c.next_at <= now)
        query = sa.select(DELIVERIES).join(ENDPOINTS).where(due, ENDPOINTS.c.status == "enabled")
        query = query.where(DELIVERIES.c.endpoint_id.not_in(list(full))).order_by(DELIVERIES.c.next_at).limit(most)
        with database.transaction(self._engine) as db:
            return [_read(row, Delivery) for row in db.execute(query).mappings()]

    def claim(self, deliveries: Iterable[Delivery], lease_until: int) -> list[tuple[Delivery, Endpoint, bytes]]:
        """Take what nobody else has taken, so that it is not due again before ``lease_until``.

        Each comes with its endpoint and its body.
        """
        with database.transaction(self._engine) as db:
            return [_with_body(db, each) for each in deliveries if _taken(db, each, lease_until)]

    def settle(self, delivery: Delivery) -> None:
        """Keep how a delivery stands after an attempt."""
        with database.transaction(self._engine) as db:
            db.execute(sa.update(DELIVERIES).where(DELIVERIES.c.id == delivery.id).values(_plain(delivery)))

    def next_at(self) -> int | None:
        """Say when the next delivery is due; None when nothing waits."""
        query = sa.select(sa.func.min(DELIVERIES.c.next_at)).join(ENDPOINTS)
        query = query.where(DELIVERIES.c.status == "pending", ENDPOINTS.c.status == "enabled")
        with database.transaction(self._engine) as db:
            found: int | None = db.execute(query).scalar_one()
        return found

    def purge(self, before: int) -> None:
        """Forget the events, and their deliveries, that happened before then."""
        old = sa.select(EVENTS.c.id).where(EVENTS.c.created_at < before)
        with database.transaction(self._engine) as db:
            db.execute(sa.delete(DELIVERIES).where(DELIVERIES.c.event_id.in_(old)))
            db.execute(sa.delete(EVENTS).where(EVENTS.c.created_at < before))


def _add(db: Connection, deliveries: Iterable[Delivery]) -> None:
    for delivery in deliveries:
        db.execute(sa.insert(DELIVERIES).values(_plain(delivery)))


def _taken(db: Connection, delivery: Delivery, lease_until: int) -> bool:
    mine = (DELIVERIES.c.id == delivery.id) & (DELIVERIES.c.status == "pending")
    mine &= (DELIVERIES.c.attempts == delivery.attempts) & (DELIVERIES.c.next_at == delivery.next_at)
    return bool(db.execute(sa.update(DELIVERIES).where(mine).values(next_at=lease_until)).rowcount)


def _with_body(db: Connection, delivery: Delivery) -> tuple[Delivery, Endpoint, bytes]:
    endpoint = db.execute(sa.select(ENDPOINTS).where(ENDPOINTS.c.id == delivery.endpoint_id)).mappings().one()
    body = db.execute(sa.select(EVENTS.c.body).where(EVENTS.c.id == delivery.event_id)).scalar_one()
    return delivery, _read(endpoint, Endpoint), bytes(body)


def _plain(value: Endpoint | Delivery) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain


def _read(row: RowMapping, kind: type[T]) -> T:
    return msgspec.convert({str(name): value for name, value in row.items()}, kind)

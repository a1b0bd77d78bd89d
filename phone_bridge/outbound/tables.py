"""The tables of outbound calls and reminders, the same on SQLite and PostgreSQL; times are seconds since 1970."""

import sqlalchemy as sa

METADATA = sa.MetaData()

ATTEMPTS = sa.Table(
    "outbound_attempts",
    METADATA,
    sa.Column("call_id", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(128), nullable=False),
    sa.Column("to_number", sa.String(64)),
    sa.Column("from_number", sa.String(64)),
    sa.Column("plan", sa.JSON, nullable=False),
    sa.Column("reminder_id", sa.String(64), index=True),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("submitted_at", sa.BigInteger),
    sa.Column("dialled_at", sa.BigInteger),
    sa.Column("dials", sa.Integer, nullable=False, server_default="0"),
    sa.Column("asks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", sa.BigInteger),
    sa.Column("carrier_id", sa.String(64), index=True),
    sa.Column("answered_by", sa.String(32)),
    sa.Column("told", sa.String(16)),  # the carrier's last word on the call, in ours
    sa.Column("error", sa.String(64)),
    sa.Column("settled_at", sa.BigInteger),
)
WAITING = ATTEMPTS.c.submitted_at.is_(None)
sa.Index("outbound_unsubmitted", ATTEMPTS.c.created_at, sqlite_where=WAITING, postgresql_where=WAITING)
UNSETTLED = ATTEMPTS.c.settled_at.is_(None)
sa.Index("outbound_unsettled", ATTEMPTS.c.stage, sqlite_where=UNSETTLED, postgresql_where=UNSETTLED)

sa.Index("outbound_submitted", ATTEMPTS.c.submitted_at)

REMINDERS = sa.Table(
    "outbound_reminders",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(128), nullable=False, index=True),
    sa.Column("wish", sa.JSON, nullable=False),
    sa.Column("timezone", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("occurrence", sa.Integer, nullable=False),
    sa.Column("call_id", sa.String(64)),
    sa.Column("outcome", sa.String(32)),
    sa.Column("history", sa.JSON, nullable=False),
    sa.Column("event_id", sa.String(128)),
    sa.Column("created_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("campaign", sa.String(128)),
)
DUE = REMINDERS.c.next_at.is_not(None)
sa.Index("outbound_reminders_due", REMINDERS.c.next_at, sqlite_where=DUE, postgresql_where=DUE)
OF_EVENTS = sa.and_(REMINDERS.c.event_id.is_not(None), DUE)
sa.Index("outbound_reminders_of_events", REMINDERS.c.event_id, sqlite_where=OF_EVENTS, postgresql_where=OF_EVENTS)

IN_CAMPAIGN = REMINDERS.c.campaign.is_not(None)
sa.Index("outbound_reminders_campaign", REMINDERS.c.campaign, sqlite_where=IN_CAMPAIGN, postgresql_where=IN_CAMPAIGN)

CAMPAIGNS = sa.Table(
    "outbound_campaigns",
    METADATA,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

DO_NOT_CALL = sa.Table(
    "outbound_do_not_call",
    METADATA,
    sa.Column("number", sa.String(64), primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("call_id", sa.String(64)),  # the call in which it was asked for
)

IDEMPOTENCY = sa.Table(
    "outbound_promises",
    METADATA,
    sa.Column("scope", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("made", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

HEARTBEATS = sa.Table(
    "outbound_executors",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("seen_at", sa.Float, nullable=False),  # by the database's own clock
)

DELIVERIES = sa.Table(
    "outbound_deliveries",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("next_at", sa.BigInteger),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
UNDELIVERED = DELIVERIES.c.next_at.is_not(None)
sa.Index("outbound_deliveries_due", DELIVERIES.c.next_at, sqlite_where=UNDELIVERED, postgresql_where=UNDELIVERED)

TRANSFERS = sa.Table(
    "transfers",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("call_id", sa.String(64), nullable=False, index=True),
    sa.Column("carrier_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("address", sa.String(255), nullable=False),
    sa.Column("mode", sa.String(8), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("leg", sa.String(64)),
    sa.Column("part", sa.Integer),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

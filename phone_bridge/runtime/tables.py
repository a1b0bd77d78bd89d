"""The tables of the calls, the same on SQLite and PostgreSQL; a new column is nullable or has a server's default."""

import sqlalchemy as sa

METADATA = sa.MetaData()

CALLS = sa.Table(
    "calls",
    METADATA,
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
    sa.Column("resumed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("recording", sa.String(1024), key="voicemail"),  # as it was called first
    sa.Column("recorded", sa.JSON, key="recording"),
    sa.Column("timeline", sa.JSON(none_as_null=True)),
    sa.Column("answered_by", sa.String(32)),
    sa.Column("reply", sa.String(32)),
    sa.Column("reminder_id", sa.String(64)),
    sa.Column("metadata", sa.JSON),
    sa.Column("usage", sa.JSON),
    sa.Column("route", sa.String(64)),
    sa.Column("return_url", sa.String(512)),
    sa.Column("return_ref", sa.String(128)),
    sa.Column("return_route", sa.String(64)),
    sa.Column("trust", sa.String(16)),
    sa.Column("purged_before", sa.String(32)),  # the end of the retention time at which it was purged
)
UNPURGED = CALLS.c.purged_before.is_(None)
sa.Index("calls_unpurged", CALLS.c.started_at, sqlite_where=UNPURGED, postgresql_where=UNPURGED)

ADMISSIONS = sa.Table(
    "admissions",
    METADATA,
    sa.Column("jti", sa.String(64), primary_key=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

SECRETS = sa.Table(
    "secrets",
    METADATA,
    sa.Column("kid", sa.String(64), primary_key=True),
    sa.Column("secret", sa.String(128), nullable=False),
)

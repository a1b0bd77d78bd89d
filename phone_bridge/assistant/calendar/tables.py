"""The tables of the calendar, the same on SQLite and PostgreSQL; times are kept in UTC."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

METADATA = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware time, kept in UTC because SQLite forgets offsets."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Go into the database."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Come out of the database."""
        return None if value is None else value.replace(tzinfo=UTC)


USERS = Table(
    "calendar_users",
    METADATA,
    Column("id", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("timezone", String, nullable=False),
    Column("default_event_duration_min", Integer, nullable=False),
    Column("working_hours", JSON, nullable=False),
    Column("locale", String),
    Column("default_travel_mode", String),
    Column("home_location", JSON),
    Column("work_location", JSON),
    Column("last_location", JSON),
    Column("preferred_time_of_day", String),
    Column("voice", String),
    Column("auto_confirm", JSON),
    Column("quiet_hours", JSON),
    Column("alert_profile", String),
    Column("buffers", JSON),
    Column("shares_free_busy", Boolean),
)

EVENTS = Table(
    "calendar_events",
    METADATA,
    Column("id", String, primary_key=True),
    Column("user_id", ForeignKey("calendar_users.id"), nullable=False),
    Column("calendar_id", String),
    Column("title", Text, nullable=False),
    Column("start_time", Moment, nullable=False),
    Column("end_time", Moment, nullable=False),
    Column("timezone", String, nullable=False),
    Column("all_day", Boolean, nullable=False),
    Column("description", Text),
    Column("category", Text),
    Column("color_hex", String),
    Column("location", JSON),
    Column("from_location", JSON),
    Column("travel", JSON),
    Column("recurrence", JSON),
    Column("attendees", JSON, nullable=False),
    Column("meeting", JSON),
    Column("source", JSON, nullable=False),
    Column("series_id", String, index=True),
    Column("original_start_time", Moment),
    Column("repeats", Boolean),  # whether it is a series; what an earlier version wrote does not say
    Column("is_cancelled", Boolean, nullable=False),
    Column("cancelled_at", Moment),
    Column("cancel_reason", Text),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("calendar_events_by_time", "user_id", "start_time"),
)

REMINDERS = Table(
    "calendar_reminders",
    METADATA,
    Column("id", String, primary_key=True),
    Column("user_id", ForeignKey("calendar_users.id"), nullable=False, index=True),
    # An occurrence has no row to point to, so new reminders keep their event in ``about_event_id``.
    Column("event_id", ForeignKey("calendar_events.id")),
    Column("about_event_id", String, index=True),
    Column("title", Text, nullable=False),
    Column("remind_at", Moment),
    Column("offset_minutes_before_start", Integer),
    Column("offset_minutes_before_departure", Integer),
    Column("body", Text),
    Column("channel", String, nullable=False),
    Column("status", String, nullable=False),
    Column("created_at", Moment, nullable=False),
)

CALENDARS = Table(
    "calendar_calendars",
    METADATA,
    Column("id", String, primary_key=True),
    Column("user_id", ForeignKey("calendar_users.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("color_hex", String),
    Column("timezone", String, nullable=False),
    Column("writable", Boolean, nullable=False),
    Column("selected", Boolean, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("external_id", Text),
)

ALERTS = Table(
    "calendar_alerts",
    METADATA,
    Column("id", String, primary_key=True),
    Column("user_id", ForeignKey("calendar_users.id"), nullable=False),
    Column("event_id", String),
    Column("type", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text),
    Column("status", String, nullable=False),
    Column("snoozed_until", Moment),
    Column("expires_at", Moment),
    Column("created_at", Moment, nullable=False),
    Index("calendar_alerts_by_time", "user_id", "created_at"),
)

TRACKINGS = Table(
    "calendar_trackings",
    METADATA,
    Column("user_id", ForeignKey("calendar_users.id"), primary_key=True),
    Column("event_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("current_location", JSON),
    Column("predicted_arrival", Moment),
    Column("minutes_late", Integer),
    Column("confidence", String, nullable=False),
    Column("started_at", Moment),
    Column("arrived_at", Moment),
    Column("late_acknowledged_at", Moment),
    Column("alert_profile", String),
    Column("updated_at", Moment),
)

INVITATIONS = Table(
    "calendar_invitations",
    METADATA,
    Column("id", String, primary_key=True),
    Column("organizer_user_id", ForeignKey("calendar_users.id"), nullable=False),
    Column("event_id", String, nullable=False),
    Column("attendee_email", Text, nullable=False),
    Column("attendee_name", Text),
    Column("email_type", String, nullable=False),
    Column("message", Text),
    Column("eta", Moment),
    Column("status", String, nullable=False),
    Column("ical_sequence", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("calendar_invitations_by_event", "organizer_user_id", "event_id"),
)

DEEDS = Table(
    "calendar_deeds",
    METADATA,
    Column("user_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("outcome", JSON, nullable=False),
    Column("done_at", Moment, nullable=False),
)
"""What was written under which key, so that asking twice writes once."""

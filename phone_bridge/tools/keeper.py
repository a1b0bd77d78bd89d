"""What a calendar holds, and the promise that any keeper of calendars can keep, on a database or a server.

The values are those of the voice API's objects; times are aware, ids carry their prefix.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

DEFAULT_EVENT_MINUTES = 60
"""How long an event lasts when neither the caller nor the user's preferences say."""


class Location(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place: an address, or a latitude with a longitude."""

    name: str | None = None
    address: str | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lng: Annotated[float, Meta(ge=-180, le=180)] | None = None
    type: str | None = None

    def __post_init__(self) -> None:
        if self.address is None and (self.lat is None or self.lng is None):
            raise ValueError("a location needs an address, or lat and lng")


class Travel(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to get there, with minutes to spare for parking and walking."""

    mode: Literal["drive", "walk", "transit"] = "drive"
    parking_buffer_min: Annotated[int, Meta(ge=0, le=240)] = 0
    walk_buffer_min: Annotated[int, Meta(ge=0, le=240)] = 0


class Meeting(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whether people meet online, in person or both."""

    type: Literal["online", "in_person", "both"]
    link: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None = None


class Recurrence(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of RFC 5545, kept as its text."""

    rule: Annotated[str, Meta(pattern="^FREQ=")]


class Attendee(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Someone who takes part."""

    email: Annotated[str, Meta(pattern="^[^@ ]+@[^@ ]+$", extra_json_schema={"format": "email"})]
    name: str | None = None
    status: Literal["needs_action", "accepted", "declined", "tentative"] = "needs_action"


class Source(Struct, frozen=True, omit_defaults=True):
    """Where an event comes from."""

    type: str = "manual"
    external_id: str | None = None
    etag: str | None = None


class EventFields(Struct, frozen=True, kw_only=True):
    """What can be said about an event before it is kept; an all-day event runs from midnight to midnight."""

    title: str
    start_time: datetime
    end_time: datetime
    timezone: str = "UTC"
    all_day: bool = False
    description: str | None = None
    category: str | None = None
    color_hex: str | None = None
    location: Location | None = None
    from_location: Location | None = None
    travel: Travel | None = None
    recurrence: Recurrence | None = None
    attendees: tuple[Attendee, ...] = ()
    meeting: Meeting | None = None
    calendar_id: str | None = None
    source: Source = Source()


class Event(EventFields, frozen=True, kw_only=True):
    """An event that is kept."""

    id: str
    user_id: str
    object: Literal["event"] = "event"
    is_cancelled: bool = False
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    created_at: datetime
    updated_at: datetime


class Edit(Struct, frozen=True):
    """One change of an event: what it was and what it is."""

    before: Event
    after: Event

    def changed_fields(self) -> list[str]:
        """Name the fields that differ, in the order of the event."""
        old, new = msgspec.structs.asdict(self.before), msgspec.structs.asdict(self.after)
        return [name for name in new if name != "updated_at" and old[name] != new[name]]


class ReminderFields(Struct, frozen=True, kw_only=True):
    """What to remind of, and when: at a time, or some minutes before an event or the departure to it."""

    title: str
    remind_at: datetime | None = None
    event_id: str | None = None
    offset_minutes_before_start: int | None = None
    offset_minutes_before_departure: int | None = None
    body: str | None = None
    channel: str = "push"


class Reminder(ReminderFields, frozen=True, kw_only=True):
    """A reminder that is kept."""

    id: str
    user_id: str
    object: Literal["reminder"] = "reminder"
    status: Literal["scheduled", "fired", "cancelled"] = "scheduled"
    created_at: datetime


class WorkingHours(Struct, frozen=True):
    """When a user likes to meet: ``HH:MM`` to ``HH:MM`` on some days of the week."""

    start: str = "09:00"
    end: str = "17:00"
    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")


class User(Struct, frozen=True, kw_only=True):
    """Whose calendar it is."""

    id: str
    name: str = ""
    email: str = ""
    timezone: str = "UTC"
    default_event_duration_min: int = DEFAULT_EVENT_MINUTES
    working_hours: WorkingHours = WorkingHours()


class CalendarKeeper(Protocol):
    """Keeps events and reminders for users.

    Every method raises Refused (``resource_missing``, ``event_already_cancelled``) for what cannot be, and Unavailable
    when the calendar cannot be reached. A ``key`` names one deed: asked for again with the same key, nothing is
    written and the first outcome is returned.
    """

    async def user(self, user_id: str) -> User:
        """Find a user."""
        ...

    async def events(
        self, user_id: str, *, start: datetime | None, end: datetime | None, include_cancelled: bool = False
    ) -> list[Event]:
        """List the events that touch ``start`` to ``end`` (None is open), by their beginning."""
        ...

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        """Keep a new event."""
        ...

    async def update_event(self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str) -> Edit:
        """Put ``change(event)`` in the place of an event; ``change`` may raise Refused, and nothing happens."""
        ...

    async def cancel_event(self, user_id: str, event_id: str, *, reason: str | None, key: str) -> Event:
        """Mark an event as cancelled; it stays readable."""
        ...

    async def create_reminder(self, user_id: str, fields: ReminderFields, *, key: str) -> Reminder:
        """Keep a new reminder; the event it names must exist."""
        ...

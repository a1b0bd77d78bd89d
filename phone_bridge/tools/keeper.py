"""What a calendar holds, and the promise that any keeper of calendars can keep, on a database or a server.

The values are those of the voice API's objects; times are aware, ids carry their prefix.

A series is an event with a recurrence. Its occurrences are never kept one by one: they are unrolled where they are
listed, each under an id that is the series' id and the time at which the rule has it begin (``tools.series``). An
occurrence that was changed or cancelled is kept as an override, which is RFC 5545's ``RECURRENCE-ID``.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta, Struct, field

DEFAULT_EVENT_MINUTES = 60
"""How long an event lasts when neither the caller nor the user's preferences say."""

SeriesScope = Literal["this", "following", "all"]
"""How much of a series a deed is about: one occurrence, it and all later ones, or every one."""
Mode = Literal["drive", "walk", "transit"]
PartOfDay = Literal["morning", "afternoon", "evening"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AlertProfile = Literal["minimal", "balanced", "aggressive", "silent"]
AlertType = Literal["departure", "late", "conflict", "weather", "health", "connection"]
AlertStatus = Literal["active", "snoozed", "dismissed", "expired"]
ReminderStatus = Literal["scheduled", "fired", "cancelled"]
Confidence = Literal["low", "medium", "high"]

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
ClockTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Location(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place: an address, or a latitude with a longitude."""

    name: str | None = None
    address: str | None = None
    lat: Latitude | None = None
    lng: Longitude | None = None
    type: str | None = None

    def __post_init__(self) -> None:
        if self.address is None and (self.lat is None or self.lng is None):
            raise ValueError("a location needs an address, or lat and lng")


class Travel(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to get there, with minutes to spare for parking and walking."""

    mode: Mode = "drive"
    parking_buffer_min: Annotated[int, Meta(ge=0, le=240)] = 0
    walk_buffer_min: Annotated[int, Meta(ge=0, le=240)] = 0


class Meeting(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whether people meet online, in person or both."""

    type: Literal["online", "in_person", "both"]
    link: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None = None


class Recurrence(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule of RFC 5545, kept as its text; ``exdates`` are beginnings that it leaves out, ``rdates`` others."""

    rule: Annotated[str, Meta(pattern="^FREQ=")]
    exdates: tuple[datetime, ...] = ()
    rdates: tuple[datetime, ...] = ()


class Attendee(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Someone who takes part."""

    email: Annotated[str, Meta(pattern="^[^@ ]+@[^@ ]+$", extra_json_schema={"format": "email"})]
    name: str | None = None
    status: Literal["needs_action", "accepted", "declined", "tentative"] = "needs_action"


class Source(Struct, frozen=True, omit_defaults=True):
    """Where an event comes from; ``external_id`` is its UID there, ``etag`` the version that was read."""

    type: str = "manual"
    external_id: str | None = None
    etag: str | None = None


class EventFields(Struct, frozen=True, kw_only=True):
    """What can be said about an event before it is kept; an all-day event runs from midnight to midnight.

    ``timezone`` is the zone of the event's own clock: an all-day event's midnights and a series' hours are its.
    """

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
    """An event that is kept: one alone, a series (it has a ``recurrence`` and no ``series_id``), or an occurrence.

    An occurrence names its series in ``series_id``, carries the series' ``recurrence``, and keeps in
    ``original_start_time`` when the rule has it begin, wherever it was moved to.
    """

    id: str
    user_id: str
    object: Literal["event"] = "event"
    series_id: str | None = None
    original_start_time: datetime | None = None
    is_cancelled: bool = False
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    created_at: datetime
    updated_at: datetime


class Edit(Struct, frozen=True):
    """One change of an event: what it was and what it is.

    Of a change to an occurrence and those that follow, or to a whole series, this shows the occurrence that was named.
    """

    before: Event
    after: Event

    def changed_fields(self) -> list[str]:
        """Name the fields that differ, in the order of the event."""
        old, new = msgspec.structs.asdict(self.before), msgspec.structs.asdict(self.after)
        return [name for name in new if name not in _BOOKKEEPING and old[name] != new[name]]


_BOOKKEEPING = frozenset({"id", "updated_at", "series_id", "original_start_time", "source"})


class Series(Struct, frozen=True, kw_only=True):
    """An event as one calendar object: the master and, of a series, the overrides; an event alone is its own master."""

    master: Event
    overrides: tuple[Event, ...] = ()


class Calendar(Struct, frozen=True, kw_only=True):
    """One of a user's calendars; ``external_id`` is its address where it comes from."""

    id: str
    user_id: str
    object: Literal["calendar"] = "calendar"
    name: str = ""
    color_hex: str | None = None
    timezone: str = "UTC"
    writable: bool = True
    selected: bool = True
    is_default: bool = False
    external_id: str | None = None


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
    status: ReminderStatus = "scheduled"
    created_at: datetime


class AlertFields(Struct, frozen=True, kw_only=True):
    """What a user should know about, and until when it matters."""

    type: AlertType
    title: str
    severity: Literal["info", "warning", "critical"] = "info"
    body: str | None = None
    event_id: str | None = None
    expires_at: datetime | None = None


class Alert(AlertFields, frozen=True, kw_only=True):
    """An alert that is kept; ``status`` is as of the time it was read, for snoozes and alerts end by themselves."""

    id: str
    user_id: str
    object: Literal["alert"] = "alert"
    status: AlertStatus = "active"
    snoozed_until: datetime | None = None
    created_at: datetime


class Fix(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where somebody was at a time."""

    lat: Latitude
    lng: Longitude
    recorded_at: datetime
    accuracy_m: float | None = None


class Tracking(Struct, frozen=True, kw_only=True):
    """What is known of a user's way to one event, and how they want to be alerted about it."""

    event_id: str
    status: Literal["not_started", "in_transit", "arrived", "stalled"] = "not_started"
    current_location: Fix | None = None
    predicted_arrival: datetime | None = None
    minutes_late: int | None = None
    confidence: Confidence = "low"
    started_at: datetime | None = None
    arrived_at: datetime | None = None
    late_acknowledged_at: datetime | None = None
    alert_profile: AlertProfile | None = None
    """Takes the place of the user's own profile; None keeps that."""
    updated_at: datetime | None = None


class InvitationFields(Struct, frozen=True, kw_only=True):
    """A message to somebody who takes part in an event."""

    attendee_email: str
    attendee_name: str | None = None
    email_type: Literal["invite", "update", "cancel", "running_late", "custom"] = "update"
    message: str | None = None
    eta: datetime | None = None


class Invitation(InvitationFields, frozen=True, kw_only=True):
    """A message as far as it has come; ``email_queued`` says that it is kept and that nothing has sent it yet."""

    id: str
    event_id: str
    organizer_user_id: str
    object: Literal["invitation"] = "invitation"
    status: Literal["email_queued", "email_sent", "email_delivered", "opened", "responded", "bounced"] = "email_queued"
    ical_sequence: int = 0
    created_at: datetime


class WorkingHours(Struct, frozen=True):
    """When a user likes to meet: ``HH:MM`` to ``HH:MM`` on some days of the week."""

    start: str = "09:00"
    end: str = "17:00"
    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")


class QuietHours(Struct, frozen=True, kw_only=True):
    """When a user is not to be disturbed; they may run past midnight, and belong to the day on which they begin."""

    enabled: bool = False
    start: str | None = None
    end: str | None = None
    days: tuple[Weekday, ...] = WEEK
    timezone: str | None = None
    """None is the user's own."""
    allow_critical: bool = True


class Buffers(Struct, frozen=True, kw_only=True):
    """Minutes to spare, wherever an event does not say its own."""

    arrival: int = 0
    parking: int = 5
    walk: int = 0
    between_meetings: int = 0


class User(Struct, frozen=True, kw_only=True):
    """Whose calendar it is, with their habits and wishes."""

    id: str
    name: str = ""
    email: str = ""
    timezone: str = "UTC"
    default_event_duration_min: int = DEFAULT_EVENT_MINUTES
    working_hours: WorkingHours = WorkingHours()
    object: Literal["user"] = "user"
    locale: str | None = None
    default_travel_mode: Mode = "drive"
    home_location: Location | None = None
    work_location: Location | None = None
    last_location: Fix | None = None
    preferred_time_of_day: PartOfDay | None = None
    voice: str | None = None
    auto_confirm: tuple[str, ...] = ()
    """Tools that are done without asking."""
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    alert_profile: AlertProfile = "balanced"
    buffers: Buffers = field(default_factory=Buffers)
    shares_free_busy: bool = False
    """Whether other users may see when this one is busy, without seeing what with."""


class UserEdit(Struct, frozen=True):
    """One change of a user's preferences."""

    before: User
    after: User

    def changed_fields(self) -> list[str]:
        """Name the fields that differ."""
        old, new = msgspec.structs.asdict(self.before), msgspec.structs.asdict(self.after)
        return [name for name in new if old[name] != new[name]]


class EventKeeper(Protocol):
    """Keeps events: what a database, an ``.ics`` file or a CalDAV server does.

    Every method raises Refused for what cannot be (``resource_missing``, ``event_already_cancelled``,
    ``calendar_read_only``, ``unsupported`` for what this keeper cannot do at all), and Unavailable when the calendar
    cannot be reached.

    A ``key`` names one deed: asked for again with the same key, nothing is written and the first outcome is returned.

    An ``event_id`` is that of an event alone, of a series, or of an occurrence. ``scope`` matters for occurrences:
    ``this`` makes an override; ``following`` ends the series before it and lets a new series go on from it, under a new
    id; ``all`` changes the series by as much as the occurrence is changed by, and keeps the overrides. The id of a
    series itself means all of it, whatever the scope.
    """

    async def calendars(self, user_id: str) -> list[Calendar]:
        """List a user's calendars, the default one first."""
        ...

    async def events(
        self,
        user_id: str,
        *,
        start: datetime | None,
        end: datetime | None,
        include_cancelled: bool = False,
        unroll: bool = True,
    ) -> list[Event]:
        """List the events that touch ``start`` to ``end`` (None is open), by their beginning.

        Series come as their occurrences, as far as ``tools.series`` unrolls them; or, without ``unroll``, as
        themselves: every one that has begun before ``end``.
        """
        ...

    async def event(self, event_id: str, *, user_id: str | None = None) -> Event:
        """Find an event, a series or an occurrence, cancelled or not; of anybody's where no user is named."""
        ...

    async def series(self, user_id: str, event_id: str) -> Series:
        """Find the whole calendar object to which an event, a series or an occurrence belongs."""
        ...

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        """Keep a new event, or a new series; without a ``calendar_id`` in the user's default calendar.

        The time in ``fields.start_time`` must be an occurrence of its own rule, as RFC 5545 asks.
        """
        ...

    async def update_event(
        self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str, scope: SeriesScope = "this"
    ) -> Edit:
        """Put ``change(event)`` in the place of an event; ``change`` may raise Refused, and nothing happens."""
        ...

    async def cancel_event(
        self, user_id: str, event_id: str, *, reason: str | None, key: str, scope: SeriesScope = "this"
    ) -> Event:
        """Mark an event as cancelled; it stays readable where the keeper can keep what is cancelled."""
        ...

    async def delete_event(self, user_id: str, event_id: str, *, key: str, scope: SeriesScope = "this") -> Event:
        """Forget an event for good, cancelled or not; what it was is returned."""
        ...


class UserKeeper(Protocol):
    """Keeps what a calendar server does not know: users with their wishes, reminders, alerts and ways to events.

    The rules for errors and keys are those of ``EventKeeper``. An event is known here by its id alone.
    """

    async def user(self, user_id: str) -> User:
        """Find a user."""
        ...

    async def users(self, *, after: str | None = None, limit: int = 100) -> list[User]:
        """List users by their ids, those behind ``after``."""
        ...

    async def update_user(self, user_id: str, change: Callable[[User], User], *, key: str) -> UserEdit:
        """Put ``change(user)`` in the place of a user."""
        ...

    async def reminders(
        self, user_id: str, *, status: ReminderStatus | None = None, event_id: str | None = None
    ) -> list[Reminder]:
        """List a user's reminders, the oldest first."""
        ...

    async def reminder(self, reminder_id: str, *, user_id: str | None = None) -> Reminder:
        """Find a reminder; of anybody's where no user is named."""
        ...

    async def create_reminder(self, user_id: str, fields: ReminderFields, *, key: str) -> Reminder:
        """Keep a new reminder."""
        ...

    async def update_reminder(
        self, user_id: str, reminder_id: str, change: Callable[[Reminder], Reminder], *, key: str
    ) -> Reminder:
        """Put ``change(reminder)`` in the place of a reminder: cancelled, fired, or put another way."""
        ...

    async def alerts(
        self,
        user_id: str,
        *,
        status: AlertStatus | None = "active",
        event_id: str | None = None,
        type: AlertType | None = None,
        since: datetime | None = None,
    ) -> list[Alert]:
        """List a user's alerts, the newest first; None as the status lists all."""
        ...

    async def alert(self, alert_id: str, *, user_id: str | None = None) -> Alert:
        """Find an alert; of anybody's where no user is named."""
        ...

    async def create_alert(self, user_id: str, fields: AlertFields, *, key: str) -> Alert:
        """Keep a new alert."""
        ...

    async def dismiss_alerts(self, user_id: str, alert_ids: Sequence[str] | None, *, key: str) -> list[Alert]:
        """Dismiss alerts, or (None) all that are active or snoozed; those that are dismissed already stay so."""
        ...

    async def snooze_alert(self, user_id: str, alert_id: str, until: datetime, *, key: str) -> Alert:
        """Put an alert off; raises Refused (``alert_not_active``) for one that is dismissed or expired."""
        ...

    async def tracking(self, user_id: str, event_id: str) -> Tracking:
        """Tell what is known of the way to an event; of one that nothing is known of, just that."""
        ...

    async def update_tracking(
        self, user_id: str, event_id: str, change: Callable[[Tracking], Tracking], *, key: str
    ) -> Tracking:
        """Put ``change(tracking)`` in the place of what is known of the way to an event."""
        ...

    async def invitations(self, user_id: str, event_id: str) -> list[Invitation]:
        """List the messages to those who take part in an event, the oldest first."""
        ...

    async def create_invitations(
        self, user_id: str, event_id: str, fields: Sequence[InvitationFields], *, key: str
    ) -> list[Invitation]:
        """Keep messages to those who take part in an event; sending them is somebody else's work."""
        ...


class CalendarKeeper(EventKeeper, UserKeeper, Protocol):
    """Keeps all that the calendar tools need; a keeper of events alone is joined with a database for the rest."""

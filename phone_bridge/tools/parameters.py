"""The parameters of the 26 calendar tools: one struct each, which makes the JSON Schema and checks what comes in."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from phone_bridge.tools.keeper import (
    AlertProfile,
    AlertType,
    Attendee,
    ClockTime,
    Latitude,
    Location,
    Longitude,
    Meeting,
    Mode,
    PartOfDay,
    SeriesScope,
    Travel,
    Weekday,
)
from phone_bridge.tools.rules import RULE_CHARS_MAX, BadRule, Rule
from phone_bridge.tools.schemas import DateTime, DayOrTime, Invalid, Parameters, Zone, check_zone, day_or_time

EventId = Annotated[str, Meta(pattern="^evt_[0-9A-Za-z]{6,}$")]
AlertId = Annotated[str, Meta(pattern="^alt_[0-9A-Za-z]{6,}$")]
CalendarId = Annotated[str, Meta(pattern="^cal_[0-9A-Za-z]+$")]
ParticipantId = Annotated[str, Meta(pattern="^(usr_|cal_|external:).+$")]
Email = Annotated[str, Meta(pattern="^[^@ ]+@[^@ ]+$", extra_json_schema={"format": "email"})]
Day = date
Title = Annotated[str, Meta(min_length=1, max_length=500)]
Description = Annotated[str, Meta(max_length=8000)]
Minutes = Annotated[int, Meta(ge=1, le=1440)]
Buffer = Annotated[int, Meta(ge=0, le=240)]
Colour = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]
Attendees = Annotated[list[Attendee], Meta(max_length=200)]
Text200 = Annotated[str, Meta(min_length=1, max_length=200)]
Text500 = Annotated[str, Meta(max_length=500)]
Text1000 = Annotated[str, Meta(max_length=1000)]
PageSize = Annotated[int, Meta(ge=1, le=25)]

WINDOW_DAYS_MAX = 92
"""How many days one can look for free slots in."""
BULK_MAX = 50
"""How many events can be cancelled at once."""
SNOOZE_MINUTES = 10
"""How long an alert is put off where nobody says."""
MODES: tuple[Mode, ...] = ("drive", "walk", "transit")


class Repeating(Struct, frozen=True, forbid_unknown_fields=True):
    """How an event repeats: a rule of RFC 5545."""

    rule: Annotated[str, Meta(pattern="^FREQ=", max_length=RULE_CHARS_MAX)]

    def __post_init__(self) -> None:
        try:
            Rule.parse(self.rule)
        except BadRule as error:
            raise Invalid(f"{str(error)[:1].upper()}{str(error)[1:]}.", "recurrence") from None


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of some days of the week."""

    start: ClockTime
    end: ClockTime
    days: Annotated[tuple[Weekday, ...], Meta(min_length=1)] = ("mon", "tue", "wed", "thu", "fri")


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """A place on the map."""

    lat: Latitude
    lng: Longitude


class Position(Point, frozen=True, forbid_unknown_fields=True):
    """A place on the map, and how exactly it is known."""

    accuracy_m: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class CreateEvent(Parameters, frozen=True, kw_only=True):
    """Parameters of create_event."""

    title: Title
    start_time: DayOrTime
    end_time: DateTime | UnsetType = UNSET
    duration_minutes: Minutes | UnsetType = UNSET
    all_day: bool = False
    timezone: Zone | UnsetType = UNSET
    description: Description | None = None
    category: str | None = None
    color_hex: Colour | None = None
    location: Location | None = None
    from_location: Location | None = None
    travel: Travel | None = None
    recurrence: Repeating | None = None
    attendees: Attendees = field(default_factory=list)
    meeting: Meeting | None = None
    calendar_id: CalendarId | UnsetType = UNSET
    send_invitations: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_one_end(self.end_time, self.duration_minutes)
        check_zone(self.timezone)
        day_or_time(self.start_time, all_day=self.all_day)


class UpdateEvent(Parameters, frozen=True, kw_only=True):
    """Parameters of update_event; null clears what may be empty."""

    event_id: EventId
    title: Title | UnsetType = UNSET
    start_time: DayOrTime | UnsetType = UNSET
    end_time: DateTime | UnsetType = UNSET
    duration_minutes: Minutes | UnsetType = UNSET
    all_day: bool | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET
    color_hex: Colour | UnsetType | None = UNSET
    location: Location | UnsetType | None = UNSET
    from_location: Location | UnsetType | None = UNSET
    travel: Travel | UnsetType | None = UNSET
    recurrence: Repeating | UnsetType | None = UNSET
    attendees: Attendees | UnsetType = UNSET
    meeting: Meeting | UnsetType | None = UNSET
    calendar_id: CalendarId | UnsetType = UNSET
    series_scope: SeriesScope = "this"
    notify: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_one_end(self.end_time, self.duration_minutes)
        check_zone(self.timezone)
        if self.start_time is not UNSET:
            day_or_time(self.start_time, all_day=self.all_day is True)
        if not set(self.given()) - {"event_id", "series_scope", "notify"}:
            raise Invalid("Say at least one field to change.", "event_id", code="missing_required_field")


class CancelEvent(Parameters, frozen=True, kw_only=True):
    """Parameters of cancel_event."""

    event_id: EventId
    reason: Text500 | None = None
    notify: bool = False
    series_scope: SeriesScope = "this"


class BulkFilter(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which events: of a stretch of time, and of those the ones that match."""

    from_time: DateTime = field(name="from")
    to_time: DateTime = field(name="to")
    query: Text200 | UnsetType = UNSET
    category: str | UnsetType = UNSET
    calendar_ids: list[CalendarId] | UnsetType = UNSET
    attendee_email: Email | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_order(self.from_time, self.to_time, "filter.to")


class BulkCancelEvents(Parameters, frozen=True, kw_only=True):
    """Parameters of bulk_cancel_events: ids, or a filter that is made into ids before anybody is asked."""

    event_ids: Annotated[list[EventId], Meta(min_length=1, max_length=BULK_MAX)] | UnsetType = UNSET
    filter: BulkFilter | UnsetType = UNSET
    notify: bool = False
    reason: Text500 | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one(self, ("event_ids", "filter"))
        if self.event_ids is not UNSET and len(set(self.event_ids)) < len(self.event_ids):
            raise Invalid("Name each event once.", "event_ids")


class GetDayOverview(Parameters, frozen=True, kw_only=True):
    """Parameters of get_day_overview; the day is today if none is named."""

    date: Day | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    calendar_ids: list[CalendarId] | UnsetType = UNSET
    include_departure: bool = True
    include_health: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_zone(self.timezone)


class GetDaySummary(Parameters, frozen=True, kw_only=True):
    """Parameters of get_day_summary; the day is today if none is named."""

    date: Day | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    calendar_ids: list[CalendarId] | UnsetType = UNSET
    style: Literal["brief", "normal"] = "brief"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_zone(self.timezone)


class GetWeeklySummary(Parameters, frozen=True, kw_only=True):
    """Parameters of get_weekly_summary; the week is this one, from Monday, if none is named."""

    week_start: Day | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    calendar_ids: list[CalendarId] | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        check_zone(self.timezone)


class GetNextEvent(Parameters, frozen=True, kw_only=True):
    """Parameters of get_next_event; after now if no time is named."""

    after: DateTime | UnsetType = UNSET
    calendar_ids: list[CalendarId] | UnsetType = UNSET
    with_location_only: bool = False
    include_departure: bool = True


class SearchEvents(Parameters, frozen=True, kw_only=True):
    """Parameters of search_events; at least one criterion."""

    query: Text200 | UnsetType = UNSET
    from_time: DateTime | UnsetType = field(name="from", default=UNSET)
    to_time: DateTime | UnsetType = field(name="to", default=UNSET)
    category: str | UnsetType = UNSET
    attendee_email: str | UnsetType = UNSET
    location_text: str | UnsetType = UNSET
    calendar_ids: list[CalendarId] | UnsetType = UNSET
    include_cancelled: bool = False
    limit: PageSize = 10
    cursor: EventId | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if not set(self.given()) - {"include_cancelled", "limit", "cursor"}:
            raise Invalid("Say what to search for.", "query", code="missing_required_field")
        check_order(self.from_time, self.to_time, "to")


class GetDepartureInfo(Parameters, frozen=True, kw_only=True):
    """Parameters of get_departure_info; the next event with a place if none is named."""

    event_id: EventId | UnsetType = UNSET
    force_recompute: bool = False


class GetTravelTime(Parameters, frozen=True, kw_only=True):
    """Parameters of get_travel_time: to an event or to a place, to arrive or to leave at a time."""

    event_id: EventId | UnsetType = UNSET
    to_location: Location | UnsetType = UNSET
    from_location: Location | UnsetType = UNSET
    arrive_by: DateTime | UnsetType = UNSET
    depart_at: DateTime | UnsetType = UNSET
    travel: Travel | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one(self, ("event_id", "to_location"))
        if self.arrive_by is not UNSET and self.depart_at is not UNSET:
            raise Invalid("Say either arrive_by or depart_at.", "depart_at")
        if self.to_location is not UNSET and self.arrive_by is UNSET and self.depart_at is UNSET:
            raise Invalid("Say when to arrive or when to leave.", "arrive_by", code="missing_required_field")


class GetAlternateRoutes(Parameters, frozen=True, kw_only=True):
    """Parameters of get_alternate_routes; for now, if no time to arrive is named or known."""

    event_id: EventId | UnsetType = UNSET
    to_location: Location | UnsetType = UNSET
    from_location: Location | UnsetType = UNSET
    arrive_by: DateTime | UnsetType = UNSET
    modes: Annotated[list[Mode], Meta(min_length=1, max_length=len(MODES))] = field(default_factory=lambda: ["drive"])
    max_routes: Annotated[int, Meta(ge=1, le=5)] = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one(self, ("event_id", "to_location"))


class StartNavigation(Parameters, frozen=True, kw_only=True):
    """Parameters of start_navigation: to an event or to a place."""

    event_id: EventId | UnsetType = UNSET
    to_location: Location | UnsetType = UNSET
    mode: Mode = "drive"
    route_id: str | UnsetType = UNSET
    app: Literal["default", "apple", "google", "waze"] = "default"
    start_tracking: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one(self, ("event_id", "to_location"))
        if self.start_tracking and self.event_id is UNSET:
            raise Invalid("The way to an event can be tracked, and to nothing else.", "start_tracking")


class CheckIfLate(Parameters, frozen=True, kw_only=True):
    """Parameters of check_if_late; the event that goes on, or the next one, if none is named."""

    event_id: EventId | UnsetType = UNSET
    current_location: Point | UnsetType = UNSET


class AcknowledgeLate(Parameters, frozen=True, kw_only=True):
    """Parameters of acknowledge_late."""

    event_id: EventId
    minutes_late: Annotated[int, Meta(ge=0, le=600)] | UnsetType = UNSET
    notify: bool = False
    message: Text500 | UnsetType = UNSET


class ReportArrival(Parameters, frozen=True, kw_only=True):
    """Parameters of report_arrival; the event that goes on, or the next one, and now, if nothing else is named."""

    event_id: EventId | UnsetType = UNSET
    arrived_at: DateTime | UnsetType = UNSET
    location: Position | UnsetType = UNSET


class GetAlerts(Parameters, frozen=True, kw_only=True):
    """Parameters of get_alerts."""

    status: Literal["active", "snoozed", "dismissed", "all"] = "active"
    event_id: EventId | UnsetType = UNSET
    type: AlertType | UnsetType = UNSET
    since: DateTime | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    cursor: AlertId | UnsetType = UNSET


class DismissAlert(Parameters, frozen=True, kw_only=True):
    """Parameters of dismiss_alert: one, or all."""

    alert_id: AlertId | UnsetType = UNSET
    all: Literal[True] | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one(self, ("alert_id", "all"))


class SnoozeAlert(Parameters, frozen=True, kw_only=True):
    """Parameters of snooze_alert: for some minutes (ten, if nobody says) or until a time."""

    alert_id: AlertId
    minutes: Minutes | UnsetType = UNSET
    until: DateTime | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.minutes is not UNSET and self.until is not UNSET:
            raise Invalid("Say either for how long or until when.", "until")


class CreateReminder(Parameters, frozen=True, kw_only=True):
    """Parameters of create_reminder: at a time, or before an event or the departure to it."""

    title: Text200
    remind_at: DateTime | UnsetType = UNSET
    event_id: EventId | UnsetType = UNSET
    offset_minutes_before_start: Annotated[int, Meta(ge=0, le=40320)] | UnsetType = UNSET
    offset_minutes_before_departure: Annotated[int, Meta(ge=0, le=1440)] | UnsetType = UNSET
    body: Text1000 | None = None
    channel: Literal["push", "email"] = "push"

    def __post_init__(self) -> None:
        super().__post_init__()
        times = [self.remind_at, self.offset_minutes_before_start, self.offset_minutes_before_departure]
        if sum(value is not UNSET for value in times) != 1:
            raise Invalid("Say either a time, or how long before an event.", "remind_at")
        if (self.remind_at is UNSET) != (self.event_id is not UNSET):
            raise Invalid("An event goes with a time before it, and only with that.", "event_id")


class NotifyAttendees(Parameters, frozen=True, kw_only=True):
    """Parameters of notify_attendees: everybody who is invited, or some of them."""

    event_id: EventId
    message: Text1000 | UnsetType = UNSET
    kind: Literal["update", "running_late", "cancelled", "custom"] = "update"
    attendee_emails: Annotated[list[Email], Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    eta: DateTime | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind == "custom" and not self.message:
            raise Invalid("Say what to write.", "message", code="missing_required_field")


class UpdatePreferences(Parameters, frozen=True, kw_only=True):
    """Parameters of update_preferences: at least one of them."""

    timezone: Zone | UnsetType = UNSET
    locale: Annotated[str, Meta(pattern="^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")] | UnsetType = UNSET
    default_travel_mode: Mode | UnsetType = UNSET
    default_event_duration_min: Annotated[int, Meta(ge=5, le=480)] | UnsetType = UNSET
    working_hours: Hours | UnsetType = UNSET
    home_location: Location | UnsetType | None = UNSET
    work_location: Location | UnsetType | None = UNSET
    preferred_time_of_day: PartOfDay | UnsetType | None = UNSET
    voice: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    auto_confirm: list[str] | Literal["none"] | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        check_zone(self.timezone)
        if not self.given():
            raise Invalid("Say at least one preference.", "", code="missing_required_field")
        if self.working_hours is not UNSET and self.working_hours.end <= self.working_hours.start:
            raise Invalid("Working hours end after they begin.", "working_hours.end")


class SetQuietHours(Parameters, frozen=True, kw_only=True):
    """Parameters of set_quiet_hours; they may run past midnight."""

    enabled: bool
    start: ClockTime | UnsetType = UNSET
    end: ClockTime | UnsetType = UNSET
    days: Annotated[tuple[Weekday, ...], Meta(min_length=1)] | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    allow_critical: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_zone(self.timezone)
        if self.enabled and (self.start is UNSET or self.end is UNSET):
            missing = "start" if self.start is UNSET else "end"
            raise Invalid("Say from when to when.", missing, code="missing_required_field")
        if self.start is not UNSET and self.start == self.end:
            raise Invalid("Quiet hours begin and end at different times.", "end")


class SetAlertProfile(Parameters, frozen=True, kw_only=True):
    """Parameters of set_alert_profile: for all events, or for one."""

    profile: AlertProfile
    event_id: EventId | UnsetType = UNSET


class SetGlobalBuffer(Parameters, frozen=True, kw_only=True):
    """Parameters of set_global_buffer."""

    minutes: Buffer
    kind: Literal["arrival", "parking", "walk", "between_meetings"] = "arrival"


class CheckAvailability(Parameters, frozen=True, kw_only=True):
    """Parameters of check_availability: one time, a window's busy times, or free slots of a length."""

    start_time: DateTime | UnsetType = UNSET
    end_time: DateTime | UnsetType = UNSET
    from_time: DateTime | UnsetType = field(name="from", default=UNSET)
    to_time: DateTime | UnsetType = field(name="to", default=UNSET)
    duration_minutes: Minutes | UnsetType = UNSET
    earliest_start: DateTime | UnsetType = UNSET
    latest_end: DateTime | UnsetType = UNSET
    participants: list[ParticipantId] | UnsetType = UNSET
    include_tentative: bool = False
    preferred_time_of_day: PartOfDay | UnsetType = UNSET
    buffer_minutes_between_meetings: Buffer = 0
    limit: PageSize = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        mode, first, last = self.mode()
        check_order(first, last, {"time": "end_time", "busy": "to", "slots": "latest_end"}[mode])
        if mode == "slots" and last - first > timedelta(days=WINDOW_DAYS_MAX):
            raise Invalid(f"Free slots are found within {WINDOW_DAYS_MAX} days.", "latest_end")

    def mode(self) -> tuple[Literal["time", "busy", "slots"], datetime, datetime]:
        """Say what is asked, and the bounds it is asked for; raises Invalid unless exactly one thing is."""
        given = self.given()
        modes: tuple[tuple[Literal["time", "busy", "slots"], tuple[str, ...]], ...] = (
            ("time", ("start_time", "end_time")),
            ("busy", ("from_time", "to_time")),
            ("slots", ("earliest_start", "latest_end", "duration_minutes")),
        )
        named = [(mode, names) for mode, names in modes if any(name in given for name in names)]
        if len(named) != 1 or any(name not in given for name in named[0][1]):
            message = "Say start_time and end_time, or from and to, or duration_minutes, earliest_start and latest_end."
            raise Invalid(message, "start_time")
        mode, names = named[0]
        return mode, given[names[0]], given[names[1]]


def check_one(parameters: Parameters, names: tuple[str, ...]) -> None:
    """Raise Invalid unless exactly one of ``names`` is given."""
    given = [name for name in names if getattr(parameters, name) is not UNSET]
    if len(given) != 1:
        code = "invalid_parameter" if given else "missing_required_field"
        raise Invalid(f"Say either {' or '.join(names)}.", names[-1] if given else names[0], code=code)


def check_order(first: datetime | UnsetType, last: datetime | UnsetType, param: str) -> None:
    """Raise Invalid unless the first is before the last."""
    if first is not UNSET and last is not UNSET and last <= first:
        raise Invalid("The end must be after the beginning.", param)


def _check_one_end(end: datetime | UnsetType, duration: int | UnsetType) -> None:
    if end is not UNSET and duration is not UNSET:
        raise Invalid("Say either end_time or duration_minutes.", "duration_minutes")

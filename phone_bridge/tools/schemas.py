"""The parameters of the calendar tools: one struct each, which makes the JSON Schema and checks what comes in."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from phone_bridge.tools.keeper import Attendee, Location, Meeting, Recurrence, Travel

EventId = Annotated[str, Meta(pattern="^evt_[0-9A-Za-z]{6,}$")]
CalendarId = Annotated[str, Meta(pattern="^cal_[0-9A-Za-z]+$")]
ParticipantId = Annotated[str, Meta(pattern="^(usr_|cal_|external:).+$")]
Day = date
DateTime = Annotated[datetime, Meta(tz=True)]
DayOrTime = Annotated[str, Meta(extra_json_schema={"anyOf": [{"format": "date-time"}, {"format": "date"}]})]
Zone = Annotated[str, Meta(description="IANA time zone")]
Title = Annotated[str, Meta(min_length=1, max_length=500)]
Description = Annotated[str, Meta(max_length=8000)]
Minutes = Annotated[int, Meta(ge=1, le=1440)]
Colour = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]
Attendees = Annotated[list[Attendee], Meta(max_length=200)]
Text200 = Annotated[str, Meta(min_length=1, max_length=200)]
Text500 = Annotated[str, Meta(max_length=500)]
SeriesScope = Literal["this", "following", "all"]
PageSize = Annotated[int, Meta(ge=1, le=25)]

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""The years that times may lie in."""
WINDOW_DAYS_MAX = 92
"""How many days one can look for free slots in."""


class Invalid(ValueError):
    """Parameters that break a rule between them; ``param`` is the one to mend."""

    def __init__(self, message: str, param: str, *, code: str = "invalid_parameter") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class Parameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every tool's parameters share: a closed object, and times in years that calendars can reckon with."""

    def __post_init__(self) -> None:
        for name, value in self.given().items():
            if isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
                raise Invalid(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.", name)

    def given(self) -> dict[str, Any]:
        """Give the parameters that are there, by their names."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value is not UNSET}


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
    recurrence: Recurrence | None = None
    attendees: Attendees = field(default_factory=list)
    meeting: Meeting | None = None
    calendar_id: CalendarId | UnsetType = UNSET
    send_invitations: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_one_end(self.end_time, self.duration_minutes)
        _check_zone(self.timezone)
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
    recurrence: Recurrence | UnsetType | None = UNSET
    attendees: Attendees | UnsetType = UNSET
    meeting: Meeting | UnsetType | None = UNSET
    calendar_id: CalendarId | UnsetType = UNSET
    series_scope: SeriesScope = "this"
    notify: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_one_end(self.end_time, self.duration_minutes)
        _check_zone(self.timezone)
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


class GetDayOverview(Parameters, frozen=True, kw_only=True):
    """Parameters of get_day_overview; the day is today if none is named."""

    date: Day | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    calendar_ids: list[CalendarId] | UnsetType = UNSET
    include_departure: bool = True
    include_health: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_zone(self.timezone)


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
        _check_order(self.from_time, self.to_time, "to")


class CreateReminder(Parameters, frozen=True, kw_only=True):
    """Parameters of create_reminder: at a time, or before an event or the departure to it."""

    title: Text200
    remind_at: DateTime | UnsetType = UNSET
    event_id: EventId | UnsetType = UNSET
    offset_minutes_before_start: Annotated[int, Meta(ge=0, le=40320)] | UnsetType = UNSET
    offset_minutes_before_departure: Annotated[int, Meta(ge=0, le=1440)] | UnsetType = UNSET
    body: Annotated[str, Meta(max_length=1000)] | None = None
    channel: Literal["push", "email"] = "push"

    def __post_init__(self) -> None:
        super().__post_init__()
        times = [self.remind_at, self.offset_minutes_before_start, self.offset_minutes_before_departure]
        if sum(value is not UNSET for value in times) != 1:
            raise Invalid("Say either a time, or how long before an event.", "remind_at")
        if (self.remind_at is UNSET) != (self.event_id is not UNSET):
            raise Invalid("An event goes with a time before it, and only with that.", "event_id")


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
    preferred_time_of_day: Literal["morning", "afternoon", "evening"] | UnsetType = UNSET
    buffer_minutes_between_meetings: Annotated[int, Meta(ge=0, le=240)] = 0
    limit: PageSize = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        mode, first, last = self.mode()
        _check_order(first, last, {"time": "end_time", "busy": "to", "slots": "latest_end"}[mode])
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


def day_or_time(text: str, *, all_day: bool) -> date | datetime:
    """Read a date-time with its offset or, for an all-day event, a date; raises Invalid."""
    try:
        kind = date if all_day and len(text) == len("2026-01-31") else DateTime
        moment: date | datetime = msgspec.convert(text, kind)
    except msgspec.ValidationError:
        raise Invalid("start_time must be a date and time with an offset.", "start_time") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.", "start_time")
    return moment


def _check_one_end(end: datetime | UnsetType, duration: int | UnsetType) -> None:
    if end is not UNSET and duration is not UNSET:
        raise Invalid("Say either end_time or duration_minutes.", "duration_minutes")


def _check_zone(zone: str | UnsetType) -> None:
    if zone is UNSET:
        return
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):  # not found is a KeyError; a folder's name or a path out of it the others
        raise Invalid("timezone must be an IANA name.", "timezone") from None


def _check_order(first: datetime | UnsetType, last: datetime | UnsetType, param: str) -> None:
    if first is not UNSET and last is not UNSET and last <= first:
        raise Invalid("The end must be after the beginning.", param)


P = TypeVar("P", bound=Parameters)
_FIELD = re.compile(r"`([^`$]+)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")


def read(kind: type[P], parameters: Mapping[str, Any]) -> P:
    """Check ``parameters`` and make them typed; raises Invalid."""
    try:
        return msgspec.convert(parameters, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, Invalid):
            raise error.__cause__ from None
        raise _invalid(str(error)) from None


def _invalid(message: str) -> Invalid:
    """Turn the decoder's message into the parameter it speaks of."""
    path = found.group(1) if (found := _PATH.search(message)) else ""
    bare = _PATH.sub("", message)
    missing, unknown = bare.startswith("Object missing"), bare.startswith("Object contains unknown")
    if (missing or unknown) and (name := _FIELD.search(bare)):
        path = f"{path}.{name.group(1)}" if path else name.group(1)
    return Invalid(f"{bare}.", path, code="missing_required_field" if missing else "invalid_parameter")


def schema_of(kind: type[Parameters]) -> dict[str, Any]:
    """Make the JSON Schema of a tool's parameters: one closed object without references."""
    (whole,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    schema: dict[str, Any] = _inlined(whole, parts)
    del schema["description"]
    return schema


def _inlined(node: Any, parts: Mapping[str, Any]) -> Any:
    """Put every part in the place of its reference, and leave out the names of our classes."""
    if isinstance(node, list):
        return [_inlined(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(parts[node["$ref"]], parts)
    return {key: _inlined(item, parts) for key, item in node.items() if not (key == "title" and isinstance(item, str))}

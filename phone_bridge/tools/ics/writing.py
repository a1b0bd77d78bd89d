"""Writing iCalendar: events to components, new ones or in the place of old ones, whose other properties stay."""

import copy
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

import icalendar
import msgspec
from icalendar import Component, vCalAddress, vCategory, vDDDLists, vGeo, vRecur, vText, vUri

from phone_bridge.tools.ics.names import DEED, EXTRAS, PRODUCT, Extras, said, uid_for
from phone_bridge.tools.ics.reading import LINKS, original_start
from phone_bridge.tools.keeper import Event, Meeting, Series

_PARTSTATS = {
    "accepted": "ACCEPTED",
    "declined": "DECLINED",
    "tentative": "TENTATIVE",
    "needs_action": "NEEDS-ACTION",
}
_TIMES = frozenset({"start_time", "end_time", "timezone", "all_day", "recurrence"})
_write_extras = msgspec.json.Encoder().encode


def write(objects: Iterable[Series], *, name: str = "") -> bytes:
    """Write calendar objects as one ``.ics`` file, with the time zones that they use; ``name`` is the calendar's."""
    calendar = _calendar()
    if name:
        calendar.add("X-WR-CALNAME", name)
    for series in objects:
        uid = uid_for(series.master)
        for event in (series.master, *series.overrides):
            calendar.add_component(_component(uid, event, series.master))
    return _text(calendar)


def written(
    uid: str,
    master: Event,
    overrides: Sequence[Event],
    *,
    deed: str,
    source: icalendar.Calendar | None = None,
    before: Series | None = None,
) -> bytes:
    """Write one calendar object, named ``uid``.

    ``source`` is the object that it was, or was cut from, and ``before`` what was read there: of its components, only
    what differs is written anew. ``deed`` is kept in the master.
    """
    old = _Source(source, before)
    calendar = _calendar() if source is None else _emptied(source)
    for event in (master, *overrides):
        component = _component(uid, event, master, old.of(event))
        if event is master:
            component.pop(DEED, None)
            component.add(DEED, quote(deed, safe=""))
        calendar.add_component(component)
    return _text(calendar)


def deed_of(calendar: icalendar.Calendar) -> str:
    """Read the deed by which an object was written last; empty where somebody else wrote it."""
    return next((unquote(str(each[DEED])) for each in calendar.walk("VEVENT") if DEED in each), "")


class _Source:
    """The components that events were read from, by the occurrence that they are about."""

    def __init__(self, calendar: icalendar.Calendar | None, before: Series | None) -> None:
        self._components: dict[datetime | None, Component] = {}
        self._events: dict[datetime | None, Event] = {}
        if calendar is None or before is None:
            return
        for component in calendar.walk("VEVENT"):
            self._components.setdefault(original_start(component, before.master.timezone), component)
        for event in (before.master, *before.overrides):
            self._events[event.original_start_time] = event

    def of(self, event: Event) -> tuple[Component, Event] | None:
        """Find what stood in the place of ``event``."""
        at = event.original_start_time if event.series_id is not None else None
        component, before = self._components.get(at), self._events.get(at)
        return (copy.deepcopy(component), before) if component is not None and before is not None else None


def _component(uid: str, event: Event, master: Event, old: tuple[Component, Event] | None = None) -> Component:
    component, before = old if old is not None else (icalendar.Event(), None)
    _put(component, "UID", uid)
    changed = {name for name in _WRITERS if before is None or getattr(before, name) != getattr(event, name)}
    if changed & _TIMES:
        changed |= _TIMES
    for name in _WRITERS:
        if name in changed:
            _WRITERS[name](component, event)
    _put(component, "RECURRENCE-ID", _original(event, master))
    _put(component, EXTRAS, _extras(event))
    if changed and before is not None:
        _put(component, "SEQUENCE", int(component.get("SEQUENCE", 0)) + 1)
    return component


# Properties, by the field that they say


def _title(component: Component, event: Event) -> None:
    _put(component, "SUMMARY", event.title)


def _times(component: Component, event: Event) -> None:
    _put(component, "DURATION", None)
    _put(component, "DTSTART", _date(event.start_time, event))
    _put(component, "DTEND", _date(event.end_time, event))


def _recurrence(component: Component, event: Event) -> None:
    for name in ("RRULE", "EXDATE", "RDATE"):
        _put(component, name, None)
    recurrence = event.recurrence if event.series_id is None else None
    if recurrence is None:
        return
    component.add("RRULE", vRecur.from_ical(recurrence.rule))
    for name, moments in (("EXDATE", recurrence.exdates), ("RDATE", recurrence.rdates)):
        if moments:
            dates = vDDDLists([_date(at, event) for at in moments])
            component.add(name, dates, parameters={"VALUE": "DATE"} if event.all_day else {})


def _description(component: Component, event: Event) -> None:
    _put(component, "DESCRIPTION", event.description)


def _category(component: Component, event: Event) -> None:
    _put(component, "CATEGORIES", [event.category] if event.category else None)


def _location(component: Component, event: Event) -> None:
    place = event.location
    _put(component, "LOCATION", said(place) or None)
    if place is not None and place.lat is not None and place.lng is not None:
        _put(component, "GEO", vGeo((place.lat, place.lng)))
    else:
        _put(component, "GEO", None)


def _attendees(component: Component, event: Event) -> None:
    """Keep what else is known of those who stay: roles, and whether they were asked for an answer."""
    value = component.pop("ATTENDEE", None)
    old = value if isinstance(value, list) else [value] if value is not None else []
    known = {str(address).lower().removeprefix("mailto:"): address for address in old}
    others = [address for address in old if not str(address).lower().startswith("mailto:")]
    for attendee in event.attendees:
        address = known.get(attendee.email.lower()) or vCalAddress(f"mailto:{attendee.email}")
        address.params["PARTSTAT"] = _PARTSTATS[attendee.status]
        if attendee.name:
            # A backslash means nothing in a parameter (RFC 5545, 3.2), and yet readers take what follows it for itself.
            address.params["CN"] = attendee.name.replace("\\", "/")
        component.add("ATTENDEE", address)
    for address in others:
        component.add("ATTENDEE", address)


def _meeting(component: Component, event: Event) -> None:
    link = event.meeting.link if event.meeting is not None else None
    for name in LINKS:
        _put(component, name, None)
    if link:
        component.add("CONFERENCE", vUri(link), parameters={"VALUE": "URI"})


def _status(component: Component, event: Event) -> None:
    if event.is_cancelled:
        _put(component, "STATUS", "CANCELLED")
    elif str(component.get("STATUS", "")).upper() == "CANCELLED":
        _put(component, "STATUS", None)


def _created(component: Component, event: Event) -> None:
    _put(component, "CREATED", event.created_at.astimezone(UTC))


def _updated(component: Component, event: Event) -> None:
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        _put(component, name, event.updated_at.astimezone(UTC))


_WRITERS: dict[str, Callable[[Component, Event], None]] = {
    "title": _title,
    "start_time": _times,
    "end_time": _times,
    "timezone": _times,
    "all_day": _times,
    "recurrence": _recurrence,
    "description": _description,
    "category": _category,
    "location": _location,
    "attendees": _attendees,
    "meeting": _meeting,
    "is_cancelled": _status,
    "created_at": _created,
    "updated_at": _updated,
}


# Pieces


def _put(component: Component, name: str, value: Any) -> None:
    component.pop(name, None)
    if value is not None:
        component.add(name, value)


def _date(moment: datetime, event: Event) -> date:
    """Write a moment by the event's own clock; in UTC where that clock shows the same hour twice, or for no series."""
    local = moment.astimezone(ZoneInfo(event.timezone))
    if event.all_day:
        return local.date()
    ambiguous = event.recurrence is None and event.series_id is None and local.fold
    return moment.astimezone(UTC) if ambiguous or event.timezone == "UTC" else local


def _original(event: Event, master: Event) -> date | None:
    if event.series_id is None or event.original_start_time is None:
        return None
    return _date(event.original_start_time, master)


def _extras(event: Event) -> str | None:
    """Write down what is lost otherwise: the zone of whole days, and of hours said in UTC, and fields of our own."""
    local, place = event.start_time.astimezone(ZoneInfo(event.timezone)), event.location
    extras = Extras(
        timezone=event.timezone if event.all_day or local.fold else None,
        location=place if place is not None and (place.name or place.type) else None,
        from_location=event.from_location,
        travel=event.travel,
        meeting=event.meeting if event.meeting is not None and not _plain(event.meeting) else None,
        color_hex=event.color_hex,
        cancelled_at=event.cancelled_at,
        cancel_reason=event.cancel_reason,
    )
    return None if extras == Extras() else quote(_write_extras(extras), safe="")


def _plain(meeting: Meeting) -> bool:
    """Tell whether its link says all of a meeting."""
    return meeting.type == "online" and meeting.link is not None


def _calendar() -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    return calendar


def _emptied(source: icalendar.Calendar) -> icalendar.Calendar:
    """Keep a calendar's own properties and time zones, without its events."""
    calendar = copy.copy(source)
    calendar.subcomponents = [each for each in source.subcomponents if each.name != "VEVENT"]
    return calendar


class _Text(vText):
    """A text that is written as it is: the library takes a backslash before an N for the end of a line."""

    def to_ical(self) -> bytes:
        """Escape a text (RFC 5545, 3.3.11)."""
        return re.sub(r"([\\;,])", r"\\\1", re.sub(r"\r\n?", "\n", self)).replace("\n", r"\n").encode()


def _escaped(value: Any) -> Any:
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    if isinstance(value, vCategory):
        categories = vCategory([], params=value.params)
        categories.cats = [_Text(each) for each in value.cats]
        return categories
    return _Text(value, params=value.params) if type(value) is vText else value


def _text(calendar: icalendar.Calendar) -> bytes:
    calendar.add_missing_timezones()
    for component in calendar.walk():
        component.update({name: _escaped(value) for name, value in component.items()})
    text: bytes = calendar.to_ical()
    return text

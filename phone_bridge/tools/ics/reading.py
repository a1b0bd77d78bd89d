"""Reading iCalendar: components to events, and a word on each that cannot be one."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import icalendar
import msgspec
from icalendar import Component
from icalendar.prop.broken import vBroken
from msgspec import Struct, structs

from phone_bridge.errors import Refused
from phone_bridge.tools.ics.names import EXTRAS, Extras, event_id, said
from phone_bridge.tools.keeper import Attendee, Event, Location, Meeting, Recurrence, Series, Source
from phone_bridge.tools.rules import BadRule, Rule, moment_of
from phone_bridge.tools.series import occurrence_id

MAX_BYTES = 16 * 1024 * 1024
"""The largest file that is read."""
MAX_EVENTS = 20_000
"""The most events of one file."""
TITLE_CHARS, TEXT_CHARS = 500, 8_000
"""How much is kept of a title, and of a description."""
UID_CHARS = 255
"""RFC 7986, 5.3: longer UIDs are nobody's."""
UNTITLED = "Untitled"

_WEIGHTY = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
"""Properties without which an event would stand at a wrong time."""
_STATUSES = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
LINKS = ("CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL")
_read_extras = msgspec.json.Decoder(Extras).decode


class Skipped(Struct, frozen=True):
    """An event that could not be read: what it is called, as far as it says, and why."""

    name: str
    reason: str


class Found(Struct, frozen=True):
    """What a text holds: its calendar objects in their order, and what had to be left out."""

    objects: tuple[Series, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class _Unreadable(ValueError):
    """One event says something that cannot be; the message is for people."""


def parse(text: bytes | str) -> list[icalendar.Calendar]:
    """Read a text as calendars; raises Refused (``invalid_calendar``) for what is none."""
    if len(text) > MAX_BYTES:
        raise Refused(f"A calendar file has at most {MAX_BYTES >> 20} MB.", code="calendar_too_large")
    try:
        found = icalendar.Component.from_ical(text, multiple=True)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise _no_calendar() from None
    calendars = [each for each in found if isinstance(each, icalendar.Calendar)]
    if not calendars:
        raise _no_calendar()
    return calendars


def read(text: bytes | str, *, user_id: str, zone: str, now: datetime) -> Found:
    """Read the events of a text for a user; what names no time zone is of ``zone``. Raises Refused.

    Each object has the id that ``names.event_id`` makes of its UID. ``now`` stands where a text does not say when an
    event was made.
    """
    components = [each for calendar in parse(text) for each in calendar.walk("VEVENT")]
    if len(components) > MAX_EVENTS:
        raise Refused(f"A calendar file has at most {MAX_EVENTS} events.", code="calendar_too_large")
    reader = _Reader(user_id, zone, now)
    objects, skipped = [], []
    for uid, group in _by_uid(components).items():
        try:
            series, left_out = reader.series(uid, group)
            objects.append(series)
            skipped += left_out
        except _Unreadable as error:
            skipped.append(Skipped(_name(group[0]), str(error)))
    return Found(tuple(objects), tuple(skipped))


def original_start(component: Component, zone: str) -> datetime | None:
    """Find which occurrence of its series a component is about; None for the series itself."""
    at = _date_of(component, "RECURRENCE-ID")
    return None if at is None else _moment(at, zone)


class _Reader:
    """Reads the events of one user; ``zone`` is that of whatever names none."""

    def __init__(self, user_id: str, zone: str, now: datetime) -> None:
        self._user_id = user_id
        self._zone = zone
        self._now = now

    def series(self, uid: str, components: list[Component]) -> tuple[Series, list[Skipped]]:
        """Read one calendar object; its exceptions are left out one by one where they cannot be read."""
        if not uid or len(uid) > UID_CHARS:
            raise _Unreadable(f"an event needs a UID of 1 to {UID_CHARS} characters")
        own = [each for each in components if each.get("RECURRENCE-ID") is None]
        if not own:  # somebody was invited to one occurrence alone: an event like any other
            return Series(master=self._event(uid, components[0])), self._superfluous(components[1:])
        master = self._event(uid, own[0])
        overrides, skipped = {}, self._superfluous(own[1:])
        for component in components:
            if component.get("RECURRENCE-ID") is None:
                continue
            try:
                override = self._override(uid, component, master)
                overrides[override.id] = override
            except _Unreadable as error:
                skipped.append(Skipped(_name(component), str(error)))
        return Series(master=master, overrides=tuple(overrides.values())), skipped

    def _superfluous(self, components: Iterable[Component]) -> list[Skipped]:
        return [Skipped(_name(each), "another event has the same UID") for each in components]

    def _override(self, uid: str, component: Component, master: Event) -> Event:
        if master.recurrence is None:
            raise _Unreadable("it changes one occurrence of a series that does not recur")
        original = original_start(component, master.timezone)
        if original is None:
            raise _Unreadable("its RECURRENCE-ID cannot be read")
        if component["RECURRENCE-ID"].params.get("RANGE"):
            raise _Unreadable("it changes this and all later occurrences at once (RANGE), which is not kept here")
        event = self._event(uid, component, master.timezone)
        return structs.replace(
            event,
            id=occurrence_id(master, original),
            series_id=master.id,
            original_start_time=original,
            recurrence=None,
        )

    def _event(self, uid: str, component: Component, zone: str = "") -> Event:
        broken = [name for name, _ in component.errors if name in _WEIGHTY]
        if broken:
            raise _Unreadable(f"its {broken[0]} cannot be read")
        extras = _extras(component)
        start, end, all_day, timezone = self._times(component, extras.timezone, zone or self._zone)
        cancelled = str(component.get("STATUS", "")).upper() == "CANCELLED"
        updated = self._stamp(component, "LAST-MODIFIED", "DTSTAMP")
        return Event(
            id=event_id(uid),
            user_id=self._user_id,
            title=_text(component, "SUMMARY")[:TITLE_CHARS] or UNTITLED,
            start_time=start,
            end_time=end,
            timezone=timezone,
            all_day=all_day,
            description=_text(component, "DESCRIPTION")[:TEXT_CHARS] or None,
            category=_category(component),
            color_hex=extras.color_hex,
            location=_location(component, extras),
            from_location=extras.from_location,
            travel=extras.travel,
            recurrence=_recurrence(component, timezone),
            attendees=tuple(_attendees(component)),
            meeting=extras.meeting or _meeting(component),
            source=Source(type="ics", external_id=uid),
            is_cancelled=cancelled,
            cancelled_at=(extras.cancelled_at or updated) if cancelled else None,
            cancel_reason=extras.cancel_reason if cancelled else None,
            created_at=self._stamp(component, "CREATED", "DTSTAMP"),
            updated_at=updated,
        )

    def _times(self, component: Component, own: str | None, zone: str) -> tuple[datetime, datetime, bool, str]:
        begin = _date_of(component, "DTSTART")
        if begin is None:
            raise _Unreadable("it does not say when it begins (DTSTART)")
        all_day = not isinstance(begin, datetime)
        timezone = own or _zone_of(begin, zone)
        start = _moment(begin, timezone)
        end = _date_of(component, "DTEND")
        lasting = component.get("DURATION")
        if end is not None:
            ends = _moment(end, timezone)
        elif lasting is not None and isinstance(lasting.dt, timedelta):
            ends = _later(begin, lasting.dt, timezone)
        else:  # RFC 5545, 3.6.1: a day of whole days, no time at all otherwise
            ends = _later(begin, timedelta(days=1), timezone) if all_day else start
        if ends < start:
            raise _Unreadable("it ends before it begins")
        return start, ends, all_day, timezone

    def _stamp(self, component: Component, *names: str) -> datetime:
        for name in names:
            at = _date_of(component, name)
            if at is not None:
                return _moment(at, "UTC")
        return self._now


# Values


def _by_uid(components: Iterable[Component]) -> dict[str, list[Component]]:
    groups: dict[str, list[Component]] = {}
    for component in components:
        groups.setdefault(str(component.get("UID", "")).strip(), []).append(component)
    return groups


def _name(component: Component) -> str:
    return _text(component, "SUMMARY")[:TITLE_CHARS] or str(component.get("UID", "")) or UNTITLED


def _text(component: Component, name: str) -> str:
    return str(_first(component.get(name)) or "").strip()


def _first(value: Any) -> Any:
    """Take the first of a property that stands more than once; what is broken counts as missing."""
    first = (value[0] if value else None) if isinstance(value, list) else value
    return None if isinstance(first, vBroken) else first


def _date_of(component: Component, name: str) -> date | None:
    value = getattr(_first(component.get(name)), "dt", None)
    return value if isinstance(value, date) else None


def _zone_of(moment: date, zone: str) -> str:
    """Name the time zone of a moment; of a zone that the text defines by itself, the user's is the nearest thing."""
    if not isinstance(moment, datetime):
        return zone
    key = getattr(moment.tzinfo, "key", None)
    if key:
        return str(key)
    return "UTC" if moment.tzinfo is UTC else zone


def _moment(value: date, zone: str) -> datetime:
    """Turn a date (its midnight), a floating time or a time into a moment in UTC."""
    try:
        if not isinstance(value, datetime):
            return moment_of(datetime(value.year, value.month, value.day), ZoneInfo(zone))
        return moment_of(value, ZoneInfo(zone)) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise _Unreadable("its time lies outside of all calendars") from None


def _later(begin: date, lasting: timedelta, zone: str) -> datetime:
    """Add a duration: whole days by the clock, the rest in real time (RFC 5545, 3.3.6)."""
    try:
        days = timedelta(days=lasting.days)
        return _moment(begin + days, zone) + (lasting - days)
    except OverflowError:
        raise _Unreadable("its time lies outside of all calendars") from None


def _recurrence(component: Component, zone: str) -> Recurrence | None:
    rule = component.get("RRULE")
    dates = tuple(_moments(component, "RDATE", zone))
    if rule is None:
        if dates:
            raise _Unreadable("it recurs on single dates without a rule (RDATE), which is not kept here")
        return None
    if isinstance(rule, list):
        raise _Unreadable("it recurs by several rules at once, which is not kept here")
    try:
        text = str(Rule.parse(rule.to_ical().decode()))
    except BadRule as error:
        raise _Unreadable(f"its rule cannot be reckoned with: {error}") from None
    return Recurrence(_freq_first(text), exdates=tuple(_moments(component, "EXDATE", zone)), rdates=dates)


def _freq_first(rule: str) -> str:
    return ";".join(sorted(rule.split(";"), key=lambda part: not part.startswith("FREQ=")))


def _moments(component: Component, name: str, zone: str) -> Iterator[datetime]:
    value = component.get(name)
    lists = value if isinstance(value, list) else [value] if value is not None else []
    for each in lists:
        for one in getattr(each, "dts", ()):
            at = one.dt
            yield _moment(at[0] if isinstance(at, tuple) else at, zone)  # a period counts by its beginning


def _category(component: Component) -> str | None:
    value = _first(component.get("CATEGORIES"))
    names = [str(name).strip() for name in getattr(value, "cats", ())]
    return next((name for name in names if name), None)


def _location(component: Component, extras: Extras) -> Location | None:
    text = _text(component, "LOCATION")
    if extras.location is not None and said(extras.location) == text:
        return extras.location
    lat, lng = _geo(component)
    if not text and lat is None:
        return None
    return Location(address=text or None, lat=lat, lng=lng)


def _geo(component: Component) -> tuple[float | None, float | None]:
    geo = _first(component.get("GEO"))
    lat, lng = getattr(geo, "latitude", None), getattr(geo, "longitude", None)
    inside = lat is not None and lng is not None and -90 <= lat <= 90 and -180 <= lng <= 180
    return (lat, lng) if inside else (None, None)


def _attendees(component: Component) -> Iterator[Attendee]:
    value = component.get("ATTENDEE")
    for one in value if isinstance(value, list) else [value] if value is not None else []:
        email = str(one or "").strip()
        email = email[len("mailto:") :] if email.lower().startswith("mailto:") else email
        if email.count("@") != 1 or " " in email or email.startswith("@") or email.endswith("@"):
            continue  # rooms and machines have addresses of other kinds
        params = getattr(one, "params", {})
        status = _STATUSES.get(str(params.get("PARTSTAT", "")).upper(), "needs_action")
        yield msgspec.convert({"email": email, "name": str(params.get("CN", "")) or None, "status": status}, Attendee)


def _meeting(component: Component) -> Meeting | None:
    for name in LINKS:
        link = _text(component, name)
        if link.startswith(("https://", "http://")):
            return Meeting(type="online", link=link)
    return None


def _extras(component: Component) -> Extras:
    """Read what this house wrote; others may have changed it, and then it says nothing."""
    try:
        extras = _read_extras(unquote(_text(component, EXTRAS)) or "{}")
        ZoneInfo(extras.timezone or "UTC")
    except (msgspec.MsgspecError, KeyError, ValueError, OSError):
        return Extras()
    return extras


def _no_calendar() -> Refused:
    return Refused(
        "That is no iCalendar file: it begins with BEGIN:VCALENDAR, and every BEGIN has its END.",
        code="invalid_calendar",
    )

"""What the reader and the writer of iCalendar agree on: names of events, and what iCalendar itself has no word for."""

from datetime import datetime

from msgspec import Struct

from phone_bridge.tools.keeper import Event, Location, Meeting, Travel

PRODUCT = "-//phone_bridge//EN"

EXTRAS = "X-PHONE-BRIDGE"
"""Holds what iCalendar has no property for; other programs keep it and do not show it. JSON, percent-encoded: some of
them cut a value at its first comma."""

DEED = "X-PHONE-BRIDGE-DEED"
"""Names the deed by which an object was written last, so that it is not done twice; percent-encoded as well."""

PREFIX = "evt_ical"
"""How the ids of events begin that are named by their UID; an id has six letters or digits at least."""


class Extras(Struct, frozen=True, omit_defaults=True):
    """What iCalendar has no property for, of one event."""

    timezone: str | None = None
    location: Location | None = None
    from_location: Location | None = None
    travel: Travel | None = None
    meeting: Meeting | None = None
    color_hex: str | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None


def event_id(uid: str) -> str:
    """Make an event's id of its UID; ``uid_of`` finds that again, so that nobody has to keep the pair."""
    return PREFIX + uid.encode().hex()


def uid_of(event_id: str) -> str | None:
    """Find the UID that an id was made of; None for an id that was not made so."""
    if not event_id.startswith(PREFIX):
        return None
    try:
        uid = bytes.fromhex(event_id.removeprefix(PREFIX)).decode()
    except ValueError:
        return None
    return uid if uid and uid.isprintable() else None


def uid_for(event: Event) -> str:
    """Name an event in iCalendar: as where it came from, or by its own id."""
    return event.source.external_id or event.id


def said(location: Location | None) -> str:
    """Write a place as one line."""
    parts = (location.name, location.address) if location is not None else ()
    return ", ".join(dict.fromkeys(part for part in parts if part))

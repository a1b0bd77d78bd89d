"""Results of tools as JSON's values: ``{"ok": True, …}``, or ``{"ok": False, "error": {…}}``."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from phone_bridge.tools.departure import Departure
from phone_bridge.tools.free_time import Span
from phone_bridge.tools.keeper import Event, Invitation

Result = dict[str, Any]
_TIMES = ("start_time", "end_time", "original_start_time")


def failure(type: str, code: str, message: str, param: str = "", **more: Any) -> Result:
    """Make the result of a tool that could not do its work."""
    error = {"type": type, "code": code, "message": message}
    return {"ok": False, "error": {**error, **({"param": param} if param else {}), **more}}


def value(thing: Any) -> Any:
    """Write a value as JSON's."""
    return msgspec.to_builtins(thing)


def plain_event(event: Event) -> dict[str, Any]:
    """Write an event as JSON's values, its times in its own zone."""
    plain: dict[str, Any] = msgspec.to_builtins(event)
    plain["attendees"] = list(plain["attendees"])
    for name in _TIMES:
        moment = getattr(event, name)
        plain[name] = None if moment is None else local(moment, event.timezone)
    return plain


def named(event: Event) -> dict[str, Any]:
    """Name an event shortly, so that a caller can tell it from others."""
    location = event.location
    return {
        "event_id": event.id,
        "title": event.title,
        "start_time": local(event.start_time, event.timezone),
        "end_time": local(event.end_time, event.timezone),
        "location": (location.name or location.address) if location else None,
    }


def touched(event: Event, **more: Any) -> Result:
    """Make the result of a tool that is about one event."""
    return {"ok": True, "event": plain_event(event), **more, "resource": resource("event", event.id)}


def resource(object: str, id: str) -> dict[str, str]:
    """Name what a tool touched."""
    return {"object": object, "id": id}


def page(found: Sequence[Any], limit: int, write: Any = value, key: Any = lambda each: each.id) -> Result:
    """Make one page of a list."""
    data = found[:limit]
    more = len(found) > len(data)
    return {
        "ok": True,
        "object": "list",
        "data": [write(each) for each in data],
        "has_more": more,
        "next_cursor": key(data[-1]) if more else None,
    }


def told(invitations: Iterable[Invitation]) -> Result:
    """Say who is to be told: the messages are kept and queued, and nothing here has sent them."""
    messages = [
        {"invitation_id": each.id, "attendee_email": each.attendee_email, "status": each.status} for each in invitations
    ]
    return {"invitations": messages, "delivered": False}


def plain_departure(departure: Departure | None, zone: str) -> dict[str, Any] | None:
    """Write when to leave, on the clock of a zone."""
    if departure is None:
        return None
    plain: dict[str, Any] = value(departure)
    for name in ("earliest_departure", "latest_departure", "calculated_at", "next_recalc_at"):
        plain[name] = local(getattr(departure, name), zone)
    return plain


def local(moment: datetime, zone: str) -> str:
    """Write a moment on the clock of a zone."""
    return moment.astimezone(ZoneInfo(zone)).isoformat()


def plain_span(span: Span, zone: ZoneInfo) -> dict[str, Any]:
    """Write a stretch of time."""
    return {"start": span.start.astimezone(zone).isoformat(), "end": span.end.astimezone(zone).isoformat()}

"""What came of an action whose session was lost, by the API's own word on the event that it touched."""

import re
from datetime import datetime
from typing import Any

import msgspec

from phone_bridge.call.events import Action
from phone_bridge.call.handing_on import EXECUTED, UNKNOWN
from phone_bridge.exchange import Response

NOT_EXECUTED = "not_executed"

_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_-]{1,64}")
_COMPARED = ("title", "start_time", "end_time", "description", "category", "all_day")
_GONE = (404, 410)
_OK = 200


class _Event(msgspec.Struct):
    id: str
    is_cancelled: bool = False
    title: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    description: str | None = None
    category: str | None = None
    all_day: bool | None = None


_read_event = msgspec.json.Decoder(_Event).decode


def event_of(action: Action) -> str:
    """Name the one event that ``action`` changes in a way that can be seen in it; "" where there is none."""
    event_id = action.parameters.get("event_id")
    seen = action.name in ("cancel_event", "update_event") and "series_scope" not in action.parameters
    return event_id if seen and isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id) else ""


def outcome(action: Action, response: Response) -> str:
    """Compare an event with what ``action`` was to make of it."""
    if response.status in _GONE:
        return EXECUTED if action.name == "cancel_event" else UNKNOWN
    if response.status != _OK:
        return UNKNOWN
    try:
        event = _read_event(response.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return UNKNOWN
    if event.id != action.parameters.get("event_id"):
        return UNKNOWN
    if action.name == "cancel_event":
        return EXECUTED if event.is_cancelled else NOT_EXECUTED
    return _changed(action.parameters, event)


def _changed(wanted: dict[str, Any], event: _Event) -> str:
    """An event that differs in all that was wanted was not changed; one that differs in a part says nothing."""
    names = [name for name in _COMPARED if name in wanted]
    same = [_alike(wanted[name], getattr(event, name)) for name in names]
    if not names or (any(same) and not all(same)):
        return UNKNOWN
    return EXECUTED if all(same) else NOT_EXECUTED


def _alike(wanted: object, found: object) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        try:
            return datetime.fromisoformat(wanted) == datetime.fromisoformat(found)
        except (ValueError, TypeError):
            return wanted == found
    return wanted == found

"""What to tell of the ways to events: that it is time to leave, and that somebody is going to be late; pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from phone_bridge.assistant.webhooks import Happening
from phone_bridge.tools.keeper import Event

AHEAD = timedelta(hours=12)
"""How far ahead events are looked at."""
AFTER = timedelta(hours=1)
"""How long after its beginning an event is looked at still."""

Result = Mapping[str, Any]
"""What a tool gave."""


def is_watched(event: Event, now: datetime) -> bool:
    """Tell whether somebody may be on the way to ``event``, or should be."""
    there = event.location is not None and not event.all_day and not event.is_cancelled
    return there and now - AFTER <= event.start_time <= now + AHEAD


def due(event: Event, departure: Result, lateness: Result, now: datetime) -> list[Happening]:
    """Say what is to be told now, going by the results of ``get_departure_info`` and ``check_if_late``.

    Each is told once for one beginning of an event: its deed has the beginning in it.
    """
    found = []
    about = {"event_id": event.id, "user_id": event.user_id}
    deed = f"{event.user_id}:{event.id}:{event.start_time.isoformat()}"
    leaves = departure.get("ok") and lateness.get("status") != "arrived" and now < event.start_time
    if leaves and _has_come(departure["earliest_departure"], now):
        times = {name: departure[name] for name in ("earliest_departure", "latest_departure")}
        found.append(Happening(type="departure.threshold_reached", object={**about, **times}, deed=deed))
    if lateness.get("ok") and lateness["status"] == "late" and lateness.get("predicted_arrival"):
        late = {name: lateness[name] for name in ("predicted_arrival", "minutes_late")}
        found.append(Happening(type="event.late_predicted", object={**about, **late}, deed=deed))
    return found


def _has_come(time: str, now: datetime) -> bool:
    return datetime.fromisoformat(time) <= now

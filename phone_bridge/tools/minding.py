"""The tools about alerts and reminders."""

from datetime import timedelta
from typing import Any

from msgspec import UNSET

from phone_bridge.errors import Refused
from phone_bridge.tools import parameters as p
from phone_bridge.tools.desk import Desk
from phone_bridge.tools.keeper import Alert, ReminderFields, User
from phone_bridge.tools.plain import Result, page, resource, value
from phone_bridge.tools.schemas import Invalid


async def get_alerts(desk: Desk, user: User, asked: p.GetAlerts, _key: str) -> Result:
    """List alerts, the newest first."""
    found = await desk.keeper.alerts(
        user.id,
        status=None if asked.status == "all" else asked.status,
        event_id=asked.event_id or None,
        type=asked.type or None,
        since=asked.since or None,
    )
    if asked.cursor:
        ids = [alert.id for alert in found]
        if asked.cursor not in ids:
            raise Invalid("The cursor belongs to another list.", "cursor")
        found = found[ids.index(asked.cursor) + 1 :]
    return page(found, asked.limit)


async def dismiss_alert(desk: Desk, user: User, asked: p.DismissAlert, key: str) -> Result:
    """Dismiss one alert, or all of them."""
    ids = None if asked.alert_id is UNSET else [asked.alert_id]
    dismissed = await desk.keeper.dismiss_alerts(user.id, ids, key=key)
    return _touched(dismissed, single=ids is not None)


async def snooze_alert(desk: Desk, user: User, asked: p.SnoozeAlert, key: str) -> Result:
    """Put an alert off."""
    now = desk.now()
    until = asked.until or now + timedelta(minutes=asked.minutes or p.SNOOZE_MINUTES)
    if until <= now:
        raise Invalid("An alert is put off until later than now.", "until")
    return _touched([await desk.keeper.snooze_alert(user.id, asked.alert_id, until, key=key)], single=True)


async def create_reminder(desk: Desk, user: User, asked: p.CreateReminder, key: str) -> Result:
    """Remind the user at a time, or before an event or the departure to it."""
    if asked.event_id is not UNSET:
        event = await desk.keeper.event(asked.event_id, user_id=user.id)
        if event.is_cancelled:
            raise Refused("That event is cancelled.", code="event_already_cancelled")
        if asked.offset_minutes_before_departure is not UNSET and event.location is None:
            raise Invalid(f"{event.title} has no place to leave for.", "offset_minutes_before_departure")
    reminder = await desk.keeper.create_reminder(user.id, ReminderFields(**asked.given()), key=key)
    return {"ok": True, "reminder": value(reminder), "resource": resource("reminder", reminder.id)}


def _touched(alerts: list[Alert], *, single: bool) -> Result:
    told: dict[str, Any] = {"ok": True, "alerts": [value(alert) for alert in alerts]}
    if single:
        return {**told, "alert": value(alerts[0]), "resource": resource("alert", alerts[0].id)}
    return {**told, "resources": [resource("alert", alert.id) for alert in alerts]}

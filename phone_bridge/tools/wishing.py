"""The tools about lasting wishes: preferences, quiet hours, alert profile and buffers."""

from typing import Any, Literal

from msgspec import UNSET, structs

from phone_bridge.tools import parameters as p
from phone_bridge.tools.desk import Desk
from phone_bridge.tools.keeper import Buffers, QuietHours, Tracking, User, UserEdit, WorkingHours
from phone_bridge.tools.plain import Result, resource, value
from phone_bridge.tools.schemas import Invalid
from phone_bridge.tools.table import CALENDAR_TOOLS

_SHOWN = (
    "timezone",
    "locale",
    "default_travel_mode",
    "default_event_duration_min",
    "working_hours",
    "home_location",
    "work_location",
    "preferred_time_of_day",
    "voice",
    "auto_confirm",
)


async def update_preferences(desk: Desk, user: User, asked: p.UpdatePreferences, key: str) -> Result:
    """Change preferences."""
    wanted = asked.given()
    if isinstance(hours := wanted.get("working_hours"), p.Hours):
        wanted["working_hours"] = WorkingHours(hours.start, hours.end, hours.days)
    if asked.auto_confirm is not UNSET:
        wanted["auto_confirm"] = _unasked(asked.auto_confirm)
    edit = await desk.keeper.update_user(user.id, lambda known: structs.replace(known, **wanted), key=key)
    return _changed(edit, preferences={name: value(getattr(edit.after, name)) for name in _SHOWN})


async def set_quiet_hours(desk: Desk, user: User, asked: p.SetQuietHours, key: str) -> Result:
    """Set or end the quiet hours; hours that are not said stay as they were."""

    def quiet(known: User) -> User:
        old = known.quiet_hours
        new = QuietHours(
            enabled=asked.enabled,
            start=asked.start or old.start,
            end=asked.end or old.end,
            days=asked.days or old.days,
            timezone=asked.timezone or old.timezone,
            allow_critical=asked.allow_critical,
        )
        return structs.replace(known, quiet_hours=new)

    edit = await desk.keeper.update_user(user.id, quiet, key=key)
    return _changed(edit, quiet_hours=value(edit.after.quiet_hours))


async def set_alert_profile(desk: Desk, user: User, asked: p.SetAlertProfile, key: str) -> Result:
    """Choose how much to be alerted, in general or about one event."""
    if asked.event_id is UNSET:
        edit = await desk.keeper.update_user(
            user.id, lambda known: structs.replace(known, alert_profile=asked.profile), key=key
        )
        return _changed(edit, profile=edit.after.alert_profile)
    event = await desk.keeper.event(asked.event_id, user_id=user.id)

    def profiled(tracking: Tracking) -> Tracking:
        return structs.replace(tracking, alert_profile=asked.profile)

    tracking = await desk.keeper.update_tracking(user.id, event.id, profiled, key=key)
    return {
        "ok": True,
        "profile": tracking.alert_profile,
        "event_id": event.id,
        "title": event.title,
        "resource": resource("event", event.id),
    }


async def set_global_buffer(desk: Desk, user: User, asked: p.SetGlobalBuffer, key: str) -> Result:
    """Set how many minutes to spare."""

    def buffered(known: User) -> User:
        buffers: Buffers = structs.replace(known.buffers, **{asked.kind: asked.minutes})
        return structs.replace(known, buffers=buffers)

    edit = await desk.keeper.update_user(user.id, buffered, key=key)
    return _changed(edit, buffers=value(edit.after.buffers), kind=asked.kind, minutes=asked.minutes)


def _unasked(names: list[str] | Literal["none"]) -> tuple[str, ...]:
    """Check the names of tools that are to be done without asking; raises Invalid."""
    wanted = () if names == "none" else tuple(dict.fromkeys(names))
    strangers = [name for name in wanted if name not in CALENDAR_TOOLS]
    if strangers:
        raise Invalid(f"There is no tool called {strangers[0][:40]}.", "auto_confirm")
    return wanted


def _changed(edit: UserEdit, **more: Any) -> Result:
    return {"ok": True, **more, "changed_fields": edit.changed_fields(), "resource": resource("user", edit.after.id)}

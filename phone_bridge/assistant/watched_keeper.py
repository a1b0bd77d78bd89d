"""A keeper whose writing is told to others: whoever changes a calendar here, webhooks tell of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from phone_bridge.assistant.webhooks import Happening
from phone_bridge.tools.keeper import CalendarKeeper, Edit, Event, EventFields, SeriesScope

K = TypeVar("K", bound=CalendarKeeper)
Tell = Callable[[Happening], Awaitable[None]]


def watched(keeper: K, tell: Tell) -> K:
    """Give ``keeper`` again, so that what it writes of events is told under the name of its deed, hence once."""
    return cast("K", _Watched(keeper, tell))


class _Watched:
    def __init__(self, keeper: CalendarKeeper, tell: Tell) -> None:
        self._keeper = keeper
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keeper, name)

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        event = await self._keeper.create_event(user_id, fields, key=key)
        await self._told("event.created", event, key, title=event.title, start_time=event.start_time)
        return event

    async def update_event(
        self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str, scope: SeriesScope = "this"
    ) -> Edit:
        edit = await self._keeper.update_event(user_id, event_id, change, key=key, scope=scope)
        changed = edit.changed_fields()
        if changed:
            await self._told("event.updated", edit.after, key, changed_fields=changed)
        if "start_time" in changed:
            times = {"old_start_time": edit.before.start_time, "new_start_time": edit.after.start_time}
            await self._told("event.rescheduled", edit.after, key, **times)
        return edit

    async def cancel_event(
        self, user_id: str, event_id: str, *, reason: str | None, key: str, scope: SeriesScope = "this"
    ) -> Event:
        event = await self._keeper.cancel_event(user_id, event_id, reason=reason, key=key, scope=scope)
        await self._told("event.cancelled", event, key, cancelled_at=event.cancelled_at)
        return event

    async def delete_event(self, user_id: str, event_id: str, *, key: str, scope: SeriesScope = "this") -> Event:
        event = await self._keeper.delete_event(user_id, event_id, key=key, scope=scope)
        await self._told("event.deleted", event, key)
        return event

    async def _told(self, kind: str, event: Event, key: str, **more: Any) -> None:
        about = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in more.items()}
        told = {"event_id": event.id, "user_id": event.user_id, **about}
        await self._tell(Happening(type=kind, object=told, deed=f"{event.user_id}:{key}:{event.id}"))

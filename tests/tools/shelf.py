"""A keeper of calendars in memory: the tools need nothing but the promise."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools.keeper import Edit, Event, EventFields, Reminder, ReminderFields, User

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
"""A Tuesday, ten in the morning in New York."""
ALICE = User(id="usr_alice", name="Alice", email="alice@example.com", timezone="America/New_York")


class Shelf:
    """Keep Alice's calendar in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, Event] = {}
        self.reminders: dict[str, Reminder] = {}
        self.broken = False
        self.slow = False
        self._outcomes: dict[str, Any] = {}

    def add(self, title: str, start: datetime, end: datetime, **more: Any) -> str:
        """Put an event on the shelf; its id."""
        fields = {"timezone": ALICE.timezone, "created_at": NOW, "updated_at": NOW, "user_id": ALICE.id, **more}
        event = Event(id=f"evt_{len(self.kept):06}", title=title, start_time=start, end_time=end, **fields)
        self.kept[event.id] = event
        return event.id

    async def user(self, user_id: str) -> User:
        if self.broken:
            raise Unavailable("The shelf fell down.", code="calendar_unavailable")
        if self.slow:
            await asyncio.Event().wait()
        if user_id != ALICE.id:
            raise Refused("There is no such user.", code="resource_missing")
        return ALICE

    async def events(
        self, user_id: str, *, start: datetime | None, end: datetime | None, include_cancelled: bool = False
    ) -> list[Event]:
        touching = [
            event
            for event in self.kept.values()
            if (start is None or event.end_time > start)
            and (end is None or event.start_time < end)
            and (include_cancelled or not event.is_cancelled)
        ]
        return sorted(touching, key=lambda event: event.start_time)

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        if key not in self._outcomes:
            made: dict[str, Any] = {
                "id": f"evt_{len(self.kept):06}",
                "user_id": user_id,
                "created_at": NOW,
                "updated_at": NOW,
            }
            self._outcomes[key] = Event(**structs.asdict(fields), **made)
            self.kept[self._outcomes[key].id] = self._outcomes[key]
        event: Event = self._outcomes[key]
        return event

    async def update_event(self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str) -> Edit:
        if event_id not in self.kept:
            raise Refused("There is no such event.", code="resource_missing")
        edit = Edit(self.kept[event_id], change(self.kept[event_id]))
        self.kept[event_id] = edit.after
        return edit

    async def cancel_event(self, user_id: str, event_id: str, *, reason: str | None, key: str) -> Event:
        def gone(event: Event) -> Event:
            return structs.replace(event, is_cancelled=True, cancelled_at=NOW, cancel_reason=reason)

        return (await self.update_event(user_id, event_id, gone, key=key)).after

    async def create_reminder(self, user_id: str, fields: ReminderFields, *, key: str) -> Reminder:
        reminder = Reminder(**structs.asdict(fields), id=f"rem_{len(self.reminders)}", user_id=user_id, created_at=NOW)
        self.reminders[reminder.id] = reminder
        return reminder

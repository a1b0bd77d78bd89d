"""A keeper of calendars in memory: the tools need nothing but the promise."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import structs

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools import series as unrolling
from phone_bridge.tools.keeper import (
    Alert,
    AlertFields,
    AlertStatus,
    AlertType,
    Calendar,
    Edit,
    Event,
    EventFields,
    Invitation,
    InvitationFields,
    Reminder,
    ReminderFields,
    ReminderStatus,
    Series,
    SeriesScope,
    Tracking,
    User,
    UserEdit,
)

T = TypeVar("T")

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
"""A Tuesday, ten in the morning in New York."""
ALICE = User(id="usr_alice", name="Alice", email="alice@example.com", timezone="America/New_York")
BOB = User(id="usr_bob", name="Bob", email="bob@example.com", timezone="Europe/Berlin", shares_free_busy=True)
CAROL = User(id="usr_carol", name="Carol", email="carol@example.com")
HOME = Calendar(id="cal_home", user_id=ALICE.id, name="Home", timezone=ALICE.timezone, is_default=True)
TEAM = Calendar(id="cal_team", user_id=ALICE.id, name="Team", timezone=ALICE.timezone, writable=False)


class Shelf:
    """Keep the calendars of Alice, Bob and Carol in dictionaries; ``broken`` and ``slow`` are how it fails."""

    def __init__(self) -> None:
        self.now = NOW
        self.kept: dict[str, Event] = {}
        self.known = {user.id: user for user in (ALICE, BOB, CAROL)}
        self.reminding: dict[str, Reminder] = {}
        self.alerting: dict[str, Alert] = {}
        self.ways: dict[str, Tracking] = {}
        self.messages: list[Invitation] = []
        self.broken = False
        self.slow = False
        self.deeds = 0
        self._outcomes: dict[str, Any] = {}
        self._made = 0

    # What tests put there

    def add(self, title: str, start: datetime, end: datetime, **more: Any) -> str:
        """Put an event on the shelf; its id."""
        fields = {"timezone": ALICE.timezone, "created_at": NOW, "updated_at": NOW, "user_id": ALICE.id, **more}
        event = Event(id=f"evt_{len(self.kept):06}", title=title, start_time=start, end_time=end, **fields)
        self.kept[event.id] = event
        return event.id

    def alarm(self, **fields: Any) -> str:
        """Put an alert on the shelf; its id."""
        alert = Alert(id=f"alt_{len(self.alerting):06}", user_id=ALICE.id, created_at=NOW, **fields)
        self.alerting[alert.id] = alert
        return alert.id

    def know(self, user_id: str, **fields: Any) -> None:
        """Change what is known of a user."""
        self.known[user_id] = structs.replace(self.known[user_id], **fields)

    # Events

    async def calendars(self, user_id: str) -> list[Calendar]:
        await self.user(user_id)
        return [calendar for calendar in (HOME, TEAM) if calendar.user_id == user_id]

    async def events(
        self,
        user_id: str,
        *,
        start: datetime | None,
        end: datetime | None,
        include_cancelled: bool = False,
        unroll: bool = True,
    ) -> list[Event]:
        first, last = unrolling.window(start, end, self.now)
        found: list[Event] = []
        for master in self._masters(user_id):
            if master.recurrence is None or not unroll:
                touches = (start is None or master.end_time > start or master.recurrence is not None) and (
                    end is None or master.start_time < end
                )
                found += [master] if touches and (include_cancelled or not master.is_cancelled) else []
            else:
                found += unrolling.occurrences(self._whole(master), first, last, include_cancelled=include_cancelled)
        return sorted(found, key=lambda event: event.start_time)

    async def event(self, event_id: str, *, user_id: str | None = None) -> Event:
        return unrolling.occurrence(self._object(user_id, event_id), event_id)

    async def series(self, user_id: str, event_id: str) -> Series:
        return self._object(user_id, event_id)

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        def work() -> Event:
            made: dict[str, Any] = {"user_id": user_id, "created_at": NOW, "updated_at": NOW}
            event = Event(**structs.asdict(fields), id=self._new_id("evt"), **made)
            unrolling.check(event)
            self.kept[event.id] = event
            return event

        return self._once(key, work)

    async def update_event(
        self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str, scope: SeriesScope = "this"
    ) -> Edit:
        def work() -> Edit:
            whole = self._object(user_id, event_id)
            rewrite = unrolling.changed(
                whole, event_id, scope, change, now=self.now, new_id=lambda: self._new_id("evt")
            )
            self._apply(rewrite)
            return rewrite.edit

        return self._once(key, work)

    async def cancel_event(
        self, user_id: str, event_id: str, *, reason: str | None, key: str, scope: SeriesScope = "this"
    ) -> Event:
        def gone(event: Event) -> Event:
            return structs.replace(event, is_cancelled=True, cancelled_at=NOW, cancel_reason=reason)

        return (await self.update_event(user_id, event_id, gone, key=key, scope=scope)).after

    async def delete_event(self, user_id: str, event_id: str, *, key: str, scope: SeriesScope = "this") -> Event:
        def work() -> Event:
            rewrite = unrolling.deleted(self._object(user_id, event_id), event_id, scope, now=self.now)
            self._apply(rewrite)
            return rewrite.edit.before

        return self._once(key, work)

    # Users and what is theirs

    async def user(self, user_id: str) -> User:
        if self.broken:
            raise Unavailable("The shelf fell down.", code="calendar_unavailable")
        if self.slow:
            await asyncio.Event().wait()
        if user_id not in self.known:
            raise Refused("There is no such user.", code="resource_missing")
        return self.known[user_id]

    async def users(self, *, after: str | None = None, limit: int = 100) -> list[User]:
        return [user for id, user in sorted(self.known.items()) if after is None or id > after][:limit]  # noqa: A001

    async def update_user(self, user_id: str, change: Callable[[User], User], *, key: str) -> UserEdit:
        def work() -> UserEdit:
            before = self.known[user_id]
            self.known[user_id] = change(before)
            return UserEdit(before, self.known[user_id])

        return self._once(key, work)

    async def reminders(
        self, user_id: str, *, status: ReminderStatus | None = None, event_id: str | None = None
    ) -> list[Reminder]:
        mine = [each for each in self.reminding.values() if each.user_id == user_id]
        return [each for each in mine if status in (None, each.status) and event_id in (None, each.event_id)]

    async def reminder(self, reminder_id: str, *, user_id: str | None = None) -> Reminder:
        return self.reminding[reminder_id]

    async def create_reminder(self, user_id: str, fields: ReminderFields, *, key: str) -> Reminder:
        def work() -> Reminder:
            reminder = Reminder(**structs.asdict(fields), id=self._new_id("rem"), user_id=user_id, created_at=NOW)
            self.reminding[reminder.id] = reminder
            return reminder

        return self._once(key, work)

    async def update_reminder(
        self, user_id: str, reminder_id: str, change: Callable[[Reminder], Reminder], *, key: str
    ) -> Reminder:
        self.reminding[reminder_id] = change(self.reminding[reminder_id])
        return self.reminding[reminder_id]

    async def alerts(
        self,
        user_id: str,
        *,
        status: AlertStatus | None = "active",
        event_id: str | None = None,
        type: AlertType | None = None,
        since: datetime | None = None,
    ) -> list[Alert]:
        return [
            alert
            for alert in self.alerting.values()
            if status in (None, alert.status)
            and event_id in (None, alert.event_id)
            and type in (None, alert.type)
            and (since is None or alert.created_at >= since)
        ]

    async def alert(self, alert_id: str, *, user_id: str | None = None) -> Alert:
        if alert_id not in self.alerting:
            raise Refused("There is no such alert.", code="resource_missing")
        return self.alerting[alert_id]

    async def create_alert(self, user_id: str, fields: AlertFields, *, key: str) -> Alert:
        return self._once(key, lambda: self.alerting[self.alarm(**structs.asdict(fields))])

    async def dismiss_alerts(self, user_id: str, alert_ids: Sequence[str] | None, *, key: str) -> list[Alert]:
        def work() -> list[Alert]:
            wanted = [id for id, each in self.alerting.items() if each.status in ("active", "snoozed")]  # noqa: A001
            for alert_id in wanted if alert_ids is None else alert_ids:
                self.alerting[alert_id] = structs.replace(self.alerting[alert_id], status="dismissed")
            return [self.alerting[alert_id] for alert_id in (wanted if alert_ids is None else alert_ids)]

        return self._once(key, work)

    async def snooze_alert(self, user_id: str, alert_id: str, until: datetime, *, key: str) -> Alert:
        def work() -> Alert:
            put_off = structs.replace(self.alerting[alert_id], status="snoozed", snoozed_until=until)
            self.alerting[alert_id] = put_off
            return put_off

        await self.alert(alert_id)
        return self._once(key, work)

    async def tracking(self, user_id: str, event_id: str) -> Tracking:
        return self.ways.get(event_id, Tracking(event_id=event_id))

    async def update_tracking(
        self, user_id: str, event_id: str, change: Callable[[Tracking], Tracking], *, key: str
    ) -> Tracking:
        def work() -> Tracking:
            self.ways[event_id] = change(self.ways.get(event_id, Tracking(event_id=event_id)))
            return self.ways[event_id]

        return self._once(key, work)

    async def invitations(self, user_id: str, event_id: str) -> list[Invitation]:
        return [each for each in self.messages if each.event_id == event_id]

    async def create_invitations(
        self, user_id: str, event_id: str, fields: Sequence[InvitationFields], *, key: str
    ) -> list[Invitation]:
        def work() -> list[Invitation]:
            made: dict[str, Any] = {"event_id": event_id, "organizer_user_id": user_id, "created_at": NOW}
            new = [Invitation(**structs.asdict(each), id=self._new_id("inv"), **made) for each in fields]
            self.messages += new
            return new

        return self._once(key, work)

    # Inside

    def _once(self, key: str, work: Callable[[], T]) -> T:
        if key not in self._outcomes:
            self._outcomes[key] = work()
            self.deeds += 1
        outcome: T = self._outcomes[key]
        return outcome

    def _new_id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{900000 + self._made}"

    def _masters(self, user_id: str) -> list[Event]:
        return [event for event in self.kept.values() if event.user_id == user_id and event.series_id is None]

    def _whole(self, master: Event) -> Series:
        return Series(
            master=master, overrides=tuple(event for event in self.kept.values() if event.series_id == master.id)
        )

    def _object(self, user_id: str | None, event_id: str) -> Series:
        master = self.kept.get(event_id) or self.kept.get(unrolling.series_id_of(event_id) or "")
        if master is not None and master.series_id is not None:
            master = self.kept.get(master.series_id)
        if master is None or user_id not in (None, master.user_id):
            raise Refused("There is no such event in this calendar.", code="resource_missing")
        return self._whole(master)

    def _apply(self, rewrite: unrolling.Rewrite) -> None:
        for event_id in rewrite.gone:
            self.kept.pop(event_id, None)
        for event in rewrite.kept:
            self.kept[event.id] = event

"""The half of the calendar's database that no calendar server keeps: users, reminders, alerts, ways, messages."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, Select, Table, func, or_, select, update

from phone_bridge.assistant.calendar.deeds import Ledger, find, in_thread, read, row_of, write
from phone_bridge.assistant.calendar.tables import ALERTS, INVITATIONS, REMINDERS, TRACKINGS, USERS
from phone_bridge.errors import Refused
from phone_bridge.runtime import database
from phone_bridge.tools.keeper import (
    Alert,
    AlertFields,
    AlertStatus,
    AlertType,
    Invitation,
    InvitationFields,
    Reminder,
    ReminderFields,
    ReminderStatus,
    Tracking,
    User,
    UserEdit,
)


class SqlUsers:
    """Keep users and what is theirs in a database; see ``tools.keeper.UserKeeper``."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def add_user(self, user: User) -> None:
        """Keep a new user; one who is known stays as they are."""
        await in_thread(self.put_user, user)

    async def user(self, user_id: str) -> User:
        """Find a user."""
        return await in_thread(self._find, USERS, user_id, None, User, "user")

    async def users(self, *, after: str | None = None, limit: int = 100) -> list[User]:
        """List users by their ids, those behind ``after``."""
        query = select(USERS).order_by(USERS.c.id).limit(limit)
        return await in_thread(self._list, query if after is None else query.where(USERS.c.id > after), User)

    async def update_user(self, user_id: str, change: Callable[[User], User], *, key: str) -> UserEdit:
        """Put ``change(user)`` in the place of a user."""

        def work(db: Connection) -> UserEdit:
            before = find(db, select(USERS).where(USERS.c.id == user_id).with_for_update(), User, "user")
            after = change(before)
            db.execute(update(USERS).where(USERS.c.id == user_id).values(row_of(after, USERS)))
            return UserEdit(before, after)

        return await self._ledger.once(UserEdit, user_id, key, work)

    # Reminders

    async def reminders(
        self, user_id: str, *, status: ReminderStatus | None = None, event_id: str | None = None
    ) -> list[Reminder]:
        """List a user's reminders, the oldest first."""
        query = _reminders().where(REMINDERS.c.user_id == user_id)
        if status is not None:
            query = query.where(REMINDERS.c.status == status)
        if event_id is not None:
            query = query.where(or_(REMINDERS.c.about_event_id == event_id, REMINDERS.c.event_id == event_id))
        return await in_thread(self._list, query.order_by(REMINDERS.c.created_at, REMINDERS.c.id), Reminder)

    async def reminder(self, reminder_id: str, *, user_id: str | None = None) -> Reminder:
        """Find a reminder; of anybody's where no user is named."""
        query = _reminders().where(REMINDERS.c.id == reminder_id)
        if user_id is not None:
            query = query.where(REMINDERS.c.user_id == user_id)
        return await in_thread(self._one, query, Reminder, "reminder")

    async def create_reminder(self, user_id: str, fields: ReminderFields, *, key: str) -> Reminder:
        """Keep a new reminder."""

        def work(db: Connection) -> Reminder:
            made: dict[str, Any] = {
                "id": self._ledger.new_id("rem"),
                "user_id": user_id,
                "created_at": self._ledger.now(),
            }
            reminder = Reminder(**structs.asdict(fields), **made)
            write(db, REMINDERS, _reminder_row(reminder))
            return reminder

        return await self._ledger.once(Reminder, user_id, key, work)

    async def update_reminder(
        self, user_id: str, reminder_id: str, change: Callable[[Reminder], Reminder], *, key: str
    ) -> Reminder:
        """Put ``change(reminder)`` in the place of a reminder."""

        def work(db: Connection) -> Reminder:
            mine = _reminders().where(REMINDERS.c.id == reminder_id, REMINDERS.c.user_id == user_id)
            reminder = change(find(db, mine.with_for_update(), Reminder, "reminder"))
            db.execute(update(REMINDERS).where(REMINDERS.c.id == reminder_id).values(_reminder_row(reminder)))
            return reminder

        return await self._ledger.once(Reminder, user_id, key, work)

    # Alerts

    async def alerts(
        self,
        user_id: str,
        *,
        status: AlertStatus | None = "active",
        event_id: str | None = None,
        type: AlertType | None = None,
        since: datetime | None = None,
    ) -> list[Alert]:
        """List a user's alerts, the newest first; None as the status lists all."""
        query = select(ALERTS).where(ALERTS.c.user_id == user_id)
        if event_id is not None:
            query = query.where(ALERTS.c.event_id == event_id)
        if type is not None:
            query = query.where(ALERTS.c.type == type)
        if since is not None:
            query = query.where(ALERTS.c.created_at >= since)
        kept = await in_thread(self._list, query.order_by(ALERTS.c.created_at.desc(), ALERTS.c.id), Alert)
        found = self._as_of_now(kept)
        return found if status is None else [alert for alert in found if alert.status == status]

    async def alert(self, alert_id: str, *, user_id: str | None = None) -> Alert:
        """Find an alert; of anybody's where no user is named."""
        return as_of(await in_thread(self._find, ALERTS, alert_id, user_id, Alert, "alert"), self._ledger.now())

    async def create_alert(self, user_id: str, fields: AlertFields, *, key: str) -> Alert:
        """Keep a new alert."""
        return await self._ledger.once(Alert, user_id, key, lambda db: self.raise_alert(db, user_id, fields))

    async def dismiss_alerts(self, user_id: str, alert_ids: Sequence[str] | None, *, key: str) -> list[Alert]:
        """Dismiss alerts, or (None) all that are active or snoozed; those that are dismissed already stay so."""

        def work(db: Connection) -> list[Alert]:
            found = self._as_of_now(_lock_alerts(db, user_id, alert_ids))
            wanted = found if alert_ids is not None else [each for each in found if each.status in _STANDING]
            gone = [structs.replace(alert, status="dismissed", snoozed_until=None) for alert in wanted]
            for alert in gone:
                db.execute(update(ALERTS).where(ALERTS.c.id == alert.id).values(row_of(alert, ALERTS)))
            return gone

        return await self._ledger.once(list[Alert], user_id, key, work)

    async def snooze_alert(self, user_id: str, alert_id: str, until: datetime, *, key: str) -> Alert:
        """Put an alert off."""

        def work(db: Connection) -> Alert:
            (alert,) = self._as_of_now(_lock_alerts(db, user_id, [alert_id]))
            if alert.status not in _STANDING:
                raise Refused(f"That alert is {alert.status} already.", code="alert_not_active")
            put_off = structs.replace(alert, status="snoozed", snoozed_until=until)
            db.execute(update(ALERTS).where(ALERTS.c.id == alert.id).values(row_of(put_off, ALERTS)))
            return put_off

        return await self._ledger.once(Alert, user_id, key, work)

    # Ways to events, and messages about them

    async def tracking(self, user_id: str, event_id: str) -> Tracking:
        """Tell what is known of the way to an event."""
        found = await in_thread(self._list, _tracking(user_id, event_id), Tracking)
        return found[0] if found else Tracking(event_id=event_id)

    async def update_tracking(
        self, user_id: str, event_id: str, change: Callable[[Tracking], Tracking], *, key: str
    ) -> Tracking:
        """Put ``change(tracking)`` in the place of what is known of the way to an event."""

        def work(db: Connection) -> Tracking:
            row = db.execute(_tracking(user_id, event_id).with_for_update()).mappings().one_or_none()
            before = Tracking(event_id=event_id) if row is None else read(row, Tracking)
            after = structs.replace(change(before), updated_at=self._ledger.now())
            columns = {**row_of(after, TRACKINGS), "user_id": user_id}
            new = database.insert(db, TRACKINGS).values(columns)
            db.execute(new.on_conflict_do_update(index_elements=["user_id", "event_id"], set_=columns))
            return after

        return await self._ledger.once(Tracking, user_id, key, work)

    async def invitations(self, user_id: str, event_id: str) -> list[Invitation]:
        """List the messages to those who take part in an event, the oldest first."""
        query = _invitations(user_id, event_id).order_by(INVITATIONS.c.ical_sequence, INVITATIONS.c.id)
        return await in_thread(self._list, query, Invitation)

    async def create_invitations(
        self, user_id: str, event_id: str, fields: Sequence[InvitationFields], *, key: str
    ) -> list[Invitation]:
        """Keep messages to those who take part in an event; nothing here sends them."""

        def work(db: Connection) -> list[Invitation]:
            last = select(func.max(INVITATIONS.c.ical_sequence)).where(
                INVITATIONS.c.organizer_user_id == user_id, INVITATIONS.c.event_id == event_id
            )
            sequence = db.execute(last).scalar_one()
            common: dict[str, Any] = {
                "event_id": event_id,
                "organizer_user_id": user_id,
                "ical_sequence": 0 if sequence is None else sequence + 1,
                "created_at": self._ledger.now(),
            }
            new = [Invitation(**structs.asdict(each), id=self._ledger.new_id("inv"), **common) for each in fields]
            for invitation in new:
                write(db, INVITATIONS, row_of(invitation, INVITATIONS))
            return new

        return await self._ledger.once(list[Invitation], user_id, key, work)

    # In transactions that are open already, or to be made

    def put_user(self, user: User) -> None:
        """Keep a new user; one who is known stays as they are; blocks."""
        with self._ledger.transaction() as db:
            new = database.insert(db, USERS).values(row_of(user, USERS))
            db.execute(new.on_conflict_do_nothing(index_elements=[USERS.c.id]))

    def raise_alert(self, db: Connection, user_id: str, fields: AlertFields) -> Alert:
        """Keep a new alert."""
        made: dict[str, Any] = {"id": self._ledger.new_id("alt"), "user_id": user_id, "created_at": self._ledger.now()}
        alert = Alert(**structs.asdict(fields), **made)
        write(db, ALERTS, row_of(alert, ALERTS))
        return alert

    def _find(self, table: Table, id: str, user_id: str | None, kind: type[Any], what: str) -> Any:
        query = select(table).where(table.c.id == id)
        return self._one(query if user_id is None else query.where(table.c.user_id == user_id), kind, what)

    def _one(self, query: Select[Any], kind: type[Any], what: str) -> Any:
        with self._ledger.transaction() as db:
            return find(db, query, kind, what)

    def _list(self, query: Select[Any], kind: type[Any]) -> list[Any]:
        with self._ledger.transaction() as db:
            return [read(row, kind) for row in db.execute(query).mappings()]

    def _as_of_now(self, alerts: Iterable[Alert]) -> list[Alert]:
        now = self._ledger.now()
        return [as_of(alert, now) for alert in alerts]


_STANDING = ("active", "snoozed")


def as_of(alert: Alert, now: datetime) -> Alert:
    """Show an alert as it stands at ``now``: snoozes end, and alerts expire, by themselves."""
    if alert.status in _STANDING and alert.expires_at is not None and alert.expires_at <= now:
        return structs.replace(alert, status="expired", snoozed_until=None)
    if alert.status == "snoozed" and alert.snoozed_until is not None and alert.snoozed_until <= now:
        return structs.replace(alert, status="active", snoozed_until=None)
    return alert


def _lock_alerts(db: Connection, user_id: str, alert_ids: Sequence[str] | None) -> list[Alert]:
    """Read alerts to be changed; raises Refused unless all that are named are there."""
    query = select(ALERTS).where(ALERTS.c.user_id == user_id).order_by(ALERTS.c.id)
    if alert_ids is not None:
        query = query.where(ALERTS.c.id.in_(alert_ids))
    found = [read(row, Alert) for row in db.execute(query.with_for_update()).mappings()]
    if alert_ids is not None and len(found) < len(set(alert_ids)):
        raise Refused("There is no such alert.", code="resource_missing")
    return found


def _reminders() -> Select[Any]:
    """Select reminders with the event that they are about, wherever it is kept."""
    event_id = func.coalesce(REMINDERS.c.about_event_id, REMINDERS.c.event_id).label("event_id")
    others = [column for column in REMINDERS.columns if column.name not in ("event_id", "about_event_id")]
    return select(event_id, *others)


def _reminder_row(reminder: Reminder) -> dict[str, Any]:
    return {**row_of(reminder, REMINDERS), "event_id": None, "about_event_id": reminder.event_id}


def _tracking(user_id: str, event_id: str) -> Select[Any]:
    return select(TRACKINGS).where(TRACKINGS.c.user_id == user_id, TRACKINGS.c.event_id == event_id)


def _invitations(user_id: str, event_id: str) -> Select[Any]:
    return select(INVITATIONS).where(INVITATIONS.c.organizer_user_id == user_id, INVITATIONS.c.event_id == event_id)

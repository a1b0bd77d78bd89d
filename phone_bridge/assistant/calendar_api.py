"""Calendars over HTTP: ``/v1/events``, ``/v1/reminders``, ``/v1/alerts`` and ``/v1/users``.

What is written is written by the tools, so that a program and a caller are held to the same schemas and rules; what is
read is read from the keeper.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec import structs

from phone_bridge.assistant import paging
from phone_bridge.assistant.front import Asked, Caller, Front, Visit
from phone_bridge.assistant.minting import is_object
from phone_bridge.assistant.paging import Query
from phone_bridge.assistant.ports import Tools
from phone_bridge.assistant.problems import Problem, of_words
from phone_bridge.exchange import Response
from phone_bridge.tools import parameters, schemas
from phone_bridge.tools.keeper import CalendarKeeper, Event, Reminder
from phone_bridge.tools.plain import plain_event

ORDERS = ("created_desc", "start_time_asc")
REMINDER_STATUSES = ("scheduled", "fired", "cancelled", "all")
ALERT_STATUSES = ("active", "snoozed", "dismissed", "expired", "all")

_FROM_PATH = "is said by the path"

T = TypeVar("T")


class CalendarApi:
    """The calendars of ``keeper`` for programs; ``tools`` do what is written.

    Where no user is named, and the key opens more than one, ``user_id`` is meant.
    """

    def __init__(self, front: Front, keeper: CalendarKeeper, tools: Tools, user_id: str) -> None:
        self._front = front
        self._keeper = keeper
        self._tools = tools
        self._user_id = user_id

    # Events

    async def list_events(self, asked: Asked) -> Response:
        """Answer ``GET /v1/events``."""
        with self._front.visit(asked) as visit:
            user_id = visit.admit("events:read").user_of(_given(asked.query, "user_id"), self._user_id)
            page, wanted = paging.read(asked.query), _wanted(asked.query)
            by_start = paging.choice(asked.query, "order", ORDERS, ORDERS[0]) == "start_time_asc"
            start, end = _window(asked.query)
            found = await self._keeper.events(
                user_id,
                start=start,
                end=end,
                include_cancelled=paging.flag(asked.query, "include_cancelled"),
                unroll=start is not None or end is not None or by_start,
            )
            events = [event for event in found if wanted(event)]
            if not by_start:
                events.sort(key=lambda event: (event.created_at, event.id), reverse=True)
            visit.answer(page.cut(events, lambda event: event.id, plain_event))
        return visit.response

    async def show_event(self, asked: Asked, id: str) -> Response:
        """Answer ``GET /v1/events/{id}``, cancelled or not."""
        with self._front.visit(asked) as visit:
            visit.answer(plain_event(await self._event(visit.admit("events:read"), id)))
        return visit.response

    async def create_event(self, asked: Asked) -> Response:
        """Answer ``POST /v1/events``: the parameters of ``create_event``, and whose it is in ``user_id``."""
        with self._front.visit(asked) as visit:
            caller = visit.admit("events:write")
            wish = is_object(visit.body())
            if visit.is_new(wish):
                given = {**wish}
                user_id = caller.user_of(_text(given.pop("user_id", None), "user_id"), self._user_id)
                visit.answer((await self._done(visit, user_id, "create_event", given))["event"], 201)
        return visit.response

    async def change_event(self, asked: Asked, id: str) -> Response:
        """Answer ``PATCH /v1/events/{id}``: the parameters of ``update_event`` but its ``event_id``."""
        with self._front.visit(asked) as visit:
            event = await self._event(visit.admit("events:write"), id)
            wish = _without(is_object(visit.body()), "event_id")
            if visit.is_new(wish):
                given = {"event_id": event.id, **wish}
                visit.answer((await self._done(visit, event.user_id, "update_event", given))["event"])
        return visit.response

    async def delete_event(self, asked: Asked, id: str) -> Response:
        """Answer ``DELETE /v1/events/{id}``: cancel it, or forget it for good with ``hard=true``; again is no error."""
        with self._front.visit(asked) as visit:
            event = await self._event(visit.admit("events:write"), id)
            if paging.flag(asked.query, "hard"):
                gone = await self._keeper.delete_event(event.user_id, event.id, key=visit.deed)
                visit.answer(plain_event(gone))
            elif event.is_cancelled:
                visit.answer(plain_event(event))
            else:
                given = {"event_id": event.id, **_some(asked.query, "reason", "series_scope")}
                visit.answer((await self._done(visit, event.user_id, "cancel_event", given))["event"])
        return visit.response

    # Reminders

    async def list_reminders(self, asked: Asked) -> Response:
        """Answer ``GET /v1/reminders``."""
        with self._front.visit(asked) as visit:
            user_id = visit.admit("events:read").user_of(_given(asked.query, "user_id"), self._user_id)
            page = paging.read(asked.query)
            status = paging.choice(asked.query, "status", REMINDER_STATUSES, "all")
            created = paging.within(asked.query, "created")
            found = await self._keeper.reminders(user_id, event_id=_given(asked.query, "event_id"))
            wanted = [each for each in found if created(each.created_at) and status in ("all", each.status)]
            visit.answer(page.cut(wanted[::-1], lambda reminder: reminder.id, _itself))
        return visit.response

    async def show_reminder(self, asked: Asked, id: str) -> Response:
        """Answer ``GET /v1/reminders/{id}``."""
        with self._front.visit(asked) as visit:
            caller = visit.admit("events:read")
            reminder = await self._keeper.reminder(id)
            visit.answer(_own(caller, reminder.user_id, reminder))
        return visit.response

    async def create_reminder(self, asked: Asked) -> Response:
        """Answer ``POST /v1/reminders``: the parameters of ``create_reminder``, and whose it is in ``user_id``."""
        with self._front.visit(asked) as visit:
            caller = visit.admit("events:write")
            wish = is_object(visit.body())
            if visit.is_new(wish):
                given = {**wish}
                user_id = caller.user_of(_text(given.pop("user_id", None), "user_id"), self._user_id)
                visit.answer((await self._done(visit, user_id, "create_reminder", given))["reminder"], 201)
        return visit.response

    async def delete_reminder(self, asked: Asked, id: str) -> Response:
        """Answer ``DELETE /v1/reminders/{id}``: cancel it; again is no error, and one that has fired stays as it is."""
        with self._front.visit(asked) as visit:
            caller = visit.admit("events:write")
            reminder = await self._keeper.reminder(id)
            _own(caller, reminder.user_id, reminder)
            if reminder.status == "scheduled":
                reminder = await self._keeper.update_reminder(reminder.user_id, id, _cancelled, key=visit.deed)
            visit.answer(reminder)
        return visit.response

    # Users

    async def show_user(self, asked: Asked, id: str) -> Response:
        """Answer ``GET /v1/users/{id}``."""
        with self._front.visit(asked) as visit:
            caller = visit.admit("profile:read")
            visit.answer(await self._keeper.user(_own(caller, id, id)))
        return visit.response

    async def change_user(self, asked: Asked, id: str) -> Response:
        """Answer ``PATCH /v1/users/{id}``: the parameters of the tools that keep a user's wishes, each in its place."""
        with self._front.visit(asked) as visit:
            caller = visit.admit("profile:write")
            user = await self._keeper.user(_own(caller, id, id))
            wish = is_object(visit.body())
            if visit.is_new(wish):
                for at, (tool, given) in enumerate(_wishes(wish)):
                    await self._done(visit, user.id, tool, given, part=str(at))
                visit.answer(await self._keeper.user(id))
        return visit.response

    # Alerts

    async def list_alerts(self, asked: Asked) -> Response:
        """Answer ``GET /v1/alerts``."""
        with self._front.visit(asked) as visit:
            user_id = visit.admit("alerts:read").user_of(_given(asked.query, "user_id"), self._user_id)
            page = paging.read(asked.query)
            status = paging.choice(asked.query, "status", ALERT_STATUSES, "active")
            kind, created = _given(asked.query, "type"), paging.within(asked.query, "created")
            found = await self._keeper.alerts(user_id, status=None, event_id=_given(asked.query, "event_id"))
            wanted = [
                each
                for each in found
                if status in ("all", each.status) and kind in (None, each.type) and created(each.created_at)
            ]
            visit.answer(page.cut(wanted, lambda alert: alert.id, _itself))
        return visit.response

    async def dismiss_alert(self, asked: Asked, id: str) -> Response:
        """Answer ``POST /v1/alerts/{id}/dismiss``; again is no error."""
        return await self._treat_alert(asked, id, "dismiss_alert", {})

    async def snooze_alert(self, asked: Asked, id: str) -> Response:
        """Answer ``POST /v1/alerts/{id}/snooze``: the parameters of ``snooze_alert`` but its ``alert_id``."""
        return await self._treat_alert(asked, id, "snooze_alert", None)

    async def _treat_alert(self, asked: Asked, id: str, tool: str, wish: Mapping[str, Any] | None) -> Response:
        with self._front.visit(asked) as visit:
            caller = visit.admit("alerts:write")
            alert = await self._keeper.alert(id)
            _own(caller, alert.user_id, alert)
            if wish is None:
                wish = _without(is_object(visit.body() if asked.body else {}), "alert_id")
            if visit.is_new(wish):
                await self._done(visit, alert.user_id, tool, {"alert_id": alert.id, **wish})
                visit.answer(await self._keeper.alert(id))
        return visit.response

    # What all have in common

    async def _event(self, caller: Caller, id: str) -> Event:
        event = await self._keeper.event(id)
        return _own(caller, event.user_id, event)

    async def _done(
        self, visit: Visit, user_id: str, tool: str, given: Mapping[str, Any], part: str = ""
    ) -> dict[str, Any]:
        """Have a tool do it and give its result; raises Problem for one that could not."""
        result = await self._tools.run(user_id, tool, given, key=visit.deed + part)
        if not result["ok"]:
            error = result["error"]
            raise of_words(error["type"], error["code"], error["message"], error.get("param", ""))
        return result


def _own(caller: Caller, user_id: str, thing: T) -> T:
    """Give ``thing`` if the key opens its user's calendar; to another key it does not exist."""
    if not caller.key.opens(user_id):
        raise Problem("there is nothing of that id", code="resource_missing", param="id")
    return thing


def _cancelled(reminder: Reminder) -> Reminder:
    return structs.replace(reminder, status="cancelled")


def _wishes(wish: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Part what is wished for a user into the tools that keep it; raises Problem, before any of it is done."""
    plain = {**wish}
    quiet, buffers = plain.pop("quiet_hours", None), plain.pop("buffers", None)
    profile = plain.pop("alert_profile", None)
    parts: list[tuple[str, str, type[schemas.Parameters], dict[str, Any]]] = []
    if plain or not wish:
        parts.append(("", "update_preferences", parameters.UpdatePreferences, plain))
    if quiet is not None:
        parts.append(("quiet_hours", "set_quiet_hours", parameters.SetQuietHours, is_object(quiet, "quiet_hours")))
    if profile is not None:
        parts.append(("alert_profile", "set_alert_profile", parameters.SetAlertProfile, {"profile": profile}))
    for kind, minutes in is_object(buffers or {}, "buffers").items():
        buffer = {"kind": kind, "minutes": minutes}
        parts.append(("buffers", "set_global_buffer", parameters.SetGlobalBuffer, buffer))
    for where, _, shape, given in parts:
        _check(where, shape, given)
    return [(tool, given) for _, tool, _, given in parts]


def _check(where: str, shape: type[schemas.Parameters], given: dict[str, Any]) -> None:
    try:
        schemas.read(shape, given)
    except schemas.Invalid as error:
        param = ".".join(part for part in (where, error.param) if part)
        raise of_words("invalid_request_error", error.code, str(error), param) from None


def _wanted(query: Query) -> Callable[[Event], bool]:
    """Make the test for the filters of ``GET /v1/events``."""
    created, starts = paging.within(query, "created"), paging.within(query, "start_time")
    calendar_id, words = _given(query, "calendar_id"), (_given(query, "q") or "").casefold().split()

    def wanted(event: Event) -> bool:
        text = f"{event.title} {event.description or ''}".casefold()
        return (
            created(event.created_at)
            and starts(event.start_time)
            and calendar_id in (None, event.calendar_id)
            and all(word in text for word in words)
        )

    return wanted


def _window(query: Query) -> tuple[datetime | None, datetime | None]:
    """Say between which times events can begin that are asked for; None is open."""
    given = dict(query)
    lower = [given[name] for name in ("start_time[gte]", "start_time[gt]") if name in given]
    upper = [given[name] for name in ("start_time[lt]", "start_time[lte]") if name in given]
    first = max((paging.moment(each, "start_time") for each in lower), default=None)
    last = min((paging.moment(each, "start_time") for each in upper), default=None)
    return first, last + timedelta(microseconds=1) if last else None  # an end is left out


def _given(query: Query, name: str) -> str | None:
    return dict(query).get(name) or None


def _some(query: Query, *names: str) -> dict[str, str]:
    return {name: value for name, value in query if name in names}


def _text(given: Any, name: str) -> str | None:
    if given is not None and not isinstance(given, str):
        raise Problem(f"{name} is a string", code="invalid_parameter", param=name)
    return given


def _without(wish: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if name in wish:
        raise Problem(f"{name} {_FROM_PATH}", code="invalid_parameter", param=name)
    return wish


def _itself(thing: T) -> T:
    return thing

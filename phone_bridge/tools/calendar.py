"""The calendar tools: their running on whatever keeps the promise of ``CalendarKeeper``, and what is asked before it.

Every result is ``{"ok": True, …}`` or ``{"ok": False, "error": {type, code, message, param?, candidates?}}``; what was
touched is named under ``resource``, or ``resources`` where there may be several.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from msgspec import Struct

from phone_bridge.call import words
from phone_bridge.call.events import Action, Affected
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools import availability, editing, finding, free_time, going, looking, minding, schemas, wishing
from phone_bridge.tools import parameters as p
from phone_bridge.tools.catalogue import Policy, Reach, Tool
from phone_bridge.tools.departure import Departure
from phone_bridge.tools.desk import Desk, SendText
from phone_bridge.tools.keeper import CalendarKeeper, Event, User
from phone_bridge.tools.plain import Result, failure, local, plain_event
from phone_bridge.tools.schemas import Parameters
from phone_bridge.tools.table import CALENDAR_TOOLS
from phone_bridge.tools.travel import Estimate, Router

__all__ = ["CALENDAR_TOOLS", "TOOL_SECONDS", "CalendarTools", "Prepared", "Result", "failure", "plain_event"]

TOOL_SECONDS = 10.0
"""How long a tool may take; what it wrote meanwhile is found again under the same key."""

T = TypeVar("T")
Run = Callable[[Desk, User, Any, str], Awaitable[Result]]

_RUNNERS: Mapping[str, tuple[type[Parameters], Run]] = {
    "create_event": (p.CreateEvent, editing.create_event),
    "update_event": (p.UpdateEvent, editing.update_event),
    "cancel_event": (p.CancelEvent, editing.cancel_event),
    "bulk_cancel_events": (p.BulkCancelEvents, editing.bulk_cancel_events),
    "get_day_overview": (p.GetDayOverview, looking.get_day_overview),
    "get_day_summary": (p.GetDaySummary, looking.get_day_summary),
    "get_weekly_summary": (p.GetWeeklySummary, looking.get_weekly_summary),
    "get_next_event": (p.GetNextEvent, looking.get_next_event),
    "search_events": (p.SearchEvents, looking.search_events),
    "get_departure_info": (p.GetDepartureInfo, going.get_departure_info),
    "get_travel_time": (p.GetTravelTime, going.get_travel_time),
    "get_alternate_routes": (p.GetAlternateRoutes, going.get_alternate_routes),
    "start_navigation": (p.StartNavigation, going.start_navigation),
    "check_if_late": (p.CheckIfLate, going.check_if_late),
    "acknowledge_late": (p.AcknowledgeLate, going.acknowledge_late),
    "report_arrival": (p.ReportArrival, going.report_arrival),
    "get_alerts": (p.GetAlerts, minding.get_alerts),
    "dismiss_alert": (p.DismissAlert, minding.dismiss_alert),
    "snooze_alert": (p.SnoozeAlert, minding.snooze_alert),
    "create_reminder": (p.CreateReminder, minding.create_reminder),
    "notify_attendees": (p.NotifyAttendees, editing.notify_attendees),
    "update_preferences": (p.UpdatePreferences, wishing.update_preferences),
    "set_quiet_hours": (p.SetQuietHours, wishing.set_quiet_hours),
    "set_alert_profile": (p.SetAlertProfile, wishing.set_alert_profile),
    "set_global_buffer": (p.SetGlobalBuffer, wishing.set_global_buffer),
    "check_availability": (p.CheckAvailability, availability.check_availability),
}


class Prepared(Struct, frozen=True, kw_only=True):
    """A tool's call made ready: the exact action, whether the caller is asked, and what stands against it.

    ``needs_consent`` follows the policy, the parameters and the user's own ``auto_confirm``. ``conflicts`` are events
    that a new time would collide with.
    """

    action: Action
    needs_consent: bool
    reach: Reach
    reversible: bool
    conflicts: tuple[dict[str, Any], ...] = ()


class CalendarTools:
    """Run the calendar tools for users; ``now`` gives the time, aware.

    ``router`` finds ways (an estimate, if none is given); ``send_text`` sends a user a text message, where it can.
    """

    def __init__(
        self,
        keeper: CalendarKeeper,
        now: Callable[[], datetime],
        *,
        seconds: float = TOOL_SECONDS,
        router: Router | None = None,
        send_text: SendText | None = None,
    ) -> None:
        self._desk = Desk(keeper, now, router or Estimate(), send_text)
        self._seconds = seconds

    def allowed(self, scopes: frozenset[str]) -> frozenset[str]:
        """Name the tools that ``scopes`` open."""
        return CALENDAR_TOOLS.within(scopes).names()

    async def run(self, user_id: str, tool: str, parameters: Mapping[str, Any], *, key: str) -> Result:
        """Run ``tool``; what the user or the calendar can cause is told in the result, never raised.

        The same ``key`` writes once, however often it is asked for.
        """

        async def work() -> Result:
            kind, runner = _RUNNERS[CALENDAR_TOOLS.find(tool).name]
            user = await self._desk.keeper.user(user_id)
            asked = schemas.read(kind, await self._by_id(user, parameters))
            return await runner(self._desk, user, asked, key)

        return await self._told(work)

    async def departure(self, event: Event) -> Departure | None:
        """Work out when to leave for an event; None for one without a place, or a way there. Raises Unavailable."""
        if event.location is None or event.all_day:
            return None
        try:
            return await self._desk.departure(await self._desk.keeper.user(event.user_id), event)
        except Refused:
            return None

    async def prepare(
        self, user_id: str, tool: str, parameters: Mapping[str, Any], *, policy: Policy = Policy.DEFAULT
    ) -> Prepared | Result:
        """Make a call of ``tool`` ready to be proposed, or to be run; writes nothing.

        Whoever offers the tools calls this before it asks: the built-in assistant, and the sessions that call
        functions. The action that comes back is the one to ask for and to run, unchanged: a filter has become ids,
        words in the place of an ``event_id`` have become an id, and what it affects is named by title and time. What
        cannot be is told as ``run`` tells it, an event that is not the only one of its kind with ``candidates``.
        """

        async def work() -> Prepared:
            found = CALENDAR_TOOLS.find(tool)
            user = await self._desk.keeper.user(user_id)
            plain = await self._by_id(user, parameters)
            asked = schemas.read(_RUNNERS[tool][0], plain)
            if isinstance(asked, p.BulkCancelEvents):
                plain = await self._listed(user, asked, plain)
            affects = await self._affects(user, plain)
            action = Action(tool, plain, affects=affects)
            action = Action(tool, plain, words.summary(action, user.locale or "en"), affects)
            return Prepared(
                action=action,
                needs_consent=_asks(found, user, plain, policy),
                reach=found.reach_with(plain),
                reversible=found.reversible,
                conflicts=tuple(await self._conflicts(user, asked)),
            )

        return await self._told(work)

    async def _told(self, work: Callable[[], Awaitable[T]]) -> T | Result:
        """Do ``work``; what the user or the calendar can cause becomes a result."""
        try:
            async with asyncio.timeout(self._seconds):
                return await work()
        except schemas.Invalid as error:
            return failure("invalid_request_error", error.code, str(error), error.param)
        except finding.Ambiguous as error:
            return failure("invalid_request_error", error.code, str(error), "event_id", candidates=error.candidates)
        except Refused as error:
            return failure("invalid_request_error", error.code, str(error))
        except Unavailable as error:
            return failure("api_error", error.code, str(error))
        except TimeoutError:
            return failure("api_error", "tool_timeout", "The calendar did not answer in time.")

    async def _by_id(self, user: User, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Put an id in the place of words that name an event."""
        given = dict(parameters)
        words_for_it = given.get("event_id")
        if isinstance(words_for_it, str) and not words_for_it.startswith("evt_"):
            given["event_id"] = (await finding.find_event(self._desk, user, words_for_it)).id
        return given

    async def _listed(self, user: User, asked: p.BulkCancelEvents, plain: dict[str, Any]) -> dict[str, Any]:
        """Put ids in the place of a filter."""
        if not asked.filter:
            return plain
        events = await looking.filtered(self._desk, user, asked.filter)
        if not events:
            raise Refused("There is no such event.", code="resource_missing")
        if len(events) > p.BULK_MAX:
            raise schemas.Invalid(
                f"That would be {len(events)} events, and at most {p.BULK_MAX} can be cancelled at once.", "filter"
            )
        rest = {name: value for name, value in plain.items() if name != "filter"}
        return {**rest, "event_ids": [event.id for event in events]}

    async def _affects(self, user: User, plain: Mapping[str, Any]) -> tuple[Affected, ...]:
        """Name what an action touches; raises Refused for what is not there."""
        ids = [plain["event_id"]] if "event_id" in plain else plain.get("event_ids", [])
        events = [await self._desk.keeper.event(event_id, user_id=user.id) for event_id in ids]
        things = [_affected(event) for event in events]
        if "alert_id" in plain:
            alert = await self._desk.keeper.alert(plain["alert_id"], user_id=user.id)
            things.append(Affected(alert.id, alert.title))
        return tuple(things)

    async def _conflicts(self, user: User, asked: Parameters) -> list[dict[str, Any]]:
        """Find what a new or a changed time would collide with."""
        if isinstance(asked, p.CreateEvent):
            fields = editing.fields_of(asked, user)
            span, own, whole = free_time.Span(fields.start_time, fields.end_time), "", fields.all_day
        elif isinstance(asked, p.UpdateEvent) and {"start_time", "end_time", "duration_minutes"} & asked.given().keys():
            event = editing.changed(await self._desk.keeper.event(asked.event_id, user_id=user.id), asked)
            span, own, whole = free_time.span_of(event), event.id, event.all_day
        else:
            return []
        return [] if whole else await self._desk.conflicts(user, span, except_id=own)


def _asks(tool: Tool, user: User, parameters: Mapping[str, Any], policy: Policy) -> bool:
    """Tell whether the caller is asked: the user's own wish counts under the default policy, and not for itself."""
    if not tool.needs_consent(policy, parameters):
        return False
    always = tool.always_asks_if and tool.always_asks_if in parameters
    return bool(always) or policy is not Policy.DEFAULT or tool.name not in user.auto_confirm


def _affected(event: Event) -> Affected:
    return Affected(event.id, event.title, local(event.start_time, event.timezone))

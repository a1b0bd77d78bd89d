"""What every calendar tool works with, and what several of them do: find events, places, ways and conflicts."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import UNSET, UnsetType

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools import departure as leaving
from phone_bridge.tools import free_time
from phone_bridge.tools.departure import Departure
from phone_bridge.tools.free_time import Span
from phone_bridge.tools.keeper import CalendarKeeper, Event, InvitationFields, Location, Mode, Travel, User
from phone_bridge.tools.plain import Result, local, resource, told
from phone_bridge.tools.schemas import Invalid
from phone_bridge.tools.travel import Journey, Point, Route, Router

LOCATION_HOURS = 2
"""How long a position of the user's says where they set out from."""
PLACES_BACK, PLACES_AHEAD = timedelta(days=90), timedelta(days=90)
"""In which of the user's events a place is looked for by its name."""

SendText = Callable[[str, str], Awaitable[bool]]
"""Sends a user (by id) a text message; False where there is nobody to send it to, or nothing to send it with."""


class Desk:
    """A keeper of calendars, the time, a router, and a way to send the user a text message, if there is one."""

    def __init__(
        self, keeper: CalendarKeeper, now: Callable[[], datetime], router: Router, send_text: SendText | None = None
    ) -> None:
        self.keeper = keeper
        self.now = now
        self.router = router
        self.send_text = send_text

    # Events

    async def coming(self, user: User, after: datetime) -> list[Event]:
        """List the events with hours that begin from ``after`` on."""
        events = await self.keeper.events(user.id, start=after, end=None)
        return [event for event in events if event.start_time >= after and not event.all_day]

    async def named_or_next(self, user: User, event_id: str | UnsetType, *, placed: bool = False) -> Event:
        """Find the event that is named, or else the next one (with a place); raises Refused for none."""
        if event_id is not UNSET:
            return await self.keeper.event(event_id, user_id=user.id)
        for event in await self.coming(user, self.now()):
            if event.location is not None or not placed:
                return event
        kind = "event with a place" if placed else "event"
        raise Refused(f"There is no {kind} ahead.", code="resource_missing")

    async def named_or_current(self, user: User, event_id: str | UnsetType) -> Event:
        """Find the event that is named, or else the one that goes on, or the next one."""
        if event_id is UNSET:
            now = self.now()
            running = await self.keeper.events(user.id, start=now, end=now + timedelta(microseconds=1))
            hours = [event for event in running if not event.all_day]
            if hours:
                return hours[-1]
        return await self.named_or_next(user, event_id)

    async def conflicts(
        self, user: User, span: Span, *, except_id: str = "", include_tentative: bool = True
    ) -> list[dict[str, Any]]:
        """Say with which events a stretch of time collides."""
        events = await self.keeper.events(user.id, start=span.start, end=span.end)
        return [
            {
                "event_id": event.id,
                "title": event.title,
                "start_time": local(event.start_time, event.timezone),
                "end_time": local(event.end_time, event.timezone),
                "overlap_minutes": free_time.span_of(event).overlap_minutes(span),
            }
            for event in events
            if event.id != except_id and free_time.is_busy(event, user.email, include_tentative=include_tentative)
        ]

    # Places and ways

    async def point(self, user: User, location: Location, param: str) -> Point:
        """Find a place on the map: by its coordinates, or as one of the user's own; raises Refused."""
        if location.lat is not None and location.lng is not None:
            return Point(location.lat, location.lng)
        for known in await self._known_places(user):
            if known.lat is not None and known.lng is not None and _same_place(known, location):
                return Point(known.lat, known.lng)
        name = location.name or location.address or "that place"
        raise Refused(
            f"I do not know where {name} is on the map: give its latitude and longitude ({param}).",
            code="place_unknown",
        )

    async def origin(self, user: User, location: Location | None, setting_out: datetime) -> Point:
        """Find where a way begins: as said, or where the user is known to be, or at home; raises Refused."""
        if location is not None:
            return await self.point(user, location, "from_location")
        last = user.last_location
        fresh = timedelta(hours=LOCATION_HOURS)
        if last is not None and self.now() - last.recorded_at < fresh and setting_out - self.now() < fresh:
            return Point(last.lat, last.lng)
        if user.home_location is not None:
            return await self.point(user, user.home_location, "home_location")
        raise Refused(
            "I do not know where you set out from: give from_location, or set home_location.", code="origin_unknown"
        )

    async def _known_places(self, user: User) -> list[Location]:
        now = self.now()
        events = await self.keeper.events(
            user.id, start=now - PLACES_BACK, end=now + PLACES_AHEAD, include_cancelled=True, unroll=False
        )
        own = (user.home_location, user.work_location, *(event.location for event in events))
        return [location for location in own if location is not None]

    async def routes(
        self, user: User, start: Point, end: Point, mode: Mode, at: datetime, *, arriving: bool, most: int = 1
    ) -> list[Route]:
        """Find ways, the fastest first."""
        zone = ZoneInfo(user.timezone)
        journey = Journey(start=start, end=end, mode=mode, at=at, arriving=arriving, zone=zone, most=most)
        return await self.router.routes(journey)

    async def departure(self, user: User, event: Event, *, mode: Mode | None = None) -> Departure:
        """Work out when to leave for an event; raises Refused for one without a place, or that cannot be reached."""
        if event.location is None:
            raise Invalid(f"{event.title} has no place to go to.", "event_id")
        end = await self.point(user, event.location, "location")
        start = await self.origin(user, event.from_location, event.start_time)
        how = mode or (event.travel.mode if event.travel else user.default_travel_mode)
        route = (await self.routes(user, start, end, how, event.start_time, arriving=True))[0]
        minutes = leaving.minutes_of(route, event.travel, user.buffers)
        return leaving.leaving(route, minutes, event.start_time, user.buffers, self.now(), event_id=event.id)

    async def departure_if_any(self, user: User, event: Event) -> Departure | None:
        """Work out when to leave, where that can be worked out."""
        if event.location is None or event.all_day:
            return None
        try:
            return await self.departure(user, event)
        except (Refused, Unavailable):
            return None

    # Messages

    async def tell(
        self,
        user: User,
        event: Event,
        kind: Any,
        *,
        key: str,
        message: str | None = None,
        eta: datetime | None = None,
        only: Iterable[str] | None = None,
    ) -> Result:
        """Keep a message to everybody else who takes part, or to ``only`` some of them; raises Invalid for nobody."""
        others = [person for person in event.attendees if person.email != user.email]
        wanted = None if only is None else list(only)
        if wanted is not None:
            _check_invited(wanted, [person.email for person in others])
            others = [person for person in others if person.email in wanted]
        if not others:
            raise Invalid(f"Nobody else is invited to {event.title}.", "event_id", code="no_attendees")
        fields = [
            InvitationFields(
                attendee_email=person.email, attendee_name=person.name, email_type=kind, message=message, eta=eta
            )
            for person in others
        ]
        return told(await self.keeper.create_invitations(user.id, event.id, fields, key=key))


def way_of(user: User, event: Event | None, travel: Travel | UnsetType) -> tuple[Mode, Travel | None]:
    """Choose how to travel: as said, or as the event says, or as the user does."""
    if travel is not UNSET:
        return travel.mode, travel
    if event is not None and event.travel is not None:
        return event.travel.mode, event.travel
    return user.default_travel_mode, None


def of_calendars(events: Sequence[Event], calendar_ids: Any) -> list[Event]:
    """Keep the events of some calendars, if any are named."""
    return [event for event in events if not calendar_ids or event.calendar_id in calendar_ids]


def about(event: Event, **more: Any) -> Result:
    """Make a result that names an event by its id alone."""
    return {"ok": True, "event_id": event.id, **more, "resource": resource("event", event.id)}


def _check_invited(wanted: Sequence[str], invited: Sequence[str]) -> None:
    strangers = [email for email in wanted if email not in invited]
    if strangers:
        raise Invalid(f"{strangers[0]} is not invited to that event.", "attendee_emails")


def _same_place(known: Location, asked: Location) -> bool:
    """Tell whether two descriptions name one place: the same address or, without one to compare, the same name."""
    if known.address and asked.address:
        return _folded(known.address) == _folded(asked.address) or _folded(known.name) == _folded(asked.address)
    names = {_folded(known.name), _folded(known.address)} - {""}
    return bool({_folded(asked.name), _folded(asked.address)} & names)


def _folded(text: str | None) -> str:
    return " ".join((text or "").casefold().replace(",", " ").split())

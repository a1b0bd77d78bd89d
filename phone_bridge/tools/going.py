"""The tools about getting there: when to leave, how long it takes, other ways, navigation, and being late."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from msgspec import UNSET, UnsetType, structs

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools import departure as leaving
from phone_bridge.tools import parameters as p
from phone_bridge.tools.departure import TravelMinutes
from phone_bridge.tools.desk import Desk, about, way_of
from phone_bridge.tools.keeper import Event, Fix, Location, Tracking, User
from phone_bridge.tools.plain import Result, local, plain_departure, resource, value
from phone_bridge.tools.schemas import Invalid
from phone_bridge.tools.travel import Point, Route

_GOOGLE_MODES = {"drive": "driving", "walk": "walking", "transit": "transit"}
_APPLE_MODES = {"drive": "d", "walk": "w", "transit": "r"}


async def get_departure_info(desk: Desk, user: User, asked: p.GetDepartureInfo, _key: str) -> Result:
    """Work out when to leave; it is always worked out anew."""
    event = await desk.named_or_next(user, asked.event_id, placed=True)
    leave = await desk.departure(user, event)
    plain = plain_departure(leave, event.timezone) or {}
    return {"ok": True, **plain, "title": event.title, "resource": resource("event", event.id)}


async def get_travel_time(desk: Desk, user: User, asked: p.GetTravelTime, _key: str) -> Result:
    """Work out how long a way takes, to arrive or to leave at a time."""
    event, end = await _target(desk, user, asked.event_id, asked.to_location)
    mode, travel = way_of(user, event, asked.travel)
    arrive_by = asked.arrive_by or (event.start_time if event is not None else None)
    at = asked.depart_at or arrive_by or desk.now()
    start = await _start(desk, user, event, asked.from_location, at)
    arriving = asked.depart_at is UNSET
    route = (await desk.routes(user, start, end, mode, at, arriving=arriving))[0]
    minutes = leaving.minutes_of(route, travel, user.buffers)
    if not arriving:
        arrive_by = at + timedelta(minutes=minutes.total_minutes + user.buffers.arrival)
    leave = leaving.leaving(route, minutes, arrive_by or at, user.buffers, desk.now(), event_id=None)
    zone = event.timezone if event is not None else user.timezone
    plain = plain_departure(leave, zone) or {}
    del plain["event_id"]
    arrival = local(leave.latest_departure + timedelta(minutes=minutes.total_minutes), zone)
    return {"ok": True, **plain, "mode": mode, "distance_m": route.distance_m, "arrival": arrival}


async def get_alternate_routes(desk: Desk, user: User, asked: p.GetAlternateRoutes, _key: str) -> Result:
    """List ways, the fastest first; a mode by which there is no way is left out."""
    event, end = await _target(desk, user, asked.event_id, asked.to_location)
    at = asked.arrive_by or (event.start_time if event is not None else desk.now())
    start = await _start(desk, user, event, asked.from_location, at)
    found: list[Route] = []
    problem: Refused | None = None
    for mode in dict.fromkeys(asked.modes):
        try:
            found += await desk.routes(user, start, end, mode, at, arriving=True, most=asked.max_routes)
        except Refused as error:
            problem = error
    if not found:
        raise problem or Refused("There is no way there.", code="no_route")
    ordered = sorted(found, key=lambda route: route.minutes)[: asked.max_routes]
    return {"ok": True, "routes": [_plain_route(n, route, ordered[0]) for n, route in enumerate(ordered, 1)]}


async def start_navigation(desk: Desk, user: User, asked: p.StartNavigation, key: str) -> Result:
    """Give the link that opens a navigation app, and send it to the user's phone where that can be done."""
    event = None if asked.event_id is UNSET else await desk.keeper.event(asked.event_id, user_id=user.id)
    location = event.location if event is not None else asked.to_location
    if location is None or location is UNSET:
        raise Invalid("That event has no place to go to.", "event_id")
    link = deep_link(await _best_known(desk, user, location), asked)
    result: Result = {"ok": True, "deep_link": link, "sent": await _send(desk, user, location, link)}
    if event is not None:
        result |= {"event_id": event.id, "resource": resource("event", event.id)}
    if asked.start_tracking and event is not None:
        now = desk.now()

        def under_way(tracking: Tracking) -> Tracking:
            return structs.replace(tracking, status="in_transit", started_at=now)

        tracking = await desk.keeper.update_tracking(user.id, event.id, under_way, key=f"{key}:tracking")
        result["tracking_status"] = tracking.status
    return result


async def check_if_late(desk: Desk, user: User, asked: p.CheckIfLate, _key: str) -> Result:
    """Judge whether the user is late."""
    event = await desk.named_or_current(user, asked.event_id)
    tracking = await desk.keeper.tracking(user.id, event.id)
    here = _here(asked, tracking)
    on_the_way = await _on_the_way(desk, user, event, here) if here is not None else None
    leave = await desk.departure_if_any(user, event) if on_the_way is None else None
    late = leaving.lateness(event, tracking, leave, on_the_way, desk.now())
    plain = value(late)
    if late.predicted_arrival is not None:
        plain["predicted_arrival"] = local(late.predicted_arrival, event.timezone)
    start = local(event.start_time, event.timezone)
    return {"ok": True, **plain, "title": event.title, "start_time": start, "resource": resource("event", event.id)}


async def acknowledge_late(desk: Desk, user: User, asked: p.AcknowledgeLate, key: str) -> Result:
    """Note that the user knows of being late, end the alerts about it, and tell the others if so asked."""
    event = await desk.keeper.event(asked.event_id, user_id=user.id)
    now = desk.now()
    minutes = None if asked.minutes_late is UNSET else asked.minutes_late
    messages: Result = {"invitations": [], "delivered": False}
    if asked.notify:
        eta = None if minutes is None else event.start_time + timedelta(minutes=minutes)
        message = asked.message or None
        messages = await desk.tell(user, event, "running_late", key=f"{key}:notify", message=message, eta=eta)

    def acknowledged(tracking: Tracking) -> Tracking:
        known = tracking.minutes_late if minutes is None else minutes
        return structs.replace(tracking, late_acknowledged_at=now, minutes_late=known)

    tracking = await desk.keeper.update_tracking(user.id, event.id, acknowledged, key=key)
    alerts = await desk.keeper.alerts(user.id, event_id=event.id, type="late")
    if alerts:
        await desk.keeper.dismiss_alerts(user.id, [alert.id for alert in alerts], key=f"{key}:alerts")
    notified = [each["attendee_email"] for each in messages["invitations"]]
    return about(
        event, acknowledged_at=value(tracking.late_acknowledged_at), notified=notified, delivered=messages["delivered"]
    )


async def report_arrival(desk: Desk, user: User, asked: p.ReportArrival, key: str) -> Result:
    """Note that the user has arrived, and stop following their way."""
    event = await desk.named_or_current(user, asked.event_id)
    at = asked.arrived_at or desk.now()
    late = max(0, int((at - event.start_time).total_seconds() // 60))
    stopped = (await desk.keeper.tracking(user.id, event.id)).status in ("in_transit", "stalled")

    def arrived(tracking: Tracking) -> Tracking:
        place = tracking.current_location if asked.location is UNSET else _fix(asked.location, at)
        return structs.replace(tracking, status="arrived", arrived_at=at, minutes_late=late, current_location=place)

    await desk.keeper.update_tracking(user.id, event.id, arrived, key=key)
    if asked.location is not UNSET:
        place = _fix(asked.location, at)
        await desk.keeper.update_user(
            user.id, lambda known: structs.replace(known, last_location=place), key=f"{key}:location"
        )
    return about(event, status="arrived", minutes_late=late, tracking_stopped=stopped, title=event.title)


def deep_link(location: Location, asked: p.StartNavigation) -> str:
    """Make the address that opens a navigation app; Google's is understood on every phone."""
    point = f"{location.lat},{location.lng}" if location.lat is not None and location.lng is not None else ""
    words = location.address or location.name or ""
    if asked.app == "apple":
        return "https://maps.apple.com/?" + urlencode({"daddr": point or words, "dirflg": _APPLE_MODES[asked.mode]})
    if asked.app == "waze" and asked.mode == "drive":
        return "https://waze.com/ul?" + urlencode({"ll" if point else "q": point or words, "navigate": "yes"})
    query = {"api": "1", "destination": point or words, "travelmode": _GOOGLE_MODES[asked.mode]}
    return "https://www.google.com/maps/dir/?" + urlencode(query)


async def _target(
    desk: Desk, user: User, event_id: str | UnsetType, location: Location | UnsetType
) -> tuple[Event | None, Point]:
    """Find where a way ends: at an event's place, or at a place."""
    if event_id is UNSET:
        if location is UNSET:
            raise Invalid("Say where to go.", "to_location")
        return None, await desk.point(user, location, "to_location")
    event = await desk.keeper.event(event_id, user_id=user.id)
    if event.location is None:
        raise Invalid(f"{event.title} has no place to go to.", "event_id")
    return event, await desk.point(user, event.location, "location")


async def _start(
    desk: Desk, user: User, event: Event | None, said: Location | UnsetType, setting_out: datetime
) -> Point:
    own = event.from_location if event is not None else None
    return await desk.origin(user, own if said is UNSET else said, setting_out)


async def _best_known(desk: Desk, user: User, location: Location) -> Location:
    """Add coordinates to a place where they are known; an app finds it by its address otherwise."""
    try:
        point = await desk.point(user, location, "to_location")
    except Refused:
        return location
    return structs.replace(location, lat=point.lat, lng=point.lng)


async def _send(desk: Desk, user: User, location: Location, link: str) -> bool:
    """Send a link to the user's phone; that it cannot be sent keeps nobody from hearing it."""
    if desk.send_text is None:
        return False
    name = location.name or location.address or "your destination"
    try:
        return await desk.send_text(user.id, f"The way to {name}: {link}")
    except (Refused, Unavailable):
        return False


def _here(asked: p.CheckIfLate, tracking: Tracking) -> Point | None:
    if asked.current_location is not UNSET:
        return Point(asked.current_location.lat, asked.current_location.lng)
    last = tracking.current_location
    return Point(last.lat, last.lng) if last is not None and tracking.status == "in_transit" else None


async def _on_the_way(desk: Desk, user: User, event: Event, here: Point) -> TravelMinutes | None:
    if event.location is None:
        return None
    try:
        end = await desk.point(user, event.location, "location")
        mode, travel = way_of(user, event, UNSET)
        route = (await desk.routes(user, here, end, mode, desk.now(), arriving=False))[0]
    except (Refused, Unavailable):
        return None
    return leaving.minutes_of(route, travel, user.buffers)


def _fix(place: p.Position, at: datetime) -> Fix:
    accuracy = None if place.accuracy_m is UNSET else place.accuracy_m
    return Fix(lat=place.lat, lng=place.lng, recorded_at=at, accuracy_m=accuracy)


def _plain_route(number: int, route: Route, fastest: Route) -> dict[str, Any]:
    return {
        "route_id": f"{route.mode}-{number}",
        "label": route.label,
        "mode": route.mode,
        "total_minutes": route.minutes,
        "distance_m": route.distance_m,
        "delta_minutes": route.minutes - fastest.minutes,
        "traffic_level": route.traffic_level,
        "confidence": route.confidence,
        "warnings": list(route.warnings),
    }

"""When to leave, whether one is late, and how an event stands: worked out from times and ways; pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

from phone_bridge.tools.keeper import Buffers, Confidence, Event, Tracking, Travel
from phone_bridge.tools.travel import Route, TrafficLevel

COMFORT = 0.2
"""How much of the travel time lies between the comfortable departure and the last safe one."""
COMFORT_MINUTES_MIN = 5
AT_RISK_MINUTES = 5
"""Who is going to arrive with less than this to spare may be late."""
_TRAFFIC_SCORES: dict[TrafficLevel, float] = {"free": 1.0, "light": 0.9, "moderate": 0.7, "heavy": 0.4, "severe": 0.1}
_WEIGHTS = {"traffic": 40, "margin": 20, "conflict": 10}
"""Of the product's weights those that are known here: no weather (25), and no connection (5) that could break."""


class TravelMinutes(Struct, frozen=True, kw_only=True):
    """The parts of a way, in minutes."""

    total_minutes: int
    drive_minutes: int = 0
    transit_minutes: int = 0
    parking_minutes: int = 0
    walk_minutes: int = 0


class Departure(Struct, frozen=True, kw_only=True):
    """When to leave: ``earliest_departure`` is comfortable, ``latest_departure`` the last that is safe."""

    event_id: str | None = None
    earliest_departure: datetime
    latest_departure: datetime
    travel: TravelMinutes
    traffic_level: TrafficLevel
    weather: str | None = None
    weather_warning: str | None = None
    confidence: Confidence
    calculated_at: datetime
    next_recalc_at: datetime


class Lateness(Struct, frozen=True, kw_only=True):
    """Whether one is in time for an event, and what that is judged by."""

    event_id: str
    status: Literal["on_time", "at_risk", "late", "arrived", "unknown"]
    minutes_late: int = 0
    predicted_arrival: datetime | None = None
    confidence: Confidence = "low"
    basis: Literal["tracking", "departure", "health"] = "health"


class Risk(Struct, frozen=True):
    """Something that stands against an event."""

    type: Literal["traffic", "weather", "conflict", "connection"]
    severity: Literal["low", "medium", "high"]
    detail: str


class Health(Struct, frozen=True, kw_only=True):
    """How an event stands; ``score`` is 0 to 1."""

    event_id: str
    score: float | None
    label: Literal["on_track", "at_risk", "likely_late", "blocked"]
    risks: tuple[Risk, ...] = ()
    calculated_at: datetime


def minutes_of(route: Route, travel: Travel | None, buffers: Buffers) -> TravelMinutes:
    """Add to a way what parking and walking take: as the event says, or else as the user does."""
    drives = route.mode == "drive"
    parking = (buffers.parking if travel is None else travel.parking_buffer_min) if drives else 0
    walking = buffers.walk if travel is None else travel.walk_buffer_min
    return TravelMinutes(
        total_minutes=route.minutes + parking + walking,
        drive_minutes=route.minutes if drives else 0,
        transit_minutes=route.minutes if route.mode == "transit" else 0,
        parking_minutes=parking,
        walk_minutes=walking + (route.minutes if route.mode == "walk" else 0),
    )


def leaving(
    route: Route, travel: TravelMinutes, arrive_by: datetime, buffers: Buffers, now: datetime, *, event_id: str | None
) -> Departure:
    """Work out when to leave in order to be there by ``arrive_by``, with the user's minutes to spare."""
    latest = arrive_by.astimezone(UTC) - timedelta(minutes=travel.total_minutes + buffers.arrival)
    comfort = max(COMFORT_MINUTES_MIN, round(travel.total_minutes * COMFORT))
    return Departure(
        event_id=event_id,
        earliest_departure=latest - timedelta(minutes=comfort),
        latest_departure=latest,
        travel=travel,
        traffic_level=route.traffic_level,
        confidence=route.confidence,
        calculated_at=now,
        next_recalc_at=now + _again_in(latest - now),
    )


def _again_in(ahead: timedelta) -> timedelta:
    """Look again the sooner, the nearer it comes: after one to ten minutes."""
    if ahead > timedelta(hours=2):
        return timedelta(minutes=10)
    return timedelta(minutes=5 if ahead > timedelta(minutes=30) else 1)


def lateness(
    event: Event, tracking: Tracking, departure: Departure | None, on_the_way: TravelMinutes | None, now: datetime
) -> Lateness:
    """Judge whether one is late: by the way from where one is, or else by when to leave, or else by the clock."""
    if tracking.status == "arrived":
        minutes = _minutes(tracking.arrived_at - event.start_time) if tracking.arrived_at else 0
        return Lateness(
            event_id=event.id,
            status="arrived",
            minutes_late=minutes,
            predicted_arrival=tracking.arrived_at,
            confidence="high",
            basis="tracking",
        )
    if on_the_way is not None:
        arrival = now + timedelta(minutes=on_the_way.total_minutes)
        return _by_arrival(event, arrival, "tracking", "medium")
    if departure is not None:
        arrival = max(now, departure.latest_departure) + timedelta(minutes=departure.travel.total_minutes)
        spare = now <= departure.earliest_departure
        found = _by_arrival(event, arrival, "departure", departure.confidence)
        return Lateness(event_id=event.id, status="on_time", basis="departure", confidence="low") if spare else found
    if now <= event.start_time:
        return Lateness(event_id=event.id, status="on_time")
    return Lateness(event_id=event.id, status="unknown", minutes_late=_minutes(now - event.start_time))


def _by_arrival(
    event: Event, arrival: datetime, basis: Literal["tracking", "departure"], confidence: Confidence
) -> Lateness:
    late = _minutes(arrival - event.start_time)
    near = arrival > event.start_time - timedelta(minutes=AT_RISK_MINUTES)
    return Lateness(
        event_id=event.id,
        status="late" if late else ("at_risk" if near else "on_time"),
        minutes_late=late,
        predicted_arrival=arrival,
        confidence=confidence,
        basis=basis,
    )


def _minutes(late: timedelta) -> int:
    """Count whole minutes, from none."""
    return max(0, int(late.total_seconds() // 60))


def health(event: Event, departure: Departure | None, conflicts: Sequence[str], now: datetime) -> Health:
    """Judge how an event stands by traffic, time to spare and conflicts; what does not matter to it does not count."""
    scores, risks = {"conflict": 0.3 if conflicts else 1.0}, []
    if conflicts:
        risks.append(Risk("conflict", "medium", f"it overlaps {', '.join(conflicts[:3])}"))
    label: Literal["on_track", "at_risk", "likely_late", "blocked"] | None = None
    if departure is not None:
        scores["traffic"] = _TRAFFIC_SCORES[departure.traffic_level]
        scores["margin"] = _margin(departure, now)
        if departure.traffic_level in ("heavy", "severe"):
            risks.append(Risk("traffic", "high", f"traffic is {departure.traffic_level}"))
        if now > departure.latest_departure:
            label = "likely_late"
    if event.is_cancelled:
        label = "blocked"
    weight = sum(_WEIGHTS[name] for name in scores)
    score = round(sum(_WEIGHTS[name] * score for name, score in scores.items()) / weight, 2)
    return Health(
        event_id=event.id,
        score=score,
        label=label or ("on_track" if score >= 0.6 else "at_risk"),
        risks=tuple(risks),
        calculated_at=now,
    )


def _margin(departure: Departure, now: datetime) -> float:
    """Give 1 while there is an hour or more until the last safe departure, 0 when it has passed."""
    return min(1.0, max(0.0, (departure.latest_departure - now) / timedelta(hours=1)))

"""How long a way takes: the promise that any router can keep, and an estimate that needs no network.

The estimate is the distance as the crow flies, made longer as roads are, at speeds by mode, length and time of day. It
knows no roads, so its confidence is low, and it says so.
"""

import math
from datetime import datetime
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from phone_bridge.errors import Refused
from phone_bridge.tools.keeper import Confidence, Mode

EARTH_KM = 6371.0
DETOUR = {"drive": 1.3, "walk": 1.2, "transit": 1.4}
"""How much longer a way is than the straight line."""
LONGEST_KM = {"drive": 2000.0, "walk": 60.0, "transit": 1500.0}
"""The longest straight lines that are estimated, in kilometres; beyond them people fly."""
_STAGES = {
    "drive": ((5.0, 22.0), (20.0, 40.0), (80.0, 70.0), (math.inf, 95.0)),
    "walk": ((math.inf, 4.8),),
    "transit": ((10.0, 18.0), (50.0, 35.0), (math.inf, 75.0)),
}
"""Speeds in km/h: each up to so many kilometres of the way."""
_WAITING_MINUTES = {"drive": 1.0, "walk": 0.0, "transit": 8.0}
"""What it takes before one moves: to the car, or to the stop and until something comes."""
_RUSH = ((7, 10), (16, 19))
_RUSH_FACTOR, _DAY_FACTOR, _NIGHT_FACTOR = 1.4, 1.1, 0.9

TrafficLevel = Literal["free", "light", "moderate", "heavy", "severe"]


class Point(Struct, frozen=True):
    """A place on the map, in degrees."""

    lat: float
    lng: float


class Journey(Struct, frozen=True, kw_only=True):
    """A way to be found: ``at`` is when one leaves, or (``arriving``) must be there; ``zone`` is that of the roads."""

    start: Point
    end: Point
    mode: Mode
    at: datetime
    arriving: bool = False
    zone: ZoneInfo = ZoneInfo("UTC")
    most: int = 1
    """How many ways are wanted at most."""


class Route(Struct, frozen=True, kw_only=True):
    """A way that was found; ``minutes`` are those of travelling alone."""

    minutes: int
    mode: Mode
    label: str
    distance_m: int | None = None
    traffic_level: TrafficLevel = "light"
    confidence: Confidence = "low"
    warnings: tuple[str, ...] = ()


class Router(Protocol):
    """Finds ways."""

    async def routes(self, journey: Journey) -> list[Route]:
        """Find at least one way, the fastest first; raises Refused where there is none, and Unavailable."""
        ...


class Estimate:
    """Estimate ways without a network."""

    async def routes(self, journey: Journey) -> list[Route]:
        """Estimate the one way that there is; raises Refused (``too_far``)."""
        return [estimated(journey)]


def estimated(journey: Journey) -> Route:
    """Estimate a way; raises Refused (``too_far``) for one that nobody goes like that."""
    straight = kilometres(journey.start, journey.end)
    if straight > LONGEST_KM[journey.mode]:
        raise Refused(f"That is {straight:.0f} kilometres away: too far to {_VERBS[journey.mode]}.", code="too_far")
    distance = straight * DETOUR[journey.mode]
    factor, traffic = _traffic(journey)
    minutes = _WAITING_MINUTES[journey.mode] + _hours(distance, journey.mode) * 60 * factor
    return Route(
        minutes=math.ceil(minutes) if straight > 0.01 else 0,
        mode=journey.mode,
        label=_LABELS[journey.mode],
        distance_m=round(distance * 1000),
        traffic_level=traffic,
        warnings=("estimated from the distance alone",),
    )


def kilometres(start: Point, end: Point) -> float:
    """Measure the great circle between two points."""
    lat1, lat2 = math.radians(start.lat), math.radians(end.lat)
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(end.lng - start.lng) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


_VERBS = {"drive": "drive", "walk": "walk", "transit": "go by bus and train"}
_LABELS = {"drive": "by car", "walk": "on foot", "transit": "by bus and train"}


def _hours(distance: float, mode: Mode) -> float:
    """Add up the stages of a way: the first kilometres are the slow ones."""
    hours, done = 0.0, 0.0
    for upto, speed in _STAGES[mode]:
        stage = min(distance, upto) - done
        if stage <= 0:
            break
        hours, done = hours + stage / speed, done + stage
    return hours


def _traffic(journey: Journey) -> tuple[float, TrafficLevel]:
    """Judge the roads by the clock where one sets out; those who walk meet none."""
    if journey.mode == "walk":
        return 1.0, "free"
    local = journey.at.astimezone(journey.zone)
    if local.hour >= 22 or local.hour < 6:
        return _NIGHT_FACTOR, "free"
    if local.weekday() < 5 and any(first <= local.hour < last for first, last in _RUSH):
        return (_RUSH_FACTOR, "heavy") if journey.mode == "drive" else (_DAY_FACTOR, "moderate")
    return (_DAY_FACTOR, "moderate") if local.weekday() < 5 else (1.0, "light")

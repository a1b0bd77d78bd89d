"""Ways by car from an OSRM server (its HTTP API, service ``route`` v1), as values of HTTP; who sends them is injected.

An OSRM server is made for one kind of traffic and takes the profile's name in a URL for granted, so it is asked for
ways by car alone; the others are estimated. It knows no traffic. Where it cannot be reached, or does not know the
places, the estimate takes its place and says so.
"""

import math
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.tools.travel import Journey, Route, estimated

ROUTES_MAX = 5
"""How many ways are asked for at most."""
_NO_WAY = ("NoRoute", "NoSegment")
_OK = 200
_BAD_REQUEST = 400

Ask = Callable[[Request], Awaitable[Response]]


class _Leg(Struct):
    summary: str = ""


class _Route(Struct):
    duration: float
    distance: float
    legs: list[_Leg] = []


class _Answer(Struct):
    code: str
    message: str = ""
    routes: list[_Route] = []


_decode = msgspec.json.Decoder(_Answer).decode


class Osrm:
    """Find ways at the OSRM server with the address ``url`` (no path); ``ask`` sends a request, as ``runtime.http``."""

    def __init__(self, url: str, ask: Ask) -> None:
        self._url = url.rstrip("/")
        self._ask = ask

    async def routes(self, journey: Journey) -> list[Route]:
        """Find ways, the fastest first; raises Refused (``no_route``, ``too_far``)."""
        if journey.mode != "drive":
            return [estimated(journey)]
        try:
            return read(await self._ask(request(self._url, journey)))
        except (Unavailable, RemoteError):
            fallback = estimated(journey)
            warnings = (*fallback.warnings, "the route server could not be asked")
            return [msgspec.structs.replace(fallback, warnings=warnings)]


def request(url: str, journey: Journey) -> Request:
    """Ask for ways: longitude first, six decimals are 11 cm."""
    places = ";".join(f"{place.lng:.6f},{place.lat:.6f}" for place in (journey.start, journey.end))
    most = max(1, min(journey.most, ROUTES_MAX))
    alternatives = "false" if most == 1 else str(most)
    return Request(
        method="GET",
        url=f"{url}/route/v1/driving/{places}?alternatives={alternatives}&overview=false&steps=false",
        headers={"accept": "application/json"},
    )


def read(response: Response) -> list[Route]:
    """Read an answer; raises Refused where there is no way, Unavailable and RemoteError where there is no answer."""
    if response.status not in (_OK, _BAD_REQUEST):
        raise Unavailable(f"the route server answered with status {response.status}", code="router_unavailable")
    try:
        answer = _decode(response.body)
    except msgspec.DecodeError as error:
        raise RemoteError(f"the route server's answer cannot be read: {error}") from None
    if answer.code in _NO_WAY:
        raise Refused("There is no way by car between those places.", code="no_route")
    if answer.code != "Ok" or not answer.routes:
        raise RemoteError(f"the route server answered with the code {answer.code[:40]!r}")
    found = [_route(route, number) for number, route in enumerate(answer.routes)]
    return sorted(found, key=lambda route: route.minutes)


def _route(route: _Route, number: int) -> Route:
    if not (0 <= route.duration < math.inf and 0 <= route.distance < math.inf):
        raise RemoteError("the route server gave a way that is no length of time")
    via = next((leg.summary for leg in route.legs if leg.summary), "")
    return Route(
        minutes=math.ceil(route.duration / 60),
        mode="drive",
        label=f"via {via}" if via else ("by car" if number == 0 else f"by car, way {number + 1}"),
        distance_m=round(route.distance),
        traffic_level="light",
        confidence="medium",
        warnings=("without today's traffic",),
    )

"""An OSRM server, as its documentation has it answer: over a socket, in pieces, and not at all."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.http import HttpClient
from phone_bridge.tools.osrm import ROUTES_MAX, Osrm, read, request
from phone_bridge.tools.travel import Journey, Point, Route

NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)
JOURNEY = Journey(start=Point(40.7484, -73.9857), end=Point(40.6413, -73.7781), mode="drive", at=NOON, most=3)
OK = {
    "code": "Ok",
    "routes": [
        {
            "distance": 28123.4,
            "duration": 2460.2,
            "weight": 2460.2,
            "weight_name": "routability",
            "legs": [{"steps": [], "distance": 28123.4, "duration": 2460.2, "summary": "Belt Parkway", "weight": 1}],
        },
        {"distance": 25001, "duration": 2341, "legs": [{"steps": [], "summary": "Van Wyck Expressway"}]},
        {"distance": 31000, "duration": 2999.9, "legs": [{"steps": [], "summary": ""}]},
    ],
    "waypoints": [{"hint": "x", "distance": 4.1, "name": "5th Avenue", "location": [-73.98, 40.74]}] * 2,
}


@contextmanager
def serving(answer: Any, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Answer on a port of this machine as OSRM does; the paths that were asked for are told."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            body = json.dumps(answer).encode() if not isinstance(answer, bytes) else answer
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", paths
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def routes(url: str, journey: Journey = JOURNEY) -> list[Route]:
    async def asked() -> list[Route]:
        client = HttpClient()

        async def ask(asking: Request) -> Response:
            return await client.exchange(asking, timeout_ms=2000)

        try:
            return await Osrm(url, ask).routes(journey)
        finally:
            await client.close()

    return asyncio.run(asked())


def test_ways_come_from_the_server_the_fastest_first() -> None:
    with serving(OK) as (url, paths):
        found = routes(url)
    assert paths == [
        "/route/v1/driving/-73.985700,40.748400;-73.778100,40.641300?alternatives=3&overview=false&steps=false"
    ]
    assert [(route.label, route.minutes, route.distance_m) for route in found] == [
        ("via Van Wyck Expressway", 40, 25001),
        ("via Belt Parkway", 42, 28123),
        ("by car, way 3", 50, 31000),
    ]
    assert {(route.confidence, route.warnings) for route in found} == {("medium", ("without today's traffic",))}


def test_only_ways_by_car_are_asked_for() -> None:
    with serving(OK) as (url, paths):
        found = routes(url, Journey(start=JOURNEY.start, end=Point(40.7, -73.98), mode="walk", at=NOON))
    assert paths == []
    assert [route.label for route in found] == ["on foot"]


def test_no_way_is_no_way() -> None:
    nowhere = {"code": "NoRoute", "message": "Impossible route between points"}
    with serving(nowhere, 400) as (url, _), pytest.raises(Refused) as caught:
        routes(url)
    assert caught.value.code == "no_route"


@pytest.mark.parametrize(
    ("answer", "status"),
    [({}, 500), ({"code": "InvalidUrl"}, 400), (b"<html>", 200), ({"code": "Ok", "routes": []}, 200), ({}, 429)],
)
def test_a_server_that_does_not_answer_as_it_should_is_replaced_by_an_estimate_that_says_so(
    answer: Any, status: int
) -> None:
    with serving(answer, status) as (url, _):
        (found,) = routes(url)
    assert found.confidence == "low"
    assert "the route server could not be asked" in found.warnings


def test_a_server_that_is_not_there_is_replaced_too() -> None:
    with serving(OK) as (url, _):
        pass
    assert routes(url)[0].confidence == "low"


def test_as_many_ways_are_asked_for_as_are_wanted() -> None:
    one = Journey(start=JOURNEY.start, end=JOURNEY.end, mode="drive", at=NOON)
    many = Journey(start=JOURNEY.start, end=JOURNEY.end, mode="drive", at=NOON, most=ROUTES_MAX + 1)
    assert "alternatives=false" in request("http://osrm", one).url
    assert f"alternatives={ROUTES_MAX}&" in request("http://osrm", many).url


@pytest.mark.parametrize("length", [-1, 1e999])
def test_a_way_of_no_length_is_nonsense(length: float) -> None:
    body = json.dumps({"code": "Ok", "routes": [{"duration": length, "distance": 1}]}).replace("Infinity", "1e999")
    with pytest.raises(RemoteError):
        read(Response(status=200, body=body.encode()))


@given(st.binary(max_size=80), st.integers(100, 599))
def test_whatever_is_answered_is_a_way_or_an_error_of_ours(body: bytes, status: int) -> None:
    try:
        assert read(Response(status=status, body=body))
    except BridgeError as error:
        assert isinstance(error, Refused | RemoteError | Unavailable)  # noqa: PT017 - which one is all that is known

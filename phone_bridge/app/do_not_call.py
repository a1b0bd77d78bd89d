"""The do-not-call list: who asked not to be called, and who was put on it or taken off it by the operator."""

import asyncio
import time
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app import bodies
from phone_bridge.app.answers import answer
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import masked
from phone_bridge.app.door import Door, refuse
from phone_bridge.errors import Refused
from phone_bridge.outbound.reminders import Number, iso


class BarBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number, and whether it must not be called."""

    to: Number
    barred: bool = True


async def index(request: Request) -> Response:
    """List the numbers that must not be called."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "reminders:read", whole=True):
        return refusal
    door: Door = bridge.door
    whole = door.allows(request, "reminders:write")
    found = await asyncio.to_thread(bridge.outbound.book.barred)
    return answer(
        {
            "object": "list",
            "data": [
                {
                    "to": one.number if whole else masked(one.number),
                    "since": iso(datetime.fromtimestamp(one.since, UTC)),
                    "call_id": one.call_id,
                }
                for one in found
            ],
        }
    )


async def change(request: Request) -> Response:
    """Put a number on the list, or take it off."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "reminders:write", whole=True):
        return refusal
    try:
        body, _ = await bodies.read(request, BarBody)
    except Refused as error:
        return bodies.refused(error)
    book = bridge.outbound.book
    if body.barred:
        await asyncio.to_thread(book.bar, body.to, int(time.time()))
    else:
        await asyncio.to_thread(book.allow, body.to)
    return answer({"to": body.to, "barred": body.barred})


ROUTES = (
    Route("/v1/do-not-call", index, methods=["GET"]),
    Route("/v1/do-not-call", change, methods=["POST"]),
)

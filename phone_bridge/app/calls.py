"""The calls API: what is going on, what went on, and ending a call."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from phone_bridge.app import receipts, transferring
from phone_bridge.app.answers import answer as answer
from phone_bridge.app.answers import problem as problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import Door, refuse, sees
from phone_bridge.call.receipt import SHOWN_DIGITS
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.runtime.record import CallRecord

HIDDEN = "\N{BULLET}" * 6
"""What stands for the digits that are not shown; always as many, for the length tells of the country."""


async def index(request: Request) -> Response:
    """List calls, newest first."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "calls:read"):
        return refusal
    wanted = request.query_params.get("carrier_id")
    calls = [call for call in await bridge.registry.list() if wanted in (None, call.carrier_id)]
    mine = [call for call in calls if sees(request, call.user_id)]
    return answer({"object": "list", "data": [shown(request, call) for call in mine]})


async def show(request: Request) -> Response:
    """Show one call, live or kept, with the receipts of what was consented to in it."""
    if refusal := refuse(request, "calls:read"):
        return refusal
    call = await find(request)
    if call is None:
        return _unknown(request)
    found = await receipts.of_call(request.app.state.bridge, call.id)
    moved = await transferring.shown(request.app.state.bridge, call.id)
    return answer({**shown(request, call), "transfers": moved, "receipts": found})


async def end(request: Request) -> Response:
    """End a live call, after a goodbye that is heard."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "calls:write"):
        return refusal
    call = await find(request)
    if call is None:
        return _unknown(request)
    if call.ended_at is not None:
        return problem(409, "invalid_request_error", "call_ended", f"The call {call.id} is over.")
    if not bridge.registry.end(call.id, "api"):
        try:
            if not await bridge.outbound.hang_up(call.id):
                await bridge.end_at_carrier(call)
        except (Refused, Unavailable, RemoteError) as error:
            return problem(
                409, "invalid_request_error", "call_not_live", f"The call {call.id} is not live here. {error}"
            )
    return answer(call, 202)


async def find(request: Request) -> CallRecord | None:
    """Find the call that a path names; None also for one that is nothing to whoever asks."""
    bridge: Bridge = request.app.state.bridge
    call = await bridge.registry.find(request.path_params["id"])
    return call if call is not None and sees(request, call.user_id) else None


def shown(request: Request, call: CallRecord) -> dict[str, Any]:
    """Write a call as whoever asks may see it: a key that may only look sees the last two digits of its numbers.

    What a call that is live here is asking has no verdict yet.
    """
    bridge: Bridge = request.app.state.bridge
    door = bridge.door
    written: dict[str, Any] = msgspec.to_builtins(call)
    if (pump := bridge.registry.pump(call.id)) is not None:
        written["actions"] = written["actions"][: len(pump.trace.actions)]
    if not door.allows(request, "calls:write"):
        written |= {name: masked(written[name]) for name in ("from", "to")}
    if written["timeline"] is not None:
        written["timeline"]["events"] = events_for(request, written["timeline"]["events"])
    return written


def events_for(request: Request, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what happened in a call as whoever asks may see it: keys may be a number, too."""
    door: Door = request.app.state.bridge.door
    if door.allows(request, "calls:write"):
        return events
    return [{**event, "text": HIDDEN[0]} if event["kind"] == "key" else event for event in events]


def masked(number: str | None) -> str | None:
    """Hide a number but for its last two digits; a name, as SIP has them, is hidden whole."""
    if not number:
        return number
    tail = number[-SHOWN_DIGITS:]
    return HIDDEN + (tail if tail.isdecimal() and len(number) > 2 * SHOWN_DIGITS else "")


def _unknown(request: Request) -> Response:
    return problem(404, "invalid_request_error", "call_not_found", f"There is no call {request.path_params['id']}.")

"""The calls API: what is going on, what went on, and ending a call."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from phone_bridge.app import receipts
from phone_bridge.app.answers import answer as answer
from phone_bridge.app.answers import problem as problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import refuse
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.runtime.record import CallRecord


async def index(request: Request) -> Response:
    """List calls, newest first."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "calls:read"):
        return refusal
    wanted = request.query_params.get("carrier_id")
    calls = [call for call in await bridge.registry.list() if wanted in (None, call.carrier_id)]
    return answer({"object": "list", "data": calls})


async def show(request: Request) -> Response:
    """Show one call, live or kept, with the receipts of what was consented to in it."""
    if refusal := refuse(request, "calls:read"):
        return refusal
    call = await _find(request)
    if call is None:
        return _unknown(request)
    found = await receipts.of_call(request.app.state.bridge, call.id)
    return answer({**msgspec.to_builtins(call), "receipts": found})


async def end(request: Request) -> Response:
    """End a live call, after a goodbye that is heard."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "calls:write"):
        return refusal
    call = await _find(request)
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


async def _find(request: Request) -> CallRecord | None:
    bridge: Bridge = request.app.state.bridge
    return await bridge.registry.find(request.path_params["id"])


def _unknown(request: Request) -> Response:
    return problem(404, "invalid_request_error", "call_not_found", f"There is no call {request.path_params['id']}.")

"""Whether this process lives, and whether it can take calls."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import answer
from phone_bridge.errors import Unavailable


async def healthz(request: Request) -> Response:
    """Say that the process answers."""
    return answer({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Say whether a call may be sent here."""
    bridge: Bridge = request.app.state.bridge
    if bridge.registry.draining:
        return answer({"status": "unavailable", "reason": "draining"}, 503)
    try:
        await asyncio.to_thread(bridge.records.ping)
    except Unavailable as error:
        return answer({"status": "unavailable", "reason": error.code}, 503)
    if not bridge.registry.has_room():
        return answer({"status": "unavailable", "reason": "busy"}, 503)
    return answer({"status": "ok", "calls": bridge.registry.live})

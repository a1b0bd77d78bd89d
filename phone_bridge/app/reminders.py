"""The reminders API: ringing somebody at a time, or before an event."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app import bodies
from phone_bridge.app.answers import answer, problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import masked
from phone_bridge.app.door import Door, refuse, refuse_user, sees
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.outbound.reminders import Reminder, ReminderBody, shown

PARAMS = frozenset({"at", "from", "timezone", "event_id", "repeat", "policy", "text", "consent"})
STATUSES = ("scheduled", "calling", "done", "cancelled", "failed")


async def make(request: Request) -> Response:
    """Schedule a reminder."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "reminders:write"):
        return refusal
    try:
        wish, raw = await bodies.read(request, ReminderBody)
        promise = bodies.promise(request, "reminders", raw)
        user_id = wish.user_id or bridge.outbound.user_of(wish.to, wish.from_)
        if refusal := refuse_user(request, user_id):
            return refusal
        reminder = await bridge.outbound.remind(wish, user_id, promise)
    except Refused as error:
        return bodies.refused(error, PARAMS)
    return answer(shown(reminder), 201)


async def index(request: Request) -> Response:
    """List reminders, newest first."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "reminders:read"):
        return refusal
    status = request.query_params.get("status")
    found = await asyncio.to_thread(bridge.outbound.book.reminders, status if status in STATUSES else None)
    mine = [reminder for reminder in found if sees(request, reminder.user_id)]
    return answer({"object": "list", "data": [_as_seen(request, reminder) for reminder in mine]})


async def show(request: Request) -> Response:
    """Show one reminder."""
    if refusal := refuse(request, "reminders:read"):
        return refusal
    reminder = await _find(request)
    return _unknown(request) if reminder is None else answer(_as_seen(request, reminder))


async def cancel(request: Request) -> Response:
    """Cancel a reminder: it will not ring any more, and what rings for it is taken back."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "reminders:write"):
        return refusal
    if await _find(request) is None:
        return _unknown(request)
    try:
        reminder = await bridge.outbound.cancel(request.path_params["id"])
    except Refused as error:
        return bodies.refused(error)
    except Unavailable as error:
        if error.code == "database":
            raise
        message = f"The reminder will not ring again, but the call that rings for it could not be taken back. {error}"
        return problem(503, "api_error", error.code, message)
    return _unknown(request) if reminder is None else answer(shown(reminder))


async def _find(request: Request) -> Reminder | None:
    """Find the reminder that a path names; None also for one that is nothing to whoever asks."""
    bridge: Bridge = request.app.state.bridge
    reminder = await asyncio.to_thread(bridge.outbound.book.reminder, request.path_params["id"])
    return reminder if reminder is not None and sees(request, reminder.user_id) else None


def _as_seen(request: Request, reminder: Reminder) -> dict[str, Any]:
    """Write a reminder as whoever asks may see it: a key that may only look sees no whole number."""
    door: Door = request.app.state.bridge.door
    written = shown(reminder)
    if not door.allows(request, "reminders:write"):
        written |= {name: masked(written[name]) for name in ("from", "to")}
    return written


def _unknown(request: Request) -> Response:
    message = f"There is no reminder {request.path_params['id']}."
    return problem(404, "invalid_request_error", "reminder_not_found", message)


ROUTES = (
    Route("/v1/reminders", make, methods=["POST"]),
    Route("/v1/reminders", index, methods=["GET"]),
    Route("/v1/reminders/{id}", show, methods=["GET"]),
    Route("/v1/reminders/{id}", cancel, methods=["DELETE"]),
)

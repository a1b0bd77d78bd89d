"""The calls API: what is going on, what went on, and ending a call."""

import hmac
from ipaddress import ip_address
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from phone_bridge.app.bridge import Bridge
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.runtime.record import CallRecord

_LOOPBACK_NAMES = frozenset({"localhost"})


async def index(request: Request) -> Response:
    """List calls, newest first."""
    bridge: Bridge = request.app.state.bridge
    if refusal := _refuse(request):
        return refusal
    wanted = request.query_params.get("carrier_id")
    calls = [call for call in await bridge.registry.list() if wanted in (None, call.carrier_id)]
    return answer({"object": "list", "data": calls})


async def show(request: Request) -> Response:
    """Show one call, live or kept."""
    if refusal := _refuse(request):
        return refusal
    call = await _find(request)
    return answer(call) if call is not None else _unknown(request)


async def end(request: Request) -> Response:
    """End a live call, after a goodbye that is heard."""
    bridge: Bridge = request.app.state.bridge
    if refusal := _refuse(request):
        return refusal
    call = await _find(request)
    if call is None:
        return _unknown(request)
    if call.ended_at is not None:
        return problem(409, "invalid_request_error", "call_ended", f"The call {call.id} is over.")
    if not bridge.registry.end(call.id, "api"):
        try:
            await bridge.end_at_carrier(call)
        except (Refused, Unavailable, RemoteError) as error:
            return problem(
                409, "invalid_request_error", "call_not_live", f"The call {call.id} is not live here. {error}"
            )
    return answer(call, 202)


async def _find(request: Request) -> CallRecord | None:
    bridge: Bridge = request.app.state.bridge
    return await bridge.registry.find(request.path_params["id"])


def _refuse(request: Request) -> Response | None:
    """Refuse whoever may not use the API: without the key, or, where none is set, from another machine."""
    key = request.app.state.bridge.settings.api_key
    if key:
        given = request.headers.get("authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {key}".encode()):
            return None
        return problem(401, "authentication_error", "invalid_api_key", "Send the API key: Authorization: Bearer KEY.")
    if _is_local(request):
        return None
    message = "Only this machine is served until PHONE_BRIDGE_API_KEY is set."
    return problem(403, "authorization_error", "api_key_required", message)


def _is_local(request: Request) -> bool:
    """Tell whether client and address are this machine's own; a tunnel connects from here under a public name."""
    host = request.url.hostname or ""
    client = request.client.host if request.client is not None else ""
    return _is_loopback(client) and (_is_loopback(host) or host in _LOOPBACK_NAMES)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def answer(content: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def problem(status: int, kind: str, code: str, message: str) -> Response:
    """Answer with the API's error shape."""
    return answer({"error": {"type": kind, "code": code, "message": message}}, status)


def _unknown(request: Request) -> Response:
    return problem(404, "invalid_request_error", "call_not_found", f"There is no call {request.path_params['id']}.")

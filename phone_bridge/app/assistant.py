"""The built-in assistant's paths, in ChronaPilot's dialect."""

from collections.abc import Awaitable, Callable
from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, WebSocketRoute
from starlette.types import Scope
from starlette.websockets import WebSocket

from phone_bridge import exchange
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.embedded import Embedded
from phone_bridge.app.envelopes import shows_voice_key
from phone_bridge.assistant.front import Asked
from phone_bridge.assistant.minting import MAX_BODY_BYTES
from phone_bridge.runtime.sockets import accept
from phone_bridge.sessions.chronapilot.schema import schema

SESSIONS = "/v1/voice/sessions"
REALTIME = "/v1/voice/realtime"
EVENTS = "/v1/events"
REMINDERS = "/v1/reminders"
ALERTS = "/v1/alerts"
USERS = "/v1/users"
WEBHOOKS = "/v1/webhook_endpoints"

# Sessions


async def mint(request: Request) -> Response:
    """Mint a voice session."""
    return _answer(_embedded(request).service.mint(_headers(request), await _body(request)))


async def show(request: Request) -> Response:
    """Show a voice session."""
    return _answer(_embedded(request).service.get(_headers(request), request.path_params["id"]))


async def delete(request: Request) -> Response:
    """End a voice session for good."""
    return _answer(_embedded(request).service.delete(_headers(request), request.path_params["id"]))


async def realtime(websocket: WebSocket) -> None:
    """Be the assistant on one socket."""
    bridge: Bridge = websocket.app.state.bridge
    service = bridge.embedded.service
    opened = service.open(websocket.query_params.get("session", ""))
    if isinstance(opened, exchange.Response):
        await websocket.send_denial_response(_answer(opened))
        return
    await service.serve(opened, await accept(websocket))


async def socket_schema(request: Request) -> Response:
    """Describe the messages of that socket as a JSON Schema."""
    return Response(_encoded_schema(), media_type="application/json")


@cache
def _encoded_schema() -> bytes:
    return msgspec.json.encode(schema())


# Everything else


class KeyedRoute(Route):
    """A path that the bridge's own API has, too: this route takes the requests that show a key of the assistant's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path for such a key alone."""
        return super().matches(scope) if shows_voice_key(scope) else (Match.NONE, {})


def operation(
    method: str,
    path: str,
    call: Callable[[Embedded], Callable[..., Awaitable[exchange.Response]]],
    kind: type[Route] = Route,
) -> Route:
    """Make the route of an operation, which is handed the request and what stands in its path."""

    async def serve(request: Request) -> Response:
        query = tuple(request.query_params.multi_items())
        endpoint = f"{method} {path}"
        if request.path_params:  # the same key for another thing is another request
            endpoint += " " + " ".join(request.path_params.values())
        asked = Asked(endpoint=endpoint, headers=_headers(request), query=query, body=await _body(request))
        return _answer(await call(_embedded(request))(asked, *request.path_params.values()))

    return kind(path, serve, methods=[method])


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break  # it is refused by the size that it has by now
    return bytes(body)


def _embedded(request: Request) -> Embedded:
    bridge: Bridge = request.app.state.bridge
    return bridge.embedded


def _headers(request: Request) -> dict[str, str]:
    return dict(request.headers.items())


def _answer(response: exchange.Response) -> Response:
    return Response(response.body, response.status, response.headers)


ROUTES: tuple[Route | WebSocketRoute, ...] = (
    Route(SESSIONS, mint, methods=["POST"]),
    Route(f"{SESSIONS}/{{id}}", show, methods=["GET"]),
    Route(f"{SESSIONS}/{{id}}", delete, methods=["DELETE"]),
    WebSocketRoute(REALTIME, realtime),
    Route(f"{REALTIME}/schema.json", socket_schema, methods=["GET"]),
    operation("GET", EVENTS, lambda its: its.calendar.list_events),
    operation("POST", EVENTS, lambda its: its.calendar.create_event),
    operation("GET", f"{EVENTS}/{{id}}", lambda its: its.calendar.show_event),
    operation("PATCH", f"{EVENTS}/{{id}}", lambda its: its.calendar.change_event),
    operation("DELETE", f"{EVENTS}/{{id}}", lambda its: its.calendar.delete_event),
    operation("GET", REMINDERS, lambda its: its.calendar.list_reminders, KeyedRoute),
    operation("POST", REMINDERS, lambda its: its.calendar.create_reminder, KeyedRoute),
    operation("GET", f"{REMINDERS}/{{id}}", lambda its: its.calendar.show_reminder, KeyedRoute),
    operation("DELETE", f"{REMINDERS}/{{id}}", lambda its: its.calendar.delete_reminder, KeyedRoute),
    operation("GET", ALERTS, lambda its: its.calendar.list_alerts),
    operation("POST", f"{ALERTS}/{{id}}/dismiss", lambda its: its.calendar.dismiss_alert),
    operation("POST", f"{ALERTS}/{{id}}/snooze", lambda its: its.calendar.snooze_alert),
    operation("GET", f"{USERS}/{{id}}", lambda its: its.calendar.show_user),
    operation("PATCH", f"{USERS}/{{id}}", lambda its: its.calendar.change_user),
    operation("POST", WEBHOOKS, lambda its: its.webhooks.create),
    operation("GET", WEBHOOKS, lambda its: its.webhooks.index),
    operation("GET", f"{WEBHOOKS}/{{id}}", lambda its: its.webhooks.show),
    operation("PATCH", f"{WEBHOOKS}/{{id}}", lambda its: its.webhooks.change),
    operation("DELETE", f"{WEBHOOKS}/{{id}}", lambda its: its.webhooks.delete),
    operation("POST", f"{WEBHOOKS}/{{id}}/test", lambda its: its.webhooks.test),
    operation("GET", f"{WEBHOOKS}/{{id}}/deliveries", lambda its: its.webhooks.deliveries),
    operation("POST", f"{WEBHOOKS}/{{id}}/deliveries/{{delivery_id}}/replay", lambda its: its.webhooks.replay),
)

"""The built-in assistant's paths, in ChronaPilot's dialect."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge import exchange
from phone_bridge.app.bridge import Bridge
from phone_bridge.assistant.server import VoiceService
from phone_bridge.runtime.sockets import accept

MAX_BODY_BYTES = 65_536
"""Longer requests are refused unread; a mint has about 100 bytes."""


async def mint(request: Request) -> Response:
    """Mint a voice session."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break  # the service refuses it, by the size that it has by now
    return _answer(_service(request).mint(_headers(request), bytes(body)))


async def show(request: Request) -> Response:
    """Show a voice session."""
    return _answer(_service(request).get(_headers(request), request.path_params["id"]))


async def delete(request: Request) -> Response:
    """End a voice session for good."""
    return _answer(_service(request).delete(_headers(request), request.path_params["id"]))


async def event(request: Request) -> Response:
    """Show an event of a calendar that the assistant keeps."""
    bridge: Bridge = request.app.state.bridge
    return _answer(await bridge.embedded.event(_headers(request), request.path_params["id"]))


async def realtime(websocket: WebSocket) -> None:
    """Be the assistant on one socket."""
    bridge: Bridge = websocket.app.state.bridge
    service = bridge.embedded.service
    opened = service.open(websocket.query_params.get("session", ""))
    if isinstance(opened, exchange.Response):
        await websocket.send_denial_response(_answer(opened))
        return
    await service.serve(opened, await accept(websocket))


def _service(request: Request) -> VoiceService:
    bridge: Bridge = request.app.state.bridge
    return bridge.embedded.service


def _headers(request: Request) -> dict[str, str]:
    return dict(request.headers.items())


def _answer(response: exchange.Response) -> Response:
    return Response(response.body, response.status, response.headers)


ROUTES = (
    Route("/v1/voice/sessions", mint, methods=["POST"]),
    Route("/v1/voice/sessions/{id}", show, methods=["GET"]),
    Route("/v1/voice/sessions/{id}", delete, methods=["DELETE"]),
    Route("/v1/events/{id}", event, methods=["GET"]),
    WebSocketRoute("/v1/voice/realtime", realtime),
)

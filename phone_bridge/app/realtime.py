"""The built-in assistant's paths in OpenAI Realtime's dialect, GA and beta."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge import exchange
from phone_bridge.app.answers import problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import bearer, refuse
from phone_bridge.app.voice_agent import TICKET, redeem
from phone_bridge.errors import Refused
from phone_bridge.runtime.api_keys import TALK
from phone_bridge.runtime.sockets import accept
from phone_bridge.sessions.realtime.names import (
    BETA_HEADER,
    BETA_SUBPROTOCOL,
    EPHEMERAL,
    KEY_SUBPROTOCOL,
    SUBPROTOCOL,
    Shape,
)


async def client_secrets(request: Request) -> Response:
    """Make a client secret."""
    return await _mint(request, Shape.GA)


async def sessions(request: Request) -> Response:
    """Make a client secret as the beta did."""
    return await _mint(request, Shape.BETA)


async def _mint(request: Request, shape: Shape) -> Response:
    if refused := refuse(request, TALK):
        return refused
    bridge: Bridge = request.app.state.bridge
    return _answer(bridge.embedded.realtime.mint(await request.body(), shape))


async def realtime(websocket: WebSocket) -> None:
    """Be the assistant on one socket."""
    bridge: Bridge = websocket.app.state.bridge
    try:
        door, key = bridge.embedded.realtime, await redeem(websocket) or _key(websocket)
    except Refused as error:
        await websocket.send_denial_response(problem(401, "authentication_error", error.code, str(error)))
        return
    secret = key if key.startswith(EPHEMERAL) else ""
    if not secret and (refused := refuse(websocket, TALK, key)):
        await websocket.send_denial_response(refused)
        return
    opened = door.open(secret, _shape(websocket), websocket.query_params)
    if isinstance(opened, exchange.Response):
        await websocket.send_denial_response(_answer(opened))
        return
    chosen = SUBPROTOCOL if SUBPROTOCOL in _subprotocols(websocket) else None
    await door.serve(opened, await accept(websocket, subprotocol=chosen))


def _key(websocket: HTTPConnection) -> str:
    """Read the key of the header, or else of the subprotocol that browsers send it in."""
    shown = (
        each.removeprefix(KEY_SUBPROTOCOL) for each in _subprotocols(websocket) if each.startswith(KEY_SUBPROTOCOL)
    )
    return bearer(websocket) or next(shown, "")


def _shape(websocket: HTTPConnection) -> Shape:
    name, value = BETA_HEADER
    asked = websocket.headers.get(name) == value or BETA_SUBPROTOCOL in _subprotocols(websocket)
    asked = (
        asked or TICKET in websocket.query_params
    )  # who was sent here by the voice-agent endpoint knows the beta alone
    return Shape.BETA if asked else Shape.GA


def _subprotocols(websocket: HTTPConnection) -> list[str]:
    offered: list[str] = websocket.scope.get("subprotocols", [])
    return offered


def _answer(response: exchange.Response) -> Response:
    return Response(response.body, response.status, response.headers)


ROUTES = (
    Route("/v1/realtime/client_secrets", client_secrets, methods=["POST"]),
    Route("/v1/realtime/sessions", sessions, methods=["POST"]),
    WebSocketRoute("/v1/realtime", realtime),
)

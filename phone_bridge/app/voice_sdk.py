"""The built-in assistant's paths in the Voice SDK's dialect."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge.app.answers import answer
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import refuse
from phone_bridge.runtime.api_keys import TALK
from phone_bridge.runtime.sockets import accept
from phone_bridge.settings import SDK_SOCKET_PATH


async def token(request: Request) -> Response:
    """Make a token that opens one session."""
    if refused := refuse(request, TALK):
        return refused
    bridge: Bridge = request.app.state.bridge
    made = bridge.embedded.sdk.token()
    return Response(made.body, made.status, made.headers)


async def heartbeat(request: Request) -> Response:
    """Tell a client with a good key that the service is there."""
    return refuse(request, TALK) or answer({"status": "ok"})


async def socket(websocket: WebSocket) -> None:
    """Be the assistant on one socket; who is there says its first message."""
    bridge: Bridge = websocket.app.state.bridge
    await bridge.embedded.sdk.serve(await accept(websocket))


ROUTES = (
    Route("/api/v1/sdk/token", token, methods=["POST"]),
    Route("/api/v1/sdk/heartbeat", heartbeat, methods=["POST"]),
    WebSocketRoute(SDK_SOCKET_PATH, socket),
)

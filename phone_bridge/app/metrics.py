"""``GET /metrics``, and counting what is asked and refused over HTTP."""

import time
from collections.abc import Awaitable, Callable
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import refuse
from phone_bridge.errors import BridgeError

METRICS_PATH = "/metrics"
WEBHOOKS = "/twilio/"

Handler = Callable[[Request, Exception], Awaitable[Response]]


async def metrics(request: Request) -> Response:
    """Show every metric to whoever may see them."""
    if refusal := refuse(request, "metrics:read"):
        return refusal
    bridge: Bridge = request.app.state.bridge
    body, content_type = bridge.telemetry.scrape(request.headers.get("accept", ""))
    # A scraper that keeps its connection would hear of one worker for ever, where several share a port.
    return Response(body, headers={"Content-Type": content_type, "Connection": "close"})


def counted(handler: Handler) -> Handler:
    """Count the webhook that ``handler`` refuses, by its error's code."""

    async def count(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(WEBHOOKS):
            bridge: Bridge = request.app.state.bridge
            bridge.telemetry.webhook_refused(error.code if isinstance(error, BridgeError) else "")
        return await handler(request, error)

    return count


class Requests:
    """Count HTTP requests by their route, their status and their time; sockets pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            bridge: Bridge = scope["app"].state.bridge
            bridge.telemetry.request_served(_path(scope), status, time.monotonic() - began)


def _path(scope: Scope) -> str:
    """Name the route that served a request; empty where none did."""
    route = cast("BaseRoute | None", scope.get("route"))
    return route.path if isinstance(route, Route) else ""

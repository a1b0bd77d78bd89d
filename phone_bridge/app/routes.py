"""The application: every path that carriers, programs and people use, and what answers it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from phone_bridge.app import assistant, calls, health, streams, voice
from phone_bridge.app.bridge import Bridge
from phone_bridge.errors import Refused, RemoteError, Unavailable

PATHS: tuple[Route | WebSocketRoute, ...] = (
    Route(voice.VOICE_PATH, voice.voice, methods=["POST"]),
    Route(voice.CONNECT_PATH, voice.connect, methods=["POST"]),
    Route("/twilio/status", voice.status, methods=["POST"]),
    Route("/twilio/stream", voice.stream, methods=["POST"]),
    WebSocketRoute("/twilio/media", streams.media),
    Route("/v1/calls", calls.index, methods=["GET"]),
    Route("/v1/calls/{id}", calls.show, methods=["GET"]),
    Route("/v1/calls/{id}/end", calls.end, methods=["POST"]),
    Route("/healthz", health.healthz, methods=["GET"]),
    Route("/readyz", health.readyz, methods=["GET"]),
    *assistant.ROUTES,
)


def build(make: Callable[[], Bridge]) -> Starlette:
    """Build the application; ``make`` is called once, when the server starts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        bridge = app.state.bridge = make()
        await bridge.start()
        try:
            yield
        finally:
            await bridge.stop()

    return Starlette(
        routes=PATHS,
        exception_handlers={Refused: voice.unsigned, RemoteError: voice.malformed, Unavailable: voice.unavailable},
        lifespan=lifespan,
    )

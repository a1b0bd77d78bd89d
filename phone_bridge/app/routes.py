"""The application: every path that carriers, programs and people use, and what answers it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from phone_bridge.app import (
    asking,
    assistant,
    calls,
    campaigns,
    chronapilot_webhook,
    do_not_call,
    health,
    lines,
    metrics,
    openapi,
    pages,
    phone,
    placing,
    realtime,
    receipts,
    recordings,
    reminders,
    resuming,
    streams,
    transfer_webhooks,
    voice,
    voice_agent,
    voice_sdk,
    voicemail_webhooks,
    watching,
)
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.call_toolbox import CallToolbox
from phone_bridge.app.guard import Guard
from phone_bridge.app.lines import AudioSocketDoor
from phone_bridge.app.sip import SipDoor
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.runtime.language_toolbox import LanguageToolbox
from phone_bridge.runtime.pin_toolbox import PinToolbox

PATHS: tuple[Route | WebSocketRoute, ...] = (
    Route(voice.VOICE_PATH, voice.voice, methods=["POST"]),
    Route(resuming.CONNECT_PATH, voice.connect, methods=["POST"]),
    Route("/twilio/status", voice.status, methods=["POST"]),
    Route("/twilio/amd", voice.amd, methods=["POST"]),
    Route("/twilio/stream", voice.stream, methods=["POST"]),
    *transfer_webhooks.ROUTES,
    *voicemail_webhooks.ROUTES,
    WebSocketRoute("/twilio/media", streams.media),
    Route("/v1/calls", calls.index, methods=["GET"]),
    Route("/v1/calls", placing.place, methods=["POST"]),
    *watching.ROUTES,
    *recordings.ROUTES,
    Route("/v1/calls/{id}", calls.show, methods=["GET"]),
    Route("/v1/calls/{id}/end", calls.end, methods=["POST"]),
    *chronapilot_webhook.ROUTES,
    *placing.ROUTES,
    Route(receipts.KEYS_PATH, receipts.keys, methods=["GET"]),
    Route("/healthz", health.healthz, methods=["GET"]),
    Route("/readyz", health.readyz, methods=["GET"]),
    Route(metrics.METRICS_PATH, metrics.metrics, methods=["GET"]),
    Route("/openapi.json", openapi.openapi, methods=["GET"]),
    Route("/docs", openapi.docs, methods=["GET"]),
    *assistant.ROUTES,
    *campaigns.ROUTES,
    *do_not_call.ROUTES,
    *reminders.ROUTES,  # after the assistant's, whose keys tell requests for its own reminders
    *realtime.ROUTES,
    *voice_sdk.ROUTES,
    *voice_agent.ROUTES,
    *phone.ROUTES,
    *lines.ROUTES,
    *pages.ROUTES,
)


def build(
    make: Callable[[], Bridge], within: Callable[[Bridge], AbstractContextManager[object]] = nullcontext
) -> Starlette:
    """Build the application; ``make`` is called once, when the server starts, and ``within`` stands around its life."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        bridge = app.state.bridge = make()
        bridge.toolboxes.of_a_call.append(lambda facts: CallToolbox(bridge, facts))
        asking.serve(bridge)
        bridge.toolboxes.of_a_call.append(
            lambda facts: LanguageToolbox(lambda language: bridge.registry.speak(facts.call_id, language))
        )
        bridge.toolboxes.of_a_call.append(lambda facts: PinToolbox(lambda: bridge.registry.change_pin(facts.call_id)))
        sip = SipDoor(bridge)
        audiosocket = AudioSocketDoor(bridge)
        await bridge.start()
        try:
            await lines.expect_users(bridge)
            await sip.open()
            await audiosocket.open()
            with within(bridge):
                yield
        finally:
            await audiosocket.close()
            await sip.close()
            await bridge.stop()

    return Starlette(
        routes=PATHS,
        middleware=[Middleware(metrics.Requests), Middleware(Guard)],
        exception_handlers={
            HTTPException: openapi.not_served,
            Refused: metrics.counted(voice.unsigned),
            RemoteError: metrics.counted(voice.malformed),
            Unavailable: metrics.counted(voice.unavailable),
        },
        lifespan=lifespan,
    )

"""Twilio's webhooks about a message on the voicemail: that it can be fetched, and what was said in it."""

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app import voicemail
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.fallback import RECORDED_PATH, TRANSCRIBED_PATH
from phone_bridge.app.voice import read
from phone_bridge.legs.twilio.webhook import Recording, Transcription
from phone_bridge.runtime.record import CallRecord

log = logging.getLogger("phone_bridge.twilio")


async def recorded(request: Request) -> Response:
    """Take in that a message is ready; it may come before the call's own word of it, after, or twice."""
    bridge, form = await read(request)
    recording = Recording.parse(form, bridge.settings.twilio_url)
    record = await _record(bridge, recording.call_sid)
    if record is not None and recording.url and form.get("RecordingStatus", "completed") == "completed":
        await voicemail.leave(bridge, record, recording.url, recording.seconds)
    return Response(status_code=204)


async def transcribed(request: Request) -> Response:
    """Take in what was said in a message."""
    bridge, form = await read(request)
    said = Transcription.parse(form, bridge.settings.twilio_url)
    record = await _record(bridge, said.call_sid)
    if record is not None and said.url:
        await voicemail.write_down(bridge, record, said)
    return Response(status_code=204)


async def _record(bridge: Bridge, call_sid: str) -> CallRecord | None:
    record = await bridge.spool.find_carrier(call_sid)  # as any process has written it
    if record is None:
        log.warning("x a message was left in a call that is not known here")
    return record


ROUTES = (
    Route(RECORDED_PATH, recorded, methods=["POST"]),
    Route(TRANSCRIBED_PATH, transcribed, methods=["POST"]),
)

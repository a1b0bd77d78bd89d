"""Twilio's webhooks: an incoming call, what comes after ``<Connect>``, and the callbacks about calls and streams."""

import asyncio
import logging
import time

from starlette.requests import Request
from starlette.responses import Response

import twiml
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import problem
from phone_bridge.call import words
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs.twilio.admission import issue
from phone_bridge.legs.twilio.webhook import (
    MAX_FORM_BYTES,
    ConnectEnded,
    Form,
    IncomingCall,
    StatusChanged,
    StreamStatus,
    parse_form,
    signed,
)
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.registry import Announced

VOICE_PATH = "/twilio/voice"
CONNECT_PATH = "/twilio/connect"
SIGNATURE = "x-twilio-signature"
SIGNATURE_SETTINGS = "x-twilio-webhooks-signature-settings"
SAY_LANGUAGES = {"en": "en-US", "de": "de-DE"}
"""What Twilio's own voice calls our languages."""

log = logging.getLogger("phone_bridge.twilio")


async def voice(request: Request) -> Response:
    """Answer an incoming call with the TwiML that connects it; the same call twice gets the same answer."""
    bridge, form = await _read(request)
    incoming = IncomingCall.parse(form)
    known = bridge.registry.announced(incoming.call_sid) or await _announce(bridge, incoming)
    if known is None:
        log.warning("x a call was turned away: all %d lines are in use", bridge.settings.max_calls)
        return _apologise(bridge, "apology_busy")
    base = bridge.settings.base_url
    return _twiml(
        twiml.connect_stream(bridge.settings.stream_url, f"{base}{CONNECT_PATH}", known.token, f"{base}/twilio/stream")
    )


async def connect(request: Request) -> Response:
    """Say what comes after the stream: the call has heard its goodbye, or else an apology."""
    bridge, form = await _read(request)
    ended = ConnectEnded.parse(form)
    record = await asyncio.to_thread(bridge.records.find_carrier, ended.call_sid)
    if ended.ended or (record is not None and record.answered_at is not None):
        return _twiml(twiml.hang_up())
    log.warning("! the stream of a call never came")
    return _apologise(bridge, "apology_unavailable")


async def status(request: Request) -> Response:
    """Take in what became of a call; it may come late, doubled and out of order."""
    bridge, form = await _read(request)
    changed = StatusChanged.parse(form)
    await bridge.registry.carrier_says(changed.call_sid, changed.status)
    return Response(status_code=204)


async def stream(request: Request) -> Response:
    """Take in what became of a stream."""
    _, form = await _read(request)
    told = StreamStatus.parse(form)
    if told.event == "stream-error":
        log.error("! the carrier reports a stream error: %s", told.error)
    return Response(status_code=204)


async def _announce(bridge: Bridge, incoming: IncomingCall) -> Announced | None:
    """Expect the stream of a new call, or of one that another process of ours was told of; None without a free line."""
    kept = await asyncio.to_thread(bridge.records.find_carrier, incoming.call_sid)
    known = bridge.registry.announced(incoming.call_sid)
    if known is not None:  # the same webhook came again meanwhile
        return known
    if not bridge.registry.has_room():
        return None
    if kept is not None and kept.status == "ringing":
        return bridge.registry.announce(kept, _token(bridge, kept, incoming.account_sid))
    record = bridge.record(
        carrier_id=incoming.call_sid,
        direction=incoming.direction,
        from_number=incoming.from_,
        to_number=incoming.to,
    )
    known = bridge.registry.announce(record, _token(bridge, record, incoming.account_sid))
    log.info("< call %s comes in", record.id)
    try:
        await asyncio.to_thread(bridge.records.save, record)
    except Unavailable:
        bridge.registry.forget(record.carrier_id)  # its stream could not be let in
        raise
    return known


def _token(bridge: Bridge, record: CallRecord, account_sid: str) -> str:
    return issue(
        bridge.key,
        call_sid=record.carrier_id,
        account_sid=account_sid,
        now_epoch_s=int(time.time()),
        nonce=record.id,
    )


async def _read(request: Request) -> tuple[Bridge, Form]:
    """Read a webhook that is Twilio's own; raises Refused otherwise, RemoteError for what makes no sense."""
    bridge: Bridge = request.app.state.bridge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise RemoteError(f"A webhook of more than {MAX_FORM_BYTES} bytes was sent.", code="form_too_large")
    form = parse_form(bytes(body))
    settings = bridge.settings
    if settings.twilio_tokens:
        query = request.scope["query_string"].decode("latin-1")
        url = settings.base_url + request.scope["raw_path"].decode("latin-1").partition("?")[0]
        ours = signed(
            f"{url}?{query}" if query else url,
            form,
            request.headers.get(SIGNATURE, ""),
            settings.twilio_tokens,
            request.headers.get(SIGNATURE_SETTINGS, ""),
        )
        if not ours:
            raise Refused("The signature does not fit.", code="unsigned")
        account = form.get("AccountSid")
        if settings.twilio_account_sid and account and account != settings.twilio_account_sid:
            log.info("= a webhook of another account with our token's signature: a sub-account's")
    return bridge, form


async def unsigned(request: Request, _: Exception) -> Response:
    """Refuse an unsigned webhook, and leave a line that helps to find out why without telling any secret."""
    log.warning(
        "x refused a webhook to %s: its signature does not fit %s (is PHONE_BRIDGE_PUBLIC_URL the address in Twilio's "
        "console, and TWILIO_AUTH_TOKEN this account's token?)",
        request.url.path,
        request.app.state.bridge.settings.base_url,
    )
    return Response("The signature does not fit.", 403, media_type="text/plain")


async def malformed(request: Request, error: Exception) -> Response:
    """Refuse a webhook that cannot be understood."""
    code = error.code if isinstance(error, RemoteError) else "malformed"
    log.warning("x refused a webhook to %s: %s", request.url.path, code)
    return Response(f"{error} ({code})", 400, media_type="text/plain")


async def unavailable(request: Request, error: Exception) -> Response:
    """Tell a caller in words, and a program in its shape, that something of ours cannot be had now."""
    code = error.code if isinstance(error, Unavailable) else "unavailable"
    log.error("! a request to %s could not be served: %s", request.url.path, code)
    if request.url.path in (VOICE_PATH, CONNECT_PATH):
        return _apologise(request.app.state.bridge, "apology_unavailable")
    return problem(503, "api_error", code, "The bridge cannot serve this now; try again later.")


def _twiml(document: str) -> Response:
    return Response(document, media_type="application/xml")


def _apologise(bridge: Bridge, key: str) -> Response:
    language = bridge.settings.language
    text = words.line(key, language).text
    return _twiml(twiml.apologise_and_hang_up(text, SAY_LANGUAGES.get(language, "en-US")))

"""Twilio's webhooks: an incoming call, what comes after ``<Connect>``, and the callbacks about calls and streams."""

import asyncio
import logging
import time
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

import twiml
from phone_bridge.app import handing_back, menus, transferring
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import problem
from phone_bridge.app.choosing import choose_by, settings_of
from phone_bridge.app.fallback import (
    AFTER,
    AFTER_DIAL,
    AFTER_GREETING,
    AFTER_RECORD,
    after_dial,
    fall_back,
    keep_message,
    leave_message,
    outwait_greeting,
)
from phone_bridge.app.handing_back import Ended, hand_back, hand_back_after, way_back, way_back_of
from phone_bridge.app.resuming import (
    CONNECT_PATH,
    MAX_RESUMES,
    PART,
    Next,
    connect_stream,
    ended_part,
    move_on,
    newest,
    next_step,
    resume,
    was_cut,
)
from phone_bridge.call.trust import ATTESTED_BY_CARRIER
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.handover import WayBack
from phone_bridge.legs.twilio.admission import Key, issue, nonce
from phone_bridge.legs.twilio.webhook import (
    MAX_FORM_BYTES,
    ConnectEnded,
    Form,
    IncomingCall,
    MachineDetected,
    StatusChanged,
    StreamStatus,
    dial_answered,
    parse_form,
    signed,
)
from phone_bridge.outbound.attempt import Answer
from phone_bridge.outbound.book import Attempt
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.registry import Announced
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served

VOICE_PATH = "/twilio/voice"
CALL = "call"
"""The query parameter that says which call of our own the carrier's request is about."""
SIGNATURE = "x-twilio-signature"
SIGNATURE_SETTINGS = "x-twilio-webhooks-signature-settings"

log = logging.getLogger("phone_bridge.twilio")


async def voice(request: Request) -> Response:
    """Answer an incoming call with the TwiML that connects it; the same call twice gets the same answer."""
    bridge, form = await read(request)
    incoming = IncomingCall.parse(form)
    call_id = request.query_params.get(CALL)
    if call_id is not None:
        return await _answered(request, bridge, incoming, call_id)
    served = choose_by(bridge, incoming, request.query_params)
    back = way_back(served, request.query_params)
    known = bridge.registry.announced(incoming.call_sid)
    if known is None and bridge.registry.draining:
        return _move_on(request, bridge, incoming, back)
    try:
        if known is None and served.menu and not await _was_cut(bridge, incoming):
            return await _next_page(request, bridge, incoming, await menus.begin(bridge, incoming, served, back))
        return await _serve(bridge, incoming, served, back)
    except Unavailable as error:
        return _give_up(bridge, incoming, error, back)


async def connect(request: Request) -> Response:
    """Say what comes after the stream: nothing more, its next part, or what a caller gets who cannot be served."""
    bridge, form = await read(request)
    ended = ConnectEnded.parse(form)
    after, transfer = request.query_params.get(AFTER, ""), request.query_params.get(transferring.TRANSFER, "")
    try:
        if transfer:
            return _twiml(await _after_transfer(request, bridge, ended, form, transfer))
        if after == AFTER_DIAL:
            return _twiml(await _after_dial(request, bridge, ended, form))
        if after == AFTER_RECORD:
            document = await keep_message(bridge, ended, form)
            return _twiml(await _back_after(request, bridge, ended, Ended.VOICEMAIL) or document)
        if after == menus.AFTER_MENU and not ended.ended:
            incoming = IncomingCall.parse(form)
            page = await menus.go_on(bridge, incoming, request.query_params.get(menus.PLACE, ""))
            return await _next_page(request, bridge, incoming, page)
        if ended.ended:
            if ended.direction == "inbound":  # of calls of our own the carrier tells their attempt
                await bridge.registry.carrier_says(ended.call_sid, ended.status)
            return _twiml(twiml.hang_up())
        return await _go_on(request, bridge, ended)
    except Unavailable as error:
        return _give_up(bridge, ended, error)


async def status(request: Request) -> Response:
    """Take in what became of a call; it may come late, doubled and out of order."""
    bridge, form = await read(request)
    changed = StatusChanged.parse(form)
    call_id = request.query_params.get(CALL)
    if call_id is not None:
        await bridge.outbound.told(call_id, changed)
        return Response(status_code=204)
    await bridge.registry.carrier_says(changed.call_sid, changed.status)
    return Response(status_code=204)


async def amd(request: Request) -> Response:
    """Take in what has answered a call of our own, found out while the assistant was speaking already."""
    bridge, form = await read(request)
    detected = MachineDetected.parse(form)
    attempt = await bridge.outbound.attempt(request.query_params.get(CALL, ""))
    step = None if attempt is None else await bridge.outbound.detected(attempt, detected)
    if attempt is not None and step is not None:
        settings = await _settings_of_attempt(bridge, attempt.call_id)
        await bridge.outbound.go_on(attempt, step, _for_machine(settings, attempt, step))
    return Response(status_code=204)


async def stream(request: Request) -> Response:
    """Take in what became of a stream."""
    _, form = await read(request)
    told = StreamStatus.parse(form)
    if told.event == "stream-error":
        log.error("! the carrier reports a stream error: %s", told.error)
    return Response(status_code=204)


async def _answered(request: Request, bridge: Bridge, incoming: IncomingCall, call_id: str) -> Response:
    """Say what somebody gets who has answered a call of our own, or what a machine gets that has."""
    try:
        attempt = await bridge.outbound.attempt(call_id)
        if attempt is None:
            log.warning("x a call was answered that nobody here has placed")
            return _twiml(twiml.hang_up())
        settings = await _settings_of_attempt(bridge, call_id)
        step = await bridge.outbound.answered(attempt, incoming)
        if step is not None and request.query_params.get(AFTER) == AFTER_GREETING:
            step = Answer.LEAVE_MESSAGE
        if step is not Answer.CONNECT:
            return _twiml(_for_machine(settings, attempt, step))
        known = bridge.registry.announced(incoming.call_sid)
        if known is None and bridge.registry.draining:
            return _move_on(request, bridge, incoming)
        known = known or await _announce(bridge, incoming)
    except Unavailable as error:
        return _give_up(bridge, incoming, error)
    if known is None:
        return _twiml(fall_back(settings, incoming, "apology_busy"))
    return _twiml(connect_stream(bridge, known))


def _for_machine(settings: Settings, attempt: Attempt, step: Answer | None) -> str:
    """Give the document for whatever has answered and is nobody."""
    if step is Answer.LEAVE_MESSAGE:
        return leave_message(settings, attempt.what.message)
    if step is Answer.OUTWAIT_GREETING:
        action = f"{settings.base_url}{VOICE_PATH}?{CALL}={attempt.call_id}&{AFTER}={AFTER_GREETING}"
        return outwait_greeting(settings, attempt.what.message, action)
    return twiml.hang_up()


async def _settings_of_attempt(bridge: Bridge, call_id: str) -> Settings:
    record = await asyncio.to_thread(bridge.outbound.book.record, call_id)
    return bridge.settings if record is None else bridge.tenants.settings_of(record)


async def _serve(
    bridge: Bridge,
    incoming: IncomingCall,
    served: Served,
    back: WayBack | None,
    gathered: Mapping[str, str] = MappingProxyType({}),
    language: str = "",
) -> Response:
    """Connect a caller to the assistant, with what menus have ``gathered``, in ``language``; raises Unavailable."""
    known = bridge.registry.announced(incoming.call_sid) or await _announce(bridge, incoming, served, back)
    if known is None:
        busy = hand_back(back, incoming.call_sid, Ended.BUSY) if back else ""
        return _twiml(busy or fall_back(served.settings, incoming, "apology_busy"))
    if gathered or language:
        known.record.metadata = dict(gathered) or None
        known.record.language = language or None
        bridge.spool.put(known.record)
    return _twiml(connect_stream(bridge, known))


async def _was_cut(bridge: Bridge, incoming: IncomingCall) -> bool:
    """Tell whether a call is asked for again that was with the assistant already, and goes on there."""
    kept = await newest(bridge, incoming.call_sid)
    return kept is not None and was_cut(kept)


async def _next_page(request: Request, bridge: Bridge, incoming: IncomingCall, page: str | menus.Onward) -> Response:
    """Answer with a menu's document, or connect a caller who has chosen the assistant; raises Unavailable."""
    if isinstance(page, str):
        return _twiml(page)
    if bridge.registry.draining and bridge.registry.announced(incoming.call_sid) is None:
        pairs = {**request.query_params, **await menus.query(bridge, incoming.call_sid, page.place)}
        return _move_on_to(bridge, incoming, page.back, move_on(bridge, CONNECT_PATH, pairs.items()))
    return await _serve(bridge, incoming, page.served, page.back, page.gathered, page.language)


async def _back_after(request: Request, bridge: Bridge, ended: ConnectEnded, word: Ended) -> str:
    """Give the document that sends back a caller whom something else than the assistant is done with, if they have."""
    if ended.ended:
        return ""
    told = way_back(choose_by(bridge, ended, request.query_params), request.query_params)
    return await hand_back_after(bridge, ended.call_sid, word, told)


async def _after_dial(request: Request, bridge: Bridge, ended: ConnectEnded, form: Form) -> str:
    """Say what a caller gets who was put through, or to whom nobody answered."""
    answered = dial_answered(form)
    word = Ended.TRANSFERRED if answered else Ended.NOT_ANSWERED
    back = await _back_after(request, bridge, ended, word)
    return back or after_dial(settings_of(bridge, ended), answered=ended.ended or answered)


async def _after_transfer(request: Request, bridge: Bridge, ended: ConnectEnded, form: Form, transfer: str) -> str:
    """Say what a caller gets who was put through by name: the assistant again, or what comes after the call."""
    document = await transferring.after_dial(bridge, ended, form, transfer)
    return document or await _back_after(request, bridge, ended, Ended.TRANSFERRED) or twiml.hang_up()


async def _announce(
    bridge: Bridge, incoming: IncomingCall, served: Served | None = None, back: WayBack | None = None
) -> Announced | None:
    """Expect the stream of a new call, or of one that some process of ours knows; None without a free line.

    The carrier asks again for a call that it knows, too: twice by mistake, or when its fallback leads here after the
    process was lost.
    """
    key = await asyncio.to_thread(bridge.stream_keys.signing, int(time.time()))
    kept = await newest(bridge, incoming.call_sid)
    known = bridge.registry.announced(incoming.call_sid)
    if known is not None:  # the same webhook came again meanwhile
        return known
    outbound = kept is not None and kept.direction == "outbound" and not kept.transcript  # answered, not connected yet
    if kept is not None and kept.answered_at is not None and was_cut(kept) and not outbound:
        if kept.resumed >= MAX_RESUMES:
            raise Unavailable("the call was cut off too often", code="cut_off_too_often")
        return await resume(bridge, kept, kept.resumed + 1, incoming.account_sid)
    if not _has_room(bridge, incoming):
        return None
    if served is not None and kept is None and not _has_room_on(bridge, served):
        return None
    if kept is not None and (kept.status == "ringing" or kept.direction == "outbound"):
        return bridge.registry.announce(kept, _token(key, kept, incoming.account_sid))
    return await _announce_new(bridge, incoming, key, served, back)


def _has_room(bridge: Bridge, incoming: IncomingCall) -> bool:
    if not bridge.registry.has_room():
        log.warning("x a call was turned away: all %d lines are in use", bridge.settings.max_calls)
        bridge.telemetry.turned_away()
        return False
    if not bridge.registry.has_room_for(incoming.from_):
        log.warning("x a call was turned away: its caller has %d already", bridge.settings.calls_per_caller)
        bridge.telemetry.turned_away()
        return False
    return True


def _has_room_on(bridge: Bridge, served: Served) -> bool:
    if not bridge.registry.has_room_on(served.route, served.max_calls):
        log.warning("x a call was turned away: all %d lines of its route are in use", served.max_calls)
        bridge.telemetry.turned_away()
        return False
    return True


async def _announce_new(
    bridge: Bridge, incoming: IncomingCall, key: Key, served: Served | None, back: WayBack | None
) -> Announced:
    record = bridge.record(
        carrier_id=incoming.call_sid,
        direction=incoming.direction,
        from_number=incoming.from_,
        to_number=incoming.to,
        served=served,
        attested=incoming.stir_verstat == ATTESTED_BY_CARRIER,
    )
    handing_back.keep_way_back(record, back)
    known = bridge.registry.announce(record, _token(key, record, incoming.account_sid))
    log.info("< call %s comes in", record.id)
    try:
        await asyncio.to_thread(bridge.records.save, record)
    except Unavailable:
        bridge.registry.forget(record.carrier_id)  # its stream could not be let in
        raise
    return known


def _token(key: Key, record: CallRecord, account_sid: str) -> str:
    return issue(
        key,
        call_sid=record.carrier_id,
        account_sid=account_sid,
        now_epoch_s=int(time.time()),
        nonce=nonce(record.id, 0),
    )


async def _go_on(request: Request, bridge: Bridge, ended: ConnectEnded) -> Response:
    """Answer for a caller who is still there after the stream."""
    record = await newest(bridge, ended.call_sid)
    part = ended_part(bridge, record, request.query_params.get(PART, ""))
    document, returned = await transferring.after_stream(bridge, record, part, ended)
    if document:
        return _twiml(document)
    step = next_step(record, part, returned)
    settings = settings_of(bridge, ended) if record is None else bridge.tenants.settings_of(record)
    back = _way_back_of_ended(request, bridge, ended, record)
    if back is not None and step is not Next.RESUME:
        word = Ended.UNAVAILABLE if record is None else handing_back.why(record, step)
        return _twiml(hand_back(back, ended.call_sid, word, record))
    if record is None or step is Next.APOLOGISE:
        log.warning("! a call could not be brought to its stream again, after %d parts", part)
        return _twiml(fall_back(settings, ended, "apology_unavailable"))
    if step is Next.HANG_UP:
        return _twiml(twiml.hang_up())
    if step is Next.FALL_BACK:
        log.info("= call %s goes to the fallback after %s", record.id, record.error)
        return _twiml(fall_back(settings, ended))
    if bridge.registry.draining:
        await bridge.registry.supersede(record.id)
        return _move_on(request, bridge, ended, back)
    known = await resume(bridge, record, part + 1, ended.account_sid)
    if known is None and back is not None:
        return _twiml(hand_back(back, ended.call_sid, Ended.CUT_OFF, record))
    if known is None:
        return _twiml(fall_back(settings, ended, "apology_busy"))
    log.info("< call %s comes back for part %d", record.id, known.part)
    return _twiml(connect_stream(bridge, known))


def _way_back_of_ended(
    request: Request, bridge: Bridge, ended: ConnectEnded, record: CallRecord | None
) -> WayBack | None:
    """Give the way back of a call whose stream has ended; of one that is not known, as the address says that asks."""
    if record is not None:
        return way_back_of(bridge, record)
    return way_back(choose_by(bridge, ended, request.query_params), request.query_params)


def _move_on(
    request: Request, bridge: Bridge, call: IncomingCall | ConnectEnded, back: WayBack | None = None
) -> Response:
    document = move_on(bridge, request.url.path, request.query_params.multi_items())
    return _move_on_to(bridge, call, back, document)


def _move_on_to(bridge: Bridge, call: IncomingCall | ConnectEnded, back: WayBack | None, document: str) -> Response:
    """Answer with a document that asks another process, or, where that was done too often, with what comes instead."""
    if not document and back is not None:
        document = hand_back(back, call.call_sid, Ended.UNAVAILABLE)
    return _twiml(document or fall_back(settings_of(bridge, call), call, "apology_unavailable"))


def _give_up(
    bridge: Bridge, call: IncomingCall | ConnectEnded, error: Unavailable, back: WayBack | None = None
) -> Response:
    """Tell a caller in words that something of ours cannot be had now, and fall back."""
    log.error("! a call could not be served: %s", error.code)
    bridge.telemetry.webhook_refused(error.code)
    if back is not None:
        return _twiml(hand_back(back, call.call_sid, Ended.UNAVAILABLE))
    return _twiml(fall_back(settings_of(bridge, call), call, "apology_unavailable"))


async def read(request: Request) -> tuple[Bridge, Form]:
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
    """Tell a program that something of ours cannot be had now."""
    code = error.code if isinstance(error, Unavailable) else "unavailable"
    log.error("! a request to %s could not be served: %s", request.url.path, code)
    return problem(503, "api_error", code, "The bridge cannot serve this now; try again later.")


def _twiml(document: str) -> Response:
    return Response(document, media_type="application/xml")

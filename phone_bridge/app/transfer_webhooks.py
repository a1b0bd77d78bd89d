"""Twilio's webhooks of whoever a caller is put through to: who is told who calls, presses a key, or waits in a queue.

Their addresses name a transfer by a random id. They are signed as all webhooks are, good for the call that they were
made for, and once: who was told cannot be told on another line, and who has chosen cannot choose again.
"""

import asyncio
import logging

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import twiml
from phone_bridge.app import fallback
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.transferring import KEY_PATH, TRANSFER, WAIT_PATH, WHISPER_PATH
from phone_bridge.app.voice import read
from phone_bridge.legs.twilio.webhook import Form
from phone_bridge.outbound.transfer import ACCEPT_KEY, REFUSE_KEY, State, Transfer
from phone_bridge.settings import Settings

log = logging.getLogger("phone_bridge.twilio")


async def whisper(request: Request) -> Response:
    """Tell whoever has picked up who calls, and which keys there are."""
    bridge, form = await read(request)
    transfer = await _transfer(bridge, request)
    if transfer is None or not await _tell(bridge, transfer, form):
        return _twiml(_turned_away())
    return _twiml(await _telling(bridge, transfer))


async def key(request: Request) -> Response:
    """Connect whoever has accepted, let go whoever has refused, and tell everybody else once more."""
    bridge, form = await read(request)
    transfer = await _transfer(bridge, request)
    if transfer is None or transfer.leg != form.get("CallSid"):
        return _twiml(_turned_away())
    pressed = form.get("Digits")
    state = {ACCEPT_KEY: State.ACCEPTED, REFUSE_KEY: State.REFUSED}.get(pressed)
    if state is None:
        if transfer.where is not State.TOLD:
            return _twiml(_turned_away())
        return _twiml(await _telling(bridge, transfer))
    taken = await asyncio.to_thread(bridge.transfers.step, transfer.id, state)
    if state is State.ACCEPTED and (taken or transfer.where is State.ACCEPTED):
        log.info("= call %s is taken over", transfer.call_id)
        return _twiml(twiml.let_them_talk())
    return _twiml(twiml.hang_up())


async def wait(request: Request) -> Response:
    """Let a caller hear that they wait in a queue, and take them out of it in the end."""
    bridge, form = await read(request)
    transfer = await _transfer(bridge, request)
    if transfer is None or transfer.carrier_id != form.get("CallSid"):
        return _twiml(_turned_away())
    settings = await _settings(bridge, transfer)
    return _twiml(twiml.wait_in_queue(fallback.sentence(settings, "waiting"), fallback.tongue(settings)))


async def _tell(bridge: Bridge, transfer: Transfer, form: Form) -> bool:
    parent, leg = form.get("ParentCallSid"), form.get("CallSid")
    return bool(leg) and await asyncio.to_thread(bridge.transfers.tell, transfer.id, parent, leg)


async def _telling(bridge: Bridge, transfer: Transfer) -> str:
    record = await bridge.registry.find(transfer.call_id)
    own = bridge.settings.language if record is None else bridge.tenants.language_of(record)
    settings = msgspec.structs.replace(bridge.settings, language=own)  # of whoever is rung, not the caller's
    action = f"{settings.base_url}{KEY_PATH}?{TRANSFER}={transfer.id}"
    return twiml.tell_of_caller(transfer.about, fallback.tongue(settings), action)


async def _transfer(bridge: Bridge, request: Request) -> Transfer | None:
    return await asyncio.to_thread(bridge.transfers.find, request.query_params.get(TRANSFER, ""))


async def _settings(bridge: Bridge, transfer: Transfer) -> Settings:
    record = await bridge.registry.find(transfer.call_id)
    return bridge.settings if record is None else bridge.tenants.settings_of(record)


def _turned_away() -> str:
    log.warning("x a transfer was asked about by a call that it does not belong to, or once too often")
    return twiml.hang_up()


def _twiml(document: str) -> Response:
    return Response(document, media_type="application/xml")


ROUTES = (
    Route(WHISPER_PATH, whisper, methods=["POST"]),
    Route(KEY_PATH, key, methods=["POST"]),
    Route(WAIT_PATH, wait, methods=["POST"]),
)

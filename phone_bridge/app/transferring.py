"""Putting a caller through, and taking them back: what is asked for, what the carrier gets, what came of it.

A transfer begins with words that are heard: the call's machine says them, lets the line go, and the carrier asks what
comes next. So nothing has to be asked of the carrier's REST side, and the last sentence is heard to its end; only a
call that another process carries is changed there. Whoever picks up ends the assistant's part; whoever does not sends
the caller back, as a further part of the same call.
"""

import asyncio
import logging
import secrets
import time
from typing import Any, Literal

import msgspec

import twiml
from phone_bridge.app import fallback
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.resuming import CONNECT_PATH, connect_stream, move_on, newest, resume
from phone_bridge.app.sip_transfers import CANNOT_REFER, NotMoved
from phone_bridge.call import words
from phone_bridge.call.commands import Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.handing_on import EXECUTED
from phone_bridge.call.words import moving
from phone_bridge.call.words.handing_over import hand_over
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.legs.twilio.webhook import ConnectEnded, Form
from phone_bridge.outbound.targets import Kind, Target
from phone_bridge.outbound.transfer import COLD, ENDS, RETURNS, WARM, State, Transfer, dialled, queued
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sip_trunks import outward
from phone_bridge.tenants import Served

TRANSFER = "transfer"
"""The query parameter that says which transfer the carrier's request is about."""
AFTER_QUEUE = "queue"
MOVED = "transfer"
"""Who ended a part of a call whose caller is put through."""
WHISPER_PATH = "/twilio/transfer/whisper"
KEY_PATH = "/twilio/transfer/key"
WAIT_PATH = "/twilio/transfer/wait"

log = logging.getLogger("phone_bridge.twilio")


# What is asked for


async def ask(bridge: Bridge, call: CallRecord, target: Target, *, mode: str = COLD, about: str = "") -> None:
    """Have a live call put through once its last sentence was heard; raises Refused, Unavailable, RemoteError."""
    if mode == WARM and not target.rings:
        raise Refused(
            f"Nobody is rung at {target.name}, so there is nobody to be told of the caller: ask for mode cold.",
            code="transfer_mode",
        )
    if not movable(bridge, call.id, call.carrier_id):
        raise Refused("A call from a browser cannot be put through.", code="call_not_movable")
    by_sip = bridge.sip_transfers.carries(call.id)
    if by_sip and await _referred(bridge, call, target, mode):
        return
    settings = bridge.tenants.settings_of(call)
    here = bridge.registry.is_live(call.id)
    if not here and not bridge.outbound.configured:
        raise Refused(f"The call {call.id} is not live in this process.", code="call_not_live")
    told = _told(call, about, bridge.tenants.language_of(call)) if mode == WARM else ""
    transfer = new(call, target, mode, told)
    await asyncio.to_thread(bridge.transfers.add, transfer)
    if by_sip:
        bridge.sip_transfers.begin(transfer)
    log.info("= call %s is put through, %s, to a %s", call.id, mode, target.kind)
    if here and bridge.registry.move(call.id, target.name):
        return
    if by_sip:
        await asyncio.to_thread(bridge.transfers.step, transfer.id, State.FAILED)
        raise Refused("The caller is not with an assistant now.", code="call_not_live")
    said = moving.connecting(target.name, settings.language).text
    ended = ConnectEnded(call_sid=call.carrier_id, account_sid=bridge.settings.twilio_account_sid, status="in_progress")
    document = await _document(bridge, call, transfer, said, ended)
    await asyncio.to_thread(bridge.outbound.carrier.redirect, call.carrier_id, document)


def new(call: CallRecord, target: Target, mode: str, about: str = "") -> Transfer:
    """Make a transfer of a call; ``about`` is what whoever is rung hears."""
    return Transfer(
        id=f"trf_{secrets.token_hex(16)}",
        call_id=call.id,
        carrier_id=call.carrier_id,
        name=target.name,
        kind=target.kind,
        address=target.address,
        mode=mode,
        about=about,
        created_at=int(time.time() * 1000),
    )


def movable(bridge: Bridge, call_id: str, carrier_id: str) -> bool:
    """Tell whether a call can be put through: by the carrier, or by its own side where it is by SIP; no browser can."""
    return carrier_id.startswith("CA") or bridge.sip_transfers.carries(call_id)


async def _referred(bridge: Bridge, call: CallRecord, target: Target, mode: str) -> bool:
    """Have a call by SIP put through by its own side; False where it is for us to do, by a trunk that leads there."""
    if not target.rings:
        raise Refused("A call by SIP is put through to a number or an address.", code="transfer_mode")
    if mode == WARM:
        if outward(bridge.settings.sip_trunks, target.address) is None:
            raise Refused(
                f"No trunk leads to {target.name}, so nobody can be told of the caller: ask for mode cold.",
                code="transfer_mode",
            )
        return False
    try:
        await bridge.sip_transfers.move(call.id, target.address)
    except NotMoved as error:
        if is_ours(bridge, target.address, error):
            return False
        raise
    return True


def is_ours(bridge: Bridge, address: str, error: NotMoved) -> bool:
    """Tell whether it is for us to call somebody, since a caller's own side cannot and a trunk of ours leads there."""
    return error.status in CANNOT_REFER and outward(bridge.settings.sip_trunks, address) is not None


def _told(call: CallRecord, about: str, language: str) -> str:
    """Write what whoever is rung hears, in the language of the route: the caller's may be another one."""
    caller = call.from_number if call.direction == "inbound" else call.to_number
    done = [a for a in call.actions if a["verdict"] == Verdict.CONFIRMED.value and a["outcome"] == EXECUTED]
    deeds = [words.summary(Action(a["name"], a["parameters"]), language) for a in done]
    return hand_over(caller, about, call.transcript, deeds, language)


# What the carrier gets


async def after_stream(bridge: Bridge, record: CallRecord | None, part: int, ended: ConnectEnded) -> tuple[str, int]:
    """Give the document of a caller who was promised to be put through, and how often they came back from that.

    The document is empty where nobody was promised anything, or the call has ended by other words.
    """
    if record is None:
        return "", 0
    try:
        transfers = await of_call(bridge, record.id)
    except Unavailable:
        if record.ended_by == MOVED:
            raise
        return "", 0
    returned = sum(transfer.part is not None and transfer.part <= part for transfer in transfers)
    last = transfers[-1] if transfers else None
    if last is None or record.ended_by not in (None, MOVED, "carrier"):
        return "", returned
    if last.part is not None:
        again = last.part == part + 1  # the carrier asks twice
        return (await _next_part(bridge, record, last, ended) if again else ""), returned
    if last.where not in (State.ASKED, State.RINGING):
        return "", returned
    return await _document(bridge, record, last, "", ended), returned


async def _document(bridge: Bridge, record: CallRecord, transfer: Transfer, said: str, ended: ConnectEnded) -> str:
    """Begin a transfer; the same request twice gets the same answer. ``said`` is what the caller has not heard yet."""
    settings = bridge.tenants.settings_of(record)
    if transfer.kind == Kind.ASSISTANT:
        return await _change_assistant(bridge, record, transfer, ended)
    await asyncio.to_thread(bridge.transfers.step, transfer.id, State.RINGING)
    if transfer.kind == Kind.VOICEMAIL:
        await asyncio.to_thread(bridge.transfers.step, transfer.id, State.COMPLETED)
        return fallback.to_voicemail(settings, said)
    action = f"{settings.base_url}{CONNECT_PATH}?{TRANSFER}={transfer.id}&{fallback.AFTER}="
    if transfer.kind == Kind.QUEUE:
        wait = f"{settings.base_url}{WAIT_PATH}?{TRANSFER}={transfer.id}"
        return twiml.enqueue(transfer.address, wait, action + AFTER_QUEUE)
    whisper = f"{settings.base_url}{WHISPER_PATH}?{TRANSFER}={transfer.id}"
    return twiml.transfer(
        said,
        fallback.tongue(settings),
        transfer.address,
        action + fallback.AFTER_DIAL,
        fallback.shown_number(settings, record),
        whisper_url=whisper if transfer.mode == WARM else None,
        limit_seconds=settings.call_minutes * 60,
    )


async def _change_assistant(bridge: Bridge, record: CallRecord, transfer: Transfer, ended: ConnectEnded) -> str:
    """Go on with another route's assistant, in the same call; where it cannot be had, with the one that there was."""
    served = bridge.tenants.of_route(transfer.address)
    outcome = State.FAILED
    if served is not None and served.settings.user_id == record.user_id:
        has_room = bridge.registry.has_room_on(served.route, served.max_calls)
        outcome = State.COMPLETED if has_room else State.BUSY
    if await asyncio.to_thread(bridge.transfers.step, transfer.id, outcome) and outcome is State.COMPLETED:
        _bind(bridge, record, served)
    return await _next_part(bridge, record, transfer, ended)


def _bind(bridge: Bridge, record: CallRecord, served: Served | None) -> None:
    if served is not None:
        record.route, record.session = served.route, served.settings.session
        bridge.spool.put(record, urgent=True)


# What came of it


async def after_dial(bridge: Bridge, ended: ConnectEnded, form: Form, id: str) -> str:
    """Say what the caller gets whose ``<Dial>`` or ``<Enqueue>`` has ended; the same twice where it is asked twice.

    Empty where the assistant's part is over.
    """
    transfer = await asyncio.to_thread(bridge.transfers.find, id)
    if transfer is None or transfer.carrier_id != ended.call_sid:
        log.warning("x a transfer ended that this call has not begun")
        return ""
    outcome = _outcome(transfer, ended, form)
    if await asyncio.to_thread(bridge.transfers.step, transfer.id, outcome):
        log.info("= call %s was put through: %s", transfer.call_id, outcome)
    record = await newest(bridge, transfer.carrier_id)
    if record is None or outcome not in RETURNS:
        return ""
    if bridge.registry.draining:
        query = [(fallback.AFTER, fallback.AFTER_DIAL), (TRANSFER, id)]
        return move_on(bridge, CONNECT_PATH, query)
    return await _next_part(bridge, record, transfer, ended)


def _outcome(transfer: Transfer, ended: ConnectEnded, form: Form) -> State:
    if transfer.where in ENDS:
        return transfer.where
    result = form.get("QueueResult")
    outcome = queued(result) if result else dialled(transfer.where, transfer.mode, form.get("DialCallStatus"))
    return State.CANCELED if ended.ended and outcome is not State.COMPLETED else outcome


async def _next_part(bridge: Bridge, record: CallRecord, transfer: Transfer, ended: ConnectEnded) -> str:
    """Bring the caller to the next part of their call."""
    kept = await asyncio.to_thread(bridge.transfers.find, transfer.id)
    part = kept.part if kept is not None and kept.part is not None else record.resumed + 1
    await asyncio.to_thread(bridge.transfers.come_back, transfer.id, part)
    known = await resume(bridge, record, part, ended.account_sid)
    if known is None:
        return fallback.fall_back(bridge.tenants.settings_of(record), ended, "apology_busy")
    return connect_stream(bridge, known)


class Back(msgspec.Struct, frozen=True):
    """What a caller is told first who is back; ``owed`` where the session is to go on by itself."""

    lead_in: str
    owed: bool


async def back(bridge: Bridge, record: CallRecord) -> Back | None:
    """Say what came of the transfer from which this part of a call came back; None for any other part.

    The session waits for the caller's words, unless it is a new one that has to take up what was said, or a question
    was open when the line moved.
    """
    if not record.resumed:
        return None
    try:
        transfer = await asyncio.to_thread(bridge.transfers.of_part, record.id, record.resumed)
    except Unavailable:
        return None  # then the caller hears that they were cut off
    return came_back(bridge, record, transfer) if transfer is not None else None


def came_back(bridge: Bridge, record: CallRecord, transfer: Transfer) -> Back:
    """Say what came of a transfer."""
    language = bridge.tenants.settings_of(record).language
    lead_in = moving.came_of_it(transfer.where.value, transfer.name, language)
    return Back(lead_in, transfer.where is State.COMPLETED or _was_asked(record.actions))


def _was_asked(actions: list[dict[str, Any]]) -> bool:
    return bool(actions) and actions[-1]["verdict"] == Verdict.UNANSWERED.value


async def of_call(bridge: Bridge, call_id: str) -> list[Transfer]:
    """List the transfers of a call; raises Unavailable."""
    return await asyncio.to_thread(bridge.transfers.of_call, call_id)


class Transferred(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transfer as programs see it: to whom by name (empty for a number that has none), and what came of it."""

    to: str
    kind: Literal["number", "sip", "queue", "assistant", "voicemail"]
    mode: Literal["cold", "warm"]
    state: State


async def shown(bridge: Bridge, call_id: str) -> list[Any] | None:
    """Show the transfers of a call; None while the database fails, for a live call is shown even then."""
    try:
        found = await of_call(bridge, call_id)
    except Unavailable:
        return None
    return [{"to": each.name, "kind": each.kind, "mode": each.mode, "state": each.state} for each in found]

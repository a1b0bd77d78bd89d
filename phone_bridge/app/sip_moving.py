"""Callers by SIP who are put through by us: somebody is called for them, told who they are, and joined to them.

That is done where their own side cannot do it (REFER), and where whoever is called is to know first who calls. Whoever
has taken a call is left alone with the caller where one trunk has both and can join them itself (an attended transfer,
RFC 5589); else both talk through us.
"""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import structs

from phone_bridge.app import transferring
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.sip_calls import wanted
from phone_bridge.app.sip_transfers import Line, NotMoved
from phone_bridge.call.trace import Trace
from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.joined_talk import JoinedTalk
from phone_bridge.legs.sip.calling import Outcome
from phone_bridge.legs.sip.leg import SipLeg
from phone_bridge.legs.sip.replacing import REPLACES, Replaces
from phone_bridge.menu_talk import Manners, MenuTalk
from phone_bridge.menus import Choice, Menu
from phone_bridge.outbound.targets import Kind, Target
from phone_bridge.outbound.transfer import ACCEPT_KEY, COLD, REFUSE_KEY, RETURNS, WARM, State, Transfer
from phone_bridge.runtime.joined_pump import JoinedPump
from phone_bridge.runtime.menu_pump import LineWanted
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sip import NotAnswered, OutgoingCall, Party
from phone_bridge.runtime.sip_trunks import SipTrunk, outward
from phone_bridge.runtime.sockets import Socket

ATTENDED_S = 3.0
"""How long the other side may take to join the two by itself, before we do."""
TELL_TRIES, TELL_SECONDS = 2, 10
"""How often whoever is called is told who calls, and how long they may take each time: a voicemail takes nothing."""
ACCEPTED, DECLINED = "accepted", "declined"

STATES = {Outcome.BUSY: State.BUSY, Outcome.NO_ANSWER: State.NO_ANSWER, Outcome.CANCELED: State.CANCELED}
"""What a transfer has come to of which nobody took the call; all else has failed."""

_PLAIN = re.compile(r"[A-Za-z0-9+._-]{1,64}", re.ASCII)

log = logging.getLogger("phone_bridge.sip")


async def put_through(bridge: Bridge, call_id: str, number: str) -> None:
    """Have a caller in a menu put through by their own side; raises LineWanted where it is for us to do."""
    try:
        await bridge.sip_transfers.move(call_id, number)
    except NotMoved as error:
        if transferring.is_ours(bridge, number, error):
            raise LineWanted(str(error), code=error.code) from None
        raise


async def connect(bridge: Bridge, line: Line, number: str, trace: Trace) -> bool:
    """Put a caller through who has come from a menu; False where nobody comes, and they are on the line still."""
    record = line.record
    transfer = transferring.new(record, Target("", Kind.NUMBER, number), COLD)
    await _written(bridge.transfers.add, transfer)
    return await _put_through(bridge, line, transfer, trace) not in RETURNS


async def carry(bridge: Bridge, line: Line, pump: Pump) -> Pump:
    """Carry a call to its end, whoever it is put through to meanwhile; gives the last part with the assistant."""
    while True:
        await bridge.registry.carry(line.record, pump)
        if not pump.moves_on:
            return pump
        transfer = bridge.sip_transfers.begun(line.record.id)
        state = await _put_through(bridge, line, transfer, pump.trace)
        if state not in RETURNS:
            return pump
        pump = await _next_part(bridge, line, structs.replace(transfer, state=state))


async def _next_part(bridge: Bridge, line: Line, transfer: Transfer) -> Pump:
    """Bring a caller back to the assistant, who is told what came of it."""
    record = line.record
    record.resumed += 1
    await _written(bridge.transfers.come_back, transfer.id, record.resumed)
    _keep_line(bridge, record)
    back = transferring.came_back(bridge, record, transfer)
    known = await bridge.begin(record)
    return bridge.pump(
        record,
        line.leg,
        line.socket,
        known=known,
        lead_in=back.lead_in,
        owed=back.owed,
        onward=False,
        keeps_moved=True,
    )


async def _written(write: Callable[..., object], *what: object) -> None:
    """Write down how a transfer stands; the two can talk without a database."""
    try:
        await asyncio.to_thread(write, *what)
    except Unavailable as error:
        log.warning("! how a transfer stands cannot be written down: %s", error.code)


def _keep_line(bridge: Bridge, record: CallRecord) -> None:
    bridge.registry.announce(record, secrets.token_hex(16), record.resumed)


async def _put_through(bridge: Bridge, line: Line, transfer: Transfer, trace: Trace) -> State:
    """Let a caller wait, and talk with whoever comes; gives what the transfer has come to."""
    record = line.record
    _keep_line(bridge, record)
    record.timeline = None  # the same trace goes on, and has it all
    limit_ms = bridge.tenants.settings_of(record).call_minutes * 60_000
    pump = bridge.joined_pump(record, JoinedTalk(line.leg.format, trace, limit_ms), line.leg, line.socket)
    asking = asyncio.get_running_loop().create_task(_ask(bridge, line, transfer, pump))
    try:
        await bridge.registry.carry(record, pump)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    if asking.cancelled():
        await _written(bridge.transfers.step, transfer.id, State.CANCELED)
        return State.CANCELED
    state = asking.result()
    return State.CANCELED if state in RETURNS and not pump.leads_on else state  # a caller who hung up comes not back


async def _ask(bridge: Bridge, line: Line, transfer: Transfer, pump: JoinedPump) -> State:
    """Call somebody for a caller; what that has come to is written down before the caller is told."""
    try:
        state = await _reach(bridge, line, transfer, pump)
    except NotAnswered as error:
        state = STATES.get(error.outcome, State.FAILED)
    except (Refused, RemoteError, Unavailable) as error:
        log.warning("! call %s could not be put through: %s", transfer.call_id, error.code)
        state = State.FAILED
    except Exception:
        log.exception("! call %s could not be put through", transfer.call_id)  # a task's top: it rings no longer
        state = State.FAILED
    await _written(bridge.transfers.step, transfer.id, state)
    log.info("= call %s was put through: %s", transfer.call_id, state)
    if state in RETURNS:
        pump.give_up()
    return state


async def _reach(bridge: Bridge, line: Line, transfer: Transfer, pump: JoinedPump) -> State:
    settings, record = bridge.tenants.settings_of(line.record), line.record
    await _written(bridge.transfers.step, transfer.id, State.RINGING)
    trunk = outward(settings.sip_trunks, transfer.address)
    if trunk is None:
        raise Refused("No trunk leads there any more.", code="destination_not_allowed")
    asked = await wanted(line.server, trunk, transfer.address, shown(record, trunk), settings.ring_seconds)
    call = await line.server.call(asked, lambda: None)
    leg, socket = await call.answered()
    joined = False
    try:
        if transfer.mode == WARM:
            await _written(bridge.transfers.tell, transfer.id, transfer.carrier_id, call.id)
            told = await _tell(bridge, record, transfer.about, leg, socket)
            if told != ACCEPTED:
                return State.REFUSED if told == DECLINED else State.NO_ANSWER
            await _written(bridge.transfers.step, transfer.id, State.ACCEPTED)
            if call.trunk_name == line.party.trunk_name and await _joined_there(line.party, call):
                line.party.hang_up()
                return State.COMPLETED
        pump.join(leg, socket)
        joined = True
        return State.COMPLETED
    finally:
        if not joined:
            socket.close(1000)


def shown(record: CallRecord, trunk: SipTrunk) -> str:
    """Say who calls: on a desk phone of ours the caller, elsewhere the trunk: providers let nobody else be shown."""
    number = record.from_number if record.direction == "inbound" else record.to_number
    return number if trunk.desk_phone and number and _PLAIN.fullmatch(number) else ""


async def _tell(bridge: Bridge, record: CallRecord, about: str, leg: SipLeg, socket: Socket) -> str:
    """Tell whoever has picked up who calls; gives what they have chosen, and nothing for somebody who did not."""
    menu = Menu(
        name="transfer",
        say=about,
        choices=(
            Choice(key=ACCEPT_KEY, to=f"assistant:{ACCEPTED}"),
            Choice(key=REFUSE_KEY, to=f"assistant:{DECLINED}"),
        ),
        tries=TELL_TRIES,
        timeout=TELL_SECONDS,
        otherwise="hang_up",
    )
    talk = MenuTalk(
        leg.format,
        {menu.name: menu},
        menu.name,
        Manners(language=bridge.tenants.language_of(record)),
        at=datetime.now(UTC),
        now=int(time.monotonic() * 1000),
    )
    await bridge.menu_pump(record, talk, leg, socket, ear=None, put_through=None).run()
    return talk.onward.name if talk.onward is not None else ""


async def _joined_there(party: Party, call: OutgoingCall) -> bool:
    """Have the other side join the two itself (RFC 5589, 7.3); False where it does not, with both as they were."""
    dialog = call.dialog
    replaces = Replaces(call_id=dialog.call_id, to_tag=dialog.remote_tag, from_tag=dialog.tag)
    try:
        async with asyncio.timeout(ATTENDED_S):
            code = await party.refer(f"{dialog.target}?Replaces={replaces.escaped()}&Require={REPLACES}")
    except (TimeoutError, BridgeError):
        return False
    return 200 <= code < 300

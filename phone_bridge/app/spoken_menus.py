"""Calls whose line asks for no documents: by the menus of their route, which the bridge speaks, to the assistant.

Where that cannot be had, they get the route's fallback. Nothing but the line is paid for until a caller chooses the
assistant: no session is opened, and no service elsewhere is given what they say.
"""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from phone_bridge.app import voicemail
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.menus import carried
from phone_bridge.app.pins import EARS, known_by
from phone_bridge.app.recordings import PATH as RECORDING_PATH
from phone_bridge.assistant.engines.registry import EAR
from phone_bridge.assistant.hearing import Utterances
from phone_bridge.assistant.ports import Ear, Expecting, Mood, SpeechEnded
from phone_bridge.call.trace import Trace
from phone_bridge.errors import Unavailable
from phone_bridge.menu_talk import Manners, MenuTalk
from phone_bridge.menus import Target
from phone_bridge.runtime.menu_pump import PutThrough
from phone_bridge.runtime.pump import LegWire, Pump
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sockets import Socket
from phone_bridge.tenants import Served

log = logging.getLogger("phone_bridge.calls")


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A call whose leg is open; ``users`` are those whose routes the line opens, or none for everybody's.

    ``attested`` says whether a carrier vouches for the caller's number, ``put_through`` moves the caller where the line
    can, ``show`` is told of each pump before it runs. ``carry``, where the line can do that, carries a pump to its end,
    whoever the caller is put through to meanwhile, and gives the last one with the assistant. ``connect`` puts the
    caller through to a number with the line itself; False where nobody comes, and they are there still.
    """

    record: CallRecord
    leg: LegWire
    socket: Socket
    users: tuple[str, ...] = ()
    attested: bool = False
    put_through: PutThrough | None = None
    show: Callable[[Pump], None] = lambda pump: None
    carry: Callable[[Pump], Awaitable[Pump]] | None = None
    connect: Callable[[str, Trace], Awaitable[bool]] | None = None


async def carry(bridge: Bridge, call: Arrived, known: str | None = None) -> None:
    """Carry a call through its menus, if it has any, to the assistant and to its end.

    ``known`` is what ``begin`` said, where it was asked already. Raises Unavailable like ``Bridge.pump``.
    """
    record = call.record
    began = None
    if begins_with_menus(bridge, record):
        talk = await _chooses(bridge, call)
        if talk is None:
            return
        began = talk.trace.began
    try:
        known = await bridge.begin(record) if known is None else known
        settings = bridge.tenants.of(record).settings
        onward = settings.fallback == "voicemail" or (bool(settings.transfer_to) and call.put_through is not None)
        pump = bridge.pump(
            record,
            call.leg,
            call.socket,
            known=known,
            onward=onward,
            began=began,
            keeps_line=True,
            keeps_moved=call.carry is not None,
        )
        call.show(pump)
        if call.carry is not None:
            pump = await call.carry(pump)
        else:
            await bridge.registry.carry(record, pump)
        if pump.leads_on and not pump.moves_on:
            await _fall_back(bridge, call, pump.trace)
    except Unavailable:
        bridge.registry.forget(record.carrier_id)
        raise


def begins_with_menus(bridge: Bridge, record: CallRecord) -> bool:
    """Tell whether a call is to go through menus first: a new one, or one that was cut off in them."""
    return bool(bridge.tenants.of(record).menu) and (not record.resumed or not record.session)


async def _chooses(bridge: Bridge, call: Arrived) -> MenuTalk | None:
    """Walk a caller through the menus; None unless they wait for the assistant, which ``call.record`` names by then."""
    record = call.record
    served = bridge.tenants.of(record)
    record.session = ""  # there is none yet
    talk = await _walk(bridge, call, served)
    if talk.onward is None:
        return None
    chosen = _behind(bridge, call, served, talk.onward)
    room = chosen is not None and bridge.registry.has_room_on(chosen.route, chosen.max_calls)
    bridge.registry.announce(record, secrets.token_hex(16))  # so that the line stays the caller's own
    if chosen is not None and room:
        _bind(call, chosen, talk.gathered)
        record.language = carried(bridge, talk.spoken, talk.onward.name, chosen) or None
        return talk
    log.warning("x a caller could not be led on from the menus of %s", served.route)
    await _walk(bridge, call, served, farewell="apology_busy" if chosen is not None else "apology_unavailable")
    return None


async def _fall_back(bridge: Bridge, call: Arrived, trace: Trace) -> None:
    """Give a caller what their route does whom the assistant could not serve."""
    bridge.registry.announce(call.record, secrets.token_hex(16))
    call.record.timeline = None  # the same trace goes on, and has it all
    await _walk(bridge, call, bridge.tenants.of(call.record), trace=trace)


async def _walk(
    bridge: Bridge, call: Arrived, served: Served, *, farewell: str = "", trace: Trace | None = None
) -> MenuTalk:
    talk = MenuTalk(
        call.leg.format,
        served.menus,
        served.menu,
        _manners(bridge, call, served),
        at=datetime.now(UTC),
        now=int(time.monotonic() * 1000),
        farewell=farewell,
        trace=trace,
    )
    ear = _Listening(bridge.embedded.ear) if talk.manners.hears else None
    pump = bridge.menu_pump(call.record, talk, call.leg, call.socket, ear=ear, put_through=call.put_through)
    call.show(pump)
    await bridge.registry.carry(call.record, pump)
    if talk.handed_on and call.connect is not None and not await call.connect(talk.wanted, talk.trace):
        bridge.registry.announce(call.record, secrets.token_hex(16))
        return await _walk(bridge, call, served, farewell="nobody")
    if talk.message_ms:
        url = f"{bridge.settings.base_url}{RECORDING_PATH.format(id=call.record.id)}"
        await voicemail.leave(bridge, call.record, url, -(-talk.message_ms // 1000))
    return talk


def _manners(bridge: Bridge, call: Arrived, served: Served) -> Manners:
    settings = bridge.settings
    english = settings.language.partition("-")[0].lower() == "en"
    hears = bridge.embedded.hears and (settings.ear in EARS or (settings.ear == EAR and english))
    return Manners(
        language=served.settings.language,
        hears=settings.language if hears else "",  # which the ear's model is for
        digits=settings.ear in EARS,
        moves=call.put_through is not None,
        transfer_to=served.settings.transfer_to,
        voicemail=served.settings.fallback == "voicemail",
    )


def _behind(bridge: Bridge, call: Arrived, served: Served, target: Target) -> Served | None:
    """Find the assistant that a menu leads to; None where it is no more, or of a user whom the line does not open."""
    chosen = bridge.tenants.behind(target.name or served.route or "")
    theirs = chosen is not None and (not call.users or chosen.settings.user_id in call.users)
    return chosen if theirs else None


def _bind(call: Arrived, chosen: Served, gathered: dict[str, str]) -> None:
    """Have the record be that of a call to the assistant, which begins now."""
    record = call.record
    number = record.from_number if record.direction == "inbound" else record.to_number
    record.route, record.user_id, record.session = chosen.route, chosen.settings.user_id, chosen.settings.session
    record.trust = known_by(record.direction, chosen, number, attested=call.attested).value
    record.metadata = gathered or None


class _Listening:
    """One caller's ear for the words of menus."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._utterances = Utterances()

    def prepare(self, expected: tuple[str, ...]) -> None:
        self._ear.prepare(Expecting(Mood.CHOICE, expected))

    def push(self, audio: bytes) -> list[bytes]:
        return [notice.utterance for notice in self._utterances.push(audio) if isinstance(notice, SpeechEnded)]

    def clear(self) -> None:
        self._utterances.clear()

    async def words(self, utterance: bytes, expected: tuple[str, ...]) -> str:
        mood = Mood.CHOICE if expected else Mood.DIGITS
        return (await self._ear.hear(utterance, Expecting(mood, expected))).text

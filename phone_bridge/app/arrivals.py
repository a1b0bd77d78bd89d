"""Calls that come over ``[[lines]]``: who may come in, how a call is expected, and how it is carried to its end."""

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime

from phone_bridge.app import spoken_menus
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.spoken_menus import Arrived
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.routing import Facts
from phone_bridge.runtime.lines import Line
from phone_bridge.runtime.pump import LegWire
from phone_bridge.runtime.record import CallRecord, timestamp
from phone_bridge.runtime.sockets import Socket

log = logging.getLogger("phone_bridge.lines")


async def announce(bridge: Bridge, line: Line, facts: Facts, carrier_id: str) -> CallRecord:
    """Expect the stream of a call, or of one that was announced before; ``carrier_id`` is the carrier's name for it.

    Raises Unavailable ``draining`` and ``busy`` where there is no room for it, and where it cannot be written down.
    """
    known = bridge.registry.announced(carrier_id)
    if known is not None:  # the carrier asks again
        return known.record
    registry, settings = bridge.registry, bridge.settings
    if registry.draining:
        raise Unavailable("This process is about to stop.", code="draining")
    served = bridge.tenants.choose(facts, datetime.now(UTC), line.user_id)
    if not (registry.has_room() and registry.has_room_for(facts.calling)) or not registry.has_room_on(
        served.route, served.max_calls
    ):
        log.warning("x a call was turned away: there is no free line for %s", line.name)
        bridge.telemetry.turned_away()
        raise Unavailable("No line is free now.", code="busy")
    record = bridge.record(
        carrier_id=carrier_id,
        direction="inbound",
        from_number=facts.calling,
        to_number=facts.called,
        served=served,
    )
    if served.route is None:
        record.user_id = line.user_id or settings.user_id
    registry.announce(record, secrets.token_hex(16))  # so that it takes up a line from now on
    try:
        await asyncio.to_thread(bridge.records.save, record)
    except Unavailable:
        registry.forget(carrier_id)
        raise
    log.info("< call %s comes in over %s", record.id, line.name)
    return record


async def carry(bridge: Bridge, line: Line, record: CallRecord, leg: LegWire, socket: Socket) -> None:
    """Carry a call from its begun stream to its end; raises nothing that a call may meet."""
    try:
        users = (line.user_id,) if line.user_id else ()
        await spoken_menus.carry(bridge, Arrived(record=record, leg=leg, socket=socket, users=users))
    except (Unavailable, Refused, RemoteError) as error:
        never_began(bridge, record, error.code)
        socket.close()
        await socket.wait_closed()


def never_began(bridge: Bridge, record: CallRecord, why: str) -> None:
    """Write down that nothing came of a call."""
    bridge.registry.forget(record.carrier_id)
    record.status, record.ended_by, record.error = "failed", "bridge", why
    record.ended_at = timestamp(time.time)
    bridge.spool.put(record, urgent=True)
    log.info("x call %s was not taken: %s", record.id, why)

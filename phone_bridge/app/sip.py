"""Calls that come by SIP: they become ordinary calls, or are turned away with a status."""

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime
from types import MappingProxyType

from phone_bridge.app.bridge import Bridge
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs.sip.access import Access
from phone_bridge.routing import Facts
from phone_bridge.runtime.record import CallRecord, timestamp
from phone_bridge.runtime.sip import IncomingCall, SipServer
from phone_bridge.runtime.sip_trunks import listening, rtp_ports, trunk
from phone_bridge.tenants import Served

UNAVAILABLE = 503
BUSY_HERE = 486
LOOP_DETECTED = 482

_FACTS = frozenset({"p-asserted-identity", "diversion"})

log = logging.getLogger("phone_bridge.sip")


class SipDoor:
    """Let the callers of ``bridge.settings.sip_trunks`` in; without ``sip_listen`` it stays shut."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._server: SipServer | None = None

    async def open(self) -> None:
        """Begin to listen; raises Unavailable when the port cannot be had."""
        settings = self._bridge.settings
        if not settings.sip_listen:
            return
        host, port = listening(settings.sip_listen)
        trunks = tuple(map(trunk, settings.sip_trunks))
        access = Access(trunks, secrets.token_bytes(32))
        server = SipServer(access, self.take, ports=rtp_ports(settings.sip_rtp_ports), public_host=settings.sip_host)
        await server.open(host, port)
        self._server = server
        log.info("= SIP listens on udp %s:%d for %d trunks", host, server.port, len(trunks))

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.close()

    async def take(self, call: IncomingCall) -> None:
        """Carry one call from its INVITE to its end."""
        served = self._served(call)
        refusal = self._refusal(call, served)
        if refusal:
            self._bridge.telemetry.turned_away()
            call.refuse(refusal)
            return
        record = self._announce(call, served)
        call.ring()
        try:
            await asyncio.to_thread(self._bridge.records.save, record)
            known = await self._bridge.begin(record)
            leg, socket = await call.answer()
        except (Unavailable, Refused, RemoteError) as error:
            self._never_began(record, error.code)
            call.refuse(UNAVAILABLE)
            return
        try:
            pump = self._bridge.pump(record, leg, socket, known=known, onward=False)
            await self._bridge.registry.carry(record, pump)
        except Unavailable as error:  # its route is no more, or the last line went to somebody else meanwhile
            self._never_began(record, error.code)
            socket.close()

    def _served(self, call: IncomingCall) -> Served:
        """Find what a call is given: by its route, but not where its trunk is bound to one user."""
        if call.trunk.user_id:
            return self._bridge.tenants.own
        uri = call.request.uri
        called = called_by(call) if uri.scheme == "tel" else str(uri)
        facts = Facts(called=called, calling=caller_of(call), headers=MappingProxyType(facts_in(call)))
        return self._bridge.tenants.choose(facts, datetime.now(UTC))

    def _refusal(self, call: IncomingCall, served: Served) -> int:
        registry, caller = self._bridge.registry, caller_of(call)
        has_room = registry.has_room() and registry.has_room_on(served.route, served.max_calls)
        if registry.draining or not has_room:
            log.warning("x a call was turned away: there is no free line")
            return UNAVAILABLE
        if not registry.has_room_for(caller):
            log.warning("x a call was turned away: its caller has %d already", self._bridge.settings.calls_per_caller)
            return BUSY_HERE
        name = call.dialog.call_id
        return LOOP_DETECTED if registry.announced(name) is not None or registry.known(name) is not None else 0

    def _announce(self, call: IncomingCall, served: Served) -> CallRecord:
        record = self._bridge.record(
            carrier_id=call.dialog.call_id,
            direction="inbound",
            from_number=caller_of(call),
            to_number=called_by(call),
            served=served,
        )
        record.user_id = call.trunk.user_id or record.user_id
        self._bridge.registry.announce(record, secrets.token_hex(16))  # so that it takes up a line from now on
        log.info("< call %s comes in by SIP, trunk %s", record.id, call.trunk.name)
        return record

    def _never_began(self, record: CallRecord, why: str) -> None:
        self._bridge.registry.forget(record.carrier_id)
        withdrawn = why == "withdrawn"
        record.status = "canceled" if withdrawn else "failed"
        record.ended_by, record.error = ("caller", None) if withdrawn else ("bridge", why)
        record.ended_at = timestamp(time.time)
        self._bridge.spool.put(record, urgent=True)
        log.info("x call %s was not taken: %s", record.id, why)


def called_by(call: IncomingCall) -> str | None:
    """Say whom the caller called, as the Request-URI has it."""
    return call.request.uri.global_phone_number or call.request.uri.user


def facts_in(call: IncomingCall) -> dict[str, str]:
    """Give the headers that a route may look at, by their names in lower case."""
    headers = call.request.headers
    names = [name for name in headers.keys() if name.lower() in _FACTS or name.lower().startswith("x-")]  # noqa: SIM118
    return {name.lower(): headers[name] for name in names}


def caller_of(call: IncomingCall) -> str | None:
    """Say who calls: the number that the trunk asserts, else what its From names; None for who withholds it."""
    asserted = call.request.asserted
    uri = asserted.uri if asserted is not None else call.request.from_.uri
    if asserted is None and (uri.user or "").lower() == "anonymous":
        return None
    return uri.global_phone_number or uri.user

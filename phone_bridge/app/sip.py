"""Calls that come by SIP: they become ordinary calls, or are turned away with a status."""

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from phone_bridge.app import sip_moving, spoken_menus
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.sip_calls import SipCalls
from phone_bridge.app.sip_referrals import changed, may_change, refer
from phone_bridge.app.sip_transfers import Line
from phone_bridge.app.spoken_menus import Arrived
from phone_bridge.errors import Refused, RemoteError, SettingsError, Unavailable
from phone_bridge.legs.sip import passport
from phone_bridge.legs.sip.access import Access
from phone_bridge.legs.sip.dialog import uri_host
from phone_bridge.legs.sip.locating import Turned
from phone_bridge.legs.sip.passport import FULL, keys
from phone_bridge.legs.sip.registering import Registered, Registration
from phone_bridge.routing import Facts
from phone_bridge.runtime.record import CallRecord, timestamp
from phone_bridge.runtime.sip import IncomingCall, SipServer
from phone_bridge.runtime.sip_transports import Certificates
from phone_bridge.runtime.sip_trunks import binding, listening, proxy, rtp_ports, trunk
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served

UNAVAILABLE = 503
BUSY_HERE = 486
LOOP_DETECTED = 482

ATTESTATION = "attestation"
"""Among the headers that routes see: who vouches for the caller's number, as ``passport.attestation`` says it."""

log = logging.getLogger("phone_bridge.sip")


class SipDoor:
    """Let the callers of ``bridge.settings.sip_trunks`` in; without ``sip_listen`` it stays shut."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._server: SipServer | None = None
        self._calls: SipCalls | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._vouching: tuple[EllipticCurvePublicKey, ...] = ()

    async def open(self) -> None:
        """Begin to listen; raises Unavailable when the port cannot be had."""
        settings = self._bridge.settings
        if not settings.sip_listen:
            return
        if settings.sip_stir_certificates:
            self._vouching = await asyncio.to_thread(_vouching, settings.sip_stir_certificates)
        trunks = tuple(trunk(written, settings.user_id) for written in settings.sip_trunks)
        access = Access(trunks, secrets.token_bytes(32))
        server = SipServer(
            access,
            lambda call: self.take(call, server),
            ports=rtp_ports(settings.sip_rtp_ports),
            public_host=settings.sip_host,
            certificates=certificates(settings),
            registrations=_registration,
            turned=_turned,
            refer=lambda party, referral: refer(self._bridge, server, party, referral),
            may_change=lambda party: may_change(self._bridge, party),
            changed=lambda party: changed(self._bridge, party),
        )
        await server.open(*listening(settings.sip_listen))
        self._server = server
        for written in settings.sip_trunks:
            if written.registers:
                work = server.register(binding(written), proxy(written))
                self._tasks.append(asyncio.get_running_loop().create_task(work))
        if any(written.calls_out or written.desk_phone for written in settings.sip_trunks):
            self._calls = self._bridge.outbound.carrier.trunks = SipCalls(
                self._bridge, server, partial(sip_moving.carry, self._bridge)
            )
        log.info("= SIP listens on %s for %d trunks", ", ".join(map(str, server.listening)), len(trunks))

    async def close(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._calls is not None:
            await self._calls.close()
        if self._server is not None:
            await self._server.close()

    async def take(self, call: IncomingCall, server: SipServer) -> None:
        """Carry one call from its INVITE to its end."""
        refusal = self._refusal(call)
        if refusal:
            self._bridge.telemetry.turned_away()
            call.refuse(refusal)
            return
        attestation = self._attestation(call)
        served = self._served(call, attestation)
        if not self._bridge.registry.has_room_on(served.route, served.max_calls):
            log.warning("x a call was turned away: all %d lines of its route are in use", served.max_calls)
            self._bridge.telemetry.turned_away()
            call.refuse(BUSY_HERE)
            return
        record = self._announce(call, served, attested=attestation == FULL)
        call.ring()
        try:
            await asyncio.to_thread(self._bridge.records.save, record)
            known = None if served.menu else await self._bridge.begin(record)
            leg, socket = await call.answer()
        except (Unavailable, Refused, RemoteError) as error:
            self._never_began(record, error.code)
            call.refuse(UNAVAILABLE)
            return
        try:
            self._bridge.sip_transfers.enter(record.id, call, self._domain(call))
            line = Line(record, leg, socket, call, server)
            arrived = Arrived(
                record=record,
                leg=leg,
                socket=socket,
                users=(owner,) if (owner := self._owner(call)) else (),
                attested=attestation == FULL,
                put_through=partial(sip_moving.put_through, self._bridge, record.id),
                carry=partial(sip_moving.carry, self._bridge, line),
                connect=partial(sip_moving.connect, self._bridge, line),
            )
            await spoken_menus.carry(self._bridge, arrived, known)
        except Unavailable as error:  # its route is no more, or the last line went to somebody else meanwhile
            self._never_began(record, error.code)
            socket.close()
        finally:
            self._bridge.sip_transfers.leave(record.id)

    def _domain(self, call: IncomingCall) -> str:
        """Say where a caller's own side calls numbers: in the trunk's domain, or where the caller is from."""
        known = next((each for each in self._bridge.settings.sip_trunks if each.name == call.trunk.name), None)
        return known.domains[0] if known is not None and known.domains else call.request.from_.uri.host

    def _refusal(self, call: IncomingCall) -> int:
        registry, caller = self._bridge.registry, caller_of(call)
        if registry.draining or not registry.has_room():
            log.warning("x a call was turned away: there is no free line")
            return UNAVAILABLE
        if not registry.has_room_for(caller):
            log.warning("x a call was turned away: its caller has %d already", self._bridge.settings.calls_per_caller)
            return BUSY_HERE
        name = call.dialog.call_id
        return LOOP_DETECTED if registry.announced(name) is not None or registry.known(name) is not None else 0

    def _served(self, call: IncomingCall, attestation: str) -> Served:
        """Find the route of a call; a trunk that is somebody's reaches no route of anybody else's."""
        return self._bridge.tenants.choose(facts_of(call, attestation), datetime.now(UTC), self._owner(call))

    def _owner(self, call: IncomingCall) -> str:
        return next((each.user_id for each in self._bridge.settings.sip_trunks if each.name == call.trunk.name), "")

    def _attestation(self, call: IncomingCall) -> str:
        called = call.request.uri.global_phone_number or call.request.uri.user or ""
        return passport.attestation(call.request, caller_of(call), called, self._vouching, int(time.time()))

    def _announce(self, call: IncomingCall, served: Served, *, attested: bool) -> CallRecord:
        record = self._bridge.record(
            carrier_id=call.dialog.call_id,
            direction="inbound",
            from_number=caller_of(call),
            to_number=call.request.uri.global_phone_number or call.request.uri.user,
            served=served,
            attested=attested,
        )
        if served.route is None:
            record.user_id = call.trunk.user_id
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


def _vouching(file: str) -> tuple[EllipticCurvePublicKey, ...]:
    try:
        return keys(Path(file).read_bytes())
    except OSError as error:
        raise SettingsError(f"PHONE_BRIDGE_SIP_STIR_CERTIFICATES cannot be read: {error.strerror}") from None


def _registration(fact: Registration) -> None:
    if isinstance(fact, Registered):
        log.info("= registered with trunk %s for %d s", fact.name, fact.expires_s)
    else:
        log.warning(
            "! not registered with trunk %s (%s); again in %d s",
            fact.name,
            fact.code or "nobody answers",
            fact.retry_ms // 1000,
        )


def _turned(fact: Turned) -> None:
    log.warning(
        "! a server of trunk %s, %s by %s, %s; the next one is tried",
        fact.name,
        f"{uri_host(fact.server.host)}:{fact.server.port}",
        fact.server.transport,
        f"says {fact.code}" if fact.code else "says nothing",
    )


def certificates(settings: Settings) -> Certificates:
    """Say what is shown by TLS, and whom it trusts."""
    return Certificates(settings.sip_tls_certificate, settings.sip_tls_key, settings.sip_tls_authorities)


def caller_of(call: IncomingCall) -> str | None:
    """Say who calls: the number that the trunk asserts, else what its From names; None for who withholds it."""
    asserted = call.request.asserted
    uri = asserted.uri if asserted is not None else call.request.from_.uri
    if asserted is None and (uri.user or "").lower() == "anonymous":
        return None
    return uri.global_phone_number or uri.user


def facts_of(call: IncomingCall, attestation: str = "") -> Facts:
    """Say what is known of a call to whoever chooses its route; ``attestation`` stands among the headers."""
    uri, headers = call.request.uri, call.request.headers
    called = f"sip:{uri.user}@{uri.host}" if uri.user else uri.global_phone_number
    given = {name.lower(): headers.get(name) or "" for name in headers.keys()}  # noqa: SIM118 - no mapping of Python's
    given[ATTESTATION] = attestation  # whatever a header of that name says
    language = given.get("accept-language", "").partition(",")[0].partition(";")[0].strip()
    return Facts(called=called, calling=caller_of(call), headers=MappingProxyType(given), language=language)

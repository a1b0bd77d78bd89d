"""The sockets of SIP: those of all signalling, and one for each call's sound.

A call's messages and packets come to its pump through the same ``Socket`` as a carrier's stream does; what it stands on
here is two sockets of UDP. Who calls is told to ``take``, which answers or refuses.
"""

import asyncio
import secrets
import socket as sockets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from msgspec import structs

from phone_bridge.errors import LocalError, Refused, RemoteError, Unavailable
from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.access import Access, Trunk
from phone_bridge.legs.sip.agent import (
    Agent,
    Confirmed,
    Fact,
    InCall,
    Invited,
    Lapsed,
    Referred,
    Said,
    Unconfirmed,
    Withdrawn,
)
from phone_bridge.legs.sip.calling import Answered, Calling, Failed, Outcome, Rang, Told, Wanted
from phone_bridge.legs.sip.dialog import UDP, Dialog, Hop, Place, port_of
from phone_bridge.legs.sip.leg import Numbers, SipLeg
from phone_bridge.legs.sip.message import Request
from phone_bridge.legs.sip.registering import Binding, NotRegistered, Registered, Registration
from phone_bridge.legs.sip.registrar import Bound
from phone_bridge.legs.sip.rtcp import is_control
from phone_bridge.legs.sip.srtp import KEY_BYTES
from phone_bridge.runtime.sip_transports import Certificates, Datagrams, Hearing, Listening, Transports, send
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.wheel import slot

ID_BYTES = 12
RTP_PORT_TRIES = 50
"""Ports that are tried for a call's sound before it is turned away."""

LOOK_UP_AGAIN_MS = 30_000
"""When a registrar is looked up again whose name leads nowhere."""
REFER_S = 60.0
"""How long the other side may take to say what came of calling somebody."""
UNREGISTER_MS = 1_000
"""How long the registrars are waited for that are left, at the end."""

Take = Callable[["IncomingCall"], Coroutine[Any, Any, None]]


class SipLine:
    """What a call's ``Socket`` stands on: bytes are packets of RTP, text is messages of the dialog."""

    def __init__(self, leg: SipLeg, media: "_Media", say: Callable[[str], None], release: Callable[[], None]) -> None:
        self.socket = Socket(self)
        self._leg = leg
        self._media = media
        self._say = say
        self._release = release
        media.hear = self._packet
        media.hear_control = self._report

    def write(self, message: str | bytes) -> None:
        """Send a packet to where the caller's come from, or a message to where the dialog leads."""
        if isinstance(message, str):
            self._say(message)
        elif is_control(message) and not self._leg.mux:
            if self._leg.control_end.address is not None:
                send(self._media.control, message, self._leg.control_end.address)
        elif self._leg.far_end.address is not None:
            send(self._media.transport, message, self._leg.far_end.address)

    def pause_reading(self) -> None:
        """Leave it: a datagram that nobody takes is one that was lost."""

    def resume_reading(self) -> None:
        """Leave it, as above."""

    def close(self, code: int, reason: str) -> None:
        """Hang up, if nobody has, and let the sound's socket go."""
        self._media.close()
        self._release()
        asyncio.get_running_loop().call_soon(self.socket.lost, code, reason)

    def abort(self) -> None:
        """Do the same without a word to come."""
        self._media.close()
        self._release()
        self.socket.lost()

    def _report(self, data: bytes, source: Place) -> None:
        if is_control(data) and self._leg.control_end.admits(source):
            self.socket.hear(data)

    def _packet(self, data: bytes, source: Place) -> None:
        if self._leg.far_end.admits(source):
            self.socket.hear(data)


class _Media:
    """One call's sockets: for sound on an even port, and for reports on the next one (RFC 3550, 11)."""

    def __init__(self) -> None:
        self.hear: Callable[[bytes, Place], None] = lambda data, source: None
        self.hear_control: Callable[[bytes, Place], None] = lambda data, source: None
        self.transport: asyncio.DatagramTransport
        self.control: asyncio.DatagramTransport
        self.port = 0
        self.numbers = _numbers()
        """Where our sound begins, and what it is sealed with where it is."""

    async def open(self, host: str, ports: "Ports") -> None:
        """Find a free port; raises Unavailable ``no_rtp_port``."""
        loop = asyncio.get_running_loop()
        for _ in range(RTP_PORT_TRIES):
            port = ports.next()
            try:
                self.transport, _ = await loop.create_datagram_endpoint(
                    lambda: Datagrams(lambda data, source: self.hear(data, source)), local_addr=(host, port)
                )
            except OSError:
                continue
            try:
                self.control, _ = await loop.create_datagram_endpoint(
                    lambda: Datagrams(lambda data, source: self.hear_control(data, source)),
                    local_addr=(host, port + 1),
                )
            except OSError:
                self.transport.close()
                continue
            self.port = self.transport.get_extra_info("sockname")[1]
            return
        raise Unavailable("No port was free for a call's sound; widen PHONE_BRIDGE_SIP_RTP_PORTS.", code="no_rtp_port")

    def close(self) -> None:
        """Let both go."""
        self.transport.close()
        self.control.close()


class Ports:
    """The even ports from ``first`` to ``last``, round and round."""

    def __init__(self, first: int, last: int) -> None:
        self._first = first + first % 2
        self._count = max(1, (last - self._first) // 2 + 1)
        self._turn = secrets.randbelow(self._count)

    def next(self) -> int:
        """Give the next port."""
        self._turn = (self._turn + 1) % self._count
        return self._first + 2 * self._turn


class _Party:
    """Whoever is on the line with us, from the dialog's beginning to its end."""

    dialog: Dialog

    def __init__(self, server: "SipServer") -> None:
        self._server = server
        self._line: SipLine | None = None
        self._leg: SipLeg | None = None
        self._early: list[str] = []  # said before there was a line to hear it
        self._referred: asyncio.Future[int] | None = None

    def said(self, text: str) -> None:
        """Take a message of the dialog."""
        if self._line is not None:
            self._line.socket.hear(text)
        else:
            self._early.append(text)

    async def refer(self, uri: str) -> int:
        """Have the other side call ``uri``; gives the status that came of it, 0 where it said nothing.

        Raises Refused ``call_ended`` when it hangs up before it has said so.
        """
        if self._line is None or self._referred is not None:
            raise Refused("The call cannot be put through now.", code="call_not_live")
        self._referred = asyncio.get_running_loop().create_future()
        try:
            self._server.decide(lambda agent, now: agent.refer(self.dialog, uri, now))
            async with asyncio.timeout(REFER_S):
                return await self._referred
        except TimeoutError:
            return 0
        finally:
            self._referred = None

    def referred(self, code: int) -> None:
        """Know what came of it."""
        if self._referred is not None and not self._referred.done():
            self._referred.set_result(code)

    def hang_up(self) -> None:
        """End the call without a word more."""
        if self._leg is not None:
            self._leg.leave()

    def gone(self) -> None:
        """Know that the call is over, or never came to be; doing so twice is harmless."""
        if self._referred is not None and not self._referred.done():
            self._referred.set_exception(Refused("The other side has hung up.", code="call_ended"))
        if self._line is not None:
            self._line.abort()

    def _connect(self, media: "_Media", agreed: sdp.Agreed) -> tuple[SipLeg, Socket]:
        here, turn = (self.dialog.here[0], media.port), slot(self._server.now())
        leg = SipLeg(self.dialog, agreed, here, media.numbers, turn)
        self._leg, self._line = leg, SipLine(leg, media, self._say, self._release)
        for text in self._early:
            self._line.socket.hear(text)
        return leg, self._line.socket

    def _say(self, text: str) -> None:
        self._server.decide(lambda agent, now: agent.send(self.dialog, text, now))

    def _release(self) -> None:
        self._server.decide(lambda agent, now: agent.release(self.dialog, now))
        self._server.forget(self.dialog)


class IncomingCall(_Party):
    """A caller who waits for an answer; it is either answered or refused, once."""

    def __init__(self, server: "SipServer", invited: Invited) -> None:
        super().__init__(server)
        self.trunk: Trunk = invited.trunk
        self.request: Request = invited.request
        self.dialog = invited.dialog
        self._offer = invited.offer
        self._confirmed: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def ring(self) -> None:
        """Let the caller hear that it rings."""
        if not self._confirmed.done():
            self._server.decide(lambda agent, now: agent.ring(self.dialog, now))

    def refuse(self, code: int) -> None:
        """Turn the caller away."""
        self._server.decide(lambda agent, now: agent.refuse(self.dialog, code, now))

    async def answer(self) -> tuple[SipLeg, Socket]:
        """Take the call and wait for the caller to know; gives its leg and its socket.

        Raises Refused ``withdrawn`` when the caller has given up, RemoteError for an answer that cannot be used,
        Unavailable without a port.
        """
        media = _Media()
        await media.open(self._server.bound_host(self.dialog.source.host), self._server.ports)
        try:
            return await self._answer(media)
        except BaseException:
            media.close()
            self._server.decide(lambda agent, now: agent.release(self.dialog, now))
            raise

    async def _answer(self, media: _Media) -> tuple[SipLeg, Socket]:
        host, key, codecs = self.dialog.here[0], media.numbers.key, self.trunk.codecs
        wish = self.trunk.sealed(self.dialog.source.transport)
        if self._offer is None:
            body = sdp.offer(host, media.port, 1, key=key, wish=wish, codecs=codecs)
        else:
            agreed = sdp.agree(self._offer, wish=wish, codecs=codecs)
            body = sdp.answer(self._offer, agreed, host, media.port, 1, key=key)
        if not self._confirmed.done():
            self._server.decide(lambda agent, now: agent.accept(self.dialog, body, now))
        with_ack = await self._confirmed
        theirs = self._offer if self._offer is not None else sdp.read(with_ack)
        agreed = sdp.agree(theirs, wish=wish, codecs=codecs)
        return self._connect(media, agreed)

    def confirmed(self, answer: bytes) -> None:
        """Know that the caller knows."""
        if not self._confirmed.done():
            self._confirmed.set_result(answer)

    def gone(self) -> None:
        """Know that the call is over, or never came to be; doing so twice is harmless."""
        super().gone()
        if self._line is None and not self._confirmed.done():
            self._confirmed.set_exception(
                Refused("The caller has hung up before the call was taken.", code="withdrawn")
            )
            self._confirmed.exception()  # it may be that nobody asks


class OutgoingCall(_Party):
    """Somebody whom we call; ``rang`` is told when it rings there."""

    def __init__(
        self, server: "SipServer", calling: Calling, media: _Media, wanted: Wanted, rang: Callable[[], None]
    ) -> None:
        super().__init__(server)
        self.calling = calling
        self.rang = rang
        self._media = media
        self._wish, self._codecs = wanted.srtp, wanted.codecs
        self._answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    @property
    def id(self) -> str:
        """What both sides call it."""
        return self.calling.call_id

    async def answered(self) -> tuple[SipLeg, Socket]:
        """Wait for an answer; gives the call's leg and its socket. Whoever waits no longer takes the call back.

        Raises NotAnswered where nobody answers, RemoteError for an answer that cannot be used.
        """
        try:
            agreed = sdp.agree(sdp.read(await self._answered), wish=self._wish, codecs=self._codecs)
            return self._connect(self._media, agreed)
        except BaseException:
            self._media.close()
            if self._answered.done() and not self._answered.cancelled() and self._answered.exception() is None:
                self._release()
            else:
                self.withdraw()
            raise

    def withdraw(self) -> None:
        """Take the call back, as long as nobody has answered."""
        self._server.decide(lambda agent, now: agent.withdraw(self.calling, now))

    def taken(self, dialog: Dialog, answer: bytes) -> None:
        """Know that somebody has answered."""
        self.dialog = dialog
        if not self._answered.done():
            self._answered.set_result(answer)

    def failed(self, failed: Failed) -> None:
        """Know that nobody has."""
        if not self._answered.done():
            self._answered.set_exception(NotAnswered(failed.outcome, failed.code))
            self._answered.exception()  # it may be that nobody asks


class NotAnswered(Refused):
    """Nobody has answered a call of ours; ``status`` is what the peer has said, or 0."""

    def __init__(self, outcome: Outcome, status: int) -> None:
        super().__init__(f"The call was not answered: {outcome} ({status}).", code=outcome)
        self.outcome = outcome
        self.status = status


def _numbers() -> Numbers:
    return Numbers(
        ssrc=secrets.randbelow(1 << 32),
        sequence=secrets.randbelow(1 << 15),  # so that its first turn-over is far off (RFC 3711, 3.3.1)
        timestamp=secrets.randbelow(1 << 32),
        key=secrets.token_bytes(KEY_BYTES),
    )


class SipServer:
    """Listen for callers; ``take`` is run as a task for each, and ``public_host`` is what peers are told to call."""

    def __init__(
        self,
        access: Access,
        take: Take,
        *,
        ports: Ports,
        public_host: str = "",
        certificates: Certificates | None = None,
        registrations: Callable[[Registration], None] = lambda registration: None,
    ) -> None:
        self.ports = ports
        self._take = take
        self._public_host = public_host
        self._agent = Agent(access, self._here, lambda: secrets.token_hex(ID_BYTES))
        self._calls: dict[Dialog, IncomingCall | OutgoingCall] = {}
        self._calling: dict[Calling, OutgoingCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._access = access
        self._registrations = registrations
        self._looking: dict[str, asyncio.Event] = {}
        self._transports = Transports(
            Hearing(self._message, self._parted, self._agent.knows, self._agent.uses), certificates
        )

    async def open(self, *places: Listening) -> None:
        """Begin to listen; raises Unavailable ``sip_port`` when a port cannot be had."""
        try:
            for where in places:
                await self._transports.listen(where)
        except BaseException:
            await self._transports.close()
            raise

    @property
    def listening(self) -> list[Listening]:
        """Where it listens, with the ports that were given."""
        return self._transports.listening

    @property
    def port(self) -> int:
        """The first port that it listens on."""
        return self.listening[0].port

    def bound_host(self, peer: str) -> str:
        """Say at which address of ours the sound of ``peer`` is waited for."""
        return self._listening_for(Hop(peer, 0)).host

    async def close(self) -> None:
        """Stop listening, and hang up on whoever is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        for call in list(self._calling.values()):
            call.withdraw()
        await self._unregister()
        self._closed = True
        await self._transports.close()

    def desk_phone(self, name: str) -> Bound:
        """Say where a desk phone is; raises Unavailable ``not_registered``."""
        found = self._agent.desk_phone(name, self.now())
        if found is None:
            raise Unavailable(f"The desk phone {name} is not registered.", code="not_registered")
        return found

    async def find(self, host: str, port: int | None, transport: str) -> Hop:
        """Look up where a peer is that we call; raises Unavailable ``sip_unknown_host``."""
        families = {":" in where.host for where in self.listening if where.transport == transport or transport != UDP}
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=sockets.SOCK_DGRAM)
        except OSError:
            found = []
        for _, _, _, _, place in found:
            address = str(place[0])
            if (":" in address) in families:
                hop = Hop(address, port_of(port, transport), transport)
                self._transports.name(hop, host)
                return hop
        raise Unavailable(f"The SIP peer {host} cannot be found by {transport}.", code="sip_unknown_host")

    async def register(self, binding: Binding, where: tuple[str, int | None, str]) -> None:
        """Register, once the registrar's name is known, and look it up again whenever it fails."""
        while True:
            try:
                hop = await self.find(*where)
            except Unavailable:
                self._registrations(NotRegistered(binding.name, 0, LOOK_UP_AGAIN_MS))
                await asyncio.sleep(LOOK_UP_AGAIN_MS / 1000)
                continue
            self._access.learn(binding.name, hop.host)
            self._agent.register(structs.replace(binding, hop=hop), self.now())
            self._flush()
            failed = self._looking[binding.name] = asyncio.Event()
            await failed.wait()

    async def _unregister(self) -> None:
        """Give the bindings back, and wait a moment for the answers."""
        self._agent.unregister(self.now())
        self._flush()
        until = self.now() + UNREGISTER_MS
        while self._agent.registered and self.now() < until:  # noqa: ASYNC110 - answers come by the loop's callbacks
            await asyncio.sleep(0.02)

    async def call(self, wanted: Wanted, rang: Callable[[], None]) -> OutgoingCall:
        """Call somebody, with an offer of ours in ``wanted``; raises Unavailable ``no_rtp_port``."""
        media = _Media()
        await media.open(self.bound_host(wanted.hop.host), self.ports)
        host, key = self._here(wanted.hop)[0], media.numbers.key
        offer = sdp.offer(host, media.port, 1, key=key, wish=wanted.srtp, codecs=wanted.codecs)
        calling = self._agent.call(structs.replace(wanted, description=offer), self.now())
        call = self._calling[calling] = OutgoingCall(self, calling, media, wanted, rang)
        self._flush()
        return call

    def now(self) -> int:
        """Say the time, in milliseconds."""
        return int(time.monotonic() * 1000)

    def decide(self, step: Callable[[Agent, int], None]) -> None:
        """Have something done that was decided of a call."""
        step(self._agent, self.now())
        self._flush()

    def forget(self, dialog: Dialog) -> None:
        """Tell nobody of that call any more."""
        self._calls.pop(dialog, None)

    def _message(self, data: bytes, source: Hop) -> None:
        self._work(self._agent.receive(data, source, self.now()))

    def _parted(self, hop: Hop) -> None:
        self._work(self._agent.part(hop, self.now()))

    def _work(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Registered | NotRegistered):
                self._registrations(fact)
                if isinstance(fact, NotRegistered) and fact.name in self._looking:
                    self._looking[fact.name].set()
            elif isinstance(fact, Rang | Answered | Failed):
                self._told(fact)
            elif isinstance(fact, Invited):
                self._begin(IncomingCall(self, fact))
            elif (call := self._calls.get(fact.dialog)) is not None:
                self._happened(call, fact)
        self._flush()

    def _happened(self, call: IncomingCall | OutgoingCall, fact: InCall) -> None:
        if isinstance(fact, Said):
            call.said(fact.text)
        elif isinstance(fact, Referred):
            call.referred(fact.code)
        elif isinstance(fact, Confirmed) and isinstance(call, IncomingCall):
            call.confirmed(fact.answer)
        elif isinstance(fact, Withdrawn | Lapsed | Unconfirmed):
            call.gone()

    def _told(self, fact: Told) -> None:
        call = self._calling.get(fact.calling)
        if call is None:
            return
        if isinstance(fact, Rang):
            call.rang()
            return
        del self._calling[fact.calling]
        if isinstance(fact, Answered):
            self._calls[fact.dialog] = call
            call.taken(fact.dialog, fact.answer)
        else:
            call.failed(fact)

    def _begin(self, call: IncomingCall) -> None:
        self._calls[call.dialog] = call
        task = asyncio.get_running_loop().create_task(self._take(call))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, call))

    def _ended(self, task: asyncio.Task[None], call: IncomingCall) -> None:
        self._tasks.discard(task)
        self.forget(call.dialog)
        self.decide(lambda agent, now: agent.release(call.dialog, now))
        call.gone()
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a call by SIP failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    def _flush(self) -> None:
        for data, to in self._agent.outgoing():
            self._transports.send(data, to)
        self._arm()

    def _arm(self) -> None:
        due = self._agent.deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None and not self._closed:
            delay = max(1, due - self.now()) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._work(self._agent.expire(self.now()))

    def _here(self, source: Hop) -> Place:
        """Say how whoever calls from ``source`` reaches this machine."""
        port = self._listening_for(source).port
        if self._public_host:
            return self._public_host, port
        family = sockets.AF_INET6 if ":" in source.host else sockets.AF_INET
        with sockets.socket(family, sockets.SOCK_DGRAM) as probe:
            try:
                probe.connect(source[:2])
            except OSError:
                raise RemoteError("A call came from where nothing can be sent.", code="unreachable") from None
            return probe.getsockname()[0], port

    def _listening_for(self, peer: Hop) -> Listening:
        """Find where ``peer`` reaches us: by its transport and its kind of address, as far as there is such a place."""
        if not self.listening:
            raise LocalError("a call came to a server that does not listen")

        def fitness(where: Listening) -> tuple[bool, bool]:
            return (":" in where.host) == (":" in peer.host), where.transport == peer.transport

        return max(self.listening, key=fitness)

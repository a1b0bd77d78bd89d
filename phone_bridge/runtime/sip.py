"""The sockets of SIP: those of all signalling, and one for each call's sound.

A call's messages and packets come to its pump through the same ``Socket`` as a carrier's stream does; what it stands on
here is two sockets of UDP. Who calls is told to ``take``, which answers or refuses.
"""

import asyncio
import secrets
import socket as sockets
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

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
from phone_bridge.legs.sip.calling import Answered, Calling, Failed, Outcome, Rang, Wanted
from phone_bridge.legs.sip.codec import leading
from phone_bridge.legs.sip.dialog import UDP, Dialog, Hop, Place
from phone_bridge.legs.sip.leg import Numbers, SipLeg
from phone_bridge.legs.sip.locating import Target, Turned
from phone_bridge.legs.sip.message import Request
from phone_bridge.legs.sip.referring import Referral
from phone_bridge.legs.sip.registering import Binding, NotRegistered, Registered, Registration
from phone_bridge.legs.sip.registrar import Bound
from phone_bridge.legs.sip.rtcp import is_control
from phone_bridge.legs.sip.srtp import KEY_BYTES
from phone_bridge.legs.sip.transferee import ReferAsked
from phone_bridge.runtime.sip_names import Names
from phone_bridge.runtime.sip_transports import Certificates, Datagrams, Hearing, Listening, Transports, send
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.wheel import Turns

ID_BYTES = 12
RTP_PORT_TRIES = 50
"""Ports that are tried for a call's sound before it is turned away."""

LOOK_UP_AGAIN_MS = 30_000
"""When a registrar is looked up again whose name leads nowhere."""
LOOK_UP_ANEW_S = 300.0
"""When one is looked up again that has its registration, as calls may come from all of its addresses."""
REFER_S = 60.0
"""How long the other side may take to say what came of calling somebody."""
UNREGISTER_MS = 1_000
"""How long the registrars are waited for that are left, at the end."""

MAX_CHANGES = 5
"""How often somebody else may take over one call; a caller is put through as often at most."""

TIMED_OUT, CANNOT, NOT_ACCEPTABLE, UNAVAILABLE, PENDING = 408, 500, 488, 503, 491
FORBIDDEN, DONE, RINGING, GONE = 403, 200, 180, 481

Take = Callable[["IncomingCall"], Coroutine[Any, Any, None]]
Refer = Callable[["Party", Referral], Coroutine[Any, Any, None]]


class SipLine:
    """What a call's ``Socket`` stands on: bytes are packets of RTP, text is messages of the dialog."""

    def __init__(self, leg: SipLeg, media: "_Media", say: Callable[[str], None], release: Callable[[], None]) -> None:
        self.socket = Socket(self)
        self._leg = leg
        self._say = say
        self._release = release
        self._hear(media)

    def change(self, media: "_Media") -> None:
        """Let the sound go by other sockets from now on."""
        self._media.close()
        self._hear(media)

    def _hear(self, media: "_Media") -> None:
        self._media = media
        media.sound.hear = self._packet
        media.reports.hear = self._report

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
        self.sound = Datagrams(_unheard)
        self.reports = Datagrams(_unheard)
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
                self.transport, _ = await loop.create_datagram_endpoint(lambda: self.sound, local_addr=(host, port))
            except OSError:
                continue
            try:
                self.control, _ = await loop.create_datagram_endpoint(lambda: self.reports, local_addr=(host, port + 1))
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


def _unheard(_data: bytes, _source: Place) -> None:
    """Let go what comes before there is a call to hear it."""


class Met(NamedTuple):
    """Somebody who has come to the telephone: their dialog, and how sound goes."""

    dialog: Dialog
    trunk: str
    media: _Media
    agreed: sdp.Agreed


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


class Party:
    """Whoever is on the line with us, from the first dialog's beginning to the last one's end."""

    dialog: Dialog

    def __init__(self, server: "SipServer", trunk_name: str) -> None:
        self.trunk_name = trunk_name
        """Whose side they are on now; empty where that is not known."""
        self.changes = 0
        """How often somebody else has taken over, or was to."""
        self._server = server
        self._over = False
        self._following: asyncio.Task[None] | None = None
        self._line: SipLine | None = None
        self._leg: SipLeg | None = None
        self._turn: int | None = None  # its first one, while it has any
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
        if self._line is None or self._referred is not None or self._following is not None:
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

    def press(self, digits: str) -> None:
        """Press keys for the other side; raises Refused ``call_not_live`` where there is no sound yet."""
        if self._leg is None:
            raise Refused("The call has not begun yet.", code="call_not_live")
        self._leg.press(digits)

    def referred(self, code: int) -> None:
        """Know what came of it."""
        if self._referred is not None and not self._referred.done():
            self._referred.set_result(code)

    def asked(self, referral: Referral, refer: Refer) -> None:
        """Be told whom to call, by the other side; ``refer`` decides about it."""
        if self._leg is None or self._referred is not None or not self._server.may_change(self):
            self.decline(PENDING)
            return
        self._following = self._server.work(refer(self, referral))
        self._following.add_done_callback(self._followed)

    def _followed(self, task: asyncio.Task[None]) -> None:
        self._following = None

    def decline(self, code: int) -> None:
        """Call nobody."""
        self._server.decide(lambda agent, now: agent.decline(self.dialog, code, now))

    async def follow(self, wanted: Wanted) -> None:
        """Call whom the other side has named, and go on with them; whoever has named them is left then.

        Raises NotAnswered, RemoteError or Unavailable where nobody is reached. The call goes on as it was then, or is
        over if the other side has hung up meanwhile.
        """
        dialog, code = self.dialog, CANNOT
        self.changes += 1
        self._server.decide(lambda agent, now: agent.agree(dialog, now))
        try:
            self._go_on(await self._meet(wanted))
            code = DONE
        except NotAnswered as error:
            code = error.status or TIMED_OUT
            raise
        except RemoteError:
            code = NOT_ACCEPTABLE
            raise
        finally:
            self._server.decide(lambda agent, now: agent.tell(dialog, code, now))
            if code == DONE:
                self._server.decide(lambda agent, now: agent.leave(dialog, now))
            elif dialog.over:
                self.hang_up()

    async def _meet(self, wanted: Wanted) -> Met:
        dialog, rang = self.dialog, self._server.decide
        codecs = leading(self._known_leg.format, wanted.codecs)
        call = await self._server.call(
            structs.replace(wanted, codecs=codecs), lambda: rang(lambda agent, now: agent.tell(dialog, RINGING, now))
        )
        return await call.met()

    async def give_way(self, call: "IncomingCall") -> None:
        """Go on with somebody who calls in the place of the other side, which is hung up on (RFC 3891).

        Raises Refused, RemoteError or Unavailable where nothing comes of it, with the call as it was.
        """
        dialog = self.dialog
        moving = self._following is not None or self._referred is not None
        if self._leg is None or moving or not self._server.may_change(self):
            raise NotTaken("The call is being put through already, or is not with an assistant.", PENDING)
        if self.changes >= MAX_CHANGES:
            raise NotTaken(f"The call was taken over {MAX_CHANGES} times already.", FORBIDDEN)
        self.changes += 1
        met = await call.meet(leading(self._leg.format, call.trunk.codecs))
        if dialog is not self.dialog:
            self._let_go(met)
            raise NotTaken("Somebody else has taken the call over meanwhile.", GONE)
        self._go_on(met)
        self._server.decide(lambda agent, now: agent.release(dialog, now))

    def _go_on(self, met: Met) -> None:
        if self._over or self._line is None:
            self._let_go(met)
            raise Refused("The call is over.", code="call_ended")
        self._server.forget(self.dialog)
        self._server.enter(met.dialog, self)
        self._known_leg.change(met.dialog, met.agreed, (met.dialog.here[0], met.media.port), met.media.numbers)
        self._line.change(met.media)
        self.dialog, self.trunk_name = met.dialog, met.trunk
        self._server.changed(self)

    def _let_go(self, met: Met) -> None:
        met.media.close()
        self._server.forget(met.dialog)
        self._server.decide(lambda agent, now: agent.release(met.dialog, now))

    @property
    def _known_leg(self) -> SipLeg:
        if self._leg is None:
            raise LocalError("a call was put through that has not begun")
        return self._leg

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
        here = (self.dialog.here[0], media.port)
        self._turn = self._server.turns.take(self._server.now())
        leg = SipLeg(self.dialog, agreed, here, media.numbers, self._turn)
        self._leg, self._line = leg, SipLine(leg, media, self._say, self._release)
        for text in self._early:
            self._line.socket.hear(text)
        return leg, self._line.socket

    def _say(self, text: str) -> None:
        self._server.decide(lambda agent, now: agent.send(self.dialog, text, now))

    def _release(self) -> None:
        self._over = True
        if self._turn is not None:
            self._server.turns.give_back(self._turn)
            self._turn = None
        if self._following is not None:
            self._following.cancel()
        self._server.decide(lambda agent, now: agent.release(self.dialog, now))
        self._server.forget(self.dialog)


class IncomingCall(Party):
    """A caller who waits for an answer; it is either answered or refused, once."""

    def __init__(self, server: "SipServer", invited: Invited) -> None:
        super().__init__(server, invited.trunk.name)
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
        met = await self.meet(self.trunk.codecs)
        return self._connect(met.media, met.agreed)

    async def meet(self, codecs: tuple[int, ...]) -> Met:
        """Take the call in one of ``codecs``, and wait for the caller to know; raises as ``answer`` does."""
        media = _Media()
        await media.open(self._server.bound_host(self.dialog.source.host), self._server.ports)
        try:
            return Met(self.dialog, self.trunk.name, media, await self._answer(media, codecs))
        except BaseException:
            media.close()
            self._server.decide(lambda agent, now: agent.release(self.dialog, now))
            raise

    async def _answer(self, media: _Media, codecs: tuple[int, ...]) -> sdp.Agreed:
        host, key = self.dialog.here[0], media.numbers.key
        wish = self.trunk.sealed(self.dialog.source.transport)
        if self._offer is None:
            body = sdp.offer(host, media.port, 1, key=key, wish=wish, codecs=codecs)
        else:
            agreed = sdp.agree(self._offer, wish, codecs)
            body = sdp.answer(self._offer, agreed, host, media.port, 1, key=key)
        if not self._confirmed.done():
            self._server.decide(lambda agent, now: agent.accept(self.dialog, body, now))
        with_ack = await self._confirmed
        return sdp.agree(self._offer if self._offer is not None else sdp.read(with_ack), wish, codecs)

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


class OutgoingCall(Party):
    """Somebody whom we call; ``rang`` is told when it rings there."""

    def __init__(
        self, server: "SipServer", calling: Calling, media: _Media, wanted: Wanted, rang: Callable[[], None]
    ) -> None:
        super().__init__(server, calling.wanted.trunk)
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
        met = await self.met()
        return self._connect(met.media, met.agreed)

    async def met(self) -> Met:
        """Wait for an answer; raises as ``answered`` does."""
        try:
            agreed = sdp.agree(sdp.read(await self._answered), self._wish, self._codecs)
            return Met(self.dialog, self.trunk_name, self._media, agreed)
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


class NotTaken(Refused):
    """A call of ours is not taken over by somebody else; ``status`` says why."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, code="not_taken_over")
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
        turned: Callable[[Turned], None] = lambda turned: None,
        names: Names | None = None,
        refer: Refer | None = None,
        may_change: Callable[[Party], bool] = lambda party: True,
        changed: Callable[[Party], None] = lambda party: None,
    ) -> None:
        self.ports = ports
        self.turns = Turns()
        """When the calls' sound comes and goes."""
        self.may_change = may_change
        """Who says whether somebody else may take over a call as it stands."""
        self.changed = changed
        """Who is told of each call that somebody else has taken over."""
        self._refer = refer
        self._take = take
        self._public_host = public_host
        self._agent = Agent(access, self._here, lambda: secrets.token_hex(ID_BYTES))
        self._calls: dict[Dialog, Party] = {}
        self._calling: dict[Calling, OutgoingCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._access = access
        self._registrations = registrations
        self._turned = turned
        self._names = names or Names()
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

    async def find(self, target: Target) -> tuple[Hop, ...]:
        """Look up where a peer is that we call (RFC 3263), at least one place, those that have failed of late last.

        Raises Unavailable ``sip_unknown_host`` or ``sip_not_offered``.
        """
        found = await self._names.hops(target, {where.transport for where in self.listening})
        hops = [hop for hop in found if self._reaches(hop)]
        if not hops:
            raise Unavailable(
                f"The SIP peer {target.host} cannot be reached by {found[0].transport} from where "
                "PHONE_BRIDGE_SIP_LISTEN listens.",
                code="sip_unknown_host",
            )
        for hop in hops:
            self._transports.name(hop, target.host)
        return tuple(self._agent.failures.last(hops, self.now()))

    def _reaches(self, hop: Hop) -> bool:
        families = {
            ":" in where.host for where in self.listening if where.transport == hop.transport or hop.transport != UDP
        }
        if (":" in hop.host) not in families:
            return False
        try:
            self._here(hop)
        except RemoteError:
            return False
        return True

    async def register(self, binding: Binding, target: Target) -> None:
        """Register, once the registrar's name is known, and look it up again whenever it fails, and now and then."""
        known = False
        while True:
            try:
                hops = await self.find(target)
            except Unavailable:
                if not known:
                    self._registrations(NotRegistered(binding.name, 0, LOOK_UP_AGAIN_MS))
                await asyncio.sleep(LOOK_UP_AGAIN_MS / 1000)
                continue
            known = True
            self._access.learn(binding.name, [hop.host for hop in hops], self.now())
            self._agent.register(structs.replace(binding, hop=hops[0], others=hops[1:]), self.now())
            self._flush()
            failed = self._looking[binding.name] = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_UP_ANEW_S):
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
        kin = tuple(hop for hop in wanted.others if (":" in hop.host) == (":" in wanted.hop.host))  # as the offer says
        calling = self._agent.call(structs.replace(wanted, description=offer, others=kin), self.now())
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

    def enter(self, dialog: Dialog, party: Party) -> None:
        """Tell ``party`` of that call from now on."""
        self._calls[dialog] = party

    def work(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have work done beside a call's own; it is given up when the server is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._worked)
        return task

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a call by SIP failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

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
            elif isinstance(fact, Turned):
                self._turned(fact)
            elif isinstance(fact, Rang | Answered | Failed):
                self._told(fact)
            elif isinstance(fact, Invited):
                self._begin(IncomingCall(self, fact), fact.replaces)
            elif (call := self._calls.get(fact.dialog)) is not None:
                self._happened(call, fact)
        self._flush()

    def _happened(self, call: Party, fact: InCall) -> None:
        if isinstance(fact, Said):
            call.said(fact.text)
        elif isinstance(fact, Referred):
            call.referred(fact.code)
        elif isinstance(fact, ReferAsked):
            if self._refer is None:
                call.decline(FORBIDDEN)
            else:
                call.asked(fact.referral, self._refer)
        elif isinstance(fact, Confirmed) and isinstance(call, IncomingCall):
            call.confirmed(fact.answer)
        elif isinstance(fact, Withdrawn | Lapsed | Unconfirmed):
            call.gone()

    def _told(self, fact: Rang | Answered | Failed) -> None:
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

    def _begin(self, call: IncomingCall, replaces: Dialog | None) -> None:
        self.enter(call.dialog, call)
        task = self.work(self._take(call) if replaces is None else self._replace(call, replaces))
        task.add_done_callback(lambda done: self._ended(call))

    async def _replace(self, call: IncomingCall, dialog: Dialog) -> None:
        """Let a caller have the place of somebody else in a call that goes on."""
        party = self._calls.get(dialog)
        if party is None:
            call.refuse(GONE)
            return
        try:
            await party.give_way(call)
        except NotTaken as refused:
            call.refuse(refused.status)
        except RemoteError:
            call.refuse(NOT_ACCEPTABLE)
        except (Refused, Unavailable):
            call.refuse(UNAVAILABLE)

    def _ended(self, call: IncomingCall) -> None:
        if self._calls.get(call.dialog, call) is not call:
            return  # it has taken another call's place, and is that one's now
        self.forget(call.dialog)
        self.decide(lambda agent, now: agent.release(call.dialog, now))
        call.gone()

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

"""Calls that go out by SIP: an attempt of the outbound side becomes an INVITE, and who answers an ordinary call.

The outbound side asks from its threads, as it asks Twilio; what comes of a call it is told as it is told of Twilio's.
Such a call lives and ends with this process, and is known nowhere else.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.sip_transfers import Line
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs.sip.access import REALM, sealed
from phone_bridge.legs.sip.calling import Outcome, Wanted
from phone_bridge.legs.sip.dialog import Hop
from phone_bridge.legs.sip.leg import SipLeg
from phone_bridge.legs.sip.srtp import Srtp
from phone_bridge.legs.twilio.rest import CALL_GONE, Placing
from phone_bridge.legs.twilio.webhook import StatusChanged
from phone_bridge.outbound.carrier import NOT_SENT, Placed
from phone_bridge.routing import sip_host
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.sip import NotAnswered, OutgoingCall, SipServer
from phone_bridge.runtime.sip_trunks import SipTrunk, calls_as, codecs, domain, outward, proxy
from phone_bridge.runtime.sockets import Socket

PLACE_S = 20.0
"""How long the loop may take for what a thread asks of it: looking a name up, sending."""

STATUSES = {Outcome.BUSY: "busy", Outcome.NO_ANSWER: "no_answer", Outcome.CANCELED: "canceled"}
"""What a call is said to have come to; all else has failed."""
FINAL = frozenset({Outcome.REFUSED, Outcome.FORBIDDEN})
"""What calling again would not mend."""

BY = "api"
"""Who ended a call that was taken back by whoever had asked for it."""
LIMIT = "limit"
"""Who ended a call that was as long as one of ours may be."""

log = logging.getLogger("phone_bridge.sip")

_T = TypeVar("_T")


class SipCalls:
    """The trunks of ``bridge.settings.sip_trunks`` that calls go out by.

    ``carry`` carries a call to its end, and whoever it is put through to meanwhile.
    """

    def __init__(self, bridge: Bridge, server: SipServer, carry: Callable[[Line, Pump], Awaitable[Pump]]) -> None:
        self._bridge = bridge
        self._server = server
        self._carried = carry
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._calls: dict[str, tuple[OutgoingCall, str]] = {}  # by their Call-ID: each with our own name for it
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End the calls that go out; those that were not answered are taken back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Asked by threads

    def leads_to(self, to: str) -> bool:
        """Tell whether a number or an address is called by a trunk."""
        return outward(self._bridge.settings.sip_trunks, to) is not None

    def has(self, carrier_id: str) -> bool:
        """Tell whether that names a call by SIP: a Call-ID of ours has a host."""
        return "@" in carrier_id

    def place(self, placing: Placing) -> Placed:
        """Have somebody called; raises Unavailable ``carrier_unreachable`` where nothing was sent."""
        return self._asked(self._place(placing))

    def look(self, carrier_id: str) -> Placed:
        """Say how a call stands; raises Refused ``call_gone`` for one that this process does not have."""
        if carrier_id not in self._calls:
            raise Refused("The call is over, or belongs to a process that is gone.", code=CALL_GONE)
        return Placed(carrier_id, "queued")

    def end(self, carrier_id: str, *, answered: bool) -> None:
        """End a call, or take it back while it is not answered."""
        self._asked(self._end(carrier_id))

    def _asked(self, work: Coroutine[Any, Any, _T]) -> _T:
        try:
            return asyncio.run_coroutine_threadsafe(self._apart(work), self._loop).result(PLACE_S)
        except TimeoutError:
            raise Unavailable("The bridge is too busy to call.", code="carrier_unsure") from None

    async def _apart(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Work outside the context of whoever asks: the engine keeps there which of its steps is under way."""
        return await self._loop.create_task(work, context=self._context.copy())

    # Within the loop

    async def _place(self, placing: Placing) -> Placed:
        trunk = outward(self._bridge.settings.sip_trunks, placing.to)
        if trunk is None:
            raise Refused("No trunk leads there any more.", code="destination_not_allowed")
        registry = self._bridge.registry
        if registry.draining or not registry.has_room():
            raise Unavailable("All lines are in use.", code=NOT_SENT)
        try:
            asked = await wanted(self._server, trunk, placing.to, placing.from_, placing.ring_s)
            call = await self._server.call(asked, lambda: self._rang(call.id, placing.call_id))
        except Unavailable as error:
            log.warning("! call %s cannot go out by SIP: %s", placing.call_id, error)
            raise Unavailable(str(error), code=NOT_SENT) from None
        self._calls[call.id] = call, placing.call_id
        task = self._loop.create_task(self._live(call, placing))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._over(done, call))
        log.info("> call %s goes out by SIP, trunk %s", placing.call_id, trunk.name)
        return Placed(call.id, "queued")

    async def _end(self, carrier_id: str) -> None:
        if carrier_id in self._calls:
            call, call_id = self._calls[carrier_id]
            call.withdraw()
            self._bridge.registry.end(call_id, BY)

    def _over(self, task: asyncio.Task[None], call: OutgoingCall) -> None:
        self._tasks.discard(task)
        self._calls.pop(call.id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "a call by SIP failed", "exception": error})

    def _rang(self, carrier_id: str, call_id: str) -> None:
        task = self._loop.create_task(self._tell(carrier_id, call_id, "ringing"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, call: OutgoingCall, placing: Placing) -> None:
        """Wait for an answer, and carry the call to its end."""
        status, error = "completed", ""
        try:
            leg, socket = await call.answered()
            error = await self._carry(call, placing, leg, socket)
        except NotAnswered as not_answered:
            status = STATUSES.get(not_answered.outcome, "failed")
            error = f"sip_{not_answered.status}" if not_answered.outcome in FINAL else ""
            log.info("x call %s was not answered: %s", placing.call_id, not_answered.outcome)
        except RemoteError as unusable:
            status, error = "failed", unusable.code
        if error:
            await asyncio.to_thread(lambda: self._bridge.outbound.book.note(placing.call_id, error=error))
        await self._tell(call.id, placing.call_id, "failed" if error else status)

    async def _carry(self, call: OutgoingCall, placing: Placing, leg: SipLeg, socket: Socket) -> str:
        """Carry a call that was answered; gives the code of what kept it from beginning, if anything did."""
        bridge, outbound, carrier_id = self._bridge, self._bridge.outbound, call.id
        try:
            attempt, record = await outbound.taken(placing.call_id, carrier_id)
            bridge.registry.announce(record, secrets.token_hex(16))
            known = await bridge.begin(record)
            bridge.sip_transfers.enter(record.id, call, self._domain(placing))
            call.press(placing.digits)  # which sound before anything that is said
            pump = bridge.pump(record, leg, socket, known=known, plan=attempt.what, onward=False, keeps_moved=True)
            limit = self._loop.call_later(placing.limit_s, lambda: bridge.registry.end(record.id, LIMIT))
            try:
                await self._carried(Line(record, leg, socket, call, self._server), pump)
            finally:
                limit.cancel()
        except (Unavailable, Refused) as error:
            log.warning("x call %s was answered and could not begin: %s", placing.call_id, error.code)
            bridge.registry.forget(carrier_id)
            return error.code
        finally:
            bridge.sip_transfers.leave(placing.call_id)
            socket.close()
        return ""

    def _domain(self, placing: Placing) -> str:
        trunk = outward(self._bridge.settings.sip_trunks, placing.to)
        return domain(trunk) if trunk is not None and trunk.proxy else sip_host(placing.to)

    async def _tell(self, carrier_id: str, call_id: str, status: str) -> None:
        changed = StatusChanged(
            call_sid=carrier_id,
            account_sid="",
            status=status,
            sequence=None,
            duration_s=None,
            timestamp=None,
            sip_code=None,
            answered_by=None,
        )
        try:
            await self._bridge.outbound.told(call_id, changed)
        except Unavailable as error:  # the engine asks again how the call stands
            log.warning("! what became of call %s cannot be written down: %s", call_id, error.code)


async def wanted(server: SipServer, trunk: SipTrunk, to: str, shown: str, ring_s: int) -> Wanted:
    """Say what is asked of a trunk that leads ``to`` somebody; ``shown`` is who calls, or empty for the trunk's own.

    Raises Unavailable where the trunk cannot be found, or the desk phone is not registered.
    """
    user = shown or calls_as(trunk)
    if trunk.desk_phone:
        bound = server.desk_phone(trunk.name)
        return Wanted(
            uri=bound.uri,
            from_=f"<sip:{user}@{REALM}>",
            hop=bound.hop,
            ring_ms=ring_s * 1000,
            description=b"",
            trunk=trunk.name,
            direct=True,
            srtp=seal(trunk, bound.hop),
            codecs=codecs(trunk),
        )
    (hop, *others), where = await server.find(proxy(trunk)), domain(trunk)
    return Wanted(
        uri=to if sip_host(to) else f"sip:{to}@{where}",
        from_=f"<sip:{user}@{where}>",
        hop=hop,
        others=tuple(others),
        ring_ms=ring_s * 1000,
        description=b"",
        username=trunk.username,
        password=trunk.password,
        srtp=seal(trunk, hop),
        codecs=codecs(trunk),
        trunk=trunk.name,
    )


def seal(trunk: SipTrunk, hop: Hop) -> Srtp:
    """Say whether the sound of a trunk's call by ``hop`` is sealed."""
    return sealed(Srtp(trunk.srtp) if trunk.srtp else None, hop.transport)

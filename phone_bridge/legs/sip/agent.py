"""The user agent that is called (RFC 3261, 8.2 and 13.3): requests in, calls out of them, and every answer.

That it calls, too, is ``calling``'s part; whom it calls is in a dialog with it as those are who have called.

One agent serves all sockets. It is told of messages and of the time; what it wants sent waits in ``outgoing``. What
belongs to a call that was taken goes to that call's leg as the text it came as, once, in its order.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from phone_bridge.errors import LocalError, RemoteError
from phone_bridge.legs.sip import sdp, session_timer
from phone_bridge.legs.sip.access import Access, Trunk
from phone_bridge.legs.sip.calling import NEXT_SERVER_MS, UNAVAILABLE, Caller, Calling, Lines, Outcome, Told, Wanted
from phone_bridge.legs.sip.dialog import Dialog, Hop, Place, port_of
from phone_bridge.legs.sip.digest import AUTHORIZATION, Proof
from phone_bridge.legs.sip.locating import Failures
from phone_bridge.legs.sip.message import (
    BRANCH_COOKIE,
    CRLF,
    SDP_TYPE,
    Fields,
    Request,
    Response,
    fragment,
    read,
    received,
    rendered,
    response,
)
from phone_bridge.legs.sip.referring import LEAVE_MS, read_referral
from phone_bridge.legs.sip.registering import Binding, Registering, Registration
from phone_bridge.legs.sip.registrar import Bound, Registrar
from phone_bridge.legs.sip.replacing import REPLACES, replaced
from phone_bridge.legs.sip.session_timer import SessionTimer
from phone_bridge.legs.sip.transaction import LIFE_MS, ClientTransaction, Persistence, ServerTransaction, State
from phone_bridge.legs.sip.transferee import Lines as Ways
from phone_bridge.legs.sip.transferee import ReferAsked, Transferee

ALLOW: Fields = (("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY, PRACK, REFER"),)
ACCEPT: Fields = (("Accept", "application/sdp, application/dtmf-relay, application/dtmf"),)
METHODS = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "NOTIFY", "PRACK", "REFER"})

RELIABLE = "100rel"
EXTENSIONS = frozenset({session_timer.TIMER, RELIABLE, REPLACES, "norefersub"})
"""What callers may require of us."""
SUPPORTED: Fields = (("Supported", ", ".join(sorted(EXTENSIONS))),)

MAX_TRANSACTIONS = 20_000
"""Requests that are worked at; what comes beyond that is dropped, and comes again."""

RSEQ = 1
"""The number of the one provisional response of a call that is sent reliably (RFC 3262, 3)."""

RETRY_AFTER_S = 10
"""When a caller whom there is no room for may try again."""


class Sent(NamedTuple):
    """What is to be sent, and where."""

    data: bytes
    to: Hop


class Invited(Struct, frozen=True):
    """``trunk`` calls; ``offer`` is None for a caller who wants to be offered something.

    ``replaces`` is the call whose other side it wants to be, which goes on until this one has begun (RFC 3891).
    """

    dialog: Dialog
    request: Request
    trunk: Trunk
    offer: sdp.Description | None
    replaces: Dialog | None = None


class Confirmed(Struct, frozen=True):
    """The caller knows that the call was taken; ``answer`` is what came with the ACK, if anything."""

    dialog: Dialog
    answer: bytes


class Withdrawn(Struct, frozen=True):
    """The caller has given up before the call was taken, or before it was confirmed."""

    dialog: Dialog


class Said(Struct, frozen=True):
    """The caller said something within a call that was taken."""

    dialog: Dialog
    text: str


class Referred(Struct, frozen=True):
    """What came of having the other side call somebody: a status, or 0 where it says nothing (RFC 3515)."""

    dialog: Dialog
    code: int


class Lapsed(Struct, frozen=True):
    """The call was not kept up by whoever had promised to, or cannot be any more (RFC 4028); it was hung up."""

    dialog: Dialog


class Unconfirmed(Struct, frozen=True):
    """The caller never learnt that the call was taken, or that its description changed; it was hung up."""

    dialog: Dialog


InCall = Invited | Confirmed | Withdrawn | Said | Referred | ReferAsked | Lapsed | Unconfirmed
Fact = InCall | Told | Registration


class _Call(Struct):
    dialog: Dialog
    invite: Request | None = None  # of who has called us
    transaction: str = ""
    accepted: bool = False
    confirmed: bool = False
    persisting: Persistence | None = None
    persisting_sequence: int = 0
    timer: SessionTimer | None = None
    ringing: Persistence | None = None  # repeats a 180 that the caller wants to be sure of
    trunk: str = ""  # whose call it is
    left: bool = False  # the call goes on with somebody else; whoever was there is to hang up
    referring: bool = False  # the other side was told to call somebody, and has not said what came of it

    @property
    def invited(self) -> Request:
        """The INVITE that is answered."""
        if self.invite is None:
            raise LocalError("a call of ours was answered as if it were somebody else's")
        return self.invite


class _Served(Struct):
    machine: ServerTransaction
    request: Request
    to: Hop


class _Asked(Struct):
    machine: ClientTransaction
    to: Hop
    text: str
    dialog: Dialog | None = None
    proof: Proof | None = None
    told: Callable[[Response | None, int], Sequence[Fact]] | None = None
    """Who wants to know the final answer, or that there is none."""


class Agent:
    """Serve the calls of one process.

    ``here`` says how whoever calls from a place reaches us, ``make_id`` gives texts that were never given before.
    """

    def __init__(self, access: Access, here: Callable[[Hop], Place], make_id: Callable[[], str]) -> None:
        self.dropped = 0
        """Messages that were answered by nothing."""
        self.failures = Failures()
        """Which servers have failed of late."""
        self._access = access
        self._here = here
        self._make_id = make_id
        self._served: dict[str, _Served] = {}
        self._asked: dict[str, _Asked] = {}
        self._calls: dict[str, _Call] = {}  # by Call-ID and our tag
        self._merging: dict[tuple[str, str, int], str] = {}  # 8.2.2.2: the transaction that brought a request first
        self._due: list[tuple[int, str, str]] = []
        self._outgoing: list[Sent] = []
        self._registering: dict[str, Registering] = {}
        self._registrar = Registrar()
        self._caller = Caller(Lines(self._put, self._ask, self._arm, self._adopt, self.release), make_id, self.failures)
        self._transferee = Transferee(Ways(self._told, self._ask))

    # What comes in

    def receive(self, data: bytes, source: Hop, now: int) -> Sequence[Fact]:
        """Take one message; what makes no sense, and who is nobody, is dropped without a word."""
        try:
            message = read(data)
            if isinstance(message, Response):
                return self._answered(message, now)
            return self._request(received(message, source.host, source.port), source, now)
        except RemoteError:
            self.dropped += 1
            return []

    def _request(self, request: Request, source: Hop, now: int) -> list[Fact]:
        key = _server_key(request)
        served = self._served.get(key)
        if request.method == "ACK":
            return self._acknowledged(request, served, now)
        if served is not None:
            self._put(served.machine.repeated(), served.to)
            return []
        if len(self._served) >= MAX_TRANSACTIONS:
            raise RemoteError("Too many requests are under way.", code="overload")
        call = self._call_of(request)
        if call is not None:
            return self._within(call, request, source, now)
        if request.method == "CANCEL":
            return self._cancel(request, source, now)
        return self._outside(request, source, now)

    def _outside(self, request: Request, source: Hop, now: int) -> list[Fact]:
        admitted = self._access.admit(request, source.host, now)
        if admitted is None:
            self.dropped += 1
            return []
        if not isinstance(admitted, Trunk):
            self._put(response(request, 401, tag=self._make_id(), fields=admitted), _response_place(request, source))
            return []
        self._serve(request, source)
        if request.to_tag:
            return self._refuse(request, 481, now)
        if request.method == "REGISTER" and admitted.desk_phone:
            code, fields = self._registrar.take(admitted.name, admitted.username, request, source, now)
            return self._refuse(request, code, now, fields)
        if request.method not in METHODS:
            return self._refuse(request, 405, now, ALLOW)
        unknown = request.options("Require") - EXTENSIONS
        if unknown:
            return self._refuse(request, 420, now, (("Unsupported", ", ".join(sorted(unknown))),))
        if request.method == "OPTIONS":
            return self._refuse(request, 200, now, (*ALLOW, *ACCEPT, *SUPPORTED))
        if request.method != "INVITE":
            return self._refuse(request, 481, now)
        return self._invited(request, admitted, source, now)

    def _invited(self, request: Request, trunk: Trunk, source: Hop, now: int) -> list[Fact]:
        merging = (request.call_id, request.from_tag, request.sequence)
        if self._merging.setdefault(merging, _server_key(request)) != _server_key(request):
            return self._refuse(request, 482, now)
        if request.body and request.content_type != SDP_TYPE:
            return self._refuse(request, 415, now, ACCEPT)
        if session_timer.too_small(request):
            return self._refuse_interval(request, now)
        try:
            offer = sdp.read(request.body) if request.body else None
            if offer is not None:
                sdp.agree(offer, wish=trunk.sealed(source.transport), codecs=trunk.codecs)
            refusal, displaced = self._displaced(request, trunk)
        except RemoteError as error:
            return self._refuse(request, 488 if error.code == "no_common_codec" else 400, now)
        if refusal:
            return self._refuse(request, refusal, now)
        dialog = Dialog.answering(request, self._make_id(), self._here(source), source, self._make_id)
        dialog.credentials = trunk.credentials
        self._calls[_call_key(dialog)] = _Call(dialog, request, _server_key(request), trunk=trunk.name)
        self._answer(request, 100, now)
        return [Invited(dialog, request, trunk, offer, displaced)]

    def _displaced(self, request: Request, trunk: Trunk) -> tuple[int, Dialog | None]:
        """Find the call that an INVITE wants to take over, or the status that refuses it (RFC 3891, 3).

        A call of ours that only rings yet is none: its dialog is not known here before somebody has answered.
        """
        wanted = replaced(request)
        if wanted is None:
            return 0, None
        call = self._calls.get(f"{wanted.call_id} {wanted.to_tag}")
        if call is None or call.dialog.remote_tag != wanted.from_tag or not call.confirmed:
            return 481, None
        if call.left or call.dialog.over:
            return 603, None
        if wanted.early_only:
            return 486, None
        if not self._access.same_house(call.trunk, trunk):
            return 403, None
        return (491, None) if self._transferee.busy(call.dialog) else (0, call.dialog)

    def _refuse_interval(self, request: Request, now: int) -> list[Fact]:
        least = (("Min-SE", str(session_timer.MIN_SE_S)),)
        return self._refuse(request, session_timer.INTERVAL_TOO_SMALL, now, least)

    def _within(self, call: _Call, request: Request, source: Hop, now: int) -> list[Fact]:
        self._serve(request, source)
        if request.method not in METHODS:
            return self._refuse(request, 405, now, ALLOW)
        if not call.dialog.admits(request):
            return self._refuse(request, 500, now)
        if request.method == "OPTIONS":
            return self._refuse(request, 200, now, (*ALLOW, *ACCEPT, *SUPPORTED))
        if self._parts(call, request):
            return self._parting(call, request, now)
        if request.method in ("NOTIFY", "PRACK"):
            return (self._notified if request.method == "NOTIFY" else self._rung)(call, request, now)
        if request.method == "BYE" and not call.confirmed:  # its ACK may be lost, or never have been meant
            self._answer(request, 200, now)
            return self._withdraw(call, now)
        if not call.accepted or (request.method == "INVITE" and call.persisting is not None):
            return self._refuse(request, 491, now)
        if request.method in ("INVITE", "UPDATE") and session_timer.too_small(request):
            return self._refuse_interval(request, now)
        if request.method == "REFER":
            return self._refer_asked(call, request, source, now)
        return [Said(call.dialog, rendered(request))]

    def _refer_asked(self, call: _Call, request: Request, source: Hop, now: int) -> list[Fact]:
        """Hear whom to call, from who has shown that it is the trunk whose call this is."""
        try:
            admitted, referral = self._access.again(call.trunk, request, source.host, now), read_referral(request)
        except RemoteError:
            return self._refuse(request, 400, now)
        if not isinstance(admitted, Trunk):
            return self._refuse(request, 401 if admitted else 403, now, admitted or ())
        if self._transferee.busy(call.dialog) or not call.confirmed:
            return self._refuse(request, 491, now)
        return [self._transferee.asked(call.dialog, referral, request)]

    def _parts(self, call: _Call, request: Request) -> bool:
        """Tell whether whoever says something goes, and the call does not go with them, or is over already."""
        return call.left or call.dialog.over or (request.method == "BYE" and self._transferee.busy(call.dialog))

    def _parting(self, call: _Call, request: Request, now: int) -> list[Fact]:
        """Answer whoever has put a caller through, or is about to, and goes: the call does not go with them."""
        if request.method != "BYE":
            return self._refuse(request, 481, now)
        call.dialog.over, call.timer = True, None
        self._answer(request, 200, now)
        if call.left:
            self._forget(call)
        return []

    def _rung(self, call: _Call, request: Request, now: int) -> list[Fact]:
        """Know that the caller knows that it rings (RFC 3262, 3)."""
        wanted = [str(RSEQ), str(call.invite.sequence if call.invite is not None else 0), "INVITE"]
        if call.ringing is None or (request.headers.get("RAck") or "").split() != wanted:
            return self._refuse(request, 481, now)
        call.ringing = None
        self._answer(request, 200, now)
        return []

    def _notified(self, call: _Call, request: Request, now: int) -> list[Fact]:
        """Hear what became of a REFER (RFC 3515, 2.4.4), and of nothing else."""
        event = (request.headers.get("Event") or "").partition(";")[0].strip().lower()
        if event != "refer":
            return self._refuse(request, 489, now, (("Allow-Events", "refer"),))
        if not call.referring:
            return self._refuse(request, 481, now)
        self._answer(request, 200, now)
        code = fragment(request.body)
        ended = (request.headers.get("Subscription-State") or "").strip().lower().startswith("terminated")
        if code < 200 and not ended:
            return []
        call.referring = False
        return [Referred(call.dialog, code)]

    def _cancel(self, request: Request, source: Hop, now: int) -> list[Fact]:
        served = self._served.get(_server_key(request, "INVITE"))
        if served is None:
            self.dropped += 1
            return []
        self._serve(request, source)
        call = next((call for call in self._calls.values() if call.invite is served.request), None)
        self._answer(request, 200, now, tag=call.dialog.tag if call is not None else self._make_id())
        return [] if call is None or call.accepted else self._withdraw(call, now)

    def _withdraw(self, call: _Call, now: int) -> list[Fact]:
        self._answer(call.invited, 487, now, tag=call.dialog.tag)
        self._forget(call)
        return [Withdrawn(call.dialog)]

    def _acknowledged(self, request: Request, served: _Served | None, now: int) -> list[Fact]:
        if served is not None and served.machine.state is not State.ACCEPTED:
            served.machine.acknowledged(now)
            self._arm("served", _server_key(request), served.machine.deadline())
            return []
        call = self._call_of(request)
        if call is None or call.persisting is None or request.sequence != call.persisting_sequence:
            return []
        call.persisting = None
        if not call.confirmed:
            call.confirmed = True
            return [Confirmed(call.dialog, request.body)]
        return [Said(call.dialog, rendered(request))]

    def _answered(self, message: Response, now: int) -> Sequence[Fact]:
        if message.cseq_method == "INVITE":
            return self._caller.answered(message, now)
        key = f"{message.branch} {message.cseq_method}"
        asked = self._asked.get(key)
        if asked is None:
            return []
        final = asked.machine.answered(message.code, now)
        self._arm("asked", key, asked.machine.deadline())
        if final and self._proven(asked, message, now):
            return []
        return self._final(asked, message, now) if final else []

    def _proven(self, asked: _Asked, refusal: Response, now: int) -> bool:
        """Ask once more for what was refused within a call, with our credentials, if they are wanted (22.2, 22.3)."""
        dialog = asked.dialog
        if dialog is None or refusal.code not in AUTHORIZATION:
            return False
        proof = asked.proof or Proof(*dialog.credentials, self._make_id)
        method, uri = asked.text.split(" ", 2)[:2]
        if not proof.take(refusal, method, uri):
            return False
        text = dialog.again(asked.text, proof.fields)
        machine = ClientTransaction(text, now, reliable=asked.to.reliable)
        self._begin(_Asked(machine, asked.to, text, dialog, proof, asked.told))
        asked.told = None
        return True

    def _final(self, asked: _Asked, answer: Response | None, now: int) -> Sequence[Fact]:
        told, asked.told = asked.told, None
        return told(answer, now) if told is not None else []

    # What the bridge decides

    def call(self, wanted: Wanted, now: int) -> Calling:
        """Call somebody; ``Answered`` or ``Failed`` follows, perhaps ``Rang`` before."""
        return self._caller.call(wanted, self._here(wanted.hop), now)

    def withdraw(self, calling: Calling, now: int) -> None:
        """Take a call back that has not been answered; ``Failed`` follows."""
        self._caller.withdraw(calling, Outcome.CANCELED, now)

    def ring(self, dialog: Dialog, now: int) -> None:
        """Tell the caller that the call is being looked at."""
        call = self._known(dialog)
        fields: Fields = (("Contact", dialog.contact),)
        if RELIABLE not in call.invited.options("Require"):
            self._answer(call.invited, 180, now, tag=dialog.tag, fields=fields)
            return
        fields = (*fields, ("Require", RELIABLE), ("RSeq", str(RSEQ)))
        text = response(call.invited, 180, tag=dialog.tag, fields=fields)
        call.ringing = Persistence(text, now)
        self._give(self._served[call.transaction], 180, text, now)
        self._arm("ringing", _call_key(dialog), call.ringing.deadline())

    def accept(self, dialog: Dialog, description: bytes, now: int) -> None:
        """Take the call; ``Confirmed`` follows, or ``Unconfirmed``, or nothing when it was withdrawn meanwhile."""
        call = self._calls.get(_call_key(dialog))
        if call is None:
            return
        call.accepted = True
        fields = (("Contact", dialog.contact), *ALLOW, *SUPPORTED, ("Content-Type", SDP_TYPE))
        self._answer(call.invited, 200, now, tag=dialog.tag, fields=fields, body=description)

    def refuse(self, dialog: Dialog, code: int, now: int) -> None:
        """Turn the call away; 503 says when to try again."""
        call = self._calls.get(_call_key(dialog))
        if call is None:
            return
        fields: Fields = (("Retry-After", str(RETRY_AFTER_S)),) if code == 503 else ()
        self._answer(call.invited, code, now, tag=dialog.tag, fields=fields)
        self._forget(call)

    def send(self, dialog: Dialog, text: str, now: int) -> None:
        """Send what the leg of a call says: an answer to something that was ``Said``, or a request of its own."""
        message = read(text.encode())
        if isinstance(message, Response):
            served = self._served.get(_server_key(message))
            if served is not None:
                self._give(served, message.code, text, now)
            return
        self._ask(text, dialog.next_hop, now)

    def refer(self, dialog: Dialog, uri: str, now: int) -> None:
        """Have the other side call ``uri``; ``Referred`` follows (RFC 3515), unless it hangs up before."""
        call = self._known(dialog)
        call.referring = True

        def told(answer: Response | None, at: int) -> Sequence[Fact]:
            refused = answer is None or answer.code >= 300
            if not (call.referring and refused):
                return []
            call.referring = False
            return [Referred(dialog, answer.code if answer is not None else 0)]

        fields = (("Contact", dialog.contact), ("Refer-To", f"<{uri}>"), ("Referred-By", dialog.contact))
        self._ask(dialog.request("REFER", fields), dialog.next_hop, now, told)

    def agree(self, dialog: Dialog, now: int) -> None:
        """Try to do what was ``ReferAsked``; ``tell`` is owed until a status that is final."""
        self._transferee.agree(dialog, now)

    def decline(self, dialog: Dialog, code: int, now: int) -> None:
        """Do nothing of what was ``ReferAsked``."""
        self._transferee.decline(dialog, code, now)

    def tell(self, dialog: Dialog, code: int, now: int) -> None:
        """Tell what has come of a REFER, whose call may be over already."""
        if self._transferee.busy(dialog):
            self._transferee.tell(dialog, code, now)

    def leave(self, dialog: Dialog, now: int) -> None:
        """Have no more to do with whoever has put a caller through: they hang up, or are hung up on."""
        call = self._calls.get(_call_key(dialog))
        if call is None:
            return
        call.left, call.timer = True, None
        if dialog.over:
            self._forget(call)
        else:
            self._arm("left", _call_key(dialog), now + LEAVE_MS)

    def _told(self, request: Request, code: int, now: int, fields: Fields) -> None:
        self._answer(request, code, now, tag=self._make_id(), fields=fields)

    def _ask(
        self,
        text: str,
        hop: Hop,
        now: int,
        told: Callable[[Response | None, int], Sequence[Fact]] | None = None,
        life_ms: int = LIFE_MS,
    ) -> None:
        message = read(text.encode())
        call = self._calls.get(f"{message.call_id} {message.from_tag}")
        machine = ClientTransaction(text, now, reliable=hop.reliable, life_ms=life_ms)
        self._begin(_Asked(machine, hop, text, call.dialog if call is not None else None, told=told))

    def _begin(self, asked: _Asked) -> None:
        message = read(asked.text.encode())
        key = f"{message.branch} {message.cseq_method}"
        self._asked[key] = asked
        self._put(asked.text, asked.to)
        self._arm("asked", key, asked.machine.deadline())

    def release(self, dialog: Dialog, now: int) -> None:
        """Forget a call; one that was taken and that nobody has ended is hung up."""
        call = self._calls.get(_call_key(dialog))
        if call is None:
            return
        if not call.accepted:
            self.refuse(dialog, 503, now)
            return
        self._transferee.end(dialog, 487, now)
        if not dialog.over:
            dialog.over = True
            self.send(dialog, dialog.request("BYE"), now)
        self._forget(call)

    def desk_phone(self, name: str, now: int) -> Bound | None:
        """Say where a desk phone is that has registered here; None for one that has not."""
        return self._registrar.find(name, now)

    def register(self, binding: Binding, now: int) -> None:
        """Register with a provider, and keep it up; where it was done before, know where its registrar is now."""
        known = self._registering.get(binding.name)
        if known is not None:
            known.move(binding.hop, binding.others)
            return
        made = self._registering[binding.name] = Registering(binding, self._here(binding.hop), self._make_id)
        self._register(made, now)

    def unregister(self, now: int) -> None:
        """Give every binding back; those that are still ``registered`` have not been answered."""
        for registering in self._registering.values():
            registering.leave()
            if registering.held:
                self._register(registering, now)

    @property
    def registered(self) -> list[str]:
        """The names of the bindings that are held."""
        return [name for name, registering in self._registering.items() if registering.held]

    def _register(self, registering: Registering, now: int) -> None:
        hop = registering.binding.hop

        def told(answer: Response | None, at: int) -> Sequence[Fact]:
            if answer is None or answer.code == UNAVAILABLE:
                self.failures.note(hop, at)
            else:
                self.failures.clear(hop)
            facts = registering.answered(answer, at)
            if registering.due == at:
                self._register(registering, at)
            else:
                self._arm("register", registering.binding.name, registering.due)
            return facts

        life_ms = LIFE_MS if registering.alone else NEXT_SERVER_MS
        self._ask(registering.request(), hop, now, told, life_ms)

    def _expire_registering(self, name: str, now: int) -> None:
        registering = self._registering[name]
        if registering.due is not None and registering.due <= now and not registering.leaving:
            self._register(registering, now)

    def part(self, hop: Hop, now: int) -> Sequence[Fact]:
        """Know that the connection with ``hop`` is lost, or never came to be: its calls look for another way."""
        for call in self._calls.values():
            if call.dialog.source == hop:
                call.dialog.part()
        self._registrar.part(hop)
        facts: list[Fact] = [*self._caller.part(hop, now)]
        for key, asked in list(self._asked.items()):
            if asked.to == hop and asked.told is not None:
                del self._asked[key]
                facts += self._final(asked, None, now)
        for name, registering in self._registering.items():
            if registering.binding.hop == hop and registering.held:
                self.failures.note(hop, now)
                facts += registering.lost(now)
                self._arm("register", name, registering.due)
        return facts

    def uses(self, hop: Hop) -> bool:
        """Tell whether a call goes by ``hop``, so that its connection is worth keeping."""
        registers = any(registering.binding.hop == hop for registering in self._registering.values())
        registers = registers or self._registrar.uses(hop)
        return registers or self._caller.uses(hop) or any(call.dialog.source == hop for call in self._calls.values())

    def knows(self, host: str) -> bool:
        """Tell whether whoever is at ``host`` may have a word for us: a trunk, or somebody within a call."""
        return self._access.may_be(host) or any(call.dialog.source.host == host for call in self._calls.values())

    # Time, and what goes out

    def outgoing(self) -> list[Sent]:
        """Take what waits to be sent."""
        waiting, self._outgoing = self._outgoing, []
        return waiting

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        return self._due[0][0] if self._due else None

    def expire(self, now: int) -> list[Fact]:
        """Do what was due by ``now``."""
        facts: list[Fact] = []
        while self._due and self._due[0][0] <= now:
            _, kind, key = heapq.heappop(self._due)
            facts += self._expire(kind, key, now)
        return facts

    def _expire(self, kind: str, key: str, now: int) -> Sequence[Fact]:
        match kind:
            case "served":
                self._expire_served(key, now)
            case "asked":
                return self._expire_asked(key, now)
            case "call":
                return self._expire_call(key, now)
            case "ringing":
                self._expire_ringing(key, now)
            case "left":
                self._expire_left(key, now)
            case "session":
                return self._expire_session(key, now)
            case "register":
                self._expire_registering(key, now)
            case _:
                return self._caller.expire(kind, key, now)
        return []

    def _expire_served(self, key: str, now: int) -> None:
        served = self._served.get(key)
        if served is None or not _is_due(served.machine, now):
            return
        self._put(served.machine.expire(now), served.to)
        if served.machine.state is State.TERMINATED:
            del self._served[key]
            request = served.request
            self._merging.pop((request.call_id, request.from_tag, request.sequence), None)
        else:
            self._arm("served", key, served.machine.deadline())

    def _expire_asked(self, key: str, now: int) -> Sequence[Fact]:
        asked = self._asked.get(key)
        if asked is None or not _is_due(asked.machine, now):
            return []
        self._put(asked.machine.expire(now), asked.to)
        if asked.machine.state is not State.TERMINATED:
            self._arm("asked", key, asked.machine.deadline())
            return []
        del self._asked[key]
        return self._final(asked, None, now)

    def _expire_call(self, key: str, now: int) -> list[Fact]:
        call = self._calls.get(key)
        if call is None or call.persisting is None or call.persisting.deadline() > now:
            return []
        served = self._served.get(call.transaction)
        again = call.persisting.expire(now)
        if call.persisting.failed:
            call.persisting = None
            self.release(call.dialog, now)
            return [Unconfirmed(call.dialog)]
        self._put(again, served.to if served is not None else call.dialog.next_hop)
        self._arm("call", key, call.persisting.deadline())
        return []

    def _serve(self, request: Request, source: Hop) -> None:
        machine = ServerTransaction(invite=request.method == "INVITE", reliable=source.reliable)
        self._served[_server_key(request)] = _Served(machine, request, _response_place(request, source))

    def _refuse(self, request: Request, code: int, now: int, fields: Fields = ()) -> list[Fact]:
        self._answer(request, code, now, tag=self._make_id(), fields=fields)
        return []

    def _answer(
        self, request: Request, code: int, now: int, *, tag: str = "", fields: Fields = (), body: bytes = b""
    ) -> None:
        text = response(request, code, tag=tag, fields=fields, body=body)
        served = self._served.get(_server_key(request))
        if served is not None:
            self._give(served, code, text, now)

    def _give(self, served: _Served, code: int, text: str, now: int) -> None:
        if 200 <= code < 300 and served.request.method in ("INVITE", "UPDATE"):
            text = self._timed(served.request, text, now)
        self._put(served.machine.answer(code, text, now), served.to)
        self._arm("served", _server_key(served.request), served.machine.deadline())
        if served.machine.state is State.ACCEPTED and code < 300:
            self._persist(served, text, now)

    def _timed(self, request: Request, text: str, now: int) -> str:
        """Say in an answer how long the session holds, and know it."""
        call = self._call_of(read(text.encode()))
        if call is None:
            return text
        agreed = session_timer.answer(request, may_update=request.allows("UPDATE"))
        self._time(call, agreed, ours=agreed is not None and agreed.refresher == "uas", now=now)
        if agreed is None:
            return text
        said = f"Session-Expires: {agreed.interval_s};refresher={agreed.refresher}{CRLF}Require: {session_timer.TIMER}"
        return text.replace(f"{CRLF}Content-Length:", f"{CRLF}{said}{CRLF}Content-Length:", 1)

    def _time(self, call: _Call, agreed: session_timer.Wanted | None, *, ours: bool, now: int) -> None:
        call.timer = None
        if agreed is not None:
            call.timer = SessionTimer(max(agreed.interval_s, session_timer.MIN_SE_S), ours=ours, now=now)
            self._arm("session", _call_key(call.dialog), call.timer.deadline())

    def _expire_ringing(self, key: str, now: int) -> None:
        call = self._calls.get(key)
        if call is None or call.ringing is None or call.ringing.deadline() > now or call.accepted:
            return
        again = call.ringing.expire(now)
        served = self._served.get(call.transaction)
        if call.ringing.failed or served is None:  # whoever answers will find out whether anybody is there
            call.ringing = None
            return
        self._put(again, served.to)
        self._arm("ringing", key, call.ringing.deadline())

    def _expire_left(self, key: str, now: int) -> None:
        call = self._calls.get(key)
        if call is not None and call.left:
            self.release(call.dialog, now)

    def _expire_session(self, key: str, now: int) -> list[Fact]:
        call = self._calls.get(key)
        if call is None or call.timer is None or call.timer.deadline() > now:
            return []
        if not call.timer.ours:
            return self._lapse(call, now)
        timer, dialog = call.timer, call.dialog

        def told(answer: Response | None, at: int) -> Sequence[Fact]:
            if self._calls.get(key) is not call:
                return []
            if answer is None or answer.code in (408, 481):  # 12.2.1.2: the other side has no such call
                return self._lapse(call, at)
            return []

        timer.refreshed(now)
        self._arm("session", key, timer.deadline())
        fields = (
            ("Contact", dialog.contact),
            ("Supported", session_timer.TIMER),
            ("Session-Expires", f"{timer.interval_s};refresher=uac"),
        )
        self._ask(dialog.request("UPDATE", fields), dialog.next_hop, now, told)
        return []

    def _lapse(self, call: _Call, now: int) -> list[Fact]:
        self.release(call.dialog, now)
        return [Lapsed(call.dialog)]

    def _persist(self, served: _Served, text: str, now: int) -> None:
        call = self._call_of(read(text.encode()))
        if call is not None:
            call.persisting, call.persisting_sequence = Persistence(text, now), served.request.sequence
            call.transaction = _server_key(served.request)
            self._arm("call", _call_key(call.dialog), call.persisting.deadline())

    def _arm(self, kind: str, key: str, at: int | None) -> None:
        if at is not None:
            heapq.heappush(self._due, (at, kind, key))

    def _put(self, text: str, to: Hop) -> None:
        if text:
            self._outgoing.append(Sent(text.encode(), to))

    # Who is who

    def _adopt(self, dialog: Dialog, taken: Response, now: int, trunk: str) -> None:
        call = self._calls[_call_key(dialog)] = _Call(dialog, accepted=True, confirmed=True, trunk=trunk)
        agreed = session_timer.wanted(taken)
        if agreed is not None and (agreed.refresher == "uas" or taken.allows("UPDATE")):
            self._time(call, agreed, ours=agreed.refresher != "uas", now=now)

    def _call_of(self, message: Request | Response) -> _Call | None:
        call = self._calls.get(f"{message.call_id} {message.to_tag}") if message.to_tag else None
        return call if call is not None and call.dialog.remote_tag == message.from_tag else None

    def _known(self, dialog: Dialog) -> _Call:
        call = self._calls.get(_call_key(dialog))
        if call is None:
            raise LocalError("a call was decided about that is not there")
        return call

    def _forget(self, call: _Call) -> None:
        self._calls.pop(_call_key(call.dialog), None)


def _is_due(machine: ServerTransaction | ClientTransaction, now: int) -> bool:
    due = machine.deadline()
    return due is not None and due <= now


def _call_key(dialog: Dialog) -> str:
    return f"{dialog.call_id} {dialog.tag}"


def _server_key(message: Request | Response, method: str = "") -> str:
    """Name the transaction that a message belongs to (17.2.3)."""
    method = method or ("INVITE" if message.cseq_method == "ACK" else message.cseq_method)
    top = message.via[0]
    hop = f"{message.branch} {top.host}:{top.port or ''} {method}"
    if message.branch.startswith(BRANCH_COOKIE):
        return hop
    return f"{message.call_id} {message.from_tag} {message.sequence} {hop}"


def _response_place(request: Request, source: Hop) -> Hop:
    """Say where answers go: back by the connection, or where the Via says (18.2.2; RFC 3581, 4)."""
    top = request.via[0]
    if source.reliable or "rport" in top.parameters:
        return source
    return Hop(source.host, port_of(top.port))

"""The user agent that calls (RFC 3261, 8.1 and 13.2): one INVITE, its credentials, its end, and whoever answers it.

A call is asked for once: it is never sent elsewhere because somebody says so (3xx). A server that takes no call (503),
cannot be connected with or says nothing is followed by the next one (RFC 3263, 4.3), unless it has rung there. Who was
told to stop ringing, or given up, and has answered all the same is hung up on, and where several answer (forking), the
first has the call.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from sipmessage import URI

from phone_bridge.legs.sip.codec import CODECS
from phone_bridge.legs.sip.dialog import MAX_FORWARDS, Dialog, Ends, Hop, Place, contact, via
from phone_bridge.legs.sip.digest import AUTHORIZATION, Proof
from phone_bridge.legs.sip.locating import Failures, Turned
from phone_bridge.legs.sip.message import BRANCH_COOKIE, SDP_TYPE, Fields, Response, written
from phone_bridge.legs.sip.replacing import REPLACES
from phone_bridge.legs.sip.session_timer import TIMER
from phone_bridge.legs.sip.srtp import Srtp
from phone_bridge.legs.sip.transaction import InviteTransaction, State

ALLOWED: Fields = (("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY, REFER"),)
SUPPORTED: Fields = (("Supported", f"{TIMER}, {REPLACES}, norefersub"),)

MAX_RETRY_DIGITS = 6
"""Digits of a Retry-After that is believed."""

NEXT_SERVER_MS = 4_000
"""How long a server may say nothing at all, not even 100, where there is another one. One that lives says something
within 200 ms (17.2.1), and by then the INVITE has gone four times by UDP."""
LAST_SERVER_MS = 8_000
"""How long the last one may: five times by UDP, so that where one packet in ten is lost each way, one call in 4,000
fails by that. Timer B would give it 32 s; but here somebody waits on the line."""
MAX_SERVERS = 4
"""Servers that one call is tried at: with the last one's time, no more than 20 s of silence."""
UNAVAILABLE = 503


class Outcome(StrEnum):
    """What became of a call that nobody took."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"  # the credentials are not enough
    UNREACHABLE = "unreachable"  # nobody said anything
    OVERLOADED = "overloaded"  # the peer takes no call now
    CANCELED = "canceled"


OUTCOMES: dict[int, Outcome] = {
    401: Outcome.FORBIDDEN,
    403: Outcome.FORBIDDEN,
    407: Outcome.FORBIDDEN,
    408: Outcome.NO_ANSWER,
    480: Outcome.NO_ANSWER,
    486: Outcome.BUSY,
    487: Outcome.NO_ANSWER,
    503: Outcome.OVERLOADED,
    600: Outcome.BUSY,
    603: Outcome.BUSY,  # somebody has pressed the key that says no
}
"""What statuses mean for a call; all others refuse it."""


class Wanted(Struct, frozen=True, kw_only=True):
    """A call to be made: to ``uri``, from the address ``from_``, with the sound that ``description`` offers.

    ``ring_ms`` is how long it may ring. Where it goes is ``hop``, whatever ``uri`` says, and then ``others`` in their
    order, each by the same transport.
    """

    uri: str
    from_: str
    hop: Hop
    ring_ms: int
    description: bytes
    others: tuple[Hop, ...] = ()
    username: str = ""
    password: str = ""
    fields: Fields = ()
    srtp: Srtp = Srtp.OFF
    """Whether the offer is to be sealed."""
    codecs: tuple[int, ...] = CODECS
    """What is offered, in this order."""
    trunk: str = ""
    """Whose call it is, where that is known."""
    direct: bool = False
    """Whether ``hop`` is the telephone itself, which is spoken with there whatever it says of where it is (NAT)."""

    def __repr__(self) -> str:
        return f"Wanted(hop={self.hop!r})"


class Rang(Struct, frozen=True):
    """It rings; ``early`` where sound comes already, which is noted and not heard."""

    calling: "Calling"
    early: bool


class Answered(Struct, frozen=True):
    """Somebody has answered, and knows that we know; ``answer`` is their description."""

    calling: "Calling"
    dialog: Dialog
    answer: bytes


class Failed(Struct, frozen=True):
    """Nobody has answered, and nobody will; ``code`` is the status, or 0 where there was none."""

    calling: "Calling"
    outcome: Outcome
    code: int
    retry_after_s: int = 0


Told = Rang | Answered | Failed | Turned


class Asked(NamedTuple):
    """One INVITE of a call: where it went, and what its CANCEL, and the ACK of its refusal, have of it."""

    hop: Hop
    via: str
    sequence: int
    proof: Fields


class Calling:
    """A call of ours until it is answered, or is not."""

    def __init__(self, wanted: Wanted, here: Place, make_id: Callable[[], str], now: int) -> None:
        self.wanted = wanted
        self.call_id = f"{make_id()}@{here[0]}"
        self.branch = ""
        """What names the transaction that is under way."""
        self.ring_until = now + wanted.ring_ms
        self.withdrawn: Outcome | None = None
        """Why it was taken back, if it was."""
        self.known = False
        """Whether the server that is asked has said anything."""
        self.rang = False
        """Whether it rings anywhere, so that it is not tried elsewhere any more."""
        self.over = False
        """Whether what became of it was told."""
        self.hop = wanted.hop
        """The server that is asked."""
        self.others = list(wanted.others[: MAX_SERVERS - 1])
        """Those that were not asked yet."""
        self.proof = Proof(wanted.username, wanted.password, make_id)
        self.asked = Asked(wanted.hop, "", 1, ())
        """The last INVITE."""
        self._here = here
        self._make_id = make_id
        self._local = f"{wanted.from_};tag={make_id()}"
        self._tag = self._local.rpartition("=")[2]

    def turn(self, now: int) -> None:
        """Ask the next server: for the same, by its number, so that nobody who hears of both rings twice (8.2.2.2)."""
        self.hop = self.others.pop(0)
        self.proof = Proof(self.wanted.username, self.wanted.password, self._make_id)
        self.known = False
        self.ring_until = now + self.wanted.ring_ms

    def invite(self, *, anew: bool = False) -> str:
        """Write the INVITE, ``anew`` with each set of credentials."""
        self.branch = self._make_id()
        transport = self.hop.transport
        here = via(transport, self._here, self.branch)
        self.asked = Asked(self.hop, here, self.asked.sequence + anew, self.proof.fields)
        fields: Fields = (
            ("Contact", contact(self._here, transport)),
            *ALLOWED,
            *SUPPORTED,
            *self.proof.fields,
            *self.wanted.fields,
            ("Content-Type", SDP_TYPE),
        )
        return self._written("INVITE", self.asked, f"<{self.wanted.uri}>", fields, self.wanted.description)

    def cancel(self, asked: Asked) -> str:
        """Write the CANCEL of an INVITE (9.1)."""
        return self._written("CANCEL", asked, f"<{self.wanted.uri}>")

    def acknowledgement(self, asked: Asked, refusal: Response) -> str:
        """Write the ACK of a refusal of an INVITE (17.1.1.3)."""
        return self._written("ACK", asked, refusal.headers["To"])

    def dialog(self, taken: Response, hop: Hop) -> Dialog:
        """Make the dialog with who has answered by way of ``hop`` (12.1.2)."""
        ends = Ends(
            call_id=self.call_id,
            tag=self._tag,
            remote_tag=taken.to_tag,
            local=self._local,
            remote=taken.headers["To"],
            target=taken.contact[0].uri if taken.contact else URI.parse(self.wanted.uri),
            routes=tuple(reversed(taken.record_route)),
            behind_nat=self.wanted.direct,
            sent=taken.sequence,
        )
        dialog = Dialog(ends, self._here, hop, self._make_id)
        dialog.credentials = self.wanted.username, self.wanted.password
        return dialog

    def _written(self, method: str, asked: Asked, to: str, fields: Fields = (), body: bytes = b"") -> str:
        head: Fields = (
            ("Via", asked.via),
            ("Max-Forwards", MAX_FORWARDS),
            ("From", self._local),
            ("To", to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{asked.sequence} {method}"),
            *fields,
        )
        return written(f"{method} {self.wanted.uri} SIP/2.0", head, body)


class _Inviting(Struct):
    machine: InviteTransaction
    calling: Calling
    asked: Asked
    abandoned: bool = False  # nothing is hoped for any more; what is said all the same is answered
    cancelled: bool = False  # the peer was told so
    refused: str = ""  # the ACK of its refusal
    taken: dict[str, tuple[str, Dialog]] = {}  # by the tag of who has answered: the ACK


class Lines(Struct, frozen=True):
    """What a ``Caller`` needs of the agent that it is part of."""

    put: Callable[[str, Hop], None]
    """Send a message."""
    ask: Callable[[str, Hop, int], None]
    """Send a request that is no INVITE until it is answered."""
    arm: Callable[[str, str, int | None], None]
    """Have ``expire`` called with a kind and a key."""
    adopt: Callable[[Dialog, Response, int, str], None]
    """Know a dialog of a trunk from now on, by the answer that began it."""
    hang_up: Callable[[Dialog, int], None]
    """End a dialog that nobody wants."""


class Caller:
    """Make the calls of one agent."""

    def __init__(self, lines: Lines, make_id: Callable[[], str], failures: Failures) -> None:
        self._lines = lines
        self._make_id = make_id
        self._failures = failures
        self._inviting: dict[str, _Inviting] = {}  # by branch

    def call(self, wanted: Wanted, here: Place, now: int) -> Calling:
        """Call somebody; ``Answered`` or ``Failed`` follows."""
        calling = Calling(wanted, here, self._make_id, now)
        self._send(calling, now)
        return calling

    def withdraw(self, calling: Calling, outcome: Outcome, now: int) -> None:
        """Take a call back; its peer is told, if need be as soon as it has said anything at all (9.1)."""
        if calling.over or calling.withdrawn is not None:
            return
        calling.withdrawn = outcome
        inviting = self._inviting.get(calling.branch)
        if calling.known and inviting is not None:
            self._cancel(inviting, now)

    def part(self, hop: Hop, now: int) -> list[Told]:
        """Know that no connection with ``hop`` came about, or that it is lost, with what was asked by it (8.1.3.1)."""
        facts: list[Told] = []
        for inviting in list(self._inviting.values()):
            waits = inviting.machine.state in (State.CALLING, State.PROCEEDING)
            if inviting.asked.hop == hop and waits and not inviting.abandoned:
                facts += self._abandon(inviting, now)
        return facts

    def uses(self, hop: Hop) -> bool:
        """Tell whether an answer is waited for from ``hop``."""
        return any(each.asked.hop == hop and not each.abandoned for each in self._inviting.values())

    def _send(self, calling: Calling, now: int, *, anew: bool = False) -> None:
        text, hop = calling.invite(anew=anew), calling.hop
        machine = InviteTransaction(text, now, reliable=hop.reliable)
        self._inviting[calling.branch] = _Inviting(machine, calling, calling.asked)
        self._lines.put(text, hop)
        self._lines.arm("invite", calling.branch, machine.deadline())
        self._lines.arm("ring", calling.branch, calling.ring_until)
        self._lines.arm("silent", calling.branch, now + (NEXT_SERVER_MS if calling.others else LAST_SERVER_MS))

    def _cancel(self, inviting: _Inviting, now: int) -> None:
        if inviting.cancelled:
            return
        inviting.cancelled = True
        self._lines.ask(inviting.calling.cancel(inviting.asked), inviting.asked.hop, now)
        self._give_up(inviting, now)

    def _give_up(self, inviting: _Inviting, now: int) -> None:
        inviting.machine.give_up(now)
        self._lines.arm("invite", _branch(inviting), inviting.machine.deadline())

    def _abandon(self, inviting: _Inviting, now: int) -> list[Told]:
        """Hope for nothing more from a server that is silent or gone; what it says late is still answered."""
        calling = inviting.calling
        inviting.abandoned = True
        self._give_up(inviting, now)
        self._failures.note(inviting.asked.hop, now)
        if not calling.known and calling.withdrawn is Outcome.NO_ANSWER:
            calling.withdrawn = None  # nothing has rung
            calling.others.clear()  # and the time for it is over
        if not calling.known and (turned := self._turned(calling, 0, now)):
            return turned
        return self._fail(calling, Outcome.UNREACHABLE)

    def _turned(self, calling: Calling, code: int, now: int) -> list[Told]:
        """Ask the next server, if there is one that may be asked."""
        if not calling.others or calling.over or calling.rang or calling.withdrawn is not None:
            return []
        failed = calling.hop
        calling.turn(now)
        self._send(calling, now)
        return [Turned(calling.wanted.trunk, failed, code)]

    # What comes in

    def answered(self, message: Response, now: int) -> list[Told]:
        """Take an answer to an INVITE; one to none of ours is nothing."""
        branch = message.branch.removeprefix(BRANCH_COOKIE)
        inviting = self._inviting.get(branch)
        if inviting is None:
            return []
        calling, known = inviting.calling, inviting.machine.answered(message.code, now)
        self._lines.arm("invite", branch, inviting.machine.deadline())
        if branch == calling.branch:
            calling.known = True
        if message.code != UNAVAILABLE:
            self._failures.clear(inviting.asked.hop)
        if message.code < 200:
            return self._rang(inviting, message, now)
        if message.code < 300:
            return self._taken(inviting, message, now)
        if known:
            inviting.refused = calling.acknowledgement(inviting.asked, message)
        if inviting.refused:
            self._lines.put(inviting.refused, inviting.asked.hop)
        return self._refused(calling, message, now) if known and not inviting.abandoned else []

    def _rang(self, inviting: _Inviting, message: Response, now: int) -> list[Told]:
        calling = inviting.calling
        if calling.withdrawn is not None or inviting.abandoned:
            self._cancel(inviting, now)
            return []
        if calling.over or message.code == 100:
            return []
        calling.rang = True
        return [Rang(calling, bool(message.body))]

    def _taken(self, inviting: _Inviting, message: Response, now: int) -> list[Told]:
        calling, known = inviting.calling, inviting.taken.get(message.to_tag)
        if known is not None:
            self._lines.put(known[0], known[1].next_hop)
            return []
        dialog = calling.dialog(message, inviting.asked.hop)
        acknowledgement = dialog.request("ACK", inviting.asked.proof, sequence=message.sequence)
        inviting.taken[message.to_tag] = acknowledgement, dialog
        self._lines.put(acknowledgement, dialog.next_hop)
        self._lines.adopt(dialog, message, now, calling.wanted.trunk)
        if calling.over or calling.withdrawn is not None or inviting.abandoned:  # it is too late
            self._lines.hang_up(dialog, now)
            return [] if inviting.abandoned else self._fail(calling, Outcome.CANCELED, message.code)
        calling.over = True
        return [Answered(calling, dialog, message.body)]

    def _refused(self, calling: Calling, message: Response, now: int) -> list[Told]:
        asks = message.code in AUTHORIZATION and calling.withdrawn is None and not calling.over
        if asks and calling.proof.take(message, "INVITE", calling.wanted.uri):
            self._send(calling, now, anew=True)
            return []
        retry_after_s = _retry_after(message)
        if message.code == UNAVAILABLE:
            self._failures.note(calling.hop, now, retry_after_s)
            if turned := self._turned(calling, message.code, now):
                return turned
        return self._fail(calling, OUTCOMES.get(message.code, Outcome.REFUSED), message.code, retry_after_s)

    def _fail(self, calling: Calling, outcome: Outcome, code: int = 0, retry_after_s: int = 0) -> list[Told]:
        if calling.over:
            return []
        calling.over = True
        return [Failed(calling, calling.withdrawn or outcome, code, retry_after_s)]

    # Time

    def expire(self, kind: str, branch: str, now: int) -> list[Told]:
        """Do what was due by ``now`` for one INVITE."""
        inviting = self._inviting.get(branch)
        if inviting is None:
            return []
        calling, machine = inviting.calling, inviting.machine
        if kind == "silent":
            silent = machine.state is State.CALLING and not inviting.abandoned
            return self._abandon(inviting, now) if silent else []
        if kind == "ring":
            if branch == calling.branch:
                self.withdraw(calling, Outcome.NO_ANSWER, now)
            return []
        due = machine.deadline()
        if due is None or due > now:
            return []
        self._lines.put(machine.expire(now), inviting.asked.hop)
        if machine.state is not State.TERMINATED:
            self._lines.arm("invite", branch, machine.deadline())
            return []
        del self._inviting[branch]
        return [] if branch != calling.branch else self._fail(calling, Outcome.NO_ANSWER)


def _branch(inviting: _Inviting) -> str:
    return inviting.asked.via.partition(f";branch={BRANCH_COOKIE}")[2].partition(";")[0]


def _retry_after(message: Response) -> int:
    found = (message.headers.get("Retry-After") or "").strip().partition(" ")[0].partition(";")[0]
    return int(found) if found.isascii() and found.isdigit() and len(found) < MAX_RETRY_DIGITS else 0

"""The user agent that calls (RFC 3261, 8.1 and 13.2): one INVITE, its credentials, its end, and whoever answers it.

A call is asked for once: it is never sent elsewhere because somebody says so (3xx). Who was told to stop ringing and
has answered all the same is hung up on, and where several answer (forking), the first has the call.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from sipmessage import URI

from phone_bridge.legs.sip.codec import CODECS
from phone_bridge.legs.sip.dialog import MAX_FORWARDS, Dialog, Ends, Hop, Place, contact, via
from phone_bridge.legs.sip.digest import AUTHORIZATION, Proof
from phone_bridge.legs.sip.message import BRANCH_COOKIE, Fields, Response, written
from phone_bridge.legs.sip.replacing import REPLACES
from phone_bridge.legs.sip.session_timer import TIMER
from phone_bridge.legs.sip.srtp import Srtp
from phone_bridge.legs.sip.transaction import InviteTransaction, State

SDP_TYPE = "application/sdp"
ALLOWED: Fields = (("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY, REFER"),)
SUPPORTED: Fields = (("Supported", f"{TIMER}, {REPLACES}, norefersub"),)

MAX_RETRY_DIGITS = 6
"""Digits of a Retry-After that is believed."""


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

    ``ring_ms`` is how long it may ring. Where it goes is ``hop``, whatever ``uri`` says.
    """

    uri: str
    from_: str
    hop: Hop
    ring_ms: int
    description: bytes
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


Told = Rang | Answered | Failed


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
        self.cancelled = False
        """Whether the peer was told so."""
        self.known = False
        """Whether the peer has said anything."""
        self.over = False
        """Whether what became of it was told."""
        self.proof = Proof(wanted.username, wanted.password, make_id)
        self._here = here
        self._make_id = make_id
        self._local = f"{wanted.from_};tag={make_id()}"
        self._tag = self._local.rpartition("=")[2]
        self._sequence = 0
        self._via = ""

    def invite(self) -> str:
        """Write the INVITE, anew with each set of credentials."""
        self._sequence += 1
        self.branch = self._make_id()
        self._via = via(self.wanted.hop.transport, self._here, self.branch)
        fields: Fields = (
            ("Contact", contact(self._here, self.wanted.hop.transport)),
            *ALLOWED,
            *SUPPORTED,
            *self.proof.fields,
            *self.wanted.fields,
            ("Content-Type", SDP_TYPE),
        )
        return self._written("INVITE", f"<{self.wanted.uri}>", fields, self.wanted.description)

    def cancel(self) -> str:
        """Write the CANCEL of the INVITE that is under way (9.1)."""
        self.cancelled = True
        return self._written("CANCEL", f"<{self.wanted.uri}>")

    def acknowledgement(self, refusal: Response) -> str:
        """Write the ACK of a refusal of the INVITE that is under way (17.1.1.3)."""
        return self._written("ACK", refusal.headers["To"])

    def dialog(self, taken: Response) -> Dialog:
        """Make the dialog with who has answered (12.1.2)."""
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
        dialog = Dialog(ends, self._here, self.wanted.hop, self._make_id)
        dialog.credentials = self.wanted.username, self.wanted.password
        return dialog

    def _written(self, method: str, to: str, fields: Fields = (), body: bytes = b"") -> str:
        head: Fields = (
            ("Via", self._via),
            ("Max-Forwards", MAX_FORWARDS),
            ("From", self._local),
            ("To", to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._sequence} {method}"),
            *fields,
        )
        return written(f"{method} {self.wanted.uri} SIP/2.0", head, body)


class _Inviting(Struct):
    machine: InviteTransaction
    calling: Calling
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

    def __init__(self, lines: Lines, make_id: Callable[[], str]) -> None:
        self._lines = lines
        self._make_id = make_id
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
        if calling.known:
            self._cancel(calling, now)

    def part(self, hop: Hop) -> list[Told]:
        """Know that no connection with ``hop`` came about, or that it is lost, with what was asked by it (8.1.3.1)."""
        facts: list[Told] = []
        for branch, inviting in list(self._inviting.items()):
            if inviting.calling.wanted.hop == hop and inviting.machine.state in (State.CALLING, State.PROCEEDING):
                del self._inviting[branch]
                facts += self._fail(inviting.calling, Outcome.UNREACHABLE)
        return facts

    def uses(self, hop: Hop) -> bool:
        """Tell whether an answer is waited for from ``hop``."""
        return any(inviting.calling.wanted.hop == hop for inviting in self._inviting.values())

    def _send(self, calling: Calling, now: int) -> None:
        text, hop = calling.invite(), calling.wanted.hop
        machine = InviteTransaction(text, now, reliable=hop.reliable)
        self._inviting[calling.branch] = _Inviting(machine, calling)
        self._lines.put(text, hop)
        self._lines.arm("invite", calling.branch, machine.deadline())
        self._lines.arm("ring", calling.branch, calling.ring_until)

    def _cancel(self, calling: Calling, now: int) -> None:
        inviting = self._inviting.get(calling.branch)
        if inviting is None or calling.cancelled:
            return
        self._lines.ask(calling.cancel(), calling.wanted.hop, now)
        inviting.machine.give_up(now)
        self._lines.arm("invite", calling.branch, inviting.machine.deadline())

    # What comes in

    def answered(self, message: Response, now: int) -> list[Told]:
        """Take an answer to an INVITE; one to none of ours is nothing."""
        branch = message.branch.removeprefix(BRANCH_COOKIE)
        inviting = self._inviting.get(branch)
        if inviting is None:
            return []
        calling, known = inviting.calling, inviting.machine.answered(message.code, now)
        self._lines.arm("invite", branch, inviting.machine.deadline())
        calling.known = True
        if message.code < 200:
            return self._rang(calling, message, now)
        if message.code < 300:
            return self._taken(inviting, message, now)
        if known:
            inviting.refused = calling.acknowledgement(message)
        if inviting.refused:
            self._lines.put(inviting.refused, calling.wanted.hop)
        return self._refused(calling, message, now) if known else []

    def _rang(self, calling: Calling, message: Response, now: int) -> list[Told]:
        if calling.withdrawn is not None:
            self._cancel(calling, now)
            return []
        return [] if calling.over or message.code == 100 else [Rang(calling, bool(message.body))]

    def _taken(self, inviting: _Inviting, message: Response, now: int) -> list[Told]:
        calling, known = inviting.calling, inviting.taken.get(message.to_tag)
        if known is not None:
            self._lines.put(known[0], known[1].next_hop)
            return []
        dialog = calling.dialog(message)
        acknowledgement = dialog.request("ACK", calling.proof.fields, sequence=message.sequence)
        inviting.taken[message.to_tag] = acknowledgement, dialog
        self._lines.put(acknowledgement, dialog.next_hop)
        self._lines.adopt(dialog, message, now, calling.wanted.trunk)
        if calling.over or calling.withdrawn is not None:  # somebody else has it, or it was too late
            self._lines.hang_up(dialog, now)
            return self._fail(calling, Outcome.CANCELED, message.code)
        calling.over = True
        return [Answered(calling, dialog, message.body)]

    def _refused(self, calling: Calling, message: Response, now: int) -> list[Told]:
        asks = message.code in AUTHORIZATION and calling.withdrawn is None and not calling.over
        if asks and calling.proof.take(message, "INVITE", calling.wanted.uri):
            self._send(calling, now)
            return []
        return self._fail(calling, OUTCOMES.get(message.code, Outcome.REFUSED), message.code, _retry_after(message))

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
        if kind == "ring":
            if branch == calling.branch:
                self.withdraw(calling, Outcome.NO_ANSWER, now)
            return []
        due = machine.deadline()
        if due is None or due > now:
            return []
        self._lines.put(machine.expire(now), calling.wanted.hop)
        if machine.state is not State.TERMINATED:
            self._lines.arm("invite", branch, machine.deadline())
            return []
        del self._inviting[branch]
        if branch != calling.branch:
            return []
        if not calling.known and calling.withdrawn is Outcome.NO_ANSWER:
            calling.withdrawn = None  # nothing has rung
        return self._fail(calling, Outcome.NO_ANSWER if calling.known else Outcome.UNREACHABLE)


def _retry_after(message: Response) -> int:
    found = (message.headers.get("Retry-After") or "").strip().partition(" ")[0].partition(";")[0]
    return int(found) if found.isascii() and found.isdigit() and len(found) < MAX_RETRY_DIGITS else 0

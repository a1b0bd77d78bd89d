"""Registration with a provider's registrar (RFC 3261, 10.2): kept up until it is given back, whatever goes wrong."""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from phone_bridge.legs.sip.dialog import MAX_FORWARDS, Hop, Place, transport_of, uri_host, via
from phone_bridge.legs.sip.digest import AUTHORIZATION, Proof
from phone_bridge.legs.sip.locating import Turned
from phone_bridge.legs.sip.message import Fields, Response, written

REFRESH = 0.75
"""After how much of its time a binding is refreshed."""
MIN_EXPIRES_S, MAX_EXPIRES_S = 10, 86_400
"""How long a binding may hold that a registrar grants; what is beyond is taken for these."""
FIRST_RETRY_MS, LAST_RETRY_MS = 30_000, 1_800_000
"""How long a registrar that failed is left alone, at first and at most; each time twice as long (RFC 5626, 4.5)."""
MAX_DIGITS = 10
"""Digits of a number of seconds (RFC 3261, 20.19: less than 2^32)."""
INTERVAL_TOO_BRIEF, UNAVAILABLE = 423, 503


class Binding(Struct, frozen=True, kw_only=True):
    """What is registered, as ``name`` here: ``user`` at ``domain``, by way of ``hop`` or one of ``others``."""

    name: str
    user: str
    domain: str
    hop: Hop
    others: tuple[Hop, ...] = ()
    password: str = ""
    expires_s: int = 600

    def __repr__(self) -> str:
        return f"Binding(name={self.name!r})"


class Registered(Struct, frozen=True):
    """The registrar has taken the binding, for so long."""

    name: str
    expires_s: int


class NotRegistered(Struct, frozen=True):
    """The registrar has refused with ``code``, or said nothing (0); it is asked again after ``retry_ms``."""

    name: str
    code: int
    retry_ms: int


Registration = Registered | NotRegistered
Fact = Registration | Turned


class Registering:
    """One binding, from its first REGISTER to its last."""

    def __init__(self, binding: Binding, here: Place, make_id: Callable[[], str]) -> None:
        self.binding = binding
        self.due: int | None = None
        """When the next REGISTER is due; None while one is under way, and after the last."""
        self.leaving = False
        """Whether it is being given back."""
        self.held = False
        """Whether the registrar has it, as far as is known."""
        self._here = here
        self._make_id = make_id
        self._call_id = f"{make_id()}@{here[0]}"
        self._tag = make_id()
        self._sequence = 0
        self._failures = 0
        self._asked_s = binding.expires_s
        self._untried = list(binding.others)
        self._proof = self._fresh_proof()

    @property
    def alone(self) -> bool:
        """Whether no other server is left that could be asked."""
        return not self._untried

    def move(self, hop: Hop, others: Sequence[Hop] = ()) -> None:
        """Know where the registrar's servers are now; one that has the binding keeps it."""
        hops = [hop, *others]
        if self.held and self.binding.hop in hops:
            hops.sort(key=lambda each: each != self.binding.hop)
        self.binding = structs.replace(self.binding, hop=hops[0], others=tuple(hops[1:]))
        self._untried = list(hops[1:])

    def leave(self) -> None:
        """Give the binding back with the next REGISTER."""
        self.leaving = True
        self._proof = self._fresh_proof()

    def request(self) -> str:
        """Write the REGISTER that is due."""
        self._sequence += 1
        self.due = None
        binding = self.binding
        transport = binding.hop.transport
        address = f"<sip:{binding.user}@{binding.domain}>"
        how = "" if transport == "udp" else f";transport={transport}"
        head: Fields = (
            ("Via", via(transport, self._here, self._make_id())),
            ("Max-Forwards", MAX_FORWARDS),
            ("From", f"{address};tag={self._tag}"),
            ("To", address),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", f"<sip:{binding.user}@{uri_host(self._here[0])}:{self._here[1]}{how}>"),
            ("Expires", "0" if self.leaving else str(self._asked_s)),
            *self._proof.fields,
        )
        return written(f"REGISTER {self._uri} SIP/2.0", head)

    def answered(self, answer: Response | None, now: int) -> list[Fact]:
        """Take the final answer, None for none; ``due`` says when there is more to say, ``now`` for at once."""
        if answer is not None and answer.code in AUTHORIZATION and self._proof.take(answer, "REGISTER", self._uri):
            self.due = now
            return []
        self._proof = self._fresh_proof()
        if self.leaving:
            self.held = False
            return []
        if (answer is None or answer.code == UNAVAILABLE) and (turned := self._turned(answer, now)):
            return turned
        if answer is not None and answer.code < 300:
            return self._granted(answer, now)
        if answer is not None and answer.code == INTERVAL_TOO_BRIEF and self._take_longer(answer):
            self.due = now
            return []
        return self._failed(answer, now)

    def lost(self, now: int) -> list[Fact]:
        """Know that the connection is lost by which calls would have come."""
        return [] if self.leaving or self.due is None else self._turned(None, now) or self._failed(None, now)

    def _turned(self, answer: Response | None, now: int) -> list[Fact]:
        """Have the next server asked at once, if there is one that was not."""
        if not self._untried:
            return []
        failed, hop = self.binding.hop, self._untried.pop(0)
        others = (*(each for each in self.binding.others if each != hop), failed)
        self.binding = structs.replace(self.binding, hop=hop, others=others)
        self.held, self.due = False, now
        return [Turned(self.binding.name, failed, answer.code if answer is not None else 0)]

    def _granted(self, answer: Response, now: int) -> list[Fact]:
        self._failures, self.held = 0, True
        self._untried = list(self.binding.others)
        expires = min(max(self._granted_s(answer), MIN_EXPIRES_S), MAX_EXPIRES_S)
        self.due = now + int(expires * 1000 * REFRESH)
        return [Registered(self.binding.name, expires)]

    def _granted_s(self, answer: Response) -> int:
        for contact in answer.contact:
            ours = contact.uri.host == self._here[0] and contact.uri.user == self.binding.user
            if ours and transport_of(contact.uri) == self.binding.hop.transport:
                return _seconds(contact.parameters.get("expires")) or self._header_s(answer)
        return self._header_s(answer)

    def _header_s(self, answer: Response) -> int:
        return _seconds(answer.headers.get("Expires")) or self._asked_s

    def _take_longer(self, answer: Response) -> bool:
        wanted = _seconds(answer.headers.get("Min-Expires"))
        if not self._asked_s < wanted <= MAX_EXPIRES_S:
            return False
        self._asked_s = wanted
        return True

    def _failed(self, answer: Response | None, now: int) -> list[Fact]:
        self.held = False
        self._untried = list(self.binding.others)
        wait = min(FIRST_RETRY_MS << self._failures, LAST_RETRY_MS)
        self._failures = min(self._failures + 1, 10)
        if answer is not None:
            wait = max(wait, min(_seconds(answer.headers.get("Retry-After")) * 1000, LAST_RETRY_MS))
        self.due = now + wait
        return [NotRegistered(self.binding.name, answer.code if answer is not None else 0, wait)]

    def _fresh_proof(self) -> Proof:
        return Proof(self.binding.user, self.binding.password, self._make_id)

    @property
    def _uri(self) -> str:
        return f"sip:{self.binding.domain}"


def _seconds(text: str | None) -> int:
    found = (text or "").strip().partition(" ")[0].partition(";")[0]
    return int(found) if found.isascii() and found.isdigit() and len(found) <= MAX_DIGITS else 0

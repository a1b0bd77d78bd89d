"""Where a SIP server is (RFC 3263, 4): what to ask the DNS for, and in which order the servers are tried.

``locate`` is called with what is known, and again with the answers to what it asks for, until it has found a transport
and its servers. The transport is chosen once, and a server that fails is followed by another one of the same transport:
nobody gets us from TLS to UDP by keeping TLS from working.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip.dialog import TCP, TLS, TRANSPORTS, UDP, Hop, is_address, port_of

SERVICES = {UDP: "_sip._udp", TCP: "_sip._tcp", TLS: "_sips._tcp"}
"""Under which name of a domain each transport's servers are listed (RFC 3263, 4.1 and 4.2)."""
RESOLUTIONS = {"sip+d2u": UDP, "sip+d2t": TCP, "sips+d2t": TLS}
"""What a NAPTR record says in its service field; others are of transports that are not spoken here."""

MAX_RECORDS = 64
"""Records of one answer that are looked at."""
MAX_FAILURES = 1_024
"""Servers that are remembered for having failed; the oldest is forgotten first."""
FAILED_MS = 120_000
"""How long a server that failed is tried last; so a dead one costs one call in two minutes a wait."""
MAX_FAILED_MS = 1_800_000
"""How long at most, where the server itself says when to come again (Retry-After)."""


class Target(NamedTuple):
    """Who is looked for: a name or an address, with a port and a transport where they are given.

    ``secure`` is for ``sips:``, which only TLS will do for.
    """

    host: str
    port: int | None = None
    transport: str = ""
    secure: bool = False


class Question(NamedTuple):
    """What the DNS is asked for: records of a type that a name has."""

    type: str
    name: str


class Naptr(NamedTuple):
    """By which service a domain would be reached, and where that is listed (RFC 3403, 4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(NamedTuple):
    """A server of a service (RFC 2782); ``target`` is ``.`` where the domain says that it has none."""

    priority: int
    weight: int
    port: int
    target: str


Record = Naptr | Srv
Known = Mapping[Question, Sequence[Record]]


class Found(NamedTuple):
    """By which transport somebody is called, and which servers there are."""

    transport: str
    servers: tuple[Srv, ...]


class Turned(Struct, frozen=True):
    """A server of the trunk ``name`` has failed, by a status or by saying nothing (0), and the next one is tried."""

    name: str
    server: Hop
    code: int


def locate(target: Target, spoken: Collection[str], known: Known) -> Found | list[Question]:
    """Say where ``target`` is, or what has to be asked first, all at once.

    ``spoken`` are the transports that may be chosen where ``target`` names none, at least one. Raises Unavailable
    ``sip_not_offered`` where the domain says itself that it takes no calls, or none by a transport that will do.
    """
    usable = [each for each in TRANSPORTS if each in spoken and (each == TLS or not target.secure)]
    named = _named(target)
    if is_address(target.host) or target.port is not None or "." not in target.host.rstrip("."):
        return _itself(target, named or (usable[0] if usable else TLS))
    listed = {each: Question("SRV", _beneath(SERVICES[each], target.host)) for each in TRANSPORTS}
    if named:
        wanted = [listed[named]]
    else:
        naptr = Question("NAPTR", _dotless(target.host))
        wanted = [naptr, *(listed[each] for each in usable if each != TLS or target.secure)]
    missing = [question for question in wanted if question not in known]
    if missing:
        return missing
    if named:
        return _of(target, {named: listed[named]}, known)
    offered = _offered(known[naptr], usable)
    missing = [question for _, question in offered if question not in known]
    if missing:
        return missing
    for transport, question in offered:
        servers = _servers(known[question])
        if servers:
            return Found(transport, servers)
    return _of(target, {each: listed[each] for each in usable}, known)


def fixed_transport(target: Target) -> str:
    """Say by which transport ``target`` is called whatever the DNS says; empty where it decides, or we do."""
    return target.transport or (UDP if is_address(target.host) or target.port is not None else "")


def _named(target: Target) -> str:
    """Give the transport that is named; of ``sips:``, TCP is what TLS goes over (RFC 3261, 26.2.2)."""
    if not target.secure:
        return target.transport
    if target.transport == UDP:
        raise Unavailable(f"{target.host} is to be called by TLS, and by udp: that cannot be.", code="sip_not_offered")
    return TLS if target.transport else ""


def _itself(target: Target, transport: str) -> Found:
    return Found(transport, (Srv(0, 0, port_of(target.port, transport), target.host),))


def _of(target: Target, listed: Mapping[str, Question], known: Known) -> Found:
    """Find the servers under the services' usual names, else what has the domain's own name, on the usual port."""
    left = []
    for transport, question in listed.items():
        records = known.get(question, ())
        servers = _servers(records)
        if servers:
            return Found(transport, servers)
        if not any(isinstance(record, Srv) for record in records):
            left.append(transport)
    if not left:
        raise Unavailable(
            f"The DNS says that {target.host} takes no calls by {' or '.join(listed) or TLS}.", code="sip_not_offered"
        )
    return _itself(target, left[0])


def _offered(records: Sequence[Record], usable: Sequence[str]) -> list[tuple[str, Question]]:
    """Put a domain's services in its own order (RFC 3403, 4.1), without those that nobody here speaks."""
    found = []
    for record in sorted(each for each in records[:MAX_RECORDS] if isinstance(each, Naptr)):
        transport = RESOLUTIONS.get(record.service.lower(), "")
        if transport in usable and record.flags.lower() == "s":
            found.append((transport, Question("SRV", _dotless(record.replacement))))
    return found


def _servers(records: Sequence[Record]) -> tuple[Srv, ...]:
    return tuple(each for each in records[:MAX_RECORDS] if isinstance(each, Srv) and _dotless(each.target))


def _beneath(service: str, host: str) -> str:
    return f"{service}.{_dotless(host)}"


def _dotless(name: str) -> str:
    return name.rstrip(".").lower()


def ordered(servers: Sequence[Srv], draw: Callable[[int], int]) -> list[Srv]:
    """Put servers in the order in which they are tried, by priority, and at random by weight (RFC 2782).

    ``draw`` gives a number from 0 to the one that it is given.
    """
    left = sorted(servers, key=lambda each: (each.priority, each.weight))  # those without weight stand first
    found = []
    while left:
        rivals = [each for each in left if each.priority == left[0].priority]
        drawn = draw(sum(each.weight for each in rivals))
        for each in rivals:
            drawn -= each.weight
            if drawn <= 0:
                break
        left.remove(each)
        found.append(each)
    return found


class Failures:
    """Which servers have failed of late, by whatever was asked of them: those are tried last."""

    def __init__(self) -> None:
        self._until: dict[Hop, int] = {}

    def note(self, hop: Hop, now: int, retry_after_s: int = 0) -> None:
        """Know that a server has failed, and when it wants to be asked again, if it says so."""
        self._until.pop(hop, None)
        self._until[hop] = now + max(FAILED_MS, min(retry_after_s * 1000, MAX_FAILED_MS))
        if len(self._until) > MAX_FAILURES:
            del self._until[next(iter(self._until))]

    def clear(self, hop: Hop) -> None:
        """Know that a server has answered."""
        self._until.pop(hop, None)

    def last(self, hops: Sequence[Hop], now: int) -> list[Hop]:
        """Put those that have failed behind the others, and leave the order as it is apart from that."""
        return sorted(hops, key=lambda hop: self._until.get(hop, now) > now)

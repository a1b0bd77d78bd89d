"""A dialog (RFC 3261, 12): who speaks with whom, along which way, in what order."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from msgspec import Struct
from sipmessage import URI, Address

from phone_bridge.legs.sip.message import BRANCH_COOKIE, CRLF, Fields, Request, written

MAX_FORWARDS = "70"
DEFAULT_PORT = 5060
TLS_PORT = 5061
MAX_PORT = 65_535
UDP, TCP, TLS = "udp", "tcp", "tls"
TRANSPORTS = (UDP, TCP, TLS)

Place = tuple[str, int]
"""A host and a port."""


class Hop(NamedTuple):
    """Where messages come from and go to: a place, and how it is reached."""

    host: str
    port: int
    transport: str = UDP

    @property
    def reliable(self) -> bool:
        """Whether what is sent there arrives, or the connection is lost."""
        return self.transport != UDP


class Dialog:
    """What an INVITE has begun; ``tag`` is ours, ``here`` is where the peer finds us, ``source`` where it speaks from.

    ``make_id`` gives a text that was never given before, for the branch of each request.
    """

    def __init__(self, ends: "Ends", here: Place, source: Hop, make_id: Callable[[], str]) -> None:
        self.call_id = ends.call_id
        self.tag = ends.tag
        self.remote_tag = ends.remote_tag
        self.here = here
        self.over = False
        """Whether a BYE was said, by either side."""
        self.source = source
        self.credentials = ("", "")
        """A user's name and password, for a peer that asks within the call who we are; empty where we have none."""
        self._parted = False
        self._make_id = make_id
        self._local = ends.local
        self._remote = ends.remote
        self._target = ends.target
        self._routes = ends.routes
        self._behind_nat = ends.behind_nat
        self._sent = ends.sent
        self._seen = ends.seen

    @classmethod
    def answering(cls, invite: Request, tag: str, here: Place, source: Hop, make_id: Callable[[], str]) -> "Dialog":
        """Begin the dialog of who was called (12.1.1)."""
        ends = Ends(
            call_id=invite.call_id,
            tag=tag,
            remote_tag=invite.from_tag,
            local=f"{invite.headers['To']};tag={tag}",
            remote=invite.headers["From"],
            target=invite.contact[0].uri if invite.contact else invite.from_.uri,
            routes=invite.record_route,
            behind_nat=invite.via[0].host.strip("[]") != source.host,
            seen=invite.sequence,
        )
        return cls(ends, here, source, make_id)

    @property
    def contact(self) -> str:
        """How the peer reaches this end of the dialog."""
        return contact(self.here, self.source.transport)

    @property
    def target(self) -> URI:
        """Where the peer says that it is (12.1.1)."""
        return self._target

    def part(self) -> None:
        """Know that the connection is lost by which the peer spoke; another one leads to where it says that it is."""
        self._parted = True

    def admits(self, request: Request) -> bool:
        """Take a request of the peer's in its turn; False for one that is older than what came before (12.2.2)."""
        if request.method == "ACK":
            return request.sequence <= self._seen
        if request.sequence <= self._seen:
            return False
        self._seen = request.sequence
        if request.method in ("INVITE", "UPDATE") and request.contact:
            self._target = request.contact[0].uri
        return True

    def request(self, method: str, fields: Fields = (), *, sequence: int = 0, body: bytes = b"") -> str:
        """Write a request of ours (12.2.1.1), along the route; an ACK has the ``sequence`` of its INVITE."""
        self._sent += not sequence
        target, routes = self._target, list(self._routes)
        if routes and "lr" not in routes[0].uri.parameters:
            strict = routes.pop(0)
            routes.append(Address(uri=target))
            target = strict.uri
        head: Fields = (
            ("Via", via(self.next_hop.transport, self.here, self._make_id())),
            *(("Route", str(route)) for route in routes),
            ("Max-Forwards", MAX_FORWARDS),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence or self._sent} {method}"),
            *fields,
        )
        return written(f"{method} {target} SIP/2.0", head, body)

    def again(self, text: str, fields: Fields) -> str:
        """Write a request of ours once more (22.1): a new one by its number, with ``fields`` that say who we are."""
        head, blank, body = text.partition(CRLF + CRLF)
        first, *lines = head.split(CRLF)
        self._sent += 1
        anew = {
            "via": via(self.next_hop.transport, self.here, self._make_id()),
            "cseq": f"{self._sent} {first.partition(' ')[0]}",
        }
        names = {name.lower() for name, _ in fields}
        kept = [line.partition(": ") for line in lines if line.partition(":")[0].lower() not in names]
        shown = [f"{name}: {value}" for name, value in fields]
        return CRLF.join([first, *(f"{n}: {anew.get(n.lower(), v)}" for n, _, v in kept), *shown]) + blank + body

    @property
    def next_hop(self) -> Hop:
        """Where requests of ours are sent: along the route, or back where the peer speaks from.

        Names are not looked up; a peer that is named, or that is behind NAT, is found where it spoke from, and one that
        has a connection with us by that.
        """
        uri = self._routes[0].uri if self._routes else self._target
        host = uri.host.strip("[]")
        if self.source.reliable and not self._parted:
            return self.source
        if not is_address(host) or (self._behind_nat and not self._routes):
            return self.source
        transport = transport_of(uri)
        return Hop(host, port_of(uri.port, transport), transport)


class Ends(Struct, frozen=True, kw_only=True):
    """Both ends of a dialog at its beginning (12.1): ``local`` and ``remote`` are From and To of our requests.

    ``sent`` and ``seen`` are the sequence numbers of the last request of each side.
    """

    call_id: str
    tag: str
    remote_tag: str
    local: str
    remote: str
    target: URI
    routes: tuple[Address, ...]
    behind_nat: bool = False
    sent: int = 0
    seen: int = -1


def is_address(host: str) -> bool:
    """Tell whether ``host`` is an address of the Internet, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def transport_of(uri: URI) -> str:
    """Say how an address is reached (19.1.1, 19.1.2); by UDP where it does not say, or says what is not spoken here."""
    if uri.scheme.lower() == "sips":
        return TLS
    named = (uri.parameters.get("transport") or UDP).lower()
    return named if named in TRANSPORTS else UDP


def port_of(written: int | None, transport: str = UDP) -> int:
    """Give the port that an address names, or the usual one where it names none that there is."""
    if written is not None and 0 < written <= MAX_PORT:
        return written
    return TLS_PORT if transport == TLS else DEFAULT_PORT


def contact(here: Place, transport: str) -> str:
    """Write how we are reached, for the peers that came by ``transport``."""
    how = "" if transport == UDP else f";transport={transport}"
    return f"<sip:{uri_host(here[0])}:{here[1]}{how}>"


def via(transport: str, here: Place, id: str) -> str:
    """Write the hop of a request of ours, whose transaction is named by ``id``."""
    return f"SIP/2.0/{transport.upper()} {uri_host(here[0])}:{here[1]};branch={BRANCH_COOKIE}{id};rport"


def uri_host(host: str) -> str:
    """Write a host as a URI holds it."""
    return f"[{host}]" if ":" in host else host

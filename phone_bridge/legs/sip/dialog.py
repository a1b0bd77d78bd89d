"""A dialog as the side that was called has it (RFC 3261, 12): who speaks with whom, along which way, in what order."""

from collections.abc import Callable
from ipaddress import ip_address

from sipmessage import URI, Address

from phone_bridge.legs.sip.message import BRANCH_COOKIE, Fields, Request, written

MAX_FORWARDS = "70"
DEFAULT_PORT = 5060
MAX_PORT = 65_535

Place = tuple[str, int]
"""A host and a port."""


class Dialog:
    """What an INVITE has begun; ``tag`` is ours, ``here`` is where the peer finds us, ``source`` where it came from.

    ``make_id`` gives a text that was never given before, for the branch of each request.
    """

    def __init__(self, invite: Request, tag: str, here: Place, source: Place, make_id: Callable[[], str]) -> None:
        self.call_id = invite.call_id
        self.tag = tag
        self.remote_tag = invite.from_tag
        self.here = here
        self.over = False
        """Whether a BYE was said, by either side."""
        self._source = source
        self._make_id = make_id
        self._local = f"{invite.headers['To']};tag={tag}"
        self._remote = invite.headers["From"]
        self._target: URI = invite.contact[0].uri if invite.contact else invite.from_.uri
        self._routes: tuple[Address, ...] = invite.record_route  # 12.1.1: in their order
        self._behind_nat = invite.via[0].host.strip("[]") != source[0]
        self._sent = 0
        self._seen = invite.sequence

    @property
    def contact(self) -> str:
        """How the peer reaches this end of the dialog."""
        return f"<sip:{uri_host(self.here[0])}:{self.here[1]}>"

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

    def request(self, method: str, fields: Fields = ()) -> str:
        """Write a request of ours (12.2.1.1), through loose and strict routers."""
        self._sent += 1
        target, routes = self._target, list(self._routes)
        if routes and "lr" not in routes[0].uri.parameters:
            strict = routes.pop(0)
            routes.append(Address(uri=target))
            target = strict.uri
        head: Fields = (
            (
                "Via",
                f"SIP/2.0/UDP {uri_host(self.here[0])}:{self.here[1]};branch={BRANCH_COOKIE}{self._make_id()};rport",
            ),
            *(("Route", str(route)) for route in routes),
            ("Max-Forwards", MAX_FORWARDS),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._sent} {method}"),
            *fields,
        )
        return written(f"{method} {target} SIP/2.0", head)

    @property
    def next_hop(self) -> Place:
        """Where requests of ours are sent: along the route, or back where the INVITE came from.

        Names are not looked up; a peer that is named, or that is behind NAT, is found where it spoke from.
        """
        uri = self._routes[0].uri if self._routes else self._target
        host = uri.host.strip("[]")
        if not is_address(host) or (self._behind_nat and not self._routes):
            return self._source
        return host, port_of(uri.port)


def is_address(host: str) -> bool:
    """Tell whether ``host`` is an address of the Internet, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def port_of(written: int | None) -> int:
    """Give the port that an address names, or the usual one where it names none that there is."""
    return written if written is not None and 0 < written <= MAX_PORT else DEFAULT_PORT


def uri_host(host: str) -> str:
    """Write a host as a URI holds it."""
    return f"[{host}]" if ":" in host else host

"""A small registrar for desk phones (RFC 3261, 10.3): where each of them is, in memory, until it says so no more."""

from msgspec import Struct

from phone_bridge.legs.sip.dialog import Hop
from phone_bridge.legs.sip.message import Fields, Request

USUAL_S, LEAST_S, MOST_S = 600, 60, 3_600
"""How long a phone is known that does not say how long, and the shortest and longest time that is granted."""
MAX_CONTACTS = 5
"""Places of one phone that are known; more are refused."""


class Bound(Struct, frozen=True):
    """A place of a phone: ``uri`` is what it wants to be called as, ``hop`` where it spoke from, through any NAT."""

    uri: str
    hop: Hop
    until: int


class Registrar:
    """Know where the phones are; each by the name of its trunk."""

    def __init__(self) -> None:
        self._bound: dict[str, dict[str, Bound]] = {}

    def take(self, name: str, user: str, request: Request, source: Hop, now: int) -> tuple[int, Fields]:
        """Take a REGISTER of the phone ``name``, which is ``user``; gives the status and the fields of its answer."""
        if request.to.uri.user != user:
            return 403, ()
        known = self._bound[name] = self._now(name, now)
        asked = _seconds(request.headers.get("Expires"), USUAL_S)
        if (request.headers.get("Contact") or request.headers.get("m")) == "*":
            if asked:
                return 400, ()
            known.clear()
        for contact in request.contact:
            seconds = _seconds(contact.parameters.get("expires"), asked)
            if 0 < seconds < LEAST_S:
                return 423, (("Min-Expires", str(LEAST_S)),)
            uri = str(contact.uri)
            known.pop(uri, None)  # so that the newest is the last
            if seconds and len(known) >= MAX_CONTACTS:
                return 403, ()
            if seconds:
                known[uri] = Bound(uri, source, now + min(seconds, MOST_S) * 1000)
        return 200, tuple(
            ("Contact", f"<{bound.uri}>;expires={max(1, (bound.until - now) // 1000)}") for bound in known.values()
        )

    def find(self, name: str, now: int) -> Bound | None:
        """Say where a phone is: the newest of its places; None for one that is nowhere."""
        return next(reversed(self._now(name, now).values()), None)

    def uses(self, hop: Hop) -> bool:
        """Tell whether a phone is reached by the connection with ``hop``."""
        return any(bound.hop == hop for known in self._bound.values() for bound in known.values())

    def part(self, hop: Hop) -> None:
        """Know that the connection with ``hop`` is lost, and with it whoever was reached by it."""
        for known in self._bound.values():
            for uri in [uri for uri, bound in known.items() if bound.hop == hop]:
                del known[uri]

    def _now(self, name: str, now: int) -> dict[str, Bound]:
        known = self._bound.get(name, {})
        return {uri: bound for uri, bound in known.items() if bound.until > now}


def _seconds(text: str | None, usual: int) -> int:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit()):
        return usual
    return int(text) if len(text) <= len(str(MOST_S)) else MOST_S

"""Who may call: trunks, known by the address they call from, by credentials, or by both.

Whoever is none of these is told nothing; where trunks have credentials, an INVITE alone is asked for them, and an
address that shows wrong ones too often is not asked any more.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Network, ip_address

from msgspec import Struct

from phone_bridge.legs.sip import digest
from phone_bridge.legs.sip.codec import CODECS
from phone_bridge.legs.sip.dialog import TLS
from phone_bridge.legs.sip.message import Fields, Request
from phone_bridge.legs.sip.srtp import Srtp

REALM = "phone-bridge"

MAX_FAILURES = 10
"""Wrong credentials that one address may show within ``FAILURE_MS``."""

FAILURE_MS = 60_000
LEARNT_MS = 86_400_000
"""How long an address is a registrar's whose name leads there no more: the DNS of some gives one of many at a time."""
MAX_ADDRESSES = 4_096
"""Addresses whose failures are remembered; the oldest is forgotten first."""

Network = IPv4Network | IPv6Network


class Trunk(Struct, frozen=True, kw_only=True):
    """A peer that may call, and whose assistant it reaches."""

    name: str
    user_id: str
    networks: tuple[Network, ...] = ()
    username: str = ""
    password: str = ""
    user: str = ""
    """As whom we are called by it, where several trunks call from one address."""
    credentials: tuple[str, str] = ("", "")
    """What it is shown where it asks who we are."""
    desk_phone: bool = False
    """Whether it registers with us, as its ``username``."""
    algorithm: str = "MD5"
    """How the password is proven. Telephones that know MD5 alone give up when they are offered anything else."""

    srtp: Srtp | None = None
    """Whether its sound is sealed; None for where it can be, over TLS, and not at all elsewhere."""

    codecs: tuple[int, ...] = CODECS
    """What is spoken with it; of what it offers its own first choice, and in our offers in this order."""

    def sealed(self, transport: str) -> Srtp:
        """Say whether sound is sealed when it calls by ``transport``."""
        return sealed(self.srtp, transport)

    def __repr__(self) -> str:
        return f"Trunk(name={self.name!r})"

    def is_at(self, host: str) -> bool:
        """Tell whether the trunk calls from ``host``; one without addresses calls from anywhere."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return not self.networks or any(address in network for network in self.networks)


def sealed(srtp: Srtp | None, transport: str) -> Srtp:
    """Say what a trunk's ``srtp`` means over ``transport``."""
    if srtp is not None:
        return srtp
    return Srtp.OFFER if transport == TLS else Srtp.OFF


class Access:
    """Decide who is let in; ``secret`` signs the nonces."""

    def __init__(self, trunks: Sequence[Trunk], secret: bytes) -> None:
        self._trunks = tuple(trunks)
        self._secret = secret
        self._learnt: dict[str, dict[str, int]] = {}  # by trunk: each host, and when it was told last
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()  # host: how many, since when

    def at(self, host: str, user: str = "") -> Trunk | None:
        """Find the trunk that ``host`` is enough of a proof for; of several the one by which we are ``user``."""
        known = [t for t in self._trunks if t.networks and not t.username and t.is_at(host)]
        known += [t for t in self._trunks if not t.username and host in self._learnt.get(t.name, ())]
        return next((t for t in known if user and t.user == user), known[0] if known else None)

    def learn(self, name: str, hosts: Iterable[str], now: int) -> None:
        """Know that the trunk ``name`` calls from ``hosts``, too: there its registrar is, or was within a day."""
        known = {host: at for host, at in self._learnt.get(name, {}).items() if now - at < LEARNT_MS}
        self._learnt[name] = known | dict.fromkeys(hosts, now)

    def may_be(self, host: str) -> bool:
        """Tell whether a trunk could call from ``host``, before it has said anything."""
        learnt = any(host in hosts for hosts in self._learnt.values())
        return learnt or any((trunk.networks or trunk.username) and trunk.is_at(host) for trunk in self._trunks)

    def admit(self, request: Request, host: str, now: int) -> Trunk | Fields | None:
        """Find whose request it is, or what to ask for, or None where nothing is said.

        Raises RemoteError ``malformed_sip`` for credentials that cannot be read.
        """
        trunk = self.at(host, request.uri.user or "")
        if trunk is not None:
            return trunk
        asked = [trunk for trunk in self._trunks if trunk.username and trunk.is_at(host)]
        if request.method == "REGISTER":
            asked = [trunk for trunk in asked if trunk.desk_phone]
        if request.method not in ("INVITE", "REGISTER"):
            return None
        return self._shown(asked, request, host, now)

    def again(self, name: str, request: Request, host: str, now: int) -> Trunk | Fields | None:
        """Find out whether a request within a call of the trunk ``name`` is that trunk's; gives what ``admit`` gives.

        Tags are no proof: whoever reads along has them.
        """
        trunk = self._named(name)
        if trunk is None:
            return None
        if trunk.username:
            return self._shown([trunk] if trunk.is_at(host) else [], request, host, now)
        known = (trunk.networks and trunk.is_at(host)) or host in self._learnt.get(name, ())
        return trunk if known else None

    def same_house(self, name: str, trunk: Trunk) -> bool:
        """Tell whether ``trunk`` may take over a call of the trunk ``name``: its own, or one to the same user."""
        known = self._named(name)
        return known is not None and (known.name == trunk.name or known.user_id == trunk.user_id)

    def _named(self, name: str) -> Trunk | None:
        return next((trunk for trunk in self._trunks if trunk.name == name), None)

    def _shown(self, asked: Sequence[Trunk], request: Request, host: str, now: int) -> Trunk | Fields | None:
        """Find whose credentials a request shows, or what to ask for."""
        if not asked or self._too_many(host, now):
            return None
        algorithms = [name for name in digest.ALGORITHMS if any(trunk.algorithm == name for trunk in asked)]
        shown = digest.shown(request)
        if shown is None:
            return digest.challenge(REALM, algorithms, self._secret, now)
        if not digest.is_fresh(shown.nonce, self._secret, now):
            return digest.challenge(REALM, algorithms, self._secret, now, stale=True)
        for trunk in asked:
            if _is_of(trunk, shown) and digest.fits(shown, request.method, trunk.password):
                return trunk
        self._failed(host, now)
        return digest.challenge(REALM, algorithms, self._secret, now)

    def _too_many(self, host: str, now: int) -> bool:
        count, since = self._failures.get(host, (0, now))
        return count >= MAX_FAILURES and now - since < FAILURE_MS

    def _failed(self, host: str, now: int) -> None:
        count, since = self._failures.get(host, (0, now))
        if now - since >= FAILURE_MS:
            count, since = 0, now
        self._failures[host] = (count + 1, since)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)


def _is_of(trunk: Trunk, shown: digest.Shown) -> bool:
    named = compare_digest(trunk.username.encode(), shown.username.encode())
    return named and shown.realm == REALM and shown.algorithm == trunk.algorithm

"""Where SIP servers are: the questions of ``legs.sip.locating``, put to the DNS, and its answers, kept for a while.

Addresses are the system's affair, so that ``/etc/hosts`` and search domains count. When the DNS is silent, what it said
before is good for a day (RFC 8767).
"""

import asyncio
import secrets
import socket as sockets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip.dialog import Hop, Place, is_address, port_of
from phone_bridge.legs.sip.locating import Found, Question, Record, Target, locate, ordered

if TYPE_CHECKING:
    from phone_bridge.runtime.dns_records import Dns

ADDRESSES_S = 4.0
"""How long the system may take to look an address up."""
ADDRESSES_TTL_S = 30.0
"""How long an address is believed: the system does not say for how long it would be."""
MIN_TTL_S, MAX_TTL_S = 5.0, 3_600.0
"""What is believed of the time for which an answer holds."""
SILENT_S = 30.0
"""How long nothing is asked again that was answered by silence, so that no other call waits for it."""
STALE_S = 86_400.0
"""How long an answer is good whose time is over, where there is no newer one."""
MAX_KNOWN = 1_024
"""Answers that are kept; the oldest is forgotten first."""
MAX_SERVERS = 16
"""Servers of one name whose addresses are looked up."""


class _Kept(NamedTuple):
    value: tuple[Any, ...]
    until: float
    good_until: float
    silent: bool


class Names:
    """Ask for names, and keep the answers; ``nameserver`` is for who does not want the system's own."""

    def __init__(self, nameserver: Place | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._nameserver = nameserver
        self._clock = clock
        self._dns: Dns | None = None
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._asking: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def hops(self, target: Target, spoken: Collection[str]) -> tuple[Hop, ...]:
        """Find the places of ``target`` by one of the transports ``spoken``, in the order in which they are tried.

        Raises Unavailable ``sip_unknown_host`` where there are none, or ``sip_not_offered``.
        """
        known: dict[Question, tuple[Record, ...]] = {}
        silent = False
        while not isinstance(found := locate(target, spoken, known), Found):
            answers = await asyncio.gather(*(self._records(question) for question in found))
            known |= {question: answer.value for question, answer in zip(found, answers, strict=True)}
            silent = silent or any(answer.silent for answer in answers)
        servers = ordered(found.servers, lambda total: secrets.randbelow(total + 1))[:MAX_SERVERS]
        places = await asyncio.gather(*(self._addresses(server.target.rstrip(".")) for server in servers))
        hops = [
            Hop(address, port_of(server.port, found.transport), found.transport)
            for server, answer in zip(servers, places, strict=True)
            for address in answer.value
        ]
        if hops:
            return tuple(dict.fromkeys(hops))
        silent = silent or any(answer.silent for answer in places)
        why = "the DNS does not answer" if silent else "it has no address"
        raise Unavailable(f"The SIP peer {target.host} cannot be found: {why}.", code="sip_unknown_host")

    async def _records(self, question: Question) -> _Kept:
        async def ask() -> tuple[tuple[Record, ...], float]:
            try:
                if self._dns is None:
                    self._dns = await asyncio.to_thread(self._open)
                found, ttl = await self._dns.ask(question)
            except Unavailable:
                self._dns = None  # the system may name other servers by now
                raise
            return found, min(max(ttl, MIN_TTL_S), MAX_TTL_S)

        return await self._answer(question, ask)

    def _open(self) -> "Dns":
        from phone_bridge.runtime.dns_records import Dns

        return Dns(self._nameserver)

    async def _addresses(self, host: str) -> _Kept:
        async def ask() -> tuple[tuple[str, ...], float]:
            try:
                async with asyncio.timeout(ADDRESSES_S):
                    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=sockets.SOCK_DGRAM)
            except (sockets.gaierror, TimeoutError) as error:
                if isinstance(error, sockets.gaierror) and error.errno != sockets.EAI_AGAIN:
                    return (), MIN_TTL_S
                raise Unavailable(f"The DNS does not answer about {host}.", code="dns_silent") from None
            except (OSError, UnicodeError):  # no name that there could be
                return (), MIN_TTL_S
            return tuple(dict.fromkeys(str(place[0]) for *_, place in found)), ADDRESSES_TTL_S

        return _Kept((host,), 0, 0, silent=False) if is_address(host) else await self._answer(host, ask)

    async def _answer(self, key: Hashable, ask: Callable[[], Awaitable[tuple[tuple[Any, ...], float]]]) -> _Kept:
        """Give what is known, or ask, once for all who want to know."""
        async with self._asking.setdefault(key, asyncio.Lock()):
            kept, now = self._kept.get(key), self._clock()
            if kept is not None and now < kept.until:
                return kept
            try:
                value, ttl = await ask()
                made = _Kept(value, now + ttl, now + ttl + STALE_S, silent=False)
            except Unavailable:
                good = kept is not None and now < kept.good_until
                old = kept if good and kept is not None else _Kept((), 0, 0, silent=True)
                made = old._replace(until=now + SILENT_S, silent=True)
            self._kept.pop(key, None)
            self._kept[key] = made
            if len(self._kept) > MAX_KNOWN:
                self._kept.popitem(last=False)
            return made

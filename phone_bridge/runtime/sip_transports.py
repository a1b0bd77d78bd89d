"""How SIP's messages come and go: datagrams of UDP, connections of TCP, and of TLS.

A connection is known by where its other end is. What is sent there goes by the connection that there is (RFC 5923); for
a request of ours one is opened where there is none. Nothing waits for a peer: one that does not read, that begins a
message and does not end it, or that only holds a connection without calling, loses it.
"""

import asyncio
import socket as sockets
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from phone_bridge.errors import RemoteError, SettingsError, Unavailable
from phone_bridge.legs.sip.dialog import TLS, UDP, Hop
from phone_bridge.legs.sip.framing import PING, PONG, Framer

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
"""What a burst of callers may leave with the system until it is read; the system may grant less."""

MAX_CONNECTIONS = 1_024
"""Connections at a time; more are closed at once."""
MAX_CONNECTIONS_OF_HOST = 64
"""Connections at a time from one address; more are closed at once."""
MAX_UNSENT_BYTES = 256 * 1024
"""What may wait for a peer that does not read; more closes its connection."""
MAX_WAITING_MESSAGES = 64
"""Messages that wait for a connection that is being opened; more are lost, as on a bad network."""

CONNECT_S = 3.5
"""How long one of ours may take to come about, with its TLS: a lost first packet is sent again after 1 s and 3 s, and a
server that it takes longer with is silent (``calling.NEXT_SERVER_MS``)."""
HANDSHAKE_S = 5.0
"""How long a peer's TLS may take."""
MESSAGE_S = 10.0
"""How long a message may take from its first byte to its last."""
QUIET_S = 120.0
"""How long a connection is kept that carries no call and no message."""

BACKLOG = 512


class Listening(NamedTuple):
    """Where to listen, and for what."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport} {self.host}:{self.port}"


class Certificates(NamedTuple):
    """Files in PEM: what we show with its key (empty where they stand in one file), and whom we trust beside the usual.

    Without a certificate of ours nobody can call by TLS; we can.
    """

    certificate: str = ""
    key: str = ""
    authorities: str = ""

    def server(self) -> ssl.SSLContext:
        """Make what is shown to callers; raises SettingsError for files that cannot be used."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.certificate, self.key or None)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"PHONE_BRIDGE_SIP_TLS_CERTIFICATE and PHONE_BRIDGE_SIP_TLS_KEY cannot be used together: {error}"
            ) from None
        return context

    def client(self) -> ssl.SSLContext:
        """Make what peers are checked by that we call; raises SettingsError for a file that cannot be used."""
        context = ssl.create_default_context()
        try:
            if self.authorities:
                context.load_verify_locations(self.authorities)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"PHONE_BRIDGE_SIP_TLS_AUTHORITIES cannot be used: {error}") from None
        return context


class Hearing(NamedTuple):
    """Whom the transports tell, and ask."""

    message: Callable[[bytes, Hop], None]
    """A message has come."""
    parted: Callable[[Hop], None]
    """A connection is lost, or did not come about."""
    knows: Callable[[str], bool]
    """Whether anybody at that address may call at all."""
    uses: Callable[[Hop], bool]
    """Whether a connection carries something that lasts."""


class Transports:
    """All sockets of one process's signalling."""

    def __init__(self, hearing: Hearing, certificates: Certificates | None = None) -> None:
        self.hearing = hearing
        self.listening: list[Listening] = []
        """Where it listens, with the ports that were given."""
        self._certificates = certificates or Certificates()
        self._trusted = self._certificates.client() if self._certificates.authorities else None
        self._udp: list[tuple[bool, asyncio.DatagramTransport]] = []  # each with whether it speaks IPv6
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Hop, _Connection] = {}
        self._opening: dict[Hop, deque[bytes]] = {}
        self._names: dict[Hop, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, where: Listening) -> None:
        """Begin to listen; raises Unavailable ``sip_port``, or SettingsError for a certificate that cannot be used."""
        try:
            port = await (self._listen_udp(where) if where.transport == UDP else self._listen_stream(where))
        except OSError as error:
            raise Unavailable(f"SIP cannot listen on {where} ({error.strerror}).", code="sip_port") from None
        self.listening.append(where._replace(port=port))

    async def _listen_udp(self, where: Listening) -> int:
        hear = self.hearing.message
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Datagrams(lambda data, source: hear(data, Hop(*source))), local_addr=(where.host, where.port)
        )
        bound: sockets.socket = transport.get_extra_info("socket")
        bound.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._udp.append((":" in where.host, transport))
        return int(transport.get_extra_info("sockname")[1])

    async def _listen_stream(self, where: Listening) -> int:
        secure = where.transport == TLS
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self, where.transport, ours=False),
            where.host,
            where.port,
            ssl=self._certificates.server() if secure else None,
            ssl_handshake_timeout=HANDSHAKE_S if secure else None,
            backlog=BACKLOG,
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Close everything, after what was written."""
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._connections.values()):
            connection.close()
        for _, transport in self._udp:
            transport.close()
        self._udp.clear()
        self._servers.clear()

    def name(self, hop: Hop, name: str) -> None:
        """Know by which name somebody's certificate is checked who was looked up."""
        self._names[hop] = name

    def send(self, data: bytes, to: Hop) -> None:
        """Send a message; one that cannot be sent is lost, and where that is known at once, it is told."""
        if to.transport == UDP:
            self._send_udp(data, to)
        elif (connection := self._connections.get(to)) is not None:
            connection.write(data)
        elif to in self._opening:
            self._opening[to].append(data)
        elif not data.startswith(b"SIP/2.0"):  # whoever has gone is not called back for an answer
            self._opening[to] = deque([data], MAX_WAITING_MESSAGES)
            task = asyncio.get_running_loop().create_task(self._open(to))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _send_udp(self, data: bytes, to: Hop) -> None:
        for of_six, transport in self._udp:
            if of_six == (":" in to.host):
                send(transport, data, to[:2])
                return

    async def _open(self, to: Hop) -> None:
        loop = asyncio.get_running_loop()
        how: dict[str, Any] = {}
        try:
            if to.transport == TLS:
                self._trusted = self._trusted or self._certificates.client()
                how = {"ssl": self._trusted, "server_hostname": self._names.get(to, to.host)}
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(
                    lambda: _Connection(self, to.transport, ours=True), to.host, to.port, **how
                )
        except (OSError, TimeoutError, SettingsError):  # a certificate that does not fit is an OSError, too
            self._opening.pop(to, None)
            self.hearing.parted(to)

    # For a connection

    def joined(self, connection: "_Connection") -> bool:
        """Take a new connection in; False for one that there is no room for, or no reason."""
        hop = connection.hop
        if not connection.ours:
            of_host = sum(other.host == hop.host for other in self._connections)
            full = len(self._connections) >= MAX_CONNECTIONS or of_host >= MAX_CONNECTIONS_OF_HOST
            if full or not self.hearing.knows(hop.host):
                return False
        self._connections[hop] = connection
        for data in self._opening.pop(hop, ()):
            connection.write(data)
        return True

    def left(self, connection: "_Connection") -> None:
        """Know that a connection is gone."""
        if self._connections.get(connection.hop) is connection:
            del self._connections[connection.hop]
            self.hearing.parted(connection.hop)


class _Connection(asyncio.Protocol):
    """One connection, opened by us (``ours``) or by the peer."""

    def __init__(self, owner: Transports, transport: str, *, ours: bool) -> None:
        self.hop = Hop("", 0, transport)
        self.ours = ours
        self._owner = owner
        self._framer = Framer()
        self._line: asyncio.Transport
        self._spoke_at = self._began_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._line = line = cast("asyncio.Transport", transport)  # uvloop's are of no class of asyncio's
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone before it began
            line.abort()
            return
        self.hop = Hop(peer[0], peer[1], self.hop.transport)
        if not self._owner.joined(self):
            line.abort()
            return
        bound = transport.get_extra_info("socket")
        bound.setsockopt(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, 1)
        self._spoke_at = asyncio.get_running_loop().time()
        self._look()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        now = asyncio.get_running_loop().time()
        began = not self._framer.waiting
        try:
            messages = self._framer.push(data)
        except RemoteError:
            self._line.abort()
            return
        if began or messages:
            self._began_at = now
        for message in messages:
            if message == PING:
                self.write(PONG)
            else:
                self._spoke_at = now
                self._owner.hearing.message(message, self.hop)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
        self._owner.left(self)

    def write(self, data: bytes) -> None:
        """Send a message, or give the peer up that does not read."""
        self._line.write(data)
        if self._line.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._line.abort()

    def close(self) -> None:
        """Close after what was written."""
        self._line.close()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._framer.waiting and now - self._began_at >= MESSAGE_S:
            self._line.abort()
        elif now - self._spoke_at >= QUIET_S and not self._owner.hearing.uses(self.hop):
            self._line.close()
        else:
            self._timer = loop.call_later(MESSAGE_S, self._look)


class Datagrams(asyncio.DatagramProtocol):
    """Hand each datagram on; a peer that cannot be reached is known by its silence."""

    def __init__(self, hear: Callable[[bytes, tuple[str, int]], None]) -> None:
        self.hear = hear

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take one datagram."""
        self.hear(data, addr if len(addr) == 2 else addr[:2])  # by IPv6 there is more to an address


def send(transport: asyncio.DatagramTransport, data: bytes, to: tuple[str, int]) -> None:
    """Send a datagram; one that cannot be sent is lost."""
    try:
        transport.sendto(data, to)
    except (OSError, ValueError):  # of another family, or no way there: the peer's silence tells
        return

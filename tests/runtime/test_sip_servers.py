"""A provider with several servers, found by a DNS server of our own: what is dead, full or silent costs no call."""

import asyncio
import datetime
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip import calling, sdp
from phone_bridge.legs.sip.access import Access, Trunk
from phone_bridge.legs.sip.calling import Outcome, Wanted
from phone_bridge.legs.sip.dialog import TCP, TLS, UDP, Hop
from phone_bridge.legs.sip.locating import Target, Turned
from phone_bridge.legs.sip.message import Request, read, response
from phone_bridge.legs.sip.registering import Binding, NotRegistered, Registered, Registration
from phone_bridge.runtime import sip
from phone_bridge.runtime.sip import IncomingCall, NotAnswered, OutgoingCall, Ports, SipServer
from phone_bridge.runtime.sip_names import Names
from phone_bridge.runtime.sip_transports import Certificates, Listening
from tests.ports import free_port
from tests.runtime.dns_server import TTL_S, DnsServer, dns_server
from tests.runtime.serving import CERTIFICATE, LOOPS, until
from tests.runtime.telephone import HOST, Telephone
from tests.runtime.test_sip import RANGE, Switchboard

NAME = "provider.test"
PROVIDER = Target(NAME)
SECOND_HOST = "127.0.0.2"


class Server(asyncio.DatagramProtocol):
    """A server of the provider by UDP, which says ``code`` to whatever begins anything, or nothing (0)."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.heard: list[Request] = []
        self.source: Any = None
        self._transport: asyncio.DatagramTransport

    async def open(self, host: str = HOST) -> Hop:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        return Hop(*self._transport.get_extra_info("sockname"))

    def close(self) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        request, self.source = read(data), addr
        if not isinstance(request, Request):
            return
        self.heard.append(request)
        if request.method in ("BYE", "CANCEL"):
            self.answer(request, 200)
        elif request.method != "ACK" and self.code:
            self.answer(request, self.code)

    def answer(self, request: Request, code: int) -> None:
        host, port = self._transport.get_extra_info("sockname")
        fields = (("Contact", f"<sip:{host}:{port}>"), ("Content-Type", "application/sdp"))
        text = response(request, 200, tag=f"at{port}", fields=fields, body=sdp.offer(HOST, free_port(), 1))
        self._transport.sendto(text.replace("200 OK", f"{code} So", 1).encode(), self.source)

    def methods(self) -> list[str]:
        return [request.method for request in self.heard]

    def last(self, method: str) -> Request:
        return next(request for request in reversed(self.heard) if request.method == method)


class Counted(Names):
    """Names, and how often one was looked up."""

    def __init__(self, house: "House") -> None:
        super().__init__(house.dns.place, clock=lambda: time.monotonic() + house.later_s)
        self.count = 0

    async def hops(self, target: Target, spoken: Collection[str]) -> tuple[Hop, ...]:
        self.count += 1
        return await super().hops(target, spoken)

    async def again(self, times: int) -> None:
        """Wait until names were looked up so often from now on."""
        until_then = self.count + times
        await until(lambda: self.count >= until_then)


class House:
    """A bridge that calls the provider, and its DNS."""

    def __init__(self, dns: DnsServer, certificates: Certificates | None) -> None:
        self.dns = dns
        self.turned: list[Turned] = []
        self.told: list[Registration] = []
        self.came: list[str] = []
        self.later_s = 0.0
        """By how much the time of an answer has gone on."""
        self.names = Counted(self)
        self.server = SipServer(
            Access([Trunk(name=NAME, user_id="usr_1", user="u")], b"secret"),
            self._take,
            ports=Ports(10_000, 14_998),
            certificates=certificates,
            registrations=self.told.append,
            turned=self.turned.append,
            names=self.names,
        )

    async def _take(self, call: IncomingCall) -> None:
        self.came.append(call.dialog.source.host)
        call.refuse(486)

    def lists(self, *hops: Hop, service: str = "_sip._udp") -> None:
        """Have the DNS list servers, the first one first."""
        records = [f"{turn} 0 {hop.port} {hop.host}." for turn, hop in enumerate(hops)]
        self.dns.zone["SRV", f"{service}.{NAME}"] = records

    async def call(self, target: Target = PROVIDER) -> OutgoingCall:
        hop, *others = await self.server.find(target)
        wanted = Wanted(
            uri=f"sip:+4930123456@{NAME}",
            from_=f"<sip:u@{NAME}>",
            hop=hop,
            others=tuple(others),
            ring_ms=20_000,
            description=b"",
            trunk=NAME,
        )
        return await self.server.call(wanted, lambda: None)


@asynccontextmanager
async def house(*transports: str, certificates: Certificates | None = None) -> AsyncIterator[House]:
    async with dns_server() as dns:
        made = House(dns, certificates)
        await made.server.open(*(Listening(transport, HOST, 0) for transport in transports or (UDP,)))
        try:
            yield made
        finally:
            await made.server.close()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "NEXT_SERVER_MS", 300)
    monkeypatch.setattr(calling, "LAST_SERVER_MS", 600)


def play(story: Callable[[], Coroutine[None, None, None]]) -> None:
    for run in LOOPS:  # the server's own loop, too
        run(story())


@pytest.mark.parametrize("code", [0, 503])
def test_a_call_goes_by_the_next_server_where_the_first_is_silent_or_full(code: int) -> None:
    async def story() -> None:
        async with house() as ours:
            bad, good = Server(code), Server(200)
            first, second = await bad.open(), await good.open()
            ours.lists(first, second)
            for _ in range(2):
                call = await ours.call()
                _, socket = await call.answered()
                assert call.dialog.source == second
                socket.close()
                await until(lambda: good.methods()[-1] == "BYE")
            assert ours.turned == [Turned(NAME, first, code)]
            assert good.methods().count("INVITE") == 2
            assert len({request.branch for request in bad.heard}) == 1, "the second call goes to the one that works"
            bad.close()
            good.close()

    play(story)


def test_nobody_there_is_known_soon() -> None:
    async def story() -> None:
        async with house() as ours:
            ours.lists(Hop(HOST, free_port()), Hop(SECOND_HOST, free_port()))
            started = asyncio.get_running_loop().time()
            with pytest.raises(NotAnswered) as raised:
                await (await ours.call()).answered()
            assert raised.value.outcome is Outcome.UNREACHABLE
            assert 0.85 < asyncio.get_running_loop().time() - started < 10

    play(story)


def test_who_answers_late_at_a_server_that_was_given_up_is_hung_up_on() -> None:
    async def story() -> None:
        async with house() as ours:
            late, good = Server(), Server(180)
            ours.lists(await late.open(), await good.open())
            call = await ours.call()
            await until(lambda: "INVITE" in good.methods())
            late.answer(late.last("INVITE"), 200)
            await until(lambda: late.methods()[-2:] == ["ACK", "BYE"])
            good.answer(good.last("INVITE"), 200)
            _, socket = await call.answered()
            socket.close()
            await until(lambda: good.methods()[-1] == "BYE")
            late.close()
            good.close()

    play(story)


def test_a_call_is_taken_back_at_the_server_where_it_rings() -> None:
    async def story() -> None:
        async with house() as ours:
            silent, good = Server(), Server(180)
            ours.lists(await silent.open(), await good.open())
            call = await ours.call()
            await until(lambda: "INVITE" in good.methods())
            call.withdraw()
            await until(lambda: "CANCEL" in good.methods())
            good.answer(good.last("INVITE"), 487)
            with pytest.raises(NotAnswered):
                await call.answered()
            assert set(silent.methods()) == {"INVITE"}
            silent.close()
            good.close()

    play(story)


def test_a_connection_that_is_refused_leads_to_the_next_server_at_once() -> None:
    async def story() -> None:
        async with house(TCP) as ours:
            board = Switchboard(RANGE)
            await board.server.open(Listening(TCP, HOST, 0))
            there = Hop(HOST, board.server.port, TCP)
            ours.lists(Hop(HOST, free_port(), TCP), there, service="_sip._tcp")
            call = await ours.call()
            _, socket = await call.answered()
            assert call.dialog.source == there
            socket.close()
            await board.server.close()

    play(story)


def test_a_certificate_is_checked_by_the_name_of_the_proxy_and_not_by_what_the_dns_makes_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        theirs = certificate(tmp_path, NAME)
        async with house(TLS, certificates=Certificates(str(CERTIFICATE), authorities=str(theirs))) as ours:
            board = await tls_board(str(theirs))
            there = Hop("localhost", board.server.port, TLS)
            ours.lists(there, service="_sips._tcp")
            _, socket = await (await ours.call(Target(NAME, None, TLS))).answered()
            socket.close()
            await board.server.close()
        async with house(TLS, certificates=Certificates(str(CERTIFICATE), authorities=str(CERTIFICATE))) as ours:
            board = await tls_board(str(CERTIFICATE))
            ours.lists(Hop("localhost", board.server.port, TLS), service="_sips._tcp")
            with pytest.raises(NotAnswered) as raised:
                await (await ours.call(Target(NAME, None, TLS))).answered()
            assert raised.value.outcome is Outcome.UNREACHABLE
            await board.server.close()

    play(story)


async def tls_board(shown: str) -> Switchboard:
    board = Switchboard(RANGE, certificates=Certificates(shown))
    await board.server.open(Listening(TLS, HOST, 0))
    return board


def certificate(folder: Path, name: str) -> Path:
    """Write a certificate for ``name``, by its own key, and the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(1)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, at, at + datetime.timedelta(3))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    written = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(pem) + written)
    return file


def test_a_registration_goes_to_the_next_server_and_calls_come_from_all_of_them() -> None:
    async def story() -> None:
        async with house() as ours:
            full, good = Server(503), Server(200)
            ours.lists(await full.open(), await good.open(SECOND_HOST))
            work = asyncio.create_task(ours.server.register(binding(), PROVIDER))
            await until(lambda: bool(ours.told))
            assert isinstance(ours.told[0], Registered)
            assert [turned.code for turned in ours.turned] == [503]
            for host in ("127.0.0.3", HOST, SECOND_HOST):
                await ring(ours, host)
            await until(lambda: len(ours.came) == 2)
            assert ours.came == [HOST, SECOND_HOST]
            work.cancel()
            full.close()
            good.close()

    play(story)


def test_a_registration_that_holds_stays_and_is_told_of_new_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip, "LOOK_UP_ANEW_S", 0.05)
    monkeypatch.setattr(sip, "LOOK_UP_AGAIN_MS", 10)

    async def story() -> None:
        async with house() as ours:
            good, new = Server(200), Server(200)
            ours.lists(first := await good.open())
            work = asyncio.create_task(ours.server.register(binding(), PROVIDER))
            await until(lambda: bool(ours.told))
            ours.lists(await new.open(SECOND_HOST), first)
            ours.later_s = TTL_S
            await ours.names.again(2)
            await ring(ours, SECOND_HOST)
            await until(lambda: ours.came == [SECOND_HOST])
            ours.dns.zone = {("SRV", f"{service}.{NAME}"): ["0 0 0 ."] for service in ("_sip._udp", "_sip._tcp")}
            ours.later_s = 3 * TTL_S
            await ours.names.again(5)
            assert len(ours.told) == 1, "it finds nobody, and says nothing, as the registration holds"
            assert (good.methods(), new.methods()) == (["REGISTER"], [])
            work.cancel()
            good.close()
            new.close()

    play(story)


def binding() -> Binding:
    return Binding(name=NAME, user="u", domain=NAME, hop=Hop("", 0), password="p")


async def ring(ours: House, host: str) -> None:
    telephone = await Telephone(ours.server.port, f"+49{host.replace('.', '')}").open()
    loop = asyncio.get_running_loop()
    telephone._signalling.close()
    telephone._signalling, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(host, 0))
    telephone.invite()
    telephone.close()


def test_a_registrar_that_nobody_knows_is_told_once_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", nobody)  # which uvloop does not use

    async def story() -> None:
        async with house() as ours:
            work = asyncio.create_task(ours.server.register(binding(), PROVIDER))
            await until(lambda: bool(ours.told))
            assert isinstance(ours.told[0], NotRegistered)
            work.cancel()

    asyncio.run(story())


def nobody(host: str, *rest: object, **how: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


def test_a_server_of_another_kind_of_address_cannot_be_reached() -> None:
    async def story() -> None:
        async with house() as ours:
            with pytest.raises(Unavailable, match="cannot be reached by udp from where PHONE_BRIDGE_SIP_LISTEN"):
                await ours.server.find(Target("::1"))

    play(story)

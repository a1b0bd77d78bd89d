"""Where SIP servers are, asked of a DNS server of our own; time is the test's."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine

import dns.resolver
import pytest

from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip.dialog import TCP, TLS, TRANSPORTS, UDP, Hop
from phone_bridge.legs.sip.locating import Target
from phone_bridge.runtime import dns_records, sip_names
from phone_bridge.runtime.sip_names import ADDRESSES_TTL_S, MAX_TTL_S, MIN_TTL_S, SILENT_S, STALE_S, Names
from tests.ports import free_port
from tests.runtime.dns_server import TTL_S, DnsServer, dns_server
from tests.runtime.telephone import HOST

PROVIDER = Target("provider.test")
SRV = ("SRV", "_sip._udp.provider.test")
BOTH = ["10 0 5070 127.0.0.1.", "20 0 5071 127.0.0.2."]
FIRST, SECOND = Hop("127.0.0.1", 5070), Hop("127.0.0.2", 5071)


class Asked:
    """Names, a DNS server and a clock."""

    def __init__(self, server: DnsServer) -> None:
        self.server = server
        self.now = 1_000.0
        self.names = Names(server.place, clock=lambda: self.now)

    async def hops(self, target: Target = PROVIDER) -> tuple[Hop, ...]:
        return await self.names.hops(target, TRANSPORTS)


def play(story: Callable[[Asked], Coroutine[None, None, None]]) -> None:
    async def played() -> None:
        async with dns_server() as server:
            await story(Asked(server))

    asyncio.run(played())


def hosts_file(host: str, *rest: object, **how: object) -> list[tuple[object, ...]]:
    addresses = {"pbx.office.test": ["192.0.2.7"], "pbx": ["192.0.2.8", "2001:db8::8"]}.get(host)
    if addresses is None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", (address, 0)) for address in addresses]


@pytest.fixture(autouse=True)
def system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", hosts_file)


def test_a_name_alone_leads_to_its_servers_in_their_order() -> None:
    async def story(asked: Asked) -> None:
        asked.server.zone[SRV] = BOTH
        assert await asked.hops() == (FIRST, SECOND)
        assert set(asked.server.asked) == {SRV, ("NAPTR", "provider.test"), ("SRV", "_sip._tcp.provider.test")}

    play(story)


def test_a_domain_chooses_its_transport_by_naptr() -> None:
    async def story(asked: Asked) -> None:
        asked.server.zone = {
            ("NAPTR", "provider.test"): ['10 50 "s" "SIPS+D2T" "" tls.provider.test.'],
            ("SRV", "tls.provider.test"): ["10 0 5061 127.0.0.1."],
            SRV: BOTH,
        }
        assert await asked.hops() == (Hop("127.0.0.1", 5061, TLS),)
        assert await asked.names.hops(PROVIDER, (UDP, TCP)) == (FIRST, SECOND)

    play(story)


def test_answers_are_kept_for_their_time_and_asked_for_once() -> None:
    async def story(asked: Asked) -> None:
        asked.server.zone[SRV] = BOTH
        await asyncio.gather(*(asked.hops() for _ in range(5)))
        assert asked.server.asked.count(SRV) == 1
        asked.now += TTL_S - 1
        await asked.hops()
        assert asked.server.asked.count(SRV) == 1
        asked.now += 1
        asked.server.zone[SRV] = BOTH[1:]
        assert await asked.hops() == (SECOND,)
        assert asked.server.asked.count(SRV) == 2

    play(story)


@pytest.mark.parametrize(("ttl_s", "believed_s"), [(0, MIN_TTL_S), (86_400, MAX_TTL_S)])
def test_the_time_of_an_answer_is_believed_within_bounds(ttl_s: int, believed_s: float) -> None:
    async def story(asked: Asked) -> None:
        asked.server.zone[SRV], asked.server.ttl_s = BOTH, ttl_s
        await asked.hops()
        asked.now += believed_s - 1
        await asked.hops()
        assert asked.server.asked.count(SRV) == 1
        asked.now += 1
        await asked.hops()
        assert asked.server.asked.count(SRV) == 2

    play(story)


def test_what_was_known_holds_for_a_day_when_the_dns_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_records, "ANSWER_S", 0.1)

    async def story(asked: Asked) -> None:
        asked.server.zone[SRV] = BOTH
        await asked.hops()
        asked.server.silent = True
        asked.now += TTL_S
        assert await asked.hops() == (FIRST, SECOND)
        count = asked.server.asked.count(SRV)
        assert await asked.hops() == (FIRST, SECOND)
        assert asked.server.asked.count(SRV) == count, "no other call waits"
        asked.now += STALE_S
        with pytest.raises(Unavailable):
            await asked.hops()
        asked.server.silent = False
        asked.now += SILENT_S
        assert await asked.hops() == (FIRST, SECOND)

    play(story)


def test_a_machine_that_is_given_another_name_server_asks_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_records, "ANSWER_S", 0.1)
    places = [(HOST, free_port())]

    def resolv_conf(resolver: dns.resolver.BaseResolver, file: object) -> None:
        resolver.nameservers, resolver.port = [places[-1][0]], places[-1][1]

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", resolv_conf)

    async def story(asked: Asked) -> None:
        asked.server.zone[SRV] = BOTH
        asked.names = Names(clock=lambda: asked.now)
        with pytest.raises(Unavailable):
            await asked.hops()
        places.append(asked.server.place)
        asked.now += SILENT_S
        assert await asked.hops() == (FIRST, SECOND)

    play(story)


def test_a_silent_dns_costs_an_address_in_the_hosts_file_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_records, "ANSWER_S", 0.1)

    async def story(asked: Asked) -> None:
        asked.server.silent = True
        assert await asked.hops(Target("pbx.office.test")) == (Hop("192.0.2.7", 5060),)
        count = len(asked.server.asked)
        assert await asked.hops(Target("pbx.office.test")) == (Hop("192.0.2.7", 5060),)
        assert len(asked.server.asked) == count
        with pytest.raises(Unavailable, match="cannot be found: the DNS does not answer"):
            await asked.hops(Target("nobody.test"))

    play(story)


def test_a_plain_name_is_the_system_s_affair_alone() -> None:
    async def story(asked: Asked) -> None:
        assert await asked.hops(Target("pbx", None, TCP)) == (
            Hop("192.0.2.8", 5060, TCP),
            Hop("2001:db8::8", 5060, TCP),
        )
        assert await asked.hops(Target("192.0.2.9", 5099)) == (Hop("192.0.2.9", 5099),)
        assert asked.server.asked == []

    play(story)


def test_an_address_that_the_system_knew_holds_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Exception] = []

    def fickle(host: str, *rest: object, **how: object) -> list[tuple[object, ...]]:
        if errors:
            raise errors[0]
        return hosts_file(host)

    monkeypatch.setattr(socket, "getaddrinfo", fickle)

    async def story(asked: Asked) -> None:
        there = (Hop("192.0.2.8", 5060), Hop("2001:db8::8", 5060))
        assert await asked.hops(Target("pbx")) == there
        errors.append(socket.gaierror(socket.EAI_AGAIN, "temporary failure"))
        asked.now += ADDRESSES_TTL_S
        assert await asked.hops(Target("pbx")) == there
        with pytest.raises(Unavailable, match="cannot be found: the DNS does not answer"):
            await asked.hops(Target("other"))
        for error in (socket.gaierror(socket.EAI_NONAME, "no such name"), UnicodeError("label too long")):
            errors[:] = [error]
            asked.now += SILENT_S
            with pytest.raises(Unavailable, match="it has no address") as raised:
                await asked.hops(Target("pbx"))
            assert raised.value.code == "sip_unknown_host"

    play(story)


def test_a_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_names, "ADDRESSES_S", 0.05)

    async def story(asked: Asked) -> None:
        async def hangs(*rest: object, **how: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hangs)
        with pytest.raises(Unavailable, match="the DNS does not answer"):
            await asked.hops(Target("pbx"))

    play(story)


def test_so_many_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_names, "MAX_KNOWN", 3)

    async def story(asked: Asked) -> None:
        asked.server.zone[SRV] = BOTH
        await asked.hops()
        for name in ("a.test", "b.test", "c.test"):
            asked.server.zone["SRV", f"_sip._udp.{name}"] = BOTH
            await asked.hops(Target(name, None, UDP))
        await asked.hops()
        assert asked.server.asked.count(SRV) == 2

    play(story)


def test_the_dns_is_not_learnt_before_anybody_asks_for_it() -> None:
    code = "import sys, phone_bridge.runtime.sip; print('dns.resolver' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"

"""Questions to a DNS server of our own, over real sockets."""

import asyncio
from collections.abc import Callable, Coroutine

import dns.resolver
import pytest

from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip.locating import Naptr, Question, Srv
from phone_bridge.runtime import dns_records
from phone_bridge.runtime.dns_records import NOTHING_S, Dns
from tests.ports import free_port
from tests.runtime.dns_server import TTL_S, DnsServer, dns_server
from tests.runtime.serving import LOOPS
from tests.runtime.telephone import HOST

SRV = Question("SRV", "_sip._udp.provider.test")
ZONE = {
    ("SRV", "_sip._udp.provider.test"): ["20 0 5060 b.provider.test.", "10 60 5070 a.provider.test."],
    ("NAPTR", "provider.test"): ['10 50 "s" "SIP+D2U" "" _sip._udp.provider.test.'],
}


def play(story: Callable[[DnsServer], Coroutine[None, None, None]]) -> None:
    async def played() -> None:
        async with dns_server() as server:
            server.zone = dict(ZONE)
            await story(server)

    for run in LOOPS:  # the server's own loop, too
        run(played())


@pytest.mark.parametrize("cuts", [False, True])
def test_records_come_with_their_time_by_tcp_where_they_are_too_long(cuts: bool) -> None:
    async def story(server: DnsServer) -> None:
        server.cuts = cuts
        found, ttl = await Dns(server.place).ask(SRV)
        assert set(found) == {Srv(20, 0, 5060, "b.provider.test."), Srv(10, 60, 5070, "a.provider.test.")}
        assert ttl == TTL_S
        found, _ = await Dns(server.place).ask(Question("NAPTR", "provider.test"))
        assert found == (Naptr(10, 50, "s", "SIP+D2U", "_sip._udp.provider.test."),)

    play(story)


@pytest.mark.parametrize("name", ["nobody.test", "provider.test", "x" * 64 + ".test", "a..test", ""])
def test_what_is_not_there_or_cannot_be_is_nothing(name: str) -> None:
    async def story(server: DnsServer) -> None:
        assert await Dns(server.place).ask(Question("SRV", name)) == ((), NOTHING_S)

    play(story)


def test_a_server_that_fails_is_told() -> None:
    async def story(server: DnsServer) -> None:
        server.fails = True
        with pytest.raises(Unavailable, match="does not answer about _sip") as raised:
            await Dns(server.place).ask(SRV)
        assert raised.value.code == "dns_silent"

    play(story)


def test_silence_is_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_records, "ANSWER_S", 0.1)

    async def story(server: DnsServer) -> None:
        server.silent = True
        started = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            await Dns(server.place).ask(SRV)
        assert 0.1 <= asyncio.get_running_loop().time() - started < 2
        with pytest.raises(Unavailable):
            await Dns((HOST, free_port())).ask(SRV)

    play(story)


def test_a_machine_without_name_servers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(self: dns.resolver.BaseResolver, file: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", unreadable)
    with pytest.raises(Unavailable, match="names no DNS server"):
        Dns()

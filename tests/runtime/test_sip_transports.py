"""Connections of SIP on the loopback: what comes whole goes on, what is no good is closed."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.legs.sip.dialog import TCP, TLS, UDP, Hop
from phone_bridge.runtime import sip_transports
from phone_bridge.runtime.sip_transports import Certificates, Hearing, Listening, Transports
from tests.legs.sip import samples
from tests.ports import free_port
from tests.runtime.serving import CERTIFICATE, LOOPS, PATIENCE_SECONDS, until

HOST = "127.0.0.1"
OPTIONS = samples.raw("outside", "options.sip")
ANSWER = b"SIP/2.0 200 OK\r\n" + OPTIONS.partition(b"\r\n")[2]
SHOWN = Certificates(str(CERTIFICATE), authorities=str(CERTIFICATE))


class Office:
    """Transports, and what they tell."""

    def __init__(self, certificates: Certificates = SHOWN) -> None:
        self.heard: list[tuple[bytes, Hop]] = []
        self.parted: list[Hop] = []
        self.known = True
        self.used: set[Hop] = set()
        hearing = Hearing(
            lambda data, hop: self.heard.append((data, hop)),
            self.parted.append,
            lambda host: self.known,
            lambda hop: hop in self.used,
        )
        self.transports = Transports(hearing, certificates)

    async def listen(self, transport: str = TCP) -> Hop:
        await self.transports.listen(Listening(transport, HOST, 0))
        return Hop(HOST, self.transports.listening[-1].port, transport)


@asynccontextmanager
async def office(certificates: Certificates = SHOWN) -> AsyncIterator[Office]:
    made = Office(certificates)
    try:
        yield made
    finally:
        await made.transports.close()


def play(story: Callable[[], Coroutine[None, None, None]]) -> None:
    for run in LOOPS:  # the server's own loop, too: its transports are others
        run(story())


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("transport", [TCP, TLS])
def test_a_connection_carries_both_ways_and_is_used_again(transport: str) -> None:
    async def story() -> None:
        async with office() as ours, office() as theirs:
            there = await theirs.listen(transport)
            ours.transports.send(OPTIONS, there)
            ours.transports.send(OPTIONS, there)
            await until(lambda: len(theirs.heard) == 2)
            (first, back), (second, again) = theirs.heard
            assert (first, second, back) == (OPTIONS, OPTIONS, again)
            theirs.transports.send(ANSWER, back)
            await until(lambda: ours.heard == [(ANSWER, there)])
            await ours.transports.close()
            await until(lambda: theirs.parted == [back])

    play(story)


def test_a_certificate_that_nobody_vouches_for_is_not_spoken_with() -> None:
    async def story() -> None:
        async with office(Certificates()) as ours, office() as theirs:
            there = await theirs.listen(TLS)
            ours.transports.send(OPTIONS, there)
            await until(lambda: ours.parted == [there])
            assert theirs.heard == []

    play(story)


def test_a_peer_that_was_looked_up_is_checked_by_its_name() -> None:
    async def story() -> None:
        async with office() as ours, office() as theirs:
            there = await theirs.listen(TLS)
            ours.transports.name(there, "pbx.example")
            ours.transports.send(OPTIONS, there)
            await until(lambda: ours.parted == [there])
            ours.transports.name(there, "localhost")
            ours.transports.send(OPTIONS, there)
            await until(lambda: len(theirs.heard) == 1)

    play(story)


def test_whoever_has_gone_is_not_called_back_for_an_answer() -> None:
    async def story() -> None:
        async with office() as ours, office() as theirs:
            there = await theirs.listen()
            ours.transports.send(ANSWER, there)
            ours.transports.send(OPTIONS, there)
            await until(lambda: bool(theirs.heard))
            assert [data for data, _ in theirs.heard] == [OPTIONS]

    play(story)


def test_who_cannot_be_reached_is_told_of() -> None:
    async def story() -> None:
        async with office() as ours:
            nowhere = Hop(HOST, free_port(), TCP)
            ours.transports.send(OPTIONS, nowhere)
            await until(lambda: ours.parted == [nowhere])

    play(story)


def test_a_ping_is_answered_and_nonsense_closes_the_connection() -> None:
    async def story() -> None:
        async with office() as ours:
            there = await ours.listen()
            reader, writer = await asyncio.open_connection(*there[:2])
            writer.write(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\r\n"
            writer.write(b"GET / HTTP/1.1\r\nHost: bridge\r\n\r\n")
            assert await is_closed(reader)
            assert ours.heard == []
            writer.close()

    play(story)


def test_a_stranger_is_let_in_nowhere() -> None:
    async def story() -> None:
        async with office() as ours:
            ours.known = False
            there = await ours.listen()
            reader, writer = await asyncio.open_connection(*there[:2])
            assert await is_closed(reader)
            writer.close()

    play(story)


@pytest.mark.parametrize("limit", ["MAX_CONNECTIONS", "MAX_CONNECTIONS_OF_HOST"])
def test_more_connections_than_fit_are_closed(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_transports, limit, 1)

    async def story() -> None:
        async with office() as ours:
            there = await ours.listen()
            _, first = await asyncio.open_connection(*there[:2])
            first.write(OPTIONS)
            await until(lambda: len(ours.heard) == 1)
            reader, second = await asyncio.open_connection(*there[:2])
            assert await is_closed(reader)
            first.write(OPTIONS)
            await until(lambda: len(ours.heard) == 2)
            first.close()
            second.close()

    play(story)


def test_a_message_that_does_not_end_closes_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_transports, "MESSAGE_S", 0.02)

    async def story() -> None:
        async with office() as ours:
            there = await ours.listen()
            reader, writer = await asyncio.open_connection(*there[:2])
            writer.write(OPTIONS[:-10])
            assert await is_closed(reader)
            writer.close()

    play(story)


def test_a_connection_without_a_call_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_transports, "MESSAGE_S", 0.01)
    monkeypatch.setattr(sip_transports, "QUIET_S", 0.02)

    async def story() -> None:
        async with office() as ours:
            there = await ours.listen()
            reader, writer = await asyncio.open_connection(*there[:2])
            ours.used.add(Hop(HOST, writer.get_extra_info("sockname")[1], TCP))
            other, idle = await asyncio.open_connection(*there[:2])
            assert await is_closed(other)
            writer.write(OPTIONS)
            await until(lambda: len(ours.heard) == 1)
            ours.used.clear()
            assert await is_closed(reader)
            writer.close()
            idle.close()

    play(story)


def test_a_peer_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_transports, "MAX_UNSENT_BYTES", 10_000)

    async def story() -> None:
        async with office() as ours:
            there = await ours.listen()
            _, writer = await asyncio.open_connection(*there[:2], limit=1)
            writer.write(OPTIONS)
            await until(lambda: bool(ours.heard))
            hop = ours.heard[0][1]
            for _ in range(20_000):
                ours.transports.send(ANSWER * 10, hop)
            await until(lambda: ours.parted == [hop])
            writer.close()

    play(story)


def test_messages_that_wait_for_a_connection_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_transports, "MAX_WAITING_MESSAGES", 2)

    async def story() -> None:
        async with office() as ours, office() as theirs:
            there = await theirs.listen()
            for _ in range(5):
                ours.transports.send(OPTIONS, there)
            await until(lambda: bool(theirs.heard))
            assert len(theirs.heard) == 2

    play(story)


def test_each_datagram_goes_by_the_socket_of_its_family() -> None:
    async def story() -> None:
        async with office() as ours, office() as theirs:
            await ours.listen(UDP)
            there = await theirs.listen(UDP)
            ours.transports.send(OPTIONS, Hop("::1", there.port))
            ours.transports.send(OPTIONS, there)
            await until(lambda: len(theirs.heard) == 1)

    play(story)


def test_a_port_that_is_taken_is_told() -> None:
    async def story() -> None:
        async with office() as ours, office() as theirs:
            taken = await ours.listen()
            with pytest.raises(Unavailable) as raised:
                await theirs.transports.listen(Listening(TCP, *taken[:2]))
            assert raised.value.code == "sip_port"

    play(story)


def test_files_that_cannot_be_used_are_told_by_their_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SIP_TLS_CERTIFICATE"):
        Certificates(str(tmp_path / "none.pem")).server()
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(SettingsError, match="SIP_TLS_AUTHORITIES"):
        Certificates(authorities=str(tmp_path / "empty.pem")).client()
    assert SHOWN.server().minimum_version >= ssl.TLSVersion.TLSv1_2

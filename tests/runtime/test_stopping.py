"""Signals to this very process, in a loop of the test's own, with handlers in the server's place."""

import asyncio
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from phone_bridge.runtime.drain import Drain
from phone_bridge.runtime.stopping import SIGNALS, Stopping
from tests.runtime.serving import until
from tests.runtime.test_drain import Watch


class Server:
    """The handlers that a server has set, and what they were told."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def handle_exit(self, number: int, _: FrameType | None) -> None:
        self.told.append(number)


@pytest.fixture
def server() -> Iterator[Server]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    server = Server()
    for number in SIGNALS:
        signal.signal(number, server.handle_exit)
    yield server
    for number, handler in before.items():
        signal.signal(number, handler)


def stopping(drain: Drain, **options: bool) -> Stopping:
    return Stopping(drain, **options)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_to_a_process_without_calls_reaches_the_server_at_once(server: Server, number: signal.Signals) -> None:
    async def story() -> None:
        watch = Watch()
        watch.calls.live = 0
        with stopping(watch.drain):
            signal.raise_signal(number)
            assert watch.calls.draining
            await until(lambda: server.told == [number])

    asyncio.run(story())


def test_a_signal_waits_for_the_calls(server: Server) -> None:
    async def story() -> None:
        watch = Watch()
        with stopping(watch.drain):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert watch.drain.begun
            assert server.told == []
            watch.calls.live = 0
            await until(lambda: server.told == [signal.SIGTERM])

    asyncio.run(story())


@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_ends_at_once_and_a_third_is_the_servers_own(server: Server, second: signal.Signals) -> None:
    async def story() -> None:
        watch = Watch()
        with stopping(watch.drain):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(second)
            assert server.told == [second]
            watch.calls.live = 0
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)
            assert server.told == [second, signal.SIGINT]

    asyncio.run(story())


def test_a_supervised_process_leaves_the_terminal_to_its_supervisor(server: Server) -> None:
    async def story() -> None:
        watch = Watch()
        with stopping(watch.drain, supervised=True):
            signal.raise_signal(signal.SIGINT)
            assert not watch.drain.begun
            signal.raise_signal(signal.SIGTERM)
            assert watch.drain.begun

    asyncio.run(story())


def test_the_servers_handlers_come_back(server: Server) -> None:
    async def story() -> None:
        with stopping(Watch().drain):
            assert signal.getsignal(signal.SIGTERM) != server.handle_exit
        assert [signal.getsignal(number) for number in SIGNALS] == [server.handle_exit] * len(SIGNALS)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())

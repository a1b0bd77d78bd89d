"""SIGHUP to this very process, in a loop of the test's own."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from phone_bridge.runtime.reloading import Reloading, expect
from tests.runtime.serving import until


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_each_hangup_is_followed_by_a_reading_that_began_after_it() -> None:
    begun: list[int] = []
    done = asyncio.Event()

    async def reload() -> None:
        begun.append(len(begun))
        await done.wait()

    async def story() -> None:
        with Reloading(reload):
            signal.raise_signal(signal.SIGHUP)
            await until(lambda: begun == [0])
            signal.raise_signal(signal.SIGHUP)  # while the first one is read
            signal.raise_signal(signal.SIGHUP)
            await asyncio.sleep(0)
            assert begun == [0]
            done.set()
            await until(lambda: begun == [0, 1])

    asyncio.run(story())


@pytest.mark.parametrize("blocked", [False, True])
def test_a_hangup_before_the_loop_runs_is_followed_by_one_reading(blocked: bool) -> None:
    begun: list[int] = []

    async def reload() -> None:
        begun.append(len(begun))

    async def story() -> None:
        with Reloading(reload):
            await until(lambda: begun == [0])
            await asyncio.sleep(0)
            assert begun == [0]

    if blocked:  # as whoever starts this process has it
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        signal.raise_signal(signal.SIGHUP)
    expect()
    assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    if not blocked:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
    asyncio.run(story())


def test_without_a_hangup_nothing_is_read() -> None:
    begun: list[int] = []

    async def reload() -> None:
        begun.append(len(begun))

    async def story() -> None:
        with Reloading(reload):
            for _ in range(5):
                await asyncio.sleep(0)

    expect()
    asyncio.run(story())
    assert begun == []


def test_a_hangup_while_the_process_stops_does_not_end_it() -> None:
    async def reload() -> None: ...

    async def story() -> None:
        with Reloading(reload):
            pass
        signal.raise_signal(signal.SIGHUP)

    asyncio.run(story())

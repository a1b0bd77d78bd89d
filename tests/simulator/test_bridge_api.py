"""The bridge's API, asked from outside."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.simulator.bridge_api import BridgeApi
from phone_bridge.simulator.result import Record, Spoken
from tests.simulator.small_server import EchoBridge


def ask(bridge: EchoBridge, question: Callable[[BridgeApi], Awaitable[Record | None]]) -> Record | None:
    async def run() -> Record | None:
        async with bridge.running(), aiohttp.ClientSession() as http:
            return await question(BridgeApi(http, bridge.url))

    return asyncio.run(run())


def test_a_call_is_found_by_the_carriers_name() -> None:
    bridge = EchoBridge()
    bridge.sid = "CA1"
    assert bridge.record is not None
    bridge.record["transcript"] = [{"at_ms": 5, "speaker": "assistant", "text": "Hi."}]
    record = ask(bridge, lambda api: api.record("CA1"))
    assert record is not None
    assert (record.id, record.status) == ("call_1", "completed")
    assert record.transcript == [Spoken(5, "assistant", "Hi.")]


def test_a_call_that_the_bridge_does_not_know_is_none() -> None:
    assert ask(EchoBridge(), lambda api: api.record("CA2")) is None


@pytest.mark.parametrize(("status", "error"), [(401, Refused), (403, Refused), (500, RemoteError)])
def test_an_api_that_says_no_is_an_error(status: int, error: type[BridgeError]) -> None:
    bridge = EchoBridge()
    bridge.list_status = status
    with pytest.raises(error, match=str(status)):
        ask(bridge, lambda api: api.record("CA1"))


def test_nonsense_is_the_bridges_fault() -> None:
    bridge = EchoBridge()
    bridge.sid, bridge.record = "CA1", {"id": 7}
    with pytest.raises(RemoteError, match="no calls"):
        ask(bridge, lambda api: api.record("CA1"))


def test_nobody_there_is_said_in_one_sentence() -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            await BridgeApi(http, "http://127.0.0.1:1").ping()

    with pytest.raises(Unavailable, match="no bridge answers at http"):
        asyncio.run(run())

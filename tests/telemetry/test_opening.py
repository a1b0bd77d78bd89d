"""A call's own view of the connector: the same connector, and every opening timed."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.errors import BridgeError, Refused, Unavailable
from phone_bridge.runtime.connect import SESSION_BUDGET_MS
from phone_bridge.runtime.sockets import Socket
from phone_bridge.telemetry.opening import Opening, WatchedConnector
from tests.clock import run_virtual, settle
from tests.runtime.test_connect import Paper, World
from tests.telemetry.figures import ANSWERED


def watched(world: World, told: list[Opening]) -> WatchedConnector:
    def seconds() -> float:
        return (world.now - 1_000_000) / 1000

    return WatchedConnector(world.connector, told.append, clock=seconds, wall=lambda: ANSWERED + seconds())


def test_an_opening_is_told_with_its_time() -> None:
    async def story() -> None:
        world, told = World(takes_ms=40), list[Opening]()
        world.now += 2_000
        link = await watched(world, told).connect(Paper(), PCMU_8K, nonce="n1")
        assert link.ticket.session_id == "hub_1"
        assert [(opening.began, round(opening.seconds, 3), opening.outcome) for opening in told] == [
            (ANSWERED + 2, 0.08, "opened")
        ]

    run_virtual(story())


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Refused("no", code="authentication_failed"), "authentication_failed"),
        (Refused("no", code="call +12025550143 never again"), "other"),
        (Refused("no", code=""), "none"),
    ],
)
def test_an_opening_in_vain_is_told_by_a_code_that_is_known(error: BridgeError, outcome: str) -> None:
    async def story() -> None:
        world, told = World(mints=[error]), list[Opening]()
        with pytest.raises(Refused) as raised:
            await watched(world, told).connect(Paper(), PCMU_8K, nonce="n1")
        assert raised.value is error
        assert [opening.outcome for opening in told] == [outcome]

    run_virtual(story())


def test_all_attempts_within_the_budget_are_one_opening() -> None:
    async def story() -> None:
        world, told = World(mints=[Unavailable("later", code="timeout")] * 50), list[Opening]()
        with pytest.raises(Unavailable):
            await watched(world, told).connect(Paper(), PCMU_8K, nonce="n1")
        (opening,) = told
        assert opening.outcome == "timeout"
        assert 0.5 < opening.seconds <= SESSION_BUDGET_MS / 1000

    run_virtual(story())


def test_a_caller_who_goes_meanwhile_gives_it_up() -> None:
    class Slow(World):
        async def dial(
            self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int
        ) -> Socket:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]  # it never comes

    async def story() -> None:
        world, told = Slow(), list[Opening]()
        opening = asyncio.create_task(watched(world, told).connect(Paper(), PCMU_8K, nonce="n1"))
        await settle()
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await world.connector.close()
        assert [each.outcome for each in told] == ["given_up"]

    run_virtual(story())


def test_a_mistake_of_ours_is_told_too() -> None:
    async def story() -> None:
        told = list[Opening]()
        with pytest.raises(TypeError):
            await watched(World(), told).connect()
        assert [each.outcome for each in told] == ["other"]

    run_virtual(story())


def test_what_a_call_leaves_to_be_done_is_the_processs_to_wait_for() -> None:
    async def story() -> None:
        world, told = World(), list[Opening]()
        connector = watched(world, told)
        link = await connector.connect(Paper(), PCMU_8K, nonce="n1")
        connector.dismiss(Paper(), link.ticket)
        await world.connector.close()
        assert world.log[-1] == "DELETE"

    run_virtual(story())

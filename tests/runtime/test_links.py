"""The sessions of one call, opened, changed and let go in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import events as e
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.runtime.connect import Connector, Link
from phone_bridge.runtime.links import Links
from phone_bridge.sessions.chronapilot import ChronaPilot
from tests.clock import settle
from tests.runtime.pumping import Network, virtual


class Desk:
    def __init__(self) -> None:
        self.network = Network("pcm16")
        loop = asyncio.get_running_loop()
        self.connector = Connector(
            self.network, dial=self.network.dial, clock=lambda: int(loop.time() * 1000), jitter=lambda: 0.0
        )
        self.facts: list[e.Event] = []
        self.heard: list[tuple[Link, str | bytes]] = []
        self.lost: list[tuple[Link, int, str]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.links = Links(
            self.connector,
            ChronaPilot(base_url="http://session.test", key="sk_test_1", user_id="usr_1", ttl_seconds=600),
            PCMU_8K,
            fact=self.facts.append,
            heard=lambda link, data: self.heard.append((link, data)),
            lost=lambda link, code, reason: self.lost.append((link, code, reason)),
            spawn=self.spawn,
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.create_task(work))

    async def done(self) -> None:
        await asyncio.gather(*self.tasks)
        await settle()

    async def over(self) -> None:
        await self.links.part()
        await self.connector.close()
        assert all(assistant.code is not None for assistant in self.network.assistants)
        assert self.network.log.count("POST") == self.network.log.count("DELETE")


@virtual
async def test_a_session_is_opened_told_of_and_heard() -> None:
    desk = Desk()
    desk.links.open()
    await desk.done()
    assert desk.facts == [e.SessionOpened("hub_1", 600_000)]
    assert desk.links.present is not None
    assert [link for link, _ in desk.heard] == [desk.links.present] * 2
    desk.network.assistants[0].socket.close(4008, "expired")
    await settle()
    assert desk.lost == [(desk.links.present, 4008, "expired")]
    await desk.over()


@virtual
async def test_a_session_that_cannot_be_had_is_told() -> None:
    desk = Desk()
    down, no = Unavailable("later", code="http_503"), Refused("no", code="http_403")
    for error, reason in ((down, "unavailable"), (no, "refused")):
        desk.network.error = error
        desk.links.open()
        desk.links.open_spare()
        await desk.done()
        assert desk.facts == [e.SessionClosed(reason, error.code), e.SpareFailed(error.code)]
        desk.facts.clear()
    assert (desk.links.present, desk.links.spare) == (None, None)


@virtual
async def test_a_new_session_lets_the_old_one_go_without_waiting() -> None:
    desk = Desk()
    desk.links.open()
    await desk.done()
    desk.network.delete_seconds = 0.5
    desk.links.open()
    assert desk.links.present is None
    await desk.done()
    assert desk.facts[-1] == e.SessionOpened("hub_1", 600_000)
    assert [assistant.code for assistant in desk.network.assistants] == [1000, None]
    await desk.over()


@virtual
async def test_a_spare_session_takes_the_place_of_the_present_one() -> None:
    desk = Desk()
    desk.links.open()
    await desk.done()
    desk.links.open_spare()
    await desk.done()
    spare = desk.links.spare
    assert desk.facts[-1] == e.SpareReady(600_000)
    desk.links.take_spare()
    await settle()
    assert (desk.links.present, desk.links.spare) == (spare, None)
    assert [assistant.code for assistant in desk.network.assistants] == [1000, None]
    await desk.over()


@virtual
async def test_a_spare_session_can_be_let_go() -> None:
    desk = Desk()
    desk.links.open_spare()
    await desk.done()
    desk.links.drop_spare()
    await settle()
    assert desk.links.spare is None
    assert desk.network.assistants[0].code == 1000
    await desk.over()


@virtual
async def test_a_session_that_comes_after_the_end_is_parted_from_and_not_told_of() -> None:
    desk = Desk()
    desk.links.open()
    desk.links.open_spare()
    desk.links.close()
    await desk.done()
    assert desk.facts == []
    await desk.over()


@virtual
async def test_an_action_is_looked_up() -> None:
    desk = Desk()
    desk.network.event = {"id": "evt_1", "is_cancelled": True}
    desk.links.look_up("act_1", e.Action("cancel_event", {"event_id": "evt_1"}))
    desk.links.look_up("act_2", e.Action("create_event", {"title": "Tea"}))
    await desk.done()
    found = sorted(fact.outcome for fact in desk.facts if isinstance(fact, e.OutcomeFound))
    assert found == ["executed", "unknown"]

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from phone_bridge.assistant.watching import PERIOD_S, Watch
from phone_bridge.errors import Unavailable
from phone_bridge.tools.keeper import EventFields, Location, User
from tests.assistant.api_desk import NOW, ApiDesk, play
from tests.runtime.serving import until


async def away(desk: ApiDesk) -> str:
    """Give Alice a home, and a meeting too far from it."""
    home = Location(address="home", lat=40.70, lng=-74.00)
    await desk.keeper.update_user("usr_alice", lambda user: replaced(user, home), key="home")
    there = Location(address="there", lat=40.80, lng=-73.90)
    start = NOW + timedelta(minutes=10)
    fields = EventFields(title="Tea", start_time=start, end_time=start + timedelta(hours=1), location=there)
    return (await desk.keeper.create_event("usr_alice", fields, key="tea")).id


def replaced(user: User, home: Location) -> User:
    return structs.replace(user, home_location=home)


def test_whoever_wants_to_know_is_told_of_ways_once(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        tea = await away(desk)
        await desk.receiving.endpoint(events=("departure.threshold_reached", "event.late_predicted"))
        watch = Watch(desk.keeper, desk.tools, desk.receiving.hooks, desk.wall)
        for _ in range(3):
            await watch.look()
        await until(lambda: len(desk.receiving.got) == 2)
        told = {body["type"]: body["data"]["object"] for body in desk.receiving.bodies()}
        assert set(told) == {"departure.threshold_reached", "event.late_predicted"}
        assert all((each["event_id"], each["user_id"]) == (tea, "usr_alice") for each in told.values())
        assert told["event.late_predicted"]["minutes_late"] > 0

    play(tmp_path, story)


def test_the_watch_looks_while_somebody_wants_to_know_and_goes_on_after_a_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(desk: ApiDesk) -> None:
        looks: list[str] = []
        rounds = asyncio.Queue[None]()

        class Counted(Watch):
            async def look(self) -> None:
                looks.append("look")
                raise Unavailable("gone", code="database") if len(looks) == 1 else ValueError("ours")

        async def sleep(seconds: float) -> None:
            assert seconds == PERIOD_S
            await rounds.get()

        task = asyncio.create_task(Counted(desk.keeper, desk.tools, desk.receiving.hooks, desk.wall, sleep).keep())
        await asyncio.sleep(0.05)
        assert looks == []  # nobody wants to know
        await desk.receiving.endpoint()
        for _ in range(2):
            rounds.put_nowait(None)
        await until(lambda: len(looks) == 2 and "ours" in caplog.text)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with caplog.at_level(logging.WARNING, "phone_bridge.webhooks"):
        play(tmp_path, story)
    assert "could not be watched (database)" in caplog.text

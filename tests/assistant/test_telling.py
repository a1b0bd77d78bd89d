import asyncio
import logging
from pathlib import Path

import pytest
from msgspec import structs

from phone_bridge.assistant import telling, webhooks
from phone_bridge.assistant.telling import AT_A_TIME, AT_A_TIME_EACH, KEPT_MS, LEASE_MS, UNKEPT
from phone_bridge.assistant.webhooks import FIRST_WAIT_MS, GIVE_UP_MS, Delivery
from phone_bridge.errors import RemoteError, Unavailable
from tests.assistant.receiving import URL, Receiving, happening, play
from tests.runtime.serving import until


async def stands(receiving: Receiving, endpoint_id: str) -> list[Delivery]:
    return await asyncio.to_thread(receiving.hooks.store.deliveries, endpoint_id)


async def settled(receiving: Receiving, endpoint_id: str, status: str, attempts: int = 1) -> Delivery:
    """Wait until the newest delivery stands so."""
    for _ in range(500):
        newest = (await stands(receiving, endpoint_id))[0]
        if (newest.status, newest.attempts) == (status, attempts):
            return newest
        await asyncio.sleep(0.01)
    raise AssertionError(newest)


def test_what_happens_is_told_to_whoever_wants_to_know_and_once(tmp_path: Path) -> None:
    async def story(receiving: Receiving) -> None:
        endpoint = await receiving.endpoint(events=("event.created",))
        await receiving.endpoint(events=("event.updated",), url="https://example.com/other")
        receiving.hooks.soon(happening())
        await receiving.hooks.tell(happening())
        await settled(receiving, endpoint.id, "delivered")
        await receiving.hooks.tell(happening())
        await receiving.hooks.tell(happening("2"))
        await until(lambda: len(receiving.got) == 2)
        assert [request.url for request in receiving.got] == [URL, URL]
        first = receiving.bodies()[0]
        assert (first["type"], first["data"]) == ("event.created", {"object": {"event_id": "evt_1"}})
        assert first["id"] == receiving.got[0].headers["Chronapilot-Event"]

    play(tmp_path, story)


def test_what_nobody_wants_to_know_is_not_kept(tmp_path: Path) -> None:
    async def story(receiving: Receiving) -> None:
        assert await receiving.hooks.keep(happening()) == []
        endpoint = await receiving.endpoint()
        await receiving.hooks.tell(happening())
        assert len(await stands(receiving, endpoint.id)) == 1

    play(tmp_path, story)


@pytest.mark.parametrize("answer", [500, 301, Unavailable("slow", code="timeout"), RemoteError("no HTTP")])
def test_what_does_not_arrive_is_tried_again_with_the_same_body(tmp_path: Path, answer: int | Exception) -> None:
    async def story(receiving: Receiving) -> None:
        receiving.answers[URL] = answer  # type: ignore[assignment]  # one of those that are
        endpoint = await receiving.endpoint()
        await receiving.hooks.tell(happening())
        waiting = await settled(receiving, endpoint.id, "pending")
        assert waiting.next_at == receiving.now + FIRST_WAIT_MS
        assert waiting.answered == (answer if isinstance(answer, int) else None)

        receiving.answers[URL] = 204
        receiving.now += FIRST_WAIT_MS
        receiving.hooks.wake()
        await settled(receiving, endpoint.id, "delivered", attempts=2)
        one, two = receiving.got
        assert one.body == two.body
        assert one.headers["Chronapilot-Event"] == two.headers["Chronapilot-Event"]
        assert one.headers["Chronapilot-Signature"] != two.headers["Chronapilot-Signature"]

    play(tmp_path, story)


def test_what_has_not_arrived_in_its_time_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(receiving: Receiving) -> None:
        receiving.answers[URL] = 500
        endpoint = await receiving.endpoint()
        await receiving.hooks.tell(happening())
        await settled(receiving, endpoint.id, "pending")
        receiving.now += GIVE_UP_MS
        receiving.hooks.wake()
        await settled(receiving, endpoint.id, "failed", attempts=2)

    with caplog.at_level(logging.WARNING, "phone_bridge.webhooks"):
        play(tmp_path, story)
    assert "was given up" in caplog.text


def test_a_server_that_is_started_again_sends_what_was_not_sent(tmp_path: Path) -> None:
    async def story(receiving: Receiving) -> None:
        receiving.gate = asyncio.Event()
        endpoint = await receiving.endpoint()
        await receiving.hooks.tell(happening())
        await until(lambda: len(receiving.got) == 1)
        await receiving.hooks.stop()
        receiving.gate = None
        receiving.hooks = receiving.another()
        await receiving.hooks.start()
        receiving.now += LEASE_MS
        receiving.hooks.wake()
        await settled(receiving, endpoint.id, "delivered")
        assert [body["id"] for body in receiving.bodies()] == [webhooks.event_id(happening())] * 2

    play(tmp_path, story)


def test_two_processes_on_one_database_send_nothing_twice(tmp_path: Path) -> None:
    async def story(receiving: Receiving) -> None:
        other = receiving.another()
        await other.start()
        try:
            endpoint = await receiving.endpoint()
            for number in range(20):
                await receiving.hooks.tell(happening(str(number)))
                other.wake()
            await until(lambda: len(receiving.got) >= 20)
            for delivery in await stands(receiving, endpoint.id):
                assert delivery.attempts <= 1
            assert len({body["id"] for body in receiving.bodies()}) == len(receiving.got) == 20
        finally:
            await other.stop()

    play(tmp_path, story)


def test_a_slow_receiver_holds_no_other_up(tmp_path: Path) -> None:
    async def story(receiving: Receiving) -> None:
        receiving.gate = asyncio.Event()
        await receiving.endpoint()
        for number in range(AT_A_TIME):
            await receiving.hooks.tell(happening(str(number)))
        await until(lambda: len(receiving.got) == AT_A_TIME_EACH)
        await receiving.endpoint(url="https://example.com/other", events=("event.updated",))
        await receiving.hooks.tell(happening("x", "event.updated"))
        await until(lambda: receiving.got[-1].url == "https://example.com/other")
        receiving.gate.set()
        await until(lambda: len({body["id"] for body in receiving.bodies()}) == AT_A_TIME + 1)

    play(tmp_path, story)


def test_an_endpoint_that_is_switched_off_is_not_sent_to_until_it_is_on_again(tmp_path: Path) -> None:
    async def story(receiving: Receiving) -> None:
        receiving.answers[URL] = 500
        endpoint = await receiving.endpoint()
        await receiving.hooks.tell(happening())
        await settled(receiving, endpoint.id, "pending")
        await asyncio.to_thread(receiving.hooks.store.put, structs.replace(endpoint, status="disabled"))
        receiving.now += FIRST_WAIT_MS
        assert await asyncio.to_thread(receiving.hooks.store.due, receiving.now, [], 9) == []
        assert await asyncio.to_thread(receiving.hooks.store.next_at) is None
        assert await receiving.hooks.keep(happening("2")) == []

    play(tmp_path, story)


def test_what_cannot_be_kept_now_is_kept_when_the_server_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(receiving: Receiving) -> None:
        await receiving.endpoint()
        store = receiving.hooks.store
        tell, gone = store.tell, True

        def failing(*arguments: object) -> bool:
            if gone:
                raise Unavailable("away", code="database")
            return tell(*arguments)  # type: ignore[arg-type]  # handed through

        monkeypatch.setattr(store, "tell", failing)
        await receiving.hooks.tell(happening())
        receiving.hooks.soon(happening("2"))
        await asyncio.sleep(0.05)
        gone = False
        await receiving.hooks.stop()
        receiving.hooks = receiving.another()
        await receiving.hooks.start()
        await until(lambda: len(receiving.got) == 2)

    play(tmp_path, story)


def test_so_much_may_wait_for_the_database_and_the_rest_is_lost_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiving = Receiving(tmp_path)
    for number in range(UNKEPT):
        receiving.hooks.soon(happening(str(number)))
    assert "is lost" not in caplog.text
    receiving.hooks.soon(happening("x"))
    assert "a event.created is lost" in caplog.text
    receiving.hooks.store.close()


def test_what_happened_long_ago_is_forgotten(tmp_path: Path) -> None:
    async def story(receiving: Receiving) -> None:
        endpoint = await receiving.endpoint()
        await receiving.hooks.tell(happening())
        await settled(receiving, endpoint.id, "delivered")
        receiving.now += KEPT_MS
        await asyncio.to_thread(receiving.hooks.store.purge, receiving.now - KEPT_MS)
        assert len(await stands(receiving, endpoint.id)) == 1
        await asyncio.to_thread(receiving.hooks.store.purge, receiving.now - KEPT_MS + 1)
        assert await stands(receiving, endpoint.id) == []

    play(tmp_path, story)


def test_a_delivery_is_shown_in_seconds() -> None:
    delivery = Delivery(
        id="whd_1", endpoint_id="wbk_1", event_id="whe_1", type="event.created", url=URL, began_at=1_999, next_at=5_000
    )
    shown = telling.shown(delivery)
    assert (shown["object"], shown["created"], shown["next_attempt"]) == ("webhook_delivery", 1, 5)

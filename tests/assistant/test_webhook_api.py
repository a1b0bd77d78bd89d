import json
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.assistant.webhook_api import MAX_ENDPOINTS, TESTS_PER_HOUR
from tests.assistant.api_desk import CONNECT, READER, ApiDesk, play
from tests.assistant.receiving import happening
from tests.runtime.serving import until

HOOK = {"url": "https://example.com/hook", "events": ["*"]}


async def endpoint(desk: ApiDesk, **more: Any) -> Any:
    return await desk.get(desk.webhooks.create, body=HOOK | more, status=201)


def test_an_endpoint_is_made_shown_changed_and_removed_and_its_secret_shown_once(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await endpoint(desk)
        assert made.pop("secret").startswith("whsec_")
        assert made == {
            "id": made["id"],
            "object": "webhook_endpoint",
            "url": HOOK["url"],
            "events": ["*"],
            "description": "",
            "connect_events": False,
            "status": "enabled",
            "created_at": "2026-11-21T09:00:01Z",
        }
        assert await desk.get(desk.webhooks.show, made["id"]) == made
        change = {"status": "disabled", "events": ["event.created"], "description": "ours"}
        changed = await desk.get(desk.webhooks.change, made["id"], body=change)
        assert changed == made | change
        second = await endpoint(desk)
        listed = await desk.get(desk.webhooks.index)
        assert [each["id"] for each in listed["data"]] == [second["id"], made["id"]]
        assert (await desk.get(desk.webhooks.delete, made["id"]))["deleted"] is True
        assert await desk.refused(desk.webhooks.show, made["id"]) == (404, "resource_missing", "id")

    play(tmp_path, story)


def test_a_repeated_request_makes_one_endpoint(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        one = await desk.get(desk.webhooks.create, body=HOOK, once="n", status=201)
        assert await desk.get(desk.webhooks.create, body=HOOK, once="n", status=201) == one
        assert len((await desk.get(desk.webhooks.index))["data"]) == 1

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("wish", "code", "param"),
    [
        ({"events": ["*"]}, "missing_required_field", "url"),
        ({"url": "http://example.com", "events": ["*"]}, "invalid_parameter", "url"),
        ({"url": HOOK["url"], "events": []}, "invalid_parameter", "events"),
        (HOOK | {"secret": "short"}, "invalid_parameter", "secret"),
        (7, "invalid_parameter", ""),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(tmp_path: Path, wish: Any, code: str, param: str) -> None:
    async def story(desk: ApiDesk) -> None:
        assert await desk.refused(desk.webhooks.create, body=wish) == (400, code, param)

    play(tmp_path, story)


def test_endpoints_are_each_accounts_own_and_need_their_scope(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        ours = await endpoint(desk)
        theirs = await desk.get(desk.webhooks.create, body=HOOK, key=CONNECT, status=201)
        assert (await desk.refused(desk.webhooks.show, ours["id"], key=CONNECT))[0] == 404
        assert (await desk.refused(desk.webhooks.delete, theirs["id"]))[0] == 404
        assert await desk.refused(desk.webhooks.index, key=READER) == (403, "authorization_failed", "webhooks:manage")

    play(tmp_path, story)


def test_an_account_has_so_many_endpoints_and_no_more(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        for _ in range(MAX_ENDPOINTS):
            await endpoint(desk)
        assert (await desk.refused(desk.webhooks.create, body=HOOK))[1] == "invalid_parameter"

    play(tmp_path, story)


def test_an_endpoint_can_be_tried_so_often_in_an_hour(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await endpoint(desk, secret="whsec_of_our_own_choice")
        trial = {"type": "event.late_predicted"}
        delivery = await desk.get(desk.webhooks.test, made["id"], body=trial, status=202)
        assert (delivery["status"], delivery["type"], delivery["endpoint_id"]) == ("pending", trial["type"], made["id"])
        await until(lambda: len(desk.receiving.got) == 1)
        sent = json.loads(desk.receiving.got[0].body)
        assert (sent["type"], sent["livemode_test"]) == (trial["type"], True)
        assert sent["data"]["object"]["minutes_late"] == 12
        assert await desk.refused(desk.webhooks.test, made["id"], body={"type": "user.created"}) == (
            400,
            "invalid_parameter",
            "type",
        )
        for _ in range(TESTS_PER_HOUR - 1):
            await desk.get(desk.webhooks.test, made["id"], body=trial, status=202)
        assert (await desk.refused(desk.webhooks.test, made["id"], body=trial))[:2] == (429, "rate_limit_exceeded")

    play(tmp_path, story)


def test_what_was_sent_can_be_seen_and_sent_again_there_or_elsewhere(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await endpoint(desk)
        await desk.receiving.hooks.tell(happening())
        await until(lambda: len(desk.receiving.got) == 1)
        (first,) = (await desk.get(desk.webhooks.deliveries, made["id"]))["data"]
        assert (first["object"], first["type"]) == ("webhook_delivery", "event.created")
        await desk.get(desk.webhooks.replay, made["id"], first["id"], status=202)
        elsewhere = {"url": "http://127.0.0.1:9/hook"}
        again = await desk.get(desk.webhooks.replay, made["id"], first["id"], body=elsewhere, status=202)
        assert (again["event_id"], again["url"]) == (first["event_id"], elsewhere["url"])
        await until(lambda: len(desk.receiving.got) == 3)
        assert len({body["id"] for body in desk.receiving.bodies()}) == 1
        assert await desk.refused(desk.webhooks.replay, made["id"], "whd_none") == (
            404,
            "resource_missing",
            "delivery_id",
        )
        private = {"url": "http://10.0.0.1/"}
        assert (await desk.refused(desk.webhooks.replay, made["id"], first["id"], body=private))[1:] == (
            "invalid_parameter",
            "url",
        )

    play(tmp_path, story)

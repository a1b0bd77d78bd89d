"""Campaigns by the API: their figures, and that what belongs to one that rests does not ring."""

from pathlib import Path
from typing import Any

import msgspec

from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from phone_bridge.simulator.rest import Callee
from tests.app.premises import Premises, json_of, play
from tests.app.ringing import JSON, Telephone, ring
from tests.app.test_reminders import number, remind


def test_a_campaign_is_paused_resumed_and_its_figures_told(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        async def state(**body: Any) -> Any:
            return json_of(await phone.post("/v1/campaigns", {"id": "may", **body}))

        assert (await phone.post("/v1/campaigns", {"id": "may", "state": "paused"})).status == 404
        began = await state(name="may.csv", total=3, state="paused")
        assert (began["total"], began["state"], began["scheduled"], began["over"]) == (3, "paused", 0, 0)
        policy = {"max_attempts": 1}
        for last in range(2):
            await remind(phone, to=number(last), campaign="may", policy=policy)
        other = await remind(phone, to=number(2), policy=policy)
        await phone.until(f"/v1/reminders/{other['id']}", lambda one: one["status"] == "failed")
        assert len(phone.rest.calls) == 1  # the other one, which was asked for last
        assert json_of(await phone.house.ask("GET", "/v1/campaigns/may"))["scheduled"] == 2
        resumed = await state(state="running")
        assert (resumed["name"], resumed["total"]) == ("may.csv", 3)
        over = await phone.until("/v1/campaigns/may", lambda one: one["over"] == 2)
        assert over["outcomes"] == {"busy": 2}
        assert json_of(await phone.house.ask("GET", "/v1/campaigns"))["data"] == [over]
        assert len(phone.rest.calls) == 3

    ring(tmp_path, story, Callee(does="busy"), calls_per_second=10)


def test_a_key_that_may_only_look_changes_no_campaign(tmp_path: Path) -> None:
    viewer = ApiKey("viewer", fingerprint("pb_viewer"), ("reminders:read",))

    async def story(house: Premises) -> None:
        seeing = {"Authorization": "Bearer pb_viewer"}
        body = msgspec.json.encode({"id": "may", "total": 1})
        answer = await house.ask("POST", "/v1/campaigns", headers={**JSON, **seeing}, body=body)
        assert (answer.status, json_of(answer)["error"]["code"]) == (403, "insufficient_scope")
        assert json_of(await house.ask("GET", "/v1/campaigns", headers=seeing)) == {"object": "list", "data": []}
        assert (await house.ask("GET", "/v1/campaigns/may", headers=seeing)).status == 404
        assert (await house.ask("GET", "/v1/campaigns")).status == 401

    play(tmp_path, story, api_key="the-api-key", api_keys=(viewer,))

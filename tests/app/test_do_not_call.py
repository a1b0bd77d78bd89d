"""The do-not-call list by the API: who is on it is not rung, and who is taken off it may be."""

from pathlib import Path

import msgspec

from phone_bridge import exchange
from phone_bridge.app.calls import HIDDEN
from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from tests.app.premises import Premises, json_of, play
from tests.app.ringing import FROM, JSON, TO

ACCOUNT = {"twilio_account_sid": "AC1", "twilio_auth_token": "token", "twilio_phone_number": FROM}


def test_who_is_on_the_list_is_not_rung_until_taken_off_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async def send(path: str, **body: object) -> exchange.Response:
            return await house.ask("POST", path, headers=JSON, body=msgspec.json.encode(body))

        wish = {"to": TO, "at": "2030-01-01T09:00:00+01:00", "text": "x"}
        for _ in range(2):
            assert json_of(await send("/v1/do-not-call", to=TO)) == {"to": TO, "barred": True}
        for path, body in (("/v1/reminders", wish), ("/v1/calls", {"to": TO})):
            refused = await send(path, **body)
            assert (refused.status, json_of(refused)["error"]["code"]) == (409, "do_not_call")
        (one,) = json_of(await house.ask("GET", "/v1/do-not-call"))["data"]
        assert (one["to"], one["call_id"]) == (TO, None)
        for _ in range(2):
            assert json_of(await send("/v1/do-not-call", to=TO, barred=False)) == {"to": TO, "barred": False}
        assert (await send("/v1/reminders", **wish)).status == 201
        assert json_of(await house.ask("GET", "/v1/do-not-call")) == {"object": "list", "data": []}
        assert (await send("/v1/do-not-call", to="030")).status == 400

    play(tmp_path, story, destinations="+1", twilio_url="http://127.0.0.1:9", **ACCOUNT)


def test_a_key_that_may_only_look_sees_no_whole_number_and_changes_nothing(tmp_path: Path) -> None:
    viewer = ApiKey("viewer", fingerprint("pb_viewer"), ("reminders:read",))
    seeing = {"Authorization": "Bearer pb_viewer"}

    async def story(house: Premises) -> None:
        house.bridge.outbound.book.bar(TO, 0, "call_1")
        (one,) = json_of(await house.ask("GET", "/v1/do-not-call", headers=seeing))["data"]
        assert one == {"to": f"{HIDDEN}{TO[-2:]}", "since": "1970-01-01T00:00:00Z", "call_id": "call_1"}
        body = msgspec.json.encode({"to": TO, "barred": False})
        refused = await house.ask("POST", "/v1/do-not-call", headers={**JSON, **seeing}, body=body)
        assert (refused.status, json_of(refused)["error"]["code"]) == (403, "insufficient_scope")
        assert house.bridge.outbound.book.is_barred(TO)

    play(tmp_path, story, api_key="the-api-key", api_keys=(viewer,))

"""The calls API: who may use it, and what it says."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from phone_bridge.call.trace import Trace
from phone_bridge.runtime.api_keys import SCOPES, ApiKey, fingerprint
from tests.app.premises import ACCOUNT, LINE_MS, TOKEN, Premises, call_form, json_of, play
from tests.runtime.serving import until

JSON = {"Content-Type": "application/json"}
PATHS = [("GET", "/v1/calls"), ("GET", "/v1/calls/call_1"), ("POST", "/v1/calls/call_1/end")]


# Who may


def test_each_path_needs_its_scope(tmp_path: Path) -> None:
    scopes = {"GET": "calls:read", "POST": "calls:write"}

    async def story(house: Premises) -> None:
        for method, path in PATHS:
            for scope in SCOPES:
                answer = await house.ask(method, path, headers={"Authorization": f"Bearer key for {scope}"})
                assert answer.status in ((200, 404) if scope == scopes[method] else (403,)), (path, scope)
            error = json_of(await house.ask(method, path))["error"]
            assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")

    keys = [ApiKey(scope.replace(":", "-"), fingerprint(f"key for {scope}"), (scope,)) for scope in SCOPES]
    play(tmp_path, story, api_keys=tuple(keys))


def test_a_key_of_one_user_knows_of_no_other_s_calls(tmp_path: Path) -> None:
    keys = tuple(
        ApiKey(user, fingerprint(f"key of {user}"), ("calls:read", "calls:write", "recordings:read"), users=(user,))
        for user in ("usr_demo_alice", "usr_b")
    )

    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        (live,) = await house.calls()
        mine, other = ({"Authorization": f"Bearer key of {user}"} for user in ("usr_demo_alice", "usr_b"))
        for seeing, ids in ((mine, [live.id]), (other, [])):
            listed = json_of(await house.ask("GET", "/v1/calls", headers=seeing))["data"]
            assert [call["id"] for call in listed] == ids
        assert (await house.ask("GET", f"/v1/calls/{live.id}", headers=mine)).status == 200
        for method, path in (*PATHS[1:], ("GET", "/events"), ("GET", "/recording"), ("POST", "/transfer")):
            where = f"/v1/calls/{live.id}{path.removeprefix('/v1/calls/call_1')}"
            answer = await house.ask(method, where, headers=JSON | other, body=b'{"to": "+12025550100"}')
            assert (answer.status, json_of(answer)["error"]["code"]) == (404, "call_not_found"), where
        body = msgspec.json.encode({"to": "+12025550100", "user_id": "usr_demo_alice"})
        answer = await house.ask("POST", "/v1/calls", headers=JSON | other, body=body)
        assert (answer.status, json_of(answer)["error"]["code"]) == (403, "user_not_allowed")
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story, api_keys=keys)


# What


def test_nothing_is_listed_before_the_first_call(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        answer = await house.ask("GET", "/v1/calls")
        assert answer.headers["content-type"] == "application/json"
        assert json_of(answer) == {"object": "list", "data": []}
        for method, path in PATHS[1:]:
            answer = await house.ask(method, path)
            error = json_of(answer)["error"]
            assert (answer.status, error["type"], error["code"]) == (404, "invalid_request_error", "call_not_found")

    play(tmp_path, story)


def test_a_call_is_shown_with_the_names_that_are_fixed(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        await house.ring("CA2")
        listed = json_of(await house.ask("GET", "/v1/calls"))["data"]
        assert [(call["carrier_id"], call["status"]) for call in listed] == [("CA2", "ringing"), ("CA1", "in_progress")]
        (found,) = json_of(await house.ask("GET", "/v1/calls?carrier_id=CA1"))["data"]
        shown = json_of(await house.ask("GET", f"/v1/calls/{found['id']}"))
        assert set(shown) == {
            "id",
            "carrier_id",
            "direction",
            "from",
            "to",
            "user_id",
            "session",
            "status",
            "started_at",
            "answered_at",
            "ended_at",
            "ended_by",
            "transcript",
            "actions",
            "error",
            "resumed",
            "voicemail",
            "recording",
            "timeline",
            "answered_by",
            "reply",
            "reminder_id",
            "metadata",
            "usage",
            "route",
            "language",
            "voicemail_seconds",
            "voicemail_text",
            "transfers",
            "return_url",
            "return_ref",
            "return_route",
            "trust",
            "receipts",
        }
        assert shown["id"].startswith("call_")
        assert (shown["from"], shown["to"], shown["ended_at"]) == ("+12025550143", "+12025550100", None)
        await asyncio.sleep(LINE_MS / 1000 + 0.1)
        (said,) = json_of(await house.ask("GET", f"/v1/calls/{found['id']}"))["transcript"]
        assert said == {"at_ms": said["at_ms"], "speaker": "bridge", "text": said["text"]}
        assert said["text"].startswith("Hello")
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story)


def test_what_a_live_call_is_asking_has_no_verdict_yet(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk("CA1")
        assistant.propose("act_1")
        (record,) = await house.calls()
        await until(lambda: trace_of(house).open != ())
        for path in ("/v1/calls?carrier_id=CA1", "/v1/calls"):
            (listed,) = json_of(await house.ask("GET", path))["data"]
            assert listed["actions"] == []
        assert json_of(await house.ask("GET", f"/v1/calls/{record.id}"))["actions"] == []
        carrier.hang_up()
        await house.ended(carrier)
        (action,) = json_of(await house.ask("GET", f"/v1/calls/{record.id}"))["actions"]
        assert (action["id"], action["verdict"], action["outcome"]) == ("act_1", "unanswered", "")

    def trace_of(house: Premises) -> Trace:
        ((_, trace),) = house.bridge.registry.traces()
        return trace

    play(tmp_path, story)


def test_a_live_call_is_ended_with_a_goodbye_and_another_is_not(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        (live,) = await house.calls()
        await asyncio.sleep(LINE_MS / 1000 + 0.1)
        heard = len(carrier.sound)
        answer = await house.ask("POST", f"/v1/calls/{live.id}/end")
        assert (answer.status, json_of(answer)["id"]) == (202, live.id)
        code, record = await house.ended(carrier)
        assert code == 1000
        assert len(carrier.sound) >= heard + LINE_MS * 8 - 100
        assert (record.status, record.ended_by, record.error) == ("completed", "api", None)
        assert record.transcript[-1]["text"] == "Goodbye."
        again = await house.ask("POST", f"/v1/calls/{live.id}/end")
        assert (again.status, json_of(again)["error"]["code"]) == (409, "call_ended")

    play(tmp_path, story)


def test_a_call_that_is_not_live_here_is_ended_by_the_carrier(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.post("/twilio/voice", call_form("CA1"), token=TOKEN)
        (ringing,) = await house.calls()
        for carrier_status, status in ((200, 202), (404, 202), (503, 409), (401, 409)):
            house.peers.carrier_status = carrier_status
            answer = await house.ask("POST", f"/v1/calls/{ringing.id}/end")
            assert answer.status == status
        assert json_of(answer)["error"]["code"] == "call_not_live"
        assert house.peers.carrier_asked == [(f"/2010-04-01/Accounts/{ACCOUNT}/Calls/CA1.json", "Status=completed")] * 4
        (record,) = await house.calls()
        assert record.status == "ringing"  # until the carrier's own callback says otherwise

    play(tmp_path, story, twilio_auth_token=TOKEN, twilio_account_sid=ACCOUNT)


def test_without_an_account_the_carrier_cannot_be_asked(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.ring("CA1")
        (ringing,) = await house.calls()
        answer = await house.ask("POST", f"/v1/calls/{ringing.id}/end")
        assert (answer.status, json_of(answer)["error"]["code"]) == (409, "call_not_live")
        assert "TWILIO_ACCOUNT_SID" in json_of(answer)["error"]["message"]

    play(tmp_path, story)


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/calls/call_1"), ("GET", "/v1/calls/call_1/end")])
def test_other_methods_are_not_allowed(tmp_path: Path, method: str, path: str) -> None:
    async def story(house: Premises) -> None:
        assert (await house.ask(method, path)).status == 405

    play(tmp_path, story)

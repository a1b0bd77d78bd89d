"""The built-in assistant's paths, over the loopback."""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from phone_bridge.app.guard import MAX_BODY_BYTES as GUARD_BYTES
from phone_bridge.assistant.minting import MAX_BODY_BYTES
from phone_bridge.errors import Refused
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.chronapilot.schema import schema
from tests.app.premises import Premises, json_of, play
from tests.runtime.serving import dial, until

WISH = {"user_id": "usr_demo_alice", "scopes": ["events:read", "events:write", "calendars:read"], "ttl_seconds": 300}

SCHEMA = jsonschema.Draft202012Validator({**schema(), "anyOf": [{"$ref": "#/$defs/ServerMessage"}]})
"""What the server says of its messages; every one of a real session must be of it."""


class Client:
    """A client's end of a session's socket."""

    def __init__(self) -> None:
        self.heard: list[m.ServerMessage] = []
        self.code: int | None = None

    def message(self, data: str | bytes) -> None:
        SCHEMA.validate(msgspec.json.decode(data))
        read = m.read_server_message(data)
        assert read is not None
        self.heard.append(read)

    def closed(self, code: int, reason: str) -> None:
        self.code = code

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]


def auth(house: Premises) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.bridge.embedded.key}"}


async def mint(house: Premises) -> tuple[str, str]:
    answer = await house.ask("POST", "/v1/voice/sessions", headers=auth(house), body=msgspec.json.encode(WISH))
    assert answer.status == 201
    minted = json_of(answer)
    return minted["id"], f"{house.running.url}/v1/voice/realtime?session={minted['session_token']}"


async def status(house: Premises, session_id: str) -> tuple[str, str | None]:
    shown = json_of(await house.ask("GET", f"/v1/voice/sessions/{session_id}", headers=auth(house)))
    assert "session_token" not in shown
    return shown["status"], shown.get("closed_reason")


def test_a_session_is_minted_opened_talked_to_and_closed(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        session_id, url = await mint(house)
        assert await status(house, session_id) == ("pending", None)
        socket, client = await dial(url), Client()
        socket.attach(client)
        await until(lambda: bool(client.of(m.SessionCreated)))
        assert await status(house, session_id) == ("open", None)
        socket.send(m.encode(m.TextAppend("what is my next meeting")))
        await until(lambda: bool(client.of(m.ResponseDone)))
        assert client.of(m.ActionExecuted)[0].action.name == "get_next_event"
        assert "".join(delta.text for delta in client.of(m.AudioTranscriptDelta)).startswith("Your next meeting is")
        assert client.of(m.AudioDelta)
        socket.close(1000)
        await until(lambda: client.code is not None)
        await socket.wait_closed()
        await until_closed(house, session_id, "client_close")

    play(tmp_path, story)


async def until_closed(house: Premises, session_id: str, reason: str) -> None:
    for _ in range(100):
        if await status(house, session_id) == ("closed", reason):
            return
    raise AssertionError(await status(house, session_id))


def test_deleting_a_session_closes_its_socket_for_good(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        session_id, url = await mint(house)
        client = Client()
        (await dial(url)).attach(client)
        for _ in range(2):
            answer = await house.ask("DELETE", f"/v1/voice/sessions/{session_id}", headers=auth(house))
            assert (answer.status, json_of(answer)["status"]) == (200, "closed")
        await until(lambda: client.code == 4410)
        with pytest.raises(Refused):
            await dial(url)

    play(tmp_path, story)


@pytest.mark.parametrize("token", ["", "header.claims.signature", "%20"])
def test_a_handshake_without_a_good_token_is_refused_with_a_reason(tmp_path: Path, token: str) -> None:
    async def story(house: Premises) -> None:
        path = f"/v1/voice/realtime?session={token}"
        with pytest.raises(Refused) as refused:
            await dial(f"{house.running.url}{path}")
        assert refused.value.code == "http_401"
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
        }
        answer = await house.ask("GET", path, headers=upgrade)
        assert (answer.status, json_of(answer)["error"]["type"]) == (401, "authentication_error")

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("headers", "body", "answer", "code"),
    [
        ({}, b"{}", 401, "authentication_failed"),
        ({"Authorization": "Bearer sk_test_another"}, b"{}", 401, "authentication_failed"),
        (None, b"{", 400, "invalid_json"),
        (None, b"{}", 400, "missing_required_field"),
        (None, msgspec.json.encode({**WISH, "ttl_seconds": 1801}), 400, "invalid_parameter"),
    ],
)
def test_a_bad_mint_is_refused_with_the_products_own_errors(
    tmp_path: Path, headers: dict[str, str] | None, body: bytes, answer: int, code: str
) -> None:
    async def story(house: Premises) -> None:
        given = auth(house) if headers is None else headers
        refused = await house.ask("POST", "/v1/voice/sessions", headers=given, body=body)
        assert (refused.status, json_of(refused)["error"]["code"]) == (answer, code)

    play(tmp_path, story)


def test_a_mint_of_more_than_a_mint_can_be_is_not_read(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        body = b" " * (MAX_BODY_BYTES + 1)
        assert (await house.ask("POST", "/v1/voice/sessions", headers=auth(house), body=body)).status == 413

    play(tmp_path, story)


def test_a_session_nobody_minted_is_not_found(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for method in ("GET", "DELETE"):
            answer = await house.ask(method, "/v1/voice/sessions/hub_9", headers=auth(house))
            assert (answer.status, json_of(answer)["error"]["code"]) == (404, "resource_missing")

    play(tmp_path, story)


def test_a_proposal_and_its_outcome_are_of_the_schema_and_seen_afterwards(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        session_id, url = await mint(house)
        socket, client = await dial(url), Client()
        socket.attach(client)
        for text in ("What is my next meeting?", "Cancel it."):
            done = len(client.of(m.ResponseDone))
            socket.send(m.encode(m.TextAppend(text)))
            await until(lambda done=done: len(client.of(m.ResponseDone)) > done)  # type: ignore[misc]  # bound now
        (proposal,) = client.of(m.ActionProposed)
        socket.send(m.encode(m.ActionConfirm(proposal.id)))
        socket.send(m.encode(m.ActionConfirm("act_none")))
        await until(lambda: len(client.of(m.ActionExecuted)) > 1 and bool(client.of(m.ErrorMessage)))
        event_id = client.of(m.ActionExecuted)[-1].event_id
        shown = json_of(await house.ask("GET", f"/v1/events/{event_id}", headers=auth(house)))
        assert shown["is_cancelled"] is True
        socket.close(1000)
        await socket.wait_closed()
        await until_closed(house, session_id, "client_close")

    play(tmp_path, story)


def test_the_schema_is_served_to_everybody(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        answer = await house.ask("GET", "/v1/voice/realtime/schema.json")
        assert (answer.status, json_of(answer)) == (200, msgspec.json.decode(msgspec.json.encode(schema())))

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/voice/none", 404, "resource_missing"),
        ("PUT", "/v1/events", 405, "method_not_allowed"),
        ("POST", "/v1/webhook_endpoints", 413, "payload_too_large"),
    ],
)
def test_every_refusal_under_its_paths_has_the_apis_envelope(
    tmp_path: Path, method: str, path: str, status: int, code: str
) -> None:
    async def story(house: Premises) -> None:
        body = b" " * (GUARD_BYTES + 1) if status == 413 else b""
        answer = await house.ask(method, path, headers=auth(house), body=body)
        error = json_of(answer)["error"]
        assert (answer.status, error["code"]) == (status, code)
        assert error["request_id"].startswith("req_")
        assert error["doc_url"].endswith(code.replace("_", "-"))
        bare = await house.ask("GET", "/v2/none")
        assert set(json_of(bare)["error"]) == {"type", "code", "message"}

    play(tmp_path, story)


def test_a_path_of_both_apis_is_answered_by_the_key_that_is_shown(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        ours = await house.ask("GET", "/v1/reminders", headers=auth(house))
        assert (ours.status, json_of(ours)["object"]) == (200, "list")
        theirs = await house.ask("GET", "/v1/reminders", headers={"Authorization": "Bearer pb_1"})
        assert "doc_url" not in json_of(theirs).get("error", {})

    play(tmp_path, story)

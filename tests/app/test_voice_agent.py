"""The voice-agent endpoint: a session by its address, once, and its tools."""

import json
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.errors import Refused
from phone_bridge.exchange import Response
from tests.app.premises import Premises, json_of, play
from tests.app.test_realtime import AUTH, KEY, READER, TALKER, Client
from tests.runtime.serving import dial

MINT, EXECUTE = "/api/voice-agent", "/api/voice-agent/execute-tool"


async def execute(house: Premises, name: str, **args: Any) -> Response:
    return await house.ask("POST", EXECUTE, body=json.dumps({"toolName": name, "args": args}).encode())


def test_a_session_is_its_address_which_opens_it_once_in_the_beta_s_shape(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = json_of(await house.ask("POST", MINT, body=b""))
        assert (made["object"], made["voice"], made["model"]) == ("realtime.session", "ash", "gpt-realtime-mini")
        url = made["client_secret"]["value"]
        assert url.startswith("wss://bridge.test/v1/realtime?ticket=ek_")
        here = house.running.url + url.removeprefix("wss://bridge.test")
        client = Client(await dial(here, headers={}))
        created = await client.first("session.created")
        assert created["session"]["modalities"] == ["text", "audio"]
        assert {"searchMemory", "addMemory", "create_event"} <= {tool["name"] for tool in created["session"]["tools"]}
        await client.leave()
        with pytest.raises(Refused) as again:
            await dial(here, headers={})
        assert again.value.code == "http_401"

    play(tmp_path, story)


def test_what_is_wished_is_minted(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = json_of(await house.ask("POST", MINT, body=b'{"model":"gpt-4-realtime","voice":"sage"}'))
        assert (made["model"], made["voice"]) == ("gpt-realtime", "sage")
        for body in (b'{"voice":"nova"}', b"{", b'{"model":""}', b"x" * 70_000):
            refused = await house.ask("POST", MINT, body=body)
            assert refused.status == 400
            assert list(json_of(refused)) == ["error"]

    play(tmp_path, story)


def test_tools_are_run_by_the_names_that_clients_know(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        messages = [{"role": "user", "content": "My wife is called Anna."}]
        added = await execute(house, "addMemory", messages=messages, userId="usr_other")
        assert json_of(added)["ok"] is True
        found = json_of(await execute(house, "searchMemory", query="wife", userId="usr_other"))
        assert [each["memory"] for each in found["results"]] == ["My wife is called Anna."]
        assert len(json_of(await execute(house, "getAllMemories"))["memories"]) == 1
        day = json_of(await execute(house, "get_next_event"))
        assert day["ok"] is True
        theme = json_of(await execute(house, "changeBrowserTheme", theme="dark"))
        assert theme == {"error": "Tool is not executable"}

    play(tmp_path, story, user_id="usr_carol")


def test_what_cannot_be_run_is_told_in_one_sentence(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        nameless = await house.ask("POST", EXECUTE, body=b"{}")
        assert (nameless.status, json_of(nameless)) == (400, {"error": "toolName is required"})
        unknown = await execute(house, "rm")
        assert (unknown.status, json_of(unknown)) == (404, {"error": "Tool 'rm' not found"})
        assert (await execute(house, "tavilySearchTool", query="x")).status == 404, "no key is set for it"
        assert (await execute(house, "addMemory", messages=[])).status == 400

    play(tmp_path, story)


def test_nobody_comes_in_without_a_key_that_is_good_for_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for path in (MINT, EXECUTE):
            stranger = await house.ask("POST", path)
            assert (stranger.status, json_of(stranger)) == (401, {"error": "Unauthorized"})
            reader = await house.ask("POST", path, headers={"Authorization": "Bearer pb_reader"})
            assert (reader.status, json_of(reader)) == (403, {"error": "Forbidden"})
        assert (await house.ask("POST", MINT, headers=AUTH)).status == 200

    play(tmp_path, story, api_key=KEY, api_keys=(READER, TALKER))

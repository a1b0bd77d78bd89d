"""The Realtime door's paths, over the loopback."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from phone_bridge.errors import Refused
from phone_bridge.runtime.api_keys import TALK, ApiKey, fingerprint
from phone_bridge.runtime.sockets import Socket
from tests.app.premises import Premises, json_of, play
from tests.runtime.serving import dial, until

KEY = "the-api-key"
AUTH = {"Authorization": f"Bearer {KEY}"}
READER = ApiKey("reader", fingerprint("pb_reader"), ("calls:read",))
TALKER = ApiKey("talker", fingerprint("pb_talker"), (TALK,))


class Client:
    """A client's end of a socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.heard: list[Any] = []
        self.code: int | None = None
        socket.attach(self)

    def message(self, data: str | bytes) -> None:
        self.heard.append(json.loads(data))

    def closed(self, code: int, reason: str) -> None:
        self.code = code

    async def first(self, kind: str) -> Any:
        await until(lambda: any(each["type"] == kind for each in self.heard))
        return next(each for each in self.heard if each["type"] == kind)

    async def leave(self) -> None:
        self.socket.close(1000)
        await until(lambda: self.code is not None)
        await self.socket.wait_closed()


async def connect(house: Premises, query: str = "", subprotocols: tuple[str, ...] = (), **headers: str) -> Client:
    url = f"{house.running.url}/v1/realtime{query}"
    return Client(await dial(url, headers=headers, subprotocols=subprotocols))


async def refused(house: Premises, **how: Any) -> str:
    with pytest.raises(Refused) as error:
        await connect(house, **how)
    return error.value.code


def test_a_key_or_a_secret_made_with_it_opens_the_socket_by_header_or_subprotocol(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        body = msgspec.json.encode({"session": {"type": "realtime", "instructions": "Be brief."}})
        made = await house.ask("POST", "/v1/realtime/client_secrets", headers=AUTH, body=body)
        assert made.status == 200
        secret = json_of(made)["value"]
        for key in (KEY, secret, "pb_talker"):
            for how in (
                {"Authorization": f"Bearer {key}"},
                {"subprotocols": ("realtime", f"openai-insecure-api-key.{key}")},
            ):
                client = await connect(house, **how)
                created = await client.first("session.created")
                assert created["session"]["instructions"] == ("Be brief." if key == secret else "")
                await client.leave()
        await until(lambda: house.bridge.embedded.realtime.live == 0)

    play(tmp_path, story, api_key=KEY, api_keys=(READER, TALKER))


def test_nobody_else_comes_in(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        assert await refused(house) == "http_401"
        assert await refused(house, Authorization="Bearer wrong") == "http_401"
        assert await refused(house, Authorization="Bearer ek_wrong") == "http_401"
        assert await refused(house, Authorization="Bearer pb_reader") == "http_403"
        assert await refused(house, subprotocols=("realtime", "openai-insecure-api-key.wrong")) == "http_401"
        for path in ("/v1/realtime/client_secrets", "/v1/realtime/sessions"):
            assert (await house.ask("POST", path)).status == 401
            assert (await house.ask("POST", path, headers={"Authorization": "Bearer pb_reader"})).status == 403

    play(tmp_path, story, api_key=KEY, api_keys=(READER, TALKER))


def test_without_any_key_this_machine_is_served_whatever_it_shows(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        client = await connect(house, Authorization="Bearer whatever")
        assert await client.first("session.created")
        await client.leave()
        assert await refused(house, Origin="https://elsewhere.test") == "http_403"

    play(tmp_path, story)


@pytest.mark.parametrize(
    "how", [{"OpenAI-Beta": "realtime=v1"}, {"subprotocols": ("realtime", "openai-beta.realtime-v1")}]
)
def test_the_beta_is_spoken_to_who_asks_for_it(tmp_path: Path, how: dict[str, Any]) -> None:
    async def story(house: Premises) -> None:
        client = await connect(house, "?model=mine", **how)
        created = await client.first("session.created")
        assert (created["session"]["modalities"], created["session"]["model"]) == (["text", "audio"], "mine")
        assert await client.first("conversation.created")
        await client.leave()

    play(tmp_path, story)


def test_the_beta_mints_as_it_did(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = json_of(await house.ask("POST", "/v1/realtime/sessions", body=b'{"model":"mine","voice":"sage"}'))
        assert (made["model"], made["voice"]) == ("mine", "sage")
        client = await connect(house, Authorization=f"Bearer {made['client_secret']['value']}")
        created = await client.first("session.created")
        assert created["session"]["audio"]["output"]["voice"] == "sage"
        await client.leave()

    play(tmp_path, story)


def test_a_calendar_is_read_over_the_socket_and_a_stranger_is_told_so(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        client = await connect(house)
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "what is my next meeting"}],
        }
        client.socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        client.socket.send(json.dumps({"type": "response.create"}))
        response = (await client.first("response.done"))["response"]
        assert response["output"][0]["content"][0]["transcript"].startswith("Your next meeting is")
        await client.leave()
        stranger = await connect(house, "?user_id=usr_nobody")
        error = (await stranger.first("error"))["error"]
        assert (error["code"], error["param"]) == ("invalid_value", "user_id")
        await until(lambda: stranger.code == 1008)
        await stranger.socket.wait_closed()

    play(tmp_path, story)

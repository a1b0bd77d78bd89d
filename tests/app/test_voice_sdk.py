"""The Voice SDK's paths, over the loopback, by hand and by an independent peer."""

import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.events import Event, SessionOpened
from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from phone_bridge.runtime.connect import Connector, Link
from phone_bridge.sessions.voice_sdk import VoiceSdk
from tests.app.premises import Premises, json_of, play
from tests.runtime.serving import until

KEY = "the-api-key"
AUTH = {"Authorization": f"Bearer {KEY}"}
READER = ApiKey("reader", fingerprint("pb_reader"), ("calls:read",))


async def token(house: Premises) -> dict[str, str]:
    answer = await house.ask("POST", "/api/v1/sdk/token", headers=AUTH)
    assert answer.status == 200
    made: dict[str, str] = json_of(answer)
    return made


def test_a_good_key_gets_a_token_and_a_heartbeat_and_no_other_does(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        assert (await token(house))["ws_url"] == f"{house.running.url}/api/v1/sdk/ws"
        assert json_of(await house.ask("POST", "/api/v1/sdk/heartbeat", headers=AUTH)) == {"status": "ok"}
        for path in ("/api/v1/sdk/token", "/api/v1/sdk/heartbeat"):
            assert (await house.ask("POST", path)).status == 401
            assert (await house.ask("POST", path, headers={"Authorization": "Bearer wrong"})).status == 401
            assert (await house.ask("POST", path, headers={"Authorization": "Bearer pb_reader"})).status == 403

    play(tmp_path, story, api_key=KEY, api_keys=(READER,), public_url="")


def test_the_socket_is_where_the_public_reaches_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        assert (await token(house))["ws_url"] == "wss://bridge.test/api/v1/sdk/ws"

    play(tmp_path, story, api_key=KEY)


def test_an_independent_client_enters_once_with_each_token(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        async with connect(made["ws_url"]) as socket:
            await socket.send(json.dumps({"token": made["token"]}))
            assert json.loads(await socket.recv()) == {"type": "connected"}
            assert json.loads(await socket.recv()) == {"type": "agent_ready"}
            await socket.send(bytes(640))
            await socket.send("anything")
        async with connect(made["ws_url"]) as socket:
            await socket.send(json.dumps({"token": made["token"]}))
            assert json.loads(await socket.recv())["code"] == "AUTH_FAILED"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4003
        await until(lambda: house.bridge.embedded.sdk.live == 0)

    play(tmp_path, story, api_key=KEY, public_url="")


@pytest.mark.parametrize("first", ["hello", bytes(640)])
def test_an_independent_client_without_a_token_is_turned_away(tmp_path: Path, first: str | bytes) -> None:
    async def story(house: Premises) -> None:
        async with connect(f"{house.running.url}/api/v1/sdk/ws") as socket:
            await socket.send(first)
            assert json.loads(await socket.recv())["code"] == "INVALID_AUTH"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4002

    play(tmp_path, story, api_key=KEY)


def test_our_client_opens_a_session_with_a_fresh_token_each_time(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        dialect = VoiceSdk(base_url=f"http://127.0.0.1:{house.running.port}", key=KEY)
        connector = Connector(house.http)
        for _ in range(2):
            link = await connector.connect(dialect, PCMU_8K, nonce="same")
            listener = Listener(link)
            await until(lambda: SessionOpened() in listener.facts)  # noqa: B023 - waited for at once
            await connector.part(link, dialect)
            await link.socket.wait_closed()
        await until(lambda: house.bridge.embedded.sdk.live == 0)

    play(tmp_path, story, api_key=KEY, public_url="")


class Listener:
    """What our client's wire makes of a session."""

    def __init__(self, link: Link) -> None:
        self.facts: list[Event] = []
        self._wire = link.wire
        link.socket.attach(self)

    def message(self, data: str | bytes) -> None:
        self.facts += self._wire.receive(data, 0)

    def closed(self, code: int, reason: str) -> None: ...

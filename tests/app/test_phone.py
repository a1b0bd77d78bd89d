"""The soft-phone's line, by an independent client: how it gets in, what it hears, and how it comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from phone_bridge import voice_sdk as w
from phone_bridge.app.phone import MAX_BODY_BYTES
from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from phone_bridge.sessions.chronapilot import messages as m
from tests.app.premises import Premises, json_of, play
from tests.runtime.pumping import Assistant
from tests.runtime.serving import until

KEY = "the-api-key"
AUTH = {"Authorization": f"Bearer {KEY}"}
READER = ApiKey("reader", fingerprint("pb_reader"), ("calls:read",))
ALL = list(w.PHONE_FEATURES)
FRAME = b"\x00\x01" * 320


async def token(house: Premises, **body: str) -> dict[str, str]:
    answer = await house.ask("POST", "/phone/token", headers=AUTH, body=json.dumps(body).encode() if body else b"")
    assert answer.status == 200, answer.body
    made: dict[str, str] = json_of(answer)
    return made


class Phone:
    """A page: plays at once what it is sent, gives the marks back, and keeps what it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.told: list[dict[str, Any]] = []
        self.sound = 0
        self.gives_marks_back = True
        self.hearing = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        async for data in self.socket:
            if isinstance(data, bytes):
                self.sound += len(data)
                continue
            message = json.loads(data)
            self.told.append(message)
            if message["type"] == "mark" and self.gives_marks_back:
                await self.say(message)

    async def say(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.told if message["type"] == kind]

    def captions(self) -> list[str]:
        return [message["text"] for message in self.of("transcript")]


@asynccontextmanager
async def phone(house: Premises, made: dict[str, str], features: list[str] = ALL) -> AsyncIterator[Phone]:
    async with connect(f"{house.running.url}/phone/ws") as socket:
        await socket.send(json.dumps({"token": made["token"], "features": features}))
        page = Phone(socket)
        try:
            yield page
        finally:
            page.hearing.cancel()


async def talk(house: Premises, page: Phone, *, live: int = 1) -> Assistant:
    await until(lambda: len(house.peers.live) >= live and page.of("mark"))
    return house.peers.live[-1]


async def refusal(house: Premises, first: str) -> tuple[str, int]:
    async with connect(f"{house.running.url}/phone/ws") as socket:
        await socket.send(first)
        code = json.loads(await socket.recv())["code"]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        return code, closed.value.rcvd.code


# How it gets in


def test_a_token_wants_a_key_that_is_good_for_talking(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        assert made["ws_url"] == "wss://bridge.test/phone/ws"
        assert made["call_id"].startswith("call_")
        assert (await house.ask("POST", "/phone/token")).status == 401
        assert (await house.ask("POST", "/phone/token", headers={"Authorization": "Bearer pb_reader"})).status == 403

    play(tmp_path, story, api_key=KEY, api_keys=(READER,))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"call_id":7}', b'{"call_id":"' + b"x" * MAX_BODY_BYTES + b'"}'])
def test_a_body_that_makes_no_sense_is_refused(tmp_path: Path, body: bytes) -> None:
    async def story(house: Premises) -> None:
        answer = await house.ask("POST", "/phone/token", headers=AUTH, body=body)
        assert (answer.status, json_of(answer)["error"]["code"]) == (400, "invalid_body")

    play(tmp_path, story, api_key=KEY)


def test_a_token_opens_one_socket(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        async with phone(house, made) as page:
            await talk(house, page)
            again = json.dumps({"token": made["token"], "features": ALL})
            assert await refusal(house, again) == ("AUTH_FAILED", 4003)
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)

    play(tmp_path, story, api_key=KEY)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("hello", "INVALID_AUTH"),
        ('{"token":"abc"}', "SESSION_SETUP_FAILED"),
        ('{"token":"abc","features":["call"]}', "SESSION_SETUP_FAILED"),
        ('{"token":"abc","features":["call","interrupted"]}', "AUTH_FAILED"),
    ],
)
def test_whoever_shows_no_token_or_is_no_telephone_is_told_so(tmp_path: Path, first: str, code: str) -> None:
    async def story(house: Premises) -> None:
        assert await refusal(house, first) == (code, w.CLOSE_CODES[code])

    play(tmp_path, story)


def test_a_session_s_token_opens_no_telephone(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = json_of(await house.ask("POST", "/api/v1/sdk/token", headers=AUTH))
        first = json.dumps({"token": made["token"], "features": ALL})
        assert (await refusal(house, first))[0] == "AUTH_FAILED"

    play(tmp_path, story, api_key=KEY)


def test_without_a_free_line_there_is_no_call(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        async with phone(house, await token(house)) as page:
            await talk(house, page)
            answer = await house.ask("POST", "/phone/token", headers=AUTH)
            assert (answer.status, json_of(answer)["error"]["code"]) == (503, "busy")
            first = json.dumps({"token": made["token"], "features": ALL})
            assert (await refusal(house, first))[0] == "SESSION_SETUP_FAILED"
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)

    play(tmp_path, story, api_key=KEY, max_calls=1)


# What it is


def test_a_page_is_a_call_with_its_greeting_its_captions_and_its_record(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        async with phone(house, made) as page:
            assistant = await talk(house, page)
            assert page.told[0] == {"type": "connected", "features": ALL}
            await page.socket.send(FRAME)
            await until(lambda: assistant.heard and any(told["final"] for told in page.of("transcript")))
            assistant.tell(m.TranscriptFinal("What is next?"))
            await until(lambda: "What is next?" in page.captions())
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)
        (record,) = await house.calls()
        assert (record.id, record.carrier_id) == (made["call_id"], f"web_{made['call_id']}")
        assert (record.ended_by, record.error, record.from_number) == ("caller", None, None)
        assert {said["speaker"] for said in record.transcript} == {"bridge", "caller"}

    play(tmp_path, story, api_key=KEY)


def test_the_card_s_yes_counts_once_the_question_has_begun_to_be_heard(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phone(house, await token(house)) as page:
            assistant = await talk(house, page)
            page.gives_marks_back = False
            played = len(page.of("mark"))
            assistant.propose()
            await until(lambda: page.of("confirmation") and len(page.of("mark")) > played)
            yes = {"type": "confirmation_answer", "id": "act_1", "answer": "yes"}
            await page.say(yes)
            for mark in page.of("mark")[played:]:
                await page.say(mark)
            page.gives_marks_back = True
            await until(lambda: page.of("confirmation")[-1].get("answerable", True))
            assert page.of("confirmation_settled") == [], "a question that nobody has heard was answered"
            await page.say(yes)
            await until(lambda: page.of("confirmation_settled"))
            assert page.of("confirmation_settled")[0]["outcome"] == "confirmed"
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)
        (record,) = await house.calls()
        (action,) = record.actions
        assert (action["verdict"], action["by"], action["answer"]) == ("confirmed", "digit", "1")

    play(tmp_path, story, api_key=KEY)


# How it comes back


def test_a_call_whose_socket_was_lost_goes_on_with_a_new_token(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        async with phone(house, made) as page:
            await talk(house, page)
            page.socket.transport.abort()
        await until(lambda: house.bridge.registry.live == 0)
        again = await token(house, call_id=made["call_id"], resume=made["resume"])
        assert again["call_id"] == made["call_id"]
        async with phone(house, again) as page:
            await talk(house, page, live=2)
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)
        (record,) = await house.calls()
        assert (record.id, record.resumed, record.ended_by) == (made["call_id"], 1, "caller")

    play(tmp_path, story, api_key=KEY)


def test_a_call_that_still_looks_alive_is_taken_over_by_its_own_page(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        async with phone(house, made) as first:
            await talk(house, first)
            again = await token(house, call_id=made["call_id"], resume=made["resume"])
            async with phone(house, again) as second:
                await talk(house, second, live=2)
                await until(lambda: first.hearing.done())
                assert house.bridge.registry.live == 1
                await second.say({"type": "hang_up"})
                await until(lambda: house.bridge.registry.live == 0)

    play(tmp_path, story, api_key=KEY)


def test_a_call_is_nobody_else_s_and_not_after_its_end(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house)
        async with phone(house, made) as page:
            await talk(house, page)
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)
        for resume, status in ((made["resume"], 409), ("", 403), ("é", 403)):
            body = json.dumps({"call_id": made["call_id"], "resume": resume}).encode()
            assert (await house.ask("POST", "/phone/token", headers=AUTH, body=body)).status == status

    play(tmp_path, story, api_key=KEY)

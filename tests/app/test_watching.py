"""Calls as they happen, over server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from phone_bridge.app import watching
from phone_bridge.app.calls import HIDDEN, masked
from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from phone_bridge.sessions.chronapilot import messages as m
from tests.app.premises import Premises, json_of, play
from tests.runtime.serving import until

KEY = "the-api-key"
OPERATOR = {"Authorization": f"Bearer {KEY}"}
VIEWER = {"Authorization": "Bearer pb_viewer"}
KEYS: dict[str, Any] = {
    "api_key": KEY,
    "api_keys": (ApiKey("viewer", fingerprint("pb_viewer"), ("calls:read",)),),
}
NUMBER = "+12025550143"


OF_B = {"Authorization": "Bearer pb_b"}
TENANTS: dict[str, Any] = {
    "api_key": KEY,
    "api_keys": (ApiKey("b", fingerprint("pb_b"), ("calls:read",), users=("usr_b",)),),
}


class Watcher:
    """Reads one stream of events."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.events: list[tuple[str, Any]] = []
        self.over = False
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        waiting = b""
        async for piece in self.answer.content.iter_any():
            *events, waiting = (waiting + piece).split(b"\n\n")
            for event in events:
                lines = dict(line.split(": ", 1) for line in event.decode().splitlines())
                if "event" in lines:
                    self.events.append((lines["event"], json.loads(lines["data"])))
        self.over = True

    def of(self, name: str) -> list[Any]:
        return [data for kind, data in self.events if kind == name]


@asynccontextmanager
async def watch(house: Premises, path: str, headers: dict[str, str] | None = None) -> AsyncIterator[Watcher]:
    url = f"http://127.0.0.1:{house.running.port}{path}"
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers or {}) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        watcher = Watcher(answer)
        try:
            yield watcher
        finally:
            watcher.reading.cancel()


async def call_id(house: Premises) -> str:
    (record,) = await house.calls()
    return record.id


def picture(watcher: Watcher) -> dict[str, Any]:
    """Put the pieces of the time line together."""
    told = watcher.of("timeline")
    places = [(each["from"], len(each["caller"]), len(each["heard"])) for each in told]
    assert all(one + caller <= other for (one, caller, _), (other, _, _) in pairwise(places))
    return {
        "heard": "".join(each["heard"] for each in told),
        "events": [event for each in told for event in each["events"]],
    }


def test_a_call_is_followed_to_its_end(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk()
        async with watch(house, f"/v1/calls/{await call_id(house)}/events") as watcher:
            await until(lambda: watcher.of("now"))
            assert watcher.of("you") == [{"may_act": True, "may_hear": True}]
            assert watcher.of("call")[0]["from"] == NUMBER
            assistant.tell(m.TranscriptFinal("What is next?"))
            await until(lambda: any(said["text"] == "What is next?" for said in watcher.of("call")[-1]["transcript"]))
            assistant.propose()
            await until(lambda: watcher.of("now")[-1]["question"])
            assert watcher.of("now")[-1]["question"]["action"]["name"] == "cancel_event"
            await until(lambda: watcher.of("now")[-1]["question"]["answerable"])
            carrier.press("1")
            await until(lambda: [each["verdict"] for each in watcher.of("call")[-1]["actions"]] == ["confirmed"])
            await until(lambda: {"asked", "key"} <= {event["kind"] for event in picture(watcher)["events"]})
            await until(lambda: any(letter != "0" for letter in picture(watcher)["heard"]))  # our own voice
            carrier.hang_up()
            await until(lambda: watcher.over)
        assert watcher.of("call")[-1]["status"] == "completed"
        assert [name for name, _ in watcher.events].count("end") == 1
        assert watcher.events[-1][0] == "end"

    play(tmp_path, story)


def test_a_call_that_is_over_is_shown_once(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk()
        carrier.hang_up()
        await house.ended(carrier)
        async with watch(house, f"/v1/calls/{await call_id(house)}/events") as watcher:
            await until(lambda: watcher.over)
        assert [name for name, _ in watcher.events] == ["you", "call", "end"]

    play(tmp_path, story)


def test_the_list_tells_what_is_new_and_what_has_changed(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with watch(house, "/v1/calls/events") as watcher:
            await until(lambda: watcher.of("you"))
            carrier, assistant = await house.talk()
            await until(lambda: any(row["live"] for rows in watcher.of("calls") for row in rows))
            assistant.tell(m.TranscriptPartial("what is"))
            await until(lambda: watcher.of("calls")[-1][0]["last"] == {"speaker": "caller", "text": "what is"})
            carrier.hang_up()
            await until(lambda: watcher.of("calls")[-1][0]["status"] == "completed")
        row = watcher.of("calls")[-1][0]
        assert not row["live"]
        assert "transcript" not in row

    play(tmp_path, story)


def test_a_viewer_s_key_sees_no_numbers_and_may_not_act(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk()
        listed = json_of(await house.ask("GET", "/v1/calls", headers=OPERATOR))["data"]
        id = listed[0]["id"]  # noqa: A001 - the record's own word
        assert listed[0]["from"] == NUMBER
        for path in (f"/v1/calls/{id}", "/v1/calls"):
            seen = (await house.ask("GET", path, headers=VIEWER)).body.decode()
            assert NUMBER not in seen, path
            assert f"{HIDDEN}43" in seen, path
        for path in (f"/v1/calls/{id}/events", "/v1/calls/events"):
            async with watch(house, path, VIEWER) as watcher:
                await until(lambda: watcher.of("call") or watcher.of("calls"))
                assert watcher.of("you") == [{"may_act": False, "may_hear": False}]
                assert NUMBER not in json.dumps(watcher.events)
        assert (await house.ask("POST", f"/v1/calls/{id}/end", headers=VIEWER)).status == 403
        assert (await house.ask("POST", f"/v1/calls/{id}/end", headers=OPERATOR)).status == 202
        await house.ended(carrier)

    play(tmp_path, story, **KEYS)


@pytest.mark.parametrize(
    ("number", "seen"),
    [(NUMBER, f"{HIDDEN}43"), ("anonymous", HIDDEN), ("+1", HIDDEN), ("1234", HIDDEN), ("", ""), (None, None)],
)
def test_a_number_is_hidden_but_for_its_last_two_digits(number: str | None, seen: str | None) -> None:
    assert masked(number) == seen


def test_who_may_not_look_and_what_is_not_there_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for path in ("/v1/calls/events", "/v1/calls/call_1/events"):
            assert (await house.ask("GET", path)).status == 401
        assert (await house.ask("GET", "/v1/calls/call_1/events", headers=OPERATOR)).status == 404

    play(tmp_path, story, **KEYS)


def test_only_so_many_watch_and_whoever_leaves_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_WATCHERS", 1)

    async def story(house: Premises) -> None:
        async with watch(house, "/v1/calls/events") as watcher:
            await until(lambda: watcher.of("you"))
            refused = await house.ask("GET", "/v1/calls/events")
            assert (refused.status, json_of(refused)["error"]["code"]) == (503, "busy")
        await until(lambda: house.bridge.watchers == 0)
        async with watch(house, "/v1/calls/events") as watcher:
            await until(lambda: watcher.of("you"))

    play(tmp_path, story)


def test_watching_ends_with_the_drain(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with watch(house, "/v1/calls/events") as watcher:
            await until(lambda: watcher.of("you"))
            house.bridge.registry.draining = True
            await until(lambda: watcher.over)

    play(tmp_path, story)


def test_whoever_watches_for_one_user_sees_no_other_s_calls(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        async with watch(house, "/v1/calls/events", OPERATOR) as whole, watch(house, "/v1/calls/events", OF_B) as some:
            await until(lambda: any(whole.of("calls")))
            await until(lambda: len(some.of("you")) == 1)
            await house.ask("GET", "/v1/calls", headers=OPERATOR)
            assert not any(some.of("calls"))
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story, **TENANTS)

"""Recordings over HTTP: who may hear and delete one, and that no call has one unless somebody wanted it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.audio.tape import HEADER_BYTES
from phone_bridge.routing import Route
from phone_bridge.runtime.api_keys import SCOPES, ApiKey, fingerprint
from tests.app.premises import LINE_MS, Premises, json_of, play

FRAME = b"a" * 160


def recorded(folder: Path) -> dict[str, Any]:
    return {"record": True, "record_announce": False, "recordings_folder": str(folder / "recordings")}


async def call(house: Premises, seconds: float = 0.5) -> str:
    """Have somebody call and speak, and give the call's id."""
    carrier, _ = await house.talk("CA1")
    for _ in range(int(seconds * 50)):
        carrier.speak(FRAME)
        await asyncio.sleep(0.02)
    carrier.hang_up()
    _, record = await house.ended(carrier)
    return record.id


async def written(house: Premises, call_id: str) -> Path:
    for _ in range(100):
        path = house.bridge.recordings.find(call_id)
        if path is not None and path.stat().st_size > HEADER_BYTES:
            return path
        await asyncio.sleep(0.02)
    raise AssertionError("nothing was written")


def test_no_call_is_recorded_unless_somebody_wants_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        call_id = await call(house, 0.1)
        assert json_of(await house.ask("GET", f"/v1/calls/{call_id}"))["recording"] is None
        answer = await house.ask("GET", f"/v1/calls/{call_id}/recording")
        assert (answer.status, json_of(answer)["error"]["code"]) == (404, "recording_not_found")
        assert not (tmp_path / "recordings").exists()

    play(tmp_path, story, recordings_folder=str(tmp_path / "recordings"))


def test_a_route_that_wants_it_has_its_calls_recorded_and_announced(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        call_id = await call(house, LINE_MS / 1000 + 0.5)
        record = json_of(await house.ask("GET", f"/v1/calls/{call_id}"))
        assert record["route"] == "office"
        assert record["transcript"][0]["text"] == "This call is recorded."
        assert record["recording"]["state"] == "kept"
        assert record["recording"]["from_ms"] >= LINE_MS

    folder = str(tmp_path / "recordings")
    play(tmp_path, story, read_routes=lambda _: (Route(name="office", record=True),), recordings_folder=folder)


def test_a_recording_is_given_whole_or_in_part_and_deleted(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        call_id = await call(house)
        path = await written(house, call_id)
        whole = await house.ask("GET", f"/v1/calls/{call_id}/recording")
        assert (whole.status, whole.headers["content-type"]) == (200, "audio/wav")
        assert whole.body == path.read_bytes()
        part = await house.ask("GET", f"/v1/calls/{call_id}/recording", headers={"Range": "bytes=0-3"})
        assert (part.status, part.body) == (206, b"RIFF")
        assert (await house.ask("DELETE", f"/v1/calls/{call_id}/recording")).status == 204
        assert not path.exists()
        assert json_of(await house.ask("GET", f"/v1/calls/{call_id}"))["recording"]["state"] == "deleted"
        for method in ("GET", "DELETE"):
            answer = await house.ask(method, f"/v1/calls/{call_id}/recording")
            assert json_of(answer)["error"]["code"] == "recording_not_found"
        answer = await house.ask("GET", "/v1/calls/call_1/recording")
        assert json_of(answer)["error"]["code"] == "call_not_found"

    play(tmp_path, story, **recorded(tmp_path))


def test_while_the_call_goes_on_there_is_nothing_to_be_had(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        for _ in range(60):
            carrier.speak(FRAME)
            await asyncio.sleep(0.02)
        (live,) = json_of(await house.ask("GET", "/v1/calls"))["data"]
        assert live["recording"]["state"] == "recording"
        await written(house, live["id"])
        answer = await house.ask("GET", f"/v1/calls/{live['id']}/recording")
        assert (answer.status, json_of(answer)["error"]["code"]) == (409, "call_live")
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story, **recorded(tmp_path))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_reading_a_call_is_not_hearing_it(tmp_path: Path, method: str) -> None:
    needed = {"GET": "recordings:read", "DELETE": "calls:write"}[method]

    async def story(house: Premises) -> None:
        for scope in SCOPES:
            shown = {"Authorization": f"Bearer key for {scope}"}
            answer = await house.ask(method, "/v1/calls/call_1/recording", headers=shown)
            assert answer.status == (404 if scope == needed else 403), scope

    keys = [ApiKey(scope.replace(":", "-"), fingerprint(f"key for {scope}"), (scope,)) for scope in SCOPES]
    play(tmp_path, story, api_keys=tuple(keys))

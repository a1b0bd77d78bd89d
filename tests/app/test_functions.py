"""Calls bound to sessions whose model calls functions, over real sockets, from the carrier to the calendar."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.tools.calendar import CALENDAR_TOOLS
from tests.app.premises import LINE_MS, Premises, json_of, play
from tests.audio.speechlike import vowel
from tests.runtime.pumping import Carrier
from tests.runtime.serving import until
from tests.sessions.realtime.model import Call, Turn

KEY = "sk_test_their_key"
UTTERANCE = linear_to_ulaw(vowel(700).astype("<i2").tobytes()) + b"\xff" * 8 * 900

PLACES: dict[str, dict[str, Any]] = {
    "openai": {"session": "openai"},
    "azure": {"session": "azure-openai", "session_model": "voice"},
    "azure, preview": {
        "session": "azure-openai",
        "session_model": "voice",
        "session_api_version": "2025-04-01-preview",
        "session_auth": "bearer",
    },
    "gateway, beta": {"session": "realtime", "session_auth": "query", "session_format": "pcm16"},
    "gateway, GA": {"session": "realtime", "session_shape": "ga", "session_model": "m"},
}
DIALLED = {
    "openai": ("/v1/realtime?model=gpt-realtime", "authorization"),
    "azure": ("/openai/v1/realtime?model=voice", "api-key"),
    "azure, preview": ("/openai/realtime?api-version=2025-04-01-preview&deployment=voice", "authorization"),
    "gateway, beta": (f"/v1/realtime?token={KEY}", "openai-beta"),
    "gateway, GA": ("/v1/realtime?model=m", "authorization"),
}


def secretary(talk: Sequence[Turn]) -> Sequence[Call | str]:
    last = talk[-1]
    if last.role != "result":
        return [Call("get_next_event")]
    result = json.loads(last.text)
    if [turn.text for turn in talk if turn.role == "call"] == ["get_next_event"]:
        return [Call("cancel_event", {"event_id": result["event"]["id"]})]
    return ["done" if result["ok"] else "left"]


async def asked(house: Premises) -> Carrier:
    """Have a call in which the model wants to cancel a meeting, and wait until its question sounds."""
    house.peers.mind = secretary
    house.peers.words.append("cancel my next meeting")
    carrier = await house.open(token=(await house.ring()).parameters["token"])
    await until(lambda: len(house.peers.models) == 1 and carrier.marks > 0)
    for start in range(0, len(UTTERANCE), 160):
        carrier.speak(UTTERANCE[start : start + 160])
    model = house.peers.models[0]
    await until(lambda: any(turn.text == "cancel_event" for turn in model.talk))
    known = carrier.marks
    await until(lambda: carrier.marks >= known + 2)
    await asyncio.sleep(3 * LINE_MS / 1000)  # both lines of the question
    return carrier


@pytest.mark.parametrize("place", ["openai", "gateway, beta"])
def test_what_a_model_wants_is_asked_for_and_done_by_a_key(tmp_path: Path, place: str) -> None:
    async def story(house: Premises) -> None:
        carrier = await asked(house)
        carrier.press("1")
        known = len(carrier.sound)
        passed_through = PLACES[place].get("session_format") != "pcm16"
        await until(lambda: carrier.heard("done") if passed_through else len(carrier.sound) >= known + 8 * LINE_MS)
        carrier.hang_up()
        _, record = await house.ended(carrier)
        shown = json_of(await house.ask("GET", f"/v1/calls/{record.id}"))
        (action,) = shown["actions"]
        assert (action["name"], action["verdict"], action["by"]) == ("cancel_event", "confirmed", "digit")
        assert action["result"]["ok"] is True
        assert "Project review" in action["question"]
        assert shown["session"] == PLACES[place]["session"]
        receipts = house.bridge.receipts
        await until(lambda: receipts.of_call(record.id)[-1].outcome.status == "executed")  # written behind the call
        assert {each.action.name for each in receipts.of_call(record.id)} == {"cancel_event"}

    play(tmp_path, story, **PLACES[place])


@pytest.mark.parametrize("place", PLACES)
def test_each_place_is_dialled_in_its_way_and_told_what_the_session_shall_be(tmp_path: Path, place: str) -> None:
    async def story(house: Premises) -> None:
        carrier = await house.open(token=(await house.ring()).parameters["token"])
        await until(lambda: len(house.peers.models) == 1 and bool(house.peers.models[0].heard))
        settings = house.peers.models[0].settings
        assert "It is now 20" in str(settings.instructions)
        assert {tool.name for tool in CALENDAR_TOOLS} <= {tool["name"] for tool in tuple(settings.tools or ())}
        pcm16 = PLACES[place].get("session_format") == "pcm16"
        assert settings.input_format == ("audio/pcm" if pcm16 else "audio/pcmu")
        ((dialled, headers),) = house.peers.dialled
        path, header = DIALLED[place]
        assert dialled == path
        assert header in headers
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story, **PLACES[place])

"""Whole calls over real sockets, by the simulator: a code goes to the user's telephone, and a PIN is set by it."""

import asyncio
import io
import logging
import secrets
import zlib
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.routing import Route
from phone_bridge.runtime.pins import Pins
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.carrier import Site, place_call
from phone_bridge.simulator.script import Press, Step
from phone_bridge.simulator.webhooks import Dialling
from tests.app.premises import ACCOUNT, PUBLIC, TOKEN, Premises, Tone, premises
from tests.app.test_ivr_calls import QUICK
from tests.runtime.serving import until

ALICE, HERS, LINE = "usr_alice", "+12025550188", "+12025550100"
CODE, PIN, NEW, FIRST = "048271", "482913", "739164", "590486"
SETTINGS: dict[str, Any] = {
    "twilio_auth_token": TOKEN,
    "twilio_account_sid": ACCOUNT,
    "twilio_phone_number": LINE,
    "user_numbers": f"{ALICE}:{HERS}",
    "traces": "all",
    "record": True,
}
Story = Callable[[Premises], Coroutine[Any, Any, None]]


@pytest.fixture(autouse=True)
def the_code_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda below: int(CODE))


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """Take down all that is logged."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


async def cancels(house: Premises) -> None:
    """Be the assistant: have something cancelled."""
    await until(lambda: bool(house.peers.live), 10)
    house.peers.live[-1].propose("act_1", "Dentist")
    await until(lambda: any(isinstance(said, m.ActionConfirm) for said in house.peers.live[-1].words), 10)
    await end(house)


def hears(last: str) -> Story:
    """Be the assistant: hear the wish for another PIN, and wait for what comes of it."""

    async def story(house: Premises) -> None:
        await until(lambda: bool(house.peers.live), 10)
        house.peers.live[-1].tell(m.TranscriptFinal("I want to change my PIN"))
        await until(
            lambda: any(last in said.text for _, t in house.bridge.registry.traces() for said in t.transcript), 20
        )
        await end(house)

    return story


async def end(house: Premises) -> None:
    (record,) = [record for record, _ in house.bridge.registry.traces()]
    await house.ask("POST", f"/v1/calls/{record.id}/end")


def run(
    folder: Path, trust: dict[str, str], story: Story, *script: Step, pin: str = "", becomes: str = ""
) -> list[dict[str, str]]:
    """Have Alice's line called from somebody's number; gives the messages that telephones got."""

    async def go() -> list[dict[str, str]]:
        settings = SETTINGS | {
            "traces_folder": str(folder / "traces"),
            "recordings_folder": str(folder / "recordings"),
        }
        async with premises(folder, **settings) as house:
            house.bridge.tenants.replace([Route(name="a", user_id=ALICE, trust=trust)])
            pins = Pins(house.bridge.records, cost_log2=4)
            if pin:
                pins.set(ALICE, pin)
            assistant = asyncio.create_task(story(house))
            site = Site(url=f"http://127.0.0.1:{house.running.port}", public_url=PUBLIC)
            dialling = Dialling(account_sid=ACCOUNT, auth_token=TOKEN)
            result = await place_call(site, script, Tone(), dialling=dialling, manners=QUICK)
            await assistant
            assert not becomes or pins.is_the_same(ALICE, becomes)
            assert not any(fault.blames for fault in result.faults)
            return house.peers.texts

    return asyncio.run(go())


def nothing_of_it_is_kept(folder: Path, told: io.StringIO) -> None:
    kept = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    journals = [zlib.decompress(file.read_bytes().partition(b"\n")[2]) for file in folder.rglob("*.trace")]
    assert journals
    for secret in (CODE, PIN, NEW, FIRST):
        assert secret not in told.getvalue()
        assert not any(secret.encode() in content for content in (*kept, *journals))


def test_a_code_goes_to_the_user_s_own_telephone_whoever_calls_and_opens_the_tool(
    tmp_path: Path, told: io.StringIO
) -> None:
    keys = [Press(CODE), Press("1", after_ms=1_500)]
    texts = run(tmp_path, {"read": "unknown", "write": "code"}, cancels, *keys)
    (text,) = texts
    assert (text["To"], text["From"]) == (HERS, LINE), "and not to the number that calls"
    assert text["Body"].startswith(f"{CODE} is your code")
    nothing_of_it_is_kept(tmp_path, told)
    assert "a code was given in call" in told.getvalue()


def test_a_pin_is_changed_by_telephone_and_its_user_is_told(tmp_path: Path, told: io.StringIO) -> None:
    keys = [Press(f"{each}#") for each in (PIN, NEW, NEW)]
    texts = run(tmp_path, {"write": "pin"}, hears("is changed"), *keys, pin=PIN, becomes=NEW)
    (text,) = texts
    assert text["To"] == HERS
    assert "PIN for the telephone was set" in text["Body"]
    nothing_of_it_is_kept(tmp_path, told)


def test_nobody_sets_a_first_pin_where_no_rule_says_who_may(tmp_path: Path) -> None:
    keys = [Press(f"{FIRST}#", after_ms=500)] * 2
    texts = run(tmp_path, {"write": "pin"}, hears("I may not set one"), *keys)
    assert texts == []

"""Callers by SIP who are put through by us, to another telephone on the loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from phone_bridge.app import sip_moving
from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.tones import ringback
from phone_bridge.legs.sip.message import Request
from phone_bridge.legs.sip.replacing import Replaces, read_replaces
from phone_bridge.legs.sip.telephone_event import pack
from phone_bridge.menu_talk import SENTENCES
from phone_bridge.menus import Choice, Menu
from phone_bridge.routing import Route
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sip_trunks import SipTrunk, calls_as
from phone_bridge.sessions.chronapilot import messages as m
from tests.app.premises import json_of, lose_database
from tests.app.test_sip import LOUD, Phoned, phoned
from tests.app.test_sip_calls import Callee
from tests.runtime.serving import until
from tests.runtime.telephone import HOST, Telephone

TO = "+493099999999"
QUIET = b"\xff" * 160
RING = ringback(PCMU_8K)[:160]


class Switchboard:
    """A caller on the line with the assistant, and the telephone at reception."""

    def __init__(self, line: Phoned, caller: Telephone, reception: Callee, call_id: str) -> None:
        self.line = line
        self.caller = caller
        self.reception = reception
        self.call_id = call_id

    async def transfer(self, to: str = "reception", **more: str) -> tuple[int, str]:
        body = msgspec.json.encode({"to": to, **more})
        path, headers = f"/v1/calls/{self.call_id}/transfer", {"Content-Type": "application/json"}
        answer = await self.line.house.ask("POST", path, headers=headers, body=body)
        return answer.status, "" if answer.status == 202 else json_of(answer)["error"]["code"]

    async def shown(self) -> Any:
        return json_of(await self.line.house.ask("GET", f"/v1/calls/{self.call_id}"))

    async def state(self) -> str:
        return str((await self.shown())["transfers"][-1]["state"])

    async def comes_to(self, state: str) -> None:
        transfers = self.line.house.bridge.transfers
        await until(lambda: transfers.of_call(self.call_id)[-1].state == state)

    async def rung(self) -> Request:
        """Wait until reception is called."""
        return await self.reception.invited()

    async def picks_up(self) -> None:
        """Let reception take the call, and hear who calls."""
        invite = await self.rung()
        self.reception.answer(invite, 180)
        self.reception.take(invite)
        await until(lambda: bool(self.reception.requests("ACK")))
        self.reception.find_sound(invite)

    def press(self, digit: str) -> None:
        self.reception.speak(pack(digit, end=False, duration=160), payload_type=101)

    async def hear_each_other(self) -> None:
        """Check that both hear what the other says."""
        for one, other in ((self.caller, self.reception), (self.reception, self.caller)):
            one.speak(*[LOUD] * 10)
            await until(lambda ear=other: any(packet.payload == LOUD for packet in ear.packets))  # type: ignore[misc]

    async def hung_up(self, telephone: Telephone) -> None:
        await until(lambda: bool(telephone.requests("BYE")))
        telephone.agree_to(telephone.requests("BYE")[-1])


@asynccontextmanager
async def switchboard(
    folder: Path, before: Callable[[Phoned], None] = lambda line: None, **settings: Any
) -> AsyncIterator[Switchboard]:
    reception = Callee(0)
    await reception.open()
    out = SipTrunk(name="out", proxy=f"{HOST}:{reception.port}", calls_out=True, domains=("office.example",))
    pbx = SipTrunk(name="pbx", addresses=(HOST,), domains=("pbx.example",))
    given = {"sip_trunks": (pbx, out), "destinations": "+49", "transfers": f"reception={TO}", "ring_seconds": 5}
    try:
        async with phoned(folder, **{**given, **settings}) as line:
            reception.bridge = (HOST, line.port)
            before(line)
            caller = await line.telephone()
            await caller.talk()
            await until(lambda: line.house.bridge.registry.live == 1)
            record = await line.house.bridge.spool.find_carrier(caller.call_id)
            assert record is not None
            yield Switchboard(line, caller, reception, record.id)
            await line.ended(caller)
    finally:
        reception.close()


def test_whoever_is_rung_is_told_who_calls_takes_the_call_and_talks(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            assert await there.transfer(mode="warm", about="a broken heater") == (202, "")
            invite = await there.rung()
            assert str(invite.uri) == f"sip:{TO}@office.example"
            await until(lambda: RING in {packet.payload for packet in there.caller.packets})
            await there.picks_up()
            await there.comes_to("told")
            await until(lambda: any(packet.payload != QUIET for packet in there.reception.packets))
            there.press("1")
            await there.comes_to("completed")
            await there.hear_each_other()
            there.caller.speak(pack("5", end=False, duration=160), payload_type=101)
            await until(lambda: there.reception.keys == ["5"])
            assert await there.transfer(mode="warm") == (409, "call_not_live"), "the assistant is gone"
            there.caller.hang_up()
            await there.hung_up(there.reception)
            record = await there.line.ended(there.caller)
            assert (record.status, record.ended_by, record.error) == ("completed", "transfer", None)

    asyncio.run(story())


def test_whoever_refuses_sends_the_caller_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            await there.transfer(mode="warm")
            await there.picks_up()
            there.press("2")
            await there.hung_up(there.reception)
            await there.comes_to("refused")
            await until(lambda: len(there.line.house.peers.live) == 2)
            shown = await there.shown()
            assert (shown["resumed"], shown["ended_at"]) == (1, None)
            await until(lambda: "Reception cannot take your call" in said(there))
            there.caller.hang_up()

    asyncio.run(story())


def said(there: Switchboard) -> str:
    pump = there.line.house.bridge.registry.pump(there.call_id)
    return " ".join(each.text for each in pump.trace.transcript) if pump is not None else ""


def test_nobody_there_sends_the_caller_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            await there.transfer(mode="warm")
            there.reception.answer(await there.rung(), 486)
            await there.comes_to("busy")
            await until(lambda: "The line of reception is busy" in said(there))
            assert await there.transfer(mode="warm") == (202, ""), "and is put through once more"
            there.reception.answer(await there.reception.invited(2), 603)
            await there.comes_to("busy")
            there.caller.hang_up()

    asyncio.run(story())


def test_a_caller_who_hangs_up_while_it_rings_takes_the_call_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            await there.transfer(mode="warm")
            invite = await there.rung()
            there.reception.answer(invite, 180)
            there.caller.hang_up()
            await until(lambda: bool(there.reception.requests("CANCEL")))
            there.reception.agree_to(there.reception.requests("CANCEL")[0])
            there.reception.answer(invite, 487)
            await there.comes_to("canceled")

    asyncio.run(story())


def test_where_the_callers_own_side_cannot_we_call_and_join_them(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            asked = asyncio.create_task(there.transfer())
            await until(lambda: bool(there.caller.requests("REFER")))
            there.caller.agree_to(there.caller.requests("REFER")[0], 405)
            assert await asked == (202, "")
            await there.picks_up()
            await there.hear_each_other()
            there.reception.part()
            await there.hung_up(there.caller)
            record = await there.line.ended(there.caller)
            assert (record.ended_by, await there.state()) == ("transfer", "completed")

    asyncio.run(story())


def test_a_caller_who_asks_in_words_hears_once_that_they_are_put_through(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            await until(lambda: bool(there.line.house.peers.live and said(there)))  # the greeting has begun
            there.line.house.peers.live[-1].tell(m.TranscriptFinal("Put me through to reception."))
            await until(lambda: bool(there.caller.requests("REFER")))
            there.caller.agree_to(there.caller.requests("REFER")[0], 501)
            await there.picks_up()
            await there.hear_each_other()
            assert said(there).count("I am putting you through to reception") == 1
            there.caller.hang_up()
            await there.hung_up(there.reception)

    asyncio.run(story())


MENU = Menu(name="office", say="Press 1 for sales.", timeout=30, choices=(Choice(key="1", to=f"number:{TO}"),))


@asynccontextmanager
async def at_the_menu(folder: Path) -> AsyncIterator[Switchboard]:
    """Let a caller be in a menu, choose sales, and their own side put nobody through."""
    async with switchboard(folder, before=menus) as there:
        await until(lambda: MENU.say in said(there))
        there.caller.speak(pack("1", end=True, duration=800), payload_type=101)
        await until(lambda: bool(there.caller.requests("REFER")))
        there.caller.agree_to(there.caller.requests("REFER")[0], 405)
        yield there


def menus(line: Phoned) -> None:
    line.house.bridge.tenants.replace((Route(name="office", menu="office", menus={"office": MENU}),))


def test_a_caller_in_a_menu_is_joined_to_the_number_it_leads_to(tmp_path: Path) -> None:
    async def story() -> None:
        async with at_the_menu(tmp_path) as there:
            await there.picks_up()
            await there.hear_each_other()
            there.reception.part()
            await there.hung_up(there.caller)
            record = await there.line.ended(there.caller)
            assert (record.ended_by, record.error, await there.state()) == ("transfer", None, "completed")

    asyncio.run(story())


def test_a_caller_in_a_menu_for_whom_nobody_comes_hears_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with at_the_menu(tmp_path) as there:
            there.reception.answer(await there.rung(), 486)
            await there.hung_up(there.caller)
            record = await there.line.ended(there.caller)
            assert record.transcript[-1]["text"] == SENTENCES["en"]["nobody"]
            assert (record.ended_by, await there.state()) == ("bridge", "busy")

    asyncio.run(story())


def test_without_a_database_the_two_talk_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            await there.transfer(mode="warm")
            await there.rung()
            lose_database(there.line.house, tmp_path)
            await there.picks_up()
            await until(lambda: any(packet.payload != QUIET for packet in there.reception.packets))
            there.press("1")
            await there.hear_each_other()
            there.caller.hang_up()
            await there.hung_up(there.reception)

    asyncio.run(story())


def test_a_mistake_of_ours_sends_the_caller_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("a mistake")

    async def story() -> None:
        async with switchboard(tmp_path) as there:
            monkeypatch.setattr(sip_moving, "wanted", fails)
            await there.transfer(mode="warm")
            await there.comes_to("failed")
            await until(lambda: "I could not reach reception" in said(there))
            there.caller.hang_up()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("number", "shown"), [("+4930123456", "+4930123456"), (None, "assistant"), ("a>b", "assistant")]
)
def test_a_desk_phone_shows_who_calls(number: str | None, shown: str) -> None:
    record = CallRecord(
        id="call_1",
        carrier_id="c@h",
        direction="inbound",
        from_number=number,
        to_number="bridge",
        user_id="u",
        session="embedded",
        status="in_progress",
        started_at="2026-11-29T08:00:00.000Z",
    )
    desk = SipTrunk(name="desk", username="desk", password_env="D", password="d", desk_phone=True)
    assert (sip_moving.shown(record, desk) or calls_as(desk)) == shown
    assert sip_moving.shown(record, SipTrunk(name="out", proxy="sip.example")) == ""


def test_a_trunk_that_has_both_joins_them_itself(tmp_path: Path) -> None:
    async def story() -> None:
        async with switchboard(tmp_path) as there:
            trunks = there.line.house.bridge.settings.sip_trunks
            party = next(iter(there.line.house.bridge.sip_transfers._parties.values()))[0]
            party.trunk_name = trunks[1].name  # as if the caller had come by the trunk that leads to reception
            await there.transfer(mode="warm")
            await there.picks_up()
            there.press("1")
            await until(lambda: bool(there.caller.requests("REFER")))
            asked = there.caller.requests("REFER")[0].headers["Refer-To"]
            uri, _, fields = asked.strip("<>").partition("?")
            assert uri == f"sip:{HOST}:{there.reception.port}"
            assert fields.endswith("&Require=replaces")
            replaces = read_replaces(unquote(fields.removeprefix("Replaces=").removesuffix("&Require=replaces")))
            consulted = there.reception.requests("INVITE")[0]
            assert replaces == Replaces(call_id=consulted.call_id, to_tag="bob", from_tag=consulted.from_tag)
            there.caller.agree_to(there.caller.requests("REFER")[0], 202)
            there.caller.notify("200 OK", ended=True)
            await there.hung_up(there.caller)
            await there.hung_up(there.reception)
            assert await there.state() == "completed"

    asyncio.run(story())

"""Callers by SIP who put somebody else through to the assistant, by REFER and by an INVITE with Replaces."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sipmessage import URI

from phone_bridge.app.sip_referrals import destination
from phone_bridge.errors import Refused
from phone_bridge.legs.sip import calling, sdp
from phone_bridge.legs.sip.codec import PCMA
from phone_bridge.legs.sip.message import Request, Response
from phone_bridge.legs.sip.referring import Referral
from phone_bridge.runtime.sip import MAX_CHANGES
from phone_bridge.runtime.sip_trunks import SipTrunk
from phone_bridge.settings import Settings
from tests.app.test_sip import LOUD, Phoned, phoned
from tests.app.test_sip_calls import Callee
from tests.app.test_spoken_menus import calls_in, office
from tests.ports import free_port
from tests.runtime.serving import until
from tests.runtime.telephone import HOST, Telephone

PBX = SipTrunk(name="pbx", addresses=("127.0.0.1",), may_refer=True)


class Talking:
    """A caller who talks with the assistant, and somebody else whom they may put through."""

    def __init__(self, line: Phoned, caller: Telephone, other: Callee) -> None:
        self.line = line
        self.caller = caller
        self.other = other
        self.assistant = line.house.peers.live[-1]

    @property
    def registry(self) -> Any:
        return self.line.house.bridge.registry

    def refer(self, to: str = "", *fields: str) -> None:
        self.caller._sequence += 1
        to = to or f"sip:1001@{HOST}:{self.other.port}"
        self.caller.say("REFER", b"", f"Refer-To: <{to}>", "Referred-By: <sip:boss@pbx.example>", *fields)

    async def told(self, last: int) -> list[int]:
        """Wait for the last NOTIFY; gives the statuses of all, each of which is agreed to."""
        await until(lambda: bool(self.news) and self.news[-1] == last, 10)
        for request in self.caller.requests("NOTIFY"):
            self.caller.agree_to(request)
        return self.news

    @property
    def news(self) -> list[int]:
        found: list[int] = []
        for request in self.caller.requests("NOTIFY"):
            code = int(request.body.split()[1])
            found += [code] if code not in found else []
        return found

    async def speaks_to(self, telephone: Telephone) -> None:
        """Wait until the assistant is heard, when nothing else is."""
        await until(lambda: all(packet.payload == b"\xff" * 160 for packet in telephone.packets[-3:]), 10)
        known = len(telephone.packets)
        self.assistant.reply("r9", bytes(range(256)) * 10)
        await until(lambda: any(packet.payload != b"\xff" * 160 for packet in telephone.packets[known:]), 10)

    async def heard(self) -> bool:
        """Tell whether the other one hears the assistant, and it them."""
        await self.speaks_to(self.other)
        before = sum(map(bool, self.assistant.sound))
        self.other.speak(*[LOUD] * 5)
        await until(lambda: sum(map(bool, self.assistant.sound)) > before, 10)
        return True

    async def take(self) -> Request:
        """Have the other one answer."""
        invite = await self.other.invited()
        offered = sdp.agree(sdp.read(invite.body))
        self.other.media = (offered.host, offered.port)
        self.other.take(invite)
        return invite

    async def end(self) -> Any:
        (call_id,) = [record.id for record, _ in self.registry.traces()]
        self.registry.end(call_id, "api")
        await until(lambda: bool(self.other.requests("BYE")), 10)
        self.other.agree_to(self.other.requests("BYE")[0])
        return await self.line.ended(self.caller)


@asynccontextmanager
async def talking(folder: Path, trunk: SipTrunk = PBX, **settings: Any) -> AsyncIterator[Talking]:
    async with phoned(folder, sip_trunks=(trunk,), **settings) as line:
        caller, other = await line.telephone(), Callee(line.port, "+49301001")
        await other.open()
        try:
            await caller.talk()
            await until(lambda: bool(line.house.peers.live))
            await until(lambda: line.house.bridge.registry.live == 1)
            yield Talking(line, caller, other)
        finally:
            other.close()


def status_of(telephone: Telephone, method: str) -> list[int]:
    return [m.code for m in telephone.heard if isinstance(m, Response) and m.cseq_method == method]


def test_a_caller_puts_somebody_else_through_and_the_session_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer()
            invite = await there.other.invited()
            assert str(invite.uri) == f"sip:1001@{HOST}:{there.other.port}"
            assert invite.headers["Referred-By"] == "<sip:boss@pbx.example>"
            assert list(sdp.read(invite.body).streams[0].payloads.values()) == [0, 8], "all that is spoken"
            there.other.answer(invite, 180)
            await there.take()
            assert await there.told(200) == [100, 180, 200]
            assert status_of(there.caller, "REFER") == [202]
            there.caller.hang_up()
            await until(lambda: status_of(there.caller, "BYE") == [200])
            assert await there.heard()
            assert len(there.line.house.peers.live) == 1, "one session"
            record = await there.end()
            assert (record.status, record.ended_by, record.from_number) == ("completed", "api", "+4930123456")
            assert "caller_changed" in [each["kind"] for each in record.timeline["events"]]

    asyncio.run(story())


def test_whom_to_replace_is_told_to_whoever_is_called(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer(f"sip:{HOST}:{there.other.port}?Replaces=12%40h%3Bto-tag%3Da%3Bfrom-tag%3Db&X-Evil=1")
            invite = await there.take()
            assert invite.headers["Replaces"] == "12@h;to-tag=a;from-tag=b"
            assert invite.options("Require") == {"replaces"}
            assert invite.headers.get("X-Evil") is None
            await there.told(200)
            await there.end()

    asyncio.run(story())


def test_who_has_put_through_and_does_not_hang_up_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phone_bridge.legs.sip.agent.LEAVE_MS", 50)

    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer("", "Refer-Sub: false")
            await there.take()
            await until(lambda: bool(there.caller.requests("BYE")), 10)
            there.caller.agree_to(there.caller.requests("BYE")[0])
            assert there.caller.requests("NOTIFY") == [], "it wanted to hear nothing"
            assert await there.heard()
            await there.end()

    asyncio.run(story())


def test_a_caller_who_hangs_up_at_once_has_put_through_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer()
            await there.other.invited()
            there.caller.hang_up()
            await until(lambda: status_of(there.caller, "BYE") == [200])
            assert there.registry.live == 1
            await there.take()
            assert await there.heard()
            await there.end()

    asyncio.run(story())


def test_a_caller_who_hangs_up_while_nobody_answers_has_ended_the_call(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer()
            invite = await there.other.invited()
            there.caller.hang_up()
            await until(lambda: status_of(there.caller, "BYE") == [200])
            there.other.answer(invite, 486)
            record = await there.line.ended(there.caller)
            assert (record.status, there.caller.requests("BYE")) == ("completed", [])

    asyncio.run(story())


def test_nobody_answers_and_the_caller_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as there:
            for turn in range(MAX_CHANGES):
                there.refer()
                there.other.answer(await there.other.invited(turn + 1), 486)
                await until(lambda: bool(there.news) and there.news[-1] == 486, 10)
                await there.told(486)
                there.caller.heard.clear()
            there.refer()
            await until(lambda: status_of(there.caller, "REFER") == [403])
            await there.speaks_to(there.caller)
            there.caller.hang_up()
            await there.line.ended(there.caller)

    asyncio.run(story())


def test_where_nobody_is_the_caller_hears_so_long_before_timer_b(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "LAST_SERVER_MS", 300)

    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer(f"sip:1001@{HOST}:{free_port()}")
            assert await there.told(408) == [100, 408]
            await there.speaks_to(there.caller)
            there.caller.hang_up()
            await there.line.ended(there.caller)

    asyncio.run(story())


def test_a_call_that_ends_meanwhile_takes_its_errand_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer()
            invite = await there.other.invited()
            there.other.answer(invite, 180)
            await until(lambda: 180 in there.news)
            (call_id,) = [record.id for record, _ in there.registry.traces()]
            there.registry.end(call_id, "api")
            await until(lambda: bool(there.other.requests("CANCEL")), 10)
            there.other.agree_to(there.other.requests("CANCEL")[0])
            there.other.answer(invite, 487)
            await there.told(487)

    asyncio.run(story())


def test_whoever_is_named_rings_no_longer_than_a_line_without_sound_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phone_bridge.app.sip_referrals.MAX_RING_S", 0)

    async def story() -> None:
        async with talking(tmp_path) as there:
            there.refer()
            invite = await there.other.invited()
            there.other.answer(invite, 180)
            await until(lambda: bool(there.other.requests("CANCEL")), 10)
            there.other.agree_to(there.other.requests("CANCEL")[0])
            there.other.answer(invite, 487)
            await there.told(487)
            there.caller.hang_up()
            await there.line.ended(there.caller)

    asyncio.run(story())


NOT_SO = SipTrunk(name="pbx", addresses=("127.0.0.1",))
REFUSED = [
    (NOT_SO, "", 403),
    (PBX, "sip:1001@198.51.100.7", 403),
    (PBX, "sip:+19005550100@127.0.0.1", 403),
    (PBX, "sip:0900123456@127.0.0.1", 403),
    (PBX, "tel:+4930123456", 403),
    (PBX, "sip:127.0.0.1", 403),
    (PBX, "sip:1001@127.0.0.1;method=BYE", 403),
    (PBX, "mailto:a@example.org", 400),
]


@pytest.mark.parametrize(("trunk", "to", "code"), REFUSED)
def test_who_may_not_or_names_nobody_who_may_be_called_is_refused(
    tmp_path: Path, trunk: SipTrunk, to: str, code: int
) -> None:
    async def story() -> None:
        async with talking(tmp_path, trunk) as there:
            there.refer(to)
            await until(lambda: status_of(there.caller, "REFER") == [code])
            assert there.other.requests("INVITE") == there.caller.requests("NOTIFY") == []
            assert there.registry.live == 1
            there.caller.hang_up()
            await there.line.ended(there.caller)

    asyncio.run(story())


def test_somebody_else_takes_the_callers_place(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as there:
            other = there.other
            other.invite(f"Replaces: {there.caller.call_id};to-tag={there.caller.tag};from-tag=theirs")
            taken = await other.answered()
            agreed = sdp.agree(sdp.read(taken.body))
            other.media = (agreed.host, agreed.port)
            assert (agreed.host, agreed.port) != there.caller.media
            other.say("ACK", sequence=1)
            await until(lambda: bool(there.caller.requests("BYE")), 10)
            there.caller.agree_to(there.caller.requests("BYE")[0])
            assert await there.heard()
            assert len(there.line.house.peers.live) == 1
            other.hang_up()
            record = await there.line.ended(there.caller)
            assert (record.status, record.ended_by) == ("completed", "caller")
            assert status_of(other, "BYE") == [200]

    asyncio.run(story())


def test_a_place_that_cannot_be_taken_is_refused_and_kept(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path, structs.replace(PBX, codecs=("pcmu",))) as there:
            named = f"Replaces: {there.caller.call_id};to-tag={there.caller.tag};from-tag=theirs"
            there.other.codecs = (PCMA,)
            there.other.invite(named)
            await until(lambda: 488 in there.other.codes)
            there.other.say("ACK", sequence=1)
            assert there.registry.live == 1
            assert there.caller.requests("BYE") == []
            there.caller.hang_up()
            await there.line.ended(there.caller)

    asyncio.run(story())


@pytest.mark.parametrize(("limit", "code"), [(0, 403), (MAX_CHANGES, 491)])
def test_a_place_changes_so_often_and_not_while_the_call_is_put_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, code: int
) -> None:
    monkeypatch.setattr("phone_bridge.runtime.sip.MAX_CHANGES", limit)

    async def story() -> None:
        async with talking(tmp_path) as there:
            if limit:
                there.refer()
                await there.other.invited()
                there.other.heard.clear()
            third = await there.line.telephone("+4930777")
            third.invite(f"Replaces: {there.caller.call_id};to-tag={there.caller.tag};from-tag=theirs")
            await until(lambda: code in third.codes)
            third.say("ACK", sequence=1)
            assert there.registry.live == 1
            there.caller.hang_up()
            if limit:
                await until(lambda: bool(there.other.requests("INVITE")), 10)
                there.other.answer(there.other.requests("INVITE")[-1], 486)
            await there.line.ended(there.caller)

    asyncio.run(story())


DESK = SipTrunk(name="bob", username="bob", desk_phone=True, password_env="B", password="b")
OUT = SipTrunk(name="out", proxy="sip.example", domains=("example",), calls_out=True, prefixes=("+49",))
OUTWARD = [
    ("tel:+4930123456", "+4930123456"),
    ("sip:+4930123456@192.0.2.1", "+4930123456"),
    ("sip:bob@192.0.2.1", "sip:bob@phone-bridge"),
    ("sip:bob@phone-bridge", "sip:bob@phone-bridge"),
    ("sip:carol@EXAMPLE", "sip:carol@example"),
    ("sip:+4930123456@example;user=phone", "sip:+4930123456@example"),
]
NOWHERE = [
    "tel:110",
    "sip:+33123456789@192.0.2.1",
    "sip:+8813123456@example",
    "sip:carol@elsewhere.example",
    "sip:example",
]


def test_whom_a_peer_names_passes_as_an_outbound_call_does() -> None:
    settings = Settings(sip_trunks=(DESK, OUT), destinations="+49")
    found = [destination(settings, Referral(uri=URI.parse(to)), "192.0.2.1") for to, _ in OUTWARD]
    assert found == [to for _, to in OUTWARD]
    for to in NOWHERE:
        with pytest.raises(Refused):
            destination(settings, Referral(uri=URI.parse(to)), "192.0.2.1")


def test_nobody_is_put_through_into_a_menu(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path, sip_trunks=(PBX,)) as line:
            caller, record = await calls_in(line)
            await until(lambda: line.house.bridge.registry.live == 1)
            third = await line.telephone("+4930777")
            third.invite(f"Replaces: {caller.call_id};to-tag={caller.tag};from-tag=theirs")
            await until(lambda: 491 in third.codes)
            third.say("ACK", sequence=1)
            caller._sequence += 1
            caller.say("REFER", b"", f"Refer-To: <sip:1001@{HOST}:9>")
            await until(lambda: status_of(caller, "REFER") == [491])
            assert record.session == ""
            caller.hang_up()
            await line.ended(caller)

    asyncio.run(story())

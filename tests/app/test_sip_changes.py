"""Calls by SIP whose other end changes, and with it what is spoken: the codec, and whether it is sealed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.codec import CODECS, G722, PCMA, PCMU, decoder, encoder
from phone_bridge.legs.sip.message import Request, Response
from phone_bridge.legs.sip.srtp import Srtp
from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.test_sip import Phoned, phoned
from tests.app.test_sip_calls import Callee
from tests.runtime.serving import until
from tests.runtime.telephone import HOST

OURS_HZ, THEIRS_HZ = 1_300, 900
LOOK_MS = 200
SECONDS = 30.0
"""How long each step may take on a machine that others use, too."""


def tone(hz: int, rate: int, ms: int) -> bytes:
    time = np.arange(rate * ms // 1000) / rate
    sound: bytes = np.rint(8_000 * np.sin(2 * np.pi * hz * time)).astype("<i2").tobytes()
    return sound


def has(pcm16: bytes, hz: int, rate: int) -> bool:
    """Tell whether a tone is what is heard."""
    values = np.frombuffer(pcm16[: len(pcm16) & ~1], "<i2").astype(float)
    if not values.size or np.abs(values).max() < 4_000:
        return False
    return abs(float(np.argmax(np.abs(np.fft.rfft(values)))) * rate / values.size - hz) < 10


class Phone(Callee):
    """A telephone that speaks ``codecs``, sealed as ``wish`` has it."""

    def __init__(self, port: int, number: str, codecs: tuple[int, ...] = CODECS, wish: Srtp = Srtp.OFF) -> None:
        super().__init__(port, number)
        self.codecs, self.wish = codecs, wish

    def take(self, request: Request) -> None:
        self.answer(request, 200, self.agree(request.body))

    async def say_tone(self) -> None:
        """Say a tone at the pace of a telephone, for ever."""
        write, sound = encoder(self.payload_type, LINEAR_16K), tone(THEIRS_HZ, 16_000, 1_000)
        for at in cycle(range(0, len(sound), 640)):
            self.speak(write(sound[at : at + 640]))
            await asyncio.sleep(0.02)

    def hears_tone(self) -> bool:
        read = decoder(self.payload_type, LINEAR_16K)
        said = b"".join(read(packet.payload) for packet in self.packets if packet.payload_type == self.payload_type)
        return has(said[-LINEAR_16K.size(LOOK_MS) :], OURS_HZ, 16_000)


class Handover:
    """Two telephones, one of which talks with the assistant, and the other is to."""

    def __init__(self, line: Phoned, caller: Phone, other: Phone) -> None:
        self.line, self.caller, self.other = line, caller, other

    @property
    def assistant(self) -> Any:
        return self.line.house.peers.live[-1]

    async def talk(self, phone: Phone) -> None:
        """Have both sides say a tone that the other hears."""
        before, size = len(self.assistant.sound), LINEAR_24K.size(LOOK_MS)
        saying = asyncio.create_task(phone.say_tone())
        await until(lambda: has(self.assistant.sound[before:][-size:], THEIRS_HZ, 24_000), SECONDS)
        saying.cancel()
        self.assistant.reply(f"r{before}", tone(OURS_HZ, 24_000, 3_000))
        await until(phone.hears_tone, SECONDS)

    async def refer(self) -> Request:
        """Have the other one called by the caller's wish; gives our INVITE."""
        self.caller._sequence += 1
        self.caller.say("REFER", b"", f"Refer-To: <sip:1001@{HOST}:{self.other.port}>", "Refer-Sub: false")
        return await self.other.invited()

    async def replace(self, *, offers: bool = True) -> Response:
        """Have the other one call in the caller's place; gives our answer."""
        named = f"Replaces: {self.caller.call_id};to-tag={self.caller.tag};from-tag=theirs"
        self.other.invite(named, offers=offers)
        return await self.other.answered()

    async def done(self) -> None:
        """Wait until the caller is left."""
        await until(lambda: bool(self.caller.requests("BYE")), SECONDS)
        self.caller.agree_to(self.caller.requests("BYE")[0])

    async def end(self) -> None:
        self.line.house.bridge.registry.end(next(iter(self.line.house.bridge.registry.traces()))[0].id, "api")
        await until(lambda: bool(self.other.requests("BYE")), SECONDS)
        self.other.agree_to(self.other.requests("BYE")[0])
        record = await self.line.ended(self.caller)
        assert (record.status, record.error) == ("completed", None)
        assert len(self.line.house.peers.live) == 1, "one session"


@asynccontextmanager
async def handover(folder: Path, caller: Phone, other: Phone, **trunk: Any) -> AsyncIterator[Handover]:
    written = SipTrunk(name="pbx", addresses=("127.0.0.1",), may_refer=True, **trunk)
    async with phoned(folder, sip_trunks=(written,)) as line:
        for phone in (caller, other):
            phone.bridge = (HOST, line.port)
            await phone.open()
        try:
            await caller.talk()
            await until(lambda: bool(line.house.peers.live) and line.house.bridge.registry.live == 1, SECONDS)
            yield Handover(line, caller, other)
        finally:
            caller.close()
            other.close()


CHANGES = [((G722,), (PCMU,)), ((PCMU,), (G722,)), ((PCMU,), (PCMA,))]


@pytest.fixture(autouse=True)
def _leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phone_bridge.legs.sip.agent.LEAVE_MS", 50)


@pytest.mark.parametrize(("began", "goes_on"), CHANGES)
def test_whoever_is_put_through_speaks_another_codec(
    tmp_path: Path, began: tuple[int, ...], goes_on: tuple[int, ...]
) -> None:
    async def story() -> None:
        caller, other = Phone(0, "+49301", began), Phone(0, "+49302", goes_on)
        async with handover(tmp_path, caller, other, codecs=("pcma", "pcmu", "g722")) as there:
            await there.talk(caller)
            invite = await there.refer()
            assert next(iter(sdp.read(invite.body).streams[0].payloads)) == began[0]
            assert set(sdp.read(invite.body).streams[0].payloads) == {PCMA, PCMU, G722}
            other.take(invite)
            await there.done()
            await there.talk(other)
            assert {packet.payload_type for packet in other.packets} == set(goes_on)
            await there.end()

    asyncio.run(story())


@pytest.mark.parametrize("offers", [True, False])
@pytest.mark.parametrize(("began", "goes_on"), CHANGES)
def test_whoever_takes_a_place_speaks_another_codec(
    tmp_path: Path, began: tuple[int, ...], goes_on: tuple[int, ...], offers: bool
) -> None:
    async def story() -> None:
        caller, other = Phone(0, "+49301", began), Phone(0, "+49302", goes_on)
        async with handover(tmp_path, caller, other, codecs=("pcma", "pcmu", "g722")) as there:
            taken = await there.replace(offers=offers)
            if not offers:
                assert next(iter(sdp.read(taken.body).streams[0].payloads)) == began[0]
            answer = other.agree(taken.body)
            other.say("ACK", b"" if offers else answer, sequence=1)
            await there.done()
            await there.talk(other)
            await there.end()

    asyncio.run(story())


@pytest.mark.parametrize(("began", "goes_on"), CHANGES)
def test_whoever_is_there_goes_on_in_another_codec(
    tmp_path: Path, began: tuple[int, ...], goes_on: tuple[int, ...]
) -> None:
    async def story() -> None:
        caller = Phone(0, "+49301", began)
        async with handover(tmp_path, caller, Phone(0, "+49302"), codecs=("pcma", "pcmu", "g722")) as there:
            await there.talk(caller)
            caller._sequence += 1
            caller.codecs = goes_on
            caller.heard.clear()
            caller.invite()
            caller.agree((await caller.answered()).body)
            caller.say("ACK")
            await there.talk(caller)
            caller.hang_up()
            record = await there.line.ended(caller)
            assert (record.status, record.error) == ("completed", None)

    asyncio.run(story())


SEALS = [(Srtp.REQUIRE, Srtp.OFF), (Srtp.OFF, Srtp.REQUIRE), (Srtp.REQUIRE, Srtp.REQUIRE)]


@pytest.mark.parametrize(("before", "after"), SEALS)
@pytest.mark.parametrize("by", ["refer", "replaces"])
def test_whoever_comes_is_spoken_with_under_a_seal_of_their_own_or_none(
    tmp_path: Path, before: Srtp, after: Srtp, by: str
) -> None:
    async def story() -> None:
        caller, other = Phone(0, "+49301", wish=before), Phone(0, "+49302", wish=after)
        async with handover(tmp_path, caller, other, srtp="offer") as there:
            await there.talk(caller)
            if by == "refer":
                invite = await there.refer()
                assert b"a=crypto:" in invite.body, "the trunk's wish"
                other.take(invite)
            else:
                taken = await there.replace()
                assert (b"a=crypto:" in taken.body) == (after is Srtp.REQUIRE)
                other.agree(taken.body)
                other.say("ACK", sequence=1)
            await there.done()
            await there.talk(other)
            assert (other.seal is not None) == (after is Srtp.REQUIRE)
            if other.seal is not None and caller.seal is not None:
                assert other.seal.theirs.key != caller.seal.theirs.key, "a new key of ours"
            assert not {packet.ssrc for packet in caller.packets} & {packet.ssrc for packet in other.packets}
            await there.end()

    asyncio.run(story())


@pytest.mark.parametrize("by", ["refer", "replaces"])
def test_where_a_trunk_requires_a_seal_nobody_comes_without(tmp_path: Path, by: str) -> None:
    async def story() -> None:
        caller, other = Phone(0, "+49301", wish=Srtp.REQUIRE), Phone(0, "+49302")
        async with handover(tmp_path, caller, other, srtp="require") as there:
            if by == "refer":
                invite = await there.refer()
                assert b" RTP/SAVP " in invite.body
                other.answer(invite, 200, other.offer())
                await until(lambda: bool(other.requests("BYE")), SECONDS)
                other.agree_to(other.requests("BYE")[0])
            else:
                other.invite(f"Replaces: {caller.call_id};to-tag={caller.tag};from-tag=theirs")
                await other.answered(488)
                other.say("ACK", sequence=1)
            assert caller.requests("BYE") == []
            await there.talk(caller)
            caller.hang_up()
            await there.line.ended(caller)

    asyncio.run(story())

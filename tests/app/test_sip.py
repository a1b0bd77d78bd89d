"""Calls by SIP, from a telephone on the loopback to the session and back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.app.sip import SipDoor
from phone_bridge.errors import SettingsError
from phone_bridge.legs.sip import transaction
from phone_bridge.legs.sip.telephone_event import pack
from phone_bridge.routing import Route
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.sip_trunks import SipTrunk, listening
from phone_bridge.settings import Settings
from tests.app.premises import Premises, Tone, lose_database, premises
from tests.legs.sip.test_passport import KEY, certificate, passport
from tests.ports import free_port
from tests.runtime.serving import until
from tests.runtime.telephone import Telephone

PBX = SipTrunk(name="pbx", addresses=("127.0.0.1",), user_id="usr_pbx")
LOUD = b"\x90" * 160


class Phoned:
    """A bridge that is reached by SIP, and telephones."""

    def __init__(self, house: Premises, port: int) -> None:
        self.house = house
        self.port = port
        self._telephones: list[Telephone] = []

    async def telephone(self, number: str = "+4930123456") -> Telephone:
        made = await Telephone(self.port, number).open()
        self._telephones.append(made)
        return made

    async def ended(self, telephone: Telephone) -> CallRecord:
        await until(lambda: self.house.bridge.registry.live == 0)
        record = await self.house.bridge.spool.find_carrier(telephone.call_id)
        assert record is not None
        return record

    def hang_up_all(self) -> None:
        for telephone in self._telephones:
            telephone.close()


@asynccontextmanager
async def phoned(folder: Path, transport: str = "udp", **settings: Any) -> AsyncIterator[Phoned]:
    port = free_port()
    given = {"sip_listen": f"{transport}://127.0.0.1:{port}", "sip_trunks": (PBX,), **settings}
    async with premises(folder, **given) as house:
        line = Phoned(house, port)
        yield line
    line.hang_up_all()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


def test_a_whole_call_goes_both_ways_and_is_an_ordinary_record(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            telephone = await line.telephone()
            await telephone.talk()
            assert telephone.codes == [100, 180, 200]
            await until(lambda: bool(line.house.peers.live))
            assistant = line.house.peers.live[-1]
            telephone.speak(*[LOUD] * 5)
            await until(lambda: any(assistant.sound))
            assistant.reply("r1", bytes(range(256)) * 10)
            await until(lambda: any(packet.payload != b"\xff" * 160 for packet in telephone.packets))
            telephone.speak(pack("5", end=False, duration=160), payload_type=101)
            telephone.hang_up()
            record = await line.ended(telephone)
            assert telephone.codes[-1] == 200
            assert (record.status, record.ended_by, record.error) == ("completed", "caller", None)
            assert (record.user_id, record.direction) == ("usr_pbx", "inbound")
            assert (record.from_number, record.to_number) == ("+4930123456", "bridge")
            gaps = {b.sequence - a.sequence for a, b in pairwise(telephone.packets)}
            assert gaps <= {1, 1 - 65_536}

    asyncio.run(story())


def test_a_call_that_the_bridge_ends_hears_a_goodbye_and_a_bye(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            telephone = await line.telephone()
            await telephone.talk()
            await until(lambda: line.house.bridge.registry.live == 1)
            record = await line.house.bridge.spool.find_carrier(telephone.call_id)
            assert record is not None
            assert line.house.bridge.registry.end(record.id, "api")
            await until(lambda: bool(telephone.requests("BYE")))
            telephone.agree_to(telephone.requests("BYE")[0])
            assert any(packet.payload != b"\xff" * 160 for packet in telephone.packets), "the goodbye"
            assert (await line.ended(telephone)).ended_by == "api"

    asyncio.run(story())


def test_a_caller_may_leave_the_offer_to_us(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            telephone = await line.telephone()
            telephone.invite(offers=False)
            taken = await telephone.answered()
            telephone.say("ACK", taken.body, sequence=1)
            await until(lambda: line.house.bridge.registry.live == 1)
            telephone.hang_up()
            assert (await line.ended(telephone)).ended_by == "caller"

    asyncio.run(story())


def test_a_caller_who_answers_an_offer_with_nothing_is_hung_up_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            telephone = await line.telephone()
            telephone.invite(offers=False)
            await telephone.answered()
            telephone.say("ACK", sequence=1)
            await until(lambda: bool(telephone.requests("BYE")))
            record = await line.ended(telephone)
            assert (record.status, record.error) == ("failed", "malformed_sdp")

    asyncio.run(story())


def test_a_caller_who_gives_up_before_the_answer_is_canceled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            asked, may_go_on = asyncio.Event(), asyncio.Event()

            async def slow(record: CallRecord) -> str:
                asked.set()
                await may_go_on.wait()
                return ""

            monkeypatch.setattr(line.house.bridge, "begin", slow)
            telephone = await line.telephone()
            telephone.invite()
            await asked.wait()
            telephone.say("CANCEL", sequence=1)
            await telephone.answered(487)
            assert 200 in telephone.codes, "of the CANCEL"
            may_go_on.set()
            await until(lambda: not line.house.bridge.registry.announced(telephone.call_id))
            record = await line.ended(telephone)
            assert (record.status, record.ended_by, record.error) == ("canceled", "caller", None)

    asyncio.run(story())


def test_a_call_that_is_never_acknowledged_is_hung_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "LIFE_MS", 100)

    async def story() -> None:
        async with phoned(tmp_path) as line:
            telephone = await line.telephone()
            telephone.invite()
            await telephone.answered()
            await until(lambda: bool(telephone.requests("BYE")))
            assert (await line.ended(telephone)).status == "canceled"

    asyncio.run(story())


def test_a_caller_for_whom_there_is_no_line_is_told_when_to_try_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path, max_calls=1) as line:
            first, second = await line.telephone("+491"), await line.telephone("+492")
            await first.talk()
            second.invite()
            refusal = await second.answered(503)
            assert refusal.headers.get("Retry-After")
            first.hang_up()
            await line.ended(first)
            line.house.bridge.registry.draining = True
            third = await line.telephone("+493")
            third.invite()
            await third.answered(503)

    asyncio.run(story())


def test_a_caller_who_has_a_call_already_is_busy(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path, calls_per_caller=1) as line:
            first, second = await line.telephone(), await line.telephone()
            second.call_id = "another"
            await first.talk()
            second.invite()
            await second.answered(486)
            third = await line.telephone("+4977")
            third.call_id = first.call_id
            third.invite()
            await third.answered(482)
            first.hang_up()
            await line.ended(first)

    asyncio.run(story())


def test_without_a_database_a_call_is_turned_away(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            lose_database(line.house, tmp_path)
            telephone = await line.telephone()
            telephone.invite()
            await telephone.answered(503)
            (tmp_path / "bridge.db").rmdir()
            (tmp_path / "away.db").rename(tmp_path / "bridge.db")

    asyncio.run(story())


def test_a_bridge_that_stops_hangs_up(tmp_path: Path) -> None:
    async def story() -> None:
        settings = Settings(
            database_url=f"sqlite:///{tmp_path}/bridge.db",
            traces_folder=str(tmp_path),
            session="chronapilot",
            session_url="http://127.0.0.1:1",
            session_key="sk_test_their_key",
            sip_listen=f"udp://127.0.0.1:{free_port()}",
            sip_trunks=(PBX,),
        )
        app = build(lambda: Bridge(settings, Records(settings.database_url), Tone()))
        telephone = await Telephone(listening(settings.sip_listen)[0].port).open()
        async with app.router.lifespan_context(app):
            await telephone.talk()
            bridge: Bridge = app.state.bridge
            await until(lambda: bridge.registry.live == 1)
        await until(lambda: bool(telephone.requests("BYE")))
        telephone.close()

    asyncio.run(story())


def test_a_call_by_sip_is_served_by_a_route_but_by_none_of_another_users(tmp_path: Path) -> None:
    async def story() -> None:
        shared = SipTrunk(name="shared", addresses=("127.0.0.1",))
        for trunk, route, user_id in ((shared, "office", "usr_office"), (PBX, None, "usr_pbx")):
            folder = tmp_path / trunk.name
            folder.mkdir()
            async with phoned(folder, sip_trunks=(trunk,)) as line:
                telephone = await line.telephone()
                known = Route(
                    name="office",
                    calling="+4930*",
                    sip_user="bridge",
                    headers={"call-ID": "+49*"},
                    user_id="usr_office",
                )
                line.house.bridge.tenants.replace([known])
                await telephone.talk()
                await until(lambda line=line: bool(line.house.peers.live))  # type: ignore[misc]  # bound at once
                telephone.hang_up()
                record = await line.ended(telephone)
                assert (record.route, record.user_id) == (route, user_id)
                assert [minted["user_id"] for _, minted in line.house.peers.mints] == [user_id]

    asyncio.run(story())


def test_a_call_by_sip_beyond_its_routes_lines_is_told_busy(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            line.house.bridge.tenants.replace([Route(name="office", user_id="usr_pbx", max_calls=1)])
            first = await line.telephone()
            await first.talk()
            second = await line.telephone("+4930123457")
            second.invite()
            await until(lambda: 486 in second.codes)
            first.hang_up()
            await line.ended(first)

    asyncio.run(story())


def test_a_route_sees_who_vouches_for_a_caller_and_no_header_of_that_name(tmp_path: Path) -> None:
    async def story() -> None:
        shared = SipTrunk(name="shared", addresses=("127.0.0.1",))
        async with phoned(tmp_path, sip_trunks=(shared,)) as line:
            forged = Route(name="forged", headers={"Attestation": "A"}, user_id="usr_forged")
            unverified = Route(name="unverified", headers={"Attestation": "unverified"}, user_id="usr_unverified")
            line.house.bridge.tenants.replace([forged, unverified])
            found = []
            for number, fields in (("+491", ("Attestation: A",)), ("+492", ("Identity: x;ppt=shaken",))):
                telephone = await line.telephone(number)
                telephone.invite(*fields)
                await telephone.answered()
                telephone.say("ACK", sequence=1)
                await until(lambda: line.house.bridge.registry.live == 1)
                telephone.hang_up()
                found.append((await line.ended(telephone)).route)
            assert found == [None, "unverified"]

    asyncio.run(story())


def test_a_known_number_is_attested_where_somebody_trusted_vouches_for_it(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "vouching.pem").write_bytes(certificate(KEY))
        shared = SipTrunk(name="shared", addresses=("127.0.0.1",))
        stir = str(tmp_path / "vouching.pem")
        async with phoned(tmp_path, sip_trunks=(shared,), sip_stir_certificates=stir) as line:
            line.house.bridge.tenants.replace([Route(name="office", numbers="+12025550143", user_id="usr_office")])
            found = []
            for attest in ("A", "B"):
                telephone = await line.telephone("+12025550143")
                telephone.call_id = f"{attest}@test"
                token = passport(attest=attest, iat=int(time.time()), dest={"tn": ["bridge"]})
                telephone.invite(f"Identity: {token}")
                await telephone.answered()
                telephone.say("ACK", sequence=1)
                await until(lambda: line.house.bridge.registry.live == 1)
                telephone.hang_up()
                found.append((await line.ended(telephone)).trust)
            assert found == ["attested", "known"]

    asyncio.run(story())


def test_certificates_that_cannot_be_read_are_told_at_the_start(tmp_path: Path) -> None:
    async def story() -> None:
        settings = Settings(
            database_url=f"sqlite:///{tmp_path}/bridge.db",
            traces_folder=str(tmp_path),
            sip_listen=f"udp://127.0.0.1:{free_port()}",
            sip_trunks=(PBX,),
            sip_stir_certificates=str(tmp_path / "none.pem"),
        )
        records = Records(settings.database_url)
        with pytest.raises(SettingsError, match="SIP_STIR_CERTIFICATES"):
            await SipDoor(Bridge(settings, records, Tone())).open()
        records.close()

    asyncio.run(story())

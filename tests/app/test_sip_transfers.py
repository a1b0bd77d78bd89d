"""Callers by SIP who are put through, to a telephone on the loopback that says what came of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from phone_bridge.app.call_toolbox import CallToolbox
from phone_bridge.runtime.sip_trunks import SipTrunk
from phone_bridge.runtime.toolbox import CallFacts
from phone_bridge.sessions.chronapilot import messages as m
from tests.app.premises import json_of
from tests.app.test_sip import Phoned, phoned
from tests.runtime.serving import until
from tests.runtime.telephone import Telephone

PBX = SipTrunk(name="pbx", addresses=("127.0.0.1",), domains=("pbx.example",))
TO = "+493012345"


@asynccontextmanager
async def talking(folder: Path, **more: Any) -> AsyncIterator[tuple[Phoned, Telephone, str]]:
    async with phoned(folder, sip_trunks=(PBX,), destinations="+49", **more) as line:
        telephone = await line.telephone()
        await telephone.talk()
        await until(lambda: line.house.bridge.registry.live == 1)
        record = await line.house.bridge.spool.find_carrier(telephone.call_id)
        assert record is not None
        yield line, telephone, record.id
        await line.ended(telephone)


async def transfer(line: Phoned, call_id: str, to: str) -> tuple[int, str]:
    path, headers = f"/v1/calls/{call_id}/transfer", {"Content-Type": "application/json"}
    answer = await line.house.ask("POST", path, headers=headers, body=msgspec.json.encode({"to": to}))
    return answer.status, "" if answer.status == 202 else json_of(answer)["error"]["code"]


async def refer(telephone: Telephone, count: int = 1) -> Any:
    await until(lambda: len(telephone.requests("REFER")) == count)
    return telephone.requests("REFER")[-1]


def test_a_caller_is_put_through_and_the_call_is_left(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as (line, telephone, call_id):
            asked = asyncio.create_task(transfer(line, call_id, TO))
            request = await refer(telephone)
            assert request.headers["Refer-To"] == f"<sip:{TO}@pbx.example>"
            telephone.agree_to(request, 202)
            telephone.notify("180 Ringing")
            telephone.notify("200 OK", ended=True)
            assert await asked == (202, "")
            await until(lambda: bool(telephone.requests("BYE")))
            telephone.agree_to(telephone.requests("BYE")[0])
            record = await line.ended(telephone)
            assert (record.status, record.ended_by, record.error) == ("completed", "transfer", None)

    asyncio.run(story())


def test_a_caller_who_cannot_be_put_through_stays(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as (line, telephone, call_id):
            asked = asyncio.create_task(transfer(line, call_id, "sip:desk@pbx.example"))
            request = await refer(telephone)
            assert request.headers["Refer-To"] == "<sip:desk@pbx.example>"
            assert await transfer(line, call_id, TO) == (409, "call_not_live"), "one at a time"
            telephone.agree_to(request, 202)
            telephone.notify("486 Busy Here", ended=True)
            assert await asked == (409, "not_transferred")
            asked = asyncio.create_task(transfer(line, call_id, TO))
            telephone.agree_to(await refer(telephone, 2), 405)
            assert await asked == (409, "not_transferred")
            assert line.house.bridge.registry.is_live(call_id)
            assert await transfer(line, call_id, "+12025550143") == (403, "destination_not_allowed")
            assert await transfer(line, call_id, "sip:desk@elsewhere.example") == (403, "destination_not_allowed")
            asked = asyncio.create_task(transfer(line, call_id, TO))
            telephone.agree_to(await refer(telephone, 3), 202)
            telephone.hang_up()
            assert await asked == (409, "call_ended")

    asyncio.run(story())


def test_a_model_is_offered_to_put_a_caller_by_sip_through(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path) as (line, telephone, call_id):
            facts = CallFacts(call_id=call_id, user_id="u", carrier_id=telephone.call_id, transfers=f"reception={TO}")
            offered = {offer.name for offer in CallToolbox(line.house.bridge, facts).offers(facts)}
            assert offered == {"end_call", "transfer_call"}
            telephone.hang_up()

    asyncio.run(story())


def test_a_caller_by_sip_asks_for_a_person_in_words(tmp_path: Path) -> None:
    async def story() -> None:
        async with talking(tmp_path, transfers=f"reception={TO},sales=queue:sales") as (line, telephone, call_id):
            peers = line.house.peers
            pump = line.house.bridge.registry.pump(call_id)
            assert pump is not None
            await until(lambda: bool(peers.live and pump.trace.transcript))  # the greeting has begun
            peers.live[-1].tell(m.TranscriptFinal("I want to talk to a person"))
            request = await refer(telephone)
            assert request.headers["Refer-To"] == f"<sip:{TO}@pbx.example>", "a queue is none of theirs"
            telephone.agree_to(request, 202)
            await until(lambda: pump.trace.transcript[-1].text.startswith("Please stay on the line"))
            telephone.notify("486 Busy Here", ended=True)
            await until(lambda: pump.trace.transcript[-1].text.startswith("I cannot put you through"))
            said = [each.text for each in pump.trace.transcript if each.speaker == "bridge"]
            assert said[-2] == "Please stay on the line, I am putting you through to reception."
            telephone.hang_up()

    asyncio.run(story())

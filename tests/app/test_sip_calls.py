"""Calls that go out by SIP, to a telephone on the loopback that answers by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.app.sip_calls import wanted
from phone_bridge.errors import Refused
from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.dialog import TLS, Hop
from phone_bridge.legs.sip.locating import Target
from phone_bridge.legs.sip.message import Request, response
from phone_bridge.legs.sip.registrar import Bound
from phone_bridge.legs.sip.rtp import TIMESTAMPS, Packet, ahead
from phone_bridge.legs.sip.srtp import Srtp
from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.premises import json_of
from tests.app.ringing import Telephone as House
from tests.app.test_sip import Phoned, phoned
from tests.runtime.serving import until
from tests.runtime.telephone import HOST, Telephone

BOB = "sip:bob@office.example"
SETTINGS: dict[str, Any] = {"destinations": "+1,+49", "calls_per_second": 50, "ring_seconds": 30}


class Callee(Telephone):
    """A telephone that is called."""

    @property
    def port(self) -> int:
        return int(self._signalling.get_extra_info("sockname")[1])

    async def invited(self, count: int = 1) -> Request:
        await until(lambda: len({request.call_id for request in self.requests("INVITE")}) >= count)
        return self.requests("INVITE")[-1]

    def answer(self, request: Request, code: int, body: bytes = b"", phrase: str = "So") -> None:
        fields = (("Contact", f"<sip:{HOST}:{self.port}>"), ("Content-Type", "application/sdp"))
        text = response(request, 200, tag="bob", fields=fields, body=body).replace("200 OK", f"{code} {phrase}", 1)
        self._signalling.sendto(text.encode(), self.bridge)

    def find_sound(self, request: Request) -> None:
        """Know where the bridge waits for this telephone's sound."""
        agreed = sdp.agree(sdp.read(request.body))
        self.media = (agreed.host, agreed.port)

    def part(self) -> None:
        """Hang up on the bridge, in the dialog that it has begun."""
        invite = self.requests("INVITE")[-1]
        lines = [
            f"BYE {invite.contact[0].uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};rport;branch=z9hG4bKbye{invite.from_tag}",
            f"From: {invite.headers['To']};tag=bob",
            f"To: {invite.headers['From']}",
            f"Call-ID: {invite.call_id}",
            "CSeq: 1 BYE",
            "Content-Length: 0",
        ]
        self._signalling.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), self.bridge)

    def take(self, request: Request) -> None:
        self.answer(request, 200, sdp.offer(HOST, self._media.get_extra_info("sockname")[1], 1))


class Office(House):
    """A bridge that calls by a trunk, and the telephone there."""

    def __init__(self, line: Phoned, callee: Callee) -> None:
        super().__init__(line.house, None)  # type: ignore[arg-type]  # nobody asks Twilio
        self.callee = callee

    @property
    def registry(self) -> Any:
        return self.house.bridge.registry


def spoken(callee: Callee) -> list[Packet]:
    return [packet for packet in callee.packets if packet.payload_type == 0]


@asynccontextmanager
async def office(folder: Path, **settings: Any) -> AsyncIterator[Office]:
    callee = Callee(0)
    await callee.open()
    trunk = SipTrunk(name="office", proxy=f"{HOST}:{callee.port}", calls_out=True, domains=("office.example",))
    try:
        async with phoned(folder, sip_trunks=(trunk,), **{**SETTINGS, **settings}) as line:
            callee.bridge = (HOST, line.port)
            yield Office(line, callee)
    finally:
        callee.close()


def test_keys_are_pressed_when_a_trunk_s_call_is_answered_and_later(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as there:
            call = await there.call(to="+4930123456", greeting="Hello.", digits="1w2")
            there.callee.take(await there.callee.invited())
            await until(lambda: there.callee.keys == ["1", "2"])
            await until(lambda: any(set(packet.payload) != {0xFF} for packet in spoken(there.callee)))
            first = next(packet for packet in spoken(there.callee) if set(packet.payload) != {0xFF})
            assert ahead(first.timestamp, there.callee.pressed[-1].timestamp, TIMESTAMPS) > 0, "after the keys"
            assert (await there.post(f"/v1/calls/{call['id']}/dtmf", {"digits": "#"})).status == 202
            await until(lambda: there.callee.keys == ["1", "2", "#"])
            assert there.registry.end(call["id"], "limit")
            await until(lambda: bool(there.callee.requests("BYE")))
            there.callee.agree_to(there.callee.requests("BYE")[0])
            assert (await there.settled(call))["resumed"] == 0, "it is one part"

    asyncio.run(story())


def test_somebody_is_called_spoken_with_and_hung_up_on_when_the_time_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as there:
            call = await there.call(to="+4930123456", greeting="Hello.")
            invite = await there.callee.invited()
            assert str(invite.uri) == "sip:+4930123456@office.example"
            assert str(invite.from_.uri) == "sip:office@office.example"
            there.callee.answer(invite, 180)
            await there.until(f"/v1/calls/{call['id']}", lambda shown: shown["status"] == "ringing")
            there.callee.take(invite)
            await until(lambda: there.registry.live == 1 and bool(there.callee.requests("ACK")))
            assert there.registry.end(call["id"], "limit")
            await until(lambda: bool(there.callee.requests("BYE")))
            there.callee.agree_to(there.callee.requests("BYE")[0])
            shown = await there.settled(call)
            assert (shown["status"], shown["ended_by"], shown["direction"]) == ("completed", "limit", "outbound")
            assert (shown["from"], shown["to"]) == ("office", "+4930123456")
            assert there.callee.sound, "the goodbye"

    asyncio.run(story())


def test_calls_are_refused_taken_back_and_not_placed_while_draining(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as there:
            forbidden = await there.call(to=BOB, greeting="Hello.")
            there.callee.answer(await there.callee.invited(), 403)
            withdrawn = await there.call(to=BOB, greeting="Hello.")
            invite = await there.callee.invited(2)
            there.callee.answer(invite, 180)
            await there.until(f"/v1/calls/{withdrawn['id']}", lambda shown: shown["status"] == "ringing")
            await there.post(f"/v1/calls/{withdrawn['id']}/end", {})
            await until(lambda: bool(there.callee.requests("CANCEL")))
            there.callee.agree_to(there.callee.requests("CANCEL")[0])
            there.callee.answer(invite, 487)
            mute = await there.call(to=BOB, greeting="Hello.")
            there.callee.answer(await there.callee.invited(3), 200, b"v=0\r\n")
            shown = [await there.settled(call) for call in (forbidden, withdrawn, mute)]
            assert [(call["status"], call["error"]) for call in shown] == [
                ("failed", "sip_403"),
                ("canceled", None),
                ("failed", "no_common_codec"),
            ]
            there.registry.draining = True
            waits = await there.call(to=BOB, greeting="Hello.")
            book = there.house.bridge.outbound.book
            await until(lambda: (book.find(waits["id"]) or pytest.fail("gone")).dials == 1)
            assert len({request.call_id for request in there.callee.requests("INVITE")}) == 3
            carriers = there.house.bridge.outbound.carrier
            with pytest.raises(Refused) as raised:
                carriers.look("gone@127.0.0.1")
            assert raised.value.code == "call_gone"

    asyncio.run(story())


CLOSED = [
    ("sip:bob@elsewhere.example", 403, "destination_not_allowed"),
    ("sip:+19005550100@office.example", 403, "destination_expensive"),
    ("sip:+33123456789@office.example", 403, "destination_not_allowed"),
    ("sip:0019005550100@office.example", 400, "destination_malformed"),
    ("+33123456789", 403, "destination_not_allowed"),
    ("sip:bob@office.example;maddr=10.0.0.1", 400, "invalid_parameter"),
    ("sip:bob@office.example?Route=x", 400, "invalid_parameter"),
]


def test_a_trunk_opens_no_destination_that_is_closed(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as there:
            for to, status, code in CLOSED:
                answer = await there.post("/v1/calls", {"to": to, "greeting": "Hello."})
                assert (answer.status, json_of(answer)["error"]["code"]) == (status, code), to
            assert there.callee.requests("INVITE") == []

    asyncio.run(story())


class Switchboard:
    """A server where a desk phone has registered, by ``transport``."""

    def __init__(self, transport: str) -> None:
        self.bound = Bound("sip:bob@192.0.2.7", Hop("192.0.2.7", 5060, transport), 0)

    def desk_phone(self, name: str) -> Bound:
        return self.bound


@pytest.mark.parametrize(
    ("written", "transport", "wish"),
    [("require", "udp", Srtp.REQUIRE), ("", "tls", Srtp.OFFER), ("off", "tls", Srtp.OFF), ("", "udp", Srtp.OFF)],
)
def test_a_desk_phone_is_called_under_seal_as_its_trunk_has_it(written: str, transport: str, wish: Srtp) -> None:
    desk = SipTrunk(name="bob", username="bob", desk_phone=True, password_env="B", password="b", srtp=written)
    server: Any = Switchboard(transport)
    assert asyncio.run(wanted(server, desk, "sip:bob@phone-bridge", "", 30)).srtp is wish


def test_a_call_by_a_provider_s_name_may_go_by_any_of_its_servers() -> None:
    found = (Hop("192.0.2.1", 5061, TLS), Hop("192.0.2.2", 5061, TLS))

    class Server:
        async def find(self, target: Target) -> tuple[Hop, ...]:
            assert target == Target("provider.example")
            return found

    trunk = SipTrunk(name="p", proxy="provider.example", calls_out=True)
    asked = asyncio.run(wanted(Server(), trunk, "+4930123456", "", 20))  # type: ignore[arg-type]  # it finds, no more
    assert (asked.hop, *asked.others) == found
    assert (asked.uri, asked.srtp) == ("sip:+4930123456@provider.example", Srtp.OFFER)

"""baresip over TCP and TLS: a call that is taken, ended by either side, and put through."""

import asyncio
import shutil
from pathlib import Path

import pytest
from msgspec import structs

from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.test_sip import phoned
from tests.app.test_sip_calls import Callee
from tests.app.test_sip_transfers import transfer
from tests.runtime.serving import CERTIFICATE, until
from tests.sip_peers.test_baresip import ALICE, SECONDS, Baresip, record

pytestmark = pytest.mark.skipif(
    shutil.which("baresip") is None, reason="baresip is missing: apt-get install baresip-core"
)

CERTIFICATES = f"sip_certificate {CERTIFICATE}\nsip_cafile {CERTIFICATE}\n"
TRUNKS: tuple[SipTrunk, ...] = (ALICE,)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("ended_by", ["caller", "api"])
def test_a_call_over_a_connection(tmp_path: Path, transport: str, ended_by: str) -> None:
    async def story() -> None:
        shown = {"sip_tls_certificate": str(CERTIFICATE)}
        async with phoned(tmp_path, transport=transport, sip_trunks=TRUNKS, **shown) as line:
            record(tmp_path / "silence.wav", bytes(16_000))
            telephone = Baresip(tmp_path, line.port, transport=transport, more=CERTIFICATES)
            try:
                await telephone.dial()
                registry = line.house.bridge.registry
                await until(lambda: registry.live == 1, SECONDS)
                if ended_by == "caller":
                    await telephone.tell("hangup")
                else:
                    registry.end_all("api")
                await until(lambda: registry.live == 0, SECONDS)
            finally:
                telephone.close()
            (found,) = await line.house.calls()
            assert (found.ended_by, found.error, found.from_number) == (ended_by, None, "alice")

    asyncio.run(story())


def test_a_caller_is_put_through_to_another_telephone(tmp_path: Path) -> None:
    async def story() -> None:
        desk = await Callee(0).open()
        alice = structs.replace(ALICE, domains=("127.0.0.1",))
        async with phoned(tmp_path, sip_trunks=(alice,), destinations="+1") as line:
            record(tmp_path / "silence.wav", bytes(16_000))
            telephone = Baresip(tmp_path, line.port)
            try:
                await telephone.dial()
                registry = line.house.bridge.registry
                await until(lambda: registry.live == 1, SECONDS)
                (call,) = await registry.list()
                asked = asyncio.create_task(transfer(line, call.id, f"sip:desk@127.0.0.1:{desk.port}"))
                invite = await desk.invited()
                desk.bridge = ("127.0.0.1", telephone.sip_port)
                desk.take(invite)
                assert await asked == (202, "")
                await until(lambda: registry.live == 0, SECONDS)
                await telephone.tell("hangup")
                await until(lambda: bool(desk.requests("BYE")), SECONDS)
                desk.agree_to(desk.requests("BYE")[0])
            finally:
                telephone.close()
                desk.close()

    asyncio.run(story())

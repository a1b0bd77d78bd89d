"""Kamailio in between: the bridge and baresip register with it, and call each other by it."""

import asyncio
import logging
from pathlib import Path

import pytest

from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.ringing import Telephone
from tests.app.test_sip import phoned
from tests.runtime.serving import until
from tests.sip_peers.kamailio import Kamailio, with_kamailio
from tests.sip_peers.test_baresip import SECONDS, Baresip, record
from tests.sip_peers.test_calling_out import SETTINGS, with_baresip


def trunk(port: int) -> SipTrunk:
    return SipTrunk(
        name="kamailio",
        proxy=f"127.0.0.1:{port};transport=tcp",
        username="bridge",
        password_env="KAMAILIO",
        password="sesame",
        registers=True,
        calls_out=True,
        domains=("127.0.0.1",),
    )


@with_kamailio
@with_baresip
def test_a_bridge_that_is_registered_is_called_and_calls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "phone_bridge.sip")

    async def story() -> None:
        record(tmp_path / "silence.wav", bytes(16_000))
        proxy = Kamailio(tmp_path)
        await proxy.ready()
        telephone = Baresip(tmp_path, proxy.port, transport="udp", registers=True, answers=True)
        try:
            async with phoned(tmp_path, transport="tcp", sip_trunks=(trunk(proxy.port),), **SETTINGS) as line:
                house, registry = Telephone(line.house, None), line.house.bridge.registry  # type: ignore[arg-type]
                await until(lambda: "registered with trunk kamailio" in caplog.text)
                await asyncio.sleep(0.5)  # baresip tells nobody that it is registered
                await telephone.tell("dial", f"sip:bridge@127.0.0.1:{proxy.port}")
                await until(lambda: registry.live == 1, SECONDS)
                await telephone.tell("hangup")
                await until(lambda: registry.live == 0, SECONDS)
                call = await house.call(to=f"sip:alice@127.0.0.1:{proxy.port}", greeting="Hello.")
                await until(lambda: registry.live == 1, SECONDS)
                registry.end_all("api")
                assert (await house.settled(call))["status"] == "completed"
                inbound = next(found for found in await line.house.calls() if found.direction == "inbound")
                assert (inbound.from_number, inbound.ended_by) == ("alice", "caller")
        finally:
            telephone.close()
            proxy.close()

    asyncio.run(story())

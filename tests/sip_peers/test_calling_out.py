"""Calls that go out: to SIPp, which answers, is busy, rings for ever, or answers too late, and to baresip."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.ringing import Telephone
from tests.app.test_sip import phoned
from tests.ports import free_port
from tests.runtime.serving import CERTIFICATE, until
from tests.sip_peers.test_baresip import SECONDS, Baresip, heard, record
from tests.sip_peers.test_sipp import SCENARIOS

with_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is missing: apt-get install sip-tester")
with_baresip = pytest.mark.skipif(
    shutil.which("baresip") is None, reason="baresip is missing: apt-get install baresip-core"
)

SETTINGS: dict[str, Any] = {"destinations": "+1", "calls_per_second": 50, "ring_seconds": 1}


def trunk(name: str, port: int, **more: Any) -> SipTrunk:
    where = f"127.0.0.1:{port}{more.pop('how', '')}"
    credentials: dict[str, Any] = {"username": "bridge", "password_env": "BRIDGE", "password": "sesame"}
    return SipTrunk(name=name, proxy=where, calls_out=True, domains=(f"{name}.example",), **credentials, **more)


async def uas(folder: Path, name: str, port: int) -> int:
    """Play a scenario's whole call as who is called; gives 0 where it went as it should."""
    arguments = ("-sf", str(SCENARIOS / f"uas_{name}.xml"), "-i", "127.0.0.1", "-p", str(port), "-m", "1", "-nostdin")
    process = await asyncio.create_subprocess_exec(
        "sipp", *arguments, "-timeout", "30", cwd=folder, stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@with_sipp
def test_whoever_is_called_answers_is_busy_or_rings(tmp_path: Path) -> None:
    async def story() -> None:
        names = ("answers", "busy", "rings", "late")
        ports = {name: free_port() for name in names}
        trunks = tuple(trunk(name, ports[name]) for name in names)
        async with phoned(tmp_path, sip_trunks=trunks, **SETTINGS) as line:
            house = Telephone(line.house, None)  # type: ignore[arg-type]  # nobody asks Twilio
            playing = {name: asyncio.create_task(uas(tmp_path, name, ports[name])) for name in names}
            await asyncio.sleep(0.3)  # SIPp tells nobody that it listens
            calls = {name: await house.call(to=f"sip:bob@{name}.example", greeting="Hello.") for name in names}
            await until(lambda: line.house.bridge.registry.live == 1)
            line.house.bridge.registry.end_all("api")
            shown = {name: await house.settled(call) for name, call in calls.items()}
            assert {name: call["status"] for name, call in shown.items()} == {
                "answers": "completed",
                "busy": "busy",
                "rings": "no_answer",
                "late": "no_answer",
            }
            assert {name: await done for name, done in playing.items()} == dict.fromkeys(names, 0)

    asyncio.run(story())


@with_baresip
def test_a_desk_phone_registers_with_the_bridge_and_is_called(tmp_path: Path) -> None:
    async def story() -> None:
        record(tmp_path / "silence.wav", bytes(16_000))
        desk = SipTrunk(name="desk", username="alice", password_env="DESK", password="sesame", desk_phone=True)
        async with phoned(tmp_path, transport="tcp", sip_trunks=(desk,), **SETTINGS) as line:
            house = Telephone(line.house, None)  # type: ignore[arg-type]  # nobody asks Twilio
            telephone = Baresip(tmp_path, line.port, registers=True, answers=True, through="tcp")
            try:
                await asyncio.sleep(1.0)  # baresip tells nobody that it is registered
                call = await house.call(to="sip:alice@phone-bridge", greeting="Hello.")
                await until(lambda: line.house.bridge.registry.live == 1, SECONDS)
                await telephone.tell("hangup")
                shown = await house.settled(call)
            finally:
                await asyncio.to_thread(telephone.close)  # it waits for our answer to its last REGISTER
        assert (shown["status"], shown["ended_by"], shown["from"]) == ("completed", "caller", "assistant")

    asyncio.run(story())


@with_baresip
def test_a_soft_phone_is_called_by_tls_and_hears_the_assistant(tmp_path: Path) -> None:
    async def story() -> None:
        record(tmp_path / "silence.wav", bytes(160_000))
        more = f"sip_certificate {CERTIFICATE}\nsip_cafile {CERTIFICATE}\n"
        telephone = Baresip(tmp_path, 1, more=more, answers=True)
        known = trunk("phone", telephone.sip_port + 1, how=";transport=tls")
        ours = {"sip_tls_certificate": str(CERTIFICATE), "sip_tls_authorities": str(CERTIFICATE)}
        settings = {**SETTINGS, **ours, "ring_seconds": 20}
        try:
            async with phoned(tmp_path, transport="tls", sip_trunks=(known,), **settings) as line:
                house = Telephone(line.house, None)  # type: ignore[arg-type]  # nobody asks Twilio
                call = await house.call(to="sip:alice@phone.example", greeting="Hello.")
                await until(lambda: line.house.bridge.registry.live == 1, SECONDS)
                await until(lambda: bool(line.house.peers.live), SECONDS)
                line.house.peers.live[-1].reply("r1", bytes(range(256)) * 30)
                await asyncio.sleep(1.0)  # it has to be heard
                await telephone.tell("hangup")
                shown = await house.settled(call)
        finally:
            telephone.close()
        assert (shown["status"], shown["ended_by"], shown["direction"]) == ("completed", "caller", "outbound")
        assert heard(tmp_path).any()

    asyncio.run(story())

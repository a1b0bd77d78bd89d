"""SIPp (Debian's sip-tester), a caller that nobody here wrote: its scenarios against a bridge on the loopback."""

import asyncio
import shutil
from pathlib import Path

import pytest

from phone_bridge.runtime.record import CallRecord
from tests.app.test_sip import Phoned, phoned
from tests.runtime.serving import until

pytestmark = pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is missing: apt-get install sip-tester")

SCENARIOS = Path(__file__).parent / "scenarios"
SECONDS = 30.0
TONE = bytes(range(256)) * 64  # two seconds of a sound that is no silence


async def sipp(folder: Path, port: int, *arguments: str) -> str:
    """Run SIPp until its calls are over; gives what it wrote where one of them failed."""
    (folder / "sound.ulaw").write_bytes(TONE)
    process = await asyncio.create_subprocess_exec(
        "sipp",
        f"127.0.0.1:{port}",
        "-i",
        "127.0.0.1",
        "-nostdin",
        "-timeout",
        f"{SECONDS:.0f}",
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS + 5):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        output, _ = await process.communicate()
    return "" if process.returncode == 0 else output.decode(errors="replace")[-4_000:]


async def kept(line: Phoned, count: int) -> list[CallRecord]:
    """Wait for the end of every call."""
    await until(lambda: line.house.bridge.registry.live == 0)
    async with asyncio.timeout(5):
        while True:
            found = await line.house.calls()
            if len([record for record in found if record.ended_at is not None]) == count:
                return found
            await asyncio.sleep(0.05)


def test_fifty_calls_at_ten_a_second_with_sound_both_ways(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            scenario = ("-sf", str(SCENARIOS / "talk.xml"), "-d", "1500")
            assert await sipp(tmp_path, line.port, *scenario, "-r", "10", "-m", "50") == ""
            records = await kept(line, 50)
            assert {(record.status, record.ended_by, record.error) for record in records} == {
                ("completed", "caller", None)
            }
            heard = [live.sound for live in line.house.peers.live]
            assert len(heard) == 50
            assert all(any(sound) for sound in heard), "a caller was not heard"

    asyncio.run(story())


def test_calls_over_one_connection_and_over_one_each(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path, transport="tcp") as line:
            for transport in ("t1", "tn"):
                calls = ("-sf", str(SCENARIOS / "hold.xml"), "-t", transport, "-m", "3", "-max_socket", "10")
                assert await sipp(tmp_path, line.port, *calls) == ""
            assert {record.status for record in await kept(line, 6)} == {"completed"}

    asyncio.run(story())


def test_hold_and_resume(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            assert await sipp(tmp_path, line.port, "-sf", str(SCENARIOS / "hold.xml"), "-m", "3") == ""
            assert {record.status for record in await kept(line, 3)} == {"completed"}

    asyncio.run(story())


def test_callers_who_give_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(record: CallRecord) -> str:
        await asyncio.sleep(0.3)
        return ""

    async def story() -> None:
        async with phoned(tmp_path) as line:
            monkeypatch.setattr(line.house.bridge, "begin", slow)
            assert await sipp(tmp_path, line.port, "-sf", str(SCENARIOS / "cancel.xml"), "-r", "20", "-m", "20") == ""
            assert {record.status for record in await kept(line, 20)} == {"canceled"}

    asyncio.run(story())


def test_a_network_that_loses_a_tenth_of_all_messages(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            calls = ("-sf", str(SCENARIOS / "lossy.xml"), "-lost", "10", "-r", "20", "-m", "20")
            assert await sipp(tmp_path, line.port, *calls) == ""
            records = await kept(line, 20)
            assert {(record.ended_by, record.error) for record in records} == {("caller", None)}
            assert {record.status for record in records} <= {"completed", "canceled"}, "canceled: its ACK was lost"

    asyncio.run(story())


def test_sipp_takes_the_place_of_somebody_who_talks(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path) as line:
            caller = await line.telephone()
            await caller.talk()
            await until(lambda: line.house.bridge.registry.live == 1 and bool(line.house.peers.live))
            place = f"{caller.call_id};to-tag={caller.tag};from-tag=theirs"
            scenario = ("-sf", str(SCENARIOS / "replaces.xml"), "-d", "1500", "-m", "1", "-key", "replaces", place)
            playing = asyncio.create_task(sipp(tmp_path, line.port, *scenario))
            await until(lambda: bool(caller.requests("BYE")), SECONDS)
            caller.agree_to(caller.requests("BYE")[0])
            assert await playing == ""
            (record,) = await kept(line, 1)
            assert (record.status, record.ended_by, record.from_number) == ("completed", "caller", caller.number)
            (live,) = line.house.peers.live
            assert any(live.sound), "whoever came was not heard"

    asyncio.run(story())

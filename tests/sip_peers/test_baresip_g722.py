"""baresip in wide band (its g722 module): what a telephone of 8 kHz could not carry is heard on both sides."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from tests.app.ringing import Telephone
from tests.app.test_sip import Phoned, phoned
from tests.runtime.serving import until
from tests.sip_peers.test_baresip import ALICE, MODULES, SECONDS, Baresip, heard, record
from tests.sip_peers.test_baresip_srtp import loudest_hz, tone
from tests.sip_peers.test_calling_out import SETTINGS

pytestmark = pytest.mark.skipif(
    not (shutil.which("baresip") and (MODULES / "g722.so").exists()),
    reason="baresip or its g722 module is missing: apt-get install baresip-core",
)

OURS_HZ, THEIRS_HZ = 6_000, 5_500
"""What the assistant says and what baresip says, both above what the narrow band has."""

NARROW_HZ = 1_300

BOTH: dict[str, Any] = {"more": "module g722.so\n", "codec": "G722/16000/1,PCMU"}


async def talked(line: Phoned, folder: Path, telephone: Baresip) -> None:
    """Have each side say its tone, hang up, and see that it reached the other."""
    peers, registry = line.house.peers, line.house.bridge.registry
    await until(lambda: bool(peers.live), SECONDS)
    assistant = peers.live[-1]
    assistant.reply("r1", tone(OURS_HZ, 24_000, 3))
    await until(lambda: len(assistant.sound) > LINEAR_24K.size(2_000), SECONDS)
    await telephone.tell("hangup")
    await until(lambda: registry.live == 0, SECONDS)
    spoken = assistant.sound[-LINEAR_24K.size(1_000) :]
    assert loudest_hz(spoken, 24_000) == pytest.approx(THEIRS_HZ, abs=5)
    assert loudest_hz(heard(folder, 16_000).astype("<i2").tobytes(), 16_000) == pytest.approx(OURS_HZ, abs=5)


def test_a_telephone_that_likes_it_best_is_heard_and_hears_above_four_kilohertz(tmp_path: Path) -> None:
    async def story() -> None:
        wide = structs.replace(ALICE, codecs=("pcmu", "g722"))
        async with phoned(tmp_path, sip_trunks=(wide,)) as line:
            record(tmp_path / "silence.wav", tone(THEIRS_HZ, LINEAR_16K.rate, 30), LINEAR_16K.rate)
            telephone = Baresip(tmp_path, line.port, **BOTH)
            try:
                await telephone.dial()
                await talked(line, tmp_path, telephone)
            finally:
                telephone.close()
            (found,) = await line.house.calls()
            assert (found.status, found.error) == ("completed", None)

    asyncio.run(story())


def test_a_desk_phone_is_called_in_wide_band_where_its_trunk_puts_it_first(tmp_path: Path) -> None:
    async def story() -> None:
        record(tmp_path / "silence.wav", tone(THEIRS_HZ, LINEAR_16K.rate, 30), LINEAR_16K.rate)
        desk = structs.replace(ALICE, desk_phone=True, codecs=("g722", "pcmu"))
        async with phoned(tmp_path, transport="tcp", sip_trunks=(desk,), **SETTINGS) as line:
            house = Telephone(line.house, None)  # type: ignore[arg-type]  # nobody asks Twilio
            telephone = Baresip(tmp_path, line.port, registers=True, answers=True, through="tcp", **BOTH)
            try:
                await asyncio.sleep(1.0)  # baresip tells nobody that it is registered
                await house.call(to="sip:alice@phone-bridge", greeting="Hello.")
                await talked(line, tmp_path, telephone)
            finally:
                await asyncio.to_thread(telephone.close)  # it waits for our answer to its last REGISTER

    asyncio.run(story())


def test_a_trunk_that_says_nothing_of_it_speaks_the_narrow_band(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path, sip_trunks=(ALICE,)) as line:
            record(tmp_path / "silence.wav", tone(1_000, 8_000, 30))  # it plays a file at the line's own rate alone
            telephone = Baresip(tmp_path, line.port, **BOTH)
            try:
                await telephone.dial()
                await until(lambda: bool(line.house.peers.live), SECONDS)
                await asyncio.sleep(1)
                await telephone.tell("hangup")
                await until(lambda: line.house.bridge.registry.live == 0, SECONDS)
            finally:
                telephone.close()
            assert heard(tmp_path, 8_000).size > 0, "a recording that has no other rate"

    asyncio.run(story())


@pytest.mark.parametrize("narrow_first", [False, True])
def test_a_telephone_in_wide_band_puts_one_through_that_knows_the_narrow_band_alone(
    tmp_path: Path, narrow_first: bool
) -> None:
    """And the other way about, which the call's own format is then the narrow one of."""

    async def story() -> None:
        trunk = structs.replace(ALICE, addresses=("127.0.0.1",), may_refer=True, codecs=("pcmu", "g722"))
        async with phoned(tmp_path, sip_trunks=(trunk,)) as line:
            registry, peers = line.house.bridge.registry, line.house.peers
            narrow, wide = tmp_path / "narrow", tmp_path / "wide"
            for folder, rate in ((narrow, 8_000), (wide, 16_000)):
                folder.mkdir()
                record(folder / "silence.wav", tone(NARROW_HZ, rate, 60), rate)
            alone = {**BOTH, "codec": "G722/16000/1"}
            first, second = (narrow, wide) if narrow_first else (wide, narrow)
            caller = Baresip(first, line.port, **({} if narrow_first else alone))
            other = Baresip(second, line.port, answers=True, **(alone if narrow_first else {}))
            try:
                await caller.dial()
                await until(lambda: registry.live == 1 and bool(peers.live), SECONDS)
                assistant = peers.live[-1]
                await until(lambda: loudest_hz(assistant.sound[-48_000:], 24_000) == pytest.approx(NARROW_HZ, abs=5))
                ((_, trace),) = registry.traces()
                await caller.tell("transfer", f"sip:alice@127.0.0.1:{other.sip_port}")
                await until(lambda: "caller_changed" in [each.kind for each in trace.timeline.events], SECONDS)
                known = len(assistant.sound)
                assistant.reply("r1", tone(2_000, 24_000, 3))
                await until(lambda: len(assistant.sound) > known + LINEAR_24K.size(3_000), SECONDS)
                await other.tell("hangup")
                await until(lambda: registry.live == 0, SECONDS)
            finally:
                await asyncio.to_thread(caller.close)
                await asyncio.to_thread(other.close)
            assert len(peers.live) == 1, "one session"
            spoken = assistant.sound[-LINEAR_24K.size(1_000) :]
            assert loudest_hz(spoken, 24_000) == pytest.approx(NARROW_HZ, abs=5)
            rate = 16_000 if narrow_first else 8_000
            assert loudest_hz(heard(second, rate).astype("<i2").tobytes(), rate) == pytest.approx(2_000, abs=5)

    asyncio.run(story())

"""Two baresips who are put through to each other: by us, or by the caller's own side."""

import asyncio
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from phone_bridge.audio.format import LINEAR_8K
from phone_bridge.outbound.transfer import State
from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.ringing import Telephone
from tests.app.test_sip import phoned
from tests.runtime.serving import until
from tests.sip_peers.test_baresip import MODULES, SECONDS, Baresip, record

pytestmark = pytest.mark.skipif(
    not (shutil.which("baresip") and MODULES.exists()), reason="baresip is missing: apt-get install baresip-core"
)

CALLER_HZ, OTHER_HZ = 600, 1_500


def hums(above: Path, name: str, hz: int) -> Path:
    """Make a telephone's folder, into whose microphone somebody hums."""
    made = above / name
    made.mkdir()
    time = np.arange(8_000 * 60) / 8_000
    record(made / "silence.wav", np.rint(6_000 * np.sin(2 * np.pi * hz * time)).astype("<i2").tobytes())
    return made


def share(folder: Path, hz: int) -> float:
    """Give how much of the last second that a telephone has heard, in its last call, is of one pitch.

    A busy machine leaves holes in it.
    """
    last = max(folder.glob("dump-*-dec.wav"))
    with wave.open(str(last)) as sound:
        frames = sound.readframes(sound.getnframes())[-2 * LINEAR_8K.rate :]
    shares = np.abs(np.fft.rfft(np.frombuffer(frames, "<i2").astype(float))) ** 2
    return float(np.sum(shares[hz - 20 : hz + 20]) / np.sum(shares))


@pytest.mark.parametrize("attended", [False, True])
def test_a_warm_transfer_is_taken_by_key_and_the_two_hear_each_other(tmp_path: Path, attended: bool) -> None:
    async def story() -> None:
        caller_folder, other_folder = hums(tmp_path, "caller", CALLER_HZ), hums(tmp_path, "other", OTHER_HZ)
        other = Baresip(other_folder, 1, answers=True)
        there = f"127.0.0.1:{other.sip_port}"
        both = ("127.0.0.1",) if attended else ()
        out = SipTrunk(name="phone", proxy=there, calls_out=True, domains=("phone.example",), addresses=both)
        own = SipTrunk(name="alice", username="alice", password_env="A", password="sesame")
        trunks = (out,) if attended else (own, out)
        async with phoned(tmp_path, sip_trunks=trunks, ring_seconds=20) as line:
            caller = Baresip(caller_folder, line.port)
            registry, transfers = line.house.bridge.registry, line.house.bridge.transfers
            try:
                await caller.dial()
                await until(lambda: registry.live == 1 and bool(line.house.peers.live), SECONDS)
                ((kept, _),) = registry.traces()
                house = Telephone(line.house, None)  # type: ignore[arg-type]  # nobody asks Twilio
                asked = {"to": "sip:alice@phone.example", "mode": "warm", "about": "a broken heater"}
                assert (await house.post(f"/v1/calls/{kept.id}/transfer", asked)).status == 202
                await until(lambda: transfers.of_call(kept.id)[-1].where is State.TOLD, SECONDS)
                await asyncio.sleep(0.5)
                await other.tell("sndcode", "1")
                await until(lambda: transfers.of_call(kept.id)[-1].where is State.COMPLETED, SECONDS)
                if attended:
                    await until(lambda: registry.live == 0, SECONDS)  # they talk without us
                await asyncio.sleep(2.0)  # they talk
                await caller.tell("hangup")
                await until(lambda: registry.live == 0, SECONDS)
            finally:
                await asyncio.to_thread(caller.close)
                await asyncio.to_thread(other.close)
            assert min(share(caller_folder, OTHER_HZ), share(other_folder, CALLER_HZ)) > 0.5
            assert (kept.status, kept.ended_by, kept.error) == ("completed", "transfer", None)

    asyncio.run(story())

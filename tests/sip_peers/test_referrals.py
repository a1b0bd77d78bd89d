"""baresip as the caller who puts somebody else through, and as who is put through."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest

from phone_bridge.audio.format import LINEAR_8K
from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.test_sip import phoned
from tests.runtime.serving import until
from tests.sip_peers.test_baresip import MODULES, SECONDS, Baresip, heard, record

pytestmark = pytest.mark.skipif(
    not (shutil.which("baresip") and MODULES.exists()), reason="baresip is missing: apt-get install baresip-core"
)

ALICE = SipTrunk(
    name="alice", addresses=("127.0.0.1",), username="alice", password_env="A", password="sesame", may_refer=True
)


def folder(above: Path, name: str) -> Path:
    made = above / name
    made.mkdir()
    record(made / "silence.wav", bytes(LINEAR_8K.size(60_000)))
    return made


@pytest.mark.parametrize("answers", [True, False])
def test_baresip_puts_another_baresip_through(tmp_path: Path, answers: bool) -> None:
    async def story() -> None:
        async with phoned(tmp_path, sip_trunks=(ALICE,), ring_seconds=30 if answers else 1) as line:
            registry = line.house.bridge.registry
            caller = Baresip(folder(tmp_path, "caller"), line.port)
            other = Baresip(folder(tmp_path, "other"), line.port, answers=answers)
            try:
                await caller.dial()
                await until(lambda: registry.live == 1 and bool(line.house.peers.live), SECONDS)
                ((record, trace),) = registry.traces()
                await caller.tell("transfer", f"sip:alice@127.0.0.1:{other.sip_port}")
                if answers:
                    await until(lambda: "caller_changed" in [each.kind for each in trace.timeline.events], SECONDS)
                    line.house.peers.live[-1].reply("r1", bytes(range(256)) * 400)
                    await asyncio.sleep(1.0)  # it has to be heard
                    await other.tell("hangup")
                await until(lambda: registry.live == 0, SECONDS)
            finally:
                await asyncio.to_thread(caller.close)  # it waits for our answers
                await asyncio.to_thread(other.close)
            assert (record.status, record.ended_by) == ("completed", "caller")
            assert len(line.house.peers.live) == 1, "one session"
            if answers:  # else this caller hangs up, once it has heard that nobody picked up
                assert np.max(np.abs(heard(tmp_path / "other"))) > 1_000

    asyncio.run(story())

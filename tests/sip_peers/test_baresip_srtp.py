"""baresip with sound under seal (its srtp module): keys go over TLS, or where a trunk says so."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from phone_bridge.audio.format import LINEAR_24K
from tests.app.test_sip import phoned
from tests.runtime.serving import CERTIFICATE, until
from tests.sip_peers.test_baresip import ALICE, SECONDS, Baresip, heard, record, samples
from tests.sip_peers.test_baresip_transports import CERTIFICATES

pytestmark = pytest.mark.skipif(
    shutil.which("baresip") is None, reason="baresip is missing: apt-get install baresip-core"
)

OURS_HZ, THEIRS_HZ = 440, 1_300
"""What the bridge's voice says every line with, and what baresip says."""


def tone(hz: int, rate: int, seconds: float) -> bytes:
    time = np.arange(int(rate * seconds)) / rate
    sound: bytes = (8_000 * np.sin(2 * np.pi * hz * time)).astype("<i2").tobytes()
    return sound


def loudest_hz(pcm16: bytes, rate: int) -> float:
    """The strongest frequency of a sound."""
    sound = samples(pcm16)
    return float(np.argmax(np.abs(np.fft.rfft(sound)))) * rate / len(sound) if len(sound) else 0.0


@pytest.mark.parametrize(
    ("transport", "seal", "written"),
    [("tls", "srtp-mand", ""), ("udp", "srtp", "require")],
)
def test_each_side_hears_the_other_under_seal(tmp_path: Path, transport: str, seal: str, written: str) -> None:
    async def story() -> None:
        shown = {"sip_tls_certificate": str(CERTIFICATE)} if transport == "tls" else {}
        trunk = structs.replace(ALICE, srtp=written)
        async with phoned(tmp_path, transport=transport, sip_trunks=(trunk,), **shown) as line:
            record(tmp_path / "silence.wav", tone(THEIRS_HZ, 8_000, 20))
            more = f"{CERTIFICATES if transport == 'tls' else ''}module srtp.so\n"
            telephone = Baresip(tmp_path, line.port, transport=transport, more=more, seal=seal)
            try:
                await telephone.dial()
                peers, registry = line.house.peers, line.house.bridge.registry
                await until(lambda: bool(peers.live), SECONDS)
                await until(lambda: len(peers.live[-1].sound) > LINEAR_24K.size(1_500), SECONDS)
                await telephone.tell("hangup")
                await until(lambda: registry.live == 0, SECONDS)
            finally:
                telephone.close()
            (found,) = await line.house.calls()
            assert found.error is None
            spoken = peers.live[-1].sound[-LINEAR_24K.size(1_000) :]
            assert loudest_hz(spoken, 24_000) == pytest.approx(THEIRS_HZ, abs=5)
            assert loudest_hz(heard(tmp_path).astype("<i2").tobytes(), 8_000) == pytest.approx(OURS_HZ, abs=5)

    asyncio.run(story())


def test_a_telephone_that_will_not_seal_is_refused_where_it_must(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path, sip_trunks=(structs.replace(ALICE, srtp="require"),)) as line:
            record(tmp_path / "silence.wav", bytes(16_000))
            telephone = Baresip(tmp_path, line.port)
            try:
                await telephone.dial()
                await asyncio.sleep(1)
            finally:
                telephone.close()
            assert not await line.house.calls()

    asyncio.run(story())

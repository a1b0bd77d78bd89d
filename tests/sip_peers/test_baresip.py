"""baresip (Debian's baresip-core), a soft-phone that nobody here wrote: a whole call with the built-in assistant."""

import asyncio
import json
import re
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.audio.format import LINEAR_8K
from phone_bridge.audio.path import path
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.sip_trunks import SipTrunk
from phone_bridge.settings import Settings
from tests.ports import free_port
from tests.runtime.serving import PATIENCE_SECONDS, serving

MODULES = Path("/usr/lib/baresip/modules")
pytestmark = [
    pytest.mark.speech,
    pytest.mark.skipif(shutil.which("baresip") is None, reason="baresip is missing: apt-get install baresip-core"),
]

GREETING = "Hello, this is your calendar."
ALICE = SipTrunk(name="alice", username="alice", password_env="ALICE", password="sesame")
SECONDS = 60.0
"""How long each step may take on a machine that others use, too; all of it takes 15 s."""

CONFIG = """\
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app ctrl_tcp.so
module_app menu.so
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
audio_source aufile,{folder}/silence.wav
audio_player nil,nil
audio_alert nil,nil
audio_telev_pt 101
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
"""


class Baresip:
    """One soft-phone, scripted by its control socket."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        transport: str = "udp",
        more: str = "",
        answers: bool = False,
        registers: bool = False,
        seal: str = "",
        through: str = "udp",
        codec: str = "PCMU",
    ) -> None:
        self.sip_port = free_port()
        self._control = free_port()
        self._bridge = f"{port};transport={transport}"
        settings = CONFIG.format(modules=MODULES, folder=folder, sip=self.sip_port, control=self._control)
        (folder / "config").write_text(settings + more)
        where = f"127.0.0.1:{port}" if registers else "127.0.0.1"
        how = (
            ("regint=60" if registers else "regint=0")
            + (";answermode=auto" if answers else "")
            + (f";mediaenc={seal}" if seal else "")
        )
        account = (
            f"<sip:alice@{where};transport={through}>;{how};audio_codecs={codec};auth_user=alice;auth_pass=sesame\n"
        )
        (folder / "accounts").write_text(account)
        (folder / "contacts").touch()
        self._process = subprocess.Popen(
            ["baresip", "-f", str(folder)],  # noqa: S607 - as Debian installs it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def tell(self, command: str, parameters: str = "") -> None:
        message = json.dumps({"command": command, "params": parameters, "token": "t"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self._control)
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
        writer.write(f"{len(message)}:{message},".encode())
        await writer.drain()
        await asyncio.sleep(0.1)  # it reads what came before the end only
        writer.close()
        await writer.wait_closed()

    async def dial(self) -> None:
        await self.tell("dial", f"sip:bridge@127.0.0.1:{self._bridge}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


async def say(folder: Path) -> NDArray[np.float64]:
    """Write what baresip says into its microphone; gives the bridge's greeting, to know it again."""
    voice = EspeakVoice()
    try:
        wish, greeting = await voice.speak("Cancel my next meeting."), await voice.speak(GREETING)
    finally:
        await voice.close()
    words = path(wish.format, LINEAR_8K).push(wish.audio)
    record(folder / "silence.wav", bytes(LINEAR_8K.size(60_000)))
    record(folder / "said.wav", words + bytes(LINEAR_8K.size(60_000)))
    return samples(path(greeting.format, LINEAR_8K).push(greeting.audio))


def record(file: Path, pcm16: bytes, rate: int = 8_000) -> None:
    with wave.open(str(file), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(pcm16)


def samples(pcm16: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm16[: len(pcm16) // 2 * 2], np.dtype("<i2")).astype(np.float64)


def heard(folder: Path, rate: int = 8_000) -> NDArray[np.float64]:
    (recording,) = folder.glob("dump-*-dec.wav")
    with wave.open(str(recording), "rb") as file:
        assert file.getframerate() == rate
        return samples(file.readframes(file.getnframes()))


def likeness(of: NDArray[np.float64], within: NDArray[np.float64]) -> float:
    """The best correlation of a sound with any part of another, from 0 to 1."""
    size = len(of) + len(within)
    products = np.fft.irfft(np.fft.rfft(within, size) * np.conj(np.fft.rfft(of, size)), size)[: len(within) - len(of)]
    energy = np.concatenate([[0.0], np.cumsum(within**2)])
    local = energy[len(of) :] - energy[: -len(of)]
    return float(np.max(products / np.sqrt(np.maximum(local[: len(products)], 1.0) * np.sum(of**2))))


def loudest(sound: NDArray[np.float64], size: int = 2_400) -> NDArray[np.float64]:
    """The loudest 300 ms: all of it might have a hole where the far end's buffer gave up a frame."""
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    start = int(np.argmax(energy[size:] - energy[:-size]))
    return sound[start : start + size]


def measured(shown: str, name: str, direction: str = "") -> float:
    """Count the values of a metric."""
    label = f'{{direction="{direction}"}}' if direction else ""
    found = re.search(rf"^phone_bridge_{name}_count{re.escape(label)} (\S+)$", shown, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def patiently(bridge: Bridge, holds: Callable[[CallRecord], bool]) -> CallRecord:
    """Wait until the newest call is as it should be."""
    async with asyncio.timeout(SECONDS):
        while True:
            for record in (await bridge.registry.list())[:1]:
                if holds(record):
                    return record
            await asyncio.sleep(0.1)


def test_a_wish_is_heard_asked_about_and_confirmed_by_a_key(tmp_path: Path) -> None:
    async def story() -> None:
        greeting = await say(tmp_path)
        port = free_port()

        def make() -> Bridge:
            settings = Settings(
                database_url=f"sqlite:///{tmp_path}/bridge.db",
                traces_folder=f"{tmp_path}/traces",
                port=ours.port,
                greeting=GREETING,
                sip_listen=f"udp://127.0.0.1:{port}",
                sip_trunks=(ALICE,),
            )
            return Bridge(settings, Records(settings.database_url), EspeakVoice())

        app = build(make)
        telephone = Baresip(tmp_path, port)
        try:
            async with serving(app) as ours, app.router.lifespan_context(app):
                bridge: Bridge = app.state.bridge
                await telephone.dial()
                await patiently(bridge, lambda record: any(said["text"] == GREETING for said in record.transcript))
                await asyncio.sleep(len(greeting) / 8_000)  # it is let finish: who speaks into it would cut it short
                await telephone.tell("ausrc", f"aufile,{tmp_path}/said.wav")
                await patiently(
                    bridge, lambda record: any("about to cancel" in said["text"] for said in record.transcript)
                )
                await telephone.tell("sndcode", "1")
                record = await patiently(bridge, lambda record: any(action["outcome"] for action in record.actions))
                await telephone.tell("hangup")
                record = await patiently(bridge, lambda record: record.ended_at is not None)
                shown = bridge.telemetry.scrape()[0].decode()
        finally:
            telephone.close()
        (action,) = record.actions
        assert (action["name"], action["verdict"], action["by"]) == ("cancel_event", "confirmed", "digit")
        assert action["outcome"] == "executed"
        assert (record.status, record.ended_by, record.from_number) == ("completed", "caller", "alice")
        assert "cancel my next meeting" in [said["text"] for said in record.transcript if said["speaker"] == "caller"]
        assert measured(shown, "rtp_loss_ratio", "down") > 0, "baresip's reports of our sound"
        assert measured(shown, "rtp_mos_score", "up") > 0, "ours of its"
        assert measured(shown, "rtp_round_trip_seconds") > 0, "its answers to them"
        assert likeness(loudest(greeting), heard(tmp_path)) > 0.9

    asyncio.run(story())

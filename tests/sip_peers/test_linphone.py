"""Linphone, a third stack that nobody here wrote: a whole talk, and attended transfers with Kamailio in between."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.audio.format import LINEAR_8K
from phone_bridge.audio.path import path
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.sip_trunks import SipTrunk
from phone_bridge.settings import Settings
from tests.app.test_sip import Phoned, phoned
from tests.ports import free_port
from tests.runtime.serving import CERTIFICATE, serving, until
from tests.sip_peers.kamailio import Kamailio, with_kamailio
from tests.sip_peers.linphone import ON_AIR, ON_HOLD, Linphone, with_linphone
from tests.sip_peers.test_baresip import GREETING, SECONDS, likeness, patiently, record, samples

DESK = SipTrunk(name="desk", username="alice", password_env="DESK", password="sesame", desk_phone=True)
DOMAIN = "office.example"
PART = 1_600
"""Samples that are looked for in what was heard: 200 ms."""


@with_linphone
@pytest.mark.speech
def test_a_desk_phone_by_tls_and_under_seal_puts_us_on_hold_and_confirms_a_wish_by_a_key(tmp_path: Path) -> None:
    async def story() -> None:
        voice = EspeakVoice()
        try:
            wish, line = await voice.speak("Cancel my next meeting."), await voice.speak(GREETING)
        finally:
            await voice.close()
        greeting = samples(path(line.format, LINEAR_8K).push(line.audio))
        record(tmp_path / "said.wav", path(wish.format, LINEAR_8K).push(wish.audio) + bytes(LINEAR_8K.size(60_000)))
        port = free_port()

        def make() -> Bridge:
            settings = Settings(
                database_url=f"sqlite:///{tmp_path}/bridge.db",
                traces_folder=f"{tmp_path}/traces",
                port=ours.port,
                greeting=GREETING,
                sip_listen=f"tls://127.0.0.1:{port}",
                sip_tls_certificate=str(CERTIFICATE),
                sip_tls_key=str(CERTIFICATE),
                sip_trunks=(DESK,),
            )
            return Bridge(settings, Records(settings.database_url), EspeakVoice())

        app = build(make)
        async with (
            serving(app) as ours,
            app.router.lifespan_context(app),
            Linphone(
                tmp_path,
                "alice",
                f"127.0.0.1:{port};transport=tls",
                "127.0.0.1",
                seal="srtp",
                authorities=str(CERTIFICATE),
                rtp_settings="avpf=1",
            ) as telephone,
        ):
            bridge: Bridge = app.state.bridge
            await telephone.does(f"call sip:bridge@127.0.0.1:{port};transport=tls", ON_AIR)
            await patiently(bridge, lambda record: any(said["text"] == GREETING for said in record.transcript))
            await asyncio.sleep(len(greeting) / 8_000)  # it is let finish: who speaks into it would cut it short
            ((_, trace),) = bridge.registry.traces()
            await telephone.does("pause", ON_HOLD)
            await telephone.does("resume 1", ON_AIR)
            telephone.tell(f"play {tmp_path}/said.wav")
            await patiently(bridge, lambda record: any("about to cancel" in said["text"] for said in record.transcript))
            telephone.tell("1")
            await patiently(bridge, lambda record: any(action["outcome"] for action in record.actions))
            await telephone.does("terminate", "ended")
            ended = await patiently(bridge, lambda record: record.ended_at is not None)
        (action,) = ended.actions
        assert (action["name"], action["verdict"], action["by"]) == ("cancel_event", "confirmed", "digit")
        assert (ended.status, ended.ended_by, ended.error) == ("completed", "caller", None)
        assert ended.from_number == "alice"
        assert [event.kind for event in trace.timeline.events][:2] == ["held", "resumed"]
        parts = [greeting[at : at + PART] for at in range(0, len(greeting) - PART, PART)]
        found = [likeness(part, telephone.heard()) for part in parts if part.any()]
        assert np.median(found) > 0.9, "but for what its buffer gives up while it finds its size"

    asyncio.run(story())


def office(port: int) -> SipTrunk:
    return SipTrunk(
        name="office",
        proxy=f"127.0.0.1:{port};transport=tcp",
        username="bridge",
        password_env="OFFICE",
        password="sesame",
        registers=True,
        calls_out=True,
        domains=(DOMAIN,),
        may_refer=True,
    )


@with_linphone
@with_kamailio
def test_an_attended_transfer_of_the_bridge_and_one_to_the_bridge(tmp_path: Path) -> None:
    """Alice, who talks with the assistant, asks Bob and has it call him; he asks her, and has her call it."""

    async def story() -> None:
        proxy = Kamailio(tmp_path)
        await proxy.ready()
        where = f"127.0.0.1:{proxy.port};transport=udp"
        try:
            async with (
                phoned(tmp_path, transport="tcp", sip_trunks=(office(proxy.port),)) as line,
                Linphone(tmp_path, "alice", where, DOMAIN) as alice,
                Linphone(tmp_path, "bob", where, DOMAIN) as bob,
            ):
                await alice.does(f"call sip:bridge@{DOMAIN}", ON_AIR)
                await until(lambda: bool(line.house.peers.live), SECONDS)
                await alice.does("pause", ON_HOLD)
                await alice.does(f"call sip:bob@{DOMAIN}", ON_AIR)
                alice.tell("transfer 1 --to-call 2")
                await until(lambda: happened(line) == ["held", "caller_changed"], SECONDS)
                await alice.idle()
                await speaks_to(line, bob)
                await bob.does("pause", ON_HOLD)
                await bob.does(f"call sip:alice@{DOMAIN}", ON_AIR)
                bob.tell("transfer 3 --to-call 2")
                await until(lambda: happened(line) == ["held", "caller_changed"] * 2, SECONDS)
                await bob.idle()
                await speaks_to(line, alice)
                await alice.does("terminate", "ended")
                await until(lambda: line.house.bridge.registry.live == 0, SECONDS)
                assert len(line.house.peers.live) == 1, "one session"
                (found,) = await line.house.calls()
                assert (found.status, found.ended_by, found.error) == ("completed", "caller", None)
        finally:
            proxy.close()

    asyncio.run(story())


def happened(line: Phoned) -> list[str]:
    """Name what has come of the one call that there is."""
    return [event.kind for _, trace in line.house.bridge.registry.traces() for event in trace.timeline.events]


async def speaks_to(line: Phoned, telephone: Linphone) -> None:
    """Have the assistant say something, and wait until that telephone has heard it."""
    telephone.listen()
    line.house.peers.live[-1].reply("r1", bytes(range(256)) * 100)
    async with asyncio.timeout(SECONDS):
        while True:
            if np.any(np.abs(telephone.heard()) > 5_000):
                return
            await asyncio.sleep(0.1)

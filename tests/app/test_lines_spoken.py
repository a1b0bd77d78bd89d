"""Whole calls over lines with the built-in assistant: a spoken wish, a question, a key."""

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.audio.path import path
from phone_bridge.runtime.lines import KINDS
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.voice import Speech
from phone_bridge.settings import Settings
from tests.app.test_lines import SECRET, line
from tests.ports import free_port
from tests.runtime.far_streams import FarStream
from tests.runtime.serving import serving, until

pytestmark = pytest.mark.speech

SECONDS = 60.0
"""How long each step may take on a machine that others use, too; all of it takes 40 s."""
AT_ONCE = 2
"""How many lines speak at a time: each needs its words heard within the times of a call, whoever else is at work."""


async def talk(bridge: Bridge, far: FarStream, wish: Speech) -> None:
    """Wait for the greeting's end, say the wish without a pause on the line, and confirm what is asked."""
    said = path(wish.format, far.format).push(wish.audio)
    size = far.format.size(20)
    silence = far.format.silence * (size // far.format.sample_bytes)
    frames = [said[at : at + size] for at in range(0, len(said) - size, size)]
    registry = bridge.registry
    for _ in range(int(SECONDS * 50)):
        live = [record.id for record, _ in registry.traces() if record.carrier_id == far.carrier_id]
        assert live, f"{far.kind}: {[(r.carrier_id, r.error, r.ended_by, r.transcript) for r in await registry.list()]}"
        pump = registry.pump(live[0])
        assert pump is not None
        heard_greeting = bool(pump.trace.transcript)
        far.speak(frames.pop(0) if heard_greeting and frames else silence)
        question = pump.view().question
        if question is not None and question.answerable:
            far.press("1")
        if any(action.outcome for action in pump.trace.actions):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{far.kind}: nothing was done in time")


def test_a_spoken_wish_is_confirmed_by_a_key_over_every_line(tmp_path: Path) -> None:
    async def story() -> None:
        voice = EspeakVoice()
        try:
            wish = await voice.speak("Create a meeting tomorrow at three p m.")
        finally:
            await voice.close()
        port = free_port()

        def make() -> Bridge:
            settings = Settings(
                database_url=f"sqlite:///{tmp_path}/bridge.db",
                traces_folder=f"{tmp_path}/traces",
                port=ours.port,
                greeting="Hello.",
                lines=tuple(structs.replace(line(kind), user_id=f"usr_{kind}") for kind in KINDS),
                audiosocket_listen=f"tcp://127.0.0.1:{port}",
            )
            return Bridge(settings, Records(settings.database_url), EspeakVoice())

        app = build(make)
        async with serving(app) as ours, app.router.lifespan_context(app):
            bridge: Bridge = app.state.bridge
            for at in range(0, len(KINDS), AT_ONCE):
                fars = [await FarStream(kind).ring(ours.port, port, SECRET) for kind in KINDS[at : at + AT_ONCE]]
                await until(lambda: bridge.registry.live == len(fars), SECONDS)  # noqa: B023
                await asyncio.gather(*(talk(bridge, far, wish) for far in fars))
                for far in fars:
                    await far.hang_up()
                await until(lambda: bridge.registry.live == 0)
            records = await bridge.registry.list()
            assert len(records) == len(KINDS)
            for record in records:
                (action,) = record.actions
                assert (action["verdict"], action["by"], action["outcome"]) == ("confirmed", "digit", "executed")

    asyncio.run(story())

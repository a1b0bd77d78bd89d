"""A bridge with its own ear and voice, for clients that were written elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.audio.format import LINEAR_24K
from phone_bridge.runtime.record import Records
from phone_bridge.settings import Settings
from tests.runtime.serving import Running, serving

KEY = "the-api-key"
QUESTION = "what is my next meeting"
ANSWER = "Your next meeting is"


@asynccontextmanager
async def bridge(folder: Path) -> AsyncIterator[Running]:
    """Run a bridge that wants a key."""

    def make() -> Bridge:
        chosen = Settings(
            database_url=f"sqlite:///{folder}/bridge.db", traces_folder=f"{folder}/traces", port=ours.port, api_key=KEY
        )
        return Bridge(chosen, Records(chosen.database_url), EspeakVoice())

    app = build(make)
    async with serving(app) as ours, app.router.lifespan_context(app):
        yield ours


async def question() -> bytes:
    """Say the question with silence around it: PCM16 at 24 kHz."""
    voice = EspeakVoice()
    try:
        speech = await voice.speak(QUESTION)
    finally:
        await voice.close()
    assert speech.format == LINEAR_24K
    return bytes(LINEAR_24K.size(500)) + speech.audio + bytes(LINEAR_24K.size(1_500))


async def run(program: str, *arguments: str, seconds: float = 30.0) -> tuple[int, str, str]:
    """Run a program to its end: its status and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    return process.returncode or 0, output.decode(), errors.decode()

"""Callers who ask for a person in words, on simulated calls over real sockets."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.runtime.record import Records
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.settings import Settings
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.carrier import LiveCall, Site
from phone_bridge.simulator.dialled import of_manner
from phone_bridge.simulator.script import Say, Step
from phone_bridge.simulator.webhooks import Dialling
from tests.app.premises import ACCOUNT, Premises, play
from tests.app.test_transferring import GIVEN, RECEPTION, came_back, phoned, said, states
from tests.runtime.serving import serving, until

CONNECTING = "Please stay on the line, I am putting you through to reception."


def callees(house: Premises, carrier_id: str = "CA" + "1" * 32) -> Mapping[str, bool]:
    record = house.bridge.record(carrier_id=carrier_id, direction="inbound", from_number=None, to_number=None)
    return house.bridge.callees(record)


@pytest.mark.parametrize(
    ("more", "heard"),
    [
        ({"session": "embedded"}, True),
        ({"session": "voice-sdk"}, True),
        ({}, True),
        ({"session": "openai", "session_key": "sk-1"}, False),  # its model has transfer_call
        ({"transfers": ""}, False),
    ],
)
def test_the_bridge_listens_where_the_session_cannot_put_anybody_through(
    tmp_path: Path, more: dict[str, Any], heard: bool
) -> None:
    async def story(house: Premises) -> None:
        everybody = {"reception": True, "desk": True, "sales": True, "box": False, "billing": False}
        assert callees(house) == (everybody if heard else {})
        assert callees(house, "web_1") == {}, "no browser can be put through"

    play(tmp_path, story, **GIVEN | more)


def _sessions(house: Premises, count: int) -> bool:
    return len(house.peers.live) == count


def tell(house: Premises, text: str) -> None:
    house.peers.live[-1].tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal(text))


def test_a_caller_of_chronapilots_is_put_through_by_their_own_words(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house) as phone:
            tell(house, "Could you put me through to reception, please?")
            over = await phone.until(lambda shown: states(shown) == [("reception", "cold", "completed")])
            await phone.task
            assert said(over)[-1] == CONNECTING
            assert (over["ended_by"], over["error"]) == ("transfer", None)
        assert phone.result is not None
        assert phone.result.verbs == ("ConnectStream", "Dial", "Hangup")
        assert phone.result.dialled == (RECEPTION,)

    play(tmp_path, story, **GIVEN)


def test_whoever_comes_back_may_ask_again_and_is_told_when_it_was_too_often(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house, reception=of_manner("busy")) as phone:
            for part in range(1, 6):
                tell(house, "put me through to reception")
                await phone.until(came_back(part))
                await until(partial(_sessions, house, part + 1))
            tell(house, "put me through to reception")
            told = await phone.until(lambda shown: "cannot put you through" in said(shown)[-1])
            assert (told["resumed"], told["status"]) == (5, "in_progress")

    play(tmp_path, story, **GIVEN)


@pytest.mark.speech
def test_a_caller_of_the_built_in_assistant_says_it_aloud(tmp_path: Path) -> None:
    """All of it: the caller's voice, the telephone's sound, the assistant's ear, the bridge's own voice."""
    script: tuple[Step, ...] = (Say("Put me through to reception."),)

    async def story() -> None:
        def make() -> Bridge:
            settings = Settings(
                database_url=f"sqlite:///{tmp_path}/bridge.db",
                traces_folder=f"{tmp_path}/traces",
                port=ours.port,
                greeting="Hello.",
                transfers=f"reception={RECEPTION}",
            )
            return Bridge(settings, Records(settings.database_url), EspeakVoice())

        app = build(make)
        voice = EspeakVoice()
        try:
            async with serving(app) as ours, app.router.lifespan_context(app):
                call = await LiveCall.prepare(
                    Site(url=f"http://127.0.0.1:{ours.port}"),
                    script,
                    voice,
                    dialling=Dialling(account_sid=ACCOUNT),
                    manners=Manners(stay=True),
                )
                async with asyncio.timeout(60):
                    result = await call.run()
                (record,) = await app.state.bridge.registry.list()
        finally:
            await voice.close()
        assert result.dialled == (RECEPTION,)
        assert [(line["speaker"], line["text"].lower()) for line in record.transcript[1:]] == [
            ("caller", "put me through to reception"),
            ("bridge", CONNECTING.lower()),
        ]

    asyncio.run(story())

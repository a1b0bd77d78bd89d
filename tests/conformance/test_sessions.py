"""Every session through the one door; a new one is one line in ``SESSIONS``."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, PCMU_8K, Format
from phone_bridge.exchange import Response
from phone_bridge.offers import Offer
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.dialect import SessionWire
from phone_bridge.sessions.realtime import Realtime, azure, gateway, openai
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.voice_agent import VoiceAgent
from phone_bridge.sessions.voice_sdk import VoiceSdk
from tests.conformance.door import Message, check_session
from tests.sessions.chronapilot import samples as chronapilot
from tests.sessions.realtime import samples as realtime
from tests.sessions.voice_sdk import samples as sdk

WIRE = Path(__file__).parents[1] / "wire"
CREATE_EVENT = Offer(name="create_event", description="Put a new event into the calendar.", schema={"type": "object"})
LEGS = (PCMU_8K, PCMA_8K, LINEAR_16K)


class Session(NamedTuple):
    """How a fresh wire is made for a leg, and what its server says, well and badly."""

    make: Callable[[Format], SessionWire]
    said: list[Message]
    broken: list[Message]


def chronapilot_as(output_format: str) -> Session:
    dialect = ChronaPilot(base_url="http://test", key="sk_test_1", user_id="usr_1", output_format=output_format)
    broken = [case["data"] for case in chronapilot.cases("server_broken.jsonl")]
    unknown = chronapilot.lines("server_unknown.jsonl")
    return Session(dialect.wire, list(chronapilot.lines("server.jsonl")), [*broken, *unknown, b"binary"])


def realtime_as(dialect: Realtime, samples: str) -> Session:
    said: list[Message] = [*realtime.lines(samples)]
    broken = [case["data"] for case in realtime.cases("server_broken.jsonl")]
    unknown = realtime.lines("server_unknown.jsonl")
    return Session(replace(dialect, offers=(CREATE_EVENT,)).wire, said, [*broken, *unknown, b"binary"])


def voice_agent() -> Session:
    def make(leg: Format) -> SessionWire:
        agent = VoiceAgent("https://agent.test", "t", offers=(CREATE_EVENT,))
        agent.minted(Response(status=200, body=(WIRE / "voice_agent" / "minted.json").read_bytes()))
        return agent.wire(leg)

    return realtime_as(openai("https://api.test", "sk-1"), "server_beta.jsonl")._replace(make=make)


def voice_sdk() -> Session:
    said: list[Message] = list(sdk.lines("server.jsonl"))
    said[2:2] = [bytes(640), bytes(1280)]
    broken = [case["data"] for case in sdk.cases("server_broken.jsonl")]
    dialect = VoiceSdk(base_url="http://test", key="key")
    return Session(dialect.wire, said, [*broken, bytes(639), b"", '{"type":"weather"}'])


AZURE = "https://name.openai.azure.com"
PREVIEW = "2025-04-01-preview"
SESSIONS = {
    "openai": realtime_as(openai("https://api.openai.com", "sk-1"), "server_ga.jsonl"),
    "openai, PCM16": realtime_as(replace(openai("https://api.test", "sk-1"), audio_format="pcm16"), "server_ga.jsonl"),
    "azure": realtime_as(azure(AZURE, "key", "voice"), "server_ga.jsonl"),
    "azure, preview": realtime_as(azure(AZURE, "key", "voice", api_version=PREVIEW), "server_beta.jsonl"),
    "gateway, GA": realtime_as(gateway("http://gateway.test", "t", "m", shape=Shape.GA), "server_ga.jsonl"),
    "gateway, beta": realtime_as(gateway("http://gateway.test", "t", auth="query"), "server_beta.jsonl"),
    "voice agent": voice_agent(),
    "chronapilot": chronapilot_as("pcm16"),
    "chronapilot, mu-law": chronapilot_as("g711_ulaw"),
    "voice_sdk": voice_sdk(),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_keeps_its_promises(name: str) -> None:
    made, good, bad = SESSIONS[name]
    check_session(made, LEGS, good, bad)

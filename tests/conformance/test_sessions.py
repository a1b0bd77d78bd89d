"""Every session through the one door; a new one is one line in ``SESSIONS``."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, PCMU_8K, Format
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.dialect import SessionWire
from phone_bridge.sessions.voice_sdk import VoiceSdk
from tests.conformance.door import Message, check_session
from tests.sessions.chronapilot import samples as chronapilot
from tests.sessions.voice_sdk import samples as sdk

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


def voice_sdk() -> Session:
    said: list[Message] = list(sdk.lines("server.jsonl"))
    said[2:2] = [bytes(640), bytes(1280)]
    broken = [case["data"] for case in sdk.cases("server_broken.jsonl")]
    dialect = VoiceSdk(base_url="http://test", key="key")
    return Session(dialect.wire, said, [*broken, bytes(639), b"", '{"type":"weather"}'])


SESSIONS = {
    "chronapilot": chronapilot_as("pcm16"),
    "chronapilot, mu-law": chronapilot_as("g711_ulaw"),
    "voice_sdk": voice_sdk(),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_keeps_its_promises(name: str) -> None:
    made, good, bad = SESSIONS[name]
    check_session(made, LEGS, good, bad)

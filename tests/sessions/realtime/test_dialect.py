import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.events import Action
from phone_bridge.errors import SettingsError
from phone_bridge.exchange import Response
from phone_bridge.sessions.dialect import Dialect
from phone_bridge.sessions.realtime import Realtime, azure, gateway, openai
from phone_bridge.sessions.realtime.names import Shape

RESOURCE = "https://name.openai.azure.com"


def test_it_is_a_dialect() -> None:
    dialect: Dialect = openai("https://api.openai.com", "sk-1")
    assert dialect.mint("nonce") is None
    ticket = dialect.minted(None)
    assert ticket.life_ms == 3_600_000
    assert dialect.farewell(ticket) is None
    assert dialect.look_up(Action("cancel_event")) is None
    assert dialect.looked_up(Action("cancel_event"), Response(status=200)) == "unknown"


@pytest.mark.parametrize(
    ("made", "url", "headers", "shape"),
    [
        (
            openai("https://api.openai.com", "sk-1"),
            "wss://api.openai.com/v1/realtime?model=gpt-realtime",
            {"Authorization": "Bearer sk-1"},
            Shape.GA,
        ),
        (
            azure(f"{RESOURCE}/", "k", "my voice"),
            "wss://name.openai.azure.com/openai/v1/realtime?model=my%20voice",
            {"api-key": "k"},
            Shape.GA,
        ),
        (
            azure(RESOURCE, "token", "d", api_version="2025-04-01-preview", auth="bearer"),
            "wss://name.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d",
            {"Authorization": "Bearer token"},
            Shape.BETA,
        ),
        (
            gateway("http://gate.test:81", "t&1", "m", auth="query"),
            "ws://gate.test:81/v1/realtime?model=m&token=t%261",
            {"OpenAI-Beta": "realtime=v1"},
            Shape.BETA,
        ),
        (gateway("https://gate.test"), "wss://gate.test/v1/realtime", {"OpenAI-Beta": "realtime=v1"}, Shape.BETA),
        (
            gateway("https://gate.test", "t", shape=Shape.GA, auth="api-key"),
            "wss://gate.test/v1/realtime",
            {"api-key": "t"},
            Shape.GA,
        ),
        (
            gateway("https://gate.test", "t", shape=Shape.GA),
            "wss://gate.test/v1/realtime",
            {"Authorization": "Bearer t"},
            Shape.GA,
        ),
    ],
)
def test_each_place_is_dialled_in_its_own_way(made: Realtime, url: str, headers: dict[str, str], shape: Shape) -> None:
    assert (made.url, made.headers, made.shape) == (url, headers, shape)


def test_azures_ga_address_carries_no_api_version() -> None:
    assert "api-version" not in parse_qs(urlsplit(azure(RESOURCE, "k", "d").url).query)


@pytest.mark.parametrize(
    "make",
    [
        lambda: openai("https://api.openai.com", ""),
        lambda: openai("https://api.openai.com/v1", "sk-1"),
        lambda: openai("wss://api.openai.com", "sk-1"),
        lambda: azure(RESOURCE, "k", ""),
        lambda: azure(RESOURCE, "", "d"),
        lambda: gateway("gateway.test"),
        lambda: gateway("https://gate.test?x=1"),
    ],
)
def test_what_cannot_be_dialled_is_refused(make: Any) -> None:
    with pytest.raises(SettingsError):
        make()


def test_no_key_shows_itself() -> None:
    assert "secret" not in repr(gateway("https://gate.test", "secret", auth="query"))
    assert "secret" not in repr(openai("https://api.openai.com", "secret"))


def test_what_is_set_is_asked_for() -> None:
    dialect = Realtime(
        url="ws://test",
        instructions="Be kind.",
        voice="marin",
        turn_detection="semantic_vad",
        transcriber="whisper-1",
        audio_format="pcm16",
    )
    session = json.loads(dialect.wire(PCMU_8K).outgoing()[0])["session"]
    assert session["instructions"] == "Be kind."
    assert session["audio"]["output"] == {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}
    assert session["audio"]["input"]["transcription"] == {"model": "whisper-1"}
    assert session["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"

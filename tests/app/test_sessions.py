"""Which session a call is given, from what the settings say of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from phone_bridge.app.sessions import Bound, dialect
from phone_bridge.offers import Effect, Offer
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.realtime import Realtime
from phone_bridge.sessions.voice_agent import VoiceAgent
from phone_bridge.sessions.voice_sdk import VoiceSdk
from phone_bridge.settings import Settings

LOOK = Offer(name="look", description="Look.", schema={"type": "object"}, effect=Effect.READ)
BOUND = Bound(user_id="usr_a", offers=(LOOK,), now=datetime(2026, 11, 24, 10, tzinfo=UTC), known="They like tea.")
HOUR_MS = 3_600_000


def made(**settings: Any) -> Any:
    return dialect(Settings(database_url="sqlite://", **settings), BOUND, embedded_key="sk_embedded")


def realtime(**settings: Any) -> Realtime:
    given = made(session_key="sk-test", **settings)
    assert isinstance(given, Realtime)
    return given


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"session": "embedded"}, ChronaPilot),
        ({"session": "chronapilot", "session_key": "sk_test"}, ChronaPilot),
        ({"session": "openai", "session_key": "sk"}, Realtime),
        ({"session": "voice-agent", "session_url": "https://agent.test", "session_key": "k"}, VoiceAgent),
        ({"session": "voice-sdk", "session_url": "https://sdk.test", "session_key": "k"}, VoiceSdk),
    ],
)
def test_every_kind_of_session_has_its_dialect(settings: dict[str, Any], kind: type) -> None:
    assert isinstance(made(**settings), kind)


def test_a_model_is_told_the_time_and_what_is_known_and_given_the_functions() -> None:
    given = realtime(session="openai", session_instructions="Be brief.", session_voice="marin")
    assert given.instructions.startswith("Be brief.\n\nIt is now 2026-11-24T10:00+00:00, a Tuesday")
    assert given.instructions.endswith("They like tea.")
    assert (given.offers, given.voice) == ((LOOK,), "marin")


def test_a_session_lives_as_long_as_the_settings_say_or_openai_s_hour() -> None:
    assert realtime(session="openai").life_ms == HOUR_MS
    azure = {"session": "azure-openai", "session_url": "https://a.test", "session_model": "mine"}
    assert realtime(**azure, session_minutes=30).minted(None).life_ms == HOUR_MS // 2


def test_a_gateway_speaks_the_beta_until_it_is_said_otherwise() -> None:
    gateway = {"session": "realtime", "session_url": "https://gateway.test"}
    assert realtime(**gateway).shape.value == "beta"
    assert realtime(**gateway, session_shape="ga").shape.value == "ga"

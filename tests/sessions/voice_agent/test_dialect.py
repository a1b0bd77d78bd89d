import json
from typing import Any

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, SettingsError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.offers import Effect, Offer
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.voice_agent import VoiceAgent
from tests.sessions.voice_agent.test_tools import minted

CREATE = Offer(name="create_event", description="Put a new event into the calendar.", schema={"type": "object"})


def agent(**more: Any) -> VoiceAgent:
    return VoiceAgent("https://agent.example.com", "t0ken", **more)


def answer(**changes: Any) -> Response:
    return Response(status=200, body=json.dumps({**minted(), **changes}).encode())


def secret(value: str) -> dict[str, Any]:
    return {"client_secret": {"value": value, "expires_at": 1}}


def first_update(made: VoiceAgent) -> dict[str, Any]:
    (text,) = made.wire(PCMU_8K).outgoing()
    update: dict[str, Any] = json.loads(text)
    assert update["type"] == "session.update"
    session: dict[str, Any] = update["session"]
    return session


def test_a_session_is_asked_for_with_what_is_wished() -> None:
    request = agent(model="gpt-realtime-mini", voice="sage").mint("nonce")
    assert (request.method, request.url) == ("POST", "https://agent.example.com/api/voice-agent")
    assert request.headers["Authorization"] == "Bearer t0ken"
    assert json.loads(request.body) == {"model": "gpt-realtime-mini", "voice": "sage"}
    assert json.loads(agent().mint("nonce").body) == {}


def test_a_key_may_be_a_cookie() -> None:
    request = VoiceAgent("https://agent.example.com", "cookie:sid=1").mint("nonce")
    assert request.headers["Cookie"] == "sid=1"
    assert "Authorization" not in request.headers


def test_an_address_is_dialled_as_it_is_in_the_beta_s_shape() -> None:
    made = agent()
    ticket = made.minted(answer())
    assert ticket.url == "wss://relay.example.com/v1/realtime?ticket=one-time"
    assert ticket.headers == {"OpenAI-Beta": "realtime=v1"}, "the address holds its own ticket"
    assert ticket.session_id == "sess_1"
    assert first_update(made)["input_audio_format"] == "g711_ulaw"


def test_a_key_of_openai_s_opens_openai() -> None:
    made = agent()
    ticket = made.minted(answer(**secret("ek_123")))
    assert ticket.url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-mini"
    assert ticket.headers == {"Authorization": "Bearer ek_123"}
    assert first_update(made)["type"] == "realtime"
    beta = agent(shape=Shape.BETA, openai_url="http://127.0.0.1:9")
    assert beta.minted(answer(**secret("ek_1"))).url.startswith("ws://127.0.0.1:9/v1/realtime")


def test_what_is_preset_stays_and_ours_comes_on_top() -> None:
    made = agent(more="Be brief.", offers=(CREATE,))
    made.minted(answer())
    session = first_update(made)
    assert session["instructions"] == "Search the memory first.\n\nBe brief."
    assert session["voice"] == "ash"
    names = [tool["name"] for tool in session["tools"]]
    assert names[0] == "create_event"
    assert "searchMemory" in names
    assert "endConversation" not in names


def test_a_tool_of_ours_is_not_theirs() -> None:
    mine = Offer(name="searchMemory", description="Ours.", schema={"type": "object"}, effect=Effect.READ)
    made = agent(offers=(mine,))
    made.minted(answer())
    found = [tool for tool in first_update(made)["tools"] if tool["name"] == "searchMemory"]
    assert [tool["description"] for tool in found] == ["Ours."]


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (Response(status=401, body=b"Unauthorized"), Refused, "voice_agent_refused"),
        (Response(status=500, body=b'{"error":"OPENAI_API_KEY is not set"}'), Unavailable, "http_500"),
        (Response(status=429), Unavailable, "http_429"),
        (Response(status=404), Refused, "http_404"),
        (Response(status=200, body=b"<html>"), RemoteError, "invalid_mint"),
        (Response(status=200, body=b"{}"), RemoteError, "invalid_mint"),
        (answer(**secret("https://evil.example.com")), RemoteError, "invalid_mint"),
        (answer(**secret("ws://relay.example.com/x")), RemoteError, "invalid_mint"),
        (answer(**secret("")), RemoteError, "invalid_mint"),
    ],
)
def test_what_is_no_session_is_told_by_its_kind(response: Response, kind: type[BridgeError], code: str) -> None:
    with pytest.raises(kind) as caught:
        agent().minted(response)
    assert caught.value.code == code


def test_an_endpoint_without_tls_may_send_us_to_a_socket_without_it() -> None:
    made = VoiceAgent("http://127.0.0.1:8080", "k")
    assert made.minted(answer(**secret("ws://127.0.0.1:8080/v1/realtime?ticket=1"))).url.startswith("ws://127")


def test_out_of_turn_is_our_own_mistake() -> None:
    with pytest.raises(LocalError):
        agent().wire(PCMU_8K)
    with pytest.raises(LocalError):
        agent().minted(None)


@pytest.mark.parametrize("url", ["agent.example.com", "https://agent.example.com/api", "wss://agent.example.com", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="without a path"):
        VoiceAgent(url, "k")
    with pytest.raises(SettingsError, match="needs its key"):
        VoiceAgent("https://agent.example.com", "")


def test_nothing_is_left_to_say_and_nobody_to_ask_at_the_end() -> None:
    made = agent()
    assert made.farewell(made.minted(answer())) is None
    assert made.look_up(Action("create_event")) is None
    assert made.looked_up(Action("create_event"), Response(status=200)) == "unknown"
    assert "t0ken" not in repr(made)

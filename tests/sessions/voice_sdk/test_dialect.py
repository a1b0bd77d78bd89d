import json

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, SettingsError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.sessions.voice_sdk import VoiceSdk, VoiceSdkWire

MINTED = {"token": "abc", "ws_url": "wss://other.test/api/v1/sdk/ws"}


def dialect() -> VoiceSdk:
    return VoiceSdk(base_url="https://sdk.test/", key="the-key")


def answered(status: int, body: object = None) -> Response:
    return Response(status=status, body=json.dumps(body).encode())


def test_a_token_is_asked_for_with_the_key() -> None:
    request = dialect().mint("nonce")
    assert (request.method, request.url, request.body) == ("POST", "https://sdk.test/api/v1/sdk/token", b"")
    assert request.headers == {"Authorization": "Bearer the-key"}
    assert "the-key" not in repr(dialect())


def test_the_socket_is_opened_where_it_is_and_shown_the_token_first() -> None:
    ticket = dialect().minted(answered(200, MINTED))
    assert ticket.url == "wss://other.test/api/v1/sdk/ws"
    (hello,) = ticket.opening
    assert json.loads(hello) == {"token": "abc", "features": ["interrupted", "transcript", "confirmation"]}
    assert isinstance(dialect().wire(PCMU_8K), VoiceSdkWire)


def test_a_client_may_keep_to_the_plain_dialect() -> None:
    plain = VoiceSdk(base_url="https://sdk.test", key="k", features=())
    assert plain.minted(answered(200, MINTED)).opening == ('{"token":"abc"}',)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, Refused, "unauthorized"),
        (403, Refused, "kiosk_inactive"),
        (404, Refused, "http_404"),
        (429, Unavailable, "http_429"),
        (500, Unavailable, "http_500"),
    ],
)
def test_a_refused_mint_says_whether_to_try_again(status: int, error: type[BridgeError], code: str) -> None:
    with pytest.raises(error) as caught:
        dialect().minted(answered(status, "whatever"))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body", [None, [], {"token": "abc"}, MINTED | {"token": ""}, MINTED | {"ws_url": "https://sdk.test/ws"}]
)
def test_a_mint_without_a_token_and_a_socket_is_their_mistake(body: object) -> None:
    with pytest.raises(RemoteError) as caught:
        dialect().minted(answered(200, body))
    assert caught.value.code == "invalid_mint"


def test_a_mint_without_an_answer_is_our_own_mistake() -> None:
    with pytest.raises(LocalError):
        dialect().minted(None)


def test_nobody_can_tell_what_came_of_an_action() -> None:
    assert dialect().looked_up(Action("cancel_event"), answered(200)) == "unknown"


@pytest.mark.parametrize("wrong", [{"base_url": "sdk.test"}, {"base_url": "https://sdk.test/api"}, {"key": ""}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        VoiceSdk(base_url=wrong.get("base_url", "https://sdk.test"), key=wrong.get("key", "k"))

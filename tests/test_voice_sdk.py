from typing import Any

import pytest

from phone_bridge import voice_sdk as w
from phone_bridge.errors import RemoteError
from tests.sessions.voice_sdk.samples import cases, lines


@pytest.mark.parametrize("line", lines("server.jsonl"))
def test_samples_of_a_server_are_read_and_written_again(line: str) -> None:
    message = w.read_from_server(line)
    assert message is not None
    assert w.read_from_server(w.encode(message)) == message


@pytest.mark.parametrize("line", lines("client.jsonl"))
def test_samples_of_a_client_are_read_and_written_again(line: str) -> None:
    message = w.read_from_client(line)
    assert message is not None
    assert w.read_from_client(w.encode(message)) == message


@pytest.mark.parametrize("case", cases("server_broken.jsonl"), ids=lambda case: str(case["why"]))
def test_a_server_that_makes_no_sense_is_told_from_one_that_says_more(case: dict[str, Any]) -> None:
    with pytest.raises(RemoteError) as caught:
        w.read_from_server(case["data"])
    assert caught.value.code == case["code"]
    assert w.read_from_server('{"type":"weather","sky":"clear"}') is None


@pytest.mark.parametrize("text", ["hello", "{}", '{"type":"dtmf","digit":"12"}', '{"type":"dtmf"}', "x" * 20_000])
def test_a_client_that_makes_no_sense_is_ignored(text: str) -> None:
    assert w.read_from_client(text) is None


def test_a_first_message_has_a_token_and_perhaps_features() -> None:
    assert w.read_hello('{"token":"abc","more":1}') == w.Hello("abc")
    hello = w.Hello("abc", ("transcript", "unheard_of"))
    assert w.read_hello(w.encode(hello)) == hello
    assert w.granted(hello.features) == ("transcript",)


@pytest.mark.parametrize(
    "first", [*cases("hello_broken.jsonl"), bytes(640), b'{"token":"abc"}', '{"token":"' + "x" * 20_000]
)
def test_any_other_first_message_is_refused(first: str | bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        w.read_hello(first)
    assert caught.value.code == "invalid_auth"


@pytest.mark.parametrize(
    ("size", "taken"), [(640, True), (1280, True), (2, True), (639, False), (0, False), (65_536, True), (65_538, False)]
)
def test_sound_is_whole_samples_and_not_too_many(size: int, taken: bool) -> None:
    assert w.is_sound(bytes(size)) is taken


def test_a_telephone_s_words_are_read_and_written_again() -> None:
    for message in (w.Mark("0.1"), w.HangUp(), w.Key("1"), w.ConfirmationAnswer("act_1", "no")):
        assert w.read_from_phone(w.encode(message)) == message
    assert w.read_from_client(w.encode(w.HangUp())) is None, "a session's client has no telephone"
    assert w.granted(("call", "dtmf"), w.PHONE_FEATURES) == ("call", "dtmf")
    assert w.granted(("call", "dtmf")) == ("dtmf",)


@pytest.mark.parametrize("text", ["hello", "{}", '{"type":"mark"}', "x" * 20_000])
def test_a_telephone_that_makes_no_sense_is_not_understood(text: str) -> None:
    assert w.read_from_phone(text) is None


def test_what_only_telephones_are_told_is_not_written_to_others() -> None:
    assert (
        w.encode(w.Transcript("user", "hello")) == '{"type":"transcript","speaker":"user","text":"hello","final":true}'
    )
    asked = w.Confirmation("act_1", "Shall I?", w.ProposedAction("cancel_event"))
    assert "answerable" not in w.encode(asked)
    assert "expires_in_ms" not in w.encode(asked)

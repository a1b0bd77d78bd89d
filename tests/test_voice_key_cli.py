"""The command that makes a key of the built-in assistant's API."""

import argparse
import tomllib

import msgspec
import pytest

from phone_bridge import voice_key_cli
from phone_bridge.assistant.keys import Keyring, VoiceKey, operators
from phone_bridge.errors import SettingsError


def made(*arguments: str) -> tuple[str, VoiceKey, str]:
    """Make a key as the command does; give it, what is to be pasted, and what else was said."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    voice_key_cli.add_arguments(parser)
    said: list[str] = []
    assert voice_key_cli.run(parser.parse_args(arguments), said.append) == 0
    plain = said[0].split()[-1]
    assert plain not in said[1]
    (lines,) = tomllib.loads(said[1].partition("\n\n")[2])["voice_keys"]
    return plain, msgspec.convert(lines, VoiceKey), "".join(said[2:])


def test_what_is_pasted_lets_in_the_key_that_was_shown() -> None:
    plain, key, more = made(
        "--kind", "rk_test", "--scope", "voice:invoke", "--user", "usr_a", "--expires", "2027-01-31"
    )
    assert Keyring([key]).find(plain) == key
    assert (key.scopes, key.users, more) == (("voice:invoke",), ("usr_a",), "")


def test_a_developer_gets_a_key_in_one_step() -> None:
    plain, _, more = made()
    assert f"PHONE_BRIDGE_VOICE_KEY={plain} phone-bridge serve" in more
    assert operators([plain])[0].kind == "sk_test"


@pytest.mark.parametrize(
    "wrong", [("--kind", "pk_test"), ("--scope", "events:read"), ("--kind", "cat", "--scope", "voice:invoke")]
)
def test_a_key_that_cannot_be_is_refused(wrong: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        made(*wrong)

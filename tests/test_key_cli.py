"""The command that makes a key."""

import argparse
import tomllib
from datetime import date

import msgspec
import pytest

from phone_bridge import key_cli
from phone_bridge.errors import SettingsError
from phone_bridge.runtime.api_keys import OF_THE_WHOLE, SCOPES, ApiKey, shown


def made(*arguments: str) -> tuple[str, ApiKey]:
    """Make a key as the command does; give it and what is to be pasted."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    key_cli.add_arguments(parser)
    said: list[str] = []
    assert key_cli.run(parser.parse_args(arguments), said.append) == 0
    first, second = said
    (plain,) = (word for word in first.split() if word.startswith("pb_"))
    assert plain not in second
    (lines,) = tomllib.loads(second.partition("\n\n")[2])["api_keys"]
    return plain, msgspec.convert(lines, ApiKey)


def test_what_is_pasted_lets_in_the_key_that_was_shown() -> None:
    plain, key = made("--id", "billing", "--scope", "calls:read", "--scope", "metrics:read", "--expires", "2027-01-31")
    assert shown(plain, [key]) == key
    assert (key.id, key.scopes, key.expires) == ("billing", ("calls:read", "metrics:read"), date(2027, 1, 31))


def test_without_arguments_a_key_is_good_for_everything_for_ever() -> None:
    plain, key = made()
    assert (key.scopes, key.expires) == (SCOPES, None)
    assert made()[0] != plain


def test_a_key_for_some_users_has_every_scope_that_can_be_kept_to_them() -> None:
    _, key = made("--user", "usr_a", "--user", "usr_b")
    assert key.users == ("usr_a", "usr_b")
    assert set(SCOPES) - set(key.scopes) == OF_THE_WHOLE


@pytest.mark.parametrize("wrong", [("--scope", "all"), ("--expires", "soon")])
def test_what_cannot_be_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(argparse.ArgumentError):
        made(*wrong)
    with pytest.raises(SettingsError, match="needs an id"):
        made("--id", "two words")

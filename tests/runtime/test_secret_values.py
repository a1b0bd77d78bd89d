"""Secrets by reference, and what is said of one that is not there."""

from pathlib import Path

import pytest

from phone_bridge.errors import SettingsError
from phone_bridge.runtime.secret_values import found


def test_a_secret_is_the_value_of_a_variable_or_what_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("  from-a-file\n")
    assert found("here", "key", "KEY", "", {"KEY": "value"}) == "value"
    assert found("here", "key", "", str(tmp_path / "key"), {}) == "from-a-file"


@pytest.mark.parametrize("content", [b"\xff\xfe", b" \n"])
def test_a_file_that_holds_no_words_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(SettingsError, match="here names the file"):
        found("here", "key", "", str(tmp_path / "key"), {})


@pytest.mark.parametrize(("env", "file"), [("", ""), ("KEY", "key")])
def test_one_of_the_two_is_named(env: str, file: str) -> None:
    with pytest.raises(SettingsError, match="here needs either key_env or key_file"):
        found("here", "key", env, file, {"KEY": "value"})


def test_a_variable_that_is_not_set_is_told() -> None:
    with pytest.raises(SettingsError, match="here names the environment variable KEY, which is not set"):
        found("here", "key", "KEY", "", {"KEY": ""})

from pathlib import Path

import pytest
from msgspec import structs

from phone_bridge.assistant.calendar.accounts import Account, opened
from phone_bridge.errors import SettingsError

ALICE = Account(user_id="usr_a", url="https://cloud.example.com/dav", username="alice", password_env="ALICE_CALDAV")
ENVIRON = {"ALICE_CALDAV": "correct horse"}


def refusal(*accounts: Account) -> str:
    with pytest.raises(SettingsError) as caught:
        opened(accounts, ENVIRON)
    assert "correct horse" not in str(caught.value)
    return str(caught.value)


def test_a_password_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (account,) = opened([ALICE], ENVIRON)
    assert account.password == "correct horse"
    file = tmp_path / "secret"
    file.write_text("battery staple\n")
    (account,) = opened([structs.replace(ALICE, password_env="", password_file=str(file))], {})
    assert account.password == "battery staple"


def test_a_password_is_not_shown() -> None:
    (account,) = opened([ALICE], ENVIRON)
    assert "correct horse" not in repr(account)


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"password": "correct horse"}, "password_env"),
        ({"password_env": ""}, "password_env or password_file"),
        ({"password_file": "/run/secrets/x"}, "password_env or password_file"),
        ({"password_env": "NOBODY"}, "NOBODY, which is not set"),
        ({"password_env": "", "password_file": "/nowhere/at/all"}, "cannot be read"),
        ({"url": "cloud.example.com"}, "https://cloud"),
        ({"url": "https://alice:secret@cloud.example.com"}, "https://cloud"),
        ({"url": "http://cloud.example.com"}, "begin with https"),
        ({"timezone": "Berlin"}, "Europe/Berlin"),
        ({"username": ""}, "username"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(change: dict[str, str], mend: str) -> None:
    assert mend in refusal(structs.replace(ALICE, **change))


def test_a_server_on_this_machine_needs_no_tls() -> None:
    assert opened([structs.replace(ALICE, url="http://127.0.0.1:5232/")], ENVIRON)


def test_a_user_has_one_account() -> None:
    assert "one account" in refusal(ALICE, structs.replace(ALICE, username="other"))

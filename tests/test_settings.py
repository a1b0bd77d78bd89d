from pathlib import Path

import pytest

from phone_bridge.errors import SettingsError
from phone_bridge.settings import load

DATABASE = {"PHONE_BRIDGE_DATABASE_URL": "sqlite://"}


def test_without_any_setting_everything_has_its_default(tmp_path: Path) -> None:
    settings = load(DATABASE, tmp_path)
    assert settings.base_url == "http://127.0.0.1:8080"
    assert settings.stream_url == "ws://127.0.0.1:8080/twilio/media"
    assert settings.session == "embedded"
    assert settings.user_id == "usr_demo_alice"
    assert (settings.answer_seconds, settings.drain_seconds, settings.max_calls) == (20, 600, 0)
    assert settings.twilio_tokens == ()


def test_the_environment_wins_over_the_env_file_and_that_over_toml(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text('host = "toml"\nport = 1\ngreeting = "toml"\n')
    (tmp_path / ".env").write_text("PHONE_BRIDGE_PORT=2\nPHONE_BRIDGE_GREETING=file\n")
    settings = load(DATABASE | {"PHONE_BRIDGE_GREETING": "environment"}, tmp_path)
    assert (settings.host, settings.port, settings.greeting) == ("toml", 2, "environment")
    assert load(DATABASE, tmp_path, port=3, host=None).port == 3


def test_twilios_own_names_are_read_without_our_prefix(tmp_path: Path) -> None:
    names = {"TWILIO_AUTH_TOKEN": "new, old", "PHONE_BRIDGE_TWILIO_URL": "http://127.0.0.1:4010"}
    settings = load(DATABASE | names | {"PHONE_BRIDGE_TWILIO_AUTH_TOKEN": "never"}, tmp_path)
    assert settings.twilio_tokens == ("new", "old")
    assert settings.twilio_url == "http://127.0.0.1:4010"


def test_a_public_url_makes_the_addresses_that_carriers_see(tmp_path: Path) -> None:
    settings = load(DATABASE | {"PHONE_BRIDGE_PUBLIC_URL": "https://calls.example.com/"}, tmp_path)
    assert settings.base_url == "https://calls.example.com"
    assert settings.stream_url == "wss://calls.example.com/twilio/media"
    assert settings.local_url == "http://127.0.0.1:8080"


def test_an_address_for_any_interface_is_reached_by_loopback(tmp_path: Path) -> None:
    assert load(DATABASE, tmp_path, host="0.0.0.0").local_url == "http://127.0.0.1:8080"  # noqa: S104 - a value


def test_preferences_are_read_by_user(tmp_path: Path) -> None:
    pairs = "usr_a:create_event, usr_b:update_event,usr_a:cancel_event"
    settings = load(DATABASE | {"PHONE_BRIDGE_AUTO_CONFIRM": pairs}, tmp_path)
    assert settings.unasked("usr_a") == {"create_event", "cancel_event"}
    assert settings.unasked("usr_c") == frozenset()


def test_the_database_defaults_to_a_file_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert load({}, tmp_path).database_url == f"sqlite:///{tmp_path}/data/phone_bridge/phone_bridge.sqlite3"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "eighty", "PHONE_BRIDGE_PORT"),
        ("PORT", "0", "PHONE_BRIDGE_PORT must be 1 to 65535"),
        ("PORT", "65536", "PHONE_BRIDGE_PORT must be 1 to 65535"),
        ("SESSION", "telepathy", "PHONE_BRIDGE_SESSION must be one of"),
        ("SESSION", "chronapilot", "PHONE_BRIDGE_SESSION_KEY"),
        ("SESSION_FORMAT", "mp3", "PHONE_BRIDGE_SESSION_FORMAT must be one of"),
        ("STREAM_SIGNATURE", "maybe", "PHONE_BRIDGE_STREAM_SIGNATURE must be one of"),
        ("PUBLIC_URL", "calls.example.com", "PHONE_BRIDGE_PUBLIC_URL must be http"),
        ("PUBLIC_URL", "https://calls.example.com?x=1", "without a query"),
        ("ANSWER_SECONDS", "0", "PHONE_BRIDGE_ANSWER_SECONDS must be 1 to 120"),
        ("ANSWER_SECONDS", "121", "PHONE_BRIDGE_ANSWER_SECONDS must be 1 to 120"),
        ("MAX_CALLS", "-1", "PHONE_BRIDGE_MAX_CALLS"),
        ("PROMPTS", "/no/such/folder", "PHONE_BRIDGE_PROMPTS"),
        ("AUTO_CONFIRM", "create_event", "user:tool"),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_the_mend(tmp_path: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(DATABASE | {f"PHONE_BRIDGE_{name}": value}, tmp_path)


@pytest.mark.parametrize(("text", "says"), [("prot = 1", "'prot', which is no setting"), ("port =", "cannot be read")])
def test_a_toml_file_with_a_mistake_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "phone-bridge.toml").write_text(text)
    with pytest.raises(SettingsError, match=says):
        load(DATABASE, tmp_path)


def test_no_secret_is_shown_in_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(DATABASE | {"PHONE_BRIDGE_SESSION_KEY": "sk_live_secret", "PHONE_BRIDGE_PORT": "x"}, tmp_path)
    assert "sk_live_secret" not in str(caught.value)

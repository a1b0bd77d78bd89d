from datetime import date
from pathlib import Path

import pytest

from phone_bridge.assistant import keys
from phone_bridge.assistant.keys import VoiceKey
from phone_bridge.errors import SettingsError
from phone_bridge.runtime.api_keys import ApiKey, as_toml, fingerprint, operators
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


def test_a_calendar_elsewhere_has_its_password_from_the_environment_or_the_env_file(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(
        '[[caldav]]\nuser_id = "usr_a"\nurl = "https://dav.example.com"\nusername = "a"\npassword_env = "DAV"\n'
    )
    (tmp_path / ".env").write_text("DAV=secret\n")
    (account,) = load(DATABASE, tmp_path).caldav
    assert (account.user_id, account.password) == ("usr_a", "secret")
    assert load(DATABASE | {"DAV": "newer"}, tmp_path).caldav[0].password == "newer"
    (tmp_path / ".env").unlink()
    with pytest.raises(SettingsError, match="DAV, which is not set"):
        load(DATABASE, tmp_path)


def test_a_model_needs_its_address_and_its_name(tmp_path: Path) -> None:
    address = {"PHONE_BRIDGE_MIND_URL": "http://127.0.0.1:11434"}
    settings = load(DATABASE | address | {"PHONE_BRIDGE_MIND_MODEL": "small"}, tmp_path)
    assert (settings.mind_url, settings.mind_model) == ("http://127.0.0.1:11434", "small")
    for half in (address, {"PHONE_BRIDGE_MIND_MODEL": "small"}):
        with pytest.raises(SettingsError, match="PHONE_BRIDGE_MIND_URL and PHONE_BRIDGE_MIND_MODEL go together"):
            load(DATABASE | half, tmp_path)


def test_what_was_said_is_kept_for_a_month_or_for_ever(tmp_path: Path) -> None:
    assert load(DATABASE, tmp_path).retention_days == 30
    assert load(DATABASE | {"PHONE_BRIDGE_RETENTION_DAYS": "0"}, tmp_path).retention_days == 0


def test_the_database_defaults_to_a_file_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert load({}, tmp_path).database_url == f"sqlite:///{tmp_path}/data/phone_bridge/phone_bridge.sqlite3"


def test_traces_are_kept_beside_the_database_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    settings = load(DATABASE, tmp_path)
    assert (settings.traces, settings.traces_folder) == ("failures", f"{tmp_path}/data/phone_bridge/traces")
    settings = load(DATABASE | {"PHONE_BRIDGE_TRACES": "all", "PHONE_BRIDGE_TRACES_FOLDER": "/srv/traces"}, tmp_path)
    assert (settings.traces, settings.traces_folder) == ("all", "/srv/traces")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "eighty", "PHONE_BRIDGE_PORT"),
        ("PORT", "0", "PHONE_BRIDGE_PORT must be 1 to 65535"),
        ("PORT", "65536", "PHONE_BRIDGE_PORT must be 1 to 65535"),
        ("SESSION", "telepathy", "PHONE_BRIDGE_SESSION must be one of"),
        ("SESSION", "chronapilot", "PHONE_BRIDGE_SESSION_KEY"),
        ("SESSION", "voice-sdk", "PHONE_BRIDGE_SESSION_URL must hold"),
        ("SESSION_FORMAT", "mp3", "PHONE_BRIDGE_SESSION_FORMAT must be one of"),
        ("STREAM_SIGNATURE", "maybe", "PHONE_BRIDGE_STREAM_SIGNATURE must be one of"),
        ("PUBLIC_URL", "calls.example.com", "PHONE_BRIDGE_PUBLIC_URL must be http"),
        ("PUBLIC_URL", "https://calls.example.com?x=1", "without a query"),
        ("ANSWER_SECONDS", "0", "PHONE_BRIDGE_ANSWER_SECONDS must be 1 to 120"),
        ("ANSWER_SECONDS", "121", "PHONE_BRIDGE_ANSWER_SECONDS must be 1 to 120"),
        ("SESSION_MINUTES", "1441", "PHONE_BRIDGE_SESSION_MINUTES must be 0 to 1440"),
        ("MAX_CALLS", "-1", "PHONE_BRIDGE_MAX_CALLS"),
        ("TRACES", "some", "PHONE_BRIDGE_TRACES must be one of failures, all, off"),
        ("RETENTION_DAYS", "-1", "PHONE_BRIDGE_RETENTION_DAYS must be 0 to 3650"),
        ("RETENTION_DAYS", "3651", "PHONE_BRIDGE_RETENTION_DAYS must be 0 to 3650"),
        ("PROMPTS", "/no/such/folder", "PHONE_BRIDGE_PROMPTS"),
        ("FALLBACK", "transfer", "PHONE_BRIDGE_FALLBACK must be goodbye, voicemail, or transfer:"),
        ("FALLBACK", "transfer:", "PHONE_BRIDGE_FALLBACK"),
        ("FALLBACK", "transfer:03012345", "PHONE_BRIDGE_FALLBACK"),
        ("FALLBACK", "transfer:+0301234567", "PHONE_BRIDGE_FALLBACK"),
        ("FALLBACK", "transfer:+1234567890123456", "PHONE_BRIDGE_FALLBACK"),
        ("FALLBACK", "transfer:+49301234\u0665", "PHONE_BRIDGE_FALLBACK"),
        ("FALLBACK", "transfer:+493012345 ", "PHONE_BRIDGE_FALLBACK"),
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


# Keys, callers and destinations


def test_keys_of_programs_are_read_from_toml(tmp_path: Path) -> None:
    key = ApiKey("billing", fingerprint("pb_1"), ("calls:read", "metrics:read"), date(2027, 1, 31))
    (tmp_path / "phone-bridge.toml").write_text(as_toml(key) + "\n" + as_toml(operators(("k",))[0]))
    settings = load(DATABASE | {"PHONE_BRIDGE_API_KEY": "new, old"}, tmp_path)
    assert settings.api_keys == (key, *operators(("k",)))
    assert settings.operator_keys == ("new", "old")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('sha256 = "pb_the_key_itself"', "'a' needs sha256"),
        ('key = "pb_the_key_itself"', "unknown field `key`"),
        ("sha256 = 7", "Expected `str`"),
    ],
)
def test_a_key_that_cannot_work_is_named_and_not_shown(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "phone-bridge.toml").write_text(f'[[api_keys]]\nid = "a"\nscopes = ["calls:read"]\n{line}\n')
    with pytest.raises(SettingsError, match=says) as caught:
        load(DATABASE, tmp_path)
    assert "pb_the_key_itself" not in str(caught.value)


def test_nothing_may_be_dialled_until_its_country_is_named(tmp_path: Path) -> None:
    assert load(DATABASE, tmp_path).allowed_prefixes == ()
    settings = load(DATABASE | {"PHONE_BRIDGE_DESTINATIONS": "+49,+43"}, tmp_path)
    assert settings.allowed_prefixes == ("+49", "+43")
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DESTINATIONS"):
        load(DATABASE | {"PHONE_BRIDGE_DESTINATIONS": "everywhere"}, tmp_path)


@pytest.mark.parametrize("number", ["+19005551234", "+881612345678", "+49900123456", "+120255"])
def test_no_caller_is_put_through_to_a_number_that_is_never_dialled(tmp_path: Path, number: str) -> None:
    load(DATABASE | {"PHONE_BRIDGE_FALLBACK": "transfer:+493012345"}, tmp_path)
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_FALLBACK"):
        load(DATABASE | {"PHONE_BRIDGE_FALLBACK": f"transfer:{number}"}, tmp_path)


def test_one_number_may_have_any_number_of_calls_unless_told_otherwise(tmp_path: Path) -> None:
    assert load(DATABASE, tmp_path).calls_per_caller == 0
    assert load(DATABASE | {"PHONE_BRIDGE_CALLS_PER_CALLER": "5"}, tmp_path).calls_per_caller == 5
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_CALLS_PER_CALLER"):
        load(DATABASE | {"PHONE_BRIDGE_CALLS_PER_CALLER": "-1"}, tmp_path)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("goodbye", ""),
        ("voicemail", ""),
        ("transfer:+493012345", "+493012345"),
        ("transfer:+12125550100", "+12125550100"),
    ],
)
def test_a_fallback_names_whom_callers_are_put_through_to(tmp_path: Path, value: str, number: str) -> None:
    settings = load(DATABASE | {"PHONE_BRIDGE_FALLBACK": value}, tmp_path)
    assert (settings.fallback, settings.transfer_to) == (value, number)


def test_callers_are_not_put_through_to_the_bridge_itself(tmp_path: Path) -> None:
    both = {"PHONE_BRIDGE_FALLBACK": "transfer:+493012345", "TWILIO_PHONE_NUMBER": "+493012345"}
    with pytest.raises(SettingsError, match="come back here for ever"):
        load(DATABASE | both, tmp_path)


def test_a_user_without_a_home_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: str) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("phone_bridge.settings.user_data_path", homeless)
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DATABASE_URL and PHONE_BRIDGE_TRACES_FOLDER"):
        load({}, tmp_path)
    given = {"PHONE_BRIDGE_DATABASE_URL": "sqlite://", "PHONE_BRIDGE_TRACES_FOLDER": str(tmp_path)}
    assert load(given, tmp_path).traces_folder == str(tmp_path)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("phone_bridge.settings.user_data_path", lambda _: tmp_path / "file" / "data")
    with pytest.raises(SettingsError, match="cannot be made"):
        load({}, tmp_path)


def test_keys_of_the_voice_api_come_plain_for_the_operator_and_hashed_for_the_rest(tmp_path: Path) -> None:
    plain = keys.new("sk_test")
    reader = VoiceKey("reader", fingerprint("rk_test_1"), "rk_test", ("events:read",))
    (tmp_path / "phone-bridge.toml").write_text(keys.as_toml(reader))
    settings = load(DATABASE | {"PHONE_BRIDGE_VOICE_KEY": plain}, tmp_path)
    assert [key.id for key in settings.all_voice_keys] == ["operator-1", "reader"]
    assert settings.all_voice_keys[0].sha256 == fingerprint(plain)


@pytest.mark.parametrize("given", ["sk_test_short", "pb_" + "x" * 40, f"sk_test_{'x' * 40},sk_live_{'x' * 40}"])
def test_a_voice_key_that_cannot_be_is_named(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match=r"PHONE_BRIDGE_VOICE_KEY|voice keys"):
        load(DATABASE | {"PHONE_BRIDGE_VOICE_KEY": given}, tmp_path)


REALTIME = {
    "openai": {"PHONE_BRIDGE_SESSION_KEY": "sk-1"},
    "azure-openai": {
        "PHONE_BRIDGE_SESSION_URL": "https://name.openai.azure.com",
        "PHONE_BRIDGE_SESSION_KEY": "k",
        "PHONE_BRIDGE_SESSION_MODEL": "voice",
    },
    "realtime": {"PHONE_BRIDGE_SESSION_URL": "http://gateway.test"},
}


@pytest.mark.parametrize(("session", "name"), [(each, name) for each, names in REALTIME.items() for name in names])
def test_a_session_says_what_it_lacks(tmp_path: Path, session: str, name: str) -> None:
    environ = DATABASE | {"PHONE_BRIDGE_SESSION": session} | REALTIME[session]
    assert load(environ, tmp_path).session == session
    with pytest.raises(SettingsError, match=name):
        load({**environ, name: ""}, tmp_path)


def test_openais_own_name_for_its_key_will_do(tmp_path: Path) -> None:
    settings = load(DATABASE | {"PHONE_BRIDGE_SESSION": "openai", "OPENAI_API_KEY": "sk-1"}, tmp_path)
    assert settings.session_key == "sk-1"


@pytest.mark.parametrize("field", ["shape", "auth", "turn_detection", "format"])
def test_how_a_session_is_spoken_is_one_of_a_few_ways(tmp_path: Path, field: str) -> None:
    with pytest.raises(SettingsError, match=f"PHONE_BRIDGE_SESSION_{field.upper()}"):
        load(DATABASE | {f"PHONE_BRIDGE_SESSION_{field.upper()}": "strange"}, tmp_path)


TRUNK = '[[sip_trunks]]\nname = "pbx"\nusername = "pbx"\npassword_env = "PBX"\n'


def test_trunks_get_their_passwords_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text('sip_listen = "udp://127.0.0.1:5060"\n' + TRUNK)
    settings = load(DATABASE | {"PBX": "sesame"}, tmp_path)
    assert settings.sip_trunks[0].password == "sesame"
    assert "sesame" not in repr(settings)


def test_lines_get_their_secrets_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text('[[lines]]\nname = "a"\nkind = "telnyx"\nsecret_env = "LINE"\n')
    settings = load(DATABASE | {"LINE": "sesame" * 4}, tmp_path)
    assert settings.lines[0].secret == "sesame" * 4
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(("url", "mend"), [("tcp://127.0.0.1", "lets nobody in"), ("127.0.0.1", "tcp://address")])
def test_audiosocket_that_cannot_work_is_told(url: str, mend: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=mend):
        load(DATABASE | {"PHONE_BRIDGE_AUDIOSOCKET_LISTEN": url}, tmp_path)


@pytest.mark.parametrize(
    ("environ", "toml", "mend"),
    [
        ({"PHONE_BRIDGE_SIP_LISTEN": "udp://127.0.0.1"}, "", "name who may call"),
        ({"PHONE_BRIDGE_SIP_LISTEN": "127.0.0.1"}, TRUNK, "udp://address"),
        ({"PHONE_BRIDGE_SIP_LISTEN": "tls://127.0.0.1"}, TRUNK, "SIP_TLS_CERTIFICATE to show"),
        ({}, TRUNK + 'proxy = "192.0.2.1"\ncalls_out = true', "says from where"),
        ({"PHONE_BRIDGE_SIP_LISTEN": "udp://127.0.0.1"}, TRUNK + 'proxy = "p;transport=tcp"', "must name tcp"),
        ({"PHONE_BRIDGE_SIP_LISTEN": "udp://127.0.0.1", "PHONE_BRIDGE_SIP_HOST": "pbx"}, TRUNK, "must be an address"),
        ({"PHONE_BRIDGE_SIP_LISTEN": "udp://127.0.0.1", "PHONE_BRIDGE_SIP_RTP_PORTS": "5"}, TRUNK, "two ports"),
    ],
)
def test_sip_that_cannot_work_is_told(environ: dict[str, str], toml: str, mend: str, tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(toml)
    with pytest.raises(SettingsError, match=mend):
        load(DATABASE | {"PBX": "sesame"} | environ, tmp_path)

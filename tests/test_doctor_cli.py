"""The command as it is given: its lines, its JSON, its exit status, and its answer to who would get a call."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from phone_bridge import doctor_cli
from phone_bridge.errors import SettingsError
from phone_bridge.runtime.pins import Pins
from phone_bridge.runtime.record import Records
from tests.ports import free_port

ROUTES = """
[[routes]]
name = "office"
called = "+4930*"
hours = "09:00-17:00"
days = "mon-fri"
timezone = "Europe/Berlin"
user_id = "usr_office"
session = "openai"
session_key_env = "OFFICE_KEY"
tools = ["calendar:read"]

[[routes]]
name = "vip"
called = "+4930*"
headers = { X-Tenant = "acme" }
user_id = "usr_vip"
"""


def doctor(folder: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    doctor_cli.add_arguments(parser)
    said: list[str] = []
    given = {
        "PHONE_BRIDGE_DATABASE_URL": f"sqlite:///{folder}/x.db",
        "PHONE_BRIDGE_PORT": str(free_port()),
        "OFFICE_KEY": "sk-very-secret",
        **environ,
    }
    status = doctor_cli.run(parser.parse_args(arguments), given, folder, said.append)
    told = "\n".join(said)
    assert "sk-very-secret" not in told
    return status, told


def test_a_deployment_that_is_well_is_told_line_by_line(tmp_path: Path) -> None:
    status, told = doctor(tmp_path)
    assert status == 0, told
    assert all(line.startswith("ok ") for line in told.splitlines()[:-2])
    assert told.splitlines()[-1].startswith("0 wrong, 0 to look at")


def test_the_routes_are_told_with_where_they_lead(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(ROUTES.replace("openai", "embedded"))
    _, told = doctor(tmp_path)
    assert "ok       route       office leads usr_office to embedded" in told


def test_what_is_wrong_is_told_with_its_mend_and_by_the_status(tmp_path: Path) -> None:
    status, told = doctor(tmp_path, TWILIO_ACCOUNT_SID="AC1")
    assert status == 1
    assert "wrong    carrier     TWILIO_ACCOUNT_SID is set without its token" in told
    assert "→ set TWILIO_AUTH_TOKEN" in told
    status, told = doctor(tmp_path, "--json", TWILIO_ACCOUNT_SID="AC1")
    shown = json.loads(told)
    assert (status, shown["ok"]) == (1, False)
    assert {"check": "carrier", "level": "wrong"}.items() <= next(
        each for each in shown["findings"] if each["level"] == "wrong"
    ).items()


def who(folder: Path, *arguments: str) -> Any:
    (folder / "phone-bridge.toml").write_text(ROUTES)
    status, told = doctor(folder, "--json", *arguments)
    assert status == 0
    return json.loads(told)


def test_it_says_who_would_get_a_call(tmp_path: Path) -> None:
    call = ("--to", "+49301234", "--from", "+12025550143")
    open_hours = who(tmp_path, *call, "--at", "2026-11-23T09:00+01:00")
    assert (open_hours["route"], open_hours["user_id"], open_hours["session_key"]) == ("office", "usr_office", "set")
    assert open_hours["tools"] == ["calendar:read"]
    closed = who(tmp_path, *call, "--at", "2026-11-23T18:00+01:00")
    assert (closed["route"], closed["passed_over"]) == (None, {"office": "hours", "vip": "headers"})
    header = who(tmp_path, *call, "--at", "2026-11-22T18:00+01:00", "--header", "X-Tenant=acme")
    assert (header["route"], header["user_id"]) == ("vip", "usr_vip")
    assert who(tmp_path, "--to", "+1202")["user_id"] == "usr_demo_alice"


def test_it_says_so_in_words_too(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(ROUTES)
    _, told = doctor(tmp_path, "--to", "+49301234", "--at", "2026-11-28T10:00+01:00")
    assert "route office is passed over: its hours, days or closed dates do not fit" in told
    assert "no route takes the call; the deployment's own:" in told
    _, told = doctor(tmp_path, "--to", "+49301234", "--at", "2026-11-23T10:00+01:00")
    assert told.startswith("route office takes the call:")
    assert "usr_office" in told


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("--at", "tomorrow"), "--at must be a time with its offset"),
        (("--at", "2026-11-23T10:00"), "--at must be a time with its offset"),
        (("--header", "X-Tenant"), "--header must be NAME=VALUE"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(tmp_path: Path, arguments: tuple[str, ...], mend: str) -> None:
    with pytest.raises(SettingsError, match=mend):
        doctor(tmp_path, "--to", "+1202", *arguments)


RULED = """
[[routes]]
name = "office"
called = "+4930*"
user_id = "usr_office"
session = "embedded"
numbers = "+49170555"
trust = { read = "known", write = "pin" }

[[routes]]
name = "back door"
called = "+4940*"
user_id = "usr_office"
session = "embedded"
"""


def test_it_says_who_needs_a_pin_and_which_way_leads_round_it(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(RULED.replace("back door", "back-door"))
    status, told = doctor(tmp_path)
    assert status == 0
    assert "office leads usr_office to embedded; read needs known, write needs pin" in told
    assert "usr_office needs a PIN and has none" in told
    assert "→ phone-bridge pin set usr_office" in told
    assert "usr_office needs a PIN by one route, and none by the route back-door" in told
    records = Records(f"sqlite:///{tmp_path}/x.db")
    Pins(records, cost_log2=4).set("usr_office", "482913")
    records.close()
    (tmp_path / "phone-bridge.toml").write_text(RULED.partition('[[routes]]\nname = "back')[0])
    _, told = doctor(tmp_path)
    assert "1 users need a PIN and have one" in told


def test_it_says_how_far_a_caller_is_known(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(RULED.replace("back door", "back-door"))
    for number, caller in (("+49170555", "known"), ("+49170556", "unknown")):
        _, told = doctor(tmp_path, "--to", "+49301", "--from", number, "--json")
        shown = json.loads(told)
        assert (shown["caller"], shown["trust"]) == (caller, "read needs known, write needs pin")

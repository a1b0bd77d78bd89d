"""``phone-bridge receipt``: what it says of good, bad and foreign receipts, and with which exit status."""

import argparse
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from phone_bridge import receipt_cli
from phone_bridge.call.receipt import Receipt
from phone_bridge.errors import Refused
from phone_bridge.runtime.receipt_keys import SigningKey
from phone_bridge.runtime.receipts import Receipts
from phone_bridge.runtime.record import CallRecord, Records
from tests.call.sample_receipt import CALL_ID, NUMBER, answered, asked, sample

KEY = SigningKey("receipt-1", bytes(range(32)))
JWK = json.dumps(KEY.public.jwk())
GOOD = KEY.sign(sample())

ACTION = {
    "id": "act_1",
    "name": "cancel_event",
    "parameters": {"event_id": "evt_1"},
    "verdict": "confirmed",
    "by": "digit",
    "at_ms": 9_000,
    "question": "I am about to cancel Dentist.",
    "question_ms": 2_000,
    "heard_ms": 1_500,
    "answer": "1",
    "outcome": "",
    "result": None,
}


def no_database() -> str:
    raise AssertionError("a database was asked for")


class Desk:
    """The command, with what it says and a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.parser = argparse.ArgumentParser(exit_on_error=False)
        receipt_cli.add_arguments(self.parser)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/bridge.sqlite3"

    def run(self, *arguments: str, database: bool = False) -> int:
        self.said.clear()
        options = self.parser.parse_args(arguments)
        return receipt_cli.run(options, (lambda: self.url) if database else no_database, self.said.append)

    def file(self, content: Any, name: str = "receipt.json") -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else msgspec.json.encode(content))
        return str(path)

    def keep(self, **outcome: Any) -> str:
        """Keep a call with one consent, and give its receipt's id."""
        records = Records(self.url)
        receipts = Receipts(records)
        call = CallRecord(
            id=CALL_ID,
            carrier_id="CA1",
            direction="inbound",
            from_number=NUMBER,
            to_number=None,
            user_id="usr_demo_alice",
            session="embedded",
            status="completed",
            started_at="2026-11-21T10:00:00.000Z",
            actions=[ACTION | outcome],
        )
        records.save(call)
        (*_, receipt) = receipts.of_call(CALL_ID)
        records.close()
        return receipt.id

    @property
    def reasons(self) -> list[str]:
        return [line.removeprefix("NOT PROVEN: ") for line in self.said if line.startswith("NOT PROVEN: ")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# verify


@pytest.mark.parametrize(
    "receipt", [sample(), sample(answer=answered(by="digit", said="1"), question=asked(heard_ms=1))]
)
def test_with_the_public_key_alone_a_good_receipt_is_proven(desk: Desk, receipt: Receipt) -> None:
    assert desk.run("verify", desk.file(KEY.sign(receipt)), "--key", JWK) == 0
    told, verdict = desk.said
    assert "I am about to cancel Dentist" in told
    assert '{"event_id":"evt_dentist"' in told
    assert verdict == "PROVEN: signed with receipt-1, heard, and answered with yes"


def test_the_key_may_be_a_file_or_a_set(desk: Desk) -> None:
    receipt = desk.file(GOOD)
    assert desk.run("verify", receipt, "--key", desk.file(KEY.public.jwk(), "key.json")) == 0
    keys = {"keys": [SigningKey("receipt-2", bytes(32)).public.jwk(), KEY.public.jwk()]}
    assert desk.run("verify", receipt, "--key", desk.file(keys, "keys.json")) == 0
    assert desk.run("verify", receipt, "--key", f"  {json.dumps(keys)}") == 0


def test_a_receipt_is_read_from_standard_input(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(msgspec.json.encode(GOOD))))
    assert desk.run("verify", "-", "--key", JWK) == 0


def test_a_whole_call_is_read_and_every_receipt_must_hold(desk: Desk) -> None:
    bad = msgspec.structs.replace(GOOD, user_id="usr_mallory")
    assert desk.run("verify", desk.file({"id": CALL_ID, "receipts": [GOOD, GOOD]}), "--key", JWK) == 0
    assert [line for line in desk.said if line.startswith("PROVEN")] == [desk.said[1]] * 2
    for order in ([GOOD, bad], [bad, GOOD]):
        assert desk.run("verify", desk.file(order), "--key", JWK) == 1
        assert len(desk.reasons) == 1


@pytest.mark.parametrize("content", [[], {"receipts": []}])
def test_no_receipt_proves_nothing(desk: Desk, content: Any) -> None:
    assert desk.run("verify", desk.file(content), "--key", JWK) == 1
    assert desk.reasons[0].startswith("there is no receipt in")


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        (msgspec.structs.replace(GOOD, user_id="usr_mallory"), "signature does not fit"),
        (msgspec.structs.replace(GOOD, signature=""), "signature does not fit"),
        (SigningKey("receipt-1", bytes(32)).sign(sample()), "signature does not fit"),
        (SigningKey("receipt-2", bytes(32)).sign(sample()), "'receipt-2', which is not among"),
        (KEY.sign(sample(question=asked(heard_ms=4_000))), "only 4000 of 4210 ms"),
        (KEY.sign(sample(answer=answered(by="digit", said="1"), question=asked(heard_ms=0))), "before anything"),
        (KEY.sign(sample(answer=answered(by="none", said=""))), "nobody was asked"),
        (KEY.sign(sample(version=3)), "version"),
    ],
)
def test_what_keeps_it_from_being_proven_is_said(desk: Desk, receipt: Receipt, reason: str) -> None:
    assert desk.run("verify", desk.file(receipt), "--key", JWK) == 1
    (found,) = desk.reasons
    assert reason in found
    assert not any(line.startswith("PROVEN") for line in desk.said)


def test_who_signs_cannot_change_what_a_hash_holds(desk: Desk) -> None:
    other = msgspec.structs.replace(GOOD.action, parameters={"event_id": "evt_other"})
    assert desk.run("verify", desk.file(KEY.sign(sample(action=other))), "--key", JWK) == 1
    assert desk.reasons == ["the action's hash is not that of its name and parameters"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"nothing", b"[1]", b'{"receipts":null}', b'{"id":1,"id":1}'])
def test_what_is_no_receipt_proves_nothing(desk: Desk, content: bytes) -> None:
    assert desk.run("verify", desk.file(content), "--key", JWK) == 1
    assert len(desk.said) == len(desk.reasons) == 1


def test_what_is_no_key_proves_nothing(desk: Desk) -> None:
    for key in ("{}", '{"keys":[]}', '{"kty":"EC"}', desk.file(b"-----BEGIN PUBLIC KEY-----", "key.pem")):
        assert desk.run("verify", desk.file(GOOD), "--key", key) == 1
        assert len(desk.reasons) == 1


def test_a_callers_number_can_be_checked(desk: Desk) -> None:
    receipt = desk.file(GOOD)
    assert desk.run("verify", receipt, "--key", JWK, "--caller", NUMBER) == 0
    assert desk.run("verify", receipt, "--key", JWK, "--caller", "+12025550243") == 1
    assert desk.reasons == ["its caller had another number"]


def test_a_file_has_a_limit(desk: Desk) -> None:
    padding = b" " * (receipt_cli.MAX_BYTES - len(msgspec.json.encode(GOOD)))
    assert desk.run("verify", desk.file(msgspec.json.encode(GOOD) + padding), "--key", JWK) == 0
    with pytest.raises(Refused, match=f"more than {receipt_cli.MAX_BYTES} bytes"):
        desk.run("verify", desk.file(msgspec.json.encode(GOOD) + padding + b" "), "--key", JWK)


def test_a_file_that_cannot_be_read_is_said_to_be_so(desk: Desk) -> None:
    for wrong in ("nothing.json", str(desk.folder)):
        with pytest.raises(Refused, match="cannot be read"):
            desk.run("verify", wrong, "--key", JWK)


# With the database


def test_a_receipt_of_the_database_is_found_by_its_id_and_checked_by_its_key(desk: Desk) -> None:
    known = desk.keep()
    assert desk.run("verify", known, database=True) == 0
    desk.keep(outcome="executed", result={"ok": True})
    assert desk.run("verify", known, database=True) == 0
    assert f"{known}, revision 2" in desk.said[0]
    assert desk.run("verify", known, "--key", JWK, database=True) == 1
    assert desk.run("verify", "rcp_unknown", database=True) == 1
    assert desk.reasons == ["there is no receipt in rcp_unknown"]


def test_a_shown_receipt_is_good_without_the_database(desk: Desk) -> None:
    desk.keep()
    desk.keep(outcome="executed")
    assert desk.run("show", CALL_ID, "--json", database=True) == 0
    shown = json.loads("\n".join(desk.said))
    assert [receipt["revision"] for receipt in shown] == [1, 2]
    records = Records(desk.url)
    (key,) = Receipts(records).keys()
    records.close()
    assert desk.run("verify", desk.file(shown), "--key", json.dumps(key.jwk())) == 0
    assert desk.run("verify", desk.file(shown), database=True) == 0


def test_a_call_is_shown_in_words(desk: Desk) -> None:
    known = desk.keep()
    desk.keep(outcome="executed")
    assert desk.run("show", CALL_ID, database=True) == 0
    (told,) = desk.said
    assert told.startswith(f"Receipt {known}, revision 2")
    assert told.endswith("Outcome: executed")


def test_a_call_without_receipts_is_said_to_have_none(desk: Desk) -> None:
    assert desk.run("show", "call_unknown", database=True) == 0
    assert "no receipts" in desk.said[0]
    assert desk.run("show", "call_unknown", "--json", database=True) == 0
    assert json.loads(desk.said[0]) == []


def test_a_key_is_rotated(desk: Desk) -> None:
    known = desk.keep()
    assert desk.run("rotate", database=True) == 0
    assert desk.said == ["made receipt-2; each process signs with it from its next start"]
    desk.keep(outcome="executed")
    assert desk.run("verify", known, database=True) == 0
    assert desk.said[-1] == "PROVEN: signed with receipt-2, heard, and answered with yes"


# As people run it


def test_the_command_needs_no_settings_to_verify(tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_bytes(msgspec.json.encode(GOOD))
    (tmp_path / "phone-bridge.toml").write_text("nonsense = 1")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PHONE_BRIDGE_")}
    run = [sys.executable, "-m", "phone_bridge.cli", "receipt", "verify", "--key", JWK]
    for name, status in (("receipt.json", 0), ("phone-bridge.toml", 1), ("none.json", 2)):
        done = subprocess.run([*run, name], cwd=tmp_path, env=environ, capture_output=True, check=False, text=True)
        assert done.returncode == status, done.stderr
        assert done.stderr.count("\n") == (status == 2)

"""The commands ``call`` and ``remind``, against a bridge that answers as the test says."""

import argparse
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.errors import Refused, SettingsError, Unavailable
from phone_bridge.outbound_cli import NOT_OK, OK, Api, add_call, add_remind, call, remind
from tests.outbound.test_sources import ICS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CALL = {"id": "call_1", "status": "queued", "to": "+12025550143", "from": "+12025550100"}
REMINDER = {"id": "rem_1", "to": "+12025550143", "next_at": "2026-11-24T15:00:00Z"}


class Bridge(ThreadingHTTPServer):
    """Answers each request with the next of ``answers``, or the last again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.answers: list[tuple[int, Any]] = []

    def api(self, key: str = "") -> Api:
        return Api(f"http://127.0.0.1:{self.server_address[1]}", key)


class _Handler(BaseHTTPRequestHandler):
    server: Bridge

    def do_POST(self) -> None:  # the library's name
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_GET(self) -> None:
        self._answer(None)

    def _answer(self, body: Any) -> None:
        bridge = self.server
        bridge.asked.append((self.command, self.path, dict(self.headers), body))
        status, answer = bridge.answers.pop(0) if len(bridge.answers) > 1 else bridge.answers[0]
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Bridge() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def options(add: Any, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add(parser)
    return parser.parse_args(arguments)


def test_a_call_is_asked_for_and_followed_to_its_end(bridge: Bridge) -> None:
    bridge.answers = [(201, CALL), (200, {**CALL, "status": "ringing"}), (200, {**CALL, "status": "completed"})]
    said: list[str] = []
    given = options(add_call, "+12025550143", "--greeting", "Hello.", "--user", "usr_1", "--digits", "w1", "--wait")
    assert call(given, bridge.api("secret"), said.append, lambda _: None) == OK
    method, path, headers, body = bridge.asked[0]
    assert (method, path, headers["Authorization"]) == ("POST", "/v1/calls", "Bearer secret")
    assert body == {"to": "+12025550143", "greeting": "Hello.", "user_id": "usr_1", "digits": "w1"}
    assert said[-1] == "call_1 is completed"


@pytest.mark.parametrize("status", ["busy", "no_answer", "failed", "voicemail", "canceled"])
def test_a_call_in_which_nobody_talked_is_told_by_the_exit_status(bridge: Bridge, status: str) -> None:
    bridge.answers = [(201, CALL), (200, {**CALL, "status": status})]
    said: list[str] = []
    given = options(add_call, "+12025550143", "--wait", "--json")
    assert call(given, bridge.api(), said.append, lambda _: None) == NOT_OK
    assert json.loads(said[0])["status"] == status


def test_a_reminder_is_asked_for(bridge: Bridge) -> None:
    bridge.answers = [(201, REMINDER)]
    said: list[str] = []
    given = options(
        add_remind, "+12025550143", "--at", "2026-11-24T15:00:00Z", "--text", "Pills.", "--repeat", "FREQ=DAILY"
    )
    assert remind(given, bridge.api(), said.append) == OK
    assert bridge.asked[0][3] == {
        "to": "+12025550143", "at": "2026-11-24T15:00:00Z", "text": "Pills.", "repeat": "FREQ=DAILY",
    }  # fmt: skip
    assert said == ["rem_1 rings +12025550143 at 2026-11-24T15:00:00Z"]


def test_a_file_is_scheduled_once_however_often_it_is_given(bridge: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "reminders.csv"
    file.write_text("to,at,text\n+12025550143,2026-11-24T15:00:00Z,One\n+12025550144,2026-11-24T15:00:00Z,Two\n")
    bridge.answers = [(201, REMINDER)]
    said: list[str] = []
    for _ in range(2):
        assert remind(options(add_remind, "--file", str(file)), bridge.api(), said.append) == OK
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in bridge.asked]
    assert keys[:2] == keys[2:]
    assert keys[0] != keys[1]
    assert said[-1] == "2 reminders are scheduled, 0 are not"


def test_a_row_that_is_refused_holds_up_no_other(bridge: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "reminders.csv"
    file.write_text("to,at,text\n030,x,One\n+12025550144,2026-11-24T15:00:00Z,Two\n")
    error = {"error": {"type": "invalid_request_error", "code": "invalid_parameter", "message": "No.", "param": "to"}}
    bridge.answers = [(400, error), (201, REMINDER)]
    said: list[str] = []
    assert remind(options(add_remind, "--file", str(file)), bridge.api(), said.append) == NOT_OK
    assert said[0] == "! 030 at x: No. (in to)"
    assert said[-1] == "1 reminders are scheduled, 1 are not"


def test_a_calendar_is_scheduled(bridge: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "work.ics"
    file.write_bytes(ICS)
    bridge.answers = [(201, REMINDER)]
    given = options(add_remind, "+12025550143", "--file", str(file), "--minutes", "15", "--json")
    assert remind(given, bridge.api(), lambda _: None, NOW) == OK
    assert [body["text"] for _, _, _, body in bridge.asked] == [
        "Dentist begins in 15 minutes, at 12 Main Street.",
        "Stand-up begins in 15 minutes.",
        "Holiday begins in 15 minutes.",
    ]


def test_what_cannot_be_asked_says_what_to_do(bridge: Bridge, tmp_path: Path) -> None:
    calendar = tmp_path / "work.ics"
    calendar.write_bytes(ICS)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("to,text\n+49,Tür\n".encode("latin-1"))
    for arguments, words in (
        ((), "needs TO"),
        (("+12025550143", "--text", "x"), "--at or --event"),
        (("--file", str(tmp_path / "none.csv")), "cannot be read"),
        (("--file", str(calendar)), "give TO"),
        (("--file", str(latin)), "UTF-8"),
    ):
        with pytest.raises(SettingsError, match=words):
            remind(options(add_remind, *arguments), bridge.api(), lambda _: None)


def test_who_does_not_answer_as_a_bridge_is_told_by_name(bridge: Bridge) -> None:
    given = options(add_call, "+12025550143")
    bridge.answers = [(200, b"<html>")]
    with pytest.raises(Unavailable, match="is no bridge"):
        call(given, bridge.api(), lambda _: None)
    bridge.answers = [(502, b"<html>")]
    with pytest.raises(Refused, match="502"):
        call(given, bridge.api(), lambda _: None)
    with pytest.raises(Unavailable, match="phone-bridge serve"):
        call(given, Api("http://127.0.0.1:9", ""), lambda _: None)

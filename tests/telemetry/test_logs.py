"""Log lines for people, and as JSON."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.errors import SettingsError
from phone_bridge.settings import load
from phone_bridge.telemetry.logs import JsonLines

CALL = "call_" + "0a" * 12
SCRIPT = """
import logging
from phone_bridge.telemetry.logs import configure
configure({!r})
logging.getLogger("phone_bridge.calls").info("= call %s is live", {!r})
logging.getLogger("phone_bridge.calls").debug("nobody wants to know")
"""


def line(message: str, *arguments: Any, failure: bool = False) -> Any:
    info = None
    try:
        int("+12025550143 ")
        int("it broke")
    except ValueError:
        info = sys.exc_info() if failure else None
    record = logging.LogRecord("phone_bridge.calls", logging.WARNING, __file__, 1, message, arguments, info)
    record.created = 1_790_000_000.25
    text = JsonLines().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_says_when_how_bad_who_and_what() -> None:
    assert line("! %d records wait", 3) == {
        "time": "2026-09-21T14:13:20.250+00:00",
        "level": "warning",
        "logger": "phone_bridge.calls",
        "message": "! 3 records wait",
    }


def test_the_call_can_be_searched_for() -> None:
    assert line("x call %s ended by %s", CALL, "caller")["call"] == CALL
    assert "call" not in line("x call_of_nobody and call_%s0", "0a" * 12)


def test_a_failure_is_told_in_one_line() -> None:
    told = line("! a call has failed", failure=True)
    assert told["exception"].startswith("Traceback")
    assert "\nValueError: " in told["exception"]  # its message may hold a caller's words


def test_the_format_is_the_operators_choice() -> None:
    written = {}
    for chosen in ("text", "json"):
        command = [sys.executable, "-c", SCRIPT.format(chosen, CALL)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        assert done.stdout == ""
        (written[chosen],) = done.stderr.splitlines()
    assert written["text"].endswith(f"INFO phone_bridge.calls = call {CALL} is live")
    assert json.loads(written["json"])["call"] == CALL


def test_another_format_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_LOG_FORMAT must be one of text, json"):
        load({"PHONE_BRIDGE_LOG_FORMAT": "xml"}, tmp_path)


@pytest.mark.parametrize(("given", "content"), [({}, False), ({"PHONE_BRIDGE_LOG_CONTENT": "true"}, True)])
def test_what_callers_say_is_told_only_where_it_is_asked_for(
    given: dict[str, str], content: bool, tmp_path: Path
) -> None:
    assert load(given, tmp_path).log_content is content

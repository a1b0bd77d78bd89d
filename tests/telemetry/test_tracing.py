"""Spans are sent where the environment names a receiver; nothing of OpenTelemetry is imported otherwise."""

import json
import os
import subprocess
import sys

import pytest

from phone_bridge.telemetry.spans import no_report
from phone_bridge.telemetry.tracing import ENDPOINTS, reporting

SCRIPT = """
import json, logging, os, sys
if {hidden!r}:
    sys.modules["opentelemetry"] = None
{first}
from phone_bridge.telemetry.tracing import reporting
logging.basicConfig(stream=sys.stdout, format="%(message)s")
told = reporting(os.environ, content=False)
told.close()
loaded = sorted(name for name in sys.modules if name.startswith("opentelemetry") and sys.modules[name])
print(json.dumps([bool(loaded), told.report.__name__]))
"""


def begin(environ: dict[str, str], *, hidden: bool = False, first: str = "") -> tuple[list[str], bool, str]:
    """Begin in a fresh process; give what it said, whether OpenTelemetry was loaded, and who reports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-W", "error", "-c", SCRIPT.format(hidden=hidden, first=first)]
    done = subprocess.run(command, env={**kept, **environ}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *said, last = done.stdout.splitlines()
    loaded, reporter = json.loads(last)
    return said, loaded, reporter


def test_without_a_receiver_nothing_is_imported() -> None:
    assert begin({}, first="import phone_bridge.serve_cli") == ([], False, "no_report")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_with_a_receiver_calls_are_reported(name: str) -> None:
    assert begin({name: "http://127.0.0.1:9"}) == ([], True, "report")


def test_without_the_extra_it_is_said_how_to_get_it() -> None:
    ((said,), loaded, reporter) = begin({ENDPOINTS[0]: "http://127.0.0.1:9"}, hidden=True)
    assert "pip install 'phone_bridge[otel]'" in said
    assert (loaded, reporter) == (False, "no_report")


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "True"}, {"OTEL_TRACES_EXPORTER": "none"}, {ENDPOINTS[0]: ""}])
def test_it_can_be_switched_off_as_the_standard_says(off: dict[str, str]) -> None:
    told = reporting({ENDPOINTS[0]: "http://127.0.0.1:9", **off}, content=False)
    assert told.report is no_report
    told.close()

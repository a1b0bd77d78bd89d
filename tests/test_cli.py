"""The command as people run it: a real server, a real call through it, real speech both ways."""

import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import events as e
from phone_bridge.call.journal import Journal
from phone_bridge.call.rules import Rules
from tests.ports import free_port

READY_SECONDS = 30
"""How long a loaded machine may take to start a server; alone it takes one."""

CALL_SECONDS = 150


def phone_bridge(*arguments: str, folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "phone_bridge.cli", *arguments],
        cwd=folder,
        env=clean() | environ,
        capture_output=True,
        text=True,
        timeout=CALL_SECONDS,
        check=False,
    )


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PHONE_BRIDGE_", "TWILIO_"))}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


class Server:
    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = int(environ.get("PHONE_BRIDGE_PORT", "0")) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            "PHONE_BRIDGE_PORT": str(self.port),
            "PHONE_BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite3",
            **environ,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "phone_bridge.cli", "serve"],
            cwd=folder,
            env=clean() | self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not answers(f"{self.url}/readyz"):
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < until

    def stop(self) -> tuple[int, str]:
        self.process.terminate()
        told, _ = self.process.communicate(timeout=READY_SECONDS)
        return self.process.returncode, told


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("bridge"), TWILIO_AUTH_TOKEN="0123456789abcdef")
    try:
        running.wait()
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


@pytest.mark.speech
def test_a_call_cancels_the_next_meeting_by_voice_and_key(server: Server, tmp_path: Path) -> None:
    said = ("--say", "What is my next meeting?", "--say", "Cancel it.", "--press", "1")
    called = phone_bridge("simulate", *said, "--json", "--save", "call.wav", folder=tmp_path, **server.environ)
    assert called.returncode == 0, called.stdout + called.stderr
    result = json.loads(called.stdout)
    (action,) = result["record"]["actions"]
    assert (action["name"], action["verdict"], action["by"]) == ("cancel_event", "confirmed", "digit")
    assert action["result"]["ok"]
    assert result["metrics"]["bytes_after_clear"] == 0
    assert (tmp_path / "call.wav").stat().st_size > 8_000 * 2 * 2 * 10
    with closing(sqlite3.connect(server.folder / "bridge.sqlite3")) as database:
        event_id = action["parameters"]["event_id"]
        query = "SELECT is_cancelled FROM calendar_events WHERE id = ?"
        assert database.execute(query, [event_id]).fetchall() == [(1,)]


def test_an_unsigned_webhook_is_refused_when_a_token_is_set(server: Server) -> None:
    request = urllib.request.Request(f"{server.url}/twilio/voice", data=b"CallSid=CA1&AccountSid=AC1")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 403
    refused.value.close()


def test_a_server_tells_how_to_talk_to_it_and_ends_when_asked(tmp_path: Path) -> None:
    running = Server(tmp_path)
    running.wait()
    status, told = running.stop()
    assert status == 0, told
    assert "phone-bridge simulate --say" in told or "simulate --say" in told
    assert "/twilio/voice" in told
    assert told.index(f"{running.url}/\n") < told.index(f"{running.url}/monitor") < told.index("simulate")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"PHONE_BRIDGE_PORT": "eighty"}, "PHONE_BRIDGE_PORT"),
        ({"PHONE_BRIDGE_SESSION": "chronapilot"}, "PHONE_BRIDGE_SESSION_KEY"),
        ({"PHONE_BRIDGE_EAR": "whispr"}, "installed are: faster-whisper, openai, pocketsphinx"),
        ({"PHONE_BRIDGE_DATABASE_URL": "sqlite:////no/such/folder/x"}, "PHONE_BRIDGE_DATABASE_URL"),
    ],
)
def test_settings_that_cannot_work_stop_at_once_with_one_sentence(
    tmp_path: Path, environ: dict[str, str], says: str
) -> None:
    stopped = phone_bridge("serve", folder=tmp_path, **environ)
    assert stopped.returncode == 2
    assert says in stopped.stderr
    assert len(stopped.stderr.strip().splitlines()) == 1


def test_a_route_with_the_built_in_assistant_needs_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text('[[routes]]\nname = "office"\nsession = "embedded"\n')
    remote = {"PHONE_BRIDGE_SESSION": "chronapilot", "PHONE_BRIDGE_SESSION_KEY": "sk_test_1"}
    result = phone_bridge("serve", "--workers", "2", folder=tmp_path, **remote)
    assert result.returncode == 2
    assert "the route 'office' has the built-in assistant, which lives in one process" in result.stderr


def test_without_a_bridge_there_is_no_call(tmp_path: Path) -> None:
    environ = {"PHONE_BRIDGE_PORT": str(free_port()), "PHONE_BRIDGE_DATABASE_URL": "sqlite://"}
    called = phone_bridge("simulate", "--say", "Hello.", folder=tmp_path, **environ)
    assert called.returncode == 2
    assert len((called.stdout + called.stderr).strip().splitlines()) == 1


# replay


def trace(folder: Path, *, broken: bool = False) -> str:
    journal = Journal(PCMU_8K, Rules(), None, 0)
    journal.begin(0)
    for frame in range(1, 20_000):
        journal.note(e.DigitPressed("5"), 20 * frame)
    if broken:
        journal.begin(400_000)
    (folder / "call_1.trace").write_bytes(journal.encode())
    return "call_1.trace"


def test_a_trace_is_run_again(tmp_path: Path) -> None:
    replayed = phone_bridge("replay", trace(tmp_path), folder=tmp_path)
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout.startswith("00:00.000  =  the call begins\n")


def test_a_trace_whose_machine_raises_ends_with_one(tmp_path: Path) -> None:
    replayed = phone_bridge("replay", trace(tmp_path, broken=True), folder=tmp_path)
    assert (replayed.returncode, replayed.stderr) == (1, "")
    assert "step 20001 raised phone_bridge.errors.LocalError" in replayed.stdout


def test_a_file_that_is_no_trace_ends_with_two_and_one_sentence(tmp_path: Path) -> None:
    replayed = phone_bridge("replay", "none.trace", folder=tmp_path)
    assert (replayed.returncode, replayed.stdout) == (2, "")
    assert len(replayed.stderr.strip().splitlines()) == 1


def test_a_reader_of_a_trace_may_leave_early(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "phone_bridge.cli", "replay", trace(tmp_path)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=clean(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as replaying:
        assert replaying.stdout is not None
        assert replaying.stderr is not None
        assert replaying.stdout.readline() == "00:00.000  =  the call begins\n"
        replaying.stdout.close()
        assert replaying.stderr.read() == ""
    assert replaying.returncode == 0

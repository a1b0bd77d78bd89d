"""Servers as they are run: processes that are killed, stopped and drained while somebody is on the telephone."""

import asyncio
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.carrier import LiveCall, Site
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import HangUp, Say, Step
from phone_bridge.simulator.verbs import Redirect, parse
from phone_bridge.simulator.webhooks import Dialling
from tests.app.premises import Peers, call_form
from tests.balancer import Balancer
from tests.ports import free_port
from tests.runtime.pumping import Assistant
from tests.runtime.serving import serving
from tests.simulator.small_server import BeepVoice
from tests.test_cli import READY_SECONDS, clean

AT_ONCE_SECONDS = 15
"""How long a process may take that is to end at once; alone it takes less than one."""
DRAINING = {"status": "unavailable", "reason": "draining"}

LINES = {
    "greeting": 600,
    "cut_off": 400,
    "goodbye_drain": 400,
    "goodbye": 200,
    "one_moment": 200,
    "apology_unavailable": 200,
}
"""How long the recordings are that these servers speak with, in milliseconds."""

QUICK = Manners(quiet_ms=400, parting_quiet_ms=600)


def _as_from_a_terminal() -> None:
    """Heed SIGINT, which a shell has whatever it starts in the background ignore, these tests perhaps."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Served:
    """A server process."""

    def __init__(self, folder: Path, port: int, *arguments: str, **environ: str) -> None:
        self.port = port
        self.log = folder / f"{port}.log"
        self.url = f"http://127.0.0.1:{port}"
        settings = {
            "PHONE_BRIDGE_PORT": str(port),
            "PHONE_BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite3",
            "PHONE_BRIDGE_PROMPTS": str(recordings(folder / "prompts")),
            "XDG_DATA_HOME": str(folder),  # where traces of failed calls are kept
            "PHONE_BRIDGE_SESSION": "chronapilot",
            "PHONE_BRIDGE_SESSION_KEY": "sk_test_1",
            **environ,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "phone_bridge.cli", "serve", *arguments],
                cwd=folder,
                env=clean() | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_as_from_a_terminal,
            )

    async def ready(self) -> "Served":
        await patiently(lambda: self.ready_answer()[0] == 200, READY_SECONDS, self)
        return self

    def ready_answer(self) -> tuple[int, Any]:
        return fetch(f"{self.url}/readyz")

    def calls(self) -> list[Any]:
        listed: list[Any] = fetch(f"{self.url}/v1/calls")[1]["data"]
        return listed

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    async def ended(self, seconds: float) -> int:
        await patiently(lambda: self.process.poll() is not None, seconds, self, lives=False)
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def fetch(url: str, form: list[tuple[str, str]] | None = None) -> tuple[int, Any]:
    """Ask as a program does; 0 when nobody answers."""
    try:
        data = urlencode(form).encode() if form else None
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=5) as answer:
            return answer.status, read(answer.headers["content-type"] or "", answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, read(error.headers["content-type"], error.read())
    except OSError:
        return 0, None


def read(kind: str, body: bytes) -> Any:
    return json.loads(body) if "json" in kind else body


async def patiently(condition: Callable[[], Any], seconds: float, *servers: Served, lives: bool = True) -> None:
    """Wait for what may take a while on a loaded machine; ``condition`` may block."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not await asyncio.to_thread(condition):
        for server in servers:
            assert not lives or server.process.poll() is None, server.log.read_text()
        assert loop.time() < until, "\n".join(server.log.read_text() for server in servers)
        await asyncio.sleep(0.05)


def recordings(folder: Path) -> Path:
    """Make a folder of lines, so that no voice is needed."""
    if not folder.exists():
        folder.mkdir()
        for name, ms in LINES.items():
            tone = 8_000 * np.sin(np.arange(8 * ms) * 2 * np.pi * 440 / 8_000)
            with wave.open(str(folder / f"{name}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8_000)
                file.writeframes(tone.astype("<i2").tobytes())
    return folder


class Deployment:
    """Processes on one database, before them a balancer, behind them a ChronaPilot that the test plays."""

    def __init__(self, folder: Path, balancer: Balancer, peers: Peers, session_url: str) -> None:
        self.folder = folder
        self.balancer = balancer
        self.peers = peers
        self._session_url = session_url
        self.servers: list[Served] = []

    async def serve(self, *arguments: str, **environ: str) -> Served:
        return await self.start(*arguments, **environ).ready()

    def start(self, *arguments: str, **environ: str) -> Served:
        port = free_port()
        server = Served(
            self.folder,
            port,
            *arguments,
            PHONE_BRIDGE_PUBLIC_URL=self.balancer.url,
            PHONE_BRIDGE_SESSION_URL=self._session_url,
            **environ,
        )
        self.servers.append(server)
        self.balancer.ports.append(port)
        return server

    def leave_out(self, server: Served) -> None:
        """Send no new connection to a process, as a balancer does that has seen it fail; those that are open stay."""
        self.balancer.ports.remove(server.port)

    async def phone(self, *script: Step, stay: bool = False, answered: bool = True) -> "Phoning":
        """Have somebody phone, and wait until a session has answered if one should."""
        manners = Manners(quiet_ms=QUICK.quiet_ms, parting_quiet_ms=QUICK.parting_quiet_ms, stay=stay)
        dialling = Dialling(account_sid="AC" + "a" * 32)
        live = await LiveCall.prepare(
            Site(url=self.balancer.url), script, BeepVoice(), dialling=dialling, manners=manners
        )
        known = len(self.peers.live)
        phoning = Phoning(live, asyncio.create_task(live.run()))
        if answered:
            await self.session(known + 1)
        return phoning

    async def session(self, number: int) -> Assistant:
        """Wait until so many sessions have been opened, and give the last."""
        await patiently(lambda: len(self.peers.live) >= number, READY_SECONDS, *self.servers, lives=False)
        return self.peers.live[number - 1]


class Phoning:
    """Somebody on the telephone."""

    def __init__(self, live: LiveCall, running: "asyncio.Task[CallResult]") -> None:
        self.call_sid = live.call_sid
        self._running = running

    async def over(self) -> CallResult:
        async with asyncio.timeout(READY_SECONDS):
            return await self._running


@asynccontextmanager
async def deployment(folder: Path) -> AsyncIterator[Deployment]:
    peers = Peers()
    async with serving(peers.app) as theirs, Balancer().running() as balancer:
        deployed = Deployment(folder, balancer, peers, f"http://127.0.0.1:{theirs.port}")
        try:
            yield deployed
        finally:
            for server in deployed.servers:
                server.close()


def play(folder: Path, story: Callable[[Deployment], Any]) -> None:
    async def run() -> None:
        async with deployment(folder) as deployed:
            await story(deployed)

    asyncio.run(run())


def sound(ms: int) -> bytes:
    """Make a tone in the session's format, PCM at 24 kHz."""
    tone = 8_000 * np.sin(np.arange(24 * ms) * 2 * np.pi * 300 / 24_000)
    return tone.astype("<i2").tobytes()


def answer(assistant: Assistant, name: str, words: str, ms: int) -> None:
    """Have the assistant say something that lasts for so long."""
    assistant.tell(
        m.ResponseCreated(name),
        m.AudioTranscriptDelta(words, name),
        m.AudioDelta(audio=sound(ms), response_id=name),
        m.ResponseDone({"id": name, "status": "completed"}),
    )


def heard(assistant: Assistant) -> bool:
    """Tell whether the caller's words have come through, which are tones."""
    return any(abs(sample) > 3_000 for sample in memoryview(assistant.sound[-96_000:]).cast("h"))


# The process is killed in mid-call


def test_a_call_outlives_its_process(tmp_path: Path) -> None:
    """The caller is in the middle of a sentence of the assistant's when the process is killed."""

    async def story(deployed: Deployment) -> None:
        first, second = await deployed.serve(), await deployed.serve()
        caller = await deployed.phone(Say("hello"), Say("hello again"))
        assistant = await deployed.session(1)
        await patiently(lambda: heard(assistant), READY_SECONDS, first)
        assistant.tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("what is my next meeting"))
        before = deployed.balancer.sent
        answer(assistant, "rsp_1", "Your next meeting is lunch with Carol at noon.", 8_000)
        await patiently(lambda: deployed.balancer.sent > before + 8_000, READY_SECONDS, first)
        await patiently(lambda: any(said(second, "what is my next meeting")), READY_SECONDS, second)
        deployed.leave_out(first)
        first.signal(signal.SIGKILL)
        await first.ended(AT_ONCE_SECONDS)

        other = await deployed.session(2)
        await patiently(lambda: heard(other), READY_SECONDS, second)  # the caller has heard, and speaks again
        other.tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("hello again"))
        answer(other, "rsp_2", "It is at noon.", 600)
        result = await caller.over()

        assert (result.status, result.ended_by, result.undone) == ("completed", "caller", ())
        assert result.verbs == ("ConnectStream", "ConnectStream")
        (record,) = second.calls()
        assert (record["status"], record["ended_by"], record["error"], record["resumed"]) == (
            "completed",
            "caller",
            None,
            1,
        )
        texts = [line["text"] for line in record["transcript"]]
        assert texts.index("what is my next meeting") < index_of(texts, "we were cut off") < texts.index("hello again")
        assert "It is at noon." in texts
        assert any("what is my next meeting" in str(message) for message in other.words)  # the new session was told

    play(tmp_path, story)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_question_whose_process_is_killed_is_kept_as_not_answered(tmp_path: Path, comes_back: bool) -> None:
    async def story(deployed: Deployment) -> None:
        first, second = await deployed.serve(), await deployed.serve()
        caller = await deployed.phone(Say("cancel it"), *([Say("hello again")] if comes_back else []))
        assistant = await deployed.session(1)
        await patiently(lambda: heard(assistant), READY_SECONDS, first)
        assistant.tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("cancel it"))
        assistant.propose("act_1")
        await patiently(lambda: any(action["heard_ms"] for action in asked_of(second)), READY_SECONDS, first, second)
        deployed.leave_out(first)
        if not comes_back:
            deployed.leave_out(second)
        first.signal(signal.SIGKILL)
        await first.ended(AT_ONCE_SECONDS)
        if comes_back:
            other = await deployed.session(2)
            await caller.over()
            assert second.calls()[0]["resumed"] == 1
            assert not [word for word in other.words if isinstance(word, m.ActionConfirm)]
        else:
            await caller.over()
            fetch(f"{second.url}/twilio/status", call_form(caller.call_sid, CallStatus="completed"))
        await patiently(lambda: second.calls()[0]["status"] == "completed", READY_SECONDS, second)
        (action,) = asked_of(second)
        assert (action["id"], action["verdict"], action["by"], action["outcome"]) == (
            "act_1",
            "unanswered",
            "none",
            "unknown",
        )
        assert "Dentist" in action["question"]
        assert fetch(f"{second.url}/v1/calls/{second.calls()[0]['id']}")[1]["receipts"] == []
        assert not [word for word in assistant.words if isinstance(word, m.ActionConfirm)]

    play(tmp_path, story)


def asked_of(server: Served) -> list[Any]:
    """Give the actions of the one call that a server knows."""
    return [action for call in server.calls() for action in call["actions"]]


def said(server: Served, words: str) -> list[bool]:
    return [words in line["text"] for call in server.calls() for line in call["transcript"]]


def index_of(texts: list[str], words: str) -> int:
    return next(at for at, text in enumerate(texts) if words in text)


# The routes change


OFFICE = '[[routes]]\nname = "office"\ncalled = "+12025550100"\nuser_id = "usr_{user}"\n'


@pytest.mark.parametrize("workers", [2])
def test_routes_are_read_again_while_somebody_is_on_the_telephone(tmp_path: Path, workers: int) -> None:
    file = tmp_path / "phone-bridge.toml"
    file.write_text(OFFICE.format(user="old"))

    async def story(deployed: Deployment) -> None:
        server = await deployed.serve("--workers", str(workers))

        def users_of_new_calls() -> set[str]:
            begun = [f"CA-{secrets.token_hex(8)}" for _ in range(6)]
            for call_sid in begun:
                fetch(f"{server.url}/twilio/voice", call_form(call_sid))
            return {call["user_id"] for call in server.calls() if call["carrier_id"] in begun}

        caller = await deployed.phone(Say("hello"), HangUp(after_ms=20_000))
        assistant = await deployed.session(1)
        await patiently(  # who starts later reads the new routes anyway, and says nothing of it
            lambda: server.log.read_text().count("Application startup complete") == workers, AT_ONCE_SECONDS, server
        )
        file.write_text(OFFICE.format(user="new"))
        server.signal(signal.SIGHUP)
        await patiently(
            lambda: server.log.read_text().count("routes were read again") == workers, AT_ONCE_SECONDS, server
        )
        assert users_of_new_calls() == {"usr_new"}
        file.write_text(OFFICE.format(user="newer") + "colour = 1\n")
        server.signal(signal.SIGHUP)
        await patiently(
            lambda: server.log.read_text().count("has the key 'colour'") == workers, AT_ONCE_SECONDS, server
        )
        assert users_of_new_calls() == {"usr_new"}
        answer(assistant, "rsp_1", "Hello to you.", 400)  # the call has felt nothing of it
        result = await caller.over()
        assert (result.status, result.ended_by, result.undone) == ("completed", "caller", ())
        assert [call["user_id"] for call in server.calls() if call["status"] == "completed"] == ["usr_old"]

    play(tmp_path, story)


@pytest.mark.parametrize("workers", [1, 2])
def test_routes_that_change_while_a_server_starts_are_read(tmp_path: Path, workers: int) -> None:
    file = tmp_path / "phone-bridge.toml"
    file.write_text(OFFICE.format(user="old"))

    async def story(deployed: Deployment) -> None:
        server = deployed.start("--workers", str(workers))
        begun = "Started parent process" if workers > 1 else "Started server process"
        await patiently(lambda: begun in server.log.read_text(), READY_SECONDS, server)
        file.write_text(OFFICE.format(user="new"))
        server.signal(signal.SIGHUP)
        await patiently(
            lambda: server.log.read_text().count("routes were read again") == workers, READY_SECONDS, server
        )
        fetch(f"{server.url}/twilio/voice", call_form("CA1"))
        assert [call["user_id"] for call in server.calls()] == ["usr_new"]
        assert "died" not in server.log.read_text()

    play(tmp_path, story)


# The process is asked to stop


def test_processes_whose_parent_is_killed_let_their_calls_end_and_then_are_gone(tmp_path: Path) -> None:
    async def story(deployed: Deployment) -> None:
        server = await deployed.serve("--workers", "2")
        caller = await deployed.phone(Say("hello"), HangUp(after_ms=2_000))
        assistant = await deployed.session(1)
        server.process.kill()
        await server.ended(AT_ONCE_SECONDS)
        await patiently(lambda: server.ready_answer()[0] == 503, AT_ONCE_SECONDS)
        answer(assistant, "rsp_1", "Hello to you.", 400)
        result = await caller.over()
        assert (result.status, result.ended_by, result.undone) == ("completed", "caller", ())
        await patiently(lambda: server.ready_answer()[0] == 0, AT_ONCE_SECONDS)

    play(tmp_path, story)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopping_server_moves_new_calls_on_and_lets_live_ones_end(tmp_path: Path, workers: int) -> None:
    async def story(deployed: Deployment) -> None:
        server = await deployed.serve("--workers", str(workers))
        caller = await deployed.phone(Say("hello"), HangUp(after_ms=6_000))
        assistant = await deployed.session(1)
        server.signal(signal.SIGTERM)
        await patiently(lambda: server.ready_answer()[0] == 503, AT_ONCE_SECONDS, server)
        await patiently(
            lambda: all(server.ready_answer()[1] == DRAINING for _ in range(8)),
            AT_ONCE_SECONDS,
            server,
        )
        assert (await asyncio.to_thread(fetch, f"{server.url}/healthz"))[0] == 200
        status, document = await asyncio.to_thread(fetch, f"{server.url}/twilio/voice", call_form("CA9"))
        assert status == 200
        assert parse(document).verbs[-1] == Redirect(f"{deployed.balancer.url}/twilio/voice?attempt=1")

        await patiently(lambda: heard(assistant), READY_SECONDS, server)  # the call goes on both ways
        answer(assistant, "rsp_1", "Hello to you.", 400)
        result = await caller.over()
        assert (result.status, result.ended_by, result.undone) == ("completed", "caller", ())
        assert await server.ended(AT_ONCE_SECONDS) == 0, server.log.read_text()
        assert [(each["status"], each["ended_by"]) for each in kept(deployed)] == [("completed", "caller")]

    play(tmp_path, story)


def kept(deployed: Deployment) -> list[dict[str, Any]]:
    """Read the records of processes that have ended."""
    with closing(sqlite3.connect(deployed.folder / "bridge.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM calls ORDER BY started_at")]


@pytest.mark.parametrize("workers", [1, 2])
def test_when_the_time_is_over_a_caller_hears_a_goodbye(tmp_path: Path, workers: int) -> None:
    async def story(deployed: Deployment) -> None:
        server = await deployed.serve("--workers", str(workers), PHONE_BRIDGE_DRAIN_SECONDS="1")
        caller = await deployed.phone(stay=True)
        server.signal(signal.SIGTERM)
        result = await caller.over()
        assert (result.status, result.ended_by) == ("completed", "bridge")
        assert result.verbs == ("ConnectStream", "Hangup")
        assert await server.ended(AT_ONCE_SECONDS) == 0, server.log.read_text()
        (record,) = kept(deployed)
        assert (record["status"], record["ended_by"], record["error"]) == ("completed", "drain", None)
        assert "I have to end this call now" in record["transcript"]

    play(tmp_path, story)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_at_once_and_the_call_comes_back_elsewhere(tmp_path: Path, workers: int) -> None:
    async def story(deployed: Deployment) -> None:
        first = await deployed.serve("--workers", str(workers))
        second = await deployed.serve()
        caller = await deployed.phone(Say("hello"), Say("hello again"))
        await patiently(lambda: heard(deployed.peers.live[0]), READY_SECONDS, first)
        first.signal(signal.SIGTERM)
        await patiently(lambda: first.ready_answer()[0] == 503, AT_ONCE_SECONDS, first)
        deployed.leave_out(first)
        first.signal(signal.SIGTERM)
        assert await first.ended(AT_ONCE_SECONDS) == 0, first.log.read_text()
        assistant = await deployed.session(2)
        await patiently(lambda: heard(assistant), READY_SECONDS, second)
        answer(assistant, "rsp_1", "Hello to you.", 400)
        assert (await caller.over()).ended_by == "caller"
        (record,) = second.calls()
        assert (record["status"], record["ended_by"], record["resumed"]) == ("completed", "caller", 1)

    play(tmp_path, story)


def test_a_call_that_reaches_a_stopping_process_is_answered_by_another(tmp_path: Path) -> None:
    async def story(deployed: Deployment) -> None:
        first = await deployed.serve()
        second = await deployed.serve()
        stays = await deployed.phone(HangUp(after_ms=6_000))
        first.signal(signal.SIGTERM)
        await patiently(lambda: first.ready_answer()[0] == 503, AT_ONCE_SECONDS, first)
        moved = asyncio.create_task(deployed.phone(HangUp(after_ms=4_000)))
        await patiently(lambda: "a call is moved on, attempt 1" in first.log.read_text(), AT_ONCE_SECONDS, first)
        deployed.leave_out(first)
        result = await (await moved).over()
        assert result.verbs == ("Pause", "Redirect", "ConnectStream")
        assert (result.status, result.ended_by) == ("completed", "caller")
        assert "comes in" in second.log.read_text()
        assert (await stays.over()).verbs == ("ConnectStream",)
        assert await first.ended(AT_ONCE_SECONDS) == 0

    play(tmp_path, story)


# Nobody can serve the caller


def test_a_caller_whom_no_session_serves_leaves_a_message(tmp_path: Path) -> None:
    async def story(deployed: Deployment) -> None:
        server = await deployed.serve(PHONE_BRIDGE_FALLBACK="voicemail")
        deployed.peers.mint_status = 403
        caller = await deployed.phone(Say("call me back", after_ms=6_500), answered=False, stay=True)
        result = await caller.over()
        assert result.verbs == ("ConnectStream", "Say", "Record", "Say", "Hangup")
        assert (result.status, result.ended_by, result.undone) == ("completed", "bridge", ())
        (record,) = server.calls()
        assert (record["status"], record["error"]) == ("voicemail", "session_refused")
        assert record["voicemail"].startswith("https://api.twilio.com/2010-04-01/Accounts/")

    play(tmp_path, story)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_server_without_calls_ends_at_once(tmp_path: Path, number: int, status: int) -> None:
    async def story(deployed: Deployment) -> None:
        server = await deployed.serve()
        server.signal(number)
        assert await server.ended(AT_ONCE_SECONDS) == status, server.log.read_text()

    play(tmp_path, story)


def test_what_is_loaded_is_kept_and_costs_no_collection_any_more() -> None:
    told = """
import gc
from types import SimpleNamespace
from phone_bridge.serve_cli import settled
bridge = SimpleNamespace(outbound=SimpleNamespace())
loaded = len(gc.get_objects())
with settled(bridge):
    print(loaded, gc.get_freeze_count(), len(gc.get_objects()))
    import dbos
    late = len(gc.get_objects())
    bridge.outbound.loaded()
    print(late, gc.get_freeze_count(), len(gc.get_objects()))
"""
    printed = subprocess.run([sys.executable, "-c", told], env=clean(), capture_output=True, check=True, text=True)
    loaded, kept, left, late, kept_late, left_late = map(int, printed.stdout.split())
    assert kept > 0.9 * loaded
    assert left < 0.1 * loaded
    assert kept_late > kept + 0.9 * late
    assert left_late < 0.1 * late

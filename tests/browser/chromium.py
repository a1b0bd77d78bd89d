"""A real Chromium without a window, driven by its own DevTools protocol: a process, a WebSocket, and JSON."""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import ClientConnection, connect

START_SECONDS = 60
"""How long a loaded machine may take to start a browser; alone it takes one."""

ANSWER_SECONDS = 60
MAX_MESSAGE_BYTES = 64 * 1024 * 1024  # a screenshot is one message

FOUND = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Chromium's flags for a machine without a screen, a loudspeaker, a microphone, or anybody who could answer a question.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
)

DRAWN = (
    "await Promise.race([new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),"
    " new Promise((hidden) => setTimeout(hidden, 500))])"
)
"""Waits until what was scrolled or shown stands where the mouse will find it; a page behind others is never drawn."""
WAIT = """
new Promise((resolve) => {
  const until = performance.now() + %d;
  const look = () => {
    let found;
    try { found = (%s); } catch (error) { found = null; }
    if (found || performance.now() > until) resolve(Boolean(found));
    else setTimeout(look, 50);
  };
  look();
})
"""


class Chromium:
    """One browser; ``microphone`` is a WAV file that its fake device plays, once."""

    def __init__(self, *, microphone: Path | None = None, flags: tuple[str, ...] = ()) -> None:
        assert FOUND is not None
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        fed = (f"--use-file-for-fake-audio-capture={microphone}%noloop",) if microphone else ()
        command = [FOUND, *FLAGS, *fed, *flags, f"--user-data-dir={self._folder.name}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._port = self._find_port()

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _find_port(self) -> int:
        told = Path(self._folder.name) / "DevToolsActivePort"
        until = time.monotonic() + START_SECONDS
        while not told.exists() or "\n" not in told.read_text():
            assert self._process.poll() is None, "the browser has ended"
            assert time.monotonic() < until, "the browser does not start"
            time.sleep(0.05)
        return int(told.read_text().split()[0])

    @contextmanager
    def page(self, url: str, *, before: str = "") -> Iterator["Page"]:
        """Open a page for as long as it is used; ``before`` is a script that runs before its own."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            target = json.load(answer)["webSocketDebuggerUrl"]
        options: dict[str, Any] = {"max_size": MAX_MESSAGE_BYTES, "open_timeout": ANSWER_SECONDS, "compression": None}
        with connect(target, **options) as socket:
            page = Page(socket)
            for domain in ("Page", "Runtime", "Log"):
                page.send(f"{domain}.enable")
            if before:
                page.send("Page.addScriptToEvaluateOnNewDocument", source=before)
            page.open(url)
            yield page
            page.send("Page.close")


class Page:
    """One tab; ``faults`` are the errors and the refusals of its policy that it wrote to its console."""

    def __init__(self, socket: ClientConnection) -> None:
        self.faults: list[str] = []
        self._socket = socket
        self._ids = itertools.count(1)

    def send(self, method: str, **parameters: Any) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(ANSWER_SECONDS * 2))
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        if event["method"] == "Runtime.exceptionThrown":
            details = event["params"]["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description") or details["text"])
        elif event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            entry = event["params"]["entry"]
            self.faults.append(f"{entry['text']} {entry.get('url', '')}")

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        self.wait("location.href !== 'about:blank' && document.readyState === 'complete'")

    def reload(self) -> None:
        self.evaluate("window.old = true")
        self.send("Page.reload")
        self.wait("!window.old && document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """Run a script, wait for its promise, and give its value."""
        run = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in run, run["exceptionDetails"]
        return run["result"].get("value")

    def wait(self, condition: str, seconds: float = 30) -> None:
        """Wait until a script's value is true."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                found = self.evaluate(WAIT % (min(seconds, 10) * 1000, condition))
            except AssertionError as error:  # the page was loaded anew meanwhile
                if "navigated" not in str(error) and "context" not in str(error):
                    raise
                continue
            if found:
                return
        text = self.evaluate("document.body.innerText")
        raise AssertionError(f"{condition} did not come about; the page says:\n{text}\n{self.faults}")

    def click(self, selector: str) -> None:
        """Press a button with the mouse, where it can be seen."""
        box = self.evaluate(
            f"(async () => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center'}});"
            f" {DRAWN}; const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2, r.width]; })()"
        )
        assert box[2] > 0, f"{selector} cannot be seen"
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def type(self, text: str) -> None:
        for letter in text:
            self.key(letter)

    def key(self, name: str) -> None:
        text = {"text": name} if len(name) == 1 else {"text": "\r"} if name == "Enter" else {}
        code = {"Tab": 9, "Enter": 13}.get(name, ord(name[0].upper()))
        self.send("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=code, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    def text(self, selector: str = "body") -> str:
        return str(self.evaluate(f"document.querySelector({selector!r}).innerText"))

    def look(self, *, dark: bool = False, width: int = 1200, height: int = 800, reduced: bool = False) -> None:
        """Be a screen of another size or taste."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced else "no-preference"},
        ]
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, file: Path) -> None:
        shot = self.send("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))

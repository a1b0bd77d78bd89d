"""A real CalDAV server for tests: Radicale, which somebody else wrote, as a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from caldav.davclient import DAVClient

from tests.ports import free_port

USERNAME, PASSWORD = "alice", "correct horse"
START_SECONDS = 20.0


class Radicale:
    """A server that is up; ``calendar`` is the user's only one, as another program sees it."""

    def __init__(self, url: str, calendar: Any) -> None:
        self.url = url
        self.calendar = calendar

    def texts(self) -> list[str]:
        """Read everything that is kept, as another program would."""
        return [str(event.data) for event in self.calendar.get_events()]

    def put(self, text: bytes) -> None:
        """Keep an object, as another program would."""
        self.calendar.add_event(text.decode())

    def empty(self) -> None:
        """Forget everything."""
        for event in self.calendar.get_events():
            event.delete()


@contextmanager
def radicale(folder: Path) -> Iterator[Radicale]:
    """Start a server whose files are in ``folder``."""
    port = free_port()
    (folder / "users").write_text(f"{USERNAME}:{PASSWORD}\n")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {folder / 'users'}\n"
        f"htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {folder / 'data'}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", str(folder / "config")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        url = f"http://127.0.0.1:{port}/"
        with DAVClient(url=url, username=USERNAME, password=PASSWORD, enable_rfc6764=False) as client:
            principal: Any = client.principal()  # type: ignore[no-untyped-call]
            calendar = principal.make_calendar(name="Work")
            yield Radicale(url, calendar)
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("Radicale did not start")

"""Kamailio as registrar and proxy in between, by the worked example in infra/sip, on ports of the tests' own."""

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.ports import free_port

PROGRAM = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")
with_kamailio = pytest.mark.skipif(PROGRAM is None, reason="Kamailio is missing: apt-get install kamailio")

CONFIG = Path(__file__).parents[2] / "infra" / "sip" / "kamailio" / "kamailio.cfg"


class Kamailio:
    """One Kamailio, whose users have the password ``sesame``."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = (folder / "kamailio.log").open("w")
        self._process = subprocess.Popen(
            [str(PROGRAM), "-f", str(CONFIG), "-DD", "-E", "-m", "16", "-M", "4", "-Y", str(folder), *self._places()],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _places(self) -> list[str]:
        where = f"127.0.0.1:{self.port}"
        return ["-A", f"LISTEN=udp:{where}", "-A", f"LISTEN_TCP=tcp:{where}"]

    async def ready(self) -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(10)
        self._log.close()

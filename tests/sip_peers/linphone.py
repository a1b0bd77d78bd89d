"""linphonec (Debian's linphone-cli), a telephone on liblinphone, which is told what to do as at its prompt."""

import asyncio
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray

from phone_bridge.audio.format import LINEAR_8K
from tests.ports import free_port
from tests.runtime.serving import until
from tests.sip_peers.test_baresip import record, samples

with_linphone = pytest.mark.skipif(
    shutil.which("linphonec") is None, reason="linphonec is missing: apt-get install linphone-cli"
)

SECONDS = 30.0
"""How long each step may take on a machine that others use, too."""

ON_AIR = r"Media streams established"
ON_HOLD = r"is now paused"

CONFIG = """\
[sip]
bind_address=127.0.0.1
sip_port={port}
sip_tcp_port={port}
sip_tls_port={tls}
guess_hostname=0
contact=sip:{name}@127.0.0.1:{port}
use_ipv6=0
ipv6_migration_done=1
auto_net_state_mon=0
register_only_when_network_is_up=0
default_proxy=0
media_encryption={seal}
media_encryption_mandatory={must_seal}
root_ca={authorities}
verify_server_cn=0
[rtp]
bind_address=127.0.0.1
audio_rtp_port={rtp}
{rtp_settings}
[net]
firewall_policy=1
nat_address=127.0.0.1
[auth_info_0]
username={name}
passwd=sesame
[proxy_0]
reg_proxy=<sip:{proxy}>
reg_route=<sip:{proxy};lr>
reg_identity=sip:{name}@{domain}
reg_expires=60
reg_sendregister=1
"""


class Linphone:
    """One telephone, registered at ``proxy``; it numbers its calls from 1 on, and takes those that come."""

    def __init__(
        self,
        folder: Path,
        name: str,
        proxy: str,
        domain: str,
        *,
        seal: str = "none",
        authorities: str = "",
        rtp_settings: str = "",
    ) -> None:
        self._folder = folder / name
        self._seen = 0
        self._recordings = 0
        self.shown = ""
        (self._folder / ".local/share/linphone").mkdir(parents=True)  # where its data base is
        settings = CONFIG.format(
            port=free_port(),
            tls=free_port(),
            rtp=free_port(),
            name=name,
            proxy=proxy,
            domain=domain,
            seal=seal,
            must_seal=int(seal != "none"),
            authorities=authorities,
            rtp_settings=rtp_settings,
        )
        (self._folder / "linphonerc").write_text(settings)
        record(self._folder / "silence.wav", bytes(LINEAR_8K.size(60_000)))

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "linphonec",
            *("-a", "-c", str(self._folder / "linphonerc")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self._folder)},
        )
        self._reading = asyncio.create_task(self._read())
        try:
            await self._shows("linphonec>")
            self.tell("soundcard use files")
            self.tell(f"play {self._folder}/silence.wav")
            self.listen()
            async with asyncio.timeout(SECONDS):
                while "registered, identity" not in self.shown:
                    self.tell("status register")
                    await asyncio.sleep(0.1)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ConnectionError):
            self.tell("quit")
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(4_096):
            self.shown += data.decode(errors="replace")

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())

    async def does(self, command: str, shows: str) -> None:
        """Tell it something, and wait until it shows something that it has not shown before."""
        self._seen = len(self.shown)
        self.tell(command)
        await self._shows(shows)

    async def _shows(self, what: str) -> None:
        await until(lambda: bool(re.search(what, self.shown[self._seen :])), SECONDS)

    async def idle(self) -> None:
        """Wait until it has no call."""
        async with asyncio.timeout(SECONDS):
            while True:
                self._seen = len(self.shown)
                self.tell("calls")
                await self._shows("No active call|Call states")
                if "No active call" in self.shown[self._seen :]:
                    return
                await asyncio.sleep(0.1)

    def listen(self) -> None:
        """Hear anew."""
        self._recordings += 1
        self.tell(f"record {self._recording}")

    @property
    def _recording(self) -> Path:
        return self._folder / f"heard{self._recordings}.wav"

    def heard(self) -> NDArray[np.float64]:
        """Give what it has heard since it listens, by 8 kHz where the call is in G.711."""
        return samples(self._recording.read_bytes()[44:] if self._recording.exists() else b"")

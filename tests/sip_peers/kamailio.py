"""Kamailio as registrar and proxy in between, started by tests on ports of its own."""

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.test_cli import free_port

PROGRAM = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")
with_kamailio = pytest.mark.skipif(PROGRAM is None, reason="Kamailio is missing: apt-get install kamailio")

CONFIG = """\
debug=1
log_stderror=yes
children=1
tcp_children=1
mpath="{modules}"
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "min_expires", 30)

request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ t_relay(); exit; }}
  if (has_totag()) {{
    if (!loose_route()) {{ sl_send_reply("404", "Not Here"); exit; }}
    t_relay();
    exit;
  }}
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("$fd", "sesame", "0")) {{ www_challenge("$fd", "0"); exit; }}
    save("location");
    exit;
  }}
  if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
  record_route();
  if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
  t_relay();
}}
"""


class Kamailio:
    """One Kamailio, whose users have the password ``sesame``."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        modules = next(Path("/usr/lib").glob("*/kamailio/modules"))
        config = folder / "kamailio.cfg"
        config.write_text(CONFIG.format(modules=modules, port=self.port))
        self._log = (folder / "kamailio.log").open("w")
        self._process = subprocess.Popen(
            [str(PROGRAM), "-f", str(config), "-DD", "-E", "-m", "16", "-M", "4", "-Y", str(folder)],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

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

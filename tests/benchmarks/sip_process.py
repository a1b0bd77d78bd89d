"""The bridge with SIP under measure: the whole application but for its HTTP server, for one process of its own."""

import asyncio
import gc
import logging
import sys

import msgspec
import uvloop

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.sip import SipDoor
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.sip_trunks import SipTrunk
from phone_bridge.settings import Settings
from tests.benchmarks.processes import listening


class Options(msgspec.Struct, frozen=True):
    """How the bridge is set up."""

    session_url: str
    sip_port: int
    folder: str
    srtp: str = "off"


async def serve(options: Options, port: int) -> None:
    """Serve until standard input ends."""
    over = asyncio.Event()
    settings = Settings(
        port=port,
        database_url=f"sqlite:///{options.folder}/{port}.db",
        session="chronapilot",
        session_url=options.session_url,
        session_key="sk_test_bench",
        session_format="g711_ulaw",
        sip_listen=f"udp://127.0.0.1:{options.sip_port}",
        sip_trunks=(SipTrunk(name="load", addresses=("127.0.0.1",), srtp=options.srtp),),
    )
    bridge = Bridge(settings, Records(settings.database_url), None)
    door = SipDoor(bridge)
    await bridge.start()
    await door.open()
    gc.collect()
    gc.freeze()  # as whoever is served by the command line has it
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), over.set)
    await over.wait()
    await door.close()
    await bridge.stop()


def main() -> None:
    """Be the bridge."""
    told = listening()
    logging.getLogger("phone_bridge").setLevel(logging.ERROR)
    uvloop.run(serve(msgspec.convert(told.options, Options), told.port))


if __name__ == "__main__":
    main()

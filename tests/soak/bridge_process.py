"""The bridge under soak: the whole application in a process of its own, with a window to look inside."""

import asyncio
import gc
import logging
import socket
from collections import Counter
from pathlib import Path

import msgspec
import uvicorn
import uvloop
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.websocket_server import UVICORN_OPTIONS
from tests.benchmarks.bridge_process import BenchBridge, Options, ToneVoice, serve, settings
from tests.benchmarks.processes import listening

WINDOW = "/inside"
OF_A_CALL = ("Pump", "Call", "Ledger", "TwilioStream", "ChronaPilotWire", "Socket", "FrameLine", "VoiceActivity")


async def inside(_: Request) -> Response:
    """Count what should be gone when no call is live: tasks, files, and the objects of calls."""
    return JSONResponse({"tasks": len(asyncio.all_tasks()), "files": _files(), "objects": _objects()})


def _objects() -> dict[str, int]:
    gc.collect()
    kinds = Counter(str(type(each)) for each in gc.get_objects())
    return {name: sum(count for kind, count in kinds.items() if kind.endswith(f".{name}'>")) for name in OF_A_CALL}


def _files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def main() -> None:
    """Be the bridge on the socket that was inherited."""
    told = listening()
    options = msgspec.convert(told.options, Options)
    chosen = msgspec.structs.replace(
        settings(told.port, options), calls_per_caller=0, traces_folder=f"{options.folder}/traces"
    )
    logging.getLogger("phone_bridge").setLevel(logging.CRITICAL)  # what goes wrong here is meant

    def make() -> Bridge:
        return BenchBridge(chosen, Records(chosen.database_url), ToneVoice(options.character_ms), told=False)

    app = build(make)
    app.router.routes.append(Route(WINDOW, inside, methods=["GET"]))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", **UVICORN_OPTIONS))
    uvloop.run(serve(server, socket.socket(fileno=told.fd)))


if __name__ == "__main__":
    main()

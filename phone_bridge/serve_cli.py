"""``phone-bridge serve``: take calls, in one process or several that share the port."""

import argparse
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette

from phone_bridge import tenants
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.assistant.engines import registry as engines
from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.routing import Route
from phone_bridge.runtime.drain import Drain
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.reloading import Reloading, expect
from phone_bridge.runtime.stopping import Stopping
from phone_bridge.runtime.supervisor import Supervisor, follow_parent
from phone_bridge.runtime.voice import Voice
from phone_bridge.runtime.websocket_server import UVICORN_OPTIONS
from phone_bridge.settings import Settings, load
from phone_bridge.telemetry.logs import configure
from phone_bridge.telemetry.tracing import reporting

STOP_SECONDS = 5
"""How long the connections that are left after the drain have to close."""

HEALTH_SECONDS = 30
"""How long one of several processes may be deaf to its parent before it is replaced: a process that starts on a busy
machine is no dead one, and ending one that has calls is worse than a late replacement."""

log = logging.getLogger("phone_bridge")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("--host", help="where to listen (PHONE_BRIDGE_HOST)")
    parser.add_argument("--port", type=int, help="(PHONE_BRIDGE_PORT)")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port (default 1)")


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop; gives the exit status."""
    settings = load(os.environ, Path.cwd(), host=options.host, port=options.port)
    if options.workers < 1:
        raise SettingsError(f"--workers must be 1 or more, not {options.workers}")
    if options.workers > 1 and settings.session == "embedded":
        raise SettingsError("--workers above 1 needs a remote session: the built-in assistant lives in one process")
    engines.check(settings.ear, settings.voice)
    if options.workers > 1 and settings.sip_listen:
        raise SettingsError("--workers above 1 cannot take calls by SIP: a call's packets must come to one process")
    configure(settings.log_format)
    _routes(settings, alone=options.workers == 1)
    Records(settings.database_url).close()  # a database that cannot be used is told now, in one sentence
    if options.workers == 1:
        server = _Server(uvicorn.Config(_application(settings), **_uvicorn(settings)), settings)
        signal.signal(signal.SIGTERM, _asked_to_stop)
        server.run()
        return 0 if server.started else 1
    os.environ["PHONE_BRIDGE_HOST"], os.environ["PHONE_BRIDGE_PORT"] = settings.host, str(settings.port)
    print(_welcome(settings), flush=True)
    config = uvicorn.Config(
        "phone_bridge.serve_cli:worker", factory=True, workers=options.workers, **_uvicorn(settings)
    )
    supervisor = Supervisor(config, sockets=[config.bind_socket()])
    supervisor.run()
    return 1 if supervisor.failed else 0


def _asked_to_stop(*_: object) -> None:
    """Let SIGTERM be an ordinary end: uvicorn raises it again after it has stopped."""


def worker() -> Starlette:
    """Make the application of one of several processes."""
    expect()
    follow_parent()
    settings = load(os.environ, Path.cwd())
    configure(settings.log_format)
    return _application(settings, supervised=True)


@contextmanager
def settled(bridge: Bridge) -> Iterator[None]:
    """Keep for ever what is loaded by the start, and what outbound calls load in the background.

    Without this the collector looks through all of it while calls come in, and everything stands still meanwhile: for
    60 ms with the first calls, for 200 ms with a hundred.
    """
    gc.collect()
    gc.freeze()
    bridge.outbound.loaded = gc.freeze
    yield


def _application(settings: Settings, *, supervised: bool = False) -> Starlette:
    @contextmanager
    def within(bridge: Bridge) -> Iterator[None]:
        drain = Drain(bridge.registry, seconds=settings.drain_seconds, clock=time.monotonic)
        with settled(bridge), Stopping(drain, supervised=supervised), Reloading(bridge.reload):
            yield

    def make() -> Bridge:
        told = reporting(os.environ, content=settings.log_content)
        worker = str(os.getpid()) if supervised else ""
        return Bridge(
            settings,
            Records(settings.database_url),
            _voice(settings),
            worker=worker,
            reporting=told,
            read_routes=lambda: _routes(settings, alone=not supervised),
        )

    return build(make, within)


def _routes(settings: Settings, *, alone: bool = True) -> tuple[Route, ...]:
    """Read the routes of a process; only one that is ``alone`` has the built-in assistant."""
    routes = tenants.read(os.environ, Path.cwd(), settings)
    if not alone:
        for route in routes:
            if tenants.served(settings, route).settings.session == "embedded":
                raise SettingsError(
                    f"the route {route.name!r} has the built-in assistant, which lives in one process: give it a "
                    "remote session, or start with --workers 1"
                )
    return routes


def _uvicorn(settings: Settings) -> dict[str, Any]:
    return {
        **UVICORN_OPTIONS,
        "host": settings.host,
        "port": settings.port,
        "access_log": False,
        "log_config": None,
        "timeout_graceful_shutdown": STOP_SECONDS,
        "timeout_worker_healthcheck": HEALTH_SECONDS,
    }


def _voice(settings: Settings) -> Voice | None:
    options = EngineOptions(
        model=settings.voice_model, url=settings.speech_url, key=settings.speech_key, language=settings.language
    )
    try:
        return engines.voice(settings.voice, options)
    except Unavailable as error:
        log.warning("! no voice: %s", error)
        return None


class _Server(uvicorn.Server):
    """A server that tells how to talk to it once it listens."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(_welcome(self._settings), flush=True)


def _welcome(settings: Settings) -> str:
    phone = Path(sys.executable).with_name("phone-bridge")
    if settings.twilio_tokens:
        carrier = f"Twilio: set the number's voice webhook to {settings.base_url}/twilio/voice (HTTP POST)."
    else:
        carrier = (
            "To take calls from a Twilio number, give this server a public address and start it again with\n"
            "  PHONE_BRIDGE_PUBLIC_URL=https://your.address TWILIO_AUTH_TOKEN=…\n"
            "then set the number's voice webhook to https://your.address/twilio/voice (HTTP POST)."
        )
    return f"""
Call it from your browser: {settings.local_url}/
and watch the calls:       {settings.local_url}/monitor

phone_bridge takes calls at {settings.local_url}, session: {settings.session}, user: {settings.user_id}

Phone it without a browser, from another terminal:
  {phone} simulate --say "What is my next meeting?" --say "Cancel it." --press 1

{carrier}
"""

"""The command line: serve · call · remind · simulate."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette

from phone_bridge import (
    calendar_cli,
    campaign_cli,
    doctor_cli,
    key_cli,
    memory_cli,
    outbound_cli,
    pin_cli,
    receipt_cli,
    tenants,
    voice_key_cli,
)
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.assistant.engines import registry as engines
from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.errors import BridgeError, SettingsError, Unavailable
from phone_bridge.routing import Route
from phone_bridge.runtime import replaying
from phone_bridge.runtime.drain import Drain
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.reloading import Reloading
from phone_bridge.runtime.stopping import Stopping
from phone_bridge.runtime.supervisor import Supervisor
from phone_bridge.runtime.voice import Voice
from phone_bridge.runtime.websocket_server import UVICORN_OPTIONS
from phone_bridge.settings import Settings, load
from phone_bridge.simulator import simulate
from phone_bridge.telemetry.logs import configure
from phone_bridge.telemetry.tracing import reporting

CANNOT_BEGIN = 2
"""Exit status of a command that could not begin."""

STOP_SECONDS = 5
"""How long the connections that are left after the drain have to close."""

HEALTH_SECONDS = 30
"""How long one of several processes may be deaf to its parent before it is replaced: a process that starts on a busy
machine is no dead one, and ending one that has calls is worse than a late replacement."""

log = logging.getLogger("phone_bridge")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command ``phone-bridge`` and exit with its status."""
    parser = argparse.ArgumentParser(prog="phone-bridge", description="The telephone bridge to voice assistants.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serving = commands.add_parser("serve", help="take calls")
    serving.add_argument("--host", help="where to listen (PHONE_BRIDGE_HOST)")
    serving.add_argument("--port", type=int, help="(PHONE_BRIDGE_PORT)")
    serving.add_argument("--workers", type=int, default=1, help="processes that share the port (default 1)")
    serving.set_defaults(run=_serve)
    calling = commands.add_parser("call", help="call somebody through the running bridge")
    outbound_cli.add_call(calling)
    calling.set_defaults(run=lambda options: outbound_cli.call(options, _api(options.url), print))
    campaigning = commands.add_parser("campaign", help="ring everybody in a table, at a rate; again goes on")
    campaign_cli.add_arguments(campaigning)
    campaigning.set_defaults(run=lambda options: campaign_cli.run(options, _api(options.url), print))
    reminding = commands.add_parser("remind", help="schedule a reminder call, or a file of them")
    outbound_cli.add_remind(reminding)
    reminding.set_defaults(run=lambda options: outbound_cli.remind(options, _api(options.url), print))
    simulating = commands.add_parser("simulate", help="play a whole call against a running bridge, without a phone")
    simulate.add_arguments(simulating)
    simulating.set_defaults(run=_simulate)
    keeping = commands.add_parser("calendar", help="look at a calendar, add to it, import and export .ics files")
    calendar_cli.add_arguments(keeping)
    keeping.set_defaults(run=_calendar)
    remembering = commands.add_parser("memory", help="show, give out or forget what models remember of a user")
    memory_cli.add_arguments(remembering)
    remembering.set_defaults(run=_memory)
    making = commands.add_parser("key", help="make a key of the API")
    key_cli.add_arguments(making)
    making.set_defaults(run=lambda options: key_cli.run(options, print))
    voicing = commands.add_parser("voice-key", help="make a key of the built-in assistant's API")
    voice_key_cli.add_arguments(voicing)
    voicing.set_defaults(run=lambda options: voice_key_cli.run(options, print))
    proving = commands.add_parser("pin", help="give users a PIN for the telephone, or take it away")
    pin_cli.add_arguments(proving)
    proving.set_defaults(run=lambda options: pin_cli.run(options, load(os.environ, Path.cwd()).database_url, print))
    receipting = commands.add_parser("receipt", help="prove what a caller consented to")
    receipt_cli.add_arguments(receipting)
    receipting.set_defaults(run=_receipt)
    doctoring = commands.add_parser("doctor", help="say what is wrong with a deployment and how to mend it")
    doctor_cli.add_arguments(doctoring)
    doctoring.set_defaults(run=lambda options: doctor_cli.run(options, os.environ, Path.cwd(), print))
    replay = commands.add_parser("replay", help="run a call's trace again: exit 1 if its machine raises")
    replaying.add_arguments(replay)
    replay.set_defaults(run=_replay)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except BridgeError as error:
        print(f"phone-bridge: {error}", file=sys.stderr)
        status = CANNOT_BEGIN
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


# serve


def _serve(options: argparse.Namespace) -> int:
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
    config = uvicorn.Config("phone_bridge.cli:worker", factory=True, workers=options.workers, **_uvicorn(settings))
    supervisor = Supervisor(config, sockets=[config.bind_socket()])
    supervisor.run()
    return 1 if supervisor.failed else 0


def _asked_to_stop(*_: object) -> None:
    """Let SIGTERM be an ordinary end: uvicorn raises it again after it has stopped."""


def worker() -> Starlette:
    """Make the application of one of several processes."""
    settings = load(os.environ, Path.cwd())
    configure(settings.log_format)
    return _application(settings, supervised=True)


def _application(settings: Settings, *, supervised: bool = False) -> Starlette:
    @contextmanager
    def within(bridge: Bridge) -> Iterator[None]:
        drain = Drain(bridge.registry, seconds=settings.drain_seconds, clock=time.monotonic)
        with Stopping(drain, supervised=supervised), Reloading(bridge.reload):
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
        # What is loaded stays: without this the collector looks through all of it while calls come in, for 60 ms.
        gc.collect()
        gc.freeze()
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


# calendar


def _calendar(options: argparse.Namespace) -> int:
    settings = load(os.environ, Path.cwd())
    desk = calendar_cli.Desk(settings.database_url, settings.caldav, settings.user_id)
    return calendar_cli.run(options, desk, print)


# call and remind


def _api(url: str | None) -> outbound_cli.Api:
    settings = load(os.environ, Path.cwd())
    return outbound_cli.Api(url or settings.local_url, next(iter(settings.operator_keys), ""))


# memory


def _memory(options: argparse.Namespace) -> int:
    settings = load(os.environ, Path.cwd())
    return memory_cli.run(options, settings.database_url, settings.user_id, print)


# receipt


def _receipt(options: argparse.Namespace) -> int:
    return receipt_cli.run(options, lambda: load(os.environ, Path.cwd()).database_url, print)


# replay


def _replay(options: argparse.Namespace) -> int:
    status = replaying.DONE
    try:
        status = replaying.run(options, print)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as ``head`` has; the rest goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


# simulate


def _simulate(options: argparse.Namespace) -> int:
    settings = load(os.environ, Path.cwd())
    wishes = simulate.options_from(
        options,
        local_url=settings.local_url,
        public_url=settings.base_url,
        api_key=settings.operator_keys[0] if settings.operator_keys else "",
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_tokens[0] if settings.twilio_tokens else "",
        to_number=settings.twilio_phone_number,
    )

    async def play() -> int:
        voice = EspeakVoice()
        try:
            return await simulate.simulate(wishes, voice, lambda line: print(line, flush=True))
        finally:
            await voice.close()

    return asyncio.run(play())


if __name__ == "__main__":
    main()

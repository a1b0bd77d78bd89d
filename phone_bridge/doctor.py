"""What a deployment needs of this machine, and the whole examination."""

import asyncio
import errno
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from phone_bridge import doctor_peers, tenants, trust_rules
from phone_bridge.assistant.engines import registry as engines
from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.call.trust import Tier
from phone_bridge.doctor_peers import TIMEOUT_MS, Clocks, Exchange, Finding, Level, is_ours
from phone_bridge.errors import BridgeError, SettingsError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.routing import Route
from phone_bridge.runtime import database, pins
from phone_bridge.runtime.http import HttpClient
from phone_bridge.settings import TOML_FILE, Settings, load
from phone_bridge.telemetry.tracing import ENDPOINTS
from phone_bridge.tenants import Served, Tenants

TRIAL_WORDS = "One, two, three."
LOCAL_VOICE = "espeak-ng"
"""The voice that may be tried out: others may cost something by the word."""
_EXTRAS = {"mcp": "mcp", "caldav": "caldav", "otel": "opentelemetry"}
"""Extras and the modules that they bring."""


def read(environ: Mapping[str, str], folder: Path) -> tuple[Settings, tuple[Route, ...]]:
    """Read what a server started here would read; raises SettingsError."""
    settings = load(environ, folder)
    return settings, tenants.read(environ, folder, settings)


async def examine(environ: Mapping[str, str], folder: Path) -> list[Finding]:
    """Look at everything, each thing for some seconds at most; no finding holds a secret."""
    try:
        settings, routes = read(environ, folder)
    except SettingsError as error:
        return [Finding("settings", Level.WRONG, str(error), "mend this first: nothing else can be looked at")]
    client = HttpClient()

    async def exchange(request: Request) -> Response:
        return await client.exchange(request, timeout_ms=TIMEOUT_MS)

    try:
        return await _examine(settings, routes, environ, folder, exchange)
    finally:
        await client.close()


async def _examine(
    settings: Settings, routes: tuple[Route, ...], environ: Mapping[str, str], folder: Path, exchange: Exchange
) -> list[Finding]:
    served = Tenants(settings, routes).all
    clocks = Clocks(exchange, lambda: datetime.now(UTC))
    where = f" with {TOML_FILE}" if (folder / TOML_FILE).is_file() else ""
    found = [Finding("settings", Level.OK, f"they can be read{where}, and {len(routes)} routes")]
    found += [route(each) for each in served[1:]]
    found += await asyncio.to_thread(trust, served)
    found += codes(served)
    port, running = await ports(settings, exchange)
    found += [port, key(settings), *extras(settings, environ), await asyncio.to_thread(database_of, settings)]
    found += await speech(settings, needed=any(each.settings.session == "embedded" for each in served))
    found += await doctor_peers.public(settings, clocks.exchange, running=running)
    found += await doctor_peers.carrier(settings, clocks.exchange)
    found += await doctor_peers.sessions(served, clocks.exchange)
    return [*found, clocks.finding()]


def route(served: Served) -> Finding:
    """Say where the calls of a route go."""
    settings = served.settings
    place = f" at {settings.session_url}" if settings.session_url else ""
    told = f"; {trust_rules.shown(served.trust)}" if served.trust else ""
    return Finding("route", Level.OK, f"{served.route} leads {settings.user_id} to {settings.session}{place}{told}")


def trust(served: Sequence[Served]) -> list[Finding]:
    """Look whether whoever needs a PIN has one, and whether another way leads round it."""
    ruled = {each.settings.user_id for each in served if {Tier.PIN, Tier.BOTH}.intersection(each.trust.values())}
    if not ruled:
        return []
    try:
        have = pins.users(served[0].settings.database_url)
    except BridgeError:
        return []  # which is told of the database itself
    may_set = {each.settings.user_id for each in served if trust_rules.ENROL in each.trust}
    found = [
        Finding(
            "pin",
            Level.WARNING,
            f"{user} needs a PIN and has none",
            f"phone-bridge pin set {user}" + (", or they set one by telephone" if user in may_set else ""),
        )
        for user in sorted(ruled - have)
    ]
    for each in served:
        if not each.trust and each.settings.user_id in ruled:
            way = f"the route {each.route}" if each.route else "a call that no route takes"
            told = f"{each.settings.user_id} needs a PIN by one route, and none by {way}"
            found.append(Finding("pin", Level.WARNING, told, "give it a trust rule too, or another user"))
    return found or [Finding("pin", Level.OK, f"{len(ruled)} users need a PIN and have one")]


def codes(served: Sequence[Served]) -> list[Finding]:
    """Say to how many telephones codes go; that they can go there was seen when the rules were read."""
    users = {each.settings.user_id for each in served if trust_rules.BY_CODE.intersection(each.trust.values())}
    return [Finding("code", Level.OK, f"codes go to the telephones of {len(users)} users")] if users else []


async def ports(settings: Settings, exchange: Exchange) -> tuple[Finding, bool]:
    """Look whether a server may listen, or does; tells besides whether a bridge is running."""
    name = f"{settings.host}:{settings.port}"
    try:
        _listen(settings.host, settings.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            told = f"nobody can listen at {name}: {error.strerror}"
            return Finding("port", Level.WRONG, told, "choose PHONE_BRIDGE_HOST and PHONE_BRIDGE_PORT anew"), False
        if await _is_running(settings, exchange):
            return Finding("port", Level.OK, f"a bridge runs at {name} already"), True
        mend = "stop it, or choose another PHONE_BRIDGE_PORT"
        return Finding("port", Level.WRONG, f"another program listens at {name}", mend), False
    return Finding("port", Level.OK, f"{name} is free"), False


def _listen(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(address)


async def _is_running(settings: Settings, exchange: Exchange) -> bool:
    try:
        return is_ours(await exchange(Request(method="GET", url=f"{settings.local_url}/healthz")))
    except BridgeError:
        return False


def key(settings: Settings) -> Finding:
    """Look whether programs elsewhere may use the API."""
    if settings.operator_keys or settings.api_keys:
        return Finding("api key", Level.OK, "programs show a key")
    if settings.public_url or settings.host not in ("127.0.0.1", "localhost", "::1"):
        mend = "set PHONE_BRIDGE_API_KEY; make one with: phone-bridge key"
        return Finding("api key", Level.WARNING, "there is none, so only programs on this machine are served", mend)
    return Finding("api key", Level.OK, "none is needed on this machine alone")


def extras(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Look whether what is configured is installed; the database and the engines tell by themselves."""
    wanted = {
        "mcp": bool(settings.mcp),
        "caldav": bool(settings.caldav),
        "otel": any(environ.get(name) for name in ENDPOINTS),
    }
    return [
        Finding("extras", Level.OK, f"{extra} is wanted and installed")
        if find_spec(_EXTRAS[extra])
        else Finding(
            "extras", Level.WRONG, f"{extra} is wanted and not installed", f"pip install 'phone_bridge[{extra}]'"
        )
        for extra in wanted
        if wanted[extra]
    ]


def database_of(settings: Settings) -> Finding:
    """Look whether the database can be reached and written."""
    mend = "check PHONE_BRIDGE_DATABASE_URL, that the server runs and lets us make tables, or that the folder is there"
    try:
        engine = database.engine(settings.database_url)
    except SettingsError as error:
        return Finding("database", Level.WRONG, str(error), "mend PHONE_BRIDGE_DATABASE_URL, or install its driver")
    try:
        return Finding("database", Level.OK, f"{database.try_out(engine)} can be read and written")
    except Unavailable as error:
        why = type(error.__cause__).__name__
        return Finding("database", Level.WRONG, f"it cannot be used ({why})", mend)
    finally:
        engine.dispose()


async def speech(settings: Settings, *, needed: bool) -> list[Finding]:
    """Look whether the ear and the voice can be had; ``needed`` for the built-in assistant."""
    return [await _voice(settings, needed=needed), await _ear(settings, needed=needed)]


async def _voice(settings: Settings, *, needed: bool) -> Finding:
    options = EngineOptions(
        model=settings.voice_model, url=settings.speech_url, key=settings.speech_key, language=settings.language
    )
    try:
        voice = engines.voice(settings.voice, options)
        try:
            if settings.voice == LOCAL_VOICE:
                await voice.speak(TRIAL_WORDS, language=settings.language)
        finally:
            await voice.close()
    except BridgeError as error:
        level = (
            Level.WARNING if settings.prompts and not needed and not isinstance(error, SettingsError) else Level.WRONG
        )
        return Finding(
            "voice", level, str(error), "pip install 'phone_bridge[speech]', or give WAV files by PHONE_BRIDGE_PROMPTS"
        )
    return Finding("voice", Level.OK, f"{settings.voice} is there")


async def _ear(settings: Settings, *, needed: bool) -> Finding:
    options = EngineOptions(
        model=settings.ear_model, url=settings.speech_url, key=settings.speech_key, language=settings.language
    )
    try:
        await engines.ear(settings.ear, options).close()
    except BridgeError as error:
        level = Level.WRONG if needed or isinstance(error, SettingsError) else Level.OK
        return Finding("ear", level, str(error), "pip install 'phone_bridge[speech]'" if level is Level.WRONG else "")
    return Finding("ear", Level.OK, f"{settings.ear} is there")

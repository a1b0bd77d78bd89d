"""What a deployment needs of others: the carrier's account, its sessions' servers, and its own address from outside.

Nothing here costs anything: no call is placed, no session is minted, no model is asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import quote, urlsplit

import msgspec

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio import rest
from phone_bridge.sessions.chronapilot.webhook import event_request
from phone_bridge.sessions.realtime.dialect import API_KEY, OPENAI_URL
from phone_bridge.settings import CHRONAPILOT_URL, Settings
from phone_bridge.tenants import Served

TIMEOUT_MS = 5_000
"""How long each peer is waited for."""
SKEW_WARNING_S = 30
"""So much another clock may differ: a minute is what signed tokens usually are forgiven."""
SKEW_WRONG_S = 300
VOICE_PATH = "/twilio/voice"
NO_EVENT = "evt_phone_bridge_doctor"
"""An event that nobody has: who is told so has been let in."""
HEARTBEAT_PATH = "/api/v1/sdk/heartbeat"

Exchange = Callable[[Request], Awaitable[Response]]


class Level(StrEnum):
    """How a finding weighs."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """One line of a report: what was looked at, how it is, and how to mend it."""

    check: str
    level: Level
    told: str
    mend: str = ""


# The carrier


async def carrier(settings: Settings, exchange: Exchange) -> list[Finding]:
    """Look whether the account can be used, and whether its number leads here."""
    if not settings.twilio_tokens:
        if settings.twilio_account_sid:
            mend = "set TWILIO_AUTH_TOKEN, from the account's page in Twilio's console"
            return [Finding("carrier", Level.WRONG, "TWILIO_ACCOUNT_SID is set without its token", mend)]
        return [Finding("carrier", Level.OK, "no Twilio account is set: calls come from the simulator alone")]
    if not settings.twilio_account_sid:
        mend = "set TWILIO_ACCOUNT_SID to place calls and to end them at the carrier"
        return [Finding("carrier", Level.WARNING, "calls can come in signed, and none can be placed", mend)]
    found = [
        await _token(settings, token, number, exchange) for number, token in enumerate(settings.twilio_tokens, start=1)
    ]
    if found[0].level is not Level.WRONG and settings.twilio_phone_number:
        found.append(await _number(settings, exchange))
    return found


async def _token(settings: Settings, token: str, number: int, exchange: Exchange) -> Finding:
    which = f"token {number} of TWILIO_AUTH_TOKEN"
    request = rest.fetch_account(_account(settings, token))
    try:
        account = rest.read_account(await exchange(request))
    except BridgeError as error:
        later = isinstance(error, Unavailable)
        mend = "try again" if later else "copy both from the account's page in Twilio's console"
        told = f"the account does not answer to {which}: {_what(error)}"
        return Finding("carrier", Level.WARNING if later else Level.WRONG, told, mend)
    if account.status != "active":
        told = f"the account is {account.status}"
        return Finding("carrier", Level.WRONG, told, "see Twilio's console for why, and reactivate it")
    if account.type == "Trial":
        told = "the account is on trial: it calls verified numbers only, and its callers hear a notice first"
        return Finding("carrier", Level.WARNING, told, "upgrade it in Twilio's console")
    return Finding("carrier", Level.OK, f"the account answers to {which}")


async def _number(settings: Settings, exchange: Exchange) -> Finding:
    number, wanted = settings.twilio_phone_number, settings.base_url + VOICE_PATH
    request = rest.fetch_number(_account(settings, settings.twilio_tokens[0]), number)
    try:
        found = rest.read_number(await exchange(request))
    except BridgeError as error:
        return Finding("number", Level.WARNING, f"{number} could not be looked up: {_what(error)}", "try again")
    if found is None:
        return Finding(
            "number", Level.WRONG, f"{number} is no number of this account", "mend TWILIO_PHONE_NUMBER, or buy it there"
        )
    if found.voice_url != wanted or (found.voice_method or "POST") != "POST":
        told = f"calls to {number} go to {_place(found.voice_url)} ({found.voice_method or 'POST'})"
        return Finding("number", Level.WARNING, told, f"set its voice webhook to {wanted} (HTTP POST)")
    return Finding("number", Level.OK, f"calls to {number} come here")


def _account(settings: Settings, token: str) -> rest.Account:
    return rest.Account(sid=settings.twilio_account_sid, token=token, base_url=settings.twilio_url)


# Sessions


async def sessions(served: Sequence[Served], exchange: Exchange) -> list[Finding]:
    """Look at every session that a call may be given, each server with each key once."""
    found: dict[tuple[str, ...], tuple[Settings, list[str]]] = {}
    for each in served:
        settings = each.settings
        key = (settings.session, settings.session_url, settings.session_key, settings.session_model)
        found.setdefault(key, (settings, []))[1].append(each.route or "the deployment")
    return list(await asyncio.gather(*(_session(settings, names, exchange) for settings, names in found.values())))


async def _session(settings: Settings, names: Sequence[str], exchange: Exchange) -> Finding:
    of = f"the {settings.session} session of {', '.join(names)}"
    request = probe(settings)
    if request is None:
        return Finding("session", Level.OK, f"{of} is served by this process")
    place = _place(request.url)
    try:
        answer = await exchange(request)
    except Unavailable as error:
        mend = "check its address, its server, and what stands between"
        return Finding("session", Level.WRONG, f"{of} cannot be reached: {error}", mend)
    except (Refused, RemoteError) as error:
        return Finding("session", Level.WRONG, f"{of} cannot be used: {error}", "check its address and its certificate")
    return _weighed(settings, of, place, answer)


def probe(settings: Settings) -> Request | None:
    """Make a request that tells whether a session's server lets us in and that costs nothing; None where none is."""
    url, key = settings.session_url.rstrip("/"), settings.session_key
    bearer = {"Authorization": f"Bearer {key}"} if key else {}
    match settings.session:
        case "embedded":
            return None
        case "chronapilot":
            return event_request(url or CHRONAPILOT_URL, key, NO_EVENT)
        case "openai":
            model = f"/{quote(settings.session_model, safe='')}" if settings.session_model else ""
            return Request(method="GET", url=f"{url or OPENAI_URL}/v1/models{model}", headers=bearer)
        case "azure-openai":
            headers = {"api-key": key} if (settings.session_auth or API_KEY) == API_KEY else bearer
            version = settings.session_api_version
            path = f"/openai/models?api-version={quote(version)}" if version else "/openai/v1/models"
            return Request(method="GET", url=url + path, headers=headers)
        case "voice-sdk":
            return Request(method="POST", url=url + HEARTBEAT_PATH, headers=bearer)
        case "realtime":
            headers = {"api-key": key} if settings.session_auth == API_KEY else bearer
            return Request(method="GET", url=f"{url}/v1/models", headers=headers)
        case _:  # a voice agent is asked by minting alone, which is not free
            return Request(method="GET", url=f"{url}/")


_TELLS_BY_404 = frozenset({"chronapilot"})


def _weighed(settings: Settings, of: str, place: str, answer: Response) -> Finding:
    status = answer.status
    if settings.session == "voice-agent" and status not in (401, 403):
        told = f"{of} answers at {place}; whether its key is good, the first call will tell"
        return Finding("session", Level.WARNING, told, "make a test call: phone-bridge simulate")
    if 200 <= status < 300 or (status == 404 and settings.session in _TELLS_BY_404):
        return Finding("session", Level.OK, f"{of} lets us in at {place}")
    if status in (401, 403):
        told = f"{of} does not take its key at {place} ({status})"
        return Finding("session", Level.WRONG, told, "check the key, what it is allowed, and whose server this is")
    if status == 404 and settings.session == "openai" and settings.session_model:
        told = f"{of} has no model {settings.session_model!r} for this key"
        return Finding("session", Level.WRONG, told, "mend the model's name, or have it opened for the key")
    told = f"{of} answers at {place}, and what it says ({status}) does not tell whether its key is good"
    return Finding("session", Level.WARNING, told, "make a test call: phone-bridge simulate")


# The way in


async def public(settings: Settings, exchange: Exchange, *, running: bool) -> list[Finding]:
    """Look whether carriers find this bridge at its public address; ``running`` says that it answers nearby."""
    if not settings.public_url:
        if settings.twilio_tokens:
            told = f"the carrier is told {settings.base_url}, which is this machine's own address"
            return [Finding("public url", Level.WRONG, told, "set PHONE_BRIDGE_PUBLIC_URL=https://your.address")]
        return [Finding("public url", Level.OK, f"none is set: calls come from this machine, to {settings.base_url}")]
    if settings.public_url.startswith("http:"):
        level = Level.WARNING if _is_near(settings.public_url) else Level.WRONG
        told = "it begins with http, and Twilio streams to wss alone"
        mend = "put a proxy with a certificate in front, and let PHONE_BRIDGE_PUBLIC_URL begin with https"
        shape = Finding("public url", level, told, mend)
    else:
        shape = Finding("public url", Level.OK, f"carriers are told {_place(settings.base_url)}, by https")
    return [shape, await _answers(settings, exchange, running=running)]


async def _answers(settings: Settings, exchange: Exchange, *, running: bool) -> Finding:
    place = _place(settings.base_url)
    mend = "check the name, the proxy or tunnel, and the firewall"
    try:
        answer = await exchange(Request(method="GET", url=settings.base_url + "/healthz"))
    except Unavailable as error:
        if running:
            return Finding("way in", Level.WRONG, f"the bridge runs, and outside {error}", mend)
        told = f"{error}, which is no wonder while the bridge does not run"
        return Finding("way in", Level.WARNING, told, "start it, and ask again")
    except (Refused, RemoteError) as error:
        return Finding("way in", Level.WRONG, str(error), mend)
    if is_ours(answer):
        return Finding("way in", Level.OK, f"a bridge answers at {place}")
    told = f"something else than a bridge answers at {place} ({answer.status})"
    return Finding("way in", Level.WRONG if running else Level.WARNING, told, mend)


def is_ours(answer: Response) -> bool:
    """Tell whether an answer to ``/healthz`` is a bridge's."""
    try:
        return answer.status == 200 and msgspec.json.decode(answer.body, type=dict[str, str]).get("status") == "ok"
    except (ValueError, RecursionError):
        return False


# Clocks


class Clocks:
    """Carry requests, and hold the clocks of those who answer against ours."""

    def __init__(self, exchange: Exchange, now: Callable[[], datetime]) -> None:
        self._exchange = exchange
        self._now = now
        self._skews: dict[str, float] = {}

    async def exchange(self, request: Request) -> Response:
        """Send a request like any HTTP client."""
        answer = await self._exchange(request)
        try:
            at = parsedate_to_datetime(answer.headers.get("date", ""))
        except (TypeError, ValueError):
            return answer
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if not _is_near(request.url):  # whose clock is our own
            self._skews[_place(request.url)] = (self._now() - at).total_seconds()
        return answer

    def finding(self) -> Finding:
        """Say how our clock goes."""
        if not self._skews:
            return Finding(
                "clock", Level.OK, f"it is {self._now():%Y-%m-%d %H:%M:%S} UTC here; nobody outside has told theirs"
            )
        place, skew = min(self._skews.items(), key=lambda each: abs(each[1]))  # the kindest: others may be wrong, too
        told = f"it is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} that of {place}"
        if abs(skew) < SKEW_WARNING_S:
            return Finding("clock", Level.OK, told)
        level = Level.WRONG if abs(skew) >= SKEW_WRONG_S else Level.WARNING
        return Finding("clock", level, told, "have it set by NTP: reminders and signed tokens go by it")


def _what(error: BridgeError) -> str:
    """Say what went wrong; an account that is not found is no call that is over."""
    return "there is no such account" if error.code == rest.CALL_GONE else str(error)


def _place(url: str | None) -> str:
    """Give an address without whatever in it may be secret."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/") if parts.netloc else "nowhere"


def _is_near(url: str) -> bool:
    return (urlsplit(url).hostname or "") in ("127.0.0.1", "localhost", "::1")

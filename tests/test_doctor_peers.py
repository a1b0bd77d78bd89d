"""What a deployment's peers are asked, by servers that answer as theirs do, over real sockets."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phone_bridge import exchange
from phone_bridge.doctor_peers import (
    SKEW_WARNING_S,
    SKEW_WRONG_S,
    Clocks,
    Finding,
    Level,
    carrier,
    probe,
    public,
    sessions,
)
from phone_bridge.runtime.http import HttpClient
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served
from tests.runtime.serving import serving

ACCOUNT, TOKEN, KEY, NUMBER = "AC" + "a" * 32, "tw1lio-t0ken", "sk-very-secret", "+12025550100"
PUBLIC = "https://bridge.example"


class World:
    """Everybody whom a deployment asks; the one good token and the one good key are ours."""

    def __init__(self) -> None:
        self.account = {"sid": ACCOUNT, "status": "active", "type": "Full"}
        self.numbers = [{"phone_number": NUMBER, "voice_url": f"{PUBLIC}/twilio/voice", "voice_method": "POST"}]
        self.health: Response = JSONResponse({"status": "ok"})
        self.asked: list[tuple[str, str]] = []
        self.app = Starlette(
            routes=[
                Route("/2010-04-01/Accounts/{name}", self._account),
                Route("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json", self._numbers),
                Route("/v1/models", self._with_key),
                Route("/v1/models/{model}", self._model),
                Route("/openai/v1/models", self._azure),
                Route("/openai/models", self._azure),
                Route("/v1/events/{id}", self._event),
                Route("/api/v1/sdk/heartbeat", self._with_key, methods=["POST"]),
                Route("/healthz", lambda request: self.health),
            ]
        )

    def _lets_in(self, request: Request) -> bool:
        self.asked.append((request.method, request.url.path))
        return request.headers.get("authorization") == f"Bearer {KEY}"

    async def _account(self, request: Request) -> Response:
        expected = "Basic " + b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return JSONResponse({"code": 20003, "message": "Authenticate", "status": 401}, 401)
        return JSONResponse(self.account)

    async def _numbers(self, request: Request) -> Response:
        wanted = request.query_params["PhoneNumber"]
        return JSONResponse({"incoming_phone_numbers": [n for n in self.numbers if n["phone_number"] == wanted]})

    async def _with_key(self, request: Request) -> Response:
        return JSONResponse({}, 200 if self._lets_in(request) else 401)

    async def _model(self, request: Request) -> Response:
        status = 200 if request.path_params["model"] == "gpt-realtime" else 404
        return JSONResponse({}, status if self._lets_in(request) else 401)

    async def _azure(self, request: Request) -> Response:
        return JSONResponse({}, 200 if request.headers.get("api-key") == KEY else 401)

    async def _event(self, request: Request) -> Response:
        return JSONResponse({"error": {"code": "resource_missing"}}, 404 if self._lets_in(request) else 401)


Exchange = Callable[[exchange.Request], Awaitable[exchange.Response]]


def ask(world: World, what: Callable[[str, Exchange], Awaitable[list[Finding]]]) -> list[Finding]:
    """Ask of ``world`` over sockets; whatever is found, no secret is told."""

    async def story() -> list[Finding]:
        client = HttpClient()
        try:
            async with serving(world.app) as running:
                return await what(
                    f"http://127.0.0.1:{running.port}", lambda request: client.exchange(request, timeout_ms=2_000)
                )
        finally:
            await client.close()

    found = asyncio.run(story())
    for secret in (TOKEN, KEY, b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()):
        assert secret not in msgspec.json.encode(found).decode()
    return found


def levels(found: list[Finding]) -> list[str]:
    return [finding.level.value for finding in found]


# The carrier


def asked_of_carrier(world: World, **settings: Any) -> list[Finding]:
    given = {
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "twilio_phone_number": NUMBER,
        "public_url": PUBLIC,
        **settings,
    }
    return ask(world, lambda url, exchange: carrier(Settings(twilio_url=url, **given), exchange))


def test_a_good_account_whose_number_leads_here_is_well() -> None:
    assert levels(asked_of_carrier(World())) == ["ok", "ok"]


def test_each_token_of_a_rotation_is_tried() -> None:
    found = asked_of_carrier(World(), twilio_auth_token=f"{TOKEN},other")
    assert levels(found) == ["ok", "wrong", "ok"]
    assert "token 2 of TWILIO_AUTH_TOKEN" in found[1].told
    assert "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" in found[1].told


@pytest.mark.parametrize(
    ("status", "kind", "level"),
    [("suspended", "Full", "wrong"), ("closed", "Full", "wrong"), ("active", "Trial", "warning")],
)
def test_an_account_that_cannot_do_everything_is_told(status: str, kind: str, level: str) -> None:
    world = World()
    world.account |= {"status": status, "type": kind}
    assert levels(asked_of_carrier(world))[0] == level


def test_a_number_that_leads_elsewhere_or_is_nobodys_is_told() -> None:
    world = World()
    world.numbers[0]["voice_url"] = "https://user:pass@other.example/voice?token=t"
    told = asked_of_carrier(world)[1]
    assert (told.level, told.mend) == (Level.WARNING, f"set its voice webhook to {PUBLIC}/twilio/voice (HTTP POST)")
    assert "https://other.example/voice (POST)" in told.told
    assert "pass" not in told.told
    world.numbers = []
    assert levels(asked_of_carrier(world)) == ["ok", "wrong"]


def test_half_an_account_is_told_and_none_is_well() -> None:
    assert levels(asked_of_carrier(World(), twilio_auth_token="")) == ["wrong"]
    assert levels(asked_of_carrier(World(), twilio_account_sid="")) == ["warning"]
    assert levels(asked_of_carrier(World(), twilio_account_sid="", twilio_auth_token="")) == ["ok"]


def test_a_carrier_that_does_not_answer_is_a_warning() -> None:
    async def gone(request: exchange.Request) -> exchange.Response:
        return exchange.Response(status=503)

    settings = Settings(twilio_account_sid=ACCOUNT, twilio_auth_token=TOKEN)
    assert levels(asyncio.run(carrier(settings, gone))) == ["warning"]


# Sessions


def asked_of_session(world: World, key: str = KEY, **settings: Any) -> list[Finding]:
    def what(url: str, exchange: Exchange) -> Awaitable[list[Finding]]:
        return sessions([Served(settings=Settings(session_url=url, session_key=key, **settings))], exchange)

    return ask(world, what)


KINDS: list[dict[str, Any]] = [
    {"session": "chronapilot"},
    {"session": "openai"},
    {"session": "openai", "session_model": "gpt-realtime"},
    {"session": "azure-openai", "session_model": "voice"},
    {"session": "azure-openai", "session_model": "voice", "session_api_version": "2025-04-01-preview"},
    {"session": "realtime"},
    {"session": "voice-sdk"},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_session_that_lets_us_in_is_well_and_a_wrong_key_is_wrong(kind: dict[str, Any]) -> None:
    world = World()
    assert levels(asked_of_session(world, **kind)) == ["ok"]
    assert levels(asked_of_session(world, key="other", **kind)) == ["wrong"]
    assert not any(
        "sessions" in path or path.endswith("/realtime") for _, path in world.asked
    )  # nothing is minted or opened


def test_a_model_that_is_not_there_is_wrong() -> None:
    (found,) = asked_of_session(World(), session="openai", session_model="gpt-9")
    assert (found.level, "no model 'gpt-9'" in found.told) == (Level.WRONG, True)


def test_what_cannot_be_known_for_nothing_is_a_warning() -> None:
    assert levels(asked_of_session(World(), session="voice-agent")) == ["warning"]
    world = World()
    world.app.router.routes.clear()  # a gateway that serves nothing but calls
    assert levels(asked_of_session(world, session="realtime")) == ["warning"]


def test_a_server_that_is_not_there_is_wrong_and_the_built_in_one_is_here() -> None:
    def what(url: str, exchange: Exchange) -> Awaitable[list[Finding]]:
        away = Settings(session="realtime", session_url="http://127.0.0.1:1")
        return sessions([Served(settings=Settings()), Served(settings=away, route="a")], exchange)

    found = ask(World(), what)
    assert levels(found) == ["ok", "wrong"]
    assert "the realtime session of a cannot be reached" in found[1].told


def test_each_server_is_asked_once_for_each_key() -> None:
    world = World()

    def what(url: str, exchange: Exchange) -> Awaitable[list[Finding]]:
        own = Settings(session="chronapilot", session_url=url, session_key=KEY)
        other = msgspec.structs.replace(own, session_key="other")
        return sessions(
            [Served(settings=own), Served(settings=own, route="a"), Served(settings=other, route="b")], exchange
        )

    found = ask(world, what)
    assert levels(found) == ["ok", "wrong"]
    assert "of the deployment, a" in found[0].told
    assert len(world.asked) == 2


def test_the_usual_addresses_are_asked_where_none_is_set() -> None:
    for session, host in (("openai", "https://api.openai.com/"), ("chronapilot", "https://api.chronapilot.com/")):
        request = probe(Settings(session=session, session_key=KEY))
        assert request is not None
        assert request.url.startswith(host)


# The way in


def asked_of_public(world: World, *, running: bool = False, **settings: Any) -> list[Finding]:
    def what(url: str, exchange: Exchange) -> Awaitable[list[Finding]]:
        return public(Settings(**{"public_url": url, **settings}), exchange, running=running)

    return ask(world, what)


def test_a_bridge_that_answers_at_its_public_address_is_well() -> None:
    assert levels(asked_of_public(World())) == ["warning", "ok"]  # http, though nearby
    world = World()
    world.health = JSONResponse({"hello": "world"})
    assert levels(asked_of_public(world)) == ["warning", "warning"]
    assert levels(asked_of_public(world, running=True)) == ["warning", "wrong"]


def test_an_address_that_carriers_cannot_reach_is_wrong() -> None:
    assert levels(asked_of_public(World(), public_url="", twilio_auth_token=TOKEN)) == ["wrong"]
    assert levels(asked_of_public(World(), public_url="")) == ["ok"]
    away = "http://127.0.0.1:1"
    assert levels(asked_of_public(World(), public_url=away))[1] == "warning"
    assert levels(asked_of_public(World(), public_url=away, running=True))[1] == "wrong"


def test_plain_http_from_outside_is_wrong_and_https_is_well() -> None:
    async def ours(request: exchange.Request) -> exchange.Response:
        return exchange.Response(status=200, body=b'{"status":"ok"}')

    for url, level in (("http://bridge.example", "wrong"), (PUBLIC, "ok")):
        found = asyncio.run(public(Settings(public_url=url), ours, running=False))
        assert levels(found) == [level, "ok"]


# Clocks

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0, "ok"),
        (SKEW_WARNING_S - 1, "ok"),
        (SKEW_WARNING_S, "warning"),
        (-SKEW_WARNING_S, "warning"),
        (SKEW_WRONG_S, "wrong"),
    ],
)
def test_a_clock_that_goes_wrong_is_told_by_those_who_answer(seconds: int, level: str) -> None:
    headers = {"date": "Mon, 23 Nov 2026 11:00:00 GMT"}

    async def answer(request: exchange.Request) -> exchange.Response:
        return exchange.Response(status=200, headers=headers if "far" in request.url else {"date": "yesterday"})

    clocks = Clocks(answer, lambda: datetime.fromtimestamp(NOW.timestamp() + seconds, UTC))
    assert clocks.finding().level is Level.OK  # nobody was asked
    for url in ("https://far.example/x", "https://near.example", "http://127.0.0.1:1/far"):
        asyncio.run(clocks.exchange(exchange.Request(method="GET", url=url)))
    assert clocks.finding().level.value == level

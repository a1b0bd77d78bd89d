"""What a deployment needs of this machine, looked at on this machine."""

import asyncio
import socket
import tempfile
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from phone_bridge import doctor
from phone_bridge.doctor_peers import TIMEOUT_MS, Finding, Level
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.api_keys import ApiKey
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.mcp_servers import McpServer
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served
from tests.ports import free_port
from tests.runtime.serving import serving


def ports(port: int, host: str = "127.0.0.1") -> tuple[Finding, bool]:
    async def nobody(request: Request) -> Response:
        raise AssertionError(request.url)

    return asyncio.run(doctor.ports(Settings(host=host, port=port), nobody))


def test_who_has_no_pin_may_set_one_by_telephone_where_a_rule_says_so() -> None:
    with tempfile.TemporaryDirectory() as folder:
        own = Settings(user_id="usr_a", database_url=f"sqlite:///{folder}/bridge.db")
        one = Served(settings=own, route="a", trust={"write": "pin+code", "enrol": "code"})
        (found,) = doctor.trust([one])
        assert (found.level, found.mend) == (
            Level.WARNING,
            "phone-bridge pin set usr_a, or they set one by telephone",
        )
        assert [found.told for found in doctor.codes([one, one])] == ["codes go to the telephones of 1 users"]
        assert doctor.codes([Served(settings=own, route="b", trust={"write": "pin"})]) == []


def test_a_free_port_is_well_and_an_address_elsewhere_is_wrong() -> None:
    found, running = ports(free_port())
    assert (found.level, running) == (Level.OK, False)
    found, _ = ports(8080, "192.0.2.1")
    assert (found.level, "nobody can listen at 192.0.2.1:8080" in found.told) == (Level.WRONG, True)


@pytest.mark.parametrize(("status", "level"), [("ok", Level.OK), ("other", Level.WRONG)])
def test_a_port_that_is_taken_is_well_where_a_bridge_has_it(status: str, level: Level) -> None:
    app = Starlette(routes=[Route("/healthz", lambda request: JSONResponse({"status": status}))])

    async def story() -> tuple[Finding, bool]:
        client = HttpClient()
        try:
            async with serving(app) as running:
                return await doctor.ports(
                    Settings(port=running.port), lambda request: client.exchange(request, timeout_ms=TIMEOUT_MS)
                )
        finally:
            await client.close()

    found, running = asyncio.run(story())
    assert (found.level, running) == (level, level is Level.OK)


def test_a_program_that_speaks_no_http_at_our_port_is_wrong() -> None:
    async def story(port: int) -> tuple[Finding, bool]:
        client = HttpClient()
        try:
            return await doctor.ports(Settings(port=port), lambda request: client.exchange(request, timeout_ms=100))
        finally:
            await client.close()

    with socket.create_server(("127.0.0.1", 0)) as other:
        found, running = asyncio.run(story(other.getsockname()[1]))
    assert (found.level, running) == (Level.WRONG, False)


def test_without_a_key_programs_elsewhere_are_not_served() -> None:
    assert doctor.key(Settings()).level is Level.OK
    assert doctor.key(Settings(host="0.0.0.0")).level is Level.WARNING  # noqa: S104 - a value
    assert doctor.key(Settings(public_url="https://bridge.example")).level is Level.WARNING
    assert doctor.key(Settings(host="::", api_keys=(ApiKey("a", "0" * 64, ("calls:read",)),))).level is Level.OK


def test_an_extra_is_looked_for_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.extras(Settings(), {}) == []
    wants = Settings(mcp=(McpServer(name="crm", url="http://x"),))
    (found,) = doctor.extras(wants, {})
    assert found.level is Level.OK
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    wrong = doctor.extras(wants, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})
    assert [(found.level, found.mend) for found in wrong] == [
        (Level.WRONG, "pip install 'phone_bridge[mcp]'"),
        (Level.WRONG, "pip install 'phone_bridge[otel]'"),
    ]


def test_a_database_is_reached_and_written_or_wrong(tmp_path: Path) -> None:
    assert doctor.database_of(Settings(database_url=f"sqlite:///{tmp_path}/x.db")).level is Level.OK
    for url in (f"sqlite:///{tmp_path}/nowhere/x.db", "mysql://user:pa55word@host/x"):
        found = doctor.database_of(Settings(database_url=url))
        assert found.level is Level.WRONG
        assert "pa55word" not in found.told + found.mend


def test_an_engine_that_is_not_installed_is_wrong() -> None:
    found = asyncio.run(doctor.speech(Settings(voice="nobody", ear="nobody"), needed=False))
    assert [each.level for each in found] == [Level.WRONG, Level.WRONG]
    assert "installed are" in found[0].told


def test_settings_that_cannot_be_read_are_all_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text('[[routes]]\nname = "a"\ncaled = "x"\n')
    (found,) = asyncio.run(doctor.examine({"PHONE_BRIDGE_DATABASE_URL": "sqlite://"}, tmp_path))
    assert (found.check, found.level) == ("settings", Level.WRONG)
    assert "line 1, [[routes]] 'a' has the key 'caled'" in found.told

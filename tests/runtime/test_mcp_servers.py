"""Tools on real MCP servers, which the official SDK serves."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import pytest

from phone_bridge.call.events import Action
from phone_bridge.errors import SettingsError
from phone_bridge.offers import Effect
from phone_bridge.runtime import mcp_servers
from phone_bridge.runtime.mcp_servers import MAX_NAME_CHARS, McpServer, McpToolbox, effect_of, offered_name, opened
from phone_bridge.runtime.toolbox import CallFacts
from tests.ports import free_port

T = TypeVar("T")
PEER = Path(__file__).parent / "mcp_peer.py"
STDIO = McpServer(name="desk", command=sys.executable, args=(str(PEER),))
FACTS = CallFacts(call_id="call_1", user_id="usr_a")


def use(server: McpServer, work: Callable[[McpToolbox], Awaitable[T]], seconds: float = 20.0) -> T:
    async def main() -> T:
        box = McpToolbox(server)
        box.start()
        try:
            async with asyncio.timeout(seconds):
                while not box.offers(CallFacts(call_id="c", user_id=(server.users or ("usr_a",))[0])):
                    await box.refresh()
                return await work(box)
        finally:
            await box.close()

    return asyncio.run(main())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(PEER), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield f"http://127.0.0.1:{port}/mcp"
    process.terminate()
    process.wait(10)


def test_tools_of_a_program_are_offered_by_their_effects_and_run() -> None:
    async def work(box: McpToolbox) -> None:
        effects = {offer.name: offer.effect for offer in box.offers(FACTS)}
        assert effects == {
            "desk_State-Tool": Effect.READ,
            "desk_App-Tool": Effect.DESTROY,
            "desk_Move-Tool": Effect.WRITE,
            "desk_Post-Tool": Effect.OUTWARD,
            "desk_unmarked": Effect.DESTROY,
        }
        (app,) = (offer for offer in box.offers(FACTS) if offer.name == "desk_App-Tool")
        assert app.description == "Open a program."
        assert app.schema["required"] == ["name"]
        action = Action("desk_App-Tool", {"name": "Mail"})
        assert await box.prepare("usr_a", action) == action
        ran = await box.run("usr_a", action, "key")
        assert (ran.ok, ran.unsure) == (True, False)
        assert "Mail is open" in ran.result
        wrong = await box.run("usr_a", Action("desk_Move-Tool", {"x": "left"}), "key")
        assert not wrong.ok
        assert not (await box.run("usr_a", Action("desk_unmarked"), "key")).ok
        assert not (await box.run("usr_a", Action("desk_nothing"), "key")).ok

    use(STDIO, work)


def test_tools_of_an_address_are_offered_and_run(url: str) -> None:
    async def work(box: McpToolbox) -> str:
        return (await box.run("usr_a", Action("far_State-Tool"), "key")).result

    assert "Mail, Calendar." in use(McpServer(name="far", url=url), work)


def test_a_program_sees_of_the_environment_what_is_named() -> None:
    (server,) = opened(
        [McpServer(name="desk", command=sys.executable, args=(str(PEER),), env=("DESK_TOKEN",))],
        {"DESK_TOKEN": "t0ken", "OTHER": "x"},
    )

    async def work(box: McpToolbox) -> str:
        return (await box.run("usr_a", Action("desk_State-Tool"), "key")).result

    assert "t0ken" in use(server, work)
    assert "t0ken" not in repr(server)


def test_a_server_may_be_for_some_users_alone() -> None:
    async def work(box: McpToolbox) -> None:
        assert box.offers(CallFacts(call_id="c", user_id="usr_b"))
        assert box.offers(FACTS) == ()

    use(McpServer(name="desk", command=sys.executable, args=(str(PEER),), users=("usr_b",)), work)


def test_a_server_that_is_down_costs_a_line_and_no_call(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_servers, "LIST_SECONDS", 0.05)

    async def main() -> None:
        box = McpToolbox(McpServer(name="gone", url="http://127.0.0.1:9/mcp"))
        box.start()
        await box.refresh()
        assert box.offers(FACTS) == ()
        ran = await box.run("usr_a", Action("gone_x"), "key")
        assert json.loads(ran.result)["error"]["code"] == "tool_unavailable"
        await box.close()

    asyncio.run(main())
    assert "the MCP server gone" in caplog.text


def test_effects_are_the_worst_where_nothing_is_said() -> None:
    assert effect_of(None) is Effect.DESTROY
    assert effect_of(SimpleNamespace(read_only_hint=None, destructive_hint=None)) is Effect.DESTROY
    assert effect_of(SimpleNamespace(destructive_hint=False)) is Effect.OUTWARD
    assert effect_of(SimpleNamespace(read_only_hint="yes")) is Effect.DESTROY


def test_names_are_such_as_models_take() -> None:
    assert offered_name("windows-mcp", "State-Tool") == "windows-mcp_State-Tool"
    assert offered_name("a", "do it: now!") == "a_do_it__now_"
    assert len(offered_name("a", "x" * 100)) == MAX_NAME_CHARS


@pytest.mark.parametrize(
    ("servers", "mend"),
    [
        ([McpServer(name="", command="x")], "name of its own"),
        ([McpServer(name="a_b", command="x")], "name of its own"),
        ([McpServer(name="a", command="x"), McpServer(name="a", command="y")], "name of its own"),
        ([McpServer(name="a")], "either a command or a url"),
        ([McpServer(name="a", command="x", url="http://x")], "either a command or a url"),
        ([McpServer(name="a", url="localhost:8001")], "http://localhost:8001/mcp"),
        ([McpServer(name="a", command="x", env=("NOBODY",))], "NOBODY, which is not set"),
        ([McpServer(name="a", url="http://x", bearer_env="NOBODY")], "NOBODY, which is not set"),
        ([McpServer(name="a", command="x", secrets={"A": "b"})], "in the clear"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(servers: list[McpServer], mend: str) -> None:
    with pytest.raises(SettingsError, match=mend):
        opened(servers, {})

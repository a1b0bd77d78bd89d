"""Opening sessions within a budget, in a time that only the fakes move; and once over the loopback."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from phone_bridge.audio.format import PCMU_8K, Format
from phone_bridge.call.commands import SessionCommand
from phone_bridge.call.events import Action, Event, SessionClosed
from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.connect import (
    BACK_OFF_LIMIT_MS,
    BACK_OFF_MS,
    FAREWELL_TIMEOUT_MS,
    LOOK_UP_MS,
    SESSION_BUDGET_MS,
    Connector,
    Link,
)
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.sockets import Socket
from phone_bridge.sessions.dialect import SessionWire, Ticket
from tests.clock import run_virtual, settle
from tests.runtime.serving import until
from tests.runtime.test_sockets import Ear, Straw
from tests.runtime.test_websocket_client import url_of

TICKET = Ticket(url="ws://host/", headers={"a": "b"}, subprotocols=("c",), session_id="hub_1")
Outcome = BridgeError | None


class Wire:
    """A wire that says nothing."""

    def __init__(self, leg: Format) -> None:
        self.leg = leg

    @property
    def tells_voice(self) -> bool:
        return True

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        return []

    def send(self, command: SessionCommand, now: int) -> None: ...

    def outgoing(self) -> list[bytes | str]:
        return []

    def deadline(self) -> int | None:
        return None

    def expire(self, now: int) -> list[Event]:
        return []

    def closed(self, code: int, reason: str = "") -> SessionClosed:
        return SessionClosed("closed", str(code))


class Paper:
    """A dialect on paper; ``base`` "" has nothing to mint and no farewell to say."""

    def __init__(self, base: str = "http://host", ticket: Ticket = TICKET) -> None:
        self.base = base
        self.ticket = ticket
        self.nonces: list[str] = []
        self.answers: list[Response | None] = []

    def mint(self, nonce: str) -> Request | None:
        self.nonces.append(nonce)
        return Request(method="POST", url=self.base + "/mint") if self.base else None

    def minted(self, response: Response | None) -> Ticket:
        self.answers.append(response)
        if response is not None and response.status == 503:
            raise Unavailable("later", retry_after_ms=500)
        return self.ticket

    def farewell(self, ticket: Ticket) -> Request | None:
        return Request(method="DELETE", url=f"{self.base}/{ticket.session_id}") if self.base else None

    def look_up(self, action: Action) -> Request | None:
        return Request(method="GET", url=f"{self.base}/{action.name}") if action.parameters else None

    def looked_up(self, action: Action, response: Response) -> str:
        return response.body.decode()

    def wire(self, leg: Format) -> SessionWire:
        return Wire(leg)


class World:
    """A network and a clock that follow a script: each step takes its time and fails with its error, or works."""

    def __init__(
        self,
        *,
        mints: Sequence[Outcome] = (),
        dials: Sequence[Outcome] = (),
        looks: Sequence[Outcome] = (),
        takes_ms: int = 10,
    ) -> None:
        self.now = 1_000_000
        self.log: list[str] = []
        self.pauses: list[int] = []
        self.limits: list[int] = []
        self.jitter = 0.0
        self._takes_ms = takes_ms
        self._mints = iter(mints)
        self._dials = iter(dials)
        self._looks = iter(looks)
        self.connector = Connector(
            self, dial=self.dial, clock=lambda: self.now, sleep=self.sleep, jitter=lambda: self.jitter
        )

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        outcomes = self._mints if request.method == "POST" else self._looks if request.method == "GET" else iter(())
        self._step(request.method, timeout_ms, next(outcomes, None))
        return Response(status=201, body=b"executed" if request.method == "GET" else b"")

    async def dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int
    ) -> Socket:
        assert (url, headers, subprotocols) == (TICKET.url, TICKET.headers, TICKET.subprotocols)
        self._step("dial", timeout_ms, next(self._dials, None))
        self.straw = Straw()
        return self.straw.socket

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(round(seconds * 1000))
        self.now += round(seconds * 1000)

    def _step(self, name: str, timeout_ms: int, outcome: Outcome) -> None:
        self.log.append(name)
        self.limits.append(timeout_ms)
        self.now += min(self._takes_ms, timeout_ms)
        if outcome is not None:
            raise outcome


def connect(world: World, dialect: Paper | None = None) -> Link:
    async def run() -> Link:
        link = await world.connector.connect(dialect or Paper(), PCMU_8K, nonce="n1")
        await settle()
        return link

    return run_virtual(run())


def failure(world: World, dialect: Paper | None = None) -> BridgeError:
    """Connect in vain, and let what was started in the background end."""

    async def run() -> BridgeError:
        with pytest.raises(BridgeError) as failed:
            await world.connector.connect(dialect or Paper(), PCMU_8K, nonce="n1")
        await world.connector.close()
        return failed.value

    return run_virtual(run())


def unavailable(retry_after_ms: int | None = None) -> Unavailable:
    return Unavailable("later", retry_after_ms=retry_after_ms)


def test_a_session_is_minted_and_dialled() -> None:
    world, dialect = World(), Paper()
    link = connect(world, dialect)
    assert world.log == ["POST", "dial"]
    assert world.limits == [SESSION_BUDGET_MS, SESSION_BUDGET_MS - 10]
    assert isinstance(link.wire, Wire)
    assert link.wire.leg == PCMU_8K
    assert link.ticket == TICKET
    assert [answer.status for answer in dialect.answers if answer] == [201]


def test_what_a_ticket_says_first_is_sent_before_all_else() -> None:
    world = World()
    connect(world, Paper(ticket=msgspec.structs.replace(TICKET, opening=("a token", "and more"))))
    assert world.straw.log == ["a token", "and more"]


def test_a_dialect_without_a_mint_is_dialled_at_once() -> None:
    world, dialect = World(), Paper("")
    connect(world, dialect)
    assert world.log == ["dial"]
    assert dialect.answers == [None]


def test_what_is_unavailable_is_tried_again_with_the_same_nonce_and_the_same_ticket() -> None:
    world, dialect = World(mints=[unavailable()] * 2, dials=[unavailable()] * 2), Paper()
    connect(world, dialect)
    assert world.log == ["POST"] * 3 + ["dial"] * 3
    assert dialect.nonces == ["n1"] * 3


@pytest.mark.parametrize(("jitter", "first"), [(0.0, BACK_OFF_MS // 2), (0.99, BACK_OFF_MS)])
def test_pauses_double_with_jitter_up_to_a_limit(jitter: float, first: int) -> None:
    world = World(mints=[unavailable()] * 20, takes_ms=0)
    world.jitter = jitter
    failure(world)
    share = (1 + jitter) / 2
    steps = [min(BACK_OFF_MS * 2**step, BACK_OFF_LIMIT_MS) for step in range(len(world.pauses))]
    assert world.pauses == [round(step * share) for step in steps]
    assert world.pauses[0] == pytest.approx(first, abs=1)
    assert len(world.pauses) >= 4


def test_a_peers_own_wish_is_kept() -> None:
    world = World(mints=[unavailable(1500)])
    connect(world)
    assert world.pauses == [1500]


@pytest.mark.parametrize("script", [{"mints": [unavailable(3000)]}, {"dials": [unavailable(2980)]}])
def test_a_wish_beyond_the_budget_is_given_up_at_once(script: dict[str, list[Outcome]]) -> None:
    world = World(**script)  # type: ignore[arg-type]  # mypy takes the dictionary for takes_ms too
    error = failure(world)
    assert isinstance(error, Unavailable)
    assert world.pauses == []
    assert world.now - 1_000_000 <= 30


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 4000)), max_size=30),
    st.integers(0, 900),
    st.floats(0, 1, exclude_max=True),
)
def test_whatever_happens_it_takes_no_longer_than_the_budget(
    wishes: list[int | None], takes_ms: int, jitter: float
) -> None:
    world = World(mints=[unavailable(wish) for wish in wishes], takes_ms=takes_ms)
    world.jitter = jitter

    async def run() -> None:
        with suppress(Unavailable):
            await world.connector.connect(Paper(), PCMU_8K, nonce="n1")

    run_virtual(run())
    assert world.now - 1_000_000 <= SESSION_BUDGET_MS + 1


@pytest.mark.parametrize("answered", [True, False])
def test_what_is_tried_may_be_answered_late_where_the_caller_is_patient_but_is_not_tried_again(answered: bool) -> None:
    world = World(mints=[] if answered else [Unavailable("later")], takes_ms=SESSION_BUDGET_MS + 500)

    async def run() -> None:
        await world.connector.connect(Paper(), PCMU_8K, nonce="n1", patience_ms=4_000)

    if answered:
        run_virtual(run())
        assert world.limits == [SESSION_BUDGET_MS + 4_000, 3_500]
    else:
        with pytest.raises(Unavailable):
            run_virtual(run())
        assert world.limits == [SESSION_BUDGET_MS + 4_000]


@pytest.mark.parametrize("error", [Refused("no"), RemoteError("what?"), LocalError("ours")])
@pytest.mark.parametrize("step", ["mints", "dials"])
def test_what_another_attempt_cannot_mend_is_raised_at_once(error: BridgeError, step: str) -> None:
    world = World(mints=[error]) if step == "mints" else World(dials=[error])
    assert failure(world) is error
    assert world.pauses == []


def test_an_answer_that_the_dialect_calls_unavailable_is_tried_again() -> None:
    class Busy(World):
        async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
            response = await super().exchange(request, timeout_ms=timeout_ms)
            return msgspec.structs.replace(response, status=503) if len(self.log) == 1 else response

    world = Busy()
    connect(world)
    assert world.log == ["POST", "POST", "dial"]
    assert world.pauses == [500]


def test_a_session_minted_in_vain_is_dismissed() -> None:
    world = World(dials=[Refused("no")])
    failure(world)
    assert world.log == ["POST", "dial", "DELETE"]
    assert world.limits[-1] == FAREWELL_TIMEOUT_MS


def test_a_wire_that_cannot_be_made_dismisses_its_session() -> None:
    class Unwired(Paper):
        def wire(self, leg: Format) -> SessionWire:
            raise LocalError("ours")

    world = World()
    assert isinstance(failure(world, Unwired()), LocalError)
    assert world.log == ["POST", "DELETE"]


def test_a_caller_who_hangs_up_meanwhile_leaves_no_session() -> None:
    class Slow(World):
        async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
            await asyncio.sleep(0.5 if request.method == "DELETE" else 0)
            return await super().exchange(request, timeout_ms=timeout_ms)

        async def dial(
            self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int
        ) -> Socket:
            await asyncio.sleep(1)
            return await super().dial(url, headers=headers, subprotocols=subprotocols, timeout_ms=timeout_ms)

    async def run() -> None:
        world = Slow()
        connecting = asyncio.create_task(world.connector.connect(Paper(), PCMU_8K, nonce="n1"))
        await settle()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await world.connector.close()
        assert world.log == ["POST", "DELETE"]
        assert len(asyncio.all_tasks()) == 1

    run_virtual(run())


# Parting


@pytest.mark.parametrize("error", [None, Unavailable("later"), Refused("no"), RemoteError("what?")])
def test_parting_closes_and_says_farewell_and_never_fails(
    error: BridgeError | None, caplog: pytest.LogCaptureFixture
) -> None:
    class Deaf(World):
        async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
            self._step(request.method, timeout_ms, error)
            return Response(status=204)

    async def run() -> None:
        world, line = Deaf(), Straw()
        await world.connector.part(Link(line.socket, Wire(PCMU_8K), TICKET), Paper())
        assert line.log == [("close", 1000, "")]
        assert world.log == ["DELETE"]
        assert world.limits == [FAREWELL_TIMEOUT_MS]

    with caplog.at_level(logging.INFO):
        run_virtual(run())
    assert ("could not be told" in caplog.text) == (error is not None)
    assert "hub_1" not in caplog.text


def test_parting_from_a_dialect_without_a_farewell_only_closes() -> None:
    async def run() -> None:
        world, line = World(), Straw()
        await world.connector.part(Link(line.socket, Wire(PCMU_8K), TICKET), Paper(""))
        assert line.log == [("close", 1000, "")]
        assert world.log == []

    run_virtual(run())


# Over the loopback


@pytest.mark.parametrize(
    ("parameters", "looks", "found"),
    [
        ({"event_id": "evt_1"}, [], "executed"),
        ({}, [], "unknown"),
        ({"event_id": "evt_1"}, [Unavailable("later")], "unknown"),
        ({"event_id": "evt_1"}, [Refused("no")], "unknown"),
        ({"event_id": "evt_1"}, [RemoteError("what")], "unknown"),
    ],
)
def test_the_outcome_of_an_action_is_looked_up_once_and_never_fails(
    parameters: dict[str, str], looks: list[Outcome], found: str
) -> None:
    world = World(looks=looks)
    action = Action("cancel_event", dict(parameters))
    assert run_virtual(world.connector.look_up(Paper(), action)) == found
    assert world.log == (["GET"] if parameters else [])
    assert all(limit <= LOOK_UP_MS for limit in world.limits)


def test_a_session_is_opened_used_and_parted_from_over_the_loopback() -> None:
    asked: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.path))
        return web.Response(status=503 if len(asked) == 1 else 201)

    async def echo(peer: ServerConnection) -> None:
        async for message in peer:
            await peer.send(message)

    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        http = HttpClient()
        async with serve(echo, "127.0.0.1", 0) as server:
            dialect = Paper(site_url(runner), Ticket(url=url_of(server), session_id="hub_1"))
            connector = Connector(http)
            link, ear = await connector.connect(dialect, PCMU_8K, nonce="n1"), Ear()
            link.socket.attach(ear)
            link.socket.send("hello")
            await until(lambda: ear.heard == ["hello"])
            await connector.part(link, dialect)
            await link.socket.wait_closed()
            assert asked == [("POST", "/mint"), ("POST", "/mint"), ("DELETE", "/hub_1")]
        await http.close()
        await runner.cleanup()

    asyncio.run(run())


def site_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"

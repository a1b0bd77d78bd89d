"""Both far ends of a call, in the load's process: a carrier that rings, and a server of sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge.audio.format import PCMU_8K, Format
from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.sockets import Socket, accept
from phone_bridge.runtime.websocket_client import dial
from phone_bridge.simulator.verbs import ConnectStream, parse
from phone_bridge.simulator.webhooks import Dialling, Webhooks
from tests.benchmarks.processes import Child
from tests.benchmarks.tongues import CHRONAPILOT, REALTIME, Tongue
from tests.runtime.serving import serving

ACCOUNT = "AC" + "b" * 32
TOKEN = "benchmark-token"
RING_SECONDS = 20  # the first call waits for a bridge that is still starting
CALLS_AT_A_TIME = 8


class Ends(NamedTuple):
    """One call that is up: the carrier's socket with its codec, and the session's socket."""

    codec: CarrierStream
    carrier: Socket
    session: Socket


class SessionServer:
    """Opens a session for whoever asks, in ``tongue`` and ``format``, and knows each by its user.

    That is whom a ChronaPilot session was minted for, and whose key a Realtime session is opened with.
    """

    def __init__(self, format: Format, tongue: Tongue = CHRONAPILOT) -> None:
        self.format, self.tongue = format, tongue
        self._expected: dict[str, asyncio.Future[Socket]] = {}
        self.app = Starlette(
            routes=[
                Route("/v1/voice/sessions", self._mint, methods=["POST"]),
                Route("/v1/voice/sessions/{id}", self._delete, methods=["DELETE"]),
                WebSocketRoute("/v1/voice/realtime", self._minted),
                WebSocketRoute("/v1/realtime", self._realtime),
            ]
        )

    def expect(self, user: str) -> asyncio.Future[Socket]:
        """Wait for the socket of the session that will be minted for ``user``."""
        future = self._expected[user] = asyncio.get_running_loop().create_future()
        return future

    async def _mint(self, request: Request) -> Response:
        user = (await request.json())["user_id"]
        body = msgspec.json.encode({"id": f"vs_{user}", "session_token": user})
        return Response(body, 201, media_type="application/json")

    async def _delete(self, _: Request) -> Response:
        return Response(status_code=204)

    async def _minted(self, websocket: WebSocket) -> None:
        await self._serve(websocket, websocket.query_params["session"])

    async def _realtime(self, websocket: WebSocket) -> None:
        await self._serve(websocket, websocket.headers["authorization"].removeprefix("Bearer "))

    async def _serve(self, websocket: WebSocket, user: str) -> None:
        expected = self._expected.pop(user, None)
        if expected is None:
            await websocket.close(4001)
            return
        socket = await accept(websocket)
        for message in self.tongue.opening(self.format):
            socket.send(message)
        if not expected.done():
            expected.set_result(socket)
        await socket.wait_closed()


class Door(Protocol):
    """Where a system under measure takes calls."""

    async def answer(self, call_sid: str) -> tuple[ConnectStream, dict[str, str]]:
        """Ask what to do with a call: the stream to open, and the headers for its handshake."""
        ...


class SignedDoor:
    """The bridge's: a signed webhook first, and a signed handshake."""

    def __init__(self, http: HttpClient, port: int) -> None:
        self._http = http
        self._url = f"http://127.0.0.1:{port}/twilio/voice"

    async def answer(self, call_sid: str) -> tuple[ConnectStream, dict[str, str]]:
        dialling = Dialling(account_sid=ACCOUNT, auth_token=TOKEN)
        webhooks = Webhooks(dialling, call_sid, datetime.now(UTC), lambda: str(uuid4()))
        request = webhooks.voice(self._url, "POST", "ringing")
        response = await self._http.exchange(request, timeout_ms=RING_SECONDS * 1000)
        verb = parse(response.body).verbs[0]
        if response.status != 200 or not isinstance(verb, ConnectStream):
            raise RuntimeError(f"the bridge answered a call with {response.status} {response.body!r}")
        return verb, webhooks.handshake(verb.url)


class OpenDoor:
    """A relay's: a socket and nothing else."""

    def __init__(self, port: int) -> None:
        self._verb = ConnectStream(url=f"ws://127.0.0.1:{port}/twilio/media")

    async def answer(self, call_sid: str) -> tuple[ConnectStream, dict[str, str]]:
        return self._verb, {}


class World:
    """A system under measure between its far ends."""

    def __init__(self, child: Child, door: Door, sessions: SessionServer) -> None:
        self.child = child
        self.format = sessions.format
        self.tongue = sessions.tongue
        self._door = door
        self._sessions = sessions

    async def ring(self, count: int) -> list[Ends]:
        """Place ``count`` calls, a few at a time."""
        gate = asyncio.Semaphore(CALLS_AT_A_TIME)

        async def one() -> Ends:
            async with gate:
                return await self._ring()

        return await asyncio.gather(*(one() for _ in range(count)))

    async def _ring(self) -> Ends:
        serial = uuid4().hex
        async with asyncio.timeout(RING_SECONDS):
            session = self._sessions.expect("CA" + serial)
            verb, headers = await self._door.answer("CA" + serial)
            carrier = await dial(verb.url, headers=headers, timeout_ms=RING_SECONDS * 1000)
            codec = CarrierStream(
                StreamStart(
                    call_sid="CA" + serial,
                    stream_sid="MZ" + serial,
                    account_sid=ACCOUNT,
                    custom_parameters=verb.parameters,
                )
            )
            carrier.send(codec.connected())
            carrier.send(codec.started())
            return Ends(codec, carrier, await session)


@asynccontextmanager
async def bridge(
    format: Format,
    *,
    core: int | None,
    tongue: Tongue = CHRONAPILOT,
    told: bool = False,
    character_ms: int = 0,
) -> AsyncIterator[World]:
    """Run the bridge against sessions that speak ``format``; ``told`` and ``character_ms`` are ``bridge_process``'s."""
    sessions = SessionServer(format, tongue)
    http = HttpClient()
    try:
        with TemporaryDirectory() as folder:
            async with (
                serving(sessions.app) as running,
                Child(
                    "tests.benchmarks.bridge_process",
                    core=core,
                    session="realtime" if tongue is REALTIME else "chronapilot",
                    session_url=f"http://127.0.0.1:{running.port}",
                    session_format="g711_ulaw" if format == PCMU_8K else "pcm16",
                    token=TOKEN,
                    account=ACCOUNT,
                    folder=folder,
                    told=told,
                    character_ms=character_ms,
                ) as child,
            ):
                yield World(child, SignedDoor(http, child.port), sessions)
    finally:
        await http.close()


@asynccontextmanager
async def relay(kind: str, *, core: int | None) -> AsyncIterator[World]:
    """Run a relay of mu-law; ``kind`` is ``relay_process``'s."""
    sessions = SessionServer(PCMU_8K)
    async with serving(sessions.app) as running:
        url = f"ws://127.0.0.1:{running.port}/v1/voice/realtime?session="
        async with Child("tests.benchmarks.relay_process", core=core, kind=kind, session_url=url) as child:
            yield World(child, OpenDoor(child.port), sessions)

"""The whole application on the loopback, with both far ends in the test's hands: a carrier, and a ChronaPilot."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # the library ships no types

from phone_bridge import exchange, routing
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.routes import build
from phone_bridge.audio.format import LINEAR_8K, PCMU_8K
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.webhook import Form
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.sockets import accept
from phone_bridge.runtime.voice import Speech
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.settings import Settings
from phone_bridge.simulator.verbs import ConnectStream, Document, parse
from tests.runtime.pumping import Assistant, Carrier, sound_of
from tests.runtime.serving import Running, dial, serving, until
from tests.sessions.realtime.model import Mind, Model

ACCOUNT = "AC" + "a" * 32
TOKEN = "the-auth-token"
PUBLIC = "https://bridge.test"
LINE_MS = 100  # how long every line of the bridge's own takes
HANG_SECONDS = 3.5  # longer than a caller is let wait


class Tone:
    """A voice for which every text is the same short tone."""

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        time = np.arange(LINEAR_8K.rate * LINE_MS // 1000) / LINEAR_8K.rate
        return Speech((8_000 * np.sin(2 * np.pi * 440 * time)).astype("<i2").tobytes(), LINEAR_8K)

    async def close(self) -> None: ...


class Peers:
    """The servers that a bridge asks: a ChronaPilot whose sessions the test plays, and the REST API of a carrier."""

    def __init__(self) -> None:
        self.carrier_asked: list[tuple[str, str]] = []
        self.carrier_status = 200
        self.texts: list[dict[str, str]] = []  # messages that telephones got
        self.mints: list[tuple[dict[str, str], Any]] = []
        self.deleted: list[str] = []
        self.live: list[Assistant] = []
        self.mint_status = 201
        self.mint_token = "token"
        self.refuses_sockets = False
        self.mint_headers: dict[str, str] = {}
        self.mint_times: dict[str, str] = {}  # created_at and expires_at of what is minted
        self.mint_hangs = False
        self.event: dict[str, Any] | None = None  # what a look-up finds
        self.mind: Mind = lambda talk: []  # of the models that sessions/realtime meets here
        self.words: deque[str] = deque()
        self.models: list[Model] = []
        self.dialled: list[tuple[str, dict[str, str]]] = []
        self.app = Starlette(
            routes=[
                Route("/v1/voice/sessions", self._mint, methods=["POST"]),
                Route("/v1/voice/sessions/{id}", self._delete, methods=["DELETE"]),
                Route("/v1/events/{id}", self._event, methods=["GET"]),
                WebSocketRoute("/v1/voice/realtime", self._realtime),
                WebSocketRoute("/v1/realtime", self._model),
                WebSocketRoute("/openai/v1/realtime", self._model),
                WebSocketRoute("/openai/realtime", self._model),
                Route("/2010-04-01/Accounts/{account}/Calls/{name}", self._update_call, methods=["POST"]),
                Route("/2010-04-01/Accounts/{account}/Messages.json", self._take_text, methods=["POST"]),
            ]
        )

    async def _update_call(self, request: Request) -> Response:
        self.carrier_asked.append((request.url.path, (await request.body()).decode()))
        body = msgspec.json.encode({"sid": "CA1", "status": "completed"})
        return Response(body, self.carrier_status, media_type="application/json")

    async def _take_text(self, request: Request) -> Response:
        self.texts.append(dict(parse_qsl((await request.body()).decode())))
        return Response(b'{"sid": "SM1"}', self.carrier_status, media_type="application/json")

    async def _mint(self, request: Request) -> Response:
        self.mints.append((dict(request.headers), await request.json()))
        number = len(self.mints)
        if self.mint_hangs:
            await asyncio.sleep(HANG_SECONDS)
        session = {"id": f"hub_{number}", "session_token": f"{self.mint_token}_{number}", **self.mint_times}
        body = msgspec.json.encode(session)
        return Response(body, self.mint_status, self.mint_headers, media_type="application/json")

    async def _delete(self, request: Request) -> Response:
        self.deleted.append(request.path_params["id"])
        return Response(status_code=204)

    async def _event(self, request: Request) -> Response:
        status = 404 if self.event is None else 200
        return Response(msgspec.json.encode(self.event), status, media_type="application/json")

    async def _realtime(self, websocket: WebSocket) -> None:
        if self.refuses_sockets:
            await websocket.close()
            return
        socket = await accept(websocket)
        assistant = Assistant(socket)
        state = m.SessionState(id="hub", input_format="pcm16", output_format="pcm16", sample_rate=24000)
        assistant.tell(m.SessionCreated(state), m.SessionUpdated(state))
        self.live.append(assistant)
        await socket.wait_closed()

    async def _model(self, websocket: WebSocket) -> None:
        """Be any server that speaks as OpenAI does, in the shape that the client asks for."""
        url = websocket.url
        self.dialled.append((f"{url.path}?{url.query}", dict(websocket.headers)))
        beta = "openai-beta" in websocket.headers or "api-version" in url.query
        socket = await accept(websocket)
        shape = Shape.BETA if beta else Shape.GA
        model = Model(
            socket, lambda talk: self.mind(talk), words=self.words, speak=_hum, format=PCMU_8K, shape=shape, pace=0.1
        )
        self.models.append(model)
        await socket.wait_closed()


def _hum(words: str) -> bytes:
    """Say ``words`` in 100 ms, as a sound in which they can be found again."""
    return sound_of(words, LINE_MS)


class Premises:
    """A running bridge."""

    def __init__(self, running: Running, bridge: Bridge, peers: Peers, http: HttpClient) -> None:
        self.running = running
        self.bridge = bridge
        self.peers = peers
        self.http = http

    # HTTP

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> exchange.Response:
        url = f"http://127.0.0.1:{self.running.port}{path}"
        request = exchange.Request(method=method, url=url, headers=headers or {}, body=body)
        return await self.http.exchange(request, timeout_ms=5_000)

    async def post(
        self, path: str, form: Iterable[tuple[str, str]], *, token: str = "", signed_url: str = ""
    ) -> exchange.Response:
        """Send a webhook; with ``token`` it is signed, over the public address unless ``signed_url`` says otherwise."""
        pairs = list(form)
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        if token:
            url = signed_url or self.bridge.settings.base_url + path
            headers["X-Twilio-Signature"] = signature(url, pairs, token)
        return await self.ask("POST", path, headers=headers, body=urlencode(pairs).encode())

    async def voice(self, call_sid: str, **options: Any) -> exchange.Response:
        return await self.post("/twilio/voice", call_form(call_sid), **options)

    async def ring(self, call_sid: str = "CA1") -> ConnectStream:
        """Have a call answered, and read which stream to open."""
        verb = document(await self.voice(call_sid)).verbs[0]
        assert isinstance(verb, ConnectStream)
        return verb

    async def connect(self, call_sid: str = "CA1", query: str = "", **more: str) -> Document:
        """Tell that the stream has ended of a caller who is still there, and read what comes next."""
        form = call_form(call_sid, **{"CallStatus": "in-progress", **more})
        return document(await self.post(f"/twilio/connect{query}", form))

    async def come_back(self, call_sid: str = "CA1", query: str = "") -> tuple[Carrier, Assistant]:
        """Bring a call that was cut off to its next stream, and wait for the session."""
        (verb,) = (await self.connect(call_sid, query)).verbs
        assert isinstance(verb, ConnectStream)
        known = len(self.peers.live)
        carrier = await self.open(call_sid, token=verb.parameters["token"])
        await until(lambda: len(self.peers.live) > known)
        return carrier, self.peers.live[-1]

    async def calls(self) -> list[CallRecord]:
        return await self.bridge.spool.newest()

    # The media socket

    async def open(
        self, call_sid: str = "CA1", *, token: str = "", headers: dict[str, str] | None = None, **start: Any
    ) -> Carrier:
        """Open a media socket and say the first two messages."""
        carrier = await self.open_only(call_sid, token=token, headers=headers, **start)
        carrier.say(carrier.codec.connected(), carrier.codec.started())
        return carrier

    async def open_only(
        self, call_sid: str, *, token: str = "", headers: dict[str, str] | None = None, **start: Any
    ) -> Carrier:
        socket = await dial(f"{self.running.url}/twilio/media", headers=headers or {})
        parameters = {"token": token} if token else {}
        given = StreamStart(
            call_sid=call_sid, stream_sid=f"MZ{call_sid}", account_sid=ACCOUNT, custom_parameters=parameters, **start
        )
        return Carrier(socket, given)

    async def talk(self, call_sid: str = "CA1") -> tuple[Carrier, Assistant]:
        """Ring, open the stream, and wait for the session."""
        known = len(self.peers.live)
        carrier = await self.open(call_sid, token=(await self.ring(call_sid)).parameters["token"])
        await until(lambda: len(self.peers.live) > known)
        return carrier, self.peers.live[-1]

    async def ended(self, carrier: Carrier, *, live: int = 0) -> tuple[int, CallRecord]:
        """Wait for the end of a call while ``live`` others go on, and give its code and its record."""
        await until(lambda: carrier.code is not None and self.bridge.registry.live == live)
        assert carrier.code is not None
        record = await self.bridge.spool.find_carrier(carrier.codec.start.call_sid)
        assert record is not None
        return carrier.code, record


def call_form(call_sid: str, **more: str) -> list[tuple[str, str]]:
    form = {
        "AccountSid": ACCOUNT,
        "CallSid": call_sid,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": "+12025550143",
        "To": "+12025550100",
        **more,
    }
    return list(form.items())


def signature(url: str, form: Iterable[tuple[str, str]], token: str) -> str:
    return str(RequestValidator(token).compute_signature(url, Form(form)))


def document(response: exchange.Response) -> Document:
    """Read TwiML as a carrier does."""
    assert response.status == 200, response
    assert response.headers["content-type"].startswith("application/xml")
    return parse(response.body)


def json_of(response: exchange.Response) -> Any:
    return msgspec.json.decode(response.body)


def lose_database(house: Premises, folder: Path) -> None:
    """Put something else in the database's place."""
    file = folder / "bridge.db"
    file.rename(folder / "away.db")
    while not file.is_dir():  # whoever connects in between makes a new file
        file.unlink(missing_ok=True)
        with suppress(FileExistsError):
            file.mkdir()
    house.bridge.records.close()  # so that the next connection is a new one


@asynccontextmanager
async def premises(
    folder: Path, *, read_routes: Callable[[Settings], Sequence[routing.Route]] = lambda settings: (), **settings: Any
) -> AsyncIterator[Premises]:
    """Run the bridge against a ChronaPilot of our own; at the end nothing may be left of either."""
    peers, http = Peers(), HttpClient()
    async with serving(peers.app) as theirs:
        given = {
            "database_url": f"sqlite:///{folder}/bridge.db",
            "public_url": PUBLIC,
            "session": "chronapilot",
            "session_url": f"http://127.0.0.1:{theirs.port}",
            "session_key": "sk_test_their_key",
            "twilio_url": f"http://127.0.0.1:{theirs.port}",
            **settings,
        }
        made: list[Bridge] = []

        def make() -> Bridge:
            chosen = Settings(**{"port": ours.port, **given})
            routes = partial(read_routes, chosen)
            made.append(Bridge(chosen, Records(chosen.database_url), Tone(), read_routes=routes))
            return made[0]

        app = build(make)
        async with serving(app) as ours, app.router.lifespan_context(app):
            try:
                yield Premises(ours, made[0], peers, http)
                await until(lambda: made[0].registry.live == 0)
            finally:
                await http.close()


def play(folder: Path, story: Callable[[Premises], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """Run a test's story on premises of its own."""

    async def run() -> None:
        async with premises(folder, **settings) as house:
            await story(house)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(run())

"""The doors of ``[[lines]]``: a webhook that answers each call in its carrier's way, and the media socket it names.

The carrier asks the webhook under an address that holds the line's secret. The answer names a media socket with a token
in it, which is good for a minute and for one call, so nobody finds his way in who was not sent.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge.app import arrivals
from phone_bridge.app.answers import problem
from phone_bridge.app.bridge import Bridge, new_call_id
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs import chan_websocket, jambonz, plivo, signalwire, telnyx, vonage
from phone_bridge.legs.audiosocket import AudioSocketLeg, Frames
from phone_bridge.legs.twilio.admission import admit, issue, nonce
from phone_bridge.routing import Facts
from phone_bridge.runtime.audiosocket import AudioSocketServer
from phone_bridge.runtime.lines import AUDIOSOCKET, Line, listening
from phone_bridge.runtime.pump import LegWire
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sockets import Socket, accept
from phone_bridge.settings import FUNCTION_CALLING

ANSWER_PATH = "/lines/{name}/answer"
MEDIA_PATH = "/lines/{name}/media"
TOKEN_MEDIA_PATH = "/lines/{name}/media/{token}"  # noqa: S105 - a path

START_SECONDS = 5.0
"""How long an accepted socket may take to begin its stream."""

MAX_OPENING_MESSAGES = 100
"""What it may say before that: sound of two seconds, if it is binary."""

NAME_SECONDS = 86_400
"""How long the name of an AudioSocket stream cannot come again."""

MAX_BODY_BYTES = 65_536
"""The longest body of a webhook."""

MAX_ID_CHARS = 128
"""The longest name of a carrier's for a call."""

SUBPROTOCOLS = (jambonz.SUBPROTOCOL, "media")
"""What jambonz and Asterisk ask for."""

log = logging.getLogger("phone_bridge.lines")


class Kind(NamedTuple):
    """How a carrier's stream begins, how its calls are answered, and how it writes numbers."""

    begin: Callable[[str | bytes, int], LegWire | None]
    answer: Callable[[str], str] | None = None
    media_type: str = "application/xml"
    plus: bool = True
    """Whether its numbers have the plus sign of E.164."""


KINDS = {
    "chan_websocket": Kind(chan_websocket.begin),
    "jambonz": Kind(jambonz.begin, jambonz.answer, "application/json"),
    "plivo": Kind(plivo.begin, plivo.answer, plus=False),
    "signalwire": Kind(signalwire.begin, signalwire.answer),
    "telnyx": Kind(telnyx.begin, telnyx.answer),
    "vonage": Kind(vonage.begin, vonage.answer, "application/json", plus=False),
}
_IDS = ("CallSid", "CallUUID", "call_sid", "uuid", "id")
_FROM, _TO = ("From", "from"), ("To", "to")


async def answer(request: Request) -> Response:
    """Answer a call of a line's in its carrier's way."""
    bridge: Bridge = request.app.state.bridge
    line = _line(bridge, request.path_params["name"])
    if line is None or not _knows(line, request.query_params.get("secret", "")):
        bridge.telemetry.stream_refused("token_missing")
        return problem(403, "authorization_error", "wrong_secret", "There is no such line with that secret.")
    told = _told(request, await request.body())
    try:
        return await _answer(bridge, line, told, request.query_params.get("as", ""))
    except Unavailable as error:
        return problem(503, "api_error", error.code, "No line is free now: try again in a moment.")


async def _answer(bridge: Bridge, line: Line, told: Mapping[str, str], wanted: str) -> Response:
    facts = Facts(called=_number(line, told, _TO), calling=_number(line, told, _FROM))
    if line.kind == AUDIOSOCKET:
        record = await arrivals.announce(bridge, line, facts, str(uuid4()))
        return PlainTextResponse(record.carrier_id)
    carrier_id = next((told[name][:MAX_ID_CHARS] for name in _IDS if told.get(name)), "")
    record = await arrivals.announce(bridge, line, facts, carrier_id or f"{line.kind}_{new_call_id()}")
    now = int(time.time())
    key = await asyncio.to_thread(bridge.stream_keys.signing, now)
    token = issue(key, call_sid=line.name, account_sid=line.kind, now_epoch_s=now, nonce=nonce(record.id, 0))
    base = "ws" + bridge.settings.base_url.removeprefix("http")
    url = base + TOKEN_MEDIA_PATH.format(name=line.name, token=token)
    kind = KINDS[line.kind]
    if wanted == "url":
        return PlainTextResponse(url)
    if kind.answer is None:
        return PlainTextResponse(token)
    return Response(kind.answer(url), media_type=kind.media_type)


def _line(bridge: Bridge, name: str) -> Line | None:
    return next((line for line in bridge.settings.lines if line.name == name), None)


def _knows(line: Line, secret: str) -> bool:
    return bool(line.secret) and hmac.compare_digest(line.secret.encode(), secret.encode(errors="replace"))


def _told(request: Request, body: bytes) -> dict[str, str]:
    """Read what a webhook says of a call, wherever the carrier puts it; what makes no sense says nothing."""
    told = dict(request.query_params)
    try:
        if len(body) > MAX_BODY_BYTES:
            return told
        if request.headers.get("content-type", "").startswith("application/json"):
            found: dict[str, Any] = msgspec.json.decode(body or b"{}", type=dict[str, Any])
            return told | {name: value for name, value in found.items() if isinstance(value, str)}
        return told | dict(parse_qsl(body.decode()))
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return told


def _number(line: Line, told: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    found = next((told[name].strip()[:MAX_ID_CHARS] for name in names if told.get(name)), "")
    plain = line.kind in KINDS and not KINDS[line.kind].plus and found.isascii() and found.isdecimal()
    return f"+{found}" if plain else found or None


async def media(websocket: WebSocket) -> None:
    """Carry one call's stream from its handshake to its end."""
    bridge: Bridge = websocket.app.state.bridge
    line = _line(bridge, websocket.path_params["name"])
    token = websocket.path_params.get("token") or websocket.query_params.get("token", "")
    try:
        line, record = await _admit(bridge, line, token)
    except (Refused, Unavailable) as error:
        log.warning("x refused a stream: %s", error.code)
        bridge.telemetry.stream_refused(error.code)
        await websocket.close(1008)
        return
    offered = websocket.scope.get("subprotocols") or ()
    socket = await accept(websocket, subprotocol=next((name for name in SUBPROTOCOLS if name in offered), None))
    try:
        leg = await _Reception(socket, KINDS[line.kind].begin).leg(bridge)
    except (Refused, RemoteError) as error:
        log.warning("x a stream of %s did not begin: %s", line.name, error)
        bridge.telemetry.stream_refused(error.code)
        arrivals.never_began(bridge, record, error.code)
        socket.close(1008, error.code)
        await socket.wait_closed()
        return
    await arrivals.carry(bridge, line, record, leg, socket)


async def _admit(bridge: Bridge, line: Line | None, token: str) -> tuple[Line, CallRecord]:
    """Let in the one call that the token was issued for, once."""
    if line is None or line.kind not in KINDS:
        raise Refused("There is no such line.", code="token_missing")
    now = int(time.time())
    keys = await asyncio.to_thread(bridge.stream_keys.admitting, now)
    admission = admit(token, keys, call_sid=line.name, account_sid=line.kind, now_epoch_s=now)
    if not await bridge.admit_once(admission.jti, admission.expires_at, now):
        raise Refused("The stream's token was used before.", code="token_used")
    record = await bridge.registry.find(admission.call_id)
    if record is None:
        raise Refused("The stream's token belongs to no call that is known here.", code="token_unknown_call")
    expected = bridge.registry.announced(record.carrier_id)
    if expected is None and bridge.registry.draining:
        raise Refused("The stream was not announced to this process, which is about to stop.", code="draining")
    return line, expected.record if expected is not None else record


class _Reception:
    """Listens to a fresh socket until its stream begins, then steps aside; what comes meanwhile is for the pump."""

    def __init__(self, socket: Socket, begin: Callable[[str | bytes, int], LegWire | None]) -> None:
        self._socket = socket
        self._begin = begin
        self._heard = 0
        self._begun: asyncio.Future[LegWire] = asyncio.get_running_loop().create_future()

    async def leg(self, bridge: Bridge) -> LegWire:
        """Wait for the beginning; raises Refused when it does not come, RemoteError when it cannot be used."""
        bridge.opening_streams.enter(self, lambda: self._fail("Too many streams wait.", "too_many_waiting"))
        self._socket.attach(self)
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self._begun
        except TimeoutError:
            raise Refused("The carrier opened a stream and did not begin it.", code="stream_not_started") from None
        finally:
            bridge.opening_streams.leave(self)
            self._socket.detach()

    def message(self, data: str | bytes) -> None:
        """Read one of the first messages."""
        if self._begun.done():
            return
        self._heard += 1
        if self._heard > MAX_OPENING_MESSAGES:
            self._fail("The carrier says all but how its stream begins.", "stream_not_started")
            return
        try:
            leg = self._begin(data, int(time.monotonic() * 1000))
        except RemoteError as error:
            self._begun.set_exception(error)
            return
        if leg is not None:
            self._begun.set_result(leg)
            self._socket.detach()

    def closed(self, code: int, reason: str) -> None:
        """Know that the socket ended before its stream began."""
        self._fail("The carrier closed its stream early.", "stream_not_started")

    def _fail(self, message: str, code: str) -> None:
        if not self._begun.done():
            self._begun.set_exception(Refused(message, code=code))


async def expect_users(bridge: Bridge) -> None:
    """Make the built-in assistant ready for those whose lines and trunks name them; raises Unavailable."""
    session = bridge.settings.session
    named = {line.user_id for line in bridge.settings.lines} | {trunk.user_id for trunk in bridge.settings.sip_trunks}
    if session == "embedded" or session in FUNCTION_CALLING:
        for user_id in sorted(named - {""}):
            await bridge.embedded.expect(user_id, session)


class AudioSocketDoor:
    """Let the PBXs of the ``audiosocket`` lines in; without ``audiosocket_listen`` it stays shut."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._lines = tuple(line for line in bridge.settings.lines if line.kind == AUDIOSOCKET)
        self._server: AudioSocketServer | None = None

    async def open(self) -> None:
        """Begin to listen; raises Unavailable when the port cannot be had."""
        if not self._bridge.settings.audiosocket_listen:
            return
        host, port = listening(self._bridge.settings.audiosocket_listen)
        server = AudioSocketServer(self._admits, self._take, self._refused)
        await server.open(host, port)
        self._server = server
        log.info("= AudioSocket listens on tcp %s:%d for %d lines", host, server.port, len(self._lines))

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.close()

    def _admits(self, address: str) -> bool:
        return any(line.admits(address) for line in self._lines)

    def _refused(self, code: str) -> None:
        log.warning("x refused a connection for AudioSocket: %s", code)
        self._bridge.telemetry.stream_refused(code)

    async def _take(self, address: str, name: str, frames: Frames, socket: Socket) -> None:
        """Carry one call, announced or not, from its name to its end."""
        bridge = self._bridge
        line = next(line for line in self._lines if line.admits(address))
        try:
            record = await self._expected(line, name)
        except (Unavailable, Refused) as error:
            self._refused(error.code)
            socket.close()
            await socket.wait_closed()
            return
        await arrivals.carry(bridge, line, record, AudioSocketLeg(frames, int(time.monotonic() * 1000)), socket)

    async def _expected(self, line: Line, name: str) -> CallRecord:
        registry, now = self._bridge.registry, int(time.time())
        if not await self._bridge.admit_once(f"{line.kind} {name}", now + NAME_SECONDS, now):
            raise Refused("The name of a stream was used before.", code="token_used")
        announced = registry.announced(name)
        known = await self._bridge.spool.find_carrier(name) if announced is None else announced.record
        if known is not None and (registry.is_live(known.id) or known.status != "ringing"):
            raise Refused("The name of a stream was used before.", code="token_used")
        return known or await arrivals.announce(self._bridge, line, Facts(), name)


ROUTES = (
    Route(ANSWER_PATH, answer, methods=["GET", "POST"]),
    WebSocketRoute(MEDIA_PATH, media),
    WebSocketRoute(TOKEN_MEDIA_PATH, media),
)

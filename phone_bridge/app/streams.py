"""The media socket: a carrier's stream comes in, shows its token, and becomes a call."""

import asyncio
import logging
import time

from starlette.websockets import WebSocket

from phone_bridge.app import transferring
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.handing_over import route_keys, take_over
from phone_bridge.app.voice import SIGNATURE, SIGNATURE_SETTINGS
from phone_bridge.call.events import LegClosed
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs.twilio.admission import TOKEN_PARAMETER, admit, named_route, nonce
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.pace import PacedStream
from phone_bridge.legs.twilio.stream import Opening
from phone_bridge.legs.twilio.webhook import handshake_signed
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sockets import Socket, accept
from phone_bridge.runtime.waiting import Waiting

START_SECONDS = 5.0
"""How long an accepted socket may take to say its ``start``."""

MAX_OPENING_MESSAGES = 100
"""What an accepted socket may say before its ``start``; a carrier says one word."""

POLICY_VIOLATION = 1008

log = logging.getLogger("phone_bridge.twilio")


async def media(websocket: WebSocket) -> None:
    """Carry one Twilio Media Stream from its handshake to its end."""
    bridge: Bridge = websocket.app.state.bridge
    if not _may_open(bridge, websocket):
        bridge.telemetry.stream_refused("unsigned")
        await websocket.close(POLICY_VIOLATION)
        return
    socket = await accept(websocket)
    try:
        start = await _Reception(socket).start(bridge.opening_streams)
        record = await _admit(bridge, start)
        known, plan = await bridge.begin(record), await bridge.outbound.plan(record)
        back = await transferring.back(bridge, record) or transferring.Back("", owed=True)
        leg = PacedStream(start, int(time.monotonic() * 1000))
        pump = bridge.pump(record, leg, socket, known=known, plan=plan, lead_in=back.lead_in, owed=back.owed)
        await bridge.registry.carry(record, pump)
    except (Unavailable, Refused, RemoteError) as error:
        log.warning("x refused a media stream: %s", error.code)
        bridge.telemetry.stream_refused(error.code)
        socket.close(POLICY_VIOLATION, error.code)
        await socket.wait_closed()


def _may_open(bridge: Bridge, websocket: WebSocket) -> bool:
    settings = bridge.settings
    if not settings.twilio_tokens:
        return True
    signature = websocket.headers.get(SIGNATURE, "")
    scheme = websocket.headers.get(SIGNATURE_SETTINGS, "")
    if handshake_signed(settings.stream_url, signature, settings.twilio_tokens, scheme):
        return True
    log.warning("x a media handshake was not signed for %s", settings.stream_url)
    return settings.stream_signature == "warn"


class _Reception:
    """Listens to a fresh socket until its ``start``, then steps aside; what comes meanwhile is kept for the pump."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._opening = Opening()
        self._heard = 0
        self._started: asyncio.Future[StreamStart] = asyncio.get_running_loop().create_future()
        socket.attach(self)

    async def start(self, others: Waiting) -> StreamStart:
        """Wait for the start; raises Refused when it does not come, RemoteError when it cannot be used."""
        others.enter(self, self._make_room)
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self._started
        except TimeoutError:
            raise Refused("The carrier opened a stream and did not start it.", code="stream_not_started") from None
        finally:
            others.leave(self)
            self._socket.detach()

    def message(self, data: str | bytes) -> None:
        """Read one message of the opening."""
        if self._started.done():
            return
        self._heard += 1
        if self._heard > MAX_OPENING_MESSAGES:
            self._started.set_exception(Refused("The carrier says all but its start.", code="stream_not_started"))
            return
        try:
            opened = self._opening.receive(data, int(time.monotonic() * 1000))
        except RemoteError as error:
            self._started.set_exception(error)
            return
        if isinstance(opened, StreamStart):
            self._started.set_result(opened)
            self._socket.detach()
        elif isinstance(opened, LegClosed):
            self.closed(1000, "")

    def _make_room(self) -> None:
        if not self._started.done():
            self._started.set_exception(Refused("Too many streams wait for their start.", code="too_many_waiting"))

    def closed(self, code: int, reason: str) -> None:
        """Know that the socket ended before it started."""
        if not self._started.done():
            self._started.set_exception(Refused("The carrier closed its stream early.", code="stream_not_started"))


async def _admit(bridge: Bridge, start: StreamStart) -> CallRecord:
    """Let in the one call that the token was issued for, once."""
    now = int(time.time())
    token = start.custom_parameters.get(TOKEN_PARAMETER, "")
    route = named_route(token)
    keys = route_keys(bridge, route) if route else await asyncio.to_thread(bridge.stream_keys.admitting, now)
    admission = admit(token, keys, call_sid=start.call_sid, account_sid=start.account_sid, now_epoch_s=now)
    if admission.route:
        return await take_over(bridge, start, admission, now)
    expected = bridge.registry.announced(start.call_sid)
    if expected is not None and nonce(expected.record.id, expected.part) != admission.jti:
        expected = None
    if expected is None and bridge.registry.draining:
        raise Refused("The stream was not announced to this process, which is about to stop.", code="draining")
    if not await asyncio.to_thread(bridge.records.admit, admission.jti, admission.expires_at, now):
        raise Refused("The stream's token was used before.", code="token_used")
    record = expected.record if expected is not None else await bridge.registry.find(admission.call_id)
    if record is None:
        raise Refused("The stream's token belongs to no call that is known here.", code="token_unknown_call")
    if admission.part < record.resumed:
        raise Refused("The stream's token is for an earlier part of the call.", code="token_superseded")
    await bridge.registry.supersede(record.id)  # an earlier part whose end nobody has told us
    record.resumed = admission.part
    return record

"""The soft-phone's line: a token over HTTP, and a socket that shows it and becomes a call like any other.

A token is good for a minute, for one socket, in whatever process. The page gets with it the call's id and a proof that
the call is its own: with both it comes back to a call that was cut off, by a lost network, a reload, or a server that
was started again, and the call goes on as its next part, as a carrier's does.
"""

import asyncio
import hmac
import logging
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge import voice_sdk as w
from phone_bridge.app import spoken_menus
from phone_bridge.app.answers import answer, problem
from phone_bridge.app.bridge import Bridge, new_call_id
from phone_bridge.app.door import refuse, refuse_user
from phone_bridge.app.resuming import MAX_RESUMES, was_cut
from phone_bridge.app.spoken_menus import Arrived
from phone_bridge.assistant import tokens
from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.sdk_door import NotAdmitted, first_words, turn_away
from phone_bridge.errors import Unavailable
from phone_bridge.legs.browser.stream import BrowserLeg
from phone_bridge.routing import Facts
from phone_bridge.runtime.api_keys import TALK
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sockets import Socket, accept
from phone_bridge.tenants import Served

TOKEN_PATH = "/phone/token"  # noqa: S105 - a path
SOCKET_PATH = "/phone/ws"

TOKEN_SECONDS = 60
"""How long a token can open a socket, once."""

RESUME_SECONDS = 120
"""How long after it was cut off a call may go on."""

MAX_BODY_BYTES = 4_096
"""The longest body of a request for a token; what is longer is cut, and then makes no sense."""

CARRIER = "web_"
"""How the carrier's id of a call begins whose leg is a browser; what follows is the call's own."""

_SECRET = "phone"  # noqa: S105 - the name of one

log = logging.getLogger("phone_bridge.phone")


class PhoneWish(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which call is to go on, with the proof that came with its token; a new one without them.

    ``to`` is a number of ours: the new call is served as if that was called. Without it no route is looked for.
    """

    call_id: str = ""
    resume: str = ""
    to: Annotated[str, msgspec.Meta(pattern=r"^(\+[1-9][0-9]{6,14})?$")] = ""


class PhoneToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token that opens one socket within a minute, and what a page needs to come back to its call."""

    token: str
    ws_url: str
    call_id: str
    resume: str


async def token(request: Request) -> Response:
    """Make a token for a new call, or for the next part of one that was cut off."""
    if refused := refuse(request, TALK):
        return refused
    bridge: Bridge = request.app.state.bridge
    wish = _read(await request.body())
    if wish is None:
        message = 'Send nothing, {"to"} with a number of ours in E.164, or {"call_id", "resume"} of a call cut off.'
        return problem(400, "invalid_request_error", "invalid_body", message)
    if bridge.registry.draining or not bridge.registry.has_room():
        return problem(503, "api_error", "busy", "No line is free now: try again in a moment.")
    secret = await asyncio.to_thread(bridge.records.secret, _SECRET)
    key = bridge.door.key(request)
    users = key.users if key is not None else ()
    if not wish.call_id:
        if refused := refuse_user(request, _called(bridge, wish.to, users).settings.user_id):
            return refused
        return answer(_token(bridge, secret, new_call_id(), 0, to=wish.to, users=users))
    if not hmac.compare_digest(wish.resume.encode(), _proof(secret, wish.call_id).encode()):
        message = "The call is not yours: resume is not the word that came with its token."
        return problem(403, "authorization_error", "wrong_proof", message)
    record = await bridge.registry.find(wish.call_id)
    if record is None or not _may_go_on(record, time.time()):
        return problem(409, "invalid_request_error", "call_ended", "The call is over: begin a new one.")
    return answer(_token(bridge, secret, record.id, record.resumed + 1, users=users))


def _read(body: bytes) -> PhoneWish | None:
    try:
        return msgspec.json.decode(body[: MAX_BODY_BYTES + 1], type=PhoneWish) if body else PhoneWish()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _called(bridge: Bridge, to: str, users: tuple[str, ...]) -> Served:
    """Find what a new call is given; a key of one user's passes over the routes of others, as a line of theirs does."""
    if not to:
        return bridge.tenants.own
    return bridge.tenants.choose(Facts(called=to), datetime.now(UTC), users[0] if len(users) == 1 else "")


def _token(
    bridge: Bridge, secret: bytes, call_id: str, part: int, *, to: str = "", users: tuple[str, ...]
) -> PhoneToken:
    now = int(time.time())
    claims = tokens.Claims(
        sid=call_id,
        sub=bridge.settings.user_id,
        scp=users,
        iat=now,
        exp=now + TOKEN_SECONDS,
        jti=f"{call_id}.{part}.{secrets.token_hex(4)}",
        to=to,
    )
    url = "ws" + bridge.settings.base_url.removeprefix("http") + SOCKET_PATH
    return PhoneToken(token=tokens.sign(claims, secret), ws_url=url, call_id=call_id, resume=_proof(secret, call_id))


def _proof(secret: bytes, call_id: str) -> str:
    return hmac.digest(secret, f"resume {call_id}".encode(errors="replace"), "sha256").hex()


def _may_go_on(record: CallRecord, now: float) -> bool:
    """Tell whether a call was cut off, and not too long ago, nor too often."""
    if not was_cut(record) or record.answered_at is None or record.resumed >= MAX_RESUMES:
        return False
    if record.ended_at is None:
        return True
    age = datetime.fromtimestamp(now, UTC) - datetime.fromisoformat(record.ended_at)
    return age <= timedelta(seconds=RESUME_SECONDS)


async def socket(websocket: WebSocket) -> None:
    """Be a call on one socket, from its first message to its end."""
    bridge: Bridge = websocket.app.state.bridge
    line = await accept(websocket)
    try:
        hello, record, users = await _welcome(bridge, line)
        await _carry(bridge, line, hello, record, users)
    except NotAdmitted as error:
        log.warning("x refused a phone: %s", error.code)
        bridge.telemetry.stream_refused(error.code.lower())
        await turn_away(line, error)
    except ConnectionError:  # the page has gone before it said anything
        return


async def _welcome(bridge: Bridge, line: Socket) -> tuple[w.Hello, CallRecord, tuple[str, ...]]:
    """Hear who comes and for which call; raises NotAdmitted, and ConnectionError where nobody is there any more."""
    bridge.opening_streams.enter(line, lambda: line.close(w.NORMAL, "too_many_waiting"))
    try:
        hello = await first_words(line)
    finally:
        bridge.opening_streams.leave(line)
    if w.CALL not in hello.features or w.INTERRUPTED not in hello.features:
        message = f"a telephone has to ask for the features {w.CALL} and {w.INTERRUPTED}"
        raise NotAdmitted(message, w.SESSION_SETUP_FAILED)
    try:
        return hello, *await _admit(bridge, hello.token)
    except Unavailable as error:
        raise NotAdmitted(str(error), w.SESSION_SETUP_FAILED) from None


async def _admit(bridge: Bridge, shown: str) -> tuple[CallRecord, tuple[str, ...]]:
    """Let in the one socket that the token was made for, once; gives its call, and whose routes that may lead to."""
    secret = await asyncio.to_thread(bridge.records.secret, _SECRET)
    try:
        claims = tokens.read(shown, secret, datetime.now(UTC))
    except Problem as problem:
        raise NotAdmitted(str(problem), w.AUTH_FAILED) from None
    if not await bridge.admit_once(claims.jti, claims.exp, int(time.time())):
        raise NotAdmitted("the token was used before: have a new one made", w.AUTH_FAILED)
    if bridge.registry.draining or not bridge.registry.has_room():
        raise NotAdmitted("no line is free now: try again in a moment", w.SESSION_SETUP_FAILED)
    part = int(claims.jti.split(".")[1])
    if part == 0:
        return _new(bridge, claims), claims.scp
    record = await bridge.registry.find(claims.sid)
    if record is None or not was_cut(record) or part < record.resumed:
        raise NotAdmitted("the call is over, or goes on elsewhere", w.AUTH_FAILED)
    await bridge.registry.supersede(record.id)  # its socket may still look alive from here
    record.resumed = part
    return record, claims.scp


def _new(bridge: Bridge, claims: tokens.Claims) -> CallRecord:
    served = _called(bridge, claims.to, claims.scp)
    if claims.scp and served.settings.user_id not in claims.scp:  # routes and hours change within a minute, too
        raise NotAdmitted("the number leads to somebody else now", w.AUTH_FAILED)
    if not bridge.registry.has_room_on(served.route, served.max_calls):
        raise NotAdmitted("no line is free now: try again in a moment", w.SESSION_SETUP_FAILED)
    return bridge.record(
        id=claims.sid,
        carrier_id=CARRIER + claims.sid,
        direction="inbound",
        from_number=None,
        to_number=claims.to or None,
        served=served,
    )


async def _carry(bridge: Bridge, line: Socket, hello: w.Hello, record: CallRecord, users: tuple[str, ...]) -> None:
    features = w.granted(hello.features, w.PHONE_FEATURES)
    leg = BrowserLeg(features, int(time.monotonic() * 1000))
    arrived = Arrived(record=record, leg=leg, socket=line, users=users, show=lambda pump: _show(leg, pump))
    try:
        known = None if spoken_menus.begins_with_menus(bridge, record) else await bridge.begin(record)
        line.send(w.encode(w.Connected(features)))
        line.send(w.encode(w.AgentReady()))
        await spoken_menus.carry(bridge, arrived, known)
    except Unavailable as error:
        raise NotAdmitted(str(error), w.SESSION_SETUP_FAILED) from None


def _show(leg: BrowserLeg, pump: Pump) -> None:
    pump.watch(lambda: leg.show(pump.view(), pump.trace))


ROUTES = (
    Route(TOKEN_PATH, token, methods=["POST"]),
    WebSocketRoute(SOCKET_PATH, socket),
)

"""The calls API's other half: calling somebody, and changing a live call: put through, keys pressed."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import twiml
from phone_bridge.app import bodies, transferring
from phone_bridge.app.answers import answer, problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import find
from phone_bridge.app.door import refuse, refuse_user
from phone_bridge.app.resuming import CONNECT_PATH, PART
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs.twilio.admission import issue, nonce
from phone_bridge.outbound.book import Plan
from phone_bridge.outbound.reminders import Callee, Metadata, Name, Number
from phone_bridge.outbound.targets import MAX_ADDRESS_CHARS, asked_for
from phone_bridge.outbound.transfer import MAX_ABOUT_CHARS
from phone_bridge.runtime.record import CallRecord

MAX_GREETING_CHARS = 1_000
MAX_DIGITS = 32
"""Keys of one request; a ``w`` is half a second of silence."""

log = logging.getLogger("phone_bridge.outbound")


class CallBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to call, and what is said first; ``message`` is left on a machine, and is the greeting unless given.

    ``digits`` are pressed as soon as somebody answers, for a machine that asks for them: then nobody looks for one.
    """

    to: Callee
    from_: Number | None = msgspec.field(default=None, name="from")
    user_id: Name | None = None
    session: Annotated[str, Meta(max_length=32)] | None = None
    greeting: Annotated[str, Meta(max_length=MAX_GREETING_CHARS)] = ""
    message: Annotated[str, Meta(max_length=MAX_GREETING_CHARS)] | None = None
    metadata: Metadata = {}
    digits: Annotated[str, Meta(pattern=bodies.KEYS)] | None = None


class TransferBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to put the other side of a call through to: a name of the list of targets, or a number.

    In a ``warm`` transfer whoever picks up hears first who calls, and ``about`` what; they accept by a key.
    """

    to: Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS_CHARS)]
    mode: Literal["cold", "warm"] = "cold"
    about: Annotated[str, Meta(max_length=MAX_ABOUT_CHARS)] = ""


class DtmfBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which keys to press for the other side."""

    digits: Annotated[str, Meta(pattern=bodies.KEYS)]


async def place(request: Request) -> Response:
    """Call somebody."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "calls:write"):
        return refusal
    try:
        body, raw = await bodies.read(request, CallBody)
        promise = bodies.promise(request, "calls", raw)
        _check_session(bridge, body)
        greeting = body.greeting.strip()
        message = greeting if body.message is None else body.message.strip()
        about = greeting or "A call from your assistant."
        user_id = body.user_id or bridge.outbound.user_of(body.to, body.from_)
        if refusal := refuse_user(request, user_id):
            return refusal
        call_id = await asyncio.to_thread(
            lambda: bridge.outbound.call(
                to=body.to,
                from_=body.from_,
                user_id=user_id,
                plan=Plan(text=greeting, message=message, about=about, digits=body.digits or ""),
                metadata=body.metadata or None,
                promise=promise,
            )
        )
    except Refused as error:
        return bodies.refused(error, frozenset({"from"}))
    bridge.outbound.poke()
    return answer(await bridge.registry.find(call_id), 201)


async def transfer(request: Request) -> Response:
    """Put the other side of a live call through to somebody else; the assistant's part of it ends."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "calls:write"):
        return refusal
    try:
        call = await _live(request)
        body, _ = await bodies.read(request, TransferBody)
        settings = bridge.tenants.settings_of(call)
        target = asked_for(body.to, settings.targets, settings.allowed_prefixes, settings.transfer_domains)
        await _asked(transferring.ask(bridge, call, target, mode=body.mode, about=body.about))
    except _Answered as error:
        return error.response
    except Refused as error:
        return bodies.refused(error)
    return answer(call, 202)


async def dtmf(request: Request) -> Response:
    """Press keys for the other side of a live call; the assistant goes on when they have sounded."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "calls:write"):
        return refusal
    try:
        call = await _live(request)
        body, _ = await bodies.read(request, DtmfBody)
        _here(bridge, call)
        await _asked(press(bridge, call, body.digits))
    except _Answered as error:
        return error.response
    except Refused as error:
        return bodies.refused(error)
    return answer(call, 202)


class _Answered(Exception):
    """Carries the answer to a request that ends here."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def _check_session(bridge: Bridge, body: CallBody) -> None:
    if body.session is not None and body.session != bridge.settings.session:
        message = f"This bridge connects calls to {bridge.settings.session} and to nothing else."
        raise Refused(message, code="session_not_served")


async def _live(request: Request) -> CallRecord:
    name = request.path_params["id"]
    call = await find(request)
    if call is None:
        raise _Answered(problem(404, "invalid_request_error", "call_not_found", f"There is no call {name}."))
    if call.ended_at is not None:
        raise _Answered(problem(409, "invalid_request_error", "call_ended", f"The call {name} is over."))
    return call


def _here(bridge: Bridge, call: CallRecord) -> None:
    if not bridge.registry.is_live(call.id):
        raise Refused(f"The call {call.id} is not live in this process.", code="call_not_live")


async def _asked(asking: Awaitable[None]) -> None:
    """Ask the carrier; what it cannot do is answered as a conflict."""
    try:
        await asking
    except (Unavailable, RemoteError) as error:
        message = f"The carrier could not change the call. {error}"
        raise _Answered(problem(409, "invalid_request_error", "call_not_live", message)) from None
    except Refused as error:
        raise _Answered(problem(409, "invalid_request_error", error.code, str(error))) from None


async def _redirect(bridge: Bridge, call: CallRecord, document: str) -> None:
    if not bridge.outbound.configured:
        raise Refused(
            "The carrier can be asked once TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are set.", code="call_not_live"
        )
    await asyncio.to_thread(bridge.outbound.carrier.redirect, call.carrier_id, document)


async def press(bridge: Bridge, call: CallRecord, digits: str) -> None:
    """Have keys sounded in a call that is live here; one by a carrier comes back as its next part.

    Raises Refused, Unavailable, RemoteError.
    """
    if bridge.sip_transfers.carries(call.id):
        bridge.sip_transfers.press(call.id, digits)
        return
    settings, part = bridge.settings, call.resumed + 1
    key = await asyncio.to_thread(bridge.stream_keys.signing, int(time.time()))
    token = issue(
        key,
        call_sid=call.carrier_id,
        account_sid=settings.twilio_account_sid,
        now_epoch_s=int(time.time()),
        nonce=nonce(call.id, part),
    )
    action = f"{settings.base_url}{CONNECT_PATH}?{PART}={part}"
    document = twiml.press_keys(digits, settings.stream_url, action, token, f"{settings.base_url}/twilio/stream")
    with bridge.registry.going_on(call.id, token, part):
        await _redirect(bridge, call, document)


ROUTES = (
    Route("/v1/calls/{id}/transfer", transfer, methods=["POST"]),
    Route("/v1/calls/{id}/dtmf", dtmf, methods=["POST"]),
)

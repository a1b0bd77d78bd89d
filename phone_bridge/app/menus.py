"""Menus on the line: each answer brings the next document, whichever process is asked.

Where a caller stands travels in the address that the carrier asks, signed by us and good for this call alone.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec

import twiml
from phone_bridge import menus
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.choosing import ROUTE
from phone_bridge.app.fallback import AFTER, SAY_LANGUAGES, fall_back, to_number, to_voicemail
from phone_bridge.app.handing_back import REF, RETURN_URL, Ended, hand_back, way_back
from phone_bridge.app.resuming import CONNECT_PATH
from phone_bridge.errors import RemoteError
from phone_bridge.handover import WayBack
from phone_bridge.legs.twilio.webhook import Form, IncomingCall
from phone_bridge.menu_talk import MAX_SPEECH_CHARS, sentence, told
from phone_bridge.menus import Ask, Go, Heard, Kind, State, Step, target_of
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served

AFTER_MENU = "menu"
PLACE = "place"
"""The query parameter that says where a caller stands."""
PLACE_SECONDS = 3_600
"""How long a caller may stand there."""

_AUDIENCE = "twilio-menu"
_ALGORITHM = "HS256"
_OPTIONS: Any = {"require": ["aud", "sub", "exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a caller stands: in which route's menus, and with which way back; ``go`` is a choice that was made."""

    route: str
    state: State
    return_url: str | None = None
    ref: str = ""
    go: str = ""


class Onward(msgspec.Struct, frozen=True, kw_only=True):
    """A caller who has chosen the assistant: what the call is given, and what the menus have gathered."""

    served: Served
    back: WayBack | None
    gathered: Mapping[str, str]
    place: Place


async def begin(bridge: Bridge, call: IncomingCall, served: Served, back: WayBack | None) -> str | Onward:
    """Begin with the menu of a route; gives the document, or that the assistant is next. Raises Unavailable."""
    step = menus.enter(served.menus, served.menu, datetime.now(UTC))
    place = Place(
        route=served.route or "",
        state=step.state,
        return_url=back.url if back else None,
        ref=back.ref if back else "",
    )
    return await _page(_Caller(bridge, call, served, back), place, step)


async def go_on(bridge: Bridge, call: IncomingCall, shown: str) -> str | Onward:
    """Say what comes of an answer, at the place that the carrier's address has ``shown``.

    Raises RemoteError for a place that is none of ours, or another call's; Unavailable.
    """
    now = int(time.time())
    place = _read(shown, await asyncio.to_thread(_secrets, bridge, now), call.call_sid, now)
    served = bridge.tenants.behind(place.route)
    if served is None:  # the operator has taken the route away meanwhile
        return fall_back(bridge.settings, call, "apology_unavailable")
    told_by = {REF: place.ref} | ({RETURN_URL: place.return_url} if place.return_url is not None else {})
    if place.go:
        step: Step = Go(target=target_of(place.go), state=place.state)
    else:
        step = menus.answer(served.menus, place.state, heard(call.parameters), datetime.now(UTC))
    return await _page(_Caller(bridge, call, served, way_back(served, told_by)), place, step)


def heard(form: Form) -> Heard:
    """Read what a caller has answered; a key counts before words."""
    return Heard(digits=form.get("Digits"), speech=form.get("SpeechResult")[:MAX_SPEECH_CHARS])


async def query(bridge: Bridge, call_sid: str, place: Place) -> dict[str, str]:
    """Write the query of the address that is asked what comes next at ``place``. Raises Unavailable."""
    now = int(time.time())
    key = await asyncio.to_thread(bridge.stream_keys.signing, now)
    claims = {"aud": _AUDIENCE, "sub": call_sid, "exp": now + PLACE_SECONDS, PLACE: msgspec.to_builtins(place)}
    shown = jwt.encode(claims, key.secret, algorithm=_ALGORITHM, headers={"kid": key.id, "typ": None})
    return {AFTER: AFTER_MENU, PLACE: shown}


def _secrets(bridge: Bridge, now: int) -> dict[str, bytes]:
    return {name: key.secret for name, key in bridge.stream_keys.admitting(now).items()}


def _read(shown: str, secrets: Mapping[str, bytes], call_sid: str, now: int) -> Place:
    try:
        secret = secrets[jwt.get_unverified_header(shown).get("kid", "")]
        claims = jwt.decode(shown, secret, [_ALGORITHM], _OPTIONS, audience=_AUDIENCE)
        place = msgspec.convert(claims[PLACE], Place)
        right = claims["sub"] == call_sid and now < claims["exp"]
    except (jwt.PyJWTError, KeyError, TypeError, msgspec.ValidationError):
        right = False
    if not right:
        raise RemoteError("The place in the menus is none of ours, or another call's.", code="place_malformed")
    return place


class _Caller(msgspec.Struct, frozen=True):
    """Who is on the line, and what the call is given."""

    bridge: Bridge
    call: IncomingCall
    served: Served
    back: WayBack | None

    @property
    def settings(self) -> Settings:
        return self.served.settings


async def _page(caller: _Caller, place: Place, step: Step) -> str | Onward:
    place = msgspec.structs.replace(place, state=step.state, go="")
    if isinstance(step, Ask):
        return await _ask(caller, place, step)
    if step.target.kind is not Kind.ASSISTANT:
        return _leave(caller, step)
    name = step.target.name
    served = caller.bridge.tenants.behind(name) if name else caller.served
    if served is None:
        return fall_back(caller.settings, caller.call, "apology_unavailable")
    go = f"{Kind.ASSISTANT}:{name}" if name else str(Kind.ASSISTANT)
    place = msgspec.structs.replace(place, go=go)
    return Onward(served=served, back=caller.back, gathered=dict(step.state.gathered), place=place)


async def _ask(caller: _Caller, place: Place, step: Ask) -> str:
    language = step.menu.language or caller.settings.language
    next_ = urlencode(await query(caller.bridge, caller.call.call_sid, place))
    return twiml.ask(
        [text for _, text in told(step, language)],
        _tongue(language),
        f"{caller.settings.base_url}{CONNECT_PATH}?{next_}",
        timeout_seconds=step.menu.timeout,
        digits=step.menu.gather or 1,
        hints=menus.hints(step.menu),
    )


def _leave(caller: _Caller, step: Go) -> str:
    """Give the document for a caller who leaves the menus, but not for the assistant."""
    language = step.language or caller.settings.language
    settings = msgspec.structs.replace(caller.settings, language=language)
    first, more = " ".join(step.first), _way_back_in(caller)
    match step.target.kind:
        case Kind.NUMBER:
            return to_number(settings, caller.call, step.target.name, first, more)
        case Kind.VOICEMAIL:
            return to_voicemail(settings, first, more)
        case Kind.HANG_UP if caller.back is not None:
            return hand_back(caller.back, caller.call.call_sid, Ended.COMPLETED)
        case Kind.HANG_UP:
            return twiml.apologise_and_hang_up(first, _tongue(language)) if first else twiml.hang_up()
        case _ if caller.back is not None:
            return hand_back(caller.back, caller.call.call_sid, Ended.NO_CHOICE)
        case _ if settings.fallback == "goodbye":
            return twiml.apologise_and_hang_up(f"{first} {sentence('lost', language)}".strip(), _tongue(language))
        case _:
            return fall_back(settings, caller.call)


def _way_back_in(caller: _Caller) -> str:
    """Write the way back into an address, for a call that has no record to keep it."""
    if caller.back is None:
        return ""
    pairs = {ROUTE: caller.served.route or "", RETURN_URL: caller.back.url, REF: caller.back.ref}
    return f"&{urlencode(pairs)}"


def _tongue(language: str) -> str:
    """Name a language as the carrier's own voice does, which wants a region."""
    if "-" in language:
        return language
    return SAY_LANGUAGES.get(language, f"{language.lower()}-{language.upper()}")

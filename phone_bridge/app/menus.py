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
from phone_bridge.call import words
from phone_bridge.errors import RemoteError
from phone_bridge.handover import WayBack
from phone_bridge.legs.twilio.webhook import Form, IncomingCall
from phone_bridge.menus import Ask, Go, Heard, Kind, State, Step, target_of
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served

AFTER_MENU = "menu"
PLACE = "place"
"""The query parameter that says where a caller stands."""
PLACE_SECONDS = 3_600
"""How long a caller may stand there."""
MAX_SPEECH_CHARS = 1_000
"""Of longer answers the beginning is understood."""

_AUDIENCE = "twilio-menu"
_ALGORITHM = "HS256"
_OPTIONS: Any = {"require": ["aud", "sub", "exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}
_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "unclear": "I am sorry, I did not understand that.",
        "silent": "I am sorry, I did not hear anything.",
        "human": "Press 0 to speak to somebody.",
        "lost": "I am sorry, I could not find out what I can do for you. Goodbye.",
    },
    "de": {
        "unclear": "Das habe ich leider nicht verstanden.",
        "silent": "Ich habe leider nichts gehört.",
        "human": "Drücken Sie die 0, um mit jemandem zu sprechen.",
        "lost": "Leider konnte ich nicht herausfinden, was ich für Sie tun kann. Auf Wiederhören.",
    },
    "es": {
        "unclear": "Lo siento, no le he entendido.",
        "silent": "Lo siento, no he oído nada.",
        "human": "Pulse 0 para hablar con una persona.",
        "lost": "Lo siento, no he podido averiguar qué desea. Adiós.",
    },
    "fr": {
        "unclear": "Désolé, je n'ai pas compris.",
        "silent": "Désolé, je n'ai rien entendu.",
        "human": "Appuyez sur 0 pour parler à quelqu'un.",
        "lost": "Désolé, je n'ai pas pu savoir ce que vous souhaitez. Au revoir.",
    },
}


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
    language: str = ""
    """What they chose to be spoken to in; empty for what the route speaks."""


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
    told = {REF: place.ref} | ({RETURN_URL: place.return_url} if place.return_url is not None else {})
    if place.go:
        step: Step = Go(target=target_of(place.go), state=place.state)
    else:
        step = menus.answer(served.menus, place.state, heard(call.parameters), datetime.now(UTC))
    return await _page(_Caller(bridge, call, served, way_back(served, told)), place, step)


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
    own = next((route.language for route in caller.bridge.tenants.routes if route.name == name), "")
    language = step.language if _is_carried(step.language, own, served.settings.language) else ""
    return Onward(served=served, back=caller.back, gathered=dict(step.state.gathered), place=place, language=language)


def _is_carried(language: str, own: str, spoken: str) -> bool:
    """Tell whether a caller who leaves a menu that speaks ``language`` goes on in it, with a route that speaks another.

    A route that names its ``own`` keeps that, for it may be the very one that was chosen; ``own`` is empty for the
    route whose menu it is.
    """
    known = language.partition("-")[0].lower() in words.LANGUAGES
    return known and not own and language != spoken


async def _ask(caller: _Caller, place: Place, step: Ask) -> str:
    language = step.menu.language or caller.settings.language
    sorry = [_sentence(step.sorry, language)] if step.sorry else []
    human = [_sentence("human", language)] if step.sorry and step.human else []
    told = urlencode(await query(caller.bridge, caller.call.call_sid, place))
    return twiml.ask(
        [text for text in (*step.first, *sorry, step.menu.say, *human) if text],
        _tongue(language),
        f"{caller.settings.base_url}{CONNECT_PATH}?{told}",
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
            return twiml.apologise_and_hang_up(f"{first} {_sentence('lost', language)}".strip(), _tongue(language))
        case _:
            return fall_back(settings, caller.call)


def _way_back_in(caller: _Caller) -> str:
    """Write the way back into an address, for a call that has no record to keep it."""
    if caller.back is None:
        return ""
    told = {ROUTE: caller.served.route or "", RETURN_URL: caller.back.url, REF: caller.back.ref}
    return f"&{urlencode(told)}"


def _sentence(key: str, language: str) -> str:
    """Give a sentence of our own; none in a language that we do not speak, where the menu is said again alone."""
    return _SENTENCES.get(language.partition("-")[0].lower(), {}).get(key, "")


def _tongue(language: str) -> str:
    """Name a language as the carrier's own voice does, which wants a region."""
    if "-" in language:
        return language
    return SAY_LANGUAGES.get(language, f"{language.lower()}-{language.upper()}")

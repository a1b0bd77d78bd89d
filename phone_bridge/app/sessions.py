"""Which session a call is given: the dialect that the settings name, made with everything that they say of it."""

from datetime import datetime

import msgspec

from phone_bridge.offers import Offer
from phone_bridge.sessions import realtime
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot.dialect import SCOPES
from phone_bridge.sessions.dialect import Dialect
from phone_bridge.sessions.realtime.dialect import API_KEY, BEARER, BETA_TRANSCRIBER, INSTRUCTIONS, LIFE_MS, OPENAI_URL
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.voice_agent import VoiceAgent
from phone_bridge.sessions.voice_sdk import VoiceSdk
from phone_bridge.settings import CHRONAPILOT_URL, FUNCTION_CALLING, Settings
from phone_bridge.tenants import calendar_tools
from phone_bridge.tools.catalogue import Policy
from phone_bridge.tools.table import CALENDAR_TOOLS
from phone_bridge.tools.table import SCOPES as ALL_SCOPES


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What a call's session is bound to: the user, what a model may call, and ``now`` by the user's own clock.

    ``known`` is what a model should know of the caller.
    """

    user_id: str
    offers: tuple[Offer, ...]
    now: datetime
    known: str = ""
    tools: frozenset[str] | None = None
    """Which of the calendar's tools a session may use that acts by itself; all where None."""
    withheld: frozenset[str] = frozenset()
    """Those that it is not given all the same, because it would run them without asking."""
    confirm: str = Policy.DEFAULT.value
    """What the built-in assistant has to ask for."""


def dialect(settings: Settings, bound: Bound, *, embedded_key: str) -> Dialect:
    """Make the dialect of ``settings.session``; ``embedded_key`` opens the built-in assistant."""
    if settings.session == "voice-agent":
        return _voice_agent(settings, bound)
    if settings.session == "voice-sdk":
        return VoiceSdk(base_url=settings.session_url.rstrip("/"), key=settings.session_key)
    if settings.session in FUNCTION_CALLING:
        return _realtime(settings, bound)
    if settings.session == "embedded":
        base_url, key, scopes, confirm = settings.local_url, embedded_key, tuple(sorted(ALL_SCOPES)), bound.confirm
        tools = () if bound.tools is None else calendar_tools(bound.tools)  # and it asks for all that is withheld
    else:
        base_url, key, scopes, confirm = settings.session_url or CHRONAPILOT_URL, settings.session_key, SCOPES, ""
        tools = _given(bound)
    return ChronaPilot(
        base_url=base_url.rstrip("/"),
        key=key,
        user_id=bound.user_id,
        scopes=_least(scopes, tools),
        tools=tools,
        account=settings.session_account,
        voice=settings.session_voice,
        model=settings.session_model,
        output_format=settings.session_format or "pcm16",
        confirm="" if confirm == Policy.DEFAULT else confirm,
    )


def _given(bound: Bound) -> tuple[str, ...]:
    """Name the tools of a session that acts by itself; none where it is given all that there are."""
    if bound.tools is None and not bound.withheld:
        return ()
    names = tuple(tool.name for tool in CALENDAR_TOOLS) if bound.tools is None else calendar_tools(bound.tools)
    return tuple(name for name in names if name not in bound.withheld)


def _least(scopes: tuple[str, ...], tools: tuple[str, ...]) -> tuple[str, ...]:
    """Keep those scopes that ``tools`` need; all where none are named, or where they need a scope nobody can grant."""
    needed = {CALENDAR_TOOLS.find(name).scope for name in tools}
    return tuple(scope for scope in scopes if scope in needed) or scopes


def _voice_agent(settings: Settings, bound: Bound) -> VoiceAgent:
    return VoiceAgent(
        settings.session_url,
        settings.session_key,
        model=settings.session_model,
        voice=settings.session_voice,
        more=_instructions(settings, bound),
        offers=bound.offers,
        settings=realtime.Realtime(
            url="",
            turn_detection=settings.session_turn_detection,
            transcriber=settings.session_transcriber or BETA_TRANSCRIBER,
            audio_format=settings.session_format,
            life_ms=_life_ms(settings),
        ),
        shape=Shape(settings.session_shape or Shape.GA),
    )


def _realtime(settings: Settings, bound: Bound) -> realtime.Realtime:
    made = _dialled(settings)
    return msgspec.structs.replace(
        made,
        instructions=_instructions(settings, bound),
        voice=settings.session_voice,
        offers=bound.offers,
        turn_detection=settings.session_turn_detection,
        transcriber=settings.session_transcriber or made.transcriber,
        audio_format=settings.session_format,
        life_ms=_life_ms(settings),
    )


def _life_ms(settings: Settings) -> int:
    return settings.session_minutes * 60_000 or LIFE_MS


def _dialled(settings: Settings) -> realtime.Realtime:
    url, key, model = settings.session_url, settings.session_key, settings.session_model
    if settings.session == "openai":
        return realtime.openai(url or OPENAI_URL, key, model)
    if settings.session == "azure-openai":
        auth = settings.session_auth or API_KEY
        return realtime.azure(url, key, model, api_version=settings.session_api_version, auth=auth)
    shape = Shape(settings.session_shape or Shape.BETA)
    return realtime.gateway(url, key, model, shape=shape, auth=settings.session_auth or BEARER)


def _instructions(settings: Settings, bound: Bound) -> str:
    """Say what every model has to know besides: the time, and the language that the line itself speaks."""
    now = bound.now.isoformat(timespec="minutes")
    about = f"It is now {now}, a {bound.now:%A}, in the time zone {bound.now.tzname()}."
    told = f"{settings.session_instructions or INSTRUCTIONS}\n\n{about} The line itself speaks {settings.language!r}."
    return f"{told}\n\n{bound.known}" if bound.known else told

"""What a session is set to, in one shape of our own, and how GA and the beta write it.

A field that is UNSET was not mentioned, and None is a value: a ``turn_detection`` of None means that turns are ended by
hand. Formats are named as GA names them (``audio/pcmu``), modalities are ``("audio",)`` or ``("text",)``.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from phone_bridge.sessions.realtime.messages import InvalidMessage, complaint
from phone_bridge.sessions.realtime.names import BETA_FORMATS, INVALID_VALUE, SOUND, Shape

Tokens = int | str
"""A number of tokens, or ``inf``."""


class TurnDetection(msgspec.Struct, frozen=True, kw_only=True):
    """How the server finds the end of a turn: ``server_vad`` by its energy, ``semantic_vad`` by its meaning."""

    type: str = "server_vad"
    threshold: float | UnsetType = UNSET
    prefix_padding_ms: int | UnsetType = UNSET
    silence_duration_ms: int | UnsetType = UNSET
    idle_timeout_ms: int | UnsetType | None = UNSET
    eagerness: str | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET


class Transcription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which model writes the caller's words down."""

    model: str | UnsetType = UNSET
    language: str | UnsetType | None = UNSET
    prompt: str | UnsetType | None = UNSET


class NoiseReduction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``near_field`` or ``far_field``."""

    type: str | UnsetType = UNSET


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a session is, or shall be, set to."""

    id: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    expires_at: int | UnsetType | None = UNSET
    """In seconds since 1970."""
    modalities: tuple[str, ...] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: Any = UNSET
    """A name; GA takes ``{"id": …}`` too."""
    speed: float | UnsetType = UNSET
    input_format: str | UnsetType = UNSET
    output_format: str | UnsetType = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET
    tools: tuple[dict[str, Any], ...] | UnsetType = UNSET
    tool_choice: Any = UNSET
    """``auto``, ``none``, ``required``, or ``{"type": "function", "name": …}``."""
    temperature: float | UnsetType | None = UNSET
    """The beta's alone."""
    max_output_tokens: Tokens | UnsetType | None = UNSET


# The shapes


class _GaFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str
    rate: int | UnsetType = UNSET


class _GaInput(msgspec.Struct, frozen=True, omit_defaults=True):
    format: _GaFormat | UnsetType = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class _GaOutput(msgspec.Struct, frozen=True, omit_defaults=True):
    format: _GaFormat | UnsetType = UNSET
    voice: Any = UNSET
    speed: float | UnsetType = UNSET


class _GaAudio(msgspec.Struct, frozen=True, omit_defaults=True):
    input: _GaInput | UnsetType = UNSET
    output: _GaOutput | UnsetType = UNSET


class _GaSession(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str | UnsetType = UNSET
    object: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    expires_at: int | UnsetType | None = UNSET
    output_modalities: tuple[str, ...] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    audio: _GaAudio | UnsetType = UNSET
    tools: tuple[dict[str, Any], ...] | UnsetType = UNSET
    tool_choice: Any = UNSET
    max_output_tokens: Tokens | UnsetType | None = UNSET


class _BetaSession(msgspec.Struct, frozen=True, omit_defaults=True):
    object: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    expires_at: int | UnsetType | None = UNSET
    modalities: tuple[str, ...] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: Any = UNSET
    speed: float | UnsetType = UNSET
    input_audio_format: str | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    input_audio_noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET
    tools: tuple[dict[str, Any], ...] | UnsetType = UNSET
    tool_choice: Any = UNSET
    temperature: float | UnsetType | None = UNSET
    max_response_output_tokens: Tokens | UnsetType | None = UNSET


REALTIME = "realtime"
SESSION_OBJECT = "realtime.session"
_FROM_BETA = {beta: ga for ga, beta in BETA_FORMATS.items()}


# Writing


def write(settings: Settings, shape: Shape, *, state: bool = False) -> dict[str, Any]:
    """Write settings as ``shape`` does: for a ``session.update``, or with ``state`` as the session's own object."""
    written: _GaSession | _BetaSession = _write_ga(settings) if shape is Shape.GA else _write_beta(settings)
    if state:
        written = msgspec.structs.replace(written, object=SESSION_OBJECT)
    plain: dict[str, Any] = msgspec.to_builtins(written)
    return plain


def _write_ga(settings: Settings) -> _GaSession:
    input_ = _GaInput(
        _ga_format(settings.input_format), settings.transcription, settings.noise_reduction, settings.turn_detection
    )
    output = _GaOutput(_ga_format(settings.output_format), settings.voice, settings.speed)
    audio = _GaAudio(UNSET if input_ == _GaInput() else input_, UNSET if output == _GaOutput() else output)
    return _GaSession(
        type=REALTIME,
        id=settings.id,
        model=settings.model,
        expires_at=settings.expires_at,
        output_modalities=settings.modalities,
        instructions=settings.instructions,
        audio=UNSET if audio == _GaAudio() else audio,
        tools=settings.tools,
        tool_choice=settings.tool_choice,
        max_output_tokens=settings.max_output_tokens,
    )


def _ga_format(name: str | UnsetType) -> _GaFormat | UnsetType:
    if name is UNSET:
        return UNSET
    return _GaFormat(name, SOUND[name].rate) if name == "audio/pcm" else _GaFormat(name)


def _write_beta(settings: Settings) -> _BetaSession:
    modalities = settings.modalities
    if modalities is not UNSET and "audio" in modalities:
        modalities = ("text", "audio")  # the beta forbids sound alone
    return _BetaSession(
        id=settings.id,
        model=settings.model,
        expires_at=settings.expires_at,
        modalities=modalities,
        instructions=settings.instructions,
        voice=settings.voice,
        speed=settings.speed,
        input_audio_format=_beta_format(settings.input_format),
        output_audio_format=_beta_format(settings.output_format),
        input_audio_transcription=settings.transcription,
        input_audio_noise_reduction=settings.noise_reduction,
        turn_detection=settings.turn_detection,
        tools=settings.tools,
        tool_choice=_beta_choice(settings.tool_choice),
        temperature=settings.temperature,
        max_response_output_tokens=settings.max_output_tokens,
    )


def _beta_format(name: str | UnsetType) -> str | UnsetType:
    return UNSET if name is UNSET else BETA_FORMATS.get(name, name)


def _beta_choice(choice: Any) -> Any:
    return choice.get("name", choice) if isinstance(choice, dict) else choice


# Reading


def read(session: dict[str, Any], shape: Shape) -> Settings:
    """Read a session's object, or what ``session.update`` holds; raises InvalidMessage for what makes no sense."""
    try:
        return _read_ga(msgspec.convert(session, _GaSession)) if shape is Shape.GA else _read_beta(session)
    except (msgspec.ValidationError, RecursionError) as error:
        code, param = complaint(error)
        raise InvalidMessage(f"The session cannot be used: {error}.", code=code, param=f"session.{param}") from None


def _read_ga(found: _GaSession) -> Settings:
    audio = _GaAudio() if found.audio is UNSET else found.audio
    input_ = _GaInput() if audio.input is UNSET else audio.input
    output = _GaOutput() if audio.output is UNSET else audio.output
    return Settings(
        id=found.id,
        model=found.model,
        expires_at=found.expires_at,
        modalities=_spoken(found.output_modalities),
        instructions=found.instructions,
        voice=output.voice,
        speed=output.speed,
        input_format=_from_ga(input_.format, "audio.input.format"),
        output_format=_from_ga(output.format, "audio.output.format"),
        transcription=input_.transcription,
        noise_reduction=input_.noise_reduction,
        turn_detection=input_.turn_detection,
        tools=found.tools,
        tool_choice=found.tool_choice,
        max_output_tokens=found.max_output_tokens,
    )


def _read_beta(session: dict[str, Any]) -> Settings:
    found = msgspec.convert(session, _BetaSession)
    return Settings(
        id=found.id,
        model=found.model,
        expires_at=found.expires_at,
        modalities=_spoken(found.modalities),
        instructions=found.instructions,
        voice=found.voice,
        speed=found.speed,
        input_format=_from_beta(found.input_audio_format, "input_audio_format"),
        output_format=_from_beta(found.output_audio_format, "output_audio_format"),
        transcription=found.input_audio_transcription,
        noise_reduction=found.input_audio_noise_reduction,
        turn_detection=found.turn_detection,
        tools=found.tools,
        tool_choice=_ga_choice(found.tool_choice),
        temperature=found.temperature,
        max_output_tokens=found.max_response_output_tokens,
    )


def _spoken(modalities: tuple[str, ...] | UnsetType) -> tuple[str, ...] | UnsetType:
    if modalities is UNSET:
        return UNSET
    return ("audio",) if "audio" in modalities else ("text",)


def _from_ga(format: _GaFormat | UnsetType, param: str) -> str | UnsetType:
    if format is UNSET:
        return UNSET
    known = SOUND.get(format.type)
    if known is None or (format.rate is not UNSET and format.rate != known.rate):
        raise _no_format(f"{format.type[:32]} at {format.rate}", param, tuple(SOUND))
    return format.type


def _from_beta(name: str | UnsetType, param: str) -> str | UnsetType:
    if name is UNSET:
        return UNSET
    if name not in _FROM_BETA:
        raise _no_format(name[:32], param, tuple(_FROM_BETA))
    return _FROM_BETA[name]


def _ga_choice(choice: Any) -> Any:
    """Read the beta's bare name, and Azure's ``{"function": {"name": …}}``, as GA's object."""
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        return {"type": "function", "name": choice}
    function = choice.get("function") if isinstance(choice, dict) else None
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return {"type": "function", "name": function["name"]}
    return choice


def _no_format(found: str, param: str, known: tuple[str, ...]) -> InvalidMessage:
    return InvalidMessage(
        f"Invalid value: '{found}'. Supported values are: {', '.join(known)}.",
        code=INVALID_VALUE,
        param=f"session.{param}",
    )

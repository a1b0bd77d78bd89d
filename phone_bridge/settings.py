"""The operator's choices, read once into frozen values: the environment, then ``.env``, then ``phone-bridge.toml``."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values
from platformdirs import user_data_path

from phone_bridge.assistant import keys
from phone_bridge.assistant.calendar.accounts import Account, opened
from phone_bridge.assistant.keys import VoiceKey
from phone_bridge.errors import Refused, SettingsError
from phone_bridge.legs.sip.dialog import TLS, is_address
from phone_bridge.legs.twilio.rest import MAX_RING_S, MAX_TIME_LIMIT_S
from phone_bridge.outbound.attempt import MODES as AMD_MODES
from phone_bridge.outbound.destinations import dialable, prefixes
from phone_bridge.outbound.policy import zone
from phone_bridge.outbound.targets import Target, targets
from phone_bridge.runtime import api_keys, lines, mcp_servers, sip_trunks
from phone_bridge.runtime.api_keys import ApiKey
from phone_bridge.runtime.lines import Line
from phone_bridge.runtime.mcp_servers import McpServer
from phone_bridge.runtime.sip_trunks import SipTrunk
from phone_bridge.runtime.traces import MODES
from phone_bridge.sessions.realtime.dialect import AUTHENTICATIONS, DETECTIONS
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.tools.web import TAVILY_URL

PREFIX = "PHONE_BRIDGE_"
TOML_FILE = "phone-bridge.toml"
ENV_FILE = ".env"
ROUTES, MENUS = "routes", "menus"
"""The tables of that file which ``tenants`` reads."""
FUNCTION_CALLING = ("openai", "azure-openai", "realtime", "voice-agent")
"""Sessions whose model calls functions, which the bridge runs."""
SESSIONS = ("embedded", "chronapilot", *FUNCTION_CALLING, "voice-sdk")
SESSION_FORMATS = ("", "pcm16", "g711_ulaw")
SHAPES = ("", *Shape)
SIGNATURES = ("require", "warn")
LOG_FORMATS = ("text", "json")
FALLBACKS = ("goodbye", "voicemail")
TRANSFER = "transfer:"
CHRONAPILOT_URL = "https://api.chronapilot.com"
SDK_SOCKET_PATH = "/api/v1/sdk/ws"
MAX_ANSWER_SECONDS = 120
MAX_SESSION_MINUTES = 24 * 60
MAX_PORT = 65_535
MAX_RETENTION_DAYS = 3_650

_URLS = (
    "public_url",
    "osrm_url",
    "tavily_url",
    "twilio_url",
    "speech_url",
    "mind_url",
    "webhook_url",
)
_FOREIGN = ("TAVILY_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER")
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_LOOPBACK_FOR_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - looked up, not bound


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment; a field is the setting ``PHONE_BRIDGE_<NAME>``, or ``TWILIO_<NAME>`` where it says so."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    database_url: str = ""
    api_key: str = ""
    """The operator's own key, good for everything; while it is rotated, the old and the new one between commas."""
    api_keys: tuple[ApiKey, ...] = ()
    """Keys of programs, by their hashes: ``[[api_keys]]`` in ``phone-bridge.toml``."""
    voice_key: str = ""
    """Secret keys of the built-in assistant's API (``sk_test_…``) between commas, for whoever develops against it."""
    voice_keys: tuple[VoiceKey, ...] = ()
    """Keys of that API by their hashes: ``[[voice_keys]]`` in ``phone-bridge.toml``."""
    caldav: tuple[Account, ...] = ()
    """Calendars that the built-in assistant finds on CalDAV servers: ``[[caldav]]`` in ``phone-bridge.toml``."""
    session: str = "embedded"
    session_url: str = ""
    session_key: str = ""
    session_account: str = ""
    """The connected account (``cpa_…``) that a ChronaPilot key acts for."""
    session_format: str = ""
    """``g711_ulaw`` passes the caller's own sound through untouched, ``pcm16`` converts it; empty for what is usual: a
    Realtime session is given G.711, a ChronaPilot session PCM16."""
    session_model: str = ""
    """The model, or Azure's deployment."""
    session_voice: str = ""
    session_instructions: str = ""
    """What a function-calling model is told instead of the bridge's own instructions."""
    session_shape: str = ""
    """How ``realtime`` is spoken: ``ga`` or ``beta`` (which is usual)."""
    session_auth: str = ""
    """How the key is shown: ``bearer``, ``query`` (``?token=``) or ``api-key``; empty for what is usual."""
    session_api_version: str = ""
    """The version of Azure's preview API; without one, its GA API is used."""
    session_turn_detection: str = DETECTIONS[0]
    """How a Realtime session finds the end of a turn: ``server_vad`` or ``semantic_vad``."""
    session_transcriber: str = ""
    """The model (or Azure's deployment) that writes the caller's words down."""
    session_minutes: int = 0
    """How long a Realtime or a voice agent's session lives, where that is not OpenAI's hour."""
    memory: bool = True
    """Whether models are given a memory of each user, which is kept in the database."""
    mcp: tuple[McpServer, ...] = ()
    """Servers whose tools models are given: ``[[mcp]]`` in ``phone-bridge.toml``."""
    tavily_api_key: str = ""
    """Opens the web search; without it no model is offered one."""
    tavily_url: str = TAVILY_URL
    user_id: str = "usr_demo_alice"
    answer_seconds: int = 20
    drain_seconds: int = 600
    max_calls: int = 0
    record: bool = False
    """Whether calls are recorded: both sides, in stereo."""
    record_announce: bool = True
    """Whether a caller is told of it first; then nothing is recorded before they have heard so."""
    recordings_folder: str = ""
    """Where recordings are kept; empty for a folder beside that of the traces."""
    retention_days: int = 30
    """How long after a call's end its words, numbers and recording are kept; 0 is for ever."""
    calls_per_caller: int = 0
    """Live calls of one number at a time; 0 is no cap, since all callers of a company may show one number."""
    destinations: str = ""
    """Prefixes of the countries that may be dialled, between commas; without any, no number is."""
    fallback: str = "goodbye"
    """What a caller gets whom the assistant cannot serve: ``goodbye``, ``voicemail``, or ``transfer:+4930…``."""
    transfers: str = ""
    """Whom callers may be put through to: ``reception=+493012345,sales=queue:sales`` and so on between commas."""
    greeting: str = ""
    language: str = "en"
    prompts: str = ""
    """A folder of WAV files that replace the offline voice, line by line."""
    ear: str = "pocketsphinx"
    """What the built-in assistant hears with: the name of an installed engine."""
    ear_model: str = ""
    """The ear's model: a folder, or a name that the engine knows."""
    voice: str = "espeak-ng"
    """What speaks the bridge's own lines and the built-in assistant's: the name of an installed engine."""
    voice_model: str = ""
    """The voice's model: a file, or a name that the engine knows."""
    speech_url: str = ""
    """Where the ear and the voice named ``openai`` find their service, up to and without ``/v1``."""
    speech_key: str = ""
    mind_url: str = ""
    """An OpenAI-compatible chat service that understands callers in the grammar's place, without its ``/v1``."""
    mind_key: str = ""
    mind_model: str = ""
    auto_confirm: str = ""
    """Tools that a user wants done without asking: ``user:tool`` pairs between commas."""
    stream_signature: str = "require"
    """What an unsigned media WebSocket means once a Twilio token is set: ``require`` refuses it, ``warn`` logs it."""
    traces: str = "failures"
    """Which calls leave a file to replay them by: those that ended with an error (``failures``), ``all``, or none
    (``off``)."""
    traces_folder: str = ""
    """Where those files are kept; empty for the user's data folder."""
    log_format: str = "text"
    """Log lines for people, or as ``json`` for machines that collect them."""
    log_content: bool = False
    """Whether what callers say, their numbers and their keys may be told to whoever collects traces."""
    calls_per_second: int = 1
    """Calls that are begun in a second, over all processes of a database: what the carrier's account allows."""
    outbound_calls: int = 10
    """Outbound calls at a time, over all processes of a database."""
    ring_seconds: int = 30
    """How long somebody is rung."""
    call_minutes: int = 60
    """The longest outbound call."""
    amd: str = "off"
    """How answering machines are looked for in outbound calls: ``off``; before the call is connected by their first
    words (``enable``) or after their message, so that one can be left (``message-end``); or while the assistant speaks
    already (``enable-async``, ``message-end-async``)."""
    timezone: str = ""
    """Where the recipients of reminders are that do not say; empty for the offset of the reminder's time."""
    webhook_url: str = ""
    """Where outcomes of outbound calls and reminders are sent."""
    webhook_secret: str = ""
    """What those webhooks are signed with."""
    chronapilot_webhook_secret: str = ""
    """What ChronaPilot signs its webhooks with; while it is rotated, the old and the new one between commas."""
    user_numbers: str = ""
    """Where users are rung for ChronaPilot's webhooks and the assistant's reminders: ``user:number`` between commas."""
    sip_listen: str = ""
    """Where telephones and trunks reach the bridge by SIP, such as ``udp://0.0.0.0:5060``; more between commas, with
    ``tcp`` and ``tls``, too; empty for nowhere."""
    sip_tls_certificate: str = ""
    """The file (PEM) with the certificate that is shown to whoever calls by TLS, and its chain."""
    sip_tls_key: str = ""
    """The file (PEM) with its key, where that does not stand beside it."""
    sip_tls_authorities: str = ""
    """A file (PEM) with authorities whose certificates are trusted beside the system's when we call by TLS."""
    sip_host: str = ""
    """The address that they are told to send to, where it is not this machine's own: behind NAT."""
    sip_stir_certificates: str = ""
    """A file (PEM) with the certificates by which callers' numbers are vouched for (STIR/SHAKEN)."""
    sip_rtp_ports: str = "16384-32767"
    """The ports that their sound may come to."""
    sip_trunks: tuple[SipTrunk, ...] = ()
    """Who may call by SIP: ``[[sip_trunks]]`` in ``phone-bridge.toml``."""
    lines: tuple[Line, ...] = ()
    """Carriers and PBXs whose calls come as a stream: ``[[lines]]`` in ``phone-bridge.toml``."""
    audiosocket_listen: str = ""
    """Where Asterisk reaches the bridge by AudioSocket, such as ``tcp://127.0.0.1:9092``; empty for nowhere."""
    osrm_url: str = ""
    """The address of an OSRM server that finds ways by car; empty for an estimate from the distance."""
    twilio_url: str = "https://api.twilio.com"
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    """The account's auth token; while it is being rotated, the old and the new one between commas."""
    twilio_phone_number: str = ""

    @property
    def local_url(self) -> str:
        """The address at which this machine reaches the server."""
        return f"http://{_LOOPBACK_FOR_ANY.get(self.host, self.host)}:{self.port}"

    @property
    def base_url(self) -> str:
        """The address that carriers reach, without a slash at its end."""
        return (self.public_url or self.local_url).rstrip("/")

    @property
    def stream_url(self) -> str:
        """The address of the media WebSocket."""
        return "ws" + self.base_url.removeprefix("http") + "/twilio/media"

    @property
    def sdk_socket_url(self) -> str:
        """The address of the Voice SDK's socket, as clients are told it."""
        return "ws" + self.base_url.removeprefix("http") + SDK_SOCKET_PATH

    @property
    def twilio_tokens(self) -> tuple[str, ...]:
        """Every auth token that a signature may be made with."""
        return _list(self.twilio_auth_token)

    @property
    def transfer_to(self) -> str:
        """The number that callers are put through to when the assistant cannot serve them; empty for none."""
        return self.fallback.removeprefix(TRANSFER) if self.fallback.startswith(TRANSFER) else ""

    @property
    def targets(self) -> dict[str, Target]:
        """Whom callers may be put through to, by name."""
        return targets(self.transfers)

    @property
    def operator_keys(self) -> tuple[str, ...]:
        """Every key of the operator's own."""
        return _list(self.api_key)

    @property
    def chronapilot_secrets(self) -> tuple[str, ...]:
        """Every secret that a webhook of ChronaPilot's may be signed with."""
        return _list(self.chronapilot_webhook_secret)

    @property
    def rung(self) -> dict[str, str]:
        """The number of each user who is rung."""
        pairs = (pair.partition(":") for pair in _list(self.user_numbers))
        return {user: number for user, _, number in pairs}

    @property
    def texts(self) -> bool:
        """Whether text messages can be sent."""
        return bool(self.twilio_account_sid and self.twilio_tokens and self.twilio_phone_number)

    @property
    def all_voice_keys(self) -> tuple[VoiceKey, ...]:
        """Every key of the built-in assistant's API but the bridge's own."""
        return (*keys.operators(_list(self.voice_key)), *self.voice_keys)

    @property
    def allowed_prefixes(self) -> tuple[str, ...]:
        """The prefixes of the countries that may be dialled."""
        return prefixes(self.destinations)

    @property
    def sip_domains(self) -> frozenset[str]:
        """The domains whose SIP addresses may be called."""
        return sip_trunks.domains(self.sip_trunks)

    @property
    def transfer_domains(self) -> frozenset[str]:
        """The domains to whose SIP addresses callers by SIP may be put through."""
        return self.sip_domains | {name.lower() for trunk in self.sip_trunks for name in trunk.domains}

    def unasked(self, user_id: str) -> frozenset[str]:
        """Name the tools that ``user_id`` wants done without asking."""
        pairs = (pair.partition(":") for pair in _list(self.auto_confirm))
        return frozenset(tool for user, _, tool in pairs if user == user_id)


_FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}


def load(environ: Mapping[str, str], folder: Path, **overrides: Any) -> Settings:
    """Read the settings as seen from ``folder``; ``overrides`` (the command line's) win. Raises SettingsError."""
    values: dict[str, Any] = dict(_from_toml(folder / TOML_FILE))
    for source in (dotenv_values(folder / ENV_FILE), environ):
        values.update(_from_names(source))
    values.update({name: value for name, value in overrides.items() if value is not None})
    if not values.get("session_key") and values.get("session") == "openai":
        values["session_key"] = environ.get("OPENAI_API_KEY", "")
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        where = str(error).rpartition("$.")[2].rstrip("`")
        raise SettingsError(f"{name_of(where)} is not what it should be: {error}") from None
    _check(settings)
    named = {**dotenv_values(folder / ENV_FILE), **environ}
    traces_folder = settings.traces_folder or str(_data_folder() / "traces")
    return msgspec.structs.replace(
        settings,
        caldav=opened(settings.caldav, named),
        mcp=mcp_servers.opened(settings.mcp, named),
        sip_trunks=sip_trunks.opened(settings.sip_trunks, named),
        lines=lines.opened(settings.lines, named),
        database_url=settings.database_url or _default_database(),
        traces_folder=traces_folder,
        recordings_folder=settings.recordings_folder or str(Path(traces_folder).with_name("recordings")),
    )


def _from_names(source: Mapping[str, str | None]) -> dict[str, str]:
    found = {}
    for name, value in source.items():
        field = name.lower() if name in _FOREIGN else name.removeprefix(PREFIX).lower()
        if value and field in _FIELDS and name == name_of(field):
            found[field] = value
    return found


def _from_toml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file.name} cannot be read: {error}") from None
    for tables in (ROUTES, MENUS):  # tenants reads them
        values.pop(tables, None)
    for key in values:
        if key not in _FIELDS:
            raise SettingsError(f"{file.name} has the key {key!r}, which is no setting: remove it or mend its spelling")
    return values


def name_of(field: str) -> str:
    """Name the setting that fills ``field``."""
    return field.upper() if field.upper() in _FOREIGN else PREFIX + field.upper()


def check_served(settings: Settings, name: Callable[[str], str] = name_of) -> None:
    """Check what calls are given; ``name`` gives the name of a field's setting. Raises SettingsError."""
    _one_of(settings, "session", SESSIONS, name)
    _one_of(settings, "session_format", SESSION_FORMATS, name)
    _one_of(settings, "session_shape", SHAPES, name)
    _one_of(settings, "session_auth", ("", *AUTHENTICATIONS), name)
    _one_of(settings, "session_turn_detection", DETECTIONS, name)
    _between(settings, "session_minutes", 0, MAX_SESSION_MINUTES, name)
    _check_url(settings, "session_url", name)
    _check_session(settings, name)
    _check_fallback(settings, name)
    _check_transfers(settings, name)


def _check(settings: Settings) -> None:
    check_served(settings)
    _one_of(settings, "stream_signature", SIGNATURES)
    _one_of(settings, "log_format", LOG_FORMATS)
    _one_of(settings, "traces", MODES)
    _one_of(settings, "amd", AMD_MODES)
    for field in _URLS:
        _check_url(settings, field)
    _between(settings, "port", 1, MAX_PORT)
    _between(settings, "answer_seconds", 1, MAX_ANSWER_SECONDS)
    _between(settings, "max_calls", 0, 1_000_000)
    _between(settings, "calls_per_caller", 0, 1_000_000)
    _between(settings, "drain_seconds", 0, 86_400)
    _between(settings, "retention_days", 0, MAX_RETENTION_DAYS)
    _between(settings, "calls_per_second", 1, 1_000)
    _between(settings, "outbound_calls", 1, 10_000)
    _between(settings, "ring_seconds", 5, MAX_RING_S)
    _between(settings, "call_minutes", 1, MAX_TIME_LIMIT_S // 60)
    _check_outbound(settings)
    prefixes(settings.destinations)
    api_keys.check(settings.api_keys)
    keys.check(settings.voice_keys)
    keys.is_live(settings.all_voice_keys)
    if bool(settings.mind_url) != bool(settings.mind_model):
        raise SettingsError("PHONE_BRIDGE_MIND_URL and PHONE_BRIDGE_MIND_MODEL go together: set both, or neither")
    _check_sip(settings)
    _check_audiosocket(settings)
    if settings.prompts and not Path(settings.prompts).is_dir():
        raise SettingsError("PHONE_BRIDGE_PROMPTS must name a folder of WAV files, and that folder does not exist")
    for pair in _list(settings.auto_confirm):
        if not all(part.strip() for part in pair.partition(":")):
            raise SettingsError("PHONE_BRIDGE_AUTO_CONFIRM holds user:tool pairs, such as usr_demo_alice:create_event")


def _check_outbound(settings: Settings) -> None:
    try:
        if settings.timezone:
            zone(settings.timezone)
        for number in settings.rung.values():
            dialable(number)
    except Refused as error:
        name = "timezone" if error.code == "unknown_timezone" else "user_numbers"
        raise SettingsError(f"{name_of(name)} cannot work. {error}") from None
    if settings.webhook_url and not settings.webhook_secret:
        raise SettingsError("PHONE_BRIDGE_WEBHOOK_URL needs PHONE_BRIDGE_WEBHOOK_SECRET to sign its webhooks with")


_NEEDED = {
    "chronapilot": {"session_key": "its secret key"},
    "openai": {"session_key": "its API key (OPENAI_API_KEY will do)"},
    "azure-openai": {
        "session_url": "the resource's address, such as https://name.openai.azure.com",
        "session_key": "its key",
        "session_model": "the name of the deployment",
    },
    "realtime": {"session_url": "the gateway's address, such as https://gateway.example"},
    "voice-agent": {
        "session_url": "the address of the voice agent's server, such as https://agent.example",
        "session_key": "its bearer token, or cookie: and a cookie",
    },
    "voice-sdk": {"session_url": "the address of the SDK's server", "session_key": "its API key"},
}


def _check_session(settings: Settings, name: Callable[[str], str]) -> None:
    for field, what in _NEEDED.get(settings.session, {}).items():
        if not getattr(settings, field):
            raise SettingsError(f"{name('session')} is {settings.session}, so {name(field)} must hold {what}")


def _check_fallback(settings: Settings, name: Callable[[str], str]) -> None:
    number = settings.transfer_to
    if settings.fallback not in FALLBACKS and not _E164.fullmatch(number):
        raise SettingsError(
            f"{name('fallback')} must be goodbye, voicemail, or transfer: and a number such as transfer:+493012345, "
            f"not {settings.fallback!r}"
        )
    if number and number == settings.twilio_phone_number:
        raise SettingsError(
            f"{name('fallback')} puts callers through to TWILIO_PHONE_NUMBER, so they would come back here for ever: "
            "name the number of a person"
        )
    try:
        if number:
            dialable(number)
    except Refused as error:
        raise SettingsError(f"{name('fallback')} cannot put callers through. {error}") from None


def _check_transfers(settings: Settings, name: Callable[[str], str]) -> None:
    try:
        found = settings.targets
    except SettingsError as error:
        raise SettingsError(f"{name('transfers')}: {error}") from None
    ours = settings.twilio_phone_number
    if ours and any(target.address == ours for target in found.values()):
        raise SettingsError(
            f"{name('transfers')} puts callers through to TWILIO_PHONE_NUMBER, so they would come back here for ever: "
            "name the number of a person"
        )


def _check_sip(settings: Settings) -> None:
    if not settings.sip_listen:
        if any(trunk.calls_out for trunk in settings.sip_trunks):
            raise SettingsError("a trunk of [[sip_trunks]] calls out, and PHONE_BRIDGE_SIP_LISTEN says from where")
        return
    places = sip_trunks.listening(settings.sip_listen)
    if any(where.transport == TLS for where in places) and not settings.sip_tls_certificate:
        raise SettingsError("PHONE_BRIDGE_SIP_LISTEN with tls needs PHONE_BRIDGE_SIP_TLS_CERTIFICATE to show")
    sip_trunks.check_proxies(settings.sip_trunks, places)
    sip_trunks.rtp_ports(settings.sip_rtp_ports)
    if not settings.sip_trunks:
        raise SettingsError("PHONE_BRIDGE_SIP_LISTEN lets nobody in yet: name who may call in [[sip_trunks]]")
    if settings.sip_host and not is_address(settings.sip_host):
        raise SettingsError(f"PHONE_BRIDGE_SIP_HOST must be an address such as 203.0.113.7, not {settings.sip_host!r}")


def _check_audiosocket(settings: Settings) -> None:
    if not settings.audiosocket_listen:
        return
    lines.listening(settings.audiosocket_listen)
    if not any(line.kind == lines.AUDIOSOCKET for line in settings.lines):
        raise SettingsError("PHONE_BRIDGE_AUDIOSOCKET_LISTEN lets nobody in yet: name who may connect in [[lines]]")


def _one_of(settings: Settings, field: str, choices: tuple[str, ...], name: Callable[[str], str] = name_of) -> None:
    if getattr(settings, field) not in choices:
        raise SettingsError(f"{name(field)} must be one of {', '.join(choices)}, not {getattr(settings, field)!r}")


def _between(settings: Settings, field: str, least: int, most: int, name: Callable[[str], str] = name_of) -> None:
    if not least <= getattr(settings, field) <= most:
        raise SettingsError(f"{name(field)} must be {least} to {most}, not {getattr(settings, field)}")


def _check_url(settings: Settings, field: str, name: Callable[[str], str] = name_of) -> None:
    url = getattr(settings, field)
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise SettingsError(f"{name(field)} must be http(s)://host[:port] without a query, not {url!r}")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _default_database() -> str:
    folder = _data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the folder {folder} cannot be made ({error.strerror}): set PHONE_BRIDGE_DATABASE_URL, or mend its rights"
        ) from None
    return f"sqlite:///{folder / 'phone_bridge.sqlite3'}"


def _data_folder() -> Path:
    try:
        return user_data_path("phone_bridge")
    except RuntimeError:  # a user without a home, as in a small container
        raise SettingsError(
            "this user has no home folder: set PHONE_BRIDGE_DATABASE_URL and PHONE_BRIDGE_TRACES_FOLDER"
        ) from None

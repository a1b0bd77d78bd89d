"""Minting, opening and leaving a ChronaPilot session, as values of HTTP."""

import re
from datetime import datetime
from urllib.parse import quote, urlsplit

import msgspec

from phone_bridge.audio.format import Format
from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, SettingsError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.sessions.chronapilot import outcomes
from phone_bridge.sessions.chronapilot.client import ChronaPilotWire
from phone_bridge.sessions.chronapilot.messages import OUTPUT_FORMATS, ErrorBody, SessionSettings
from phone_bridge.sessions.dialect import Ticket

API_VERSION = "2026-05-20"
"""The edition of the API that this dialect was written from."""

SCOPES = ("calendars:read", "events:read", "events:write", "alerts:read")
"""What the 26 tools need, as far as the product documents its scopes."""

MIN_TTL_SECONDS = 30
"""Shortest life of a session, in seconds; undocumented, so a proposal of this house."""

MAX_TTL_SECONDS = 1800
"""Longest life that a session may be minted with, in seconds."""

_TOO_MANY_REQUESTS = 429
_CONFLICT = 409
_SERVER_ERRORS = 500
_CLIENT_ERRORS = 400
_SUCCESS = range(200, 300)
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_CODE = re.compile(r"[a-z0-9_]{1,64}")


class _Minted(msgspec.Struct):
    id: str
    session_token: str
    created_at: str = ""
    expires_at: str = ""


class _Envelope(msgspec.Struct):
    error: ErrorBody


_read_minted = msgspec.json.Decoder(_Minted).decode
_read_envelope = msgspec.json.Decoder(_Envelope).decode
_write = msgspec.json.Encoder().encode


class ChronaPilot(msgspec.Struct, frozen=True, kw_only=True):
    """ChronaPilot's voice sessions for one user; ``base_url`` is the API's address without a path.

    Empty ``account``, ``version``, ``voice`` and ``model``, and no ``tools``, are left out of what is sent.
    """

    base_url: str
    key: str
    user_id: str
    account: str = ""
    scopes: tuple[str, ...] = SCOPES
    ttl_seconds: int = MAX_TTL_SECONDS
    voice: str = ""
    model: str = ""
    tools: tuple[str, ...] = ()
    output_format: str = "pcm16"
    confirm: str = ""
    """What the built-in assistant, which this dialect opens too, has to ask for; an addition of its own."""
    version: str = API_VERSION

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
            raise SettingsError("the ChronaPilot session's URL must be http(s)://host[:port] without a path")
        if not self.key:
            raise SettingsError("the ChronaPilot session needs its secret key")
        if not self.user_id:
            raise SettingsError("the ChronaPilot session needs the id of the user whose calendar it opens")
        if not MIN_TTL_SECONDS <= self.ttl_seconds <= MAX_TTL_SECONDS:
            raise SettingsError(f"a ChronaPilot session lives {MIN_TTL_SECONDS} to {MAX_TTL_SECONDS} seconds")
        if self.output_format not in OUTPUT_FORMATS:
            raise SettingsError(f"a ChronaPilot session's output format is one of {', '.join(OUTPUT_FORMATS)}")

    def __repr__(self) -> str:
        return f"ChronaPilot(base_url={self.base_url!r}, user_id={self.user_id!r})"

    def mint(self, nonce: str) -> Request:
        """Ask for a session; ``nonce`` is the Idempotency-Key, so a repeated request pays for one session."""
        body: dict[str, object] = {"user_id": self.user_id, "scopes": self.scopes, "ttl_seconds": self.ttl_seconds}
        if self.confirm:
            body["confirm"] = self.confirm
        headers = {"Content-Type": "application/json", "Idempotency-Key": nonce}
        return Request(method="POST", url=self._url(), headers=self._headers() | headers, body=_write(body))

    def minted(self, response: Response | None) -> Ticket:
        """Read the answer to ``mint``; raises Unavailable (429, 5xx, a request under way), Refused or RemoteError."""
        if response is None:
            raise LocalError("ChronaPilot's sessions are minted, but no answer was handed in")
        if response.status not in _SUCCESS:
            raise _failure(response)
        try:
            minted = _read_minted(response.body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise RemoteError("ChronaPilot's answer to the mint is not a session", code="invalid_mint") from None
        if not minted.session_token or not _SESSION_ID.fullmatch(minted.id):
            raise RemoteError("ChronaPilot minted a session without a usable id and token", code="invalid_mint")
        socket = "ws" + self.base_url.rstrip("/").removeprefix("http")
        url = f"{socket}/v1/voice/realtime?session={quote(minted.session_token, safe='')}"
        return Ticket(url=url, session_id=minted.id, life_ms=self._life_ms(minted))

    def _life_ms(self, minted: "_Minted") -> int:
        """Take the shorter of the life that was asked for and the one that the answer tells by its own clock."""
        asked = self.ttl_seconds * 1000
        try:
            told = datetime.fromisoformat(minted.expires_at) - datetime.fromisoformat(minted.created_at)
        except (ValueError, TypeError):
            return asked
        told_ms = int(told.total_seconds() * 1000)
        return min(asked, told_ms) if told_ms > 0 else asked

    def look_up(self, action: Action) -> Request | None:
        """Ask for the event that ``action`` was to change; None where no single event shows it."""
        event_id = outcomes.event_of(action)
        if not event_id:
            return None
        return Request(method="GET", url=f"{self._base()}/v1/events/{event_id}", headers=self._headers())

    def looked_up(self, action: Action, response: Response) -> str:
        """Say whether the event is as ``action`` was to make it."""
        return outcomes.outcome(action, response)

    def farewell(self, ticket: Ticket) -> Request:
        """Delete the session, so that it cannot be opened again."""
        return Request(method="DELETE", url=f"{self._url()}/{ticket.session_id}", headers=self._headers())

    def wire(self, leg: Format) -> ChronaPilotWire:
        """Make the translator for a freshly opened socket."""
        settings = SessionSettings(
            model=self.model or None,
            voice=self.voice or None,
            tools=self.tools or None,
            output_format=self.output_format,
        )
        return ChronaPilotWire(leg, settings)

    def _base(self) -> str:
        return self.base_url.rstrip("/")

    def _url(self) -> str:
        return self._base() + "/v1/voice/sessions"

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.key}"}
        if self.version:
            headers["Chronapilot-Version"] = self.version
        if self.account:
            headers["Chronapilot-Account"] = self.account
        return headers


def _failure(response: Response) -> BridgeError:
    """Turn an error's status, envelope and Retry-After into ours; a body that is no envelope changes nothing else."""
    error = _error_of(response.body)
    code = error.code if error.code and _CODE.fullmatch(error.code) else f"http_{response.status}"
    message = f"ChronaPilot answered the mint with {response.status} ({code})"
    retry_after_ms = _retry_after_ms(response, error)
    may_pass = response.status == _TOO_MANY_REQUESTS or response.status >= _SERVER_ERRORS
    if may_pass or (response.status == _CONFLICT and retry_after_ms is not None):  # the first one still runs
        return Unavailable(message, code=code, retry_after_ms=retry_after_ms)
    if response.status >= _CLIENT_ERRORS:
        return Refused(message, code=code)
    return RemoteError(message, code="unexpected_status")


def _error_of(body: bytes) -> ErrorBody:
    try:
        return _read_envelope(body).error
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ErrorBody()


def _retry_after_ms(response: Response, error: ErrorBody) -> int | None:
    """Take the header's whole seconds, or else the envelope's; a date or nonsense counts as silence."""
    header = response.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return int(header[:9]) * 1000
    seconds = error.retry_after_seconds
    return int(seconds * 1000) if seconds is not None and 0 <= seconds < 10**9 else None

"""The Realtime door of the built-in assistant: client secrets over HTTP, and sessions on sockets, GA and beta."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import UNSET

from phone_bridge.assistant import client_secrets
from phone_bridge.assistant.client_secrets import Agreed
from phone_bridge.assistant.minting import MAX_BODY_BYTES, MAX_NAME_CHARS, SCOPES
from phone_bridge.assistant.performer import Clocks, Faculties, Grant
from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.session import Peer, VoiceSession
from phone_bridge.exchange import Response
from phone_bridge.sessions.realtime.messages import InvalidMessage
from phone_bridge.sessions.realtime.names import INVALID_KEY, MAX_SESSION_MINUTES, RATE_LIMITED, Shape
from phone_bridge.sessions.realtime.server import DEFAULTS, Identity, RealtimeKeeper, check, settle
from phone_bridge.sessions.realtime.settings import Settings, read, write

DEFAULT_SECONDS = 600
"""How long a client secret can open sessions, where nothing else is asked for."""

MIN_SECONDS, MAX_SECONDS = 10, 7_200
"""Shortest and longest life of a client secret."""

MAX_LIVE = 100
"""Sessions that may be live in one process."""

MAX_MODEL_CHARS = 128
"""How much of a model's name is kept."""

_PREFIXES = {"rsp": "resp"}  # what the protocol calls otherwise than the house
_STATUSES = {
    "authentication_failed": 401,
    "session_token_expired": 401,
    "rate_limit_exceeded": 429,
    "payload_too_large": 413,
}
_CODES = {
    "authentication_failed": INVALID_KEY,
    "session_token_expired": INVALID_KEY,
    "rate_limit_exceeded": RATE_LIMITED,
    "invalid_parameter": "invalid_value",
}


class _Expiry(msgspec.Struct):
    anchor: str = "created_at"
    seconds: int = DEFAULT_SECONDS


class _SecretWish(msgspec.Struct):
    expires_after: _Expiry | None = None


class _Wish(msgspec.Struct):
    """The body of a mint: GA's ``expires_after`` and ``session``, or the beta's ``client_secret`` beside its fields."""

    expires_after: _Expiry | None = None
    client_secret: _SecretWish | None = None
    session: dict[str, Any] = {}


class RealtimeDoor:
    """All Realtime sessions of one process; ``secret`` signs client secrets, ``user_id`` is whose calendar it is."""

    def __init__(
        self,
        faculties: Faculties,
        clocks: Clocks,
        *,
        secret: bytes,
        user_id: str,
        new_id: Callable[[str], str],
    ) -> None:
        self._faculties = faculties
        self._clocks = clocks
        self._secret = secret
        self._user_id = user_id
        self._new_id = new_id
        self._live: set[VoiceSession] = set()

    @property
    def live(self) -> int:
        """How many sessions are live."""
        return len(self._live)

    # HTTP

    def mint(self, body: bytes, shape: Shape) -> Response:
        """Answer ``POST /v1/realtime/client_secrets`` (GA), or the beta's ``POST /v1/realtime/sessions``."""
        try:
            return self._mint(_parsed(body), shape)
        except (Problem, InvalidMessage) as error:
            return refusal(error)

    def _mint(self, given: dict[str, Any], shape: Shape) -> Response:
        try:
            wish = msgspec.convert(given, _Wish)
        except msgspec.ValidationError as error:
            raise Problem(f"the body cannot be used: {error}", code="invalid_parameter") from None
        ga = shape is Shape.GA
        expiry = wish.expires_after if ga else wish.client_secret and wish.client_secret.expires_after
        seconds = _seconds(expiry or _Expiry())
        session = wish.session if ga else {key: value for key, value in given.items() if key != "client_secret"}
        settings = read(session, shape)
        check(settings)
        now = int(self._clocks.wall().timestamp())
        metadata = session.get("metadata")
        agreed = Agreed(
            user_id=_user_in(metadata) or self._user_id,
            expires_at=now + seconds,
            created_at=now,
            session=write(settings, Shape.GA),
        )
        value = client_secrets.write(agreed, self._secret)
        shown = settle(_named(settings), settings)
        state = write(msgspec.structs.replace(shown, id=self._new_id("sess"), expires_at=0), shape, state=True)
        if ga:
            return _json({"value": value, "expires_at": agreed.expires_at, "session": state})
        return _json({**state, "client_secret": {"value": value, "expires_at": agreed.expires_at}})

    # Sockets

    def open(self, secret: str, shape: Shape, query: Mapping[str, str]) -> VoiceSession | Response:
        """Admit a socket: a session to ``serve``, or what to refuse the handshake with.

        ``secret`` is a client secret, or "" where a key of the API's was shown, whose holder may name a ``user_id``.
        """
        try:
            agreed = self._agreed(secret, query)
        except Problem as problem:
            return refusal(problem)
        now = self._clocks.wall()
        expires_at = now + timedelta(minutes=MAX_SESSION_MINUTES)
        identity = Identity(self._new_id("sess"), self._new_id("conv"), int(expires_at.timestamp()))
        settings = read(agreed.session, Shape.GA)
        if settings.model is UNSET and query.get("model"):
            settings = msgspec.structs.replace(settings, model=query["model"][:MAX_MODEL_CHARS])
        grant = Grant(
            session_id=identity.session_id,
            user_id=agreed.user_id,
            tools=self._faculties.tools.allowed(SCOPES),
            expires_at=expires_at,
            until=self._clocks.now() + MAX_SESSION_MINUTES * 60_000,
        )
        keeper = RealtimeKeeper(shape, identity, self._named_id, settings)
        return VoiceSession(grant, self._faculties, self._clocks, self._named_id, keeper)

    def _agreed(self, secret: str, query: Mapping[str, str]) -> Agreed:
        if len(self._live) >= MAX_LIVE:
            raise Problem(f"{MAX_LIVE} sessions are live", code="rate_limit_exceeded")
        if secret:
            return client_secrets.read(secret, self._secret, self._clocks.wall())
        user_id = query.get("user_id", "")
        if len(user_id) > MAX_NAME_CHARS:
            raise Problem("user_id is too long", code="invalid_parameter", param="user_id")
        return Agreed(user_id=user_id or self._user_id, expires_at=0, created_at=0)

    async def serve(self, session: VoiceSession, peer: Peer) -> None:
        """Be an admitted session on its socket until that is gone."""
        self._live.add(session)
        try:
            await session.serve(peer)
        finally:
            self._live.discard(session)

    def close(self) -> None:
        """End every live session, because the server stops."""
        for session in list(self._live):
            session.end("server_shutdown")

    def _named_id(self, prefix: str) -> str:
        return self._new_id(_PREFIXES.get(prefix, prefix))


def refusal(error: Problem | InvalidMessage) -> Response:
    """Write an error as the Realtime API does over HTTP."""
    code = _CODES.get(error.code, error.code)
    body = {"type": "invalid_request_error", "code": code, "message": str(error)}
    if error.param:
        body["param"] = error.param
    return _json({"error": body}, _STATUSES.get(error.code, 400))


def _parsed(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise Problem(f"the body holds more than {MAX_BODY_BYTES} bytes", code="payload_too_large")
    try:
        parsed: dict[str, Any] = msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Problem("the body is not a JSON object", code="invalid_json") from None
    return parsed


def _seconds(expiry: _Expiry) -> int:
    if expiry.anchor != "created_at":
        raise Problem("the anchor is created_at", code="invalid_parameter", param="expires_after.anchor")
    if not MIN_SECONDS <= expiry.seconds <= MAX_SECONDS:
        raise Problem(
            f"a client secret lives {MIN_SECONDS} to {MAX_SECONDS} seconds",
            code="invalid_parameter",
            param="expires_after.seconds",
        )
    return expiry.seconds


def _user_in(metadata: Any) -> str:
    user_id = metadata.get("user_id", "") if isinstance(metadata, dict) else ""
    if not isinstance(user_id, str) or len(user_id) > MAX_NAME_CHARS:
        raise Problem("user_id is no text, or too long", code="invalid_parameter", param="session.metadata.user_id")
    return user_id


def _named(settings: Settings) -> Settings:
    return DEFAULTS if settings.model is UNSET else msgspec.structs.replace(DEFAULTS, model=settings.model)


def _json(thing: Any, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=msgspec.json.encode(thing))

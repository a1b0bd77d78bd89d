"""The embedded voice service behind its routes: keys, sessions, tokens and limits, in ChronaPilot's dialect.

``mint``, ``get`` and ``delete`` answer HTTP requests as values. A WebSocket is admitted before its handshake is
answered: ``open`` gives a session, or the response to refuse it with; ``serve`` is then the whole of the socket.
PROTOCOL.md says what this server does where the product's documents are silent.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

import msgspec

from phone_bridge.assistant import tokens
from phone_bridge.assistant.limits import RollingLimit
from phone_bridge.assistant.minting import ApiKey, MintRequest, checked, name_in, parse, random_id
from phone_bridge.assistant.performer import Clocks, Faculties, Grant
from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.replays import Replays
from phone_bridge.assistant.session import Peer, VoiceSession
from phone_bridge.errors import Refused, SettingsError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot.keeper import ChronaPilotKeeper
from phone_bridge.tools.keeper import Event

MINTS_PER_HOUR = 60
"""Sessions that may be minted for one user in an hour."""

SOCKETS_PER_KEY = 10
"""Sessions that may be live at a time with one key."""

KEPT = timedelta(hours=1)
"""How long a session can still be looked up after its time."""

_HOUR_MS = 3600 * 1000


class _Record(msgspec.Struct, kw_only=True):
    """A minted session; ``live`` while a socket serves it."""

    id: str
    user_id: str
    scopes: tuple[str, ...]
    key: ApiKey
    account: str
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str = ""
    deleted: bool = False
    live: VoiceSession | None = None


class VoiceService:
    """All sessions of one process; ``secret`` signs their tokens."""

    def __init__(
        self,
        keys: Sequence[ApiKey],
        faculties: Faculties,
        clocks: Clocks,
        *,
        secret: bytes,
        new_id: Callable[[str], str] = random_id,
    ) -> None:
        if len(secret) < tokens.MIN_SECRET_BYTES:
            raise SettingsError(f"the secret of session tokens needs {tokens.MIN_SECRET_BYTES} bytes or more")
        self._keys = tuple(keys)
        self._faculties = faculties
        self._clocks = clocks
        self._secret = secret
        self._new_id = new_id
        self._records: dict[str, _Record] = {}
        self._mints = RollingLimit(MINTS_PER_HOUR, _HOUR_MS)
        self._replays = Replays()

    # HTTP; header names are lower case

    def mint(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer ``POST /v1/voice/sessions``."""
        try:
            key = self._key(headers)
            account = name_in(headers, "chronapilot-account")
            name = name_in(headers, "idempotency-key")
            wish = parse(body)
            if not name:
                return self._mint(key, account, wish)
            return self._mint_once((key.name, account, name), key, account, wish)
        except Problem as problem:
            return problem.response(self._new_id("req"))

    def get(self, headers: Mapping[str, str], session_id: str) -> Response:
        """Answer ``GET /v1/voice/sessions/{id}``."""
        try:
            return _json(200, self._shown(self._find(headers, session_id)))
        except Problem as problem:
            return problem.response(self._new_id("req"))

    def delete(self, headers: Mapping[str, str], session_id: str) -> Response:
        """Answer ``DELETE /v1/voice/sessions/{id}``: end the session for good; again is no error."""
        try:
            record = self._find(headers, session_id)
        except Problem as problem:
            return problem.response(self._new_id("req"))
        record.deleted = True
        if record.live is not None:
            record.live.leave(4410, "api_close")
        self._close(record, "api_close")
        return _json(200, self._shown(record))

    async def event(
        self, headers: Mapping[str, str], event_id: str, find: Callable[[str], Awaitable[Event]]
    ) -> Response:
        """Answer ``GET /v1/events/{id}`` with what ``find`` gives: how a client sees what came of an action."""
        try:
            self._key(headers)
            return _json(200, await find(event_id))
        except Problem as problem:
            return problem.response(self._new_id("req"))
        except Refused:
            return Problem("there is no such event", code="resource_missing", param="id").response(self._new_id("req"))
        except Unavailable as error:
            return Problem(str(error), code="service_unavailable").response(self._new_id("req"))

    # Sockets

    def open(self, token: str) -> VoiceSession | Response:
        """Admit a socket to ``WS /v1/voice/realtime``: a session to ``serve``, or what to refuse the handshake with."""
        try:
            record = self._admit(token)
        except Problem as problem:
            return problem.response(self._new_id("req"))
        left = record.expires_at - self._clocks.wall()
        grant = Grant(
            session_id=record.id,
            user_id=record.user_id,
            tools=self._faculties.tools.allowed(frozenset(record.scopes)),
            expires_at=record.expires_at,
            until=self._clocks.now() + left // timedelta(milliseconds=1),
        )
        keeper = ChronaPilotKeeper(self._new_id)
        return VoiceSession(grant, self._faculties, self._clocks, self._new_id, keeper)

    def _admit(self, token: str) -> _Record:
        record = self._records.get(tokens.read(token, self._secret, self._clocks.wall()).sid)
        if record is None:
            raise Problem("the token's session is not known here", code="authentication_failed", param="session")
        if record.deleted:
            raise Problem("the session was deleted", code="session_closed", param="session")
        if record.key.limited and self._live(record.key, record) >= SOCKETS_PER_KEY:
            raise Problem(f"{SOCKETS_PER_KEY} sessions of that key are live", code="rate_limit_exceeded")
        return record

    async def serve(self, session: VoiceSession, peer: Peer) -> None:
        """Be an admitted session on its socket until that is gone; a newer socket of the same session ends it."""
        record = self._records[session.id]
        if record.live is not None:
            record.live.leave(4009, "superseded")
        record.live = session
        record.opened_at = record.opened_at or self._clocks.wall()
        record.closed_at, record.closed_reason = None, ""
        try:
            await session.serve(peer)
        finally:
            if record.live is session:
                record.live = None
                self._close(record, session.close_reason)

    def close(self) -> None:
        """End every live session, because the server stops."""
        for record in self._records.values():
            if record.live is not None:
                record.live.leave(1001, "server_shutdown")

    # Minting

    def _mint_once(self, name: tuple[str, ...], key: ApiKey, account: str, wish: Any) -> Response:
        """Mint, or answer as the same request was answered before."""
        canonical = msgspec.json.encode(wish, order="sorted")
        now = self._clocks.now()
        response = self._replays.find(name, canonical, now)
        if response is None:
            try:
                response = self._mint(key, account, wish)
            except Problem as problem:
                response = problem.response(self._new_id("req"))
            self._replays.keep(name, canonical, response, now)
        return response

    def _mint(self, key: ApiKey, account: str, wish: Any) -> Response:
        request = checked(wish)
        if key.limited:
            wait_ms = self._mints.wait_ms(request.user_id, self._clocks.now())
            if wait_ms:
                raise Problem(
                    f"{MINTS_PER_HOUR} sessions were minted for that user within an hour",
                    code="rate_limit_exceeded",
                    retry_after_seconds=-(-wait_ms // 1000),
                )
        record = self._enter(key, account, request)
        claims = tokens.Claims(
            sid=record.id,
            sub=record.user_id,
            scp=record.scopes,
            iat=int(record.created_at.timestamp()),
            exp=int(record.expires_at.timestamp()),
            jti=self._new_id("jti"),
            act=account,
        )
        session_token = tokens.sign(claims, self._secret)
        return _json(201, {**self._shown(record), "session_token": session_token})

    def _enter(self, key: ApiKey, account: str, request: MintRequest) -> _Record:
        now = self._clocks.wall()
        self._forget(now)
        created_at = now.replace(microsecond=0)  # a token counts in whole seconds
        record = _Record(
            id=self._new_id("hub"),
            user_id=request.user_id,
            scopes=request.scopes,
            key=key,
            account=account,
            created_at=created_at,
            expires_at=created_at + timedelta(seconds=request.ttl_seconds),
        )
        self._records[record.id] = record
        return record

    def _forget(self, now: datetime) -> None:
        """Let go of what ended long ago; the oldest come first."""
        while self._records:
            oldest = next(iter(self._records.values()))
            if oldest.live is not None or now < oldest.expires_at + KEPT:
                return
            del self._records[oldest.id]

    # Keys and records

    def _key(self, headers: Mapping[str, str]) -> ApiKey:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer":
            for key in self._keys:  # each is compared, whatever was found, so that time tells nothing
                found = key if compare_digest(key.secret.encode(), given.strip().encode()) else found
        if found is None:
            raise Problem("the API key is missing or not valid here", code="authentication_failed")
        return found

    def _find(self, headers: Mapping[str, str], session_id: str) -> _Record:
        key = self._key(headers)
        record = self._records.get(session_id)
        if record is None or record.key != key:
            raise Problem("there is no such voice session", code="resource_missing", param="id")
        return record

    def _live(self, key: ApiKey, apart_from: _Record) -> int:
        return sum(
            each.live is not None and each.key == key and each is not apart_from for each in self._records.values()
        )

    def _close(self, record: _Record, reason: str) -> None:
        if record.closed_at is None:
            record.closed_at, record.closed_reason = self._clocks.wall(), reason

    def _shown(self, record: _Record) -> dict[str, Any]:
        """Write a session as the API shows it; its token is never shown again."""
        shown: dict[str, Any] = {
            "id": record.id,
            "object": "voice_session",
            "user_id": record.user_id,
            "scopes": record.scopes,
            "status": self._status(record),
            "created_at": _written(record.created_at),
            "expires_at": _written(record.expires_at),
            "livemode": False,
        }
        if record.account:
            shown["connected_account_id"] = record.account
        if record.opened_at is not None:
            shown["opened_at"] = _written(record.opened_at)
        if record.closed_at is not None:
            shown["closed_at"] = _written(record.closed_at)
            shown["closed_reason"] = record.closed_reason
            began = record.opened_at or record.closed_at
            shown["duration_seconds"] = (record.closed_at - began) // timedelta(seconds=1)
        return shown

    def _status(self, record: _Record) -> str:
        if record.closed_at is not None:
            return "expired" if record.closed_reason == "expired" else "closed"
        if record.live is not None:
            return "open"
        return "expired" if self._clocks.wall() >= record.expires_at else "pending"


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _json(status: int, thing: Any) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=msgspec.json.encode(thing))

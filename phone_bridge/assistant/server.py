"""The embedded voice service behind its routes: keys, sessions, tokens and limits, in ChronaPilot's dialect.

``mint``, ``get`` and ``delete`` answer HTTP requests as values. A WebSocket is admitted before its handshake is
answered: ``open`` gives a session, or the response to refuse it with; ``serve`` is then the whole of the socket.
PROTOCOL.md says what this server does where the product's documents are silent.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from phone_bridge.assistant import tokens
from phone_bridge.assistant.front import Asked, Caller, Front, Visit
from phone_bridge.assistant.keeping import KEPT_MS, KeptTalk
from phone_bridge.assistant.keys import Keyring, VoiceKey
from phone_bridge.assistant.limits import RollingLimit
from phone_bridge.assistant.minting import MintRequest, checked, permit, random_id
from phone_bridge.assistant.performer import Clocks, Faculties, Grant
from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.session import Peer, VoiceSession
from phone_bridge.assistant.webhooks import Happening
from phone_bridge.errors import SettingsError
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot.keeper import ChronaPilotKeeper
from phone_bridge.sessions.serving import Acted

SESSIONS = "/v1/voice/sessions"

MINTS_PER_HOUR = 60
"""Sessions that may be minted for one user in an hour."""

SOCKETS_PER_KEY = 10
"""Sessions that may be live at a time with one key."""

KEPT = timedelta(hours=1)
"""How long a session can still be looked up after its time."""

_HOUR_MS = 3600 * 1000
_LOST = ("error", "client_close")  # those who may come back


class _Record(msgspec.Struct, kw_only=True):
    """A minted session; ``live`` while a socket serves it."""

    id: str
    user_id: str
    scopes: tuple[str, ...]
    key: VoiceKey
    account: str
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str = ""
    deleted: bool = False
    live: VoiceSession | None = None
    talk: KeptTalk
    told: bool = False
    """Whether webhooks take the session for going on."""
    openings: int = 0
    farewell: asyncio.TimerHandle | None = None


class VoiceService:
    """All sessions of one process; ``secret`` signs their tokens."""

    def __init__(
        self,
        keys: Sequence[VoiceKey],
        faculties: Faculties,
        clocks: Clocks,
        *,
        secret: bytes,
        new_id: Callable[[str], str] = random_id,
        tell: Callable[[Happening], None] = lambda happening: None,
    ) -> None:
        if len(secret) < tokens.MIN_SECRET_BYTES:
            raise SettingsError(f"the secret of session tokens needs {tokens.MIN_SECRET_BYTES} bytes or more")
        self._faculties = msgspec.structs.replace(faculties, acted=self._acted)
        self._clocks = clocks
        self._secret = secret
        self._new_id = new_id
        self._tell = tell
        self._records: dict[str, _Record] = {}
        self._mints = RollingLimit(MINTS_PER_HOUR, _HOUR_MS)
        self.front = Front(Keyring(keys), clocks, new_id)

    # HTTP; header names are lower case

    def mint(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer ``POST /v1/voice/sessions``."""
        with self.front.visit(Asked(endpoint=f"POST {SESSIONS}", headers=headers, body=body)) as visit:
            caller = visit.admit("")
            wish = visit.body()
            if visit.is_new(wish):
                self._mint(visit, caller, wish)
        return visit.response

    def get(self, headers: Mapping[str, str], session_id: str) -> Response:
        """Answer ``GET /v1/voice/sessions/{id}``."""
        with self.front.visit(Asked(endpoint=f"GET {SESSIONS}/{{id}}", headers=headers)) as visit:
            visit.answer(self._shown(self._find(visit.admit(""), session_id)))
        return visit.response

    def delete(self, headers: Mapping[str, str], session_id: str) -> Response:
        """Answer ``DELETE /v1/voice/sessions/{id}``: end the session for good; again is no error."""
        with self.front.visit(Asked(endpoint=f"DELETE {SESSIONS}/{{id}}", headers=headers)) as visit:
            record = self._find(visit.admit(""), session_id)
            record.deleted = True
            if record.live is not None:
                record.live.leave(4410, "api_close")
            self._close(record, "api_close")
            visit.answer(self._shown(record))
        return visit.response

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
        faculties = msgspec.structs.replace(self._faculties, mind=record.talk)
        return VoiceSession(grant, faculties, self._clocks, self._new_id, ChronaPilotKeeper(self._new_id))

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
            record.talk.leave(over=False)
        record.live = session
        record.opened_at = record.opened_at or self._clocks.wall()
        record.closed_at, record.closed_reason = None, ""
        self._tell_start(record)
        try:
            await session.serve(peer)
        finally:
            if record.live is session:
                record.live = None
                record.talk.leave(over=session.close_reason == "completed")
                self._close(record, session.close_reason)

    def close(self) -> None:
        """End every live session, because the server stops."""
        for record in self._records.values():
            if record.live is not None:
                record.live.leave(1001, "server_shutdown")
                self._close(record, "server_shutdown")
            self._tell_end(record)

    # Webhooks

    def _tell_start(self, record: _Record) -> None:
        if record.farewell is not None:  # who was lost has come back
            record.farewell.cancel()
            record.farewell = None
        if not record.told:
            record.told = True
            record.openings += 1
            self._happened(record, "voice.session_started", {"user_id": record.user_id}, str(record.openings))

    def _tell_end(self, record: _Record) -> None:
        """Tell of the end as the session's last state has it, once."""
        if record.farewell is not None:
            record.farewell.cancel()
            record.farewell = None
        if record.told:
            record.told = False
            shown = self._shown(record)
            told = {name: shown.get(name) for name in ("user_id", "duration_seconds", "closed_reason")}
            self._happened(record, "voice.session_ended", told, str(record.openings))

    def _acted(self, session_id: str, acted: Acted) -> None:
        record = self._records.get(session_id)
        if record is None or not acted.result.get("ok"):
            return
        resource = acted.result.get("resource") or {}
        told = {
            "user_id": record.user_id,
            "action": acted.action.name,
            "event_id": resource.get("id") if resource.get("object") == "event" else None,
            "confirmed_by_user": acted.confirmed,
        }
        self._happened(record, "voice.action_executed", told, acted.id)

    def _happened(self, record: _Record, type: str, told: dict[str, Any], deed: str) -> None:
        about = {"session_id": record.id, **told}
        self._tell(Happening(type=type, object=about, deed=f"{record.id}:{deed}", account=record.account))

    # Minting

    def _mint(self, visit: Visit, caller: Caller, wish: Any) -> None:
        request = checked(wish)
        permit(caller.key, request)
        caller.open(request.user_id)
        headers = self._count(request.user_id) if caller.key.limited else {}
        record = self._enter(caller, request)
        claims = tokens.Claims(
            sid=record.id,
            sub=record.user_id,
            scp=record.scopes,
            iat=int(record.created_at.timestamp()),
            exp=int(record.expires_at.timestamp()),
            jti=self._new_id("jti"),
            act=record.account,
        )
        session_token = tokens.sign(claims, self._secret)
        visit.answer({**self._shown(record), "session_token": session_token}, 201, headers)

    def _count(self, user_id: str) -> dict[str, str]:
        """Count a mint for a user and tell what is left; raises Problem for one too many."""
        now = self._clocks.now()
        wait_ms = self._mints.wait_ms(user_id, now)
        headers = self._mints.quota(user_id, now).headers(self._clocks.wall().timestamp())
        if wait_ms:
            raise Problem(
                f"{MINTS_PER_HOUR} sessions were minted for that user within an hour",
                code="rate_limit_exceeded",
                retry_after_seconds=-(-wait_ms // 1000),
                headers=headers,
            )
        return headers

    def _enter(self, caller: Caller, request: MintRequest) -> _Record:
        now = self._clocks.wall()
        self._forget(now)
        created_at = now.replace(microsecond=0)  # a token counts in whole seconds
        record = _Record(
            id=self._new_id("hub"),
            user_id=request.user_id,
            scopes=request.scopes,
            key=caller.key,
            account=caller.account,
            talk=KeptTalk(self._faculties.mind, request.confirm, self._clocks),
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

    # Records

    def _find(self, caller: Caller, session_id: str) -> _Record:
        record = self._records.get(session_id)
        if record is None or record.key != caller.key:
            raise Problem("there is no such voice session", code="resource_missing", param="id")
        return record

    def _live(self, key: VoiceKey, apart_from: _Record) -> int:
        return sum(
            each.live is not None and each.key == key and each is not apart_from for each in self._records.values()
        )

    def _close(self, record: _Record, reason: str) -> None:
        if record.closed_at is None:
            record.closed_at, record.closed_reason = self._clocks.wall(), reason
        if record.closed_reason in _LOST and not record.deleted:
            loop = asyncio.get_running_loop()
            record.farewell = record.farewell or loop.call_later(KEPT_MS / 1000, self._tell_end, record)
        else:
            self._tell_end(record)

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
            "livemode": self.front.keyring.live,
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

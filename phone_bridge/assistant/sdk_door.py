"""The Voice SDK's door of the built-in assistant: tokens over HTTP, and sockets that show one before all else."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import msgspec

from phone_bridge import voice_sdk as w
from phone_bridge.assistant import tokens
from phone_bridge.assistant.minting import SCOPES
from phone_bridge.assistant.performer import Clocks, Faculties, Grant
from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.session import VoiceSession
from phone_bridge.errors import RemoteError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.runtime.sockets import Listener
from phone_bridge.sessions.voice_sdk.server import VoiceSdkKeeper

TOKEN_SECONDS = 300
"""How long a token can open a session, once."""

SESSION_MINUTES = 60
"""How long a session may last."""

MAX_LIVE = 100
"""Sessions that may be live in one process."""

MAX_OPENING = 256
"""Sockets that may wait for their token."""

Admit = Callable[[str, int, int], Awaitable[bool]]


class Line(Protocol):
    """A socket that was accepted, as ``runtime.sockets.Socket`` is one."""

    def attach(self, listener: Listener) -> None:
        """Tell everything to ``listener`` from now on."""
        ...

    def detach(self) -> None:
        """Keep what comes for the next listener."""
        ...

    def send(self, message: str | bytes) -> None:
        """Send without waiting."""
        ...

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close after what waits to be sent."""
        ...

    async def wait_writable(self) -> None:
        """Wait until a message would go straight out, or never will."""
        ...

    async def wait_closed(self) -> None:
        """Wait for the end of the socket."""
        ...


class NotAdmitted(Exception):
    """A socket that gets no session; ``code`` is the dialect's."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class SdkDoor:
    """All Voice SDK sessions of one process.

    ``secret`` signs tokens, ``ws_url`` is where they are shown, ``user_id`` whose calendar it is. ``admit`` takes a
    token's id, its expiry and the time (Unix seconds) and tells whether this is its first use anywhere.
    """

    def __init__(
        self,
        faculties: Faculties,
        clocks: Clocks,
        *,
        secret: bytes,
        ws_url: str,
        user_id: str,
        admit: Admit,
        new_id: Callable[[str], str],
    ) -> None:
        self._faculties = faculties
        self._clocks = clocks
        self._secret = secret
        self._ws_url = ws_url
        self._user_id = user_id
        self._admit = admit
        self._new_id = new_id
        self._opening = 0
        self._live: set[VoiceSession] = set()

    @property
    def live(self) -> int:
        """How many sessions are live."""
        return len(self._live)

    def token(self) -> Response:
        """Answer ``POST /api/v1/sdk/token``, whose key was found good."""
        now = int(self._clocks.wall().timestamp())
        claims = tokens.Claims(
            sid=self._new_id("sdk"),
            sub=self._user_id,
            scp=(),
            iat=now,
            exp=now + TOKEN_SECONDS,
            jti=self._new_id("jti"),
        )
        body = {"token": tokens.sign(claims, self._secret), "ws_url": self._ws_url}
        return Response(status=200, headers={"content-type": "application/json"}, body=msgspec.json.encode(body))

    async def serve(self, line: Line) -> None:
        """Be a session on an accepted socket, from its first message to its end."""
        self._opening += 1
        try:
            hello, claims = await self._welcome(line)
        except NotAdmitted as error:
            await turn_away(line, error)
            return
        except ConnectionError:  # the client has gone before it said anything
            return
        finally:
            self._opening -= 1
        await self._serve(self._session(claims, hello.features), line)

    async def _welcome(self, line: Line) -> tuple[w.Hello, tokens.Claims]:
        """Hear who comes; raises NotAdmitted, and ConnectionError where nobody is there any more."""
        if self._opening > MAX_OPENING or len(self._live) >= MAX_LIVE:
            raise NotAdmitted("too many sessions are live: try again later", w.SESSION_SETUP_FAILED)
        hello = await first_words(line)
        return hello, await self._claims(hello.token)

    async def _claims(self, token: str) -> tokens.Claims:
        now = self._clocks.wall()
        try:
            claims = tokens.read(token, self._secret, now)
        except Problem as problem:
            raise NotAdmitted(str(problem), w.AUTH_FAILED) from None
        try:
            first_use = await self._admit(claims.jti, claims.exp, int(now.timestamp()))
        except Unavailable as error:
            raise NotAdmitted(str(error), w.SESSION_SETUP_FAILED) from None
        if not first_use:
            raise NotAdmitted("the token was used before: have a new one made", w.AUTH_FAILED)
        return claims

    def _session(self, claims: tokens.Claims, features: tuple[str, ...]) -> VoiceSession:
        grant = Grant(
            session_id=claims.sid,
            user_id=claims.sub,
            tools=self._faculties.tools.allowed(SCOPES),
            expires_at=self._clocks.wall() + timedelta(minutes=SESSION_MINUTES),
            until=self._clocks.now() + SESSION_MINUTES * 60_000,
        )
        return VoiceSession(grant, self._faculties, self._clocks, self._new_id, VoiceSdkKeeper(features))

    async def _serve(self, session: VoiceSession, line: Line) -> None:
        self._live.add(session)
        try:
            await session.serve(line)
        finally:
            self._live.discard(session)

    def close(self) -> None:
        """End every live session, because the server stops."""
        for session in list(self._live):
            session.end("server_shutdown")


async def first_words(line: Line) -> w.Hello:
    """Hear a client's first message; raises NotAdmitted, and ConnectionError where nobody is there any more."""
    try:
        async with asyncio.timeout(w.AUTH_MS / 1000):
            first = await _FirstMessage(line).wait()
    except TimeoutError:
        raise NotAdmitted(f"no token came within {w.AUTH_MS // 1000} seconds", w.AUTH_TIMEOUT) from None
    try:
        return w.read_hello(first)
    except RemoteError as error:
        raise NotAdmitted(str(error), w.INVALID_AUTH) from None


async def turn_away(line: Line, error: NotAdmitted) -> None:
    """Tell a client why it gets no session, and close."""
    line.send(w.encode(w.Error(error.code, str(error))))
    line.close(w.CLOSE_CODES[error.code], error.code)
    await line.wait_closed()


class _FirstMessage:
    """Listens to a fresh socket for one message, then steps aside; what follows is kept for the session."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._came: asyncio.Future[str | bytes] = asyncio.get_running_loop().create_future()

    async def wait(self) -> str | bytes:
        """Wait for it; raises ConnectionError where the socket ends first."""
        self._line.attach(self)
        try:
            return await self._came
        finally:
            self._line.detach()

    def message(self, data: str | bytes) -> None:
        """Take the message."""
        if not self._came.done():
            self._came.set_result(data)
            self._line.detach()

    def closed(self, code: int, reason: str) -> None:
        """Know that the client has gone."""
        if not self._came.done():
            self._came.set_exception(ConnectionError("the client has gone"))

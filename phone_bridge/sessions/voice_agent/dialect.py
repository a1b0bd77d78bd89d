"""Minting at the voice-agent endpoint, and following what it gives: an address, or a key for OpenAI itself."""

from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import structs

from phone_bridge.audio.format import Format
from phone_bridge.call.events import Action
from phone_bridge.call.handing_on import UNKNOWN
from phone_bridge.errors import LocalError, Refused, RemoteError, SettingsError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.offers import Offer
from phone_bridge.sessions.dialect import Ticket
from phone_bridge.sessions.realtime.client import RealtimeWire
from phone_bridge.sessions.realtime.dialect import INSTRUCTIONS, OPENAI_MODEL, OPENAI_URL, Realtime
from phone_bridge.sessions.realtime.names import BETA_HEADER, Shape
from phone_bridge.sessions.voice_agent import tools

MINT_PATH = "/api/voice-agent"
COOKIE = "cookie:"
"""How a key begins that is a cookie, and not a bearer token."""

_UNAUTHORIZED = (401, 403)
_SUCCESS = range(200, 300)


class _Secret(msgspec.Struct):
    value: str


class _Minted(msgspec.Struct):
    client_secret: _Secret
    id: str = ""
    model: str = OPENAI_MODEL
    instructions: str = ""
    voice: str = ""
    tools: Any = None


_read = msgspec.json.Decoder(_Minted).decode


class VoiceAgent:
    """The voice agent at ``base_url`` for one call; ``key`` is a bearer token, or ``cookie:`` and a cookie.

    What the endpoint has preset (instructions, voice, tools) stays; ``more`` instructions and ``offers`` come on top.
    ``shape`` is how OpenAI is spoken to where the endpoint gives a key for it: an address speaks the beta.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        model: str = "",
        voice: str = "",
        more: str = INSTRUCTIONS,
        offers: tuple[Offer, ...] = (),
        settings: Realtime | None = None,
        openai_url: str = OPENAI_URL,
        shape: Shape = Shape.GA,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
            raise SettingsError("the voice agent's URL must be http(s)://host[:port] without a path")
        if not key:
            raise SettingsError("a session with a voice agent needs its key")
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._wish = {name: value for name, value in {"model": model, "voice": voice}.items() if value}
        self._more = more
        self._offers = offers
        self._settings = settings if settings is not None else Realtime(url="")
        self._openai_url = openai_url.rstrip("/")
        self._shape = shape
        self._minted: Realtime | None = None

    def __repr__(self) -> str:
        return f"VoiceAgent(base_url={self._base_url!r})"

    def mint(self, nonce: str) -> Request:
        """Ask for a session."""
        headers = {**credentials(self._key), "Content-Type": "application/json"}
        url = self._base_url + MINT_PATH
        return Request(method="POST", url=url, headers=headers, body=msgspec.json.encode(self._wish))

    def minted(self, response: Response | None) -> Ticket:
        """Read the answer; raises Unavailable, Refused or RemoteError. Its errors are plain words, not always JSON."""
        if response is None:
            raise LocalError("a voice agent's sessions are minted, but no answer was handed in")
        if response.status in _UNAUTHORIZED:
            raise Refused("The voice agent does not accept its key.", code="voice_agent_refused")
        if response.status == 429 or response.status >= 500:
            raise Unavailable(f"The voice agent answered {response.status}.", code=f"http_{response.status}")
        if response.status not in _SUCCESS:
            raise Refused(f"The voice agent answered {response.status}.", code=f"http_{response.status}")
        try:
            session = _read(response.body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise RemoteError("The voice agent's answer is not a session.", code="invalid_mint") from None
        self._minted = self._made(session)
        return Ticket(
            url=self._minted.url, headers=self._minted.headers, session_id=session.id, life_ms=self._settings.life_ms
        )

    def farewell(self, ticket: Ticket) -> Request | None:
        """Say nothing more: closing the socket says it all."""
        return None

    def look_up(self, action: Action) -> Request | None:
        """Ask nobody: what its model calls we run, or have run."""
        return None

    def looked_up(self, action: Action, response: Response) -> str:
        """Know nothing, for nobody was asked."""
        return UNKNOWN

    def wire(self, leg: Format) -> RealtimeWire:
        """Make the translator for a freshly opened socket of the session that was minted last."""
        if self._minted is None:
            raise LocalError("a voice agent's socket was opened before its session was minted")
        return self._minted.wire(leg)

    def _made(self, session: _Minted) -> Realtime:
        value = session.client_secret.value
        own = {offer.name for offer in self._offers}
        preset = tuple(offer for offer in tools.offers(session.tools) if offer.name not in own)
        made = structs.replace(
            self._settings,
            instructions="\n\n".join(filter(None, [session.instructions, self._more])),
            voice=session.voice,
            offers=(*self._offers, *preset),
        )
        if value.startswith(self._schemes()):
            return structs.replace(made, url=value, headers=dict([BETA_HEADER]), shape=Shape.BETA)
        if not value.startswith("ek_"):
            raise RemoteError("The voice agent gave neither an address nor a key of OpenAI's.", code="invalid_mint")
        url = f"ws{self._openai_url.removeprefix('http')}/v1/realtime?model={quote(session.model, safe='')}"
        beta = dict([BETA_HEADER]) if self._shape is Shape.BETA else {}
        return structs.replace(made, url=url, headers={"Authorization": f"Bearer {value}", **beta}, shape=self._shape)

    def _schemes(self) -> tuple[str, ...]:
        """Only an endpoint that is itself spoken to without TLS may send us to a socket without it."""
        return ("wss://",) if self._base_url.startswith("https") else ("wss://", "ws://")


def credentials(key: str) -> dict[str, str]:
    """Show a key: as a cookie, or as a bearer token."""
    if key.startswith(COOKIE):
        return {"Cookie": key.removeprefix(COOKIE)}
    return {"Authorization": f"Bearer {key}"}

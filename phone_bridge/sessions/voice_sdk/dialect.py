"""Minting a Voice SDK session, as values of HTTP; closing the socket says farewell."""

from urllib.parse import urlsplit

import msgspec

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import Format
from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, SettingsError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.sessions.dialect import Ticket
from phone_bridge.sessions.voice_sdk.client import VoiceSdkWire

TOKEN_PATH = "/api/v1/sdk/token"  # noqa: S105 - where one is asked for
_OK, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _SERVER_ERRORS = 200, 401, 403, 429, 500


class _Minted(msgspec.Struct):
    token: str
    ws_url: str


_read = msgspec.json.Decoder(_Minted).decode


class VoiceSdk(msgspec.Struct, frozen=True, kw_only=True):
    """The Voice SDK's sessions for the API key ``key``; the key, not the caller, decides whose agent it is.

    ``base_url`` is the API's address without a path. ``features`` are extensions to ask for; a server that does not
    know them ignores them.
    """

    base_url: str
    key: str
    features: tuple[str, ...] = (w.INTERRUPTED, w.TRANSCRIPT, w.CONFIRMATION)

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
            raise SettingsError("the Voice SDK session's URL must be http(s)://host[:port] without a path")
        if not self.key:
            raise SettingsError("the Voice SDK session needs its API key")

    def __repr__(self) -> str:
        return f"VoiceSdk(base_url={self.base_url!r})"

    def mint(self, nonce: str) -> Request:
        """Ask for a token: a fresh one for each connection, which is why ``nonce`` does not make it repeatable."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return Request(method="POST", url=self.base_url.rstrip("/") + TOKEN_PATH, headers=headers)

    def minted(self, response: Response | None) -> Ticket:
        """Read the answer to ``mint``; raises Unavailable, Refused or RemoteError."""
        if response is None:
            raise LocalError("the Voice SDK's sessions are minted, but no answer was handed in")
        if response.status != _OK:
            raise _failure(response.status)
        try:
            minted = _read(response.body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise RemoteError("the Voice SDK's answer holds no token and address", code="invalid_mint") from None
        if not minted.token or urlsplit(minted.ws_url).scheme not in ("ws", "wss"):
            raise RemoteError("the Voice SDK minted a session without a usable token or address", code="invalid_mint")
        return Ticket(url=minted.ws_url, opening=(w.encode(w.Hello(minted.token, self.features)),))

    def farewell(self, ticket: Ticket) -> None:
        """Say nothing: closing the socket says it all."""
        return

    def look_up(self, action: Action) -> None:
        """Ask nothing: the dialect has no way to find out what came of ``action``."""
        return

    def looked_up(self, action: Action, response: Response) -> str:
        """Know nothing, for nothing was asked."""
        return "unknown"

    def wire(self, leg: Format) -> VoiceSdkWire:
        """Make the translator for a freshly opened socket."""
        return VoiceSdkWire(leg)


def _failure(status: int) -> BridgeError:
    message = f"the Voice SDK answered the mint with {status}"
    if status == _UNAUTHORIZED:
        return Refused(f"{message}: its API key is missing or wrong", code="unauthorized")
    if status == _FORBIDDEN:
        return Refused(f"{message}: the key is good, but its kiosk is inactive or disabled", code="kiosk_inactive")
    if status == _TOO_MANY or status >= _SERVER_ERRORS:
        return Unavailable(message, code=f"http_{status}")
    return Refused(message, code=f"http_{status}")

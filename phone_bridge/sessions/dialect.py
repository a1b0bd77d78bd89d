"""What every dialect offers ``runtime/connect``: how to mint, dial and speak, as values and pure wires."""

from typing import Protocol

import msgspec

from phone_bridge.audio.format import Format
from phone_bridge.call.commands import SessionCommand
from phone_bridge.call.events import Action, Event, SessionClosed
from phone_bridge.exchange import Request, Response


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """The right to open one session socket; ``url`` and ``headers`` hold secrets and are never logged.

    ``opening`` are messages that are sent before all others: a dialect may want its token there.
    The session lives ``life_ms`` from its minting, as far as is known (0: not known).
    """

    url: str
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    subprotocols: tuple[str, ...] = ()
    session_id: str = ""
    life_ms: int = 0
    opening: tuple[str | bytes, ...] = ()


class SessionWire(Protocol):
    """One session's socket, translated: its words to facts, the call's duties to its words."""

    @property
    def tells_voice(self) -> bool:
        """Whether the session tells when the caller begins to speak; where it does not, the line is listened to."""
        ...

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        """Translate one message (text as ``str``, binary as ``bytes``); raise RemoteError for bad words."""
        ...

    def send(self, command: SessionCommand, now: int) -> None:
        """Queue what fulfils a duty."""
        ...

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        ...

    def deadline(self) -> int | None:
        """Say when ``expire`` is due, in milliseconds on the call's clock."""
        ...

    def expire(self, now: int) -> list[Event]:
        """Do what was due by ``now``."""
        ...

    def closed(self, code: int, reason: str = "") -> SessionClosed:
        """Say what the closing of the socket with ``code`` and ``reason`` (RFC 6455, 7.4) means."""
        ...


class Dialect(Protocol):
    """One kind of session with its settings: base URL, key, voice and the user it is bound to."""

    def mint(self, nonce: str) -> Request | None:
        """Ask for a session; None where the dialect has none to mint. ``nonce`` makes the request repeatable."""
        ...

    def minted(self, response: Response | None) -> Ticket:
        """Read the answer to ``mint``; raises Unavailable, Refused or RemoteError."""
        ...

    def farewell(self, ticket: Ticket) -> Request | None:
        """Tell the API that the session is over; None where closing the socket says it all."""
        ...

    def look_up(self, action: Action) -> Request | None:
        """Ask what came of ``action``, whose session was lost; None where there is no way to find out."""
        ...

    def looked_up(self, action: Action, response: Response) -> str:
        """Read the answer to ``look_up``: ``executed``, ``not_executed`` or ``unknown``."""
        ...

    def wire(self, leg: Format) -> SessionWire:
        """Make the translator for a freshly opened socket; ``leg`` is the format of the caller's line."""
        ...

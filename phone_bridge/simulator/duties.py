"""What a carrier's call asks of its shell, in the imperative."""

import msgspec

from phone_bridge.exchange import Request


class Ask(msgspec.Struct, frozen=True):
    """Send ``request`` and bring the outcome back as ``answered`` or ``unreachable`` with its ``id``."""

    id: int
    request: Request


class Speak(msgspec.Struct, frozen=True):
    """Make the sound of ``text`` (mu-law at 8 kHz) and bring it back as ``spoken`` with its ``id``."""

    id: int
    text: str
    language: str


class Open(msgspec.Struct, frozen=True):
    """Open a WebSocket and bring the outcome back as ``opened`` or ``refused``."""

    url: str
    headers: dict[str, str]


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send a text message on the socket; ``sound`` may be thrown away where the bridge reads too slowly."""

    text: str
    sound: bool = False


class Close(msgspec.Struct, frozen=True, gc=False):
    """Close the socket."""


Duty = Ask | Speak | Open | Send | Close

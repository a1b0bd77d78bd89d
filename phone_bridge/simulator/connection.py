"""One ``<Connect><Stream>``: from its TwiML over the socket's handshake to the stream and its callbacks."""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from phone_bridge.exchange import Request
from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.simulator.duties import Open
from phone_bridge.simulator.faults import Code, Fault
from phone_bridge.simulator.stream_link import StreamLink
from phone_bridge.simulator.verbs import ConnectStream
from phone_bridge.simulator.webhooks import Webhooks

HANDSHAKE_MS = 10_000
"""How long the media socket may take to open."""


class Connection:
    """A stream that ``verb`` asked for and ``start`` will introduce; ``link`` is there while it is live."""

    def __init__(self, verb: ConnectStream, start: StreamStart, webhooks: Webhooks) -> None:
        self.verb = verb
        self.link: StreamLink | None = None
        self._start = start
        self._webhooks = webhooks
        self._handshake_due: int | None = None

    def open(self, now: int) -> Open | Fault:
        """Ask for the socket, unless Twilio would not even try."""
        fault = _fault(self.verb)
        if fault is not None:
            return fault
        self._handshake_due = now + HANDSHAKE_MS
        url = urlunsplit(urlsplit(self.verb.url)._replace(query="", fragment=""))  # Twilio drops a query string
        return Open(url, self._webhooks.handshake(url))

    @property
    def opening(self) -> bool:
        """True while the handshake is under way."""
        return self._handshake_due is not None

    def deadline(self) -> int | None:
        """Say when the handshake has taken too long."""
        return self._handshake_due

    def opened(self, make_link: Callable[[CarrierStream], StreamLink]) -> StreamLink:
        """Begin the stream on a socket that is open now."""
        self._handshake_due = None
        self.link = make_link(CarrierStream(self._start))
        return self.link

    def callback(self, event: str, at_ms: int, error: str = "") -> Request | None:
        """Tell what became of the stream, if anybody wants to know; ``at_ms`` counts from the call's beginning."""
        if not self.verb.status_callback:
            return None
        return self._webhooks.stream_status(self.verb, event, self._start.stream_sid, at_ms, error)


def _fault(verb: ConnectStream) -> Fault | None:
    """Say why a stream cannot be had as its TwiML wants it; ``ws`` is let through to this very machine."""
    if verb.track != "inbound_track":
        return Fault(Code.STREAM_TRACK, f"track={verb.track!r} cannot be had in <Connect>")
    try:
        parts = urlsplit(verb.url)
    except ValueError:
        return Fault(Code.STREAM_URL, "the url of <Stream> cannot be read")
    if not parts.hostname:
        return Fault(Code.STREAM_URL, "the url of <Stream> has no host")
    if parts.scheme == "wss" or (parts.scheme == "ws" and _is_loopback(parts.hostname)):
        return None
    return Fault(Code.STREAM_SCHEME, f"the url of <Stream> begins with {parts.scheme}:// and not with wss://")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

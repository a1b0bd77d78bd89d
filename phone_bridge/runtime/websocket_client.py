"""Dialling a WebSocket: one attempt, with its failures sorted into those worth another and those that are not."""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import aiofastnet
from picows import WSHandshakeError, WSUpgradeRequest, WSUpgradeResponse
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # its stub leaves out the class that api.py builds on

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.websocket import MESSAGE_BYTES, FrameLine, framing

DIAL_TIMEOUT_MS = 3_000
PING_AFTER_MS = 3_000  # a session sends much; one that is silent for so long is asked whether it lives
PONG_TIMEOUT_MS = 3_000
TLS_BUFFER_BYTES = 16 * 1024 + 64  # one TLS record; aiofastnet would hold sixteen for each direction

_RETRY_AFTER = re.compile(rb"\r\nretry-after:([^\r\n]*)", re.IGNORECASE)
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3})\b")


class _Place(NamedTuple):
    """Where to dial; ``resource`` may hold secrets and is never told."""

    host: str
    port: int
    secure: bool
    resource: str

    @classmethod
    def parse(cls, url: str) -> "_Place":
        """Read a ``ws://`` or ``wss://`` address; raises RemoteError."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        plain = url.isascii() and url.isprintable() and " " not in url
        if parts.scheme not in {"ws", "wss"} or not parts.hostname or not plain:
            raise RemoteError("the address of a socket is no ws:// or wss:// URL", code="bad_address")
        secure = parts.scheme == "wss"
        resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, port or (443 if secure else 80), secure, resource)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


async def dial(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
    timeout_ms: int = DIAL_TIMEOUT_MS,
    max_size: int = MESSAGE_BYTES,
    tls: ssl.SSLContext | None = None,
) -> Socket:
    """Open a socket to ``url``; one attempt, no redirects, no compression, certificates verified.

    Raises Unavailable (unreachable, too slow, 5xx, 429), Refused (any other HTTP answer, a bad certificate; the code
    is ``http_`` and the status) or RemoteError (an answer that is no handshake). No message holds the path or a header.
    """
    place = _Place.parse(url)
    context = (tls or _default_tls()) if place.secure else None
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            frames = await _open(place, _request_headers(headers or {}, subprotocols), max_size, context)
    except TimeoutError:
        raise Unavailable(f"{place} did not answer within {timeout_ms} ms", code="timeout") from None
    except ssl.SSLCertVerificationError:
        raise Refused(f"{place} showed a certificate that does not hold", code="certificate") from None
    except OSError as error:
        raise Unavailable(f"{place} could not be reached: {error.strerror or 'closed'}", code="unreachable") from None
    except WSHandshakeError as error:
        raise _judge(place, error) from None
    return _take(place, frames, subprotocols)


@cache
def _default_tls() -> ssl.SSLContext:
    """Read the system's certificates once: it takes some 20 ms, in which no call would be served."""
    return ssl.create_default_context()


def _request_headers(headers: Mapping[str, str], subprotocols: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [*headers.items()]
    if subprotocols:
        pairs.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
    if not all(f"{name}{value}".isprintable() for name, value in pairs):
        raise RemoteError("a header for a socket's handshake holds a control character", code="bad_header")
    return pairs


async def _open(place: _Place, headers: list[tuple[str, str]], max_size: int, tls: ssl.SSLContext | None) -> WSProtocol:
    """Connect and shake hands; nothing stays open when it fails or is cancelled."""

    def listener(_request: WSUpgradeRequest, _response: WSUpgradeResponse) -> FrameLine:
        return FrameLine(max_size=max_size, ping_after_ms=PING_AFTER_MS, pong_timeout_ms=PONG_TIMEOUT_MS)

    def protocol() -> WSProtocol:
        return framing(listener, max_size=max_size, host=str(place), resource=place.resource, headers=headers)

    transport, frames = await _connect(protocol, place, tls)
    try:
        await frames.wait_until_handshake_complete()
        if frames.listener is None:
            raise ConnectionResetError  # noqa: TRY301 - picows calls a handshake complete that the peer broke off
    except BaseException:
        transport.abort()
        raise
    return frames


async def _connect(
    protocol: Callable[[], WSProtocol], place: _Place, tls: ssl.SSLContext | None
) -> tuple[asyncio.Transport, WSProtocol]:
    """Connect; TLS by aiofastnet, which takes about 15 % less CPU for it than uvloop (without TLS it takes more)."""
    loop = asyncio.get_running_loop()
    if tls is None:
        return await loop.create_connection(protocol, place.host, place.port)
    return await aiofastnet.create_connection(
        loop,
        protocol,
        place.host,
        place.port,
        ssl=tls,
        ssl_incoming_bio_size=TLS_BUFFER_BYTES,
        ssl_outgoing_bio_size=TLS_BUFFER_BYTES,
    )


def _take(place: _Place, frames: WSProtocol, subprotocols: Sequence[str]) -> Socket:
    """Check what the server chose, which picows leaves to its user."""
    line: FrameLine = frames.listener
    answer = frames.transport.response.headers
    if answer.get("Sec-WebSocket-Extensions") or answer.get("Sec-WebSocket-Protocol") not in (None, *subprotocols):
        line.abort()
        raise RemoteError(f"{place} chose an extension or subprotocol that was not offered", code="bad_handshake")
    return line.socket


def _judge(place: _Place, error: WSHandshakeError) -> BridgeError:
    """Sort a handshake that failed by its HTTP status, which picows knows only where it is a common one."""
    found = _STATUS_LINE.match(error.raw_header or b"")
    status = int(found[1]) if found else 101
    if status >= 500 or status == 429:
        return Unavailable(
            f"{place} answered the handshake with status {status}",
            code=f"http_{status}",
            retry_after_ms=_retry_after_ms(error.raw_header or b""),
        )
    if status >= 300:
        return Refused(f"{place} answered the handshake with status {status}", code=f"http_{status}")
    return RemoteError(f"{place} gave an answer that is no WebSocket handshake", code="bad_handshake")


def _retry_after_ms(head: bytes) -> int | None:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, 10.2.3)."""
    found = _RETRY_AFTER.search(head)
    if found is None:
        return None
    value = found[1].decode("latin-1").strip()
    if value.isdecimal():
        return int(value) * 1000
    try:
        wait = parsedate_to_datetime(value) - datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return max(0, round(wait.total_seconds() * 1000))

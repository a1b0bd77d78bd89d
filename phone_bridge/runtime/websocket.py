"""A line of WebSocket frames on picows: what the server's and the client's ends have in common.

picows parses frames, unmasks, answers pings and refuses what breaks RFC 6455 in a single frame. What it leaves to its
user is done here: messages in fragments, text that is text, reserved bits, the closing handshake and the keepalive.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from picows import WSAutoPingStrategy, WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # its stub leaves out the class that api.py builds on

from phone_bridge.runtime.sockets import NO_CODE, Socket, sendable

MESSAGE_BYTES = 1024 * 1024
PING_AFTER_MS = 20_000
PONG_TIMEOUT_MS = 20_000
READ_BUFFER_BYTES = 4096  # what an idle connection holds; it grows with the messages

_TEXT = WSMsgType.TEXT
_BINARY = WSMsgType.BINARY
_CONTINUATION = WSMsgType.CONTINUATION
_REASONS = {1002: "protocol_error", 1007: "invalid_utf8", 1009: "message_too_big"}

# picows logs every connection, and with it addresses and headers; what is worth telling comes out of ``Socket`` by name
_QUIET = logging.Logger("picows.quiet", logging.CRITICAL + 1)


class _Violation(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Message:
    """One message in the making: fragments of one kind, up to a size."""

    __slots__ = ("_data", "_is_text", "_limit", "begun")

    def __init__(self, limit: int) -> None:
        self.begun = False
        """Whether the rest of a message is still to come."""
        self._limit = limit
        self._data = bytearray()
        self._is_text = False

    def add(self, kind: WSMsgType, data: bytes, *, final: bool) -> str | bytes | None:
        """Add a fragment; the message when it was the last."""
        if not self.begun:
            if kind is _CONTINUATION:
                raise _Violation(1002)
            self.begun = True
            self._is_text = kind is _TEXT
        elif kind is not _CONTINUATION:
            raise _Violation(1002)
        if len(self._data) + len(data) > self._limit:
            raise _Violation(1009)
        self._data += data
        return self._finish() if final else None

    def _finish(self) -> str | bytes:
        data, self._data = self._data, bytearray()
        self.begun = False
        return data.decode() if self._is_text else bytes(data)


class Keepalive:
    """Pings a silent peer and gives up one that stays silent; one timer, nothing for each message.

    Whatever the peer sends counts, so that a silence of ``after_ms`` is noticed within twice that time.
    """

    __slots__ = ("_after_ms", "_line", "_loop", "_pinged", "_timeout_ms", "_timer")

    def __init__(self, line: "FrameLine", *, after_ms: int, timeout_ms: int) -> None:
        self._line = line
        self._after_ms = after_ms
        self._timeout_ms = timeout_ms
        self._pinged = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(after_ms / 1000, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._line.take_sign_of_life():
            self._pinged = False
            wait_ms = self._after_ms
        elif self._pinged:
            self._line.socket.fail("ping_timeout")
            return
        else:
            self._line.ping()
            self._pinged = True
            wait_ms = self._timeout_ms
        self._timer = self._loop.call_later(wait_ms / 1000, self._look)


class FrameLine(WSListener):
    """One connection framed by picows; ``after`` is called when it is gone and its socket has told so.

    ``ping_after_ms`` None sends no pings.
    """

    __slots__ = (
        "_after",
        "_alive",
        "_keepalive",
        "_message",
        "_ping_after_ms",
        "_pong_timeout_ms",
        "_reading",
        "_settling",
        "_transport",
        "socket",
    )

    def __init__(
        self,
        *,
        max_size: int = MESSAGE_BYTES,
        ping_after_ms: int | None = PING_AFTER_MS,
        pong_timeout_ms: int = PONG_TIMEOUT_MS,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.socket = Socket(self)
        self._message = Message(max_size)
        self._ping_after_ms = ping_after_ms
        self._pong_timeout_ms = pong_timeout_ms
        self._after = after
        self._alive = False
        self._reading = True
        self._keepalive: Keepalive | None = None
        self._settling: asyncio.Future[None] | None = None
        self._transport: WSTransport

    # For picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take the open connection."""
        self._transport = transport
        if self._ping_after_ms is not None:
            self._keepalive = Keepalive(self, after_ms=self._ping_after_ms, timeout_ms=self._pong_timeout_ms)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Tell the socket of each whole message."""
        self._alive = True
        try:
            message = self._read(frame)
        except _Violation as violation:
            self.socket.close(violation.code, _REASONS[violation.code])
            return
        except UnicodeDecodeError:
            self.socket.close(1007, _REASONS[1007])
            return
        if message is not None:
            try:
                self.socket.hear(message)
            except Exception as error:  # noqa: BLE001 - a callback of the loop is the top of its own task
                self.socket.report(error)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell the socket that the connection is gone."""
        if self._keepalive is not None:
            self._keepalive.stop()
        sent = transport.close_handshake.sent if transport.is_close_frame_sent else None
        if sent is not None:  # by picows itself, if the socket does not know of it: it refused a frame
            self.socket.lost(sent.code.value, _REASONS.get(sent.code.value, "protocol_error"))
        else:
            self.socket.lost()
        if self._after is not None:
            self._after()
        if transport.is_client_side:  # a client's transport keeps the frame it refused as an error that wants a taker
            self._settling = asyncio.ensure_future(transport.wait_disconnected())
            self._settling.add_done_callback(_take_error)

    def pause_writing(self) -> None:
        """Pass on that the transport's buffer is over its high-water mark."""
        self.socket.pause()

    def resume_writing(self) -> None:
        """Pass on that it is below its low-water mark."""
        self.socket.resume()

    # For the socket and the keepalive

    def write(self, message: str | bytes) -> None:
        """Send one message in one frame."""
        self._transport.send(_TEXT if isinstance(message, str) else _BINARY, message)

    def pause_reading(self) -> None:
        """Stop reading; a peer that we do not read is not silent."""
        self._reading = False
        self._transport.underlying_transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._reading = True
        self._transport.underlying_transport.resume_reading()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame."""
        self._transport.send_close(WSCloseCode(code), reason)

    def abort(self) -> None:
        """Drop the connection and what is buffered for it."""
        self._transport.disconnect(graceful=False)

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._transport.send_ping()

    def take_sign_of_life(self) -> bool:
        """Say whether the peer sent anything since this was last asked."""
        alive = self._alive or not self._reading
        self._alive = False
        return alive

    def _read(self, frame: WSFrame) -> str | bytes | None:
        if frame.rsv1 or frame.rsv2 or frame.rsv3:  # no extension was negotiated that would give them a meaning
            raise _Violation(1002)
        kind = frame.msg_type
        if frame.fin and not self._message.begun:
            if kind is _TEXT:
                return frame.get_payload_as_utf8_text()
            if kind is _BINARY:
                return frame.get_payload_as_bytes()
        if kind is WSMsgType.CLOSE:
            self._read_close(frame)
        elif kind is not WSMsgType.PONG:
            return self._message.add(kind, frame.get_payload_as_bytes(), final=bool(frame.fin))
        return None

    def _read_close(self, frame: WSFrame) -> None:
        """Answer a close frame, or take it as the answer to ours; the server is the first to drop the connection."""
        code = frame.get_close_code().value or NO_CODE
        if code != NO_CODE and not sendable(code):
            raise _Violation(1002)
        if not self._transport.is_close_frame_sent:
            self.socket.close_received(code, frame.get_close_reason() or "")
            self.close(1000 if code == NO_CODE else code, "")
        if not self._transport.is_client_side:
            self._transport.disconnect()


def _take_error(settled: asyncio.Future[None]) -> None:
    if not settled.cancelled():
        settled.exception()


def framing(
    factory: Callable[..., object],
    *,
    max_size: int,
    host: str | None = None,
    resource: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> WSProtocol:
    """Make picows' own protocol, the one place that knows its constructor: a client's with ``host``, else a server's.

    ``factory`` makes the listener as ``ws_connect`` and ``ws_create_server`` describe. Time limits and pings are ours.
    """
    return WSProtocol(
        host,
        resource,
        host is not None,  # is_client_side
        factory,
        _QUIET,
        True,  # disconnect_on_exception
        None,  # websocket_handshake_timeout
        False,  # enable_auto_ping
        PING_AFTER_MS / 1000,
        PONG_TIMEOUT_MS / 1000,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        True,  # enable_auto_pong
        max_size,
        headers,
        READ_BUFFER_BYTES,
    )

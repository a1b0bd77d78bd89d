"""One WebSocket as the house sees it: whole messages in by callback, whole messages out without waiting.

A ``Socket`` is the half that does not depend on any library: who listens, what waits, when it is over. It stands on a
``Line``, the half that does: frames by picows (``websocket.py``, both ends) or an ASGI server's own (``AsgiLine``).

Nothing here waits for a peer. While the line takes messages they go straight out; when its buffer is full they wait in
an ``Outbox`` with a bound, and a peer that does not read for ``SEND_TIMEOUT_MS`` loses its socket, and only its own.

How a socket ended, as ``Listener.closed`` hears it:

========================  =============================================================================
code, reason              what happened
========================  =============================================================================
the peer's own            the peer closed; 1005 when it gave no code
those given to ``close``  this side closed
1006, ""                  the connection was lost
1006, "outbox_overflow"   the peer read so slowly that messages which may not be dropped filled the outbox
1006, "send_timeout"      the peer read nothing for ``SEND_TIMEOUT_MS`` while messages waited for it
1006, "ping_timeout"      the peer was silent and did not answer a ping
1002, "protocol_error"    the peer broke RFC 6455
1007, "invalid_utf8"      a text message of the peer's was not UTF-8
1009, "message_too_big"   a message of the peer's was over the limit
1011, "listener_failed"   our listener raised; the loop's exception handler has the error
========================  =============================================================================
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from phone_bridge.errors import LocalError

OUTBOX_BYTES = 2 * 1024 * 1024  # three minutes of speech that a session gave at once
OUTBOX_MESSAGES = 8_192
INBOX_BYTES = 256 * 1024
INBOX_MESSAGES = 256
SEND_TIMEOUT_MS = 5_000
CLOSE_TIMEOUT_MS = 700  # everything of a call ends within a second
CLOSE_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two of them the code

NO_CODE = 1005
LOST = 1006
FRAMES_EXTENSION = "phone_bridge.frames"


class Listener(Protocol):
    """What a socket tells: every message in order, then once how it ended."""

    def message(self, data: str | bytes) -> None:
        """Take one whole message, text as ``str`` and binary as ``bytes``."""
        ...

    def closed(self, code: int, reason: str) -> None:
        """Know that the socket is over; nothing follows."""
        ...


class Line(Protocol):
    """What a ``Socket`` stands on: one open connection, framed by some library.

    It calls back ``hear``, ``pause``, ``resume``, ``close_received`` and, once and last, ``lost``.
    """

    def write(self, message: str | bytes) -> None:
        """Send one message at once or buffer it."""
        ...

    def pause_reading(self) -> None:
        """Leave what the peer sends in the network's own buffers."""
        ...

    def resume_reading(self) -> None:
        """Read again; harmless when reading goes on."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake after what was written."""
        ...

    def abort(self) -> None:
        """Let the connection go without a word; ``lost`` follows."""
        ...


class _Waiting(NamedTuple):
    message: str | bytes
    droppable: bool


class Outbox:
    """Messages that wait for a slow peer, oldest first, within bounds; text is counted in characters."""

    __slots__ = ("_max_bytes", "_max_messages", "_size", "_waiting", "dropped")

    def __init__(self, max_bytes: int = OUTBOX_BYTES, max_messages: int = OUTBOX_MESSAGES) -> None:
        self._max_bytes = max_bytes
        self._max_messages = max_messages
        self._waiting: deque[_Waiting] = deque()
        self._size = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, message: str | bytes, *, droppable: bool) -> bool:
        """Add a message and drop the oldest droppable ones that no longer fit; False when that was not enough."""
        self._waiting.append(_Waiting(message, droppable))
        self._size += len(message)
        while self._size > self._max_bytes or len(self._waiting) > self._max_messages:
            if not self._drop_oldest():
                return False
        return True

    def pop(self) -> str | bytes:
        """Take the oldest message."""
        message = self._waiting.popleft().message
        self._size -= len(message)
        return message

    def drain(self) -> Iterator[str | bytes]:
        """Take every message, oldest first."""
        while self._waiting:
            yield self.pop()

    def discard(self) -> None:
        """Drop everything."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._size = 0

    def _drop_oldest(self) -> bool:
        for place, waiting in enumerate(self._waiting):
            if waiting.droppable:
                del self._waiting[place]
                self._size -= len(waiting.message)
                self.dropped += 1
                return True
        return False


def sendable(code: int) -> bool:
    """Say whether a close frame may carry ``code`` (RFC 6455, 7.4)."""
    return 3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in {1004, NO_CODE, LOST})


def _ignore(_message: str | bytes) -> None:
    """Hear nothing any more."""


class Socket:
    """One WebSocket, ours to listen to and to send on; belongs to the loop it was made in.

    Messages that come before ``attach`` are kept; reading pauses when ``INBOX_MESSAGES`` or ``INBOX_BYTES`` wait.
    """

    __slots__ = (
        "_ending",
        "_flowing",
        "_inbox",
        "_inbox_size",
        "_line",
        "_listener",
        "_loop",
        "_outbox",
        "_over",
        "_paused_at",
        "_reading",
        "_timer",
        "_writable",
        "hear",
        "sent",
    )

    def __init__(self, line: Line) -> None:
        self.hear: Callable[[str | bytes], None] = self._keep  # the line gives each whole message to this
        self.sent = 0  # messages given to the line
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._listener: Listener | None = None
        self._inbox: list[str | bytes] = []
        self._inbox_size = 0
        self._reading = True
        self._outbox = Outbox()
        self._flowing = True  # open, and the line takes messages
        self._writable = asyncio.Event()
        self._writable.set()
        self._paused_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ending: tuple[int, str] | None = None
        self._over = asyncio.Event()

    # For its owner

    @property
    def dropped(self) -> int:
        """Messages that were given to ``send`` and never went out."""
        return self._outbox.dropped

    @property
    def ending(self) -> tuple[int, str] | None:
        """Close code and reason, once the end has begun."""
        return self._ending

    def attach(self, listener: Listener) -> None:
        """Tell everything to ``listener`` from now on; what was kept, and an end that has come, before this returns."""
        if self._listener is not None:
            raise LocalError("a socket was given a second listener")
        self._listener = listener
        if not self._reading:  # before the listener hears anything, for it may pause the line again
            self._reading = True
            self._line.resume_reading()
        kept, self._inbox, self._inbox_size = self._inbox, [], 0
        for place, message in enumerate(kept):
            if self._deaf:
                break
            if self._listener is not listener:  # it stepped aside: the rest is for the next one
                for left in kept[place:]:
                    self._keep(left)
                return
            listener.message(message)
        if self._listener is not listener:
            return
        if not self._deaf:
            self.hear = listener.message
        if self._over.is_set():
            self._tell_end()

    def detach(self) -> None:
        """Keep messages again, as before the first ``attach``: another listener is about to take over."""
        self._listener = None
        if not self._deaf:
            self.hear = self._keep

    def send(self, message: str | bytes, *, droppable: bool = False) -> None:
        """Send ``message`` now, or as soon as the peer reads; after the end it is dropped.

        ``droppable`` marks sound: when the outbox is full, the oldest of it goes first.
        """
        if self._flowing:
            self._line.write(message)
            self.sent += 1
        elif self._ending is None:
            if not self._outbox.push(message, droppable=droppable):
                self.fail("outbox_overflow")
        else:
            self._outbox.dropped += 1

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close after what waits to be sent; once is enough, and a peer that does not answer is not waited for."""
        if self._ending is not None:
            return
        if not sendable(code):
            raise LocalError(f"a socket cannot be closed with the code {code}")
        self._deafen()
        self._end(code, reason)
        for message in self._outbox.drain():
            self._line.write(message)
            self.sent += 1
        self._line.resume_reading()  # or the peer's answer would not be seen
        self._line.close(code, reason.encode()[:CLOSE_REASON_BYTES].decode(errors="ignore"))

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        await self._over.wait()

    async def wait_writable(self) -> None:
        """Wait until a message would go straight out, or never will."""
        await self._writable.wait()

    # For its line

    def pause(self) -> None:
        """Know that the line's buffer is full; one check is armed, whatever number of messages follows."""
        if self._ending is not None:
            return
        self._flowing = False
        self._writable.clear()
        self._paused_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(SEND_TIMEOUT_MS / 1000, self._check_stuck)

    def resume(self) -> None:
        """Know that the line takes messages again."""
        if self._ending is not None:
            return
        self._flowing = True
        while self._flowing and self._outbox:
            self._line.write(self._outbox.pop())
            self.sent += 1
        if self._flowing:
            self._writable.set()

    def close_received(self, code: int, reason: str) -> None:
        """Know that the peer closes; ``code`` is 1005 where it gave none."""
        if self._ending is None:
            self._end(code, reason)
            self._outbox.discard()
            if self._listener is not None:
                self._deafen()

    def fail(self, reason: str) -> None:
        """Give the connection up: the peer is too slow or silent for a closing handshake."""
        if self._ending is None:
            self._end(LOST, reason)
        self._deafen()
        self._outbox.discard()
        self._line.abort()

    def report(self, error: Exception) -> None:
        """Close because our listener raised ``error``, which goes to the loop's exception handler as a task's would."""
        self._loop.call_exception_handler({"message": "a socket's listener raised", "exception": error})
        self.close(1011, "listener_failed")

    def lost(self, code: int = LOST, reason: str = "") -> None:
        """Know that the connection is gone; ``code`` and ``reason`` count where nobody had begun to close."""
        if self._over.is_set():
            return
        if self._ending is None:
            self._end(code, reason)
        self._disarm()
        self._outbox.discard()
        self._over.set()
        if self._listener is not None:
            self._tell_end()

    def _keep(self, message: str | bytes) -> None:
        self._inbox.append(message)
        self._inbox_size += len(message)
        if self._reading and (self._inbox_size >= INBOX_BYTES or len(self._inbox) >= INBOX_MESSAGES):
            self._reading = False
            self._line.pause_reading()

    @property
    def _deaf(self) -> bool:
        return self.hear is _ignore

    def _deafen(self) -> None:
        self.hear = _ignore

    def _end(self, code: int, reason: str) -> None:
        """Begin the end, which comes within ``CLOSE_TIMEOUT_MS`` whatever the peer does."""
        self._ending = (code, reason)
        self._flowing = False
        self._writable.set()
        self._disarm()
        self._timer = self._loop.call_later(CLOSE_TIMEOUT_MS / 1000, self._line.abort)

    def _tell_end(self) -> None:
        if self._listener is None or self._ending is None:
            raise LocalError("a socket told of an end that has not come")
        try:
            self._listener.closed(*self._ending)
        except Exception as error:  # noqa: BLE001 - a callback of the loop is the top of its own task
            self.report(error)

    def _check_stuck(self) -> None:
        self._timer = None
        if self._flowing:
            return
        waited_ms = round((self._loop.time() - self._paused_at) * 1000)
        if waited_ms >= SEND_TIMEOUT_MS:
            self.fail("send_timeout")
        else:
            self._timer = self._loop.call_later((SEND_TIMEOUT_MS - waited_ms) / 1000, self._check_stuck)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class AsgiLine:
    """A line over plain ASGI messages, for servers that offer no frames and for Starlette's test client.

    One task reads and one writes; the line counts as full while a message is with the server.
    """

    def __init__(self, websocket: WebSocket) -> None:
        self.socket = Socket(self)
        self._websocket = websocket
        self._outgoing: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._readable = asyncio.Event()
        self._readable.set()
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._write()))
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def write(self, message: str | bytes) -> None:
        """Hand one message to the writing task."""
        kind = "text" if isinstance(message, str) else "bytes"
        self._outgoing.put_nowait({"type": "websocket.send", kind: message})
        self.socket.pause()

    def pause_reading(self) -> None:
        """Leave messages with the server."""
        self._readable.clear()

    def resume_reading(self) -> None:
        """Take messages from the server again."""
        self._readable.set()

    def close(self, code: int, reason: str) -> None:
        """Have the server close after what was written."""
        self._outgoing.put_nowait({"type": "websocket.close", "code": code, "reason": reason})

    def abort(self) -> None:
        """Stop both tasks; the server drops the connection when its route returns."""
        for task in self._tasks:
            task.cancel()

    async def _read(self) -> None:
        while True:
            await self._readable.wait()
            event = await self._websocket.receive()
            if event["type"] == "websocket.disconnect":
                self.socket.close_received(event.get("code", NO_CODE), event.get("reason") or "")
                return
            text = event.get("text")
            try:
                self.socket.hear(event["bytes"] if text is None else text)
            except Exception as error:  # noqa: BLE001 - a listener's error must not pass for the server's
                self.socket.report(error)

    async def _write(self) -> None:
        while True:
            event = await self._outgoing.get()
            await self._websocket.send(event)
            if event["type"] == "websocket.close":
                return
            self.socket.resume()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.abort()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect):
            asyncio.get_running_loop().call_exception_handler({"message": "an ASGI server failed", "exception": error})
        self.socket.lost()


async def accept(
    websocket: WebSocket, *, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] = ()
) -> Socket:
    """Accept a handshake and take its socket: frames where the server offers them, plain ASGI otherwise.

    The route stays until ``wait_closed`` returns and leaves ``websocket`` alone meanwhile. Raises OSError when the
    client has gone, which is for the server to hear.
    """
    await websocket.accept(subprotocol=subprotocol, headers=headers)
    frames = websocket.scope.get("extensions", {}).get(FRAMES_EXTENSION)
    if frames is not None:
        socket: Socket = frames["take"]()
        return socket
    return AsgiLine(websocket).socket

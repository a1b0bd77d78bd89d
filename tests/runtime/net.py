"""A network for tests: a transport that exists only in memory, and WebSocket frames written and read by hand."""

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
HIGH_WATER = 64 * 1024
MASK = b"\x12\x34\x56\x78"


class Frame(NamedTuple):
    """A frame as it was read."""

    opcode: int
    payload: bytes
    fin: bool = True


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes = MASK, rsv: int = 0) -> bytes:
    """Write a frame as RFC 6455, 5.2 draws it; an empty ``mask`` leaves it unmasked."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    flag = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes([first, flag | len(payload)])
    elif len(payload) < 1 << 16:
        head = bytes([first, flag | 126]) + len(payload).to_bytes(2)
    else:
        head = bytes([first, flag | 127]) + len(payload).to_bytes(8)
    body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)) if mask else payload
    return head + mask + body


def close_frame(code: int | None, reason: str = "") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2) + reason.encode())


def read_frames(data: bytes) -> Iterator[Frame]:
    """Read the frames of a server, or of a client, as far as they are whole."""
    while len(data) >= 2:
        size, place = data[1] & 0x7F, 2
        if size > 125:
            width = 2 if size == 126 else 8
            size, place = int.from_bytes(data[2 : 2 + width]), 2 + width
        mask = data[place : place + 4] if data[1] & 0x80 else b""
        place += len(mask)
        if len(data) < place + size:
            return
        payload = data[place : place + size]
        if mask:
            payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        yield Frame(data[0] & 0x0F, payload, bool(data[0] & 0x80))
        data = data[place + size :]


class _NoSocket:
    """As much of a socket as picows and uvicorn look at."""

    def setsockopt(self, *_arguments: object) -> None:
        pass

    def getsockopt(self, *_arguments: object) -> int:
        return 0

    def fileno(self) -> int:
        return -1

    def getpeername(self) -> tuple[str, int]:
        return ("192.0.2.1", 5000)

    def getsockname(self) -> tuple[str, int]:
        return ("192.0.2.2", 80)


class Net(asyncio.Transport):
    """One end of a connection; the test is the other end.

    What is written comes into ``written`` at once, unless ``stuck``: then it waits, and the protocol is paused above
    ``HIGH_WATER`` as asyncio would do.
    """

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.written = bytearray()
        self.stuck = False
        self.lost = False
        self._waiting = bytearray()
        self._paused = False
        self._reading = True
        self._unread = b""
        self._closing = False
        self._protocol = protocol

    # The test's end

    def feed(self, data: bytes) -> None:
        """Bring what the peer sent; it waits while reading is paused."""
        self._unread += data
        while self._unread and self._reading and not self._closing:
            if isinstance(self._protocol, asyncio.BufferedProtocol):
                buffer = memoryview(self._protocol.get_buffer(-1))
                size = min(len(buffer), len(self._unread))
                buffer[:size] = self._unread[:size]
                self._unread = self._unread[size:]
                self._protocol.buffer_updated(size)
            elif isinstance(self._protocol, asyncio.Protocol):
                data, self._unread = self._unread, b""
                self._protocol.data_received(data)

    def hang_up(self) -> None:
        """Be gone without a word."""
        self._close(None)

    def unstick(self) -> None:
        """Read on, after ``stuck`` was set."""
        self.stuck = False
        self.written += self._waiting
        self._waiting.clear()
        if self._paused:
            self._paused = False
            self._protocol.resume_writing()
        if self._closing:
            self._close(None)

    def take(self) -> bytes:
        """Take what was written."""
        taken = bytes(self.written)
        self.written.clear()
        return taken

    def frames(self) -> list[Frame]:
        """Take the frames that were written."""
        return list(read_frames(self.take()))

    @property
    def reading(self) -> bool:
        return self._reading

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    # The protocol's end

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return _NoSocket() if name == "socket" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return len(self._waiting) + 1  # never nothing, or picows would write to the socket itself

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        if not self.stuck:
            self.written += data
            return
        self._waiting += data
        if len(self._waiting) > HIGH_WATER and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        if self._unread:
            asyncio.get_running_loop().call_soon(self.feed, b"")

    def close(self) -> None:
        self._closing = True
        if not self._waiting:
            self._close(None)

    def abort(self) -> None:
        self._waiting.clear()
        self._close(None)

    def _close(self, error: Exception | None) -> None:
        self._closing = True
        asyncio.get_running_loop().call_soon(self._tell_lost, error)

    def _tell_lost(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            self._protocol.connection_lost(error)

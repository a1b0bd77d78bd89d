"""Messages in a stream (RFC 3261, 18.3): over TCP and TLS, Content-Length alone says where one ends."""

import re

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import MAX_MESSAGE_BYTES

PING = b""
"""What stands for a double line end, by which the peer asks whether the connection lives (RFC 5626, 3.5.1)."""
PONG = b"\r\n"
"""What a ping is answered with."""

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Framer:
    """Cut what comes by one connection into its messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._looked = 0  # so far no head has ended

    @property
    def waiting(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer.strip(PONG))

    def push(self, data: bytes) -> list[bytes]:
        """Take what came; gives the messages that are whole now, and PING for each ping.

        Raises RemoteError ``malformed_sip`` where nobody can tell any more where a message ends: the connection is of
        no use then.
        """
        self._buffer += data
        found = []
        while (one := self._next()) is not None:
            found.append(one)
        return found

    def _next(self) -> bytes | None:
        if self._buffer.startswith(_END):
            del self._buffer[: len(_END)]
            return PING
        if self._buffer.startswith(PONG) and len(self._buffer) > len(PONG) and self._buffer[2:3] != b"\r":
            del self._buffer[: len(PONG)]  # a pong, or line ends before a message (7.5)
        end = self._buffer.find(_END, max(0, self._looked - len(_END)))
        if end < 0:
            self._looked = len(self._buffer)
            _check_size(self._looked)
            return None
        size = end + len(_END) + _length(bytes(self._buffer[: end + 2]))
        _check_size(size)
        if len(self._buffer) < size:
            return None
        message = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._looked = 0
        return message


def _check_size(size: int) -> None:
    if size > MAX_MESSAGE_BYTES:
        raise _malformed(f"of more than {MAX_MESSAGE_BYTES} bytes")


def _length(head: bytes) -> int:
    lengths = {int(found) for found in _LENGTH.findall(head)}
    if len(lengths) != 1:
        raise _malformed("without one Content-Length in a stream, where it is needed (RFC 3261, 18.3)")
    return lengths.pop()


def _malformed(what: str) -> RemoteError:
    return RemoteError(f"The peer sent a SIP message {what}.", code="malformed_sip")

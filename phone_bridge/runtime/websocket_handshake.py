"""The HTTP half of a WebSocket on the server's side, as values: the request that asks for one and the refusal."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

KEY_BYTES = 16  # RFC 6455, 4.1

Headers = list[tuple[bytes, bytes]]


class Handshake(NamedTuple):
    """A request to upgrade, as uvicorn writes it out again; header names are lower case."""

    method: bytes
    target: bytes
    headers: Headers

    @classmethod
    def parse(cls, data: bytes) -> "Handshake":
        """Read the whole request, which httptools has checked already."""
        request, *lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        method, target, _ = request.split(b" ")
        pairs = (line.partition(b":") for line in lines)
        return cls(method, target, [(name.lower(), value.strip()) for name, _, value in pairs])

    def values(self, name: bytes) -> list[bytes]:
        """Find every value of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def subprotocols(self) -> list[str]:
        """What the client offers, best first."""
        offers = b",".join(self.values(b"sec-websocket-protocol")).decode("latin-1").split(",")
        return [offer.strip() for offer in offers if offer.strip()]

    @property
    def key(self) -> bytes:
        """The client's key; empty when there is none, or none that RFC 6455, 4.1 allows."""
        try:
            (key,) = self.values(b"sec-websocket-key")
            return key if len(b64decode(key, validate=True)) == KEY_BYTES else b""
        except (NotBase64, ValueError):
            return b""

    def flaw(self) -> "Denial | None":
        """Find what is wrong, as the answer that tells of it."""
        if self.method != b"GET":
            return Denial(405, [(b"allow", b"GET")])
        if self.values(b"sec-websocket-version") != [b"13"]:
            return Denial(426, [(b"sec-websocket-version", b"13"), (b"upgrade", b"websocket")])
        return None if self.key and self.target.isascii() else Denial(400)


class Denial:
    """An HTTP response instead of a WebSocket, collected and then written as one: ``bytes(denial)``."""

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._status = status
        self._headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        self._body = b""

    def add(self, body: bytes) -> None:
        """Add to the body."""
        self._body += body

    def __bytes__(self) -> bytes:
        phrase = HTTPStatus(self._status).phrase if self._status in set(HTTPStatus) else ""
        headers = [*self._headers, (b"content-length", b"%d" % len(self._body)), (b"connection", b"close")]
        lines = [f"HTTP/1.1 {self._status} {phrase}".encode(), *(name + b": " + value for name, value in headers)]
        return b"\r\n".join([*lines, b"", self._body])

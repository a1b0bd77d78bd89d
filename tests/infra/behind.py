"""What stands behind a proxy in these tests: it tells back what it was asked, and echoes where it was upgraded."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import NamedTuple

TIMEOUT_SECONDS = 10
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}


class Answer(NamedTuple):
    """An answer's status, and its body: for what reached the other side, the head that arrived there."""

    status: int
    body: str

    def header(self, name: str) -> list[str]:
        """Give what arrived in a header."""
        pairs = (line.partition(": ") for line in self.body.splitlines())
        return [value for key, _, value in pairs if key.lower() == name.lower()]


@contextlib.contextmanager
def telling_back() -> Iterator[int]:
    """Serve on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def open_socket(port: int, tls_name: str | None) -> Iterator[socket.socket]:
    """Connect, with TLS to ``tls_name`` where there is one."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain:
        if tls_name is None:
            yield plain
            return
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the certificate is this test's own
        with context.wrap_socket(plain, server_hostname=tls_name) as wrapped:
            yield wrapped


def ask(
    port: int,
    path: str,
    *,
    host: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    tls_name: str | None = None,
) -> Answer:
    """Send one request and read the answer."""
    with open_socket(port, tls_name) as connection:
        wanted = {"Host": host, "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
        _say(connection, f"{method} {path} HTTP/1.1", wanted, body)
        head, rest = _read_head(connection)
        while chunk := connection.recv(65_536):
            rest += chunk
    return Answer(int(head.split()[1]), rest.decode())


def talk(port: int, path: str, frames: list[bytes], *, host: str, tls_name: str | None = None) -> Answer:
    """Upgrade, and send each frame after the one before has come back."""
    with open_socket(port, tls_name) as connection:
        _say(connection, f"GET {path} HTTP/1.1", {"Host": host, **UPGRADE})
        head, rest = _read_head(connection)
        heard = b""
        for frame in frames if head.split()[1] == "101" else ():
            connection.sendall(frame)
            while len(rest) < len(frame):
                rest += connection.recv(65_536)
            heard, rest = heard + rest[: len(frame)], rest[len(frame) :]
    return Answer(int(head.split()[1]), heard.decode())


def _accept(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with contextlib.suppress(OSError), connection:
        connection.settimeout(TIMEOUT_SECONDS)
        head, rest = _read_head(connection)
        _read_body(connection, head, len(rest))  # whole, as a real server does: an early answer would hide a cut
        if "upgrade: websocket" in head.lower():
            _say(connection, "HTTP/1.1 101 Switching Protocols", UPGRADE)
            while frame := connection.recv(65_536):
                connection.sendall(frame)
        else:
            body = head.encode()
            _say(connection, "HTTP/1.1 200 OK", {"Connection": "close", "Content-Length": str(len(body))}, body)


def _read_body(connection: socket.socket, head: str, got: int) -> None:
    told = [line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("content-length:")]
    while told and got < int(told[0]):
        chunk = connection.recv(65_536)
        if not chunk:
            raise ConnectionError(f"the connection ended after {got} bytes of a body")
        got += len(chunk)


def _say(connection: socket.socket, first: str, headers: Mapping[str, str], body: bytes = b"") -> None:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    connection.sendall("\r\n".join(lines).encode() + body)


def _read_head(connection: socket.socket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        if not chunk:
            raise ConnectionError(f"the connection ended after {len(data)} bytes of a head")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode(), rest

"""The request that asks for a WebSocket, and the answers that refuse it."""

import pytest

from phone_bridge.runtime.websocket_handshake import Denial, Handshake

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = [(b"upgrade", b"websocket"), (b"sec-websocket-version", b"13"), (b"sec-websocket-key", KEY)]


def ask(*changed: tuple[bytes, bytes | None], method: bytes = b"GET", target: bytes = b"/media?a=b") -> Handshake:
    """A good request with some headers changed, or taken away."""
    names = {name for name, _ in changed}
    headers = [pair for pair in HEADERS if pair[0] not in names]
    headers += [(name, value) for name, value in changed if value is not None]
    lines = [method + b" " + target + b" HTTP/1.1", *(name + b": " + value for name, value in headers)]
    return Handshake.parse(b"\r\n".join([*lines, b"", b""]))


def test_a_request_is_read_as_uvicorn_wrote_it() -> None:
    handshake = ask((b"X-Empty", b""), (b"x-colons", b"a: b:c"))
    assert (handshake.method, handshake.target) == (b"GET", b"/media?a=b")
    assert handshake.headers == [*HEADERS, (b"x-empty", b""), (b"x-colons", b"a: b:c")]
    assert handshake.key == KEY
    assert handshake.flaw() is None


def test_subprotocols_are_read_from_every_header_in_order() -> None:
    handshake = ask((b"sec-websocket-protocol", b"a, b"), (b"sec-websocket-protocol", b"c,"))
    assert handshake.subprotocols == ["a", "b", "c"]
    assert ask().subprotocols == []


@pytest.mark.parametrize(
    ("handshake", "status"),
    [
        (ask(method=b"POST"), 405),
        (ask(target=b"/\xc3\xbc"), 400),
        (ask((b"sec-websocket-version", b"8")), 426),
        (ask((b"sec-websocket-version", None)), 426),
        (ask((b"sec-websocket-key", None)), 400),
        (ask((b"sec-websocket-key", b"short")), 400),
        (ask((b"sec-websocket-key", b"AAAA")), 400),
        (ask((b"sec-websocket-key", b"\xff" * 24)), 400),
        (ask((b"sec-websocket-key", KEY), (b"sec-websocket-key", KEY)), 400),
    ],
)
def test_a_flawed_request_is_refused(handshake: Handshake, status: int) -> None:
    flaw = handshake.flaw()
    assert flaw is not None
    assert bytes(flaw).startswith(b"HTTP/1.1 %d " % status)


def test_a_client_of_another_version_is_told_which_one_we_speak() -> None:
    flaw = ask((b"sec-websocket-version", b"8")).flaw()
    assert flaw is not None
    assert b"\r\nsec-websocket-version: 13\r\n" in bytes(flaw)


def test_a_denial_is_one_whole_response() -> None:
    denial = Denial(403, [(b"content-type", b"text/plain"), (b"Content-Length", b"99")])
    denial.add(b"not ")
    denial.add(b"you")
    assert bytes(denial) == (
        b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 7\r\nconnection: close\r\n\r\nnot you"
    )


def test_a_status_without_a_name_will_do() -> None:
    assert bytes(Denial(599)).startswith(b"HTTP/1.1 599 \r\n")

"""SIP messages (RFC 3261, 7): read strictly, with one way out for what makes no sense, and written.

``sipmessage`` knows the grammar; it reads lazily and raises whatever came up, so all that anybody asks of a message is
asked here, once, and what cannot be answered is a RemoteError ``malformed_sip``.
"""

import re
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sipmessage import URI, Address, CSeq, Headers, Message, Via
from sipmessage import Request as _Request

from phone_bridge.errors import RemoteError

MAX_MESSAGE_BYTES = 16_384
"""The longest message that is read; UDP carries little more, and no telephone says so much."""

MAX_FIELD_CHARS = 1_024
"""The longest address, Via or first line: their grammar is read in a time that grows with the square of it."""

MAX_SEQUENCE = 2**31 - 1
"""RFC 3261, 8.1.1.5: a sequence number is less than this."""

MAX_VIAS = 70
"""As many hops as Max-Forwards allows a request at its start (RFC 3261, 8.1.1.6)."""

SDP_TYPE = "application/sdp"

BRANCH_COOKIE = "z9hG4bK"
"""How the branch of a transaction begins since RFC 3261, 8.1.1.7."""

CRLF = "\r\n"

_FOLD = re.compile(r"\r\n[ \t]+")
_STATUS = re.compile(rb"SIP/2\.0 ([1-6]\d\d)\b")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_SENT_PROTOCOL = re.compile(r"SIP\s*/\s*2\.0\s*/\s*", re.IGNORECASE)
_ADDRESSED = frozenset({"via", "from", "to", "contact", "record-route", "route"})
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")


class _Head(Struct, frozen=True, kw_only=True):
    via: tuple[Via, ...]
    from_: Address
    to: Address
    call_id: str
    sequence: int
    cseq_method: str
    contact: tuple[Address, ...]
    record_route: tuple[Address, ...]
    headers: Headers
    body: bytes

    @property
    def branch(self) -> str:
        """The transaction's name, as the sender of the message gave it."""
        return self.via[0].parameters.get("branch") or ""

    @property
    def from_tag(self) -> str:
        """The tag of who sent the request; empty for none."""
        return self.from_.parameters.get("tag") or ""

    @property
    def to_tag(self) -> str:
        """The tag of who took the request; empty outside a dialog."""
        return self.to.parameters.get("tag") or ""

    def allows(self, method: str) -> bool:
        """Tell whether whoever has written it takes requests of that kind, as far as it says."""
        return method.lower() in self.options("Allow")

    def options(self, name: str) -> frozenset[str]:
        """Name the option tags of ``Supported`` or ``Require``, in small letters."""
        found = ",".join(self.headers.getlist(name)).split(",")
        return frozenset(tag.strip().lower() for tag in found if tag.strip())

    @property
    def content_type(self) -> str:
        """The kind of the body, in small letters and without parameters."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()


class Request(_Head, frozen=True, kw_only=True):
    """A request whose every address, number and hop has been read."""

    method: str
    uri: URI
    asserted: Address | None = None
    """Who the trunk says is calling (``P-Asserted-Identity``, RFC 3325), where that can be read."""


class Response(_Head, frozen=True, kw_only=True):
    """A response whose every address, number and hop has been read."""

    code: int
    phrase: str


def read(data: bytes) -> Request | Response:
    """Read one message; raises RemoteError ``malformed_sip`` for whatever RFC 3261 does not allow.

    Of a body in several parts (RFC 5621) the session description is kept, as if it had come alone.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise _malformed(f"of {len(data)} bytes, where {MAX_MESSAGE_BYTES} are read")
    try:
        parsed = Message.parse(_unfolded(data))
        headers = parsed.headers
        _check_lengths(headers)
        cseq = CSeq.parse(headers["CSeq"])
        head: dict[str, Any] = {
            "via": tuple(parsed.via),
            "from_": Address.parse(headers["From"]),
            "to": Address.parse(headers["To"]),
            "call_id": headers["Call-ID"],
            "sequence": cseq.sequence,
            "cseq_method": cseq.method,
            "contact": () if headers.get("Contact") == "*" else tuple(parsed.contact),
            "record_route": tuple(parsed.record_route),
            "headers": headers,
            "body": _described(_body(parsed.body, headers), headers),
        }
    except (KeyError, ValueError, AssertionError, TypeError) as error:
        raise _malformed(f"that cannot be read: {type(error).__name__} {error}"[:200]) from None
    message: Request | Response
    if isinstance(parsed, _Request):
        message = Request(method=parsed.method, uri=parsed.uri, asserted=_asserted(headers), **head)
    else:
        message = Response(code=parsed.code, phrase=parsed.phrase, **head)
    _check(message)
    return message


def _unfolded(data: bytes) -> bytes:
    """Put folded lines together, and take out the white space that sipmessage does not expect."""
    head, blank, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    lines = _FOLD.sub(" ", head.decode()).split(CRLF)
    if len(lines[0]) > MAX_FIELD_CHARS:
        raise ValueError("the first line is too long")
    for place, line in enumerate(lines[1:], 1):
        name, colon, value = line.partition(":")
        name = name.rstrip()
        if not colon or not _TOKEN.fullmatch(name):
            raise ValueError("a line is no header field")
        if name.lower() in ("v", "via"):
            if len(value) > MAX_FIELD_CHARS:  # before anything walks over its white space again and again
                raise ValueError("a Via is too long")
            value = _SENT_PROTOCOL.sub("SIP/2.0/", _COMMA.sub(",", value))
        lines[place] = f"{name}:{value}"
    return CRLF.join(lines).encode() + blank + body


def _check_lengths(headers: Headers) -> None:
    for name in headers.keys():  # noqa: SIM118 - it cannot be walked over
        values = headers.getlist(name)
        if name.lower() in _ADDRESSED and any(len(value) > MAX_FIELD_CHARS for value in values):
            raise ValueError(f"{name} is longer than {MAX_FIELD_CHARS} characters")
        if len(values) > 1 and name.lower() in ("call-id", "cseq", "from", "to", "content-length", "max-forwards"):
            raise ValueError(f"{name} stands there {len(values)} times")


def _body(body: bytes, headers: Headers) -> bytes:
    """Cut a datagram's body to its Content-Length (RFC 3261, 18.3)."""
    length = headers.get("Content-Length")
    if length is None:
        return body
    if not length.isascii() or not length.isdigit() or int(length) > len(body):
        raise ValueError("Content-Length does not fit the body")
    return body[: int(length)]


def _described(body: bytes, headers: Headers) -> bytes:
    """Take the session description out of a body of several parts; any other body stays what it is."""
    kind = headers.get("Content-Type") or ""
    boundary = _BOUNDARY.search(kind) if kind.lower().startswith("multipart/") else None
    if boundary is None:
        return body
    delimiter = f"{CRLF}--{boundary[1] or boundary[2]}".encode()
    for part in (CRLF.encode() + body).split(delimiter)[1:]:
        head, blank, content = part.partition(b"\r\n\r\n")
        fields = [line.partition(b":") for line in head.lower().split(b"\r\n")]
        types = [
            value.partition(b";")[0].strip() for name, _, value in fields if name.strip() in (b"content-type", b"c")
        ]
        if blank and types == [SDP_TYPE.encode()]:
            headers.setlist("Content-Type", [SDP_TYPE])
            headers.setlist("Content-Length", [str(len(content))])
            return content
    return body


def _asserted(headers: Headers) -> Address | None:
    value = headers.get("P-Asserted-Identity") or ""
    try:
        return Address.parse_many(value)[0] if 0 < len(value) <= MAX_FIELD_CHARS else None
    except (ValueError, TypeError, IndexError):
        return None


def _check(message: Request | Response) -> None:
    if not message.via or len(message.via) > MAX_VIAS:
        raise _malformed(f"with {len(message.via)} hops in its Via")
    if not message.call_id or not 0 <= message.sequence < MAX_SEQUENCE:
        raise _malformed("without a Call-ID, or with a sequence number beyond 2^31")
    if isinstance(message, Response):
        if not 100 <= message.code <= 699:
            raise _malformed(f"with the status {message.code}")
    elif message.method != message.cseq_method or not _TOKEN.fullmatch(message.method):
        raise _malformed(f"whose method is not that of its CSeq, {message.cseq_method[:20]!r}")


def _malformed(what: str) -> RemoteError:
    return RemoteError(f"The peer sent a SIP message {what}.", code="malformed_sip")


PHRASES = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    423: "Interval Too Brief",
    422: "Session Interval Too Small",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    603: "Decline",
}
"""The phrases of the statuses that are answered (RFC 3261, 21)."""

Fields = tuple[tuple[str, str], ...]


def response(request: Request, code: int, *, tag: str = "", fields: Fields = (), body: bytes = b"") -> str:
    """Write a response to ``request`` (RFC 3261, 8.2.6.2), with ``tag`` where its To has none."""
    via = [("Via", value) for value in request.headers.getlist("Via")]
    to = request.headers["To"]
    if tag and not request.to_tag:
        to += f";tag={tag}"
    routes: Fields = ()
    if request.method == "INVITE" and 100 < code < 300:  # 12.1.1
        routes = tuple(("Record-Route", value) for value in request.headers.getlist("Record-Route"))
    head = (
        *via,
        *routes,
        ("From", request.headers["From"]),
        ("To", to),
        ("Call-ID", request.call_id),
        ("CSeq", f"{request.sequence} {request.method}"),
        *fields,
    )
    return written(f"SIP/2.0 {code} {PHRASES[code]}", head, body)


def written(first: str, fields: Fields, body: bytes = b"") -> str:
    """Write a message out of its first line and its header fields; the body is text in UTF-8."""
    lines = [first, *(f"{name}: {value}" for name, value in fields), f"Content-Length: {len(body)}"]
    return CRLF.join(lines) + CRLF + CRLF + body.decode()


def received(request: Request, host: str, port: int) -> Request:
    """Note where a request came from in its topmost Via (RFC 3261, 18.2.1; RFC 3581, 4)."""
    top = request.via[0]
    changes: dict[str, str | None] = {}
    if top.host.strip("[]") != host or "rport" in top.parameters:
        changes["received"] = host
    if "rport" in top.parameters:
        changes["rport"] = str(port)
    if not changes:
        return request
    via = (Via(top.transport, top.host, top.port, top.parameters.replace(**changes)), *request.via[1:])
    request.headers.setlist("Via", [str(hop) for hop in via])
    return replace(request, via=via)


def fragment(body: bytes) -> int:
    """Read the status that a fragment of a message begins with (RFC 3420); 0 for none."""
    found = _STATUS.match(body)
    return int(found[1]) if found else 0


def rendered(request: Request) -> str:
    """Write a request as it was read."""
    return f"{request.method} {request.uri} SIP/2.0{CRLF}{request.headers}{request.body.decode(errors='replace')}"

"""Session descriptions: what a caller offers and what is answered (RFC 8866, RFC 3264), for sound and keys.

One audio stream is spoken over RTP (RFC 3551), in G.711 or G.722, sealed where both sides will (RFC 4568, RFC 8643);
every other stream of an offer is declined by port 0, in place.
"""

from msgspec import Struct

from phone_bridge.audio.format import Format
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import srtp
from phone_bridge.legs.sip.codec import CLOCK_RATE, CODECS, FORMATS, NAMES
from phone_bridge.legs.sip.srtp import Crypto, Srtp

MAX_LINES = 200
MAX_STREAMS = 16
MAX_PORT = 65_535

TELEPHONE_EVENT = 101
"""The payload type that is offered for telephone events; an answer takes the caller's own."""

COMFORT_NOISE = 13
"""Answered where it is offered (RFC 3389); what is offered here does without."""

_NAMES = {f"{name.lower()}/{rate}": codec for codec, name in NAMES.items() for rate in (CLOCK_RATE, f"{CLOCK_RATE}/1")}
CLEAR, SEALED = "RTP/AVP", "RTP/SAVP"
_CLEAR, _SEALED = (CLEAR, f"{CLEAR}F"), (SEALED, f"{SEALED}F")
"""Each with feedback, too (RFC 4585, RFC 5124): who offers none of it in return is sent none."""
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_ANSWERED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


class Stream(Struct, frozen=True, kw_only=True):
    """One ``m=`` line with what belongs to it; ``payloads`` maps what the peer calls a format to what it is."""

    media: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    host: str = ""
    direction: str = "sendrecv"
    payloads: dict[int, int] = {}
    events: int | None = None
    """The payload type of telephone events (RFC 4733); None when the peer knows none."""
    mux: bool = False
    """Whether reports may come to the port of the sound (RFC 5761)."""
    control_port: int = 0
    """Where reports come to (RFC 3605)."""
    crypto: Crypto | None = None
    """How the peer seals what it sends, if it can."""

    def usable(self, wish: Srtp) -> bool:
        """Whether this is sound that can be spoken here, as ``wish`` has it."""
        may_be_sealed = wish is not Srtp.OFF and self.crypto is not None
        fits = may_be_sealed or (self.protocol in _CLEAR and wish is not Srtp.REQUIRE)
        return (
            self.media == "audio"
            and self.protocol in (*_CLEAR, *_SEALED)
            and fits
            and self.port > 0
            and bool(self.payloads)
        )


class Description(Struct, frozen=True, kw_only=True):
    """A session as a peer describes it."""

    streams: tuple[Stream, ...]

    def audio(self, wish: Srtp = Srtp.OFF) -> Stream | None:
        """The first stream that can be spoken here, one that is sealed before any that is not."""
        usable = [stream for stream in self.streams if stream.usable(wish)]
        return next((stream for stream in usable if stream.crypto is not None), usable[0] if usable else None)


class Agreed(Struct, frozen=True, kw_only=True):
    """What two descriptions come to: where sound is sent, as what, and whether each side sends it."""

    host: str
    port: int
    payload: int
    """The payload type of the sound, both ways."""
    codec: int
    """The static payload type of what the peer may call otherwise."""
    format: Format
    codecs: tuple[int, ...]
    """What may be spoken later on."""
    events: int | None
    sends: bool
    """Whether the peer wants to hear."""
    hears: bool
    """Whether the peer sends."""
    crypto: Crypto | None = None
    """How the peer seals its sound; None where it goes in the clear, both ways."""
    stream: Stream | None = None
    """The peer's stream that was taken."""
    control_port: int = 0
    """Where the peer's reports are sent to; the port of its sound where one port is used for both."""


def read(body: bytes) -> Description:
    """Read a description; raises RemoteError ``malformed_sdp``."""
    try:
        return _read(body.decode())
    except (ValueError, IndexError) as error:
        raise RemoteError(
            f"The peer sent a session description that cannot be read: {error}.", code="malformed_sdp"
        ) from None


def _read(text: str) -> Description:
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_LINES or lines[0] != "v=0":
        raise ValueError("it does not begin with v=0, or is too long")
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        if line:
            sections[-1].append(line)
    if len(sections) - 1 > MAX_STREAMS:
        raise ValueError(f"it has more than {MAX_STREAMS} streams")
    host, direction = _connection(sections[0]), _direction(sections[0], "sendrecv")
    return Description(streams=tuple(_stream(lines, host, direction) for lines in sections[1:]))


def _stream(lines: list[str], host: str, direction: str) -> Stream:
    media, port, protocol, *formats = lines[0][2:].split()
    number = int(port.partition("/")[0])
    if not 0 <= number <= MAX_PORT or not formats:
        raise ValueError("a stream has no port or no format")
    mapped = {str(codec): codec for codec in FORMATS}
    events, control_port, crypto = None, number + 1, None
    for line in lines:
        if line.startswith("a=crypto:"):
            crypto = crypto or srtp.read(line.removeprefix("a=crypto:"))
        if line.startswith("a=rtcp:"):
            control_port = int(line.removeprefix("a=rtcp:").split()[0])
        if line.startswith("a=rtpmap:"):
            payload, _, name = line.removeprefix("a=rtpmap:").partition(" ")
            if name.strip().lower() == "telephone-event/8000" and payload in formats:
                events = _payload(payload)
            mapped[payload] = _NAMES.get(name.strip().lower(), -1)
    audio = media == "audio"
    return Stream(
        media=media,
        port=number,
        protocol=protocol,
        formats=tuple(formats),
        host=_connection(lines) or host,
        direction=_direction(lines, direction),
        payloads={_payload(name): mapped[name] for name in formats if audio and mapped.get(name, -1) >= 0},
        events=events,
        mux="a=rtcp-mux" in lines,
        crypto=crypto,
        control_port=control_port if 0 < control_port <= MAX_PORT else number,
    )


def _payload(name: str) -> int:
    payload = int(name)
    if not 0 <= payload <= 127:
        raise ValueError(f"{payload} is no payload type")
    return payload


def _connection(lines: list[str]) -> str:
    for line in lines:
        if line.startswith("c="):
            network, kind, host = line[2:].split()
            if network != "IN" or kind not in ("IP4", "IP6"):
                raise ValueError("its c= names no address of the Internet")
            return host.partition("/")[0]
    return ""


def _direction(lines: list[str], usual: str) -> str:
    return next((line[2:] for line in lines if line[2:] in _DIRECTIONS and line.startswith("a=")), usual)


def agree(theirs: Description, wish: Srtp = Srtp.OFF, codecs: tuple[int, ...] = CODECS) -> Agreed:
    """Take the peer's first choice of ``codecs``, sealed as ``wish`` has it.

    Raises RemoteError ``no_common_codec``.
    """
    stream = theirs.audio(wish)
    known = stream.payloads.items() if stream is not None else ()
    fitting = (pair for pair in known if pair[1] in codecs)
    payload, codec = next(fitting, (-1, -1))
    if stream is None or payload < 0:
        raise RemoteError(
            f"The peer offers no audio in {' or '.join(NAMES[codec] for codec in codecs)} over "
            f"{SEALED if wish is Srtp.REQUIRE else CLEAR}; have it offer one of them "
            f"{'with' if wish is Srtp.REQUIRE else 'without'} SRTP, or see codecs and srtp in [[sip_trunks]].",
            code="no_common_codec",
        )
    on_hold = stream.host in ("0.0.0.0", "::")  # noqa: S104 - the old way of hold (RFC 3264, 8.4)
    return Agreed(
        host=stream.host,
        port=stream.port,
        payload=payload,
        codec=codec,
        format=FORMATS[codec],
        codecs=codecs,
        events=stream.events,
        sends=stream.direction in ("sendrecv", "recvonly") and not on_hold,
        hears=stream.direction in ("sendrecv", "sendonly"),
        crypto=stream.crypto if wish is not Srtp.OFF else None,
        stream=stream,
        control_port=stream.port if stream.mux else stream.control_port,
    )


def answer(theirs: Description, agreed: Agreed, host: str, port: int, version: int, *, key: bytes = b"") -> bytes:
    """Answer an offer from ``host`` and ``port`` with what was agreed, each other stream declined in its place.

    ``key`` is what our sound is sealed with, where that was agreed.
    """
    chosen = agreed.stream
    lines = _session(host, version)
    for stream in theirs.streams:
        if stream is not chosen:
            lines.append(f"m={stream.media} 0 {stream.protocol} {' '.join(stream.formats)}")
            continue
        spoken = {agreed.payload: stream.payloads[agreed.payload]}
        noise = (COMFORT_NOISE,) if str(COMFORT_NOISE) in stream.formats else ()
        lines += _audio(port, spoken, agreed.events, stream.protocol, noise)
        lines += [f"a=crypto:{ours}"] if (ours := sealing(agreed, key)) is not None else []
        lines += ["a=rtcp-mux"] if stream.mux else []
        lines.append(f"a={_ANSWERED[stream.direction]}")
    return _joined(lines)


def sealing(agreed: Agreed, key: bytes) -> Crypto | None:
    """Say how we seal what we send: by the peer's suite, under its number, with a ``key`` of our own."""
    return None if agreed.crypto is None else Crypto(agreed.crypto.tag, agreed.crypto.suite, key)


def offer(
    host: str,
    port: int,
    version: int,
    *,
    key: bytes = b"",
    wish: Srtp = Srtp.OFF,
    codecs: tuple[int, ...] = CODECS,
) -> bytes:
    """Offer ``codecs``, the first of them rather than the last, to whoever has offered nothing.

    Where a seal is wished but not required, an end that knows none takes the offer as it is (RFC 8643).
    """
    protocol = SEALED if wish is Srtp.REQUIRE else CLEAR
    sealed = [] if wish is Srtp.OFF else [f"a=crypto:{Crypto(1, srtp.OFFERED, key)}"]
    audio = _audio(port, {codec: codec for codec in codecs}, TELEPHONE_EVENT, protocol)
    return _joined([*_session(host, version), *audio, *sealed, "a=rtcp-mux", "a=sendrecv"])


def _session(host: str, version: int) -> list[str]:
    kind = "IP6" if ":" in host else "IP4"
    return ["v=0", f"o=- 1 {version} IN {kind} {host}", "s=-", f"c=IN {kind} {host}", "t=0 0"]


def _audio(
    port: int, payloads: dict[int, int], events: int | None, protocol: str, noise: tuple[int, ...] = ()
) -> list[str]:
    numbers = [*payloads, *noise, *([] if events is None else [events])]
    lines = [f"m=audio {port} {protocol} {' '.join(map(str, numbers))}"]
    lines += [f"a=rtpmap:{number} {NAMES[codec]}/{CLOCK_RATE}" for number, codec in payloads.items()]
    if events is not None:
        lines += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-15"]
    return [*lines, "a=ptime:20"]


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()

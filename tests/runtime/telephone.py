"""A telephone for tests: SIP and RTP over real sockets, each message written by hand."""

import asyncio
from typing import Any, Self

from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.codec import CODECS
from phone_bridge.legs.sip.message import Request, Response, read, response
from phone_bridge.legs.sip.rtcp import is_control
from phone_bridge.legs.sip.rtp import Packet, unpack
from phone_bridge.legs.sip.srtp import KEY_BYTES, Crypto, Seal, Srtp
from phone_bridge.legs.sip.telephone_event import Keys
from tests.runtime.serving import until

HOST = "127.0.0.1"
Place = tuple[str, int]


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: list[Any], read_one: Any) -> None:
        self._heard = heard
        self._read = read_one

    def datagram_received(self, data: bytes, addr: Place) -> None:
        if not is_control(data):
            self._heard.append(self._read(data))


class Telephone:
    """One telephone with one call at a time to a bridge at ``port``."""

    codecs: tuple[int, ...] = CODECS
    wish = Srtp.OFF
    seal: Seal | None = None
    payload_type = 0
    """What its sound goes by."""

    def __init__(self, port: int, number: str = "+4930123456") -> None:
        self.bridge = (HOST, port)
        self.number = number
        self.heard: list[Request | Response] = []
        self.packets: list[Packet] = []
        self.call_id = f"{number}@test"
        self.tag = ""
        self._sequence = 1
        self._sent = 0
        self._signalling: asyncio.DatagramTransport
        self._media: asyncio.DatagramTransport

    async def open(self) -> Self:
        loop = asyncio.get_running_loop()
        here = (HOST, 0)
        self._signalling, _ = await loop.create_datagram_endpoint(lambda: _Ear(self.heard, read), local_addr=here)
        self._media, _ = await loop.create_datagram_endpoint(lambda: _Ear(self.packets, self._opened), local_addr=here)
        return self

    def close(self) -> None:
        self._signalling.close()
        self._media.close()

    @property
    def codes(self) -> list[int]:
        return [message.code for message in self.heard if isinstance(message, Response)]

    @property
    def sound(self) -> bytes:
        return b"".join(packet.payload for packet in self.packets)

    @property
    def keys(self) -> list[str]:
        """The keys that were pressed for this telephone."""
        found = Keys()
        return [key for packet in self.pressed if (key := found.push(packet))]

    @property
    def pressed(self) -> list[Packet]:
        return [packet for packet in self.packets if packet.payload_type == sdp.TELEPHONE_EVENT]

    def requests(self, method: str) -> list[Request]:
        return [message for message in self.heard if isinstance(message, Request) and message.method == method]

    def say(self, method: str, body: bytes = b"", *more: str, sequence: int = 0) -> None:
        """Send a request, in the dialog where there is one."""
        port = self._signalling.get_extra_info("sockname")[1]
        branch = f"{'INVITE' if method == 'CANCEL' else method}{sequence or self._sequence}"
        tag = f";tag={self.tag}" if self.tag else ""
        lines = [
            f"{method} sip:bridge@{HOST} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{port};rport;branch=z9hG4bK{self.number}{branch}",
            f"From: <sip:{self.number}@{HOST}>;tag=theirs",
            f"To: <sip:+4930999@{HOST}>{tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {sequence or self._sequence} {method}",
            f"Contact: <sip:{HOST}:{port}>",
            *(more or ("Content-Type: application/sdp",)),
            f"Content-Length: {len(body)}",
        ]
        self._signalling.sendto(("\r\n".join(lines) + "\r\n\r\n").encode() + body, self.bridge)

    def invite(self, *fields: str, offers: bool = True) -> None:
        more = ("Content-Type: application/sdp", *fields)
        self.say("INVITE", self.offer() if offers else b"", *more)

    @property
    def key(self) -> bytes:
        """What its sound is sealed with, if it is."""
        return self.number.encode().ljust(KEY_BYTES, b"k")

    @property
    def media_port(self) -> int:
        return int(self._media.get_extra_info("sockname")[1])

    def offer(self) -> bytes:
        return sdp.offer(HOST, self.media_port, 1, key=self.key, wish=self.wish, codecs=self.codecs)

    def agree(self, described: bytes) -> bytes:
        """Speak as the bridge describes it; gives what answers that, where it is an offer."""
        theirs = sdp.read(described)
        agreed = sdp.agree(theirs, self.wish, self.codecs)
        self.media, self.payload_type = (agreed.host, agreed.port), agreed.payload
        if agreed.crypto is not None:
            self.seal = Seal(Crypto(agreed.crypto.tag, agreed.crypto.suite, self.key), agreed.crypto)
        return sdp.answer(theirs, agreed, HOST, self.media_port, 1, key=self.key)

    def _opened(self, data: bytes) -> Packet:
        return unpack(data if self.seal is None else self.seal.open(data))

    async def answered(self, code: int = 200) -> Response:
        """Wait for the answer ``code``, and take its tag."""
        await until(lambda: code in self.codes)
        found = next(message for message in self.heard if isinstance(message, Response) and message.code == code)
        self.tag = found.to_tag
        return found

    async def talk(self) -> None:
        """Call, and know that the call was taken."""
        self.invite()
        taken = await self.answered()
        self.agree(taken.body)
        self.say("ACK", sequence=1)

    def speak(self, *sounds: bytes, payload_type: int | None = None) -> None:
        """Send packets of sound."""
        for sound in sounds:
            self._sent += 1
            kind = self.payload_type if payload_type is None else payload_type
            packet = Packet(kind, self._sent, 160 * self._sent, 1, sound).pack()
            self._media.sendto(packet if self.seal is None else self.seal.seal(packet), self.media)

    def hang_up(self) -> None:
        self._sequence += 1
        self.say("BYE")

    def agree_to(self, request: Request, code: int = 200) -> None:
        text = response(request, 200).replace("200 OK", f"{code} So", 1)
        self._signalling.sendto(text.encode(), self.bridge)

    def notify(self, status: str, *, ended: bool = False) -> None:
        """Tell what becomes of a REFER."""
        self._sequence += 1
        state = "terminated;reason=noresource" if ended else "active"
        fields = ("Event: refer", f"Subscription-State: {state}", "Content-Type: message/sipfrag;version=2.0")
        self.say("NOTIFY", f"SIP/2.0 {status}\r\n".encode(), *fields)

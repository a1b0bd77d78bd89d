"""A DNS server on the loopback with a zone that a test writes, made of dnspython's own messages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.runtime.telephone import HOST

TTL_S = 300


class DnsServer(asyncio.DatagramProtocol):
    """Answers by UDP, and by TCP what is cut short; ``zone`` has the records of ``(type, name)`` as text."""

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.ttl_s = TTL_S
        self.silent = False
        self.fails = False
        """Whether it says that it cannot (SERVFAIL)."""
        self.cuts = False
        """Whether an answer by UDP is cut short."""
        self.asked: list[tuple[str, str]] = []
        self.place = (HOST, 0)
        self._transport: asyncio.DatagramTransport
        self._server: asyncio.Server

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        port = self._server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, port))
        self.place = HOST, port

    def close(self) -> None:
        self._transport.close()
        self._server.close()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        answer = self._answer(dns.message.from_wire(data))
        if self.silent:
            return
        if self.cuts:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
        self._transport.sendto(answer.to_wire(), addr)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        wire = self._answer(dns.message.from_wire(await reader.readexactly(length))).to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        writer.close()

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((kind, name))
        answer = dns.message.make_response(query)
        if self.fails:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records := self.zone.get((kind, name)):
            answer.answer.append(dns.rrset.from_text(question.name, self.ttl_s, "IN", kind, *records))
        elif not any(known == name for _, known in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    server = DnsServer()
    await server.open()
    try:
        yield server
    finally:
        server.close()

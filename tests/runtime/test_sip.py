"""The sockets of SIP, on the loopback; whole calls are played in tests/app/test_sip.py."""

import asyncio
from ipaddress import ip_network

import pytest

from phone_bridge.errors import LocalError, Unavailable
from phone_bridge.legs.sip.access import Access, Trunk
from phone_bridge.legs.sip.dialog import UDP, Hop
from phone_bridge.legs.sip.leg import SipLeg
from phone_bridge.runtime.sip import IncomingCall, Ports, SipServer
from phone_bridge.runtime.sip_transports import Certificates, Listening
from phone_bridge.runtime.sockets import Socket
from tests.runtime.serving import until
from tests.runtime.telephone import HOST, Telephone

PBX = Trunk(name="pbx", user_id="usr_1", networks=(ip_network("127.0.0.0/8"),))
RANGE = Ports(20_000, 29_998)


class Ear:
    """Listens to a call's socket."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.code: int | None = None

    def message(self, data: str | bytes) -> None:
        self.heard.append(data)

    def closed(self, code: int, reason: str) -> None:
        self.code = code


class Switchboard:
    """A server that takes every call."""

    def __init__(self, ports: Ports = RANGE, public_host: str = "", certificates: Certificates | None = None) -> None:
        access = Access([PBX], b"secret")
        self.server = SipServer(access, self._take, ports=ports, public_host=public_host, certificates=certificates)
        self.taken: list[tuple[SipLeg, Socket]] = []
        self.failed: Exception | None = None

    async def _take(self, call: IncomingCall) -> None:
        try:
            leg, socket = await call.answer()
        except Unavailable as error:
            self.failed = error
            call.refuse(503)
            return
        self.taken.append((leg, socket))
        await socket.wait_closed()

    async def open(self) -> Telephone:
        await self.server.open(Listening(UDP, HOST, 0))
        return await Telephone(self.server.port).open()


def test_packets_and_messages_come_by_one_socket_and_go_their_own_ways() -> None:
    async def story() -> None:
        board = Switchboard()
        telephone = await board.open()
        await telephone.talk()
        await until(lambda: bool(board.taken))
        leg, socket = board.taken[0]
        ear = Ear()
        socket.attach(ear)
        telephone.speak(b"\x90" * 160)
        telephone.hang_up()
        await until(lambda: len(ear.heard) == 2)
        assert sorted(type(message).__name__ for message in ear.heard) == ["bytes", "str"]
        for message in ear.heard:
            leg.receive(message, 0)
        leg.expire(board.server.now())
        for said in leg.outgoing():
            socket.send(said)
        await until(lambda: telephone.codes[-2:] == [200, 200])
        socket.close()
        await socket.wait_closed()
        await until(lambda: ear.code is not None)
        assert telephone.requests("BYE") == []
        telephone.close()
        await board.server.close()

    asyncio.run(story())


def test_a_socket_that_is_closed_hangs_up() -> None:
    async def story() -> None:
        board = Switchboard()
        telephone = await board.open()
        await telephone.talk()
        await until(lambda: bool(board.taken))
        _, socket = board.taken[0]
        socket.close()
        await until(lambda: bool(telephone.requests("BYE")))
        telephone.close()
        await board.server.close()

    asyncio.run(story())


def test_what_was_said_before_anybody_listened_is_kept() -> None:
    async def story() -> None:
        board = Switchboard()
        telephone = await board.open()
        await telephone.talk()
        telephone.hang_up()
        await until(lambda: bool(board.taken))
        ear = Ear()
        board.taken[0][1].attach(ear)
        await until(lambda: any(isinstance(message, str) and message.startswith("BYE") for message in ear.heard))
        telephone.close()
        await board.server.close()

    asyncio.run(story())


def test_a_second_talker_is_not_heard() -> None:
    async def story() -> None:
        board = Switchboard()
        telephone = await board.open()
        await telephone.talk()
        await until(lambda: bool(board.taken))
        ear = Ear()
        board.taken[0][1].attach(ear)
        telephone.speak(b"\x90" * 160)
        await until(lambda: len(ear.heard) == 1)
        intruder = await Telephone(board.server.port).open()
        intruder.media = telephone.media
        intruder.speak(b"\x00" * 160)
        telephone.speak(b"\x91" * 160)
        await until(lambda: len(ear.heard) == 2)
        assert str(ear.heard[1])[-5:] == str(b"\x91")[-5:]
        intruder.close()
        telephone.close()
        await board.server.close()

    asyncio.run(story())


def test_without_a_port_for_its_sound_a_call_is_turned_away() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        taken, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(HOST, 0))
        port = taken.get_extra_info("sockname")[1]
        even = port - port % 2
        if even != port:
            taken.close()
            taken, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(HOST, even))
        board = Switchboard(Ports(even, even + 1))
        telephone = await board.open()
        telephone.invite()
        await telephone.answered(503)
        assert isinstance(board.failed, Unavailable)
        assert board.failed.code == "no_rtp_port"
        taken.close()
        telephone.close()
        await board.server.close()

    asyncio.run(story())


def test_peers_are_told_the_public_address() -> None:
    async def story() -> None:
        board = Switchboard(public_host="203.0.113.7")
        telephone = await board.open()
        telephone.invite()
        taken = await telephone.answered()
        assert b"c=IN IP4 203.0.113.7" in taken.body
        assert str(taken.contact[0].uri) == f"sip:203.0.113.7:{board.server.port}"
        telephone.close()
        await board.server.close()

    asyncio.run(story())


def test_a_port_that_is_taken_is_told() -> None:
    async def story() -> None:
        first, second = Switchboard(), Switchboard()
        telephone = await first.open()
        with pytest.raises(Unavailable) as raised:
            await second.server.open(Listening(UDP, HOST, first.server.port))
        assert raised.value.code == "sip_port"
        telephone.close()
        await first.server.close()
        with pytest.raises(LocalError):
            second.server._here(Hop(HOST, 1))

    asyncio.run(story())


def test_a_mistake_of_ours_ends_one_call_and_is_told() -> None:
    async def story() -> None:
        told: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))

        async def fails(call: IncomingCall) -> None:
            raise LocalError("a mistake")

        server = SipServer(Access([PBX], b"secret"), fails, ports=RANGE)
        await server.open(Listening(UDP, HOST, 0))
        telephone = await Telephone(server.port).open()
        telephone.invite()
        await telephone.answered(503)
        await until(lambda: bool(told))
        telephone.close()
        await server.close()

    asyncio.run(story())

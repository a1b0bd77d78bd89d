"""Two telephones that talk through us, in virtual time."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, PCMU_8K
from phone_bridge.audio.path import path
from phone_bridge.audio.tones import RINGBACK_HZ
from phone_bridge.call.trace import Trace
from phone_bridge.errors import RemoteError
from phone_bridge.joined_talk import JoinedTalk
from phone_bridge.legs.sip.leg import SipLeg
from phone_bridge.legs.sip.message import Request, read
from phone_bridge.legs.sip.rtcp import is_control
from phone_bridge.legs.sip.rtp import Packet, unpack
from phone_bridge.legs.sip.telephone_event import Keys, pack
from phone_bridge.runtime.joined_pump import MAX_BEHIND_MS, JoinedPump
from phone_bridge.runtime.sockets import Socket
from phone_bridge.sessions.chronapilot import ChronaPilot
from tests.clock import run_virtual, settle
from tests.legs.sip import samples
from tests.runtime.joined import joined
from tests.runtime.pumping import Stage, virtual

LIMIT_MS = 20_000
FRAME_S = 0.02


class Phone:
    """One telephone and the leg that it is on: it is sent packets and says some."""

    def __init__(self, make: Callable[[int], SipLeg] = samples.leg) -> None:
        self.loop = asyncio.get_running_loop()
        near, far = joined()
        self.socket, self._line = near.socket, far.socket
        self.leg = make(int(self.loop.time() * 1000))
        self.packets: list[Packet] = []
        self.came: list[float] = []
        self.messages: list[Request] = []
        self.closed_with: int | None = None
        self._sent = 0
        self._line.attach(self)

    def message(self, data: str | bytes) -> None:
        if isinstance(data, str):
            found = read(data.encode())
            if isinstance(found, Request):
                self.messages.append(found)
        elif not is_control(data):
            self.packets.append(unpack(data))
            self.came.append(self.loop.time())

    def closed(self, code: int, reason: str) -> None:
        self.closed_with = code

    def say(self, payload: bytes, payload_type: int = 0) -> None:
        self._sent += 1
        self._line.send(Packet(payload_type, self._sent, 160 * self._sent, 1, payload).pack())

    async def talk(self, sound: bytes, *, wide: bool = False) -> None:
        """Say a sound, a packet every 20 ms."""
        for at in range(0, len(sound), 160):
            self.say(sound[at : at + 160], 9 if wide else 0)
            await asyncio.sleep(FRAME_S)

    def press(self, digit: str) -> None:
        self.say(pack(digit, end=False, duration=160), 101)

    def hang_up(self) -> None:
        self._line.send(samples.text("said", "9_bye.sip"))

    @property
    def sound(self) -> bytes:
        return b"".join(packet.payload for packet in self.packets if packet.payload_type == 0)

    @property
    def keys(self) -> list[str]:
        found = Keys()
        return [key for packet in self.packets if packet.payload_type == 101 and (key := found.push(packet))]

    @property
    def hung_up_on(self) -> bool:
        return [each.method for each in self.messages] == ["BYE"] and self.closed_with is not None


class Talk:
    """A caller who is being put through, and whoever is called."""

    def __init__(self, make: Callable[[int], SipLeg] = samples.leg) -> None:
        stage = Stage()  # for a connector and a voice, which nobody may need
        self.caller, self.other = Phone(), Phone(make)
        self.talk = JoinedTalk(PCMU_8K, Trace(0), LIMIT_MS)
        self.pump = JoinedPump(
            self.talk,
            self.caller.leg,
            self.caller.socket,
            dialect=ChronaPilot(base_url="http://session.test", key="sk_test_1", user_id="usr_1"),
            connector=stage.connector,
            prompts=stage.voice,
            clock=stage.loop.time,
        )
        self.running: asyncio.Task[None]

    async def begin(self) -> "Talk":
        self.running = asyncio.create_task(self.pump.run())
        await settle()
        return self

    def join(self) -> None:
        self.pump.join(self.other.leg, self.other.socket)

    async def over(self) -> None:
        async with asyncio.timeout(5):
            await self.running
        await settle()
        assert not asyncio.all_tasks() - {asyncio.current_task()}


def tone(hz: int, ms: int = 400) -> bytes:
    time = np.arange(8 * ms) / 8_000
    wave = np.rint(8_000 * np.sin(2 * np.pi * hz * time)).astype("<i2")
    return path(LINEAR_8K, PCMU_8K).push(wave.tobytes())


def pitch(sound: bytes) -> float:
    """Find the loudest frequency in mu-law sound, in Hz."""
    wave = np.frombuffer(path(PCMU_8K, LINEAR_8K).push(sound), "<i2")
    return float(np.argmax(np.abs(np.fft.rfft(wave))) * 8_000 / len(wave))


@virtual
async def test_it_rings_and_then_the_two_hear_each_other_as_they_speak() -> None:
    talk = await Talk().begin()
    await asyncio.sleep(0.5)
    assert abs(pitch(talk.caller.sound) - RINGBACK_HZ) < 4
    heard = len(talk.caller.packets)
    talk.join()
    await asyncio.gather(talk.caller.talk(tone(600)), talk.other.talk(tone(1_500)))
    await asyncio.sleep(0.2)
    said = b"".join(packet.payload for packet in talk.caller.packets[heard:])
    assert abs(pitch(said) - 1_500) < 4, "and the ring is over"
    assert abs(pitch(talk.other.sound) - 600) < 4
    assert tone(600)[1_600:3_200] in talk.other.sound, "G.711 goes through as it came"
    gaps = {round(after - before, 3) for before, after in zip(talk.other.came[1:], talk.other.came[2:], strict=False)}
    assert gaps == {FRAME_S}
    talk.caller.hang_up()
    await talk.over()
    assert talk.other.hung_up_on
    assert (talk.pump.leads_on, talk.pump.trace.ended_by) == (False, "transfer")


@virtual
async def test_keys_are_passed_on_and_leave_the_two_no_further_apart() -> None:
    talk = await Talk().begin()
    talk.join()
    talk.caller.press("5")
    talk.other.press("#")
    await asyncio.gather(talk.caller.talk(tone(600)), talk.other.talk(tone(1_500)))
    assert (talk.other.keys, talk.caller.keys) == (["5"], ["#"])
    for phone in (talk.caller, talk.other):
        assert phone.leg.waiting_ms <= MAX_BEHIND_MS + 20
    talk.other.hang_up()
    await talk.over()
    assert talk.caller.hung_up_on


@virtual
async def test_a_telephone_in_wide_band_talks_with_one_in_narrow_band() -> None:
    talk = await Talk(samples.wide_leg).begin()
    assert talk.other.leg.format == LINEAR_16K
    talk.join()
    await talk.caller.talk(tone(600))
    await asyncio.sleep(0.2)
    decode = samples.wide_decoder()
    wave = np.frombuffer(b"".join(decode(packet.payload) for packet in talk.other.packets), "<i2")
    assert abs(np.argmax(np.abs(np.fft.rfft(wave))) * 16_000 / len(wave) - 600) < 4
    talk.caller.hang_up()
    await talk.over()


@virtual
async def test_a_caller_for_whom_nobody_comes_is_on_the_line_still() -> None:
    talk = await Talk().begin()
    await asyncio.sleep(6)
    talk.pump.give_up()
    await talk.over()
    assert talk.pump.leads_on
    assert (talk.caller.messages, talk.caller.closed_with) == ([], None)
    assert not talk.pump.move("sales"), "nor is anybody put through out of it"


@virtual
async def test_whoever_comes_too_late_is_hung_up_on() -> None:
    talk = await Talk().begin()
    talk.caller.hang_up()
    await talk.over()
    talk.join()
    await settle()
    assert talk.other.hung_up_on


@virtual
async def test_both_are_hung_up_on_when_it_is_ended_or_too_long() -> None:
    for ended in (True, False):
        talk = await Talk().begin()
        talk.join()
        await asyncio.sleep(1)
        if ended:
            talk.pump.end("api")
        else:
            speaking = asyncio.gather(talk.caller.talk(tone(600, LIMIT_MS)), talk.other.talk(tone(900, LIMIT_MS)))
            await talk.running
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
        await talk.over()
        assert talk.caller.hung_up_on
        assert talk.other.hung_up_on


@pytest.mark.parametrize("whose", ["caller", "other"])
def test_a_line_that_breaks_ends_it_for_both(whose: str) -> None:
    async def story() -> None:
        talk = await Talk().begin()
        talk.join()
        await asyncio.sleep(1)
        broken: Socket = getattr(talk, whose).socket
        broken.lost()
        await talk.over()
        assert (talk.other if whose == "caller" else talk.caller).hung_up_on

    run_virtual(story())


@virtual
async def test_what_fails_on_the_other_line_ends_this_call_and_says_so() -> None:
    talk = await Talk().begin()
    talk.join()

    def fails(now: int) -> list[object]:
        raise RemoteError("no", code="broken")

    talk.other.leg.expire = fails  # type: ignore[assignment, method-assign]  # a mistake of ours
    with pytest.raises(RemoteError):
        await talk.running
    assert talk.other.hung_up_on
    assert talk.caller.closed_with is not None

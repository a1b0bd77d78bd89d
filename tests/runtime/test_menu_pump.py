"""A caller in menus on a leg, in virtual time; and the call that takes the leg over."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from phone_bridge.audio.format import LINEAR_16K, PCMU_8K
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.audio.tape import HEADER_BYTES
from phone_bridge.audio.tones import BEEP_MS
from phone_bridge.audio.whole import pcm16
from phone_bridge.call.machine import Call
from phone_bridge.call.rules import Rules
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.menu_talk import Manners, MenuTalk
from phone_bridge.menus import Choice, Kind, Menu, Target
from phone_bridge.runtime.menu_pump import LineWanted, MenuPump, PutThrough
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.recordings import DELETED, KEPT, Recordings
from phone_bridge.sessions.chronapilot import ChronaPilot
from tests.audio.speechlike import vowel
from tests.clock import run_virtual, settle
from tests.runtime.pumping import FRAME, LINE_MS, Stage, start_of, virtual

OFFICE = Menu(
    name="office",
    say="Appointments?",
    human="number:+4930999999",
    choices=(
        Choice(key="1", words="appointments", to="assistant"),
        Choice(key="2", to="menu:second"),
        Choice(key="3", to="voicemail"),
    ),
)
SECOND = Menu(name="second", say="Digits?", gather=4, to="assistant")
MENUS = {menu.name: menu for menu in (OFFICE, SECOND)}
HEARD = (LINE_MS + 300) / 1000


class Words:
    """An ear that takes every half second of sound for an utterance, and says what it is told to."""

    def __init__(self, text: str = "appointments", seconds: float = 0.1) -> None:
        self.text = text
        self.seconds = seconds
        self.error: Exception | None = None
        self.prepared: list[tuple[str, ...]] = []
        self.expected: list[tuple[str, ...]] = []
        self._sound = b""

    def prepare(self, expected: tuple[str, ...]) -> None:
        self.prepared.append(expected)

    def push(self, audio: bytes) -> list[bytes]:
        self._sound += audio
        if LINEAR_16K.ms(len(self._sound)) < 500:
            return []
        whole, self._sound = self._sound, b""
        return [whole]

    def clear(self) -> None:
        self._sound = b""

    async def words(self, utterance: bytes, expected: tuple[str, ...]) -> str:
        self.expected.append(expected)
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return self.text


class Hall(Stage):
    """A stage on which the menus come first."""

    def __init__(
        self, *, ear: Words | None = None, put_through: PutThrough | None = None, kept: Recordings | None = None
    ) -> None:
        super().__init__()
        self.kept = kept
        self.leg = TwilioStream(start_of("1"))
        manners = Manners(hears="en" if ear else "", moves=put_through is not None)
        at = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
        self.talk = MenuTalk(PCMU_8K, MENUS, "office", manners, at=at, now=0)
        self.dialect = ChronaPilot(base_url="http://session.test", key="sk_test_1", user_id="usr_1")
        self.pump = MenuPump(
            self.talk,
            self.leg,
            self.near.socket,
            ear=ear,
            put_through=put_through,
            tape=(lambda: kept.open("call_1", PCMU_8K, self.talk.trace)) if kept is not None else None,
            dialect=self.dialect,
            connector=self.connector,
            prompts=self.voice,
            clock=self.loop.time,
        )

    async def said(self) -> "Hall":
        """Begin, and let the menu be heard."""
        await self.begin()
        await asyncio.sleep(HEARD)
        return self

    def speak(self, ms: int = 600) -> None:
        """Let the caller be heard."""
        sound = linear_to_ulaw(pcm16(vowel(ms)))
        self.carrier.speak(*(sound[at : at + 160] for at in range(0, len(sound) - 160, 160)))

    async def go_on(self) -> None:
        """Let the call that comes after the menus have the leg."""
        await self.running
        call = Call(PCMU_8K, Rules(), int(self.loop.time() * 1000))
        self.pump = Pump(
            call,
            self.leg,
            self.near.socket,
            dialect=self.dialect,
            connector=self.connector,
            prompts=self.voice,
            clock=self.loop.time,
        )
        await self.begin()


def refuses(code: str) -> PutThrough:
    async def put_through(number: str) -> None:
        await asyncio.sleep(1)
        raise Refused(f"not {number}", code=code)

    return put_through


@virtual
async def test_a_menu_costs_no_session_and_its_leg_is_the_next_call_s() -> None:
    hall = await Hall().said()
    assert hall.carrier.heard("menu.office")
    assert hall.network.assistant is None
    hall.carrier.press("1")
    await settle()
    assert hall.running.done()
    assert hall.pump.leads_on
    assert hall.near.socket.ending is None, "the caller is still on the line"
    hall.carrier.speak(FRAME)  # while nobody listens
    await settle()
    await hall.go_on()
    await asyncio.sleep(LINE_MS / 1000 + 0.5)
    assert hall.carrier.heard("greeting")
    assert hall.network.assistant is not None
    assert (hall.pump.trace.counts.stray_marks, hall.pump.leads_on) == (0, False)
    hall.carrier.hang_up()
    await hall.over()
    assert hall.pump.trace.ended_by == "caller"


@virtual
async def test_the_marks_of_what_a_key_has_cut_off_prove_nothing_to_the_call_behind() -> None:
    hall = Hall()
    hall.carrier.gives_marks_back = False
    await hall.said()
    hall.carrier.press("1")
    await settle()
    await hall.go_on()
    for number in range(1, 8):
        hall.carrier.say(hall.carrier.codec.mark(f"menu.0.{number}"))
    await settle()
    assert hall.pump.trace.counts.stray_marks == 7
    assert hall.pump.trace.transcript == []
    hall.carrier.hang_up()
    await hall.over()


@virtual
async def test_a_caller_who_goes_between_the_menu_and_the_call_is_gone() -> None:
    for goes in (lambda hall: hall.carrier.hang_up(), lambda hall: hall.near.break_off()):
        await _goes(goes)


async def _goes(goes: Callable[[Hall], None]) -> None:
    hall = await Hall().said()
    hall.carrier.press("1")
    goes(hall)
    await settle()
    await hall.go_on()
    await hall.over()
    assert hall.pump.trace.ended_by in ("caller", "carrier")


@virtual
async def test_words_are_heard_once_the_menu_was() -> None:
    ear = Words()
    hall = await Hall(ear=ear).said()
    assert "appointments" in ear.prepared[0]
    hall.speak()
    await asyncio.sleep(0.2)
    assert hall.talk.onward == Target(Kind.ASSISTANT)
    assert ear.expected == ear.prepared
    await hall.go_on()
    hall.carrier.hang_up()
    await hall.over()


@virtual
async def test_words_that_come_after_a_key_are_none_and_an_ear_that_fails_leaves_the_keys() -> None:
    ear = Words(seconds=1)
    hall = await Hall(ear=ear).said()
    hall.speak()
    await asyncio.sleep(0.1)
    hall.carrier.press("2")
    await asyncio.sleep(2)
    assert (hall.talk.onward, hall.talk.expected, len(ear.prepared)) == (None, (), 1)
    hall.carrier.press("*#")
    ear.error = Unavailable("deaf", code="ear_failed")
    await asyncio.sleep(HEARD)
    hall.speak()
    await asyncio.sleep(1.2)
    assert hall.talk.onward is None
    hall.carrier.press("4711")
    await settle()
    assert hall.talk.gathered == {"second": "4711"}
    await hall.go_on()
    hall.carrier.hang_up()
    await hall.over()


@virtual
async def test_without_an_ear_what_is_said_goes_nowhere() -> None:
    hall = await Hall().said()
    hall.speak()
    await settle()
    assert hall.talk.onward is None
    hall.carrier.hang_up()
    await hall.over()
    assert hall.pump.trace.ended_by == "caller"


@virtual
async def test_a_caller_is_put_through_once_they_know_it() -> None:
    asked: list[tuple[float, str]] = []

    async def put_through(number: str) -> None:
        asked.append((hall.loop.time(), number))

    hall = Hall(put_through=put_through)
    await hall.said()
    hall.carrier.press("0")
    pressed = hall.loop.time()
    await asyncio.sleep(3)
    ((at, number),) = asked
    assert number == "+4930999999"
    assert at >= pressed + LINE_MS / 1000
    hall.carrier.hang_up()
    await hall.over()


@virtual
async def test_a_caller_who_stays_is_told_so_and_let_go() -> None:
    hall = await Hall(put_through=refuses("not_transferred")).said()
    hall.carrier.press("0")
    await hall.over(10)
    assert hall.carrier.heard("menu.nobody")
    assert (hall.pump.trace.ended_by, hall.pump.leads_on) == ("bridge", False)


@virtual
async def test_whoever_needs_the_line_to_put_a_caller_through_gets_it() -> None:
    async def put_through(number: str) -> None:
        raise LineWanted(number)

    hall = await Hall(put_through=put_through).said()
    hall.carrier.press("0")
    await hall.running
    assert (hall.pump.leads_on, hall.talk.handed_on, hall.talk.wanted) == (True, True, "+4930999999")
    assert not hall.carrier.heard("menu.nobody")
    assert hall.carrier.code is None, "the line is open"
    hall.carrier.hang_up()


@virtual
async def test_a_stop_meanwhile_says_goodbye_and_an_answer_that_comes_late_changes_nothing() -> None:
    hall = await Hall(put_through=refuses("call_ended")).said()
    hall.carrier.press("0")
    await asyncio.sleep(HEARD)
    hall.pump.end("drain")
    await hall.over(10)
    assert hall.carrier.heard("goodbye_drain")
    assert not hall.carrier.heard("menu.nobody")


def test_a_message_is_kept_and_silence_is_not(tmp_path: Path) -> None:
    async def story(*, speaks: bool) -> None:
        kept = Recordings(tmp_path)
        hall = await Hall(kept=kept).said()
        hall.carrier.press("3")
        await asyncio.sleep(HEARD + BEEP_MS / 1000)
        assert hall.talk.recordable
        hall.speak(400) if speaks else hall.carrier.speak(*[FRAME] * 20)
        await asyncio.sleep(2)
        hall.carrier.speak(FRAME)
        hall.carrier.press("#")
        await hall.over(10)
        kept.close()
        file = kept.find("call_1")
        assert (file is not None) is speaks
        told = hall.pump.trace.recording
        assert told is not None
        assert told.state == (KEPT if speaks else DELETED)
        if file is not None:
            assert len(set(file.read_bytes()[HEADER_BYTES::2])) > 10, "the caller"
            assert set(file.read_bytes()[HEADER_BYTES + 1 :: 2]) == {0xFF}, "and nothing of ours"
            file.unlink()

    for speaks in (False, True):
        run_virtual(story(speaks=speaks))

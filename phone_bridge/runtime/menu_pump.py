"""One caller in the bridge's own menus: a pump without a session, which leaves the line open for the call behind it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.audio.path import path
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.errors import BridgeError, Refused
from phone_bridge.menu_talk import MenuTalk
from phone_bridge.runtime.pump import LegWire, Pump
from phone_bridge.runtime.recordings import Recorder
from phone_bridge.runtime.sockets import Socket


class Ear(Protocol):
    """Finds what is said in a run of linear 16 kHz sound, and recognises it on this machine."""

    def prepare(self, expected: tuple[str, ...]) -> None:
        """Begin to learn what may be said next; returns at once."""
        ...

    def push(self, audio: bytes) -> list[bytes]:
        """Listen, and give the utterances that have ended."""
        ...

    def clear(self) -> None:
        """Forget the utterance that is going on."""
        ...

    async def words(self, utterance: bytes, expected: tuple[str, ...]) -> str:
        """Recognise one utterance, which may be one of the ``expected``, or digits where there are none."""
        ...


PutThrough = Callable[[str], Awaitable[None]]
"""Puts the caller through to a number; raises LineWanted for the line itself, a BridgeError where they stay."""


class LineWanted(Refused):
    """A caller can be put through by whoever has the line."""


class MenuPump(Pump):
    """Carry a caller through ``talk`` on a leg that was admitted; with ``talk.onward`` the leg is free when it ends.

    ``ear`` is None where keys alone are understood, ``put_through`` where the line can put nobody through;
    ``tape`` opens what keeps a message.
    """

    def __init__(
        self,
        talk: MenuTalk,
        leg: LegWire,
        socket: Socket,
        *,
        ear: Ear | None = None,
        put_through: PutThrough | None = None,
        tape: Callable[[], Recorder] | None = None,
        **pump: Any,
    ) -> None:
        super().__init__(talk, leg, socket, **pump)
        self.talk = talk
        self._ear = ear
        self._path = path(leg.format, LINEAR_16K)
        self._put_through = put_through
        self._tape = tape
        self._turn = -1
        self._wanted = ""
        self._send[c.Listen] = self._hear

    @property
    def leads_on(self) -> bool:
        """Whether the caller has chosen an assistant, or the line is needed to put them through."""
        return (self.talk.onward is not None or self.talk.handed_on) and self._failure is None

    def move(self, name: str) -> bool:
        """Refuse: a caller in a menu goes where the menu leads."""
        return False

    def _hear(self, command: c.Listen, now: int) -> None:
        if self._ear is None:
            return
        for utterance in self._ear.push(self._path.push(command.audio)):
            self._spawn(self._recognise(self._ear, utterance, self._turn))

    async def _recognise(self, ear: Ear, utterance: bytes, turn: int) -> None:
        try:
            text = await ear.words(utterance, self.talk.expected)
        except BridgeError:
            text = ""  # the keys are there still
        if turn == self.talk.turn:
            self._fact_if_live(e.CallerSaid(text))

    def _transmit(self) -> None:
        if self._tape is not None and self.talk.recordable is (self._recorder is None):
            self._turn_tape(self._tape)
        super()._transmit()
        if self._ear is not None and self._turn != self.talk.turn:
            self._turn = self.talk.turn
            self._ear.clear()
            if self.talk.expected:
                self._ear.prepare(self.talk.expected)
        if self.talk.wanted and not self._wanted:
            self._wanted = self.talk.wanted
            self._spawn(self._move(self._wanted))

    def _turn_tape(self, tape: Callable[[], Recorder]) -> None:
        """Begin to keep a message, or end it: what the caller hears then is no part of it."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            self._recorder = tape()
        else:
            end = recorder.close if self.talk.message_ms else recorder.drop
            end(self._now(), self.talk.lag_ms)

    async def _move(self, number: str) -> None:
        try:
            if self._put_through is not None:
                await self._put_through(number)
        except LineWanted:
            self._guard(self._hand_on)
        except BridgeError:
            self._guard(self._stay)

    def _hand_on(self) -> None:
        self.talk.hand_on()
        self._transmit()

    def _stay(self) -> None:
        now = self._now()
        self._perform(self.talk.stayed(now), now)
        self._arm()
        self._transmit()

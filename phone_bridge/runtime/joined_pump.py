"""One caller who is put through by us: a pump with a second leg in the place of a session."""

from typing import Any, Protocol

from phone_bridge.audio.path import path
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.joined_talk import JoinedTalk
from phone_bridge.runtime.links import Ear
from phone_bridge.runtime.pump import LegWire, Pump
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.wheel import Alarm

MAX_BEHIND_MS = 100
"""How much may wait to be played to one of the two; more is left out, so that they are never further apart."""


class PacedLeg(LegWire, Protocol):
    """A leg that paces its sound itself and can press keys."""

    @property
    def waiting_ms(self) -> int:
        """How much waits to be played."""
        ...

    def press(self, digits: str) -> None:
        """Press keys for the other side."""
        ...


class JoinedPump(Pump):
    """Carry a caller through ``talk``; whoever ``join``s them is hung up on when it ends."""

    def __init__(self, talk: JoinedTalk, leg: PacedLeg, socket: Socket, **pump: Any) -> None:
        super().__init__(talk, leg, socket, **pump)
        self.talk = talk
        self._near = leg
        self._other: tuple[PacedLeg, Socket] | None = None
        self._turn: Alarm | None = None
        self._send[c.Listen] = self._pass_on
        self._send[c.Press] = self._press_on
        self._send[c.Play] = self._play

    @property
    def leads_on(self) -> bool:
        """Whether nobody has come, and the caller goes back."""
        return self.talk.returned and self._failure is None

    def move(self, name: str) -> bool:
        """Refuse: the caller is being put through already."""
        return False

    def join(self, leg: PacedLeg, socket: Socket) -> None:
        """Let the caller and whoever is on ``leg`` hear each other; a caller who is gone by then is not waited for."""
        if self._is_over:
            _let_go(leg, socket, self._now())
            return
        self._other = leg, socket
        self._to_other, self._from_other = path(self._near.format, leg.format), path(leg.format, self._near.format)
        socket.attach(Ear(self._other_message, self._other_closed))
        self._guard(lambda: self._do(self.talk.join(self._now())))
        self._guard(self._turn_other)

    def give_up(self) -> None:
        """Let the caller go back, for nobody comes."""
        self._guard(lambda: self._do(self.talk.give_up(self._now())))

    def _do(self, duties: list[c.Command]) -> None:
        self._perform(duties, self._now())
        self._arm()
        self._transmit()

    # From the caller to the other one

    def _pass_on(self, command: c.Listen, now: int) -> None:
        if self._other is not None:
            leg, _ = self._other
            _say(leg, self._to_other.push(command.audio), now)

    def _press_on(self, command: c.Press, now: int) -> None:
        if self._other is not None:
            self._other[0].press(command.digits)

    # And back

    def _play(self, command: c.Play, now: int) -> None:
        if self._other is None:  # it rings
            self._near.send(command, now)
        else:
            _say(self._near, command.audio, now)

    def _other_message(self, data: str | bytes) -> None:
        self._guard(lambda: self._heard_other([] if self._other is None else self._other[0].receive(data, self._now())))

    def _other_closed(self, code: int, reason: str) -> None:
        self._guard(lambda: self._do(self.talk.part(self._now())))

    def _turn_other(self) -> None:
        """Take the other leg's turn, and wait for its next one."""
        self._turn = None
        if self._other is None or self._is_over:
            return
        leg, _ = self._other
        self._heard_other(leg.expire(self._now()))
        due = leg.deadline()
        if due is not None and not self._is_over:
            self._turn = self._wheel.at(due, lambda: self._guard(self._turn_other))

    def _heard_other(self, events: list[e.Event]) -> None:
        now = self._now()
        for event in events:
            if isinstance(event, e.CallerHeard):
                self._perform(self.talk.spoke(self._from_other.push(event.audio), now), now)
            elif isinstance(event, e.DigitPressed):
                self._near.press(event.digit)
            elif isinstance(event, e.LegClosed):
                self._do(self.talk.part(now))
        if self._other is not None:
            _flush(*self._other)

    async def _take_down(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
        if self._other is not None:
            _let_go(*self._other, self._now())
        await super()._take_down()


def _say(leg: PacedLeg, audio: bytes, now: int) -> None:
    if leg.waiting_ms > MAX_BEHIND_MS:
        leg.send(c.Flush(), now)
    leg.send(c.Play(audio), now)


def _flush(leg: PacedLeg, socket: Socket) -> None:
    for message in leg.outgoing():
        socket.send(message)


def _let_go(leg: PacedLeg, socket: Socket, now: int) -> None:
    leg.send(c.HangUp(), now)
    _flush(leg, socket)
    socket.close(1000)

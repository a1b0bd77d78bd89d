"""A bridge of a few lines for the far end of the carrier's socket, on the real leg's wire."""

from collections.abc import Callable

from phone_bridge.call.commands import Flush, LegCommand, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, MarkReached
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.stream import Opening, TwilioStream

Answer = Callable[[Event, int], list[LegCommand]]


class SmallBridge:
    """Greets with ``greeting`` and answers facts by ``answer``; ``timed`` are duties for later, by their time."""

    def __init__(self, greeting: bytes = b"", answer: Answer | None = None) -> None:
        self._opening = Opening()
        self._wire: TwilioStream | None = None
        self._greeting = greeting
        self._answer = answer or (lambda _, __: [])
        self.start: StreamStart | None = None
        self.timed: list[tuple[int, LegCommand]] = []
        self.close_at: tuple[int, int] | None = None
        """When to close the socket, and with which code."""
        self.code: int | None = None
        self.heard = b""
        self.digits = ""
        self.marks: list[tuple[int, str]] = []
        self.closed: list[str] = []
        self.noise: list[str | bytes] = []

    def receive(self, message: str, now: int) -> None:
        if self._wire is None:
            start = self._opening.receive(message, now)
            if isinstance(start, StreamStart):
                self.start = start
                self._wire = TwilioStream(start)
                if self._greeting:
                    self._wire.send(Play(self._greeting, "greeting"), now)
            return
        for fact in self._wire.receive(message, now):
            self._note(fact, now)
            for command in self._answer(fact, now):
                self._wire.send(command, now)

    def _note(self, fact: Event, now: int) -> None:
        match fact:
            case CallerHeard(audio):
                self.heard += audio
            case DigitPressed(digit):
                self.digits += digit
            case MarkReached(mark):
                self.marks.append((now, mark))
            case LegClosed(reason):
                self.closed.append(reason)

    def disconnected(self, now: int) -> None:
        self.closed.append(f"disconnected {now}")

    def outgoing(self) -> list[str | bytes]:
        noise, self.noise = self.noise, []
        return [*(self._wire.outgoing() if self._wire else []), *noise]

    def closing(self) -> int | None:
        return self.code

    def deadline(self) -> int | None:
        due = [at for at, _ in self.timed]
        due += [self.close_at[0]] if self.close_at and self.code is None else []
        return min(due, default=None)

    def expire(self, now: int) -> None:
        for at, command in [entry for entry in self.timed if entry[0] <= now]:
            self.timed.remove((at, command))
            assert self._wire is not None
            self._wire.send(command, now)
        if self.close_at and self.close_at[0] <= now:
            self.code = self.close_at[1]


__all__ = ["Flush", "Play", "SmallBridge"]

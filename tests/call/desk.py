"""A call in virtual time: a carrier that plays exactly, a voice that is quick, and a clock that is set by hand."""

from collections.abc import Iterable
from typing import TypeVar

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Call, Phase
from phone_bridge.call.past import Past
from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Trust

LINE_MS = 1_000  # every line of the bridge's own sounds for so long
FRAME = b"\xff" * 160
CANCEL = e.Action("cancel_event", {"event_id": "evt_dentist"}, "Cancel Dentist on Tuesday at 3 p.m.")
MOVE = e.Action("update_event", {"event_id": "evt_lunch"}, "Move Lunch to one o'clock.")

EFFECTS = {"get_next_event": "read", "cancel_event": "destroy"}

T = TypeVar("T")


class Desk:
    def __init__(self, rules: Rules | None = None, *, voice_ms: int | None = 5, past: Past | None = None) -> None:
        self.now = 0
        self.call = Call(PCMU_8K, rules or Rules(), 0, past)
        self.done: list[c.Command] = []
        self.voice_ms = voice_ms
        self.generation = 0
        self._end = 0
        self._marks: list[tuple[int, str]] = []
        self._voice: list[tuple[int, c.Speak]] = []
        self._take(self.call.begin(0))

    @property
    def trace(self) -> list[tuple[str, str]]:
        return [(said.speaker, said.text) for said in self.call.trace.transcript]

    def tell(self, *events: e.Event) -> None:
        for event in events:
            self._take(self.call.process(event, self.now))

    def wait(self, ms: int) -> None:
        """Let time pass: marks come back, prompts are made and deadlines fall due, each in its time."""
        until = self.now + ms
        while (at := min(self._times(), default=until + 1)) <= until:
            self.now = max(self.now, at)
            self._happen()
        self.now = until

    def lose_mark(self) -> None:
        """Let the mark that is due next never come back."""
        del self._marks[0]

    def opened(self) -> "Desk":
        """Let the greeting pass and the session open."""
        self.tell(e.SessionOpened("hub_1"))
        self.wait(LINE_MS + 100)
        self.done.clear()
        return self

    def asked(self, id: str = "act_1", action: e.Action = CANCEL) -> "Desk":
        """Propose an action and let the caller hear its question to the end."""
        self.tell(e.ConfirmationAsked(id, action))
        self.wait(2 * LINE_MS + 100)
        self.done.clear()
        return self

    def say(self, text: str, *, ms: int = 400, recognised_after: int = 600) -> None:
        """Speak as a caller does: the voice begins, the words come some time after it ended."""
        self.tell(e.VoiceStarted(self.now))
        self.wait(ms)
        self.tell(e.VoiceStopped(self.now))
        self.wait(recognised_after)
        self.tell(e.CallerSaid(text))

    def reply(self, item: str, ms: int, *, end: bool = True, text: str = "") -> None:
        self.tell(e.ReplyStarted(item))
        if text:
            self.tell(e.AssistantSaid(item, text))
        self.tell(e.AssistantSpoke(item, b"\x11" * PCMU_8K.size(ms)))
        if end:
            self.tell(e.ReplyEnded(item))

    def of(self, kind: type[T]) -> list[T]:
        return [command for command in self.done if isinstance(command, kind)]

    def spoken(self) -> list[str]:
        return [line.key for speak in self.of(c.Speak) for line in speak.lines]

    def verdicts(self) -> list[tuple[str, str, str]]:
        return [(answer.id, answer.verdict.value, answer.by.value) for answer in self.of(c.Answer)]

    @property
    def ended(self) -> bool:
        return self.call.phase is Phase.ENDED

    def _times(self) -> Iterable[int]:
        yield from (at for at, _ in self._marks[:1])
        yield from (at for at, _ in self._voice[:1])
        deadline = self.call.deadline()
        if deadline is not None:
            yield deadline

    def _happen(self) -> None:
        if self._marks and self._marks[0][0] <= self.now:
            self.tell(e.MarkReached(self._marks.pop(0)[1]))
        elif self._voice and self._voice[0][0] <= self.now:
            speak = self._voice.pop(0)[1]
            self.tell(e.PromptReady(speak.prompt, tuple(b"\x22" * PCMU_8K.size(LINE_MS) for _ in speak.lines)))
        else:
            self._take(self.call.expire(self.now))

    def _take(self, commands: list[c.Command]) -> None:
        self.done.extend(commands)
        for command in commands:
            if isinstance(command, c.Play):
                self._end = max(self._end, self.now) + PCMU_8K.ms(len(command.audio))
                if command.mark:
                    self._marks.append((self._end, command.mark))
            elif isinstance(command, c.Flush):
                self._end = self.now
                self._marks = [(self.now, mark) for _, mark in self._marks]
            elif isinstance(command, c.Speak) and self.voice_ms is not None:
                self._voice.append((self.now + self.voice_ms, command))


class Caller(Desk):
    """A caller at the telephone, whose keys the owner of the call masks where it says so."""

    def __init__(self, trust: Trust, *, past: Past | None = None, **rules: object) -> None:
        super().__init__(Rules(trust=trust, effects=EFFECTS, **rules), past=past)  # type: ignore[arg-type]
        self.digits = 0

    def press(self, keys: str) -> None:
        for key in keys:
            if not self.call.masks(self.now):
                self.tell(e.DigitPressed(key))
                continue
            self.digits = 0 if key == "*" else self.digits + key.isdigit()
            self.tell(e.PinKeyed("" if key.isdigit() else key, self.digits))

    def judged(self, outcome: str) -> None:
        """Bring the verdict on the attempt that is being checked."""
        self.digits = 0
        (judge,) = self.of(c.JudgePin)[-1:]
        self.tell(e.PinJudged(judge.attempt, outcome))

    def give(self, outcome: str) -> None:
        self.press("482913#")
        self.judged(outcome)

    def asked_for_pin(self, id: str = "act_1", action: e.Action = CANCEL) -> "Caller":
        self.tell(e.ConfirmationAsked(id, action))
        self.wait(LINE_MS + 100)
        assert self.call.proving
        return self

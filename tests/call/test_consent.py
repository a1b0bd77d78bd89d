"""Whatever happens in whatever order, nothing is confirmed that was not consented to."""

from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.rules import Rules
from tests.call.desk import CANCEL, FRAME, LINE_MS, MOVE, Desk

PROPOSALS = {"act_1": CANCEL, "act_2": MOVE, "act_3": e.Action("create_event", {"title": "Lunch"})}
YES = "yes please"


class Witness(Desk):
    """Keeps its own account of what the caller has heard of which question, from the duties alone."""

    def __init__(self) -> None:
        self.event: e.Event | None = None
        self.prompts: dict[str, c.Speak] = {}
        self.asked_of: dict[str, str] = {}  # the marks of an action's naming
        self.left: dict[str, list[str]] = {}  # marks that have not come back in their turn, by the action's name
        self.doubted: set[str] = set()  # by a mark that came out of its turn
        self.began: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.voice_at: int | None = None
        self.key: tuple[str, int] = ("", -1)
        self.yes_began: int | None = None
        super().__init__(Rules(answer_ms=20_000))

    def tell(self, *events: e.Event) -> None:
        for event in events:
            self.event = event
            self.notice(event)
            super().tell(event)

    def _take(self, commands: list[c.Command]) -> None:
        super()._take(commands)
        self.observe(commands)

    def notice(self, event: e.Event) -> None:
        if isinstance(event, e.MarkReached):
            name = self.asked_of.get(event.mark, "")
            waiting = self.left.get(name, [])
            if waiting and waiting[0] == event.mark:
                waiting.pop(0)
                self.began.setdefault(name, self.now)
                if not waiting and name not in self.doubted:
                    self.heard.setdefault(name, self.now)
            elif event.mark in waiting:  # ahead of its turn: those after it prove a beginning, and never the whole
                del waiting[: waiting.index(event.mark) + 1]
                self.doubted.add(name)
        if isinstance(event, e.DigitPressed):
            self.key = (event.digit, self.now)
        if isinstance(event, e.VoiceStarted) and self.voice_at is None:
            self.voice_at = event.at
        if isinstance(event, e.CallerSaid) and event.final and not event.text:
            self.voice_at = None  # the voice so far had no words; the next is another
        if isinstance(event, e.CallerSaid) and event.text:
            if not event.final:
                self.voice_at = self.now if self.voice_at is None else self.voice_at
            else:
                self.yes_began = self.voice_at if self.voice_at is not None else self.now - 700
                self.voice_at = None

    def observe(self, commands: list[c.Command]) -> None:
        for command in commands:
            if isinstance(command, c.Speak):
                self.prompts[command.prompt] = command
            if isinstance(command, c.Flush):
                self.left = {name: ["never"] for name in self.left}
            if isinstance(command, c.Answer) and command.verdict is c.Verdict.CONFIRMED:
                self.check(command)
        if isinstance(self.event, e.PromptReady):
            marks = [command.mark for command in commands if isinstance(command, c.Play) and command.audio]
            for place, line in enumerate(self.prompts[self.event.prompt].lines):
                if line.key.startswith("question.") and marks:
                    name = line.key.removeprefix("question.")
                    self.left[name] = marks[place * LINE_MS // 100 :][: LINE_MS // 100]
                    self.doubted.discard(name)  # it is said anew
                    self.asked_of.update(dict.fromkeys(self.left[name], name))

    def check(self, answer: c.Answer) -> None:
        name, event = answer.action.name, self.event
        assert answer.action == PROPOSALS[answer.id], "what is confirmed is what was proposed"
        assert name in self.began, "nobody can consent to a question that has not begun"
        if answer.by is c.AnsweredBy.DIGIT:
            assert self.key == ("1", self.now)
            assert isinstance(event, e.DigitPressed)
        else:
            assert answer.by is c.AnsweredBy.SPEECH
            assert isinstance(event, e.CallerSaid)
            assert event.text == YES
            assert self.yes_began is not None
            assert name in self.heard, "a yes needs the action to have been named to its end"
            assert self.yes_began >= self.heard[name], "a yes counts from the naming's end"


def step(desk: Witness, kind: str, number: int) -> None:
    match kind:
        case "wait":
            desk.wait(number)
        case "key":
            desk.tell(e.DigitPressed("12*#190"[number % 7]))
        case "propose":
            id = f"act_{number % 3 + 1}"  # noqa: A001 - the field's own word
            desk.tell(e.ConfirmationAsked(id, PROPOSALS[id]))
        case "settle":
            desk.tell(e.ActionSettled(f"act_{number % 3 + 1}", ("executed", "expired", "declined")[number % 3]))
        case "voice":
            desk.tell(e.VoiceStarted(max(0, desk.now - number % 300)))
        case "yes":
            desk.tell(e.VoiceStarted(desk.now))
            desk.wait(number % 1_500)
            desk.tell(e.CallerSaid(YES))
        case "said":
            texts = (YES, YES, "no", "yes no wait", "make it four", "what", "", "yesterday")
            desk.tell(e.CallerSaid(texts[number % 8], final=number % 5 != 0))
        case "reply":
            desk.tell(e.AssistantSpoke(f"rsp_{number % 4}", FRAME * (number % 40)))
        case "reply_ends":
            desk.tell(e.ReplyEnded(f"rsp_{number % 4}"))
        case _:
            desk.tell(e.MarkReached(f"{number % 4}.{number % 60}"))


KINDS = [
    "wait",
    "wait",
    "wait",
    "yes",
    "yes",
    "key",
    "propose",
    "propose",
    "settle",
    "voice",
    "said",
    "reply",
    "reply_ends",
    "stray",
    "frame",
]
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4_000)), max_size=40)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_nothing_is_confirmed_without_consent_and_nothing_twice(steps: list[tuple[str, int]]) -> None:
    desk = Witness()
    desk.tell(e.SessionOpened())
    for kind, number in steps:
        step(desk, kind, number)
    answers = [answer.id for answer in desk.of(c.Answer)]
    assert len(answers) == len(set(answers))


@settings(max_examples=100, deadline=None)
@given(STEPS, st.sampled_from(["hangup", "lost"]))
def test_every_question_has_its_answer_when_the_call_is_over(steps: list[tuple[str, int]], reason: str) -> None:
    desk = Witness()
    desk.tell(e.SessionOpened())
    proposed: set[str] = set()
    for kind, number in steps:
        if kind == "propose" and not desk.ended and desk.call.phase == "talking":
            proposed.add(f"act_{number % 3 + 1}")
        step(desk, kind, number)
    desk.tell(e.LegClosed(reason))
    assert desk.ended
    assert proposed <= {asked.id for asked in desk.call.trace.actions}

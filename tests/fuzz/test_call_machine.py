"""The call as a state machine: every fact, in any order, at any time, with any content.

Whatever comes, what ``witness.Witness`` swears to must hold, time must always move on, a call that is left alone must
end by itself, and nothing may be raised but LocalError, for a wrong order of the owner's own calls.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase as Phases
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.assent import Assent
from phone_bridge.call.confirmation import Question, Questions, Reply
from phone_bridge.call.machine import Call, Phase
from phone_bridge.call.past import Past
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Asked, Said
from phone_bridge.call.turns import Turns
from phone_bridge.errors import LocalError
from tests.call.desk import FRAME
from tests.fuzz.facts import ACTIONS, ENDS, ITEMS, KINDS, TEXTS, hostile, placed
from tests.fuzz.profiles import examples
from tests.fuzz.witness import Witness

RULES = (
    Rules(effects={"update_event": "read", "cancel_event": "destroy"}),
    Rules(language="de", auto_confirm=frozenset({"create_event", "bulk_cancel_events"})),
    Rules(answer_ms=2_000, question_ms=6_000, limit_ms=60_000, silence_ms=5_000, greeting="Hi."),
    Rules(callees={"reception": True, "sales": True, "box": False}, auto_confirm=frozenset({"create_event"})),
)
YES = Asked("act_1", ACTIONS[0], c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, 900)
PASTS = (
    None,
    None,
    Past(5_000, (Said(0, "bridge", "Hello."), Said(700, "caller", "cancel the dentist")), (YES,)),
)
OURS = (e.SessionOpened, e.SpareReady, e.SpareFailed)  # what the owner tells, once it was asked for it
WAITS = st.sampled_from([0, 1, 20, 100, 450, 1_100, 2_500, 5_000, 21_000])
LEFT_ALONE_MS = 4_000_000  # beyond the longest call with all its last words


class CallMachine(RuleBasedStateMachine):
    desk: Witness

    @initialize(rules=st.sampled_from(RULES), past=st.sampled_from(PASTS), opened=st.sampled_from([True, True, False]))
    def ring(self, rules: Rules, past: Past | None, opened: bool) -> None:
        self.desk = Witness(rules, past)
        if opened:
            self.desk.tell(e.SessionOpened("hub_1"))

    # Any fact

    @rule(data=st.data(), kind=st.sampled_from([kind for kind in KINDS if kind not in ENDS]))
    def anything(self, data: st.DataObject, kind: type[e.Event]) -> None:
        prompts = {name: speak for name, (speak, _) in self.desk.prompts.items()}
        if kind not in OURS or self.is_due(kind):
            self.desk.tell(placed(data.draw(hostile(kind), label="fact"), self.desk.now, prompts))

    def is_due(self, kind: type[e.Event]) -> bool:
        """Tell whether the owner was asked for what ``kind`` tells of."""
        return self.desk.opening if kind is e.SessionOpened else self.desk.spares > 0

    @rule(data=st.data(), kind=st.sampled_from(ENDS), chance=st.integers(0, 7))
    def ends(self, data: st.DataObject, kind: type[e.Event], chance: int) -> None:
        if chance == 0:
            self.desk.tell(data.draw(hostile(kind), label="fact"))

    # What is ordinary, so that calls get somewhere

    @rule(ms=WAITS)
    def wait(self, ms: int) -> None:
        self.desk.wait(ms)

    @rule(lost=st.sampled_from(["lost", "expired"]), life_ms=st.sampled_from([0, 0, 5_000, 60_000]), ms=WAITS)
    def lose_and_open(self, lost: str, life_ms: int, ms: int) -> None:
        self.desk.tell(e.SessionClosed(lost))
        self.desk.wait(ms)
        for look in self.desk.of(c.LookUp):
            self.desk.tell(e.OutcomeFound(look.id, "executed"))
        if self.desk.opening:
            self.desk.tell(e.SessionOpened("hub_2", life_ms))

    @rule(number=st.integers(1, 3), action=st.sampled_from(ACTIONS), ms=WAITS)
    def propose(self, number: int, action: e.Action, ms: int) -> None:
        self.desk.tell(e.ConfirmationAsked(f"act_{number}", action))
        self.desk.wait(ms)

    @rule(text=st.sampled_from(["operator", "put me through to sales", "yes, put me through to the box"]), ms=WAITS)
    def ask_for_a_person(self, text: str, ms: int) -> None:
        before = self.yeses()
        self.desk.tell(e.CallerSaid(text))
        assert self.yeses() == before, "who asks for a person consents to nothing"
        self.desk.wait(ms)

    def yeses(self) -> int:
        return sum(answer.verdict is c.Verdict.CONFIRMED for answer in self.desk.of(c.Answer))

    @rule(
        number=st.integers(1, 3),
        action=st.sampled_from(ACTIONS),
        heard_ms=st.sampled_from([450, 1_100, 2_500, 4_000]),
        answer=st.sampled_from(["1", "*", "yes please", "ja bitte", "yes please", "what"]),
        spoken_ms=st.sampled_from([0, 300, 900]),
    )
    def ask_and_answer(self, number: int, action: e.Action, heard_ms: int, answer: str, spoken_ms: int) -> None:
        self.propose(number, action, heard_ms)
        if len(answer) == 1:
            self.press(answer)
        else:
            self.say(answer, spoken_ms)

    @rule(
        number=st.integers(1, 3),
        action=st.sampled_from(ACTIONS),
        heard_ms=st.sampled_from([450, 1_100, 2_500, 4_000]),
        answer=st.sampled_from(["1", "2", "yes please", "what"]),
        ok=st.booleans(),
    )
    def call_a_function(self, number: int, action: e.Action, heard_ms: int, answer: str, ok: bool) -> None:
        self.desk.tell(e.ToolCalled(f"call_{number}", action))
        for name, prepared in list(self.desk.preparing.items()):
            self.desk.tell(e.ToolPrepared(name, prepared))
        self.desk.wait(heard_ms)
        if len(answer) == 1:
            self.press(answer)
        else:
            self.say(answer, 300)
        for name, over in list(self.desk.ran.items()):
            if not over:
                self.desk.tell(e.ToolRan(name, "{}", ok))

    @rule(left_ms=st.sampled_from([1_000, 5_000, 40_000]), life_ms=st.sampled_from([0, 5_000]), ms=WAITS)
    def renew(self, left_ms: int, life_ms: int, ms: int) -> None:
        self.desk.tell(e.SessionExpiring(left_ms))
        self.desk.wait(2_500)
        if self.desk.spares:
            self.desk.tell(e.SpareReady(life_ms))
        self.desk.wait(ms)

    @rule(digit=st.sampled_from("1112*9"))
    def press(self, digit: str) -> None:
        self.desk.tell(e.DigitPressed(digit))

    @rule(text=st.sampled_from(TEXTS), ms=st.sampled_from([0, 300, 900]))
    def say(self, text: str, ms: int) -> None:
        self.desk.say(text, ms=ms, recognised_after=ms)

    @rule(item=st.sampled_from(ITEMS), ms=st.sampled_from([100, 950, 6_000]), end=st.booleans())
    def reply(self, item: str, ms: int, end: bool) -> None:
        self.desk.reply(item, ms, end=end, text="Your next meeting is at ten.")

    @rule(frames=st.integers(1, 30))
    def hear(self, frames: int) -> None:
        for _ in range(frames):
            self.desk.tell(e.CallerHeard(FRAME))

    # A carrier and a voice that fail

    @precondition(lambda self: self.desk._marks)
    @rule()
    def lose_mark(self) -> None:
        self.desk.lose_mark()

    @precondition(lambda self: self.desk._marks)
    @rule(place=st.integers(0, 3), twice=st.booleans())
    def mark_comes_early(self, place: int, twice: bool) -> None:
        _, mark = self.desk._marks[min(place, len(self.desk._marks) - 1)]
        self.desk.tell(*[e.MarkReached(mark)] * (2 if twice else 1))

    @rule(ms=st.sampled_from([None, 0, 5, 2_999, 3_001]))
    def voice_takes(self, ms: int | None) -> None:
        self.desk.voice_ms = ms

    # The owner's mistakes

    @rule()
    def begin_again(self) -> None:
        deadline = self.desk.call.deadline()
        with pytest.raises(LocalError):
            self.desk.call.begin(self.desk.now)
        assert self.desk.call.deadline() == deadline, "a wrong step changes nothing"
        assert self.desk.call.process(e.LegTrouble("x"), self.desk.now) == [], "and leaves no duty behind"

    # At all times

    @invariant()
    def time_moves_on(self) -> None:
        call = self.desk.call
        if call.phase is Phase.ENDED:
            assert call.deadline() is None
        else:
            assert call.deadline() is not None, "a call that waits for nothing never ends"
            assert call.deadline() == call.deadline()

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        if not self.desk.ended:
            self.desk.wait(LEFT_ALONE_MS)
        self.desk.conclude()
        for kind in KINDS:  # what comes after the end is nobody's duty
            assert self.desk.call.process(_plain(kind), self.desk.now) == []


def _plain(kind: Any) -> e.Event:
    values = {"audio": FRAME, "parts": (), "at": 0, "left_ms": 0, "life_ms": 0, "final": True}
    values |= {"action": ACTIONS[0], "confidence": 1.0, "parameters": {}}
    fact: e.Event = kind(**{name: values.get(name, "x") for name in kind.__struct_fields__})
    return fact


def test_whatever_comes_the_call_keeps_its_word() -> None:
    run_state_machine_as_test(CallMachine, settings=examples(100, steps=25))


def hasty(self: Question, digit: str) -> Reply:
    return Reply.CONFIRM if digit == "1" else Reply.NONE


def credulous(self: Question, assent: Assent, began: int, unclear_answers: int) -> Reply:
    return Reply.CONFIRM if assent is Assent.YES else Reply.NONE


def forgetful(self: Questions, id: str, action: e.Action, now: int) -> bool:
    self._queue.append(Question(id, action, now))
    return True


def careless(self: Questions) -> list[Question]:
    self.current = None
    self._queue.clear()
    return []


def stubborn(self: Turns) -> int:
    return 0


LIARS = [
    (Question, "press", hasty),
    (Question, "say", credulous),
    (Questions, "add", forgetful),
    (Questions, "drain", careless),
    (Turns, "deadline", stubborn),
]


@pytest.mark.parametrize(("kind", "name", "lie"), LIARS, ids=lambda part: getattr(part, "__name__", part))
def test_a_call_that_does_not_is_found_out(
    monkeypatch: pytest.MonkeyPatch, kind: type, name: str, lie: Callable[..., Any]
) -> None:
    monkeypatch.setattr(kind, name, lie)
    at_once = settings(examples(2_000, steps=25), phases=[Phases.generate], database=None, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(CallMachine, settings=at_once)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_fact_before_the_beginning_is_the_owner_s_mistake(kind: type[e.Event]) -> None:
    call = Call(PCMU_8K, Rules(), 0)
    with pytest.raises(LocalError):
        call.process(_plain(kind), 0)
    assert call.phase is Phase.NEW
    assert call.begin(0)


# The owner's mistakes that were found once


def test_a_session_that_comes_before_it_was_asked_for_leaves_no_deadline_behind() -> None:
    desk = Witness(Rules())
    desk.tell(e.SessionOpened("hub_1"), e.SessionClosed("lost"))
    desk.tell(e.SessionOpened("hub_2"), e.SessionClosed("lost"))
    desk.tell(e.SessionOpened("hub_3"))
    desk.wait(1_000)
    assert desk.call.phase is Phase.TALKING


def test_a_prompt_with_too_little_sound_is_the_owner_s_mistake() -> None:
    desk = Witness(Rules())
    with pytest.raises(LocalError):
        desk.call.process(e.PromptReady("~1", ()), 0)

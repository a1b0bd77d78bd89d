"""No order of events gives a tool to a caller whose tier does not open it, nor a PIN's sound to a session.

``Guard`` keeps its own account of who the caller is, from what it tells the call and what the call asks of it: a PIN is
proven, or a code, when the verdict ``right`` is told on the very attempt at it that is being checked. Nor does any
order let a caller set a PIN who has neither given the old one nor, where there is none, proven what the rule wants.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase as Phases
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Phase
from phone_bridge.call.past import Past
from phone_bridge.call.proving import Move, Proving, Wanted
from phone_bridge.call.rules import Rules
from phone_bridge.call.step_up import StepUp
from phone_bridge.call.trust import Tier, Trust, highest
from tests.call.desk import Desk
from tests.fuzz.facts import ACTIONS, ITEMS, KINDS, hostile, placed
from tests.fuzz.profiles import examples

EFFECTS = {"update_event": "read", "cancel_event": "destroy", "create_event": "write"}
TIERS = {"update_event": Tier.KNOWN, "cancel_event": Tier.PIN, "create_event": Tier.ATTESTED}
CODES = {"update_event": Tier.CODE, "cancel_event": Tier.BOTH, "create_event": Tier.PIN}
RULES = tuple(
    Rules(
        trust=Trust(has=has, tools=tools, otherwise=otherwise, enter=enter, enrol=enrol),
        effects=EFFECTS,
        auto_confirm=frozenset({"create_event", "cancel_event"}),
        errand=errand,
        callees={"reception": True, "sales": True},
        pin_change=True,
    )
    for has in (Tier.UNKNOWN, Tier.KNOWN, Tier.ATTESTED)
    for tools, otherwise in ((TIERS, Tier.PIN), (CODES, Tier.BOTH), ({}, Tier.CODE))
    for enter, errand, enrol in (
        (Tier.UNKNOWN, "", Tier.CODE),
        (Tier.PIN, "", Tier.PIN),
        (Tier.CODE, "", Tier.ATTESTED),
        (Tier.ATTESTED, "Your appointment is at nine.", Tier.CODE),
    )
)
PASTS = (None, None, Past(5_000))
WAITS = st.sampled_from([0, 20, 450, 1_100, 2_500, 4_100, 21_000])
OUTCOMES = st.sampled_from(["right", "right", "right", "wrong", "differs", "locked", "missing", "failed", "RIGHT", ""])
LOOKED = st.sampled_from(["right", "missing", "missing", "failed"])
SPOKEN = b"\x11"  # no sound that tests put into a call is silence


class Guard(Desk):
    """A call whose every duty is held against what its caller has proven."""

    def __init__(self, rules: Rules, past: Past | None) -> None:
        self.trust = rules.trust
        self.tier = rules.trust.has
        self.checked: c.JudgePin | None = None  # the attempt whose verdict would count
        self.pin_asked = False
        self.has_pin = True  # as far as anybody has looked
        self.proven: set[str] = set()  # here
        super().__init__(rules, past=past)

    def tell(self, *events: e.Event) -> None:
        for event in events:
            if isinstance(event, e.CallerChanged) and self.call.phase in (Phase.OPENING, Phase.TALKING):
                self.tier, self.checked = Tier.UNKNOWN, None
                self.proven.clear()
            if isinstance(event, e.PinJudged) and self.checked is not None and event.attempt == self.checked.attempt:
                self.judged(self.checked.wanted, event.outcome)
                self.checked = None
            super().tell(event)

    def judged(self, wanted: str, outcome: str) -> None:
        if outcome == "right" and wanted in ("pin", "code"):
            self.proven.add(wanted)
            self.tier = Tier.BOTH if self.proven >= {"pin", "code"} else highest(self.tier, Tier(wanted))
        elif wanted == "look":
            self.has_pin = outcome != "missing"

    @property
    def may_set(self) -> bool:
        enrol = self.trust.enrol
        return "pin" in self.proven or (not self.has_pin and enrol is not Tier.PIN and self.tier.reaches(enrol))

    def _take(self, commands: list[c.Command]) -> None:
        for command in commands:
            self.observe(command)
        super()._take(commands)

    def observe(self, command: c.Command) -> None:
        match command:
            case c.Answer(verdict=c.Verdict.CONFIRMED) | c.RunTool() | c.PrepareTool():
                assert self.tier.reaches(self.trust.needs(command.action.name)), "a tool for a stranger"
            case c.OpenSession() | c.TakeSpare() | c.HandOn():
                assert self.tier.reaches(self.trust.enter), "a session for a stranger"
            case c.Listen(audio):
                assert self.tier.reaches(self.trust.enter), "a stranger is heard"
                assert not self.pin_asked or SPOKEN not in audio, "a PIN may be heard"
            case c.ForgetPin():
                self.pin_asked, self.checked = not self.pin_asked, None
            case c.JudgePin(wanted=wanted):
                assert self.pin_asked, "what nobody was asked for is checked"
                assert wanted not in ("new", "once_more") or self.may_set, "a PIN for a stranger"
                self.checked = command


class TrustMachine(RuleBasedStateMachine):
    desk: Guard

    @initialize(rules=st.sampled_from(RULES), past=st.sampled_from(PASTS))
    def ring(self, rules: Rules, past: Past | None) -> None:
        self.desk = Guard(rules, past)
        self.desk.tell(e.SessionOpened("hub_1"))

    @rule(data=st.data(), kind=st.sampled_from(KINDS), chance=st.integers(0, 3))
    def anything(self, data: st.DataObject, kind: type[e.Event], chance: int) -> None:
        if kind not in (e.LegClosed, e.EndRequested, e.PromptReady) or (chance == 0 and kind is not e.PromptReady):
            self.desk.tell(placed(data.draw(hostile(kind), label="fact"), self.desk.now, {}))

    @rule(ms=WAITS)
    def wait(self, ms: int) -> None:
        self.desk.wait(ms)

    @rule(number=st.integers(1, 3), action=st.sampled_from(ACTIONS), ms=WAITS)
    def propose(self, number: int, action: e.Action, ms: int) -> None:
        self.desk.tell(e.ConfirmationAsked(f"act_{number}", action))
        self.desk.wait(ms)

    @rule(number=st.integers(1, 3), action=st.sampled_from(ACTIONS), ms=WAITS)
    def call_a_function(self, number: int, action: e.Action, ms: int) -> None:
        self.desk.tell(e.ToolCalled(f"call_{number}", action))
        self.desk.wait(ms)

    @rule()
    def prepare(self) -> None:
        for duty in self.desk.of(c.PrepareTool):
            self.desk.tell(e.ToolPrepared(duty.id, duty.action))

    @rule(digits=st.integers(0, 13), key=st.sampled_from(["", "*", "#", "#"]), outcome=OUTCOMES, older=st.booleans())
    def give_a_pin(self, digits: int, key: str, outcome: str, older: bool) -> None:
        for count in range(1, digits + 1):
            self.desk.tell(e.PinKeyed("", count))
        if key:
            self.desk.tell(e.PinKeyed(key, digits))
        for judge in self.desk.of(c.JudgePin)[-1:]:
            self.desk.tell(e.PinJudged(judge.attempt - older, outcome))

    @rule(refused=st.booleans(), ms=WAITS)
    def ask_for_a_person_instead_of_a_pin(self, refused: bool, ms: int) -> None:
        self.desk.tell(e.PinSpoken(0, "person"))
        self.desk.wait(ms)
        if refused:
            self.desk.tell(e.TransferRefused())

    @rule(outcome=LOOKED, by_words=st.booleans(), last=OUTCOMES)
    def change_the_pin(self, outcome: str, by_words: bool, last: str) -> None:
        before = len(self.desk.of(c.JudgePin))
        if by_words:
            self.desk.say("change my pin", ms=300, recognised_after=300)
        else:
            self.desk.tell(e.PinChangeWanted())
        for judge in self.desk.of(c.JudgePin)[before:]:
            self.desk.tell(e.PinJudged(judge.attempt, outcome))
            for verdict in ("right", "right", last):
                self.give_a_pin(6, "#", verdict, older=False)

    @rule(sending=st.integers(0, 3), outcome=st.sampled_from(["sent", "sent", "locked", "failed", "right"]))
    def send_a_code(self, sending: int, outcome: str) -> None:
        self.desk.tell(e.CodeSent(sending, outcome))

    @rule(chance=st.integers(0, 3))
    def change_the_caller(self, chance: int) -> None:
        if chance == 0:
            self.desk.tell(e.CallerChanged())

    @rule(digit=st.sampled_from("1123*#"))
    def press(self, digit: str) -> None:
        self.desk.tell(e.DigitPressed(digit))

    @rule(
        text=st.sampled_from(["yes please", "no", "what", "operator", "put me through to sales"]),
        ms=st.sampled_from([300, 900]),
    )
    def say(self, text: str, ms: int) -> None:
        self.desk.say(text, ms=ms, recognised_after=ms)

    @rule(item=st.sampled_from(ITEMS), ms=st.sampled_from([100, 950]))
    def reply(self, item: str, ms: int) -> None:
        self.desk.reply(item, ms)

    @rule(lost=st.sampled_from(["lost", "expired"]), ms=WAITS)
    def lose_and_open(self, lost: str, ms: int) -> None:
        self.desk.tell(e.SessionClosed(lost))
        self.desk.wait(ms)
        self.desk.tell(e.SessionOpened("hub_2"))

    @rule(frames=st.integers(1, 5))
    def hear(self, frames: int) -> None:
        for _ in range(frames):
            self.desk.tell(e.CallerHeard(SPOKEN * 160))


def test_no_order_of_events_gives_a_tool_to_a_caller_whose_tier_does_not_open_it() -> None:
    run_state_machine_as_test(TrustMachine, settings=examples(120, steps=25))


# Calls that would


def blind(self: Proving, tool: str) -> bool:
    return True


def open_door(self: Proving) -> bool:
    return True


def gullible(self: Proving, attempt: int, outcome: str, now: int) -> Move:
    if not self.open:
        return Move.NOTHING
    self.tier = Tier.PIN
    return Move.RIGHT


def loud(self: Proving, now: int) -> bool:
    return False


def generous(self: StepUp, now: int) -> Move:
    return self._want(Wanted.NEW, "new_ask", now)


def trusting(self: StepUp, move: Move, now: int) -> Move:
    return self._want(Wanted.NEW, "new_ask", now)


def easy(self: Tier, given: Tier) -> Tier:
    return Tier.BOTH


def trusting_anybody(self: Proving) -> None:
    return


LIARS: list[tuple[type, str, Any]] = [
    (Proving, "opens", blind),
    (Proving, "may_enter", property(open_door)),
    (Proving, "judged", gullible),
    (Proving, "muffles", loud),
    (Proving, "forget", trusting_anybody),
    (StepUp, "_enrol", generous),
    (StepUp, "_next_of_change", trusting),
    (Tier, "plus", easy),
]


@pytest.mark.parametrize(("kind", "name", "lie"), LIARS, ids=[name for _, name, _ in LIARS])
def test_a_call_that_does_is_found_out(
    monkeypatch: pytest.MonkeyPatch, kind: type, name: str, lie: Callable[..., Any]
) -> None:
    monkeypatch.setattr(kind, name, lie)
    at_once = settings(examples(2_000, steps=25), phases=[Phases.generate], database=None, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(TrustMachine, settings=at_once)

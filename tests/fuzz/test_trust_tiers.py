"""No order of events gives a tool to a caller whose tier does not open it, nor a PIN's sound to a session.

``Guard`` keeps its own account of who the caller is, from what it tells the call and what the call asks of it: a PIN is
proven when the verdict ``right`` is told on the very attempt that is being checked.
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
from phone_bridge.call.past import Past
from phone_bridge.call.proving import Move, Proving
from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier, Trust
from tests.call.desk import Desk
from tests.fuzz.facts import ACTIONS, ITEMS, KINDS, hostile, placed
from tests.fuzz.profiles import examples

EFFECTS = {"update_event": "read", "cancel_event": "destroy", "create_event": "write"}
TIERS = {"update_event": Tier.KNOWN, "cancel_event": Tier.PIN, "create_event": Tier.ATTESTED}
RULES = tuple(
    Rules(
        trust=Trust(has=has, tools=tools, otherwise=Tier.PIN, enter=enter),
        effects=EFFECTS,
        auto_confirm=frozenset({"create_event", "cancel_event"}),
        errand=errand,
        callees={"reception": True, "sales": True},
    )
    for has in (Tier.UNKNOWN, Tier.KNOWN, Tier.ATTESTED)
    for tools in (TIERS, {})
    for enter, errand in ((Tier.UNKNOWN, ""), (Tier.PIN, ""), (Tier.ATTESTED, "Your appointment is at nine."))
)
PASTS = (None, None, Past(5_000))
WAITS = st.sampled_from([0, 20, 450, 1_100, 2_500, 4_100, 21_000])
OUTCOMES = st.sampled_from(["right", "right", "wrong", "locked", "missing", "failed", "RIGHT", ""])
SPOKEN = b"\x11"  # no sound that tests put into a call is silence


class Guard(Desk):
    """A call whose every duty is held against what its caller has proven."""

    def __init__(self, rules: Rules, past: Past | None) -> None:
        self.trust = rules.trust
        self.tier = rules.trust.has
        self.checked: int | None = None  # the attempt whose verdict would count
        self.pin_asked = False
        super().__init__(rules, past=past)

    def tell(self, *events: e.Event) -> None:
        for event in events:
            if isinstance(event, e.PinJudged) and event.attempt == self.checked:
                self.checked = None
                self.tier = Tier.PIN if event.outcome == "right" else self.tier
            super().tell(event)

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
            case c.JudgePin(attempt):
                assert self.pin_asked, "what nobody was asked for is checked"
                self.checked = attempt


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


LIARS: list[tuple[str, Any]] = [
    ("opens", blind),
    ("may_enter", property(open_door)),
    ("judged", gullible),
    ("muffles", loud),
]


@pytest.mark.parametrize(("name", "lie"), LIARS, ids=[name for name, _ in LIARS])
def test_a_call_that_does_is_found_out(monkeypatch: pytest.MonkeyPatch, name: str, lie: Callable[..., Any]) -> None:
    monkeypatch.setattr(Proving, name, lie)
    at_once = settings(examples(2_000, steps=25), phases=[Phases.generate], database=None, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(TrustMachine, settings=at_once)

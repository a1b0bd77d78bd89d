from phone_bridge.call.commands import AnsweredBy, Done, HandOn, LookUp, Turn, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.handing_on import MAX_TURNS, Given, hand_on
from phone_bridge.call.trace import Asked, Said

CANCEL = Action("cancel_event", {"event_id": "evt_1"})
MOVE = Action("update_event", {"event_id": "evt_2"})


def asked(id: str, verdict: Verdict = Verdict.CONFIRMED, action: Action = CANCEL, outcome: str = "") -> Asked:
    return Asked(id, action, verdict, AnsweredBy.DIGIT, 0, outcome=outcome)


def test_only_a_yes_without_an_outcome_is_looked_up_and_only_once() -> None:
    actions = [asked("a"), asked("b", Verdict.DECLINED), asked("c", outcome="executed"), asked("d", action=MOVE)]
    given = Given()
    assert given.lost(actions) == [LookUp("a", CANCEL), LookUp("d", MOVE)]
    assert given.waiting
    assert given.lost(actions) == []
    assert given.found("a")
    assert not given.found("a")
    assert given.waiting
    assert given.found("d")
    assert not given.waiting


def test_what_was_given_is_known_by_its_id_and_by_what_it_does() -> None:
    given = Given()
    given.lost([asked("a", outcome="executed"), asked("b", Verdict.DECLINED, MOVE)])
    assert given.same("a", Action("cancel_event", {"event_id": "evt_1"}))
    assert not given.same("a", MOVE)
    assert not given.same("b", MOVE)
    assert given.alike(Action("cancel_event", {"event_id": "evt_1"}, "in other words")) == "executed"
    assert given.alike(MOVE) == ""


def test_the_last_yes_to_the_same_action_counts() -> None:
    given = Given()
    given.lost([asked("a", outcome="failed"), asked("b")])
    assert given.alike(CANCEL) == "unknown"


def test_a_conversation_without_words_needs_no_handing_on() -> None:
    assert hand_on([], [], Given(), answer=True) is None
    assert hand_on([Said(0, "bridge", "Hello.")], [("bridge", "One moment.")], Given(), answer=True) is None


def test_what_was_said_and_what_still_sounds_is_handed_on_without_our_own_words() -> None:
    said = [Said(0, "bridge", "Hello."), Said(1, "caller", "Next?"), Said(2, "assistant", "Lunch.")]
    given = Given()
    given.lost([asked("a")])
    assert hand_on(said, [("assistant", "At noon."), ("assistant", "")], given, answer=False) == HandOn(
        (Turn("caller", "Next?"), Turn("assistant", "Lunch."), Turn("assistant", "At noon.")),
        (Done(CANCEL, "unknown"),),
        answer=False,
    )


def test_of_a_long_conversation_the_last_turns_are_handed_on() -> None:
    said = [Said(at, "caller", str(at)) for at in range(10 * MAX_TURNS)]
    duty = hand_on(said, [], Given(), answer=True)
    assert duty is not None
    assert len(duty.turns) == MAX_TURNS
    assert duty.turns[-1].text == str(10 * MAX_TURNS - 1)

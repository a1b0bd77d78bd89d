import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant.docket import Docket
from phone_bridge.assistant.problems import Problem
from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError
from phone_bridge.sessions.serving import Acted

CANCEL = Action("cancel_event", {"event_id": "evt_1"})
OUTCOME = Acted("act_1", CANCEL, {"ok": True}, confirmed=True)


def proposed(*names: str) -> Docket:
    docket = Docket()
    for number, name in enumerate(names or ("act_1",)):
        docket.propose(name, CANCEL, 100 + number)
    return docket


def code(error: pytest.ExceptionInfo[Problem]) -> str:
    return error.value.code


def test_a_confirmed_action_is_given_out_once() -> None:
    docket = proposed()

    assert docket.confirm("act_1") == CANCEL
    assert docket.confirm("act_1") is None
    assert docket.open == []


def test_what_came_of_an_action_is_kept() -> None:
    docket = proposed()
    docket.confirm("act_1")
    assert docket.outcome("act_1") is None

    docket.done("act_1", OUTCOME)
    assert docket.confirm("act_1") is None
    assert docket.outcome("act_1") is OUTCOME


def test_only_what_was_confirmed_can_be_done_and_only_once() -> None:
    docket = proposed()
    with pytest.raises(LocalError):
        docket.done("act_1", OUTCOME)
    docket.confirm("act_1")
    docket.done("act_1", OUTCOME)
    with pytest.raises(LocalError):
        docket.done("act_1", OUTCOME)


def test_a_refusal_may_be_repeated_but_not_taken_back() -> None:
    docket = proposed()

    assert docket.decline("act_1")
    assert not docket.decline("act_1")
    with pytest.raises(Problem) as caught:
        docket.confirm("act_1")
    assert code(caught) == "action_already_resolved"


def test_a_confirmation_cannot_be_taken_back_either() -> None:
    docket = proposed()
    docket.confirm("act_1")

    assert not docket.withdraw("act_1")
    with pytest.raises(Problem) as caught:
        docket.decline("act_1")
    assert code(caught) == "action_already_resolved"


def test_time_runs_out_for_each_by_itself() -> None:
    docket = proposed("act_1", "act_2")

    assert docket.deadline() == 100
    assert docket.expired(99) == []
    assert docket.expired(100) == ["act_1"]
    assert (docket.deadline(), docket.open) == (101, ["act_2"])
    assert docket.expired(1000) == ["act_2"]
    assert docket.deadline() is None


def test_what_fell_can_not_be_confirmed() -> None:
    docket = proposed("act_1", "act_2")
    assert docket.withdraw("act_1")
    assert not docket.withdraw("act_1")
    docket.expired(1000)

    for name in ("act_1", "act_2"):
        with pytest.raises(Problem) as caught:
            docket.confirm(name)
        assert code(caught) == "action_already_resolved"


def test_what_was_never_proposed_is_not_found() -> None:
    for verdict in (proposed().confirm, proposed().decline, proposed().outcome):
        with pytest.raises(Problem) as caught:
            verdict("act_9")
        assert (caught.value.code, caught.value.param) == ("action_not_found", "id")
    assert not proposed().withdraw("act_9")


def test_an_id_serves_for_one_proposal() -> None:
    with pytest.raises(LocalError):
        proposed("act_1", "act_1")


steps = st.lists(st.tuples(st.sampled_from(["confirm", "decline", "withdraw", "expire"]), st.sampled_from("ab")))


@given(steps)
def test_whatever_happens_an_action_is_given_out_at_most_once_and_never_after_a_no(
    history: list[tuple[str, str]],
) -> None:
    docket = proposed("a", "b")
    given_out: list[str] = []
    over: set[str] = set()
    for step, name in history:
        try:
            if step == "confirm" and docket.confirm(name):
                given_out.append(name)
                assert name not in over
            elif step == "decline" and docket.decline(name):
                over.add(name)
        except Problem:
            continue
        if step == "withdraw" and docket.withdraw(name):
            over.add(name)
        if step == "expire":
            over.update(docket.expired(1000))
    assert len(given_out) == len(set(given_out))

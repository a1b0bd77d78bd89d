import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.commands import Answer, AnsweredBy, Verdict
from phone_bridge.call.events import Action, ActionSettled, ConfirmationAsked, SessionTrouble
from phone_bridge.call.permit import PERMIT_MS, Permit
from phone_bridge.errors import LocalError
from phone_bridge.sessions.chronapilot.proposals import Proposals

CANCEL = Action("cancel_event", {"event_id": "evt_1"})
OTHER = Action("cancel_event", {"event_id": "evt_2"})


def answer(verdict: Verdict, action: Action = CANCEL, action_id: str = "act_1") -> Answer:
    permit = Permit(action, 0) if verdict is Verdict.CONFIRMED else None
    return Answer(action_id, action, verdict, AnsweredBy.DIGIT, permit=permit)


def proposed(*actions: Action) -> Proposals:
    proposals = Proposals()
    for number, action in enumerate(actions, 1):
        proposals.propose(f"act_{number}", action)
    return proposals


def test_a_proposal_is_asked_once_however_often_it_comes() -> None:
    proposals = Proposals()

    assert proposals.propose("act_1", CANCEL) == [ConfirmationAsked("act_1", CANCEL)]
    assert proposals.propose("act_1", CANCEL) == []


def test_an_open_proposal_that_changes_is_void_and_can_never_be_confirmed() -> None:
    proposals = proposed(CANCEL)

    assert proposals.propose("act_1", OTHER) == [
        ActionSettled("act_1", "expired", CANCEL, "changed"),
        SessionTrouble("proposal_changed"),
    ]
    for action in (CANCEL, OTHER):
        with pytest.raises(LocalError):
            proposals.answer(answer(Verdict.CONFIRMED, action), 0)
    assert not proposals.waiting


def test_an_answered_proposal_that_changes_is_trouble_and_no_question() -> None:
    proposals = proposed(CANCEL)
    proposals.answer(answer(Verdict.CONFIRMED), 0)

    assert proposals.propose("act_1", OTHER) == [SessionTrouble("proposal_changed")]


def test_a_confirmation_is_given_once() -> None:
    proposals = proposed(CANCEL)
    proposals.answer(answer(Verdict.CONFIRMED), 0)

    with pytest.raises(LocalError):
        proposals.answer(answer(Verdict.CONFIRMED), 0)


@pytest.mark.parametrize("verdict", [Verdict.DECLINED, Verdict.EXPIRED, Verdict.UNANSWERED])
def test_a_refused_proposal_can_not_be_confirmed_any_more(verdict: Verdict) -> None:
    proposals = proposed(CANCEL)
    proposals.answer(answer(verdict), 0)

    with pytest.raises(LocalError):
        proposals.answer(answer(Verdict.CONFIRMED), 0)


@pytest.mark.parametrize("outcome", ["executed", "declined", "expired", "failed"])
def test_what_the_server_settled_can_not_be_confirmed_any_more(outcome: str) -> None:
    proposals = proposed(CANCEL)

    assert proposals.settle("act_1", outcome, None, "why") == [ActionSettled("act_1", outcome, CANCEL, "why")]
    with pytest.raises(LocalError):
        proposals.answer(answer(Verdict.CONFIRMED), 0)


def test_what_the_server_settled_may_still_be_refused() -> None:
    proposals = proposed(CANCEL)
    proposals.settle("act_1", "expired", None, "timeout")

    proposals.answer(answer(Verdict.DECLINED), 0)
    assert not proposals.waiting


def test_a_confirmation_must_be_of_exactly_what_was_proposed() -> None:
    with pytest.raises(LocalError):
        proposed(CANCEL).answer(answer(Verdict.CONFIRMED, OTHER), 0)


def test_what_was_never_proposed_can_not_be_answered() -> None:
    for verdict in Verdict:
        with pytest.raises(LocalError):
            Proposals().answer(answer(verdict), 0)


def test_an_outcome_is_told_once() -> None:
    proposals = proposed(CANCEL)
    proposals.answer(answer(Verdict.CONFIRMED), 0)

    assert proposals.settle("act_1", "executed", CANCEL, {"ok": True}) == [
        ActionSettled("act_1", "executed", CANCEL, {"ok": True})
    ]
    assert proposals.settle("act_1", "executed", CANCEL, {"ok": True}) == []


def test_an_execution_without_consent_is_told_even_so() -> None:
    proposals = proposed(CANCEL)
    proposals.propose("act_1", OTHER)

    assert proposals.settle("act_1", "executed", OTHER, None) == [ActionSettled("act_1", "executed", OTHER, None)]


def test_a_tool_that_needs_no_consent_is_told_each_time() -> None:
    proposals = Proposals()
    for _ in range(2):
        assert proposals.settle("act_7", "executed", None, 1) == [ActionSettled("act_7", "executed", None, 1)]


def test_an_outcome_without_a_known_id_means_the_one_confirmed_action() -> None:
    proposals = proposed(CANCEL, Action("create_event"))
    proposals.answer(answer(Verdict.CONFIRMED), 0)

    assert proposals.meant("evt_1", "") == "act_1"
    assert proposals.meant("evt_1", "cancel_event") == "act_1"
    assert proposals.meant("act_2", "") == "act_2"


def test_an_outcome_that_fits_none_or_several_keeps_its_own_id() -> None:
    proposals = proposed(CANCEL, OTHER)
    assert proposals.meant("evt_1", "") == "evt_1"

    proposals.answer(answer(Verdict.CONFIRMED), 0)
    assert proposals.meant("evt_1", "get_next_event") == "evt_1"

    proposals.answer(answer(Verdict.CONFIRMED, OTHER, "act_2"), 0)
    assert proposals.meant("evt_1", "cancel_event") == "evt_1"


steps = st.lists(
    st.tuples(
        st.sampled_from(["propose", "answer", "settle"]),
        st.sampled_from(["act_1", "act_2"]),
        st.sampled_from([CANCEL, OTHER]),
        st.sampled_from(list(Verdict)),
    ),
    max_size=30,
)


@given(steps)
def test_whatever_happens_an_id_is_confirmed_at_most_once_and_as_it_was_first_proposed(
    history: list[tuple[str, str, Action, Verdict]],
) -> None:
    proposals = Proposals()
    first: dict[str, Action] = {}
    confirmed: list[str] = []
    for step, action_id, action, verdict in history:
        if step == "propose":
            first.setdefault(action_id, action)
            proposals.propose(action_id, action)
        elif step == "settle":
            proposals.settle(action_id, "expired", None, None)
        else:
            try:
                proposals.answer(answer(verdict, action, action_id), 0)
            except LocalError:
                continue
            if verdict is Verdict.CONFIRMED:
                assert action == first[action_id]
                confirmed.append(action_id)
    assert len(confirmed) == len(set(confirmed))


def test_a_yes_needs_a_permit_for_this_action_that_is_not_too_old() -> None:
    without = Answer("act_1", CANCEL, Verdict.CONFIRMED, AnsweredBy.DIGIT)
    with pytest.raises(LocalError, match="without a permit"):
        proposed(CANCEL).answer(without, 0)
    with pytest.raises(LocalError, match="more than"):
        proposed(CANCEL).answer(answer(Verdict.CONFIRMED), PERMIT_MS + 1)
    other = Answer("act_1", CANCEL, Verdict.CONFIRMED, AnsweredBy.DIGIT, permit=Permit(OTHER, 0))
    with pytest.raises(LocalError, match="used for another"):
        proposed(CANCEL).answer(other, 0)
    proposed(CANCEL).answer(answer(Verdict.CONFIRMED), PERMIT_MS)

from itertools import pairwise

from phone_bridge.legs.sip.transaction import (
    LIFE_MS,
    T1_MS,
    T2_MS,
    T4_MS,
    ClientTransaction,
    InviteTransaction,
    Persistence,
    ServerTransaction,
    State,
)

Machine = ServerTransaction | ClientTransaction | InviteTransaction | Persistence


def sent(machine: Machine, until: int) -> list[int]:
    """When the machine sends again, with the time going on from deadline to deadline."""
    times = []
    while (due := machine.deadline()) is not None and due <= until:
        if machine.expire(due):
            times.append(due)
        again = machine.deadline()
        if again is None or again == due:
            break
    return times


def over(machine: ServerTransaction | ClientTransaction | InviteTransaction) -> bool:
    return machine.state is State.TERMINATED


def test_a_request_that_comes_again_is_answered_again() -> None:
    machine = ServerTransaction(invite=False)
    assert machine.repeated() == ""
    assert machine.answer(200, "OK", 0) == "OK"
    assert machine.repeated() == "OK"
    assert machine.answer(500, "late", 1) == "", "one final answer"
    assert machine.deadline() == LIFE_MS
    assert machine.expire(LIFE_MS - 1) == ""
    machine.expire(LIFE_MS)
    assert over(machine)
    assert machine.deadline() is None


def test_a_refused_invite_is_refused_again_until_it_is_acknowledged() -> None:
    machine = ServerTransaction(invite=True)
    assert machine.answer(180, "ringing", 0) == "ringing"
    assert machine.repeated() == "ringing"
    machine.answer(486, "busy", 0)
    assert sent(machine, 10_000) == [T1_MS, 1_500, 3_500, 7_500]
    machine.acknowledged(10_000)
    assert machine.repeated() == ""
    assert machine.deadline() == 10_000 + T4_MS
    machine.expire(10_000 + T4_MS)
    assert over(machine)


def test_a_refusal_that_nobody_acknowledges_ends_by_itself() -> None:
    machine = ServerTransaction(invite=True)
    machine.answer(486, "busy", 0)
    times = sent(machine, LIFE_MS)
    assert over(machine)
    assert max(after - before for before, after in pairwise(times)) == T2_MS


def test_an_invite_that_was_taken_swallows_its_repetitions() -> None:
    machine = ServerTransaction(invite=True)
    machine.answer(200, "OK", 0)
    assert machine.state is State.ACCEPTED
    assert machine.repeated() == ""
    machine.acknowledged(1)
    assert machine.state is State.ACCEPTED
    assert sent(machine, LIFE_MS) == []
    assert over(machine)


def test_an_acknowledgement_of_nothing_changes_nothing() -> None:
    machine = ServerTransaction(invite=True)
    machine.acknowledged(0)
    assert machine.state is State.PROCEEDING


def test_a_request_of_ours_is_repeated_until_it_is_answered() -> None:
    machine = ClientTransaction("BYE", 0)
    assert sent(machine, 8_000) == [T1_MS, 1_500, 3_500, 7_500]
    assert not machine.answered(100, 8_000)
    assert machine.answered(200, 9_000)
    assert not machine.answered(200, 9_001), "once"
    assert sent(machine, 9_000 + T4_MS) == []
    assert over(machine)
    assert machine.deadline() is None


def test_a_request_that_is_worked_at_is_repeated_slowly() -> None:
    machine = ClientTransaction("BYE", 0)
    machine.answered(100, 100)
    assert sent(machine, 9_000) == [T1_MS, T1_MS + T2_MS, T1_MS + 2 * T2_MS]


def test_a_request_that_nobody_answers_is_given_up() -> None:
    machine = ClientTransaction("BYE", 0)
    assert len(sent(machine, LIFE_MS)) == 10
    assert over(machine)


def test_whoever_asks_somebody_else_meanwhile_waits_no_longer_than_it_says() -> None:
    machine = ClientTransaction("REGISTER", 0, life_ms=4_000)
    assert sent(machine, LIFE_MS) == [500, 1_500, 3_500]
    assert over(machine)


def test_who_was_given_up_is_asked_no_more_and_forgotten_whatever_it_says() -> None:
    machine = InviteTransaction("INVITE", 0)
    assert sent(machine, 4_000) == [500, 1_500, 3_500]
    machine.give_up(4_000)
    assert machine.answered(180, 5_000)
    assert sent(machine, 4_000 + LIFE_MS - 1) == []
    assert machine.answered(180, 4_000 + LIFE_MS - 1)
    machine.expire(4_000 + LIFE_MS)
    assert over(machine)


def test_a_200_is_repeated_until_its_acknowledgement_or_given_up() -> None:
    machine = Persistence("200", 0)
    assert machine.expire(T1_MS - 1) == ""
    assert sent(machine, LIFE_MS)[:4] == [T1_MS, 1_500, 3_500, 7_500]
    assert machine.failed


def test_over_a_connection_nothing_is_repeated_and_what_was_answered_is_over() -> None:
    refusing = ServerTransaction(invite=True, reliable=True)
    refusing.answer(486, "busy", 0)
    assert sent(refusing, LIFE_MS - 1) == []
    refusing.acknowledged(5)
    assert refusing.deadline() == 5
    answering = ServerTransaction(invite=False, reliable=True)
    answering.answer(200, "OK", 7)
    assert answering.deadline() == 7
    asking = ClientTransaction("BYE", 0, reliable=True)
    assert asking.deadline() == LIFE_MS
    asking.answered(200, 9)
    assert asking.deadline() == 9
    for machine in (refusing, answering, asking):
        machine.expire(9)
        assert over(machine)

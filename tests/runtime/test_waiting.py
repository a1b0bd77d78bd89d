"""Who waits, and who has to make room."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.runtime.waiting import Waiting


def test_one_more_than_the_limit_has_the_oldest_go() -> None:
    waiting, gone = Waiting(2), list[str]()
    for who in ("a", "b", "c"):
        waiting.enter(who, partial(gone.append, who))
    assert (gone, len(waiting), waiting.dropped) == (["a"], 2, 1)


def test_whoever_has_spoken_does_not_go() -> None:
    waiting, gone = Waiting(2), list[str]()
    for who in ("a", "b", "c"):
        waiting.enter(who, partial(gone.append, who))
        if who == "a":
            waiting.leave(who)
    waiting.leave("nobody")
    assert (gone, len(waiting)) == ([], 2)


def test_who_leaves_while_being_dropped_does_no_harm() -> None:
    waiting = Waiting(1)
    waiting.enter("a", lambda: waiting.leave("a"))
    waiting.enter("b", lambda: waiting.leave("b"))
    assert (len(waiting), waiting.dropped) == (1, 1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9))))
def test_there_are_never_more_than_the_limit_and_nobody_goes_twice(steps: list[tuple[bool, int]]) -> None:
    waiting, here = Waiting(3), dict[int, bool]()
    for comes, who in steps:
        if comes and who not in here:
            here[who] = True
            waiting.enter(who, partial(here.__delitem__, who))
        elif not comes:
            here.pop(who, None)
            waiting.leave(who)
        assert len(waiting) == len(here) <= 3

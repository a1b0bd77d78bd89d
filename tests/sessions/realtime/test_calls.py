import pytest

from phone_bridge.call.events import Action, SessionTrouble, ToolCalled
from phone_bridge.errors import LocalError
from phone_bridge.sessions.realtime.calls import MAX_ARGUMENTS_CHARS, Calls
from phone_bridge.sessions.realtime.messages import ArgumentsDelta, ArgumentsDone, Item


def item(call_id: str | None = "c1", arguments: str | None = None) -> Item:
    return Item(id="i1", type="function_call", status="completed", call_id=call_id, name="f", arguments=arguments)


def test_a_call_without_an_id_of_its_own_goes_by_its_items() -> None:
    calls = Calls(["f"])
    assert calls.whole(item(None, '{"a":1}')) == [ToolCalled("i1", Action("f", {"a": 1}))]
    calls.answer("i1", "done")
    assert calls.answered == [("i1", "done")]


def test_the_whole_arguments_win_over_their_parts() -> None:
    calls = Calls(["f"])
    calls.part(ArgumentsDelta(delta='{"a":', item_id="i1"))
    calls.part(ArgumentsDone(arguments='{"a":2}', item_id="i1"))
    assert calls.whole(item()) == [ToolCalled("c1", Action("f", {"a": 2}))]


def test_arguments_that_never_end_are_not_kept() -> None:
    calls = Calls(["f"])
    calls.part(ArgumentsDelta(delta='{"a":"', item_id="i1"))
    for _ in range(4):
        calls.part(ArgumentsDelta(delta="x" * (MAX_ARGUMENTS_CHARS // 2), item_id="i1"))
    assert sum(map(len, calls._parts.values())) < 2 * MAX_ARGUMENTS_CHARS
    assert calls.whole(item()) == [SessionTrouble("invalid_arguments")]


def test_it_waits_while_any_call_has_no_result() -> None:
    calls = Calls(["f"])
    calls.whole(item())
    assert calls.waiting
    calls.answer("c1", "x")
    assert not calls.waiting
    with pytest.raises(LocalError):
        calls.answer("c1", "x")

from phone_bridge.call.commands import Done, HandOn, Turn
from phone_bridge.call.events import Action
from phone_bridge.sessions.realtime import handing_on


def said(duty: HandOn) -> list[tuple[str | None, str]]:
    return [(item.role, "".join(part.text or "" for part in item.content or ())) for item in handing_on.items(duty)]


def test_turns_keep_their_speakers_and_order_and_deeds_follow() -> None:
    turns = (Turn("caller", "cancel lunch"), Turn("assistant", "Done."), Turn("caller", " "))
    spoken = said(HandOn(turns, (Done(Action("cancel_event", {"event_id": "evt_1"}), "executed"),)))
    assert spoken[:2] == [("user", "cancel lunch"), ("assistant", "Done.")]
    role, deeds = spoken[2]
    assert role == "system"
    assert '{"name":"cancel_event","parameters":{"event_id":"evt_1"},"outcome":"executed"}' in deeds
    assert spoken[3] == ("system", handing_on.GO_ON)


def test_nothing_is_asked_of_a_session_that_shall_wait() -> None:
    assert said(HandOn((), answer=False)) == []


def test_long_turns_and_many_deeds_are_cut() -> None:
    many = tuple(Done(Action(f"tool_{number}"), "executed") for number in range(handing_on.MAX_DEEDS + 1))
    (turn, deeds) = said(HandOn((Turn("caller", "x" * 5_000),), many, answer=False))
    assert len(turn[1]) < 5_000
    assert "tool_0" not in deeds[1]
    assert f"tool_{handing_on.MAX_DEEDS}" in deeds[1]

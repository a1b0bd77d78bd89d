import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.events import Event, ReplyEnded, ReplyStarted
from phone_bridge.sessions.chronapilot.replies import ENDED_REPLIES, Replies


def test_a_named_reply_goes_by_its_name() -> None:
    replies = Replies()

    assert replies.begin("rsp_1") == [ReplyStarted("rsp_1")]
    assert replies.part("rsp_1") == ("rsp_1", [])
    assert replies.end("rsp_1", "completed") == [ReplyEnded("rsp_1", "completed")]


def test_a_named_delta_begins_a_reply_that_nobody_announced() -> None:
    assert Replies().part("rsp_1") == ("rsp_1", [ReplyStarted("rsp_1")])


def test_what_comes_after_the_end_of_a_named_reply_belongs_nowhere() -> None:
    replies = Replies()
    replies.begin("rsp_1")
    replies.end("rsp_1", "cancelled")

    assert replies.part("rsp_1") == ("", [])
    assert replies.begin("rsp_1") == []
    assert replies.end("rsp_1", "completed") == []


def test_two_named_replies_may_run_at_a_time() -> None:
    replies = Replies()
    replies.begin("rsp_1")
    replies.begin("rsp_2")

    assert replies.part("rsp_1") == ("rsp_1", [])
    assert replies.part("rsp_2") == ("rsp_2", [])
    assert replies.end("rsp_1", "completed") == [ReplyEnded("rsp_1", "completed")]


def test_nameless_replies_are_numbered_from_done_to_done() -> None:
    replies = Replies()

    assert replies.part("") == ("#1", [ReplyStarted("#1")])
    assert replies.part("") == ("#1", [])
    assert replies.end("", "completed") == [ReplyEnded("#1", "completed")]
    assert replies.part("") == ("#2", [ReplyStarted("#2")])


def test_done_with_a_name_ends_a_reply_that_had_none() -> None:
    replies = Replies()
    replies.part("")

    assert replies.end("rsp_9", "cancelled") == [ReplyEnded("#1", "cancelled")]


def test_done_with_nothing_open_means_nothing() -> None:
    assert Replies().end("", "completed") == []
    assert Replies().end("rsp_1", "completed") == []


def test_nameless_deltas_of_a_named_reply_belong_to_it_over_the_callers_turn() -> None:
    replies = Replies()
    replies.begin("rsp_1")
    replies.turn()

    assert replies.part("") == ("rsp_1", [])


def test_a_server_that_never_says_done_after_a_cancel_is_heard_again_after_the_next_turn() -> None:
    replies = Replies()
    replies.part("")
    assert replies.cancel("#1")
    assert replies.part("") == ("#1", [])  # late: the call mutes what is cancelled
    replies.turn()

    assert replies.part("") == ("#2", [ReplyEnded("#1", "cancelled"), ReplyStarted("#2")])


def test_the_same_holds_where_the_cancelled_reply_had_a_name() -> None:
    replies = Replies()
    replies.begin("rsp_1")
    replies.cancel("rsp_1")
    replies.turn()

    assert replies.part("") == ("#1", [ReplyStarted("#1")])


def test_a_reply_that_nobody_cancelled_and_nobody_ended_was_completed() -> None:
    replies = Replies()
    replies.part("")

    assert replies.begin("") == [ReplyEnded("#1", "completed"), ReplyStarted("#2")]


def test_only_a_running_reply_can_be_cancelled_and_only_once() -> None:
    replies = Replies()
    assert not replies.cancel("rsp_1")
    replies.begin("rsp_1")
    assert replies.cancel("rsp_1")
    assert not replies.cancel("rsp_1")
    replies.end("rsp_1", "cancelled")
    assert not replies.cancel("rsp_1")


def test_so_many_ended_replies_are_remembered() -> None:
    replies = Replies()
    for number in range(ENDED_REPLIES + 1):
        replies.begin(f"rsp_{number}")
        replies.end(f"rsp_{number}", "completed")

    assert replies.part("rsp_1") == ("", [])
    assert replies.part("rsp_0") == ("rsp_0", [ReplyStarted("rsp_0")])


@pytest.mark.parametrize("name", [None, "", 7, [], "~1", "~1.0", "#1"])
def test_no_server_can_name_a_reply_like_the_house_does(name: object) -> None:
    assert Replies.name(name) == ""


def test_other_names_are_the_servers_own() -> None:
    assert Replies.name("rsp_1") == "rsp_1"


names = st.sampled_from(["", "a", "b"])
steps = st.lists(st.tuples(st.sampled_from(["begin", "part", "end", "turn", "cancel"]), names), max_size=40)


@given(steps)
def test_whatever_a_server_does_a_reply_starts_once_ends_once_and_speaks_in_between(
    history: list[tuple[str, str]],
) -> None:
    replies = Replies()
    running: set[str] = set()
    seen: set[str] = set()
    for step, name in history:
        events: list[Event] = []
        item = ""
        if step == "begin":
            events = replies.begin(name)
        elif step == "part":
            item, events = replies.part(name)
        elif step == "end":
            events = replies.end(name, "completed")
        elif step == "turn":
            replies.turn()
        else:
            replies.cancel(name)
        for event in events:
            if isinstance(event, ReplyStarted):
                assert event.item not in seen
                seen.add(event.item)
                running.add(event.item)
            elif isinstance(event, ReplyEnded):
                running.remove(event.item)
        assert not item or item in running

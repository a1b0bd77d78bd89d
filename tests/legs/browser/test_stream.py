import pytest

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.trace import Trace
from phone_bridge.call.view import Open, View
from phone_bridge.errors import RemoteError
from phone_bridge.legs.browser.stream import (
    MAX_PAD_MS,
    MAX_TROUBLES,
    QUIET_MS,
    SOUND_AT_ONCE_MS,
    SOUND_PER_SECOND_MS,
    BrowserLeg,
)
from tests.legs.browser.samples import FRAME, leg, lines

ACTION = e.Action("cancel_event", {"event_id": "evt_1"})


def asking(question: str, *, answerable: bool = True) -> View:
    return View("talking", 5_000, (), Open(question, ACTION, "I am about to cancel lunch.", answerable, 9_000))


def shown(*features: str) -> BrowserLeg:
    page = leg(*features)
    page.show(asking("act_1"), Trace(0))
    return page


def test_sound_keys_marks_and_the_end_are_facts() -> None:
    page = leg()
    assert page.receive(FRAME, 0) == [e.CallerHeard(FRAME)]
    assert page.receive('{"type":"dtmf","digit":"*"}', 0) == [e.DigitPressed("*")]
    assert page.receive('{"type":"mark","name":"0.1"}', 0) == [e.MarkReached("0.1")]
    assert page.receive('{"type":"hang_up"}', 0) == [e.LegClosed("hangup")]


def test_the_card_s_answers_are_the_keys_of_the_question_that_is_shown() -> None:
    page = shown()
    assert page.receive('{"type":"confirmation_answer","id":"act_1","answer":"yes"}', 0) == [e.DigitPressed("1")]
    assert page.receive('{"type":"confirmation_answer","id":"act_1","answer":"no"}', 0) == [e.DigitPressed("2")]


@pytest.mark.parametrize("id", ["act_0", ""])
def test_an_answer_to_another_question_is_no_key(id: str) -> None:
    (fact,) = shown().receive(f'{{"type":"confirmation_answer","id":"{id}","answer":"yes"}}', 0)
    assert fact == e.LegTrouble("stale_answer")


def test_an_answer_after_the_question_is_gone_is_no_key() -> None:
    page = shown()
    page.show(View("talking", 6_000), Trace(0))
    (fact,) = page.receive('{"type":"confirmation_answer","id":"act_1","answer":"yes"}', 0)
    assert fact == e.LegTrouble("stale_answer")


def test_what_was_not_asked_for_is_not_there() -> None:
    page = shown(w.CALL)
    assert page.outgoing() == []
    assert page.receive('{"type":"dtmf","digit":"1"}', 0) == [e.LegTrouble("malformed_message")]
    (fact,) = page.receive('{"type":"confirmation_answer","id":"act_1","answer":"yes"}', 0)
    assert fact == e.LegTrouble("stale_answer")


def test_duties_are_sound_and_words_in_their_order() -> None:
    page = leg()
    for duty in (c.Play(FRAME, ""), c.Play(FRAME, "0.1"), c.Play(b"", "0.2"), c.Flush(), c.HangUp()):
        page.send(duty, 0)
    sent = page.outgoing()
    assert sent[:2] == [FRAME, FRAME]
    assert [w.encode(w.Mark("0.1")), w.encode(w.Mark("0.2")), w.encode(w.Interrupted())] == sent[2:5]
    assert sent[5:] == ['{"type":"session_ended","reason":"agent_disconnected"}']
    assert page.closing == c.HangUp()


def test_a_call_that_fails_is_not_ended_by_the_agent() -> None:
    page = leg()
    page.send(c.HangUp("bridge_failed"), 0)
    assert page.outgoing() == ['{"type":"session_ended","reason":"session_closed"}']


@pytest.mark.parametrize("text", lines("broken.jsonl"))
def test_nonsense_is_skipped_and_counted(text: str) -> None:
    assert leg().receive(text, 0) == [e.LegTrouble("malformed_message")]


@pytest.mark.parametrize("sound", [b"", b"\x01", bytes(w.MAX_FRAME_BYTES + 2)])
def test_what_is_no_sound_is_skipped(sound: bytes) -> None:
    assert leg().receive(sound, 0) == [e.LegTrouble("invalid_audio")]


def test_too_much_nonsense_ends_the_call() -> None:
    page = leg()
    for at in range(MAX_TROUBLES):
        page.receive("hello", at * 1_000)
    with pytest.raises(RemoteError) as ended:
        page.receive("hello", MAX_TROUBLES * 1_000)
    assert ended.value.code == "malformed_stream"


def test_a_stale_answer_is_the_user_s_haste_and_no_nonsense() -> None:
    page = leg()
    for at in range(2 * MAX_TROUBLES):
        page.receive('{"type":"confirmation_answer","id":"act_1","answer":"yes"}', at * 1_000)


def test_a_microphone_s_pace_is_borne_for_ever_and_a_stall_made_up_for() -> None:
    page = leg()
    for at in range(0, 60_000, 20):
        page.receive(FRAME, at)
    stalled = 60_000 + SOUND_AT_ONCE_MS
    for _ in range(SOUND_AT_ONCE_MS // 20 - 1):
        page.receive(FRAME, stalled)


def test_sound_beyond_all_microphones_ends_the_call() -> None:
    page, much = leg(), bytes(LINEAR_16K.size(2_000))
    assert SOUND_PER_SECOND_MS == 1_500
    for at in range(0, 17_000, 1_000):
        page.receive(much, at)
    with pytest.raises(RemoteError) as ended:
        page.receive(much, 17_000)
    assert ended.value.code == "message_rate"


def test_many_small_messages_end_the_call_too() -> None:
    page, mark = leg(), w.encode(w.Mark("0.1"))
    for _ in range(SOUND_AT_ONCE_MS // 20):
        page.receive(mark, 0)
    with pytest.raises(RemoteError) as ended:
        page.receive(mark, 0)
    assert ended.value.code == "message_rate"


def test_a_page_that_is_quiet_is_heard_as_silence() -> None:
    page = leg()
    page.receive(FRAME, 1_000)
    assert page.deadline() == 1_000 + QUIET_MS
    assert page.expire(1_000 + QUIET_MS - 1) == []
    (heard,) = page.expire(1_000 + QUIET_MS)
    assert heard == e.CallerHeard(bytes(LINEAR_16K.size(QUIET_MS)))
    (heard,) = page.expire(100_000)
    assert heard == e.CallerHeard(bytes(LINEAR_16K.size(MAX_PAD_MS)))


def test_after_the_hang_up_nothing_is_heard_any_more() -> None:
    page = leg()
    page.receive('{"type":"hang_up"}', 0)
    assert page.deadline() is None
    assert page.expire(10_000) == []

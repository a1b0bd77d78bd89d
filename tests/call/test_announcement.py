"""A caller is told of a recording before there is one."""

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.past import Past
from phone_bridge.call.rules import Rules
from tests.call.desk import LINE_MS, Desk


def said(desk: Desk) -> list[list[str]]:
    return [[line.key for line in duty.lines] for duty in desk.done if isinstance(duty, c.Speak)]


def test_a_call_that_need_not_be_announced_may_be_recorded_at_once() -> None:
    desk = Desk()
    assert desk.call.recordable
    assert said(desk) == [["greeting"]]


def test_the_announcement_comes_first_and_counts_once_it_was_heard_to_its_end() -> None:
    desk = Desk(Rules(announce=True))
    assert said(desk) == [["recording_announcement", "greeting"]]
    desk.wait(LINE_MS - 50)
    assert not desk.call.recordable
    desk.wait(100)
    assert desk.call.recordable


def test_nobody_can_talk_over_it() -> None:
    desk = Desk(Rules(announce=True))
    desk.tell(e.SessionOpened("hub_1"))
    desk.wait(300)
    desk.tell(e.VoiceStarted(desk.now), e.CallerSaid("hello"))
    assert not any(isinstance(duty, c.Flush) for duty in desk.done)
    desk.wait(LINE_MS)
    assert desk.call.recordable
    desk.tell(e.VoiceStarted(desk.now))
    assert any(isinstance(duty, c.Flush) for duty in desk.done), "the greeting can be interrupted"


def test_one_that_is_being_made_is_not_forgotten_for_another_language() -> None:
    desk = Desk(Rules(announce=True, languages={"2": "de"}), voice_ms=None)
    desk.tell(e.DigitPressed("2"))
    assert said(desk)[1:] == [["recording_announcement", "greeting"]]
    sound = b"\x22" * PCMU_8K.size(LINE_MS)
    desk.tell(e.PromptReady("~1", (sound,) * 3), e.PromptReady("~2", (sound, sound)))
    desk.wait(LINE_MS + 100)
    assert desk.call.recordable
    desk.done.clear()
    desk.tell(e.DigitPressed("2"))
    assert ["recording_announcement", "greeting"] not in said(desk), "it was heard"


def test_one_of_which_a_mark_is_missing_proves_nothing() -> None:
    desk = Desk(Rules(announce=True))
    desk.wait(300)
    desk.lose_mark()
    desk.wait(2 * LINE_MS)
    assert not desk.call.recordable


def test_one_that_a_key_cut_off_was_not_heard() -> None:
    desk = Desk(Rules(announce=True, errand="Take your pills."))
    assert said(desk) == [["recording_announcement", "errand.own", "errand_keys"]]
    desk.wait(300)
    desk.tell(e.DigitPressed("1"))
    desk.wait(5 * LINE_MS)
    assert not desk.call.recordable


def test_a_call_that_came_back_is_announced_again() -> None:
    desk = Desk(Rules(announce=True), past=Past(ms=5_000))
    assert said(desk) == [["recording_announcement", "cut_off"]]

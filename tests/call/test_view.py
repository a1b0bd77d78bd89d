"""What can be seen of a call while it goes on."""

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import events as e
from phone_bridge.call.view import Line, View
from tests.call.desk import CANCEL, LINE_MS, Desk


def test_the_greeting_is_seen_while_it_sounds_and_with_how_much_of_it_was_heard() -> None:
    desk = Desk()
    assert desk.call.view(0) == View("opening", 0)
    desk.wait(LINE_MS // 2)
    (line,) = desk.call.view(desk.now).lines
    assert (line.speaker, line.sent_ms) == ("bridge", LINE_MS)
    assert 0 < line.heard_ms < LINE_MS
    desk.wait(LINE_MS)
    assert desk.call.view(desk.now).lines == ()
    (said,) = desk.call.trace.transcript
    assert (said.at_ms, said.speaker, said.text) == (line.at_ms, line.speaker, line.text)


def test_a_reply_is_seen_once_it_sounds_and_not_before() -> None:
    desk = Desk().opened()
    desk.tell(e.ReplyStarted("rsp_1"), e.AssistantSaid("rsp_1", "Lunch is next."))
    assert desk.call.view(desk.now).lines == ()
    desk.tell(e.AssistantSpoke("rsp_1", b"\x11" * PCMU_8K.size(500)))
    (line,) = desk.call.view(desk.now).lines
    assert (line.speaker, line.text, line.sent_ms) == ("assistant", "Lunch is next.", 500)


def test_the_caller_s_words_are_seen_until_they_are_final() -> None:
    desk = Desk().opened()
    began = desk.now
    desk.tell(e.VoiceStarted(began), e.CallerSaid("what is", final=False))
    assert desk.call.view(desk.now).lines == (Line(began, "caller", "what is"),)
    desk.tell(e.CallerSaid("What is next?"))
    assert desk.call.view(desk.now).lines == ()
    assert desk.trace[-1] == ("caller", "What is next?")


def test_words_whose_session_is_lost_are_not_being_said_any_more() -> None:
    desk = Desk().opened()
    desk.tell(e.CallerSaid("what is", final=False), e.SessionClosed("lost"))
    assert "caller" not in [line.speaker for line in desk.call.view(desk.now).lines]


def test_a_question_is_seen_when_it_sounds_and_answerable_when_some_of_it_was_heard() -> None:
    desk = Desk().opened()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    assert desk.call.view(desk.now).question is None
    desk.wait(20)
    question = desk.call.view(desk.now).question
    assert question is not None
    assert (question.id, question.action, question.answerable) == ("act_1", CANCEL, False)
    assert "Dentist" in question.text
    desk.wait(LINE_MS)
    question = desk.call.view(desk.now).question
    assert question is not None
    assert question.answerable
    assert question.left_ms > 0
    desk.tell(e.DigitPressed("1"))
    assert desk.call.view(desk.now).question is None


def test_looking_changes_nothing() -> None:
    watched, alone = Desk().opened(), Desk().opened()
    for desk in (watched, alone):
        desk.reply("rsp_1", 800, text="Lunch is next.")
        for _ in range(10):
            desk.wait(50)
            if desk is watched:
                desk.call.view(desk.now)
        desk.asked()
        desk.tell(e.DigitPressed("1"))
        desk.wait(5_000)
    assert watched.trace == alone.trace
    assert watched.done == alone.done

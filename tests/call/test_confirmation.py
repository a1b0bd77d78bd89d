import pytest

from phone_bridge.call.assent import Assent
from phone_bridge.call.confirmation import Question, Questions, Reply
from phone_bridge.call.events import Action
from phone_bridge.call.rules import Rules

CANCEL = Action("cancel_event", {"event_id": "evt_dentist"})


def heard_question(*, at: int = 3_000) -> Question:
    question = Question("act_1", CANCEL, now=0)
    question.began_at = 1_000
    question.heard_at = at
    return question


@pytest.mark.parametrize(
    ("digit", "reply"),
    [("1", Reply.CONFIRM), ("2", Reply.DECLINE), ("*", Reply.REPEAT)]
    + [(digit, Reply.WRONG_KEY) for digit in "0345678 9#ABCD".replace(" ", "")],
)
def test_each_key_has_its_meaning_once_the_question_has_begun(digit: str, reply: Reply) -> None:
    question = Question("act_1", CANCEL, now=0)
    assert question.press(digit) is Reply.NONE
    question.began_at = 100
    assert question.press(digit) is reply


def test_a_yes_counts_when_it_began_after_the_action_was_named() -> None:
    assert heard_question(at=3_000).say(Assent.YES, 3_000, 2) is Reply.CONFIRM


def test_a_yes_that_began_before_the_action_was_named_does_not_count() -> None:
    assert heard_question(at=3_000).say(Assent.YES, 2_999, 2) is Reply.UNCLEAR


def test_a_yes_while_the_action_is_being_named_is_no_answer() -> None:
    question = Question("act_1", CANCEL, now=0)
    question.began_at = 1_000
    assert question.say(Assent.YES, 1_500, 2) is Reply.NONE


@pytest.mark.parametrize("assent", list(Assent))
def test_words_before_the_question_began_are_no_answer(assent: Assent) -> None:
    assert Question("act_1", CANCEL, now=0).say(assent, 0, 2) is Reply.NONE


@pytest.mark.parametrize(("assent", "reply"), [(Assent.NO, Reply.DECLINE), (Assent.WISH, Reply.WISH)])
def test_a_no_or_another_wish_counts_as_soon_as_the_question_has_begun(assent: Assent, reply: Reply) -> None:
    question = Question("act_1", CANCEL, now=0)
    question.began_at = 1_000
    assert question.say(assent, 1_200, 2) is reply


@pytest.mark.parametrize("assent", [Assent.ECHO, Assent.NOTHING])
def test_our_own_echo_and_mere_noise_are_no_answer(assent: Assent) -> None:
    question = heard_question()
    assert [question.say(assent, 4_000, 2) for _ in range(5)] == [Reply.NONE] * 5


def test_the_second_unclear_answer_leads_to_the_keypad_and_a_clear_one_still_counts() -> None:
    question = heard_question()
    replies = [question.say(assent, 4_000, 2) for assent in (Assent.UNCLEAR, Assent.UNCLEAR, Assent.YES)]
    assert replies == [Reply.UNCLEAR, Reply.KEYPAD, Reply.CONFIRM]


def test_a_voice_without_words_is_asked_again_twice_and_then_left_alone() -> None:
    question = heard_question()
    assert [question.wordless(2) for _ in range(4)] == [Reply.UNCLEAR, Reply.KEYPAD, Reply.NONE, Reply.NONE]
    assert question.say(Assent.YES, 4_000, 2) is Reply.CONFIRM


def test_a_voice_without_words_means_nothing_before_the_action_was_named() -> None:
    assert Question("act_1", CANCEL, now=1_000).wordless(2) is Reply.NONE


def test_asking_again_is_granted() -> None:
    assert heard_question().say(Assent.REPEAT, 4_000, 2) is Reply.REPEAT


def test_repetitions_do_not_keep_a_question_open_for_ever() -> None:
    rules = Rules(question_ms=60_000)
    question = Question("act_1", CANCEL, now=1_000)
    question.extend(20_000, rules)
    assert question.deadline == 20_000
    question.extend(99_000, rules)
    assert question.deadline == 61_000


def test_proposals_are_asked_one_after_the_other() -> None:
    questions = Questions()
    assert questions.add("act_1", CANCEL, 0)
    assert questions.add("act_2", CANCEL, 0)
    first = questions.next()
    assert first is not None
    assert first.id == "act_1"
    assert questions.next() is first
    assert questions.waiting()
    assert questions.drop("act_1") is first
    second = questions.next()
    assert second is not None
    assert second.id == "act_2"
    assert not questions.waiting()


def test_a_proposal_that_was_taken_once_is_never_taken_again() -> None:
    questions = Questions()
    questions.add("act_1", CANCEL, 0)
    assert not questions.add("act_1", CANCEL, 0)
    questions.drop("act_1")
    assert not questions.add("act_1", CANCEL, 0)
    assert questions.next() is None


def test_a_waiting_proposal_can_fall_before_it_is_asked() -> None:
    questions = Questions()
    questions.add("act_1", CANCEL, 0)
    questions.add("act_2", CANCEL, 0)
    questions.next()
    dropped = questions.drop("act_2")
    assert dropped is not None
    assert dropped.id == "act_2"
    assert questions.drop("act_2") is None
    assert [question.id for question in questions.drain()] == ["act_1"]
    assert questions.drain() == []

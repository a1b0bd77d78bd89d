from phone_bridge.call.commands import Line, Speak
from phone_bridge.call.confirmation import Question
from phone_bridge.call.events import Action
from phone_bridge.call.language import Language
from phone_bridge.call.prompts import MAX_PENDING, Prompts
from phone_bridge.call.rules import Rules

LINES = (Line("one_moment", "One moment."),)
RULES = Rules(prompt_ms=3_000, language="de")


def test_lines_are_made_under_a_name_and_taken_once() -> None:
    prompts = Prompts(RULES, Language(RULES))
    prompt, duty = prompts.make(LINES, 0, None)
    assert duty == Speak(prompt.name, LINES, "de")
    assert prompt.name in prompts
    assert prompts.take(prompt.name) is prompt
    assert prompts.take(prompt.name) is None
    assert not prompts


def test_each_line_has_an_item_of_its_own() -> None:
    prompts = Prompts(RULES, Language(RULES))
    first, second = prompts.make(LINES, 0, None)[0], prompts.make(LINES, 0, None)[0]
    assert len({first.item(0), first.item(1), second.item(0), second.item(1)}) == 4


def test_what_takes_too_long_is_late() -> None:
    prompts = Prompts(RULES, Language(RULES))
    assert prompts.deadline() is None
    first = prompts.make(LINES, 1_000, None)[0]
    prompts.make(LINES, 2_000, None)
    assert prompts.deadline() == 4_000
    assert prompts.late(3_999) == []
    assert prompts.late(4_000) == [first]


def test_the_oldest_of_too_many_is_forgotten() -> None:
    prompts = Prompts(RULES, Language(RULES))
    names = [prompts.make(LINES, 0, None)[0].name for _ in range(MAX_PENDING + 1)]
    assert [name in prompts for name in names] == [False, *[True] * MAX_PENDING]


def test_what_was_made_for_a_question_falls_with_it() -> None:
    prompts, question = Prompts(RULES, Language(RULES)), Question("act_1", Action("x"), 0)
    about = prompts.make(LINES, 0, question)[0]
    other = prompts.make(LINES, 0, None)[0]
    assert prompts.forget(question) == [about]
    assert (about.name in prompts, other.name in prompts) == (False, True)

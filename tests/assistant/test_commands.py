"""Four hundred commands over all tools, a third of them unseen while the rules were made: most are understood."""

import pytest

from phone_bridge.tools.calendar import CALENDAR_TOOLS
from tests.assistant.commands.corpus import Score, commands, read, score

TALK = {"greeting", "goodbye", "help", "thanks", "repeat", "never_mind", "fragment"}
TOOLS = {command.wish for part in ("seen", "held_out") for command in commands(part)} - TALK


def test_the_collection_is_large_and_a_third_of_it_was_held_out() -> None:
    seen, held_out = len(commands("seen")), len(commands("held_out"))
    assert seen + held_out >= 400
    assert 3 * held_out >= seen + held_out - 6  # rounded for each wish


def test_every_tool_is_asked_for_in_several_ways_in_both_parts() -> None:
    assert len(TOOLS) == 26
    assert CALENDAR_TOOLS.names() <= TOOLS
    for name in TOOLS:
        assert sum(command.wish == name for command in commands("seen")) >= 6
        assert sum(command.wish == name for command in commands("held_out")) >= 3


def test_no_command_is_in_both_parts() -> None:
    assert {each.text for each in commands("seen")} & {each.text for each in commands("held_out")} == set()


@pytest.mark.parametrize(("part", "wishes", "whole", "wrong"), [("seen", 0.98, 0.97, 1), ("held_out", 0.94, 0.90, 2)])
def test_most_commands_are_understood_with_every_slot(part: str, wishes: float, whole: float, wrong: int) -> None:
    reached: Score = score(part)
    assert reached.wish_share >= wishes
    assert reached.whole_share >= whole
    assert reached.wrong <= wrong


def test_nonsense_is_not_taken_for_a_wish() -> None:
    nonsense = [each.text for part in ("seen", "held_out") for each in commands(part) if each.wish == "fragment"]
    assert [text for text in nonsense if read(text)[0] != "fragment"] == []

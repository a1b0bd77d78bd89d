import pytest

from phone_bridge.call.through import Whom, wanted


@pytest.mark.parametrize(
    "text", ["no operator please", "not the operator", "I don't want to talk to anyone", "someone"]
)
def test_a_denial_beside_a_bare_word_is_no_wish(text: str) -> None:
    assert wanted(text).whom is Whom.NOBODY


@pytest.mark.parametrize("text", ["no, put me through to a person", "I don't want to talk to a robot"])
def test_a_no_to_the_machine_is_one(text: str) -> None:
    assert wanted(text).whom is Whom.ANYONE


@pytest.mark.parametrize("text", ["this isn't working let me talk to someone", "I give up, just transfer me"])
def test_a_complaint_may_stand_before_it(text: str) -> None:
    assert wanted(text).whom is Whom.ANYONE


@pytest.mark.parametrize("text", ["can I talk to you", "I want to talk to Anna", "get me the next appointment"])
def test_talking_to_the_assistant_or_about_the_calendar_is_none(text: str) -> None:
    assert wanted(text).whom is Whom.NOBODY

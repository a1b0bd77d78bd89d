"""A caller is put through, and comes back: the last sentence is heard, and both ends know what has happened."""

import pytest

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.moving import LAST_WORDS_MS, Moving
from phone_bridge.call.past import Past
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Said
from phone_bridge.call.words.moving import SENTENCES, came_of_it, connecting
from tests.call.desk import LINE_MS, Desk

BACK = "Nobody at reception picked up."


def test_a_second_wish_changes_nothing_of_the_first() -> None:
    moving = Moving()
    moving.wait("reception", 0)
    moving.wait("sales", 5_000)
    assert (moving.waiting, moving.is_due(LAST_WORDS_MS - 1), moving.is_due(LAST_WORDS_MS)) == (True, False, True)
    assert (moving.take(), moving.waiting, moving.is_due(LAST_WORDS_MS)) == ("reception", False, False)


def test_the_line_moves_once_what_was_being_said_was_heard() -> None:
    desk = Desk().opened()
    desk.reply("item_1", 3_000, end=False, text="Your dentist is at three.")
    desk.wait(500)
    desk.tell(e.TransferRequested("reception"))
    desk.wait(500)
    assert not desk.of(c.Speak), "the assistant is still speaking"
    desk.tell(e.ReplyEnded("item_1"))
    desk.wait(1_900)
    assert not desk.of(c.HangUp), "its sentence is still being heard"
    desk.wait(100 + LINE_MS + 100)
    assert desk.of(c.HangUp) == [c.HangUp("transferred")]
    assert not desk.of(c.Flush)
    assert not desk.of(c.Truncate)
    words = ("bridge", "Please stay on the line, I am putting you through to reception.")
    assert desk.trace[-2:] == [("assistant", "Your dentist is at three."), words]
    assert (desk.call.trace.ended_by, desk.call.trace.error) == ("transfer", "")


def test_a_reply_that_never_ends_holds_the_line_for_so_long_and_no_longer() -> None:
    desk = Desk().opened()
    desk.reply("item_1", 2_000, end=False, text="Well")
    desk.tell(e.TransferRequested("reception"))
    desk.wait(LAST_WORDS_MS - 1)
    assert "transfer.own" not in desk.spoken()
    desk.wait(LINE_MS + 100)
    assert desk.spoken()[-1] == "transfer.own"
    assert desk.ended


def test_where_nothing_sounds_the_line_moves_at_once() -> None:
    desk = Desk().opened()
    desk.tell(e.TransferRequested(""))
    desk.wait(LINE_MS + 100)
    assert desk.ended
    assert desk.trace[-1] == ("bridge", "Please stay on the line, I am putting you through.")


def test_a_question_that_is_open_is_over_and_its_yes_is_none() -> None:
    desk = Desk().opened().asked()
    desk.tell(e.TransferRequested("reception"))
    desk.tell(e.DigitPressed("1"))
    assert desk.verdicts() == [("act_1", "unanswered", "none")]
    desk.wait(LINE_MS + 100)
    assert desk.ended


def test_a_caller_who_comes_back_hears_why_and_so_does_the_session() -> None:
    desk = Desk(past=Past(9_000, (Said(1_000, "caller", "Is there anybody?"),), lead_in=BACK, owed=False))
    desk.wait(LINE_MS + 100)
    assert desk.trace == [("caller", "Is there anybody?"), ("bridge", BACK)]
    desk.tell(e.SessionOpened("hub_2"))
    assert desk.of(c.HandOn) == [
        c.HandOn((c.Turn("caller", "Is there anybody?"), c.Turn("assistant", BACK)), answer=False)
    ]
    desk.tell(e.SessionClosed("lost"), e.SessionOpened("hub_3"))
    assert desk.of(c.HandOn)[1:] == [c.HandOn((c.Turn("caller", "Is there anybody?"),))], "it is told once"


def test_a_session_that_owes_an_answer_goes_on_by_itself() -> None:
    desk = Desk(past=Past(9_000, lead_in=BACK))
    desk.tell(e.SessionOpened("hub_2"))
    assert desk.of(c.HandOn) == [c.HandOn((c.Turn("assistant", BACK),), answer=True)]


def test_a_call_that_was_cut_off_hears_the_word_that_it_was() -> None:
    desk = Desk(past=Past(9_000))
    assert desk.spoken() == ["cut_off"]


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_every_language_has_every_sentence(language: str) -> None:
    assert SENTENCES[language].keys() == SENTENCES["en"].keys()
    assert "reception" in connecting("reception", language).text
    assert "{" not in connecting("", language).text
    for outcome in ("no_answer", "busy", "refused", "failed", "completed"):
        assert "eception" in came_of_it(outcome, "reception", language)
        assert came_of_it(outcome, "", language)[0].isupper()


def test_a_language_that_nobody_has_written_hears_english() -> None:
    assert came_of_it("busy", "sales", "pl-PL").startswith("The line of sales is busy.")


def test_a_name_cannot_bring_markup_into_what_is_said() -> None:
    assert Rules().language == "en"
    assert "<" not in connecting("<b>x", "en").text

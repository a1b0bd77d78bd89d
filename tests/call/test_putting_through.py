"""Who asks for a person: first what the words come to, then how a call goes on."""

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.putting_through import MAX_OFFERED, RINGING_MS, STRAY_WORDS, Heard, PuttingThrough, Step
from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier, Trust
from tests.call.desk import CANCEL, LINE_MS, MOVE, Desk

NOTHING, HUSH, ASK = Heard(Step.NOTHING), Heard(Step.HUSH), Heard(Step.ASK)
TWO = {"reception": True, "sales": True}


def put(name: str) -> Heard:
    return Heard(Step.PUT, name)


def said(through: PuttingThrough, text: str, now: int = 0, prompt: str = "") -> Heard:
    return through.hear(text, "en", prompt, now)


# What the words come to


@pytest.mark.parametrize(
    ("callees", "text", "heard"),
    [
        ({}, "put me through to reception", NOTHING),
        (TWO, "put me through to sales", put("sales")),
        (TWO, "what is my next meeting", NOTHING),
        (TWO, "I want to talk to a person", ASK),
        (TWO, "put me through to accounting", ASK),
        ({"reception": True}, "I want to talk to a person", put("reception")),
        ({"reception": True}, "put me through to accounting", ASK),
        ({"reception": True, "box": False}, "I want to talk to a person", put("reception")),
        ({"reception": True, "box": False}, "put me through to the box", put("box")),
        ({"box": False}, "I want to talk to a person", ASK),
        ({**TWO, "anyone": True}, "I want to talk to a person", put("anyone")),
        ({**TWO, "anyone": True}, "put me through to sales", put("sales")),
        ({"Anyone": True}, "put me through to accounting", put("Anyone")),
    ],
)
def test_one_person_or_the_default_is_rung_and_of_several_the_caller_chooses(
    callees: dict[str, bool], text: str, heard: Heard
) -> None:
    through = PuttingThrough(callees)
    assert said(through, text) == heard
    assert through.holds(0) == (heard != NOTHING)


def test_only_people_are_offered_to_whoever_asks_for_a_person() -> None:
    through = PuttingThrough({**TWO, "box": False})
    assert said(through, "operator") == ASK
    assert list(through.offered) == ["reception", "sales"]
    other = PuttingThrough({**TWO, "box": False})
    assert said(other, "put me through to accounting") == ASK
    assert list(other.offered) == ["reception", "sales", "box"]


def test_as_many_are_offered_as_there_are_keys_and_the_others_have_their_names() -> None:
    through = PuttingThrough({f"desk {word}": True for word in "abcdefghijkl"})
    assert said(through, "operator") == ASK
    assert len(through.offered) == MAX_OFFERED
    assert said(through, "desk l") == put("desk l")


@pytest.mark.parametrize(("digit", "heard"), [("2", put("sales")), ("3", NOTHING), ("0", NOTHING), ("#", NOTHING)])
def test_a_key_chooses(digit: str, heard: Heard) -> None:
    through = PuttingThrough(TWO)
    assert through.press(digit, 0) == NOTHING, "nobody was asked"
    said(through, "operator")
    assert through.press(digit, 0) == heard


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("sales", put("sales")),
        ("anyone", put("reception")),
        ("I don't mind", put("reception")),
        ("yes", ASK),
        ("the sails", ASK),
        ("no", NOTHING),
        ("never mind", NOTHING),
        ("what do I have on Friday then", NOTHING),
        ("uh", HUSH),
        ("press one sales press two", HUSH),
    ],
)
def test_an_answer_names_somebody_or_is_for_the_assistant(text: str, heard: Heard) -> None:
    through = PuttingThrough(TWO)
    said(through, "operator")
    assert said(through, text, prompt="I can put you through to: reception, press one; sales, press two.") == heard
    assert through.holds(0) == (heard != NOTHING)


def test_words_that_name_nobody_are_asked_about_once() -> None:
    through = PuttingThrough(TWO)
    said(through, "operator")
    assert said(through, "the sails") == ASK
    assert said(through, "the sails") == NOTHING
    assert not through.holds(0)
    said(through, "operator")
    assert said(through, "sails " * (STRAY_WORDS + 1)) == NOTHING


def test_a_yes_takes_the_only_one_that_is_offered() -> None:
    through = PuttingThrough({"reception": True})
    assert said(through, "put me through to accounting") == ASK
    assert said(through, "yes please") == put("reception")


def test_nothing_more_is_taken_while_the_line_is_about_to_move_and_not_for_ever() -> None:
    through = PuttingThrough(TWO)
    said(through, "put me through to sales")
    assert said(through, "put me through to reception", now=1) == HUSH
    assert through.holds(RINGING_MS - 1)
    assert not through.holds(RINGING_MS)
    assert said(through, "put me through to reception", now=RINGING_MS) == put("reception")


# How a call goes on


def office(callees: dict[str, bool] | None = None, **more: object) -> Desk:
    return Desk(Rules(callees=TWO if callees is None else callees, **more)).opened()  # type: ignore[arg-type]


def rung(desk: Desk) -> list[str]:
    return [each.name for each in desk.of(c.PutThrough)]


def test_a_wish_is_served_and_the_assistants_own_answer_is_not_heard() -> None:
    desk = office()
    desk.say("put me through to sales")
    assert rung(desk) == ["sales"]
    desk.done.clear()
    desk.reply("rsp_1", 3_000, text="I did not understand that.")
    assert desk.of(c.Play) == []
    assert desk.of(c.CancelReply) == [c.CancelReply("rsp_1")]
    desk.tell(e.TransferRequested("sales"))
    desk.wait(LINE_MS + 100)
    assert desk.ended
    assert desk.trace[-2:] == [
        ("caller", "put me through to sales"),
        ("bridge", "Please stay on the line, I am putting you through to sales."),
    ]


def test_a_reply_that_sounds_already_is_cut_off() -> None:
    desk = office()
    desk.reply("rsp_1", 4_000, end=False, text="I did not understand that.")
    desk.wait(500)
    desk.tell(e.CallerSaid("put me through to sales", began=desk.now - 2_000))
    assert rung(desk) == ["sales"]
    assert desk.of(c.Flush)
    assert desk.of(c.CancelReply) == [c.CancelReply("rsp_1")]


def test_the_caller_is_asked_whom_and_chooses_by_key_or_by_name() -> None:
    for answer in ("key", "name"):
        desk = office()
        desk.say("I want to talk to a person")
        assert desk.spoken() == ["transfer_which.own"]
        desk.wait(LINE_MS + 100)
        if answer == "key":
            desk.tell(e.DigitPressed("2"))
        else:
            desk.say("sales please")
        assert rung(desk) == ["sales"]


def test_a_choice_may_cut_the_question_short() -> None:
    desk = office()
    desk.say("operator")
    desk.wait(300)
    desk.done.clear()
    desk.tell(e.DigitPressed("1"))
    assert desk.of(c.Flush)
    assert rung(desk) == ["reception"]


def test_who_does_not_choose_has_the_assistant_again() -> None:
    desk = office()
    desk.say("operator")
    desk.wait(LINE_MS + 100)
    desk.done.clear()
    desk.say("no, what is my next meeting")
    desk.reply("rsp_2", 1_000, text="Your next meeting is the dentist.")
    assert desk.of(c.Play)
    assert rung(desk) == []


def test_the_question_whom_does_not_stay_open_for_ever() -> None:
    desk = office(answer_ms=5_000)
    desk.say("operator")
    desk.wait(12_000)
    desk.done.clear()
    desk.tell(e.DigitPressed("1"))
    desk.reply("rsp_2", 1_000)
    assert desk.of(c.Play)
    assert rung(desk) == []


def test_an_open_question_gets_a_no_first_and_never_a_yes() -> None:
    desk = office().asked("act_1", CANCEL)
    desk.tell(e.ConfirmationAsked("act_2", MOVE))
    desk.say("yes, I want to speak to sales")
    assert desk.verdicts() == [("act_1", "declined", "speech"), ("act_2", "declined", "none")]
    assert all(answer.words for answer in desk.of(c.Answer)), "the session is told, for it takes the wish for no answer"
    kinds = [type(each) for each in desk.done]
    assert kinds.index(c.Answer) < kinds.index(c.PutThrough)
    assert rung(desk) == ["sales"]
    desk.wait(20_000)
    assert "question.update_event" not in desk.spoken()


def test_a_proposal_made_of_words_that_were_for_us_is_declined_unasked() -> None:
    desk = office(auto_confirm=frozenset({"cancel_event"}))
    desk.say("operator")
    desk.wait(LINE_MS + 100)
    desk.done.clear()
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    assert desk.verdicts() == [("act_1", "declined", "none")]
    desk.wait(5_000)
    assert desk.spoken() == []


def test_words_that_come_while_a_pin_is_asked_for_leave_it() -> None:
    needs = Trust(has=Tier.UNKNOWN, tools={"cancel_event": Tier.PIN})
    desk = office(trust=needs)
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(200)
    assert desk.call.proving
    desk.tell(e.CallerSaid("put me through to sales"))
    assert not desk.call.proving
    assert desk.verdicts() == [("act_1", "declined", "speech")]
    assert rung(desk) == ["sales"]


def closed_door(callees: dict[str, bool]) -> Desk:
    """Have a call whose caller needs a PIN to get to the assistant at all."""
    trust = Trust(has=Tier.UNKNOWN, enter=Tier.PIN, otherwise=Tier.PIN)
    desk = Desk(Rules(callees=callees, trust=trust, pin_by_voice=True))
    desk.wait(3 * LINE_MS)
    desk.done.clear()
    return desk


def test_who_has_no_pin_may_ask_for_a_person() -> None:
    desk = closed_door({"reception": True})
    desk.tell(e.PinSpoken(0, "person"))
    assert rung(desk) == ["reception"]
    assert not desk.call.proving
    desk.tell(e.TransferRequested("reception"))
    desk.wait(LINE_MS + 100)
    assert desk.ended
    assert desk.of(c.OpenSession) == [], "nobody has proven anything"


def test_who_cannot_be_put_through_then_is_asked_for_the_pin_again() -> None:
    desk = closed_door({"reception": True})
    desk.tell(e.PinSpoken(0, "person"))
    desk.done.clear()
    desk.tell(e.TransferRefused())
    assert desk.spoken()[:2] == ["transfer_failed", "pin_enter"]
    assert desk.call.proving


def test_a_person_whom_there_is_not_leaves_the_pin_asked_for() -> None:
    desk = closed_door({})
    desk.tell(e.PinSpoken(0, "person"))
    assert desk.call.proving
    assert desk.spoken() == []


def test_a_word_that_comes_after_the_pin_is_nobodys() -> None:
    desk = office()
    desk.tell(e.PinSpoken(0, "person"))
    assert rung(desk) == []


def test_where_nobody_can_be_rung_the_caller_is_told_and_stays() -> None:
    desk = office()
    desk.say("put me through to sales")
    desk.done.clear()
    desk.tell(e.TransferRefused())
    assert desk.spoken() == ["transfer_failed"]
    desk.wait(LINE_MS + 100)
    desk.say("what is my next meeting")
    desk.reply("rsp_2", 1_000)
    assert desk.of(c.Play)
    assert not desk.ended


def test_a_refusal_that_comes_before_the_words_about_it_were_made_takes_their_place() -> None:
    desk = office(refers=True)
    desk.voice_ms = None  # what is said is made in the order below
    desk.say("put me through to sales")
    desk.tell(e.TransferRefused())
    connecting, failed = [speak.prompt for speak in desk.of(c.Speak)][-2:]
    desk.tell(e.PromptReady(failed, (b"\xfe" * 800,)))
    desk.tell(e.PromptReady(connecting, (b"\xfe" * 800,)))
    desk.wait(2 * LINE_MS)
    assert [text for speaker, text in desk.trace if speaker == "bridge"][-1].startswith("I cannot put you through")


def test_a_refusal_that_nobody_waits_for_says_nothing() -> None:
    desk = office()
    desk.tell(e.TransferRefused())
    assert desk.spoken() == []


def unmade(**more: object) -> Desk:
    """Have a session that is there before our own first words are made."""
    desk = Desk(Rules(callees=TWO, refers=True, **more), voice_ms=None)  # type: ignore[arg-type]
    desk.tell(e.SessionOpened("hub_1"))
    return desk


def made(desk: Desk, *prompts: str) -> None:
    lines = {speak.prompt: speak.lines for speak in desk.of(c.Speak)}
    for name in prompts:
        desk.tell(e.PromptReady(name, tuple(b"\x22" * PCMU_8K.size(LINE_MS) for _ in lines[name])))


def test_a_wish_that_is_older_than_the_greeting_is_answered_in_its_place() -> None:
    desk = unmade()
    desk.tell(e.CallerSaid("put me through to sales"))
    assert desk.spoken() == ["greeting", "transfer.own"]
    made(desk, "~2", "~1")
    desk.wait(3 * LINE_MS)
    assert [text for speaker, text in desk.trace if speaker == "bridge"] == [
        "Please stay on the line, I am putting you through to sales."
    ]


def test_but_nobody_goes_without_the_word_of_a_recording() -> None:
    desk = unmade(announce=True)
    desk.tell(e.CallerSaid("put me through to sales"))
    assert desk.spoken() == ["recording_announcement", "greeting", "recording_announcement", "transfer.own"]
    made(desk, "~2", "~1")
    desk.wait(LINE_MS + 100)
    assert desk.call.recordable
    desk.wait(LINE_MS)
    assert [text[:11] for speaker, text in desk.trace if speaker == "bridge"] == ["This call i", "Please stay"]


def test_where_the_callers_own_side_moves_the_line_they_are_told_so_meanwhile() -> None:
    desk = office(refers=True)
    desk.say("put me through to sales")
    assert desk.spoken() == ["transfer.own"]
    assert rung(desk) == ["sales"]
    desk.wait(LINE_MS + 100)
    assert desk.trace[-1] == ("bridge", "Please stay on the line, I am putting you through to sales.")
    assert not desk.ended, "their side has not moved it yet"


@pytest.mark.parametrize("after_ms", [0, 300, LINE_MS + 500])
def test_where_their_own_side_cannot_the_same_words_are_heard_out_and_not_said_again(after_ms: int) -> None:
    desk = office(refers=True)
    desk.say("put me through to sales")
    desk.wait(after_ms)
    desk.tell(e.TransferRequested("sales"))
    assert desk.ended == (after_ms > LINE_MS), "not before they were heard"
    desk.wait(LINE_MS + 1_000)
    assert desk.ended
    assert desk.spoken() == ["transfer.own"]
    assert [each.reason for each in desk.of(c.HangUp)] == ["transferred"]


def test_a_far_side_that_rings_for_long_is_no_silent_session() -> None:
    desk = office()
    desk.say("put me through to sales")
    desk.wait(40_000)
    assert not desk.of(c.OpenSession), "the session was not given up"
    assert "one_moment" in desk.spoken()


def test_a_session_without_callees_hears_everything_itself() -> None:
    desk = office({})
    desk.say("put me through to sales")
    desk.reply("rsp_1", 1_000)
    assert desk.of(c.Play)
    assert rung(desk) == []


@pytest.mark.parametrize("after_ms", [0, 500])
def test_whoever_is_put_through_by_a_program_meanwhile_need_not_hear_the_question_out(after_ms: int) -> None:
    desk = office()
    desk.say("operator")
    desk.wait(after_ms)
    desk.tell(e.TransferRequested("reception"))
    desk.wait(LINE_MS + 100)
    assert desk.ended
    assert desk.trace[-1] == ("bridge", "Please stay on the line, I am putting you through to reception.")


def test_the_callers_own_language_is_asked_in() -> None:
    desk = office(language="de")
    desk.say("ich möchte mit einem Menschen sprechen")
    (asked,) = [line.text for speak in desk.of(c.Speak) for line in speak.lines]
    assert asked == "Ich kann Sie verbinden mit: reception, Taste 1; sales, Taste 2. Mit wem möchten Sie sprechen?"

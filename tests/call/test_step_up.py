"""The dialogues of who is calling: a code that was sent, both proofs together, and a PIN that the caller sets."""

import pytest

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Phase
from phone_bridge.call.past import Past
from phone_bridge.call.proving import MAX_REMINDERS, MAX_SENDINGS, MAX_WRONG
from phone_bridge.call.trust import Tier, Trust
from tests.call.desk import CANCEL, LINE_MS, MOVE, Caller, Desk

CODE_TO_WRITE = Trust(tools={"get_next_event": Tier.UNKNOWN}, otherwise=Tier.CODE)
BOTH_TO_WRITE = Trust(tools={"get_next_event": Tier.UNKNOWN}, otherwise=Tier.BOTH)
BY_CODE = Trust(otherwise=Tier.PIN, enrol=Tier.CODE)
BY_NUMBER = Trust(has=Tier.ATTESTED, otherwise=Tier.PIN, enrol=Tier.ATTESTED)
CHANGE = "I want to change my PIN"


def caller(trust: Trust, **rules: object) -> Caller:
    desk = Caller(trust, past=None, pin_change=True, **rules)
    desk.opened()
    return desk


def asked(trust: Trust, **rules: object) -> Caller:
    """Ask for what ``trust`` needs, and let that be heard."""
    desk = caller(trust, **rules)
    return desk.asked_for_pin()


def key_in(desk: Caller, outcome: str) -> None:
    """Key in a code, which is complete by itself, and bring the verdict."""
    desk.press("048291")
    desk.judged(outcome)


# A code


def test_a_code_is_sent_and_opens_what_needs_it() -> None:
    desk = asked(CODE_TO_WRITE)
    assert desk.of(c.SendCode) == [c.SendCode(1, "en")]
    assert desk.spoken() == ["code_ask"]
    desk.tell(e.CodeSent(1, "sent"))
    desk.press("048291")
    assert desk.of(c.JudgePin) == [c.JudgePin(1, "code")], "six digits are all"
    desk.judged("right")
    desk.wait(4 * LINE_MS)
    assert desk.spoken()[1:] == ["pin_right", "question.cancel_event", "keys"]
    desk.press("1")
    assert desk.verdicts() == [("act_1", "confirmed", "digit")]
    assert (desk.call.trace.trust, desk.call.trace.actions[0].trust) == ("code", "code")


def test_after_a_code_the_keys_are_the_question_s_soon_but_for_a_hash_key() -> None:
    desk = asked(CODE_TO_WRITE)
    key_in(desk, "right")
    desk.press("#")
    desk.wait(900)
    assert desk.call.masks(desk.now)
    desk.wait(100)
    assert not desk.call.masks(desk.now)


def test_a_code_is_sent_in_the_language_of_the_line() -> None:
    desk = caller(CODE_TO_WRITE)
    desk.tell(e.LanguageChosen("fr"), e.ConfirmationAsked("act_1", CANCEL))
    assert desk.of(c.SendCode) == [c.SendCode(1, "fr")]


@pytest.mark.parametrize(
    ("outcome", "told"), [("failed", "code_unsent"), ("locked", "code_locked"), ("nonsense", "code_unsent")]
)
def test_a_code_that_cannot_be_sent_is_told_at_once_and_is_a_no(outcome: str, told: str) -> None:
    desk = asked(CODE_TO_WRITE)
    desk.tell(e.CodeSent(1, outcome))
    assert (desk.spoken()[-1], desk.verdicts()) == (told, [("act_1", "declined", "none")])
    assert not desk.call.proving


def test_star_has_another_one_sent_and_what_becomes_of_the_first_matters_no_more() -> None:
    desk = asked(CODE_TO_WRITE)
    desk.press("*")
    assert desk.of(c.SendCode)[1:] == [c.SendCode(2, "en")]
    assert desk.spoken()[-1] == "code_another"
    desk.tell(e.CodeSent(1, "failed"))
    assert desk.call.proving
    desk.tell(e.CodeSent(2, "failed"))
    assert desk.spoken()[-1] == "code_unsent"


def test_star_after_a_digit_begins_again_with_the_same_code() -> None:
    desk = asked(CODE_TO_WRITE)
    desk.press("04*")
    assert (desk.spoken()[-1], len(desk.of(c.SendCode))) == ("code_again", 1)


def test_no_call_has_more_codes_sent_than_it_may() -> None:
    desk = asked(CODE_TO_WRITE)
    desk.press("*" * 10)
    assert len(desk.of(c.SendCode)) == MAX_SENDINGS
    key_in(desk, "right")
    assert desk.call.trace.trust == "code", "the last one counts"


def test_a_call_that_has_had_all_its_codes_is_asked_for_none() -> None:
    desk = asked(CODE_TO_WRITE)
    desk.press("*" * MAX_SENDINGS + "#")
    desk.wait(5_000)
    desk.tell(e.ConfirmationAsked("act_2", MOVE))
    assert (desk.spoken()[-1], desk.verdicts()[-1]) == ("code_refused", ("act_2", "declined", "none"))
    assert len(desk.of(c.SendCode)) == MAX_SENDINGS


def test_wrong_codes_are_a_no_in_the_end() -> None:
    desk = asked(CODE_TO_WRITE)
    for _ in range(MAX_WRONG):
        key_in(desk, "wrong")
    assert desk.spoken() == ["code_ask", "code_wrong", "code_wrong", "code_refused"]
    assert (desk.verdicts(), desk.call.trace.trust) == ([("act_1", "declined", "none")], "unknown")


@pytest.mark.parametrize("outcome", ["locked", "missing", "failed", "weak"])
def test_a_code_that_cannot_be_judged_is_a_no_that_says_why(outcome: str) -> None:
    desk = asked(CODE_TO_WRITE)
    key_in(desk, outcome)
    assert desk.spoken()[-1] == f"code_{'failed' if outcome == 'weak' else outcome}"
    assert desk.call.trace.trust == "unknown"


def test_a_code_may_take_its_time_and_the_caller_hears_that_it_is_waited_for() -> None:
    desk = asked(CODE_TO_WRITE, answer_ms=20_000)
    desk.wait(60_000)
    assert desk.spoken() == ["code_ask", "code_waiting", "code_waiting"]
    desk.wait(30_000)
    assert desk.spoken().count("code_waiting") == MAX_REMINDERS
    assert (desk.spoken()[-1], desk.verdicts()) == ("code_late", [("act_1", "expired", "none")])


def test_whoever_is_in_the_midst_of_a_code_is_not_reminded() -> None:
    desk = asked(CODE_TO_WRITE, answer_ms=20_000)
    desk.press("04")
    desk.wait(20_100)
    assert desk.spoken()[-1] == "code_late"


def test_a_code_is_waited_for_no_longer_than_it_may_be() -> None:
    desk = asked(CODE_TO_WRITE, code_ms=30_000)
    for _ in range(8):
        desk.press("0*")
        desk.wait(5_000)
    assert desk.verdicts() == [("act_1", "expired", "none")]


def test_the_pin_opens_what_a_code_would_have() -> None:
    desk = Caller(Trust(has=Tier.PIN, otherwise=Tier.CODE), past=Past(5_000))
    desk.tell(e.SessionOpened("hub_1"), e.ConfirmationAsked("act_1", CANCEL))
    assert desk.spoken()[-2:] == ["question.cancel_event", "keys"]


def test_a_code_may_be_spoken_where_a_pin_may() -> None:
    desk = asked(CODE_TO_WRITE, pin_by_voice=True)
    assert desk.spoken() == ["code_ask", "code_voice"]
    desk.tell(e.PinSpoken(6))
    assert desk.of(c.JudgePin) == [c.JudgePin(1, "code")]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("right", "pin_welcome"), ("wrong", "code_wrong"), ("missing", "goodbye_code_unable")],
)
def test_a_code_lets_in_where_it_is_needed_to_enter(outcome: str, told: str) -> None:
    desk = Caller(Trust(enter=Tier.CODE))
    assert desk.spoken() == ["code_enter"]
    desk.wait(LINE_MS + 100)
    key_in(desk, outcome)
    assert desk.spoken()[-1] == told
    assert bool(desk.of(c.OpenSession)) is (outcome == "right")


def test_whoever_cannot_be_sent_a_code_cannot_enter() -> None:
    desk = Caller(Trust(enter=Tier.CODE))
    desk.tell(e.CodeSent(1, "locked"))
    assert desk.spoken()[-1] == "goodbye_code_locked"
    desk.wait(20_000)
    assert desk.ended


# Both


def test_both_are_asked_for_one_after_the_other_and_neither_alone_is_enough() -> None:
    desk = asked(BOTH_TO_WRITE)
    assert desk.spoken() == ["pin_ask"]
    desk.give("right")
    desk.wait(2 * LINE_MS + 100)
    assert desk.spoken()[1:] == ["pin_right", "code_ask"]
    assert (desk.call.trace.trust, desk.verdicts()) == ("pin", [])
    key_in(desk, "right")
    desk.wait(3 * LINE_MS + 100)
    assert desk.spoken()[3:] == ["pin_right", "question.cancel_event", "keys"]
    desk.press("1")
    assert (desk.verdicts()[-1], desk.call.trace.actions[0].trust) == (("act_1", "confirmed", "digit"), "pin+code")


def test_the_right_pin_without_the_code_leaves_it_a_no() -> None:
    desk = asked(BOTH_TO_WRITE)
    desk.give("right")
    desk.press("#")
    assert (desk.spoken()[-1], desk.verdicts()) == ("code_left", [("act_1", "declined", "digit")])


def test_a_verdict_on_the_pin_is_none_on_the_code() -> None:
    desk = asked(BOTH_TO_WRITE)
    desk.give("right")
    desk.tell(e.PinJudged(1, "right"), e.PinJudged(2, "right"))
    assert desk.call.proving
    assert desk.call.trace.trust == "pin"


# A PIN that the caller sets


def begun(trust: Trust, found: str, **rules: object) -> Caller:
    """Say that another PIN is wanted, and bring what is found out about the present one."""
    desk = caller(trust, **rules)
    desk.say(CHANGE)
    assert desk.of(c.JudgePin) == [c.JudgePin(1, "look")]
    desk.judged(found)
    desk.wait(2 * LINE_MS + 100)
    return desk


def test_whoever_knows_the_pin_changes_it() -> None:
    desk = begun(BY_CODE, "right")
    for outcome in ("right", "right", "right"):
        desk.give(outcome)
        desk.wait(2 * LINE_MS)
    assert [judge.wanted for judge in desk.of(c.JudgePin)] == ["look", "pin", "new", "once_more"]
    assert desk.spoken() == ["pin_old", "new_ask", "new_once_more", "new_changed"]
    assert not desk.call.proving
    assert [noted.kind for noted in desk.call.trace.timeline.events].count("pin_changed") == 1
    assert desk.call.trace.trust == "pin", "for it was given"


def test_whoever_gave_it_in_this_call_need_not_give_it_again() -> None:
    desk = asked(BY_CODE)
    desk.give("right")
    desk.press("2")
    desk.wait(3 * LINE_MS + 100)
    desk.press("2")
    desk.wait(3_000)
    desk.done.clear()
    desk.say(CHANGE)
    desk.judged("right")
    assert desk.spoken() == ["new_ask"]


def test_whoever_gave_it_in_a_part_before_gives_it_again() -> None:
    desk = Caller(Trust(has=Tier.PIN), past=Past(5_000), pin_change=True)
    desk.opened()
    desk.say(CHANGE)
    desk.judged("right")
    assert desk.spoken() == ["pin_old"]


@pytest.mark.parametrize("outcome", ["locked", "missing", "failed"])
def test_without_the_old_pin_there_is_no_new_one(outcome: str) -> None:
    desk = begun(BY_CODE, "right")
    desk.give(outcome)
    assert desk.spoken()[1] == f"pin_{outcome}"
    assert not desk.call.proving
    assert {judge.wanted for judge in desk.of(c.JudgePin)} == {"look", "pin"}


def test_wrong_old_pins_are_counted_with_all_others() -> None:
    desk = begun(BY_CODE, "right")
    for _ in range(MAX_WRONG):
        desk.give("wrong")
    assert desk.spoken() == ["pin_old", "pin_wrong", "pin_wrong", "pin_refused"]
    desk.wait(3_000)
    desk.done.clear()
    desk.say(CHANGE)
    desk.judged("right")
    assert desk.spoken() == ["pin_refused"]
    desk.wait(3_000)
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    assert desk.spoken()[-1] == "pin_refused"


def test_a_first_pin_is_set_by_whoever_has_the_user_s_telephone_where_the_rule_says_so() -> None:
    desk = begun(BY_CODE, "missing")
    assert desk.spoken() == ["new_none", "code_ask"]
    assert desk.of(c.SendCode) == [c.SendCode(1, "en")]
    key_in(desk, "right")
    desk.give("right")
    desk.give("right")
    desk.wait(LINE_MS)
    assert desk.spoken()[2:] == ["new_ask", "new_once_more", "new_set"]
    assert desk.call.trace.trust == "code", "a PIN that was set is none that was given"


def test_a_first_pin_is_set_by_an_attested_number_where_the_rule_says_so() -> None:
    desk = begun(BY_NUMBER, "missing")
    assert desk.spoken() == ["new_none", "new_ask"]
    desk.give("right")
    desk.give("right")
    assert desk.spoken()[-1] == "new_set"
    assert desk.call.trace.trust == "attested"


@pytest.mark.parametrize(
    "trust",
    [
        Trust(otherwise=Tier.PIN),
        Trust(has=Tier.ATTESTED, otherwise=Tier.PIN),
        Trust(has=Tier.KNOWN, otherwise=Tier.PIN, enrol=Tier.ATTESTED),
        Trust(has=Tier.UNKNOWN, otherwise=Tier.PIN, enrol=Tier.ATTESTED),
    ],
)
def test_nobody_else_sets_a_first_pin(trust: Trust) -> None:
    desk = begun(trust, "missing")
    assert desk.spoken() == ["pin_barred"]
    assert not desk.call.proving
    assert [judge.wanted for judge in desk.of(c.JudgePin)] == ["look"]


def test_a_code_that_is_wrong_enrols_nobody() -> None:
    desk = begun(BY_CODE, "missing")
    for _ in range(MAX_WRONG):
        key_in(desk, "wrong")
    assert desk.spoken()[-1] == "code_refused"
    assert {judge.wanted for judge in desk.of(c.JudgePin)} == {"look", "code"}


def test_whoever_needs_a_pin_and_has_none_hears_that_they_may_set_one() -> None:
    desk = asked(BY_CODE)
    desk.give("missing")
    assert desk.spoken() == ["pin_ask", "pin_missing", "pin_may_set"]
    barred = asked(Trust(otherwise=Tier.PIN))
    barred.give("missing")
    assert barred.spoken() == ["pin_ask", "pin_missing"]


@pytest.mark.parametrize("outcome", ["short", "weak", "same"])
def test_a_pin_that_cannot_be_one_is_asked_for_again_and_not_for_ever(outcome: str) -> None:
    desk = begun(BY_CODE, "right")
    desk.give("right")
    for _ in range(MAX_WRONG):
        desk.give(outcome)
    assert desk.spoken()[1:] == ["new_ask", f"new_{outcome}", f"new_{outcome}", "new_refused"]


def test_two_that_are_not_alike_are_asked_for_again_and_not_for_ever() -> None:
    desk = begun(BY_CODE, "right")
    desk.give("right")
    for _ in range(MAX_WRONG):
        desk.give("right")
        desk.give("differs")
    again = ["new_once_more", "new_differs"]
    assert desk.spoken()[1:] == ["new_ask", *again, *again, "new_once_more", "new_refused"]
    assert not desk.call.proving


@pytest.mark.parametrize(("how", "told"), [("#", "new_left"), ("", "new_late")])
def test_whoever_gives_no_new_pin_keeps_the_old_one(how: str, told: str) -> None:
    desk = begun(BY_CODE, "right")
    desk.give("right")
    desk.press(how) if how else desk.wait(40_000)
    assert desk.spoken()[-1] == told
    assert not desk.call.proving


@pytest.mark.parametrize("outcome", ["failed", "locked", "missing", "wrong"])
def test_a_pin_that_could_not_be_kept_is_told(outcome: str) -> None:
    desk = begun(BY_CODE, "right")
    for each in ("right", "right"):
        desk.give(each)
    desk.give(outcome)
    assert desk.spoken()[-1] == "new_failed"
    assert "pin_changed" not in [noted.kind for noted in desk.call.trace.timeline.events]


def test_a_session_asks_for_it_too() -> None:
    desk = caller(BY_CODE)
    desk.tell(e.PinChangeWanted())
    assert desk.of(c.JudgePin) == [c.JudgePin(1, "look")]


def test_nobody_is_asked_where_there_is_no_rule_or_something_else_is_being_asked() -> None:
    plain = Desk().opened()
    plain.say(CHANGE)
    plain.tell(e.PinChangeWanted())
    busy = caller(BY_NUMBER)
    busy.asked_for_pin()
    busy.tell(e.PinChangeWanted())
    asked_already = Desk(busy.call._rules).opened()
    asked_already.asked()
    assert [desk.of(c.JudgePin) for desk in (plain, busy, asked_already)] == [[], [], []]


def test_the_assistant_is_silent_meanwhile_and_not_afterwards() -> None:
    desk = caller(BY_CODE)
    desk.say(CHANGE)
    desk.reply("rsp_1", 500, text="I cannot do that.")
    desk.judged("right")
    desk.tell(e.CallerHeard(b"\x91" * 160))
    assert desk.of(c.Listen)[-1].audio == b"\xff" * 160, "nor does it hear anything"
    desk.press("#")
    desk.wait(3_000)
    assert "I cannot do that." not in [text for _, text in desk.trace]
    desk.reply("rsp_2", 500, text="How can I help?")
    desk.wait(2_000)
    assert ("assistant", "How can I help?") in desk.trace


def test_a_proposal_waits_until_the_pin_is_changed() -> None:
    desk = caller(Trust(otherwise=Tier.PIN), auto_confirm=frozenset({"cancel_event"}))
    desk.say(CHANGE)
    desk.judged("right")
    desk.tell(e.ConfirmationAsked("act_1", CANCEL))
    desk.wait(LINE_MS)
    for _ in range(3):
        desk.give("right")
        desk.wait(2 * LINE_MS)
    assert desk.verdicts() == []
    assert desk.spoken()[-3:] == ["new_changed", "question.cancel_event", "keys"]


def test_a_proposal_whose_turn_comes_meanwhile_waits_too() -> None:
    desk = Caller(Trust(), pin_change=True)
    desk.opened()
    desk.asked()
    desk.tell(e.ConfirmationAsked("act_2", MOVE))
    desk.press("2")
    desk.tell(e.PinChangeWanted())
    desk.judged("right")
    desk.wait(5_000)
    assert "question.update_event" not in desk.spoken()
    desk.press("#")
    assert desk.spoken()[-2:] == ["question.update_event", "keys"]


def test_a_session_that_is_lost_meanwhile_is_no_reason_to_stop() -> None:
    desk = begun(BY_CODE, "right")
    desk.give("right")
    desk.tell(e.SessionClosed("lost"))
    desk.wait(1_000)
    desk.tell(e.SessionOpened("hub_2"))
    assert desk.call.phase is Phase.TALKING
    desk.give("right")
    desk.give("right")
    assert desk.spoken()[-1] == "new_changed"


@pytest.mark.parametrize("end", [e.LegClosed(), e.EndRequested("drain"), e.SessionClosed("ended")])
def test_the_call_s_end_leaves_the_old_pin(end: e.Event) -> None:
    desk = begun(BY_CODE, "right")
    desk.give("right")
    desk.press("482913#")
    desk.tell(end)
    desk.judged("right")
    desk.wait(20_000)
    assert desk.ended
    assert [judge.wanted for judge in desk.of(c.JudgePin)] == ["look", "pin", "new"]
    assert len(desk.of(c.ForgetPin)) == 2


def test_words_that_come_late_stop_nothing() -> None:
    desk = caller(BY_CODE)
    desk.say(CHANGE)
    desk.judged("right")
    desk.wait(500)
    desk.done.clear()
    desk.tell(e.CallerSaid("please", final=False), e.CallerSaid("please"))
    assert desk.of(c.Flush) == []


def test_whoever_takes_the_telephone_over_has_given_no_pin() -> None:
    desk = begun(BY_CODE, "right")
    desk.give("right")
    desk.tell(e.ConfirmationAsked("act_1", CANCEL), e.CallerChanged())
    assert desk.of(c.ForgetProofs) == [c.ForgetProofs()]
    desk.wait(LINE_MS)
    assert desk.spoken()[-1] == "pin_ask", "what waited is asked of whoever has come"
    desk.press("#")
    desk.wait(5_000)
    desk.done.clear()
    desk.say(CHANGE)
    desk.judged("right")
    assert desk.spoken() == ["pin_old"]

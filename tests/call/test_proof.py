from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call import receipt as r
from phone_bridge.call.proof import doubts, tell
from tests.call.sample_receipt import BEGAN, CALL_ID, PARAMETERS, answered, asked, sample


def by_key(**changes: Any) -> r.Receipt:
    return sample(answer=answered(by="digit", said="1"), **changes)


GOOD = [
    sample(),
    by_key(),
    by_key(question=asked(heard_ms=1)),
    sample(question=asked(asked_at=None)),
    sample(question=asked(heard_ms=4_211)),
    sample(outcome=r.Outcome.of("", None)),
    sample(caller=r.Caller.of(None, CALL_ID)),
]


@pytest.mark.parametrize("receipt", GOOD)
def test_a_question_that_was_heard_and_answered_with_yes_leaves_no_doubt(receipt: r.Receipt) -> None:
    assert doubts(receipt) == []


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        (sample(version=3), "version"),
        (sample(id="call_1"), "rcp_"),
        (sample(question=asked(heard_ms=4_209)), "only 4209 of 4210 ms"),
        (sample(question=asked(ms=0)), "what the caller was asked"),
        (sample(question=asked(text=" ")), "what the caller was asked"),
        (by_key(question=asked(text="")), "what the caller was asked"),
        (by_key(question=asked(heard_ms=0)), "before anything of the question was heard"),
        (sample(answer=answered(said="")), "which words"),
        (sample(answer=answered(by="digit", said="2")), "only '1' is a yes"),
        (sample(answer=answered(by="digit", said="")), "only '1' is a yes"),
        (sample(answer=answered(by="none", said="")), "nobody was asked"),
        (sample(question=asked(asked_at=r.moment(BEGAN, 21_513))), "before the question was asked"),
        (sample(question=asked(asked_at="yesterday")), "no time"),
        (sample(answer=answered(answered_at="2026-11-21T10:00:21.512+01:00")), "no time"),
        (sample(answer=answered(answered_at="2026-11-21T10:00:21.512")), "no time"),
        (sample(issued_at=""), "no time"),
        (sample(outcome=r.Outcome(status="unknown", result_sha256="0" * 64)), "not known"),
        (sample(action=msgspec.structs.replace(sample().action, name="create_event")), "hash"),
        (sample(action=msgspec.structs.replace(sample().action, parameters={**PARAMETERS, "x": 1})), "hash"),
    ],
)
def test_what_does_not_hold_together_is_said(receipt: r.Receipt, reason: str) -> None:
    (doubt,) = doubts(receipt)
    assert reason in doubt


def test_all_doubts_are_said_at_once() -> None:
    assert len(doubts(sample(version=3, question=asked(heard_ms=0), answer=answered(said="")))) == 3


def test_a_receipt_says_who_the_caller_was_from_its_second_version_on() -> None:
    first = sample(version=1, trust=msgspec.UNSET)
    assert doubts(first) == []
    assert b"trust" not in first.signed_bytes()
    assert r.Receipt.parse(r.canonical(first)) == first
    assert len(doubts(sample(version=1))) == 1
    assert len(doubts(sample(trust=msgspec.UNSET))) == 1
    assert len(doubts(sample(trust="a friend"))) == 1


# In words


def test_a_receipt_is_told_in_words() -> None:
    assert tell(sample()).splitlines() == [
        f"Receipt {sample().id}, revision 1, issued 2026-11-21T10:00:22.100Z",
        "  In call call_6b1f0c (the carrier's CA0123) for usr_demo_alice, a caller whose number ends in 43"
        ", known by their number",
        "  was asked at 2026-11-21T10:00:15.300Z, and heard 4210 of 4210 ms of:"
        " I am about to cancel Dentist, on Tuesday at 3 p.m.",
        "  and at 2026-11-21T10:00:21.512Z said: Yes, go ahead.",
        "  consenting to: cancel_event"
        ' {"event_id":"evt_dentist","hours":[1,2.5,null],"reason":"Zahn heilt von selbst, süß"}',
        f"  with the SHA-256 {sample().action.sha256}",
        f"  Outcome: executed, result {sample().outcome.result_sha256}",
    ]


def test_what_is_not_known_is_left_out() -> None:
    receipt = by_key(
        question=asked(asked_at=None),
        trust="unknown",
        caller=r.Caller.of(None, CALL_ID),
        outcome=r.Outcome.of("", None),
    )
    told = tell(receipt)
    assert ", a caller, not known by their number\n  was asked, and heard" in told
    assert "pressed the key: 1\n" in told
    assert told.endswith("Outcome: unknown")


def test_who_was_not_asked_is_not_said_to_have_consented() -> None:
    told = tell(sample(answer=answered(by="none", said=""), question=asked(text="", ms=0, heard_ms=0)))
    assert "was not asked" in told
    assert "standing preference" in told
    assert "cancel_event" in told
    assert "consenting" not in told
    assert "heard" not in told


@given(words=st.text())
def test_nobodys_words_move_the_cursor_of_who_reads_them(words: str) -> None:
    told = tell(sample(answer=answered(said=words), question=asked(text=words), user_id=words))
    assert len(told.split("\n")) == 7
    assert told.replace("\n", "").isprintable()

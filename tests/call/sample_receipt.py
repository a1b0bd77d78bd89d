"""One receipt as it should be: a spoken yes to cancelling a meeting, heard to its end."""

from typing import Any

import msgspec

from phone_bridge.call import receipt as r

CALL_ID = "call_6b1f0c"
NUMBER = "+12025550143"
PARAMETERS: dict[str, Any] = {
    "event_id": "evt_dentist",
    "reason": "Zahn heilt von selbst, süß",
    "hours": [1, 2.5, None],
}
BEGAN = "2026-11-21T10:00:00.000Z"


def sample(**changes: Any) -> r.Receipt:
    """Make the receipt, unsigned, with some of its parts changed."""
    digest = r.action_sha256("cancel_event", PARAMETERS)
    made = r.Receipt(
        version=r.VERSION,
        revision=1,
        key_id="",
        signature="",
        id=r.receipt_id(CALL_ID, "act_1", 21_512),
        issued_at="2026-11-21T10:00:22.100Z",
        user_id="usr_demo_alice",
        caller=r.Caller.of(NUMBER, CALL_ID),
        trust="known",
        call=r.OfCall(id=CALL_ID, carrier_id="CA0123"),
        action=r.Deed(id="act_1", name="cancel_event", parameters=PARAMETERS, sha256=digest),
        question=r.Asking(
            text="I am about to cancel Dentist, on Tuesday at 3 p.m.",
            ms=4_210,
            heard_ms=4_210,
            asked_at=r.moment(BEGAN, 15_300),
        ),
        answer=r.Reply(by="speech", said="Yes, go ahead.", answered_at=r.moment(BEGAN, 21_512)),
        outcome=r.Outcome.of("executed", {"ok": True}),
    )
    return msgspec.structs.replace(made, **changes)


def asked(**changes: Any) -> r.Asking:
    return msgspec.structs.replace(sample().question, **changes)


def answered(**changes: Any) -> r.Reply:
    return msgspec.structs.replace(sample().answer, **changes)

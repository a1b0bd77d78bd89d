"""What counts as a call that went as a call should."""

from typing import Any

import pytest

from phone_bridge.simulator.faults import Code, Fault
from phone_bridge.simulator.result import CallResult, Record


def result(**changes: Any) -> CallResult:
    return CallResult(**{"call_sid": "CA1", "status": "completed", "ended_by": "caller", **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"faults": (Fault(Code.STREAM_CLOSED, "closed", blames=False),)},
        {"record": Record(id="call_1", status="completed")},
    ],
)
def test_a_call_without_reasons_went_well(changes: dict[str, Any]) -> None:
    assert result(**changes).ok


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "busy"}, "the carrier ended the call as busy"),
        ({"faults": (Fault(Code.SCHEMA, "<say>"),)}, "Twilio error 12200: <say>"),
        ({"complaints": ("nothing was heard",)}, "nothing was heard"),
        ({"undone": ("press 1",)}, "the call ended before: press 1"),
        ({"record_error": "no record"}, "no record"),
        ({"record": Record(id="call_1", status="failed")}, "the bridge says that the call is failed"),
        ({"record": Record(id="call_1")}, "the bridge says that the call is of no status"),
        ({"record": Record(id="call_1", status="completed", error="lost")}, "the bridge reports an error: lost"),
    ],
)
def test_every_reason_is_a_sentence(changes: dict[str, Any], reason: str) -> None:
    assert result(**changes).reasons == (reason,)
    assert not result(**changes).ok

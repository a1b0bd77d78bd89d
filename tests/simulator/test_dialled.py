"""Whoever a ``<Dial>`` rings, and queues, in virtual time."""

import msgspec
import pytest

from phone_bridge.simulator.carrier_call import CallPlan
from phone_bridge.simulator.dialled import MANNERS, Dialled, of_manner, of_status
from phone_bridge.simulator.script import HangUp, Wait
from tests.simulator.test_carrier_call import PLAN, Application, call

DIAL = '<Dial action="dialled"><Number url="whisper">+15550100</Number></Dial><Say>never</Say>'
TOLD = '<Gather action="key" numDigits="1" timeout="5"><Say>a call for you</Say></Gather><Hangup/>'


def with_callee(who: Dialled) -> CallPlan:
    return msgspec.structs.replace(PLAN, dialled={"+15550100": who})


def key(form: dict[str, str]) -> str:
    return "" if form["Digits"] == "1" else "<Hangup/>"


@pytest.mark.parametrize(
    ("manner", "status", "bridged", "asked"),
    [
        ("accept", "completed", "true", True),
        ("refuse", "completed", "false", True),
        ("silent", "completed", "false", True),
        ("busy", "busy", "false", False),
        ("no-answer", "no-answer", "false", False),
        ("failed", "failed", "false", False),
    ],
)
def test_whoever_is_rung_does_what_they_do(manner: str, status: str, bridged: str, asked: bool) -> None:
    application = Application(voice=DIAL, whisper=TOLD, key=key, dialled="<Hangup/>")
    result = call(application, plan=with_callee(of_manner(manner)))
    form = application.form("/twilio/dialled")
    assert (form["DialCallStatus"], form["DialBridged"]) == (status, bridged)
    assert ("/twilio/whisper" in application.paths()) is asked
    assert (result.dialled, result.verbs) == (("+15550100",), ("Dial", "Hangup"))
    if asked:
        told = application.form("/twilio/whisper")
        assert (told["ParentCallSid"], told["Direction"]) == (result.call_sid, "outbound-dial")
        assert (told["To"], told["CallSid"] == result.call_sid) == ("+15550100", False)
        assert "ParentCallSid" not in application.form("/twilio/voice")


def test_a_document_that_fails_connects_nobody() -> None:
    application = Application(voice=DIAL, whisper="<Response", dialled="<Hangup/>")
    call(application, plan=with_callee(Dialled()))
    assert application.form("/twilio/dialled")["DialBridged"] == "false"


def test_it_rings_for_its_time_and_stops_when_the_caller_hangs_up() -> None:
    application = Application(voice=DIAL, whisper=TOLD, key=key, dialled="<Hangup/>")
    result = call(application, Wait(2_000), HangUp(), plan=with_callee(Dialled(ring_s=60)))
    form = application.form("/twilio/dialled")
    assert (form["DialCallStatus"], form["CallStatus"], result.ended_by) == ("canceled", "completed", "caller")
    assert "/twilio/whisper" not in application.paths()
    rings = Application(voice=DIAL, dialled="<Hangup/>")
    assert call(rings, plan=with_callee(Dialled(does="no-answer", ring_s=25))).duration_ms >= 25_000


QUEUE = '<Enqueue action="queued" waitUrl="wait">sales</Enqueue>'


@pytest.mark.parametrize(("queue_s", "result"), [(0.0, "bridged"), (3.0, "bridged"), (None, "leave")])
def test_a_caller_waits_in_a_queue_until_somebody_comes_or_it_lets_them_go(queue_s: float | None, result: str) -> None:
    application = Application(voice=QUEUE, wait='<Say>wait</Say><Pause length="10"/><Leave/>', queued="<Hangup/>")
    ended = call(application, plan=msgspec.structs.replace(PLAN, queue_s=queue_s))
    assert application.form("/twilio/queued")["QueueResult"] == result
    assert ended.dialled == ("queue:sales",)
    assert ended.duration_ms // 1000 >= (10 if queue_s is None else queue_s)


def test_a_queue_whose_document_ends_plays_it_again() -> None:
    application = Application(voice=QUEUE, wait="<Say>wait</Say>", queued="<Hangup/>")
    call(application, plan=msgspec.structs.replace(PLAN, queue_s=5.0))
    assert application.paths().count("/twilio/wait") > 1


def test_what_somebody_does_is_named() -> None:
    assert [of_status(status).does for status in ("busy", "completed", "canceled")] == ["busy", "answer", "canceled"]
    assert {of_manner(word).does for word in MANNERS} == {"answer", "busy", "no-answer", "failed"}
    with pytest.raises(ValueError, match="is none of accept, refuse"):
        of_manner("sulk")

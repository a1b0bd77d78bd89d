"""Twilio's debugger entries as values."""

from phone_bridge.errors import RemoteError
from phone_bridge.simulator.faults import CarrierRefused, Code, Fault


def test_a_fault_reads_as_a_sentence_with_twilios_number() -> None:
    assert str(Fault(Code.CONTENT_TYPE, "no content type")) == "Twilio error 12300: no content type"


def test_a_refusal_is_a_remote_error_with_a_stable_code() -> None:
    refusal = CarrierRefused(Fault(Code.XML_PARSE, "no XML"))
    assert isinstance(refusal, RemoteError)
    assert refusal.code == "twilio_12100"
    assert refusal.fault.code == 12100

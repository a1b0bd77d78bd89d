"""Where a call stands in its TwiML."""

import pytest

from phone_bridge.exchange import Response
from phone_bridge.simulator import verbs
from phone_bridge.simulator.faults import CarrierRefused
from phone_bridge.simulator.twiml_player import REQUESTS_MAX, Fetch, TwimlPlayer
from phone_bridge.simulator.virtual import document


def player(inner: str = "", url: str = "https://a.test/calls/voice") -> TwimlPlayer:
    machine = TwimlPlayer()
    machine.begin(url)
    machine.read(document(f"<Response>{inner}</Response>"))
    return machine


def test_the_first_document_is_asked_for_by_post() -> None:
    assert TwimlPlayer().begin("https://a.test/voice") == Fetch("https://a.test/voice", "POST", {})


def test_a_fragment_with_connection_overrides_is_no_part_of_the_address() -> None:
    assert TwimlPlayer().begin("https://a.test/voice#rc=2").url == "https://a.test/voice"


def test_verbs_are_followed_in_order_to_the_end() -> None:
    machine = player("<Say>a</Say><Pause/>")
    assert machine.next() == verbs.Say("a")
    assert machine.next() == verbs.Pause()
    assert machine.next() is None
    assert machine.followed == ["Say", "Pause"]


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("next", "https://a.test/calls/next"),
        ("/next?a=b", "https://a.test/next?a=b"),
        ("https://b.test/", "https://b.test/"),
        ("", "https://a.test/calls/voice"),
    ],
)
def test_addresses_are_relative_to_the_document(reference: str, url: str) -> None:
    assert player().after(verbs.Redirect(reference), {}) == Fetch(url, "POST", {})


def test_a_verb_with_an_action_leads_to_it_with_what_it_has_to_tell() -> None:
    fetch = player().after(verbs.Gather(action="keys", method="GET"), {"Digits": "1"})
    assert fetch == Fetch("https://a.test/calls/keys", "GET", {"Digits": "1"})


def test_a_gather_without_an_action_asks_for_the_same_document() -> None:
    assert player().after(verbs.Gather(), {"Digits": "1"}) == Fetch(
        "https://a.test/calls/voice", "POST", {"Digits": "1"}
    )


def test_a_connect_without_an_action_lets_the_document_go_on() -> None:
    assert player().after(verbs.ConnectStream(url="wss://a.test"), {}) is None


def test_warnings_come_with_the_document() -> None:
    machine = TwimlPlayer()
    machine.begin("https://a.test/")
    (fault,) = machine.read(document("<Response><say>a</say></Response>"))
    assert fault.code == 12200


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response(status=403, headers={"content-type": "text/xml"}, body=b"<Response/>"), 11217),
        (Response(status=500), 11217),
        (Response(status=200, body=b"<Response/>"), 12300),
        (Response(status=200, headers={"content-type": "application/json"}, body=b"{}"), 12300),
        (Response(status=200, headers={"content-type": "text/plain"}, body=b"hello"), 12300),
        (Response(status=200, headers={"content-type": "text/xml"}, body=b"not found"), 12100),
        (Response(status=200, headers={"content-type": "text/xml"}, body=b"<Reply/>"), 12102),
    ],
)
def test_an_answer_that_is_no_twiml_is_refused_by_twilios_number(response: Response, code: int) -> None:
    machine = TwimlPlayer()
    machine.begin("https://a.test/")
    with pytest.raises(CarrierRefused) as refusal:
        machine.read(response)
    assert refusal.value.fault.code == code


@pytest.mark.parametrize("label", ["text/xml", "application/xml; charset=utf-8", "Text/XML"])
def test_both_xml_types_are_taken(label: str) -> None:
    machine = TwimlPlayer()
    machine.begin("https://a.test/")
    assert machine.read(Response(status=200, headers={"content-type": label}, body=b"<Response/>")) == ()


def test_a_new_document_replaces_what_was_left_of_the_old() -> None:
    machine = player("<Say>a</Say><Say>b</Say>")
    machine.next()
    machine.read(document("<Response><Hangup/></Response>"))
    assert machine.next() == verbs.Hangup()


def test_an_announcement_replaces_it_too() -> None:
    machine = player("<Say>a</Say><Say>b</Say>")
    machine.announce("sorry")
    assert [machine.next(), machine.next()] == [verbs.Say("sorry"), None]


def test_going_round_in_circles_comes_to_an_end() -> None:
    machine = player()
    for _ in range(REQUESTS_MAX - 1):
        machine.after(verbs.Redirect(""), {})
    with pytest.raises(CarrierRefused) as refusal:
        machine.after(verbs.Redirect(""), {})
    assert refusal.value.fault.code == 11215

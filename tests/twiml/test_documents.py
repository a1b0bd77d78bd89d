from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twiml
from phone_bridge.legs.twilio import admission
from twiml.documents import MAX_PARAMETER_CHARS, MAX_SAY_CHARS

STREAM = "wss://bridge.example.com/twilio/media"
ACTION = "https://bridge.example.com/twilio/connect?a=1&b=<2>"
CALLBACK = "https://bridge.example.com/twilio/stream"


def verbs(document: str) -> list[ET.Element]:
    assert document.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    root = ET.fromstring(document)  # noqa: S314  # our own document
    assert root.tag == "Response"
    return list(root)


def test_a_stream_is_connected_with_its_token_and_its_action() -> None:
    (connect,) = verbs(twiml.connect_stream(STREAM, ACTION, "a.b.c", CALLBACK, {"route": 'é"<&'}))
    assert (connect.tag, connect.attrib) == ("Connect", {"action": ACTION, "method": "POST"})
    (stream,) = connect
    assert (stream.tag, stream.attrib) == ("Stream", {"url": STREAM, "statusCallback": CALLBACK})
    assert [(noun.tag, noun.attrib) for noun in stream] == [
        ("Parameter", {"name": "route", "value": 'é"<&'}),
        ("Parameter", {"name": "token", "value": "a.b.c"}),
    ]


def test_a_stream_needs_no_callback_and_no_parameters_beside_its_token() -> None:
    ((stream,),) = verbs(twiml.connect_stream(STREAM, ACTION, "a.b.c"))
    assert stream.attrib == {"url": STREAM}
    assert len(stream) == 1


def test_no_parameter_can_take_the_tokens_place() -> None:
    ((stream,),) = verbs(twiml.connect_stream(STREAM, ACTION, "a.b.c", parameters={"token": "other"}))
    assert [noun.attrib for noun in stream] == [{"name": admission.TOKEN_PARAMETER, "value": "a.b.c"}]


def test_a_parameter_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert MAX_PARAMETER_CHARS == admission.MAX_PARAMETER_CHARS
    assert twiml.connect_stream(STREAM, ACTION, "x" * (MAX_PARAMETER_CHARS - len("token") - 1))
    with pytest.raises(ValueError, match="token has 500"):
        twiml.connect_stream(STREAM, ACTION, "x" * (MAX_PARAMETER_CHARS - len("token")))


def test_a_stream_url_with_a_query_is_refused() -> None:
    with pytest.raises(ValueError, match="query"):
        twiml.connect_stream(STREAM + "?token=1", ACTION, "a.b.c")


def test_an_apology_is_said_before_the_call_ends() -> None:
    say, hangup = verbs(twiml.apologise_and_hang_up("Sorry. <b>Tom & Zoë</b>", "en-US"))
    assert (say.tag, say.attrib, say.text) == ("Say", {"language": "en-US"}, "Sorry. <b>Tom & Zoë</b>")
    assert (hangup.tag, hangup.attrib, len(hangup)) == ("Hangup", {}, 0)


def test_an_apology_may_be_as_long_as_the_limit_and_is_cut_beyond_it() -> None:
    say, _ = verbs(twiml.apologise_and_hang_up("&" * (MAX_SAY_CHARS + 1), "en-US"))
    assert say.text == "&" * MAX_SAY_CHARS


@given(st.text(st.characters(exclude_characters="\r")))
def test_any_text_at_all_makes_a_document(text: str) -> None:
    say, _ = verbs(twiml.apologise_and_hang_up(text, "en-US"))
    assert len(say.text or "") == len(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_readable_text_comes_through_unchanged(text: str) -> None:
    say, _ = verbs(twiml.apologise_and_hang_up(text, "en-US"))
    assert (say.text or "") == text


def test_hanging_up_is_one_verb() -> None:
    assert [verb.tag for verb in verbs(twiml.hang_up())] == ["Hangup"]


def test_a_call_is_turned_away_as_rejected_or_as_busy() -> None:
    assert [verb.attrib for verb in verbs(twiml.reject())] == [{"reason": "rejected"}]
    assert [verb.attrib for verb in verbs(twiml.reject("busy"))] == [{"reason": "busy"}]

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twiml
from phone_bridge.legs.twilio import admission
from twiml.documents import (
    DIAL_SECONDS,
    GREETING_QUIET_SECONDS,
    MAX_PARAMETER_CHARS,
    MAX_SAY_CHARS,
    MESSAGE_QUIET_SECONDS,
    MESSAGE_SECONDS,
)

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


def test_a_call_is_moved_on_after_a_pause() -> None:
    pause, redirect = verbs(twiml.move_on(ACTION, 2))
    assert (pause.tag, pause.attrib) == ("Pause", {"length": "2"})
    assert (redirect.tag, redirect.attrib, redirect.text) == ("Redirect", {"method": "POST"}, ACTION)


def test_a_caller_is_told_and_then_put_through() -> None:
    say, dial = verbs(twiml.transfer("One moment.", "en-US", "+493012345", ACTION, "+12025550100"))
    assert (say.attrib, say.text) == ({"language": "en-US"}, "One moment.")
    assert dial.attrib == {
        "action": ACTION,
        "method": "POST",
        "timeout": str(DIAL_SECONDS),
        "callerId": "+12025550100",
    }
    assert [(noun.tag, noun.text) for noun in dial] == [("Number", "+493012345")]


def test_without_words_and_without_a_number_of_ours_a_caller_is_just_put_through() -> None:
    (dial,) = verbs(twiml.transfer("", "en-US", "+493012345", ACTION))
    assert "callerId" not in dial.attrib


def test_a_message_is_taken_after_a_beep_and_never_transcribed() -> None:
    say, record, thanks, hangup = verbs(twiml.take_message("Speak.", "en-US", ACTION, "Thanks."))
    assert record.attrib == {
        "action": ACTION,
        "method": "POST",
        "maxLength": str(MESSAGE_SECONDS),
        "timeout": str(MESSAGE_QUIET_SECONDS),
        "finishOnKey": "#",
        "playBeep": "true",
        "transcribe": "false",
    }
    assert [each.tag for each in (say, record, thanks, hangup)] == ["Say", "Record", "Say", "Hangup"]
    assert (say.text, thanks.text) == ("Speak.", "Thanks.")


@given(st.text(), st.text(), st.text())
def test_nothing_that_is_put_into_a_document_becomes_markup(text: str, number: str, url: str) -> None:
    """Whatever comes from outside stays text or an attribute's value: the elements are always the same."""
    documents = (
        (twiml.move_on(url, 1), ["Pause", "Redirect"]),
        (twiml.transfer(f".{text}", "en-US", number, url, number), ["Say", "Dial"]),
        (twiml.take_message(f".{text}", "en-US", url, f".{text}"), ["Say", "Record", "Say", "Hangup"]),
    )
    for document, tags in documents:
        found = verbs(document)
        assert [each.tag for each in found] == tags
        assert [child.tag for each in found for child in each] == (["Number"] if "Dial" in tags else [])


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_an_address_comes_through_unchanged(url: str) -> None:
    _, redirect = verbs(twiml.move_on(url, 1))
    (dial,) = verbs(twiml.transfer("", "en-US", "+493012345", url))
    assert (redirect.text or "", dial.get("action")) == (url, url)


def test_hanging_up_is_one_verb() -> None:
    assert [verb.tag for verb in verbs(twiml.hang_up())] == ["Hangup"]


def test_a_message_is_left_a_moment_after_the_beep() -> None:
    assert twiml.leave_message("Call us & hurry.", "en-US") == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Pause length="1" />'
        '<Say language="en-US">Call us &amp; hurry.</Say><Hangup /></Response>'
    )


def test_a_greeting_is_listened_to_until_it_is_over_and_never_recorded() -> None:
    gather, say, hang_up = verbs(
        twiml.outwait_greeting("Call us.", "en-US", "https://bridge.test/voice?call=c&after=g")
    )
    assert (gather.tag, say.text, hang_up.tag) == ("Gather", "Call us.", "Hangup")
    assert gather.attrib == {
        "input": "speech",
        "action": "https://bridge.test/voice?call=c&after=g",
        "method": "POST",
        "timeout": str(GREETING_QUIET_SECONDS),
        "speechTimeout": str(GREETING_QUIET_SECONDS),
        "language": "en-US",
    }


def test_keys_are_pressed_before_the_stream_goes_on() -> None:
    document = twiml.press_keys("1w2#", "wss://bridge.test/media", "https://bridge.test/connect?part=1", "token")
    assert document.startswith('<?xml version="1.0" encoding="UTF-8"?><Response><Play digits="1w2#" /><Connect ')
    assert document.count("<Response>") == document.count("</Response>") == 1
    assert '<Stream url="wss://bridge.test/media">' in document


def test_a_sip_address_is_rung_as_one() -> None:
    (dial,) = verbs(twiml.transfer("", "en-US", "sip:desk@pbx.example", ACTION, whisper_url=CALLBACK))
    assert [(noun.tag, noun.text, noun.get("url")) for noun in dial] == [("Sip", "sip:desk@pbx.example", CALLBACK)]

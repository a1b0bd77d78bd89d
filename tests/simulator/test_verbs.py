"""TwiML read as Twilio reads it: case-sensitive, with warnings for what is not in its schema."""

import pytest
from twilio.twiml.voice_response import Connect, Dial, VoiceResponse  # type: ignore[import-untyped]  # ships none

from phone_bridge.simulator import verbs
from phone_bridge.simulator.faults import CarrierRefused
from phone_bridge.simulator.verbs import DOCUMENT_BYTES, FOR_EVER, PARAMETER_CHARACTERS, Verb, parse


def read(inner: str) -> tuple[Verb, ...]:
    document = parse(f"<Response>{inner}</Response>".encode())
    assert document.faults == ()
    return document.verbs


def warnings(inner: str) -> list[str]:
    faults = parse(f"<Response>{inner}</Response>".encode()).faults
    assert {fault.code for fault in faults} <= {12200}
    return [fault.message for fault in faults]


@pytest.mark.parametrize(
    ("inner", "verb"),
    [
        ("<Say>Hello  there</Say>", verbs.Say("Hello there")),
        ('<Say language="de-DE" loop="2">Tag</Say>', verbs.Say("Tag", "de-DE", 2)),
        ('<Say loop="0">for ever</Say>', verbs.Say("for ever", loop=FOR_EVER)),
        ('<Play digits="1w2#"/>', verbs.Play("1w2#")),
        ("<Play>https://a.test/x.wav</Play>", verbs.Unsupported("<Play> of a file")),
        ("<Pause/>", verbs.Pause(1)),
        ('<Pause length="3"/>', verbs.Pause(3)),
        ("<Redirect>/next</Redirect>", verbs.Redirect("/next")),
        ('<Redirect method="GET">/next</Redirect>', verbs.Redirect("/next", "GET")),
        ("<Hangup/>", verbs.Hangup()),
        ("<Reject/>", verbs.Reject()),
        ('<Reject reason="busy"/>', verbs.Reject("busy")),
        ("<Dial>+15550100</Dial>", verbs.Dial(targets=("+15550100",))),
        ("<Record/>", verbs.Record()),
        (
            '<Record action="/kept" method="GET" timeout="6" finishOnKey="#" maxLength="120" playBeep="false"/>',
            verbs.Record(
                action="/kept", method="GET", timeout_s=6, finish_on_key="#", max_length_s=120, play_beep=False
            ),
        ),
        ("<Refer/>", verbs.Unsupported("<Refer>")),
        ("<Connect><Stream url='wss://a.test/m'/></Connect>", verbs.ConnectStream(url="wss://a.test/m")),
    ],
)
def test_each_verb_is_read(inner: str, verb: Verb) -> None:
    assert read(inner) == (verb,)


def test_gather_holds_its_prompts_and_its_rules() -> None:
    (gather,) = read(
        '<Gather action="/keys" method="GET" timeout="7" finishOnKey="" numDigits="1" actionOnEmptyResult="true">'
        "<Say>One or two?</Say><Pause/></Gather>"
    )
    assert gather == verbs.Gather(
        prompts=(verbs.Say("One or two?"), verbs.Pause(1)),
        action="/keys",
        method="GET",
        timeout_s=7,
        finish_on_key="",
        num_digits=1,
        action_on_empty=True,
    )


@pytest.mark.parametrize(
    ("attributes", "keys", "quiet"),
    [
        ('input="speech" timeout="4"', False, 4),
        ('input="speech" speechTimeout="3"', False, 3),
        ('input="dtmf speech" speechTimeout="auto"', True, 1),
        ('input="speech dtmf" speechTimeout="auto"', True, 1),
        ('input="dtmf" speechTimeout="3"', True, None),
    ],
)
def test_gather_listens_for_what_it_is_told(attributes: str, keys: bool, quiet: int | None) -> None:
    (gather,) = read(f"<Gather {attributes}/>")
    assert isinstance(gather, verbs.Gather)
    assert (gather.keys, gather.speech_timeout_s) == (keys, quiet)


def test_what_the_official_library_builds_is_read_without_a_warning() -> None:
    response = VoiceResponse()
    connect = Connect(action="/twilio/connect", method="POST")
    stream = connect.stream(url="wss://a.test/m", name="n", track="inbound_track", status_callback="https://a.test/s")
    stream.parameter(name="token", value="a&b<c>")
    response.append(connect)
    dial = Dial(action="/dialled", caller_id="+15550111", timeout=5)
    dial.number("+15550100")
    dial.sip("sip:bob@a.test")
    response.append(dial)
    response.gather(num_digits=1, hints="yes, no").say("Press one.", voice="Polly.Amy")
    document = parse(str(response).encode())
    assert document.faults == ()
    assert document.verbs == (
        verbs.ConnectStream(
            url="wss://a.test/m",
            name="n",
            status_callback="https://a.test/s",
            parameters={"token": "a&b<c>"},
            action="/twilio/connect",
        ),
        verbs.Dial(targets=("+15550100", "sip:bob@a.test"), action="/dialled"),
        verbs.Gather(prompts=(verbs.Say("Press one."),), num_digits=1),
    )


@pytest.mark.parametrize(
    ("inner", "warning"),
    [
        ("<say>hello</say>", "<say> is no verb"),
        ("<Speak>hello</Speak>", "<Speak> is no verb"),
        ('<Say volume="11">hello</Say>', "the attribute 'volume' is not allowed to appear in <Say>"),
        ("<Say><Pause/></Say>", "<Pause> is not allowed to appear in <Say>"),
        ("<Connect><Stream url='wss://a/m' statusCallbackEvent='x'/></Connect>", "'statusCallbackEvent'"),
        ('<Pause length="long"/>', "length='long' of <Pause> is no whole number"),
        ('<Redirect method="PUT">/</Redirect>', "method='PUT' of <Redirect> is none of POST, GET"),
        ('<Reject reason="rude"/>', "reason='rude' of <Reject> is none of rejected, busy"),
        ('<Play digits="1,2"/>', "digits='1,2' of <Play> cannot be played"),
    ],
)
def test_what_is_not_in_the_schema_is_warned_of(inner: str, warning: str) -> None:
    (message,) = warnings(inner)
    assert warning in message


def test_a_misspelt_verb_is_skipped_and_the_rest_is_followed() -> None:
    document = parse(b"<Response><say>a</say><Hangup/></Response>")
    assert document.verbs == (verbs.Hangup(),)


@pytest.mark.parametrize(("extra", "warned"), [(-1, False), (0, True)])
def test_a_parameter_must_stay_below_the_limit(extra: int, warned: bool) -> None:
    value = "v" * (PARAMETER_CHARACTERS - len("token") + extra)
    stream = f"<Connect><Stream url='wss://a/m'><Parameter name='token' value='{value}'/></Stream></Connect>"
    assert bool(warnings(stream)) is warned


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 12100),
        (b"hello", 12100),
        (b"<Response>", 12100),
        (b"\n<?xml version='1.0'?><Response/>", 12100),
        (b"<html/>", 12102),
        (b"<response/>", 12102),
        (b"<Response>" + b" " * DOCUMENT_BYTES + b"</Response>", 11750),
    ],
    ids=["empty", "text", "unclosed", "leading line", "html", "lower case", "too large"],
)
def test_a_document_that_cannot_be_read_is_refused_by_twilios_number(body: bytes, code: int) -> None:
    with pytest.raises(CarrierRefused) as refusal:
        parse(body)
    assert refusal.value.fault.code == code


def test_the_largest_document_is_read() -> None:
    empty = b"<Response></Response>"
    body = empty.replace(b"><", b">" + b" " * (DOCUMENT_BYTES - len(empty)) + b"<")
    assert parse(body).verbs == ()


def test_connect_without_a_stream_cannot_be_followed() -> None:
    assert parse(b"<Response><Connect><Room>a</Room></Connect></Response>").verbs == (
        verbs.Unsupported("<Connect> without <Stream>"),
    )
    assert parse(b"<Response><Connect/></Response>").verbs == ()


def test_a_gather_of_anything_else_is_warned_of() -> None:
    (fault,) = verbs.parse(b'<Response><Gather input="telepathy"/></Response>').faults
    assert "input='telepathy' of <Gather> is none of dtmf, speech, dtmf speech, speech dtmf" in str(fault)

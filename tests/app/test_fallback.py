"""What callers get whom the assistant cannot serve, over the loopback and as values."""

import logging
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from phone_bridge.app.fallback import fall_back, own_number
from phone_bridge.call.events import Event
from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.legs.twilio.webhook import ConnectEnded
from phone_bridge.settings import Settings
from phone_bridge.simulator.verbs import Dial, Hangup, Record, Say, Verb
from tests.app.premises import PUBLIC, Premises, call_form, document, lose_database, play
from tests.runtime.pumping import FRAME
from tests.runtime.serving import until

PERSON = "+493012345"
RECORDING = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"


def ended(**more: Any) -> ConnectEnded:
    return ConnectEnded(
        **{"call_sid": "CA1", "account_sid": "AC1", "status": "in_progress", "to": "+12025550100", **more}
    )


def elements(text: str) -> list[Xml.Element]:
    return list(Xml.fromstring(text))  # noqa: S314 - our own document


# Documents


@pytest.mark.parametrize("apology", ["", "apology_busy", "apology_unavailable"])
def test_without_a_fallback_the_call_ends_after_an_apology_that_was_not_heard_yet(apology: str) -> None:
    tags = [each.tag for each in elements(fall_back(Settings(), ended(), apology))]
    assert tags == (["Say", "Hangup"] if apology else ["Hangup"])


@pytest.mark.parametrize("apology", ["", "apology_busy"])
def test_a_caller_is_put_through_from_the_number_that_was_dialled(apology: str) -> None:
    settings = Settings(fallback=f"transfer:{PERSON}", public_url=PUBLIC)
    say, dial = elements(fall_back(settings, ended(), apology))
    assert say.text is not None
    assert say.text.startswith("I am sorry") is bool(apology)
    assert say.text.endswith("I am connecting you.")
    assert (dial.get("callerId"), dial.get("action")) == ("+12025550100", f"{PUBLIC}/twilio/connect?after=dial")
    assert [(each.tag, each.text) for each in dial] == [("Number", PERSON)]


def test_the_bridges_own_number_is_shown_where_it_is_known() -> None:
    settings = Settings(fallback=f"transfer:{PERSON}", twilio_phone_number="+12025550111")
    (_, dial) = elements(fall_back(settings, ended()))
    assert dial.get("callerId") == "+12025550111"


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (ended(), "+12025550100"),
        (ended(direction="outbound", from_="+12025550111"), "+12025550111"),
        (ended(to=None), None),
        (ended(to="sip:alice@example.com"), None),
        (ended(to="+1202555\u0660100"), None),
    ],
)
def test_nobody_elses_number_is_shown(call: ConnectEnded, number: str | None) -> None:
    assert own_number(call) == number


@pytest.mark.parametrize("apology", ["", "apology_unavailable"])
def test_a_voicemail_is_asked_for_and_thanked_for(apology: str) -> None:
    settings = Settings(fallback="voicemail", public_url=PUBLIC)
    say, record, thanks, hang_up = elements(fall_back(settings, ended(), apology))
    assert say.text is not None
    assert say.text.startswith("I am sorry") is bool(apology)
    assert "after the tone" in say.text
    assert record.get("action") == f"{PUBLIC}/twilio/connect?after=record"
    assert (record.get("playBeep"), record.get("transcribe"), record.get("maxLength")) == ("true", "false", "120")
    assert (thanks.text, hang_up.tag) == ("Thank you. Goodbye.", "Hangup")


@pytest.mark.parametrize(
    ("language", "tongue"),
    [
        ("de", "de-DE"),
        ("de-AT", "de-DE"),
        ("en", "en-US"),
        ("es-AR", "es-ES"),
        ("es-MX", "es-MX"),
        ("fr-BE", "fr-FR"),
        ("fr-CA", "fr-CA"),
        ("it", "en-US"),
    ],
)
def test_it_is_said_in_the_callers_language(language: str, tongue: str) -> None:
    settings = Settings(fallback=f"transfer:{PERSON}", language=language)
    say, _ = elements(fall_back(settings, ended(), "apology_busy"))
    assert say.get("language") == tongue
    assert say.text is not None
    assert say.text.endswith("ich verbinde Sie.") is (tongue == "de-DE")


# After a fault


async def failed(house: Premises) -> tuple[Verb, ...]:
    """Let a call end because its session is refused, and read what comes next."""
    house.peers.mint_status = 403
    carrier = await house.open("CA1", token=(await house.ring("CA1")).parameters["token"])
    _, record = await house.ended(carrier)
    assert (record.ended_by, record.error) == ("bridge", "session_refused")
    return (await house.connect("CA1")).verbs


def test_after_a_call_that_failed_the_caller_is_put_through(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        say, dial = await failed(house)
        assert isinstance(say, Say)
        assert say.text == "Please stay on the line, I am connecting you."  # the apology was heard in the call
        assert dial == Dial(targets=(PERSON,), action=f"{PUBLIC}/twilio/connect?after=dial")

        (verb,) = (await house.connect("CA1", "?after=dial", DialCallStatus="completed")).verbs
        assert isinstance(verb, Hangup)
        for status in ("no-answer", "busy", "failed", "canceled", ""):
            say, hang_up = (await house.connect("CA1", "?after=dial", DialCallStatus=status)).verbs
            assert isinstance(say, Say)
            assert say.text.startswith("Nobody can take your call now.")
            assert isinstance(hang_up, Hangup)
        (verb,) = (await house.connect("CA1", "?after=dial", DialCallStatus="no-answer", CallStatus="completed")).verbs
        assert isinstance(verb, Hangup)

    play(tmp_path, story, fallback=f"transfer:{PERSON}")


def test_after_a_call_that_failed_the_caller_leaves_a_message(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        verbs = await failed(house)
        assert [type(verb) for verb in verbs] == [Say, Record, Say, Hangup]
        for _ in range(2):  # told twice
            say, hang_up = (await house.connect("CA1", "?after=record", RecordingUrl=RECORDING)).verbs
            assert isinstance(say, Say)
            assert say.text == "Thank you. Goodbye."
            assert isinstance(hang_up, Hangup)
        (record,) = await house.calls()
        assert (record.status, record.voicemail, record.error) == ("voicemail", RECORDING, "session_refused")
        await house.post("/twilio/status", call_form("CA1", CallStatus="completed"))
        (record,) = await house.calls()
        assert record.status == "voicemail"

    play(tmp_path, story, fallback="voicemail")


def test_after_a_call_that_failed_the_line_is_let_go_by_default(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        (verb,) = await failed(house)
        assert isinstance(verb, Hangup)

    play(tmp_path, story)


def test_a_caller_who_hangs_up_after_the_message_has_left_it_all_the_same(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await failed(house)
        form = {"CallStatus": "completed", "Digits": "hangup", "RecordingUrl": RECORDING}
        (verb,) = (await house.connect("CA1", "?after=record", **form)).verbs
        assert isinstance(verb, Hangup)
        (record,) = await house.calls()
        assert (record.status, record.voicemail) == ("voicemail", RECORDING)

    play(tmp_path, story, fallback="voicemail")


def test_a_message_of_a_caller_who_was_never_served_makes_a_record(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.ring("CA1")
        assert [type(verb) for verb in document(await house.voice("CA2")).verbs] == [Say, Record, Say, Hangup]
        await house.connect("CA2", "?after=record", RecordingUrl=RECORDING)
        record = next(each for each in await house.calls() if each.carrier_id == "CA2")
        assert (record.status, record.voicemail, record.answered_at) == ("voicemail", RECORDING, None)
        assert (record.from_number, record.ended_by) == ("+12025550143", "caller")

    play(tmp_path, story, fallback="voicemail", max_calls=1)


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://", "https://[", f"https://x/{'y' * 600}"])
def test_what_is_no_address_is_no_message(tmp_path: Path, url: str) -> None:
    async def story(house: Premises) -> None:
        assert len((await house.connect("CA1", "?after=record", RecordingUrl=url)).verbs) == 2
        assert await house.calls() == []

    play(tmp_path, story, fallback="voicemail")


def test_a_fallback_needs_no_database(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        lose_database(house, tmp_path)
        for answer in (document(await house.voice("CA1")), await house.connect("CA1")):
            assert answer.verbs[-1] == Dial(targets=(PERSON,), action=f"{PUBLIC}/twilio/connect?after=dial")
        _, verb = (await house.connect("CA1", "?after=dial", DialCallStatus="busy")).verbs
        assert isinstance(verb, Hangup)

    play(tmp_path, story, fallback=f"transfer:{PERSON}")


def test_one_calls_bug_brings_its_caller_to_the_fallback_and_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: Premises) -> None:
        other, assistant = await house.talk("CA2")
        carrier, _ = await house.talk("CA1")
        receive = TwilioStream.receive

        def fail(wire: TwilioStream, data: str | bytes, now: int) -> list[Event]:
            if wire.start.call_sid == "CA1":
                raise ZeroDivisionError
            return receive(wire, data, now)

        monkeypatch.setattr(TwilioStream, "receive", fail)
        carrier.speak(FRAME)
        _, record = await house.ended(carrier, live=1)
        assert (record.ended_by, record.error) == ("bridge", "bridge_failed")
        assert (await house.connect("CA1")).verbs[-1] == Dial(
            targets=(PERSON,), action=f"{PUBLIC}/twilio/connect?after=dial"
        )
        sounds = len(assistant.sound)
        other.speak(*[FRAME] * 10)
        await until(lambda: len(assistant.sound) > sounds)  # the other call goes on
        other.hang_up()
        _, record = await house.ended(other)
        assert (record.ended_by, record.error) == ("caller", None)

    with caplog.at_level(logging.ERROR):
        play(tmp_path, story, fallback=f"transfer:{PERSON}")

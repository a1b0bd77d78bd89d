"""A call at the carrier: what it asks of the application and when, whatever the application does."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from phone_bridge.exchange import Request, Response
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.carrier_call import ANNOUNCEMENT, CallPlan
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import HangUp, Press, Say, Step, Wait
from phone_bridge.simulator.virtual import MEDIA_URL, VirtualCarrier, document, hum
from phone_bridge.simulator.webhooks import Dialling
from tests.simulator.far_end import Play, SmallBridge

STREAM = f'<Stream url="{MEDIA_URL}" statusCallback="https://bridge.test/stream"/>'
CONNECT = f'<Connect action="/twilio/connect">{STREAM}</Connect>'
PLAN = CallPlan(
    dialling=Dialling(account_sid="AC1"),
    voice_url="https://bridge.test/twilio/voice",
    status_url="https://bridge.test/twilio/status",
)

Page = str | Response | None | Callable[[dict[str, str]], str]


class Application:
    """Webhooks that answer by path, and remember what they were asked."""

    def __init__(self, **pages: Page) -> None:
        self._pages = {f"/twilio/{name}": page for name, page in pages.items()}
        self.asked: list[tuple[int, str, dict[str, str]]] = []

    def __call__(self, request: Request, now: int) -> Response | None:
        path = request.url.removeprefix("https://bridge.test")
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        self.asked.append((now, path, form))
        page = self._pages.get(path, "")
        if page is None or isinstance(page, Response):
            return page
        return document(f"<Response>{page if isinstance(page, str) else page(form)}</Response>")

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    def form(self, path: str) -> dict[str, str]:
        return next(form for _, asked, form in self.asked if asked == path)

    def streams(self) -> list[str]:
        return [form["StreamEvent"] for _, path, form in self.asked if path == "/stream"]


def call(
    application: Application,
    *script: Step,
    socket: SmallBridge | int = 404,
    plan: CallPlan = PLAN,
    stay: bool = True,
) -> CallResult:
    return VirtualCarrier(script, lambda *_: socket, web=application, plan=plan, manners=Manners(stay=stay)).run()


def codes(result: CallResult) -> list[int]:
    return [fault.code for fault in result.faults]


# TwiML


def test_a_document_that_ends_ends_the_call() -> None:
    application = Application(voice='<Say>Hello</Say><Pause length="2"/><Play digits="1"/>')
    result = call(application)
    assert (result.status, result.ended_by, result.ok) == ("completed", "bridge", True)
    assert result.verbs == ("Say", "Pause", "Play")
    assert result.duration_ms == 5 * 60 + 2000 + 200
    assert application.paths() == ["/twilio/voice", "/twilio/status"]


def test_the_first_request_is_for_a_ringing_call_and_the_next_for_one_in_progress() -> None:
    application = Application(voice="<Say>a</Say><Redirect>next</Redirect>", next="<Hangup/>")
    call(application)
    assert application.form("/twilio/voice")["CallStatus"] == "ringing"
    assert application.form("/twilio/next")["CallStatus"] == "in-progress"
    assert application.form("/twilio/status")["CallStatus"] == "completed"


def test_a_redirect_at_once_leaves_the_call_ringing() -> None:
    application = Application(voice="<Redirect>next</Redirect>", next="<Hangup/>")
    result = call(application)
    assert application.form("/twilio/next")["CallStatus"] == "ringing"
    assert (result.status, result.duration_ms) == ("completed", 0)


@pytest.mark.parametrize(("verb", "status"), [("<Reject/>", "no-answer"), ('<Reject reason="busy"/>', "busy")])
def test_a_rejected_call_is_never_answered(verb: str, status: str) -> None:
    application = Application(voice=verb)
    result = call(application)
    assert (result.status, result.ended_by, result.heard, result.ok) == (status, "bridge", b"", False)
    assert application.form("/twilio/status")["CallStatus"] == status


def test_a_reject_after_the_answer_merely_ends_the_call() -> None:
    assert call(Application(voice="<Say>a</Say><Reject/>")).status == "completed"


def test_gathered_keys_go_to_the_action() -> None:
    application = Application(
        voice='<Gather action="keys" finishOnKey="#"><Say>Keys?</Say></Gather>',
        keys=lambda form: f"<Say>{form['Digits']}</Say>",
    )
    result = call(application, Press("42#"))
    form = application.form("/twilio/keys")
    assert (form["Digits"], form["FinishedOnKey"]) == ("42", "#")
    assert result.heard.endswith(hum("42"))
    assert result.ok


def test_a_gather_without_keys_falls_through_and_with_the_attribute_asks() -> None:
    application = Application(voice='<Gather action="keys" timeout="1"/><Hangup/>')
    assert call(application).duration_ms == 1000
    assert "/twilio/keys" not in application.paths()
    application = Application(voice='<Gather action="keys" timeout="1" actionOnEmptyResult="true"/>')
    call(application)
    assert application.form("/twilio/keys")["Digits"] == ""


def test_a_gather_for_speech_ends_when_the_caller_is_quiet_and_tells_what_was_said() -> None:
    voice = '<Gather input="speech" action="keys" timeout="2" speechTimeout="3"/><Hangup/>'
    application = Application(voice=voice)
    result = call(application, Say("nobody is here", after_ms=0), Press("1", after_ms=500), Wait(60_000))
    form = application.form("/twilio/keys")
    assert (form["SpeechResult"], "Digits" in form) == ("nobody is here", False)
    assert 3_500 < result.duration_ms < 4_000  # so long after the last word
    silent = Application(voice=voice)
    assert call(silent, Wait(60_000)).duration_ms == 2_000
    assert "/twilio/keys" not in silent.paths()


@pytest.mark.parametrize(("status", "seconds"), [("completed", "30"), ("no-answer", None)])
def test_a_dial_is_an_outcome_and_its_action_is_told(status: str, seconds: str | None) -> None:
    application = Application(voice='<Dial action="dialled"><Number>+15550100</Number></Dial>')
    result = call(application, plan=CallPlan(dialling=PLAN.dialling, voice_url=PLAN.voice_url, dial_status=status))
    form = application.form("/twilio/dialled")
    assert result.dialled == ("+15550100",)
    assert (form["DialCallStatus"], form.get("DialCallDuration")) == (status, seconds)


def test_what_the_simulator_cannot_follow_is_skipped_and_said() -> None:
    result = call(Application(voice="<Refer/><Say>a</Say>"))
    assert result.heard == hum("a")
    assert result.reasons == ("the simulator skipped <Refer>, which it cannot follow",)


def test_a_call_that_is_moved_on_before_its_answer_goes_on_ringing() -> None:
    application = Application(voice='<Pause length="2"/><Redirect>next</Redirect>', next="<Say>a</Say>")
    result = call(application)
    assert [(at, path, form["CallStatus"]) for at, path, form in application.asked[:2]] == [
        (0, "/twilio/voice", "ringing"),
        (2_000, "/twilio/next", "ringing"),
    ]
    assert result.heard == hum("a")
    assert result.duration_ms == 60
    gone = VirtualCarrier((), lambda *_: 404, web=application, plan=PLAN)
    gone.run(1_000)
    gone.hang_up()
    assert (gone.run().status, gone.now) == ("no-answer", 1_000)


def test_a_message_is_recorded_after_its_beep_and_told_to_the_action() -> None:
    application = Application(
        voice='<Say>Speak</Say><Record action="kept" timeout="2"/><Say>nothing was said</Say>', kept="<Say>thanks</Say>"
    )
    result = call(application, Say("my message"))
    form = application.form("/twilio/kept")
    assert form["RecordingUrl"] == f"https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/{form['RecordingSid']}"
    assert (form["RecordingDuration"], form["Digits"], form["CallStatus"]) == ("4", "", "in-progress")
    assert result.verbs == ("Say", "Record", "Say")
    assert result.heard.endswith(hum("thanks"))
    assert result.ok


def test_a_silent_message_is_told_to_nobody_and_the_document_goes_on() -> None:
    application = Application(voice='<Record action="kept" timeout="3"/><Say>bye</Say>')
    result = call(application)
    assert "/twilio/kept" not in application.paths()
    assert result.heard.endswith(hum("bye"))


def test_a_caller_who_hangs_up_has_left_the_message_all_the_same() -> None:
    application = Application(voice='<Record action="kept"/>')
    result = call(application, Say("my message", after_ms=1_000), HangUp(after_ms=0))
    form = application.form("/twilio/kept")
    assert (form["Digits"], form["CallStatus"], form["RecordingDuration"]) == ("hangup", "completed", "2")
    assert result.ended_by == "caller"
    silent = Application(voice='<Record action="kept"/>')
    call(silent, HangUp(after_ms=1_000))
    assert "/twilio/kept" not in silent.paths()


def test_a_stream_that_vanishes_leaves_the_caller_on_the_line() -> None:
    """As when the process is killed: the call lives, and the action is asked what comes next."""
    bridge = SmallBridge()
    bridge.close_at = (500, 1006)
    application = Application(voice=CONNECT, connect="<Pause/><Redirect>again</Redirect>", again="<Say>back</Say>")
    result = call(application, socket=bridge)
    assert application.paths() == [
        "/twilio/voice",
        "/stream",
        "/stream",
        "/twilio/connect",
        "/twilio/again",
        "/twilio/status",
    ]
    assert application.form("/twilio/connect")["CallStatus"] == "in-progress"
    assert codes(result) == [31903]
    assert result.heard.endswith(hum("back"))


def test_thousands_of_verbs_that_end_at_once_are_no_problem() -> None:
    result = call(Application(voice="<Dial>1</Dial>" * 3000))
    assert len(result.dialled) == 3000


def test_a_misspelt_verb_is_a_warning_and_the_call_is_not_as_it_should_be() -> None:
    result = call(Application(voice="<say>a</say>"))
    assert codes(result) == [12200]
    assert not result.ok


# When the application fails


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (Response(status=500), 11217),
        (Response(status=200, headers={"content-type": "application/json"}, body=b"{}"), 12300),
        (Response(status=200, headers={"content-type": "text/xml"}, body=b"oops"), 12100),
    ],
)
def test_an_application_that_fails_is_announced_and_the_line_is_dropped(page: Response, code: int) -> None:
    application = Application(voice=page)
    result = call(application)
    assert codes(result) == [code]
    assert result.heard == hum(ANNOUNCEMENT)
    assert (result.status, result.ended_by, result.ok) == ("completed", "carrier", False)
    assert application.paths()[-1] == "/twilio/status"


def test_an_application_that_never_answers_is_given_up_after_fifteen_seconds() -> None:
    application = Application(voice=None)
    carrier = VirtualCarrier((), lambda *_: 404, web=application, plan=PLAN, manners=Manners(stay=True))
    carrier.run(until=14_999)
    assert [note.what for note in carrier.notes] == ["ringing"]
    result = carrier.run()
    assert codes(result) == [11205]
    assert result.heard == hum(ANNOUNCEMENT)


def test_an_action_that_fails_is_announced_too() -> None:
    result = call(
        Application(voice='<Gather action="keys" timeout="1"/>', keys=Response(status=404)), Press("1", after_ms=0)
    )
    assert codes(result) == [11217]
    assert result.heard.endswith(hum(ANNOUNCEMENT))


def test_a_document_that_leads_to_itself_for_ever_is_given_up() -> None:
    result = call(Application(voice="<Redirect/>"))
    assert codes(result) == [11215]
    assert result.ended_by == "carrier"


def test_callbacks_that_fail_are_reported_and_change_nothing() -> None:
    result = call(Application(voice="<Say>a</Say>", status=Response(status=500)))
    assert codes(result) == [11217]
    assert result.ended_by == "bridge"


# The stream


def test_the_stream_carries_the_parameters_and_its_callbacks_come_in_order() -> None:
    bridge = SmallBridge(hum("hello"))
    stream = STREAM.replace("/>", '><Parameter name="token" value="t&amp;1"/></Stream>')
    application = Application(voice=f"<Connect>{stream}</Connect>")
    result = call(application, socket=bridge, stay=False)
    assert bridge.start is not None
    assert bridge.start.custom_parameters == {"token": "t&1"}
    assert bridge.start.call_sid == result.call_sid
    assert application.streams() == ["stream-started", "stream-stopped"]
    assert result.ok, result.reasons


def test_a_caller_who_hangs_up_stops_the_stream_and_the_action_is_told_of_it() -> None:
    bridge = SmallBridge(hum("hello"))
    application = Application(voice=CONNECT + "<Say>never</Say>", connect="<Say>never</Say>")
    result = call(application, HangUp(after_ms=1000), socket=bridge)
    assert bridge.closed == ["hangup", "disconnected 1000"]
    assert application.form("/twilio/connect")["CallStatus"] == "completed"
    assert application.paths()[2:] == ["/stream", "/twilio/connect", "/twilio/status"]
    assert (result.ended_by, result.duration_ms) == ("caller", 1000)
    assert application.form("/twilio/status")["CallDuration"] == "1"
    assert result.heard.startswith(hum("hello"))


def test_a_bridge_that_closes_the_stream_says_in_its_action_what_comes_next() -> None:
    bridge = SmallBridge(hum("hello"))
    bridge.close_at = (2000, 1000)
    application = Application(voice=CONNECT, connect="<Say>Goodbye</Say>")
    result = call(application, socket=bridge)
    assert application.form("/twilio/connect")["CallStatus"] == "in-progress"
    assert result.heard.endswith(hum("Goodbye"))
    assert (codes(result), result.ended_by, result.ok) == ([31921], "bridge", True)


def test_a_stream_without_an_action_goes_on_with_the_next_verb() -> None:
    bridge = SmallBridge()
    bridge.close_at = (500, 1000)
    result = call(Application(voice=f"<Connect>{STREAM}</Connect><Say>a</Say>"), socket=bridge)
    assert result.verbs == ("ConnectStream", "Say")


@pytest.mark.parametrize(("code", "fault"), [(1011, 31921), (1006, 31903)])
def test_a_stream_that_breaks_is_a_fault(code: int, fault: int) -> None:
    bridge = SmallBridge()
    bridge.close_at = (500, code)
    result = call(Application(voice=CONNECT), socket=bridge)
    assert codes(result) == [fault]
    assert not result.ok


def test_what_was_not_heard_when_the_stream_closes_never_will_be() -> None:
    bridge = SmallBridge(b"\x01" * 16_000)
    bridge.close_at = (500, 1000)
    result = call(Application(voice=CONNECT), socket=bridge)
    assert result.metrics.bytes_cut == 16_000 - 4_000
    assert bridge.marks == []


def test_a_refused_handshake_goes_to_the_action() -> None:
    application = Application(voice=CONNECT, connect="<Say>Sorry</Say>")
    result = call(application, socket=403)
    assert codes(result) == [31920]
    assert application.streams() == ["stream-error"]
    assert "31920" in application.form("/stream")["StreamError"]
    assert result.heard == hum("Sorry")


def test_a_stream_that_cannot_be_had_is_not_even_tried() -> None:
    application = Application(voice='<Connect><Stream url="ws://bridge.test/media"/></Connect><Say>a</Say>')
    result = call(application)
    assert codes(result) == [31922]
    assert result.heard == hum("a")


def test_a_handshake_that_never_ends_is_given_up() -> None:
    carrier = VirtualCarrier((), lambda *_: 0, web=Application(voice=CONNECT), plan=PLAN, delay_ms=6_000)
    assert 31901 in codes(carrier.run())


def test_bad_messages_of_the_bridge_are_faults_of_the_call() -> None:
    bridge = SmallBridge(hum("hello"))
    bridge.noise = [b"binary", "text"]
    result = call(Application(voice=CONNECT), socket=bridge, stay=False)
    assert codes(result) == [31950, 31951]


def test_a_second_stream_in_one_call_begins_anew() -> None:
    first, second = SmallBridge(hum("one")), SmallBridge(hum("two"))
    first.close_at = (1000, 1000)
    bridges = iter([first, second])
    application = Application(
        voice=CONNECT, connect=lambda form: CONNECT if form["CallStatus"] == "in-progress" else ""
    )
    carrier = VirtualCarrier((), lambda *_: next(bridges), web=application, plan=PLAN)
    result = carrier.run()
    assert first.start is not None
    assert second.start is not None
    assert first.start.stream_sid != second.start.stream_sid
    assert hum("one") in result.heard
    assert hum("two") in result.heard


def test_silence_is_left_out_where_the_network_does_and_the_leg_fills_it() -> None:
    bridge = SmallBridge()
    plan = CallPlan(dialling=PLAN.dialling, voice_url=PLAN.voice_url, leaves_out_silence=True)
    call(Application(voice=CONNECT), HangUp(after_ms=1000), socket=bridge, plan=plan)
    assert bridge.heard == b""


# Ends


def test_a_call_that_goes_nowhere_is_ended_by_the_carrier() -> None:
    plan = CallPlan(dialling=PLAN.dialling, voice_url=PLAN.voice_url, call_ms=5_000)
    bridge = SmallBridge()
    result = call(Application(voice=CONNECT), socket=bridge, plan=plan)
    assert (result.ended_by, result.duration_ms) == ("carrier", 5000)
    assert result.reasons == ("the call was still up after 5000 ms",)
    assert bridge.closed[0] == "hangup"


def test_a_caller_who_gives_up_before_the_answer_was_not_answered() -> None:
    application = Application(voice=None)
    carrier = VirtualCarrier((), lambda *_: 404, web=application, plan=PLAN)
    carrier.run(until=1000)
    carrier.hang_up()
    result = carrier.run()
    assert (result.status, result.ended_by, result.duration_ms) == ("no-answer", "caller", 0)


def test_hanging_up_twice_is_hanging_up_once() -> None:
    application = Application(voice='<Play digits="wwwwwwww"/>')
    carrier = VirtualCarrier((), lambda *_: 404, web=application, plan=PLAN)
    carrier.run(until=1000)
    carrier.hang_up()
    carrier.hang_up()
    assert carrier.run().duration_ms == 1000
    assert application.paths() == ["/twilio/voice", "/twilio/status"]


def test_an_application_that_redirects_is_followed() -> None:
    moved = Response(status=302, headers={"location": "/twilio/there"})
    assert call(Application(voice=moved, there="<Say>a</Say>")).heard == hum("a")


def test_sound_sent_after_the_end_changes_nothing() -> None:
    bridge = SmallBridge()
    bridge.timed = [(1000, Play(hum("too late")))]
    result = call(Application(voice=CONNECT), HangUp(after_ms=1000), socket=bridge)
    assert len(result.heard) == 8000


def test_steps_that_were_not_done_are_reasons() -> None:
    bridge = SmallBridge(hum("bye"))
    bridge.close_at = (500, 1000)
    result = call(Application(voice=CONNECT), Press("1"), socket=bridge)
    assert result.reasons == ("the call ended before: press 1",)

"""The client's wire and the server's, joined in memory: each understands all that the other says."""

import pytest

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.path import path
from phone_bridge.call import events as e
from phone_bridge.call.commands import Answer, AnsweredBy, CancelReply, Listen, SessionCommand, Tell, Verdict
from phone_bridge.call.permit import Permit
from phone_bridge.sessions.chronapilot import ChronaPilotServerWire, ChronaPilotWire
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.chronapilot.messages import OUTPUT_FORMATS

DOCUMENTED = {"session.update", "audio.append", "text.append", "response.cancel", "action.confirm"}
SECOND = bytes(range(160)) * 50
CANCEL = e.Action("cancel_event", {"event_id": "evt_1"}, "cancel Lunch", (e.Affected("evt_1", "Lunch"),))


class Socket:
    """Both wires with nothing in between."""

    def __init__(self, leg: Format, output_format: str) -> None:
        self.client = ChronaPilotWire(leg, m.SessionSettings(output_format=output_format, voice="sage"))
        self.server = ChronaPilotServerWire()
        self.types: set[str] = set()
        (update,) = self.carry()
        assert isinstance(update, m.SessionUpdate)
        self.say(m.SessionCreated(self.server.state(id="hub_1")))
        self.server.apply(update.session)
        self.opened = self.say(m.SessionUpdated(self.server.state(id="hub_1", voice=update.session.voice)))

    def carry(self) -> list[m.ClientMessage]:
        messages = [self.server.receive(each) for each in self.client.outgoing()]
        self.types |= {str(type(message).__struct_config__.tag) for message in messages}
        return messages

    def do(self, command: SessionCommand) -> list[m.ClientMessage]:
        self.client.send(command, 0)
        return self.carry()

    def say(self, message: m.ServerMessage) -> list[e.Event]:
        return self.client.receive(m.encode(message), 0)


@pytest.fixture(params=OUTPUT_FORMATS)
def output_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[PCMU_8K, PCMA_8K, LINEAR_8K, LINEAR_16K], ids=str)
def leg(request: pytest.FixtureRequest) -> Format:
    found = request.param
    assert isinstance(found, Format)
    return found


def test_a_call_from_its_first_word_to_its_last(leg: Format, output_format: str) -> None:
    socket = Socket(leg, output_format)

    (heard,) = socket.do(Listen(SECOND))
    assert isinstance(heard, m.AudioAppend)
    assert abs(len(heard.audio) - LINEAR_16K.size(leg.ms(len(SECOND)))) <= LINEAR_16K.size(10)
    assert socket.say(m.SpeechStarted(10)) == [e.VoiceStarted(0)]
    assert socket.say(m.SpeechStopped(10)) == [e.VoiceStopped(0)]
    assert socket.say(m.TranscriptFinal("cancel lunch")) == [e.CallerSaid("cancel lunch")]
    assert socket.say(m.IntentDetected("cancel_event", 0.8, {"event_id": "evt_1"})) == [
        e.IntentDetected("cancel_event", 0.8, {"event_id": "evt_1"})
    ]
    assert socket.say(m.ResponseCreated("rsp_1")) == [e.ReplyStarted("rsp_1")]
    proposed = m.ProposedAction(
        name="cancel_event",
        parameters={"event_id": "evt_1"},
        summary="cancel Lunch",
        effect="calendar_write",
        affects=(m.AffectedThing("evt_1", "Lunch"),),
        reversible=True,
    )
    assert socket.say(m.ActionProposed(id="act_1", action=proposed, response_id="rsp_1")) == [
        e.ConfirmationAsked("act_1", CANCEL)
    ]
    yes = Answer("act_1", CANCEL, Verdict.CONFIRMED, AnsweredBy.SPEECH, permit=Permit(CANCEL, 0))
    assert socket.do(yes) == [m.ActionConfirm("act_1")]
    assert socket.say(m.ActionExecuted(id="act_1", action=proposed, result={"ok": True}, confirmed_by_user=True)) == [
        e.ActionSettled("act_1", "executed", CANCEL, {"ok": True})
    ]
    assert socket.do(CancelReply("rsp_1")) == [m.ResponseCancel()]
    assert socket.say(m.ResponseDone(m.ResponseState(id="rsp_1", status="cancelled"))) == [
        e.ReplyEnded("rsp_1", "cancelled")
    ]
    assert socket.do(Tell("goodbye")) == [m.TextAppend("goodbye")]
    assert socket.types == DOCUMENTED


def test_the_voice_arrives_in_the_legs_format(leg: Format, output_format: str) -> None:
    socket = Socket(leg, output_format)
    sent = socket.server.voice(LINEAR_16K).push(SECOND)

    spoken = socket.say(m.AudioDelta(sent, "rsp_1"))[-1]
    assert isinstance(spoken, e.AssistantSpoke)
    assert spoken.audio == path(socket.server.output, leg).push(sent)


def test_mu_law_to_a_mu_law_leg_is_never_touched() -> None:
    socket = Socket(PCMU_8K, "g711_ulaw")

    assert socket.opened == [e.SessionOpened("hub_1")]
    assert socket.say(m.AudioDelta(SECOND, "rsp_1"))[-1] == e.AssistantSpoke("rsp_1", SECOND)

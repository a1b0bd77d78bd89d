"""The door lets no liar through."""

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.sessions.chronapilot import ChronaPilotWire
from phone_bridge.sessions.chronapilot.messages import SessionSettings
from phone_bridge.sessions.realtime import RealtimeWire
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.realtime.settings import Settings
from tests.conformance.door import check_leg, check_session
from tests.conformance.test_legs import LEGS
from tests.conformance.test_sessions import SESSIONS
from tests.legs.twilio.samples import START


class Raises(TwilioStream):
    def receive(self, data: str | bytes, now: int) -> list[e.Event]:
        facts = super().receive(data, now)
        if any(isinstance(fact, e.LegTrouble) for fact in facts):
            raise ValueError(data)
        return facts


class Spins(TwilioStream):
    def expire(self, now: int) -> list[e.Event]:
        return []


class HandsOverTwice(TwilioStream):
    def outgoing(self) -> list[str | bytes]:
        waiting = super().outgoing()
        self._outgoing = list(waiting)
        return waiting


class ForgetsTheOrder(TwilioStream):
    def outgoing(self) -> list[str | bytes]:
        return super().outgoing()[::-1]


class HalvesItsSamples(ChronaPilotWire):
    def receive(self, data: str | bytes, now: int) -> list[e.Event]:
        return [
            e.AssistantSpoke("x", b"") if isinstance(f, e.AssistantSpoke) else f for f in super().receive(data, now)
        ]


class LooksAhead(ChronaPilotWire):
    def receive(self, data: str | bytes, now: int) -> list[e.Event]:
        return [e.VoiceStarted(now + 1) if isinstance(f, e.VoiceStarted) else f for f in super().receive(data, now)]


class Confirms(ChronaPilotWire):
    def send(self, command: c.SessionCommand, now: int) -> None:
        if not isinstance(command, c.Answer):
            super().send(command, now)


class MakesItsOwnEnd(ChronaPilotWire):
    def closed(self, code: int, reason: str = "") -> e.SessionClosed:
        return e.SessionClosed(f"closed {code}")


class ForgetsTheResult(RealtimeWire):
    def send(self, command: c.SessionCommand, now: int) -> None:
        if not isinstance(command, c.GiveResult):
            super().send(command, now)


class CallsTwice(RealtimeWire):
    def receive(self, data: str | bytes, now: int) -> list[e.Event]:
        self._calls._taken.clear()
        return super().receive(data, now)


class TakesAYes(RealtimeWire):
    def send(self, command: c.SessionCommand, now: int) -> None:
        if not isinstance(command, c.Answer):
            super().send(command, now)


@pytest.mark.parametrize("liar", [Raises, Spins, HandsOverTwice, ForgetsTheOrder])
def test_a_leg_that_breaks_a_promise_is_turned_away(liar: type[TwilioStream]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check_leg(lambda: liar(START), LEGS["twilio"].said, LEGS["twilio"].broken)


@pytest.mark.parametrize("liar", [HalvesItsSamples, LooksAhead, Confirms, MakesItsOwnEnd])
def test_a_session_that_breaks_a_promise_is_turned_away(liar: type[ChronaPilotWire]) -> None:
    good, bad = SESSIONS["chronapilot"].said, SESSIONS["chronapilot"].broken
    with pytest.raises(AssertionError):
        check_session(lambda leg: liar(leg, SessionSettings()), [PCMU_8K], good, bad)


@pytest.mark.parametrize("liar", [ForgetsTheResult, CallsTwice, TakesAYes])
def test_a_session_that_is_careless_with_functions_is_turned_away(liar: type[RealtimeWire]) -> None:
    good, bad = SESSIONS["openai"].said, SESSIONS["openai"].broken
    settings = Settings(tools=({"type": "function", "name": "create_event"},))
    with pytest.raises(AssertionError):
        check_session(lambda leg: liar(leg, settings, Shape.GA), [PCMU_8K], good, bad)

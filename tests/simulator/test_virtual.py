"""Whole calls in virtual time, with the bridge's real leg at the far end of the socket."""

import pytest

from phone_bridge.call.commands import Flush, LegCommand, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event
from phone_bridge.errors import LocalError
from phone_bridge.exchange import Request, Response
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import HangUp, Listen, Press, Say, Wait
from phone_bridge.simulator.virtual import HUM_MS_PER_LETTER, Far, VirtualCarrier, document, hum
from tests.simulator.far_end import SmallBridge

GREETING = hum("Hello, how can I help you?")


def call(bridge: SmallBridge, *script: Say | Press | Wait | Listen | HangUp, delay_ms: int = 0) -> CallResult:
    return VirtualCarrier(script, lambda *_: bridge, delay_ms=delay_ms).run()


def test_a_stand_in_voice_takes_the_time_of_speech() -> None:
    assert len(hum("hello")) == 5 * HUM_MS_PER_LETTER * 8


def test_a_caller_hears_the_greeting_presses_a_key_and_hears_the_answer() -> None:
    def answer(fact: Event, _: int) -> list[LegCommand]:
        return [Play(hum("Thank you."), "thanks")] if isinstance(fact, DigitPressed) else []

    bridge = SmallBridge(GREETING, answer)
    carrier = VirtualCarrier([Press("1")], lambda *_: bridge)
    result = carrier.run()
    assert result.call_sid == carrier.call_sid
    assert result.ok, result.reasons
    assert (result.status, result.ended_by) == ("completed", "caller")
    assert bridge.digits == "1"
    assert [name for _, name in bridge.marks] == ["greeting", "thanks"]
    assert bridge.closed[0] == "hangup"
    assert result.heard.startswith(GREETING)
    assert hum("Thank you.") in result.heard
    assert len(result.said) == len(result.heard) == result.duration_ms * 8


def test_a_mark_returns_in_the_millisecond_in_which_its_sound_was_heard() -> None:
    bridge = SmallBridge(b"\x01" * 12_345)
    call(bridge, HangUp(after_ms=3000))
    assert bridge.marks == [(12_345 // 8 + 1, "greeting")]


def test_every_message_needs_its_time_either_way() -> None:
    bridge = SmallBridge(b"\x01" * 8000)
    result = call(bridge, HangUp(after_ms=3000), delay_ms=50)
    answered_at, opened = 100, 50 + 50
    start_there = answered_at + opened + 50
    assert bridge.marks == [(start_there + 50 + 1000 + 50, "greeting")]
    assert result.metrics.first_audio_ms is not None
    assert opened + 50 + 50 <= result.metrics.first_audio_ms <= opened + 50 + 50 + 20


def test_what_the_caller_says_reaches_the_bridge_byte_for_byte() -> None:
    bridge = SmallBridge()
    result = call(bridge, Say("something to say", after_ms=100), HangUp(after_ms=500))
    assert hum("something to say") in bridge.heard
    assert bridge.heard == result.said[: len(bridge.heard)]


def test_an_interruption_is_measured_on_what_was_heard() -> None:
    bridge = SmallBridge(hum("A very long answer that goes on and on and on, and on."), None)
    flushed: list[int] = []

    def answer(fact: Event, now: int) -> list[LegCommand]:
        if isinstance(fact, CallerHeard) and fact.audio.strip(b"\xff") and not flushed:
            flushed.append(now)
            return [Flush()]
        return []

    bridge._answer = answer
    result = call(bridge, Listen(1000), Say("stop it", after_ms=0), HangUp(after_ms=0))
    (at,) = flushed
    heard = len(result.heard.rstrip(b"\xff"))
    assert abs(heard - at * 8) <= 8
    assert result.metrics.bytes_after_clear == 0
    assert result.metrics.bytes_cut == len(hum("A very long answer that goes on and on and on, and on.")) - at * 8
    assert [name for _, name in bridge.marks] == ["greeting"]


def test_sound_that_comes_late_is_an_underrun() -> None:
    bridge = SmallBridge(b"\x01" * 1600)
    bridge.timed = [(260, Play(b"\x01" * 1600))]
    metrics = call(bridge, HangUp(after_ms=1000)).metrics
    assert (metrics.underruns, metrics.underrun_ms) == (1, 60)


def test_the_call_goes_the_same_way_every_time() -> None:
    first, second = (call(SmallBridge(GREETING), Say("hello"), Press("12", after_ms=100)) for _ in range(2))
    assert first == second


def test_a_call_can_be_stopped_on_its_way_and_goes_on() -> None:
    carrier = VirtualCarrier([Press("1")], lambda *_: SmallBridge(GREETING))
    so_far = carrier.run(until=700)
    assert (so_far.status, so_far.duration_ms, len(so_far.heard)) == ("in-progress", 700, 700 * 8)
    assert (carrier.now, carrier.ended) == (700, False)
    assert [note.what for note in carrier.notes] == ["ringing", "answered"]
    carrier.hang_up()
    assert carrier.ended
    result = carrier.run()
    assert (result.ended_by, result.duration_ms, result.undone) == ("caller", 700, ("press 1",))


def test_two_sides_that_never_rest_are_our_mistake() -> None:
    class Chatterbox(SmallBridge):
        def outgoing(self) -> list[str | bytes]:
            return ["{}"]

    with pytest.raises(LocalError, match="not come to rest"):
        VirtualCarrier([], lambda *_: Chatterbox()).run()


def test_twiml_alone_makes_a_call_too() -> None:
    def web(request: Request, _: int) -> Response:
        return document("<Response><Say>Bye</Say></Response>")

    def no_socket(*_: object) -> Far | int:
        raise AssertionError("no stream was asked for")

    result = VirtualCarrier([], no_socket, web=web, manners=Manners(stay=True)).run()
    assert result.heard == hum("Bye")
    assert (result.ended_by, result.verbs, result.reasons) == ("bridge", ("Say",), ())

"""Calls in real time over real sockets, as short as they can be."""

import asyncio
from time import monotonic

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.voice import Speech
from phone_bridge.simulator import carrier
from phone_bridge.simulator.caller import Manners, loud
from phone_bridge.simulator.carrier import LiveCall, Site, place_call, speak
from phone_bridge.simulator.carrier_call import Note
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import HangUp, Press, Say, Step
from phone_bridge.simulator.webhooks import Dialling
from tests.simulator.small_server import TOKEN, BeepVoice, EchoBridge

DIALLING = Dialling(account_sid="AC1", auth_token=TOKEN)
QUICK = Manners(quiet_ms=100, key_quiet_ms=100, parting_quiet_ms=200, patience_ms=2_000)


def call(bridge: EchoBridge, *script: Step, public_url: str = "") -> CallResult:
    async def run() -> CallResult:
        async with bridge.running():
            site = Site(url=bridge.url, public_url=public_url)
            return await place_call(site, script, BeepVoice(), dialling=DIALLING, manners=QUICK)

    return asyncio.run(run())


def test_a_whole_call_over_real_sockets() -> None:
    bridge = EchoBridge()
    began = monotonic()
    result = call(bridge, Say("hello", after_ms=100), Press("12", after_ms=0), HangUp(after_ms=200))
    assert result.ok, result.reasons
    assert monotonic() - began < 5
    assert bridge.unsigned == []
    assert bridge.digits == "12"
    assert bridge.events[:2] == ["connected", "start"]
    assert {"stop", "mark"} <= set(bridge.events)
    assert [path for path, _ in bridge.forms] == ["/twilio/voice", "/twilio/connect", "/twilio/status"]
    assert bridge.forms[-1][1]["CallStatus"] == "completed"
    assert result.record is not None
    assert loud(result.said[100 * 8 : 120 * 8])
    words = result.said.replace(PCMU_8K.silence, b"")
    assert words in result.heard.replace(PCMU_8K.silence, b"")  # a late echo may have a gap in it
    assert result.duration_ms == pytest.approx(100 + 120 + 300 + 200, abs=200)
    assert bridge.events.count("media") == pytest.approx(result.duration_ms / 20, abs=10)


def test_a_bridge_that_closes_is_followed_to_its_goodbye() -> None:
    bridge = EchoBridge()
    bridge.close_after, bridge.after_connect = 5, "<Say>bye</Say>"
    result = call(bridge, Say("hello", after_ms=0))
    assert (result.ended_by, result.verbs) == ("bridge", ("ConnectStream", "Say"))
    assert [fault.code for fault in result.faults] == [31921]
    assert loud(result.heard[-60 * 8 : -40 * 8])


@pytest.mark.parametrize(("refuse", "code"), [(True, 31920), (False, 31921)])
def test_a_stream_that_fails_is_named(refuse: bool, code: int) -> None:
    bridge = EchoBridge()
    bridge.refuse, bridge.vanish, bridge.close_after = refuse, True, 1
    result = call(bridge)
    assert [fault.code for fault in result.faults if fault.blames] == [code]


def test_a_public_address_is_signed_and_the_local_one_is_called() -> None:
    bridge = EchoBridge()
    bridge.public = "https://calls.example.com"
    result = call(bridge, HangUp(after_ms=100), public_url="https://calls.example.com")
    assert result.ok, result.reasons
    assert bridge.unsigned == []


def test_the_number_may_lead_elsewhere_first() -> None:
    bridge = EchoBridge()

    async def run() -> CallResult:
        async with bridge.running():
            site = Site(url=bridge.url, voice_url=f"{bridge.url}/twilio/voice?back=http%3A%2F%2Felse.where%2F")
            return await place_call(site, [HangUp(after_ms=0)], BeepVoice(), dialling=DIALLING, manners=QUICK)

    result = asyncio.run(run())
    assert result.ok, result.reasons
    assert bridge.asked[0] == "/twilio/voice?back=http%3A%2F%2Felse.where%2F"  # as it was written
    assert bridge.unsigned == []


def test_a_call_that_stays_in_menus_needs_no_record() -> None:
    bridge = EchoBridge()
    bridge.record = None
    bridge.twiml = "<Gather timeout='1'><Pause/></Gather><Hangup/>"
    result = call(bridge, HangUp(after_ms=100))
    assert result.ok, result.reasons
    assert result.verbs == ("Gather",)


def test_nobody_there_is_twilios_connection_refused() -> None:
    async def run() -> CallResult:
        site = Site(url="http://127.0.0.1:1")
        return await place_call(site, (), BeepVoice(), dialling=DIALLING, manners=QUICK)

    result = asyncio.run(run())
    assert 11202 in [fault.code for fault in result.faults]
    assert any("no bridge answers" in reason for reason in result.reasons)
    assert result.ended_by == "carrier"


def test_what_happens_can_be_watched() -> None:
    notes: list[Note] = []

    async def run() -> None:
        bridge = EchoBridge()
        async with bridge.running():
            live = await LiveCall.prepare(Site(url=bridge.url), [HangUp(after_ms=60)], BeepVoice(), dialling=DIALLING)
            assert live.call_sid.startswith("CA")
            await live.run(notes.append)

    asyncio.run(run())
    assert [note.what for note in notes] == ["ringing", "answered", HangUp(after_ms=60), "hung up by the caller"]


def test_a_call_that_the_bridge_forgot_is_a_reason() -> None:
    bridge = EchoBridge()
    bridge.record = None
    result = call(bridge, HangUp(after_ms=0))
    assert result.reasons == ("the bridge has no record of the call",)


def test_the_bridge_may_take_a_moment_to_finish_its_record() -> None:
    bridge = EchoBridge()
    bridge.unfinished = 2
    result = call(bridge, HangUp(after_ms=0))
    assert result.ok, result.reasons
    assert bridge.unfinished == -1


def test_a_record_that_is_never_finished_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "RECORD_S", 0.05)
    bridge = EchoBridge()
    bridge.unfinished = 1_000
    assert call(bridge, HangUp(after_ms=0)).reasons == ("the bridge says that the call is in_progress",)


def test_sound_for_a_bridge_that_reads_too_slowly_is_thrown_away_and_words_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(carrier, "OUTBOX_MESSAGES", 0)
    bridge = EchoBridge()
    result = call(bridge, HangUp(after_ms=200))
    assert bridge.events == ["connected", "start", "stop", "closed 1000"]
    assert [fault.code for fault in result.faults] == [31930]


def test_a_document_that_is_too_large_is_not_read_to_its_end() -> None:
    bridge = EchoBridge()
    bridge.twiml = "<Say>a</Say>" * 6_000
    assert [fault.code for fault in call(bridge).faults] == [11750]


def test_a_socket_that_will_not_close_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "CLOSING_S", 0.05)
    bridge = EchoBridge()
    bridge.deaf = True
    began = monotonic()
    result = call(bridge, HangUp(after_ms=0))
    assert result.ok, result.reasons
    assert monotonic() - began < 5


class Mute(BeepVoice):
    """A voice that has nothing to say but one text."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        if text in self._texts:
            return await super().speak(text, language=language)
        raise Unavailable("the voice is gone")


def test_a_script_that_cannot_be_spoken_is_not_begun() -> None:
    site = Site(url="http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="the voice is gone"):
        asyncio.run(place_call(site, [Say("hello")], Mute(), dialling=DIALLING))


def test_a_say_that_cannot_be_spoken_is_a_reason() -> None:
    bridge = EchoBridge()
    bridge.twiml = "<Say>hello</Say>"

    async def run() -> CallResult:
        async with bridge.running():
            return await place_call(Site(url=bridge.url), (), Mute(), dialling=DIALLING)

    assert asyncio.run(run()).reasons == ("the simulator's own voice failed: the voice is gone",)


def test_speech_is_brought_to_the_telephones_format() -> None:
    audio = asyncio.run(speak(BeepVoice(), "12345"))
    assert len(audio) == 8 * (100 + 20)
    assert loud(audio[400:560])


@pytest.mark.parametrize(
    ("url", "public", "asked", "reached"),
    [
        ("http://127.0.0.1:80", "", "http://127.0.0.1:80/a", "http://127.0.0.1:80/a"),
        ("http://127.0.0.1:80", "https://a.test", "https://a.test/b?c", "http://127.0.0.1:80/b?c"),
        ("http://127.0.0.1:80", "https://a.test/", "wss://a.test/m", "ws://127.0.0.1:80/m"),
        ("https://b.test", "https://a.test", "wss://a.test/m", "wss://b.test/m"),
        ("http://127.0.0.1:80", "https://a.test", "https://other.test/", "https://other.test/"),
    ],
)
def test_a_bridge_is_reached_where_it_is_and_not_where_it_says(url: str, public: str, asked: str, reached: str) -> None:
    assert Site(url=url, public_url=public).reach(asked) == reached

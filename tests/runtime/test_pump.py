"""One call between its two wires, in virtual time."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import Format
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.call import commands as c
from phone_bridge.call.commands import Command, Listen, SessionCommand
from phone_bridge.call.events import CallerHeard, Event, SessionClosed, VoiceStarted
from phone_bridge.call.rules import Rules
from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, Unavailable
from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.runtime.connect import SESSION_BUDGET_MS
from phone_bridge.runtime.pump import MAX_NONSENSE
from phone_bridge.sessions.chronapilot import ChronaPilot, ChronaPilotWire, handing_on
from phone_bridge.sessions.chronapilot import messages as m
from tests.audio.speechlike import vowel
from tests.clock import run_virtual, settle
from tests.runtime.pumping import FRAME, LINE_MS, Stage, sound_of, start_of, virtual

# Sound and duties


@virtual
async def test_sound_goes_both_ways() -> None:
    stage = await Stage().opened()
    before = len(stage.assistant.sound)
    stage.carrier.speak(*[FRAME] * 50)
    await settle()
    assert abs(len(stage.assistant.sound) - before - 48_000) <= 96  # a second at 24 kHz, but for the filter's delay
    answer = sound_of("answer", 500)
    stage.assistant.reply("rsp_1", answer[:1000], answer[1000:])
    await settle()
    assert stage.carrier.sound.endswith(answer)
    await asyncio.sleep(1)
    stage.carrier.hang_up()
    await stage.over()
    assert stage.pump.trace.counts.stray_marks == 0
    assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("caller", "")


@virtual
async def test_each_duty_goes_to_its_own_wire() -> None:
    stage = await Stage().opened()
    stage.assistant.propose("act_1")
    await asyncio.sleep(1.5)
    stage.carrier.press("1")
    await settle()
    assert stage.assistant.words == [m.ActionConfirm("act_1")]
    assert stage.carrier.clears == 1  # the rest of the question need not be heard any more

    await asyncio.sleep(2)
    stage.assistant.propose("act_2")
    await asyncio.sleep(1.5)
    stage.carrier.press("2")
    await settle()
    stage.assistant.tell(m.ActionExpired("act_2", "declined"), m.ResponseCreated("rsp_9"))
    stage.assistant.tell(m.AudioDelta(audio=sound_of("long", 3000), response_id="rsp_9"))
    await asyncio.sleep(0.5)
    stage.assistant.tell(m.SpeechStarted())
    await settle()
    assert [type(word) for word in stage.assistant.words] == [m.ActionConfirm, m.TextAppend, m.ResponseCancel]
    assert stage.carrier.clears == 3
    stage.carrier.hang_up()
    await stage.over()


# Opening


@virtual
async def test_the_caller_is_greeted_while_the_session_opens() -> None:
    stage = Stage()
    stage.network.mint_seconds = 2
    await stage.begin()
    await asyncio.sleep(0.1)
    assert stage.carrier.heard("greeting")
    assert stage.network.assistant is None
    stage.carrier.hang_up()
    await stage.over(1)


@virtual
async def test_what_the_caller_says_meanwhile_is_not_lost() -> None:
    stage = Stage()
    stage.network.mint_seconds = 1
    await stage.begin()
    for number in range(100):  # two seconds, a step of loudness every frame
        stage.carrier.speak(bytes([0xFF - number]) * 160)
        await asyncio.sleep(0.02)
    samples = memoryview(stage.assistant.sound).cast("h")
    assert abs(len(samples) - 100 * 480) <= 48
    middles = [samples[place] for place in range(240, len(samples), 480)]
    assert middles == sorted(middles)
    assert middles[0] < 20 < 2_000 < middles[-1]
    stage.carrier.hang_up()
    await stage.over()


@virtual
async def test_settings_are_never_dropped_as_sound_is() -> None:
    stage = Stage()
    stage.network.congested = True
    await stage.begin()
    stage.carrier.speak(FRAME)
    await asyncio.sleep(0.05)
    stage.carrier.speak(*[FRAME] * 9_000)
    await settle()
    stage.network.near.unstick()
    await asyncio.sleep(0.1)
    assert stage.network.near.socket.dropped > 0
    assert isinstance(stage.assistant.heard[0], m.SessionUpdate)
    stage.carrier.hang_up()
    await stage.over()


@pytest.mark.parametrize("where", ["mint", "dial"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unavailable("later", code="http_503"), "session_unavailable"),
        (Refused("no", code="http_403"), "session_refused"),
        (RemoteError("what", code="bad_handshake"), "session_refused"),
    ],
)
def test_a_session_that_cannot_be_had_is_told_in_words_and_the_call_ends(
    error: BridgeError, told: str, where: str
) -> None:
    async def story() -> None:
        stage = Stage()
        if where == "mint":
            stage.network.error = error
        else:
            stage.network.dial_error = error
        await stage.begin()
        await stage.over()
        assert stage.carrier.heard("apology_unavailable")
        assert stage.carrier.code == 1000
        assert stage.carrier.quiet_at <= stage.carrier.code_at <= stage.carrier.quiet_at + 0.01
        assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("bridge", told)
        assert ("DELETE" in stage.network.log) == (where == "dial")

    run_virtual(story())


@virtual
async def test_an_apology_comes_within_three_seconds_even_when_the_mint_hangs() -> None:
    stage = Stage()
    stage.network.mint_seconds = 3600
    stage.voice.seconds = 0.3
    await stage.begin()
    await stage.over()
    assert SESSION_BUDGET_MS / 1000 < stage.carrier.first_heard("apology_unavailable") <= 3.0
    assert stage.pump.trace.error == "session_unavailable"


@virtual
async def test_an_apology_does_not_wait_for_the_greeting() -> None:
    stage = Stage()
    stage.network.mint_seconds = 0.51
    stage.network.error = Refused("no")
    await stage.begin()
    await stage.over()
    assert stage.carrier.heard("greeting")
    assert stage.carrier.clears == 1
    assert stage.carrier.first_heard("apology_unavailable") == pytest.approx(0.52, abs=0.01)
    assert stage.pump.trace.transcript[0].text == "Hello, this is your calendar"


@virtual
async def test_a_session_that_is_slow_comes_in_time_while_the_greeting_sounds() -> None:
    stage = Stage()
    stage.network.mint_seconds = 3.2
    stage.voice.lengths["greeting"] = 4_000
    await stage.begin()
    await asyncio.sleep(4.2)
    assert stage.carrier.clears == 0
    stage.assistant.reply("rsp_1", sound_of("answer", 300))
    await settle()
    assert stage.carrier.heard("answer")
    assert not stage.carrier.heard("apology_unavailable")
    assert stage.network.log == ["POST", "dial"]
    stage.carrier.hang_up()
    await stage.over()


@virtual
async def test_no_greeting_is_cut_by_an_apology_for_a_session_that_is_silent() -> None:
    stage = Stage()
    stage.network.mint_seconds = 3600
    stage.voice.lengths["greeting"] = 4_000
    await stage.begin()
    await stage.over()
    assert stage.carrier.clears == 0
    assert 4.0 < stage.carrier.first_heard("apology_unavailable") < 4.2
    assert stage.pump.trace.error == "session_unavailable"


# Our own voice


@virtual
async def test_a_greeting_that_cannot_be_said_is_left_out() -> None:
    stage = Stage()
    stage.voice.dumb["greeting"] = Unavailable("hoarse")
    await stage.opened()
    assert stage.carrier.sound == b""
    stage.assistant.reply("rsp_1", sound_of("answer", 100))
    await settle()
    assert stage.carrier.heard("answer")
    stage.carrier.hang_up()
    await stage.over()
    assert stage.pump.trace.counts.troubles == 1


@virtual
async def test_a_question_that_cannot_be_asked_is_a_no() -> None:
    stage = Stage()
    stage.voice.dumb["question.cancel_event"] = Unavailable("hoarse")
    await stage.opened()
    await stage.asked()
    (told,) = stage.assistant.words
    assert isinstance(told, m.TextAppend)
    assert stage.carrier.heard("not_asked")
    stage.carrier.hang_up()
    await stage.over()
    assert [asked.verdict for asked in stage.pump.trace.actions] == ["expired"]


@virtual
async def test_an_apology_that_cannot_be_said_ends_the_call_at_once() -> None:
    stage = Stage()
    stage.voice.dumb["apology_unavailable"] = Unavailable("hoarse")
    stage.network.error = Refused("no")
    await stage.begin()
    await stage.over(1)
    assert stage.carrier.code == 1000


@virtual
async def test_an_apology_that_is_never_made_ends_the_call_all_the_same() -> None:
    stage = Stage()
    stage.network.error = Refused("no")
    stage.voice.seconds = 3600
    await stage.begin()
    await stage.over(Rules().prompt_ms / 1000 + 1)


# The session's end


ONE_MOMENT_SECONDS = 0.7  # within which a caller hears that a session was lost
BACK_SECONDS = 3.0  # within which there is a new one


def lose(stage: Stage, code: int) -> float:
    """Have the session's socket closed, or vanish; give the time."""
    if code == 1006:
        stage.network.near.break_off()
    else:
        stage.assistant.socket.close(code)
    return stage.loop.time()


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 4008, 4429])
def test_a_session_that_drops_is_replaced_and_told_what_was_said(code: int) -> None:
    async def story() -> None:
        stage = await Stage().opened()
        stage.assistant.tell(m.TranscriptFinal("What is next?"), m.ResponseCreated("rsp_1"))
        stage.assistant.tell(m.TextDelta("Lunch is next.", "rsp_1"))
        stage.assistant.tell(m.AudioDelta(audio=sound_of("lunch", 300), response_id="rsp_1"))
        await settle()
        first, lost_at = stage.assistant, lose(stage, code)
        await asyncio.sleep(0.5)
        assert stage.carrier.first_heard("one_moment") - lost_at < ONE_MOMENT_SECONDS
        assert stage.assistant is not first
        (told,) = stage.assistant.words
        assert isinstance(told, m.TextAppend)
        handed_on = handing_on.read(told.text)
        assert handed_on is not None
        assert handed_on.turns[0] == c.Turn("caller", "What is next?")
        assert handed_on.answer
        assert stage.loop.time() - lost_at < BACK_SECONDS
        stage.carrier.speak(FRAME)
        await settle()
        assert len(stage.assistant.sound) >= len(FRAME)
        stage.carrier.hang_up()
        await stage.over()
        assert stage.network.log.count("POST") == stage.network.log.count("DELETE") == 2
        assert (stage.pump.trace.counts.losses, stage.pump.trace.error) == (1, "")

    run_virtual(story())


@pytest.mark.parametrize(
    ("code", "error"),
    [(4008, "session_unavailable"), (1006, "session_unavailable"), (4429, "session_unavailable")],
)
def test_a_session_that_cannot_be_had_again_is_told_in_words_and_without_long_silence(code: int, error: str) -> None:
    async def story() -> None:
        stage = await Stage().opened()
        stage.network.error = Unavailable("down", code="http_503")
        lost_at = lose(stage, code)
        await stage.over()
        assert stage.carrier.heard("apology_unavailable")
        assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("bridge", error)
        assert stage.pump.trace.counts.losses == 1 + Rules().session_failures
        sounds = [lost_at, *(at for at, _ in stage.carrier.played if at > lost_at)]
        assert all(later - at < BACK_SECONDS + LINE_MS / 1000 for at, later in pairwise(sounds))

    run_virtual(story())


@virtual
async def test_a_session_that_drops_again_and_again_is_given_up() -> None:
    stage = await Stage().opened()
    stage.network.when_dialled = lambda: stage.assistant.socket.close(1011)
    lose(stage, 1011)
    await stage.over()
    assert len(stage.network.assistants) == 1 + Rules().session_failures
    assert stage.carrier.heard("apology_unavailable")
    assert stage.pump.trace.error == "session_lost"


@virtual
async def test_a_refusal_ends_the_search_for_a_new_session() -> None:
    stage = await Stage().opened()
    stage.network.error = Refused("no", code="http_403")
    lose(stage, 1006)
    await stage.over()
    assert stage.network.log.count("POST") == 2
    assert stage.pump.trace.error == "session_refused"


@virtual
async def test_a_session_that_falls_silent_in_the_midst_of_a_reply_is_replaced() -> None:
    stage = await Stage().opened()
    stage.assistant.tell(m.ResponseCreated("rsp_1"), m.AudioDelta(audio=sound_of("half", 500), response_id="rsp_1"))
    await settle()
    first, silent_at = stage.assistant, stage.carrier.quiet_at
    await asyncio.sleep(8)
    assert stage.carrier.first_heard("one_moment") - silent_at < ONE_MOMENT_SECONDS
    assert stage.assistant is not first
    stage.carrier.hang_up()
    await stage.over()


@virtual
async def test_an_action_that_was_confirmed_is_looked_up_and_never_sent_again() -> None:
    stage = await Stage().opened()
    await stage.asked("act_1")
    stage.network.event = {"id": "evt_1", "is_cancelled": True}
    stage.carrier.press("1")
    await settle()
    lose(stage, 1006)
    await asyncio.sleep(3)
    assert "GET" in stage.network.log
    assert stage.carrier.heard("done_before")
    assert [asked.outcome for asked in stage.pump.trace.actions] == ["executed"]
    (told,) = stage.assistant.words
    assert isinstance(told, m.TextAppend)
    handed_on = handing_on.read(told.text)
    assert handed_on is not None
    assert [done.outcome for done in handed_on.done] == ["executed"]
    stage.assistant.propose("act_1")
    await asyncio.sleep(3)
    stage.carrier.press("1")
    await asyncio.sleep(1)
    stage.carrier.hang_up()
    await stage.over()
    confirmed = [word for each in stage.network.assistants for word in each.words if isinstance(word, m.ActionConfirm)]
    assert confirmed == [m.ActionConfirm("act_1")]


@virtual
async def test_a_session_near_its_end_is_changed_at_a_pause_without_a_gap() -> None:
    stage = await Stage(ttl_seconds=60).opened()
    stage.assistant.tell(m.TranscriptFinal("What is next?"))
    stage.assistant.reply("rsp_1", sound_of("lunch", 1000))
    await asyncio.sleep(28)
    assert len(stage.network.assistants) == 1
    await asyncio.sleep(3)
    first, second = stage.network.assistants
    assert (first.code, second.code) == (1000, None)
    (told,) = second.words
    assert isinstance(told, m.TextAppend)
    handed_on = handing_on.read(told.text)
    assert handed_on is not None
    assert not handed_on.answer
    second.reply("rsp_2", sound_of("unwanted", 500))
    second.tell(m.TranscriptFinal("And then?"))
    second.reply("rsp_3", sound_of("dinner", 500))
    await asyncio.sleep(2)
    assert not stage.carrier.heard("unwanted")
    assert stage.carrier.heard("dinner")
    assert not stage.carrier.heard("one_moment")
    assert stage.carrier.clears == 0
    stage.carrier.hang_up()
    await stage.over()
    assert (stage.pump.trace.counts.renewals, stage.pump.trace.counts.losses) == (1, 0)


@virtual
async def test_a_spare_session_that_is_lost_is_made_anew() -> None:
    stage = await Stage(ttl_seconds=60).opened()
    stage.assistant.tell(m.ResponseCreated("rsp_1"))  # no pause
    for _ in range(320):
        stage.assistant.tell(m.AudioDelta(audio=sound_of("long", 100), response_id="rsp_1"))
        await asyncio.sleep(0.1)
    assert len(stage.network.assistants) == 2
    stage.assistant.socket.close(1011)
    for _ in range(40):
        stage.network.assistants[0].tell(m.AudioDelta(audio=sound_of("long", 100), response_id="rsp_1"))
        await asyncio.sleep(0.1)
    assert len(stage.network.assistants) == 3
    assert stage.network.assistants[0].code is None
    stage.carrier.hang_up()
    await stage.over()


@virtual
async def test_a_session_that_ends_lets_its_last_words_be_heard() -> None:
    stage = await Stage().opened()
    stage.assistant.reply("rsp_1", sound_of("goodbye then", 2500))
    stage.assistant.socket.close(1000, "completed")
    await stage.over()
    assert stage.carrier.sound.endswith(sound_of("goodbye then", 2500))
    assert not stage.carrier.heard("apology_unavailable")
    assert stage.carrier.clears == 0
    assert stage.carrier.code == 1000
    assert stage.carrier.quiet_at <= stage.carrier.code_at <= stage.carrier.quiet_at + 0.01
    assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("assistant", "")


@virtual
async def test_marks_that_never_come_back_hold_no_line_open() -> None:
    stage = await Stage().opened()
    stage.carrier.gives_marks_back = False
    stage.assistant.reply("rsp_1", sound_of("goodbye then", 1000))
    stage.assistant.socket.close(1000, "completed")
    await stage.over(1 + Rules().farewell_ms / 1000 + 0.5)


@virtual
async def test_nonsense_of_a_session_is_skipped() -> None:
    stage = await Stage().opened()
    for _ in range(3):
        stage.assistant.tell(*['{"type":"transcript.final"}'] * (MAX_NONSENSE - 1), m.SpeechStopped())
    await asyncio.sleep(0.1)
    stage.assistant.reply("rsp_1", sound_of("answer", 100))
    await settle()
    assert stage.carrier.heard("answer")
    stage.carrier.hang_up()
    await stage.over()
    assert stage.pump.trace.counts.troubles == 3 * (MAX_NONSENSE - 1)


@virtual
async def test_nothing_but_nonsense_is_a_lost_session() -> None:
    stage = await Stage().opened()
    first = stage.assistant
    first.tell(*[b"binary"] * (MAX_NONSENSE + 5))
    await asyncio.sleep(0.5)
    assert stage.assistant is not first
    assert stage.carrier.heard("one_moment")
    stage.carrier.hang_up()
    await stage.over()
    assert stage.pump.trace.counts.losses == 1


# The leg's end


@pytest.mark.parametrize("way", ["stop", "close", "vanish"])
def test_a_caller_who_is_gone_ends_everything_within_a_second(way: str) -> None:
    async def story() -> None:
        stage = await Stage().opened()
        await stage.asked()
        stage.assistant.reply("rsp_1", sound_of("more", 1000))
        if way == "stop":
            stage.carrier.hang_up()
        elif way == "close":
            stage.carrier.socket.close(1000)
        else:
            stage.near.break_off()
        await stage.over(1)
        assert stage.assistant.code == 1000
        assert stage.network.log == ["POST", "dial", "DELETE"]
        ended_by = "caller" if way == "stop" else "carrier"
        assert (stage.pump.trace.ended_by, stage.pump.trace.error) == (ended_by, "" if way == "stop" else "leg_lost")
        assert [asked.verdict for asked in stage.pump.trace.actions] == ["unanswered"]
        assert not [word for word in stage.assistant.words if isinstance(word, m.ActionConfirm)]

    run_virtual(story())


@pytest.mark.parametrize("silent", ["leg", "session", "farewell"])
def test_a_peer_that_does_not_answer_the_end_is_not_waited_for(silent: str) -> None:
    async def story() -> None:
        stage = await Stage().opened()
        stage.near.silent = silent == "leg"
        stage.network.near.silent = silent == "session"
        stage.network.delete_seconds = 3600 if silent == "farewell" else 0.01
        stage.carrier.say(stage.carrier.codec.stop())
        await stage.over(1)

    run_virtual(story())


@pytest.mark.parametrize("after", [0.005, 0.015, 0.0201, 0.03])
def test_a_caller_who_goes_while_the_session_opens_leaves_none(after: float) -> None:
    async def story() -> None:
        stage = Stage()
        await stage.begin()
        await asyncio.sleep(after)
        stage.carrier.hang_up()
        await stage.over(1)
        assert stage.network.log.count("DELETE") == stage.network.log.count("dial")

    run_virtual(story())


@virtual
async def test_a_session_that_opens_as_the_caller_goes_is_parted_from() -> None:
    stage = Stage()
    stage.network.when_dialled = lambda: stage.near.socket.hear(stage.carrier.codec.stop())
    await stage.begin()
    await stage.over(1)
    assert stage.network.log == ["POST", "dial", "DELETE"]
    assert stage.assistant.code == 1000


@virtual
async def test_a_leg_that_talks_nonsense_ends_the_call_with_a_name() -> None:
    stage = await Stage().opened()
    stage.carrier.say(*["nonsense"] * 51)
    await stage.over(1)
    assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("carrier", "malformed_stream")


# Ending it


@virtual
async def test_whoever_ends_a_call_lets_it_say_goodbye() -> None:
    stage = await Stage().opened()
    stage.pump.end("api")
    await stage.over()
    assert stage.carrier.heard("goodbye")
    assert stage.carrier.quiet_at <= stage.carrier.code_at <= stage.carrier.quiet_at + 0.01
    assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("api", "")
    stage.pump.end("api")  # again is no mistake
    await stage.over()


@virtual
async def test_a_call_can_be_ended_before_it_has_begun() -> None:
    stage = Stage()
    stage.pump.end("api")
    await stage.begin()
    await stage.over()
    assert stage.carrier.heard("goodbye")
    assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("api", "")


@virtual
async def test_a_session_that_cannot_be_had_is_no_error_of_a_call_that_was_ended() -> None:
    stage = Stage()
    stage.network.mint_seconds = 0.5
    stage.network.error = Refused("no")
    await stage.begin()
    stage.pump.end("api")
    await stage.over()
    assert not stage.carrier.heard("apology_unavailable")
    assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("api", "")


@virtual
async def test_a_call_whose_task_is_cancelled_leaves_nothing() -> None:
    stage = await Stage().opened()
    stage.carrier.speak(FRAME)
    stage.network.near.silent = True
    stage.near.silent = True
    await stage.asked()
    stage.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage.over(1)
    assert stage.network.log[-1] == "DELETE"


# Mistakes of our own


class BadLeg(TwilioStream):
    """A leg's wire with a mistake in one of its methods."""

    def __init__(self, bad: str) -> None:
        super().__init__(start_of("1"))
        self.bad = bad

    def receive(self, data: str | bytes, now: int) -> list[Event]:
        return [] if _mistaken(self.bad == "leg receives") else super().receive(data, now)

    def outgoing(self) -> list[str | bytes]:
        return [] if _mistaken(self.bad == "leg says") else super().outgoing()

    def expire(self, now: int) -> list[Event]:
        return [] if _mistaken(self.bad == "leg waits") else super().expire(now)


class BadSession(ChronaPilotWire):
    """The same of a session's wire."""

    bad = ""

    def receive(self, data: str | bytes, now: int) -> list[Event]:
        return [] if _mistaken(self.bad == "session receives") else super().receive(data, now)

    def send(self, command: SessionCommand, now: int) -> None:
        if not _mistaken(self.bad == "session sends" and isinstance(command, Listen)):
            super().send(command, now)

    def closed(self, code: int, reason: str = "") -> SessionClosed:
        _mistaken(self.bad == "session closes")
        return super().closed(code, reason)


class BadDialect(ChronaPilot, frozen=True, kw_only=True):
    bad: str = ""

    def wire(self, leg: Format) -> ChronaPilotWire:
        _mistaken(self.bad == "session begins")
        wire = BadSession(leg, m.SessionSettings())
        wire.bad = self.bad
        return wire


def _mistaken(here: bool) -> bool:
    if here:
        raise ZeroDivisionError
    return False


@pytest.mark.parametrize(
    "where",
    [
        "leg receives",
        "leg says",
        "leg waits",
        "session begins",
        "session receives",
        "session sends",
        "session closes",
        "voice",
    ],
)
def test_a_mistake_ends_its_own_call_and_is_raised_when_all_is_taken_down(where: str) -> None:
    async def story() -> None:
        dialect = BadDialect(base_url="http://session.test", key="sk_test_1", user_id="usr_1", bad=where)
        stage = Stage(leg=BadLeg(where), dialect=dialect)
        if where == "voice":
            stage.voice.dumb["greeting"] = ZeroDivisionError()
        await stage.begin()
        await asyncio.sleep(0.1)
        stage.carrier.speak(FRAME)
        if stage.network.assistant is not None:
            stage.assistant.tell(m.SpeechStopped())
            if where == "session closes":
                stage.assistant.socket.close(1000)
        with pytest.raises(ZeroDivisionError):
            await stage.over(3)
        assert stage.carrier.heard("apology_failed") == (where != "leg says")
        assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("bridge", "bridge_failed")
        assert stage.carrier.code == 1000
        assert stage.network.log[-1] == "DELETE" or stage.network.log == ["POST"]

    run_virtual(story())


@virtual
async def test_a_mistake_at_the_opening_does_not_pass_for_a_refusal() -> None:
    stage = Stage()
    stage.network.error = LocalError("ours")
    await stage.begin()
    with pytest.raises(LocalError):
        await stage.over(3)
    assert stage.carrier.heard("apology_failed")
    assert (stage.pump.trace.ended_by, stage.pump.trace.error) == ("bridge", "bridge_failed")


async def speak(stage: Stage, ms: int) -> None:
    """Let the caller hum a vowel."""
    voice = linear_to_ulaw(vowel(ms).astype("<i2").tobytes())
    for place in range(0, len(voice), 160):
        stage.carrier.speak(voice[place : place + 160])
        await asyncio.sleep(0.02)


# Consent


@pytest.mark.parametrize(("begins", "verdict"), [(0.4, None), (1.3, m.ActionConfirm("act_1"))])
def test_a_yes_counts_from_when_the_voice_itself_began(begins: float, verdict: m.ActionConfirm | None) -> None:
    """The session tells nothing but words; the line tells when they began: before the action was named, or after."""

    async def story() -> None:
        stage = await Stage().opened()
        stage.assistant.propose("act_1")
        await asyncio.sleep(begins)
        await speak(stage, 800)
        await asyncio.sleep(0.5)
        stage.assistant.tell(m.TranscriptFinal("yes"))
        await settle()
        assert stage.assistant.words == ([verdict] if verdict else [])
        stage.carrier.hang_up()
        await stage.over()

    run_virtual(story())


class ClockedLeg(TwilioStream):
    """A leg whose sound is heard when its turn comes, as by SIP."""

    def __init__(self) -> None:
        super().__init__(start_of("1"))
        self._held: list[Event] = []
        self._turn = 0

    def receive(self, data: str | bytes, now: int) -> list[Event]:
        facts = super().receive(data, now)
        heard = [fact for fact in facts if isinstance(fact, CallerHeard)]
        self._held += heard
        return [fact for fact in facts if fact not in heard]

    def deadline(self) -> int:
        return self._turn

    def expire(self, now: int) -> list[Event]:
        held, self._held, self._turn = self._held, [], now + 20
        return held


@virtual
async def test_a_voice_is_noticed_in_what_a_leg_s_clock_brings() -> None:
    stage = await Stage(leg=ClockedLeg()).opened()
    told: list[Event] = []
    process = stage.call.process

    def watched(event: Event, now: int) -> list[Command]:
        told.append(event)
        return process(event, now)

    stage.call.process = watched  # type: ignore[method-assign]  # to see what the call is told
    await stage.asked()
    voice = linear_to_ulaw(vowel(800).astype("<i2").tobytes())
    for place in range(0, len(voice), 160):
        stage.carrier.speak(voice[place : place + 160])
        await asyncio.sleep(0.02)
    assert any(isinstance(event, VoiceStarted) for event in told)
    assert set(stage.call.trace.timeline.levels()[0]) > {"0"}, "and seen on the picture of the call"
    stage.carrier.hang_up()
    await stage.over()


# The caller's word


@pytest.mark.parametrize("clocked", [False, True])
def test_a_voice_on_the_line_interrupts_a_session_that_says_nothing_of_it(clocked: bool) -> None:
    """The documents have no ``speech.started``; who waits for a transcript has talked over the caller by then."""

    async def story() -> None:
        stage = await Stage(leg=ClockedLeg() if clocked else None).opened()
        stage.assistant.tell(m.AudioDelta(audio=sound_of("reply", 4_000)))
        await asyncio.sleep(0.5)
        assert stage.carrier.clears == 0
        await speak(stage, 400)
        assert stage.carrier.clears == 1
        assert stage.assistant.words == [m.ResponseCancel()]
        stage.carrier.hang_up()
        await stage.over()

    run_virtual(story())


def test_a_session_that_tells_of_the_voice_itself_is_left_to_it() -> None:
    async def story() -> None:
        stage = await Stage().opened()
        stage.assistant.tell(m.SpeechStarted(), m.SpeechStopped(), m.AudioDelta(audio=sound_of("reply", 4_000)))
        await asyncio.sleep(0.5)
        await speak(stage, 400)
        assert stage.carrier.clears == 0
        stage.carrier.hang_up()
        await stage.over()

    run_virtual(story())


# Slow peers and time


@virtual
async def test_a_session_that_reads_slowly_loses_old_sound_and_no_word() -> None:
    stage = await Stage().opened()
    near = stage.network.near
    near.stuck = True
    await stage.asked()
    stage.carrier.press("2")
    for _ in range(9_000):  # more than an outbox holds, though it would time out in real time
        stage.carrier.speak(FRAME)
    await settle()
    near.unstick()
    await asyncio.sleep(0.1)
    assert near.socket.dropped > 500
    (told,) = stage.assistant.words
    assert isinstance(told, m.TextAppend)
    assert stage.carrier.code is None
    stage.carrier.hang_up()
    await stage.over()


@virtual
async def test_a_silent_line_is_padded_and_an_open_end_gets_its_mark() -> None:
    stage = await Stage().opened()
    stage.carrier.speak(FRAME)
    await asyncio.sleep(0.1)
    heard = len(stage.assistant.sound)
    await asyncio.sleep(10)
    assert abs(len(stage.assistant.sound) - heard - 10 * 48_000) <= 2 * 48_000

    stage.assistant.tell(m.ResponseCreated("rsp_1"))
    stage.assistant.tell(m.AudioDelta(audio=sound_of("half", 130), response_id="rsp_1"))
    marks = stage.carrier.marks
    await asyncio.sleep(0.2)
    assert stage.carrier.marks == marks + 2
    stage.carrier.hang_up()
    await stage.over()


@virtual
async def test_an_idle_call_hardly_looks_at_the_clock() -> None:
    stage = await Stage(rules=Rules(silence_ms=120_000)).opened()
    stage.carrier.speak(FRAME)
    await asyncio.sleep(1)
    looks = stage.looks
    await asyncio.sleep(60)
    assert stage.looks - looks <= 60 * 2 * 3  # the line's padding, twice a second
    stage.carrier.hang_up()
    await stage.over()


@virtual
async def test_a_call_goes_by_its_own_deadlines() -> None:
    stage = await Stage(rules=Rules(silence_ms=2_000, last_silence_ms=1_000)).opened()
    await stage.over()
    assert stage.carrier.heard("still_there")
    assert stage.carrier.heard("goodbye_silence")
    assert stage.pump.trace.ended_by == "bridge"
    assert LINE_MS / 1000 * 3 + 3 <= stage.carrier.code_at <= LINE_MS / 1000 * 3 + 3.2


# Two calls


class Side:
    """One of two calls, whose sound, words and ids all bear its name."""

    def __init__(self, name: str, frame: bytes) -> None:
        self.name = name
        self.stage = Stage(name)
        self.frame = frame
        self.count = 0

    def act(self, action: str) -> None:
        stage, self.count = self.stage, self.count + 1
        mark = f"{self.name}:{self.count}"
        match action:
            case "speak":
                stage.carrier.speak(*[self.frame] * 5)
            case "reply":
                stage.assistant.reply(mark, sound_of(mark, 150))
            case "words":
                stage.assistant.tell(m.SpeechStarted(), m.TranscriptFinal(f"words of {mark}"))
            case "propose":
                stage.assistant.propose(mark, mark)
            case _:
                stage.carrier.press(action)

    def check(self, other: "Side") -> None:
        stage, foreign = self.stage, f"{other.name}:"
        assert foreign.encode() not in stage.carrier.sound
        assert foreign not in str(stage.assistant.words)
        assert foreign not in str(stage.pump.trace.transcript) + str(stage.pump.trace.actions)
        samples = memoryview(stage.assistant.sound).cast("h")
        right = max((abs(sample) for sample in samples if (sample > 0) is (self.name == "up")), default=0)
        wrong = max((abs(sample) for sample in samples if (sample > 0) is not (self.name == "up")), default=0)
        assert wrong <= right / 4  # a filter rings a little


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(["speak", "speak", "reply", "words", "propose", "1", "2", "5"]),
            st.sampled_from([0, 0, 20, 300, 1500]),
        ),
        max_size=30,
    )
)
def test_two_calls_never_mix(actions: list[tuple[int, str, int]]) -> None:
    async def story() -> None:
        sides = [Side("up", b"\x90" * 160), Side("down", b"\x10" * 160)]
        for side in sides:
            await side.stage.begin()
        await asyncio.sleep(0.05)
        for which, action, wait_ms in actions:
            sides[which].act(action)
            await asyncio.sleep(wait_ms / 1000)
        for side in sides:
            side.stage.carrier.hang_up()
        await asyncio.wait([side.stage.running for side in sides])
        for side, other in (sides, sides[::-1]):
            await side.stage.over()
            side.check(other)

    run_virtual(story())


# Whoever watches


def test_whoever_watches_is_nudged_by_what_happens_and_not_by_the_caller_s_sound() -> None:
    async def story() -> None:
        stage = await Stage().opened()
        seen: list[str] = []

        def look() -> None:
            seen.extend(line.text for line in stage.pump.view().lines)

        stage.pump.watch(look)
        stage.carrier.speak(*[FRAME] * 10)
        await settle()
        assert seen == [], "the sound's way does not pass a watcher"
        stage.assistant.tell(m.TranscriptPartial("what is"))
        await settle()
        assert seen == ["what is"]
        stage.pump.unwatch(look)
        stage.assistant.tell(m.TranscriptPartial("what is next"))
        await settle()
        assert seen == ["what is"]
        stage.carrier.hang_up()
        await stage.over()

    run_virtual(story())


# Callers who ask for a person


async def asked_for_a_person(stage: Stage) -> None:
    await stage.opened()
    stage.assistant.tell(m.TranscriptFinal("put me through to reception"))
    await settle()


@virtual
async def test_a_caller_is_put_through_by_whoever_can_do_it() -> None:
    rung: list[str] = []

    async def put_through(name: str) -> None:
        rung.append(name)
        stage.pump.move(name)

    stage = Stage(rules=Rules(callees={"reception": True}), put_through=put_through)
    await asked_for_a_person(stage)
    await stage.over()
    assert rung == ["reception"]
    assert stage.pump.trace.ended_by == "transfer"


@pytest.mark.parametrize("error", [Refused("no", code="too_many"), Unavailable("not now"), RemoteError("what?")])
def test_a_caller_who_cannot_be_put_through_is_told_so_and_stays(error: BridgeError) -> None:
    async def put_through(name: str) -> None:
        raise error

    async def story() -> None:
        stage = Stage(rules=Rules(callees={"reception": True}), put_through=put_through)
        await asked_for_a_person(stage)
        await asyncio.sleep(1)
        assert stage.carrier.heard("transfer_failed")
        stage.carrier.hang_up()
        await stage.over()

    run_virtual(story())


@virtual
async def test_names_without_anybody_who_rings_them_are_our_own_mistake() -> None:
    stage = Stage(rules=Rules(callees={"reception": True}))
    await asked_for_a_person(stage)
    with pytest.raises(LocalError):
        await stage.over()

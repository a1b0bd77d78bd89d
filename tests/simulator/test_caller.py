"""The scripted caller, in virtual time: whose turn it is, what is said, which keys are pressed, when it hangs up."""

import pytest

from phone_bridge.simulator.caller import (
    ATTENTION_MS,
    FRAME_BYTES,
    KEY_QUIET_MS,
    PARTING_QUIET_MS,
    PATIENCE_MS,
    QUIET_MS,
    SILENT_FRAME,
    SPEECH_MS,
    TONE_MS,
    Caller,
    Manners,
    loud,
)
from phone_bridge.simulator.script import HangUp, Listen, Press, Say, Step, Wait, describe
from phone_bridge.simulator.virtual import hum

LOUD = hum("a" * 10)[:FRAME_BYTES]
HELLO = b"\x01" * (5 * FRAME_BYTES)


class Telephone:
    """Lets a caller live in frames of 20 ms and notes what it does, and when."""

    def __init__(self, *steps: Step, manners: Manners | None = None) -> None:
        self.caller = Caller(steps, {"hello": HELLO, "and more": HELLO[:100]}, manners)
        self.now = 0
        self.begun: list[tuple[int, Step]] = []
        self.keys: list[tuple[int, str]] = []
        self.said = b""
        self.hung_up_at: int | None = None
        self._take(b"")

    def _take(self, heard: bytes) -> None:
        turn = self.caller.tick(heard, self.now)
        self.said += turn.audio
        if turn.began is not None:
            self.begun.append((self.now, turn.began))
        if turn.digit:
            self.keys.append((self.now + 20, turn.digit))
        if turn.hung_up and self.hung_up_at is None:
            self.hung_up_at = self.now

    def hear(self, frame: bytes, ms: int) -> None:
        for _ in range(ms // 20):
            self.now += 20
            self._take(frame)

    def speech(self, ms: int) -> None:
        self.hear(LOUD, ms)

    def silence(self, ms: int) -> None:
        self.hear(SILENT_FRAME, ms)


def test_silence_clicks_and_a_whisper_are_not_loud_and_speech_is() -> None:
    click = b"\x80" * 7 + SILENT_FRAME[7:]
    assert not loud(SILENT_FRAME)
    assert not loud(click)
    assert not loud(b"\x7f\xff\x6f\xef" * 40)
    assert loud(b"\x80" * 8 + SILENT_FRAME[8:])
    assert loud(LOUD)


def test_the_caller_speaks_when_the_other_side_has_spoken_and_gone_quiet() -> None:
    phone = Telephone(Say("hello"))
    phone.speech(500)
    phone.silence(QUIET_MS - 20)
    assert phone.begun == []
    phone.silence(20)
    assert phone.begun == [(500 + QUIET_MS, Say("hello"))]


def test_a_pause_in_the_middle_of_an_answer_is_not_the_callers_turn() -> None:
    phone = Telephone(Say("hello"))
    for _ in range(3):
        phone.speech(400)
        phone.silence(QUIET_MS - 20)
    assert phone.begun == []


def test_a_click_is_no_greeting() -> None:
    phone = Telephone(Say("hello"))
    phone.speech(SPEECH_MS - 20)
    phone.silence(QUIET_MS * 2)
    assert phone.begun == []


def test_what_is_said_is_exactly_the_voice_filled_up_to_whole_frames() -> None:
    phone = Telephone(Say("and more", after_ms=0))
    phone.silence(100)
    assert phone.said == HELLO[:100] + SILENT_FRAME[100:] + SILENT_FRAME * 5


def test_the_next_line_waits_for_a_new_answer() -> None:
    phone = Telephone(Say("hello", after_ms=0), Say("and more"))
    phone.silence(5000)
    assert len(phone.begun) == 1
    phone.speech(300)
    phone.silence(QUIET_MS)
    assert phone.begun[1] == (5300 + QUIET_MS, Say("and more"))


def test_a_key_is_pressed_after_the_prompt_and_its_tone_takes_its_time() -> None:
    phone = Telephone(Press("1"))
    phone.speech(1000)
    phone.silence(KEY_QUIET_MS + TONE_MS)
    assert phone.keys == [(1000 + KEY_QUIET_MS + TONE_MS, "1")]


def test_several_keys_come_one_after_the_other_with_pauses() -> None:
    phone = Telephone(Press("12#", after_ms=0))
    phone.silence(1000)
    assert phone.keys == [(100, "1"), (300, "2"), (500, "#")]


def test_a_delay_counts_from_the_last_words_whatever_the_other_side_does() -> None:
    phone = Telephone(Say("hello", after_ms=0), Press("1", after_ms=300))
    phone.speech(600)
    assert phone.begun == [(0, Say("hello", after_ms=0)), (400, Press("1", after_ms=300))]


def test_listening_makes_it_possible_to_interrupt() -> None:
    phone = Telephone(Listen(200), Say("hello", after_ms=0))
    phone.silence(1000)
    phone.speech(180)
    assert phone.begun == []
    phone.speech(20)
    assert phone.begun == [(1200, Say("hello", after_ms=0))]
    assert phone.caller.speaking


def test_waiting_is_silent_and_does_not_forget_what_was_heard() -> None:
    phone = Telephone(Wait(500), Say("hello"))
    phone.speech(300)
    phone.silence(QUIET_MS)
    assert phone.begun == [(0, Wait(500)), (300 + QUIET_MS, Say("hello"))]


def test_a_polite_caller_hears_the_answer_out_and_hangs_up() -> None:
    phone = Telephone(Say("hello", after_ms=0))
    phone.silence(200)
    phone.speech(1000)
    phone.silence(PARTING_QUIET_MS)
    assert phone.hung_up_at == 1200 + PARTING_QUIET_MS
    assert phone.caller.left == ()
    assert phone.caller.complaints == []


def test_a_caller_who_stays_never_hangs_up() -> None:
    phone = Telephone(manners=Manners(stay=True))
    phone.speech(500)
    phone.silence(2 * PATIENCE_MS)
    assert phone.hung_up_at is None
    assert phone.caller.complaints == []


def test_hanging_up_in_the_script_ends_it() -> None:
    phone = Telephone(HangUp(after_ms=100), Say("hello"))
    phone.silence(400)
    assert phone.hung_up_at == 100
    assert phone.begun == [(100, HangUp(after_ms=100))]
    assert phone.caller.left == ()


def test_patience_ends_and_is_complained_of() -> None:
    phone = Telephone(Say("hello"))
    phone.silence(PATIENCE_MS - 20)
    assert phone.begun == []
    phone.silence(20)
    assert phone.begun == [(PATIENCE_MS, Say("hello"))]
    assert phone.caller.complaints == [f"the caller heard nothing for {PATIENCE_MS} ms before: say 'hello'"]
    assert phone.caller.ear.longest_silence_ms == PATIENCE_MS


def test_an_answer_without_end_is_interrupted_at_last() -> None:
    phone = Telephone(Say("hello"))
    phone.speech(ATTENTION_MS)
    assert phone.begun == [(ATTENTION_MS, Say("hello"))]
    assert "never given the turn" in phone.caller.complaints[0]


def test_steps_that_were_not_done_are_left() -> None:
    phone = Telephone(Say("hello", after_ms=0), Press("1"))
    assert [describe(step) for step in phone.caller.left] == ["say 'hello'", "press 1"]
    phone.silence(200)
    assert [describe(step) for step in phone.caller.left] == ["press 1"]


def test_answers_are_timed_from_the_end_of_the_words() -> None:
    phone = Telephone(Say("hello"))
    phone.silence(300)
    phone.speech(200)
    phone.silence(QUIET_MS + 100 + 640)
    phone.speech(200)
    assert phone.caller.ear.reply_ms == [300, 640]
    assert phone.caller.ear.first_sound_at == 300


@pytest.mark.parametrize(("pause", "longest"), [(900, 900), (100, 300)])
def test_the_longest_silence_is_one_that_the_other_side_broke(pause: int, longest: int) -> None:
    phone = Telephone(manners=Manners(stay=True))
    phone.silence(300)
    phone.speech(100)
    phone.silence(pause)
    phone.speech(100)
    phone.silence(5000)
    assert phone.caller.ear.longest_silence_ms == longest


def test_manners_can_be_changed() -> None:
    phone = Telephone(Say("hello"), manners=Manners(quiet_ms=200, parting_quiet_ms=400, patience_ms=600))
    phone.speech(100)
    phone.silence(200)
    assert phone.begun == [(300, Say("hello"))]
    phone.silence(100 + 600)
    assert phone.hung_up_at == 1000

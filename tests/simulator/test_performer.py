"""Verbs that make sound and collect keys, on a line in virtual time."""

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.tones import dtmf
from phone_bridge.simulator.caller import Caller, Manners
from phone_bridge.simulator.duties import Speak
from phone_bridge.simulator.line import FrameSpoken, KeyPressed, Line, MarkPlayed
from phone_bridge.simulator.performer import Gathered, Performed, Performer
from phone_bridge.simulator.recorder import Recorded
from phone_bridge.simulator.verbs import Gather, Pause, Play, Record, Say

SECOND = b"\x01" * 8000


class Stage:
    """A performer on a line, and a clock."""

    def __init__(self) -> None:
        self.line = Line(Caller((), {}, Manners(stay=True)), 0)
        self.performer = Performer(self.line)
        self.now = 0
        self.spoken: list[Speak] = []
        self.ends: list[tuple[int, Performed | Gathered | Recorded]] = []

    def perform(self, verb: Say | Play | Pause | Gather | Record) -> list[Speak]:
        return self.performer.perform(verb, self.now)

    def pass_to(self, now: int) -> None:
        while self.now < now:
            self.now = min([now, *(at for at in (self.line.deadline(), self.performer.deadline()) if at is not None)])
            for fact in self.line.advance(self.now):
                if isinstance(fact, MarkPlayed | FrameSpoken):
                    self._take(*self.performer.tell(fact, self.now))
            if ended := self.performer.expire(self.now):
                self.ends.append((self.now, ended))

    def press(self, digit: str) -> None:
        self._take(*self.performer.tell(KeyPressed(digit, self.now), self.now))

    def speak(self, ms: int) -> None:
        """Let the caller be heard for so long."""
        for _ in range(ms // 20):
            self.pass_to(self.now + 20)
            self._take(*self.performer.tell(FrameSpoken(b"\x80" * 160, self.now), self.now))

    def _take(self, spoken: list[Speak], end: Performed | Gathered | Recorded | None) -> None:
        self.spoken += spoken
        if end is not None:
            self.ends.append((self.now, end))


def test_say_is_spoken_by_somebody_else_and_ends_when_it_was_heard() -> None:
    stage = Stage()
    (speak,) = stage.perform(Say("hello", "de-DE"))
    assert (speak.text, speak.language) == ("hello", "de-DE")
    stage.pass_to(500)
    stage.performer.spoken(speak.id, SECOND)
    stage.pass_to(3000)
    assert stage.ends == [(1500, Performed())]
    assert bytes(stage.line.heard).count(b"\x01") == 8000


def test_say_in_a_loop_is_heard_again_and_again() -> None:
    stage = Stage()
    (speak,) = stage.perform(Say("hello", loop=3))
    stage.performer.spoken(speak.id, SECOND)
    stage.pass_to(4000)
    assert stage.ends == [(3000, Performed())]


def test_a_text_without_a_sound_ends_at_once() -> None:
    stage = Stage()
    (speak,) = stage.perform(Say(""))
    stage.performer.spoken(speak.id, b"")
    stage.pass_to(20)
    assert stage.ends == [(1, Performed())]


def test_digits_are_heard_as_tones_with_half_a_second_for_w() -> None:
    stage = Stage()
    stage.perform(Play("1w2"))
    stage.pass_to(2000)
    assert stage.ends == [(900, Performed())]
    silence = PCMU_8K.silence * 4000
    assert bytes(stage.line.heard).startswith(dtmf("1", PCMU_8K) + silence + dtmf("2", PCMU_8K))


@pytest.mark.parametrize(("seconds", "end"), [(2, 2000), (0, 1)])
def test_a_pause_is_as_long_as_it_says(seconds: int, end: int) -> None:
    stage = Stage()
    stage.perform(Pause(seconds))
    stage.pass_to(3000)
    assert stage.ends == [(end, Performed())]


def test_a_gather_waits_from_the_end_of_its_prompts() -> None:
    stage = Stage()
    gather = Gather(prompts=(Pause(1), Say("one or two?")), timeout_s=3)
    assert stage.perform(gather) == []
    stage.pass_to(1000)
    (speak,) = stage.spoken
    stage.performer.spoken(speak.id, SECOND)
    stage.pass_to(4999)
    assert stage.ends == []
    stage.pass_to(5000)
    assert stage.ends == [(5000, Gathered(gather, ""))]


def test_a_key_silences_the_prompt_and_the_time_begins_anew() -> None:
    stage = Stage()
    gather = Gather(prompts=(Pause(10), Say("never heard")), timeout_s=3)
    stage.perform(gather)
    stage.pass_to(500)
    stage.press("4")
    assert stage.line.playout.buffered == 0
    stage.pass_to(3000)
    stage.press("2")
    stage.pass_to(7000)
    assert stage.ends == [(6000, Gathered(gather, "42"))]
    assert stage.spoken == []


@pytest.mark.parametrize(
    ("gather", "keys", "digits", "finished_on"),
    [
        (Gather(num_digits=1), "1", "1", ""),
        (Gather(num_digits=4), "1234", "1234", ""),
        (Gather(), "12#", "12", "#"),
        (Gather(finish_on_key="*"), "1#*", "1#", "*"),
        (Gather(), "#", "", "#"),
        (Gather(finish_on_key="", num_digits=2), "##", "##", ""),
    ],
)
def test_a_gather_ends_by_its_number_of_keys_or_its_last_key(
    gather: Gather, keys: str, digits: str, finished_on: str
) -> None:
    stage = Stage()
    stage.perform(gather)
    for key in keys:
        assert stage.ends == []
        stage.press(key)
    assert stage.ends == [(0, Gathered(gather, digits, finished_on))]
    assert stage.performer.deadline() is None


def test_speech_that_comes_after_the_key_is_not_heard() -> None:
    stage = Stage()
    (speak,) = stage.perform(Gather(prompts=(Say("one or two?"),), num_digits=2))
    stage.press("1")
    stage.performer.spoken(speak.id, SECOND)
    assert stage.line.playout.buffered == 0


def test_keys_mean_nothing_outside_a_gather() -> None:
    stage = Stage()
    stage.perform(Pause(1))
    stage.press("1")
    stage.pass_to(1000)
    assert stage.ends == [(1000, Performed())]


@pytest.mark.parametrize("beep", [True, False])
def test_a_message_begins_after_its_beep_and_ends_when_it_is_full(beep: bool) -> None:
    stage = Stage()
    verb = Record(max_length_s=3, play_beep=beep)
    assert stage.perform(verb) == []
    assert stage.performer.hung_up() is None  # nothing is being left yet
    stage.pass_to(5_000)
    ((at, ended),) = stage.ends
    assert ended == Recorded(verb, 0)
    assert 3_000 <= at <= 3_300
    assert bytes(stage.line.heard).strip(PCMU_8K.silence) != b"" or not beep
    assert stage.performer.deadline() is None


def test_a_message_that_is_being_left_ends_with_the_call() -> None:
    stage = Stage()
    verb = Record()
    stage.perform(verb)
    stage.pass_to(1_000)
    assert stage.performer.hung_up() == Recorded(verb, 0, "hangup")
    assert stage.performer.hung_up() is None


# Words


def test_words_end_the_prompts_of_a_gather_that_wants_them_and_then_the_gather() -> None:
    stage = Stage()
    gather = Gather(prompts=(Pause(20),), timeout_s=5, num_digits=1, speech_timeout_s=3)
    stage.perform(gather)
    stage.pass_to(2_000)
    stage.speak(1_000)
    stage.pass_to(30_000)
    assert stage.ends == [(6_000, Gathered(gather, "", spoken=True))]


def test_a_gather_for_words_alone_hears_no_keys_and_one_for_keys_no_words() -> None:
    stage = Stage()
    words, keys = Gather(timeout_s=3, keys=False, speech_timeout_s=1), Gather(prompts=(Pause(4),), timeout_s=3)
    stage.perform(words)
    stage.press("1")
    stage.pass_to(3_000)
    stage.perform(keys)
    stage.speak(200)
    stage.pass_to(20_000)
    assert stage.ends == [(3_000, Gathered(words, "")), (10_000, Gathered(keys, ""))]

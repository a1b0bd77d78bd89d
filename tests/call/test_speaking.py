from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call.confirmation import Question
from phone_bridge.call.events import Action
from phone_bridge.call.language import Language
from phone_bridge.call.rules import Rules
from phone_bridge.call.speaking import Speaker
from phone_bridge.call.trace import Sample, Trace

SECOND = b"\x11" * PCMU_8K.size(1_000)


class Desk:
    def __init__(self, language: str = "en") -> None:
        self.trace = Trace(0)
        self.out: list[c.Command] = []
        rules = Rules(language=language)
        self.speaker = Speaker(PCMU_8K, rules, Language(rules), self.trace, self.out, 0)

    def marks(self, until: int) -> None:
        """Let every mark that was set come back at ``until``."""
        for command in self.out:
            if isinstance(command, c.Play) and command.mark:
                self.speaker.ledger.reached(command.mark, until)
        self.speaker.settle(until)

    def said(self) -> list[tuple[int, str, str]]:
        return [(said.at_ms, said.speaker, said.text) for said in self.trace.transcript]


def test_a_key_is_a_sentence_and_a_line_is_itself() -> None:
    desk = Desk("de")
    prompt = desk.speaker.speak("goodbye", c.Line("own", "Hallo."), now=0)
    assert [line.text for line in prompt.lines] == ["Auf Wiederhören.", "Hallo."]
    assert desk.out == [c.Speak(prompt.name, prompt.lines, "de")]


def test_what_was_played_to_its_end_is_written_down_with_its_speaker_and_time() -> None:
    desk = Desk()
    prompt = desk.speaker.speak("goodbye", now=0)
    desk.speaker.play_prompt(prompt, (SECOND,), 100)
    desk.speaker.play("rsp_1", SECOND, 150)
    desk.speaker.caption("rsp_1", "Lunch ")
    desk.speaker.caption("rsp_1", "is next.")
    desk.speaker.finish("rsp_1", 150)
    assert desk.speaker.unsettled(150) == [("bridge", "Goodbye."), ("assistant", "Lunch is next.")]
    desk.marks(2_100)
    assert desk.said() == [(100, "bridge", "Goodbye."), (1_100, "assistant", "Lunch is next.")]
    assert desk.speaker.unsettled(2_100) == []


def test_what_was_cut_is_written_down_and_told_as_far_as_it_was_heard() -> None:
    desk = Desk()
    prompt = desk.speaker.speak("goodbye", now=0)
    desk.speaker.play_prompt(prompt, (SECOND,), 0)
    desk.speaker.play("rsp_1", SECOND, 0)
    desk.speaker.caption("rsp_1", "one two three four")
    desk.out.clear()
    assert desk.speaker.flush(1_500)
    assert desk.out == [c.Flush(), c.Truncate("rsp_1", 500)]
    assert desk.said()[-1] == (1_000, "assistant", "one two")
    assert desk.trace.counts.cut_ms == 500
    assert Sample("truncate_doubt_ms", 500) in desk.trace.samples
    assert not desk.speaker.flush(1_500)


def test_a_leg_that_is_gone_is_told_nothing() -> None:
    desk = Desk()
    desk.speaker.play("rsp_1", SECOND, 0)
    desk.speaker.caption("rsp_1", "one two")
    desk.out.clear()
    desk.speaker.forsake(500)
    assert desk.out == []
    assert desk.said() == [(0, "assistant", "one")]


def test_a_question_knows_which_words_name_its_action_and_how_long_they_sound() -> None:
    desk, question = Desk(), Question("act_1", Action("cancel_event"), 0)
    naming = c.Line("question.cancel_event", "I am about to cancel an event.")
    prompt = desk.speaker.speak("again_unknown", naming, "keys", now=0, question=question)
    desk.speaker.play_prompt(prompt, (SECOND, SECOND[:4_000], SECOND), 0)
    assert (question.naming, question.words, question.words_ms) == (prompt.item(1), naming.text, 500)


def test_words_of_a_reply_that_never_sounded_are_forgotten() -> None:
    desk = Desk()
    desk.speaker.caption("rsp_1", "unheard")
    desk.speaker.finish("rsp_1", 0)
    desk.speaker.play("rsp_1", SECOND, 0)
    desk.speaker.finish("rsp_1", 0)
    desk.marks(1_000)
    assert desk.said() == []


def test_the_first_sound_is_measured_once() -> None:
    desk = Desk()
    for now in (40, 90):
        desk.speaker.play(f"rsp_{now}", SECOND, now)
    assert desk.trace.samples == [Sample("first_sound_ms", 40)]

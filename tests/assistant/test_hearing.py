import asyncio
import importlib.util
from collections.abc import Iterator, Sequence
from types import SimpleNamespace as Namespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant import hearing_worker, speaking_worker
from phone_bridge.assistant.hearing import (
    END_OF_TURN_MS,
    MAX_UTTERANCE_MS,
    PAUSE_MS,
    PRE_ROLL_MS,
    TAIL_MS,
    SphinxEar,
    Utterances,
)
from phone_bridge.assistant.ports import Expecting, Mood, Notice, SpeechBegan, SpeechEnded, SpeechPaused, SpeechWentOn
from phone_bridge.assistant.speaking import PITCH, SPEED, VOICES
from phone_bridge.assistant.spelling import arpabet
from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMU_8K
from phone_bridge.audio.path import path
from phone_bridge.audio.whole import pcm16
from phone_bridge.call.assent import Assent
from phone_bridge.call.assent import understand as judge
from phone_bridge.errors import Unavailable
from tests.audio.speechlike import vowel

STRANGE = "zabrinovich"
TITLES = ("Team meeting", "Dentist appointment", "Lunch with Carol", "Yoga class")
Found = Sequence[Notice]


def silence(ms: int) -> bytes:
    return bytes(LINEAR_16K.size(ms))


def word(ms: int) -> bytes:
    """Something that a listener takes for a voice, at 16 kHz."""
    return path(LINEAR_8K, LINEAR_16K).push(pcm16(vowel(ms)))


def ended(found: Found) -> list[SpeechEnded]:
    return [event for event in found if isinstance(event, SpeechEnded)]


def test_an_utterance_begins_and_ends_with_sound_around_it() -> None:
    found = Utterances().push(silence(1_000) + word(800) + silence(1_000))
    began, paused, end = found
    assert isinstance(began, SpeechBegan)
    assert isinstance(end, SpeechEnded)
    assert abs(began.at_ms - 1_000) < 120
    assert abs(end.at_ms - 1_800) < 120
    spoken = end.at_ms - began.at_ms
    assert LINEAR_16K.ms(len(end.utterance)) == spoken + PRE_ROLL_MS + TAIL_MS
    assert isinstance(paused, SpeechPaused)
    assert abs(paused.at_ms - end.at_ms) < 20
    assert end.utterance.startswith(paused.utterance[: -LINEAR_16K.size(20)])


def test_the_first_word_may_come_at_once() -> None:
    (end,) = ended(Utterances().push(word(800) + silence(1_000)))
    assert LINEAR_16K.ms(len(end.utterance)) >= 800


def test_a_pause_within_a_turn_does_not_end_it() -> None:
    pause = END_OF_TURN_MS - 150
    assert len(ended(Utterances().push(word(600) + silence(pause) + word(600) + silence(1_000)))) == 1
    assert len(ended(Utterances().push(word(600) + silence(1_000) + word(600) + silence(1_000)))) == 2


def test_a_pause_is_noticed_when_it_is_long_enough_and_when_it_is_over() -> None:
    assert [type(event) for event in Utterances().push(word(600) + silence(PAUSE_MS - 80) + word(600))] == [SpeechBegan]
    found = Utterances().push(word(600) + silence(PAUSE_MS + 80) + word(600) + silence(1_000))
    kinds = [type(event) for event in found]
    assert kinds == [SpeechBegan, SpeechPaused, SpeechWentOn, SpeechPaused, SpeechEnded]


def test_silence_has_no_utterance() -> None:
    ear = Utterances()
    assert ear.push(silence(5_000)) == []
    assert ear.flush() == []


def test_a_talker_without_end_is_cut() -> None:
    syllables = (MAX_UTTERANCE_MS + 3_000) // 600
    utterances = ended(Utterances().push((word(500) + silence(100)) * syllables + silence(1_000)))
    assert len(utterances) == 2
    assert LINEAR_16K.ms(len(utterances[0].utterance)) <= MAX_UTTERANCE_MS + PRE_ROLL_MS + 20


def test_a_turn_can_be_ended_or_forgotten_by_others() -> None:
    ear = Utterances()
    ear.push(silence(500) + word(800))
    (end,) = ear.flush()
    assert isinstance(end, SpeechEnded)
    assert LINEAR_16K.ms(len(end.utterance)) >= 800
    ear.push(word(800))
    ear.clear()
    assert ended(ear.push(silence(1_000))) == []
    assert len(ended(ear.push(word(800) + silence(1_000)))) == 1


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 20_000), max_size=8))
def test_the_cut_of_the_sound_changes_little(cuts: list[int]) -> None:
    sound = silence(400) + word(700) + silence(900)

    def pieces() -> Iterator[bytes]:
        at = 0
        for cut in cuts:
            yield sound[at : at + 2 * cut]
            at += 2 * cut
        yield sound[at:]

    ear, found = Utterances(), []
    for piece in pieces():
        found += ear.push(piece)
    (whole,), (cut_up,) = ended(Utterances().push(sound)), ended(found)
    assert abs(whole.at_ms - cut_up.at_ms) <= 1
    assert abs(len(whole.utterance) - len(cut_up.utterance)) <= LINEAR_16K.size(2)


def test_without_the_extra_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"pip install 'phone_bridge\[speech\]'"):
        SphinxEar()


# Real speech


@pytest.fixture(scope="module")
def hearer() -> hearing_worker.Hearer:
    return hearing_worker.Hearer()


@pytest.fixture(scope="module")
def espeak() -> speaking_worker.Espeak:
    return speaking_worker.Espeak()


def by_phone(espeak: speaking_worker.Espeak, text: str) -> bytes:
    """Say ``text`` over a simulated line, and give the one utterance that comes out."""
    sound = speaking_worker.finished(*espeak.speak(text, VOICES["en"], SPEED, PITCH), LINEAR_24K.rate)
    line = path(LINEAR_24K, PCMU_8K).push(bytes(LINEAR_24K.size(400)) + sound + bytes(LINEAR_24K.size(900)))
    (end,) = ended(Utterances().push(path(PCMU_8K, LINEAR_16K).push(line)))
    return end.utterance


@pytest.mark.speech
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Appointments.", "appointments"),
        ("The opening hours, please.", "the opening hours please"),
        ("I want to speak to a person.", "i want to speak to a person"),
        ("Can you hear me?", ""),
        ("My grandmother used to bake wonderful cakes in winter.", ""),
        ("Cancel my next meeting.", ""),
    ],
)
def test_a_menu_s_choice_is_heard_and_nothing_else_is(
    hearer: hearing_worker.Hearer, espeak: speaking_worker.Espeak, text: str, words: str
) -> None:
    phrases = ["appointments", "message", "opening hours", "a person", "operator"]
    assert hearer.hear(by_phone(espeak, text), Mood.CHOICE.value, phrases, {})[0] == words


@pytest.mark.speech
@pytest.mark.parametrize(
    ("text", "mood", "words"),
    [
        ("What is my next meeting?", Mood.WISH, "what is my next meeting"),
        ("Cancel it.", Mood.WISH, "cancel it"),
        ("Cancel my next meeting.", Mood.WISH, "cancel my next meeting"),
        ("Cancel the yoga class.", Mood.WISH, "cancel the yoga class"),
        ("Yes.", Mood.CONSENT, "yes"),
        ("No.", Mood.CONSENT, "no"),
        ("No, leave it.", Mood.CONSENT, "no leave it"),
        ("That is not right.", Mood.CONSENT, ""),
        ("Don't confirm it.", Mood.CONSENT, "don't confirm it"),
        ("Certainly.", Mood.CONSENT, "certainly"),
        ("Certainly not.", Mood.CONSENT, "certainly not"),
        ("My grandmother used to bake wonderful cakes in winter.", Mood.WISH, ""),
        ("Please turn down the radio, I am on the telephone.", Mood.CONSENT, ""),
    ],
)
def test_callers_are_heard_and_nonsense_is_not(
    hearer: hearing_worker.Hearer, espeak: speaking_worker.Espeak, text: str, mood: Mood, words: str
) -> None:
    titles = ["dentist appointment", "lunch with carol", "team meeting", "yoga class"]
    heard, confidence = hearer.hear(by_phone(espeak, text), mood.value, titles, {})
    assert heard == words
    assert (confidence > 0) == bool(words)


@pytest.mark.speech
@pytest.mark.parametrize(
    ("text", "mood", "words"),
    [
        ("The second one.", Mood.WHICH, "the second one"),
        ("Friday.", Mood.WHEN, "friday"),
        ("Only this one.", Mood.SCOPE, "only this one"),
        ("Half an hour.", Mood.LENGTH, "half an hour"),
        ("What is my next meeting?", Mood.SCOPE, "what is my next meeting"),
    ],
)
def test_what_answers_a_question_is_heard_and_a_wish_in_its_place(
    hearer: hearing_worker.Hearer, espeak: speaking_worker.Espeak, text: str, mood: Mood, words: str
) -> None:
    assert hearer.hear(by_phone(espeak, text), mood.value, sorted(map(str.lower, TITLES)), {})[0] == words


class Forgetful:
    """A decoder as PocketSphinx is where it has a next best sentence, and no words for it."""

    def __init__(self, *sentences: str | None) -> None:
        self._found = [Namespace(hypstr=sentence) if sentence else None for sentence in sentences]

    def start_utt(self) -> None: ...

    def process_raw(self, pcm: bytes, *, full_utt: bool) -> None: ...

    def end_utt(self) -> None: ...

    def hyp(self) -> Namespace | None:
        return self._found[0]

    def nbest(self) -> Iterator[Namespace | None]:
        return iter(self._found)


@pytest.mark.speech
def test_a_sentence_without_words_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Forgetful("cancel the the", None, "cancel it")
    monkeypatch.setattr(hearing_worker, "_decoder", lambda *_: decoder)
    assert hearing_worker.Hearer().hear(silence(500), "wish", [], {})[0] == "cancel it"


@pytest.mark.speech
def test_too_little_sound_says_nothing(hearer: hearing_worker.Hearer) -> None:
    for size in (0, hearing_worker.SHORTEST_BYTES - 2):
        assert hearer.hear(bytes(size), "wish", [], {}) == ("", 0.0)
    assert hearer.hear(bytes(LINEAR_16K.size(1_000)), "wish", [], {})[0] == ""


@pytest.mark.speech
def test_a_name_is_heard_once_it_is_spelled_and_breaks_nothing_before(
    hearer: hearing_worker.Hearer, espeak: speaking_worker.Espeak
) -> None:
    utterance = by_phone(espeak, f"Cancel the lunch with {STRANGE}.")
    assert hearer.unknown(["lunch", STRANGE]) == [STRANGE]
    title = [f"lunch with {STRANGE}"]
    assert STRANGE not in hearer.hear(utterance, "wish", title, {})[0]
    spelled = {STRANGE: arpabet(espeak.spell(STRANGE))}
    assert hearer.hear(utterance, "wish", title, spelled)[0].endswith(f"lunch with {STRANGE}")


@pytest.mark.speech
def test_only_so_many_grammars_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing_worker, "SENTENCES", 50)
    hearer = hearing_worker.Hearer()
    for number in range(hearing_worker.GRAMMARS_KEPT + 2):
        hearer.hear(b"", "wish", [f"plan {'nine ' * number}"], {})
    assert len(hearer._ready) == hearing_worker.GRAMMARS_KEPT


@pytest.mark.speech
def test_the_ear_hears_from_its_programs_and_survives_who_gives_up(espeak: speaking_worker.Espeak) -> None:
    utterance = by_phone(espeak, "Cancel it.")
    noise = np.random.default_rng(1).normal(0, 300, 16_000).astype("<i2").tobytes()

    async def call() -> None:
        ear = SphinxEar(workers=1)
        ear.prepare(Expecting(Mood.WISH, TITLES))
        hasty = asyncio.create_task(ear.hear(noise, Expecting()))
        await asyncio.sleep(0)
        hasty.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hasty
        heard = await ear.hear(utterance, Expecting(Mood.WISH, (*TITLES, f"Talk to {STRANGE}")))
        assert heard.text == "cancel it"
        assert (await ear.hear(noise, Expecting(Mood.CONSENT))).text == ""
        await ear.close()
        with pytest.raises(Unavailable, match="closed"):
            await ear.hear(utterance, Expecting())

    asyncio.run(call())


@pytest.mark.speech
@pytest.mark.parametrize("text", ["Shed.", "Young.", "Oh.", "Mole."])
def test_what_sounds_like_an_answer_is_none(
    hearer: hearing_worker.Hearer, espeak: speaking_worker.Espeak, text: str
) -> None:
    heard, _ = hearer.hear(by_phone(espeak, text), Mood.CONSENT.value, list(TITLES), {})
    assert judge(heard) is not Assent.YES

"""The offline ear: where an utterance begins and ends, and what it says, by PocketSphinx in worker programs."""

import asyncio
import contextlib
import importlib.util
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from phone_bridge.assistant.grammar import PHRASES_MAX, spoken
from phone_bridge.assistant.ports import (
    Expecting,
    Heard,
    Mood,
    Notice,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechWentOn,
)
from phone_bridge.assistant.speaking import EspeakSpeller
from phone_bridge.assistant.worker import Workers
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.audio.level import VoiceActivity
from phone_bridge.errors import Unavailable

END_OF_TURN_MS = 500
"""Silence that ends an utterance."""

PAUSE_MS = 120
"""Silence after which an utterance may be over: it is recognised then, ahead of its time."""

PRE_ROLL_MS = 250
"""Sound before the first voiced frame that belongs to the utterance: a soft consonant that nothing noticed."""

TAIL_MS = 300
"""Sound after the last voiced frame that belongs to it."""

MAX_UTTERANCE_MS = 15_000
"""A longer utterance is cut here, and what follows is another: the decoder's work and our memory have an end."""

WORKERS = 2
"""Programs that decode. One decodes two seconds of speech in a third of a second."""

TIMEOUT_SECONDS = 20.0
"""How long one utterance may take, with the start of the program."""

SPELLINGS_KEPT = 64
"""Sets of titles whose unknown words are remembered with their pronunciation."""

_MODULE = "phone_bridge.assistant.hearing_worker"
_NOTICED_LATE_MS = 500  # how long after its beginning a voice may be noticed
_KEPT_BYTES = LINEAR_16K.size(PRE_ROLL_MS + _NOTICED_LATE_MS)

Spell = Callable[[list[str]], Awaitable[dict[str, str]]]


class Utterances:
    """Find utterances in linear 16 kHz sound; the only clock is the sound that was pushed."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._first = 0  # where in all the sound that was pushed the kept part begins, in bytes
        self._begins: int | None = None
        self._paused = False
        self._listen()

    def push(self, audio: bytes) -> list[Notice]:
        """Listen to ``audio`` of any length that is whole samples."""
        found: list[Notice] = []
        step = LINEAR_16K.size(20)
        for start in range(0, len(audio), step):
            found += self._take(audio[start : start + step])
        return found

    def flush(self) -> list[Notice]:
        """End the utterance that is going on, if one is."""
        if self._begins is None:
            return []
        ended = self._end(self._now())
        self._listen()
        return [ended]

    def clear(self) -> None:
        """Forget the utterance that is going on."""
        self._begins, self._paused = None, False
        self._forget()
        self._listen()

    def _take(self, audio: bytes) -> list[Notice]:
        self._kept += audio
        found: list[Notice] = []
        for voiced in self._activity.push(audio, self._now()):
            if voiced.started:
                self._begins = max(0, voiced.at)
                found.append(SpeechBegan(self._begins))
            elif self._begins is not None:
                found.append(self._end(voiced.at))
        if self._begins is None:
            self._forget()
        elif self._now() - self._begins >= MAX_UTTERANCE_MS:
            found += self.flush()
        else:
            found += self._pause(self._begins)
        return found

    def _pause(self, begins: int) -> list[Notice]:
        """Notice once that a silence has become long enough, and that it is over."""
        before, self._paused = self._paused, self._activity.pause_ms >= PAUSE_MS
        if before == self._paused:
            return []
        if before:
            return [SpeechWentOn(self._now())]
        at = max(begins, self._now() - self._activity.pause_ms)
        return [SpeechPaused(at, self._cut(begins, at))]

    def _end(self, at: int) -> SpeechEnded:
        begins, self._begins, self._paused = self._begins or 0, None, False
        utterance = self._cut(begins, at)
        self._forget()
        return SpeechEnded(at, utterance)

    def _cut(self, begins: int, ends: int) -> bytes:
        start = max(0, LINEAR_16K.size(max(0, begins - PRE_ROLL_MS)) - self._first)
        return bytes(self._kept[start : max(start, LINEAR_16K.size(ends + TAIL_MS) - self._first)])

    def _now(self) -> int:
        return LINEAR_16K.ms(self._first + len(self._kept))

    def _forget(self) -> None:
        old = max(0, len(self._kept) - _KEPT_BYTES)
        del self._kept[:old]
        self._first += old

    def _listen(self) -> None:
        self._activity = VoiceActivity(LINEAR_16K, stop_hold_ms=END_OF_TURN_MS)


class SphinxEar:
    """Recognise sentences of the calendar's grammars with PocketSphinx, in ``workers`` programs.

    ``spell`` pronounces words that the dictionary lacks; what it cannot pronounce is not heard, and harms nothing.
    Raises Unavailable at once where the ``speech`` extra is not installed.
    """

    def __init__(self, *, workers: int = WORKERS, spell: Spell | None = None) -> None:
        if importlib.util.find_spec("pocketsphinx") is None:
            raise Unavailable("the offline ear is not installed: pip install 'phone_bridge[speech]'", code="no_ear")
        self._workers = Workers(_MODULE, count=workers, timeout_seconds=TIMEOUT_SECONDS)
        self._speller = EspeakSpeller()
        self._spell: Spell = spell or self._speller.spell
        self._spelled: OrderedDict[tuple[str, ...], dict[str, str]] = OrderedDict()
        self._learning: set[asyncio.Task[None]] = set()

    def prepare(self, expecting: Expecting) -> None:
        """Begin to learn what ``expecting`` says, so that the next utterance need not wait; returns at once.

        Whoever may wish anything may be asked for consent next, which is learned with it.
        """
        moods = (Mood.WISH, Mood.CONSENT) if expecting.mood is Mood.WISH else (expecting.mood,)
        task = asyncio.create_task(self._learn(expecting, moods))
        self._learning.add(task)
        task.add_done_callback(self._learning.discard)

    async def _learn(self, expecting: Expecting, moods: Sequence[Mood]) -> None:
        phrases = _phrases(expecting)
        with contextlib.suppress(Unavailable):  # whoever is heard next is told
            spellings = await self._spellings(phrases)
            for mood in moods:
                await self._workers.tell_each(_wish(mood, phrases, spellings))

    async def close(self) -> None:
        """End the programs."""
        for task in self._learning:
            task.cancel()
        await asyncio.gather(self._workers.close(), self._speller.close())
        await asyncio.gather(*self._learning, return_exceptions=True)

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        """Recognise one utterance (linear 16 kHz); raises Unavailable when recognition cannot be had."""
        phrases = _phrases(expecting)
        spellings = await self._spellings(phrases)
        answer = await self._ask(_wish(expecting.mood, phrases, spellings) + utterance)
        heard = json.loads(answer)
        return Heard(heard["text"], heard["confidence"])

    async def _spellings(self, phrases: tuple[str, ...]) -> dict[str, str]:
        """Find how the words of ``phrases`` that the dictionary lacks are pronounced; asked once for each set."""
        if phrases not in self._spelled:
            words = sorted({word for phrase in phrases for word in phrase.split()})
            unknown = json.loads(await self._ask(json.dumps({"words": words}).encode() + b"\n")) if words else []
            self._spelled[phrases] = await self._spell(unknown) if unknown else {}
            while len(self._spelled) > SPELLINGS_KEPT:
                self._spelled.popitem(last=False)
        return self._spelled.get(phrases, {})

    async def _ask(self, request: bytes) -> bytes:
        answer = await self._workers.ask(request)
        if answer is None:
            raise Unavailable("the offline ear could not decode an utterance", code="ear_failed")
        return answer


def _phrases(expecting: Expecting) -> tuple[str, ...]:
    return tuple(sorted({*map(spoken, expecting.phrases[:PHRASES_MAX])} - {""}))


def _wish(mood: Mood, phrases: tuple[str, ...], spellings: dict[str, str]) -> bytes:
    head = {"mood": mood.value, "phrases": phrases, "spellings": spellings}
    return json.dumps(head).encode() + b"\n"

"""Listening ahead: an utterance is recognised in a short silence already, and a whole wish ends the turn early.

A listener who has understood answers sooner than one who has not. While the silence that ends a turn still goes on, the
words so far are recognised already; if they are a wish to which nothing is wanting, a shorter silence is enough. If the
caller goes on, the early words are forgotten. An answer to a proposal is not cut short: "yes" may go on "but at four".
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import date

from phone_bridge.assistant.ports import (
    Ear,
    Endpointer,
    Expecting,
    Heard,
    Mood,
    Notice,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechWentOn,
)
from phone_bridge.assistant.understanding import SURE, understand
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.errors import BridgeError

WHOLE_TURN_MS = 280
"""Silence that ends a turn whose words are a whole wish; people who talk to each other leave 200 on the average."""

SAME_END_MS = 20
"""Two ends of speech that are less than a frame apart are the same one."""

_OPEN_ENDS = frozenset(  # words after which more must come
    "a an the my to for with at on in of and or but from between until by before after about this next please".split()  # noqa: SIM905
)
_ANY_DAY = date(2000, 1, 1)  # whether a wish is whole depends on no day


class _Early:
    """An utterance that is being recognised ahead of its end."""

    def __init__(self, paused: SpeechPaused, expecting: Expecting, hearing: "asyncio.Task[Heard]") -> None:
        self.paused = paused
        self.expecting = expecting
        self.hearing = hearing
        self._whole: bool | None = False if expecting.mood is Mood.CONSENT else None

    def whole(self) -> bool:
        """Tell whether the words are known already, and are a wish to which nothing is wanting."""
        if self._whole is None and self.hearing.done():
            self._whole = self.hearing.exception() is None and is_whole(self.hearing.result().text)
        return bool(self._whole)


class Attention:
    """An endpointer and an ear that work together for one caller; ``expecting`` says what may be said now."""

    def __init__(self, endpointer: Endpointer, ear: Ear, expecting: Callable[[], Expecting]) -> None:
        self._endpointer = endpointer
        self._ear = ear
        self._expecting = expecting
        self._pushed = 0
        self._early: _Early | None = None
        self._ended: _Early | None = None
        self._hearing: set[asyncio.Task[Heard]] = set()  # those that are at work, and nobody may wait for any more

    def push(self, audio: bytes) -> list[SpeechBegan | SpeechEnded]:
        """Listen to linear 16 kHz ``audio``; whoever calls runs in the event loop."""
        self._pushed += len(audio)
        found = self._noticed(self._endpointer.push(audio))
        silent_ms = LINEAR_16K.ms(self._pushed) - self._early.paused.at_ms if self._early else 0
        if self._early is not None and silent_ms >= WHOLE_TURN_MS and self._early.whole():
            self._endpointer.clear()
            found += self._noticed([SpeechEnded(self._early.paused.at_ms, self._early.paused.utterance)])
        return found

    def flush(self) -> list[SpeechBegan | SpeechEnded]:
        """End the utterance that is going on, if one is."""
        return self._noticed(self._endpointer.flush())

    def clear(self) -> None:
        """Forget the utterance that is going on."""
        self._early = None
        self._endpointer.clear()

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        """Give the words of an utterance that ``push`` or ``flush`` gave; raises Unavailable as the ear does."""
        early, self._ended = self._ended, None
        if early is not None and early.paused.utterance is utterance and early.expecting == expecting:
            return await early.hearing
        return await self._ear.hear(utterance, expecting)

    def _noticed(self, events: Sequence[Notice]) -> list[SpeechBegan | SpeechEnded]:
        found: list[SpeechBegan | SpeechEnded] = []
        for event in events:
            match event:
                case SpeechPaused():
                    self._begin(event)
                case SpeechWentOn():
                    self._early = None
                case SpeechEnded():
                    found.append(self._end(event))
                case _:
                    found.append(event)
        return found

    def _begin(self, paused: SpeechPaused) -> None:
        """Recognise what was said so far, one thing at a time: a caller who stammers keeps nobody else waiting."""
        self._early = None
        if self._hearing:
            return
        expecting = self._expecting()
        hearing = asyncio.create_task(self._ear.hear(paused.utterance, expecting))
        self._hearing.add(hearing)
        hearing.add_done_callback(self._done)
        self._early = _Early(paused, expecting, hearing)

    def _done(self, hearing: "asyncio.Task[Heard]") -> None:
        self._hearing.discard(hearing)
        with contextlib.suppress(BridgeError, asyncio.CancelledError):  # told to whoever waits for the words
            hearing.result()

    def _end(self, ended: SpeechEnded) -> SpeechEnded:
        """Know that the utterance is over; if nothing was said since the pause, its words are on their way."""
        early, self._early = self._early, None
        self._ended = early if early is not None and abs(early.paused.at_ms - ended.at_ms) < SAME_END_MS else None
        return ended if self._ended is None else SpeechEnded(ended.at_ms, self._ended.paused.utterance)


def is_whole(text: str) -> bool:
    """Tell whether ``text`` is a wish that is understood for sure, and does not end on a word that wants another."""
    words = text.split()
    if not words or words[-1] in _OPEN_ENDS:
        return False
    wish = understand(text, _ANY_DAY)
    return wish.name != "fragment" and wish.confidence >= SURE

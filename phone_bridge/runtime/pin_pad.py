"""Where a PIN, or a code, is while it is keyed or spoken: here, and nowhere else.

The call knows how many digits there are and never which; the journal is written behind this, so it knows no more. What
is spoken goes to an ear of our own, in no session and at nobody's service. Digits leave by one way alone, to whoever
judges them, and are forgotten then; but for a new PIN, which is kept until it was given once more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from phone_bridge.audio.format import LINEAR_16K, Format
from phone_bridge.audio.path import path
from phone_bridge.call import events as e
from phone_bridge.call.assent import Assent, understand
from phone_bridge.call.digits import spoken_digits
from phone_bridge.call.proving import CLEAR, MAX_PIN_DIGITS, Wanted
from phone_bridge.call.through import Whom, wanted
from phone_bridge.errors import BridgeError

JUDGE_SECONDS = 6.0
"""How long a check may take; the call waits a little longer for it."""
MISSING, FAILED, DIFFERS = "missing", "failed", "differs"

PERSON = "person"
"""What is wished by who would rather be put through to somebody."""

_WISHES = {Assent.NO: "no", Assent.REPEAT: "repeat"}


class Ear(Protocol):
    """Finds what is said in a run of linear 16 kHz sound, and recognises it on this machine."""

    def push(self, audio: bytes) -> list[bytes]:
        """Listen, and give the utterances that have ended."""
        ...

    def clear(self) -> None:
        """Forget the utterance that is going on."""
        ...

    async def words(self, utterance: bytes) -> str:
        """Recognise one utterance; raises Unavailable."""
        ...


Judge = Callable[[str], Awaitable[str]]


class Desk(msgspec.Struct, frozen=True):
    """Who judges a PIN of one call's user.

    ``judge`` gives ``right``, ``wrong``, ``locked`` or ``missing``, or raises Unavailable; ``others`` judge what else
    may be wanted, see ``PinJudged``. ``ear`` is None where PINs cannot be spoken; ``min_digits`` are those of the
    shortest there is. ``send`` sends a code in a language, and gives ``sent``, ``locked`` or ``failed``; ``forget``
    is for when somebody else has come to the telephone.
    """

    judge: Judge
    ear: Ear | None = None
    min_digits: int = 6
    others: Mapping[Wanted, Judge] = MappingProxyType({})
    send: Callable[[str], Awaitable[str]] | None = None
    forget: Callable[[], None] = lambda: None


class PinPad:
    """Keep what one caller gives; ``fact`` is told what may be known of it, ``spawn`` owns the tasks."""

    def __init__(
        self,
        desk: Desk | None,
        format: Format,
        language: str,
        *,
        fact: Callable[[e.Event], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._desk = desk
        self._path = path(format, LINEAR_16K) if desk is not None and desk.ear is not None else None
        self._language = language
        self._fact = fact
        self._spawn = spawn
        self._digits = ""
        self._new = ""  # a PIN that is to be given once more
        self._judging = False
        self._turn = 0  # grows with whatever makes words that are being recognised out of date

    def __repr__(self) -> str:
        return "PinPad()"  # not what is in it

    def key(self, key: str, *, asked: bool) -> e.PinKeyed:
        """Take a key, and say what may be known of it; one that nobody ``asked`` for is forgotten at once."""
        is_digit = key.isascii() and key.isdigit()
        if asked and not self._judging:
            if is_digit:
                self._digits = (self._digits + key)[: MAX_PIN_DIGITS + 1]
            elif key == CLEAR:
                self._clear()
        return e.PinKeyed("" if is_digit else key, len(self._digits))

    def hear(self, audio: bytes) -> None:
        """Listen to the caller, in the leg's format."""
        if self._desk is None or self._desk.ear is None or self._path is None or self._judging:
            return
        for utterance in self._desk.ear.push(self._path.push(audio)):
            self._spawn(self._recognise(self._desk, self._desk.ear, utterance, self._turn))

    def forget(self) -> None:
        """Forget everything."""
        self._new = ""
        self._clear()

    def forget_proofs(self) -> None:
        """Have whoever judges forget what was proven, too."""
        self.forget()
        if self._desk is not None:
            self._desk.forget()

    def send(self, sending: int, language: str) -> None:
        """Have a code sent."""
        self._spawn(self._send(sending, language))

    def _clear(self) -> None:
        self._digits, self._judging = "", False
        self._turn += 1
        if self._desk is not None and self._desk.ear is not None:
            self._desk.ear.clear()

    def judge(self, attempt: int, wanted: str = Wanted.PIN) -> None:
        """Have what was given judged, and forget it."""
        given, new = self._digits, self._new
        self._clear()
        self._new = given if wanted == Wanted.NEW else ""
        self._judging = True
        if wanted == Wanted.ONCE_MORE and given != new:
            self._spawn(self._tell(attempt, DIFFERS, self._turn))
        else:
            self._spawn(self._judge(attempt, given, Wanted(wanted), self._turn))

    async def _judge(self, attempt: int, given: str, wanted: Wanted, turn: int) -> None:
        desk = self._desk
        judge = None if desk is None else desk.judge if wanted is Wanted.PIN else desk.others.get(wanted)
        await self._tell(attempt, await _within(judge(given)) if judge is not None else MISSING, turn)

    async def _send(self, sending: int, language: str) -> None:
        send = self._desk.send if self._desk is not None else None
        self._fact(e.CodeSent(sending, await _within(send(language)) if send is not None else FAILED))

    async def _tell(self, attempt: int, outcome: str, turn: int) -> None:
        if turn == self._turn:
            self._judging = False
        self._fact(e.PinJudged(attempt, outcome))

    async def _recognise(self, desk: Desk, ear: Ear, utterance: bytes, turn: int) -> None:
        try:
            text = await ear.words(utterance)
        except BridgeError:
            return  # the keys are there still
        if turn != self._turn or not text.strip():
            return
        said = spoken_digits(text, self._language)
        if said:
            whole = len(said) >= desk.min_digits  # who says all of it says it from the first digit
            self._digits = (said if whole else self._digits + said)[: MAX_PIN_DIGITS + 1]
        wish = "" if said else _wish(text, self._language)
        if wish == "repeat":
            self.forget()
        self._fact(e.PinSpoken(len(self._digits), wish))


def _wish(text: str, language: str) -> str:
    return PERSON if wanted(text, language).whom is not Whom.NOBODY else _WISHES.get(understand(text, language), "")


async def _within(work: Awaitable[str]) -> str:
    """Give what comes of ``work`` in its time."""
    try:
        async with asyncio.timeout(JUDGE_SECONDS):
            return await work
    except (BridgeError, TimeoutError):
        return FAILED

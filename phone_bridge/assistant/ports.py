"""What a voice session asks of its ear, its mind, its hands and its voice; each is made elsewhere and handed in.

The turn of the caller goes round like this::

    audio ─▶ Utterances.push ─▶ SpeechEnded(utterance) ─▶ Ear.hear ─▶ Conversation.heard ─▶ moves
                             ╰▶ SpeechPaused(utterance) ─▶ Ear.hear: ahead of its time, if the turn should end here
    moves: Say ─▶ Voice.speak ─▶ audio · Run ─▶ Tools.run ─▶ Conversation.ran ─▶ moves · Propose ─▶ the client's verdict

The session owns the consent: it gives each proposal out once, takes one verdict, runs exactly what was proposed, once.
The voice is ``phone_bridge.runtime.voice.Voice``.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from phone_bridge.call.events import Action
from phone_bridge.tools.catalogue import Policy


class Mood(StrEnum):
    """What kind of words come next: a wish in general, an answer to an open proposal, or one to a question.

    ``WHICH`` of several events or alerts, ``WHEN`` (a day, a time, or from when until when), the ``SCOPE`` of a change
    to a series (only this one, or all), a ``LENGTH`` of time. A wish may come in the place of any answer, but for the
    ``DIGITS`` of a number and the ``CHOICE`` of a menu, which is one of the phrases.
    """

    WISH = "wish"
    CONSENT = "consent"
    WHICH = "which"
    WHEN = "when"
    SCOPE = "scope"
    LENGTH = "length"
    DIGITS = "digits"
    CHOICE = "choice"


class Expecting(msgspec.Struct, frozen=True):
    """What the caller may say next, for an ear that listens by grammar; the caller is free to say something else.

    ``phrases`` are words of this caller's own: titles of events and names that the talk is about.
    """

    mood: Mood = Mood.WISH
    phrases: tuple[str, ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """What an utterance said; ``text`` is empty where nothing was understood, ``confidence`` is 0 to 1."""

    text: str
    confidence: float = 1.0


class SpeechBegan(msgspec.Struct, frozen=True):
    """The caller began to speak, ``at_ms`` of pushed sound after the first."""

    at_ms: int


class SpeechEnded(msgspec.Struct, frozen=True):
    """The caller fell silent at ``at_ms`` of pushed sound; ``utterance`` is linear 16 kHz with a little lead-in."""

    at_ms: int
    utterance: bytes


class SpeechPaused(msgspec.Struct, frozen=True):
    """The caller fell silent at ``at_ms`` for a moment: ``utterance`` is what the turn is if they say nothing more."""

    at_ms: int
    utterance: bytes


class SpeechWentOn(msgspec.Struct, frozen=True):
    """The caller spoke on after a pause; noticed at ``at_ms``."""

    at_ms: int


Notice = SpeechBegan | SpeechPaused | SpeechWentOn | SpeechEnded


class Endpointer(Protocol):
    """Finds utterances in a run of sound: pure, its only clock is the sound that was pushed."""

    def push(self, audio: bytes) -> Sequence[Notice]:
        """Listen to linear 16 kHz ``audio`` of any length that is whole samples."""
        ...

    def flush(self) -> Sequence[Notice]:
        """End the utterance that is going on, if one is: the client said that the turn is over."""
        ...

    def clear(self) -> None:
        """Forget the utterance that is going on."""
        ...


class Ear(Protocol):
    """Recognises words."""

    def prepare(self, expecting: Expecting) -> None:
        """Get ready for what may be said next, in the background; a conversation begins, or has come to a point."""
        ...

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        """Recognise one utterance (linear 16 kHz); raises Unavailable when recognition cannot be had."""
        ...


class Say(msgspec.Struct, frozen=True):
    """Speak ``text``: one sentence each, so that the first sound comes early."""

    text: str


class Intent(msgspec.Struct, frozen=True):
    """Report that the wish ``name`` (a tool's, or ``goodbye``, ``help``) was understood; comes first of its moves."""

    name: str
    confidence: float
    parameters: dict[str, Any]


class Propose(msgspec.Struct, frozen=True):
    """Ask the client for consent to exactly ``action``; ``id`` is new, and made by the conversation's injected source.

    Where the session may not ask, because of its tools or because it is about to end, ``ran`` takes the refusal.
    ``effect`` is ``calendar_write``, ``state_write``, ``outbound_message`` or ``device``.
    """

    id: str
    action: Action
    effect: str = "calendar_write"
    reversible: bool = True


class Run(msgspec.Struct, frozen=True):
    """Run a tool that needs no consent and bring its result to ``ran``; ``id`` is new, like a proposal's."""

    id: str
    action: Action


class Drop(msgspec.Struct, frozen=True):
    """Settle an open proposal without doing it; ``reason`` is a snake_case word.

    ``outcome`` is ``declined`` (the caller said no) or ``expired`` (another wish took its place).
    """

    id: str
    outcome: str
    reason: str


class HangUp(msgspec.Struct, frozen=True):
    """End the session once everything said so far was sent; comes last of its moves."""


class Think(msgspec.Struct, frozen=True):
    """Do the moves that ``moves`` gives, each before it is asked for the next: an answer that must be waited for.

    So a conversation stays pure for whoever decides at once, and one that asks elsewhere can speak its first sentence
    while the last is still to come. A ``Run`` among them has its result brought to ``ran`` before the next move.
    """

    moves: Callable[[], "AsyncGenerator[Move, None]"]


Move = Say | Intent | Propose | Run | Drop | HangUp | Think


class Conversation(Protocol):
    """One caller's talk: pure; every method returns what to do now, in order. ``now`` is aware."""

    def heard(self, text: str, now: datetime) -> list[Move]:
        """Take a turn of the caller's; empty text is speech that was not understood.

        A spoken yes to an open proposal does nothing (only the client confirms); a spoken no drops it; words that are
        neither, or are not understood, return nothing while it is open; another wish is a new turn.
        """
        ...

    def confirmed(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the caller consented; the session now runs the proposed action by itself and calls ``ran``."""
        ...

    def declined(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the client declined a proposal (it is settled already)."""
        ...

    def withdrawn(self, action_id: str, now: datetime) -> list[Move]:
        """Know that a proposal's time ran out or the client cancelled it (it is settled already)."""
        ...

    def ran(self, action_id: str, result: Mapping[str, Any], now: datetime) -> list[Move]:
        """Take what a ``Run`` or a confirmed proposal gave: ``{"ok": True, …}`` or ``{"ok": False, "error": {…}}``."""
        ...

    def expecting(self) -> Expecting:
        """Say what may be heard next."""
        ...


class Tools(Protocol):
    """The hands: what may be done for a user, and the doing."""

    def allowed(self, scopes: frozenset[str]) -> frozenset[str]:
        """Name the tools that ``scopes`` open."""
        ...

    async def run(self, user_id: str, tool: str, parameters: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Run a tool off the event loop; never raises for what a user can cause: the result is ``ok: False`` then.

        ``key`` is the same when the same action is asked for again, and must not write twice.
        """
        ...


class Mind(Protocol):
    """Begins conversations."""

    async def converse(self, user_id: str, tools: frozenset[str], policy: Policy = Policy.DEFAULT) -> Conversation:
        """Begin a talk with ``user_id`` in which only ``tools`` may be used, and ``policy`` says which of them ask."""
        ...

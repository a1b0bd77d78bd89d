"""Consent: the questions in their order, one at a time, and what counts as an answer to which.

A key counts once the caller has begun to hear its question. A spoken yes counts only when the words that name the
action were heard to their end and the yes began after them. A no counts once the question has begun. Whatever is
doubtful is no answer; silence and hanging up are a no. Each proposal is answered once and never asked again.
"""

from collections import deque
from enum import StrEnum

from phone_bridge.call.assent import Assent
from phone_bridge.call.events import Action
from phone_bridge.call.rules import Rules


class Reply(StrEnum):
    """What an answer means for the question."""

    CONFIRM = "confirm"
    DECLINE = "decline"
    WISH = "wish"  # something else is wanted: the question falls
    REPEAT = "repeat"
    WRONG_KEY = "wrong_key"
    UNCLEAR = "unclear"
    KEYPAD = "keypad"  # unclear once too often: ask for a key
    NONE = "none"


class Question:
    """One proposal on its way to an answer; times on the call's clock.

    Of a ``function`` it is we who do what is consented to; all else the session does that proposed it.
    """

    def __init__(self, id: str, action: Action, now: int, *, function: bool = False, held: bool = False) -> None:
        self.id = id
        self.function = function
        self.held = held  # it is not asked yet, nor made ready: the caller is not known well enough for that
        self.unproven = False  # the caller was asked for a PIN, and did not give the right one
        self.action = action
        self.began_at: int | None = None  # the caller began to hear the question
        self.heard_at: int | None = None  # the words that name the action were heard to their end
        self.heard_ms = 0  # how much of them
        self.naming = ""  # the ledger's item that names the action
        self.words = ""  # what it says
        self.words_ms = 0  # how long that sounds
        self.deadline: int | None = None
        self._unclear = 0
        self._opened = now

    def named(self, item: str, words: str, ms: int) -> None:
        """Know the ledger's ``item`` that names the action now, its ``words`` and its length."""
        self.naming, self.words, self.words_ms = item, words, ms

    def forget(self) -> None:
        """Know that nothing of it was heard: it is to be asked in other words, for which no old answer counts."""
        self.began_at = self.heard_at = None
        self.heard_ms = 0
        self.naming, self.words, self.words_ms = "", "", 0
        self._unclear = 0

    def begin_anew(self, now: int) -> None:
        """Have its whole time from now on, for until now something else was asked for."""
        self._opened = now

    def press(self, digit: str) -> Reply:
        """Judge a key."""
        if self.began_at is None:
            return Reply.NONE
        return {"1": Reply.CONFIRM, "2": Reply.DECLINE, "*": Reply.REPEAT}.get(digit, Reply.WRONG_KEY)

    def say(self, assent: Assent, began: int, unclear_answers: int) -> Reply:
        """Judge words whose utterance began at ``began``."""
        if self.began_at is None or assent in (Assent.ECHO, Assent.NOTHING):
            return Reply.NONE
        if assent is Assent.NO:
            return Reply.DECLINE
        if assent is Assent.WISH:
            return Reply.WISH
        if self.heard_at is None:
            return Reply.NONE
        if assent is Assent.REPEAT:
            return Reply.REPEAT
        if assent is Assent.YES and began >= self.heard_at:
            return Reply.CONFIRM
        return self._not_understood(unclear_answers)

    def wordless(self, unclear_answers: int) -> Reply:
        """Judge a voice of which no words came; the keys once asked for, noise on the line is left alone."""
        if self.heard_at is None or self._unclear >= unclear_answers:
            return Reply.NONE
        return self._not_understood(unclear_answers)

    def _not_understood(self, unclear_answers: int) -> Reply:
        self._unclear += 1
        return Reply.UNCLEAR if self._unclear < unclear_answers else Reply.KEYPAD

    def extend(self, until: int, rules: Rules) -> None:
        """Let the question wait until ``until`` for its answer, but never past its whole time."""
        self.deadline = min(until, self._opened + rules.question_ms)


class Questions:
    """Hold the proposals of one call in their order."""

    def __init__(self) -> None:
        self._seen: set[tuple[bool, str]] = set()
        self._queue: deque[Question] = deque()
        self.current: Question | None = None

    def add(self, id: str, action: Action, now: int, *, function: bool = False) -> bool:
        """Take a proposal in; False when this one was taken before, which must never be answered twice."""
        if (function, id) in self._seen:
            return False
        self._seen.add((function, id))
        self._queue.append(Question(id, action, now, function=function))
        return True

    def hold(self, id: str, action: Action, now: int) -> None:
        """Take a function in that was called and may not even be looked at yet."""
        self._queue.append(Question(id, action, now, function=True, held=True))

    def begin_anew(self) -> None:
        """Forget the ids that were taken: another session numbers its proposals in its own way."""
        self._seen.clear()

    def next(self) -> Question | None:
        """Make the oldest waiting proposal the current question."""
        if self.current is None and self._queue:
            self.current = self._queue.popleft()
        return self.current

    def waiting(self) -> bool:
        """Tell whether a proposal waits to be asked."""
        return bool(self._queue)

    @property
    def open(self) -> list[Question]:
        """All proposals, the current one first."""
        return [self.current, *self._queue] if self.current is not None else list(self._queue)

    def drop(self, id: str, *, function: bool = False) -> Question | None:
        """Take a proposal out, current or waiting; None when it is neither."""
        if self.current is not None and (self.current.function, self.current.id) == (function, id):
            question, self.current = self.current, None
            return question
        for question in self._queue:
            if (question.function, question.id) == (function, id):
                self._queue.remove(question)
                return question
        return None

    def drain(self) -> list[Question]:
        """Take all proposals out, the current one first."""
        left = self.open
        self.current = None
        self._queue.clear()
        return left

"""What is said while the PIN is asked for, and what comes of it in the end: proven, or as little known as before.

``Proving`` knows what was given and what it opens; here is the dialogue around it, which stands apart from whatever the
caller is to be known for. Every step gives a ``Move``: RIGHT and those of OVER are the caller's last ones.
"""

from collections.abc import Callable

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.announcement import Announcement
from phone_bridge.call.language import Language
from phone_bridge.call.proving import Move, Proving
from phone_bridge.call.rules import Rules
from phone_bridge.call.speaking import Speaker


class StepUp:
    """Hold the dialogue of one call; duties go to ``out``, ``flush`` stops what is sounding."""

    def __init__(
        self,
        rules: Rules,
        proving: Proving,
        speaker: Speaker,
        language: Language,
        announcement: Announcement,
        out: list[c.Command],
        flush: Callable[[int], None],
    ) -> None:
        self._rules = rules
        self._proving = proving
        self._speaker = speaker
        self._language = language
        self._announcement = announcement
        self._out = out
        self._flush = flush
        self._prompt = ""  # the line that asks

    def begin(self, key: str, now: int, *lead: c.Line | str) -> Move:
        """Ask by the sentence ``key``; ``lead`` is said before. REFUSED where there were too many wrong ones before."""
        self._proving.begin(now)
        self._out.append(c.ForgetPin())
        if self._proving.spent:
            return self._follow(Move.REFUSED, now)
        self._ask(key, now, *lead)
        return Move.NOTHING

    def keyed(self, event: e.PinKeyed, now: int) -> Move:
        """Take a key in."""
        return self._follow(self._proving.keyed(event.key, event.digits, now), now)

    def spoken(self, event: e.PinSpoken, now: int) -> Move:
        """Take in what was said."""
        return self._follow(self._proving.spoken(event.digits, event.wish, now), now)

    def judged(self, event: e.PinJudged, now: int) -> Move:
        """Take the verdict in."""
        return self._follow(self._proving.judged(event.attempt, event.outcome, now), now)

    def expire(self, now: int) -> Move:
        """Do what the passing of time asks for."""
        return self._follow(self._proving.expire(now), now)

    def is_prompt(self, name: str) -> bool:
        """Tell whether the prompt of that name is what asks."""
        return name == self._prompt

    def end(self, now: int) -> bool:
        """Ask no more, and forget what came of it so far; False where nothing was asked for."""
        if not self._proving.open:
            return False
        self._proving.end(now)
        self._speaker.prompts.take(self._prompt)
        self._out.append(c.ForgetPin())
        return True

    def _follow(self, move: Move, now: int) -> Move:
        if move is Move.NOTHING:
            return move
        if move is not Move.HUSH or not self._announcement.sounding(self._speaker.ledger, now):
            self._speaker.prompts.take(self._prompt)
            self._flush(now)
        if move is Move.JUDGE:
            self._out.append(c.JudgePin(self._proving.judge(now)))
        elif move in (Move.AGAIN, Move.WRONG):
            self._ask(f"pin_{move.value}", now)
        return move

    def _ask(self, key: str, now: int, *lead: c.Line | str) -> None:
        self._speaker.prompts.take(self._prompt)
        heard = self._rules.pin_by_voice and self._language.tag == self._rules.language  # which the ear is for
        more = ("pin_voice",) if heard and key != "pin_wrong" else ()
        prompt = self._speaker.speak(*lead, key, *more, now=now)
        self._announcement.said(prompt)
        self._prompt = prompt.name

"""What is said while the PIN is asked for, and what comes of it in the end: proven, or as little known as before.

``Proving`` knows what was given and what it opens; here is the dialogue around it, which stands apart from whatever the
caller is to be known for. There are two: to ask for the PIN, a code, or both, until something is open; and to have the
caller set a PIN. That one begins with a proof: of a caller who has a PIN that very PIN, of one who has none what the
rule of trust says (``enrol``), and where it says nothing, nobody may.

Every step gives a ``Move``: RIGHT, CHANGED and those of OVER are a dialogue's last ones.
"""

from collections.abc import Callable

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.announcement import Announcement
from phone_bridge.call.language import Language
from phone_bridge.call.proving import Move, Proving, Wanted
from phone_bridge.call.rules import Rules
from phone_bridge.call.speaking import Speaker
from phone_bridge.call.trust import Tier
from phone_bridge.call.words import knowing

_ASKED_ANEW = frozenset({Move.AGAIN, Move.WRONG, Move.WAITING, Move.SHORT, Move.WEAK, Move.SAME})
_AFTER_ANEW = frozenset({Move.WRONG, Move.WAITING})  # who has heard already how it may be given
_KINDS = {Wanted.PIN: "pin", Wanted.CODE: "code", Wanted.LOOK: "pin", Wanted.NEW: "new", Wanted.ONCE_MORE: "new"}


class StepUp:
    """Hold the dialogues of one call; duties go to ``out``, ``flush`` stops what is sounding."""

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
        self._needed = Tier.PIN
        self._how = ""
        self._enrolling = False  # there is no PIN yet
        self.changing = False
        """Whether what is asked for is to become the caller's PIN in the end."""

    def begin(self, needed: Tier, how: str, now: int, *lead: c.Line | str) -> Move:
        """Ask for what is lacking to ``needed``, in order to go on (``ask``) or to come in (``enter``).

        ``lead`` is said before. REFUSED where there were too many wrong ones before.
        """
        self._needed, self._how, self.changing = needed, how, False
        self._out.append(c.ForgetPin())
        return self._go_on(now, *lead)

    def change(self, now: int) -> Move:
        """Have the caller set a PIN, or another one, once they have proven who they are."""
        self.changing, self._enrolling, self._how = True, False, "ask"
        self._out.append(c.ForgetPin())
        self._proving.begin(now, Wanted.LOOK)
        self._judge(now)
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

    def sent(self, event: e.CodeSent, now: int) -> Move:
        """Know what came of a code."""
        return self._follow(self._proving.sent(event.sending, event.outcome), now)

    def expire(self, now: int) -> Move:
        """Do what the passing of time asks for."""
        return self._follow(self._proving.expire(now), now)

    def is_prompt(self, name: str) -> bool:
        """Tell whether the prompt of that name is what asks."""
        return name == self._prompt

    def end(self, now: int) -> bool:
        """Ask no more, and forget what came of it so far; False where nothing was asked for."""
        self.changing = False
        if not self._proving.open:
            return False
        self._proving.end(now)
        self._speaker.prompts.take(self._prompt)
        self._out.append(c.ForgetPin())
        return True

    def told(self, move: Move) -> tuple[c.Line, ...]:
        """Say what has come of it, whose last ``move`` that was."""
        if move is Move.CHANGED:
            return (self._line("new_set" if self._enrolling else "new_changed"),)
        kind = "pin" if move is Move.BARRED else _KINDS[self._proving.wanted]
        may_set = move is Move.MISSING and self._rules.pin_change and self._rules.trust.enrol is not Tier.PIN
        return (self._line(f"{kind}_{move.value}"), *((self._line("pin_may_set"),) if may_set else ()))

    def farewell(self, move: Move) -> c.Line:
        """Say goodbye to whoever may not come in, whose last ``move`` that was."""
        kind = _KINDS[self._proving.wanted]
        locked, unable = move is Move.LOCKED, move in (Move.MISSING, Move.UNSENT, Move.FAILED)
        return self._line(f"goodbye_{kind}" + ("_locked" if locked else "_unable" if unable else ""))

    def _follow(self, move: Move, now: int) -> Move:
        if move is Move.NOTHING:
            return move
        if move is not Move.HUSH or not self._announcement.sounding(self._speaker.ledger, now):
            self._speaker.prompts.take(self._prompt)
            self._flush(now)
        if move is Move.JUDGE:
            self._judge(now)
        elif move in _ASKED_ANEW:
            self._ask(now, f"{_KINDS[self._proving.wanted]}_{move.value}", hint=move not in _AFTER_ANEW)
        elif move is Move.ANOTHER:
            self._send()
            self._ask(now, "code_another")
        elif move is Move.DIFFERS:
            return self._want(Wanted.NEW, "new_differs", now)
        elif self.changing and move in (Move.RIGHT, Move.MISSING):
            return self._next_of_change(move, now)
        elif move is Move.RIGHT:
            return self._go_on(now, "pin_right")
        return move

    def _go_on(self, now: int, *lead: c.Line | str) -> Move:
        """Ask for the next thing that is lacking; RIGHT where nothing is."""
        lacking = self._proving.tier.lacks(self._needed)
        if lacking is None:
            return Move.RIGHT
        wanted = Wanted(lacking.value)
        return self._want(wanted, f"{wanted.value}_{self._how}", now, *lead)

    def _next_of_change(self, move: Move, now: int) -> Move:
        match self._proving.wanted, move:
            case Wanted.LOOK, Move.RIGHT if Wanted.PIN not in self._proving.given:
                return self._want(Wanted.PIN, "pin_old", now)
            case Wanted.LOOK, Move.MISSING:
                self._enrolling = True
                return self._enrol(now)
            case _, Move.MISSING:
                return move
            case Wanted.ONCE_MORE, _:
                return Move.CHANGED
            case Wanted.NEW, _:
                return self._want(Wanted.ONCE_MORE, "new_once_more", now)
            case _:
                return self._want(Wanted.NEW, "new_ask", now)

    def _enrol(self, now: int) -> Move:
        """Ask for what proves who sets a first PIN: where that is a PIN, nobody can."""
        needed = self._rules.trust.enrol
        if needed is not Tier.PIN and self._proving.tier.reaches(needed):
            return self._want(Wanted.NEW, "new_ask", now, "new_none")
        if needed is Tier.CODE:
            return self._want(Wanted.CODE, "code_ask", now, "new_none")
        return Move.BARRED

    def _want(self, wanted: Wanted, key: str, now: int, *lead: c.Line | str) -> Move:
        self._proving.begin(now, wanted)
        if self._proving.spent(wanted):
            self._speaker.prompts.take(self._prompt)
            self._flush(now)
            return Move.REFUSED
        if wanted is Wanted.CODE:
            self._send()
        self._ask(now, *lead, key)
        return Move.NOTHING

    def _send(self) -> None:
        self._out.append(c.SendCode(self._proving.send(), self._language.tag))

    def _judge(self, now: int) -> None:
        self._out.append(c.JudgePin(self._proving.judge(now), self._proving.wanted.value))

    def _ask(self, now: int, *lines: c.Line | str, hint: bool = True) -> None:
        """Ask by ``lines``, with a ``hint`` that it may be spoken where it may."""
        self._speaker.prompts.take(self._prompt)
        heard = self._rules.pin_by_voice and self._language.tag == self._rules.language  # which the ear is for
        known = [self._line(line) if isinstance(line, str) else line for line in lines]
        voice = "code_voice" if self._proving.wanted is Wanted.CODE else "pin_voice"
        prompt = self._speaker.speak(*known, *((self._line(voice),) if heard and hint else ()), now=now)
        self._announcement.said(prompt)
        self._prompt = prompt.name

    def _line(self, key: str) -> c.Line:
        return knowing.line(key, self._language.tag)

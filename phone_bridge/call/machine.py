"""One call: facts in, duties out, time as an argument.

The machine knows neither the carrier's language nor the assistant's. It keeps who may speak and who is heard: the
ledger (``playback``), the questions (``confirmation``), the silences (``turns``) and what is left behind (``trace``).
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from phone_bridge.audio.format import Format
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import words
from phone_bridge.call.assent import Assent, understand
from phone_bridge.call.confirmation import Question, Questions, Reply
from phone_bridge.call.playback import Cut, Ledger
from phone_bridge.call.rules import NEVER_UNASKED, Rules
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.call.turns import Due, Turns
from phone_bridge.errors import LocalError

MAX_PENDING_PROMPTS = 8  # lines of our own that may be in the making at a time


class Phase(StrEnum):
    """Where a call stands."""

    NEW = "new"
    OPENING = "opening"  # the caller is on the line, the session is not
    TALKING = "talking"
    CLOSING = "closing"  # the last words are being heard
    ENDED = "ended"


_STEPS: dict[tuple[Phase, str], Phase] = {
    (Phase.NEW, "begin"): Phase.OPENING,
    (Phase.OPENING, "open"): Phase.TALKING,
    (Phase.OPENING, "close"): Phase.CLOSING,
    (Phase.TALKING, "close"): Phase.CLOSING,
    (Phase.CLOSING, "end"): Phase.ENDED,
    (Phase.OPENING, "end"): Phase.ENDED,
    (Phase.TALKING, "end"): Phase.ENDED,
}

_SESSION_GONE = {
    "refused": "session_refused",
    "unavailable": "session_unavailable",
    "lost": "session_lost",
    "expired": "session_expired",
}


class _Prompt:
    """Lines of our own on their way to the caller; its sound plays as one ledger item for each line."""

    def __init__(self, name: str, lines: tuple[c.Line, ...], expires: int, question: Question | None) -> None:
        self.name = name
        self.lines = lines
        self.expires = expires
        self.question = question
        self.last = False

    def item(self, place: int) -> str:
        return f"{self.name}.{place}"


class Call:
    """Be one call from ``begin`` to ``ENDED``; ``format`` is the leg's.

    ``process`` and ``expire`` give the duties that a fact or the passing of time asks for, in their order.
    """

    def __init__(self, format: Format, rules: Rules, now: int) -> None:
        self._format = format
        self._rules = rules
        self._phase = Phase.NEW
        self._ledger = Ledger(format)
        self._questions = Questions()
        self._turns = Turns(rules, now)
        self.trace = Trace(now)
        self._out: list[c.Command] = []
        self._held: deque[bytes] = deque()  # the caller's speech while the session opens
        self._held_size = 0
        self._prompts: dict[str, _Prompt] = {}
        self._prompt_count = 0
        self._words: dict[str, str] = {}  # what each item says, until it is settled
        self._began: dict[str, int] = {}  # when each item was first sent
        self._reply = ""  # the assistant's item that is being produced
        self._cut: set[str] = set()  # items of which no more is to be heard
        self._hushed: set[str] = set()  # items that spoke while a question was asked
        self._utterance: int | None = None  # when the caller's present utterance began
        self._next_question: int | None = None  # when the next proposal is to be asked
        self._next_limit = 0
        self._answered_at: int | None = None
        self._hang_up_at: int | None = None
        self._hang_up_reason = ""
        self._closing_prompt: _Prompt | None = None
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            e.CallerHeard: self._caller_heard,
            e.DigitPressed: self._digit_pressed,
            e.MarkReached: self._mark_reached,
            e.LegTrouble: self._trouble,
            e.LegClosed: self._leg_closed,
            e.VoiceStarted: self._voice_started,
            e.VoiceStopped: self._voice_stopped,
            e.CallerSaid: self._caller_said,
            e.SessionOpened: self._session_opened,
            e.ReplyStarted: self._reply_started,
            e.AssistantSpoke: self._assistant_spoke,
            e.AssistantSaid: self._assistant_said,
            e.ReplyEnded: self._reply_ended,
            e.IntentDetected: _no_duty,
            e.ConfirmationAsked: self._confirmation_asked,
            e.ActionSettled: self._action_settled,
            e.SessionTrouble: self._trouble,
            e.SessionClosed: self._session_closed,
            e.PromptReady: self._prompt_ready,
            e.PromptFailed: self._prompt_failed,
            e.EndRequested: self._end_requested,
        }

    # The outside

    @property
    def phase(self) -> Phase:
        """Where the call stands."""
        return self._phase

    @property
    def asking(self) -> bool:
        """Whether a question is open, so that it matters when the caller's voice begins."""
        return self._questions.current is not None

    def begin(self, now: int) -> list[c.Command]:
        """Greet the caller; the session is being opened meanwhile."""
        self._step("begin")
        greeting = words.line("greeting", self._rules.language)
        if self._rules.greeting:
            greeting = c.Line("greeting.own", self._rules.greeting)
        self._speak((greeting,), now)
        self._turns.caller_done(now)
        return self._drain()

    def process(self, event: e.Event, now: int) -> list[c.Command]:
        """Take one fact in; what comes after the end is nobody's duty."""
        if self._phase is Phase.NEW:
            raise LocalError(f"{type(event).__name__} came before the call began")
        if self._phase is not Phase.ENDED:
            self._handlers[type(event)](event, now)
        return self._drain()

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        if self._phase in (Phase.NEW, Phase.ENDED):
            return None
        question = self._questions.current
        times = [
            self._ledger.deadline(),
            self._ledger.settles_at(),
            self._hang_up_at,
            self._next_question,
            question.deadline if question else None,
            self._turns.deadline() if self._phase is not Phase.CLOSING and question is None else None,
            *(prompt.expires for prompt in self._prompts.values()),
        ]
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: int) -> list[c.Command]:
        """Do what the passing of time asks for."""
        if self._phase in (Phase.NEW, Phase.ENDED):
            return []
        closing = self._phase is Phase.CLOSING
        self._out.extend(self._ledger.expire(now))
        self._settle(now)
        for prompt in [p for p in self._prompts.values() if now >= p.expires]:
            self._prompt_failed(e.PromptFailed(prompt.name, "it took too long"), now)
        if closing:
            self._finish_closing(now)
        else:
            self._expire_talk(now)
        return self._drain()

    def _expire_talk(self, now: int) -> None:
        question = self._questions.current
        if question is not None:
            if question.deadline is not None and now >= question.deadline:
                self._answer(question, c.Verdict.EXPIRED, c.AnsweredBy.NONE, now)
                self._speak((self._line("expired"),), now)
        elif self._next_question is not None and now >= self._next_question:
            self._ask_next(now)
        else:
            self._take_turn(self._turns.due(now), now)

    def _take_turn(self, due: Due | None, now: int) -> None:
        if due is Due.LIMIT:
            self._close("goodbye_limit", "time_limit", "bridge", now)
        elif due is Due.SILENT:
            self._close("goodbye_silence", "silence", "bridge", now)
        elif due is not None and not self._prompts:
            self._speak((self._line(due.value),), now)

    def _drain(self) -> list[c.Command]:
        out, self._out = self._out, []
        return out

    def _step(self, step: str) -> None:
        try:
            self._phase = _STEPS[self._phase, step]
        except KeyError:
            raise LocalError(f"a call that is {self._phase} cannot {step}") from None

    # The caller

    def _caller_heard(self, event: e.CallerHeard, now: int) -> None:
        if self._phase is Phase.TALKING:
            self._out.append(c.Listen(event.audio))
        elif self._phase is Phase.OPENING:
            self._held.append(event.audio)
            self._held_size += len(event.audio)
            while self._held_size > self._format.size(self._rules.hold_ms):
                self._held_size -= len(self._held.popleft())

    def _digit_pressed(self, event: e.DigitPressed, now: int) -> None:
        self._turns.caller(now)
        question = self._questions.current
        if question is None or (self._answered_at is not None and now < self._answered_at + self._rules.double_tap_ms):
            return
        self._hear_question(question, now)
        self._reply_to(question, question.press(event.digit), c.AnsweredBy.DIGIT, now)

    def _voice_started(self, event: e.VoiceStarted, now: int) -> None:
        self._turns.caller(now)
        if self._utterance is None:
            self._utterance = min(event.at, now)
        if self._questions.current is None:
            self._interrupt(now)

    def _voice_stopped(self, event: e.VoiceStopped, now: int) -> None:
        self._turns.caller(now)

    def _caller_said(self, event: e.CallerSaid, now: int) -> None:
        if self._phase is not Phase.TALKING:
            return
        if not event.final:
            self._hear_partial(event.text, now)
            return
        began = self._utterance if self._utterance is not None else now - self._rules.unseen_speech_ms
        self._utterance = None
        if not event.text.strip():
            return
        self._turns.caller_done(now)
        self.trace.said(began, "caller", event.text)
        question = self._questions.current
        if question is None:
            if self._ledger.unheard(now):
                self._interrupt(now)
            return
        self._hear_question(question, now)
        assent = understand(event.text, self._rules.language, prompt=self._own_words(question))
        reply = question.say(assent, began, self._rules.unclear_answers)
        if reply is Reply.NONE and self._was_lost(question, assent, now):
            reply = Reply.REPEAT
        self._reply_to(question, reply, c.AnsweredBy.SPEECH, now)

    def _was_lost(self, question: Question, assent: Assent, now: int) -> bool:
        """Tell whether an answer came to a question of which nobody can prove that it was heard."""
        unproven = question.began_at is not None and question.heard_at is None
        return unproven and assent not in (Assent.ECHO, Assent.NOTHING) and self._ledger.over(question.naming, now)

    def _hear_partial(self, text: str, now: int) -> None:
        if not text.strip():
            return
        self._turns.caller(now)
        if self._utterance is None:
            self._utterance = now
        question = self._questions.current
        if question is None:
            self._interrupt(now)
        elif question.heard_at is not None and now >= question.heard_at:
            heard = understand(text, self._rules.language, prompt=self._own_words(question))
            if heard not in (Assent.ECHO, Assent.NOTHING):
                self._flush(now)

    # The assistant

    def _session_opened(self, event: e.SessionOpened, now: int) -> None:
        if self._phase is not Phase.OPENING:
            return
        self._step("open")
        self._out.extend(c.Listen(audio) for audio in self._held)
        self._held.clear()
        self._turns.sounding(now)

    def _reply_started(self, event: e.ReplyStarted, now: int) -> None:
        self._reply = event.item
        if self._next_question is not None:
            self._next_question = self._next_limit

    def _assistant_spoke(self, event: e.AssistantSpoke, now: int) -> None:
        item = event.item
        self._reply = item
        if self._phase is not Phase.TALKING or item in self._cut or item in self._hushed:
            self.trace.counts.dropped_ms += self._format.ms(len(event.audio))
            return
        if self._questions.current is not None:
            self._hushed.add(item)
            self.trace.counts.dropped_ms += self._format.ms(len(event.audio))
            return
        if self._next_question is not None:
            self._next_question = self._next_limit
        if item not in self._began:
            self._began[item] = max(now, self._ledger.quiet_at())
        self._out.extend(self._ledger.play(item, event.audio, now))
        self._turns.sounding(self._ledger.quiet_at())

    def _assistant_said(self, event: e.AssistantSaid, now: int) -> None:
        if event.item not in self._cut and event.item not in self._hushed and self._questions.current is None:
            self._words[event.item] = self._words.get(event.item, "") + event.text

    def _reply_ended(self, event: e.ReplyEnded, now: int) -> None:
        self._cut.discard(event.item)
        self._hushed.discard(event.item)
        if self._reply == event.item:
            self._reply = ""
        self._out.extend(self._ledger.finish(event.item, now))
        if event.item not in self._began:
            self._words.pop(event.item, None)
        if self._next_question is not None and event.item in self._began:
            self._ask_next(now)

    def _session_closed(self, event: e.SessionClosed, now: int) -> None:
        if self._phase not in (Phase.OPENING, Phase.TALKING):
            return
        for item in self._ledger.unheard(now):
            self._out.extend(self._ledger.finish(item, now))
        if event.reason == "ended":
            self._abandon(now)
            self._hang_up_when_heard("completed", "assistant", now)
            return
        self.trace.error = _SESSION_GONE.get(event.reason, "session_lost")
        self._close("apology_unavailable", self.trace.error, "bridge", now)

    def _trouble(self, event: e.LegTrouble | e.SessionTrouble, now: int) -> None:
        self.trace.counts.troubles += 1

    # Consent

    def _confirmation_asked(self, event: e.ConfirmationAsked, now: int) -> None:
        if self._phase is not Phase.TALKING or not self._questions.add(event.id, event.action, now):
            return
        if event.action.name in self._rules.auto_confirm and event.action.name not in NEVER_UNASKED:
            question = self._questions.drop(event.id)
            assert question is not None  # noqa: S101 - an own invariant: it was added two lines above
            self._give(question, c.Verdict.CONFIRMED, c.AnsweredBy.NONE, now)
            self._speak((self._line("confirmed_by_preference"), self._naming(question)), now)
        elif self._questions.current is None and self._next_question is None:
            self._ask_next(now)

    def _ask_next(self, now: int) -> None:
        self._next_question = None
        question = self._questions.next()
        if question is None:
            return
        if self._reply:
            self._hushed.add(self._reply)
        if self._ledger.quiet_at() - now > self._rules.lead_in_ms:
            self._flush(now)
        self._ask(question, now)

    def _ask(self, question: Question, now: int) -> None:
        self._speak((self._naming(question), self._line("keys")), now, question)

    def _hear_question(self, question: Question, now: int) -> None:
        """Bring up to date how much of the question was heard."""
        naming = question.naming
        if not naming:
            return
        if question.began_at is None and self._ledger.began(naming, now):
            question.began_at = now
        question.heard_ms = max(question.heard_ms, self._ledger.heard_ms(naming, now))
        if question.heard_at is None and self._ledger.heard_to_end(naming, now):
            question.heard_at = self._ledger.heard_at(naming)

    def _reply_to(self, question: Question, reply: Reply, by: c.AnsweredBy, now: int) -> None:
        if reply is Reply.NONE:
            return
        self._forget_prompts(question)
        self._flush(now)
        if reply is Reply.CONFIRM:
            self._answer(question, c.Verdict.CONFIRMED, by, now)
        elif reply in (Reply.DECLINE, Reply.WISH):
            self._answer(question, c.Verdict.DECLINED, by, now)
        elif reply is Reply.REPEAT:
            self._ask(question, now)
        elif reply is Reply.KEYPAD:
            self._speak((self._line("keypad"),), now, question)
        else:
            lead = self._line("wrong_key" if reply is Reply.WRONG_KEY else "unclear_once")
            naming = () if question.heard_at is not None else (self._naming(question),)
            self._speak((lead, *naming, self._line("keys")), now, question)

    def _forget_prompts(self, question: Question) -> None:
        """Leave unsaid what was being made about a question that has moved on."""
        self._prompts = {name: prompt for name, prompt in self._prompts.items() if prompt.question is not question}

    def _answer(self, question: Question, verdict: c.Verdict, by: c.AnsweredBy, now: int) -> None:
        self._questions.drop(question.id)
        self._answered_at = now
        self._give(question, verdict, by, now)
        self._turns.caller_done(now)
        if self._questions.waiting():
            self._next_question = now + self._rules.outcome_ms
            self._next_limit = now + self._rules.outcome_limit_ms

    def _give(self, question: Question, verdict: c.Verdict, by: c.AnsweredBy, now: int) -> None:
        told = verdict in (c.Verdict.DECLINED, c.Verdict.EXPIRED) and by is not c.AnsweredBy.SPEECH
        refusal = words.refusal(self._rules.language) if told else ""
        self._out.append(c.Answer(question.id, question.action, verdict, by, refusal))
        at = now - self.trace.began
        self.trace.asked(Asked(question.id, question.action, verdict, by, at, question.heard_ms))

    def _action_settled(self, event: e.ActionSettled, now: int) -> None:
        self._hushed.clear()
        self.trace.settled(event.id, event.result if event.result is not None else event.outcome)
        question = self._questions.current
        asked = question is not None and question.id == event.id
        fallen = self._questions.drop(event.id)
        if fallen is None:
            return
        self._forget_prompts(fallen)
        # The session settled what the caller had not answered: nobody may say any more that it was consented to.
        self.trace.asked(
            Asked(fallen.id, fallen.action, c.Verdict.UNANSWERED, c.AnsweredBy.NONE, now - self.trace.began)
        )
        self.trace.settled(event.id, event.result if event.result is not None else event.outcome)
        if asked:
            self._flush(now)
            self._speak((self._line("withdrawn"),), now)
            self._next_question = now + self._rules.outcome_ms if self._questions.waiting() else None
            self._next_limit = now + self._rules.outcome_limit_ms

    def _abandon(self, now: int) -> None:
        """Give every open proposal its no: nobody is left to answer it, or to carry it out."""
        for question in self._questions.drain():
            self._hear_question(question, now)
            self._give(question, c.Verdict.UNANSWERED, c.AnsweredBy.NONE, now)
        self._next_question = None

    def _naming(self, question: Question) -> c.Line:
        return words.question(question.action, self._rules.language)

    def _own_words(self, question: Question) -> str:
        """Give all that may come back as an echo while ``question`` is asked."""
        keys = (self._line(key).text for key in ("unclear_once", "wrong_key", "keys", "keypad"))
        return " ".join((self._naming(question).text, *keys))

    # Our own voice

    def _line(self, key: str) -> c.Line:
        return words.line(key, self._rules.language)

    def _speak(self, lines: tuple[c.Line, ...], now: int, question: Question | None = None) -> "_Prompt | None":
        if len(self._prompts) >= MAX_PENDING_PROMPTS:  # whatever hurries us, it is the oldest line that is out of date
            del self._prompts[next(iter(self._prompts))]
        self._prompt_count += 1
        prompt = _Prompt(f"~{self._prompt_count}", lines, now + self._rules.prompt_ms, question)
        self._prompts[prompt.name] = prompt
        self._out.append(c.Speak(prompt.name, lines, self._rules.language))
        if question is not None:
            question.extend(prompt.expires + self._rules.answer_ms, self._rules)
        return prompt

    def _prompt_ready(self, event: e.PromptReady, now: int) -> None:
        prompt = self._prompts.pop(event.prompt, None)
        if prompt is None or (prompt.question is not None and prompt.question is not self._questions.current):
            return
        if self._phase is Phase.CLOSING and prompt is not self._closing_prompt:
            return
        for place, (line, audio) in enumerate(zip(prompt.lines, event.parts, strict=True)):
            item = prompt.item(place)
            self._words[item] = line.text
            self._began[item] = max(now, self._ledger.quiet_at())
            self._out.extend(self._ledger.play(item, audio, now))
            self._out.extend(self._ledger.finish(item, now))
            if prompt.question is not None and line.key.startswith(words.QUESTION):
                prompt.question.naming = item
        until = self._ledger.quiet_at()
        self._turns.sounding(until)
        if prompt.question is not None:
            prompt.question.extend(until + self._rules.answer_ms, self._rules)
        if prompt is self._closing_prompt:
            self._hang_up_at = until + self._rules.farewell_ms

    def _prompt_failed(self, event: e.PromptFailed, now: int) -> None:
        prompt = self._prompts.pop(event.prompt, None)
        if prompt is None:
            return
        self.trace.counts.troubles += 1
        if prompt is self._closing_prompt:
            self._hang_up(now)
        elif prompt.question is not None and prompt.question is self._questions.current:
            self._answer(prompt.question, c.Verdict.EXPIRED, c.AnsweredBy.NONE, now)
            self._speak((self._line("not_asked"),), now)

    # The ledger

    def _mark_reached(self, event: e.MarkReached, now: int) -> None:
        if not self._ledger.reached(event.mark, now):
            self.trace.counts.stray_marks += 1
        self._settle(now)
        self._finish_closing(now)

    def _settle(self, now: int) -> None:
        question = self._questions.current
        if question is not None:
            self._hear_question(question, now)
        for cut in self._ledger.settle(now):
            self._record(cut)

    def _record(self, cut: Cut) -> None:
        """Write down what was heard of an item's words, by the share of its sound."""
        text = self._words.pop(cut.item, "").strip()
        began = self._began.pop(cut.item, self.trace.began)
        if cut.heard_ms < cut.sent_ms:
            self.trace.counts.cut_ms += cut.sent_ms - cut.heard_ms
            text = _share(text, cut.heard_ms, cut.sent_ms)
        if text:
            self.trace.said(began, "bridge" if cut.item.startswith("~") else "assistant", text)

    def _flush(self, now: int) -> None:
        """Stop what is playing, and tell the session what of its own was heard."""
        cuts = self._ledger.flush(now)
        if not cuts:
            return
        self._out.append(c.Flush())
        for cut in cuts:
            if not cut.item.startswith("~"):
                self._out.append(c.Truncate(cut.item, cut.heard_ms))
            self._record(cut)
        self._turns.sounding(now)

    def _interrupt(self, now: int) -> None:
        """Let the caller have the word."""
        if self._phase is not Phase.TALKING:
            return
        reply = self._reply if self._reply not in self._cut else ""
        self._flush(now)
        if reply:
            self._cut.add(reply)
            self._out.append(c.CancelReply(reply))
            self.trace.counts.barge_ins += 1

    # The end

    def _end_requested(self, event: e.EndRequested, now: int) -> None:
        if self._phase in (Phase.OPENING, Phase.TALKING):
            self._close("goodbye", "completed", event.by, now)

    def _close(self, key: str, reason: str, by: str, now: int) -> None:
        """Say the last words; the line is cut when they were heard."""
        self._abandon(now)
        self._flush(now)
        self._step("close")
        self.trace.ended_by = by
        self._hang_up_reason = reason
        self._closing_prompt = self._speak((self._line(key),), now)
        self._hang_up_at = now + self._rules.prompt_ms + self._rules.farewell_ms

    def _hang_up_when_heard(self, reason: str, by: str, now: int) -> None:
        self._step("close")
        self.trace.ended_by = by
        self._hang_up_reason = reason
        self._hang_up_at = self._ledger.quiet_at() + self._rules.farewell_ms
        self._finish_closing(now)

    def _finish_closing(self, now: int) -> None:
        if self._phase is not Phase.CLOSING:
            return
        made = self._closing_prompt is None or self._closing_prompt.name not in self._prompts
        heard = made and not self._ledger.unheard(now)
        if heard or (self._hang_up_at is not None and now >= self._hang_up_at):
            self._hang_up(now)

    def _hang_up(self, now: int) -> None:
        self._flush(now)
        self._out.append(c.CloseSession(self._hang_up_reason))
        self._out.append(c.HangUp(self._hang_up_reason))
        self._step("end")

    def _leg_closed(self, event: e.LegClosed, now: int) -> None:
        if not self.trace.ended_by:
            self.trace.ended_by = "caller" if event.reason == "hangup" else "carrier"
            if event.reason != "hangup":
                self.trace.error = "leg_lost"
        self._abandon(now)
        for cut in self._ledger.flush(now):
            self._record(cut)
        self._out.append(c.CloseSession(event.reason))
        self._step("end")


def _no_duty(event: e.Event, now: int) -> None:
    """Take a fact that asks for nothing."""


def _share(text: str, part: int, whole: int) -> str:
    """Cut ``text`` at a word, in the proportion in which its sound was heard."""
    spoken = text.split()
    return " ".join(spoken[: len(spoken) * part // whole]) if whole else ""

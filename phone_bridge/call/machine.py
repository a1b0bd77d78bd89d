"""One call: facts in, duties out, time as an argument.

The machine knows neither the carrier's language nor the assistant's. It keeps who may speak and who is heard: what
sounds (``speaking``), the questions (``confirmation``), who is calling (``step_up``), the functions that a model calls
(``functions``), the silences (``turns``), the sessions' life (``lifeline``) and what is left behind (``trace``).
"""

from collections import deque
from collections.abc import Callable
from copy import copy
from enum import StrEnum
from typing import Any

from phone_bridge.audio.format import Format
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import pin_words, words
from phone_bridge.call.announcement import Announcement
from phone_bridge.call.assent import Assent, understand
from phone_bridge.call.confirmation import Question, Questions, Reply
from phone_bridge.call.errand import Errand, Heard, Wish, screens
from phone_bridge.call.functions import UNPROVEN, Functions, readable
from phone_bridge.call.handing_on import EXECUTED, FAILED, UNKNOWN, Given, alike, hand_on
from phone_bridge.call.language import Language
from phone_bridge.call.lifeline import Lifeline, Spare
from phone_bridge.call.moving import Moving
from phone_bridge.call.past import Past
from phone_bridge.call.permit import Permit
from phone_bridge.call.prompts import Prompt
from phone_bridge.call.proving import OVER, Move, Proving
from phone_bridge.call.putting_through import Heard as Through
from phone_bridge.call.putting_through import PuttingThrough, Step
from phone_bridge.call.rules import NEVER_UNASKED, Rules
from phone_bridge.call.speaking import Speaker
from phone_bridge.call.step_up import StepUp
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.call.turns import Due, Turns
from phone_bridge.call.view import Line, Open, View
from phone_bridge.call.words import moving, putting_through
from phone_bridge.errors import LocalError


class Phase(StrEnum):
    """Where a call stands."""

    NEW = "new"
    OPENING = "opening"  # the caller is on the line, the session is not, or not any more
    TALKING = "talking"
    CLOSING = "closing"  # the last words are being heard
    ENDED = "ended"


_NEW, _TALKING, _ENDED = Phase.NEW, Phase.TALKING, Phase.ENDED
"""For what every frame passes by: to look a member up in its class takes ten times as long up to Python 3.11."""

_STEPS: dict[tuple[Phase, str], Phase] = {
    (Phase.NEW, "begin"): Phase.OPENING,
    (Phase.OPENING, "open"): Phase.TALKING,
    (Phase.TALKING, "lose"): Phase.OPENING,
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

_OUTCOMES_TOLD = {EXECUTED: "done_before", "not_executed": "not_done", FAILED: "not_done"}

_GOODBYES = {"drain": "goodbye_drain"}


class Call:
    """Be one call from ``begin`` to ``ENDED``; ``format`` is the leg's, ``past`` what went before a fault.

    Or ``before_ms`` went before without one, in a menu.

    ``process`` and ``expire`` give the duties that a fact or the passing of time asks for, in their order.
    """

    def __init__(self, format: Format, rules: Rules, now: int, past: Past | None = None, *, before_ms: int = 0) -> None:
        self._format = format
        self._bytes_per_ms = format.bytes_per_ms
        self._rules = rules
        self._past = past
        self._phase = Phase.NEW
        self.trace = Trace(now - (before_ms if past is None else past.ms))
        self._out: list[c.Command] = []
        chosen = past.language if past is not None else rules.chosen
        self._language = Language(rules, chosen)
        self.trace.language = chosen
        self._speaker = Speaker(format, rules, self._language, self.trace, self._out, now)
        self._ledger = self._speaker.ledger
        self._prompts = self._speaker.prompts
        self._questions = Questions()
        self._functions = Functions(self._out, () if past is None else (asked.id for asked in past.actions))
        self._turns = Turns(rules, now)
        self._lifeline = Lifeline(rules)
        self._given = Given()
        self._moving = Moving()
        self._through = PuttingThrough(rules.callees)
        self._back = past if past is not None and past.lead_in else None  # from somebody else
        self._proving = Proving(rules)
        self.trace.trust = self._proving.tier.value
        self._errand = Errand(rules.errand, rules.language) if rules.errand and past is None else None
        self._announcement = Announcement(wanted=rules.announce)
        self._step_up = StepUp(
            rules, self._proving, self._speaker, self._language, self._announcement, self._out, self._flush
        )
        self._session_missing = False  # it could not be had while nobody needed it
        self._screened = False  # somebody who screens the call was answered by us, and not by the assistant
        self._first = True  # no session has been open yet
        self._up = False  # a session is open, and waits to be told what it has to know
        self._handing_on = past is not None  # the next session has to hear of the ones before it
        self._on_hold = False  # nobody hears us
        self._held: deque[bytes] = deque()  # the caller's speech while a session opens
        self._held_size = 0
        self._reply = ""  # the assistant's item that is being produced
        self._cut: set[str] = set()  # items of which no more is to be heard
        self._hushed: set[str] = set()  # items that spoke while a question was asked
        self._needless = ""  # the reply among them that is cancelled once it speaks
        self._awaited: set[str] = set()  # what was confirmed to this session, which has not said what came of it
        self._utterance: int | None = None  # when the caller's present utterance began
        self._partial = ""  # its words so far
        self._voice_ended: int | None = None  # when its sound was over
        self._unheard: int | None = None  # the end of the latest voice whose words a question was asked again for
        self._wordless = False  # the session took a turn whose words have not come
        self._next_question: int | None = None  # when the next proposal is to be asked
        self._next_limit = 0
        self._answered_at: int | None = None
        self._hang_up_at: int | None = None
        self._hang_up_reason = ""
        self._closing_prompt: Prompt | None = None
        self._connecting: Prompt | None = None  # that the caller is put through, by their own side if that can do it
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            e.CallerHeard: self._caller_heard,
            e.DigitPressed: self._digit_pressed,
            e.MarkReached: self._mark_reached,
            e.LegTrouble: self._trouble,
            e.LegClosed: self._leg_closed,
            e.VoiceStarted: self._voice_started,
            e.VoiceStopped: self._voice_stopped,
            e.TurnEnded: self._turn_ended,
            e.CallerSaid: self._caller_said,
            e.SessionOpened: self._session_opened,
            e.SessionExpiring: self._session_expiring,
            e.SpareReady: self._spare_ready,
            e.SpareFailed: self._spare_failed,
            e.OutcomeFound: self._outcome_found,
            e.ReplyStarted: self._reply_started,
            e.AssistantSpoke: self._assistant_spoke,
            e.AssistantSaid: self._assistant_said,
            e.ReplyEnded: self._reply_ended,
            e.IntentDetected: self._intent_detected,
            e.ConfirmationAsked: self._confirmation_asked,
            e.ActionSettled: self._action_settled,
            e.ToolCalled: self._tool_called,
            e.ToolPrepared: self._tool_prepared,
            e.ToolRan: self._tool_ran,
            e.TokensUsed: self._tokens_used,
            e.SessionTrouble: self._trouble,
            e.SessionClosed: self._session_closed,
            e.PromptReady: self._prompt_ready,
            e.PromptFailed: self._prompt_failed,
            e.EndRequested: self._end_requested,
            e.TransferRequested: self._transfer_requested,
            e.TransferRefused: self._transfer_refused,
            e.LanguageChosen: self._language_chosen,
            e.CallerChanged: self._caller_changed,
            e.CallerHeld: self._caller_held,
            e.PinKeyed: self._pin_keyed,
            e.PinSpoken: self._pin_spoken,
            e.PinJudged: self._pin_judged,
            e.CodeSent: self._code_sent,
            e.PinChangeWanted: self._pin_change_wanted,
        }

    # The outside

    @property
    def phase(self) -> Phase:
        """Where the call stands."""
        return self._phase

    @property
    def asking(self) -> bool:
        """Whether a question is open, so that it matters when the caller's voice begins."""
        return self._questions.current is not None or self._proving.listens

    @property
    def proving(self) -> bool:
        """Whether a PIN is asked for, so that the caller's voice may be speaking one."""
        return self._proving.open

    def masks(self, now: int) -> bool:
        """Whether a key may be one of a PIN: then it is told as ``PinKeyed``, and which it was to nobody."""
        return self._proving.masks(now)

    def private(self, now: int) -> bool:
        """Tell whether what the caller does now is for no recording: what opens a door is theirs alone."""
        return self._proving.masks(now) or self._proving.muffles(now)

    @property
    def recordable(self) -> bool:
        """Whether the caller was told what they have to be told before anything is recorded."""
        return self._announcement.heard

    @property
    def lag_ms(self) -> int:
        """How long the caller's line is there and back."""
        return self._ledger.lag_ms

    @property
    def quiet_at(self) -> int:
        """When all that was sent will have been heard."""
        return self._ledger.quiet_at()

    @property
    def unheard_ms(self) -> int:
        """How much of what was sent nobody heard, when it was stopped last."""
        return self._ledger.unheard_ms

    def view(self, now: int) -> View:
        """Show the call as it is now; looking changes nothing."""
        lines = self._speaker.sounding(now)
        if self._partial:
            began = self._utterance if self._utterance is not None else now
            lines.append(Line(began - self.trace.began, "caller", self._partial))
        return View(self._phase.value, now - self.trace.began, tuple(lines), self._open(now))

    def _open(self, now: int) -> Open | None:
        question = self._questions.current
        if question is None or not question.naming:
            return None
        left = max(0, question.deadline - now) if question.deadline is not None else 0
        return Open(question.id, question.action, question.words, question.began_at is not None, left)

    def sounding(self, now: int) -> bool:
        """Whether there is anything on its way to the caller's ear, so that it matters whether they speak."""
        return self._phase is Phase.TALKING and bool(self._ledger.unheard(now))

    def begin(self, now: int) -> list[c.Command]:
        """Greet the caller, or say that we were cut off; the session is being opened meanwhile."""
        self._step("begin")
        if self._proving.may_enter:
            self._open_first(now)
        if self._past is not None:
            self.trace.transcript.extend(self._past.transcript)
            self.trace.actions.extend(map(copy, self._past.actions))  # whose outcomes are found out only now
            self.trace.used_before = self._past.usage
            self._out.extend(self._given.lost(self.trace.actions))
            first: tuple[c.Line | str, ...] = (c.Line("back.own", self._back.lead_in) if self._back else "cut_off",)
            self._language.open = False  # nothing is offered, and the talk has begun
        elif self._errand is not None:
            first = (self._errand_line, "errand_keys")
        elif self._proving.may_enter:
            first = (*self._greeting, *self._language.offers())
        else:
            first = self._greeting if self._rules.greeting else ()
            self._language.open = False  # the keys are the PIN's
        lines = (*self._announcement.lines, *first)
        if self._proving.may_enter or self._on_errand:
            self._announcement.said(self._say(*lines, now=now))
        else:
            self._prove(now, *lines)
        self._turns.caller_done(now)
        return self._drain(now)

    @property
    def _greeting(self) -> tuple[c.Line | str, ...]:
        own = self._rules.greeting and self._language.own
        return (c.Line("greeting.own", self._rules.greeting),) if own else ("greeting",)

    def process(self, event: e.Event, now: int) -> list[c.Command]:
        """Take one fact in; what comes after the end is nobody's duty, but what a tool has done is noted still."""
        if self._phase is _NEW:
            raise LocalError(f"{type(event).__name__} came before the call began")
        if self._phase is not _ENDED:
            self._handlers[type(event)](event, now)
        elif isinstance(event, e.ToolRan) and event.id in self._functions.running:
            self._functions.give(event.id, event.result)
            self._note_outcome(event)
        return self._drain(now)

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
            self._proving.deadline(),
            self._unheard_at(),
            self._prompts.deadline(),
            self._moving.due,
        ]
        if self._phase is Phase.OPENING:
            times += (self._lifeline.reopen_at, self._given_up_at())
        elif self._phase is Phase.TALKING:
            times += (self._lifeline.deadline(), self._pause_at())
        if self._phase is not Phase.CLOSING and question is None and not self._proving.open:
            times.append(self._turns.deadline())
        return min([time for time in times if time is not None], default=None)

    def expire(self, now: int) -> list[c.Command]:
        """Do what the passing of time asks for."""
        if self._phase in (Phase.NEW, Phase.ENDED):
            return []
        closing = self._phase is Phase.CLOSING
        self._speaker.expire(now)
        self._settle(now)
        for prompt in self._prompts.late(now):
            self._prompt_failed(e.PromptFailed(prompt.name, "it took too long"), now)
        if closing:
            self._finish_closing(now)
        else:
            self._expire_session(now)
            self._expire_talk(now)
        return self._drain(now)

    def _expire_talk(self, now: int) -> None:
        if self._moving.is_due(now):
            self._move(now)
            return
        question = self._questions.current
        if self._proving.open:
            self._settle_proof(self._step_up.expire(now), now)
        elif question is not None:
            if question.deadline is not None and now >= question.deadline:
                self._answer(question, c.Verdict.EXPIRED, c.AnsweredBy.NONE, now)
                self._say("expired", now=now)
            elif (unheard_at := self._unheard_at()) is not None and now >= unheard_at:
                self._miss_words(question, now)
        elif self._next_question is not None and now >= self._next_question:
            self._ask_next(now)
        elif self._phase in (Phase.OPENING, Phase.TALKING):
            self._take_turn(self._turns.due(now), now)

    def _take_turn(self, due: Due | None, now: int) -> None:
        if due is Due.LIMIT:
            self._close("goodbye_limit", "time_limit", "bridge", now)
        elif due is Due.SILENT:
            if self._on_errand:
                self.trace.reply = "heard"
            self._close("errand_unanswered" if self._on_errand else "goodbye_silence", "silence", "bridge", now)
        elif due is Due.STALLED:
            if self._phase is Phase.TALKING:
                self._session_closed(e.SessionClosed("lost", "it has stalled"), now)
        elif due is Due.STILL_THERE and self._on_errand:
            self._say(self._errand_line, "errand_keys", now=now)
        elif due is not None and not self._prompts:
            self._say(due.value, now=now)

    def _drain(self, now: int) -> list[c.Command]:
        self._keep_open(now)
        out = self._out[:]
        self._out.clear()
        return out

    def _step(self, step: str) -> None:
        try:
            self._phase = _STEPS[self._phase, step]
        except KeyError:
            raise LocalError(f"a call that is {self._phase} cannot {step}") from None

    # The caller

    def _caller_heard(self, event: e.CallerHeard, now: int) -> None:
        if self._on_hold or self._proving.muffles(now):  # what is played to who is on hold is no words of theirs
            if self._phase is _TALKING:
                silence = self._format.silence
                self._out.append(c.Listen(silence * (len(event.audio) // len(silence))))
        elif self._phase is _TALKING:
            self._out.append(c.Listen(event.audio))
            self.trace.counts.heard_ms += len(event.audio) // self._bytes_per_ms
        elif self._phase is Phase.OPENING and self._proving.may_enter:
            self._held.append(event.audio)
            self._held_size += len(event.audio)
            while self._held_size > self._format.size(self._rules.hold_ms):
                self._held_size -= len(self._held.popleft())

    def _digit_pressed(self, event: e.DigitPressed, now: int) -> None:
        self._turns.caller(now)
        if self._proving.masks(now):
            return  # one that was not masked: it is nobody's all the same
        self.trace.noted(now, "key", event.digit)
        if self._phase is Phase.CLOSING:
            return  # the last words are said already
        if self._errand is not None and self._errand.open:
            self._hear_errand(self._errand.press(event.digit), now)
            return
        if self._serve(self._through.press(event.digit, now), "", now):
            return
        question = self._questions.current
        if question is None and self._language.press(event.digit):
            self._greet_anew(now)
        if question is None or (self._answered_at is not None and now < self._answered_at + self._rules.double_tap_ms):
            return
        self._hear_question(question, now)
        self._reply_to(question, self._pressed(question, event.digit, now), c.AnsweredBy.DIGIT, event.digit, now)

    def _pressed(self, question: Question, digit: str, now: int) -> Reply:
        """Judge a key; where no mark proves that the question was heard, a no is a no, and a yes is asked for again."""
        unproven = question.began_at is None and bool(question.naming)
        if not unproven or now < self._ledger.quiet_at():
            return question.press(digit)
        return Reply.DECLINE if digit == "2" else Reply.REPEAT

    def _voice_started(self, event: e.VoiceStarted, now: int) -> None:
        self._turns.caller(now)
        if self._proving.listens:
            self._proving.voice(now, on=True)
            return
        if self._speaking_since(now) is None:
            self._utterance = min(event.at, now)
        self._voice_ended = None
        if self._questions.current is None and self._interrupt(now):
            self.trace.measured("barge_in_stop_ms", now - event.at)
            self.trace.noted(now, "barge_in", ms=now - event.at)

    def _voice_stopped(self, event: e.VoiceStopped, now: int) -> None:
        self._turns.caller(now)
        if self._proving.listens:
            self._proving.voice(now, on=False)
            return
        self._voice_ended = now

    def _unheard_at(self) -> int | None:
        """Say when the words of a voice that spoke to the open question are given up; one under our own may be echo."""
        ended = self._voice_ended
        if self._questions.current is None or self._proving.open or ended is None or ended == self._unheard:
            return None
        return ended + self._rules.unheard_ms if ended > self._ledger.quiet_at() else None

    def _miss_words(self, question: Question, now: int) -> None:
        """Ask again where the caller spoke and nobody can say what, for they wait for us as we wait for them."""
        self._unheard = self._voice_ended
        self._hear_question(question, now)
        self._reply_to(question, question.wordless(self._rules.unclear_answers), c.AnsweredBy.SPEECH, "", now)

    def _speaking_since(self, now: int) -> int | None:
        """Say when the caller's present utterance began; a cough long ago, of which no words came, was none."""
        if self._voice_ended is not None and now >= self._voice_ended + self._rules.wordless_ms:
            self._utterance, self._voice_ended = None, None
        return self._utterance

    def _turn_ended(self, event: e.TurnEnded, now: int) -> None:
        if self._phase is Phase.TALKING:
            self._wordless = True
            self._turns.session(now)
            self._turns.caller_done(now)

    def _caller_said(self, event: e.CallerSaid, now: int) -> None:
        if self._phase is not Phase.TALKING:
            return
        self._turns.session(now)
        if not event.final:
            self._hear_partial(event, now)
            return
        self._partial = ""
        if not event.text.strip():
            self._no_words(now)
            return
        began = self._began(event, now)
        if self._answers_errand(event.text, began, now):
            return
        late = event.began is not None  # what sounds by now may be the reply to these very words
        if not late:
            self._turns.caller_done(now)
        self.trace.said(began, "caller", event.text)
        self._language.open = False
        if self._serve(self._through.hear(event.text, self._language.tag, self._choices.text, now), event.text, now):
            return
        if (question := self._questions.current) is not None:
            self._answer_in_words(question, event, began, now)
        else:
            self._said_freely(event.text, late, now)

    def _answer_in_words(self, question: Question, event: e.CallerSaid, began: int, now: int) -> None:
        self._hear_question(question, now)
        if _precedes(event, question):
            return
        assent = understand(event.text, self._language.tag, prompt=self._own_words(question))
        reply = question.say(assent, began, self._rules.unclear_answers)
        if reply is Reply.NONE and self._was_lost(question, assent, now):
            reply = Reply.REPEAT
        self._reply_to(question, reply, c.AnsweredBy.SPEECH, event.text, now)

    def _said_freely(self, text: str, late: bool, now: int) -> None:
        """Take in what answers no question of ours."""
        if self._ledger.unheard(now) and not late and not self._proving.open:
            self._interrupt(now)
        if pin_words.wishes(text, self._language.tag):
            self._change_pin(now)

    def _began(self, said: e.CallerSaid, now: int) -> int:
        """Say when what was ``said`` was begun, and be ready for the next utterance."""
        spoken = self._speaking_since(now)
        self._utterance, self._voice_ended, self._wordless = None, None, False
        if said.began is not None:
            return min(said.began, now)
        return spoken if spoken is not None else now - self._rules.unseen_speech_ms

    def _no_words(self, now: int) -> None:
        """Believe a session that found no words in what the caller said."""
        missed = self._questions.current if self._unheard_at() is not None else None
        self._utterance, self._voice_ended, self._wordless = None, None, False
        if missed is not None:
            self._miss_words(missed, now)

    def _was_lost(self, question: Question, assent: Assent, now: int) -> bool:
        """Tell whether an answer came to a question of which nobody can prove that it was heard."""
        unproven = question.began_at is not None and question.heard_at is None
        return unproven and assent not in (Assent.ECHO, Assent.NOTHING) and self._ledger.over(question.naming, now)

    def _hear_partial(self, event: e.CallerSaid, now: int) -> None:
        if not event.text.strip():
            return
        self._turns.caller(now)
        if self._speaking_since(now) is None and event.began is None:
            self._utterance, self._voice_ended = now, None
        self._partial = event.text.strip()
        question = self._questions.current
        if self._on_errand or self._step_up.changing:
            return  # a "hello?" must not cut off what the call is about
        if question is None:
            if event.began is None:
                self._interrupt(now)
        elif question.heard_at is not None and now >= question.heard_at and not _precedes(event, question):
            heard = understand(event.text, self._language.tag, prompt=self._own_words(question))
            if heard not in (Assent.ECHO, Assent.NOTHING):
                self._flush(now)

    # What an outbound call is about

    @property
    def _on_errand(self) -> bool:
        """Whether the callee has not said yet what they want, so that the assistant has no word."""
        return self._errand is not None and self._errand.open

    @property
    def _errand_line(self) -> c.Line:
        return c.Line("errand.own", self._rules.errand)

    def _answers_errand(self, text: str, began: int, now: int) -> bool:
        """Take in what the callee of an outbound call says, as long as it is not for the assistant."""
        self._screened = bool(self._rules.about) and not self._on_errand and screens(text, self._language.tag)
        if self._screened:
            self.trace.said(began, "caller", text)
            self._interrupt(now)
            self._tell_screen(now)
            return True
        if self._errand is None or not self._errand.open:
            return False
        self.trace.said(began, "caller", text)
        self._hear_errand(self._errand.say(text), now)
        return True

    def _tell_screen(self, now: int) -> None:
        self._say("screened", c.Line("errand.own", self._rules.about), now=now)

    def _hear_errand(self, heard: Heard, now: int) -> None:
        wish = heard.wish
        if wish in (Wish.NOTHING, Wish.MORE):
            return
        self._flush(now)
        if wish is Wish.SCREENED:
            self._tell_screen(now)
        elif wish is Wish.REPEAT:
            self._say(self._errand_line, "errand_keys", now=now)
        elif wish is Wish.LATER:
            self._say("errand_when", now=now)
        elif wish is Wish.WRONG_KEY:
            self._say("wrong_key", "errand_keys", now=now)
        else:
            self._end_errand(heard, now)

    def _end_errand(self, heard: Heard, now: int) -> None:
        """Do what the callee wants; nobody is called again who wants no more calls, or has understood."""
        later = heard.wish is Wish.LATER_IN
        self.trace.reply = f"later:{heard.minutes}" if later else heard.wish.value
        self.trace.version += 1
        if later:
            self._close(words.later(heard.minutes, self._language.tag), "completed", "bridge", now)
        elif heard.wish is not Wish.ASSISTANT:
            done = "errand_stopped" if heard.wish is Wish.STOP else "errand_thanks"
            self._close(done, "completed", "bridge", now)
        else:
            self._give_the_word(now)

    def _give_the_word(self, now: int) -> None:
        """Let the assistant talk, which has to hear what was said before."""
        if not self._proving.may_enter:
            self._handing_on = True
            self._prove(now, "errand_assistant")
            return
        self._say("errand_assistant", now=now)
        if self._phase is Phase.TALKING:
            self._hand_on(now, answer=True)
            self._turns.caller_done(now)
        elif self._lifeline.reopen_at is None and self._session_missing:
            self._session_missing = False
            self._session_closed(e.SessionClosed("unavailable"), now)
        else:
            self._handing_on = True
            if self._lifeline.due_at is not None:  # nobody has waited for it until now
                self._lifeline.awaited(now)

    # The language

    def _greet_anew(self, now: int) -> None:
        """Begin again in the language that the caller has chosen by key, with a session that hears of it."""
        self._note_language()
        self._interrupt(now)
        unsaid = self._prompts.forget(None)
        self._flush(now)
        self._say_instead(unsaid, "greeting", now=now)
        if self._phase is Phase.TALKING:
            self._out.append(c.HandOn(self._language.wish(), answer=False))

    def _note_language(self) -> None:
        """Keep it for a later part of the call."""
        self.trace.language = self._language.tag
        self.trace.version += 1

    def _language_chosen(self, event: e.LanguageChosen, now: int) -> None:
        if self._phase not in (Phase.OPENING, Phase.TALKING) or not self._language.change(event.language):
            return
        self._note_language()
        question = self._questions.current
        if question is not None and not self._proving.open:
            self._take_back(question, now)
            self._ask(question, now)

    def _take_back(self, question: Question, now: int) -> None:
        """Have no answer count for what was heard of a question; it is to be asked from its first word."""
        self._hear_question(question, now)
        self._prompts.forget(question)
        self._flush(now)
        question.forget()

    # The assistant

    def _reply_started(self, event: e.ReplyStarted, now: int) -> None:
        self._reply = event.item
        self._turns.producing(True, now)
        self._functions.reply_started()
        of_function = self._questions.current is not None and self._questions.current.function
        if of_function or self._through.holds(now):
            # It answers nothing: what the model waits for is the result, and until then the caller hears us. But it may
            # be all functions, such as the one that switches the question's language, so only its words are cancelled.
            self._hush(event.item)
            self._needless = event.item
        if self._next_question is not None:
            self._next_question = self._next_limit

    def _assistant_spoke(self, event: e.AssistantSpoke, now: int) -> None:
        item = event.item
        self._reply = item
        if self._phase is not _TALKING or item in self._cut or item in self._hushed:
            if item == self._needless:
                self._needless = ""
                self._out.append(c.CancelReply(item))
            self._drop(event, now)
            return
        ours = self._on_errand or self._screened or self._step_up.changing or self._through.holds(now)
        if self._questions.current is not None or ours:
            self._hush(item)
            self._drop(event, now)
            return
        if self._next_question is not None:
            self._next_question = self._next_limit
        if not self._speaker.sounded(item):
            waited = self._turns.waited()
            if waited is not None:
                self.trace.measured("answer_ms", now - waited)
                self.trace.noted(now, "answer", ms=now - waited)
        self._speaker.play(item, event.audio, now)
        self._turns.sounding(self._ledger.quiet_at())

    def _hush(self, item: str) -> None:
        """Let no more of ``item`` be heard, for a question is asked."""
        if item in self._hushed:
            return
        self._hushed.add(item)
        self._out.append(c.Truncate(item, self._ledger.sent_ms(item)))

    def _drop(self, event: e.AssistantSpoke, now: int) -> None:
        self._turns.session(now)
        self.trace.counts.dropped_ms += self._format.ms(len(event.audio))

    def _assistant_said(self, event: e.AssistantSaid, now: int) -> None:
        self._turns.session(now)
        unheard = self._questions.current is not None or self._step_up.changing
        if event.item not in self._cut and event.item not in self._hushed and not unheard:
            self._speaker.caption(event.item, event.text)

    def _reply_ended(self, event: e.ReplyEnded, now: int) -> None:
        self._cut.discard(event.item)
        self._hushed.discard(event.item)
        if self._reply in ("", event.item):
            self._reply = ""
            self._turns.producing(False, now, owed=self._functions.owed)
        sounded = self._speaker.sounded(event.item)
        self._speaker.finish(event.item, now)
        if self._moving.waiting:
            self._move(now)
        elif self._next_question is not None and sounded:
            self._ask_next(now)

    def _intent_detected(self, event: e.IntentDetected, now: int) -> None:
        self.trace.noted(now, "wish", event.name)
        self._turns.session(now, busy=True)

    def _trouble(self, event: e.LegTrouble | e.SessionTrouble, now: int) -> None:
        self.trace.counts.troubles += 1

    # The session's life

    def _open_first(self, now: int) -> None:
        self._lifeline.awaited(now)
        self._out.append(c.OpenSession(patient=True))

    def _given_up_at(self) -> int | None:
        """Say when a first session that does not answer is given up; a greeting of usual length is heard before."""
        due_at = self._lifeline.due_at
        if due_at is None or self._prompts or self._on_errand:
            return None
        return max(due_at, min(self._ledger.quiet_at(), due_at + self._rules.session_more_ms))

    def _session_opened(self, event: e.SessionOpened, now: int) -> None:
        if self._phase is Phase.OPENING and not self._up and self._proving.may_enter:
            self._lifeline.opened(event.life_ms, now)
            self._up = True
            self._go_on(now)

    def _go_on(self, now: int) -> None:
        """Let the session that is open have the call, once it can be told what it has to know."""
        if not self._up or self._given.waiting:
            return
        self._step("open")
        self._up = self._first = False
        answer = self._back is None or self._back.owed
        if (self._handing_on or self._language.wish()) and self._hand_on(now, answer=answer):
            self._turns.caller_done(now)
        else:
            self._turns.sounding(now)
        self._handing_on = False
        self._out.extend(c.Listen(audio) for audio in self._held)
        self._held.clear()
        self._held_size = 0

    def _hand_on(self, now: int, *, answer: bool) -> bool:
        duty = hand_on(self.trace.transcript, self._speaker.unsettled(now), self._given, answer=answer)
        if duty is None and self._wordless:
            duty = c.HandOn((), answer=answer)  # what the caller said is lost, but not that they wait for an answer
        self._wordless = False
        if self._back is not None:
            told = duty if duty is not None else c.HandOn(())
            duty = c.HandOn((*told.turns, c.Turn("assistant", self._back.lead_in)), told.done, answer)
            self._back = None
        if self._errand is not None:  # the only words of ours that an assistant has to know
            said = duty if duty is not None else c.HandOn(())
            duty = c.HandOn((c.Turn("assistant", self._errand.text), *said.turns), said.done, answer)
        if wish := self._language.wish():
            said = duty if duty is not None else c.HandOn(())
            duty = c.HandOn((*wish, *said.turns), said.done, answer and bool(said.turns or said.done))
        if duty is not None:
            self._out.append(duty)
        return duty is not None and duty.answer

    def _session_closed(self, event: e.SessionClosed, now: int, *, cut: bool = True) -> None:
        if self._phase not in (Phase.OPENING, Phase.TALKING) or not self._proving.may_enter:
            return
        if event.reason == "ended":
            for item in self._ledger.unheard(now):
                self._speaker.finish(item, now)
            self._abandon(now)
            self._hang_up_when_heard("completed", "assistant", now)
            return
        opening = self._phase is Phase.OPENING
        if opening and self._on_errand:
            self._session_missing = True  # the keys are enough, until the callee wants the assistant
            return
        may_try = self._lifeline.lost(now) and not (opening and (self._first or event.reason == "refused"))
        self.trace.counts.losses += 1
        self.trace.noted(now, "session_lost")
        self._up = False
        if not opening:
            self._lose(now)
        if may_try:
            self._handing_on = True
            self._say("one_moment", now=now)
            self._reopen(now)
        else:
            apology = "apology_onward" if self._rules.onward else "apology_unavailable"
            self._close(apology, _SESSION_GONE.get(event.reason, "session_lost"), "bridge", now, flush=cut)

    def _lose(self, now: int) -> None:
        """Bring to an end what only the lost session could go on with."""
        self._step("lose")
        self._partial = ""
        for question in self._questions.drain():
            self._hear_question(question, now)
            self._prompts.forget(question)
            self._note(question, c.Verdict.UNANSWERED, c.AnsweredBy.NONE, "", now)
            if question.naming or self._proving.open:
                self._flush(now)
        if not self._step_up.changing:  # which is no business of any session's
            self._stop_proving(now)
        self._questions.begin_anew()
        self._next_question = None
        for item in self._ledger.unheard(now):
            self._speaker.finish(item, now)
        if self._reply and self._ledger.quiet_at() - now > self._rules.starved_ms:
            self._flush(now)  # what is left of a reply that will never be whole
        self._reply = ""
        self._cut.clear()
        self._hushed.clear()
        self._awaited.clear()
        self._turns.producing(False, now)
        self._functions.lose()
        self._out.extend(self._given.lost(self.trace.actions, self._functions.running))

    def _reopen(self, now: int) -> None:
        """Have a session opened in the place of the lost one, when that is due."""
        if self._lifeline.reopen_at is None or now < self._lifeline.reopen_at:
            return
        self._lifeline.reopen_at = None
        if self._lifeline.spare is Spare.NONE:
            self._out.append(c.OpenSession())
        elif self._lifeline.spare is Spare.READY:
            self._take_spare(now)
            self._up = True
            self._go_on(now)

    def _outcome_found(self, event: e.OutcomeFound, now: int) -> None:
        if self._given.found(event.id):
            self.trace.settled(event.id, event.outcome, None)
            self._tell_outcome(event.outcome, now)

    def _tell_outcome(self, outcome: str, now: int) -> None:
        """Say what came of an action whose session is gone, and let the next one have the call."""
        told = _OUTCOMES_TOLD.get(outcome, "outcome_unknown")
        if self._phase in (Phase.OPENING, Phase.TALKING):
            self._say(told, now=now)
            self._go_on(now)

    # The next session, before this one ends

    def _session_expiring(self, event: e.SessionExpiring, now: int) -> None:
        if self._phase is Phase.TALKING:
            self._lifeline.expiring(event.left_ms, now)

    def _spare_ready(self, event: e.SpareReady, now: int) -> None:
        if self._phase not in (Phase.OPENING, Phase.TALKING) or not self._proving.may_enter:
            return
        self._lifeline.spare_ready(event.life_ms, now)
        if self._phase is Phase.OPENING and not self._up and self._lifeline.reopen_at is None:
            self._lifeline.reopen_at = now
            self._reopen(now)

    def _spare_failed(self, event: e.SpareFailed, now: int) -> None:
        waited_for = self._phase is Phase.OPENING and not self._up and self._lifeline.reopen_at is None
        self._lifeline.spare_failed(now)
        if waited_for:
            self._session_closed(e.SessionClosed("unavailable", event.reason), now)

    def _take_spare(self, now: int) -> None:
        self._out.append(c.TakeSpare())
        self._lifeline.taken(now)
        self.trace.counts.renewals += 1
        self.trace.noted(now, "session_renewed")

    def _pause_at(self) -> int | None:
        """Say from when on the session can be changed without anybody's hearing it; None while it cannot."""
        if self._lifeline.spare is not Spare.READY or self._phase is not Phase.TALKING:
            return None
        busy = (
            self._reply
            or self._awaited
            or self._functions.owed
            or self._prompts
            or self._questions.current
            or self._questions.waiting()
        )
        if busy or self._utterance is not None or self._turns.waited() is not None:
            return None
        return self._turns.quiet_since + self._rules.pause_ms

    def _expire_session(self, now: int) -> None:
        if self._phase is Phase.OPENING:
            given_up_at = self._given_up_at()
            if given_up_at is not None and now >= given_up_at:
                closed, cut = e.SessionClosed("unavailable", "it does not answer"), now < self._ledger.quiet_at()
                self._session_closed(closed, now, cut=cut)
            else:
                self._reopen(now)
            return
        if self._lifeline.wants_spare(now):
            self._out.append(c.OpenSpare())
        pause_at = self._pause_at()
        if pause_at is not None and now >= pause_at:
            self._given.lost(self.trace.actions)
            self._take_spare(now)
            self._questions.begin_anew()
            self._functions.lose()
            self._hand_on(now, answer=False)
        elif self._lifeline.spare is Spare.READY and self._lifeline.presses(now):
            self._session_closed(e.SessionClosed("expired"), now)

    # Consent

    def _confirmation_asked(self, event: e.ConfirmationAsked, now: int) -> None:
        self._turns.session(now)
        if self._phase is not Phase.TALKING or not self._questions.add(event.id, event.action, now):
            return
        if self._given.same(event.id, event.action):
            self._refuse_again(event, now)
        elif self._through.holds(now):  # it was made of words that were for us
            self._give(self._taken_out(event.id), c.Verdict.DECLINED, c.AnsweredBy.NONE, "", now)
        elif self._may_go_unasked(event.action, self._given.alike(event.action)):
            self._go_unasked(event.id, now)
        else:
            self._ask_in_turn(now)

    def _go_unasked(self, id: str, now: int, *, function: bool = False) -> None:
        question = self._taken_out(id, function=function)
        self._give(question, c.Verdict.CONFIRMED, c.AnsweredBy.NONE, "", now)
        self._say("confirmed_by_preference", self._naming(question), now=now)

    def _ask_in_turn(self, now: int) -> None:
        if self._questions.current is None and self._next_question is None and not self._on_errand:
            self._ask_next(now)

    def _may_go_unasked(self, action: e.Action, before: str) -> bool:
        wished = action.name in self._rules.auto_confirm and action.name not in NEVER_UNASKED
        return wished and not before and self._proving.opens(action.name) and not self._step_up.changing

    def _done_before(self, action: e.Action) -> str:
        """Tell what came of such an action of a model's that had its yes in this call; "" for none, or a failure."""
        before = alike(self.trace.actions, action)
        return "" if before == FAILED else before

    def _refuse_again(self, event: e.ConfirmationAsked, now: int) -> None:
        """Send no second yes for a proposal that had its yes before the session was lost."""
        question = self._taken_out(event.id)
        told = words.already(self._language.tag)
        self._out.append(c.Answer(question.id, question.action, c.Verdict.DECLINED, c.AnsweredBy.NONE, told))

    def _taken_out(self, id: str, *, function: bool = False) -> Question:
        question = self._questions.drop(id, function=function)
        assert question is not None  # noqa: S101 - an own invariant: it was added just now
        return question

    def _ask_next(self, now: int) -> None:
        self._next_question = None
        if self._step_up.changing:
            return  # it comes afterwards
        question = self._questions.next()
        while question is not None and question.held and self._proving.opens(question.action.name):
            self._questions.drop(question.id, function=True)
            self._begin_function(question.id, question.action, now)
            question = self._questions.next()
        if question is None:
            return
        if self._ledger.quiet_at() - now > self._rules.lead_in_ms:
            if self._speaker.sounded(self._reply):
                self._hushed.add(self._reply)  # the flush tells how much of it was heard
            self._flush(now)
        if self._reply:
            self._hush(self._reply)
        if self._proving.opens(question.action.name):
            self._ask(question, now)
        else:
            self._prove(now)

    def _ask(self, question: Question, now: int, *lead: str) -> None:
        self._language.open = False
        self.trace.noted(now, "asked", question.action.name)
        before = self._done_before(question.action) if question.function else self._given.alike(question.action)
        warning = () if not before else ("again_done" if before == EXECUTED else "again_unknown",)
        self._say(*lead, *warning, self._naming(question), "keys", now=now, question=question)

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

    def _reply_to(self, question: Question, reply: Reply, by: c.AnsweredBy, answer: str, now: int) -> None:
        if reply is Reply.NONE:
            return
        self._prompts.forget(question)
        self._flush(now)
        if reply is Reply.CONFIRM:
            self._answer(question, c.Verdict.CONFIRMED, by, now, answer)
        elif reply in (Reply.DECLINE, Reply.WISH):
            self._answer(question, c.Verdict.DECLINED, by, now, answer)
        elif reply is Reply.REPEAT:
            self._ask(question, now)
        elif reply is Reply.KEYPAD:
            self._say("keypad", now=now, question=question)
        else:
            lead = "wrong_key" if reply is Reply.WRONG_KEY else "unclear_once"
            naming = () if question.heard_at is not None else (self._naming(question),)
            self._say(lead, *naming, "keys", now=now, question=question)

    def _answer(self, question: Question, verdict: c.Verdict, by: c.AnsweredBy, now: int, answer: str = "") -> None:
        self._questions.drop(question.id, function=question.function)
        self._answered_at = now
        self._give(question, verdict, by, answer, now)
        self._turns.caller_done(now)
        if self._questions.waiting():
            self._next_question = now + self._rules.outcome_ms
            self._next_limit = now + self._rules.outcome_limit_ms

    def _give(self, question: Question, verdict: c.Verdict, by: c.AnsweredBy, answer: str, now: int) -> None:
        permit = None
        if verdict is c.Verdict.CONFIRMED:
            if not self._proving.opens(question.action.name):
                raise LocalError("a yes was about to be given by a caller who is not known well enough for it")
            permit = Permit(question.action, now)
            self._awaited.add(question.id)
            self._turns.session(now, busy=True)
        if question.function:
            self._give_function(question, verdict, by, permit, now)
        else:
            unspoken = by is not c.AnsweredBy.SPEECH or self._through.holds(now)  # no session takes a wish for a no
            told = verdict in (c.Verdict.DECLINED, c.Verdict.EXPIRED) and unspoken
            refusing = words.unproven if question.unproven else words.refusal
            refusal = refusing(self._language.tag) if told else ""
            self._out.append(c.Answer(question.id, question.action, verdict, by, refusal, permit))
        self._note(question, verdict, by, answer, now)

    def _give_function(
        self, question: Question, verdict: c.Verdict, by: c.AnsweredBy, permit: Permit | None, now: int
    ) -> None:
        """Run what was consented to, or tell the model that it was not; nobody is left to tell at a call's end."""
        if permit is not None:
            self._functions.run(question.id, question.action, now, permit)
        elif question.unproven:
            self._functions.give(question.id, UNPROVEN)
        else:
            self._functions.refuse(question.id, verdict, by)
        self._turns.working(self._functions.working, now)

    def _note(self, question: Question, verdict: c.Verdict, by: c.AnsweredBy, answer: str, now: int) -> None:
        if not self._looks(question):
            self.trace.asked(self._asked(question, verdict, by, now, answer))

    def _keep_open(self, now: int) -> None:
        """Have the trace show what is asked as not answered, with an outcome that nobody knows, until it is."""
        if self._questions.current is not None or self._questions.waiting() or self.trace.open:
            deeds = (question for question in self._questions.open if not self._looks(question))
            none = c.Verdict.UNANSWERED, c.AnsweredBy.NONE
            self.trace.asking(self._asked(question, *none, now, outcome=UNKNOWN) for question in deeds)

    def _looks(self, question: Question) -> bool:
        """Tell whether it is about a look, which is no deed, given or not."""
        return question.held and self._rules.reads(question.action.name)

    def _asked(
        self,
        question: Question,
        verdict: c.Verdict,
        by: c.AnsweredBy,
        now: int,
        answer: str = "",
        outcome: str = "",
    ) -> Asked:
        return Asked(
            question.id,
            question.action,
            verdict,
            by,
            now - self.trace.began,
            question.heard_ms,
            question=question.words,
            question_ms=question.words_ms,
            answer=answer,
            outcome=outcome,
            trust=self._proving.tier.value,
        )

    def _action_settled(self, event: e.ActionSettled, now: int) -> None:
        self._turns.session(now)
        self._hushed.clear()
        self._awaited.discard(event.id)
        result = event.result if event.result is not None else event.outcome
        self.trace.settled(event.id, event.outcome, result)
        question = self._questions.current
        fallen = self._questions.drop(event.id)
        asked = fallen is not None and fallen is question
        if fallen is None:
            return
        self._prompts.forget(fallen)
        # The session settled what the caller had not answered: nobody may say any more that it was consented to.
        self._note(fallen, c.Verdict.UNANSWERED, c.AnsweredBy.NONE, "", now)
        self.trace.settled(event.id, event.outcome, result)
        if asked:
            self._stop_proving(now)
            self._flush(now)
            self._say("withdrawn", now=now)
            self._next_question = now + self._rules.outcome_ms if self._questions.waiting() else None
            self._next_limit = now + self._rules.outcome_limit_ms

    # Functions that a model calls

    def _tool_called(self, event: e.ToolCalled, now: int) -> None:
        self._turns.session(now, busy=True)
        if self._phase is not Phase.TALKING:
            return
        id = self._functions.take(event.id, event.action)  # noqa: A001 - the fact's own word
        if not id:
            return
        self.trace.noted(now, "tool", event.action.name)
        self._turns.working(True, now)
        if self._proving.opens(event.action.name):
            self._begin_function(id, event.action, now)
        else:
            self._questions.hold(id, event.action, now)
            self._ask_in_turn(now)

    def _begin_function(self, id: str, action: e.Action, now: int) -> None:
        if self._rules.reads(action.name):
            self._functions.run(id, action, now)
        else:
            self._functions.prepare(id)

    def _tool_prepared(self, event: e.ToolPrepared, now: int) -> None:
        if not self._functions.prepared(event.id):
            return
        if event.refusal:
            self._functions.give(event.id, event.refusal)
            self._turns.working(self._functions.working, now)
        elif self._questions.add(event.id, event.action, now, function=True):
            if self._may_go_unasked(event.action, self._done_before(event.action)):
                self._go_unasked(event.id, now, function=True)
            else:
                self._ask_in_turn(now)

    def _tool_ran(self, event: e.ToolRan, now: int) -> None:
        if event.id not in self._functions.running:
            return
        outcome = self._note_outcome(event)
        self.trace.measured("tool_ms", self._functions.ran_ms(event.id, now))
        self._awaited.discard(event.id)
        self._functions.give(event.id, event.result)
        self._turns.working(self._functions.working, now)
        if self._given.found(event.id):
            self._tell_outcome(outcome, now)
        elif self._next_question is not None and self._questions.waiting():
            self._ask_next(now)  # the model says nothing before it has all its results

    def _note_outcome(self, event: e.ToolRan) -> str:
        outcome = UNKNOWN if event.unsure else EXECUTED if event.ok else FAILED
        self.trace.settled(event.id, outcome, readable(event.result))
        return outcome

    def _tokens_used(self, event: e.TokensUsed, now: int) -> None:
        counts = self.trace.counts
        counts.input_text_tokens += event.input_text
        counts.input_audio_tokens += event.input_audio
        counts.cached_tokens += event.cached
        counts.output_text_tokens += event.output_text
        counts.output_audio_tokens += event.output_audio
        self.trace.version += 1

    def _abandon(self, now: int) -> None:
        """Give every open proposal its no: nobody is left to answer it, or to carry it out."""
        self._stop_proving(now)
        self._functions.lose()
        for question in self._questions.drain():
            self._hear_question(question, now)
            self._give(question, c.Verdict.UNANSWERED, c.AnsweredBy.NONE, "", now)
        self._next_question = None

    def _naming(self, question: Question) -> c.Line:
        return words.question(question.action, self._language.tag)

    def _own_words(self, question: Question) -> str:
        """Give all that may come back as an echo while ``question`` is asked."""
        keys = ("unclear_once", "wrong_key", "keys", "keypad", "again_done", "again_unknown")
        return " ".join((self._naming(question).text, *(self._speaker.line(key).text for key in keys)))

    # Who is calling

    def _caller_changed(self, event: e.CallerChanged, now: int) -> None:
        """Know whoever has come no better than anybody; what is open is asked of them from its first word."""
        if self._phase not in (Phase.OPENING, Phase.TALKING):
            return
        self.trace.noted(now, "caller_changed")
        self._on_hold = False
        self._turns.hold(False, now)
        self._through.close()  # whoever has gone asked for somebody else
        if self._step_up.changing:
            self._flush(now)
        self._stop_proving(now)
        self._proving.forget()
        self._out.append(c.ForgetProofs())
        self.trace.trust = self._proving.tier.value
        self.trace.version += 1
        if not self._proving.may_enter:
            self._close("goodbye_pin", "completed", "bridge", now)
            return
        self._announcement.again()
        if lines := self._announcement.lines:
            self._announcement.said(self._say(*lines, now=now))
        question = self._questions.current
        if question is None:
            self._ask_in_turn(now)
            return
        self._take_back(question, now)
        if self._proving.opens(question.action.name):
            self._ask(question, now)
        else:
            self._prove(now)

    def _caller_held(self, event: e.CallerHeld, now: int) -> None:
        """Wait for whoever is away; what was asked before they are back is asked of them from its first word."""
        if event.held == self._on_hold or self._phase not in (Phase.OPENING, Phase.TALKING):
            return
        self.trace.noted(now, "held" if event.held else "resumed")
        self._on_hold = event.held
        self._turns.hold(event.held, now)
        question = self._questions.current
        if not event.held and question is not None and not self._proving.open:
            self._take_back(question, now)
            self._ask(question, now)

    def _prove(self, now: int, *lead: c.Line | str) -> None:
        """Ask for what the current question needs, or the session as a whole; ``lead`` is said before."""
        question, trust = self._questions.current, self._rules.trust
        needed, how = (trust.enter, "enter") if question is None else (trust.needs(question.action.name), "ask")
        self._settle_proof(self._step_up.begin(needed, how, now, *lead), now)

    def _pin_keyed(self, event: e.PinKeyed, now: int) -> None:
        self._turns.caller(now)
        self._settle_proof(self._step_up.keyed(event, now), now, by=c.AnsweredBy.DIGIT)

    def _pin_spoken(self, event: e.PinSpoken, now: int) -> None:
        self._turns.caller(now)
        if event.wish == "person" and self._proving.open:
            self._serve(self._through.person(now), "", now)
        else:
            self._settle_proof(self._step_up.spoken(event, now), now)

    def _pin_judged(self, event: e.PinJudged, now: int) -> None:
        move = self._step_up.judged(event, now)
        if self.trace.trust != self._proving.tier.value:
            self.trace.trust = self._proving.tier.value
            self.trace.version += 1
        self._settle_proof(move, now)

    def _code_sent(self, event: e.CodeSent, now: int) -> None:
        self._settle_proof(self._step_up.sent(event, now), now)

    def _settle_proof(self, move: Move, now: int, by: c.AnsweredBy = c.AnsweredBy.NONE) -> None:
        if self._step_up.changing:
            if move is Move.CHANGED or move in OVER:
                self._pin_settled(move, now)
        elif move is Move.RIGHT:
            self._proven(now)
        elif move in OVER:
            self._unproven(move, by, now)

    def _proven(self, now: int) -> None:
        self._stop_proving(now)
        self._answered_at = now
        question = self._questions.current
        if question is None:
            self._say("pin_right" if self._handing_on else "pin_welcome", now=now)
            self._open_first(now)
            self._turns.caller_done(now)
            return
        if question.held:
            self._say("pin_right", now=now)
            self._ask_next(now)
        else:
            question.begin_anew(now)
            self._ask(question, now, "pin_right")

    def _unproven(self, move: Move, by: c.AnsweredBy, now: int) -> None:
        """Leave the caller as little known as before: what needed more is declined, and a call that did is over."""
        self._stop_proving(now)
        question = self._questions.current
        if question is None:
            self._close(self._step_up.farewell(move), "completed", "bridge", now)
            return
        question.unproven = True
        late = move is Move.LATE
        self._say(*self._step_up.told(move), now=now)
        self._answer(question, c.Verdict.EXPIRED if late else c.Verdict.DECLINED, by, now)

    def _pin_change_wanted(self, event: e.PinChangeWanted, now: int) -> None:
        self._change_pin(now)

    def _change_pin(self, now: int) -> None:
        """Have the caller set a PIN, unless something else is being asked; the assistant is silent meanwhile."""
        ours = self._on_errand or self._through.holds(now)
        busy = self._questions.current is not None or self._proving.open or ours
        if not self._rules.pin_change or self._phase is not Phase.TALKING or busy:
            return
        self._interrupt(now)
        self._language.open = False
        self._next_question = None  # what waits is asked afterwards
        self._settle_proof(self._step_up.change(now), now)

    def _pin_settled(self, move: Move, now: int) -> None:
        told = self._step_up.told(move)
        self._stop_proving(now)
        self._turns.caller(now)
        self._answered_at = now
        if move is Move.CHANGED:
            self.trace.noted(now, "pin_changed")
            self.trace.version += 1
        self._say(*told, now=now)
        if self._questions.waiting():
            self._ask_next(now)

    def _stop_proving(self, now: int) -> None:
        if self._step_up.end(now):
            self._utterance, self._voice_ended, self._partial = None, None, ""

    # What sounds

    def _say(self, *lines: c.Line | str, now: int, question: Question | None = None) -> Prompt:
        prompt = self._speaker.speak(*lines, now=now, question=question)
        if question is not None:
            question.extend(prompt.expires + self._rules.answer_ms, self._rules)
        return prompt

    def _say_instead(self, unsaid: list[Prompt], line: c.Line | str, *, now: int) -> Prompt:
        """Say ``line`` in the place of what was being made, but not of the word of a recording, which comes first."""
        first = self._announcement.lines if self._announcement.within(unsaid) else ()
        prompt = self._say(*first, line, now=now)
        self._announcement.said(prompt)
        return prompt

    def _prompt_ready(self, event: e.PromptReady, now: int) -> None:
        prompt = self._prompts.take(event.prompt)
        if prompt is None or (prompt.question is not None and prompt.question is not self._questions.current):
            return
        if self._phase is Phase.CLOSING and prompt is not self._closing_prompt:
            return
        if len(event.parts) != len(prompt.lines):
            raise LocalError(f"{len(event.parts)} runs of sound were made for {len(prompt.lines)} lines")
        self._speaker.play_prompt(prompt, event.parts, now)
        until = self._ledger.quiet_at()
        if self._step_up.is_prompt(prompt.name):
            self._proving.asking_until(until)
        if prompt.lines[0].key == "one_moment":
            self._turns.filled(until)
        else:
            self._turns.sounding(until)
        if prompt.question is not None:
            prompt.question.extend(until + self._rules.answer_ms, self._rules)
        if prompt is self._closing_prompt:
            self._hang_up_at = until + self._rules.farewell_ms

    def _prompt_failed(self, event: e.PromptFailed, now: int) -> None:
        prompt = self._prompts.take(event.prompt)
        if prompt is None:
            return
        self.trace.counts.troubles += 1
        if prompt is self._closing_prompt:
            self._hang_up(now)
        elif prompt.question is not None and prompt.question is self._questions.current:
            self._answer(prompt.question, c.Verdict.EXPIRED, c.AnsweredBy.NONE, now)
            self._say("not_asked", now=now)

    def _mark_reached(self, event: e.MarkReached, now: int) -> None:
        if not self._ledger.reached(event.mark, now):
            self.trace.counts.stray_marks += 1
        self._settle(now)
        self._finish_closing(now)

    def _settle(self, now: int) -> None:
        question = self._questions.current
        if question is not None:
            self._hear_question(question, now)
        self._announcement.look(self._ledger, now)
        self._speaker.settle(now)

    def _flush(self, now: int) -> None:
        if self._speaker.flush(now):
            self._turns.silenced(now)

    def _interrupt(self, now: int) -> bool:
        """Let the caller have the word; False where nothing sounded or was being produced."""
        if self._phase is not Phase.TALKING or self._announcement.sounding(self._ledger, now):
            return False
        reply = self._reply if self._reply not in self._cut else ""
        sounding = bool(self._ledger.unheard(now))
        self._flush(now)
        if reply:
            self._cut.add(reply)
            self._out.append(c.CancelReply(reply))
            self.trace.counts.barge_ins += 1
            self._turns.producing(False, now)
        return sounding or bool(reply)

    # The end

    def _end_requested(self, event: e.EndRequested, now: int) -> None:
        if self._phase in (Phase.OPENING, Phase.TALKING):
            self._close(_GOODBYES.get(event.by, "goodbye"), "completed", event.by, now)

    @property
    def _choices(self) -> c.Line:
        return putting_through.whom(self._through.offered, self._language.tag)

    def _serve(self, heard: Through, answer: str, now: int) -> bool:
        """Do what a caller asks for who wants a person; False where the words or the key are for somebody else."""
        if heard.step in (Step.PUT, Step.ASK):
            self._void(answer, now)
            unsaid = self._prompts.forget(None)
            self._interrupt(now)
        if heard.step is Step.PUT:
            self._turns.working(True, now)
            if self._rules.refers:
                self._connecting = self._say_instead(unsaid, moving.connecting(heard.name, self._language.tag), now=now)
            self._out.append(c.PutThrough(heard.name))
        elif heard.step is Step.ASK:
            asked = self._say_instead(unsaid, self._choices, now=now)
            self._through.wait(asked.expires + self._rules.answer_ms)
        return heard.step is not Step.NOTHING

    def _void(self, answer: str, now: int) -> None:
        """Give whatever is open its no: whoever asks for a person consents to nothing."""
        self._stop_proving(now)
        current = self._questions.current
        for question in self._questions.drain():
            self._hear_question(question, now)
            self._prompts.forget(question)
            by, said = (c.AnsweredBy.SPEECH, answer) if question is current else (c.AnsweredBy.NONE, "")
            self._give(question, c.Verdict.DECLINED, by, said, now)
        self._next_question = None

    def _transfer_refused(self, event: e.TransferRefused, now: int) -> None:
        if self._phase in (Phase.OPENING, Phase.TALKING) and self._through.holds(now):
            self._through.close()
            self._turns.working(self._functions.working, now)
            if self._connecting is not None:
                self._prompts.take(self._connecting.name)  # it would be heard after what is said now
            failed = putting_through.failed(self._language.tag)
            if self._proving.may_enter:
                self._say(failed, now=now)
            else:
                self._prove(now, failed)

    def _transfer_requested(self, event: e.TransferRequested, now: int) -> None:
        """Put the caller through once the last sentence was heard."""
        if self._phase in (Phase.OPENING, Phase.TALKING):
            if self._through.offered:  # by somebody else than the caller, who was being asked
                self._prompts.forget(None)
                self._flush(now)
            self._moving.wait(event.name, now)
            if not self._reply or self._reply in self._cut or self._reply in self._hushed:
                self._move(now)

    def _move(self, now: int) -> None:
        asked = self._questions.current is not None or self._proving.open  # nobody is to answer it any more
        for item in self._ledger.unheard(now):
            self._speaker.finish(item, now)
        line = moving.connecting(self._moving.take(), self._language.tag)
        told = self._connecting if self._through.holds(now) else None  # who has asked in words was told so then
        self._close(told or line, "transferred", "transfer", now, flush=asked)
        self._finish_closing(now)

    def _close(self, key: c.Line | str | Prompt, reason: str, by: str, now: int, *, flush: bool = True) -> None:
        """Say the last words; the line is cut when they were heard."""
        self._abandon(now)
        if flush:
            self._flush(now)
        self._step("close")
        self.trace.ending(by, reason if reason in _SESSION_GONE.values() else "")
        self._hang_up_reason = reason
        self._closing_prompt = key if isinstance(key, Prompt) else self._say(key, now=now)
        self._hang_up_at = now + self._rules.prompt_ms + self._rules.farewell_ms

    def _hang_up_when_heard(self, reason: str, by: str, now: int) -> None:
        self._step("close")
        self.trace.ending(by)
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
            hung_up = event.reason == "hangup"
            self.trace.ending("caller" if hung_up else "carrier", "" if hung_up else "leg_lost")
        self._abandon(now)
        self._speaker.forsake(now)
        self._out.append(c.CloseSession(event.reason))
        self._step("end")


def _precedes(said: e.CallerSaid, question: Question) -> bool:
    """Tell whether words were begun before the question was: they are no answer to it, whenever they come."""
    return said.began is not None and (question.began_at is None or said.began < question.began_at)

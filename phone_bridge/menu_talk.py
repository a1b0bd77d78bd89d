"""Menus that the bridge speaks itself, on a leg that has sound and keys but asks for no documents.

The rules are those of ``menus``, and keys are taken as a carrier's ``<Gather>`` takes them: one key at once, of several
digits fewer before ``#``, and who keeps silent after the menu was said, or after the last digit, has answered with what
there is. So the same keys lead to the same place on every line. Facts in, duties out, like a call: the same pump drives
both.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from phone_bridge import menus
from phone_bridge.audio.format import Format
from phone_bridge.audio.tones import beep
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import words
from phone_bridge.call.language import Language
from phone_bridge.call.machine import Phase
from phone_bridge.call.rules import Rules
from phone_bridge.call.speaking import Speaker
from phone_bridge.call.trace import Trace
from phone_bridge.call.view import View
from phone_bridge.call.words import moving
from phone_bridge.errors import LocalError
from phone_bridge.menus import Ask, Go, Heard, Kind, Menu, State, Step, Target

MARK = "menu."
"""How the marks of a menu begin: those of the call that comes after it are others."""
ENTER_KEY = "#"
"""The key that ends digits."""
MAX_SPEECH_CHARS = 1_000
"""Of longer answers the beginning is understood."""
VOICE_MS = 20_000
"""The longest that a voice is waited for to end."""
WORDS_MS = 8_000
"""The longest that the words of a voice are waited for."""
MESSAGE_MS = 120_000
"""The longest message."""
MESSAGE_QUIET_MS = 6_000
"""How long somebody who leaves a message may keep silent."""
BEEP = "~beep"

SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "unclear": "I am sorry, I did not understand that.",
        "silent": "I am sorry, I did not hear anything.",
        "human": "Press 0 to speak to somebody.",
        "lost": "I am sorry, I could not find out what I can do for you. Goodbye.",
        "nobody": "Nobody can take your call now. Please call again later. Goodbye.",
        "unable": "I am sorry, I cannot put you through on this line. Goodbye.",
        "message": "Please stay on the line to leave a message after the tone. Press the hash key when you are done.",
        "thanks": "Thank you. Goodbye.",
    },
    "de": {
        "unclear": "Das habe ich leider nicht verstanden.",
        "silent": "Ich habe leider nichts gehört.",
        "human": "Drücken Sie die 0, um mit jemandem zu sprechen.",
        "lost": "Leider konnte ich nicht herausfinden, was ich für Sie tun kann. Auf Wiederhören.",
        "nobody": "Gerade kann niemand Ihren Anruf annehmen. Bitte rufen Sie später noch einmal an. Auf Wiederhören.",
        "unable": "Auf dieser Leitung kann ich Sie leider nicht verbinden. Auf Wiederhören.",
        "message": (
            "Bitte bleiben Sie am Apparat und sprechen Sie nach dem Ton. "
            "Drücken Sie die Rautetaste, wenn Sie fertig sind."
        ),
        "thanks": "Vielen Dank. Auf Wiederhören.",
    },
    "es": {
        "unclear": "Lo siento, no le he entendido.",
        "silent": "Lo siento, no he oído nada.",
        "human": "Pulse 0 para hablar con una persona.",
        "lost": "Lo siento, no he podido averiguar qué desea. Adiós.",
        "nobody": "Ahora nadie puede atender su llamada. Por favor, vuelva a llamar más tarde. Adiós.",
        "unable": "Lo siento, en esta línea no puedo pasarle la llamada. Adiós.",
        "message": (
            "No cuelgue, por favor, y deje su mensaje después del tono. "
            "Pulse la tecla almohadilla, o numeral, cuando termine."
        ),
        "thanks": "Gracias. Adiós.",
    },
    "fr": {
        "unclear": "Désolé, je n'ai pas compris.",
        "silent": "Désolé, je n'ai rien entendu.",
        "human": "Appuyez sur 0 pour parler à quelqu'un.",
        "lost": "Désolé, je n'ai pas pu savoir ce que vous souhaitez. Au revoir.",
        "nobody": "Personne ne peut prendre votre appel pour le moment. Veuillez rappeler plus tard. Au revoir.",
        "unable": "Désolé, je ne peux pas transférer votre appel sur cette ligne. Au revoir.",
        "message": (
            "Ne quittez pas, s'il vous plaît, et laissez votre message après le signal. "
            "Appuyez sur la touche dièse, ou carré, quand vous avez terminé."
        ),
        "thanks": "Merci. Au revoir.",
    },
}
"""What the bridge says of its own in a menu, and to whoever leaves a message, by language."""


def sentence(key: str, language: str) -> str:
    """Give a sentence of our own; none in a language that we do not speak, where the menu is said again alone."""
    return SENTENCES.get(_base(language), {}).get(key, "")


def told(step: Ask, language: str, *, by_keys: bool = False) -> list[tuple[str, str]]:
    """Give what a caller is told who is asked: the name of a recorded file for it, and its text."""
    menu, sorry = step.menu, step.sorry
    asked = (f"{menu.name}.keys", menu.say_keys) if by_keys and menu.say_keys else (menu.name, menu.say)
    person = sentence("human", language) if sorry and step.human else ""
    own = (("own", text) for text in step.first)
    return [each for each in (*own, (sorry, sentence(sorry, language)), asked, ("human", person)) if each[1]]


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How a caller is served in the menus of a route, in its ``language``.

    ``hears`` is the language in which words are heard, empty where there is no ear and keys alone count, ``digits``
    whether spoken digits are; ``moves`` whether the line can put a caller through. The route's fallback is the number
    ``transfer_to``, or a ``voicemail``, or else a goodbye.
    """

    language: str = "en"
    hears: str = ""
    digits: bool = False
    moves: bool = False
    transfer_to: str = ""
    voicemail: bool = False


class Message:
    """A message that a caller leaves from ``began`` on, until they keep silent or it is as long as one may be."""

    def __init__(self, began: int) -> None:
        self.began = began
        self.voiced = False
        """Whether anything was said."""
        self._quiet_since: int | None = began

    def voice(self, now: int, *, on: bool) -> None:
        """Know that a voice begins, or ends."""
        self.voiced = self.voiced or on
        self._quiet_since = None if on else now

    def ends_at(self) -> int:
        """Say when it is over, unless there is a voice before."""
        longest = self.began + MESSAGE_MS
        return longest if self._quiet_since is None else min(longest, self._quiet_since + MESSAGE_QUIET_MS)


class MenuTalk:
    """Walk one caller through ``known`` menus, from the one named ``first`` to where they want to go.

    ``at`` is the time of day at ``now``. When the phase is ENDED and ``onward`` is there, the caller is still on the
    line and wants the assistant. While ``wanted`` names a number, the caller has heard that they are put through to it:
    whoever can do that does it, and calls ``stayed`` where nothing came of it. With ``farewell``, a sentence of the
    bridge's, nothing is asked: it is said, and the line is cut. With the ``trace`` of a talk that has failed the caller
    gets the fallback.
    """

    def __init__(
        self,
        format: Format,
        known: Mapping[str, Menu],
        first: str,
        manners: Manners,
        *,
        at: datetime,
        now: int,
        farewell: str = "",
        trace: Trace | None = None,
    ) -> None:
        self._format = format
        self._known = known
        self._first = first
        self.manners = manners
        self._at = at - timedelta(milliseconds=now)
        self._farewell = farewell
        self._failed = trace is not None
        self._rules = Rules(language=manners.language)
        self._phase = Phase.NEW
        self._out: list[c.Command] = []
        self.trace = Trace(now) if trace is None else trace
        self._speaker = Speaker(format, self._rules, Language(self._rules), self.trace, self._out, now)
        self._ledger = self._speaker.ledger
        self.asked: Ask | None = None
        """What the caller is asked."""
        self._state = State(())
        self._digits = ""
        self._prompt = ""  # what is being made, of which nothing is heard yet
        self._due: int | None = None  # when the caller counts as silent
        self._gone_at: int | None = None  # when the last words count as heard
        self._going = Target(Kind.HANG_UP)  # what follows on the last words
        self._beeped = False
        self.leaf: Target | None = None
        """Where the menus have led."""
        self._language = manners.language  # they are in
        self.spoken = ""
        """The language of its own that the menu had from which the caller has left; empty for the route's."""
        self._voiced = False  # a voice goes on, or its words are awaited
        self.message_ms = 0
        """How long the message is that the caller has left."""
        self._message: Message | None = None  # that is being left
        self.onward: Target | None = None
        """Which assistant the caller wants."""
        self.wanted = ""
        """The number that the caller is to be put through to now."""
        self.handed_on = False
        """Whether the line goes to whoever puts the caller through to ``wanted``."""
        self.turn = 0
        """Grows with every answer: what was said before it is none to what is asked now."""
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            e.CallerHeard: self._caller_heard,
            e.DigitPressed: self._digit_pressed,
            e.VoiceStarted: self._voice_started,
            e.VoiceStopped: self._voice_stopped,
            e.CallerSaid: self._caller_said,
            e.MarkReached: self._mark_reached,
            e.PromptReady: self._prompt_ready,
            e.PromptFailed: self._prompt_failed,
            e.LegTrouble: self._trouble,
            e.LegClosed: self._leg_closed,
            e.EndRequested: self._end_requested,
        }

    # The outside, as of a call

    @property
    def phase(self) -> Phase:
        """Where the talk stands."""
        return self._phase

    @property
    def gathered(self) -> dict[str, str]:
        """The digits that were gathered, by their menus."""
        return dict(self._state.gathered)

    @property
    def asking(self) -> bool:
        """Whether it matters when a voice begins: a menu was said, for whose language there is an ear, or the beep."""
        if self._message is not None:
            return True
        return self.asked is not None and self._due is not None and not self._digits and self._listens(self.asked.menu)

    @property
    def expected(self) -> tuple[str, ...]:
        """The words that the caller may say now; none where digits are asked for, or no words are heard."""
        ask = self.asked
        by_words = ask is not None and not ask.menu.gather and self._listens(ask.menu)
        return menus.sayable(ask.menu, human=ask.human) if ask is not None and by_words else ()

    @property
    def voiced(self) -> bool:
        """Whether anything was said of the message that is being left."""
        return self._message is not None and self._message.voiced

    @property
    def proving(self) -> bool:
        """Whether a PIN is asked for: never."""
        return False

    @property
    def recordable(self) -> bool:
        """Whether the caller leaves a message: nothing else is recorded."""
        return self._message is not None

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

    def masks(self, now: int) -> bool:
        """Whether a key may be one of a PIN: none is."""
        return False

    def private(self, now: int) -> bool:
        """Whether what the caller does now is for no recording."""
        return self._message is None

    def sounding(self, now: int) -> bool:
        """Whether it matters that the caller speaks while something sounds: keys alone interrupt a menu."""
        return False

    def view(self, now: int) -> View:
        """Show the talk as it is now."""
        return View(self._phase.value, now - self.trace.began, tuple(self._speaker.sounding(now)))

    def begin(self, now: int) -> list[c.Command]:
        """Say the first menu, or the farewell."""
        self._phase = Phase.TALKING
        if self._farewell:
            language = self.manners.language
            own = self._farewell in SENTENCES["en"]
            line = self._own(self._farewell, language) if own else words.line(self._farewell, language)
            self._last_words(Target(Kind.HANG_UP), (line,), now)
        elif self._failed:
            self._leave(Go(target=Target(Kind.FALLBACK), state=self._state), now)
        else:
            self._follow(menus.enter(self._known, self._first, self._time(now)), now)
        return self._drain()

    def process(self, event: e.Event, now: int) -> list[c.Command]:
        """Take one fact in; facts of sessions and PINs, of which there are none here, say nothing."""
        if self._phase is Phase.NEW:
            raise LocalError(f"{type(event).__name__} came before the talk began")
        handle = self._handlers.get(type(event))
        if handle is not None and self._phase is not Phase.ENDED:
            handle(event, now)
        return self._drain()

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        if self._phase in (Phase.NEW, Phase.ENDED):
            return None
        times = (
            self._ledger.deadline(),
            self._ledger.settles_at(),
            self._speaker.prompts.deadline(),
            self._due,
            self._gone_at,
            self._message.ends_at() if self._message is not None else None,
            self.trace.began + self._rules.limit_ms if self.asked is not None else None,
        )
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: int) -> list[c.Command]:
        """Do what the passing of time asks for."""
        if self._phase in (Phase.NEW, Phase.ENDED):
            return []
        self._speaker.expire(now)
        self._speaker.settle(now)
        for prompt in self._speaker.prompts.late(now):
            self._prompt_failed(e.PromptFailed(prompt.name, "it took too long"), now)
        if self._message is not None:
            if now >= self._message.ends_at():
                self._thank(now)
        elif self._phase is Phase.CLOSING:
            self._go_when_heard(now)
        elif now >= self.trace.began + self._rules.limit_ms:
            self._end("goodbye_limit", now)
        elif self._due is not None and now >= self._due:
            self._answer(Heard(digits=self._digits), now)
        return self._drain()

    def hand_on(self) -> None:
        """Let whoever puts the caller through have the line; a caller who is gone by then is not put through."""
        if self.wanted and self._phase is Phase.CLOSING:
            self.handed_on, self._phase = True, Phase.ENDED

    def stayed(self, now: int) -> list[c.Command]:
        """Know that the caller could not be put through: they are told so, and the line is cut."""
        if self.wanted and self._phase is Phase.CLOSING:
            self.wanted = ""
            self._say_last("nobody", self._language, now)
        return self._drain()

    # The caller

    def _caller_heard(self, event: e.CallerHeard, now: int) -> None:
        if self.asked is not None and self.asking and not self._ledger.unheard(now):
            self._out.append(c.Listen(event.audio))

    def _digit_pressed(self, event: e.DigitPressed, now: int) -> None:
        self.trace.noted(now, "key", event.digit)
        if self._message is not None and event.digit == ENTER_KEY:
            self._thank(now)
        if self.asked is None:
            return
        self._hush(now)
        menu = self.asked.menu
        size = menu.gather or 1
        ended = event.digit == ENTER_KEY and size > 1
        if not ended:
            self._digits += event.digit
        if ended or len(self._digits) >= size:
            self._answer(Heard(digits=self._digits), now)
        else:
            self._due = now + menu.timeout * 1000

    def _voice_started(self, event: e.VoiceStarted, now: int) -> None:
        if self._message is not None:
            self._message.voice(now, on=True)
        elif self.asking and not self._ledger.unheard(now):
            self._voiced, self._due = True, now + VOICE_MS

    def _voice_stopped(self, event: e.VoiceStopped, now: int) -> None:
        if self._message is not None:
            self._message.voice(now, on=False)
        elif self.asking and self._voiced:
            self._due = now + WORDS_MS

    def _caller_said(self, event: e.CallerSaid, now: int) -> None:
        if self.asked is None or not self.asking:
            return
        if event.text.strip():
            self.trace.said(now, "caller", event.text)
            self._answer(Heard(speech=event.text[:MAX_SPEECH_CHARS]), now)
        else:  # a noise, or words that nobody understood
            self._voiced, self._due = False, now + self.asked.menu.timeout * 1000

    def _answer(self, heard: Heard, now: int) -> None:
        self._hush(now)
        self._follow(menus.answer(self._known, self._state, heard, self._time(now)), now)

    def _hush(self, now: int) -> None:
        self._speaker.prompts.take(self._prompt)
        self._prompt, self._due, self._voiced = "", None, False
        self._speaker.flush(now)

    # Where it leads

    def _follow(self, step: Step, now: int) -> None:
        self.turn += 1
        self._state, self._digits = step.state, ""
        if isinstance(step, Ask):
            self.asked = step
            language = step.menu.language or self.manners.language
            lines = [_line(*each, language) for each in told(step, language, by_keys=not self._listens(step.menu))]
            self._prompt = self._speaker.speak(*lines, now=now).name
        else:
            self.asked = None
            self._leave(step, now)

    def _leave(self, step: Go, now: int) -> None:
        self.spoken = step.language
        language = step.language or self.manners.language
        first = tuple(_line("own", text, language) for text in step.first)
        self.leaf = target = step.target
        if target.kind is Kind.FALLBACK:
            target = self._fallback()
        match target.kind:
            case Kind.NUMBER if self.manners.moves:
                more = [moving.connecting("", language)]
            case Kind.NUMBER:
                more = [self._own("unable", language)]
            case Kind.VOICEMAIL:
                more = [self._own("message", language)]
            case Kind.ASSISTANT | Kind.HANG_UP:
                more = []
            case _:
                more = [self._own("lost", language)]
        self._language = language
        self._last_words(target, (*first, *more), now)

    def _fallback(self) -> Target:
        if self.manners.transfer_to:
            return Target(Kind.NUMBER, self.manners.transfer_to)
        return Target(Kind.VOICEMAIL if self.manners.voicemail else Kind.FALLBACK)

    def _own(self, key: str, language: str) -> c.Line:
        """Give a sentence of our own that ends the talk, in English where we do not speak the language."""
        text = sentence(key, language)
        return _line(key, text, language) if text else _line(key, SENTENCES["en"][key], "en")

    def _last_words(self, target: Target, lines: tuple[c.Line, ...], now: int) -> None:
        self.asked, self._going = None, target
        self._phase = Phase.CLOSING
        if lines:
            self._prompt = self._speaker.speak(*lines, now=now).name
            self._gone_at = now + self._rules.prompt_ms + self._rules.farewell_ms
        else:
            self._go(now)

    def _say_last(self, key: str, language: str, now: int) -> None:
        self._last_words(Target(Kind.HANG_UP), (self._own(key, language),), now)

    def _go_when_heard(self, now: int) -> None:
        if self._phase is not Phase.CLOSING or self._gone_at is None:
            return
        if (not self._prompt and not self._ledger.unheard(now)) or now >= self._gone_at:
            self._go(now)

    def _go(self, now: int) -> None:
        self._gone_at = None
        self._speaker.flush(now)
        if self._going.kind is Kind.ASSISTANT:
            self.onward = self._going
            self._phase = Phase.ENDED
        elif self._going.kind is Kind.NUMBER and self.manners.moves:
            self.wanted = self._going.name
        elif self._going.kind is Kind.VOICEMAIL and not self._beeped:
            self._beeped = True
            self._speaker.play(BEEP, beep(self._format), now)
            self._speaker.finish(BEEP, now)
            self._gone_at = self._ledger.quiet_at() + self._rules.farewell_ms
        elif self._going.kind is Kind.VOICEMAIL:
            self._message = Message(now)
        else:
            self._hang_up()

    def _thank(self, now: int) -> None:
        self._end_message(now)
        self._say_last("thanks", self._language, now)

    def _end_message(self, now: int) -> None:
        if self._message is not None and self.voiced:
            self.message_ms = now - self._message.began
        self._message = None

    def _hang_up(self) -> None:
        self.wanted = ""
        self.trace.ending("bridge")
        self._out.append(c.HangUp())
        self._phase = Phase.ENDED

    # What sounds

    def _prompt_ready(self, event: e.PromptReady, now: int) -> None:
        prompt = self._speaker.prompts.take(event.prompt)
        if prompt is None or prompt.name != self._prompt:
            return
        self._prompt = ""
        self._speaker.play_prompt(prompt, event.parts, now)
        until = self._ledger.quiet_at()
        if self.asked is not None:
            self._due = until + self.asked.menu.timeout * 1000
        else:
            self._gone_at = until + self._rules.farewell_ms

    def _prompt_failed(self, event: e.PromptFailed, now: int) -> None:
        prompt = self._speaker.prompts.take(event.prompt)
        if prompt is None or prompt.name != self._prompt:
            return
        self._prompt = ""
        self.trace.counts.troubles += 1
        if self.asked is not None:  # who hears no menu cannot choose
            self._follow(Go(target=Target(Kind.FALLBACK), state=self._state), now)
        elif self._going.kind is Kind.VOICEMAIL:  # nobody is recorded who was not told
            self._hang_up()
        else:
            self._go(now)

    def _mark_reached(self, event: e.MarkReached, now: int) -> None:
        mark = event.mark.removeprefix(MARK)
        if mark == event.mark or not self._ledger.reached(mark, now):
            self.trace.counts.stray_marks += 1
        self._speaker.settle(now)
        self._go_when_heard(now)

    # Ends

    def _trouble(self, event: e.LegTrouble, now: int) -> None:
        self.trace.counts.troubles += 1

    def _leg_closed(self, event: e.LegClosed, now: int) -> None:
        hung_up = event.reason == "hangup"
        self.trace.ending("caller" if hung_up else "carrier", "" if hung_up else "leg_lost")
        self._speaker.forsake(now)
        self._end_message(now)
        self.wanted = ""
        self._phase = Phase.ENDED

    def _end_requested(self, event: e.EndRequested, now: int) -> None:
        self.trace.ending(event.by)
        self._end("goodbye_drain" if event.by == "drain" else "goodbye", now)

    def _end(self, key: str, now: int) -> None:
        self._end_message(now)
        self._hush(now)
        self.wanted = ""
        self.turn += 1
        self._last_words(Target(Kind.HANG_UP), (words.line(key, self.manners.language),), now)

    # Small things

    def _listens(self, menu: Menu) -> bool:
        hears = self.manners.hears
        if menu.gather and not self.manners.digits:
            return False
        return bool(hears) and _base(menu.language or self.manners.language) == _base(hears)

    def _time(self, now: int) -> datetime:
        return self._at + timedelta(milliseconds=now)

    def _drain(self) -> list[c.Command]:
        """Give the duties, with marks that no other talk of the same leg has."""
        out = [_marked(each) for each in self._out]
        self._out.clear()
        return out


def _base(language: str) -> str:
    return language.partition("-")[0].lower()


def _marked(command: c.Command) -> c.Command:
    return c.Play(command.audio, MARK + command.mark) if isinstance(command, c.Play) and command.mark else command


def _line(key: str, text: str, language: str) -> c.Line:
    """Make a line; a recorded file of it is ``menu.<key>.wav``."""
    return c.Line(f"menu.{key}", text, language)

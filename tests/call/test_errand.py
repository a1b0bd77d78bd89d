"""What an outbound call is about: what each key and each sentence means, and what the call does with it."""

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import words
from phone_bridge.call.errand import MAX_LATER_MINUTES, Errand, Heard, Wish, screens
from phone_bridge.call.errand_words import LANGUAGES
from phone_bridge.call.machine import Call, Phase
from phone_bridge.call.rules import Rules

GOT_IT = {"en": "Got it", "de": "Verstanden", "es": "Entendido", "fr": "Compris"}
TEXT = "Your dentist appointment is at three."


@pytest.mark.parametrize(
    ("key", "wish"),
    [
        ("1", Wish.GOT_IT),
        ("2", Wish.LATER),
        ("3", Wish.ASSISTANT),
        ("9", Wish.STOP),
        ("*", Wish.REPEAT),
        ("0", Wish.WRONG_KEY),
        ("#", Wish.WRONG_KEY),
    ],
)
def test_a_key_is_a_wish(key: str, wish: Wish) -> None:
    errand = Errand(TEXT, "en")
    assert errand.press(key) == Heard(wish)
    assert errand.open is (wish not in (Wish.GOT_IT, Wish.ASSISTANT, Wish.STOP))


@pytest.mark.parametrize(
    ("language", "words", "heard"),
    [
        ("en", "Got it.", Heard(Wish.GOT_IT)),
        ("en", "Yes.", Heard(Wish.GOT_IT)),
        ("en", "Okay, thanks!", Heard(Wish.GOT_IT)),
        ("en", "Hello?", Heard(Wish.NOTHING)),
        ("en", "Okay, but who told you that?", Heard(Wish.NOTHING)),
        ("en", "Yes, but later.", Heard(Wish.LATER)),
        ("en", "Call me back in twenty minutes, please.", Heard(Wish.LATER_IN, 20)),
        ("en", "In half an hour.", Heard(Wish.LATER_IN, 30)),
        ("en", "Remind me again in 2 hours", Heard(Wish.LATER_IN, 120)),
        ("en", "Call again tomorrow", Heard(Wish.LATER_IN, 1_440)),
        ("en", "I want to talk to my assistant", Heard(Wish.ASSISTANT)),
        ("en", "Don't call me any more", Heard(Wish.STOP)),
        ("en", "Please don\N{RIGHT SINGLE QUOTATION MARK}t call me again in ten minutes", Heard(Wish.STOP)),
        ("en", "Can you say that again?", Heard(Wish.REPEAT)),
        ("en", "Hi, please state your name and reason for calling.", Heard(Wish.SCREENED)),
        ("de", "Verstanden.", Heard(Wish.GOT_IT)),
        ("de", "Ja.", Heard(Wish.GOT_IT)),
        ("de", "Rufen Sie in zwanzig Minuten wieder an, nicht jetzt", Heard(Wish.LATER_IN, 20)),
        ("de", "Später", Heard(Wish.LATER)),
        ("de", "Ich will mit dem Assistenten reden", Heard(Wish.ASSISTANT)),
        ("de", "Bitte nicht mehr anrufen", Heard(Wish.STOP)),
        ("de", "Wer spricht da?", Heard(Wish.SCREENED)),
        ("es", "Entendido.", Heard(Wish.GOT_IT)),
        ("es", "Sí.", Heard(Wish.GOT_IT)),
        ("es-MX", "Está bien, gracias.", Heard(Wish.GOT_IT)),
        ("es", "Sí, pero cuándo", Heard(Wish.NOTHING)),
        ("es", "Ahora no, llámeme en veinte minutos", Heard(Wish.LATER_IN, 20)),
        ("es", "Dentro de hora y media", Heard(Wish.LATER_IN, 90)),
        ("es", "En una hora", Heard(Wish.LATER_IN, 60)),
        ("es", "Llámame mañana", Heard(Wish.LATER_IN, 1_440)),
        ("es-MX", "Al rato", Heard(Wish.LATER)),
        ("es", "No, llame más tarde", Heard(Wish.LATER)),
        ("es", "Quiero hablar con mi asistente", Heard(Wish.ASSISTANT)),
        ("es", "No me llamen más, por favor", Heard(Wish.STOP)),
        ("es", "¿Cómo dice?", Heard(Wish.REPEAT)),
        ("es", "¿De parte de quién?", Heard(Wish.SCREENED)),
        ("fr", "J'ai compris, merci.", Heard(Wish.GOT_IT)),
        ("fr", "Compris.", Heard(Wish.GOT_IT)),
        ("fr", "Oui.", Heard(Wish.GOT_IT)),
        ("fr", "Rappelez plus tard", Heard(Wish.LATER)),
        ("fr", "Rappelez-moi dans une demi-heure", Heard(Wish.LATER_IN, 30)),
        ("fr-BE", "Dans nonante minutes", Heard(Wish.LATER_IN, 90)),
        ("fr-BE", "Dans septante minutes", Heard(Wish.LATER_IN, 70)),
        ("fr", "Dans quatre-vingt-dix minutes", Heard(Wish.LATER_IN, 90)),
        ("fr-CA", "Rappelle-moi demain", Heard(Wish.LATER_IN, 1_440)),
        ("fr", "Je veux parler à mon assistant", Heard(Wish.ASSISTANT)),
        ("fr", "Ne m\N{RIGHT SINGLE QUOTATION MARK}appelez plus", Heard(Wish.STOP)),
        ("fr", "Arrêtez de m'appeler plus tard ou demain", Heard(Wish.STOP)),
        ("fr", "Pardon ?", Heard(Wish.REPEAT)),
        ("fr", "Qui est à l'appareil ?", Heard(Wish.SCREENED)),
        # who says goodbye asks for no later call
        ("en", "Okay, thanks, talk to you later.", Heard(Wish.GOT_IT)),
        ("de", "Verstanden, bis später!", Heard(Wish.GOT_IT)),
        ("es", "Vale, gracias, hasta luego.", Heard(Wish.GOT_IT)),
        ("es", "Sí, hasta luego", Heard(Wish.GOT_IT)),
        ("es", "Hasta luego", Heard(Wish.NOTHING)),
        ("es", "Mejor luego", Heard(Wish.LATER)),
        ("fr", "Merci, à plus tard", Heard(Wish.GOT_IT)),
        ("fr", "Merci, à tout à l'heure", Heard(Wish.GOT_IT)),
        ("fr", "Plutôt plus tard", Heard(Wish.LATER)),
        # as recognisers print it that leave accents out
        ("es", "quiteme de la lista", Heard(Wish.STOP)),
        ("es", "llameme manana", Heard(Wish.LATER_IN, 1_440)),
        ("fr", "arretez de m'appeler", Heard(Wish.STOP)),
        ("fr", "repetez", Heard(Wish.REPEAT)),
        ("de", "ruf mich in funf Minuten an", Heard(Wish.LATER_IN, 5)),
    ],
)
def test_words_are_a_wish(language: str, words: str, heard: Heard) -> None:
    assert Errand(TEXT, language).say(words) == heard


@pytest.mark.parametrize(
    ("keys", "minutes"), [("30#", 30), ("0#", 1), ("9999#", 9_999), ("99999#", 9_999), ("5*45#", 45)]
)
def test_how_much_later_is_keyed_in(keys: str, minutes: int) -> None:
    errand = Errand(TEXT, "en")
    errand.press("2")
    *before, last = [errand.press(key) for key in keys]
    assert {heard.wish for heard in before} <= {Wish.MORE, Wish.LATER}
    assert last == Heard(Wish.LATER_IN, minutes)
    assert minutes <= MAX_LATER_MINUTES
    assert not errand.open


def test_while_it_is_asked_when_a_yes_is_no_answer() -> None:
    errand = Errand(TEXT, "en")
    errand.press("2")
    assert errand.say("yes") == Heard(Wish.NOTHING)
    assert errand.press("#") == Heard(Wish.MORE)
    assert errand.say("an hour") == Heard(Wish.LATER_IN, 60)


@pytest.mark.parametrize(("text", "asks"), [("Who is this?", True), ("What is next?", False), ("", False)])
def test_a_screen_is_told_from_a_wish(text: str, asks: bool) -> None:
    assert screens(text, "en") is asks


def test_every_language_of_the_bridge_has_its_words_for_an_errand() -> None:
    assert set(LANGUAGES) == set(words.LANGUAGES)
    for language in LANGUAGES:
        said = words.line("errand_keys", language).text
        assert Errand(said, language).say(GOT_IT[language]) == Heard(Wish.GOT_IT)


# In a call


class Line:
    """An outbound call whose prompts are made at once."""

    def __init__(self, errand: str = TEXT, about: str = TEXT) -> None:
        self.now = 0
        self.call = Call(PCMU_8K, Rules(errand=errand, about=about), 0)
        self.said: list[str] = []
        self.marks: list[tuple[int, str]] = []
        self._quiet_at = 0
        self.duties: list[c.Command] = []
        self._do(self.call.begin(0))

    def tell(self, event: e.Event) -> list[c.Command]:
        self.wait(100)
        before = len(self.duties)
        self._do(self.call.process(event, self.now))
        return self.duties[before:]

    def wait(self, ms: int) -> None:
        until = self.now + ms
        while (due := self._due()) <= until:
            self.now = max(self.now, due)
            if self.marks and self.marks[0][0] <= self.now:
                self._do(self.call.process(e.MarkReached(self.marks.pop(0)[1]), self.now))
            else:
                self._do(self.call.expire(self.now))
        self.now = until

    def _due(self) -> int:
        times = [self.call.deadline(), self.marks[0][0] if self.marks else None]
        return min((time for time in times if time is not None), default=10**9)

    def _do(self, duties: list[c.Command]) -> None:
        self.duties += duties
        for duty in duties:
            if isinstance(duty, c.Speak):
                self.said += [line.text for line in duty.lines]
                parts = tuple(b"\x00" * 800 for _ in duty.lines)
                self._do(self.call.process(e.PromptReady(duty.prompt, parts), self.now))
            elif isinstance(duty, c.Play):
                self._quiet_at = max(self.now, self._quiet_at) + len(duty.audio) // 8
                self.marks += [(self._quiet_at, duty.mark)] if duty.mark else []
            elif isinstance(duty, c.Flush):
                self._quiet_at, self.marks = self.now, []


def test_the_text_is_said_first_with_its_keys() -> None:
    line = Line()
    assert line.said[0] == TEXT
    assert line.said[1].startswith("Press 1 or say got it.")


@pytest.mark.parametrize(
    ("events", "reply", "last"),
    [
        ([e.DigitPressed("1")], "confirmed", "Thank you. Goodbye."),
        ([e.SessionOpened(), e.CallerSaid("got it")], "confirmed", "Thank you. Goodbye."),
        ([e.DigitPressed("9")], "stop", "You will not get such calls any more. Goodbye."),
        (
            [e.DigitPressed("2"), e.DigitPressed("3"), e.DigitPressed("0"), e.DigitPressed("#")],
            "later:30",
            "I shall call again in 30 minutes. Goodbye.",
        ),
        (
            [e.SessionOpened(), e.CallerSaid("later"), e.CallerSaid("in two hours")],
            "later:120",
            "I shall call again in 2 hours. Goodbye.",
        ),
    ],
)
def test_what_the_callee_wants_is_told_and_ends_the_call(events: list[e.Event], reply: str, last: str) -> None:
    line = Line()
    for event in events:
        line.tell(event)
    line.wait(8_000)
    assert (line.call.trace.reply, line.said[-1], line.call.phase) == (reply, last, Phase.ENDED)


def test_the_assistant_is_silent_until_it_is_wanted_and_then_hears_what_was_said() -> None:
    line = Line()
    line.tell(e.SessionOpened())
    line.tell(e.CallerSaid("hello?"))
    line.wait(2_000)
    hushed = line.tell(e.AssistantSpoke("item_1", b"\x00" * 800))
    assert not [duty for duty in hushed if isinstance(duty, c.Play)]
    wanted = line.tell(e.DigitPressed("3"))
    (handed,) = [duty for duty in wanted if isinstance(duty, c.HandOn)]
    assert TEXT in [turn.text for turn in handed.turns]
    assert handed.answer
    heard = line.tell(e.AssistantSpoke("item_2", b"\x00" * 800))
    assert [duty for duty in heard if isinstance(duty, c.Play)]
    assert line.call.trace.reply == "assistant"


def test_a_hello_does_not_cut_the_text_off() -> None:
    line = Line()
    line.tell(e.SessionOpened())
    duties = line.tell(e.CallerSaid("hel", final=False)) + line.tell(e.CallerSaid("hello?"))
    assert not [duty for duty in duties if isinstance(duty, c.Flush)]


def test_without_a_session_the_keys_are_enough() -> None:
    line = Line()
    line.tell(e.SessionClosed("unavailable"))
    assert line.call.phase is Phase.OPENING
    line.tell(e.DigitPressed("1"))
    line.wait(8_000)
    assert line.call.trace.reply == "confirmed"
    assert line.call.trace.error == ""


def test_an_assistant_that_cannot_be_had_is_told_to_whoever_wants_it() -> None:
    line = Line()
    line.tell(e.SessionClosed("unavailable"))
    line.tell(e.DigitPressed("3"))
    line.wait(8_000)
    assert line.call.trace.error == "session_unavailable"
    assert "cannot reach" in line.said[-1]


def test_silence_hears_it_once_more_and_then_ends() -> None:
    line = Line()
    line.wait(40_000)
    assert line.said.count(TEXT) == 2
    assert (line.call.trace.reply, line.call.phase) == ("heard", Phase.ENDED)


def test_who_screens_the_call_is_told_what_it_is_about_and_it_goes_on() -> None:
    line = Line()
    line.tell(e.SessionOpened())
    line.tell(e.CallerSaid("Hi, the person you are calling is using a screening service. Say your name."))
    assert line.said[-2:] == ["This is an automatic call from a calendar assistant.", TEXT]
    line.tell(e.CallerSaid("Got it"))
    assert line.call.trace.reply == "confirmed"


def test_who_screens_a_call_without_an_errand_is_answered_by_us_and_not_by_the_assistant() -> None:
    line = Line(errand="", about="We call about your parcel.")
    line.tell(e.SessionOpened())
    line.tell(e.CallerSaid("May I ask who is calling?"))
    assert line.said[-1] == "We call about your parcel."
    hushed = line.tell(e.AssistantSpoke("item_1", b"\x00" * 800))
    assert not [duty for duty in hushed if isinstance(duty, c.Play)]
    line.tell(e.CallerSaid("Oh, go ahead."))
    heard = line.tell(e.AssistantSpoke("item_2", b"\x00" * 800))
    assert [duty for duty in heard if isinstance(duty, c.Play)]


def test_a_wrong_key_says_the_keys_again() -> None:
    line = Line()
    line.tell(e.DigitPressed("7"))
    assert line.said[-2] == "That key means nothing here."
    line.tell(e.DigitPressed("*"))
    assert line.said[-2] == TEXT

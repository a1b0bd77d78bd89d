"""Menus that the bridge speaks itself, in virtual time; the same keys lead to the same place as by documents."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twiml
from phone_bridge import menus
from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.tones import BEEP_MS
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import words
from phone_bridge.call.machine import Phase
from phone_bridge.errors import LocalError
from phone_bridge.menu_talk import (
    MARK,
    MAX_SPEECH_CHARS,
    MESSAGE_MS,
    MESSAGE_QUIET_MS,
    SENTENCES,
    VOICE_MS,
    WORDS_MS,
    Manners,
    MenuTalk,
    told,
)
from phone_bridge.menus import Ask, Choice, Heard, Kind, Menu, Step, Target
from phone_bridge.simulator.performer import Gathered
from phone_bridge.simulator.verbs import Gather, parse
from tests.call.desk import FRAME, LINE_MS, Desk
from tests.simulator.test_performer import SECOND, Stage

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
PERSON = "+4930999999"
OFFICE = Menu(
    name="office",
    say="For appointments press 1 or say appointments.",
    say_keys="For appointments press 1.",
    human=f"number:{PERSON}",
    choices=(
        Choice(key="1", words="appointments", to="assistant:appointments"),
        Choice(key="2", words="opening hours", say="We are open from nine to five.", to="repeat"),
        Choice(key="3", to="menu:deutsch"),
        Choice(key="4", to="menu:number"),
        Choice(key="5", to="voicemail"),
        Choice(key="6", to="fallback"),
        Choice(key="7", say="Goodbye.", to="hang_up"),
        Choice(key="8", to="hang_up"),
        Choice(key="#", to="assistant"),
    ),
)
GERMAN = Menu(
    name="deutsch",
    language="de",
    say="Termine mit 1.",
    tries=2,
    choices=(Choice(key="1", words="termine", to="assistant:termine"), Choice(key="9", to="back")),
)
NUMBER = Menu(name="number", say="Your customer number.", gather=4, to="assistant:appointments")
LATE = Menu(
    name="late",
    say="Good day.",
    choices=(Choice(key="1", to="assistant"),),
    hours="09:00-17:00",
    timezone="Europe/Berlin",
    closed_say="We are closed.",
    closed_to="assistant:night",
)
POLISH = Menu(name="polski", language="pl", say="Proszę.", choices=(Choice(key="1", to="fallback"),))
MENUS = {menu.name: menu for menu in (OFFICE, GERMAN, NUMBER, LATE, POLISH)}
MENU_MS = LINE_MS + 10


class Walk(Desk):
    """A caller in the menus, on a line that plays exactly."""

    talk: MenuTalk

    def __init__(
        self,
        first: str = "office",
        *,
        at: datetime = NOON,
        voice_ms: int | None = 5,
        farewell: str = "",
        hears: str = "",
        digits: bool = True,
        moves: bool = False,
        transfer_to: str = "",
        voicemail: bool = False,
    ) -> None:
        super().__init__(voice_ms=None)
        manners = Manners(hears=hears, digits=digits, moves=moves, transfer_to=transfer_to, voicemail=voicemail)
        self.talk = MenuTalk(PCMU_8K, MENUS, first, manners, at=at, now=0, farewell=farewell)
        self.call = self.talk  # type: ignore[assignment]  # it is driven as a call is
        self.voice_ms = voice_ms
        self.done.clear()
        self._take(self.talk.begin(0))

    def press(self, *keys: str) -> "Walk":
        for key in keys:
            self.tell(e.DigitPressed(key))
        return self

    def heard(self) -> "Walk":
        """Let the caller hear what is said, and forget what came before."""
        self.wait(5 * LINE_MS)
        return self

    def texts(self) -> list[str]:
        """Give all that was asked to be said."""
        return [line.text for speak in self.of(c.Speak) for line in speak.lines]

    def stays(self) -> None:
        """Know that the caller was put through to nobody."""
        self._take(self.talk.stayed(self.now))

    @property
    def hung_up(self) -> bool:
        return self.ended and self.talk.onward is None and bool(self.of(c.HangUp))


def said(key: str, language: str = "en") -> str:
    return SENTENCES[language][key]


# What is said, and what a key does


def test_a_menu_is_said_and_a_key_leads_on_at_once() -> None:
    walk = Walk()
    walk.wait(100)
    assert walk.texts() == [OFFICE.say_keys]
    walk.press("1")
    assert len(walk.of(c.Flush)) == 1, "a key ends what is said"
    assert (walk.talk.onward, walk.talk.phase) == (Target(Kind.ASSISTANT, "appointments"), Phase.ENDED)
    assert walk.of(c.HangUp) == [], "the line is the assistant's"
    assert walk.of(c.OpenSession) == []


def test_a_key_before_the_voice_is_ready_counts_and_nothing_of_it_is_played() -> None:
    walk = Walk(voice_ms=500)
    walk.press("1").wait(2_000)
    assert walk.ended
    assert walk.of(c.Play) == []


def test_without_words_of_its_own_for_keys_a_menu_says_the_same() -> None:
    assert Walk("late").texts() == ["Good day."]
    assert told(Ask(menu=NUMBER, state=menus.State(())), "en", by_keys=True) == [("number", NUMBER.say)]


def test_what_is_said_has_a_recorded_file_s_name_and_its_own_language() -> None:
    walk = Walk().press("3")
    lines = [line for speak in walk.of(c.Speak) for line in speak.lines]
    assert [(line.key, line.language) for line in lines] == [("menu.office.keys", "en"), ("menu.deutsch", "de")]


def test_wrong_keys_are_told_so_and_the_third_leads_to_a_person_who_is_asked_by_the_line() -> None:
    walk = Walk(moves=True).heard()
    walk.done.clear()
    walk.press("9")
    assert walk.texts() == [said("unclear"), OFFICE.say_keys, said("human")]
    walk.press("9", "9")
    assert walk.talk.wanted == "", "the sentence is heard first"
    walk.wait(5 * LINE_MS)
    assert (walk.talk.wanted, walk.ended) == (PERSON, False)


def test_silence_is_a_try_once_the_menu_was_heard_to_its_end() -> None:
    walk = Walk()
    walk.wait(MENU_MS + 4_900)
    assert len(walk.of(c.Speak)) == 1
    walk.wait(200)
    assert walk.texts()[1:] == [said("silent"), OFFICE.say_keys, said("human")]


def test_who_never_answers_is_let_go_with_a_word() -> None:
    walk = Walk("deutsch")
    walk.wait(30_000)
    assert walk.hung_up
    assert walk.texts() == [GERMAN.say, said("silent", "de"), GERMAN.say, said("lost", "de")]


def test_back_leads_to_the_menu_before_and_star_says_it_again() -> None:
    walk = Walk().press("3", "*", "9")
    assert walk.texts() == [OFFICE.say_keys, GERMAN.say, GERMAN.say, OFFICE.say_keys]


@pytest.mark.parametrize(
    ("keys", "gathered"), [("4711", "4711"), ("47#", "47"), ("47", "47")], ids=["full", "ended", "waited for"]
)
def test_digits_are_gathered_and_kept(keys: str, gathered: str) -> None:
    walk = Walk("number").press(*keys)
    walk.wait(5_100)
    assert (walk.talk.onward, walk.talk.gathered) == (Target(Kind.ASSISTANT, "appointments"), {"number": gathered})


def test_each_digit_has_its_own_time() -> None:
    walk = Walk("number")
    for key in "471":
        walk.press(key).wait(4_000)
    assert not walk.ended
    assert walk.press("1").talk.gathered == {"number": "4711"}


def test_outside_its_hours_a_menu_says_so_and_leads_on_once_that_was_heard() -> None:
    walk = Walk("late", at=NIGHT)
    assert walk.texts() == ["We are closed."]
    walk.wait(LINE_MS)
    assert not walk.ended
    walk.wait(100)
    assert walk.talk.onward == Target(Kind.ASSISTANT, "night")


def test_the_hours_are_those_of_the_moment_in_which_a_key_is_pressed() -> None:
    menu = Menu(name="a", say="A.", tries=5, timeout=30, choices=(Choice(key="1", to="menu:late"),))
    begins = datetime(2026, 11, 23, 16, 0, tzinfo=UTC) - timedelta(seconds=1)
    talk = MenuTalk(PCMU_8K, {**MENUS, "a": menu}, "a", Manners(), at=begins, now=5_000)
    talk.begin(5_000)
    (speak,) = [each for each in talk.process(e.DigitPressed("1"), 6_500) if isinstance(each, c.Speak)]
    assert speak.lines[0].text == "We are closed."


# Where it leads


@pytest.mark.parametrize(
    ("key", "words_"),
    [
        ("0", [said("unable")]),
        ("6", [said("lost")]),
        ("7", ["Goodbye."]),
        ("8", []),
    ],
)
def test_a_line_that_moves_nobody_says_so_and_hangs_up(key: str, words_: list[str]) -> None:
    walk = Walk().press(key)
    assert walk.texts()[1:] == words_
    assert walk.ended is not bool(words_)
    walk.wait(2 * LINE_MS)
    assert walk.hung_up
    assert walk.talk.trace.ended_by == "bridge"


def test_a_language_that_we_do_not_speak_hears_english_at_the_end() -> None:
    assert Walk("polski").press("1").texts()[1:] == [said("lost")]


def test_a_caller_is_put_through_and_the_line_hangs_up() -> None:
    walk = Walk(moves=True).press("0")
    walk.wait(2 * LINE_MS)
    assert (walk.texts()[1], walk.talk.wanted) == ("Please stay on the line, I am putting you through.", PERSON)
    walk.tell(e.LegClosed())
    assert (walk.ended, walk.talk.wanted, walk.of(c.HangUp)) == (True, "", [])


def test_a_caller_whom_nobody_takes_is_told_so_once() -> None:
    walk = Walk(moves=True).press("0")
    walk.stays()
    assert said("nobody") not in walk.texts(), "nobody was asked yet"
    walk.wait(2 * LINE_MS)
    walk.stays()
    walk.stays()
    assert walk.texts()[2:] == [said("nobody")]
    walk.wait(2 * LINE_MS)
    assert walk.hung_up


def test_the_route_s_fallback_may_be_a_number() -> None:
    walk = Walk(moves=True, transfer_to="+4930111111").press("6")
    walk.wait(2 * LINE_MS)
    assert walk.talk.wanted == "+4930111111"


# Messages


def speaks(walk: Walk, ms: int) -> None:
    walk.tell(e.VoiceStarted(walk.now))
    walk.wait(ms)
    walk.tell(e.VoiceStopped(walk.now))


def at_the_beep(key: str = "5", *, voicemail: bool = False) -> Walk:
    walk = Walk(voicemail=voicemail).press(key)
    walk.wait(LINE_MS + 100)
    assert not walk.talk.recordable, "the beep sounds"
    walk.wait(BEEP_MS)
    assert walk.talk.recordable
    assert walk.texts()[1:] == [said("message")]
    walk.tell(e.CallerHeard(FRAME))
    assert walk.of(c.Listen) == [], "a message is nobody's to understand"
    return walk


@pytest.mark.parametrize("ends", ["key", "silence", "full"])
def test_a_message_is_left_after_the_beep_and_thanked_for(ends: str) -> None:
    walk = at_the_beep()
    walk.wait(1_000)
    speaks(walk, 3_000)
    if ends == "full":
        walk.tell(e.VoiceStarted(walk.now))
    walk.wait({"key": 100, "silence": MESSAGE_QUIET_MS, "full": MESSAGE_MS}[ends])
    if ends == "key":
        walk.press("1")
        assert walk.talk.recordable, "other keys are nothing"
        walk.press("#")
    assert not walk.talk.recordable
    assert walk.texts()[-1] == said("thanks")
    assert abs(walk.talk.message_ms - {"key": 4_100, "silence": 10_000, "full": MESSAGE_MS}[ends]) <= 200
    walk.wait(2 * LINE_MS)
    assert walk.hung_up


def test_silence_is_no_message() -> None:
    walk = at_the_beep()
    walk.wait(MESSAGE_QUIET_MS + 100)
    assert (walk.talk.message_ms, walk.texts()[-1]) == (0, said("thanks"))


@pytest.mark.parametrize("fact", [e.LegClosed(), e.EndRequested("drain")])
def test_a_message_that_ends_with_its_call_is_one(fact: e.Event) -> None:
    walk = at_the_beep()
    speaks(walk, 2_000)
    walk.tell(fact)
    assert walk.talk.message_ms >= 2_000
    assert (walk.talk.recordable, walk.talk.private(walk.now)) == (False, True)


def test_nobody_is_recorded_who_was_not_told() -> None:
    walk = Walk(voice_ms=None).press("5")
    walk.wait(3_100)
    assert walk.hung_up
    assert not walk.talk.recordable


def test_the_route_s_fallback_may_be_a_voicemail() -> None:
    assert at_the_beep("6", voicemail=True).talk.recordable


# Words


def test_words_lead_where_keys_do_and_only_after_the_menu_was_heard() -> None:
    walk = Walk(hears="en-GB")
    assert walk.texts() == [OFFICE.say]
    walk.wait(500)
    walk.tell(e.CallerHeard(FRAME))
    assert walk.of(c.Listen) == [], "it would be our own voice, come back"
    walk.wait(LINE_MS)
    assert walk.talk.asking
    walk.tell(e.CallerHeard(FRAME))
    assert walk.of(c.Listen) == [c.Listen(FRAME)]
    walk.tell(e.CallerSaid("The appointments, please."))
    assert walk.talk.onward == Target(Kind.ASSISTANT, "appointments")
    assert ("caller", "The appointments, please.") in walk.trace


def test_what_may_be_said_is_told_to_the_ear() -> None:
    walk = Walk(hears="en")
    assert {"appointments", "opening hours", "operator", "a person"} <= set(walk.talk.expected)
    assert "operator" not in menus.sayable(OFFICE, human=False)
    assert walk.press("4").talk.expected == (), "digits"
    assert Walk().talk.expected == (), "no ear"


def test_a_voice_has_its_time_and_so_have_its_words() -> None:
    walk = Walk(hears="en")
    walk.wait(MENU_MS + 4_000)
    walk.tell(e.VoiceStarted(walk.now))
    walk.wait(VOICE_MS - 100)
    walk.tell(e.VoiceStopped(walk.now))
    walk.wait(WORDS_MS - 100)
    walk.tell(e.CallerSaid(" "))
    walk.wait(4_900)
    assert len(walk.of(c.Speak)) == 1, "a cough is no try, and the caller has as much time as before"
    walk.wait(200)
    assert said("silent") in walk.texts()


def test_a_voice_under_the_menu_is_our_own_come_back() -> None:
    walk = Walk(hears="en")
    walk.wait(500)
    walk.tell(e.VoiceStarted(walk.now))
    walk.wait(1_000)
    walk.tell(e.VoiceStopped(walk.now))
    walk.wait(5_000)
    assert said("silent") in walk.texts()


def test_words_are_for_the_language_of_the_ear_and_none_beside_digits() -> None:
    walk = Walk("deutsch", hears="en")
    walk.heard().tell(e.CallerSaid("Termine"), e.CallerHeard(FRAME))
    assert (walk.talk.asking, walk.talk.onward, walk.of(c.Listen)) == (False, None, [])
    walk = Walk("number", hears="en").heard()
    walk.press("4").tell(e.CallerSaid("seven one one"))
    assert not walk.ended
    assert Walk("number", hears="en").heard().talk.asking
    assert not Walk("number", hears="en", digits=False).heard().talk.asking


def test_of_a_long_speech_the_beginning_is_understood() -> None:
    walk = Walk(hears="en").heard()
    walk.tell(e.CallerSaid("x" * MAX_SPEECH_CHARS + " appointments"))
    assert said("unclear") in walk.texts()


# Ends


def test_a_caller_who_hangs_up_or_is_lost_is_gone() -> None:
    for reason, by, error in (("hangup", "caller", ""), ("lost", "carrier", "leg_lost")):
        walk = Walk()
        walk.wait(500)
        walk.tell(e.LegTrouble("x"), e.LegClosed(reason))
        assert (walk.ended, walk.talk.trace.ended_by, walk.talk.trace.error) == (True, by, error)
        assert (walk.talk.deadline(), walk.talk.expire(9_000)) == (None, [])
        assert walk.talk.process(e.DigitPressed("1"), 9_000) == []


@pytest.mark.parametrize(("by", "key"), [("api", "goodbye"), ("drain", "goodbye_drain")])
def test_whoever_asks_for_its_end_has_a_goodbye_said(by: str, key: str) -> None:
    walk = Walk()
    walk.wait(500)
    walk.tell(e.EndRequested(by))
    walk.press("1").wait(2 * LINE_MS)
    assert walk.hung_up
    assert (walk.texts()[1:], walk.talk.trace.ended_by) == ([words.line(key).text], by)


def test_a_caller_who_goes_round_for_an_hour_is_let_go() -> None:
    walk = Walk("number")
    while walk.now < 3_600_000 and not walk.ended:
        walk.press("*", "#").wait(4_000)
    walk.wait(2 * LINE_MS)
    assert walk.texts()[-1] == words.line("goodbye_limit").text
    assert walk.hung_up


def test_a_menu_that_cannot_be_said_is_left_and_so_is_a_goodbye() -> None:
    walk = Walk()
    walk.tell(e.PromptFailed("~1", "no_voice"))
    walk.tell(e.PromptFailed("~1"), e.PromptFailed("~2", "no_voice"))
    assert walk.hung_up
    late = Walk(voice_ms=None)
    late.wait(3_100)
    assert late.texts()[1:] == [said("lost")]
    late.wait(3_100)
    assert late.hung_up


@pytest.mark.parametrize(
    ("farewell", "text"), [("apology_busy", words.line("apology_busy").text), ("nobody", said("nobody"))]
)
def test_a_farewell_is_all_that_is_said(farewell: str, text: str) -> None:
    walk = Walk(farewell=farewell)
    walk.press("1").wait(2 * LINE_MS)
    assert walk.texts() == [text]
    assert walk.hung_up


def test_last_words_whose_marks_do_not_come_are_not_waited_for_for_ever() -> None:
    walk = Walk().press("7")
    walk.wait(100)
    while walk._marks:
        walk.lose_mark()
    walk.wait(10_000)
    assert walk.hung_up


def test_its_marks_are_nobody_else_s() -> None:
    walk = Walk()
    walk.wait(MENU_MS)
    assert all(play.mark.startswith(MARK) for play in walk.of(c.Play) if play.mark)
    walk.tell(e.MarkReached("0.1"))
    assert walk.talk.trace.counts.stray_marks == 1


def test_it_has_a_beginning_and_shows_what_sounds() -> None:
    with pytest.raises(LocalError):
        MenuTalk(PCMU_8K, MENUS, "office", Manners(), at=NOON, now=0).process(e.DigitPressed("1"), 0)
    walk = Walk()
    walk.wait(500)
    (line,) = walk.talk.view(500).lines
    assert (line.speaker, line.text) == ("bridge", OFFICE.say_keys)


def test_every_language_has_every_sentence() -> None:
    assert {frozenset(table) for table in SENTENCES.values()} == {frozenset(SENTENCES["en"])}
    assert set(SENTENCES) == set(words.LANGUAGES)


# The same on every line

Place = tuple[str, str, tuple[tuple[str, str], ...]]
BARGES_IN, LISTENS, DITHERS = 100, 4_500, 12_300
"""How long a caller takes for a key: before the menu is said, after it was, and after a whole try of nothing."""


def place_of(step: Step) -> Place:
    if isinstance(step, Ask):
        return "menu", step.menu.name, step.state.gathered
    return step.target.kind.value, step.target.name, step.state.gathered


class Documents:
    """The same caller as a carrier sees them: each answer brings a document, whose ``<Gather>`` collects the keys."""

    def __init__(self, first: str) -> None:
        self.stage = Stage()
        self.step = menus.enter(MENUS, first, NOON)
        self._ask()

    def _ask(self) -> None:
        if not isinstance(self.step, Ask):
            return
        menu = self.step.menu
        texts = [text for _, text in told(self.step, menu.language or "en")]
        page = twiml.ask(texts, "en-US", "/next", timeout_seconds=menu.timeout, digits=menu.gather or 1)
        (verb,) = parse(page.encode()).verbs
        assert isinstance(verb, Gather)
        self._speak(self.stage.perform(verb))

    def _speak(self, asked: Sequence[object]) -> None:
        for speak in asked:
            self.stage.performer.spoken(speak.id, SECOND)  # type: ignore[attr-defined]

    def wait(self, ms: int) -> None:
        until = self.stage.now + ms
        while self.stage.now < until:
            self.stage.pass_to(min(until, self.stage.now + 20))
            self._hear()

    def press(self, key: str) -> None:
        if isinstance(self.step, Ask):
            self.stage.press(key)
            self._hear()

    def _hear(self) -> None:
        self._speak(self.stage.spoken)
        self.stage.spoken.clear()
        for _, end in self.stage.ends:
            assert isinstance(end, Gathered)
            assert isinstance(self.step, Ask)
            self.step = menus.answer(MENUS, self.step.state, Heard(digits=end.digits), NOON)
            self._ask()
        self.stage.ends.clear()


def spoken_place(first: str, keys: Sequence[tuple[int, str]]) -> Place:
    walk = Walk(first, moves=True)
    for pause, key in keys:
        walk.wait(pause)
        walk.press(key)
    talk = walk.talk
    gathered = tuple(talk.gathered.items())
    if talk.asked is not None:
        return "menu", talk.asked.menu.name, gathered
    assert talk.leaf is not None
    return talk.leaf.kind.value, talk.leaf.name, gathered


def documented_place(first: str, keys: Sequence[tuple[int, str]]) -> Place:
    caller = Documents(first)
    for pause, key in keys:
        caller.wait(pause)
        caller.press(key)
    return place_of(caller.step)


KEPT: Place = ("assistant", "appointments", (("number", "47"),))
TABLE: Sequence[tuple[str, Sequence[tuple[int, str]], Place]] = [
    ("office", [(BARGES_IN, "1")], ("assistant", "appointments", ())),
    ("office", [(LISTENS, "#")], ("assistant", "", ())),
    ("office", [(LISTENS, "3"), (BARGES_IN, "9"), (LISTENS, "5")], ("voicemail", "", ())),
    ("office", [(DITHERS, "9"), (BARGES_IN, "9")], ("number", PERSON, ())),
    ("office", [(LISTENS, "4"), (LISTENS, "4"), (LISTENS, "7"), (BARGES_IN, "#")], KEPT),
    ("office", [(BARGES_IN, "4"), (LISTENS, "0"), (DITHERS, "1")], ("number", PERSON, ())),
    ("office", [(BARGES_IN, "4"), (LISTENS, "*"), (BARGES_IN, "#")], ("menu", "number", ())),
    ("office", [(BARGES_IN, "2"), (BARGES_IN, "*"), (LISTENS, "7")], ("hang_up", "", ())),
    ("office", [(BARGES_IN, "3"), (DITHERS, "8")], ("number", PERSON, ())),
    ("polski", [(DITHERS, "1")], ("fallback", "", ())),
]  # fmt: skip


@pytest.mark.parametrize(("first", "keys", "place"), TABLE)
def test_keys_lead_there_by_documents_and_by_our_own_voice(
    first: str, keys: Sequence[tuple[int, str]], place: Place
) -> None:
    assert spoken_place(first, keys) == documented_place(first, keys) == place


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["office", "deutsch", "number"]),
    st.lists(st.tuples(st.sampled_from([BARGES_IN, LISTENS, DITHERS]), st.sampled_from("0123456789*#")), max_size=7),
)
def test_whatever_is_pressed_both_ways_lead_to_the_same_place(first: str, keys: list[tuple[int, str]]) -> None:
    assert spoken_place(first, keys) == documented_place(first, keys)

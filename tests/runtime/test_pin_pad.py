"""Where a PIN is kept: what leaves it, and when it is forgotten."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.journal import Journal
from phone_bridge.call.proving import Wanted
from phone_bridge.call.recording import decode
from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier, Trust
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.pin_pad import JUDGE_SECONDS, Desk, Judge, PinPad
from tests.clock import settle
from tests.runtime.pumping import FRAME, LINE_MS, Stage, virtual

PIN = "482913"
LOUD = b"\x10" * 160
TRUST = Trust(otherwise=Tier.PIN)


class Ear:
    """Hears an utterance in every loud run of sound while it has been told what to hear."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.cleared = 0
        self.wait = asyncio.Event()
        self.wait.set()
        self.fails = False

    def push(self, audio: bytes) -> list[bytes]:
        return [audio] if any(audio) and self.texts else []

    def clear(self) -> None:
        self.cleared += 1

    async def words(self, utterance: bytes) -> str:
        text = self.texts.pop(0)
        await self.wait.wait()
        if self.fails:
            raise Unavailable("no ear")
        return text


class House:
    """A pad, who judges, and what may be known."""

    def __init__(self, ear: Ear | None = None, outcome: str = "right") -> None:
        self.facts: list[e.Event] = []
        self.judged: list[str] = []
        self.outcome = outcome
        self.tasks: list[asyncio.Task[None]] = []
        self.pad = PinPad(Desk(self.judge, ear), PCMU_8K, "en", fact=self.facts.append, spawn=self.spawn)

    async def judge(self, pin: str) -> str:
        self.judged.append(pin)
        if self.outcome == "hangs":
            await asyncio.sleep(3_600)
        if self.outcome == "fails":
            raise Unavailable("no database")
        return self.outcome

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    def press(self, keys: str, *, asked: bool = True) -> list[e.PinKeyed]:
        return [self.pad.key(key, asked=asked) for key in keys]


@virtual
async def test_how_many_digits_there_are_is_told_and_never_which() -> None:
    house = House()
    assert house.press("48*29#") == [
        e.PinKeyed("", 1),
        e.PinKeyed("", 2),
        e.PinKeyed("*", 0),
        e.PinKeyed("", 1),
        e.PinKeyed("", 2),
        e.PinKeyed("#", 2),
    ]
    assert repr(house.pad) == "PinPad()"


@virtual
async def test_what_was_given_is_judged_once_and_forgotten() -> None:
    house = House()
    house.press(PIN)
    house.pad.judge(1)
    assert house.press("7") == [e.PinKeyed("", 0)], "while it is judged nothing is kept"
    await settle()
    assert (house.judged, house.facts) == ([PIN], [e.PinJudged(1, "right")])
    house.press("12")
    house.pad.judge(2)
    await settle()
    assert house.judged == [PIN, "12"], "nothing of the first is left"


@virtual
async def test_keys_that_nobody_asked_for_are_kept_by_nobody() -> None:
    house = House()
    assert house.press("1#", asked=False) == [e.PinKeyed("", 0), e.PinKeyed("#", 0)]
    house.press(PIN)
    house.pad.forget()
    house.pad.judge(1)
    await settle()
    assert house.judged == [""]


@virtual
async def test_no_more_digits_are_kept_than_show_that_there_are_too_many() -> None:
    house = House()
    assert house.press("1" * 40)[-1] == e.PinKeyed("", 13)


@virtual
async def test_who_cannot_judge_has_failed() -> None:
    for outcome in ("fails", "hangs"):
        house = House(outcome=outcome)
        house.press(PIN)
        house.pad.judge(1)
        await asyncio.sleep(JUDGE_SECONDS + 1)
        assert house.facts == [e.PinJudged(1, "failed")]


@virtual
async def test_where_nobody_judges_there_is_no_pin() -> None:
    house = House()
    facts: list[e.Event] = []
    pad = PinPad(None, PCMU_8K, "en", fact=facts.append, spawn=house.spawn)
    pad.hear(LOUD)
    pad.judge(1)
    await settle()
    assert facts == [e.PinJudged(1, "missing")]


@virtual
async def test_spoken_digits_are_put_together_and_a_whole_pin_stands_for_itself() -> None:
    house = House(Ear("four eight two", "nine one", "it's four eight two nine one three"))
    for _ in range(3):
        house.pad.hear(LOUD)
        await settle()
    assert house.facts == [e.PinSpoken(3), e.PinSpoken(5), e.PinSpoken(6)]
    house.pad.judge(1)
    await settle()
    assert house.judged == [PIN]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("no", e.PinSpoken(2, "no")),
        ("could you repeat that", e.PinSpoken(0, "repeat")),
        ("I want to talk to a person", e.PinSpoken(2, "person")),
        ("cancel my meeting", e.PinSpoken(2)),
    ],
)
def test_words_that_are_no_digits_are_told_as_a_wish(text: str, fact: e.PinSpoken) -> None:
    async def story() -> None:
        house = House(Ear(text))
        house.press("48")
        house.pad.hear(LOUD)
        await settle()
        assert house.facts == [fact]

    virtual(story)()


@virtual
async def test_words_that_come_when_all_is_forgotten_are_nobody_s() -> None:
    ear = Ear("four eight two nine one three")
    ear.wait.clear()
    house = House(ear)
    house.pad.hear(LOUD)
    await settle()
    house.pad.forget()
    ear.wait.set()
    await settle()
    assert house.facts == []
    assert ear.cleared == 1
    house.pad.judge(1)
    await settle()
    assert house.judged == [""]


@virtual
async def test_an_ear_that_fails_or_hears_nothing_leaves_the_keys() -> None:
    ear = Ear("one", " ")
    house = House(ear)
    ear.fails = True
    house.pad.hear(LOUD)
    await settle()
    ear.fails = False
    house.pad.hear(LOUD)
    await settle()
    assert house.facts == []


# On a pump


async def proposed(stage: Stage) -> Stage:
    await stage.opened()
    stage.assistant.propose("act_1")
    await asyncio.sleep(1.5)
    return stage


def desk_of(house: House, ear: Ear | None = None) -> Desk:
    return Desk(house.judge, ear)


@virtual
async def test_keys_go_to_the_pad_and_neither_to_the_call_nor_its_journal() -> None:
    house = House()
    rules = Rules(trust=TRUST)
    journal = Journal(PCMU_8K, rules, None, 0)
    stage = await proposed(Stage(rules=rules, pins=desk_of(house), journal=journal))
    stage.carrier.press(PIN + "#")
    await settle()
    assert house.judged == [PIN]
    await asyncio.sleep(2 + 3 * LINE_MS / 1000)
    stage.carrier.press("1")
    await settle()
    assert [asked.verdict for asked in stage.pump.trace.actions] == [c.Verdict.CONFIRMED]
    stage.carrier.hang_up()
    await stage.over()
    facts = [given.fact for given in decode(journal.encode()).given()]
    assert [fact.digit for fact in facts if isinstance(fact, e.DigitPressed)] == ["1"]
    assert sum(isinstance(fact, e.PinKeyed) for fact in facts) == len(PIN) + 1


@virtual
async def test_a_caller_sets_no_pin_while_something_else_is_asked() -> None:
    house = Keeper()
    stage = await Stage(rules=Rules(trust=TRUST, pin_change=True), pins=desk_of(house)).opened()
    assert stage.pump.change_pin()
    assert not stage.pump.change_pin()
    await settle()
    assert house.facts == []
    stage.carrier.hang_up()
    await stage.over()
    assert not stage.pump.change_pin()


@virtual
async def test_the_caller_s_sound_goes_to_the_ear_and_not_to_the_session() -> None:
    house, ear = House(), Ear()
    stage = await proposed(Stage(rules=Rules(trust=TRUST), pins=desk_of(house, ear)))
    before = len(stage.assistant.sound)
    ear.texts = ["four eight two nine one three"]
    stage.carrier.speak(LOUD)
    await settle()
    assert house.judged == []
    await asyncio.sleep(2)
    assert house.judged == [PIN]
    heard = stage.assistant.sound[before:]
    assert not any(heard), "the session hears silence"
    await asyncio.sleep(1)
    stage.carrier.speak(*[FRAME] * 3)
    stage.carrier.hang_up()
    await stage.over()


# A code, and a PIN that is set


class Keeper(House):
    """A pad whose desk judges everything, and sends codes."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[Wanted, str]] = []
        self.sent: list[str] = []
        others: dict[Wanted, Judge] = {
            wanted: partial(self.take, wanted) for wanted in Wanted if wanted is not Wanted.PIN
        }
        desk = Desk(self.judge, None, 6, others, self.send)
        self.pad = PinPad(desk, PCMU_8K, "en", fact=self.facts.append, spawn=self.spawn)

    async def take(self, wanted: Wanted, given: str) -> str:
        self.kept.append((wanted, given))
        return "right"

    async def send(self, language: str) -> str:
        self.sent.append(language)
        if self.outcome == "fails":
            raise Unavailable("no network")
        return "sent"


@virtual
async def test_what_was_given_goes_to_whoever_judges_what_was_wanted() -> None:
    house = Keeper()
    for attempt, wanted in enumerate(Wanted):
        house.press(PIN)
        house.pad.judge(attempt, wanted.value)
        await settle()
    assert house.judged == [PIN]
    assert house.kept == [(wanted, PIN) for wanted in Wanted if wanted is not Wanted.PIN]
    assert house.facts == [e.PinJudged(attempt, "right") for attempt in range(len(Wanted))]


@virtual
async def test_a_new_pin_that_was_given_otherwise_the_second_time_is_judged_by_nobody() -> None:
    house = Keeper()
    house.press(PIN)
    house.pad.judge(1, "new")
    await settle()
    house.press("482914")
    house.pad.judge(2, "once_more")
    await settle()
    assert house.facts[-1] == e.PinJudged(2, "differs")
    house.press(PIN)
    house.pad.judge(3, "once_more")
    await settle()
    assert house.facts[-1] == e.PinJudged(3, "differs"), "the first one is forgotten with that"
    assert house.kept == [(Wanted.NEW, PIN)]


@virtual
async def test_a_new_pin_is_forgotten_with_everything_else_and_not_by_a_star() -> None:
    house = Keeper()
    house.press(PIN)
    house.pad.judge(1, "new")
    await settle()
    house.press("77*" + PIN)
    house.pad.judge(2, "once_more")
    await settle()
    assert house.kept[-1] == (Wanted.ONCE_MORE, PIN)
    house.press(PIN)
    house.pad.judge(3, "new")
    await settle()
    house.pad.forget()
    house.press(PIN)
    house.pad.judge(4, "once_more")
    await settle()
    assert house.facts[-1] == e.PinJudged(4, "differs")


@virtual
async def test_a_code_is_sent_or_not_and_that_is_told() -> None:
    house = Keeper()
    house.pad.send(1, "fr")
    await settle()
    house.outcome = "fails"
    house.pad.send(2, "de")
    await settle()
    assert house.sent == ["fr", "de"]
    plain = House()
    plain.pad.send(3, "en")
    plain.pad.judge(1, "code")
    await settle()
    assert house.facts == [e.CodeSent(1, "sent"), e.CodeSent(2, "failed")]
    assert plain.facts == [e.CodeSent(3, "failed"), e.PinJudged(1, "missing")]

"""What comes next for a caller in a menu, as values; and what an operator is told of one that cannot work."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.errors import SettingsError
from phone_bridge.menus import (
    MAX_CHOICES,
    MAX_GATHERED,
    MAX_KEPT,
    MAX_LAPSES,
    MAX_MENUS,
    MAX_PATH,
    MAX_SAY_CHARS,
    MAX_TIMEOUT_SECONDS,
    MAX_TRIES,
    Ask,
    Choice,
    Go,
    Heard,
    Kind,
    Menu,
    State,
    Step,
    Target,
    answer,
    check,
    enter,
    hints,
    numbers,
    target_of,
)

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
PERSON = "number:+4930999999"
FALLBACK, VOICEMAIL = Target(Kind.FALLBACK), Target(Kind.VOICEMAIL)

OFFICE = Menu(
    name="office",
    say="For appointments press 1.",
    human=PERSON,
    choices=(
        Choice(key="1", words=("appointment", "appointments"), to="assistant"),
        Choice(key="2", words="opening hours", say="We are open from nine to five.", to="repeat"),
        Choice(key="3", words="other appointment", to="menu:more"),
        Choice(key="4", to="menu:number"),
        Choice(key="9", words="goodbye", say="Goodbye.", to="hang_up"),
    ),
)
MORE = Menu(
    name="more",
    say="More.",
    language="de",
    choices=(
        Choice(key="1", to="back"),
        Choice(key="#", words="büro", to="assistant:b"),
        Choice(key="*", to="voicemail"),
    ),
)
NUMBER = Menu(name="number", say="Your customer number.", gather=6, to="assistant")
LATE = Menu(
    name="late",
    say="Good day.",
    choices=(Choice(key="1", to="assistant"),),
    hours="09:00-17:00",
    closed="12-25",
    timezone="Europe/Berlin",
    closed_say="We are closed.",
    closed_to="voicemail",
)
MENUS = {menu.name: menu for menu in (OFFICE, MORE, NUMBER, LATE)}


def at(*path: str, tries: int = 0, **more: Any) -> State:
    return State(path, tries, **more)


def after(state: State, digits: str = "", speech: str = "") -> Step:
    return answer(MENUS, state, Heard(digits, speech), NOON)


def asked(step: Step) -> Ask:
    assert isinstance(step, Ask)
    return step


def gone(step: Step) -> Go:
    assert isinstance(step, Go)
    return step


# Choosing


def test_a_menu_is_said_and_waits() -> None:
    assert enter(MENUS, "office", NOON) == Ask(menu=OFFICE, state=at("office"), human=True)


def test_a_key_leads_where_it_says() -> None:
    assert gone(after(at("office"), "1")).target == Target(Kind.ASSISTANT)
    assert gone(after(at("office"), "9")) == Go(target=Target(Kind.HANG_UP), state=at("office"), first=("Goodbye.",))
    assert asked(after(at("office"), "3")) == Ask(menu=MORE, state=at("office", "more"), human=True)


def test_what_is_said_before_a_menu_that_is_said_again_is_said() -> None:
    assert asked(after(at("office", tries=2), "2")) == Ask(
        menu=OFFICE, state=at("office"), first=("We are open from nine to five.",), human=True
    )


@pytest.mark.parametrize(
    ("speech", "target"),
    [
        ("Appointments.", Target(Kind.ASSISTANT)),
        ("I would like an APPOINTMENT, please", Target(Kind.ASSISTANT)),
        ("one", Target(Kind.ASSISTANT)),
        ("1", Target(Kind.ASSISTANT)),
        ("nine", Target(Kind.HANG_UP)),
        ("I want to speak to a person", Target(Kind.NUMBER, "+4930999999")),
        ("Operator!", Target(Kind.NUMBER, "+4930999999")),
    ],
)
def test_words_lead_there_too(speech: str, target: Target) -> None:
    assert gone(after(at("office"), speech=speech)).target == target


def test_of_two_choices_the_one_whose_longest_words_were_said_is_meant() -> None:
    assert asked(after(at("office"), speech="the other appointment")).menu is MORE


@pytest.mark.parametrize("speech", ["disappointment", "appointment or goodbye or one two", "someone", "", "..."])
def test_a_part_of_a_word_is_no_word_and_two_choices_are_none(speech: str) -> None:
    two = Menu(
        name="m", say="?", choices=(Choice(words="goodbye", to="hang_up"), Choice(words="one two", to="voicemail"))
    )
    assert isinstance(answer({"m": two}, at("m"), Heard(speech=speech), NOON), Ask)


def test_words_are_those_of_the_menus_language() -> None:
    assert gone(after(at("office", "more"), speech="Büro")).target == Target(Kind.ASSISTANT, "b")
    assert gone(after(at("office", "more"), speech="Zentrale")).target == Target(Kind.NUMBER, "+4930999999")
    assert gone(after(at("office", "more"), speech="Zentrale")).language == "de"
    assert asked(after(at("office", "more"), speech="eins")).menu is OFFICE
    assert asked(after(at("office", "more"), speech="one")).sorry == "unclear"


def test_a_key_counts_before_words() -> None:
    assert gone(after(at("office"), "1", "goodbye")).target == Target(Kind.ASSISTANT)


# Back, again, a person


def test_back_leads_to_the_menu_before_and_from_the_first_nowhere_else() -> None:
    assert asked(after(at("office", "more"), "1")).state == at("office")
    assert asked(after(at("more"), "1")).state == at("more")


def test_a_menu_that_was_passed_is_gone_back_to() -> None:
    round_ = Menu(name="a", say="?", choices=(Choice(key="1", to="menu:office"),))
    step = answer({**MENUS, "a": round_}, at("office", "more", "a"), Heard("1"), NOON)
    assert asked(step).state == at("office")


def test_star_says_it_again_and_is_no_try_unless_a_choice_has_it() -> None:
    assert asked(after(at("office", tries=2), "*")) == Ask(menu=OFFICE, state=at("office"), human=True)
    assert gone(after(at("office", "more"), "*")).target == VOICEMAIL


def test_a_person_is_reached_from_every_menu_behind_the_one_that_names_it() -> None:
    for path in (("office",), ("office", "more"), ("office", "number"), ("office", "more", "number")):
        assert gone(after(at(*path), "0")).target == Target(Kind.NUMBER, "+4930999999")
    assert asked(after(at("more"), "0")).sorry == "unclear"  # nobody is named


def test_a_choice_of_its_own_may_have_the_key() -> None:
    own = Menu(name="m", say="?", human=PERSON, choices=(Choice(key="0", to="voicemail"),))
    assert gone(answer({"m": own}, at("m"), Heard("0"), NOON)).target == VOICEMAIL


# Tries


def test_three_answers_that_are_none_lead_to_the_human() -> None:
    step: Step = enter(MENUS, "office", NOON)
    for digits, sorry in (("7", "unclear"), ("", "silent")):
        step = after(step.state, digits)
        assert asked(step).sorry == sorry
        assert asked(step).human
    assert gone(after(step.state, speech="mumble")).target == Target(Kind.NUMBER, "+4930999999")


def test_they_lead_where_the_menu_says_or_to_the_fallback() -> None:
    said = Menu(name="m", say="?", tries=1, choices=OFFICE.choices, human=PERSON, otherwise="voicemail")
    assert gone(answer({"m": said}, at("m"), Heard(), NOON)).target == VOICEMAIL
    assert gone(after(at("more", tries=2), "7")).target == FALLBACK


def test_whoever_answers_nothing_is_not_led_round_and_round() -> None:
    pair = {
        name: Menu(name=name, say="?", tries=1, otherwise=f"menu:{other}", choices=(Choice(key="1", to="menu:a"),))
        for name, other in (("a", "b"), ("b", "a"))
    }
    step: Step = enter(pair, "a", NOON)
    for _ in range(MAX_LAPSES - 1):
        step = answer(pair, step.state, Heard(), NOON)
        assert isinstance(step, Ask)
    chosen = answer(pair, step.state, Heard("1"), NOON)
    assert chosen.state.lapses == 0  # a choice is a sign of life
    assert gone(answer(pair, step.state, Heard(), NOON)).target == FALLBACK


@settings(max_examples=100)
@given(st.lists(st.sampled_from(["", "1", "2", "3", "4", "7", "0", "*", "#", "12"]), max_size=30), st.booleans())
def test_whatever_is_pressed_a_caller_stands_in_a_menu_or_is_led_on(keys: Sequence[str], night: bool) -> None:
    when = NIGHT if night else NOON
    step = enter(MENUS, "office", when)
    for key in keys:
        if isinstance(step, Go):
            break
        assert step.state.path[-1] == step.menu.name
        assert len(step.state.path) <= len(MENUS)
        step = answer(MENUS, step.state, Heard(key), when)
    silent = 0
    while isinstance(step, Ask):
        step, silent = answer(MENUS, step.state, Heard(), when), silent + 1
        assert silent <= MAX_LAPSES * MAX_TRIES


# Digits


@pytest.mark.parametrize(("digits", "speech"), [("4711", ""), ("", "four seven one one"), ("", "4711")])
def test_digits_are_gathered_and_kept(digits: str, speech: str) -> None:
    step = gone(after(at("office", "number"), digits, speech))
    assert (step.target, step.state.gathered) == (Target(Kind.ASSISTANT), (("number", "4711"),))


@pytest.mark.parametrize(("digits", "speech"), [("1234567", ""), ("12*", ""), ("", "four score"), ("", "")])
def test_what_is_no_number_of_them_is_asked_for_again(digits: str, speech: str) -> None:
    assert asked(after(at("office", "number"), digits, speech)).menu is NUMBER


def test_of_many_menus_the_last_digits_are_kept_and_many_are_gone_back_to() -> None:
    many = {f"m{n}": Menu(name=f"m{n}", say="?", gather=2, to=f"menu:m{n + 1}") for n in range(MAX_PATH + 2)}
    step: Step = enter(many, "m0", NOON)
    for _ in range(MAX_PATH + 1):
        step = answer(many, step.state, Heard("12"), NOON)
    assert [name for name, _ in step.state.gathered] == [f"m{n}" for n in range(MAX_PATH + 1 - MAX_KEPT, MAX_PATH + 1)]
    assert len(step.state.path) == MAX_PATH


# Hours


def test_outside_its_hours_a_menu_says_so_and_leads_on() -> None:
    assert isinstance(enter(MENUS, "late", NOON), Ask)
    assert enter(MENUS, "late", NIGHT) == Go(target=VOICEMAIL, state=at("late"), first=("We are closed.",))
    christmas = datetime(2026, 12, 25, 11, 0, tzinfo=UTC)
    assert gone(enter(MENUS, "late", christmas)).target == VOICEMAIL


def test_menus_that_are_closed_lead_to_one_that_is_open_and_never_round() -> None:
    shut = {
        name: Menu(
            name=name, say="?", choices=OFFICE.choices, days="sun", timezone="UTC", closed_say=name, closed_to=to
        )
        for name, to in (("a", "menu:b"), ("b", "menu:a"), ("c", "menu:office"))
    }
    assert gone(enter({**MENUS, **shut}, "a", NOON)) == Go(target=FALLBACK, state=at("a", "b"), first=("a", "b"))
    assert asked(enter({**MENUS, **shut}, "c", NOON)) == Ask(
        menu=OFFICE, state=at("c", "office"), first=("c",), human=True
    )


def test_a_menu_that_is_no_more_leads_to_the_fallback() -> None:
    assert gone(after(at("gone"), "1")).target == FALLBACK
    assert gone(after(State(()), "1")).target == FALLBACK
    assert gone(enter(MENUS, "gone", NOON)).target == FALLBACK


def test_the_words_of_all_choices_are_hinted_at() -> None:
    assert hints(OFFICE) == ("appointment", "appointments", "opening hours", "other appointment", "goodbye")


# What an operator may write


def menu(**said: Any) -> Menu:
    return Menu(**{"name": "m", "say": "?", "choices": (Choice(key="1", to="assistant"),), **said})


def test_what_works_is_let_pass_and_its_numbers_are_known() -> None:
    check(list(MENUS.values()), ["b"], list(MENUS))
    assert list(numbers(OFFICE)) == ["+4930999999"]
    check([menu(name=f"m{n}") for n in range(MAX_MENUS)], [], [""] * MAX_MENUS)
    most = tuple(Choice(words=f"word {n}", to="assistant") for n in range(MAX_CHOICES))
    check([menu(choices=most, tries=MAX_TRIES, timeout=MAX_TIMEOUT_SECONDS, say="?" * MAX_SAY_CHARS)], [], ["here"])
    check([menu(choices=(), gather=MAX_GATHERED, to="assistant")], [], ["here"])


def test_there_are_only_so_many() -> None:
    with pytest.raises(SettingsError, match="1000 at most"):
        check([menu()] * (MAX_MENUS + 1), [], [""] * (MAX_MENUS + 1))


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ({"name": "a menu"}, "needs a name of its own"),
        ({"choices": ()}, "needs either [[menus.choices]], or gather"),
        ({"gather": 3, "to": "assistant"}, "needs either [[menus.choices]], or gather"),
        ({"choices": (), "gather": 3}, "needs either [[menus.choices]], or gather"),
        ({"choices": (), "gather": MAX_GATHERED + 1, "to": "assistant"}, "may gather 20 digits"),
        ({"choices": (Choice(key="1", to="back"),) * (MAX_CHOICES + 1)}, "50 choices at most"),
        ({"tries": 0}, "needs tries of 1 to 5"),
        ({"tries": MAX_TRIES + 1}, "needs tries of 1 to 5"),
        ({"timeout": MAX_TIMEOUT_SECONDS + 1}, "a timeout of 1 to 30 s"),
        ({"say": " "}, "needs something to say"),
        ({"say": "?" * (MAX_SAY_CHARS + 1)}, "of 1000 characters at most"),
        ({"language": "German"}, "write a language as de"),
        ({"choices": (Choice(key="12", to="back"),)}, "the key '12'"),
        ({"choices": (Choice(to="back"),)}, "a choice that nobody can make"),
        ({"choices": (Choice(key="1", to="back"), Choice(key="1", to="repeat"))}, "two choices for '1'"),
        ({"choices": (Choice(words="A b", to="back"), Choice(words="a, B!", to="repeat"))}, "two choices for 'a b'"),
        ({"choices": (Choice(words="...", to="back"),)}, "or an empty word"),
        ({"choices": (Choice(key="1", to="assistant", say="Hello."),)}, "write it into the route's greeting"),
        ({"choices": (Choice(key="1", to="nowhere"),)}, "'nowhere' in to of a choice: write assistant,"),
        ({"choices": (Choice(key="1", to="number:110"),)}, "'number:110' in to of a choice"),
        ({"choices": (Choice(key="1", to="menu"),)}, "'menu' in to of a choice"),
        ({"choices": (Choice(key="1", to="back:2"),)}, "'back:2' in to of a choice"),
        ({"choices": (Choice(key="1", to="menu:none"),)}, "leads to the menu 'none', which there is not"),
        ({"choices": (Choice(key="1", to="assistant:none"),)}, "leads to the route 'none', which there is not"),
        ({"human": "assistant"}, "'assistant' as its human: write number:"),
        ({"otherwise": "repeat"}, "'repeat' in otherwise, which would lead round and round"),
        ({"days": "mon", "timezone": "UTC"}, "needs closed_to where it has hours"),
        ({"closed_to": "voicemail"}, "needs closed_to where it has hours"),
        ({"closed_say": "We are closed."}, "needs closed_to where it has hours"),
        ({"closed": "1-1", "timezone": "UTC", "closed_to": "voicemail"}, "'1-1' in closed"),
    ],
)
def test_what_cannot_work_is_told_with_its_place_and_the_mend(said: dict[str, Any], mend: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check([menu(**said)], ["b"], ["here"])
    assert str(refused.value).startswith("here ")
    assert mend in str(refused.value)


def test_two_menus_have_two_names() -> None:
    with pytest.raises(SettingsError, match="one needs a name of its own"):
        check([menu(), menu()], [], ["one", "two"])


@pytest.mark.parametrize("text", ["", ":", "assistant:", "assistant:a b", "Menu:a", "number:", "number:030", "hang up"])
def test_what_leads_nowhere_is_no_target(text: str) -> None:
    with pytest.raises(ValueError):
        target_of(text)

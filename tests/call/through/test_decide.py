import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.call.through import Names, Wanted, Whom, chosen, wanted
from phone_bridge.call.through.decide import LONGEST_WISH, NOBODY

OFFICE = Names(("reception", "Dr. Miller", "sales", "sales support", "Empfang"))
ANYONE, OTHER = Wanted(Whom.ANYONE), Wanted(Whom.OTHER)


def name(text: str) -> Wanted:
    return Wanted(Whom.NAMED, text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("put me through to reception", name("reception")),
        ("PUT ME THROUGH TO RECEPTION!", name("reception")),
        ("put me through to dr miller", name("Dr. Miller")),
        ("put me through to sales support please", name("sales support")),
        ("put me through to sales", name("sales")),
        ("put put me through to to reception", name("reception")),
        ("put me through to accounting", OTHER),
        ("put me through", ANYONE),
        ("put me through to", NOBODY),
        ("put me through to reception or sales", NOBODY),
        ("put me through to reception tomorrow", NOBODY),
        ("call reception tomorrow", NOBODY),
        ("cancel my call with reception", NOBODY),
        ("remind me to talk to an operator", NOBODY),
        ("reception", NOBODY),
        ("", NOBODY),
    ],
)
def test_a_wish_is_read_as_a_whole(text: str, meant: Wanted) -> None:
    assert wanted(text, "en", OFFICE) == meant


def test_without_a_list_there_are_people_still() -> None:
    assert wanted("I want to talk to a person") == ANYONE
    assert wanted("put me through to reception") == ANYONE, "reception is where somebody picks up"


def test_a_name_may_be_a_word_for_anybody() -> None:
    listed = Names(("operator", "sales"))
    assert wanted("operator", "en", listed) == name("operator")
    assert wanted("I want to talk to the operator please", "en", listed) == name("operator")
    assert wanted("I want to talk to a person", "en", listed) == ANYONE


def test_a_wish_in_another_language_than_the_lines_is_understood() -> None:
    assert wanted("ich möchte mit einem Menschen sprechen", "en", OFFICE) == ANYONE
    assert wanted("can I speak to someone", "fr-CA", OFFICE) == ANYONE
    assert wanted("verbinden Sie mich mit dem Empfang", "xx", OFFICE) == name("Empfang")


@pytest.mark.parametrize("end", ["...", ",", " -"])
def test_what_is_broken_off_is_no_wish_yet(end: str) -> None:
    assert wanted(f"put me through{end}", "en", OFFICE) == NOBODY


def test_a_long_tale_is_for_the_assistant() -> None:
    polite = "please " + "okay so " * ((LONGEST_WISH - 3) // 2)
    assert wanted(f"{polite}operator please", "en", OFFICE) == ANYONE
    assert wanted(f"{polite}{polite}operator please", "en", OFFICE) == NOBODY


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("reception", name("reception")),
        ("Reception, please.", name("reception")),
        ("to the sales department", name("sales")),
        ("I would like sales support", name("sales support")),
        ("put me through to sales", name("sales")),
        ("anyone", ANYONE),
        ("I don't mind", ANYONE),
        ("egal", ANYONE),
        ("accounting", NOBODY),
        ("reception sales", NOBODY),
        ("what is my next meeting", NOBODY),
        ("no", NOBODY),
    ],
)
def test_a_name_alone_answers_the_question_who_it_shall_be(text: str, meant: Wanted) -> None:
    assert chosen(text, "en", OFFICE) == meant


def test_names_in_any_letters_are_found_and_those_without_any_are_not() -> None:
    listed = Names(("Zürich", "--", "Ñandú"))
    assert wanted("verbinden Sie mich mit Zurich", "de", listed) == name("Zürich")
    assert wanted("páseme con el ñandu", "es", listed) == name("Ñandú")


SAID = "put me through to reception or sales please not tomorrow I want talk a person operator con páseme mit @0"
WORDS = st.sampled_from(SAID.split())


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=60), st.sampled_from(["en", "de", "es", "fr", ""]))
def test_no_words_are_too_much_for_it(text: str, language: str) -> None:
    found = wanted(text, language, OFFICE)
    assert (found.name != "") == (found.whom is Whom.NAMED)
    assert found == wanted(text, language, OFFICE)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["tomorrow", "not", "on friday", "or sales", "and cancel my meeting", "at three", "[laughter]"]))
def test_no_wish_survives_a_word_that_changes_it(more: str) -> None:
    assert wanted(f"put me through to reception {more}", "en", OFFICE) == NOBODY

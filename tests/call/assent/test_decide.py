"""Properties of consent: what must hold for any words at all."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phone_bridge.call import words
from phone_bridge.call.assent import TABLES, Assent, understand
from phone_bridge.call.assent.grammar import Role
from phone_bridge.call.assent.hearing import LONGEST_UTTERANCE, hear
from phone_bridge.call.events import Action
from tests.call.assent.corpus import prompt, texts


def words_of(text: str) -> list[str]:
    return text.split()


PLAIN = re.compile(r"[\w' ]+")
YES = [text for text in texts("en", "yes") if understand(text) is Assent.YES]
PLAIN_YES = [text for text in YES if PLAIN.fullmatch(text)]
VOCABULARY = sorted({word for phrase in TABLES["en"].roles.entries for word in phrase})
KNOWN = {
    language: {word for phrase in (*table.roles.entries, *table.spelling.entries) for word in phrase}
    for language, table in TABLES.items()
}
SPOILERS = words_of(
    "no not don't never nope nobody nothing cannot won't wouldn't if unless but except maybe perhaps wait instead "
    "tomorrow friday four later only also cancel banana she said why which what"
)
SPOILERS_OF = {
    "de": words_of(
        "nein nicht nie kein aber wenn falls vielleicht oder stattdessen morgen freitag später sie sagt banane"
    ),
    "es": words_of(
        "no nunca jamás nadie pero aunque quizás tal espera mañana viernes cuatro después solo también otro cancela "
        "plátano dice qué por tampoco cuando salvo ni mal todavía"
    ),
    "fr": words_of(
        "non pas jamais rien personne si ou peut-être attendez demain vendredi quatre plus seulement aussi annulez "
        "banane dit quoi pourquoi quand sauf ni faux encore presque"
    ),
}
YES_OF = {
    language: [text for text in texts(language, "yes") if understand(text, language) is Assent.YES]
    for language in SPOILERS_OF
}

yeses = st.sampled_from(YES)
prompts = st.sampled_from([prompt(about, "en") for about in ("cancel", "create", "move", "bulk")])


def insert(text: str, word: str, place: int) -> str:
    parts = text.split()
    parts.insert(place % (len(parts) + 1), word)
    return " ".join(parts)


@given(yeses, st.sampled_from(SPOILERS), st.integers(0, 20), prompts)
def test_one_spoiling_word_anywhere_takes_a_yes_back(text: str, word: str, place: int, asked: str) -> None:
    assert understand(insert(text, word, place)) is not Assent.YES
    assert understand(insert(text, word, place), prompt=asked) is not Assent.YES


@pytest.mark.parametrize("language", sorted(SPOILERS_OF))
def test_one_spoiling_word_anywhere_takes_a_yes_back_in_other_languages(language: str) -> None:
    said = (
        insert(text, word, place)
        for text in YES_OF[language][::3]
        for word in SPOILERS_OF[language]
        for place in range(len(text.split()) + 1)
    )
    assert [text for text in said if understand(text, language) is Assent.YES] == []


@given(yeses, st.text(st.characters(categories=["L"]), min_size=4), st.integers(0, 20))
@example("yes", "yesterday", 1)
@example("go ahead", "tomorrow", 2)
def test_one_unknown_word_anywhere_takes_a_yes_back(text: str, word: str, place: int) -> None:
    if not KNOWN["en"].issuperset(hear(word)):
        assert understand(insert(text, word, place)) is not Assent.YES


@given(st.lists(st.sampled_from(VOCABULARY), max_size=8), st.sampled_from(SPOILERS), st.integers(0, 20))
def test_words_of_the_vocabulary_with_a_spoiling_one_are_never_a_yes(said: list[str], word: str, place: int) -> None:
    assert understand(insert(" ".join(said), word, place)) is not Assent.YES


@given(st.text(), st.sampled_from([*TABLES, "it", "en-GB", ""]), st.text())
def test_any_text_is_understood_as_something_and_a_yes_knows_every_word(text: str, language: str, asked: str) -> None:
    heard = understand(text, language, prompt=asked)
    assert isinstance(heard, Assent)
    if heard is Assent.YES:
        assert KNOWN[language[:2]].issuperset(hear(text))


@st.composite
def restyled(draw: st.DrawFn) -> tuple[str, str]:
    text = draw(st.sampled_from(PLAIN_YES))
    style: Callable[[str], str] = draw(st.sampled_from([str.upper, str.title, str.lower, str.capitalize, str.swapcase]))
    ends = st.sampled_from(["", ".", "!", ";", ":", ",", '"', "\t", "\n", "  "])
    restyled = " ".join(style(word) + draw(ends) for word in text.split())
    return text, restyled.rstrip(",") + draw(st.sampled_from(["", ".", "!", " ", "\n"]))


@given(restyled())
def test_case_punctuation_and_space_change_nothing(pair: tuple[str, str]) -> None:
    text, other = pair
    assert understand(other.replace("..", ".")) is understand(text) is Assent.YES


def test_typographic_apostrophes_are_apostrophes() -> None:
    assert understand("that\N{RIGHT SINGLE QUOTATION MARK}s right") is Assent.YES
    assert understand("don\N{RIGHT SINGLE QUOTATION MARK}t") is Assent.NO


@pytest.mark.parametrize("text", ["yes?", "Sure?", "That's right?", "go ahead \N{FULLWIDTH QUESTION MARK}"])
def test_a_heard_question_mark_takes_a_yes_back(text: str) -> None:
    assert understand(text) is Assent.UNCLEAR


@pytest.mark.parametrize("end", ["...", "\N{HORIZONTAL ELLIPSIS}", " -", "\N{EM DASH}", ",", ", um", " uh..."])
def test_what_breaks_off_is_no_yes(end: str) -> None:
    assert understand(f"yes{end}") is Assent.UNCLEAR
    assert understand(f"yes{end} please") is Assent.YES


@pytest.mark.parametrize("text", ["no?", "no way?", "nein?"])
def test_a_questioning_no_is_unclear_too(text: str) -> None:
    assert understand(text, "de" if text == "nein?" else "en") is Assent.UNCLEAR


# The prompt heard back


@st.composite
def cut_outs(draw: st.DrawFn, spoken: st.SearchStrategy[str]) -> tuple[str, str]:
    asked = draw(spoken)
    heard = asked.split()
    begin = draw(st.integers(0, len(heard) - 2))
    return asked, " ".join(heard[begin : draw(st.integers(begin + 2, len(heard)))])


def test_every_cut_out_of_two_words_or_more_is_an_echo() -> None:
    for language in TABLES:
        asked = prompt("cancel", language)
        heard = asked.split()
        for begin in range(len(heard) - 1):
            for end in (*range(begin + 2, min(begin + 12, len(heard))), len(heard)):
                assert understand(" ".join(heard[begin:end]), language, prompt=asked) is Assent.ECHO


titles = st.lists(st.sampled_from([*YES, *VOCABULARY]), min_size=1, max_size=6).map(" ".join)


@given(cut_outs(titles.map(lambda title: words.question(Action("create_event", {"title": title})).text)))
def test_a_cut_out_is_no_yes_even_where_the_title_is_one(pair: tuple[str, str]) -> None:
    asked, heard = pair
    assert understand(heard, prompt=asked) is not Assent.YES


@given(cut_outs(st.lists(st.sampled_from(VOCABULARY), min_size=2, max_size=90).map(" ".join)))
def test_a_cut_out_of_any_prompt_however_long_is_no_yes(pair: tuple[str, str]) -> None:
    asked, heard = pair
    assert understand(heard, prompt=asked) is not Assent.YES


def test_one_word_alone_is_no_echo() -> None:
    assert understand("yes", prompt=prompt("cancel", "en")) is Assent.YES
    assert understand("no", prompt=prompt("cancel", "en")) is Assent.NO


def test_a_badly_heard_echo_is_an_echo() -> None:
    asked = prompt("cancel", "en")
    assert understand("press won or say yes to conform press to or say know", prompt=asked) is Assent.ECHO
    assert understand("i am about to council dentist on tuesday", prompt=asked) is Assent.ECHO


def test_a_date_is_the_same_in_words_and_in_figures() -> None:
    asked = prompt("cancel", "en")
    assert understand("on tuesday the twenty-fourth of november at three pm", prompt=asked) is Assent.ECHO
    assert understand("am dienstag den 24. november", "de", prompt=prompt("cancel", "de")) is Assent.ECHO


def test_a_wish_in_the_words_of_the_prompt_is_a_wish() -> None:
    asked = prompt("cancel", "en")
    assert understand("cancel dentist on wednesday", prompt=asked) is Assent.WISH
    assert understand("cancel dentist on tuesday at four", prompt=asked) is Assent.WISH


def test_an_echo_with_words_swallowed_is_at_least_no_yes() -> None:
    assert understand("yes confirm") is Assent.YES
    assert understand("yes confirm", prompt=prompt("cancel", "en")) is Assent.UNCLEAR


def test_an_answer_after_an_echo_is_asked_for_again() -> None:
    asked = prompt("cancel", "en")
    assert understand("to hear it again yes", prompt=asked) is not Assent.YES


# The deed named again


def test_only_the_deed_that_was_asked_may_be_named() -> None:
    assert understand("yes cancel it", prompt=prompt("cancel", "en")) is Assent.YES
    assert understand("yes cancel it", prompt=prompt("create", "en")) is Assent.UNCLEAR
    assert understand("yes book it", prompt=prompt("create", "en")) is Assent.YES
    assert understand("yes move it", prompt=prompt("move", "en")) is Assent.YES
    assert understand("yes move it", prompt=prompt("cancel", "en")) is Assent.WISH
    assert understand("ja absagen", "de", prompt=prompt("cancel", "de")) is Assent.YES
    assert understand("ja verschieben", "de", prompt=prompt("move", "de")) is Assent.YES
    assert understand("ja verschieben", "de", prompt=prompt("cancel", "de")) is Assent.WISH
    assert understand("sí, créalo", "es", prompt=prompt("create", "es")) is Assent.YES
    assert understand("sí, muévalo", "es", prompt=prompt("cancel", "es")) is Assent.WISH
    assert understand("oui, créez-le", "fr", prompt=prompt("create", "fr")) is Assent.YES
    assert understand("oui, déplacez-le", "fr", prompt=prompt("cancel", "fr")) is Assent.WISH


@pytest.mark.parametrize("text", ["cancel it", "Cancel it.", "please cancel it", "okay cancel it", "cancel that"])
def test_a_bare_cancel_it_may_mean_the_question_itself(text: str) -> None:
    assert understand(text, prompt=prompt("cancel", "en")) in (Assent.UNCLEAR, Assent.NO)


def test_one_of_several_is_no_consent_to_all() -> None:
    for text in ("yes cancel it", "yes cancel that", "yes cancel dentist", "yes the first one"):
        assert understand(text, prompt=prompt("bulk", "en")) is not Assent.YES


def test_a_title_that_speaks_like_us_does_not_turn_the_question() -> None:
    asked = words.question(Action("create_event", {"title": "I am about to cancel"})).text
    assert understand("yes cancel it", prompt=asked) is not Assent.YES


# Languages and lengths


@given(st.sampled_from([*YES, *texts("en", "no")]), st.sampled_from(["it", "pt-BR", "zz", "", "english"]))
def test_a_language_without_a_table_understands_nothing(text: str, language: str) -> None:
    assert understand(text, language) is Assent.UNCLEAR
    assert understand("", language) is Assent.NOTHING


def test_a_region_does_not_matter() -> None:
    assert understand("yes please", "en-GB") is Assent.YES
    assert understand("ja bitte", "de-AT") is Assent.YES
    assert understand("sí, cómo dice, sí", "es-MX") is not understand("sí, por favor", "es-MX") is Assent.YES
    assert understand("oui, allez-y", "fr-CA") is understand("oui", "fr-BE") is Assent.YES
    assert understand("ja bitte", "en") is Assent.UNCLEAR


def test_nobody_consents_in_more_words_than_are_looked_at() -> None:
    assert understand("yes " * LONGEST_UTTERANCE) is Assent.YES
    assert understand("yes " * (LONGEST_UTTERANCE + 1)) is not Assent.YES


@pytest.mark.parametrize("text", ["", " ", "...", "?", "[BLANK_AUDIO]", "(silence)", "*sighs*", "um", "uh, um"])
def test_silence_and_notes_are_nothing(text: str) -> None:
    assert understand(text) is Assent.NOTHING


@pytest.mark.parametrize("text", ["[inaudible] yes", "yes [noise]", "yes \N{THUMBS DOWN SIGN}", "yes + no", "yes (no)"])
def test_a_note_or_a_sign_beside_a_yes_is_a_doubt(text: str) -> None:
    assert understand(text) is Assent.UNCLEAR


def test_a_wish_beside_a_refusal_is_a_wish() -> None:
    assert understand("no, move it to Friday") is Assent.WISH
    assert understand("don't cancel it, make it five instead") is Assent.WISH
    assert understand("cancel lunch") is Assent.WISH


def test_a_refusal_may_give_its_reason_but_not_contradict_itself() -> None:
    assert understand("no, my wife would kill me") is Assent.NO
    assert understand("please don't tell") is not Assent.YES
    assert understand("no, I said yes") is Assent.UNCLEAR
    assert understand("no, go ahead") is Assent.UNCLEAR
    assert understand("don't stop") is Assent.UNCLEAR
    assert understand("no, that's fine") is Assent.UNCLEAR


@pytest.mark.parametrize("language", TABLES)
def test_our_own_sentences_are_never_a_yes(language: str) -> None:
    for key, sentence in words.SENTENCES[language].items():
        assert understand(sentence, language) is not Assent.YES, key
    assert understand(words.refusal(language), language) is Assent.NO


@pytest.mark.parametrize("language", TABLES)
def test_every_phrase_that_refuses_or_doubts_is_no_part_of_a_consent(language: str) -> None:
    consenting = {Role.YES, Role.STATEMENT, Role.ACT, Role.ONWARD}
    refusing = {Role.NO, Role.NOT, Role.AGAIN, Role.DOUBT, Role.NUMBER}
    for phrase, played in TABLES[language].roles.entries.items():
        assert not (played & consenting and played & refusing), phrase

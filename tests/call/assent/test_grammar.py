"""The machines themselves, with a language of five words."""

from phone_bridge.call.assent.grammar import (
    ACCEPTING,
    CONSENT,
    REFUSAL,
    REPETITION,
    START,
    Role,
    accepts,
    holds,
    labels,
)
from phone_bridge.call.assent.hearing import Lexicon

ROLES = Lexicon.of(
    {
        ("ja",): frozenset({Role.YES}),
        ("ja", "bitte"): frozenset({Role.STATEMENT}),
        ("bitte",): frozenset({Role.COURTESY}),
        ("los",): frozenset({Role.ACT}),
        ("nicht",): frozenset({Role.NOT}),
        ("hm",): frozenset({Role.FILLER}),
        ("gut",): frozenset({Role.SUPPORT}),
        ("weg",): frozenset({Role.DEED}),
        ("will", "ich"): frozenset({Role.ECHOED}),
        ("aha",): frozenset({Role.NOTED}),
        ("wieso", "nicht"): frozenset({Role.DOUBT}),
    }
)


def consents(text: str) -> bool:
    return accepts(CONSENT, tuple(text.split()), ROLES)


def test_consent_needs_a_yes_and_knows_every_word() -> None:
    assert consents("hm gut ja bitte gut")
    assert not consents("hm gut bitte")
    assert not consents("ja xyz")
    assert not consents("")


def test_every_way_of_cutting_is_tried() -> None:
    assert consents("ja bitte los")  # "ja bitte" as one phrase, or as two
    assert consents("ja bitte ja bitte gut") is True  # only the second way may be followed by "gut"


def test_an_answer_that_ends_in_a_filler_goes_on() -> None:
    assert not consents("ja hm")
    assert consents("ja hm los")


def test_a_deed_and_an_echoed_verb_need_a_yes_before_them() -> None:
    assert consents("ja weg")
    assert not consents("weg ja")
    assert consents("ja will ich")
    assert not consents("will ich")
    assert not consents("ja will ich los")


def test_an_acknowledgement_is_no_consent_but_an_act_after_it_is() -> None:
    assert not consents("aha")
    assert not consents("ja aha")
    assert not consents("aha ja")
    assert consents("ja aha gut los")


def test_a_negator_refuses_the_act_after_it() -> None:
    assert accepts(REFUSAL, ("nicht", "los"), ROLES)
    assert accepts(REFUSAL, ("nicht", "hm", "weg", "bitte"), ROLES)
    assert not accepts(REFUSAL, ("nicht", "ja"), ROLES)
    assert not accepts(REFUSAL, ("nicht",), ROLES)


def test_labels_take_the_longest_phrase_and_leave_unknown_words_bare() -> None:
    found = labels(("ja", "bitte", "xyz", "wieso", "nicht"), ROLES)
    assert found == [{Role.STATEMENT}, frozenset(), {Role.DOUBT}]


def test_a_phrase_is_found_wherever_it_stands() -> None:
    assert holds(("ja", "wieso", "nicht"), Role.DOUBT, ROLES)
    assert not holds(("wieso", "ja", "nicht"), Role.DOUBT, ROLES)


def test_every_move_leads_to_a_state_that_the_grammar_has() -> None:
    for grammar in (CONSENT, REFUSAL, REPETITION):
        assert START in grammar
        for moves in grammar.values():
            assert set(moves.values()) <= grammar.keys()
        assert ACCEPTING & grammar.keys()


def test_no_refusing_role_has_a_place_in_the_grammar_of_consent() -> None:
    kept_out = {Role.NO, Role.NOT, Role.AGAIN, Role.DOUBT, Role.WISH, Role.NUMBER, Role.STEM, Role.TURN, Role.REGRET}
    assert not any(kept_out & moves.keys() for moves in CONSENT.values())

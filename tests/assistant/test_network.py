import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant.network import Network
from phone_bridge.errors import LocalError

SMALL = "<number> = one | two; <thing> = [<number>] (apple | pear); <wish> = give me <thing> [please] | stop;"


@pytest.mark.parametrize("sentence", ["stop", "give me apple", "give me two pear please"])
def test_sentences_of_the_grammar_are_accepted(sentence: str) -> None:
    assert Network(SMALL).accepts(sentence.split())


@pytest.mark.parametrize("sentence", ["", "give me", "stop please", "two apple", "give me pear please please"])
def test_beginnings_and_others_are_not(sentence: str) -> None:
    assert not Network(SMALL).accepts(sentence.split())


def test_the_empty_word_is_no_way_on() -> None:
    assert not Network(SMALL).accepts(["stop", ""])


def test_the_words_are_those_of_the_last_rule() -> None:
    assert Network(SMALL).words == set("one two apple pear give me please stop".split())  # noqa: SIM905
    assert Network("<unused> = plum; <wish> = stop;").words == {"stop"}


@given(st.integers())
def test_every_sentence_that_is_drawn_belongs(seed: int) -> None:
    network = Network(SMALL)
    assert network.accepts(network.sentence(random.Random(seed)))  # noqa: S311 - no secret


def test_all_sentences_are_drawn() -> None:
    network, chance = Network(SMALL), random.Random(1)  # noqa: S311 - no secret
    assert len({" ".join(network.sentence(chance)) for _ in range(500)}) == 13


def test_a_missing_rule_is_our_mistake() -> None:
    with pytest.raises(LocalError, match="<plum>"):
        Network("<wish> = give me <plum>;")
    with pytest.raises(LocalError, match="without rules"):
        Network("")


def test_walking_the_steps_is_accepting() -> None:
    network = Network(SMALL)
    here = {network.start}
    for word in ("give", "me", "two", "pear", ""):
        here = {to for state, to, way in network.steps() if state in here and way == word}
    assert here == {network.final}

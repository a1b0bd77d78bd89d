import random

import pytest

from phone_bridge.assistant.network import Network
from phone_bridge.errors import LocalError

SMALL = """
<day> = today | tomorrow;
<what> = what is (on | up) [<day>] | when;
"""


def test_what_is_drawn_from_a_grammar_belongs_to_it() -> None:
    network = Network(SMALL)
    chance = random.Random(1)  # noqa: S311 - no secret
    for _ in range(200):
        assert network.accepts(network.sentence(chance))


@pytest.mark.parametrize("sentence", ["what is on", "what is up tomorrow", "when", "what is on today"])
def test_whole_sentences_are_accepted(sentence: str) -> None:
    assert Network(SMALL).accepts(sentence.split())


@pytest.mark.parametrize("sentence", ["", "what", "what is", "what is on on", "today", "when today", "whom"])
def test_parts_and_others_are_not(sentence: str) -> None:
    assert not Network(SMALL).accepts(sentence.split())


def test_its_words_are_those_of_the_grammar() -> None:
    assert Network(SMALL).words == {"what", "is", "on", "up", "today", "tomorrow", "when"}


@pytest.mark.parametrize("text", ["", "<a> = <b>;", "<a> = (one;"])
def test_a_grammar_that_is_none_is_our_mistake(text: str) -> None:
    with pytest.raises((LocalError, KeyError, IndexError, ValueError)):
        Network(text).sentence(random.Random(1))  # noqa: S311 - no secret


def test_walking_the_steps_is_accepting() -> None:
    network = Network(SMALL)
    here = {network.start}
    for word in ("what", "is", "up", ""):
        here = {to for state, to, way in network.steps() if state in here and way == word}
    assert here == {network.final}

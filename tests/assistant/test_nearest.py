from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.nearest import MISSING_WORD, PHONE, TOO_MANY, Nearest
from phone_bridge.assistant.network import Network

PHONES = {
    "call": "K AO L",
    "the": "DH AH",
    "bank": "B AE NG K",
    "back": "B AE K",
    "mother": "M AH DH ER",
    "at": "AE T",
    "nine": "N AY N",
    "five": "F AY V",
    "please": "P L IY Z",
}
NETWORK = Network("<hour> = nine | five; <wish> = call [the] (bank | mother) [at <hour>] [please] | back;")
NEAREST = Nearest(NETWORK, PHONES)


def found(text: str) -> str:
    nearest = NEAREST.find(text.split())
    return " ".join(nearest.words) if nearest else ""


def cost(text: str) -> float:
    nearest = NEAREST.find(text.split())
    assert nearest is not None
    return nearest.cost


def test_a_sentence_of_the_network_is_its_own_nearest() -> None:
    assert found("call the bank at nine") == "call the bank at nine"
    assert cost("call the bank at nine") == 0


def test_a_word_that_sounds_alike_is_mended() -> None:
    assert found("call the back at nine") == "call the bank at nine"
    assert 0 < cost("call the back at nine") < cost("call the nine at nine")


def test_a_missing_word_is_put_in_and_one_too_many_left_out() -> None:
    assert found("call bank nine please") == "call bank at nine please"
    assert cost("call bank nine please") == (MISSING_WORD + 2 * PHONE) / 4
    assert found("call the at bank please") == "call the bank please"
    assert cost("call the at bank please") == (TOO_MANY + 2 * PHONE) / 5


def test_a_word_too_many_may_come_last() -> None:
    assert found("call the bank at nine the") == "call the bank at nine"


def test_words_that_the_network_does_not_know_are_passed_over() -> None:
    assert found("well call the bank") == "call the bank"
    assert NEAREST.find(["well"]) is None
    assert NEAREST.find([]) is None


def test_a_word_without_a_sound_may_still_be_there() -> None:
    network = Network("<wish> = call zabrinovich;")
    nearest = Nearest(network, PHONES).find(["call"])
    assert nearest is not None
    assert nearest.words == ("call", "zabrinovich")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(PHONES)), min_size=1, max_size=8))
def test_whatever_is_heard_the_answer_is_a_sentence_and_free_only_if_it_is_the_same(heard: list[str]) -> None:
    nearest = NEAREST.find(heard)
    assert nearest is not None
    assert NETWORK.accepts(nearest.words)
    assert (nearest.cost == 0) == (list(nearest.words) == heard)

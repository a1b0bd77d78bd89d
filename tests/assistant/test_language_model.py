import re

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant.language_model import BEGIN, FINISH, arpa

SENTENCES = [["cancel", "it"], ["cancel", "it"], ["cancel", "that"], ["stop"]]
LINE = re.compile(r"^(-?\d+\.\d+)\t([^\t\n]+)(?:\t(-?\d+\.\d+))?$", re.MULTILINE)
Model = dict[tuple[str, ...], tuple[float, float]]


def read(text: str) -> Model:
    return {tuple(gram.split()): (10 ** float(a), 10 ** float(b or 0)) for a, gram, b in LINE.findall(text)}


def chance(model: Model, context: tuple[str, ...], word: str) -> float:
    if (*context, word) in model:
        return model[(*context, word)][0]
    rest = model[context][1] if context in model else 1.0
    return rest * chance(model, context[1:], word)


def test_what_was_said_more_often_is_likelier() -> None:
    model = read(arpa(SENTENCES))
    assert chance(model, (BEGIN, "cancel"), "it") > chance(model, (BEGIN, "cancel"), "that")
    assert chance(model, (BEGIN, "cancel"), "that") > chance(model, (BEGIN, "cancel"), "stop") > 0


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), min_size=1, max_size=8))
def test_chances_in_any_seen_context_sum_to_one(sentences: list[list[str]]) -> None:
    model = read(arpa(sentences))
    words = [gram[0] for gram in model if len(gram) == 1 and gram != (BEGIN,)]
    contexts = {gram[:-1] for gram in model if len(gram) == 3}
    assert FINISH in words
    for context in contexts:
        assert abs(sum(chance(model, context, word) for word in words) - 1) < 0.01


def test_the_head_counts_what_follows() -> None:
    text = arpa(SENTENCES)
    counted = [int(number) for number in re.findall(r"ngram \d=(\d+)", text)]
    grams = [gram for _, gram, _ in LINE.findall(text)]
    assert counted == [sum(len(gram.split()) == order for gram in grams) for order in (1, 2, 3)]
    assert text.endswith("\\end\\\n")

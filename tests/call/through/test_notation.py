import pytest

from phone_bridge.call.through.notation import MAX_UNKNOWN_WORDS, Grammar

GRAMMAR = Grammar(
    """
wish = [please] (call | ring <soft>*) <whom>;
soft = now | at once;
whom = <name> | mister <unknown>;
""",
    besides=("tomorrow",),
)


@pytest.mark.parametrize(
    "text",
    [
        "call @0",
        "please call @12",
        "ring @1",
        "ring now at once now @1",
        "call mister smith",
        "call mister van der elst",
    ],
)
def test_a_sentence_of_the_grammar_is_read(text: str) -> None:
    assert GRAMMAR.reads("wish", tuple(text.split()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "call",
        "please",
        "please please call @0",
        "call now @0",
        "ring at @0",
        "call @0 @1",
        "call mister",
        "call mister smith tomorrow",
        "call mister 12",
        "call mister " + "van " * (MAX_UNKNOWN_WORDS + 1),
        "call somebody",
        "a tale that has nothing to do with it at all",
    ],
)
def test_any_other_is_not(text: str) -> None:
    assert not GRAMMAR.reads("wish", tuple(text.split()))


def test_every_rule_can_be_asked_for() -> None:
    assert GRAMMAR.reads("soft", ("at", "once"))
    assert GRAMMAR.reads("name", ("@3",))
    assert not GRAMMAR.reads("soft", ("at",))

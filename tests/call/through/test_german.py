import pytest

from phone_bridge.call.through import Names, Wanted, Whom, wanted

NAMES = Names(("Empfang", "Vertrieb"))


@pytest.mark.parametrize("text", ["moechte", "möchte", "mochte"])
def test_umlauts_may_be_spelt_in_any_way(text: str) -> None:
    assert wanted(f"ich {text} mit dem Empfang sprechen", "de", NAMES) == Wanted(Whom.NAMED, "Empfang")


@pytest.mark.parametrize(
    "text",
    ["verbinden Sie mich nicht", "ich will nicht verbunden werden", "ich möchte nicht mit einem Menschen sprechen"],
)
def test_a_denial_is_no_wish(text: str) -> None:
    assert wanted(text, "de", NAMES).whom is Whom.NOBODY


def test_the_verb_may_stand_at_either_end() -> None:
    for text in ("verbinden Sie mich mit dem Vertrieb", "können Sie mich mit dem Vertrieb verbinden"):
        assert wanted(text, "de", NAMES) == Wanted(Whom.NAMED, "Vertrieb")

import pytest

from phone_bridge.call.through import Names, Wanted, Whom, wanted

NAMES = Names(("recepción", "ventas"))


@pytest.mark.parametrize(
    "text",
    [
        "páseme con ventas",  # Spain
        "póngame con ventas por favor",
        "comuníqueme con ventas",  # Mexico
        "¿me comunica con ventas?",
        "me podés pasar con ventas",  # Argentina
        "paseme con ventas",
    ],
)
def test_each_country_says_it_its_own_way(text: str) -> None:
    assert wanted(text, "es-MX", NAMES) == Wanted(Whom.NAMED, "ventas")


def test_a_no_denies_a_verb_and_not_an_order() -> None:
    assert wanted("no quiero hablar con recepción", "es", NAMES).whom is Whom.NOBODY
    assert wanted("no me pase con recepción", "es", NAMES).whom is Whom.NOBODY
    assert wanted("no, páseme con recepción", "es", NAMES) == Wanted(Whom.NAMED, "recepción")

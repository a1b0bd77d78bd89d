"""French as recognisers print it, in France, Québec and Belgium."""

import pytest

from phone_bridge.call.assent import Assent, understand
from tests.call.assent.corpus import prompt

CANCEL = prompt("cancel", "fr")


@pytest.mark.parametrize(
    "text",
    ["Oui.", "OUI, S'IL VOUS PLAÎT", "oui s il vous plait", "ouais, c est bon", "allez-y", "bien sûr", "oui jaccepte"],
)
def test_yes(text: str) -> None:
    assert understand(text, "fr", prompt=CANCEL) is Assent.YES


@pytest.mark.parametrize(
    "text", ["Non.", "non merci", "ne le faites pas", "faites pas ça", "fais-le pas", "laisse faire", "pantoute", "2"]
)
def test_no(text: str) -> None:
    assert understand(text, "fr", prompt=CANCEL) is Assent.NO


@pytest.mark.parametrize(
    "text", ["oui, mais à 16 heures", "non, vendredi", "déplacez-le", "oui à septante", "dans nonante minutes"]
)
def test_wish(text: str) -> None:
    assert understand(text, "fr", prompt=CANCEL) is Assent.WISH


@pytest.mark.parametrize("text", ["si", "mais si", "oui si c'est bon", "je veux bien si", "allez-y si vous pouvez"])
def test_if_takes_a_yes_back(text: str) -> None:
    assert understand(text, "fr", prompt=CANCEL) is Assent.UNCLEAR


@pytest.mark.parametrize("text", ["c'est ça", "c'est correct", "vous pouvez y aller", "vous pouvez confirmer"])
def test_what_may_be_a_question_consents_only_beside_a_yes(text: str) -> None:
    assert understand(text, "fr", prompt=CANCEL) is Assent.UNCLEAR
    assert understand(f"oui {text}", "fr", prompt=CANCEL) is Assent.YES


@pytest.mark.parametrize(
    "text", ["d'accord", "ok", "ah oui", "oui, c'est ça, oui", "sans doute", "non peut-être", "un", "avec plaisir"]
)
def test_murmurs_and_irony_are_no_consent(text: str) -> None:
    assert understand(text, "fr", prompt=CANCEL) is Assent.UNCLEAR


@pytest.mark.parametrize("text", ["Comment ?", "plaît-il", "j'ai pas compris", "encore une fois"])
def test_repeat(text: str) -> None:
    assert understand(text, "fr", prompt=CANCEL) is Assent.REPEAT

"""Spanish as recognisers print it, in Spain and in Mexico."""

import pytest

from phone_bridge.call.assent import Assent, understand
from tests.call.assent.corpus import prompt

CANCEL = prompt("cancel", "es")


@pytest.mark.parametrize(
    "text",
    [
        "Sí.",
        "SÍ, POR FAVOR",
        "si",
        "si por favor",
        "si claro",
        "claro que sí",
        "¡Adelante!",
        "sí, hágalo",
        "ándale, sí",
    ],
)
def test_yes(text: str) -> None:
    assert understand(text, "es", prompt=CANCEL) is Assent.YES


@pytest.mark.parametrize(
    "text", ["No.", "no, gracias", "no lo haga", "déjelo como está", "dejelo como esta", "nel", "2"]
)
def test_no(text: str) -> None:
    assert understand(text, "es", prompt=CANCEL) is Assent.NO


@pytest.mark.parametrize("text", ["sí, pero a las cuatro", "no, el viernes", "muévalo", "sí, a las 16", "mejor mañana"])
def test_wish(text: str) -> None:
    assert understand(text, "es", prompt=CANCEL) is Assent.WISH


@pytest.mark.parametrize("text", ["si está bien", "si es correcto", "si procede", "hágalo si", "si vale, adelante"])
def test_if_is_no_yes_where_the_accent_is_missing(text: str) -> None:
    assert understand(text, "es", prompt=CANCEL) is Assent.UNCLEAR


@pytest.mark.parametrize("text", ["es correcto", "está bien", "puede hacerlo", "eso es correcto"])
def test_what_may_be_a_question_consents_only_beside_a_yes(text: str) -> None:
    assert understand(text, "es", prompt=CANCEL) is Assent.UNCLEAR


@pytest.mark.parametrize(
    "text", ["claro", "vale", "bueno", "ajá", "cómo no", "sí, cómo no", "seguro", "uno", "sí hombre"]
)
def test_murmurs_and_irony_are_no_consent(text: str) -> None:
    assert understand(text, "es", prompt=CANCEL) is Assent.UNCLEAR


@pytest.mark.parametrize("text", ["¿Cómo dice?", "mande", "no le entendi", "otra vez"])
def test_repeat(text: str) -> None:
    assert understand(text, "es", prompt=CANCEL) is Assent.REPEAT

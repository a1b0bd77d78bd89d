import pytest

from phone_bridge.call.through import Names, Wanted, Whom, wanted

NAMES = Names(("accueil", "ventes"))


@pytest.mark.parametrize(
    "text",
    [
        "passez-moi l'accueil",
        "passez moi l\N{RIGHT SINGLE QUOTATION MARK}accueil svp",
        "PASSEZ-MOI L'ACCUEIL, S'IL VOUS PLAÎT",
    ],
)
def test_hyphens_apostrophes_and_accents_do_not_matter(text: str) -> None:
    assert wanted(text, "fr", NAMES) == Wanted(Whom.NAMED, "accueil")


@pytest.mark.parametrize("text", ["je ne veux parler à personne", "ne me passez pas l'accueil", "me transférez pas"])
def test_a_denial_is_no_wish(text: str) -> None:
    assert wanted(text, "fr", NAMES).whom is Whom.NOBODY


def test_salt_is_passed_by_nobody() -> None:
    assert wanted("passez-moi le sel", "fr", NAMES).whom is Whom.NOBODY
    assert wanted("passez-moi monsieur Dupont", "fr", NAMES).whom is Whom.OTHER

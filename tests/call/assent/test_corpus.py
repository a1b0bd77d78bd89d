"""Hundreds of phrasings, some unseen while the rules were written: no false yes, and few yeses missed."""

import pytest

from phone_bridge.call.assent import TABLES, Assent, understand
from tests.call.assent.corpus import ACTIONS, KINDS, prompt, texts

LANGUAGES = tuple(TABLES)
NEVER_YES = [kind for kind in KINDS if kind not in ("yes", "restated")]


def share(language: str, kind: str, *, seen: bool, about: str = "cancel") -> float:
    """Measure how many phrasings of a kind are understood as what they are."""
    said = texts(language, kind, seen=seen, unseen=not seen)
    meant = Assent.YES if kind == "restated" else Assent(kind)
    asked = prompt(about, language)
    return sum(understand(text, language, prompt=asked) is meant for text in said) / len(said)


@pytest.mark.parametrize("kind", ["yes", "no", "wish", "unclear"])
def test_the_collection_is_large(kind: str) -> None:
    for language, seen, unseen in (("en", 300, 150), ("de", 100, 45), ("es", 160, 80), ("fr", 190, 95)):
        assert len(texts(language, kind, unseen=False)) >= seen
        assert len(texts(language, kind, seen=False)) >= unseen


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrasing_is_both_a_yes_and_something_else(language: str) -> None:
    yeses = set(texts(language, "yes"))
    assert [text for kind in NEVER_YES for text in texts(language, kind) if text in yeses] == []


@pytest.mark.parametrize("about", ["", *ACTIONS])
@pytest.mark.parametrize("kind", NEVER_YES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_else_is_ever_a_yes(language: str, kind: str, about: str) -> None:
    asked = prompt(about, language) if about else ""
    false = [text for text in texts(language, kind) if understand(text, language, prompt=asked) is Assent.YES]
    assert false == []


@pytest.mark.parametrize("about", ["", *ACTIONS])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_yes_is_never_a_no_and_a_no_never_nothing(language: str, about: str) -> None:
    asked = prompt(about, language) if about else ""
    assert [text for text in texts(language, "yes") if understand(text, language, prompt=asked) is Assent.NO] == []
    assert [text for text in texts(language, "no") if understand(text, language, prompt=asked) is Assent.NOTHING] == []


@pytest.mark.parametrize("about", ["", "create", "move", "bulk"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_naming_the_deed_again_is_consent_only_to_that_deed(language: str, about: str) -> None:
    asked = prompt(about, language) if about else ""
    restated = texts(language, "restated")
    assert [text for text in restated if understand(text, language, prompt=asked) is Assent.YES] == []


@pytest.mark.parametrize(
    ("language", "kind", "seen", "unseen"),
    [
        ("en", "yes", 0.95, 0.90),
        ("en", "restated", 0.90, 0.90),
        ("en", "no", 0.95, 0.90),
        ("en", "wish", 0.95, 0.90),
        ("en", "unclear", 0.95, 0.90),
        ("en", "repeat", 0.95, 0.90),
        ("en", "nothing", 1.0, 1.0),
        ("de", "yes", 0.95, 0.90),
        ("de", "restated", 0.90, 0.75),
        ("de", "no", 0.95, 0.90),
        ("de", "wish", 0.95, 0.90),
        ("de", "unclear", 0.95, 0.90),
        ("de", "repeat", 0.95, 0.90),
        ("de", "nothing", 1.0, 1.0),
        ("es", "yes", 0.95, 0.95),
        ("es", "restated", 0.95, 0.85),
        ("es", "no", 0.95, 0.95),
        ("es", "wish", 0.95, 0.95),
        ("es", "unclear", 0.95, 0.95),
        ("es", "repeat", 0.95, 0.95),
        ("es", "nothing", 1.0, 1.0),
        ("fr", "yes", 0.95, 0.95),
        ("fr", "restated", 0.95, 0.95),
        ("fr", "no", 0.95, 0.95),
        ("fr", "wish", 0.95, 0.95),
        ("fr", "unclear", 0.95, 0.95),
        ("fr", "repeat", 0.95, 0.95),
        ("fr", "nothing", 1.0, 1.0),
    ],
)
def test_most_are_understood(language: str, kind: str, seen: float, unseen: float) -> None:
    assert share(language, kind, seen=True) >= seen
    assert share(language, kind, seen=False) >= unseen

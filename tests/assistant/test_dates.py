"""The table of spoken dates: every phrase means what it should, in every zone."""

import pytest

from phone_bridge.assistant.phrase import Phrase, tokens
from phone_bridge.assistant.spoken_time import scan
from tests.assistant.dates import Spoken, heard, score, spoken

TABLE = spoken()


@pytest.mark.parametrize("said", TABLE, ids=lambda said: f"{said.text} ({said.now.tzinfo})")
def test_a_phrase_is_understood_or_left_alone(said: Spoken) -> None:
    assert heard(said) == said.expected


@pytest.mark.parametrize("text", sorted({said.text for said in TABLE if ":" in said.expected}))
def test_nothing_of_a_moment_is_left_over_for_a_title(text: str) -> None:
    words = tuple(token.word for token in tokens(text))
    inside = {at for found in scan(Phrase(words), TABLE[0].now.date()) for at in range(found.begin, found.end)}
    assert [word for at, word in enumerate(words) if at not in inside] == []


def test_the_table_is_large() -> None:
    assert len({said.text for said in TABLE}) >= 200
    assert len({str(said.now.tzinfo) for said in TABLE}) >= 5


def test_no_phrase_is_read_wrongly() -> None:
    assert score().wrong == 0

"""What is remembered, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from phone_bridge.errors import Refused
from phone_bridge.runtime import memories
from phone_bridge.runtime.memories import Memories
from phone_bridge.tools.memory import Memory

ALICE, BOB = "usr_alice", "usr_bob"


@pytest.fixture
def kept(database_url: str) -> Iterator[Memories]:
    ids, minutes = count(), count()
    kept = Memories(
        database_url,
        new_id=lambda prefix: f"{prefix}_{next(ids):04}",
        now=lambda: datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=next(minutes)),
    )
    kept.prepare()
    kept.prepare()  # on a database that has it all
    yield kept
    kept.close()


def texts(found: list[Memory]) -> list[str]:
    return [memory.memory for memory in found]


def test_a_memory_is_found_by_any_of_its_words(kept: Memories) -> None:
    kept.add(ALICE, "Her wife is called Anna.")
    kept.add(ALICE, "She likes green tea.")
    assert texts(kept.search(ALICE, "What is the name of my wife?", 10)) == ["Her wife is called Anna."]
    assert texts(kept.search(ALICE, "tea or coffee", 10)) == ["She likes green tea."]
    assert texts(kept.search(ALICE, "ann", 10)) == ["Her wife is called Anna."], "what begins so"
    assert kept.search(ALICE, "motorcycle", 10) == []
    assert kept.search(ALICE, "?!", 10) == []


def test_what_has_more_of_the_words_comes_first(kept: Memories) -> None:
    kept.add(ALICE, "The dentist is in Park Street.")
    kept.add(ALICE, "The dentist is called Miller, and the dentist's practice closes at four.")
    kept.add(ALICE, "Lunch is at noon.")
    assert texts(kept.search(ALICE, "dentist Miller", 1))[0].startswith("The dentist is called Miller")


def test_nobody_sees_what_is_another_s(kept: Memories) -> None:
    secret = kept.add(ALICE, "She likes green tea.")
    assert kept.search(BOB, "tea", 10) == []
    assert kept.list(BOB) == []
    with pytest.raises(Refused):
        kept.find(BOB, secret.id)
    with pytest.raises(Refused):
        kept.forget(BOB, secret.id)
    assert kept.forget_all(BOB) == 0
    assert kept.list(ALICE) == [secret]


def test_words_are_never_taken_for_syntax(kept: Memories) -> None:
    kept.add(ALICE, "Likes 'quotes' and \"double quotes\" & | ! ( ) : * NEAR AND NOT.")
    for query in ('"', "' OR 1=1 --", "quotes*", "NEAR(", "a AND NOT b", "x:y", "% _", "\\", "日本語"):
        kept.search(ALICE, query, 10)
    assert len(kept.search(ALICE, "quotes", 10)) == 1


def test_the_newest_is_listed_first_and_a_kind_by_itself(kept: Memories) -> None:
    kept.add(ALICE, "first")
    kept.add(ALICE, "open the mail, then the calendar", "PROCEDURAL")
    kept.add(ALICE, "third")
    assert texts(kept.list(ALICE)) == ["third", "open the mail, then the calendar", "first"]
    assert texts(kept.list(ALICE, 1)) == ["third"]
    assert texts(kept.list(ALICE, kind="PROCEDURAL")) == ["open the mail, then the calendar"]
    assert kept.search(ALICE, "mail", 10, "SEMANTIC") == []
    assert len(kept.search(ALICE, "mail", 10, "PROCEDURAL")) == 1


def test_the_same_deed_remembers_once(kept: Memories) -> None:
    first = kept.add(ALICE, "tea", key="1")
    assert kept.add(ALICE, "tea", key="1") == first
    assert kept.list(ALICE) == [first]
    assert len(kept.search(ALICE, "tea", 10)) == 1


def test_what_is_forgotten_is_found_no_more(kept: Memories) -> None:
    tea = kept.add(ALICE, "tea")
    kept.add(ALICE, "coffee")
    assert kept.forget(ALICE, tea.id) == tea
    assert kept.search(ALICE, "tea", 10) == []
    with pytest.raises(Refused) as caught:
        kept.forget(ALICE, tea.id)
    assert caught.value.code == "resource_missing"
    assert kept.forget_all(ALICE) == 1
    assert kept.list(ALICE) == []
    assert kept.search(ALICE, "coffee", 10) == []


def test_whoever_has_too_many_forgets_the_oldest(kept: Memories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "MAX_MEMORIES", 2)
    for word in ("one", "two", "three"):
        kept.add(ALICE, word)
    assert texts(kept.list(ALICE)) == ["three", "two"]
    assert kept.search(ALICE, "one", 10) == []

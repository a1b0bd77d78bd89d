import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.call.events import Action, Affected
from phone_bridge.errors import Refused
from phone_bridge.runtime.memories import Memories
from phone_bridge.runtime.memory_toolbox import BEGINNING, MemoryToolbox
from phone_bridge.runtime.toolbox import CallFacts, Ran

ALICE = "usr_alice"
FACTS = CallFacts(call_id="call_1", user_id=ALICE)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Memories]:
    ids, seconds = count(), count()
    kept = Memories(
        f"sqlite:///{tmp_path / 'm.sqlite3'}",
        new_id=lambda prefix: f"{prefix}_{next(ids)}",
        now=lambda: datetime(2026, 11, 1, 0, 0, next(seconds), tzinfo=UTC),
    )
    kept.prepare()
    yield kept
    kept.close()


def run(kept: Memories, name: str, key: str = "k", **parameters: Any) -> Ran:
    return asyncio.run(MemoryToolbox(kept).run(ALICE, Action(name, parameters), key))


def test_a_model_remembers_and_looks_up(kept: Memories) -> None:
    added = json.loads(run(kept, "add_memory", memory="Her wife is called Anna.").result)
    assert added["memory"]["memory"] == "Her wife is called Anna."
    found = json.loads(run(kept, "search_memory", query="wife").result)
    assert found == {"ok": True, "results": [added["memory"]]}
    assert json.loads(run(kept, "list_memories").result)["memories"] == [added["memory"]]
    gone = run(kept, "forget_memory", memory_id=added["memory"]["id"])
    assert gone.ok
    assert json.loads(run(kept, "list_memories").result)["memories"] == []


def test_whose_memory_it_is_says_the_call_alone(kept: Memories) -> None:
    kept.add("usr_bob", "Bob's secret.")
    ran = run(kept, "search_memory", query="secret", user_id="usr_bob")
    assert not ran.ok, "there is no such parameter"
    assert "secret" not in run(kept, "list_memories").result


def test_what_cannot_be_is_told_in_the_result(kept: Memories) -> None:
    for ran in (
        run(kept, "add_memory", memory=""),
        run(kept, "search_memory"),
        run(kept, "list_memories", limit=51),
        run(kept, "forget_memory", memory_id="mem_9"),
    ):
        assert not ran.ok
        assert json.loads(ran.result)["error"]["message"]


def test_a_database_that_is_gone_leaves_a_write_in_doubt(kept: Memories, tmp_path: Path) -> None:
    gone = Memories(f"sqlite:///{tmp_path / 'no' / 'm'}", new_id=str, now=lambda: datetime.now(UTC))
    assert run(gone, "add_memory", memory="x").unsure
    assert not run(gone, "search_memory", query="x").unsure


def test_before_it_is_forgotten_a_memory_is_named(kept: Memories) -> None:
    memory = kept.add(ALICE, "Likes tea.")
    box = MemoryToolbox(kept)
    action = Action("forget_memory", {"memory_id": memory.id})
    prepared = asyncio.run(box.prepare(ALICE, action))
    assert prepared.affects == (Affected(memory.id, "Likes tea."),)
    assert prepared.parameters == action.parameters
    with pytest.raises(Refused):
        asyncio.run(box.prepare("usr_bob", action))
    with pytest.raises(Refused):
        asyncio.run(box.prepare(ALICE, Action("add_memory", {})))
    plain = Action("add_memory", {"memory": "x"})
    assert asyncio.run(box.prepare(ALICE, plain)) == plain


def test_a_call_begins_with_what_is_remembered_of_the_caller(kept: Memories) -> None:
    box = MemoryToolbox(kept)
    assert asyncio.run(box.begin(FACTS)) == ""
    for number in range(BEGINNING + 1):
        kept.add(ALICE, f"Fact {number}.")
    lines = asyncio.run(box.begin(FACTS)).splitlines()
    assert lines[1:] == [f"- Fact {number}." for number in range(1, BEGINNING + 1)]
    assert asyncio.run(box.begin(CallFacts(call_id="call_1", user_id="usr_bob"))) == ""


def test_every_tool_is_offered(kept: Memories) -> None:
    names = [offer.name for offer in MemoryToolbox(kept).offers(FACTS)]
    assert names == ["search_memory", "list_memories", "add_memory", "forget_memory"]

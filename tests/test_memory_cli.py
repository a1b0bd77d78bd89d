"""The command that shows a user what is remembered of them, and forgets it."""

import argparse
import json
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from phone_bridge import memory_cli
from phone_bridge.errors import Refused
from phone_bridge.runtime.memories import Memories


@pytest.fixture
def url(tmp_path: Path) -> str:
    url, ids = f"sqlite:///{tmp_path / 'm.sqlite3'}", count()
    memories = Memories(
        url, new_id=lambda prefix: f"{prefix}_{next(ids)}", now=lambda: datetime(2026, 11, 1, tzinfo=UTC)
    )
    memories.prepare()
    memories.add("usr_a", "Likes tea.")
    memories.add("usr_a", "Wakes up at six.")
    memories.add("usr_b", "Likes coffee.")
    memories.close()
    return url


def run(url: str, *arguments: str) -> tuple[int, list[str]]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    memory_cli.add_arguments(parser)
    said: list[str] = []
    return memory_cli.run(parser.parse_args(arguments), url, "usr_a", said.append), said


def test_what_is_remembered_is_shown_to_its_owner_alone(url: str) -> None:
    assert run(url, "show") == (0, ["mem_1  2026-11-01  Wakes up at six.", "mem_0  2026-11-01  Likes tea."])
    assert run(url, "--user", "usr_b", "show")[1] == ["mem_2  2026-11-01  Likes coffee."]


def test_all_of_it_is_given_out(url: str) -> None:
    _, (text,) = run(url, "export")
    given = json.loads(text)
    assert given["user_id"] == "usr_a"
    assert [each["memory"] for each in given["memories"]] == ["Wakes up at six.", "Likes tea."]


def test_one_or_everything_is_forgotten(url: str) -> None:
    assert run(url, "forget", "mem_0") == (0, ["1 forgotten"])
    with pytest.raises(Refused):
        run(url, "forget", "mem_2")
    assert run(url, "forget") == (2, ["name one memory by its id, or say --all"])
    assert run(url, "forget", "--all") == (0, ["1 forgotten"])
    assert run(url, "show") == (0, [])
    assert len(run(url, "--user", "usr_b", "show")[1]) == 1

"""What is said of outbound calls' faults is shown by tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "infra" / "OUTBOUND.md").read_text()
ROWS = [line for line in TEXT.partition("## What breaks")[2].splitlines() if line.startswith("| ")][2:]


@pytest.mark.parametrize("row", ROWS)
def test_each_fault_names_what_happens_and_a_test_that_exists(row: str) -> None:
    fault, happens, shown = row.removeprefix("| ").removesuffix(" |").split(" | ")
    assert fault
    assert happens
    named = re.fullmatch(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
    assert named, shown
    tree = ast.parse((ROOT / named[1]).read_text())
    assert named[2] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_there_are_faults() -> None:
    assert len(ROWS) > 20

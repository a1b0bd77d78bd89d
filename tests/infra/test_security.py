"""The threat table tells of tests that exist, and of settings that do."""

import ast
import re

import pytest

from phone_bridge.settings import Settings, name_of
from tests.infra.files import INFRA, ROOT

TEXT = (INFRA / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", TEXT)))
ROWS = [line for line in TEXT.partition("## Threats")[2].partition("\n## ")[0].splitlines() if line.startswith("| ")]
THREATS = [row for row in ROWS if not row.startswith(("| they try |", "| they do |", "| --- |"))]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_test_that_is_named_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in tests


@pytest.mark.parametrize("row", THREATS)
def test_each_threat_is_shown_to_be_stopped_by_a_test(row: str) -> None:
    what, how, shown = row.removeprefix("| ").removesuffix(" |").split(" | ")
    assert what
    assert how
    assert re.fullmatch(r"`tests/[\w/]+\.py::\w+`(?:, `tests/[\w/]+\.py::\w+`)*", shown)


def test_there_are_threats_and_tests() -> None:
    assert len(THREATS) > 20
    assert len(NAMED) > len(THREATS)


def test_each_setting_that_is_named_exists() -> None:
    known = {name_of(field) for field in Settings.__struct_fields__}
    assert set(re.findall(r"\b(?:PHONE_BRIDGE|TWILIO)_[A-Z_]+\b", TEXT)) <= known


def test_nothing_is_named_twice_in_one_row() -> None:
    for row in THREATS:
        tests = re.findall(r"::(\w+)", row)
        assert len(tests) == len(set(tests))

"""The page on sizing: its table of lines is Erlang's, and its figures are those of the benchmarks."""

import re

import pytest

from tests.infra.files import read

PAGE = read("SIZING.md")
LOST = 0.01
MINUTES = 3
TABLE = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)


def blocking(erlangs: float, lines: int) -> float:
    """How many of all callers find no line (Erlang B)."""
    share = 1.0
    for line in range(1, lines + 1):
        share = erlangs * share / (line + erlangs * share)
    return share


@pytest.mark.parametrize(("calls", "busy", "lines"), TABLE)
def test_one_caller_in_a_hundred_finds_no_line(calls: str, busy: str, lines: str) -> None:
    erlangs = int(calls) * MINUTES / 60
    assert erlangs == int(busy)
    assert blocking(erlangs, int(lines)) <= LOST < blocking(erlangs, int(lines) - 1)


def test_the_table_of_lines_is_read() -> None:
    assert len(TABLE) == 6


def test_each_figure_has_its_command() -> None:
    rows = [row for row in PAGE.partition("| what | command |")[2].splitlines() if row.count("|") == 5]
    figures = [row for row in rows if "---" not in row and "measured" not in row]
    assert len(figures) == 7
    assert all("`make bench`" in row for row in figures)

"""What the program writes, says and counts, looked up in its source: the runbook cannot tell of anything else."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from prometheus_client.parser import text_string_to_metric_families

from phone_bridge.call import words
from phone_bridge.telemetry.collecting import Sources, Telemetry
from tests.infra.files import ROOT

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_PLACEHOLDER = re.compile(r"%[-+ #0-9.]*[a-z]")


@cache
def _trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(file.read_text()) for file in sorted((ROOT / "phone_bridge").rglob("*.py")))


def _nodes() -> Iterator[ast.AST]:
    for tree in _trees():
        yield from ast.walk(tree)


@cache
def log_lines() -> frozenset[str]:
    """Give every text that is logged, with … for what varies."""
    return frozenset(
        _PLACEHOLDER.sub("…", node.args[0].value)
        for node in _nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


@cache
def names() -> frozenset[str]:
    """Give every word that the program uses as a value or as a field's name."""
    found: set[str] = set()
    for node in _nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def sentences() -> frozenset[str]:
    """Give everything that callers hear from the bridge in English."""
    return frozenset(words.SENTENCES["en"].values())


@cache
def metrics() -> frozenset[str]:
    """Give the name of every series that ``/metrics`` shows."""
    nothing = Sources(
        calls=lambda: (),
        max_calls=0,
        has_room=lambda: True,
        draining=lambda: False,
        spool_waiting=lambda: 0,
        records_lost=lambda: 0,
        worst_lag=lambda: 0.0,
    )
    body, _ = Telemetry(nothing, session="embedded").scrape()
    shown = set()
    for family in text_string_to_metric_families(body.decode()):
        whole = f"{family.name}_total" if family.type == "counter" else family.name
        shown |= {whole, *(sample.name for sample in family.samples)}
    return frozenset(shown)

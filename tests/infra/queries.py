"""What Prometheus is asked, read as it would be, and what a bridge that has carried a call really shows."""

import re
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import promql_parser as promql

from phone_bridge.app.metrics import METRICS_PATH
from phone_bridge.call import words
from phone_bridge.telemetry import labels
from phone_bridge.telemetry.metrics import SAMPLES
from tests.app.premises import Premises, play
from tests.runtime.pumping import FRAME
from tests.runtime.serving import until
from tests.telemetry.figures import Figures

SCRAPED = frozenset({"instance", "job"})
"""Labels that Prometheus itself gives whatever it scrapes."""
GROWING = ("_total", "_bucket", "_count", "_sum")
OVER_TIME = frozenset({"rate", "increase"})

_VALUES = frozenset(
    {
        *labels.ENDED_BY,
        *labels.CALL_ERRORS,
        *labels.OPENINGS,
        *labels.WEBHOOK_REFUSALS,
        *labels.STREAM_REFUSALS,
        *labels.VERDICTS,
        *labels.ANSWERED_BY,
        *labels.OUTCOMES,
        *(value for measured in SAMPLES.values() for value in measured.label[1:]),
        *words.SENTENCES["en"],
    }
)


@cache
def scrape() -> Figures:
    """Let a bridge carry a call, and read its metrics as Prometheus does."""
    read: list[Figures] = []

    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        carrier.speak(*[FRAME] * 5)
        carrier.hang_up()
        await house.ended(carrier)
        await until(lambda: not house.bridge.spool.waiting)
        answer = await house.ask("GET", METRICS_PATH)
        read.append(Figures(answer.body, answer.headers["content-type"]))

    with tempfile.TemporaryDirectory() as folder:
        play(Path(folder), story)
    return read[0]


def parse(query: str) -> promql.Expr:
    """Parse a query, in which Grafana's variables have been given values."""
    for variable, value in (("$__rate_interval", "5m"), ("$__range", "1h"), ("$instance", ".*")):
        query = query.replace(variable, value)
    assert "$" not in query, query
    return promql.parse(query)


def parts(query: str) -> Iterator[promql.Expr]:
    """Walk over everything in a query."""
    found: list[promql.Expr] = []

    def visit(part: promql.Expr) -> bool:
        found.append(part)
        return True

    promql.walk(parse(query), visit)
    yield from found


def metrics_of(query: str) -> set[str]:
    """Name the metrics that a query looks at."""
    return {part.name or "" for part in parts(query) if isinstance(part, promql.VectorSelector)}


def check(query: str) -> None:
    """Hold a query against what is really shown: its metrics, their labels, and the values that are looked for."""
    shown = scrape().label_names()
    known: set[str] = set(SCRAPED)
    for part in parts(query):
        if isinstance(part, promql.VectorSelector):
            assert part.name in shown, f"{query}: there is no {part.name}"
            own = shown[part.name] | SCRAPED
            known |= own
            for matcher in part.matchers.matchers:
                assert matcher.name in own, f"{query}: {part.name} has no {matcher.name}"
                _check_values(query, matcher)
    for part in parts(query):
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None:
            assert set(part.modifier.labels) <= known, f"{query}: by {part.modifier.labels}"
        if isinstance(part, promql.Call):
            _check_call(query, part)


def _check_values(query: str, matcher: promql.Matcher) -> None:
    if matcher.name in SCRAPED:
        return
    for value in matcher.value.split("|"):
        assert re.fullmatch(r"\w+", value), f"{query}: {value} is more than words"
        assert value in _VALUES, f"{query}: {matcher.name} is never {value}"


def _check_call(query: str, call: promql.Call) -> None:
    """Rates are of what only grows, quantiles of buckets by their bounds."""
    inside = {part.name or "" for part in parts(str(call)) if isinstance(part, promql.VectorSelector)}
    if call.func.name in OVER_TIME:
        assert all(name.endswith(GROWING) for name in inside), query
    if call.func.name == "histogram_quantile":
        assert all(name.endswith("_bucket") for name in inside), query
        sums = [part for part in parts(str(call)) if isinstance(part, promql.AggregateExpr)]
        assert all(each.modifier is not None and "le" in each.modifier.labels for each in sums), query

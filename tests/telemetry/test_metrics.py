"""Every metric has a name that Prometheus' rules allow, in base units, and both formats can be read."""

import re

import pytest
from prometheus_client import CollectorRegistry

from phone_bridge.telemetry.metrics import SAMPLES, Metrics
from tests.telemetry.figures import Figures, shown

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_each_set_stands_alone() -> None:
    one, other = Metrics(), Metrics()
    one.calls_turned_away.inc()
    assert shown(one)("calls_turned_away_total") == 1
    assert shown(other)("calls_turned_away_total") == 0
    assert isinstance(one.registry, CollectorRegistry)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("nonsense;;;,", "text/plain; version=0.0.4; charset=utf-8"),
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (f"{OPENMETRICS};q=0.5,text/plain;version=0.0.4;q=0.2", "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_the_format_is_the_one_that_was_asked_for(accept: str, content_type: str) -> None:
    metrics = Metrics()
    metrics.loop_lag.observe(0.003)
    body, given = metrics.show(accept)
    assert given.startswith(content_type)
    assert body.endswith(b"# EOF\n") == ("openmetrics" in given)
    figures = Figures(body, given)
    assert figures("loop_lag_seconds_bucket", le="0.005") == 1
    assert figures("loop_lag_seconds_bucket", le="0.002") == 0


def test_names_are_in_base_units_and_say_what_they_count() -> None:
    figures = shown(Metrics())
    for name, family in figures.families.items():
        assert re.fullmatch(r"(phone_bridge|process)(_[a-z]+)+", name), name
        assert not re.search(r"_(ms|milliseconds|minutes|percent|kb|mb)(_|$)", name), name
        assert family.documentation.endswith("."), name
        if family.type == "histogram":
            assert name.endswith(("_seconds", "_ratio", "_score")), name
    counters = {name for name, family in figures.families.items() if family.type == "counter"}
    assert {name for name, _ in figures.samples if name.endswith("_total")} <= {f"{name}_total" for name in counters}


def test_times_of_creation_do_not_double_the_series() -> None:
    metrics = Metrics()
    assert b"_created" not in metrics.show("")[0]
    assert b"_created" not in metrics.show(OPENMETRICS)[0]


def test_a_worker_marks_every_series() -> None:
    figures = shown(Metrics(worker="4711"))
    assert figures.samples
    assert all(("worker", "4711") in labels for _, labels in figures.samples)
    assert not any("worker" in dict(labels) for _, labels in shown(Metrics()).samples)


def test_both_directions_of_one_measure_are_one_metric() -> None:
    metrics = Metrics()
    metrics.samples["added_up_ms"].take(0.003)
    metrics.samples["added_down_ms"].take(0.03)
    figures = shown(metrics)
    assert figures("added_latency_seconds_sum", direction="up") == 0.003
    assert figures("added_latency_seconds_sum", direction="down") == 0.03


def test_every_measure_can_be_told_apart_in_its_buckets() -> None:
    for name in SAMPLES:
        buckets = SAMPLES[name].buckets
        assert list(buckets) == sorted(set(buckets))


def test_what_alerts_look_at_is_there_before_it_happens() -> None:
    """A rate cannot see the first of a series that was not there before."""
    figures = shown(Metrics())
    assert figures("calls_ended_total", error="session_lost") == 0
    assert figures("calls_ended_total", error="bridge_failed") == 0
    assert figures("webhooks_refused_total", code="unsigned") == 0
    assert figures("confirmations_total", verdict="expired", by="none") == 0
    assert figures("session_openings_total", outcome="unreachable") == 0
    assert figures("prompts_heard_total", line="still_there") == 0
    assert figures("records_lost_total") == 0


def test_a_gauge_is_looked_up_at_each_scrape() -> None:
    metrics, level = Metrics(), [1.0]
    metrics.gauge("level", "How high it is.", lambda: level[0])
    assert shown(metrics)("level") == 1
    level[0] = 3
    assert shown(metrics)("level") == 3

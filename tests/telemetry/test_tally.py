"""Histograms of many values, as Prometheus has them."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from phone_bridge.telemetry.tally import Tallies, Tally

BOUNDS = (0.01, 0.1, 1.0)


def test_a_value_counts_in_its_bucket_and_in_every_greater_one() -> None:
    tally = Tally(BOUNDS)
    for value in (0.005, 0.1, 0.2, 7.0):
        tally.take(value)
    buckets, whole = tally.whole()
    assert buckets == [("0.01", 1), ("0.1", 2), ("1.0", 3), ("+Inf", 4)]
    assert round(whole, 6) == 7.305


def test_what_is_below_zero_counts_as_zero() -> None:
    tally = Tally(BOUNDS)
    tally.take(-3.0)
    assert tally.whole() == ([("0.01", 1), ("0.1", 1), ("1.0", 1), ("+Inf", 1)], 0.0)


@given(st.lists(st.floats(0, 3)))
def test_it_shows_what_the_librarys_own_histogram_shows(values: list[float]) -> None:
    own, theirs = CollectorRegistry(), CollectorRegistry()
    whole = Tallies("wait_seconds", "How long.", BOUNDS)
    own.register(whole)
    library = Histogram("wait_seconds", "How long.", buckets=BOUNDS, registry=theirs)
    for value in values:
        whole.tally().take(value)
        library.observe(value)
    whole.tally()  # a histogram without a label is there before its first value
    assert _samples(own) == _samples(theirs)


def _samples(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("le", "")): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_each_value_of_the_label_has_its_own() -> None:
    whole = Tallies("wait_seconds", "How long.", BOUNDS, "way")
    whole.tally("up").take(0.5)
    whole.tally("up").take(0.5)
    whole.tally("down").take(0.05)
    (family,) = whole.collect()
    counts = {s.labels["way"]: s.value for s in family.samples if s.name.endswith("_count")}
    assert counts == {"up": 2, "down": 1}

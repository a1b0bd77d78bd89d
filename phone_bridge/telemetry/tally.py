"""A histogram for many values at a time: a third of a microsecond each, so that no call waits for its figures."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString


class Tally:
    """How many values lie within each of the rising ``bounds``, and their sum; for one thread."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def take(self, value: float) -> None:
        """Count a value; what is below zero counts as zero."""
        value = max(value, 0.0)
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def whole(self) -> tuple[list[tuple[str, float]], float]:
        """Give the buckets as Prometheus has them, each with all that is in the smaller ones, and the sum."""
        buckets, count = [], 0
        for bound, within in zip((*self._bounds, float("inf")), self._counts, strict=True):
            count += within
            shown = str(floatToGoString(bound))  # type: ignore[no-untyped-call]  # the library has no type for it
            buckets.append((shown, float(count)))
        return buckets, self._sum


class Tallies:
    """One metric made of tallies, by the value of their label; no label for a lone one."""

    def __init__(self, name: str, help: str, bounds: Sequence[float], label: str = "") -> None:
        self._name = name
        self._help = help
        self._bounds = bounds
        self._labels = [label] if label else []
        self._tallies: dict[str, Tally] = {}

    def tally(self, value: str = "") -> Tally:
        """Give the tally of one value of the label."""
        return self._tallies.setdefault(value, Tally(self._bounds))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Show the metric."""
        family = HistogramMetricFamily(self._name, self._help, labels=self._labels)
        for value, tally in self._tallies.items():
            family.add_metric([value] if self._labels else [], *tally.whole())
        yield family

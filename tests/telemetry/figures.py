"""Scrapes as a collector reads them, and calls that have left something behind."""

from typing import Any

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.trace import Asked
from phone_bridge.runtime.record import CallRecord
from phone_bridge.telemetry.metrics import Metrics

ANSWERED = 1_790_000_000.0
"""When the calls in these tests began, in seconds since 1970."""

Key = tuple[str, frozenset[tuple[str, str]]]


class Figures:
    """One scrape; ``figures("calls_ended_total", error="none")`` is the sum of what fits."""

    def __init__(self, body: bytes, content_type: str = "") -> None:
        text = body.decode()
        read = openmetrics.text_string_to_metric_families if "openmetrics" in content_type else None
        families = list((read or text_string_to_metric_families)(text))
        self.families = {family.name: family for family in families}
        self.samples: dict[Key, float] = {}
        for family in families:
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, key
                self.samples[key] = float(sample.value)

    def __call__(self, name: str, **labels: str) -> float:
        found = [value for key, value in self.samples.items() if _fits(key, f"phone_bridge_{name}", labels)]
        assert found, (name, labels)
        return sum(found)

    def label_names(self) -> dict[str, frozenset[str]]:
        """Give the names of each sample's labels."""
        names: dict[str, frozenset[str]] = {}
        for name, labels in self.samples:
            names[name] = names.get(name, frozenset()) | {label for label, _ in labels}
        return names

    def values(self, name: str, label: str) -> set[str]:
        """Give all values of one label."""
        return {dict(labels)[label] for sample, labels in self.samples if sample == f"phone_bridge_{name}"}


def _fits(key: Key, name: str, labels: dict[str, str]) -> bool:
    return key[0] == name and labels.items() <= dict(key[1]).items()


def shown(metrics: Metrics, accept: str = "") -> Figures:
    return Figures(*metrics.show(accept))


def record(number: int = 1, **changes: Any) -> CallRecord:
    """A call of 90 seconds that is over."""
    whole: dict[str, Any] = {
        "id": f"call_{number:024x}",
        "carrier_id": f"CA{number}",
        "direction": "inbound",
        "from_number": "+12025550143",
        "to_number": "+12025550100",
        "user_id": "usr_1",
        "session": "chronapilot",
        "status": "completed",
        "started_at": "2026-09-21T14:13:19.000Z",
        "answered_at": "2026-09-21T14:13:20.000Z",
        "ended_at": "2026-09-21T14:14:50.000Z",
        **changes,
    }
    return CallRecord(**whole)


def asked(
    verdict: Verdict = Verdict.CONFIRMED, by: AnsweredBy = AnsweredBy.DIGIT, at_ms: int = 8_000, **more: Any
) -> Asked:
    action = Action(name="cancel_event", parameters={"event_id": "evt_1"})
    whole: dict[str, Any] = {"question": "I am about to cancel Dentist.", "question_ms": 2_500, "answer": "1", **more}
    return Asked("act_1", action, verdict, by, at_ms, **whole)

"""Alerts look at metrics that there are, say whom to wake, and lead to the runbook."""

import re
from typing import Any

import pytest

from tests.infra.files import INFRA, documents, read
from tests.infra.queries import check, metrics_of, parse

(ALERTS,) = documents(read("prometheus/alerts.yml"))
(CONFIG,) = documents(read("prometheus/prometheus.yml"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
DURATION = re.compile(r"\d+[smh]")


def test_a_query_that_is_wrong_would_be_found() -> None:
    for wrong in (
        "phone_bridge_nothing_total",
        'phone_bridge_calls_ended_total{reason="x"}',
        'phone_bridge_calls_ended_total{error="leg_los"}',
        "sum by (code) (phone_bridge_calls_ended_total)",
        "rate(phone_bridge_live_calls[5m])",
        "histogram_quantile(0.9, sum by (instance) (rate(phone_bridge_loop_lag_seconds_bucket[5m])))",
    ):
        with pytest.raises(AssertionError):
            check(wrong)
    with pytest.raises(ValueError, match="paren"):
        parse("sum(rate(phone_bridge_calls_ended_total[5m])")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_looks_at_what_is_shown(rule: dict[str, Any]) -> None:
    check(rule["expr"])
    assert DURATION.fullmatch(rule.get("for", "1m"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_whom_to_wake_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"PhoneBridge[A-Z]\w+", rule["alert"])
    assert rule["labels"]["severity"] in ("page", "ticket")
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert all(notes[name].endswith(".") for name in ("summary", "description"))
    file, _, anchor = notes["runbook_url"].partition("#")
    titles = re.findall(r"^#+ (.+)$", (INFRA.parent / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {title.lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_summary_names_labels_that_its_query_keeps(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    kept = {label.strip() for by in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in by.split(",")}
    assert named <= kept - {"le"}


def test_names_are_used_once_and_every_section_of_the_runbook_is_led_to() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    led_to = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in RULES}
    assert led_to == {
        "sessions-fail",
        "calls-lost",
        "loop-lag",
        "database",
        "drain-stuck",
        "consent-expires",
        "webhooks-refused",
        "no-sound",
    }


def test_somebody_is_woken_for_what_callers_feel() -> None:
    woken = {name for rule in RULES if rule["labels"]["severity"] == "page" for name in metrics_of(rule["expr"])}
    for name in ("ready", "calls_ended_total", "session_losses_total", "records_lost_total", "heard_seconds_total"):
        assert f"phone_bridge_{name}" in woken


def test_a_ratio_does_not_wake_for_one_bad_call() -> None:
    for rule in RULES:
        if "/ sum(" in rule["expr"]:
            assert re.search(r"and sum\(increase\(\w+(\{.*\})?\[\w+\]\)\) >= \d+", rule["expr"]), rule["alert"]


def test_prometheus_scrapes_the_path_that_is_served_and_reads_the_alerts() -> None:
    (job,) = CONFIG["scrape_configs"]
    assert (job["job_name"], job["metrics_path"]) == ("phone_bridge", "/metrics")
    assert job["authorization"]["credentials_file"] == read("prometheus/.gitignore").strip()
    assert CONFIG["rule_files"] == ["alerts.yml"]

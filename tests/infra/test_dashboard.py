"""The dashboard draws every metric that there is, and none that there is not."""

import json
from itertools import combinations
from typing import Any

import pytest

from tests.infra.files import read
from tests.infra.queries import check, metrics_of, scrape

DASHBOARD: dict[str, Any] = json.loads(read("grafana/dashboard.json"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
DRAWN = [panel for panel in PANELS if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in DRAWN for target in panel["targets"]]
SUFFIXES = ("_bucket", "_count", "_sum")


def test_rows_follow_the_four_golden_signals_and_what_a_voice_bridge_alone_knows() -> None:
    rows = [panel["title"] for panel in PANELS if panel["type"] == "row"]
    assert rows == ["Traffic", "Errors", "Latency", "Saturation", "Consent", "Sessions", "Lines by RTP"]


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_panel_draws_what_is_shown(title: str, query: str) -> None:
    check(query)


def test_every_metric_of_ours_is_drawn() -> None:
    drawn = {name for _, query in QUERIES for name in metrics_of(query)}
    series = {name.removesuffix(suffix) for name in drawn for suffix in ("", *SUFFIXES)}
    for name, family in scrape().families.items():
        if name.startswith("phone_bridge"):
            shown = f"{name}_total" if family.type == "counter" else name
            assert shown in series, f"no panel draws {shown}"


def test_queries_follow_the_choice_of_the_process_and_the_width_of_the_screen() -> None:
    for title, query in QUERIES:
        assert query.count('instance=~"$instance"') == query.count("_bridge_") + query.count("process_"), title
        assert "[" not in query.replace("[$__rate_interval]", ""), title


def test_the_variables_are_those_that_panels_use() -> None:
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert set(variables) == {"datasource", "instance"}
    assert variables["datasource"]["query"] == "prometheus"
    instance = variables["instance"]
    assert instance["definition"] == instance["query"]["query"] == "label_values(phone_bridge_live_calls, instance)"
    assert instance["includeAll"]
    assert "allValue" not in instance  # all are all of ours: process_… are everybody's
    for panel in DRAWN:
        for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert source == {"type": "prometheus", "uid": "${datasource}"}


def test_legends_name_labels_that_their_query_keeps() -> None:
    for panel in DRAWN:
        for target in panel["targets"]:
            for label in _labels(target["legendFormat"]):
                bare = target["expr"].startswith(("rate(process", "process"))
                assert bare or label in _kept(target["expr"]), (panel["title"], label)


def _labels(legend: str) -> list[str]:
    return [part.partition("}}")[0] for part in legend.split("{{")[1:]]


def _kept(query: str) -> set[str]:
    return {label.strip() for part in query.split("by (")[1:] for label in part.partition(")")[0].split(",")}


def test_panels_have_their_own_places() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
    for one, other in combinations((panel["gridPos"] for panel in PANELS), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or apart, (one, other)


def test_it_is_of_a_schema_that_grafana_reads_without_migrating_and_can_be_provisioned() -> None:
    assert DASHBOARD["schemaVersion"] >= 41
    assert DASHBOARD["uid"] == "phone-bridge"
    assert "id" not in DASHBOARD  # Grafana gives its own
    assert "__inputs" not in DASHBOARD  # would be asked for at an import by hand, and never filled otherwise

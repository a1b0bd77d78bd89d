"""The Helm chart as Helm itself renders it.

Helm is Go: it is run in a process of its own, so that no second runtime lives among the tests.
"""

import json
import subprocess
import sys
from functools import cache
from typing import Any

from tests.infra.files import INFRA, RUN_SECONDS, documents

CHART = INFRA / "helm" / "phone-bridge"
MINIMAL: dict[str, Any] = {"replicaCount": 1}
FULL: dict[str, Any] = {
    "publicUrl": "https://calls.example.com",
    "settings": {"PHONE_BRIDGE_SESSION": "chronapilot", "PHONE_BRIDGE_MAX_CALLS": 1_000_000},
    "toml": '[[api_keys]]\nid = "prometheus"\n',
    "secret": {"values": {"TWILIO_AUTH_TOKEN": "made-up"}},
    "database": {"url": "postgresql://bridge:made-up@db:5432/bridge"},
    "autoscaling": {"enabled": True},
    "ingress": {"enabled": True, "tlsSecret": "calls-tls"},
    "serviceMonitor": {"enabled": True, "bearerTokenSecret": {"name": "metrics", "key": "token"}},
    "networkPolicy": {"enabled": True},
    "podDisruptionBudget": {"enabled": True},
    "priorityClassName": "calls",
    "nodeSelector": {"pool": "calls"},
    "tolerations": [{"key": "calls", "operator": "Exists"}],
    "extraEnv": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector:4318"}],
}

_PROGRAM = """
import json, sys
import helm_python as helm

wish = json.load(sys.stdin)
try:
    with helm.Chart.load(wish["chart"]) as chart:
        chart.validate_schema(wish["values"])
        answer = {"rendered": chart.render(wish["values"], name="demo", namespace="calls")}
except helm.HelmError as error:
    answer = {"error": str(error)}
answer["lint"] = helm.lint(wish["chart"], wish["values"], strict=True)
print(json.dumps(answer))
"""


def ask_helm(values: dict[str, Any]) -> dict[str, Any]:
    """Have Helm check, render and lint the chart with ``values``."""
    return _ask_once(json.dumps({"chart": str(CHART), "values": values}))


@cache
def _ask_once(wish: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input=wish, capture_output=True, text=True, timeout=RUN_SECONDS, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Give every object that an installation with ``values`` would make."""
    answer = ask_helm(values)
    assert "error" not in answer, answer["error"]
    files = (text for name, text in answer["rendered"].items() if name.endswith(".yaml"))
    return [document for text in files for document in documents(text)]


def only(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Give the one object of ``kind``."""
    (found,) = (found for found in objects if found["kind"] == kind)
    return found

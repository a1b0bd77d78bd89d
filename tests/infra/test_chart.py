"""The chart, rendered by Helm and held against the schemas of Kubernetes."""

import json
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from jsonschema import Draft7Validator

from phone_bridge.runtime.drain import GOODBYE_SECONDS
from phone_bridge.serve_cli import STOP_SECONDS
from phone_bridge.settings import TOML_FILE, Settings
from tests.infra.chart import CHART, FULL, MINIMAL, ask_helm, only, render
from tests.infra.files import ROOT, documents

OLDEST, NEWEST = "1.25", "1.37"
FOREIGN_KINDS = {"ServiceMonitor"}  # the Prometheus operator's own
HOMELESS: dict[str, Any] = {"replicaCount": 2}


@pytest.fixture(scope="module")
def full() -> list[dict[str, Any]]:
    return render(FULL)


@pytest.fixture(scope="module")
def minimal() -> list[dict[str, Any]]:
    return render(MINIMAL)


def pod(objects: list[dict[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = only(objects, "Deployment")["spec"]["template"]["spec"]
    return spec


def container(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = pod(objects)["containers"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("values", [{}, MINIMAL, FULL], ids=["as it is", "minimal", "full"])
def test_helm_finds_nothing_to_mend(values: dict[str, Any]) -> None:
    report = ask_helm(values)["lint"]
    worse_than_advice = [message for message in report["messages"] if message["severity"] > 1]
    assert (worse_than_advice, report["errors"]) == ([], [])


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_object_and_field(
    version: str, full: list[dict[str, Any]], minimal: list[dict[str, Any]]
) -> None:
    for found in [*full, *minimal]:
        if found["kind"] not in FOREIGN_KINDS:
            kubernetes_validate.validate(found, version, strict=True)


def test_the_check_against_kubernetes_can_fail(full: list[dict[str, Any]]) -> None:
    broken = json.loads(json.dumps(only(full, "Deployment")))
    broken["spec"]["template"]["spec"]["terminationGracePeriod"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, NEWEST, strict=True)


def test_each_part_is_made_when_it_is_wanted(full: list[dict[str, Any]], minimal: list[dict[str, Any]]) -> None:
    always = ["ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"]
    wanted = ["ConfigMap", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "Secret", "Secret", "ServiceMonitor"]
    assert sorted(found["kind"] for found in minimal) == always
    assert sorted(found["kind"] for found in full) == sorted(always + wanted)


def test_everything_of_one_installation_is_found_by_the_same_labels(full: list[dict[str, Any]]) -> None:
    labels = only(full, "Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        only(full, "Deployment")["spec"]["selector"]["matchLabels"],
        only(full, "Service")["spec"]["selector"],
        only(full, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        only(full, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        pod(full)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()
    monitored = only(full, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= only(full, "Service")["metadata"]["labels"].items()


# The end of a pod


@pytest.mark.parametrize("drain", [{}, {"preStopSeconds": 3, "drainSeconds": 1200, "marginSeconds": 45}])
def test_the_grace_period_is_longer_than_whatever_must_happen_in_it(drain: dict[str, int]) -> None:
    objects = render(MINIMAL | {"drain": drain})
    configured = int(only(objects, "ConfigMap")["data"]["PHONE_BRIDGE_DRAIN_SECONDS"])
    waits = int(container(objects)["lifecycle"]["preStop"]["exec"]["command"][1])
    assert configured == drain.get("drainSeconds", Settings().drain_seconds)
    assert pod(objects)["terminationGracePeriodSeconds"] - configured - waits > GOODBYE_SECONDS + STOP_SECONDS


def test_endpoints_have_time_to_forget_a_pod_before_it_refuses_calls(minimal: list[dict[str, Any]]) -> None:
    command = container(minimal)["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    assert int(command[1]) >= 5


def test_a_rollout_never_takes_a_line_away_first(full: list[dict[str, Any]]) -> None:
    assert only(full, "Deployment")["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_fewer_pods_are_wanted_only_as_quickly_as_they_can_drain(full: list[dict[str, Any]]) -> None:
    (policy,) = only(full, "HorizontalPodAutoscaler")["spec"]["behavior"]["scaleDown"]["policies"]
    assert policy["value"] == 1
    assert policy["periodSeconds"] == pod(full)["terminationGracePeriodSeconds"]
    long = render(FULL | {"drain": {"drainSeconds": 7200}})
    (policy,) = only(long, "HorizontalPodAutoscaler")["spec"]["behavior"]["scaleDown"]["policies"]
    assert policy["periodSeconds"] == 1800  # Kubernetes takes no more


def test_the_autoscaler_decides_how_many_where_it_is_on(full: list[dict[str, Any]]) -> None:
    assert "replicas" not in only(full, "Deployment")["spec"]
    assert only(full, "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 2


# Settings and secrets


def test_settings_reach_the_process_as_they_were_written(full: list[dict[str, Any]]) -> None:
    data, toml = (found["data"] for found in full if found["kind"] == "ConfigMap")
    assert toml == {"phone-bridge.toml": FULL["toml"]}
    assert container(full)["volumeMounts"][-1]["mountPath"] == f"/var/lib/phone-bridge/{TOML_FILE}"
    assert data["PHONE_BRIDGE_PUBLIC_URL"] == "https://calls.example.com"
    assert data["PHONE_BRIDGE_MAX_CALLS"] == "1000000"  # and not 1e+06
    names = [source for kind in container(full)["envFrom"] for source in kind]
    assert names == ["configMapRef", "secretRef"]


def test_no_secret_stands_in_the_pod_or_the_settings(full: list[dict[str, Any]]) -> None:
    outside = [found for found in full if found["kind"] != "Secret"]
    assert "made-up" not in json.dumps(outside)
    assert container(full)["env"][0]["valueFrom"]["secretKeyRef"] == {
        "name": "demo-phone-bridge-database",
        "key": "url",
    }


def test_secrets_of_ones_own_are_taken() -> None:
    values = {"secret": {"existingSecret": "mine"}, "database": {"existingSecret": "theirs", "key": "dsn"}}
    objects = render(values)
    assert "Secret" not in {found["kind"] for found in objects}
    assert container(objects)["envFrom"][1] == {"secretRef": {"name": "mine"}}
    assert container(objects)["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "theirs", "key": "dsn"}


def test_pods_are_replaced_when_a_setting_changes() -> None:
    def annotations(values: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = only(render(values), "Deployment")["spec"]["template"]["metadata"]["annotations"]
        return found

    changed = MINIMAL | {"settings": {"PHONE_BRIDGE_MAX_CALLS": 7}}
    assert annotations(MINIMAL)["checksum/settings"] != annotations(changed)["checksum/settings"]


# What a pod may do


def test_a_pod_may_do_nothing_but_carry_calls(full: list[dict[str, Any]]) -> None:
    assert pod(full)["securityContext"]["runAsNonRoot"] is True
    assert pod(full)["automountServiceAccountToken"] is False
    assert container(full)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_processor_is_never_throttled(full: list[dict[str, Any]]) -> None:
    assert "cpu" not in container(full)["resources"]["limits"]


def test_the_world_sees_the_carriers_paths_alone(full: list[dict[str, Any]]) -> None:
    (rule,) = only(full, "Ingress")["spec"]["rules"]
    assert rule["host"] == "calls.example.com"
    assert [path["path"] for path in rule["http"]["paths"]] == ["/twilio/"]
    annotations = only(full, "Ingress")["metadata"]["annotations"]
    assert int(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) >= 3600
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"


# What is refused


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (HOMELESS, "more than one replica needs a common database"),
        (MINIMAL | {"autoscaling": {"enabled": True}}, "more than one replica needs a common database"),
        (MINIMAL | {"ingress": {"enabled": True}}, "the Ingress takes its host from publicUrl"),
        (MINIMAL | {"settings": {"PHONE_BRIDGE_DRAIN_SECONDS": 9}}, "set drain.drainSeconds instead"),
        (MINIMAL | {"secret": {"existingSecret": "a", "values": {"TWILIO_AUTH_TOKEN": "b"}}}, "exclude each other"),
        (MINIMAL | {"database": {"existingSecret": "a", "url": "postgresql://b"}}, "exclude each other"),
        (MINIMAL | {"publicUrl": "calls.example.com"}, "publicUrl"),
        (MINIMAL | {"settings": {"MAX_CALLS": 9}}, "MAX_CALLS"),
        (MINIMAL | {"replicas": 3}, "replicas"),
        (MINIMAL | {"drain": {"marginSeconds": 1}}, "marginSeconds"),
        (MINIMAL | {"database": {"url": "sqlite:///x"}}, "url"),
    ],
)
def test_values_that_cannot_work_are_refused_with_a_word(values: dict[str, Any], says: str) -> None:
    assert says in ask_helm(values)["error"]


def test_the_schema_is_one_and_knows_every_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    (values,) = _yaml("values.yaml")
    assert set(values) == set(schema["properties"]) - {"global"}
    assert schema["properties"]["drain"]["properties"]["marginSeconds"]["minimum"] > GOODBYE_SECONDS + STOP_SECONDS


def test_the_chart_is_of_this_version() -> None:
    (chart,) = _yaml("Chart.yaml")
    assert f'version = "{chart["appVersion"]}"' in (ROOT / "pyproject.toml").read_text()
    assert container(render(MINIMAL))["image"] == f"phone-bridge:{chart['appVersion']}"


def _yaml(name: str) -> list[dict[str, Any]]:
    return documents((CHART / name).read_text())

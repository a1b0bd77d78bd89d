"""What infra/ takes for granted about the program, and about itself."""

import re
from pathlib import Path

import pytest

from phone_bridge.app.routes import PATHS
from phone_bridge.settings import Settings, name_of
from tests.infra.chart import FULL, MINIMAL, only, render
from tests.infra.files import INFRA, VARIABLE, documents, read, texts
from tests.infra.program import metrics

SETTINGS = {name_of(field) for field in Settings.__struct_fields__}
OURS = {"PHONE_BRIDGE_DOMAIN", "PHONE_BRIDGE_UPSTREAM"}  # Caddy's
THEIRS = {"TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_REGION"}  # Terraform's provider reads them
PORT = Settings().port


def name(file: Path) -> str:
    return str(file.relative_to(INFRA))


@pytest.mark.parametrize("file", texts(), ids=name)
def test_every_variable_is_a_setting(file: Path) -> None:
    found = set(VARIABLE.findall(file.read_text()))
    assert found <= SETTINGS | OURS | THEIRS, found - SETTINGS - OURS - THEIRS


def test_every_probe_and_every_scrape_asks_a_path_that_is_served() -> None:
    served = {route.path for route in PATHS}
    objects = render(FULL)
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    asked = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    (scraped,) = only(objects, "ServiceMonitor")["spec"]["endpoints"]
    assert asked | {scraped["path"]} <= served


def test_the_port_is_the_same_everywhere() -> None:
    (container,) = only(render(FULL), "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": PORT}]
    assert only(render(MINIMAL), "ConfigMap")["data"]["PHONE_BRIDGE_PORT"] == str(PORT)
    assert f"EXPOSE {PORT}\n" in read("Dockerfile")
    assert f"PHONE_BRIDGE_PORT={PORT}" in read("Dockerfile")
    (compose,) = documents(read("compose.yaml"))
    assert compose["services"]["bridge"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert compose["services"]["caddy"]["environment"]["PHONE_BRIDGE_UPSTREAM"] == f"bridge:{PORT}"
    assert f"127.0.0.1:{PORT}" in read("caddy/Caddyfile")
    assert f"server 127.0.0.1:{PORT}" in read("nginx/phone-bridge.conf")


def test_the_proxies_let_through_every_path_of_the_carrier() -> None:
    carrier = {route.path for route in PATHS if route.path.startswith("/twilio/")}
    assert "/twilio/media" in carrier
    assert "path /twilio/*" in read("caddy/Caddyfile")
    assert "location /twilio/ {" in read("nginx/phone-bridge.conf")
    assert only(render(FULL), "Ingress")["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/twilio/"


def test_the_autoscaler_looks_at_a_metric_that_is_there() -> None:
    (metric,) = only(render(FULL), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] in metrics()
    assert f"seriesQuery: {metric['pods']['metric']['name']}{{" in read("helm/phone-bridge/README.md")


def test_images_carry_the_version_of_the_package() -> None:
    (chart,), (compose,) = documents(read("helm/phone-bridge/Chart.yaml")), documents(read("compose.yaml"))
    assert compose["services"]["bridge"]["image"] == f"phone-bridge:{chart['appVersion']}"


@pytest.mark.parametrize("file", [file for file in texts() if file.suffix == ".md"], ids=name)
def test_every_link_to_a_file_leads_somewhere(file: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", file.read_text()):
        assert link.startswith("https://") or (file.parent / link).exists(), link

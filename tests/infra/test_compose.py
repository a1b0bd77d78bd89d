"""The compose file, read by Docker Compose itself."""

import json
import os
from typing import Any

import pytest

from phone_bridge.runtime.drain import GOODBYE_SECONDS
from phone_bridge.serve_cli import STOP_SECONDS
from phone_bridge.settings import Settings
from tests.infra.files import INFRA, documents, read, run

PASSWORD = {"POSTGRES_PASSWORD": "made-up"}
ALL = ("--profile", "tls", "--profile", "monitoring")
FILE = INFRA / "compose.yaml"
ALONE = ("--file", FILE, "--env-file", os.devnull)  # whatever a developer's own .env says


def config(*profiles: str) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(
        run("docker-compose", *ALONE, *profiles, "config", "--format=json", environ=PASSWORD)
    )
    return whole


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = config(*ALL)["services"]
    return found


def seconds(text: str) -> int:
    minutes, _, rest = text.removesuffix("s").rpartition("m")
    return int(minutes or 0) * 60 + int(rest)


def test_without_profiles_it_is_the_bridge_and_its_database() -> None:
    assert set(config()["services"]) == {"bridge", "postgres"}


def test_each_profile_adds_what_it_says(services: dict[str, Any]) -> None:
    assert set(config("--profile", "tls")["services"]) == {"bridge", "postgres", "caddy"}
    assert set(config("--profile", "monitoring")["services"]) == {"bridge", "postgres", "prometheus", "grafana"}
    assert set(services) == {"bridge", "postgres", "caddy", "prometheus", "grafana"}


def test_a_setting_in_the_env_file_reaches_the_bridge() -> None:
    (compose,) = documents(read("compose.yaml"))
    assert compose["services"]["bridge"]["env_file"] == [{"path": ".env", "required": False}]
    assert ".env" in read(".gitignore").splitlines()


def test_there_is_no_password_to_forget() -> None:
    refused = run("docker-compose", *ALONE, "config", "--quiet", environ={"POSTGRES_PASSWORD": ""}, fails=True)
    assert "POSTGRES_PASSWORD" in refused
    assert "POSTGRES_PASSWORD:-" not in read("compose.yaml")


def test_the_bridge_waits_for_a_database_that_answers(services: dict[str, Any]) -> None:
    assert services["bridge"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"][1]
    url = services["bridge"]["environment"]["PHONE_BRIDGE_DATABASE_URL"]
    assert url == "postgresql://bridge:made-up@postgres:5432/bridge"


@pytest.mark.parametrize("name", ["bridge", "caddy"])
def test_a_stop_waits_longer_than_the_drain(name: str, services: dict[str, Any]) -> None:
    drain = int(services["bridge"]["environment"]["PHONE_BRIDGE_DRAIN_SECONDS"])
    assert drain == Settings().drain_seconds
    assert seconds(services[name]["stop_grace_period"]) - drain > GOODBYE_SECONDS + STOP_SECONDS


def test_only_caddy_is_reached_from_outside(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for port in service.get("ports", ()):
            assert name == "caddy" or port["host_ip"] == "127.0.0.1"


def test_the_bridge_has_no_rights_that_it_does_not_need(services: dict[str, Any]) -> None:
    bridge = services["bridge"]
    assert (bridge["read_only"], bridge["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in bridge["security_opt"]


def test_what_is_written_lies_on_volumes(services: dict[str, Any]) -> None:
    written = {volume["target"] for service in services.values() for volume in service["volumes"]}
    assert {"/var/lib/phone-bridge", "/var/lib/postgresql/data", "/data", "/prometheus"} <= written


def test_every_file_that_is_mounted_exists(services: dict[str, Any]) -> None:
    bound = [volume for service in services.values() for volume in service["volumes"] if volume["type"] == "bind"]
    assert bound
    for volume in bound:
        assert volume["read_only"] is True
        assert (INFRA / volume["source"]).exists(), volume["source"]


def test_images_are_pinned(services: dict[str, Any]) -> None:
    for service in services.values():
        assert any(char.isdigit() for char in service["image"].partition(":")[2]), service["image"]

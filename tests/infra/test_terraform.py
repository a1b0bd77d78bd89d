"""The Terraform files: parsed, and their names held against what the provider's documentation lists.

The provider itself comes from Terraform's registry alone, so ``terraform validate`` is not run here.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import pytest

from phone_bridge.app.routes import PATHS
from tests.infra.files import INFRA

FOLDER = INFRA / "terraform"

# From twilio/resources/api/v2010/README.md and studio/v2/README.md of twilio/terraform-provider-twilio, 0.18.
NUMBER = frozenset(
    [
        "account_sid",
        "address_sid",
        "api_version",
        "area_code",
        "bundle_sid",
        "emergency_address_sid",
        "emergency_status",
        "friendly_name",
        "identity_sid",
        "path_account_sid",
        "phone_number",
        "sid",
        "sms_application_sid",
        "sms_fallback_method",
        "sms_fallback_url",
        "sms_method",
        "sms_url",
        "status_callback",
        "status_callback_method",
        "trunk_sid",
        "voice_application_sid",
        "voice_caller_id_lookup",
        "voice_fallback_method",
        "voice_fallback_url",
        "voice_method",
        "voice_receive_mode",
        "voice_url",
    ]
)
FLOW = frozenset(["commit_message", "definition", "friendly_name", "sid", "status"])
OFFERED = {"twilio_api_accounts_incoming_phone_numbers": NUMBER, "twilio_studio_flows_v2": FLOW}
REQUIRED = {
    "twilio_api_accounts_incoming_phone_numbers": frozenset({"phone_number"}),
    "twilio_studio_flows_v2": frozenset({"definition", "friendly_name", "status"}),
}


@cache
def parse(file: Path) -> dict[str, list[dict[str, Any]]]:
    with file.open() as stream:
        return hcl2.load(stream)


def arguments(body: dict[str, Any]) -> set[str]:
    """Name what is given to a block, without Terraform's own words and the parser's notes."""
    return {name for name in body if name != "lifecycle" and not name.startswith("__")}


def bare(text: str) -> str:
    return text.strip('"')


def blocks(kind: str) -> list[dict[str, Any]]:
    return [block for file in sorted(FOLDER.glob("*.tf")) for block in parse(file).get(kind, ())]


def resources() -> dict[str, dict[str, Any]]:
    return {
        bare(kind): body for block in blocks("resource") for kind, named in block.items() for body in named.values()
    }


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {bare(name): body for block in blocks(kind) for name, body in block.items()}


@pytest.mark.parametrize("kind", OFFERED)
def test_a_resource_has_only_arguments_that_the_provider_offers(kind: str) -> None:
    given = arguments(resources()[kind])
    assert given <= OFFERED[kind]
    assert given >= REQUIRED[kind]


def test_no_other_resource_is_used() -> None:
    assert resources().keys() == OFFERED.keys()


def test_versions_are_pinned() -> None:
    (terraform,) = blocks("terraform")
    (providers,) = terraform["required_providers"]
    twilio = {bare(name): bare(value) for name, value in providers["twilio"].items()}
    assert twilio["source"] == "twilio/twilio"
    assert all(part.isdigit() for part in twilio["version"].split("."))
    assert ">=" in terraform["required_version"]


def test_the_number_points_at_the_bridge_and_at_twilio_when_it_is_gone() -> None:
    number = resources()["twilio_api_accounts_incoming_phone_numbers"]
    paths = {route.path for route in PATHS}
    for argument in ("voice_url", "status_callback"):
        prefix, _, path = bare(number[argument]).partition("${var.public_url}")
        assert (prefix, path in paths) == ("", True), argument
    assert number["voice_fallback_url"] == "${local.apology_url}"
    (local,) = blocks("locals")
    assert bare(local["apology_url"]).startswith("https://webhooks.twilio.com/v1/Accounts/${var.account_sid}/Flows/")
    assert {bare(number[f"{name}_method"]) for name in ("voice", "voice_fallback", "status_callback")} == {"POST"}


def test_the_number_is_never_given_back_by_accident() -> None:
    (lifecycle,) = resources()["twilio_api_accounts_incoming_phone_numbers"]["lifecycle"]
    assert lifecycle["prevent_destroy"] is True


def test_the_apology_is_said_to_whoever_calls() -> None:
    definition = resources()["twilio_studio_flows_v2"]["definition"]
    assert '{event = "incomingCall", next = "apologise"}' in definition
    (widget,) = re.findall(r'\{name = "apologise", type = "say-play", .*?say = var.apology, ', definition)
    assert 'event = "audioComplete"}' in widget  # and nothing next: Twilio hangs up


def test_every_variable_is_described_and_used() -> None:
    text = "".join(file.read_text() for file in FOLDER.glob("*.tf"))
    for name, body in named("variable").items():
        assert body["description"], name
        assert f"var.{name}" in text.replace(f'variable "{name}"', ""), name


def test_every_output_says_what_it_is() -> None:
    assert all(body["description"] and body["value"] for body in named("output").values())


def test_no_secret_goes_into_the_files_or_the_state() -> None:
    (provider,) = blocks("provider")
    ((_, body),) = provider.items()
    assert not arguments(body)
    assert not any("token" in name or "secret" in name for name in named("variable"))

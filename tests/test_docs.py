"""What is not in the README is not there: settings, commands, paths and rooms."""

import re
from pathlib import Path

import pytest

from phone_bridge.app.routes import PATHS
from phone_bridge.settings import Settings, name_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("field", Settings.__struct_fields__)
def test_every_setting_is_documented(field: str) -> None:
    name = name_of(field)
    assert name in README or f"…{name.removeprefix('PHONE_BRIDGE_SESSION')}" in README


@pytest.mark.parametrize("path", [route.path for route in PATHS])
def test_every_path_is_documented(path: str) -> None:
    assert path in README


def test_no_path_is_documented_that_does_not_exist() -> None:
    known = {route.path for route in PATHS}
    table = README.partition("## Paths")[2].partition("##")[0]
    for path in re.findall(r"(/(?:twilio|v1|api|chronapilot|healthz|readyz)[-.\w/{}]*)", table):
        assert path in known, path


def test_the_picture_of_the_house_names_what_stands() -> None:
    picture = README.partition("phone_bridge/\n")[2].partition("```")[0]
    for name in re.findall(r"^  (\S+?)/? ", picture, re.MULTILINE):
        assert (ROOT / "phone_bridge" / name.rstrip(",/")).exists(), name
    for room in (ROOT / "phone_bridge").iterdir():
        if room.is_dir() and room.name != "__pycache__":
            assert f"{room.name}/" in picture, room.name


def test_the_top_level_holds_only_what_belongs_there() -> None:
    belongs = {
        "pyproject.toml", "README.md", "Makefile", "CHANGELOG.md", "LICENSE", "phone_bridge", "twiml", "tests", "infra",
    }  # fmt: skip
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert found <= belongs

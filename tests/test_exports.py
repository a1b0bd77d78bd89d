"""Every module stands alone: it imports without a warning, says what it is for, and exports what it names."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import phone_bridge

PACKAGE = Path(phone_bridge.__file__).parent
MODULES = sorted(
    ".".join(("phone_bridge", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for file in PACKAGE.rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_for_and_has_what_it_exports(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), exported


def test_the_command_imports_without_a_warning() -> None:
    quiet = [sys.executable, "-W", "error", "-c", "import phone_bridge.cli, phone_bridge.serve_cli"]
    subprocess.run(quiet, check=True, capture_output=True)

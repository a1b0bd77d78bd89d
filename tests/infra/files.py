"""What lies in ``infra/``, and the programs that read it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
INFRA = ROOT / "infra"
TEXTS = frozenset({"", ".conf", ".json", ".md", ".tf", ".tpl", ".txt", ".yaml", ".yml"})
VARIABLE = re.compile(r"\b(?:PHONE_BRIDGE|TWILIO)_[A-Z][A-Z0-9_]*\b")
RUN_SECONDS = 60


def tool(name: str) -> str:
    """Find a program: beside our Python, on the path, or where Debian puts servers.

    In CI it must be there; who works without the right to install it is told and goes on.
    """
    folders = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"))
    found = shutil.which(name, path=folders)
    if not found and not os.environ.get("CI"):
        pytest.skip(f"{name} is not here: .ci/run installs it from Debian")
    assert found, f"{name} is not here: `make check` installs what comes from PyPI, .ci/run what comes from Debian"
    return found


def run(name: str, *arguments: str | Path, environ: Mapping[str, str] | None = None, fails: bool = False) -> str:
    """Run a program and give what it printed; it must succeed, or fail where that is expected."""
    whole = [tool(name), *map(str, arguments)]
    variables = {**os.environ, **(environ or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:  # a pipe would be held by what is started
        done = subprocess.run(
            whole, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=RUN_SECONDS, check=False
        )
        printed, complained = (_all(file) for file in (out, err))
    assert (done.returncode != 0) is fails, printed + complained
    return printed + complained if fails else printed


def _all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def read(name: str) -> str:
    """Read a file of ``infra/``."""
    return (INFRA / name).read_text(encoding="utf-8")


def documents(text: str) -> list[dict[str, Any]]:
    """Read the YAML documents that are not empty."""
    return [document for document in yaml.safe_load_all(text) if document]


def texts() -> list[Path]:
    """List every text in ``infra/``."""
    files = (file for file in sorted(INFRA.rglob("*")) if file.is_file() and ".terraform" not in file.parts)
    return [file for file in files if file.suffix in TEXTS]

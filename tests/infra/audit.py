"""The audit of ``make check``: every installed package is looked up among the known vulnerabilities, with pip-audit.

A known vulnerability fails. A service that cannot be reached does not, or nobody could build while it is away; but it
says so in a way that nobody overlooks. pip-audit alone takes "not found there" for "nothing found", so a package that
is surely known is asked about first: where it is not, the index is a mirror without that service.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

PROBE = "starlette"
"""A package that every index knows, and that had vulnerabilities once."""

SERVICE_SECONDS = 15
AUDIT_SECONDS = 600
"""How long the service may take for one answer, and for all of them."""

ACCEPTED: dict[str, str] = {}
"""Vulnerabilities that are lived with, by their id, each with the reason why it does not touch the bridge."""

OPTIONS = ("--format=json", "--progress-spinner=off", f"--timeout={SERVICE_SECONDS}")
PASS, FAIL = 0, 1
LINE = "=" * 100


class Done(NamedTuple):
    """What a run of pip-audit left."""

    status: int
    out: str
    err: str


Run = Callable[[Sequence[str]], Done]


def audit(run: Run, say: Callable[[str], None]) -> int:
    """Audit what is installed; ``run`` runs pip-audit with arguments, ``say`` takes lines."""
    with tempfile.TemporaryDirectory() as folder:
        found = _ask(run, *_probe(Path(folder)))
    if found is None or any("skip_reason" in each for each in found):
        say(
            _unaudited(
                "the vulnerability service does not answer here" if found is None else "it is not behind this index"
            )
        )
        return PASS
    ignored = [f"--ignore-vuln={name}" for name in ACCEPTED]
    found = _ask(run, "--local", "--skip-editable", *ignored)
    if found is None:
        say(_unaudited("the vulnerability service broke off"))
        return PASS
    return _judge(found, say)


def _judge(found: Sequence[dict[str, Any]], say: Callable[[str], None]) -> int:
    vulnerable = [each for each in found if each.get("vulns")]
    for each in vulnerable:
        for one in each["vulns"]:
            mend = ", ".join(one["fix_versions"]) or "none yet"
            say(f"{each['name']} {each['version']}: {one['id']}, mended in {mend}")
    skipped = [each for each in found if "skip_reason" in each]
    for each in skipped:
        say(f"not audited: {each['skip_reason']}")
    if vulnerable:
        say("Raise the bounds in pyproject.toml, or write the id and the reason into ACCEPTED in tests/infra/audit.py.")
        return FAIL
    say(f"== {len(found) - len(skipped)} packages have no known vulnerability")
    return PASS


def _ask(run: Run, *arguments: str) -> list[dict[str, Any]] | None:
    """Give what pip-audit found; None where it did not get an answer."""
    done = run((*arguments, *OPTIONS))
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return dependencies


def _probe(folder: Path) -> tuple[str, ...]:
    file = folder / "probe.txt"
    file.write_text(f"{PROBE}=={version(PROBE)}\n")
    return (f"--requirement={file}", "--no-deps", "--disable-pip")


def _unaudited(why: str) -> str:
    return (
        f"{LINE}\n== NOT AUDITED: {why}.\n== Nobody has looked for known vulnerabilities in what is installed.\n{LINE}"
    )


def _pip_audit(arguments: Sequence[str]) -> Done:
    command = [sys.executable, "-m", "pip_audit", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=AUDIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Done(FAIL, "", "too slow")
    return Done(done.returncode, done.stdout, done.stderr)


def main() -> int | str:
    """Audit, and print; what is a text is an exit status of 1, too."""
    if importlib.util.find_spec("pip_audit") is None:
        return "pip-audit is not installed: pip install -e '.[infra]'"
    return audit(_pip_audit, print)


if __name__ == "__main__":
    sys.exit(main())

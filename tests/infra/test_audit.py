"""The audit fails for what was found, and says loudly that nothing was looked for."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.infra import audit
from tests.infra.audit import FAIL, PASS, PROBE, Done

CLEAN = {"name": "msgspec", "version": "0.19.0", "vulns": []}
VULNERABLE = {
    "name": "aiohttp",
    "version": "3.10.1",
    "vulns": [{"id": "GHSA-1", "fix_versions": ["3.10.11"]}, {"id": "GHSA-2", "fix_versions": []}],
}
SKIPPED = {"name": "phone_bridge", "skip_reason": "phone_bridge is not on PyPI"}
KNOWN, UNKNOWN = {"name": PROBE, "version": "1", "vulns": []}, {"name": PROBE, "skip_reason": "not found on PyPI"}


class Service:
    """pip-audit with answers of the test's choice: one for the probe, one for what is installed."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[Sequence[str]] = []

    def __call__(self, arguments: Sequence[str]) -> Done:
        self.asked.append(arguments)
        answer = self._answers.pop(0)
        if isinstance(answer, str):
            return Done(1, answer, "requests.exceptions.ConnectionError")
        return Done(0, json.dumps({"dependencies": answer, "fixes": []}), "No known vulnerabilities found")


def audited(service: Service) -> tuple[int, str]:
    said: list[str] = []
    return audit.audit(service, said.append), "\n".join(said)


def test_without_vulnerabilities_it_passes_and_counts() -> None:
    service = Service([KNOWN], [CLEAN, CLEAN, SKIPPED])
    status, said = audited(service)
    assert status == PASS
    assert "2 packages have no known vulnerability" in said
    assert "not audited: phone_bridge is not on PyPI" in said
    assert "--local" in service.asked[1]


def test_a_vulnerability_fails_and_is_named_with_its_mend() -> None:
    status, said = audited(Service([KNOWN], [CLEAN, VULNERABLE]))
    assert status == FAIL
    assert "aiohttp 3.10.1: GHSA-1, mended in 3.10.11" in said
    assert "aiohttp 3.10.1: GHSA-2, mended in none yet" in said


def test_the_probe_may_be_vulnerable_itself() -> None:
    status, _ = audited(Service([VULNERABLE], [VULNERABLE]))
    assert status == FAIL


@pytest.mark.parametrize(
    ("answers", "asked"), [(("",), 1), (("[]",), 1), (("Traceback",), 1), (([UNKNOWN],), 1), (([KNOWN], ""), 2)]
)
def test_where_nobody_can_look_it_passes_loudly_and_asks_no_further(answers: tuple[Any, ...], asked: int) -> None:
    service = Service(*answers)
    status, said = audited(service)
    assert status == PASS
    assert "NOT AUDITED" in said
    assert "no known vulnerability" not in said
    assert len(service.asked) == asked


def test_what_is_lived_with_has_a_reason_and_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(audit.ACCEPTED.values())
    monkeypatch.setitem(audit.ACCEPTED, "GHSA-1", "a reason")
    service = Service([KNOWN], [CLEAN])
    audited(service)
    assert "--ignore-vuln=GHSA-1" in service.asked[1]

"""The runbook tells of what there is: log lines, codes, sentences, metrics, commands and settings."""

import re

import pytest

from phone_bridge.app.routes import PATHS
from phone_bridge.cli import main
from tests.infra.files import INFRA, read
from tests.infra.program import log_lines, metrics, names, sentences

RUNBOOK = read("RUNBOOK.md")
PROSE = re.sub(r"```.*?```", "", RUNBOOK, flags=re.DOTALL)
SPOKEN = re.sub(r"`[^`\n]+`", "", PROSE)
CODES = sorted(set(re.findall(r"`([^`\n]+)`", PROSE)))
ANCHORS = (
    "sessions-fail",
    "calls-lost",
    "loop-lag",
    "database",
    "drain-stuck",
    "consent-expires",
    "webhooks-refused",
    "no-sound",
    "recording-missing",
)
PARTS = ("**Callers hear**", "**You see**", "**Now.**", "**After.**")
FOREIGN = {"ended_by"} | {"wait_event", "pg_isready", "proxy_buffering", "stream_close_delay", "stop_grace_period"}


def sections() -> dict[str, str]:
    """The symptoms, by the anchors that their titles get."""
    parts = re.split(r"^## (.+)$", RUNBOOK, flags=re.MULTILINE)
    return {title.lower().replace(" ", "-"): body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_every_symptom_that_an_alert_links_to_is_there() -> None:
    assert tuple(sections()) == ANCHORS


@pytest.mark.parametrize("anchor", ANCHORS)
def test_each_says_what_is_heard_what_is_seen_and_what_to_do(anchor: str) -> None:
    body = sections()[anchor]
    places = [body.index(part) for part in PARTS]
    assert places == sorted(places)


@pytest.mark.parametrize("line", [code for code in CODES if re.match(r"[<>=!x] \w", code)])
def test_a_log_line_is_written_like_this(line: str) -> None:
    assert any(known == line or known.startswith(line.removesuffix("…") or line) for known in log_lines()), line


@pytest.mark.parametrize("sentence", sorted(set(re.findall(r'"([A-Z][^"]{12,}[.!?])"', SPOKEN))))
def test_a_caller_hears_exactly_this(sentence: str) -> None:
    assert sentence in sentences()


@pytest.mark.parametrize("metric", sorted(set(re.findall(r"\bphone_bridge_[a-z_]+\b", RUNBOOK))))
def test_a_metric_is_counted(metric: str) -> None:
    assert metric in metrics()


@pytest.mark.parametrize("code", [code for code in CODES if re.fullmatch(r"[a-z]+(_[a-z]+)+", code)])
def test_a_code_is_one_that_the_program_uses(code: str) -> None:
    assert code in names() | metrics() | FOREIGN


@pytest.mark.parametrize("path", sorted({code for code in CODES if re.fullmatch(r"/[\w/{}]+", code)}))
def test_a_path_is_served(path: str) -> None:
    assert path in {route.path for route in PATHS}


@pytest.mark.parametrize("command", sorted(set(re.findall(r"(?<![\w/-])phone-bridge ([a-z]+(?: verify)?)", RUNBOOK))))
def test_a_command_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert (end.value.code, "usage: phone-bridge" in capsys.readouterr().out) == (0, True)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", RUNBOOK))))
def test_a_link_leads_somewhere(link: str) -> None:
    if link.startswith("#"):
        assert link[1:] in ANCHORS
    else:
        assert (INFRA / link).exists()

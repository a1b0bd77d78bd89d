"""The Dockerfile: read by hadolint, and line by line."""

import io
import json
import re
import tomllib
from typing import Any

import pytest
from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]

from phone_bridge.app.routes import PATHS
from tests.infra.files import INFRA, ROOT, documents, read, run, tool

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage, as pairs of word and value."""
    parser = DockerfileParser(fileobj=io.BytesIO(read("Dockerfile").encode()))
    found: list[list[tuple[str, str]]] = []
    for line in parser.structure:
        if line["instruction"] == "FROM":
            found.append([])
        if found and line["instruction"] != "COMMENT":
            found[-1].append((line["instruction"], line["value"]))
    return found


def values(stage: list[tuple[str, str]], word: str) -> list[str]:
    return [value for instruction, value in stage if instruction == word]


def test_hadolint_finds_nothing_to_mend() -> None:
    assert json.loads(run("hadolint", "--format=json", INFRA / "Dockerfile")) == []


def test_the_check_by_hadolint_can_fail() -> None:
    assert "DL3006" in run("hadolint", INFRA.parent / "tests" / "infra" / "broken.Dockerfile", fails=True)


def test_the_base_is_pinned_to_a_version(stages: list[list[tuple[str, str]]]) -> None:
    (pinned,) = re.findall(r"^ARG PYTHON=(\S+)$", read("Dockerfile"), re.MULTILINE)
    assert re.fullmatch(r"3\.1[1-9]\.\d+-slim-[a-z]+", pinned)
    assert [values(stage, "FROM")[0] for stage in stages] == ["python:${PYTHON} AS wheels", "python:${PYTHON}"]


def test_the_compiler_stays_behind(stages: list[list[tuple[str, str]]]) -> None:
    first, last = stages
    assert "build-essential" in " ".join(values(first, "RUN"))
    assert "apt" not in " ".join(values(last, "RUN"))
    assert not values(last, "COPY")
    assert any("--no-index /wheels/*.whl" in command for command in values(last, "RUN"))


def test_nothing_runs_as_root(stages: list[list[tuple[str, str]]]) -> None:
    (user,) = values(stages[-1], "USER")
    assert re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", user)
    (compose,) = documents(read("compose.yaml"))
    assert compose["services"]["bridge"]["read_only"] is True
    chart = (INFRA / "helm/phone-bridge/templates/deployment.yaml").read_text()
    assert f"runAsUser: {user.partition(':')[0]}" in chart


def test_sigterm_reaches_the_bridge(stages: list[list[tuple[str, str]]]) -> None:
    last = stages[-1]
    (entry,), (command,) = values(last, "ENTRYPOINT"), values(last, "CMD")
    assert values(last, "STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(entry)[0] in PROJECT["scripts"]  # the program itself, and no shell before it
    assert json.loads(command) == ["serve"]


def test_health_is_asked_with_what_the_image_has(stages: list[list[tuple[str, str]]]) -> None:
    (check,) = values(stages[-1], "HEALTHCHECK")
    program, flag, code = json.loads(check[check.index("[") :])
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    (path,) = re.findall(r"'(/\w+)'", code)
    assert path in {route.path for route in PATHS}
    assert tool("python")  # and not curl, which the image lacks


def test_data_is_kept_in_the_volume_alone(stages: list[list[tuple[str, str]]]) -> None:
    last = stages[-1]
    (volume,), (folder,) = values(last, "VOLUME"), values(last, "WORKDIR")
    assert volume == folder
    assert f"PHONE_BRIDGE_DATABASE_URL=sqlite:///{volume}/" in values(last, "ENV")[0]
    assert f"PHONE_BRIDGE_TRACES_FOLDER={volume}/" in values(last, "ENV")[0]


def test_every_extra_that_is_built_in_exists(stages: list[list[tuple[str, str]]]) -> None:
    (extras,) = (value.removeprefix("EXTRAS=") for value in values(stages[0], "ARG"))
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    (compose,) = documents(read("compose.yaml"))
    assert compose["services"]["bridge"]["build"]["args"]["EXTRAS"] == f"${{EXTRAS:-{extras}}}"


def test_what_is_copied_is_what_may_be_sent(stages: list[list[tuple[str, str]]]) -> None:
    copied = {part for value in values(stages[0], "COPY") for part in value.split()[:-1]}
    lines = [line for line in read("Dockerfile.dockerignore").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"  # what is not named is not sent
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    wheel: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert set(wheel["wheel"]["packages"]) <= copied
    assert {PROJECT["readme"], *PROJECT["license-files"]} <= copied
    for name in copied:
        assert (ROOT / name).exists(), name

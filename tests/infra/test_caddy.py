"""The Caddyfile, read by Caddy and run before a server that tells back what reached it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from phone_bridge.app.routes import PATHS
from tests.infra.behind import ask, talk, telling_back
from tests.infra.files import read, run
from tests.ports import free_port

SINCE = {"stream_close_delay": (2, 7)}
"""Options that are newer than the Caddy of some distributions; its version says whether it can read them."""


def caddyfile(folder: Path, admin: str = "off") -> Path:
    """Write the example with an administration of this test's own."""
    text = read("caddy/Caddyfile").replace(
        "\tgrace_period 11m", f"\tgrace_period 1s\n\tadmin {admin}\n\tauto_https off"
    )
    assert "grace_period 1s" in text
    found = re.search(r"(\d+)\.(\d+)", run("caddy", "version"))
    assert found
    for option, version in SINCE.items():
        assert option in text
        if (int(found[1]), int(found[2])) < version:
            text = re.sub(rf"\n\s*{option} .*", "", text)
    file = folder / "Caddyfile"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The example at work, without TLS; its port."""
    folder = tmp_path_factory.mktemp("caddy")
    admin, port = f"unix/{folder}/admin", free_port()
    with telling_back() as upstream:
        environ = at_home(folder) | {
            "PHONE_BRIDGE_DOMAIN": f"http://127.0.0.1:{port}",
            "PHONE_BRIDGE_UPSTREAM": f"127.0.0.1:{upstream}",
        }
        run("caddy", "start", "--config", caddyfile(folder, admin), "--adapter", "caddyfile", environ=environ)
        try:
            yield port
        finally:
            run("caddy", "stop", "--address", admin, environ=environ)


def at_home(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def test_caddy_finds_nothing_to_mend(tmp_path: Path) -> None:
    run("caddy", "validate", "--config", caddyfile(tmp_path), "--adapter", "caddyfile", environ=at_home(tmp_path))


def test_the_file_is_written_as_caddy_would(tmp_path: Path) -> None:
    file = tmp_path / "Caddyfile"
    file.write_text(read("caddy/Caddyfile"))
    assert run("caddy", "fmt", file, environ=at_home(tmp_path)) == file.read_text()


def test_a_webhook_arrives_as_it_was_sent(caddy: int) -> None:
    answer = ask(caddy, "/twilio/voice?a=b%20c", host="127.0.0.1", method="POST", body=b"CallSid=CA1")
    assert answer.status == 200
    assert answer.body.startswith("POST /twilio/voice?a=b%20c HTTP/1.1")


def test_nobody_chooses_the_address_that_they_come_from(caddy: int) -> None:
    answer = ask(caddy, "/twilio/status", host="127.0.0.1", headers={"X-Forwarded-For": "192.0.2.1"})
    assert answer.header("x-forwarded-for") == ["127.0.0.1"]


def test_the_media_stream_goes_through_both_ways(caddy: int) -> None:
    frames = [b"hello", b"x" * 20_000, b"goodbye"]
    answer = talk(caddy, "/twilio/media", frames, host="127.0.0.1")
    assert (answer.status, answer.body) == (101, b"".join(frames).decode())


@pytest.mark.parametrize(
    "path", sorted({r.path for r in PATHS if not r.path.startswith("/twilio/")} | {"/metrics", "/"})
)
def test_the_world_sees_nothing_else(path: str, caddy: int) -> None:
    assert ask(caddy, path.replace("{id}", "call_1"), host="127.0.0.1").status == 404


def test_a_path_does_not_get_out_of_its_folder(caddy: int) -> None:
    for path in ("/twilio/../metrics", "/twilio/%2e%2e/v1/calls", "/twilio/..%2fmetrics"):
        answer = ask(caddy, path, host="127.0.0.1")
        assert answer.status == 404 or answer.body.startswith(f"GET {path} "), path


def test_a_long_body_is_refused(caddy: int) -> None:
    text = read("caddy/Caddyfile")
    assert "max_size 64KB" in text
    assert ask(caddy, "/twilio/voice", host="127.0.0.1", method="POST", body=b"x" * 66_000).status >= 400


def test_a_reload_does_not_close_the_calls() -> None:
    (hours,) = re.findall(r"stream_close_delay (\d+)h", read("caddy/Caddyfile"))
    assert int(hours) >= 1


def test_the_variables_have_defaults() -> None:
    for name in re.findall(r"\{\$(\w+)", read("caddy/Caddyfile")):
        assert f"{{${name}:" in read("caddy/Caddyfile"), name
    assert "PHONE_BRIDGE_DOMAIN" not in os.environ

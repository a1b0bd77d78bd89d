"""The nginx example, read by nginx and run before a server that tells back what reached it."""

import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from phone_bridge.app.routes import PATHS
from tests.infra.behind import ask, talk, telling_back
from tests.infra.files import read, run, tool
from tests.ports import free_port

HOST = "calls.example.com"
CERTIFICATE = Path(__file__).parent.parent / "runtime" / "localhost.pem"
HOUR_SECONDS = 3600


def configuration(folder: Path, *, http: int, https: int, upstream: int) -> Path:
    """Write the example with ports and paths of this test, and around it what it is included into."""
    site = read("nginx/phone-bridge.conf")
    for theirs, ours in (
        ("listen 80;", f"listen 127.0.0.1:{http};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{https} ssl"),
        ("server 127.0.0.1:8080", f"server 127.0.0.1:{upstream}"),
        ("/etc/ssl/phone-bridge/fullchain.pem", str(CERTIFICATE)),
        ("/etc/ssl/phone-bridge/privkey.pem", str(CERTIFICATE)),
    ):
        assert theirs in site, theirs
        site = site.replace(theirs, ours)
    (folder / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    whole = folder / "nginx.conf"
    whole.write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    return whole


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The example at work; its ports for HTTP and TLS."""
    folder = tmp_path_factory.mktemp("nginx")
    http, https = free_port(), free_port()
    with telling_back() as upstream:
        file = configuration(folder, http=http, https=https, upstream=upstream)
        run("nginx", "-e", folder / "error.log", "-c", file)  # comes back when it listens
        try:
            yield http, https
        finally:
            run("nginx", "-e", folder / "error.log", "-c", file, "-s", "stop")


def test_nginx_finds_nothing_to_mend(tmp_path: Path) -> None:
    file = configuration(tmp_path, http=8080, https=8443, upstream=8081)
    said = subprocess.run(
        [tool("nginx"), "-e", tmp_path / "error.log", "-t", "-c", file], capture_output=True, text=True, check=True
    )
    assert "warn" not in said.stderr


def test_a_webhook_arrives_as_it_was_sent(nginx: tuple[int, int]) -> None:
    answer = ask(nginx[1], "/twilio/voice?a=b%20c", host=HOST, method="POST", body=b"CallSid=CA1", tls_name=HOST)
    assert answer.status == 200
    assert answer.body.startswith("POST /twilio/voice?a=b%20c HTTP/1.1")
    assert answer.header("host") == [HOST]
    assert answer.header("x-forwarded-proto") == ["https"]


def test_nobody_chooses_the_address_that_they_come_from(nginx: tuple[int, int]) -> None:
    claimed = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}
    answer = ask(nginx[1], "/twilio/status", host=HOST, headers=claimed, tls_name=HOST)
    assert answer.header("x-forwarded-for") == ["127.0.0.1"]
    assert answer.header("forwarded") == []


def test_the_media_stream_goes_through_both_ways(nginx: tuple[int, int]) -> None:
    frames = [b"hello", b"x" * 20_000, b"goodbye"]
    answer = talk(nginx[1], "/twilio/media", frames, host=HOST, tls_name=HOST)
    assert (answer.status, answer.body) == (101, b"".join(frames).decode())


def test_the_media_stream_may_be_silent_for_an_hour() -> None:
    place = read("nginx/phone-bridge.conf").partition("location = /twilio/media {")[2].partition("}")[0]
    for direction in ("read", "send"):
        (hours,) = re.findall(rf"proxy_{direction}_timeout\s+(\d+)h;", place)
        assert int(hours) * HOUR_SECONDS >= HOUR_SECONDS
    assert re.search(r"proxy_buffering\s+off;", place)


@pytest.mark.parametrize(
    "path", sorted({r.path for r in PATHS if not r.path.startswith("/twilio/")} | {"/metrics", "/"})
)
def test_the_world_sees_nothing_else(path: str, nginx: tuple[int, int]) -> None:
    assert ask(nginx[1], path.replace("{id}", "call_1"), host=HOST, tls_name=HOST).status == 404


def test_a_path_does_not_get_out_of_its_folder(nginx: tuple[int, int]) -> None:
    for path in ("/twilio/../metrics", "/twilio/%2e%2e/v1/calls", "/twilio/..%2fmetrics"):
        answer = ask(nginx[1], path, host=HOST, tls_name=HOST)
        assert answer.status == 404 or answer.body.startswith(f"GET {path} "), path


def test_a_long_body_is_refused(nginx: tuple[int, int]) -> None:
    answer = ask(nginx[1], "/twilio/voice", host=HOST, method="POST", body=b"x" * 65_537, tls_name=HOST)
    assert answer.status == 413


def test_a_stranger_who_asks_for_another_name_gets_nothing(nginx: tuple[int, int]) -> None:
    with pytest.raises(ssl.SSLError):
        ask(nginx[1], "/twilio/voice", host="localhost", tls_name="localhost")


def test_plain_http_is_sent_to_tls(nginx: tuple[int, int]) -> None:
    assert ask(nginx[0], "/twilio/voice", host=HOST).status == 301

"""The pages: what they are made of, and what a browser lets them do."""

import re
from pathlib import Path

import pytest

from phone_bridge.app.pages import STATIC
from tests.app.premises import Premises, play

PAGES = {"/": "phone.html", "/monitor": "monitor.html"}
FILES = sorted(file.name for file in STATIC.iterdir() if file.suffix != ".html")


def test_a_page_may_run_its_own_files_and_nothing_else(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for path, file in PAGES.items():
            answer = await house.ask("GET", path)
            assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
            assert answer.body == (STATIC / file).read_bytes()
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
            assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
            assert (policy["style-src"], policy["frame-ancestors"]) == ("'self'", "'none'")
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert "microphone=(self)" in answer.headers["permissions-policy"]

    play(tmp_path, story, api_key="the-api-key")


def test_each_file_is_given_as_what_it_is_and_no_other_is(tmp_path: Path) -> None:
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

    async def story(house: Premises) -> None:
        for name in FILES:
            answer = await house.ask("GET", f"/static/{name}")
            assert answer.status == 200, name
            assert answer.headers["content-type"].startswith(kinds[Path(name).suffix])
        for name in ("phone.html", "none.js", "..%2Fpages.py", "%2e%2e/pages.py", "pages.py"):
            assert (await house.ask("GET", f"/static/{name}")).status == 404, name

    play(tmp_path, story)


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: str(file.name))
def test_a_file_asks_for_nothing_from_anywhere_else_and_has_no_inline_part(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "").replace("http://localhost", "")
    if file.name == "docs.html":
        return
    assert "://" not in re.sub(r"(https?|wss?)\.origin", "", text)
    assert not re.search(r"<style|<script>|\sstyle=|\son\w+=\"|innerHTML\s*=[^=]|eval\(", text)


def test_whatever_is_imported_is_there() -> None:
    for file in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', file.read_text()):
            assert name in FILES, (file.name, name)

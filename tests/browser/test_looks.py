"""How the pages look and read: axe's rules, the keyboard, a small screen, light and dark; and pictures of them.

With ``SCREENSHOTS=folder`` the pictures are kept there, for the README.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe import faults
from tests.browser.chromium import Chromium, Page
from tests.browser.conftest import QUESTION, WISH
from tests.browser.microphone import SAID, say
from tests.browser.test_phone import ANSWERABLE, ANSWERING, STATE
from tests.test_cli import Server

pytestmark = pytest.mark.speech

LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"dark": True},
    "small": {"width": 360, "height": 740, "reduced": True},
    "small-dark": {"width": 360, "height": 740, "dark": True},
}


def check(page: Page, name: str, folder: Path) -> None:
    """Look at a page in every way."""
    kept = Path(os.environ.get("SCREENSHOTS", folder))
    for look, choices in LOOKS.items():
        page.look(**choices)
        page.screenshot(kept / f"{name}-{look}.png")
        assert faults(page) == [], look
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{look} is {wide} pixels too wide"
    page.look()


@pytest.fixture(scope="module")
def calling(server: Server, browser: Chromium, said: dict[str, bytes]) -> Iterator[Page]:
    """A call that has come to a question."""
    with browser.page(server.url, before=SAID) as page:
        page.look()
        page.click("#call")
        page.wait(STATE % "talking")
        say(page, said[QUESTION])
        page.wait(ANSWERING)
        say(page, said[WISH])
        page.wait(ANSWERABLE)
        yield page


def test_the_telephone_in_a_call_passes_and_is_shown(calling: Page, tmp_path: Path) -> None:
    check(calling, "telephone", tmp_path)


def test_the_telephone_before_a_call_and_refused_passes(server: Server, browser: Chromium, tmp_path: Path) -> None:
    script = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
    with browser.page(server.url, before=script) as page:
        check(page, "ready", tmp_path)
        page.click("#call")
        page.wait("!document.querySelector('#refusal').hidden")
        page.evaluate("document.querySelector('#key-form').hidden = false")
        check(page, "refused", tmp_path)


def test_the_monitor_passes_and_is_shown(server: Server, browser: Chromium, calling: Page, tmp_path: Path) -> None:
    with browser.page(f"{server.url}/monitor") as page:
        page.look()
        page.wait("document.querySelector('#calls .live a')")
        page.click("#calls .live a")
        page.wait("document.querySelector('#timeline .open')")
        check(page, "monitor-asking", tmp_path)
        calling.click("#yes")
        page.wait("document.querySelector('#timeline .action')?.innerText.includes('Receipt')")
        check(page, "monitor", tmp_path)


def test_the_monitor_shows_reminders_with_what_became_of_them(
    server: Server, browser: Chromium, tmp_path: Path
) -> None:
    reminder = {
        "to": "+12025550143",
        "text": "Take your pills.",
        "at": "2026-11-21T10:00:00Z",
        "next_at": "2026-11-21T10:05:00Z",
        "status": "scheduled",
        "outcome": "busy",
        "attempts": [{"call_id": "call_1", "at": "2026-11-21T10:00:00Z", "outcome": "busy"}],
    }
    script = f"""
    const asked = window.fetch;
    window.fetch = (path, ...more) => path === "/v1/reminders"
      ? Promise.resolve(Response.json({{ data: [{json.dumps(reminder)}] }})) : asked(path, ...more);
    """
    with browser.page(f"{server.url}/monitor", before=script) as page:
        page.wait("document.querySelectorAll('#reminders li').length === 1")
        assert "scheduled, busy" in page.text("#reminders")
        assert "Take your pills." in page.text("#reminders")
        check(page, "reminders", tmp_path)


def test_everything_is_reached_by_the_keyboard_in_the_order_it_is_seen(server: Server, browser: Chromium) -> None:
    with browser.page(server.url) as page:
        reached = []
        for _ in range(24):
            page.key("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
        order = ["Telephone", "Monitor", "call", "volume", "1", "2", "3", "✱", "0", "#", "typing"]
        places = [reached.index(each) for each in order]
        assert places == sorted(places)


def test_the_question_is_answered_by_the_keyboard_alone(server: Server, browser: Chromium) -> None:
    with browser.page(server.url) as page:
        page.evaluate("document.querySelector('#question').hidden = false")
        for word in ("yes", "no"):
            assert page.evaluate(f"(document.querySelector('#{word}').focus(), document.activeElement.id)") == word
        assert page.evaluate("document.querySelector('#status').getAttribute('role')") == "status"
        assert page.evaluate("document.querySelector('#spoken').getAttribute('aria-live')") == "polite"

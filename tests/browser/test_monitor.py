"""The monitor in a real Chromium: a carrier's call as it happens, what an operator may do and a viewer may not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phone_bridge.runtime.api_keys import ApiKey, as_toml, fingerprint
from tests.browser.axe import faults
from tests.browser.chromium import Chromium, Page
from tests.browser.conftest import short_lines
from tests.test_cli import Server, clean

pytestmark = pytest.mark.speech

OPERATOR, VIEWER, CALLER = "pb_the_operator", "pb_a_viewer", "+12025550143"
LIVE = "document.querySelector('#calls .live')"
ENTRY = "[...document.querySelectorAll('#timeline li')].some((line) => line.innerText.includes(%r))"
LINE = "[...document.querySelectorAll('#timeline .said')].find((line) => line.innerText.includes(%r))"
WAVE = "(document.querySelector('#lanes .wave.%s')?.getAttribute('d').length ?? 0) > 60"
FACT = "document.querySelector('#facts').innerText.includes(%r)"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an operator's key and a viewer's."""
    folder = tmp_path_factory.mktemp("bridge")
    (folder / "phone-bridge.toml").write_text(as_toml(ApiKey("viewer", fingerprint(VIEWER), ("calls:read",))))
    running = Server(
        folder,
        PHONE_BRIDGE_API_KEY=OPERATOR,
        PHONE_BRIDGE_PROMPTS=short_lines(folder / "lines"),
        PHONE_BRIDGE_RECORD="true",
        PHONE_BRIDGE_RECORDINGS_FOLDER=str(folder / "recordings"),
    )
    try:
        running.wait()
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def simulate(server: Server, *said: str) -> "subprocess.Popen[bytes]":
    """Have a carrier call, with nobody to wait for it."""
    command = [sys.executable, "-m", "phone_bridge.cli", "simulate", "--from", CALLER, *said]
    return subprocess.Popen(command, cwd=server.folder, env=clean() | server.environ, stdout=subprocess.DEVNULL)


def listened_to(page: Page) -> None:
    """See both sides of a call that is over as waves, hear its recording, and see the cursor keep step with it."""
    for side in ("caller", "other"):
        page.wait(WAVE % side)
    assert page.evaluate("document.querySelectorAll('#lanes .mark.key, #lanes .mark.settled').length") == 2
    page.wait("!document.querySelector('#listen').hidden")
    page.click("#listen")
    page.wait("document.querySelector('#player').currentTime > 0.2")
    length, shown = page.evaluate(
        "[document.querySelector('#player').duration * 1000, document.querySelector('#lanes').dataset.ms]"
    )
    assert 0 < float(shown) - length < 1_500, "all but what came before the announcement was heard"
    at, played = page.evaluate(
        f"""(() => {{
        const line = {LINE % "cancel my next meeting"}.querySelector('button');
        line.click();
        return [Number(line.dataset.at), 1000 * document.querySelector('#player').currentTime];
        }})()"""
    )
    assert abs((float(shown) - length) - (at - played)) < 300
    page.wait("document.querySelector('#timeline [aria-current]')?.innerText.includes('cancel my next meeting')")
    assert page.evaluate("document.querySelector('#cursor').getAttribute('visibility')") == "visible"


def sign_in(page: Page, key: str) -> None:
    page.wait("!document.querySelector('#key-form').hidden")
    page.evaluate("document.querySelector('#key').focus()")
    page.type(key)
    page.key("Enter")
    page.wait(
        "document.querySelector('#key-form').hidden && document.querySelector('#state').innerText.includes('Live')"
    )


def test_a_carrier_s_call_is_followed_from_its_greeting_to_its_receipt(guarded: Server, browser: Chromium) -> None:
    with browser.page(f"{guarded.url}/monitor") as page:
        sign_in(page, OPERATOR)
        carrier = simulate(guarded, "--say", "Cancel my next meeting.", "--press", "1")
        try:
            page.wait(LIVE)
            assert CALLER in page.text("#calls .live .head")
            page.click("#calls .live a")
            page.wait("!document.querySelector('#detail').hidden")
            page.wait("document.querySelector('#timeline .now')")  # what is being said now
            assert page.evaluate("!document.querySelector('#end').hidden")
            page.wait(ENTRY % "cancel my next meeting")
            page.wait(ENTRY % "asked now")
            page.wait(ENTRY % "confirmed by key", 60)
            page.wait(ENTRY % "Receipt rcp_")
            page.wait("document.querySelector('#latency').innerText.includes('answers')")
            page.wait(ENTRY % "The caller pressed 1.")
            page.wait(WAVE % "other")  # as it goes on
            assert page.evaluate("document.querySelector('#listen').hidden")
            page.click("#end")
            page.wait(FACT % "completed")
            listened_to(page)
            assert page.evaluate("document.querySelector('#end').hidden")
            page.wait("!document.querySelector('#calls .live')")
        finally:
            carrier.kill()
            carrier.wait()
        assert [fault for fault in page.faults if "401" not in fault] == []  # the key was not typed yet


def test_an_operator_ends_a_call_and_a_viewer_sees_neither_the_button_nor_the_number(
    guarded: Server, browser: Chromium
) -> None:
    carrier = simulate(guarded, "--say", "What is my next meeting?", "--say", "What is my next meeting?")
    try:
        with browser.page(f"{guarded.url}/monitor") as viewer:
            sign_in(viewer, VIEWER)
            viewer.wait(LIVE)
            viewer.click("#calls .live a")
            viewer.wait(FACT % "live")
            assert CALLER not in viewer.text()
            assert f"{CALLER[-2:]}" in viewer.text("#facts")
            assert viewer.evaluate("document.querySelector('#end').hidden && document.querySelector('#acting').hidden")
            with browser.page(viewer.evaluate("location.href")) as operator:
                if operator.evaluate("!sessionStorage.getItem('phone_bridge.key')"):
                    sign_in(operator, OPERATOR)
                operator.wait("!document.querySelector('#detail').hidden")
                operator.wait("!document.querySelector('#acting').hidden")
                for width in (1200, 360):
                    operator.look(width=width)
                    assert faults(operator) == []
                    assert operator.evaluate("document.documentElement.scrollWidth <= innerWidth")
                operator.evaluate("document.querySelector('#digits').value = '12#'")
                operator.click("#keys-form button")
                operator.wait("document.querySelector('#detail-state').innerText.includes('TWILIO_ACCOUNT_SID')")
                operator.click("#end")
                operator.wait("document.querySelector('#detail-state').innerText.includes('goodbye')")
            viewer.wait(FACT % "completed")
            assert "api" in viewer.text("#facts")
            viewer.wait("document.querySelector('#recording-state').innerText.includes('recordings:read')")
            assert viewer.evaluate("document.querySelector('#listen').hidden")
    finally:
        carrier.kill()
        carrier.wait()


def test_a_wrong_key_is_told_and_nothing_of_it_is_kept_for_other_tabs(guarded: Server, browser: Chromium) -> None:
    with browser.page(f"{guarded.url}/monitor") as page:
        page.wait("!document.querySelector('#key-form').hidden")
        page.evaluate("document.querySelector('#key').focus()")
        page.type("wrong")
        page.key("Enter")
        page.wait("document.querySelector('#refusal').innerText.length > 0")
        sign_in(page, OPERATOR)
        assert page.evaluate("localStorage.length === 0 && document.cookie === '' && !location.href.includes('pb_')")


def test_the_telephone_asks_for_the_key_and_goes_on_with_it(guarded: Server, browser: Chromium, tmp_path: Path) -> None:
    with browser.page(guarded.url) as page:
        page.click("#call")
        page.wait("!document.querySelector('#key-form').hidden")
        assert "An API key is needed." in page.text("#refusal")
        page.type(VIEWER)
        page.key("Enter")
        page.wait("document.querySelector('#refusal').innerText.includes('not good for calls')")
        page.type(OPERATOR)
        page.key("Enter")
        page.wait("document.body.dataset.state === 'talking'")
        page.click("#hang-up")
        page.wait("document.body.dataset.state === 'ended'")

"""The soft-phone in a real Chromium: whole calls, by voice, by key and by card, and every way that one can fail."""

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.conftest import QUESTION, WISHES, YES, short_lines
from tests.browser.microphone import SAID, recording, say
from tests.browser.relay import Relay
from tests.test_cli import Server

pytestmark = pytest.mark.speech

GREETED = "document.querySelector('#captions .bridge.final')"
ANSWERED = "document.querySelector('#captions .agent.final')"
ANSWERING = "[...document.querySelectorAll('#captions .agent')].at(-1)?.innerText.includes('next meeting')"
ANSWERABLE = "!document.querySelector('#question').hidden && !document.querySelector('#yes').disabled"
HINT = "document.querySelector('#question-hint').innerText.includes(%r)"
STATE = "document.body.dataset.state === %r"
CUT_OFF = "document.querySelector('#captions').innerText.split('cut off').length > %d"
HEARD = "[...document.querySelectorAll('#captions .bridge.final')].some((line) => line.innerText.includes('Press 1'))"


def records(server: Server) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server.url}/v1/calls", timeout=5) as answer:
        listed: list[dict[str, Any]] = json.load(answer)["data"]
    return listed


def ended(server: Server, page: Page) -> dict[str, Any]:
    """Hang up, and give the call's record."""
    page.click("#hang-up")
    page.wait(STATE % "ended")
    until = time.monotonic() + 10
    while not records(server)[0]["ended_at"]:
        assert time.monotonic() < until
    return records(server)[0]


def test_a_spoken_question_is_answered_and_heard(server: Server, said: dict[str, bytes], tmp_path: Path) -> None:
    heard = recording(tmp_path / "microphone.wav", said[QUESTION], before_ms=2_000, after_ms=60_000)
    with Chromium(microphone=heard) as browser, browser.page(server.url) as page:
        page.click("#call")
        page.wait(GREETED)
        page.wait("document.querySelector('#level-out').value > 0.3")  # the answer sounds
        page.wait(ANSWERED)
        assert "next meeting" in page.text("#captions .user .words")
        assert "Your next meeting is" in page.text("#captions .agent .words")
        page.evaluate("document.querySelector('details').open = true")
        page.wait("document.querySelector('#round-trip').innerText.includes('ms')")
        assert "ms" in page.text("#answer")
        assert "wanted" in page.text("#buffer")
        record = ended(server, page)
        assert page.faults == []
    assert (record["ended_by"], record["error"]) == ("caller", None)
    assert [line["speaker"] for line in record["transcript"]] == ["bridge", "caller", "assistant"]


def test_a_page_calls_the_number_that_its_address_names(server: Server, browser: Chromium) -> None:
    with browser.page(f"{server.url}/?to=%2B493012345") as page:
        page.click("#call")
        page.wait(STATE % "talking")
        record = ended(server, page)
        assert page.faults == []
    assert record["to"] == "+493012345"


def test_a_wish_is_confirmed_by_its_card_by_key_and_by_voice(
    server: Server, browser: Chromium, said: dict[str, bytes]
) -> None:
    with browser.page(server.url, before=SAID) as page:
        page.click("#call")
        page.wait(STATE % "talking")
        for how, wish in zip(("card", "key", "voice"), WISHES, strict=True):
            say(page, said[QUESTION])
            page.wait(f"document.querySelector('#question').hidden && {ANSWERING}")
            say(page, said[wish])
            page.wait(ANSWERABLE)
            assert "cancel" in page.text("#question-text")
            if how == "card":
                page.click("#yes")
            elif how == "key":
                page.key("1")
            else:
                page.wait(HEARD)
                say(page, said[YES])
            page.wait(HINT % "Done")
        record = ended(server, page)
        assert page.faults == []
    answers = [(each["verdict"], each["by"], each["outcome"]) for each in record["actions"]]
    assert answers == [("confirmed", by, "executed") for by in ("digit", "digit", "speech")]


def test_a_call_goes_on_when_the_page_is_loaded_anew_and_when_the_server_was_gone(
    browser: Chromium, tmp_path: Path
) -> None:
    lines = {"PHONE_BRIDGE_PROMPTS": short_lines(tmp_path / "lines")}
    server = Server(tmp_path, **lines)
    try:
        server.wait()
        with browser.page(server.url, before=SAID) as page:
            page.click("#call")
            page.wait(GREETED)
            page.reload()
            assert "You were in a call" in page.text("#status")
            assert page.text("#call") == "Go on with the call"
            page.click("#call")
            page.wait(STATE % "talking")
            page.wait(CUT_OFF % 1)
            assert "Hello" in page.text("#captions")
            server.process.kill()
            server.process.communicate()
            page.wait(STATE % "lost")
            assert page.text("#status") == "The line was lost. Calling back…"
            server = Server(tmp_path, **lines, PHONE_BRIDGE_PORT=str(server.port))
            server.wait()
            page.wait(STATE % "talking")
            page.wait(CUT_OFF % 2)
            record = ended(server, page)
        (only,) = records(server)
        assert (only["id"], record["resumed"], record["ended_by"]) == (record["id"], 2, "caller")
    finally:
        server.process.kill()
        server.process.communicate()


def test_a_call_goes_on_with_a_new_token_when_the_network_was_away_without_a_word(
    server: Server, browser: Chromium
) -> None:
    with Relay(server.port) as network, browser.page(f"http://127.0.0.1:{network.port}/", before=SAID) as page:
        page.click("#call")
        page.wait(GREETED)
        network.away = True
        page.wait(STATE % "lost")
        network.away = False
        page.wait(STATE % "talking")
        page.wait(CUT_OFF % 1)
        record = ended(server, page)
    assert (record["resumed"], record["ended_by"], record["error"]) == (1, "caller", None)


def test_a_call_without_a_microphone_has_its_keypad(server: Server, browser: Chromium) -> None:
    script = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError'); };"
    with browser.page(server.url, before=script) as page:
        page.click("#call")
        page.wait("!document.querySelector('#refusal').hidden")
        assert "No microphone was found." in page.text("#refusal")
        page.click("#call-keys")
        page.wait(GREETED)
        page.click('[data-key="5"]')
        ended(server, page)
        assert page.faults == []


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };",
         "The microphone was not allowed."),
        ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotReadableError'); };",
         "The microphone is in use."),
        ("Object.defineProperty(window, 'isSecureContext', { value: false });", "not loaded over HTTPS"),
        ("delete window.AudioWorkletNode;", "This browser cannot make calls."),
        ("window.fetch = async () => { throw new TypeError('gone'); };", "The server does not answer."),
        ("window.fetch = async () => Response.json({ error: { code: 'busy' } }, { status: 503 });",
         "All lines are in use."),
        ("window.fetch = async () => Response.json({ error: { code: 'api_key_required' } }, { status: 403 });",
         "Only the server's own machine may call."),
        ("window.fetch = async () => Response.json({ error: { code: 'too_many_attempts' } }, { status: 429 });",
         "Too many wrong keys"),
    ],
)  # fmt: skip
def test_every_refusal_is_told_in_words(server: Server, browser: Chromium, script: str, says: str) -> None:
    with browser.page(server.url, before=script) as page:
        page.click("#call")
        page.wait("!document.querySelector('#refusal').hidden")
        assert says in page.text("#refusal")
        assert page.evaluate(STATE % "idle")
        page.wait("!document.querySelector('#call').hidden")


def test_a_muted_microphone_is_not_heard(server: Server, browser: Chromium, said: dict[str, bytes]) -> None:
    loudest = """
    window.loudest = 0;
    setInterval(() => { loudest = Math.max(loudest, document.querySelector('#level-in').value); }, 10);
    """
    with browser.page(server.url, before=SAID + loudest) as page:
        page.click("#call")
        page.wait(STATE % "talking")
        page.click("#mute")
        page.wait("document.querySelector('#level-in').value === 0")
        page.evaluate("window.loudest = 0")
        say(page, said[YES])
        assert page.evaluate("loudest") == 0
        page.click("#mute")
        say(page, said[YES])
        assert page.evaluate("loudest") > 0.3
        ended(server, page)


def test_keys_are_typed_and_heard_unless_somebody_writes(server: Server, browser: Chromium) -> None:
    script = """
    window.tones = [];
    window.OscillatorNode = class extends OscillatorNode {
      constructor(context, options) { super(context, options); window.tones.push(options.frequency); }
    };
    """
    with browser.page(server.url, before=script) as page:
        page.type("1#")
        assert page.evaluate("window.tones") == [697, 1209, 941, 1477]
        page.evaluate("document.querySelector('#key-form').hidden = false; document.querySelector('#key').focus()")
        page.type("7")
        page.click("#typing")
        page.type("8")
        assert len(page.evaluate("window.tones")) == 4
        assert page.evaluate("document.querySelector('#key').value") == "7"
        page.click('[data-key="*"]')
        assert page.evaluate("window.tones.slice(4)") == [941, 1209]

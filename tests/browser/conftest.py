"""What the browser's tests share: one server, one browser, and the sentences that are said."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.browser.chromium import FOUND, Chromium
from tests.browser.microphone import speech, wav
from tests.test_cli import Server

QUESTION, WISH, YES = "What is my next meeting?", "Cancel it.", "Yes."
WISHES = ("Cancel the piano lesson.", "Cancel the dentist appointment.", "Cancel the yoga class.")
"""Each of one event, whatever day it is; what comes next may be one of a series, of which more is asked."""

LINES = {"recording_announcement": 300, "greeting": 500, "keys": 500, "cut_off": 300, "goodbye": 300}
"""How long the recordings are that these servers say their fixed lines with, in milliseconds; a call has many."""


def short_lines(folder: Path) -> str:
    """Make the folder of recordings; what is asked is spoken still."""
    folder.mkdir(exist_ok=True)
    for name, ms in LINES.items():
        tone = 6_000 * np.sin(np.arange(8 * ms) * 2 * np.pi * 440 / 8_000)
        (folder / f"{name}.wav").write_bytes(wav(tone.astype(np.int16), 8_000))
    return str(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip with a word where there is no browser."""
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.skipif(FOUND is None, reason="there is no Chromium: apt-get install chromium"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("bridge")
    running = Server(folder, PHONE_BRIDGE_PROMPTS=short_lines(folder / "lines"))
    try:
        running.wait()
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def said() -> dict[str, bytes]:
    return speech(QUESTION, WISH, *WISHES, YES)

"""What the browser's tests share: one server, one browser, and the sentences that are said."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import FOUND, Chromium
from tests.browser.microphone import speech
from tests.test_cli import Server

QUESTION, WISH, YES = "What is my next meeting?", "Cancel it.", "Yes."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip with a word where there is no browser."""
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.skipif(FOUND is None, reason="there is no Chromium: apt-get install chromium"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("bridge"))
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
    return speech(QUESTION, WISH, YES)

"""Exceptions in the log, without words of theirs."""

import io
import logging
from collections.abc import Callable

import pytest

from phone_bridge.errors import Unavailable
from phone_bridge.telemetry.discreet import WITHHELD, Discreet
from phone_bridge.telemetry.logs import JsonLines

SECRET = "+12025550143"


def logged(fail: Callable[[], object], formatter: logging.Formatter) -> str:
    log, stream = logging.Logger("test"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    log.addHandler(handler)
    try:
        fail()
    except BaseException:
        log.exception("! it failed")
    return stream.getvalue()


def plain() -> None:
    int(SECRET + "x")


def caused() -> None:
    try:
        plain()
    except ValueError as error:
        raise Unavailable("The database failed.", code="database") from error


def in_handling() -> None:
    try:
        plain()
    except ValueError:
        {"a": 1}[SECRET]


def suppressed() -> None:
    try:
        plain()
    except ValueError:
        raise Unavailable("The database failed.") from None


def grouped() -> None:
    raise ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])


def circular() -> None:
    first, second = ValueError(SECRET), ValueError(SECRET)
    first.__cause__, second.__cause__ = second, first
    raise first


@pytest.mark.parametrize("formatter", [Discreet(), JsonLines()])
@pytest.mark.parametrize(
    ("fail", "names"),
    [
        (plain, ["ValueError"]),
        (caused, ["ValueError", "phone_bridge.errors.Unavailable: The database failed."]),
        (in_handling, ["ValueError", "KeyError"]),
        (suppressed, ["phone_bridge.errors.Unavailable: The database failed."]),
        (grouped, ["ValueError", "ExceptionGroup"]),
        (circular, ["ValueError"]),
    ],
)
def test_types_and_places_are_told_and_words_are_not(
    fail: Callable[[], object], names: list[str], formatter: logging.Formatter
) -> None:
    text = logged(fail, formatter)
    assert "it failed" in text
    assert f"in {fail.__name__}" in text
    assert all(name in text for name in names)
    assert (WITHHELD in text) is (fail is not suppressed)
    assert SECRET not in text


def test_what_another_formatter_has_kept_is_not_used() -> None:
    record = logging.makeLogRecord({"msg": "! it failed", "exc_text": SECRET, "exc_info": None})
    assert Discreet().format(record) == "! it failed"
    assert record.exc_text == SECRET  # it is the other's


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("a\nERROR phone_bridge forged", r"a\nERROR phone_bridge forged"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[31mred\x9b", r"\x1b[31mred\x9b"),
        ("as ever: é, 日本\n", "as ever: é, 日本"),
    ],
)
def test_no_message_makes_two_lines_or_moves_a_terminal(said: str, written: str) -> None:
    record = logging.makeLogRecord({"msg": "! %s", "args": (said,)})
    assert Discreet().format(record) == f"! {written}"


def test_the_first_error_comes_first() -> None:
    text = logged(caused, Discreet())
    assert text.index("ValueError") < text.index("Unavailable")

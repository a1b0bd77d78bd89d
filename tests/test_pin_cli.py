"""The command ``phone-bridge pin``."""

import argparse
import io
from pathlib import Path

import pytest

from phone_bridge import pin_cli
from phone_bridge.errors import Refused
from phone_bridge.runtime.pins import Outcome, Pins
from phone_bridge.runtime.record import Records

PIN = "482913"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(folder: Path, *words: str) -> tuple[int, list[str]]:
    parser = argparse.ArgumentParser()
    pin_cli.add_arguments(parser)
    said: list[str] = []
    return pin_cli.run(parser.parse_args(words), f"sqlite:///{folder}/pins.db", said.append), said


def judged(folder: Path, pin: str) -> Outcome:
    records = Records(f"sqlite:///{folder}/pins.db")
    try:
        return Pins(records).judge("usr_a", None, pin)
    finally:
        records.close()


def test_a_pin_is_read_from_a_pipe_listed_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PIN}\nmore\n"))
    assert run(tmp_path, "set", "usr_a") == (0, ["usr_a has a PIN"])
    assert judged(tmp_path, PIN) is Outcome.RIGHT
    assert judged(tmp_path, "482914") is Outcome.WRONG
    status, (line,) = run(tmp_path, "list")
    assert status == 0
    assert line.startswith("usr_a  since 20")
    assert line.endswith(", 1 wrong tries, 0 s to wait")
    assert run(tmp_path, "remove", "usr_a") == (0, ["usr_a has no PIN any more"])
    assert run(tmp_path, "remove", "usr_a") == (1, ["usr_a had no PIN"])


def test_at_a_terminal_it_is_asked_for_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([PIN, "482914", PIN, PIN])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    with pytest.raises(Refused, match="not the same"):
        run(tmp_path, "set", "usr_a")
    assert judged(tmp_path, PIN) is Outcome.MISSING
    run(tmp_path, "set", "usr_a")
    assert judged(tmp_path, PIN) is Outcome.RIGHT


def test_what_cannot_be_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("123456\n"))
    with pytest.raises(Refused, match="count up"):
        run(tmp_path, "set", "usr_a")


def test_it_is_never_an_argument(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, "set", "usr_a", PIN)

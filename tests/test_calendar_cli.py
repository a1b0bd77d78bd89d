"""The command that looks at calendars."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import pytest

from phone_bridge import calendar_cli
from phone_bridge.calendar_cli import SKIPPED, Desk
from phone_bridge.errors import SettingsError
from tests.tools.ics.objects import WIRE

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(f"sqlite:///{tmp_path / 'c.sqlite3'}", (), "usr_carol")


def run(desk: Desk, *arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    calendar_cli.add_arguments(parser)
    said: list[str] = []
    status = calendar_cli.run(parser.parse_args(arguments), desk, said.append, now=NOW)
    return status, "\n".join(said)


def test_the_demonstration_s_user_has_a_week_to_look_at(desk: Desk) -> None:
    status, page = run(desk, "--user", "usr_demo_alice")
    assert status == 0
    assert "Monday, 30 November 2026  (today)" in page
    assert "Dentist appointment" in page
    assert "Alice, America/New_York" in page


def test_what_is_added_is_shown(desk: Desk) -> None:
    status, said = run(desk, "add", "Coffee", "--at", "2026-12-01T15:00", "--minutes", "30", "--where", "Cafe")
    assert (status, said) == (0, "added Coffee, Tuesday 1 December 2026 at 15:00")
    assert "15:00–15:30  Coffee" in run(desk, "day", "2026-12-01")[1]  # noqa: RUF001
    assert "Cafe" in run(desk, "week")[1]


def test_a_date_makes_a_whole_day_and_a_rule_a_series(desk: Desk) -> None:
    run(desk, "add", "Fair", "--at", "2026-12-02", "--with", "dan@example.com")
    run(desk, "add", "Swim", "--at", "2026-11-30T07:00", "--repeat", "FREQ=DAILY;COUNT=3")
    page = run(desk, "week", "2026-11-30")[1]
    assert "all day  Fair" in page
    assert page.count("Swim") == 3


def test_files_go_in_and_out(desk: Desk, tmp_path: Path) -> None:
    assert run(desk, "import", str(WIRE / "google.ics")) == (0, "3 new, 0 brought up to date, 0 as they were")
    out = tmp_path / "out.ics"
    assert run(desk, "export", str(out)) == (0, f"3 calendar objects are in {out}")
    assert run(desk, "import", str(out)) == (0, "0 new, 0 brought up to date, 3 as they were")
    assert run(desk, "export")[1].startswith("BEGIN:VCALENDAR\nVERSION:2.0")


def test_an_import_that_leaves_something_out_says_what(desk: Desk) -> None:
    status, said = run(desk, "import", str(WIRE / "broken.ics"))
    assert status == SKIPPED
    assert "left out: Ends before it begins: it ends before it begins" in said


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("--user", "usr_nobody"), "--user"),
        (("add", "x", "--at", "soon"), "2026-12-01T15:00"),
        (("add", "x", "--at", "2026-12-01", "--minutes", "0"), "1 to 1440"),
        (("add", "x", "--at", "2026-12-01", "--with", "dan"), "cannot be added"),
        (("add", "x", "--at", "2026-12-01", "--repeat", "DAILY"), "cannot be added"),
        (("import", "/nowhere.ics"), "cannot be read"),
        (("export", "/nowhere/at/all.ics"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(desk: Desk, arguments: tuple[str, ...], mend: str) -> None:
    with pytest.raises(SettingsError, match=mend):
        run(desk, *arguments)

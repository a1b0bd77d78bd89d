"""The page on PINs: its rule works, and what it says of sentences, log lines and limits is so."""

import re
from pathlib import Path

import pytest

from phone_bridge.call.proving import CODE_DIGITS, MAX_REMINDERS, MAX_SENDINGS
from phone_bridge.call.trust import Tier
from phone_bridge.call.words import knowing
from phone_bridge.runtime.codes import CODE_SECONDS
from phone_bridge.runtime.pin_toolbox import CHANGE_PIN
from phone_bridge.runtime.pins import FEWEST_DIFFERENT, MAX_DIGITS, MIN_DIGITS
from phone_bridge.settings import Settings
from phone_bridge.tenants import read as routes
from tests.infra.files import read
from tests.infra.program import log_lines

PAGE = read("PINS.md")
TEXTING = Settings(
    twilio_account_sid="AC1",
    twilio_auth_token="t",
    twilio_phone_number="+12025550100",
    user_numbers="usr_demo_alice:+12025550188",
)


def test_the_rule_can_be_read(tmp_path: Path) -> None:
    (rule,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "phone-bridge.toml").write_text(rule)
    (route,) = routes({}, tmp_path, TEXTING)
    assert route.trust["enrol"] == "code"


def test_every_tier_is_there_in_its_order() -> None:
    assert re.findall(r"^\| `([a-z+]+)` \|", PAGE, flags=re.MULTILINE) == list(Tier)


@pytest.mark.parametrize("sentence", re.findall(r'^\| "(.+?)" \|', PAGE, flags=re.MULTILINE))
def test_a_caller_hears_exactly_this(sentence: str) -> None:
    assert sentence in knowing.SENTENCES["en"].values()


@pytest.mark.parametrize("line", re.findall(r"`(! [^`]+)`", PAGE))
def test_a_log_line_is_written_like_this(line: str) -> None:
    assert any(known == line or known.startswith(line) for known in log_lines()), line


def test_its_figures_are_the_program_s() -> None:
    assert (CODE_DIGITS, MIN_DIGITS, MAX_DIGITS, FEWEST_DIFFERENT) == (6, 6, 12, 3)
    assert (MAX_SENDINGS, MAX_REMINDERS, CODE_SECONDS) == (3, 3, 5 * 60)
    assert f"`{CHANGE_PIN}`" in PAGE

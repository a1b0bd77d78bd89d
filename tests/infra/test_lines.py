"""What is written of other carriers' lines works as it stands."""

import re
import tomllib

import msgspec
import pytest

from phone_bridge.app.lines import KINDS as DOORS
from phone_bridge.runtime.lines import KINDS, Line, listening, opened
from tests.infra.files import read

PAGE = read("LINES.md")


def test_its_settings_can_be_read() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    told = tomllib.loads(block)
    found = opened(
        msgspec.convert(told["lines"], tuple[Line, ...]), {"OFFICE_SECRET": "s" * 48, "PLIVO_SECRET": "s" * 48}
    )
    assert [line.kind for line in found] == ["audiosocket", "plivo"]
    assert listening(told["audiosocket_listen"]) == ("127.0.0.1", 9092)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_in_its_table(kind: str) -> None:
    assert f"\n| `{kind}` |" in PAGE
    assert kind in DOORS or kind == "audiosocket"


def test_its_dialplans_name_the_doors_that_there_are() -> None:
    assert "/lines/office/answer?secret=" in PAGE
    assert "/lines/pbx/media" in PAGE

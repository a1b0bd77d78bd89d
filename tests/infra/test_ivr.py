"""The page for whoever hands callers over: its snippets verify what we sign, and make what we let in."""

import json
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as Xml

import pytest

from phone_bridge.app.handing_back import Ended
from phone_bridge.handover import Result, WayBack, address
from phone_bridge.legs.twilio.admission import ROUTE_KEY, Key, admit
from phone_bridge.menus import Go, Heard, answer, enter, target_of
from phone_bridge.settings import Settings
from phone_bridge.simulator.verbs import parse
from phone_bridge.tenants import read
from tests.infra.files import INFRA

TEXT = (INFRA / "IVR.md").read_text()
KEY = "the key that this route's results are signed with"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
NODE = shutil.which("node")


def block(kind: str, holding: str) -> str:
    found: str
    (found,) = [text for language, text in BLOCKS if language == kind and holding in text]
    return found


def defined(holding: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(block("python", holding), names)  # noqa: S102 - it is our own page that we try out
    return names


def signed(at: int, call_sid: str = "CA1") -> dict[str, str]:
    result = Result(
        call="call_1", call_sid=call_sid, ended="completed", actions=[("cancel_event", "confirmed", "")], digits="*"
    )
    return dict(parse_qsl(urlsplit(address(WayBack(url="https://x/y?a=1", key=KEY, ref="é 1"), result, at)).query))


def cases() -> list[tuple[dict[str, str], str, str, bool]]:
    now = int(time.time())
    good = signed(now)
    return [
        (good, "CA1", KEY, True),
        (good, "CA2", KEY, False),
        (good, "CA1", KEY + "x", False),
        ({**good, "pb_ended": "failed"}, "CA1", KEY, False),
        ({**good, "pb_error": "x"}, "CA1", KEY, False),
        ({**good, "pb_signature": ""}, "CA1", KEY, False),
        (signed(now - 400), "CA1", KEY, False),
    ]


def test_the_python_that_it_shows_tells_ours_from_any_other() -> None:
    verified = defined("def verified")["verified"]
    assert [verified(query, call_sid, key) for query, call_sid, key, _ in cases()] == [right for *_, right in cases()]


@pytest.mark.skipif(NODE is None, reason="there is no node on this machine")
def test_the_javascript_that_it_shows_does_so_too() -> None:
    assert NODE is not None
    given = [[query, call_sid, key] for query, call_sid, key, _ in cases()]
    program = f"{block('javascript', 'function verified')}\n"
    program += f"console.log(JSON.stringify({json.dumps(given)}.map((each) => verified(...each))));"
    told = subprocess.run([NODE, "-e", program], capture_output=True, check=True, timeout=20)
    assert json.loads(told.stdout) == [right for *_, right in cases()]


def test_its_menus_and_routes_are_read_and_lead_somewhere(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(block("toml", "[[menus]]"))
    routes = read({}, tmp_path, Settings())
    office = next(route for route in routes if route.menu)
    step = enter(office.menus, office.menu, datetime(2026, 11, 23, 11, 0, tzinfo=UTC))
    for digits in ("3", "1"):
        step = answer(office.menus, step.state, Heard(digits), datetime(2026, 11, 23, 11, 0, tzinfo=UTC))
    step = answer(office.menus, step.state, Heard("4711"), datetime(2026, 11, 23, 11, 0, tzinfo=UTC))
    assert isinstance(step, Go)
    assert (step.target, step.state.gathered) == (target_of("assistant:appointments"), (("nummer", "4711"),))
    closed = enter(office.menus, office.menu, datetime(2026, 12, 31, 11, 0, tzinfo=UTC))
    assert isinstance(closed, Go)
    assert closed.first == ("We are closed.",)


def test_its_route_that_is_handed_over_to_is_read(tmp_path: Path) -> None:
    (tmp_path / "phone-bridge.toml").write_text(block("toml", "ivr.example.com"))
    (route,) = read({"IVR_RETURN_KEY": KEY}, tmp_path, Settings())
    assert (route.named, route.return_key) == (True, KEY)


def test_the_token_that_it_shows_is_let_in() -> None:
    token = defined("def token")["token"]("ivr", KEY, "CA1", "AC1")
    name = f"{ROUTE_KEY}ivr"
    told = admit(
        token, {name: Key(name, KEY.encode())}, call_sid="CA1", account_sid="AC1", now_epoch_s=int(time.time())
    )
    assert told.route == "ivr"


@pytest.mark.parametrize("text", [text for language, text in BLOCKS if language == "xml"])
def test_its_documents_are_read_by_a_carrier_without_a_warning(text: str) -> None:
    read = parse(text.encode())
    assert read.verbs
    assert read.faults == ()
    assert Xml.fromstring(text).tag == "Response"  # noqa: S314 - our own page


@pytest.mark.parametrize("word", Ended)
def test_each_reason_why_a_caller_goes_back_is_named(word: Ended) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(pb_\w+)`", TEXT))))
def test_the_parameters_that_it_names_are_those_that_are_told(name: str) -> None:
    full = Result(call="c", call_sid="s", ended="e", error="x", actions=[("a", "b", "c")], digits="1")
    assert name in address(WayBack(url="https://x/y", key=KEY, ref="r"), full, 0)

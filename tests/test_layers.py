"""The house keeps its floors: a room sees itself and lower floors, never a neighbour, and dry rooms stay dry."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "phone_bridge"

FLOORS = {
    "errors": 0,
    "exchange": 0,
    "offers": 0,
    "audio": 1,
    "handover": 1,
    "hours": 1,
    "menus": 2,
    "routing": 3,
    "menu_talk": 3,
    "joined_talk": 3,
    "voice_sdk": 2,  # one dialect's words, which a session and a browser's leg speak alike
    "call": 2,
    "legs": 3,
    "sessions": 3,
    "tools": 3,
    "runtime": 4,
    "outbound": 5,
    "assistant": 5,
    "simulator": 5,
    "app": 6,
    "doctor_peers": 5,
    "doctor": 6,
    "doctor_cli": 7,
    "calendar_cli": 6,
    "outbound_cli": 6,
    "campaign_cli": 7,
    "key_cli": 6,
    "memory_cli": 6,
    "pin_cli": 6,
    "receipt_cli": 6,  # beside cli, which would outgrow its page: a command with subcommands of its own
    "voice_key_cli": 6,
    "serve_cli": 7,
    "cli": 8,
}
READERS = {"app", "cli", "serve_cli", "doctor", "doctor_cli", "doctor_peers"}
ASIDE = {"settings", "telemetry", "tenants", "trust_rules"}  # seen by READERS alone

DRY = ("audio", "call", "legs", "sessions")
DRY_FILES = (
    "routing.py",
    "handover.py",
    "hours.py",
    "menus.py",
    "menu_talk.py",
    "joined_talk.py",
    "assistant/answering.py",
    "assistant/conversation.py",
    "assistant/understanding.py",
    "assistant/spoken_time.py",
    "outbound/attempt.py",
    "outbound/campaign.py",
    "outbound/policy.py",
    "outbound/reminders.py",
    "outbound/sources.py",
    "assistant/sayings.py",
    "assistant/phrasing.py",
    "assistant/slots.py",
    "assistant/departures.py",
    "assistant/limits.py",
    "assistant/paging.py",
    "assistant/versions.py",
    "assistant/webhooks.py",
    "assistant/calendar/page.py",
    "tools/catalogue.py",
    "tools/ics/names.py",
    "tools/ics/reading.py",
    "tools/ics/writing.py",
    "outbound/destinations.py",
)
WET = {
    "asyncio",
    "aiohttp",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "picows",
    "random",
    "secrets",
    "select",
    "socket",
    "sqlalchemy",
    "ssl",
    "starlette",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uuid",
    "uvicorn",
}
WET_CALLS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(name: str) -> str:
    """The room of ``phone_bridge.room.…``."""
    return name.split(".")[1]


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            module = node.module or ""
            if module in ("phone_bridge", "phone_bridge.runtime", "phone_bridge.call"):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def name_of(file: Path) -> str:
    return ".".join(("phone_bridge", *file.relative_to(PACKAGE).with_suffix("").parts))


def test_every_room_has_a_floor() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert rooms - {"__init__", "__pycache__", "py"} <= FLOORS.keys() | ASIDE


@pytest.mark.parametrize("file", modules(), ids=name_of)
def test_a_module_sees_its_own_room_and_lower_floors(file: Path) -> None:
    if file.parent == PACKAGE and file.stem == "__init__":
        return
    own = room(name_of(file))
    for imported in imports(file):
        if not imported.startswith("phone_bridge."):
            assert not imported.startswith("twiml") or own == "app", f"{file}: TwiML is written by app"
            continue
        other = room(imported)
        if other in ASIDE:
            assert own in READERS | ASIDE, f"{own} reads {other}"
        elif own not in ASIDE and other != own:
            assert FLOORS[other] < FLOORS[own], f"{name_of(file)} sees {imported}, which is not on a lower floor"


@pytest.mark.parametrize("file", modules(), ids=name_of)
def test_a_dry_room_stays_dry(file: Path) -> None:
    inside = file.relative_to(PACKAGE)
    if inside.parts[0] not in DRY and inside.as_posix() not in DRY_FILES:
        return
    for imported in imports(file):
        assert imported.split(".")[0] not in WET, f"{inside} imports {imported}"
    for node in ast.walk(ast.parse(file.read_text())):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{inside} waits"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in WET_CALLS, f"{inside} looks at the clock"


def test_each_dry_file_that_is_named_exists() -> None:
    for file in DRY_FILES:
        assert (PACKAGE / file).is_file(), file

"""The captured-shape messages of tests/wire/realtime."""

import json
from pathlib import Path
from typing import Any

WIRE = Path(__file__).parents[2] / "wire" / "realtime"


def lines(name: str) -> list[str]:
    return (WIRE / name).read_text().splitlines()


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(name)]

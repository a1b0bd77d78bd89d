"""Twilio's own description of its calls, as data: ``tests/wire/twilio/calls.schema.json`` says where it is from."""

import json
from pathlib import Path

import jsonschema

SCHEMA = json.loads((Path(__file__).parents[1] / "wire" / "twilio" / "calls.schema.json").read_text())


def is_valid(form: dict[str, list[str]], kind: str) -> None:
    """Hold a form against what Twilio describes as ``create``, ``update`` or ``list``; raises where it is not."""
    lists = {name for name, of in SCHEMA[kind]["properties"].items() if of.get("type") == "array"}
    jsonschema.validate({name: values if name in lists else values[0] for name, values in form.items()}, SCHEMA[kind])
    assert all(len(values) == 1 for name, values in form.items() if name not in lists)

"""The JSON Schema of the socket's messages, made from the table of messages, so that it cannot say anything else."""

from typing import Any, get_args

import msgspec

from phone_bridge.sessions.chronapilot import messages as m

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Write the schema: ``#/$defs/ClientMessage`` is what a client may send, ``#/$defs/ServerMessage`` what it gets.

    A client must let fields and types pass that it does not know, so neither side's objects are closed.
    """
    client, server = get_args(m.ClientMessage), get_args(m.ServerMessage)
    _, shapes = msgspec.json.schema_components([*client, *server], ref_template="#/$defs/{name}")
    for shape in shapes.values():
        shape["description"] = shape.get("description", "").replace("``", "`")
    sides = {"ClientMessage": _one_of(client), "ServerMessage": _one_of(server)}
    return {
        "$schema": DIALECT,
        "title": "Messages of the WebSocket /v1/voice/realtime",
        "anyOf": [{"$ref": f"#/$defs/{side}"} for side in sides],
        "$defs": {**sides, **shapes},
    }


def _one_of(kinds: tuple[type, ...]) -> dict[str, Any]:
    tags = {str(kind.__struct_config__.tag): f"#/$defs/{kind.__name__}" for kind in kinds}  # type: ignore[attr-defined]  # each is a struct
    return {
        "oneOf": [{"$ref": ref} for ref in tags.values()],
        "discriminator": {"propertyName": "type", "mapping": tags},
    }

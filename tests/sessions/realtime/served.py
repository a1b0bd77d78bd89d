"""A Realtime keeper in a test's hands: what a client says to it, what happens in the session, what goes out."""

import itertools
import json
from typing import Any

from phone_bridge.sessions import serving as s
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.realtime.server import NOTHING, Identity, RealtimeKeeper
from phone_bridge.sessions.realtime.settings import Settings

REPLY = "resp_a"


class Served:
    """One socket; ids are numbered."""

    def __init__(self, shape: Shape = Shape.GA, settings: Settings = NOTHING) -> None:
        counts: dict[str, itertools.count[int]] = {}

        def new_id(prefix: str) -> str:
            return f"{prefix}_{next(counts.setdefault(prefix, itertools.count(1)))}"

        self.keeper = RealtimeKeeper(shape, Identity("sess_1", "conv_1", 1_800_000_000), new_id, settings)

    def say(self, kind: str, **fields: Any) -> list[s.ClientFact]:
        return self.keeper.receive(json.dumps({"type": kind, **fields}))

    def update(self, **session: Any) -> list[s.ClientFact]:
        return self.say("session.update", session={"type": "realtime", **session})

    def told(self, *happenings: s.Happening) -> list[dict[str, Any]]:
        """Let something happen, and take what goes out."""
        for happening in happenings:
            self.keeper.tell(happening)
        return [json.loads(message) for message in self.keeper.outgoing()]

    def kinds(self, *happenings: s.Happening) -> list[str]:
        return [str(message["type"]) for message in self.told(*happenings)]

    def user(self, text: str, **fields: Any) -> list[s.ClientFact]:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        return self.say("conversation.item.create", item=item | fields)

    def spoken(self, text: str = "Hello.", audio: bytes = bytes(480)) -> list[dict[str, Any]]:
        """Have a whole reply go out."""
        return self.told(
            s.ReplyBegan(REPLY),
            s.ReplyWords(REPLY, text),
            s.ReplySound(REPLY, audio),
            s.ReplyEnded(REPLY, "completed"),
        )

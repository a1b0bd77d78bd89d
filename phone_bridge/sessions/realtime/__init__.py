"""OpenAI's Realtime protocol, GA and beta: how its servers are dialled, and both sides of the socket."""

from phone_bridge.sessions.realtime.client import RealtimeWire
from phone_bridge.sessions.realtime.dialect import Realtime, azure, gateway, openai

__all__ = ["Realtime", "RealtimeWire", "azure", "gateway", "openai"]

"""ChronaPilot's voice sessions: HTTP and the client's socket, and the server's side for the embedded assistant."""

from phone_bridge.sessions.chronapilot.client import ChronaPilotWire
from phone_bridge.sessions.chronapilot.dialect import ChronaPilot
from phone_bridge.sessions.chronapilot.server import ChronaPilotServerWire

__all__ = ["ChronaPilot", "ChronaPilotServerWire", "ChronaPilotWire"]

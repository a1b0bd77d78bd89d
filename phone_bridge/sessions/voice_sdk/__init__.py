"""The Voice SDK's sessions: HTTP and the client's socket, and the server's side for the embedded assistant."""

from phone_bridge.sessions.voice_sdk.client import VoiceSdkWire
from phone_bridge.sessions.voice_sdk.dialect import VoiceSdk
from phone_bridge.sessions.voice_sdk.server import VoiceSdkKeeper

__all__ = ["VoiceSdk", "VoiceSdkKeeper", "VoiceSdkWire"]

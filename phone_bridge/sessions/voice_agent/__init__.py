"""The voice-agent endpoint: it mints a Realtime session with tools of its own, and runs those for whoever asks."""

from phone_bridge.sessions.voice_agent.dialect import VoiceAgent

__all__ = ["VoiceAgent"]

"""The telephone bridge between callers and realtime voice assistants."""
